"""What the renderings of a report have in common: symbols, and lines that several of them show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan.forecast_lines import percent, short
from route53_takeover.core.status.result import gap_words
from route53_takeover.core.status.run_status import Standing
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.core.status.spoken_times import length, time_of_day
from route53_takeover.output.text_lines import record_line, swap_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.forecast_result import ForecastResult
    from route53_takeover.core.status.report.model import Batch, Line, Report, ServerGap

SYMBOLS = {
    Standing.RUNNING: "…",
    Standing.YOUR_TURN: ">",
    Standing.PAUSED: ">",
    Standing.DIED: "✘",
    Standing.DONE: "✔",
    Standing.RESTORED: "↩",
    Standing.FAILED: "✘",
    Standing.ABORTED: "↩",
    Standing.REFUSED: "✘",
    Standing.UNKNOWN: "?",
}
MARKS = {
    Mark.WAITING: "·",
    Mark.RUNNING: "·",
    Mark.DONE: "✔",
    Mark.FAILED: "✘",
    Mark.UNDONE: "↩",
    Mark.SKIPPED: "-",
    Mark.UNKNOWN: "?",
}
FORECAST_HEADINGS = ("record", "", "gap", "at the name servers", "resolvers", "per user")


def headline(report: Report) -> str:
    """The first line."""
    return f"{SYMBOLS.get(report.status.standing, '?')} {report.headline}"


def is_alarming(report: Report) -> bool:
    """Whether a name has no record, or no process works on a run that has not ended."""
    return bool(report.status.missing) or report.status.standing in (
        Standing.DIED,
        Standing.UNKNOWN,
    )


def outcome_lines(report: Report) -> Iterator[str]:
    """What came of, or stands at, each record set or swap."""
    if report.result is not None and report.status.restored_at is None:
        yield from map(record_line, report.result.records)
        yield from map(swap_line, report.result.switches)
        return
    for record in report.records:
        gap = ""
        if record.gap is not None:
            gap = f", gap {gap_words(length(record.gap), record.unwatched)}"
        yield f"{record.label}: {_stands(report, record.words)}{gap}"
    for swap in report.swaps:
        yield f"{swap.target}: {_stands(report, swap.words)}, {swap.before} -> {swap.after}"


def _stands(report: Report, words: str) -> str:
    """How it was at the newest event, or what `restore` has made of it since."""
    return words if report.status.restored_at is None else "as before the run, by `restore`"


def server_gap(gap: ServerGap) -> str:
    """How long a name server did not answer."""
    if gap.is_open:
        return f"no answer for {length(gap.seconds)}, still"
    return f"no answer for {length(gap.seconds)}" if gap.seconds else "answered whenever asked"


def timeline_text(line: Line) -> str:
    """The text of a line of the timeline."""
    text = f"{line.phase}: {line.text}" if line.phase else line.text
    if line.times > 1:
        text += f" ({line.times} times, until {time_of_day(line.until)})"
    return text


def forecast_rows(each: ForecastResult) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two rows below `FORECAST_HEADINGS`: what was expected, and what was measured."""
    expected = each.expected
    at_most = "at most " if each.unwatched else ""
    return (
        (
            str(expected.key),
            "forecast",
            f"{expected.gap_seconds:g} s",
            "",
            percent(expected.affected_share),
            short(expected.harmed_seconds),
        ),
        (
            "",
            "measured",
            "none" if each.gap_seconds is None else f"{at_most}{each.gap_seconds:.1f} s",
            "" if each.gap_seconds_dns is None else f"{each.gap_seconds_dns:.1f} s",
            "" if each.affected_share is None else percent(each.affected_share),
            "" if each.harmed_seconds is None else short(each.harmed_seconds),
        ),
    )


def answer_text(batch: Batch) -> str:
    """What AWS answered to a batch, and how fast."""
    if batch.answered_at is None:
        return "no answer in the journal: it may have been applied"
    took = length(max(batch.answered_at - batch.time, 0.0))
    words = {"unknown": "the answer was lost: it may have been applied"}
    text = words.get(batch.answer, batch.answer)
    detail = f" ({batch.detail})" if batch.detail else ""
    return f"{text} after {took}{detail}"


NO_CALLS = "Not recorded: an earlier version, or no process of the run has ended in good order."
"""What is said of API calls where they are not known."""
