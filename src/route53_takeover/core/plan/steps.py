"""What a run of a plan does, step by step: who acts, how long it takes, when a name is at risk."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.plan.cards import Line
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.timing import INSYNC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.model import Plan

_TO_INSYNC = f"up to {INSYNC:.0f} s"
DEPLOYING = "your deploy's time"
"""How long a deploy takes, in words."""


class Actor(StrEnum):
    """Who does a step."""

    PROGRAM = "this program"
    DEPLOY = "your deploy"
    CLOUDFORMATION = "CloudFormation"
    CLOUDFRONT = "CloudFront"


class PlannedStep(Struct, frozen=True, kw_only=True):
    """A step of a run.

    Attributes:
        takes: how long, in words; empty where it is over at once or not known.
        leaves_gap: the name may have no record from here on.
    """

    text: str
    actor: Actor = Actor.PROGRAM
    takes: str = ""
    leaves_gap: bool = False


def step_line(number: int, step: PlannedStep) -> Line:
    """A step in a card, with its number and who acts."""
    return Line(lead=f"{number:>2}. {step.actor:<14}  ", text=step.text, note=step.takes)


def steps(plan: Plan) -> list[str]:
    """What a run of this plan does, a line each; nothing where it is refused."""
    return [step.text for step in planned_steps(plan)]


def planned_steps(plan: Plan) -> list[PlannedStep]:
    """The steps of a run of this plan; none where it is refused."""
    if plan.refused:
        return []
    if not plan.manuals:
        return [
            PlannedStep(text=f"Nothing to do: the stack already owns {record.key}.")
            for record in plan.owned
        ]
    return [*_before(plan), *_preparation(plan), *_deploy_on(plan), *_clean_up(plan)]


def _before(plan: Plan) -> Iterator[PlannedStep]:
    """Up to the proof that a record can be restored."""
    yield PlannedStep(text="Save every record set that the run may change to backup.json.")
    lowered = [m for m in plan.manuals if m.lowered]
    for m in lowered:
        if m.lowered:
            yield PlannedStep(
                text=f"Lower the TTL of {m.key} from {m.original.ttl} s to {m.lowered.ttl} s."
            )
    if lowered and plan.drain_seconds:
        yield PlannedStep(
            text=f"Wait for INSYNC, then {plan.drain_seconds} s until the old TTL has expired.",
            takes=f"up to {plan.drain_seconds + INSYNC:.0f} s",
        )
    if plan.soa is not None:
        yield PlannedStep(
            text=f"Lower the negative TTL of the SOA of {shown_name(plan.zone_name)} from "
            f"{plan.negative_ttl} s to {plan.negative_ttl_in_gap} s and wait for INSYNC.",
            takes=_TO_INSYNC,
        )
    if plan.options.deploy_off:
        yield PlannedStep(
            text=f"Deploy with the switch off: {plan.options.deploy_off}",
            actor=Actor.DEPLOY,
            takes=DEPLOYING,
        )
    yield PlannedStep(
        text="Test the restore: delete and create the same record in one batch (no gap).",
        takes=_TO_INSYNC,
    )
    if plan.options.cloud_deadman is not None:
        yield PlannedStep(
            text=f"Test with the role {plan.options.cloud_deadman} that the deadman in AWS can "
            "restore the same; it is started before each delete, and stopped at the end."
        )


def _preparation(plan: Plan) -> Iterator[PlannedStep]:
    """What strategies do right before the deploy with the switch on."""
    for manual in plan.manuals:
        if manual.prepared is not None:
            to = manual.prepared.describe()
            yield PlannedStep(
                text=f"Change {manual.key} in one batch to {to} (no gap).", takes=_TO_INSYNC
            )
    for helper in plan.helpers:
        if not any(
            m.strategy is Strategy.BRIDGE and m.key.name in helper.covers for m in plan.manuals
        ):
            continue
        yield PlannedStep(
            text=f"Create {helper.record.describe()} and wait until every name server answers with "
            f"it; then delete {' and '.join(map(shown_name, helper.covers))}, which it answers for."
        )


def _deploy_on(plan: Plan) -> Iterator[PlannedStep]:
    """The deploy that creates the stack's record, and what becomes of the manual one meanwhile."""
    if plan.options.deploy_on:
        text, takes = f"Deploy with the switch on: {plan.options.deploy_on}", DEPLOYING
    else:
        text, takes = "Wait for a deploy with the switch on, started elsewhere.", ""
    yield PlannedStep(text=text, actor=Actor.DEPLOY, takes=takes)
    gap = f"expected gap {plan.options.expected_gap:g} s"
    for m in plan.manuals:
        if m.strategy is Strategy.DELETE:
            yield PlannedStep(
                text=f"While CloudFormation retries to create it, delete {m.key}; restore it if "
                "anything fails.",
                takes=gap,
                leaves_gap=plan.may_be_missing(m),
            )
    for m in plan.manuals:
        if m.strategy is Strategy.ADOPT:
            yield PlannedStep(
                text=f"CloudFormation adopts {m.key} as it is; if it retries instead, delete it "
                f"then{_under(plan, m.key.name)}.",
                actor=Actor.CLOUDFORMATION,
                leaves_gap=plan.may_be_missing(m),
            )
    yield PlannedStep(
        text="Watch until the stack is complete and nothing changes any more.",
        takes=f"{plan.options.settle:g} s after the stack",
    )


def _under(plan: Plan, name: str) -> str:
    """What answers while a record is deleted that CloudFormation was to adopt."""
    helper = next((h for h in plan.helpers if name in h.covers), None)
    return "" if helper is None else f", once {shown_name(helper.record.key.name)} answers for it"


def _clean_up(plan: Plan) -> Iterator[PlannedStep]:
    """What is put back and removed once the stack has its records."""
    options = plan.options
    if plan.soa is not None:
        yield PlannedStep(text=f"Put the SOA of {shown_name(plan.zone_name)} back as it is now.")
    for manual in plan.manuals:
        if manual.strategy is not Strategy.WEIGHTED or manual.prepared is None:
            continue
        if options.weights:
            shares = ", ".join(f"{share} %" for share in options.weights)
            yield PlannedStep(
                text=f"Move the answers for {manual.key} to the stack's member: {shares}, "
                f"{options.weight_every:g} s each.",
                takes=f"{len(options.weights) * options.weight_every:g} s",
            )
        yield PlannedStep(text=f"Delete the manual member {manual.prepared.key}.")
    for helper in plan.helpers:
        yield PlannedStep(text=f"Remove {helper.record.key} again.")
