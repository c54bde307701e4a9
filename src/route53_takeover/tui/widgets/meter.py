"""Who answers users while a site is switched: blue or green, answer by answer, and the share.

A cell of the line is one answer, the newest at the right. Each kind of answer has a sign of its
own, the same as in the line of the name servers: what was before, and what is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.status.switch.messages import failed_words, share_words
from route53_takeover.process.protocol import Link
from route53_takeover.tui.marks import MUTED, STRONG
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import clock, duration, seconds, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.snapshot import Countdown, LiveMeter
    from route53_takeover.tui.frame import Frame


class _Sign(NamedTuple):
    symbol: str
    words: str
    style: str


_BLUE = _Sign("-", "blue", "bold $text-primary")
_GREEN = _Sign("█", "green", "$text-success")
_UNTOLD = _Sign("?", "either side", "$text-warning")
_FAILED = _Sign("x", "failed", "bold $text-error")
_SIGNS = (_BLUE, _GREEN, _UNTOLD, _FAILED)
_SIDES = {Side.BLUE: _BLUE, Side.GREEN: _GREEN}
_LABEL = 13
_LEAST_BAR, _MOST_BAR = 10, 40
_DEAD = (Link.GONE, Link.KILLED)


class Meter(DrawnLines):
    """Green's share of the live site."""

    BORDER_TITLE = "who answers users"

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """The share, the newest answers, and what happened when."""
        meter = sight.view.snapshot.meter
        lines: list[Content] = []
        if meter is None:
            text = "no --check asks the site: who answers is not known"
            lines += wrapped(Content.styled(text, MUTED), width)
        else:
            for content in _meter(meter, width):
                lines += wrapped(content, width, indent=_LABEL)
        if sight.view.link not in _DEAD:  # nothing happens when a time is up
            for each in sight.view.snapshot.countdowns:
                lines += wrapped(_progress(each, sight, width), width, indent=_LABEL)
        return lines


def _meter(meter: LiveMeter, width: int) -> Iterator[Content]:
    if not meter.recent:
        text = "nothing is asked before the switch begins"
        yield _told("share", Content.styled(text, MUTED))
    else:
        yield from _answers(meter, width)
    yield _told("green first", _when(meter, meter.first_green_at))
    yield _told("blue last", _when(meter, meter.last_blue_at))
    sign = "! " if meter.failed else ""
    style = "bold $text-error" if meter.failed > meter.max_failures else ""
    if meter.failed and not style:
        style = "bold $text-warning"
    yield _told("failed", Content.styled(f"{sign}{failed_words(meter)}", style))
    if meter.answered:
        told = ((_BLUE, Side.BLUE), (_GREEN, Side.GREEN), (_UNTOLD, Side.UNKNOWN))
        counts = (f"{sign.words} {meter.answered.get(side, 0)}" for sign, side in told)
        yield _told("since then", Content(", ".join(counts)))


def _answers(meter: LiveMeter, width: int) -> Iterator[Content]:
    """The share with a bar, and a sign for each of the newest answers."""
    yield _told("share", Content.styled(share_words(meter), STRONG))
    room = min(max(width - _LABEL - 2, _LEAST_BAR), _MOST_BAR)
    if meter.share is not None:
        full = round(room * meter.share)
        bar = ((_GREEN.symbol * full, _GREEN.style), (_BLUE.symbol * (room - full), _BLUE.style))
        yield _told("", Content.assemble("[", *bar, "]"))
    recent = meter.recent[-room:]
    signs = [_sign(side, passed) for _, side, passed in recent]
    row = Content("").join(Content.styled(sign.symbol, sign.style) for sign in signs)
    yield _told("answers", Content.assemble(" ", row))
    legend = "  ".join(f"{sign.symbol} {sign.words}" for sign in _SIGNS if sign in signs)
    yield _told("newest right", Content.styled(legend, MUTED))


def _sign(side: str, passed: bool) -> _Sign:
    return _FAILED if not passed else _SIDES.get(Side(side), _UNTOLD)


def _when(meter: LiveMeter, time: float | None) -> Content:
    """A time of day, and how long after the switch that was."""
    if time is None:
        return Content.styled("not seen since the switch", MUTED)
    after = "" if meter.switched_at is None else f", {_after(time - meter.switched_at)}"
    return Content(f"{clock(time)}{after}")


def _after(passed: float) -> str:
    """Before the change is acknowledged it may have been answered by."""
    return f"{seconds(passed)} after the switch" if passed >= 0 else "as it was switched"


def _progress(each: Countdown, sight: Frame, width: int) -> Content:
    """``[####......] 02m00s of 05m00s`` until the bake ends."""
    total = max(each.until - each.since, 0.0)
    done = min(max(sight.now - each.since, 0.0), total)
    text = f" {duration(done)} of {duration(total)}"
    room = min(max(width - _LABEL - len(text) - 2, _LEAST_BAR), _MOST_BAR - len(text))
    full = round(room * (done / total if total else 1.0))
    bar = Content.styled(f"[{'#' * full}{'.' * (room - full)}]", "$text-primary")
    return _told("bake", Content.assemble(bar, text))


def _told(label: str, text: Content) -> Content:
    return Content.assemble((f"{label:<{_LABEL}}", MUTED), text)
