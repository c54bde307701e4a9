"""Cards of a plan, and other lines with a hanging indent, as widgets: as wide as there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content, Span
from textual.widget import Widget

from route53_takeover.core.plan.cards import Tone
from route53_takeover.output.card_lines import HEAD, RULE, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text
    from textual.geometry import Size

    from route53_takeover.core.plan.cards import Card, Part

_STYLES = {
    Tone.STRONG: "bold",
    Tone.MUTED: "$foreground 65%",
    Tone.GOES: "$text-error",
    Tone.COMES: "$text-success",
    Tone.WARNING: "bold $text-warning",
    Tone.REFUSAL: "bold $text-error",
    RULE: "bold $text-error",
    HEAD: "$foreground 65%",
}


class PartsView(Widget):
    """Lines and tables, wrapped to its width."""

    DEFAULT_CSS = "PartsView { height: auto; }"

    def __init__(self, parts: Iterable[Part], *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._parts = tuple(parts)

    def show(self, parts: Iterable[Part]) -> None:
        """Shows these instead."""
        self._parts = tuple(parts)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as it takes at this width."""
        del container, viewport
        return len(contents_of(self._parts, width))

    def render(self) -> Content:
        return Content("\n").join(contents_of(self._parts, self.content_size.width))


class CardView(PartsView):
    """A card in its frame."""

    DEFAULT_CSS = """
    CardView {
        padding: 0 1;
        border: round $primary 60%; border-title-style: bold; border-title-color: $text-primary;
        &.-warning { border: round $warning; border-title-color: $text-warning; }
        &.-refusal { border: round $error; border-title-color: $text-error; }
    }
    """

    def __init__(self, card: Card) -> None:
        super().__init__(card.parts, classes="" if card.tone is Tone.PLAIN else f"-{card.tone}")
        self.border_title = Content(card.title)


def contents_of(parts: Iterable[Part], width: int) -> list[Content]:
    """The lines of these parts at a width."""
    return [_content(line) for line in lines_of(parts, max(width, 1))]


def _content(line: Text) -> Content:
    """A line with the theme's colours."""
    styled = ((0, len(line), line.style), *((s.start, s.end, s.style) for s in line.spans))
    return Content(
        line.plain,
        [Span(first, last, _STYLES[str(name)]) for first, last, name in styled if name in _STYLES],
    )
