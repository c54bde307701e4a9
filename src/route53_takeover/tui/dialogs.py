"""The dialogs. The default answer of each is no.

A question that stops applying while it is open says so and takes no yes any more, not even if it
applies again: that would answer another question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from route53_takeover.base.escaping import escape_control
from route53_takeover.core.domain.record_sets import display_name, normal_name
from route53_takeover.core.status.choices import Act
from route53_takeover.core.status.run_words import TAKEOVER_WORDS
from route53_takeover.tui.keys import Where, bindings

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from route53_takeover.base.errors import TakeoverError
    from route53_takeover.core.status.choices import Choice

LAPSED = "No longer possible: the run has moved on. Escape closes this."
NOT_THE_NAME = "That is not the name. Nothing was done."
_TITLES = {
    Act.PAUSE: "Pause the run",
    Act.GO_ON: "Continue the run",
    Act.RELEASE_NOW: "Delete the record now, before the hold ends",
    Act.CONFIRM_RELEASE: "Delete the old record",
    Act.EXTEND_DEADMAN: "Give CloudFormation more time",
    Act.RESTORE: "Restore the record",
    Act.ABORT: "Abort the takeover",
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


def consequences(choice: Choice) -> Content:
    """Effect, what stays unchanged, and the undo, a line each."""
    told = (
        ("Effect     ", choice.effect),
        ("Unchanged  ", choice.unchanged),
        ("Undo       ", choice.undo),
    )
    return Content("\n").join(
        Content.assemble((label, "bold"), escape_control(text)) for label, text in told if text
    )


class Dialog(ModalScreen[_Answer]):
    """A box in front of a screen. ``n``, Escape and ctrl+c close it without doing anything."""

    AUTO_FOCUS = "Input, #no, OptionList"
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.DIALOG))
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        .box {
            width: 90%; max-width: 84; height: auto; max-height: 95%;
            border: thick $primary; background: $surface; padding: 0 1;
        }
        .title { text-style: bold; }
        .lapsed { text-style: bold reverse; display: none; }
        &.-lapsed .lapsed { display: block; }
        Static { height: auto; margin-bottom: 1; }
        Horizontal { height: auto; align-horizontal: right; }
        Button { margin-left: 2; }
        OptionList { height: auto; max-height: 12; margin-bottom: 1; }
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
        self.confirm()


class AskName(Dialog["Choice"]):
    """Asks to type a name before something severe is done.

    With several names the one that is typed picks the choice. One about the whole run is confirmed
    with any of the run's names. ``what``: which name that is, for the question.
    """

    def __init__(
        self, choices: tuple[Choice, ...], names: tuple[str, ...], what: str = TAKEOVER_WORDS.name
    ) -> None:
        super().__init__(*choices)
        self._names = names
        self._what = what

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=False):
            yield Static(self._title(), classes="title")
            yield Static(self._body(), id="body")
            yield Static(LAPSED, classes="lapsed", markup=False)
            yield Static(self._wanted(), id="wanted")
            yield Input(id="name", select_on_focus=False)

    def _title(self) -> Content:
        first = self.choices[0]
        return Content(title_of(first) if len(self.choices) == 1 else _act(first))

    def _body(self) -> Content:
        if len(self.choices) == 1:
            return consequences(self.choices[0])
        return Content("\n").join(
            Content("\n").join([Content.styled(shown(choice.name), "bold"), consequences(choice)])
            for choice in self.choices
        )

    def _wanted(self) -> Content:
        names = [name for choice in self.choices for name in self._accepted(choice)]
        return Content(
            f"Type {self._what} ({' or '.join(map(shown, dict.fromkeys(names)))}) and Enter. "
            "Anything else, or Escape, cancels."
        )

    def _accepted(self, choice: Choice) -> tuple[str, ...]:
        return (choice.name,) if choice.name else self._names

    def redraw(self) -> None:
        self.query_one("#body", Static).update(self._body())
        self.query_one("#wanted", Static).update(self._wanted())

    @on(Input.Submitted)
    def judge(self, message: Input.Submitted) -> None:
        """The right name means yes, anything else means no."""
        if self.has_lapsed:
            return
        typed = normal_name(message.value.strip())
        for choice in self.choices:
            if typed in map(normal_name, self._accepted(choice)):
                self.close(choice)
                return
        self.app.notify(NOT_THE_NAME, severity="warning", markup=False)
        self.close(None)


class Confirm(Dialog[bool]):
    """A question with yes and no; no has the focus. It may be about a choice."""

    def __init__(self, title: str, body: Content, yes: str, *choices: Choice) -> None:
        super().__init__(*choices)
        self._heading = title
        self._text = body
        self._yes = yes

    @classmethod
    def about(cls, choice: Choice) -> Confirm:
        """Asks about this choice, by its name."""
        return cls(f"{title_of(choice)}?", consequences(choice), "Yes", choice)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=False):
            yield Static(Content(escape_control(self._heading)), classes="title")
            yield Static(self._text, id="body")
            yield Static(LAPSED, classes="lapsed", markup=False)
            with Horizontal():
                yield Button(Content("No"), id="no", compact=True)
                yield Button(Content(self._yes), id="yes", compact=True)

    def redraw(self) -> None:
        self.query_one("#body", Static).update(consequences(self.choices[0]))

    def confirm(self) -> None:
        if not self.has_lapsed:
            self.close(True)


class PickName(Dialog["Choice"]):
    """Asks for one of several names."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=False):
            yield Static(Content(f"{_act(self.choices[0])}: which?"), classes="title")
            yield Static(LAPSED, classes="lapsed", markup=False)
            yield OptionList(*(Option(Content(shown(c.name)), id=c.name) for c in self.choices))

    def redraw(self) -> None:
        options = self.query_one(OptionList)
        for option in options.options:
            if option.id not in {choice.name for choice in self.choices}:
                options.disable_option(option.id or "")

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
        with VerticalScroll(classes="box", can_focus=False):
            yield Static(
                Content(escape_control(self._error.message)), classes="title", id="message"
            )
            if self._error.hint:
                yield Static(Content(escape_control(self._error.hint)), id="hint")
            with Horizontal():
                yield Button(Content("Close"), id="no", compact=True)
