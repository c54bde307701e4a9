"""What a blue-green switch switches: where each leads now, and from where to where it is led."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.tui.marks import ALARM, LOOKS, MUTED, STRONG, WARN
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import duration, plain, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.snapshot import SwapView
    from route53_takeover.tui.frame import Frame

_SIDES = {
    Side.BLUE: ("blue", STRONG),
    Side.GREEN: ("green", STRONG),
    Side.OTHER: (" OTHER ", WARN),
    Side.ABSENT: (" GONE ", ALARM),
}
_LABEL = 5
_INDENT = _LABEL + 4


class SwapTable(DrawnLines):
    """The things that are switched, before and after."""

    BORDER_TITLE = "Blue → green"

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """Three lines each: its progress, where it leads now, from where to where."""
        lines: list[Content] = []
        for swap in sight.view.snapshot.swaps:
            for content, indent in _swap(swap, sight, width):
                lines += wrapped(content, width, indent=indent)
        return lines or [Content.styled("nothing is switched yet", MUTED)]


def _swap(swap: SwapView, sight: Frame, width: int) -> Iterator[tuple[Content, int]]:
    look = LOOKS[swap.mark]
    progress = Content.assemble(plain(swap.target, STRONG), ": ", plain(swap.words))
    yield Content.assemble((f"{look.symbol} ", look.style), progress), 4
    yield _now(swap, sight), _INDENT
    if swap.before == swap.after:  # of a run that only retires a stack
        stays = plain(f"stays {swap.before}")
        yield Content.assemble(("= ", MUTED), (f"{'plan':<{_LABEL}}  ", MUTED), stays), _INDENT
        return
    before = _line(" ", "plan", Content.assemble("blue ", plain(swap.before)))
    after = Content.assemble("green ", plain(swap.after, STRONG))
    together = Content.assemble(before, (" → ", STRONG), after)
    if together.cell_length <= width:
        yield together, _INDENT
    else:  # two long ones are below each other, so that they can be compared
        yield before, _INDENT
        yield Content.assemble((f"{'→':>{_INDENT - 1}} ", STRONG), after), _INDENT


def _now(swap: SwapView, sight: Frame) -> Content:
    """Where it led by the last read."""
    if swap.read_at is None or swap.side not in _SIDES:
        return _line(" ", "now", Content.styled("not read yet", MUTED))
    side, style = _SIDES[Side(swap.side)]
    if swap.before == swap.after and style == STRONG:
        side = "same"
    standing = f" {swap.standing}" if swap.standing else ""
    age = (f"  (read {duration(sight.now - swap.read_at)} ago)", MUTED)
    return _line(" ", "now", Content.assemble((side, style), plain(standing), age))


def _line(sign: str, label: str, text: Content) -> Content:
    return Content.assemble(
        (f"{sign} ", "bold $text-warning"), (f"{label:<{_LABEL}}", MUTED), "  ", text
    )
