"""The JSON lines of ``--output json``: events, the plan, the result. Their keys are the contract.

One object a line on stdout; every line is written by `write_line`, which makes control characters
visible.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from route53_takeover.base.stdio import write_line
from route53_takeover.core.events import DeployExited, TimePassed
from route53_takeover.core.plan.comparison import record_objects
from route53_takeover.core.plan.forecast_objects import (
    forecast_object,
    measured_objects,
    strategy_objects,
)
from route53_takeover.core.status.gaps import GapClosed, gap_changes
from route53_takeover.core.status.messages import deploy_tail, of_event
from route53_takeover.core.status.rehearsal_marks import prefix
from route53_takeover.core.takeover.events import StackPolled

if TYPE_CHECKING:
    from route53_takeover.base.stdio import Sink
    from route53_takeover.core.events import Event
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.status.alert_events import Alert
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.status.gaps import GapOpened
    from route53_takeover.core.status.result import Result


def rfc3339(time: float) -> str:
    """A time in JSON lines."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")


class JsonLines:
    """An engine's observer that prints each event as a JSON object on stdout.

    The last output of a deploy command goes to ``talk``: it is not our data.

    Args:
        known: the state of a run that is resumed: what was printed of it is not printed again.
    """

    def __init__(self, run: str, out: Sink, talk: Sink, known: RunState | None = None) -> None:
        self._run = run
        self._out = out
        self._talk = talk
        self._before = known

    def __call__(self, event: Event, state: RunState, seq: int) -> None:
        if not (isinstance(event, TimePassed) or _is_no_news(event)):
            self._print(event, state, seq)
        for gap in gap_changes(self._before, state):
            head = {"run": self._run, "seq": seq, "time": rfc3339(state.now)}
            write_line(json.dumps(head | {"phase": str(state.phase)} | gap_object(gap)), self._out)
        self._before = state

    def _print(self, event: Event, state: RunState, seq: int) -> None:
        body = msgspec.to_builtins(event)
        body.pop("plan", None)  # it is in plan.json
        line = {
            "run": self._run,
            "seq": seq,
            "time": rfc3339(event.time),
            "phase": str(state.phase),
            "event": kebab(body.pop("event")),
        }
        body.pop("time")
        if isinstance(event, DeployExited):
            body.pop("tail", None)
            for message in of_event(event):
                write_line(message.text, self._talk)
            for text in deploy_tail(event):
                write_line(text, self._talk)
        write_line(json.dumps(line | {k: v for k, v in body.items() if k not in line}), self._out)


def _is_no_news(event: Event) -> bool:
    return isinstance(event, StackPolled) and not event.events


def gap_object(gap: GapOpened | GapClosed) -> dict[str, Any]:
    """What a line says of a gap; ``set_identifier`` is of routed records, ``null`` for others."""
    what = {"name": gap.name, "type": gap.type, "set_identifier": gap.set_identifier}
    if isinstance(gap, GapClosed):
        return {"event": "gap-closed", **what, "gap_seconds": gap.gap_seconds}
    due = None if gap.deadline is None else rfc3339(gap.deadline)
    return {"event": "gap-opened", **what, "deadline": due}


def alert_object(
    alert: Alert, state: RunState, *, seq: int, rehearsal: str | None, attach: str
) -> dict[str, Any]:
    """What the command of ``--on-event`` reads: an event of a run, and a sentence about it.

    Args:
        attach: the line that shows the run.
    """
    found: dict[str, Any] = {"event": str(alert.kind)}
    if alert.gap is not None:
        found = gap_object(alert.gap)
    if state.ending is not None:
        found |= {
            "outcome": str(state.ending.outcome),
            "exit_code": int(state.ending.exit_code),
            "reason": state.ending.reason,
        }
    return {
        "run": state.run,
        "seq": seq,
        "time": rfc3339(state.now),
        "phase": str(state.phase),
        **found,
        "text": f"{prefix(rehearsal)}{alert.text}",
        "rehearsal": rehearsal,
        "attach": attach,
    }


def kebab(name: str) -> str:
    """``NameRead`` -> ``name-read``."""
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


def result_object(result: Result, *, seq: int | None, time: float) -> dict[str, Any]:
    """The last JSON line of every run, in the contract's order."""
    body = msgspec.to_builtins(result)
    records = [
        {key: value for key, value in record.items() if key != "unwatched"}
        | {
            key: None if record[key] is None else rfc3339(record[key])
            for key in ("released_at", "created_at")
        }
        for record in body["records"]
    ]
    return {
        "event": "result",
        "run": body["run"],
        "seq": seq,
        "time": rfc3339(time),
        "phase": body["phase"],
        "outcome": body["outcome"],
        "exit_code": body["exit_code"],
        "reason": body["reason"],
        "owner_notice": body["owner_notice"],
        "records": records,
        "switches": [_switch_object(switch) for switch in body["switches"]],
        "api_calls": body["api_calls"],
    }


def _switch_object(switch: dict[str, Any]) -> dict[str, Any]:
    times = ("switched_at", "first_green_at", "last_blue_at")
    return switch | {key: None if switch[key] is None else rfc3339(switch[key]) for key in times}


def plan_object(
    plan: Plan, steps: list[str], run_line: str, config: str | None, out: str | None = None
) -> dict[str, Any]:
    """``plan --output json``; ``config``: the file that options came from; ``out``: the plan's."""
    return refusal_object([str(each) for each in plan.refusals], run_line, config) | {
        "refused": plan.refused,
        "warnings": [str(finding) for finding in plan.warnings],
        "records": record_objects(plan),
        "strategies": strategy_objects(plan),
        "forecast": forecast_object(plan),
        "measured": measured_objects(plan),
        "steps": [] if plan.refused else steps,
        "out": out,
    }


def refusal_object(reasons: list[str], run_line: str, config: str | None) -> dict[str, Any]:
    """The same where no plan could be made."""
    return {
        "event": "plan",
        "refused": True,
        "reasons": reasons,
        "warnings": [],
        "records": [],
        "strategies": [],
        "forecast": None,
        "measured": [],
        "steps": [],
        "run_line": run_line,
        "out": None,
        "config": config,
    }
