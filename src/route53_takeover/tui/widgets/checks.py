"""The checks of a blue-green switch: what each got from green alone, and what on users' way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.tui.marks import LOOKS, MUTED, STRONG, WORD_WIDTH
from route53_takeover.tui.widgets.lines import DrawnLines
from route53_takeover.tui.wording import duration, plain, wrapped

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import CheckedWay
    from route53_takeover.tui.frame import Frame

_WAYS = {"green": "green, asked directly", "live": "the live site"}
_INDENT = 4


class Checks(DrawnLines):
    """The checks."""

    BORDER_TITLE = "Checks"

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """A line a check, and one for each way that it was asked by."""
        lines: list[Content] = []
        for check in sight.view.snapshot.checks:
            look = LOOKS[check.mark]
            mark = f"{look.symbol} {look.word:<{WORD_WIDTH}} "
            text = Content.assemble((mark, look.style), plain(check.text, STRONG))
            lines += wrapped(text, width, indent=_INDENT)
            for way in check.ways:
                lines += wrapped(_way(way, sight).pad_left(2), width, indent=2 * _INDENT)
        return lines or [Content.styled("no --check is given", MUTED)]


def _way(way: CheckedWay, sight: Frame) -> Content:
    look = LOOKS[way.mark]
    what = plain(_WAYS.get(way.way, way.way))
    counts = f": passed {way.passed}, failed {way.failed}"
    age = f"  ({duration(sight.now - way.asked_at)} ago)"
    said = Content.assemble((f"{look.symbol} ", look.style), what, counts, (age, MUTED))
    if not way.failure:
        return said
    return Content.assemble(said, "; last failure: ", plain(way.failure))
