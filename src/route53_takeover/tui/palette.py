"""The command palette: the commands that apply now, and the themes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandPalette, DiscoveryHit, Hit, Provider, SearchIcon

from route53_takeover.tui import themes
from route53_takeover.tui.base_screen import BaseScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual import events
    from textual.command import Hits

_ABOVE, _LEAST = 16, 4
"""Rows above the list, and of the list at least."""


class Palette(CommandPalette):
    """Textual's, at the bottom of the screen: what the run does stays in sight."""

    DEFAULT_CSS = """
    Palette {
        align: center bottom;
        background: transparent;
        & > Vertical {
            width: 64; max-width: 100%; height: auto; margin: 0; padding: 0 1;
            visibility: visible; background: $surface; border: round $primary;
        }
        #--input, #--input.--list-visible { border: none; }
        #--input CommandInput { border: none; height: 1; padding: 0; }
        #--input Label, SearchIcon { margin: 0; }
        SearchIcon { color: $text-muted; }
        LoadingIndicator { border: none; height: 1; }
        #--results { overlay: none; border: none; padding: 0; }
    }
    """

    def __init__(self) -> None:
        super().__init__(placeholder="Commands that apply now")

    def on_mount(self) -> None:
        """An icon that every font has."""
        self.query_one(SearchIcon).icon = ">"

    def on_resize(self, event: events.Resize) -> None:
        """Leaves the upper part of the screen in sight."""
        self.query_one("#--results").styles.max_height = max(event.size.height - _ABOVE, _LEAST)


class Commands(Provider):
    """The actions of the screen below that apply now, by what they do."""

    async def discover(self) -> Hits:
        for title, tooltip, do in self._offers():
            yield DiscoveryHit(title, do, help=tooltip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, tooltip, do in self._offers():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), do, help=tooltip)

    def _offers(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        screen = self.screen
        if isinstance(screen, BaseScreen):
            for title, tooltip, name in screen.offers():
                yield title, tooltip, partial(self._take, name)
        for name in themes.NAMES:
            if name != self.app.theme:
                yield f"Theme: {name}", "Change the colours", partial(self._use, name)

    def _take(self, name: str) -> None:
        """Asks again whether it applies: the palette may have been open for a while."""
        screen = self.screen
        if isinstance(screen, BaseScreen):
            screen.action_take(name)

    def _use(self, theme: str) -> None:
        self.app.theme = theme
