"""Who answers users while a site is switched: blue or green, answer by answer, and the share.

A cell of the line is one answer, the newest at the right. Each kind of answer has a sign of its
own, the same as in the line of the name servers: what was before, and what is new.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.status.switch.messages import failed_words, share_words
from route53_takeover.tui.marks import MUTED, STRONG
from route53_takeover.tui.state_colour import DIED
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import bar, clock, duration, seconds, wrapped

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
_UNTOLD = _Sign("?", "not told", "$text-warning")
_FAILED = _Sign("x", "failed", "bold $text-error")
_SIDES = {Side.BLUE: _BLUE, Side.GREEN: _GREEN}
_LABEL = 13
_LEAST_BAR, _MOST_BAR = 20, 40
_PERCENT = len(" 100% green")


class Meter(DrawnLines):
    """Green's share of the live site."""

    BORDER_TITLE = "Who answers users"

    def show(self, sight: Frame) -> None:
        """At the end nobody is asked any more."""
        is_over = sight.view.snapshot.result is not None
        self.entitle("Who answered users, when last asked" if is_over else self.BORDER_TITLE)
        super().show(sight)

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
        if sight.view.link not in DIED:  # nothing happens when a time is up
            for each in sight.view.snapshot.countdowns:
                lines += wrapped(_progress(each, sight, width), width, indent=_LABEL)
        return lines


def _meter(meter: LiveMeter, width: int) -> Iterator[Content]:
    if not meter.recent:
        yield Content.styled("users are on blue: the site is asked once the switch begins", MUTED)
        return
    yield from _answers(meter, width)
    yield _told("green first", _when(meter, meter.first_green_at))
    yield _told("blue last", _when(meter, meter.last_blue_at))
    yield _told("checks", _failed(meter))


def _failed(meter: LiveMeter) -> Content:
    words = failed_words(meter)
    if not meter.failed:
        return Content(words)
    is_over = meter.failed > meter.max_failures
    return Content.styled(f"! {words}", "bold $text-error" if is_over else "bold $text-warning")


def _answers(meter: LiveMeter, width: int) -> Iterator[Content]:
    """The share with a bar, a sign for each of the newest answers, and what the signs say."""
    room = min(max(width - _LABEL - 2, _LEAST_BAR), _MOST_BAR)
    share = Content.styled(share_words(meter), STRONG)
    if meter.share is not None:
        cells = min(room - _PERCENT, _MOST_BAR // 2)
        full = round(cells * meter.share)
        halves = (
            (_GREEN.symbol * full, _GREEN.style),
            (_BLUE.symbol * (cells - full), _BLUE.style),
        )
        share = Content.assemble("[", *halves, "] ", (f"{meter.share:.0%} green", STRONG))
    yield _told("share", share)
    signs = [_sign(side, passed) for _, side, passed in meter.recent[-room:]]
    row = Content("").join(Content.styled(sign.symbol, sign.style) for sign in signs)
    yield _told("answers", Content.assemble(" ", row))
    yield _told("in all", Content("  ").join(_legend(meter, signs)).pad_left(1))


def _legend(meter: LiveMeter, signs: list[_Sign]) -> Iterator[Content]:
    """The signs, with how many answers came from that side since the switch."""
    for sign, side in ((_BLUE, Side.BLUE), (_GREEN, Side.GREEN), (_UNTOLD, Side.UNKNOWN)):
        count = meter.answered.get(side, 0)
        if count or sign in signs:
            yield Content.assemble((sign.symbol, sign.style), f" {sign.words} {count}")
    if _FAILED in signs:
        yield Content.assemble((_FAILED.symbol, _FAILED.style), f" {_FAILED.words}")


def _sign(side: str, passed: bool) -> _Sign:
    return _FAILED if not passed else _SIDES.get(Side(side), _UNTOLD)


def _when(meter: LiveMeter, time: float | None) -> Content:
    """A time of day, and how long after the switch that was."""
    if time is None:
        return Content.styled("not seen since the switch", MUTED)
    began = time if meter.began_at is None else meter.began_at
    return Content(f"{clock(time)}, {seconds(time - began)} after the switch began")


def _progress(each: Countdown, sight: Frame, width: int) -> Content:
    """``████░░░░ 2m00s of 5m00s`` until the site was watched long enough."""
    total = max(each.until - each.since, 0.0)
    left = ceil(min(max(each.until - sight.now, 0.0), total))
    done = max(int(total) - left, 0)  # what is left is shown rounded up, and both are the whole
    text = f" {duration(done)} of {duration(total)}"
    room = min(max(width - _LABEL - len(text), _LEAST_BAR), _MOST_BAR - len(text))
    return _told("watched", Content(f"{bar(done / total if total else 1.0, room)}{text}"))


def _told(label: str, text: Content) -> Content:
    return Content.assemble((f"{label:<{_LABEL}}", MUTED), text)
