"""The text and JSON output of a run, a plan and a result.

JSON goes to stdout, one object a line; text progress goes to stderr and the summary to stdout.
Every line is written by `write_line`, which makes control characters visible; a text of several
lines is a list of them, so that no value can forge one.
"""

from __future__ import annotations

import json
import shlex
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from route53_takeover.base.errors import ExitCode
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.plan.comparison import plan_rows, record_objects
from route53_takeover.core.status.messages import of_event
from route53_takeover.core.status.sentences import doing
from route53_takeover.core.status.snapshot import Detail
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.state import ABSENT_STAGES, Phase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.base.errors import TakeoverError
    from route53_takeover.base.stdio import Sink
    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.status.result import Result
    from route53_takeover.core.takeover.state import State
    from route53_takeover.storage.config import Common

_QUIET_FOR = 10.0
"""Seconds without a line after which one says what the run waits for."""


def rfc3339(time: float) -> str:
    """A time in JSON lines."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")


def pasteable(line: str) -> str:
    """A shell command that can be copied from a terminal, whatever its words contain.

    Words with control characters are written in the shell's own ``$'...'``.
    """
    if line.isprintable():
        return line
    return " ".join(
        shlex.quote(word) if word.isprintable() else f"$'{''.join(map(_in_quotes, word))}'"
        for word in shlex.split(line)
    )


def _in_quotes(character: str) -> str:
    if character in "\\'\n":
        return {"\n": "\\n"}.get(character, f"\\{character}")
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


class JsonLines:
    """An engine's observer that prints each event as a JSON object on stdout.

    The last output of a deploy command goes to ``talk``: it is not our data.
    """

    def __init__(self, run: str, out: Sink, talk: Sink) -> None:
        self._run = run
        self._out = out
        self._talk = talk
        self._gone: dict[RecordKey, float] = {}

    def __call__(self, event: ev.AnyEvent, state: State, seq: int) -> None:
        if not (isinstance(event, ev.TimePassed) or _is_no_news(event)):
            self._print(event, state, seq)
        for line in self._gaps(state):
            head = {"run": self._run, "seq": seq, "time": rfc3339(state.now)}
            write_line(json.dumps(head | {"phase": str(state.phase)} | line), self._out)

    def _gaps(self, state: State) -> Iterator[dict[str, Any]]:
        """A line when a gap of a record set opens, and one when it closes."""
        for name in state.names.values():
            for handover in name.handovers:
                key = handover.original.key
                what = {"name": display_name(key.name), "type": key.type}
                if handover.stage in ABSENT_STAGES and key not in self._gone:
                    ours = handover.released_at if handover.gone_at is None else handover.gone_at
                    self._gone[key] = state.now if ours is None else ours
                    due = None if name.deadman_at is None else rfc3339(name.deadman_at)
                    yield {"event": "gap-opened", **what, "deadline": due}
                elif handover.stage not in ABSENT_STAGES and key in self._gone:
                    lasted = max(state.now - self._gone.pop(key), 0.0)
                    yield {"event": "gap-closed", **what, "gap_seconds": round(lasted, 3)}

    def _print(self, event: ev.AnyEvent, state: State, seq: int) -> None:
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
        if isinstance(event, ev.DeployExited):
            body.pop("tail", None)
            for message in of_event(event):
                write_line(message.text, self._talk)
            for text in _deploy_tail(event):
                write_line(text, self._talk)
        write_line(json.dumps(line | {k: v for k, v in body.items() if k not in line}), self._out)


def _deploy_tail(event: ev.DeployExited) -> list[str]:
    return [f"  | {line}" for line in event.tail.splitlines()[-5:]]


def _is_no_news(event: ev.AnyEvent) -> bool:
    return isinstance(event, ev.StackPolled) and not event.events


def kebab(name: str) -> str:
    """``NameRead`` -> ``name-read``."""
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


def result_object(result: Result, *, seq: int | None, time: float) -> dict[str, Any]:
    """The last JSON line of every run, in the contract's order."""
    body = msgspec.to_builtins(result)
    records = [
        record
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
        "api_calls": body["api_calls"],
    }


class TextLines:
    """An engine's observer that prints on stderr what happens and what the run waits for.

    The lines are those of the screen's events panel; without ``verbose`` only the main ones.
    """

    def __init__(
        self,
        out: Sink,
        *,
        prefix: str,
        quiet: bool,
        verbose: bool,
        deploy_output: bool = True,
    ) -> None:
        self._out = out
        self._prefix = prefix
        self._deploy_output = deploy_output
        self._quiet = quiet
        self._detail = Detail.ALL if verbose else Detail.MAIN
        self._timeline = Timeline()
        self._state: State | None = None
        self._last = 0.0

    def __call__(self, event: ev.AnyEvent, state: State, seq: int) -> None:  # noqa: ARG002 -- the port's
        if self._quiet:
            return
        self._state = state
        for news in self._timeline.take(event, state):
            if news.detail > self._detail or news.phase is Phase.ENDED:
                continue  # the summary says how it ended
            self._say(event.time, f"{news.phase}: {news.text}" if news.phase else news.text)
        if self._deploy_output and isinstance(event, ev.DeployExited):
            for text in _deploy_tail(event):
                self._say(event.time, text)
        self.tick(event.time)

    def tick(self, now: float) -> None:
        """Prints what the run waits for, when nothing was printed for a while."""
        state = self._state
        if state is None or state.ending is not None or now - self._last < _QUIET_FOR:
            return
        waited = clock_time(now - state.phase_since)
        self._say(now, f"{doing(state).rstrip('.')} ({waited})")

    def _say(self, time: float, text: str) -> None:
        self._last = time
        since = clock_time(time - self._timeline.began)
        write_line(f"{self._prefix}{since}  {text}", self._out)


def clock_time(seconds: float) -> str:
    """``02m10s``, or ``1h02m10s``."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    text = f"{rest // 60:02d}m{rest % 60:02d}s"
    return f"{hours}h{text}" if hours else text


_SYMBOLS = {
    "done": "✔",
    "restored": "↩",
    "failed": "✘",
    "refused": "✘",
    "aborted": "↩",
    "unknown": "?",
}


def summary(result: Result, *, resume: str | None) -> list[str]:
    """The summary of a run, for stdout: its lines."""
    lines = [f"{_SYMBOLS[result.outcome]} {result.outcome}: {result.reason}"]
    for record in result.records:
        gap = "" if record.gap_seconds is None else f", gap {record.gap_seconds:.1f} s"
        if record.gap_seconds_dns is not None:
            gap += f" ({record.gap_seconds_dns:.1f} s at the worst name server)"
        lines.append(f"  {record.name} {record.type}: {record.outcome}{gap}")
    if result.owner_notice:
        lines.append(f"! {result.owner_notice}")
    unknown = result.exit_code is ExitCode.UNKNOWN
    if resume is not None and unknown and result.resumable:
        lines.append(f"Continue with:  {pasteable(resume)}")
    if result.run is not None:
        calls = sum((result.api_calls or {}).values())
        lines.append(f"run {result.run}, {calls} API calls" if calls else f"run {result.run}")
    return lines


def plan_object(plan: Plan, steps: list[str], run_line: str, config: str | None) -> dict[str, Any]:
    """``plan --output json``; ``config``: the file that options came from."""
    return {
        "event": "plan",
        "refused": plan.refused,
        "reasons": [str(finding) for finding in plan.refusals],
        "warnings": [str(finding) for finding in plan.warnings],
        "records": record_objects(plan),
        "steps": [] if plan.refused else steps,
        "run_line": run_line,
        "config": config,
    }


def print_plan(common: Common, plan: Plan, steps: list[str], run_line: str) -> None:
    """Prints the plan, as one JSON object or as text."""
    config = common.config
    if common.as_json:
        path = config.path if config else None
        write_line(json.dumps(plan_object(plan, steps, run_line, path)), sys.stdout)
    else:
        write_lines(plan_lines(plan, steps, run_line, config=str(config or "")), sys.stdout)


def plan_lines(
    plan: Plan, steps: list[str], run_line: str | None, *, config: str = ""
) -> list[str]:
    """``plan`` as text; ``config``: a file and the options in it."""
    zone = f"{shown_name(plan.zone_name)} ({plan.zone_id})"
    stack = plan.root.stack_name or plan.options.stack
    lines = [f"Zone {zone}, account {plan.account}, stack {stack} {plan.root.status}"]
    lines += [f"Options from {config}"] if config else []
    for label, record, details in plan_rows(plan):
        lines += [f"  {label:<9}  {record}", *(f"{'':<13}{detail}" for detail in details)]
    for finding in plan.refusals:
        lines += [f"✘ {finding.text}", *([f"    {finding.hint}"] if finding.hint else [])]
    for finding in plan.warnings:
        lines += [f"! {finding.text}", *([f"    {finding.hint}"] if finding.hint else [])]
    if plan.refused:
        return [*lines, "Refused: nothing was written."]
    if not plan.manuals:
        return [*lines, "Nothing to do."]
    lines += [f"{number}. {step}" for number, step in enumerate(steps, start=1)]
    return lines if run_line is None else [*lines, "", "Run it with:", f"  {pasteable(run_line)}"]


def talk(common: Common, text: str, *, always: bool = False) -> None:
    """Prints a message on stderr; with ``-q`` only where it is ``always`` shown."""
    if always or not common.quiet:
        write_line(text, sys.stderr)


def tell_config(common: Common) -> None:
    """Prints which options are from a file, before they take effect."""
    if common.config is not None:
        talk(common, f"options from {common.config}")


def tell_error(error: TakeoverError) -> None:
    """Prints an error on stderr: one line for the error, one for the hint."""
    write_line(f"error: {error.message}", sys.stderr)
    if error.hint:
        write_line(f"  {error.hint}", sys.stderr)


def print_result(
    common: Common,
    ended: Result,
    now: float,
    *,
    seq: int | None = None,
    resume: str | None = None,
    rehearsal: str | None = None,
) -> ExitCode:
    """Prints the result, as the last JSON line or as a summary; returns the exit code."""
    if common.as_json:
        line = result_object(ended, seq=seq, time=now)
        if rehearsal:
            line["rehearsal"] = rehearsal
        write_line(json.dumps(line), sys.stdout)
    else:
        lines = summary(ended, resume=resume)
        if rehearsal:
            head = f"REHEARSAL of {rehearsal}: a simulated account, nothing real was changed"
            lines.insert(0, head)
        write_lines(lines, sys.stdout)
    return ended.exit_code
