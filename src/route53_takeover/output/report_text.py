"""A report as text: the result first, then the head, gaps, timeline, forecast, changes, calls.

On a terminal it is wrapped to its width, with colours; elsewhere each fact is one line.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from route53_takeover.base.stdio import BOLD, DIM, GREEN, RED, YELLOW, Span
from route53_takeover.core.status.run_status import Standing
from route53_takeover.core.status.spoken_times import offset, time_of_day
from route53_takeover.output.mark_styles import MARK_STYLES
from route53_takeover.output.report_words import (
    FORECAST_HEADINGS,
    MARKS,
    NO_CALLS,
    answer_text,
    forecast_rows,
    headline,
    is_alarming,
    outcome_lines,
    server_gap,
    timeline_text,
)
from route53_takeover.output.text_lines import pasteable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.base.stdio import StyledLine
    from route53_takeover.core.status.report.model import Report

_LABEL = 13
_LEAST = 24
"""Columns that a text keeps beside its indent, however narrow the terminal."""


def report_lines(report: Report, width: int | None) -> list[StyledLine]:
    """The report; ``width``: of the terminal, ``None`` for lines of any length."""
    return list(_Text(width).all_of(report))


class _Text:
    """Lines of one width."""

    def __init__(self, width: int | None) -> None:
        self._width = width

    def _line(
        self, head: Sequence[Span], text: str, style: str = "", *, indent: int | None = None
    ) -> Iterator[StyledLine]:
        """A text behind what comes before it; its further lines begin below its first."""
        column = sum(len(span.text) for span in head) if indent is None else indent
        if self._width is None:
            yield [*head, Span(text, style)]
            return
        room = max(self._width - column, _LEAST)
        first, *more = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
        yield [*head, Span(first, style)]
        for each in more:
            yield [Span(" " * column), Span(each, style)]

    def _heading(self, text: str) -> Iterator[StyledLine]:
        yield []
        yield [Span(text, BOLD)]

    def all_of(self, report: Report) -> Iterator[StyledLine]:
        yield from self._result(report)
        yield []
        for fact in report.facts:
            yield from self._line([Span(f"{fact.label:<{_LABEL}}", DIM)], fact.text)
        yield from self._gaps(report)
        yield from self._timeline(report)
        yield from self._forecast(report)
        yield from self._changes(report)
        yield from self._restores(report)
        yield from self._calls(report)

    def _result(self, report: Report) -> Iterator[StyledLine]:
        style = RED if is_alarming(report) else BOLD
        if report.status.standing is Standing.DONE:
            style = GREEN
        yield from self._line([], headline(report), style, indent=2)
        for text in outcome_lines(report):
            yield from self._line([Span("  ")], text, indent=4)
        for fact in report.advice:
            if fact.label:  # a command: it is copied in one piece
                yield [Span(f"{fact.label}:  "), Span(pasteable(fact.text), BOLD)]
            else:
                yield from self._line([Span("! ", RED if is_alarming(report) else "")], fact.text)

    def _gaps(self, report: Report) -> Iterator[StyledLine]:
        if not report.gaps:
            return
        yield from self._heading("Gap at each name server")
        several = len({gap.name for gap in report.gaps}) > 1
        room = max(len(gap.server) for gap in report.gaps)
        for gap in report.gaps:
            about = f"{gap.name}  " if several else ""
            style = RED if gap.is_open else ""
            yield from self._line(
                [Span(f"  {about}{gap.server:<{room}}  ")], server_gap(gap), style
            )

    def _timeline(self, report: Report) -> Iterator[StyledLine]:
        yield from self._heading("Timeline")
        for line in report.lines:
            after = offset(line.time - report.began)
            head = [Span(f"  {time_of_day(line.time)}  {after:>7}  ", DIM)]
            style = MARK_STYLES.get(line.mark, BOLD if line.phase else "")
            sign = "" if line.phase else f"{MARKS[line.mark]} "
            yield from self._line([*head, Span(sign, style)], timeline_text(line), style)

    def _forecast(self, report: Report) -> Iterator[StyledLine]:
        if not report.forecasts:
            return
        yield from self._heading("Forecast and measurement")
        rows: list[tuple[str, ...]] = [FORECAST_HEADINGS]
        for each in report.forecasts:
            rows += forecast_rows(each)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for number, row in enumerate(rows):
            cells = (f"{cell:<{room}}" for cell, room in zip(row, widths, strict=True))
            yield [Span(f"  {'  '.join(cells)}".rstrip(), "" if number else DIM)]

    def _changes(self, report: Report) -> Iterator[StyledLine]:
        if not report.batches:
            return
        yield from self._heading("Changes sent to AWS")
        for batch in report.batches:
            head = [Span(f"  {time_of_day(batch.time)}  ", DIM), Span(f"{batch.purpose}: ", BOLD)]
            style = "" if batch.answer == "accepted" else YELLOW
            yield from self._line(head, answer_text(batch), style, indent=13)
            for change in batch.changes:
                head = [Span(f"{'':<13}{change.action} ")]
                yield from self._line(head, change.text, indent=15)
            yield [Span(f"{'':<13}{batch.id}", DIM)]

    def _restores(self, report: Report) -> Iterator[StyledLine]:
        if not report.restores:
            return
        yield from self._heading("Restored later by `restore`")
        for each in report.restores:
            head = [Span(f"  {time_of_day(each.time)}  ", DIM)]
            if each.outcome:
                yield from self._line(head, f"ended {each.outcome}: {each.reason}")
            for change in each.changes:
                yield from self._line(head, f"about to send: {change}")

    def _calls(self, report: Report) -> Iterator[StyledLine]:
        yield from self._heading("API calls")
        if report.api_calls is None:
            yield from self._line([Span("  ")], NO_CALLS)
            return
        for operation, count in report.api_calls.items():
            yield [Span(f"  {count:>5}  {operation}")]
