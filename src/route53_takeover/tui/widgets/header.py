"""The line on top of the run screen: badges, what the run is about, where, since when.

Nothing in it may be cut but names: a rehearsal, a lost connection and the state are words at the
left, in reverse, and read the same without colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.rehearsal_marks import DRY_RUN, mark
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.process.protocol import Link
from route53_takeover.tui.marks import ALARM, MUTED, STRONG, WARN
from route53_takeover.tui.state_colour import DIED, TEXT, Tone, names_of, state_of
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import clock, duration, plain

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
        """Badges, names and place, times."""
        view, snapshot = sight.view, sight.view.snapshot
        left = _left(view, _SCENARIO_WIDTH)
        if left.cell_length > width:
            left = _left(view, 0)
        right = _times(sight, width - left.cell_length)
        room = max(width - left.cell_length - right.cell_length - 3, 0)
        what = plain(names_of(snapshot), STRONG)
        if snapshot.stack and what.cell_length + len(snapshot.stack) + 3 <= room:
            what = Content.assemble(what, (" → ", MUTED), plain(snapshot.stack))
        place = plain(_place(snapshot), MUTED)
        if what.cell_length + place.cell_length + 3 <= room:
            gap = " " * (room - what.cell_length - place.cell_length)
            what = Content.assemble(what, gap, place)
        what = what.truncate(room, ellipsis=True, pad=True)
        return [Content.assemble(left, " ", what, "  ", right).truncate(width)]


def _times(sight: Frame, room: int) -> Content:
    """Time since the start and time of day, where there is room for them."""
    view, snapshot = sight.view, sight.view.snapshot
    elapsed = duration(sight.now - snapshot.began)
    word = "running"
    if view.link in DIED:
        text = f"last event {clock(snapshot.as_of)}"
        return Content(text if len(text) + 1 <= room else "")
    if view.link is Link.REPLAY:
        word = "after"
    elif snapshot.result is not None:
        word = "took"
    for text in (f"{word} {elapsed} · {clock(sight.now)}", f"{word} {elapsed}", elapsed):
        if len(text) + 1 <= room:
            return Content(text)
    return Content("")


def _left(view: View, scenario: int) -> Content:
    """What may not be cut; the scenario's name in that many cells at most."""
    return Content(" ").join(_badges(view, scenario))


def _badges(view: View, scenario: int) -> Iterator[Content]:
    """The states that must not be overlooked, each as a word."""
    snapshot = view.snapshot
    if snapshot.rehearsal:
        label = "" if snapshot.rehearsal == DRY_RUN else f"{snapshot.rehearsal} "
        name = plain(label).truncate(scenario, ellipsis=True)
        yield Content.assemble(f" {mark(snapshot.rehearsal)} ", name).stylize(WARN)
    if view.link is Link.REPLAY:
        yield Content.styled(" REPLAY ", "bold reverse $text-accent")
    elif view.link is Link.STALE:
        yield Content.styled(" STALE ", WARN)
    elif view.link is Link.ENDED and snapshot.result is None:
        yield Content.styled(" ENDED ", WARN)
    state = state_of(view)
    yield Content.styled(f" {state.word} ", f"bold reverse {TEXT[state.tone]}")
    if view.link in DIED and snapshot.absences:
        yield Content.styled(" NO RECORD ", ALARM)
    if snapshot.result is None and state.tone is not Tone.YOUR_TURN:
        if snapshot.paused:
            yield Content.styled(" PAUSED ", WARN)
        elif snapshot.needs_person:
            yield Content.styled(" YOUR TURN ", WARN)


def _place(snapshot: Snapshot) -> str:
    parts = [("account", snapshot.account)]
    if snapshot.words.kind is RunKind.TAKEOVER:  # a switch has its site in the place of the names
        parts.append(("zone", display_name(snapshot.zone)))
    return " · ".join(f"{label} {text}" for label, text in parts if text)
