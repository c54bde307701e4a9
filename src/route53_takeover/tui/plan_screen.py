"""The screens before a run: reading the account, then the plan, which waits for a confirmation.

Nothing is written while one of these is shown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from route53_takeover.base.escaping import escape_control
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.plan.comparison import plan_rows
from route53_takeover.core.plan.forecast_lines import forecast_lines, strategy_lines
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.status.rehearsal_marks import mark, title
from route53_takeover.core.status.run_words import RunKind
from route53_takeover.output.switch_lines import USERS_GET_GREEN, switch_plan_lines
from route53_takeover.process.protocol import GOOD_FOR
from route53_takeover.tui.base_screen import BaseScreen
from route53_takeover.tui.dialogs import Confirm
from route53_takeover.tui.keys import Where, bindings
from route53_takeover.tui.messages import StartAsked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.process.protocol import Proposal
    from route53_takeover.tui.keys import Action

_OLD = (
    "This plan is older than 10 minutes, and the account may have changed since: "
    "leave, and start again."
)
_STARTING = "The run is starting."
_DEEDS = {
    Strategy.DELETE: "The old record is deleted",
    Strategy.BRIDGE: "The old record is deleted once a wildcard answers for it,",
    Strategy.ADOPT: "The old record is adopted, or deleted where CloudFormation only retries,",
    Strategy.WEIGHTED: "The old record gives way step by step,",
}
"""What a strategy does to a record, the most drastic one first."""


class OpeningScreen(BaseScreen):
    """What is being read before there is a plan."""

    DEFAULT_CSS = "OpeningScreen #told { padding: 1 2; height: 1fr; }"

    def __init__(self, keymap: Mapping[str, str]) -> None:
        super().__init__(keymap)
        self._told: list[str] = []

    def compose_content(self) -> ComposeResult:
        yield Static(Content("Reading the account for the plan; nothing is written."), id="told")

    def tell(self, text: str) -> None:
        """Shows the newest lines of progress."""
        self._told = [*self._told[-10:], escape_control(text)]
        if self.is_mounted:
            lines = ["Reading the account for the plan; nothing is written.", "", *self._told]
            self.query_one("#told", Static).update(Content("\n".join(lines)))
            self.update_essential()

    def essential(self) -> str:
        return self._told[-1] if self._told else "Reading the account for the plan."


class PlanScreen(BaseScreen):
    """A plan, which starts after a confirmation; the default is no."""

    PLACES = (Where.PLAN,)
    FIRST = ("start", "leave", "help", "palette", "theme", "screenshot")
    BINDINGS: ClassVar[list[BindingType]] = list(bindings(Where.PLAN))
    DEFAULT_CSS = """
    PlanScreen {
        #heading { height: auto; padding: 0 1; background: $panel; text-style: bold; }
        #plan { height: 1fr; padding: 0 1; }
        #plan Static { height: auto; }
        #ask { height: 1; padding: 0 1; text-style: bold; }
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
            yield Static(Content("\n").join(plan_lines(self._proposal)))
        yield Static(Content(self._question()), id="ask")

    def _heading(self) -> str:
        rehearsal = self._proposal.rehearsal
        if rehearsal:
            return f"{title(escape_control(rehearsal)).replace(': ', ', ')}  ·  plan"
        return "Plan: nothing is written before you start it"

    def _question(self) -> str:
        return f"Press {self.key('start')} to start it, {self.key('leave')} to leave."

    @property
    def kind(self) -> RunKind:
        return RunKind.TAKEOVER if self._proposal.switch is None else RunKind.SWITCH

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
        title, body = _question(self._proposal)
        self.open(Confirm(title, Content(escape_control(body)), "Start"), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if yes and self._is_old():
            self.say(_OLD)
        elif yes:
            self._starting = True
            self.query_one("#ask", Static).update(Content(_STARTING))
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


def plan_lines(proposal: Proposal) -> Iterator[Content]:
    """The plan as text."""
    if proposal.switch is not None:
        lines = switch_plan_lines(
            proposal.switch, list(proposal.steps), None, config=proposal.config
        )
        yield from map(_styled, lines)
    elif proposal.plan is not None:
        yield from _takeover_lines(proposal, proposal.plan)


def _styled(line: str) -> Content:
    """A line of the plan of a switch; its sign says what its colour says."""
    text = escape_control(line)
    style = _LINE_STYLES.get(line.strip()[:2].strip(), "")
    if line == USERS_GET_GREEN or (line.endswith(":") and not line.startswith(" ")):
        style = "bold"
    return Content.styled(text, style) if style else Content(text)


def _takeover_lines(proposal: Proposal, plan: Plan) -> Iterator[Content]:
    yield from _subject(plan)
    if proposal.config:
        yield Content.assemble(
            (f"{'Options':<11}", "bold"), f"from {escape_control(proposal.config)}"
        )
    if plan.warnings:
        yield _heading("Warnings")
    for finding in plan.warnings:
        yield Content.assemble(("! ", "bold $warning"), (escape_control(finding.text), "bold"))
        if finding.hint:
            yield Content(f"    {escape_control(finding.hint)}")
    yield from _strategies(plan)
    if lines := forecast_lines(plan):
        yield _heading("Forecast")
        yield from (Content(escape_control(line)) for line in lines)
    yield _heading("Steps")
    for number, step in enumerate(proposal.steps, start=1):
        yield Content(f"{number:>2}. {escape_control(step)}")


def _strategies(plan: Plan) -> Iterator[Content]:
    """The table of strategies; the chosen one and a better one stand out."""
    lines = strategy_lines(plan)
    if lines:
        yield _heading("Strategies")
    for line in lines:
        style = {">": "bold", "U": "bold $warning"}.get(line[0], "")
        yield Content.assemble((escape_control(line), style))


def _subject(plan: Plan) -> Iterator[Content]:
    """Records, zone, stack, account."""
    stack = plan.root.stack_name or plan.options.stack
    zone = f"{display_name(plan.zone_name)} ({plan.zone_id}{', private' * plan.zone_private})"
    for label, record, details in plan_rows(plan):
        yield Content.assemble((f"{label.capitalize():<11}", "bold"), escape_control(record))
        for detail in details:
            yield Content.assemble(
                f"{'':<11}", (escape_control(detail), _STYLES.get(detail[0], ""))
            )
    told = [
        ("Zone", zone),
        ("Stack", f"{stack} {plan.root.status}"),
        ("Account", plan.account),
    ]
    for label, text in told:
        yield Content.assemble((f"{label:<11}", "bold"), escape_control(text))


_LINE_STYLES = {
    "✘": "bold $text-error",
    "!": "bold $text-warning",
    "-": "$text-error",
    "+": "$text-success",
}
_STYLES = {"-": "$error", "+": "$success"}
"""Of what goes and what comes; the sign says it without a colour."""


def _heading(text: str) -> Content:
    return Content.assemble("\n", (text, "bold underline"))
