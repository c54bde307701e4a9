"""The screens before a run: reading the account, then the plan as cards, which waits for a start.

Nothing is written while one of these is shown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Button, Static

from route53_takeover.base.escaping import escape_control
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.plan.cards import Line
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.plan.takeover_cards import takeover_cards
from route53_takeover.core.status.rehearsal_marks import mark, title
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.core.status.snapshot import Copy
from route53_takeover.core.switch.cards import switch_cards
from route53_takeover.process.protocol import GOOD_FOR
from route53_takeover.tui.base_screen import BaseScreen
from route53_takeover.tui.card_view import CardView, contents_of
from route53_takeover.tui.dialogs import Confirm
from route53_takeover.tui.keys import Where, bindings
from route53_takeover.tui.messages import StartAsked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from route53_takeover.core.plan.cards import Card
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.process.protocol import Proposal
    from route53_takeover.tui.keys import Action

_OLD = (
    "This plan is older than 10 minutes, and the account may have changed since: "
    "leave, and start again."
)
_STARTING = "The run is starting."
_READING = "Reading the account for the plan; nothing is written."
_DEEDS = {
    Strategy.DELETE: "The old record is deleted",
    Strategy.BRIDGE: "The old record is deleted once a wildcard answers for it,",
    Strategy.ADOPT: "The old record is adopted, or deleted where CloudFormation only retries,",
    Strategy.WEIGHTED: "The old record gives way step by step,",
}
"""What a strategy does to a record, the most drastic one first."""
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAME = 0.1
_MORE_COLUMNS = (105, 165)
"""Cells from which on there are two columns of cards, and three."""
_FRAMED = 4
"""Cells that the frame of a card takes."""


class OpeningScreen(BaseScreen):
    """What is being read before there is a plan."""

    DEFAULT_CSS = """
    OpeningScreen #told {
        margin: 1 2; padding: 0 1; height: auto; max-height: 1fr;
        border: round $primary; border-title-style: bold; border-title-color: $text-primary;
    }
    """

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__(keymap)
        self._told: list[str] = []
        self._frame = 0
        self._began = asyncio.get_running_loop().time()

    def compose_content(self) -> ComposeResult:
        told = Static(id="told")
        told.border_title = Content("Making the plan")
        yield told

    def on_mount(self) -> None:
        """The spinner turns."""
        self.set_interval(_FRAME, self._turn)
        self._turn()

    def tell(self, text: str) -> None:
        """Shows the newest lines of progress; one that counts on takes the place of the last."""
        line = escape_control(text)
        subject = line.partition(":")[0]
        if self._told and ":" in line and self._told[-1].partition(":")[0] == subject:
            self._told.pop()
        self._told = [*self._told[-10:], line]
        if self.is_mounted:
            self._show()
            self.update_essential()

    def _turn(self) -> None:
        self._frame = (self._frame + 1) % len(_SPINNER)
        self._show()

    def _show(self) -> None:
        """What was read, what is being read, and for how long already."""
        *read, current = self._told or [_READING]
        since = asyncio.get_running_loop().time() - self._began
        lines = [Content.assemble((f"{_READING} {since:.0f} s", "$text-muted"))]
        lines += map(_told, read)
        if self._told:
            lines.append(Content.assemble((f"{_SPINNER[self._frame]} ", "$text-primary"), current))
        else:
            lines[0] = Content.assemble((f"{_SPINNER[self._frame]} ", "$text-primary"), lines[0])
        self.query_one("#told", Static).update(Content("\n").join(lines))

    def essential(self) -> str:
        return self._told[-1] if self._told else "Reading the account for the plan."


def _told(line: str) -> Content:
    """What was read, or a warning."""
    is_warning = line.startswith("warning: ")
    sign = ("! ", "$text-warning") if is_warning else ("✔ ", "$text-success")
    return Content.assemble(sign, line)


class CardColumns(Horizontal):
    """The cards in columns: each goes where the least stands so far."""

    DEFAULT_CSS = """
    CardColumns { height: auto; }
    CardColumns Vertical { width: 1fr; height: auto; }
    """
    count: reactive[int] = reactive(1, recompose=True)

    def __init__(self, cards: tuple[Card, ...]) -> None:
        super().__init__()
        self._cards = cards

    def compose(self) -> ComposeResult:
        columns: list[list[Card]] = [[] for _ in range(self.count)]
        heights = [0] * self.count
        width = self.size.width // self.count - _FRAMED
        for card in self._cards:
            at = heights.index(min(heights))
            columns[at].append(card)
            heights[at] += len(contents_of(card.parts, width)) + 2
        for column in columns:
            with Vertical():
                yield from map(CardView, column)

    def on_resize(self, event: events.Resize) -> None:
        """As many columns as there is room for."""
        self.count = 1 + sum(event.size.width >= cells for cells in _MORE_COLUMNS)


def cards_of(proposal: Proposal) -> tuple[Card, ...]:
    """The cards of what is proposed."""
    if proposal.switch is not None:
        return switch_cards(proposal.switch, proposal.config)
    return () if proposal.plan is None else takeover_cards(proposal.plan, proposal.config)


class PlanScreen(BaseScreen):
    """A plan, which starts after a question."""

    PLACES = (Where.PLAN,)
    AUTO_FOCUS = "#plan"
    FIRST = ("start", "leave", "copy", "help", "palette", "theme", "screenshot")
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.PLAN))
    DEFAULT_CSS = """
    PlanScreen {
        #heading { height: auto; padding: 0 1; background: $panel; text-style: bold; }
        #plan { height: 1fr; scrollbar-size: 1 1; }
        #start-bar { height: auto; max-height: 3; padding: 0 1; background: $panel; }
        #start-bar Button { margin: 0 2 0 0; background: $success; color: $background; }
        #ask { width: 1fr; height: auto; }
        #more { width: auto; height: 1; color: $text-primary; text-style: bold; }
    }
    """

    def __init__(self, keymap: Mapping[str, str], proposal: Proposal, *, read_at: float) -> None:
        super().__init__(keymap)
        self._proposal = proposal
        self._read_at = read_at
        self._starting = False

    def compose_content(self) -> ComposeResult:
        yield Static(Content(self._heading()), id="heading")
        with VerticalScroll(id="plan"):
            yield CardColumns(cards_of(self._proposal))
        with Horizontal(id="start-bar"):
            yield Button(Content(f"Start  {self.key('start')}"), id="start", compact=True)
            yield Static(self._ask(), id="ask")
            yield Static(id="more", markup=False)

    def on_mount(self) -> None:
        """The hint follows the scrolling, and what there is to scroll."""
        plan = self.query_one("#plan")
        self.watch(plan, "scroll_y", self._hint, init=False)
        self.watch(plan, "virtual_size", self._hint, init=False)

    def on_resize(self, event: events.Resize) -> None:
        """The hint follows the size."""
        del event
        self.call_after_refresh(self._hint)

    def _hint(self) -> None:
        plan = self.query_one("#plan")
        is_more = plan.max_scroll_y - plan.scroll_y >= 1
        self.query_one("#more", Static).update("↓ more below" if is_more else "")

    def _heading(self) -> str:
        rehearsal = self._proposal.rehearsal
        if rehearsal:
            return f"{title(escape_control(rehearsal)).replace(': ', ', ')}  ·  plan"
        return "Plan: nothing is written before you start it"

    def _ask(self) -> Content:
        """What a start does, and how many warnings there are."""
        made = self._proposal.plan or self._proposal.switch
        count = 0 if made is None else len(made.warnings)
        warned = f"! {count} warning{'s' * (count > 1)}  " if count else ""
        return Content.assemble(
            (warned, "bold $text-warning"), escape_control(_question(self._proposal)[1])
        )

    @property
    def kind(self) -> RunKind:
        return RunKind.TAKEOVER if self._proposal.switch is None else RunKind.SWITCH

    def copies(self) -> tuple[Copy, ...]:
        line = self._proposal.run_line
        return (Copy(label="run", text=line),) if line else ()

    def essential(self) -> str:
        word = mark(self._proposal.rehearsal)
        return f"{word}{': ' if word else ''}The plan is ready; enlarge the terminal to read it."

    def why_not(self, action: Action) -> str:
        if action.id not in ("start", "leave"):
            return super().why_not(action)
        if self._starting:
            return _STARTING
        if action.id == "start" and self.has_class("-too-small"):
            return "The terminal is too small to show the plan."
        return _OLD if action.id == "start" and self._is_old() else ""

    def take(self, action: Action) -> None:
        if action.id != "start":
            super().take(action)
            return
        asked, body = _question(self._proposal)
        lines = [Line(text=body)]
        self.open(Confirm(asked, lines, "Start", answer=True, patient=True), self._answered)

    @on(Button.Pressed, "#start")
    def press_start(self) -> None:
        """The button does what its key does."""
        self.action_take("start")

    def _answered(self, yes: bool | None) -> None:
        if yes and self._is_old():
            self.say(_OLD)
        elif yes:
            self._starting = True
            self.query_one("#ask", Static).update(Content(_STARTING))
            self.query_one("#start", Button).disabled = True
            self.update_keys()
            self.post_message(StartAsked())

    def _is_old(self) -> bool:
        return asyncio.get_running_loop().time() - self._read_at > GOOD_FOR


def _question(proposal: Proposal) -> tuple[str, str]:
    """Title and text of the question before a start."""
    if proposal.switch is not None:
        return _switch_question(proposal.switch, bool(proposal.rehearsal))
    plan = proposal.plan
    if plan is None:
        return "Start it?", ""
    changed = "No real record is changed" if proposal.rehearsal else "This changes live DNS"
    if plan.options.confirm_release:
        body = f"{changed}. You are asked before the old record is deleted."
    else:
        body = f"{changed}. {_deed(plan)} without asking again."
    return f"Take over {', '.join(map(display_name, plan.names))}?", body


def _deed(plan: Plan) -> str:
    """What happens to the old records; of several strategies the most drastic one's."""
    chosen = {manual.strategy for manual in plan.manuals}
    return next(deed for strategy, deed in _DEEDS.items() if strategy in chosen)


def _switch_question(plan: SwitchPlan, is_rehearsal: bool) -> tuple[str, str]:
    changed = "No real site is changed" if is_rehearsal else "This changes a live site"
    once = "once green passes every check" if plan.checks else "and no check tests green before"
    made = "Green is deployed first. " if plan.options.deploy else ""
    body = f"{changed}. {made}Users are led to green without asking again, {once}."
    return f"Switch {display_name(plan.site)} to green?", body
