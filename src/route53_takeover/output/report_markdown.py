"""A report as Markdown, for a change ticket.

Foreign text stands in code, inline or fenced: it can neither become markup nor mention a user.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from route53_takeover.base.escaping import escape_control
from route53_takeover.core.status.spoken_times import moment, offset, time_of_day
from route53_takeover.output.report_words import (
    FORECAST_HEADINGS,
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
    from collections.abc import Iterable, Iterator, Sequence

    from route53_takeover.core.status.report.model import Report


def report_markdown(report: Report) -> list[str]:
    """Its lines."""
    return list(_parts(report))


def _parts(report: Report) -> Iterator[str]:
    mark = "REHEARSAL: " if report.rehearsal else ""
    yield f"# {mark}{code(report.title)}"
    yield ""
    bold = "**" if is_alarming(report) else ""
    yield f"{bold}Result:{bold} {code(headline(report))}"
    yield ""
    for text in outcome_lines(report):
        yield f"- {code(text)}"
    for fact in report.advice:
        label = f"{fact.label}: " if fact.label else ""
        yield f"- {label}{code(pasteable(fact.text) if fact.label else fact.text)}"
    yield ""
    yield from _table(("", ""), ((fact.label, code(fact.text)) for fact in report.facts))
    if report.gaps:
        yield from _heading("Gap at each name server")
        rows = ((code(g.name), code(g.server), server_gap(g)) for g in report.gaps)
        yield from _table(("name", "name server", "gap"), rows)
    yield from _heading("Timeline")
    yield from fenced(_timeline(report))
    if report.forecasts:
        yield from _heading("Forecast and measurement")
        both = [row for each in report.forecasts for row in forecast_rows(each)]
        yield from _table(FORECAST_HEADINGS, ((code(r[0]) if r[0] else "", *r[1:]) for r in both))
    if report.batches:
        yield from _heading("Changes sent to AWS")
        yield from fenced(_changes(report))
    if report.restores:
        yield from _heading("Restored later by `restore`")
        yield from fenced(_restores(report))
    yield from _heading("API calls")
    if report.api_calls is None:
        yield NO_CALLS
    else:
        calls = ((code(name), str(count)) for name, count in report.api_calls.items())
        yield from _table(("operation", "calls"), calls)


def _timeline(report: Report) -> Iterator[str]:
    for line in report.lines:
        after = offset(line.time - report.began)
        yield f"{time_of_day(line.time)}  {after:>7}  {timeline_text(line)}"


def _changes(report: Report) -> Iterator[str]:
    for batch in report.batches:
        yield f"{time_of_day(batch.time)}  {batch.purpose}: {answer_text(batch)}"
        for change in batch.changes:
            yield f"           {change.action} {change.text}"
        yield f"           {batch.id}"


def _restores(report: Report) -> Iterator[str]:
    for each in report.restores:
        if each.outcome:
            yield f"{moment(each.time)}  ended {each.outcome}: {each.reason}"
        for change in each.changes:
            yield f"{moment(each.time)}  about to send: {change}"


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield f"## {text}"
    yield ""


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (headings, ["---"] * len(headings), *rows):
        yield f"| {' | '.join(cells)} |"


def code(text: str) -> str:
    """Inline code, whatever is in the text; a bar is no end of a table's cell."""
    visible = escape_control(text) or " "
    fence = _fence(visible, 1)
    space = " " if visible.startswith("`") or visible.endswith("`") else ""
    return f"{fence}{space}{visible}{space}{fence}".replace("|", "\\|")


def fenced(lines: Iterable[str]) -> list[str]:
    """A block of code, whatever is in the lines."""
    visible = [escape_control(line) for line in lines]
    fence = _fence("\n".join(visible), 3)
    return [f"{fence}text", *visible, fence]


def _fence(text: str, least: int) -> str:
    """More backquotes than stand anywhere in a row."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)
