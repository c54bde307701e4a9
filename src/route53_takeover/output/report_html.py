"""A report as one HTML page: nothing is loaded from elsewhere, and nothing in it is a program.

Foreign text is escaped by `route53_takeover.output.html_elements`; the page's own policy
(``Content-Security-Policy``) forbids scripts and every request.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from route53_takeover.core.status.run_status import Standing
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.core.status.spoken_times import length, moment, offset, time_of_day
from route53_takeover.output.html_elements import Markup, element, joined, preformatted, table
from route53_takeover.output.report_style import STYLE
from route53_takeover.output.report_svg import server_svg, share_svg
from route53_takeover.output.report_words import (
    FORECAST_HEADINGS,
    MARKS,
    NO_CALLS,
    answer_text,
    forecast_rows,
    headline,
    outcome_lines,
    server_gap,
    timeline_text,
)
from route53_takeover.output.text_lines import pasteable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.report.model import Batch, Fact, Report
    from route53_takeover.core.status.snapshot import RecordView

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_COLOURS = {
    Standing.RUNNING: "blue",
    Standing.YOUR_TURN: "amber",
    Standing.PAUSED: "amber",
    Standing.DIED: "red hollow",
    Standing.DONE: "green",
    Standing.UNKNOWN: "red",
    Standing.FAILED: "red",
    Standing.REFUSED: "red",
}


def report_page(report: Report) -> list[str]:
    """The lines of the page."""
    mark = "REHEARSAL: " if report.rehearsal else ""
    head = (
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", f"{mark}{report.title}: {report.status.words}"),
    )
    parts = (
        "<!doctype html>",
        '<html lang="en">',
        element("head", *head, Markup(f"<style>{' '.join(STYLE.split())}</style>")),
        "<body><main>",
        *_sections(report),
        _footer(report),
        "</main></body></html>",
    )
    return "\n".join(parts).split("\n")


def _sections(report: Report) -> Iterator[Markup]:
    yield _hero(report)
    yield _section("Run", element("dl", *map(_fact, report.facts)))
    if report.records:
        back = report.status.restored_at is not None
        yield _section("Records", *(_record(record, is_back=back) for record in report.records))
    if report.swaps:
        rows = [(s.target, s.before, s.after, f"{s.words} {s.standing}") for s in report.swaps]
        yield _section("What is switched", table(("target", "blue", "green", "now"), rows))
    if report.servers is not None or report.gaps:
        yield _section("Name servers", *_servers(report))
    if report.shares is not None:
        caption = "Who answered users: the share of blue and green in each stretch of time"
        yield _section("Who answered users", share_svg(report.shares, caption), *_checks(report))
    yield _section("Timeline", _timeline(report), is_long=True)
    if report.forecasts:
        rows_of = [row for each in report.forecasts for row in forecast_rows(each)]
        yield _section("Forecast and measurement", table(FORECAST_HEADINGS, rows_of))
    if report.batches:
        yield _section("Changes sent to AWS", *map(_batch, report.batches), is_long=True)
    if report.restores:
        yield _section("Restored later by restore", _restores(report))
    yield _section("API calls", _calls(report), is_long=True)


def _section(heading: str, *parts: Markup, is_long: bool = False) -> Markup:
    inner = (element("h2", heading), *parts)
    return element("section", *inner, class_="long") if is_long else element("section", *inner)


def _hero(report: Report) -> Markup:
    status = report.status
    parts: list[Markup] = []
    chip = [element("span", "REHEARSAL", class_="chip")] if report.rehearsal else []
    words = status.words if status.standing is not Standing.DIED else "DIED: no process works on it"
    parts.append(element("p", *chip, element("span", words.upper(), class_="state")))
    parts.append(element("h1", report.title))
    if status.gap is not None:
        at_most = "at most " if any(record.unwatched for record in report.records) else ""
        gap = f"{at_most}{length(status.gap)}" if status.gap else "no gap"
        parts.append(element("p", gap, class_="number"))
        if status.gap:
            still = " so far" if status.is_gap_open else ""
            told = f"without a record{still}: the longest of all names, by the API"
            parts.append(element("p", told, class_="soft"))
    parts.append(element("p", headline(report)))
    if results := list(outcome_lines(report)):
        parts.append(element("ul", *(element("li", each) for each in results), class_="plain"))
    for fact in report.advice:
        if fact.label:
            command = element("code", pasteable(fact.text), class_="command")
            parts.append(joined(element("p", f"{fact.label}:", class_="soft"), command))
        else:
            alarm = {"class_": "alarm"} if status.missing else {}
            parts.append(element("p", fact.text, **alarm))
    colour = "red" if status.missing and status.alive else _COLOURS.get(status.standing, "gray")
    return element("header", *parts, class_=f"hero {colour}")


def _fact(fact: Fact) -> Markup:
    return joined(element("dt", fact.label), element("dd", fact.text))


def _record(record: RecordView, *, is_back: bool) -> Markup:
    now = ", ".join(record.standing) or "no record"
    stands = f"{record.words}. At the newest read or write: {now}."
    if is_back:
        stands = f"As before the run, by `restore`. Before that: {stands}"
    is_given_up = is_back or record.mark in (Mark.UNDONE, Mark.SKIPPED)
    rows = []
    for field in record.fields:
        wanted = field.after or "not known"
        after = element("s", wanted, class_="soft") if is_given_up and field.after else wanted
        rows.append((field.name, field.before, after))
    return joined(
        element("h3", record.label),
        element("p", stands),
        table(("", "before", "as the stack wants it"), rows, is_keyed=True),
    )


def _servers(report: Report) -> Iterator[Markup]:
    if report.servers is not None:
        names = ", ".join(dict.fromkeys(row.about for row in report.servers.rows))
        yield server_svg(report.servers, f"What the name servers answered for {names}")
    if report.gaps:
        first = 0 if len({gap.name for gap in report.gaps}) > 1 else 1
        rows = [(gap.name, gap.server, server_gap(gap))[first:] for gap in report.gaps]
        yield table(("name", "name server", "gap")[first:], rows)


def _checks(report: Report) -> Iterator[Markup]:
    rows = [
        (check.text, way.way, f"{way.passed} passed, {way.failed} failed", way.failure)
        for check in report.checks
        for way in check.ways
    ]
    if rows:
        yield table(("check", "asked", "answers", "last failure"), rows)


def _timeline(report: Report) -> Markup:
    items, before = [], ""
    for line in report.lines:
        when = f"{time_of_day(line.time)}  +{offset(line.time - report.began)}"
        styles = ["phase"] if line.phase else []
        styles += [str(line.mark)] if line.mark in (Mark.FAILED, Mark.DONE) else []
        styles += ["same"] if when == before else []
        before = when
        sign = "▸" if line.phase else MARKS[line.mark]
        texts = element("time", when), element("i", sign), element("span", timeline_text(line))
        items.append(element("li", *texts, class_=" ".join(styles)))
    return element("ol", *items, class_="lines")


def _batch(batch: Batch) -> Markup:
    head = element("strong", batch.purpose), f": {answer_text(batch)}"
    changes = [
        element("li", element("strong", f"{change.action} "), change.text)
        for change in batch.changes
    ]
    parts = [
        element("p", element("time", f"{time_of_day(batch.time)} "), *head),
        element("ul", *changes, class_="plain mono"),
        element("p", batch.id, class_="soft mono"),
    ]
    if all(change.shape for change in batch.changes):
        shapes = [{"Action": c.action, "ResourceRecordSet": c.shape} for c in batch.changes]
        sent = preformatted(json.dumps(shapes, indent=1))
        parts.append(element("details", element("summary", "as sent", class_="soft"), sent))
    return element("div", *parts, class_="batch")


def _restores(report: Report) -> Markup:
    items = []
    for each in report.restores:
        told = [f"ended {each.outcome}: {each.reason}"] if each.outcome else []
        told += [f"about to send: {change}" for change in each.changes]
        items += [element("li", element("time", f"{moment(each.time)} "), text) for text in told]
    return element("ul", *items, class_="plain")


def _calls(report: Report) -> Markup:
    if report.api_calls is None:
        return element("p", NO_CALLS)
    rows = [(name, str(count)) for name, count in report.api_calls.items()]
    return table(("operation", "calls"), rows)


def _footer(report: Report) -> Markup:
    as_of = f"As of {moment(report.as_of)}; {report.events} events."
    more = "" if report.result else " The run has not ended: make the report again later."
    return element("footer", f"{as_of}{more} All times are UTC.")
