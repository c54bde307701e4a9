"""The two lines on top of the run screen: badges, phase, names and times; below, the place.

Nothing here may be cut but names: a rehearsal, a pause, a lost connection and an outcome are words
at the left, in reverse, and read the same without colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.rehearsal_marks import DRY_RUN, mark
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.process.protocol import Link
from route53_takeover.tui.marks import ALARM, LOOKS, MUTED, STRONG, WARN, outcome_mark
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import cell, clock, duration, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.snapshot import Snapshot
    from route53_takeover.process.protocol import View
    from route53_takeover.tui.frame import Frame

_SCENARIO_WIDTH = 20
"""Cells of a scenario's name at most: the word REHEARSAL matters, its name is on the left."""


class Header(DrawnLines, can_focus=False):
    """The run and its state."""

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """Badges, phase and time; below them stack, zone, account and run."""
        view, snapshot = sight.view, sight.view.snapshot
        left = _left(view, _SCENARIO_WIDTH)
        if left.cell_length > width:
            left = _left(view, 0)
        right = _times(sight, width - left.cell_length)
        room = width - left.cell_length - right.cell_length - 5
        names = plain(_names(snapshot)).truncate(max(room, 0), ellipsis=True, pad=True)
        return [
            Content.assemble(left, " · " if room > 0 else " ", names, "  ", right).truncate(width),
            cell(_where(snapshot), width, MUTED),
        ]


def _times(sight: Frame, room: int) -> Content:
    """Time since the start and time of day, where there is room for them."""
    elapsed = duration(sight.now - sight.view.snapshot.began)
    for text in (f"{elapsed}  {clock(sight.now)}", elapsed):
        if len(text) + 1 <= room:
            return Content(text)
    return Content("")


def _left(view: View, scenario: int) -> Content:
    """What may not be cut: badges and phase; the scenario's name in that many cells at most."""
    states = Content(" ").join(_badges(view, scenario))
    return Content.assemble(states, " · ", (str(view.snapshot.phase), STRONG))


def _badges(view: View, scenario: int) -> Iterator[Content]:
    """The states that must not be overlooked, each as a word."""
    snapshot = view.snapshot
    if snapshot.rehearsal:
        label = "" if snapshot.rehearsal == DRY_RUN else f"{snapshot.rehearsal} "
        name = plain(label).truncate(scenario, ellipsis=True)
        yield Content.assemble(f" {mark(snapshot.rehearsal)} ", name).stylize(WARN)
    if snapshot.result is not None:
        look = LOOKS[outcome_mark(snapshot.result.outcome)]
        word = plain(snapshot.result.outcome.upper())
        yield Content.assemble(f" {look.symbol} ", word, " ").stylize(f"reverse {look.style}")
    yield from _reach(view)
    if snapshot.paused and snapshot.result is None:
        yield Content.styled(" PAUSED ", WARN)
    if snapshot.needs_person:
        yield Content.styled(" ! YOUR TURN ", ALARM)


def _reach(view: View) -> Iterator[Content]:
    match view.link:
        case Link.LIVE:
            yield Content.styled("LIVE", "bold $text-success")
        case Link.STALE:
            yield Content.styled(" STALE ", WARN)
        case Link.GONE:
            yield Content.styled(" PROCESS DIED ", ALARM)
        case Link.KILLED:
            yield Content.styled(" PROCESS KILLED ", ALARM)
        case Link.ENDED:
            if view.snapshot.result is None:
                yield Content.styled(" ENDED ", WARN)
        case Link.REPLAY:
            yield Content.styled(" REPLAY ", "bold reverse $text-accent")


def _names(snapshot: Snapshot) -> str:
    if snapshot.words.kind is RunKind.SWITCH:
        return display_name(snapshot.zone)
    names = [record.label for record in snapshot.records]
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)


def _where(snapshot: Snapshot) -> str:
    parts = [(snapshot.words.stack, snapshot.stack)]
    if snapshot.words.kind is RunKind.TAKEOVER:  # a switch has its site in the first line
        parts.append(("zone", display_name(snapshot.zone)))
    parts += [("account", snapshot.account), ("run", snapshot.run)]
    return " · ".join(f"{label} {text}" for label, text in parts if text)
