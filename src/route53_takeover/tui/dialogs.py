"""The dialogs: questions before something is done, and notices.

How much a question asks for is `core.status.choices.CONFIRMATIONS`. A question that stops applying
while it is open says so and takes no yes any more, not even if it applies again: that would answer
another question. They open at the bottom and dim nothing: what the run does stays in sight.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from route53_takeover.base.escaping import escape_control
from route53_takeover.core.domain.record_sets import display_name, normal_name
from route53_takeover.core.plan.cards import Line, Tone
from route53_takeover.core.status.choices import Act, Confirmation
from route53_takeover.core.status.run_words import TAKEOVER_WORDS
from route53_takeover.tui.card_view import PartsView
from route53_takeover.tui.keys import Where, bindings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from route53_takeover.base.errors import TakeoverError
    from route53_takeover.core.status.choices import Choice

LAPSED = "No longer possible: the run has moved on. Escape closes this."
TOO_SOON = "Not started: Enter came too soon after the question. Press it again."
_ABOVE = 13
"""Rows that a dialog leaves free above it, where the terminal has them."""
_LEAST = 7
_BELOW = 5
"""Rows of a box that its body leaves for the frame and for what is answered."""
_PATIENCE = 0.4
"""Seconds in which an Enter does not start a run: it may be the second half of a double press."""
_TITLES = {
    Act.PAUSE: "Pause the run",
    Act.GO_ON: "Continue the run",
    Act.RELEASE_NOW: "Delete the record now, before the hold ends",
    Act.CONFIRM_RELEASE: "Delete the old record",
    Act.EXTEND_DEADMAN: "Give CloudFormation more time",
    Act.RESTORE: "Restore the record",
    Act.ABORT: "Abort the takeover",
}
_YES = {
    Act.RESTORE: "Restore now",
    Act.EXTEND_DEADMAN: "Give more time",
    Act.ABORT: "Abort",
}
_Answer = TypeVar("_Answer")


def shown(name: str) -> str:
    """A name for a terminal."""
    return escape_control(display_name(name))


def title_of(choice: Choice) -> str:
    """The title of a choice, with its name."""
    return f"{_act(choice)}{f': {shown(choice.name)}' if choice.name else ''}"


def _act(choice: Choice) -> str:
    return escape_control(choice.title) or _TITLES[choice.act]


def consequences(choice: Choice) -> list[Line]:
    """Effect, what stays unchanged, and the undo."""
    told = (
        ("Effect     ", choice.effect),
        ("Unchanged  ", choice.unchanged),
        ("Undo       ", choice.undo),
    )
    return [Line(lead=label, text=text) for label, text in told if text]


class Box(VerticalScroll, can_focus=False):
    """The box of a dialog, with the title in its border."""

    def __init__(self, title: str) -> None:
        super().__init__(classes="box")
        self.border_title = Content(title)


class Body(VerticalScroll, can_focus=False):
    """What a question is about: it scrolls where there is no room for it and the answer."""

    DEFAULT_CSS = "Body { height: auto; }"

    def __init__(self, lines: Iterable[Line]) -> None:
        super().__init__(classes="body")
        self._lines = tuple(lines)

    def compose(self) -> ComposeResult:
        yield PartsView(self._lines)

    def show(self, lines: Iterable[Line]) -> None:
        """Shows these instead."""
        self.query_one(PartsView).show(lines)


def question(
    choices: tuple[Choice, ...], names: tuple[str, ...], what: str
) -> Dialog[Choice] | None:
    """The question before one of these choices of one act; ``None``: it is done at once."""
    match choices[0].confirmation:
        case Confirmation.NONE:
            return None
        case Confirmation.NAME:
            return AskName(choices, names, what)
        case Confirmation.ENTER if len(choices) > 1:
            return PickName(*choices)
        case Confirmation.ENTER:
            return Confirm.about(choices[0])


class Dialog(ModalScreen[_Answer]):
    """A box in front of a screen. ``n``, Escape and ctrl+c close it without doing anything."""

    AUTO_FOCUS = "Input, #yes, OptionList"
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.DIALOG))
    DEFAULT_CSS = """
    Dialog {
        align: center bottom;
        background: transparent;
        .box {
            width: 100%; max-width: 110; height: auto;
            border: round $primary; border-title-style: bold; border-title-color: $text-primary;
            background: $surface; padding: 0 1;
        }
        &.-danger .box { border: round $error; border-title-color: $text-error; }
        .lapsed { text-style: bold reverse; display: none; }
        &.-lapsed .lapsed { display: block; }
        .said { color: $text-warning; text-style: bold; display: none; }
        .said.-on { display: block; }
        Static { height: auto; }
        Horizontal { height: auto; }
        Button { margin: 0 2 0 0; background: $panel; }
        Button:focus { background: $primary; color: $background; text-style: bold; }
        Input { background: $panel; }
        OptionList { height: auto; max-height: 12; border: none; }
    }
    """

    def __init__(self, *choices: Choice) -> None:
        super().__init__()
        self.choices = choices
        self.has_lapsed = False

    def update_choices(self, now: tuple[Choice, ...]) -> None:
        """Takes the choices that apply now, with their newest texts."""
        if not self.choices or self.has_lapsed:
            return
        newest = {(choice.act, choice.name): choice for choice in now}
        about = [(choice.act, choice.name) for choice in self.choices]
        left = tuple(newest[key] for key in about if key in newest)
        if left == self.choices:
            return
        self.choices = left or self.choices
        self.has_lapsed = not left
        if self.is_mounted:
            self.redraw()
            self._close_if_lapsed()

    def on_mount(self) -> None:
        """It may have lapsed before it was drawn."""
        self._close_if_lapsed()

    def on_resize(self, event: events.Resize) -> None:
        """Leaves the upper part of the screen in sight."""
        rows = max(event.size.height - _ABOVE, _LEAST)
        for box in self.query(".box"):
            box.styles.max_height = rows
        for body in self.query(".body"):
            body.styles.max_height = max(rows - _BELOW, 1)

    def say(self, text: str) -> None:
        """A line in the box: what was wrong."""
        said = self.query_one(".said", Static)
        said.update(Content(escape_control(text)))
        said.add_class("-on")
        said.scroll_visible(animate=False)

    def _close_if_lapsed(self) -> None:
        if self.has_lapsed:
            self.add_class("-lapsed")
            for widget in self.query("#yes, Input, OptionList"):
                widget.disabled = True

    def redraw(self) -> None:
        """Shows the choices' newest texts."""

    def action_take(self, action: str) -> None:
        """A key of the question; a yes only counts where the question has one."""
        if action == "no":
            self.close(None)
        elif action == "yes":
            self.confirm()

    def confirm(self) -> None:
        """Answers yes, where a key may do that."""

    def close(self, answer: _Answer | None) -> None:
        """Gives the answer. Waiting for that in a handler of its own would never end."""
        _ = self.dismiss(answer)

    @on(Button.Pressed, "#no")
    def refuse(self) -> None:
        """No."""
        self.close(None)

    @on(Button.Pressed, "#yes")
    def accept(self) -> None:
        """Yes."""
        self.press_yes()

    def press_yes(self) -> None:
        """The button, by Enter or the mouse."""
        self.confirm()


class AskName(Dialog["Choice"]):
    """Asks to type a name before a record is taken away.

    With several names the one that is typed picks the choice. One about the whole run is confirmed
    with any of the run's names. ``what``: which name that is, for the question.
    """

    def __init__(
        self, choices: tuple[Choice, ...], names: tuple[str, ...], what: str = TAKEOVER_WORDS.name
    ) -> None:
        super().__init__(*choices)
        self._names = names
        self._what = what
        self.add_class("-danger")

    def compose(self) -> ComposeResult:
        with Box(self._title()):
            yield Body(self._body())
            yield Static(LAPSED, classes="lapsed", markup=False)
            yield Static(self._wanted(), id="wanted")
            yield Input(id="name", select_on_focus=False, compact=True)
            yield Static(classes="said")

    def _title(self) -> str:
        first = self.choices[0]
        return title_of(first) if len(self.choices) == 1 else _act(first)

    def _body(self) -> Iterator[Line]:
        for choice in self.choices:
            if len(self.choices) > 1:
                yield Line(text=display_name(choice.name), tone=Tone.STRONG)
            yield from consequences(choice)

    def _wanted(self) -> Content:
        return Content(f"Type {self._what} ({self._typable()}) and Enter. Escape cancels.")

    def _typable(self) -> str:
        names = [name for choice in self.choices for name in self._accepted(choice)]
        return " or ".join(map(shown, dict.fromkeys(names)))

    def _accepted(self, choice: Choice) -> tuple[str, ...]:
        return (choice.name,) if choice.name else self._names

    def redraw(self) -> None:
        self.query_one(Body).show(self._body())
        self.query_one("#wanted", Static).update(self._wanted())

    @on(Input.Submitted)
    def judge(self, message: Input.Submitted) -> None:
        """The right name means yes; after another one the field waits for a better one."""
        if self.has_lapsed:
            return
        typed = normal_name(message.value.strip())
        for choice in self.choices:
            if typed in map(normal_name, self._accepted(choice)):
                self.close(choice)
                return
        entered = f'"{message.value.strip()}" is not the name' if message.value else "No name"
        self.say(f"{entered}: nothing was done.")


class Confirm(Dialog[_Answer]):
    """A question that Enter and ``y`` answer with yes. It may be about a choice.

    Args:
        answer: what a yes gives.
        patient: an Enter right after it has opened is no answer yet.
    """

    def __init__(
        self,
        title: str,
        body: Iterable[Line],
        yes: str,
        answer: _Answer,
        *choices: Choice,
        patient: bool = False,
    ) -> None:
        super().__init__(*choices)
        self._heading = title
        self._lines = tuple(body)
        self._yes = yes
        self._answer = answer
        self._is_patient = patient
        self._opened_at = 0.0

    @classmethod
    def about(cls, choice: Choice) -> Confirm[Choice]:
        """Asks about this choice, by its name."""
        yes = choice.title or _YES[choice.act]
        return Confirm(f"{title_of(choice)}?", consequences(choice), yes, choice, choice)

    def compose(self) -> ComposeResult:
        with Box(escape_control(self._heading)):
            yield Body(self._lines)
            yield Static(LAPSED, classes="lapsed", markup=False)
            with Horizontal():
                yield Button(Content(f"{escape_control(self._yes)}  Enter"), id="yes", compact=True)
                yield Button(Content("No  Esc"), id="no", compact=True)
            yield Static(classes="said")

    def on_mount(self) -> None:
        """The time from which Enter may be impatient."""
        self._opened_at = asyncio.get_running_loop().time()

    def redraw(self) -> None:
        self.query_one(Body).show(consequences(self.choices[0]))

    def press_yes(self) -> None:
        since = asyncio.get_running_loop().time() - self._opened_at
        if self._is_patient and since < _PATIENCE:
            self.say(TOO_SOON)
        else:
            self.confirm()

    def confirm(self) -> None:
        if not self.has_lapsed:
            self.close(self._answer)


class PickName(Dialog["Choice"]):
    """Asks for one of several names, and shows what each choice does."""

    def compose(self) -> ComposeResult:
        with Box(f"{_act(self.choices[0])}: which? Enter picks, Escape cancels"):
            yield Body(consequences(self.choices[0]))
            yield Static(LAPSED, classes="lapsed", markup=False)
            yield OptionList(*(Option(Content(shown(c.name)), id=c.name) for c in self.choices))

    def redraw(self) -> None:
        options = self.query_one(OptionList)
        for option in options.options:
            if option.id not in {choice.name for choice in self.choices}:
                options.disable_option(option.id or "")

    @on(OptionList.OptionHighlighted)
    def explain(self, message: OptionList.OptionHighlighted) -> None:
        """Shows what the name under the cursor would get."""
        for choice in self.choices:
            if choice.name == message.option.id:
                self.query_one(Body).show(consequences(choice))

    @on(OptionList.OptionSelected)
    def pick(self, message: OptionList.OptionSelected) -> None:
        """Takes the name if it still applies."""
        for choice in self.choices:
            if choice.name == message.option.id and not self.has_lapsed:
                self.close(choice)


class Notice(Dialog[None]):
    """An error and its hint."""

    AUTO_FOCUS = "Button"

    def __init__(self, error: TakeoverError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        with Box("Not done"):
            yield Static(Content(escape_control(self._error.message)), id="message")
            if self._error.hint:
                yield Static(Content(escape_control(self._error.hint)), id="hint")
            with Horizontal():
                yield Button(Content("Close"), id="no", compact=True)
