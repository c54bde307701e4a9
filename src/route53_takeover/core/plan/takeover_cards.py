"""The cards of a takeover's plan: what changes, what it may cost, what will happen, findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.stacks import ABSENT
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
from route53_takeover.core.plan.comparison import NOTHING, before_and_after
from route53_takeover.core.plan.forecast_lines import (
    forecast_lines,
    recommendation,
    strategy_table,
)
from route53_takeover.core.plan.steps import planned_steps, step_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.cards import Part
    from route53_takeover.core.plan.model import Plan, PlannedRecord

NO_RISK = "No step is expected to leave a name without an answer."
_FEW = 2
"""Names that are spelled out; more are counted."""
_UNKNOWN = "not known yet"
_WHO_KNOWS = "No template defines it: --template or --preview shows what it will be."


def takeover_cards(plan: Plan, config: str = "") -> tuple[Card, ...]:
    """The cards of a plan; ``config``: a file and the options in it."""
    return tuple(_cards(plan, config))


def _cards(plan: Plan, config: str) -> Iterator[Card]:
    yield Card(title="What changes", parts=tuple(_changes(plan, config)))
    if cost := tuple(_cost(plan)):
        yield Card(title="What it may cost", parts=cost)
    if happens := tuple(_happens(plan)):
        yield Card(title="What will happen", parts=happens)
    yield from finding_cards(plan.refusals, plan.warnings)


# -- what changes


def _changes(plan: Plan, config: str) -> Iterator[Part]:
    shown = {each.now.key: each for each in plan.records if each.now is not None}
    for label, records in (
        ("take over", [manual.original for manual in plan.manuals]),
        ("owned", plan.owned),
    ):
        for record in records:
            planned = shown.get(record.key)
            text = record.describe() if planned is None else str(record.key)
            yield Line(lead=f"{label}  ", text=text, tone=Tone.STRONG)
            if planned is not None:
                yield _comparison(plan, planned)
            if planned is not None and not planned.known:
                yield Line(text=_WHO_KNOWS, tone=Tone.MUTED)
    for each in plan.records:
        if each.now is None:
            yield Line(lead="new  ", text=each.label, tone=Tone.STRONG)
            yield _comparison(plan, each)
    for record in plan.staying:
        yield Line(lead="unchanged  ", text=record.describe())
    stack = plan.root.stack_name or plan.options.stack
    private = ", private" * plan.zone_private
    yield Line(lead="zone     ", text=f"{shown_name(plan.zone_name)} ({plan.zone_id}{private})")
    status = "does not exist yet" if plan.root.status == ABSENT else plan.root.status
    yield Line(lead="stack    ", text=f"{stack} {status}")
    yield Line(lead="account  ", text=plan.account)
    if config:
        yield Line(lead="options  ", text=f"from {config}")


def _comparison(plan: Plan, record: PlannedRecord) -> Table:
    stack = plan.root.stack_name or plan.options.stack
    owner, then = record.owner or "no stack", stack
    if record.resource and owner != stack:
        then = f"{stack} ({record.resource})"
    if record.known and record.desired is None:
        then = NOTHING
    rows = [*before_and_after(record), ("owner", owner, then)]
    return Table(
        head=("", "now", "then"),
        rows=tuple(_compared(*row) for row in rows),
    )


def _compared(what: str, now: str, then: str) -> Row:
    """A row whose sign says whether it changes, as the signs on the screen of a run do."""
    sign = "=" if now == then else "≠" if then else "?"
    going, coming = (Tone.GOES, Tone.COMES) if sign == "≠" else (Tone.PLAIN, Tone.PLAIN)
    cells = (Words(f"{sign} {what}"), Words(now, going), Words(then or _UNKNOWN, coming))
    return Row(cells=cells)


# -- what it may cost


def _cost(plan: Plan) -> Iterator[Part]:
    if plan.strategies:
        yield strategy_table(plan)
    if better := recommendation(plan):
        yield Line(text=better, tone=Tone.WARNING)
    for text in forecast_lines(plan):
        yield Line(lead="~ ", text=text)


# -- what will happen


def _names(plan: Plan) -> str:
    if len(plan.names) > _FEW:
        return f"{len(plan.names)} names"
    return " and ".join(map(shown_name, plan.names))


def _happens(plan: Plan) -> Iterator[Part]:
    if not plan.manuals:
        return
    names, is_at_risk = _names(plan), False
    for number, step in enumerate(planned_steps(plan), start=1):
        if step.leaves_gap and not is_at_risk:
            is_at_risk = True
            yield Rule(f"from here {names} may have no record")
        yield step_line(number, step)
    if not plan.refused and not is_at_risk:
        yield Line(text=NO_RISK, tone=Tone.COMES)
