"""Lines that scroll, can be selected and cost what is visible of them: every part is made of them.

A part says how many lines it has at a width and what stands in each. No widget is mounted for a
line, so that a tree of thousands of rows costs as much as one of twenty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions

from route53_takeover.base.escaping import escape_control

if TYPE_CHECKING:
    from textual.selection import Selection

    from route53_takeover.tui.frame import Frame


class Lines(ScrollView):
    """A part of the screen. Subclasses measure and give lines; they keep the `Frame` only."""

    sight: Frame | None = None
    _laid_width: int = -1
    _count: int = 0
    _titles: tuple[str, str] = ("", "")
    _old: str = ""

    # -- for subclasses

    def measure(self, width: int) -> int:
        """Lays the lines out at this width, and says how many there are."""
        raise NotImplementedError

    def line(self, index: int) -> Content:
        """A line of the last layout."""
        raise NotImplementedError

    def changes(self, before: Frame | None, after: Frame) -> bool:  # noqa: ARG002 -- for subclasses
        """Whether the lines may be others; ``False`` where some only have to be drawn anew."""
        return True

    def repaint(self) -> None:
        """Draws anew what may look different, where the layout is as before."""
        self.refresh()

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Writes into the border. The texts are from anywhere.

        A change draws the whole part, so nothing in them may change every second.
        """
        before, self._titles = self._titles, (title, subtitle)
        if title != before[0]:
            self.border_title = Content(escape_control(title))
        if subtitle != before[1]:
            self.border_subtitle = Content(escape_control(subtitle))

    # -- for the widgets that show it

    def mark_old(self, text: str) -> None:
        """Says in the border how old what it shows is; empty where it is not."""
        if text != self._old:
            self._old = text
            self.border_subtitle = Content(escape_control(text))

    def show(self, sight: Frame) -> None:
        """Shows this from now on."""
        before, self.sight = self.sight, sight
        if self.changes(before, sight):
            self.lay_out()
        else:
            self.repaint()

    def lay_out(self) -> None:
        """Measures the lines for the width that there is."""
        width = self.scrollable_content_region.width
        if self.sight is None or width <= 0:
            self._laid_width = -1  # hidden: what it has is older than what it is to show
            return
        before = self._count, self._laid_width
        self._count, self._laid_width = self.measure(width), width
        self.virtual_size = Size(width, self._count)
        if before == (self._count, width):
            self.repaint()
        else:
            self.refresh(layout=before[0] != self._count)

    @property
    def is_laid_out(self) -> bool:
        """Whether the lines were measured for the width that there is, and Textual knows it."""
        width = self.scrollable_content_region.width
        return self._laid_width == width and self.virtual_size == (width, self._count)

    # -- for Textual

    def on_resize(self) -> None:
        if not self.is_laid_out:
            self.lay_out()
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        if self.sight is None:
            return 1
        width -= self.scrollbar_gutter.width  # Textual does not leave room for it here
        if width != self._laid_width:
            self._count, self._laid_width = self.measure(width), width
        return self._count

    def render_line(self, y: int) -> Strip:
        style = self.visual_style
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if self.sight is not None and self._laid_width != width:  # drawn before it hears of it
            self._count, self._laid_width = self.measure(width), width
        if self.sight is None or not 0 <= index < self._count:
            return Strip.blank(width, style.rich_style)
        content = self._selected(self.line(index), index)
        options = RenderOptions(
            self._get_style, {"text_wrap": "nowrap", "text_overflow": "ellipsis"}
        )
        strips = content.render_strips(width, 1, style, options)
        strip = strips[0] if strips else Strip.blank(width)
        return strip.extend_cell_length(width, style.rich_style).apply_offsets(0, index)

    def _selected(self, content: Content, index: int) -> Content:
        selection = self.text_selection
        span = None if selection is None else selection.get_span(index)
        if span is None:
            return content
        start, end = span
        style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        return content.stylize(style, start, len(content) if end == -1 else end)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, of lines that are not visible too."""
        text = "\n".join(self.line(index).plain for index in range(self._count))
        return selection.extract(text), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 -- Textual's
        self.refresh()


class DrawnLines(Lines):
    """A part that is short enough to be drawn as a whole."""

    _drawn: tuple[Content, ...] = ()
    _painted: tuple[Content, ...] = ()

    def draw(self, sight: Frame, width: int) -> list[Content]:
        """All lines, none wider than this many cells."""
        raise NotImplementedError

    def measure(self, width: int) -> int:
        self._drawn = () if self.sight is None else tuple(self.draw(self.sight, width))
        return len(self._drawn)

    def line(self, index: int) -> Content:
        return self._drawn[index]

    def repaint(self) -> None:
        """Only lines that are visible and changed: a second that ticks must not cost a screen."""
        top = self.scroll_offset.y
        for index in range(top, min(top + self.size.height, len(self._drawn))):
            if index >= len(self._painted) or not self._painted[index].is_same(self._drawn[index]):
                self.refresh_lines(index)

    def lay_out(self) -> None:
        """Keeps what it showed, to know next time what has changed."""
        super().lay_out()
        self._painted = self._drawn


class Tail(DrawnLines):
    """Lines of which the newest, at the bottom, stay in view until the user scrolls up."""

    def on_mount(self) -> None:
        self.anchor()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follows again once the user is back at the bottom."""
        super().watch_scroll_y(old_value, new_value)
        if new_value > old_value and new_value >= self.max_scroll_y:
            self.anchor()
