"""What happens now, what comes next, what it waits for and until when: the panel to read first.

The order is that of what matters at night: whether this is news at all, what runs out, what is
being done and why it waits, what is wrong, what comes next. Where there is little room the end of
it is scrolled to, never the beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.output.text_lines import swap_line
from route53_takeover.process.protocol import KILLED, Link
from route53_takeover.tui.frame import goes_on
from route53_takeover.tui.marks import ALARM, LOOKS, MUTED, STRONG, WARN, outcome_mark
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import clock, duration, plain, seconds, still_waiting, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.result import RecordResult, Result
    from route53_takeover.core.status.snapshot import Countdown
    from route53_takeover.tui.frame import Frame

_LABEL = 11
_BAR = 10
_BAR_FROM = 60
"""Cells from which on a countdown has a bar: its text has priority."""


class Now(DrawnLines):
    """What happens now and next."""

    BORDER_TITLE = "now"
    brief = False
    """Whether several alerts share a line, where lines are few."""

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """All lines, folded at the width."""
        lines: list[Content] = []
        for content, indent in self._texts(sight, width):
            lines += wrapped(content, width, indent=indent)
        return lines

    def show(self, sight: Frame) -> None:
        """The title says how long nothing has changed: that applies to the whole panel."""
        quiet = goes_on(sight.view) and still_waiting(sight.now, sight.view.snapshot.news_at)
        self.border_title = f"{self.BORDER_TITLE} · {quiet}" if quiet else self.BORDER_TITLE
        super().show(sight)

    def _texts(self, sight: Frame, width: int) -> Iterator[tuple[Content, int]]:
        snapshot = sight.view.snapshot
        if snapshot.needs_person and sight.view.link is Link.REPLAY:  # else it is in a bar below
            yield (
                Content.assemble(
                    ("! YOUR TURN:", ALARM), " ", plain(snapshot.needs_person, STRONG)
                ),
                2,
            )
        yield from ((text, 2) for text in _reach(sight))
        if snapshot.result is not None:
            yield from _ended(snapshot.result)
        else:
            if not _is_dead(sight):  # nothing happens when a time is up
                yield from ((countdown(each, sight, width), 2) for each in snapshot.countdowns)
            yield from _going(sight)
        yield from ((text, 2) for text in self._alerts(snapshot.alerts, width))
        if snapshot.result is None and snapshot.next:
            text = plain(snapshot.next)
            yield Content.assemble((f"{'next':<{_LABEL}}", MUTED), text), _LABEL

    def _alerts(self, alerts: tuple[str, ...], width: int) -> Iterator[Content]:
        """All of them; where there is little room the first, and the number of the others."""
        style = "bold $text-warning"
        if not self.brief or len(alerts) < 2:  # noqa: PLR2004 -- one needs no counting
            yield from (Content.assemble("! ", plain(alert)).stylize(style) for alert in alerts)
            return
        more = f" +{len(alerts) - 1} more"
        first = Content.assemble("! ", plain(alerts[0]))
        first = first.truncate(max(width - len(more), 0), ellipsis=True)
        yield Content.assemble(first, more).stylize(style)


def _reach(sight: Frame) -> Iterator[Content]:
    """The state of a run whose process does not answer."""
    snapshot = sight.view.snapshot
    as_of = f"last event {clock(snapshot.now)}"
    if sight.view.link is Link.STALE:
        text = f"{as_of}: the run's process does not answer; it may be stopped"
        yield Content.assemble(("STALE", WARN), " ", text)
    elif sight.view.link is Link.GONE:
        dead = snapshot.words.dead
        text = f"{as_of}: the run is not over, and {dead} until it is resumed"
        yield Content.assemble(("PROCESS DIED", ALARM), " ", text)
    elif sight.view.link is Link.KILLED:
        yield Content.assemble(("PROCESS KILLED", ALARM), " ", f"{as_of}: {KILLED}")


def countdown(each: Countdown, sight: Frame, width: int) -> Content:
    """``00m42s until the old TTL expires``; once it is due, the time since then."""
    left = each.until - sight.now
    name = Content.assemble(" · ", plain(display_name(each.name))) if each.name else Content("")
    if left <= 0:
        over = (f"{duration(-left)} over:", "bold $text-warning")
        return Content.assemble(over, " ", plain(each.label), name)
    text = Content.assemble((duration(left), STRONG), " until ", plain(each.label), name)
    total = each.until - each.since
    if width < _BAR_FROM or total <= 0 or text.cell_length + _BAR + 4 > width:
        return text
    full = min(max(round(_BAR * (1 - left / total)), 0), _BAR)
    bar = f"  [{'#' * full}{'.' * (_BAR - full)}]"
    return Content.assemble(text, (bar, "$text-primary"))


def _going(sight: Frame) -> Iterator[tuple[Content, int]]:
    snapshot = sight.view.snapshot
    look = LOOKS[_mark(sight)]
    yield Content.assemble((f"{look.symbol} ", look.style), plain(snapshot.doing, STRONG)), 2
    for number, reason in enumerate(snapshot.waits):
        label = "" if number else "waits for"
        yield Content.assemble((f"{label:<{_LABEL}}", MUTED), plain(reason)), _LABEL


def _mark(sight: Frame) -> Mark:
    if sight.view.snapshot.paused:
        return Mark.WAITING
    return Mark.UNKNOWN if _is_dead(sight) else Mark.RUNNING


def _is_dead(sight: Frame) -> bool:
    return sight.view.link in (Link.GONE, Link.KILLED)


def _ended(result: Result) -> Iterator[tuple[Content, int]]:
    look = LOOKS[outcome_mark(result.outcome)]
    word = plain(f"{look.symbol} {result.outcome.upper()}", look.style)
    yield Content.assemble(word, " ", plain(result.reason, STRONG)), 2
    for record in result.records:
        yield Content.assemble("  ", plain(_record(record))), 4
    for swap in result.switches:
        yield Content.assemble("  ", plain(swap_line(swap))), 4
    if result.owner_notice:
        yield Content.assemble("! ", plain(result.owner_notice)).stylize("bold $text-warning"), 2
    yield Content.styled(f"exit code {result.exit_code}", MUTED), 2


def _record(record: RecordResult) -> str:
    text = f"{record.label}: {record.outcome}"
    if record.gap_seconds is not None:
        text += f", gap {seconds(record.gap_seconds)}"
    if record.gap_seconds_dns is not None:
        text += f" ({seconds(record.gap_seconds_dns)} at the worst name server)"
    return text
