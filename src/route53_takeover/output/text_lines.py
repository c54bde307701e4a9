"""The text output of a run and a result, and where text or JSON is printed.

Progress goes to stderr, the summary and JSON (`route53_takeover.output.json_lines`) to stdout.
Every line is written by `write_line`, which makes control characters visible; a text of several
lines is a list of them, so that no value can forge one.
"""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode
from route53_takeover.base.stdio import BOLD, DIM, Span, write_line, write_spans
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import DeployExited
from route53_takeover.core.status.any_run import (
    doing_of,
    has_run_ended,
    progress_of,
    tell,
    timeline_for,
)
from route53_takeover.core.status.gap_lines import GapLines
from route53_takeover.core.status.messages import deploy_tail
from route53_takeover.core.status.rehearsal_marks import title
from route53_takeover.core.status.result import gap_words
from route53_takeover.core.status.snapshot import Detail
from route53_takeover.output.json_lines import result_object
from route53_takeover.output.mark_styles import MARK_STYLES, OUTCOME_STYLES

if TYPE_CHECKING:
    from route53_takeover.base.errors import TakeoverError
    from route53_takeover.base.stdio import Sink
    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.status.result import RecordResult, Result, SwapResult
    from route53_takeover.core.status.switch.timeline import SwitchTimeline
    from route53_takeover.core.status.timeline import Timeline
    from route53_takeover.storage.config import Common

_QUIET_FOR = 10.0
"""Seconds without a line after which one says what the run waits for."""


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
        self._timeline: Timeline | SwitchTimeline | None = None
        self._gaps = GapLines()
        self._state: RunState | None = None
        self._last = 0.0

    def __call__(self, event: Event, state: RunState, seq: int) -> None:  # noqa: ARG002 -- the port's
        if self._quiet:
            return
        self._state = state
        if self._timeline is None:
            self._timeline = timeline_for(state)
        for news in (*tell(self._timeline, event, state), *self._gaps.take(state)):
            if news.detail > self._detail or (news.phase and has_run_ended(state)):
                continue  # the summary says how it ended
            style = MARK_STYLES.get(news.mark, BOLD if news.phase else "")
            text = f"{news.phase}: {news.text}" if news.phase else news.text
            self._say(event.time, text, style)
        if self._deploy_output and isinstance(event, DeployExited):
            for text in deploy_tail(event):
                self._say(event.time, text)
        self.tick(event.time)

    def tick(self, now: float) -> None:
        """Prints what the run waits for, when nothing was printed for a while."""
        state = self._state
        if state is None or state.ending is not None or now - self._last < _QUIET_FOR:
            return
        waited = clock_time(now - state.phase_since)
        progress = progress_of(state)
        more = f"; {progress}" if progress else ""
        self._say(now, f"{doing_of(state).rstrip('.')} ({waited}){more}")

    def _say(self, time: float, text: str, style: str = "") -> None:
        self._last = time
        began = time if self._timeline is None else self._timeline.began
        since = clock_time(time - began)
        line = Span(f"{self._prefix}{since}  ", DIM), Span(text, style)
        write_spans([line], self._out)


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
    lines += [f"  {record_line(record)}" for record in result.records]
    lines += [f"  {swap_line(swap)}" for swap in result.switches]
    if result.owner_notice:
        lines.append(f"! {result.owner_notice}")
    unknown = result.exit_code is ExitCode.UNKNOWN
    if resume is not None and unknown and result.resumable:
        lines.append(f"Continue with:  {pasteable(resume)}")
    if result.run is not None:
        calls = sum((result.api_calls or {}).values())
        lines.append(f"run {result.run}, {calls} API calls" if calls else f"run {result.run}")
    return lines


def record_line(record: RecordResult) -> str:
    """What came of one record set."""
    by_dns = "" if record.gap_seconds_dns is None else f"{record.gap_seconds_dns:.1f} s"
    if record.gap_seconds is None:
        return f"{record.label}: {record.outcome}{gap_words('', 0.0, by_dns)}"
    gap = gap_words(f"{record.gap_seconds:.1f} s", record.unwatched, by_dns)
    return f"{record.label}: {record.outcome}, gap {gap}"


def swap_line(swap: SwapResult) -> str:
    """What came of one thing that a switch switches."""
    return f"{swap.target}: {swap.outcome}, {swap.before} -> {swap.after}{_switched_in(swap)}"


def _switched_in(swap: SwapResult) -> str:
    """How long both sides answered, where that was seen."""
    if swap.switched_at is None or swap.first_green_at is None:
        return ""
    first = max(swap.first_green_at - swap.switched_at, 0.0)
    text = f", green answered after {first:.1f} s"
    if swap.last_blue_at is not None and swap.last_blue_at > swap.switched_at:
        text += f", blue for the last time after {swap.last_blue_at - swap.switched_at:.1f} s"
    return text


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
    write_line(f"{error.label}{error.message}", sys.stderr)
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
            lines.insert(0, f"{title(rehearsal)}, nothing real was changed")
        first = f"{_SYMBOLS[ended.outcome]} "
        style = OUTCOME_STYLES[Outcome(ended.outcome)]
        write_spans(
            ([Span(line, style if line.startswith(first) else "")] for line in lines), sys.stdout
        )
    return ended.exit_code
