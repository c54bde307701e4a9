"""The footer: the keys that can be pressed now, the most urgent first.

Textual's own shows every binding in the order of its class; this one is told what to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from route53_takeover.tui.messages import Pressed

if TYPE_CHECKING:
    from textual.app import ComposeResult

MOST, LEAST = 7, 5


class Hint(Struct, frozen=True, kw_only=True):
    """A key and what it does; ``action`` is the id."""

    action: str
    key: str
    label: str
    tooltip: str

    @property
    def cells(self) -> int:
        """How wide it is, the gap after it included."""
        return len(self.key) + len(self.label) + 3


def fitting(hints: tuple[Hint, ...], width: int) -> tuple[Hint, ...]:
    """As many from the front as there is room for, 7 at most; 5 even where the last is cut."""
    room, taken = width, 0
    for hint in hints[:MOST]:
        room -= hint.cells
        if room < -1 and taken >= LEAST:
            break
        taken += 1
    return hints[:taken]


class KeyHint(Static):
    """One key; the mouse may press it."""

    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, hint: Hint) -> None:
        content = Content.assemble((f" {hint.key} ", "bold $accent"), f"{hint.label} ")
        super().__init__(content, markup=False)
        self.hint = hint
        self.tooltip = Content(hint.tooltip)

    def on_click(self) -> None:
        """Does what the key does."""
        self.post_message(Pressed(self.hint.action))


class KeyBar(Horizontal):
    """The keys, in a line. It is drawn again only when they have changed."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; background: $panel; color: $foreground; }
    KeyBar KeyHint { width: auto; height: 1; }
    """
    hints: reactive[tuple[Hint, ...]] = reactive((), recompose=True)

    def compose(self) -> ComposeResult:
        for hint in self.hints:
            yield KeyHint(hint)
