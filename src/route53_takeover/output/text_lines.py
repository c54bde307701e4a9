"""What a person or a script reads while a run goes on: text lines, or JSON lines.

Both are made from the same events and states. JSON goes to stdout, one object a line; text progress
goes to stderr and the summary to stdout. Every line goes out by `write_line`, which makes control
characters visible; what has several lines is a list of them, so that no value can forge one.
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
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.messages import PHASE_WORDS
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
"""Seconds of silence after which a line says that the run still waits."""


def rfc3339(time: float) -> str:
    """A time as JSON lines have it."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")


def pasteable(line: str) -> str:
    """A shell command that can be copied from a terminal, whatever its words hold.

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

    What a deploy command said last goes to ``talk``: its output is no data of ours.
    """

    def __init__(self, run: str, out: Sink, talk: Sink) -> None:
        self._run = run
        self._out = out
        self._talk = talk
        self._gone: dict[RecordKey, float] = {}

    def __call__(self, event: ev.AnyEvent, state: State, seq: int) -> None:
        if not (isinstance(event, ev.TimePassed) or _is_no_news(event)):
            self._tell(event, state, seq)
        for line in self._gaps(state):
            head = {"run": self._run, "seq": seq, "time": rfc3339(state.now)}
            write_line(json.dumps(head | {"phase": str(state.phase)} | line), self._out)

    def _gaps(self, state: State) -> Iterator[dict[str, Any]]:
        """A line when a record set is gone and nothing stands in its place; one when that ends."""
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

    def _tell(self, event: ev.AnyEvent, state: State, seq: int) -> None:
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
            for text in _deploy_ended(event):
                write_line(text, self._talk)
        write_line(json.dumps(line | {k: v for k, v in body.items() if k not in line}), self._out)


def _deploy_ended(event: ev.DeployExited) -> list[str]:
    tail = [f"  | {line}" for line in event.tail.splitlines()[-5:]]
    if event.timed_out:
        return [f"deploy {event.switch} ran into --deploy-timeout and was ended", *tail]
    return [f"deploy {event.switch} exited {event.code}", *tail]


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
    """An engine's observer that tells a person, on stderr, what happens and what is waited for."""

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
        self._verbose = verbose
        self._phase: Phase | None = None
        self._seen: set[str] = set()
        self._began = 0.0
        self._last = 0.0
        self._told = ""

    def __call__(self, event: ev.AnyEvent, state: State, seq: int) -> None:  # noqa: ARG002 -- the port's
        if self._quiet:
            return
        self._began = self._began or event.time
        for text in self._lines(event):
            self._say(event.time, text)
        if state.phase is not self._phase:
            self._phase = state.phase
            if state.phase is not Phase.ENDED:
                self._say(event.time, f"{state.phase}: {PHASE_WORDS[state.phase]}")
        elif event.time - self._last >= _QUIET_FOR:
            waited = event.time - state.phase_since
            self._say(event.time, f"still {PHASE_WORDS[state.phase]}, {clock_time(waited)}")

    def tick(self, now: float) -> None:
        """Tells that the run is still waiting, when nothing has been said for a while."""
        if self._quiet or self._phase is None or now - self._last < _QUIET_FOR:
            return
        self._say(now, f"still {PHASE_WORDS[self._phase]}")

    def _say(self, time: float, text: str) -> None:
        self._last = time
        write_line(f"{self._prefix}{clock_time(time - self._began)}  {text}", self._out)

    def _trouble(self, text: str) -> list[str]:
        """What keeps going wrong is told once; what to do about it stands in it."""
        if text == self._told:
            return []
        self._told = text
        return [text]

    def _is_new(self, event_id: str) -> bool:
        """Whether this stack event was not told yet: one may come twice."""
        new = event_id not in self._seen
        self._seen.add(event_id)
        return new

    def _lines(self, event: ev.AnyEvent) -> list[str]:
        match event:
            case ev.WriteIntended(purpose=ev.Purpose.RELEASE):
                return [f"deleting {c.record.describe()}" for c in event.changes]
            case ev.WriteIntended(purpose=ev.Purpose.RESTORE):
                return [f"putting back {c.record.describe()}" for c in event.changes]
            case ev.WriteAccepted() if self._verbose:
                return [f"accepted: {event.change_id}"]
            case ev.WriteRefused() | ev.WriteHeldOff() | ev.WriteUnknown():
                return [f"Route 53: {event.reason}"]
            case ev.NameUnread() | ev.BaselineUnread():
                return self._trouble(f"cannot read the account, trying again: {event.reason}")
            case ev.StackPolled():
                return [
                    f"  {e.stack_name} {e.logical_id} {e.status} {e.reason}".rstrip()
                    for e in event.events
                    if self._is_new(e.event_id)
                    if self._verbose or "AWS::Route53" in e.resource_type or e.is_of_stack
                ]
            case ev.DeployExited():
                return _deploy_ended(event)[: None if self._deploy_output else 1]
            case ev.Interrupted():
                return [f"{event.signal}: ending in good order; once more stops at once"]
            case ev.RunResumed():
                return ["resumed from the journal"]
            case ev.JournalFailed():
                return [f"the journal is lost: {event.reason}; going on in memory"]
            case _:
                return _asked(event)


def _asked(event: ev.AnyEvent) -> list[str]:
    """What a person at the keys wants: it may come too late to change anything."""
    match event:
        case ev.RunPaused():
            return ["asked to pause: nothing new is begun, and nothing is released"]
        case ev.RunUnpaused():
            return ["asked to go on"]
        case ev.HoldCut():
            return [f"asked to release {display_name(event.name)} without the rest of the hold"]
        case ev.ReleaseConfirmed():
            return [f"asked to release {display_name(event.name)} at the moment"]
        case ev.DeadmanExtended():
            who = display_name(event.name)
            return [f"asked to put the deadman of {who} off by {event.seconds:g} s"]
        case ev.RestoreAsked():
            return ["asked to put back what was released"]
        case ev.AbortAsked():
            return ["asked to abort, which undoes what was changed; a signal stops at once"]
        case _:
            return []


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
        lines.append(f"Go on with:  {pasteable(resume)}")
    if result.run is not None:
        calls = sum((result.api_calls or {}).values())
        lines.append(f"run {result.run}, {calls} API calls" if calls else f"run {result.run}")
    return lines


def plan_object(plan: Plan, steps: list[str], run_line: str, config: str | None) -> dict[str, Any]:
    """``plan --output json``; ``config``: the file that options came from."""
    records = [
        {
            "name": display_name(m.key.name),
            "type": m.key.type,
            "record": m.original.to_api(),
            "ttl": m.original.ttl,
            "lowered_ttl": m.lowered.ttl if m.lowered else None,
            "owner": None,
        }
        for m in plan.manuals
    ] + [
        {
            "name": display_name(r.key.name),
            "type": r.type,
            "record": r.to_api(),
            "ttl": r.ttl,
            "lowered_ttl": None,
            "owner": plan.root.stack_name,
        }
        for r in plan.owned
    ]
    return {
        "event": "plan",
        "refused": plan.refused,
        "reasons": [str(finding) for finding in plan.refusals],
        "warnings": [str(finding) for finding in plan.warnings],
        "records": records,
        "steps": [] if plan.refused else steps,
        "run_line": run_line,
        "config": config,
    }


def print_plan(common: Common, plan: Plan, steps: list[str], run_line: str) -> None:
    """Prints the plan, as one JSON object or for people."""
    config = common.config
    if common.as_json:
        path = config.path if config else None
        write_line(json.dumps(plan_object(plan, steps, run_line, path)), sys.stdout)
    else:
        told = str(config or "")
        write_lines(plan_lines(plan, steps, run_line, config=told), sys.stdout)


def plan_lines(
    plan: Plan, steps: list[str], run_line: str | None, *, config: str = ""
) -> list[str]:
    """``plan`` for people; ``config``: a file and the options that it says."""
    zone = f"{display_name(plan.zone_name)} ({plan.zone_id})"
    stack = plan.root.stack_name or plan.options.stack
    lines = [f"Zone {zone}, account {plan.account}, stack {stack} {plan.root.status}"]
    lines += [f"Options from {config}"] if config else []
    lines += [f"  take over  {m.original.describe()}" for m in plan.manuals]
    lines += [f"  owned      {r.describe()}" for r in plan.owned]
    lines += [f"  stays      {r.describe()}" for r in plan.staying]
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
    """Tells a person something, on stderr; with ``-q`` only what must be told."""
    if always or not common.quiet:
        write_line(text, sys.stderr)


def tell_config(common: Common) -> None:
    """Says which options are from a file, before anything is done because of them."""
    if common.config is not None:
        talk(common, f"options from {common.config}")


def tell_error(error: TakeoverError) -> None:
    """An error on stderr: a line of what, and a line of what to do."""
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
            told = f"REHEARSAL of {rehearsal}: a simulated account, nothing real was touched"
            lines.insert(0, told)
        write_lines(lines, sys.stdout)
    return ended.exit_code
