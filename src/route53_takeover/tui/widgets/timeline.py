"""The answers of every name server over time, from before the release until the last change.

A cell of the line is an interval and shows the worst answer in it, so that a gap shorter than a
cell still shows. Every kind of answer has a sign of its own.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.tui.marks import MUTED, STRONG
from route53_takeover.tui.wording import cell, clock, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.status.snapshot import ServerAnswer, ServerView
    from route53_takeover.tui.frame import Frame

_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds that a cell may cover."""
_TICKS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)
_TICK_CELLS = 9
"""Cells that the label of a tick takes."""


class _Sign(NamedTuple):
    symbol: str
    words: str
    style: str
    weight: int


_NOT_ASKED = _Sign(" ", "", "", 0)
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


def timeline(sight: Frame, width: int) -> list[Content]:
    """Its lines; empty where nothing was released, or there is no room."""
    snapshot = sight.view.snapshot
    label = min(max((len(s.server) for s in snapshot.servers), default=0), width * 2 // 5, 26)
    room = width - label - 1
    if not snapshot.released or room < 2 * _TICK_CELLS:
        return []
    axis = _axis(sight, room)
    lines = [Content.styled(_title(sight), STRONG).truncate(width, ellipsis=True)]
    names = {(s.name, s.type) for s in snapshot.servers}
    about: tuple[str, str] | None = None
    for server in snapshot.servers:
        if len(names) > 1 and about != (server.name, server.type):
            about = (server.name, server.type)
            lines.append(cell(f"{display_name(server.name)} {server.type}", width, MUTED))
        row = Content("").join(
            Content.styled(s.symbol, s.style) for s in _cells(server, axis, sight)
        )
        lines.append(Content.assemble(cell(server.server.removesuffix("."), label), " ", row))
    lines.append(Content.styled(_scale(axis), MUTED).pad_left(label + 1).truncate(width))
    legend = "  ".join(f"{s.symbol} {s.words}" for s in _signs(snapshot.servers, axis, sight))
    return [*lines, Content.styled(legend, MUTED).truncate(width, ellipsis=True)]


def _title(sight: Frame) -> str:
    snapshot = sight.view.snapshot
    zero = min(snapshot.released)
    text = f"released {clock(zero)}"
    if not snapshot.back:
        return f"{text}, no record for {seconds(sight.now - zero)}"
    return f"{text}, a record again after {seconds(max(snapshot.back) - zero)}"


def _axis(sight: Frame, room: int) -> _Axis:
    """From before the release to after the last change, or to now while the gap is open."""
    snapshot = sight.view.snapshot
    zero = min(snapshot.released)
    moved = [a.since for s in snapshot.servers for a in s.answers if a.since >= zero]
    last = max([zero, *snapshot.released, *snapshot.back, *moved])
    if not snapshot.back:
        last = max(last, sight.now)
    span = max(last - zero, 1.0)
    step = next((s for s in _STEPS if s * room >= span * 1.35), span * 1.35 / room)
    before = max(floor(room * 0.12), 1)
    used = min(room, before + ceil(span * 1.2 / step) + 2)
    return _Axis(zero, zero - before * step, step, used)


def _cells(server: ServerView, axis: _Axis, sight: Frame) -> list[_Sign]:
    """The worst answer of each cell; blank before the first query, and for the future."""
    signs = [_NOT_ASKED] * axis.cells
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
        if at >= len(line) and at + len(text) <= axis.cells + _TICK_CELLS:
            line = f"{line:<{at}}{text}"
    return line
