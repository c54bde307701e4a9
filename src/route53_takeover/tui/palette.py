"""The command palette: only the commands that apply now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Provider

from route53_takeover.tui.base_screen import BaseScreen

if TYPE_CHECKING:
    from textual.command import Hits


class Commands(Provider):
    """The actions of the screen below that apply now, by what they do."""

    async def discover(self) -> Hits:
        for title, tooltip, name in self._offers():
            yield DiscoveryHit(title, partial(self._take, name), help=tooltip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, tooltip, name in self._offers():
            score = max(matcher.match(title), matcher.match(name))
            if score > 0:
                yield Hit(score, matcher.highlight(title), partial(self._take, name), help=tooltip)

    def _offers(self) -> list[tuple[str, str, str]]:
        screen = self.screen
        return list(screen.offers()) if isinstance(screen, BaseScreen) else []

    def _take(self, name: str) -> None:
        """Asks again whether it applies: the palette may have been open for a while."""
        screen = self.screen
        if isinstance(screen, BaseScreen):
            screen.action_take(name)
