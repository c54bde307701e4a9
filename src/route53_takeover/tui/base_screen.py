"""The common part of all screens: keys, footer, the notice of a small terminal, usual actions.

A key that does not apply now does nothing but say why. Whether it applies is asked in one place,
`BaseScreen.why_not`, by the key, the footer and the palette.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from route53_takeover.base.escaping import escape_control
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.tui.copying import CopyList
from route53_takeover.tui.help import key_names
from route53_takeover.tui.key_bar import Hint, KeyBar, fitting
from route53_takeover.tui.keys import BY_ID, BY_KIND, Where, bindings
from route53_takeover.tui.messages import (
    HelpAsked,
    LeaveAsked,
    PaletteAsked,
    PictureAsked,
    Pressed,
    ThemeAsked,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from route53_takeover.core.status.snapshot import Copy
    from route53_takeover.tui.dialogs import Dialog
    from route53_takeover.tui.keys import Action

Answer = TypeVar("Answer")
_UNLISTED = ("palette", "interrupt", "enter")
"""Not in the palette: it itself, and keys for what has a key of its own."""
_OF_ANOTHER_KIND = "That key has no use in this kind of run."
SMALLEST = (60, 15)
"""Cells: below that a screen shows one line only."""


class BaseScreen(Screen[None], inherit_bindings=False):
    """A screen of this program.

    Attributes:
        PLACES: which actions can be taken here, besides those that always can.
        FIRST: ids of the actions for the footer, the most urgent first.
    """

    PLACES: ClassVar[tuple[Where, ...]] = ()
    FIRST: ClassVar[tuple[str, ...]] = ("leave", "help", "theme", "screenshot", "palette")
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.ALWAYS))
    DEFAULT_CSS = """
    BaseScreen {
        #content { height: 1fr; }
        #too-small { display: none; height: 1fr; }
        &.-too-small {
            #content { display: none; }
            #too-small { display: block; }
        }
    }
    """

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        with Vertical(id="content"):
            yield from self.compose_content()
        yield Static(id="too-small", markup=False)
        yield KeyBar()

    def compose_content(self) -> ComposeResult:
        """What is specific to this screen."""
        yield from ()

    # -- what can be done

    @property
    def kind(self) -> RunKind | None:
        """Of the run or the plan that is shown; ``None`` while there is none."""
        return None

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions as they are called here, by id."""
        return BY_KIND[self.kind or RunKind.TAKEOVER]

    def why_not(self, action: Action) -> str:
        """Why this action does nothing now; empty where it does something."""
        if action.where is not Where.ALWAYS and action.where not in self.PLACES:
            return "Not available on this screen."
        if action.id == "copy" and not self.copies() and not self.get_selected_text():
            return "There is nothing to copy yet."
        return ""

    def label(self, action: Action) -> str:
        """What the footer calls this action now."""
        return action.label

    def copies(self) -> tuple[Copy, ...]:
        """Texts that are worth copying."""
        return ()

    def key(self, name: str) -> str:
        """The first key of an action, as it is bound now."""
        keys = self._keymap.get(name, BY_ID[name].keys)
        return key_names(self.app, name, keys.partition(",")[0])

    def offers(self) -> Iterator[tuple[str, str, str]]:
        """What applies now: a title, what it does and its id, for the palette."""
        for action in self.actions.values():
            hidden = action.where is Where.DIALOG or action.id in _UNLISTED
            if not hidden and not self.why_not(action):
                yield self.label(action), action.tooltip, action.id

    def hints(self) -> tuple[Hint, ...]:
        """The keys that apply now, the most urgent first."""
        return tuple(
            Hint(
                action=action.id,
                key=self.key(action.id),
                label=self.label(action),
                tooltip=action.tooltip,
            )
            for name in self.FIRST
            if (action := self.actions.get(name)) is not None and not self.why_not(action)
        )

    def update_keys(self) -> None:
        """Shows as many of them as fit."""
        self.query_one(KeyBar).hints = fitting(self.hints(), self.size.width)

    # -- keys

    def action_take(self, name: str) -> None:
        """A key, a press of the mouse or a choice in the palette."""
        action = self.actions.get(name)
        why = _OF_ANOTHER_KIND if action is None else self.why_not(action)
        if action is None or why:
            self.say(why)
        else:
            self.take(action)

    def take(self, action: Action) -> None:
        """Does what applies now."""
        match action.id:
            case "help":
                self.post_message(HelpAsked())
            case "copy":
                self._copy()
            case "leave":
                self.post_message(LeaveAsked())
            case "palette":
                self.post_message(PaletteAsked())
            case "theme":
                self.post_message(ThemeAsked())
            case "screenshot":
                self.post_message(PictureAsked())
            case _:
                self.say("Not available here.")

    def open(
        self, dialog: Dialog[Answer], then: Callable[[Answer | None], None] | None = None
    ) -> None:
        """Puts a dialog in front; ``then`` is given its answer. Nothing waits for it here."""
        _ = self.app.push_screen(dialog, then)

    def say(self, text: str) -> None:
        """A line that goes away by itself, in the place of the one before."""
        self.app.clear_notifications()
        self.notify(escape_control(text), markup=False)

    def copy_selection(self) -> bool:
        """Copies the selected text, if there is some."""
        selected = self.get_selected_text()
        if not selected:
            return False
        self.app.copy_to_clipboard(selected)
        self.clear_selection()
        self.say("The selected text was sent to the terminal's clipboard.")
        return True

    def _copy(self) -> None:
        if not self.copy_selection():
            self.open(CopyList(self.copies()))

    @on(Pressed)
    def press(self, message: Pressed) -> None:
        """The mouse on a key of the footer."""
        self.action_take(message.action)

    # -- its size

    def essential(self) -> str:
        """The one line that is shown where nothing else fits."""
        return ""

    def on_mount(self) -> None:
        """The keys at the start."""
        self.update_keys()

    def on_resize(self, event: events.Resize) -> None:
        """Shows all of it, or what fits."""
        width, height = SMALLEST
        self.set_class(event.size.width < width or event.size.height < height, "-too-small")
        self.update_keys()
        self.update_essential()

    def update_essential(self) -> None:
        """Writes the line for a terminal that is too small."""
        if self.has_class("-too-small"):
            width, height = SMALLEST
            text = f"{self.essential()}\n\nToo small: {width}x{height} is needed."
            self.query_one("#too-small", Static).update(Content(escape_control(text, keep="\n")))
