"""The answers of every name server over time, from before the release until the last change.

A cell of the line is an interval and shows the worst answer in it, so that a gap shorter than a
cell still shows. Every kind of answer has a sign of its own.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.messages import ANSWER_WORDS
from route53_takeover.core.status.snapshot import Mark
from route53_takeover.tui.marks import LOOKS, MUTED, STRONG
from route53_takeover.tui.state_colour import DIED
from route53_takeover.tui.wording import cell, clock, duration, plain, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.status.snapshot import ServerAnswer, ServerView
    from route53_takeover.tui.frame import Frame

_STEPS = (0.1, 0.2, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds that a cell may cover."""
_TICKS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)
_TICK_CELLS = 9
"""Cells that the label of a tick takes."""
_BEFORE = 0.12
"""The part of the line that is before the release."""
_LATEST = 25
"""Cells of the latest answer at the end of a line."""
_WIDE, _VALUES = 100, 24
"""Cells from which on the values are at its end, too, and how many they get."""
MARKS = {"answer": Mark.DONE, "nxdomain": Mark.FAILED, "nodata": Mark.FAILED}
_SHORTEST = 5.0
"""Seconds after the release that are shown at least."""


class _Sign(NamedTuple):
    symbol: str
    words: str
    style: str
    weight: int


_NOT_ASKED = _Sign(" ", "", "", 0)
_AHEAD = _Sign("·", "until the deadline", MUTED, 0)
_OLD = _Sign("-", "as before", "$text-primary", 1)
_NEW = _Sign("█", "new", "$text-success", 2)
_ERROR = _Sign("!", "error", "$text-warning", 3)
_TIMEOUT = _Sign("?", "no answer", "$text-warning", 4)
_NODATA = _Sign("o", "no record", "bold $text-error", 5)
_NXDOMAIN = _Sign("x", "no such name", "bold $text-error", 6)
_BAD = {"nxdomain": _NXDOMAIN, "nodata": _NODATA, "timeout": _TIMEOUT, "error": _ERROR}


class _Axis(NamedTuple):
    """The time that each cell covers."""

    zero: float
    start: float
    step: float
    cells: int

    @property
    def end(self) -> float:
        return self.start + self.step * self.cells


def timeline(sight: Frame, servers: tuple[ServerView, ...], width: int) -> list[Content]:
    """A line a server, in this order; empty where nothing was released, or there is no room."""
    snapshot = sight.view.snapshot
    labels = _labels(servers)
    label = min(max(map(len, labels.values()), default=0), width * 2 // 5, 26)
    at_end = _LATEST if width < _WIDE else _LATEST + _VALUES
    room = width - label - at_end - 2
    if not snapshot.released or room < 2 * _TICK_CELLS:
        return []
    axis = _axis(sight, room)
    lines = [Content.styled(_title(sight), STRONG).truncate(width, ellipsis=True)]
    names = {(s.name, s.type) for s in servers}
    about: tuple[str, str] | None = None
    for server in servers:
        if len(names) > 1 and about != (server.name, server.type):
            about = (server.name, server.type)
            lines.append(cell(f"{display_name(server.name)} {server.type}", width, MUTED))
        signs = _cells(server, axis, sight)
        row = Content("").join(Content.styled(s.symbol, s.style) for s in signs)
        latest = _latest(server, sight, at_end)
        lines.append(Content.assemble(cell(labels[server.server], label), " ", row, " ", latest))
    lines.append(Content.styled(_scale(axis), MUTED).pad_left(label + 1).truncate(width))
    legend = "  ".join(f"{s.symbol} {s.words}" for s in _signs(servers, axis, sight))
    return [*lines, Content.styled(legend, MUTED).truncate(width, ellipsis=True)]


def _labels(servers: Iterable[ServerView]) -> dict[str, str]:
    """The names of the name servers, cut to their first part where that tells them apart."""
    names = {server.server: server.server.removesuffix(".") for server in servers}
    short = {name: text.partition(".")[0] for name, text in names.items()}
    is_clear = len({*short.values()}) == len(short) and not any(t.isdigit() for t in short.values())
    return short if is_clear else names


def _latest(server: ServerView, sight: Frame, width: int) -> Content:
    """What it says now, and for how long."""
    if not server.answers:
        return Content("")
    latest = server.answers[-1]
    look = LOOKS[MARKS.get(latest.status, Mark.UNKNOWN)]
    words = ANSWER_WORDS.get(latest.status, latest.status)
    age = f"for {duration(sight.now - latest.since)}"
    text = plain(f"{look.symbol} {words}", look.style)
    if latest.status == "answer" and latest.since < min(sight.view.snapshot.released):
        text = Content.styled(f"{_OLD.symbol} {_OLD.words}", _OLD.style)
    if width > _LATEST:
        text = Content.assemble(text, " ", plain(" ".join(latest.values)))
    text = text.truncate(width - len(age) - 1, ellipsis=True)
    return Content.assemble(text, " " * (width - text.cell_length - len(age)), (age, MUTED))


def _title(sight: Frame) -> str:
    snapshot = sight.view.snapshot
    zero = min(snapshot.released)
    text = f"released {clock(zero)}"
    if not snapshot.back:
        return f"{text}, no record for {seconds(sight.now - zero)}"
    return f"{text}, a record again after {seconds(max(snapshot.back) - zero)}"


def _axis(sight: Frame, room: int) -> _Axis:
    """From before the release to after the last change; in the gap to its deadline.

    It is as wide as there is room for, and does not change as long as the gap is open.
    """
    snapshot = sight.view.snapshot
    zero = min(snapshot.released)
    moved = [a.since for s in snapshot.servers for a in s.answers if a.since >= zero]
    last = max([zero + _SHORTEST, *snapshot.released, *snapshot.back, *moved])
    if not snapshot.back:
        last = max(last, _deadline(sight))
    step = (last - zero) * 1.1 / (room * (1 - _BEFORE))
    step = next((s for s in _STEPS if s >= step), step)
    return _Axis(zero, zero - max(floor(room * _BEFORE), 1) * step, step, room)


def _deadline(sight: Frame) -> float:
    """When the gap is over at the latest; now, where nothing would end it."""
    if sight.view.link in DIED or sight.view.snapshot.back:
        return sight.now
    return max([sight.now, *(each.until for each in sight.view.snapshot.countdowns)])


def _cells(server: ServerView, axis: _Axis, sight: Frame) -> list[_Sign]:
    """The worst answer of each cell; blank before the first query, and for the future."""
    ahead = min(max(floor((_deadline(sight) - axis.start) / axis.step), 0), axis.cells)
    past = min(max(floor((sight.now - axis.start) / axis.step), 0), ahead)
    signs = [_NOT_ASKED] * past + [_AHEAD] * (ahead - past) + [_NOT_ASKED] * (axis.cells - ahead)
    before = [a for a in server.answers if a.since < axis.zero and a.status == "answer"]
    known = {value for answer in before for value in answer.values}
    ends = [answer.since for answer in server.answers[1:]]
    for answer, end in zip(server.answers, [*ends, sight.now], strict=True):
        sign = _sign(answer, known)
        first = max(floor((answer.since - axis.start) / axis.step), 0)
        after = min(ceil((end - axis.start) / axis.step), axis.cells)
        for index in range(first, max(after, min(first + 1, axis.cells))):
            signs[index] = max(signs[index], sign, key=lambda s: s.weight)
    return signs


def _sign(answer: ServerAnswer, known: set[str]) -> _Sign:
    """Load balancers answer with a part of their addresses: one known before is enough."""
    if answer.status == "answer":
        return _NEW if known.isdisjoint(answer.values) else _OLD
    return _BAD.get(answer.status, _ERROR)


def _signs(servers: Iterable[ServerView], axis: _Axis, sight: Frame) -> list[_Sign]:
    found = {sign for server in servers for sign in _cells(server, axis, sight)} - {_NOT_ASKED}
    return sorted(found, key=lambda s: s.weight)


def _scale(axis: _Axis) -> str:
    """``|-5s      |release  |+5s``: a bar is below the cell that starts then."""
    tick = next((t for t in _TICKS if t / axis.step >= _TICK_CELLS), _TICKS[-1])
    first = ceil((axis.start - axis.zero) / tick)
    last = floor((axis.end - axis.zero) / tick)
    line = ""
    for number in range(first, last + 1):
        at = round((axis.zero + number * tick - axis.start) / axis.step)
        text = f"|{number * tick:+g}s" if number else "|release"
        if at >= len(line) + bool(line) and at + len(text) <= axis.cells:
            line = f"{line:<{at}}{text}"
    return line
