"""The charts of a report as inline SVG: as wide as the page, with text of the page's own size.

Positions along the time are percentages, so that nothing shrinks on a phone. What is bad is
hatched as well as coloured.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from route53_takeover.core.status.report.model import ANSWERED_WORDS, Answered
from route53_takeover.core.status.spoken_times import length, time_of_day
from route53_takeover.output.html_elements import element, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.status.report.model import ServerChart, Share, ShareChart
    from route53_takeover.output.html_elements import Markup

_ROW, _BAR, _TOP, _FOOT = 40, 16, 22, 26
_SHARES = 120
_TICKS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_MOST_TICKS = 5
_EDGE = 12.0
"""Percent from either edge within which a label is not centred."""
_HATCHED = (Answered.NXDOMAIN, Answered.NODATA, Answered.TIMEOUT, Answered.ERROR)
_SIDES = (
    ("green", "green-side", "green"),
    ("untold", "untold", "not told which side"),
    ("failed", "failed-check", "failed check"),
    ("blue", "blue-side", "blue"),
)
"""From the bottom of a column to its top: the member of a `Share`, its class, its words."""


def server_svg(chart: ServerChart, caption: str) -> Markup:
    """What the name servers answered: a bar a name server, with a legend."""
    height = _TOP + _ROW * len(chart.rows) + _FOOT
    bottom = height - _FOOT
    several = len({row.about for row in chart.rows}) > 1
    zero = _at(chart.zero, chart.start, chart.end)
    parts = [*_axis(chart.start, chart.end, chart.zero, bottom)]
    parts.append(_label(zero, 12, "released" if chart.released else "start", ""))
    for number, row in enumerate(chart.rows):
        y = _TOP + _ROW * number
        about = f"{row.server}  {row.about}" if several else row.server
        parts.append(element("text", about, x="0", y=y + 13))
        for bar in row.bars:
            words = f"{ANSWERED_WORDS[bar.answered]}, {length(bar.until - bar.since)}"
            words = f"{row.server}: {words} from {time_of_day(bar.since)}"
            parts += _box(
                _at(bar.since, chart.start, chart.end),
                _at(bar.until, chart.start, chart.end),
                y + 18,
                _BAR,
                str(bar.answered),
                words,
                is_hatched=bar.answered in _HATCHED,
            )
        parts.append(_moment(zero, y + 14, y + 18 + _BAR + 4))
    kinds = {bar.answered for row in chart.rows for bar in row.bars}
    legend = [
        (str(kind), words, kind in _HATCHED)
        for kind, words in ANSWERED_WORDS.items()
        if kind in kinds
    ]
    return _figure(parts, height, caption, legend)


def share_svg(chart: ShareChart, caption: str) -> Markup:
    """Who answered users: a column a stretch of time, with the shares of the sides."""
    bottom = _TOP + _SHARES
    zero = _at(chart.zero, chart.start, chart.end)
    parts = [*_axis(chart.start, chart.end, chart.zero, bottom)]
    for share in chart.shares:
        parts += _column(share, chart)
    parts += [_moment(zero, _TOP, bottom), _label(zero, 12, "switch", "")]
    kinds = [
        (style, words, member == "failed")
        for member, style, words in reversed(_SIDES)
        if any(getattr(share, member) for share in chart.shares)
    ]
    return _figure(parts, bottom + _FOOT, caption, kinds)


def _column(share: Share, chart: ShareChart) -> Iterator[Markup]:
    y = float(_TOP + _SHARES)
    for member, style, words in _SIDES:
        count = getattr(share, member)
        if not count:
            continue
        high = _SHARES * count / share.total
        y -= high
        told = f"{time_of_day(share.since)}: {count} of {share.total} answers: {words}"
        left, right = (_at(t, chart.start, chart.end) for t in (share.since, share.until))
        yield from _box(left, right, y, high, style, told, is_hatched=member == "failed")


def _at(time: float, start: float, end: float) -> float:
    """Percent of the width."""
    return min(max(100.0 * (time - start) / (end - start), 0.0), 100.0)


def _box(
    left: float, right: float, y: float, high: float, style: str, words: str, *, is_hatched: bool
) -> Iterator[Markup]:
    place: dict[str, str | float] = {
        "x": f"{left:.3f}%",
        "y": f"{y:.2f}",
        "width": f"{max(right - left, 0.25):.3f}%",
        "height": f"{high:.2f}",
        "shape_rendering": "crispEdges",
    }
    yield element("g", element("title", words), element("rect", class_=style, **place))
    if is_hatched:
        yield element("rect", fill="url(#hatch)", pointer_events="none", **place)


def _axis(start: float, end: float, zero: float, bottom: float) -> Iterator[Markup]:
    span = end - start
    step = next((t for t in _TICKS if span / t <= _MOST_TICKS), span / _MOST_TICKS)
    for number in range(ceil((start - zero) / step), floor((end - zero) / step) + 1):
        x = _at(zero + number * step, start, end)
        yield element("line", class_="axis", x1=f"{x:.3f}%", x2=f"{x:.3f}%", y1=_TOP, y2=bottom)
        words = f"{number * step:+g} s" if number else "0 s"
        yield _label(x, bottom + 16, words, "soft")


def _moment(x: float, top: float, bottom: float) -> Markup:
    return element("line", class_="moment", x1=f"{x:.3f}%", x2=f"{x:.3f}%", y1=top, y2=bottom)


def _label(x: float, y: float, words: str, style: str) -> Markup:
    anchor = "start" if x < _EDGE else "end" if x > 100 - _EDGE else "middle"
    return element("text", words, class_=style, x=f"{x:.3f}%", y=y, text_anchor=anchor)


def _figure(
    parts: Sequence[Markup], height: float, caption: str, legend: Sequence[tuple[str, str, bool]]
) -> Markup:
    chart = element(
        "svg",
        element("title", caption),
        _hatch(),
        *parts,
        class_="chart",
        role="img",
        height=f"{height:g}",
        aria_label=caption,
    )
    keys = []
    for style, words, is_hatched in legend:
        box = [element("rect", class_=style, width="100%", height="100%")]
        if is_hatched:
            box.append(element("rect", fill="url(#hatch)", width="100%", height="100%"))
        keys.append(element("li", element("svg", *box, aria_hidden="true"), words))
    return element(
        "figure",
        chart,
        element("ul", *keys, class_="legend"),
        element("figcaption", caption),
    )


def _hatch() -> Markup:
    line = element("line", class_="hatch", x1="0", y1="0", x2="0", y2="6")
    pattern = element(
        "pattern",
        line,
        id="hatch",
        width="6",
        height="6",
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    return joined(element("defs", pattern))
