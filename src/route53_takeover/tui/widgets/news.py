"""The events, a line each, the newest at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from route53_takeover.tui.frame import is_moving
from route53_takeover.tui.marks import MUTED, symbol
from route53_takeover.tui.widgets.lines import Tail
from route53_takeover.tui.wording import clock, plain, still_waiting, wrapped

if TYPE_CHECKING:
    from route53_takeover.tui.frame import Frame

_INDENT = 12


class NewsLog(Tail):
    """The news of the run."""

    BORDER_TITLE = "Events"

    def show(self, sight: Frame) -> None:
        """The title says how long nothing has changed."""
        snapshot = sight.view.snapshot
        last = snapshot.news[-1].time if snapshot.news else snapshot.news_at
        quiet = is_moving(sight.view) and still_waiting(sight.now, last)
        self.entitle(f"{self.BORDER_TITLE} · {quiet}" if quiet else self.BORDER_TITLE)
        super().show(sight)

    def changes(self, before: Frame | None, after: Frame) -> bool:
        """Nothing in it depends on the time."""
        if before is None or not self.is_laid_out:
            return True
        if before.view is after.view:
            return False
        return before.view.snapshot.news != after.view.snapshot.news

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """Time of day, how it went, what."""
        lines: list[Content] = []
        for news in sight.view.snapshot.news:
            text = Content.assemble(
                (clock(news.time), MUTED), " ", symbol(news.mark), " ", plain(news.text)
            )
            lines += wrapped(text, width, indent=_INDENT)
        return lines or [Content.styled("no events yet", MUTED)]
