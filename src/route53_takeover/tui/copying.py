"""``y``: texts to copy. The terminal is asked to put one on the clipboard (OSC 52).

Not every terminal does, and none says whether it did: so the text is shown, and can be selected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from route53_takeover.base.escaping import escape_control
from route53_takeover.tui.dialogs import Box, Dialog

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from route53_takeover.core.status.snapshot import Copy

SAID = (
    "Sent to the terminal's clipboard. Where the terminal does not do that: select it here with "
    "the mouse. Escape closes this."
)


class CopyList(Dialog[None]):
    """The texts; Enter copies the one under the cursor and shows it."""

    DEFAULT_CSS = "CopyList #text { padding: 0 1; background: $panel; display: none; }"

    def __init__(self, copies: tuple[Copy, ...]) -> None:
        super().__init__()
        self._copies = copies

    def compose(self) -> ComposeResult:
        with Box("Copy"):
            yield OptionList(
                *(
                    Option(
                        Content.assemble(
                            (f"{escape_control(copy.label)}  ", "bold"), escape_control(copy.text)
                        )
                    )
                    for copy in self._copies
                )
            )
            yield Static(id="text", markup=False)
            yield Static(id="said", markup=False)

    @on(OptionList.OptionSelected)
    def copy(self, message: OptionList.OptionSelected) -> None:
        """Copies what is shown: a control character in it would do something when pasted."""
        text = escape_control(self._copies[message.option_index].text)
        self.app.copy_to_clipboard(text)
        shown = self.query_one("#text", Static)
        shown.update(Content(text))
        shown.display = True
        self.query_one("#said", Static).update(Content(SAID))
