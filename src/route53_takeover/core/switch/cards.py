"""The cards of a switch's plan: what changes, what differs, what tests green, what will happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan.cards import (
    Card,
    Line,
    Row,
    Rule,
    Table,
    Tone,
    Words,
    finding_cards,
)
from route53_takeover.core.plan.steps import step_line
from route53_takeover.core.switch.model import SwapKind
from route53_takeover.core.switch.plan_steps import (
    first_green_step,
    planned_switch_steps,
    ways_back,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.cards import Part
    from route53_takeover.core.switch.model import Difference, SwitchPlan

USERS_GET_GREEN = "from here on users get green"
"""Between the steps that leave users on blue and those that do not."""
NO_CHECKS = "No check: without --check nothing tells whether green works."
NOT_MADE = "green, once its deploy has made it"
_KINDS = {
    SwapKind.API_MAPPING: "mapping",
    SwapKind.CLOUDFRONT_ORIGIN: "origin",
}
_SIGNS = {"refuse": "✘", "warn": "!", "note": "·"}
_TONES = {"refuse": Tone.REFUSAL, "warn": Tone.WARNING}


def switch_cards(plan: SwitchPlan, config: str = "") -> tuple[Card, ...]:
    """The cards of a plan; ``config``: a file and the options in it."""
    return tuple(_cards(plan, config))


def _cards(plan: SwitchPlan, config: str) -> Iterator[Card]:
    yield Card(title="What changes", parts=tuple(_changes(plan, config)))
    if plan.differences:
        rows = tuple(_difference(each) for each in plan.differences)
        table = Table(head=("", "what", "blue", "green"), rows=rows)
        yield Card(title="Differences between blue and green", parts=(table,))
    yield Card(title="What tests green", parts=tuple(_checks(plan)))
    if happens := tuple(_happens(plan)):
        yield Card(title="What will happen", parts=happens)
    if back := ways_back(plan):
        yield Card(title="The way back", parts=tuple(Line(text=line) for line in back))
    yield from finding_cards(plan.refusals, plan.warnings)


def _changes(plan: SwitchPlan, config: str) -> Iterator[Part]:
    for swap in plan.swaps or plan.watched:
        yield Line(lead=f"{_KINDS[swap.kind]}  ", text=swap.target, tone=Tone.STRONG)
        cells = (
            Words("≠ leads to"),
            Words(swap.before, Tone.GOES),
            Words(swap.after if plan.swaps else NOT_MADE, Tone.COMES),
        )
        yield Table(head=("", "now (blue)", "then (green)"), rows=(Row(cells=cells),))
    yield Line(lead="site     ", text=plan.site)
    yield Line(lead="account  ", text=f"{plan.account}, region {plan.region}")
    if config:
        yield Line(lead="options  ", text=f"from {config}")


def _difference(each: Difference) -> Row:
    sign, tone = _SIGNS.get(each.weight, "?"), _TONES.get(each.weight, Tone.PLAIN)
    return Row(
        cells=(
            Words(f"{sign} {each.weight}", tone),
            Words(each.what),
            Words(each.blue or "none"),
            Words(each.green or "none"),
        ),
        note=Words(each.hint),
    )


def _checks(plan: SwitchPlan) -> Iterator[Line]:
    if not plan.checks:
        yield Line(text=NO_CHECKS, tone=Tone.WARNING)
    for check in plan.checks:
        yield Line(lead="- ", text=check.text)


def _happens(plan: SwitchPlan) -> Iterator[Part]:
    first = first_green_step(plan)
    for number, step in enumerate(planned_switch_steps(plan), start=1):
        if number == first:
            yield Rule(USERS_GET_GREEN)
        yield step_line(number, step)
