"""``?``: every key, as it is bound now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from route53_takeover.base.escaping import escape_control
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.tui.dialogs import Dialog
from route53_takeover.tui.keys import BY_KIND, Where, split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from textual.app import App, ComposeResult

_KEYS = 9
"""Cells for the keys of an action."""
_FOOT = (
    "Panes scroll with the arrow keys and the wheel; the mouse is optional. Text can be selected "
    "with it, also outside of this program with Shift held down."
)


def key_names(app: App[object], action: str, keys: str) -> str:
    """Keys as they are displayed: ``^p``, ``?``."""
    return " ".join(app.get_key_display(Binding(key, action)) for key in split(keys))


class Help(Dialog[None]):
    """All actions, in groups, with the keys that they have now and the ids to change them by."""

    AUTO_FOCUS = ".box"
    DEFAULT_CSS = "Help .gap { margin-bottom: 1; }"

    def __init__(
        self, keymap: Mapping[str, str], preferences: Path, kind: RunKind | None = None
    ) -> None:
        """Of this kind of run; ``None``: it is not known yet, and keys of a run are left out."""
        super().__init__()
        self._keymap = keymap
        self._preferences = preferences
        self._kind = kind

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box") as box:
            box.border_title = "Keys"
            yield Static(Content(escape_control(self._how_to_change())), classes="gap")
            for place in Where:
                if self._kind is not None or place not in (Where.RUN, Where.REPLAY):
                    yield Static(Content.styled(place, "bold underline"))
                    yield Static(self._group(place), classes="gap")
            yield Static(_FOOT, markup=False)

    def _how_to_change(self) -> str:
        return (
            "The word at the end of a line is the name of its key: to change the key of pause, "
            f'write {{"keys": {{"pause": "f5"}}}} in {self._preferences}.'
        )

    def _group(self, place: Where) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=_KEYS, no_wrap=True, style="bold")
        table.add_column(ratio=1)
        table.add_column(no_wrap=True, style="italic")
        for action in BY_KIND[self._kind or RunKind.TAKEOVER].values():
            if action.where is place:
                keys = key_names(self.app, action.id, self._keymap.get(action.id, action.keys))
                table.add_row(Text(keys), Text(action.tooltip), Text(f"[{action.id}]"))
        return table
