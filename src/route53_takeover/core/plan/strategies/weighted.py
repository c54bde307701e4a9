"""``weighted``: the record becomes a member of a weighted group, beside which the stack's stands.

Preparation: one batch turns the simple record into a member, right before the deploy with the
switch on. Once the stack is complete its share grows step by step (``--weights``), and the manual
member is deleted last. Undo: one batch back to the simple record, once the stack's member is gone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.plan.comparison import new_records
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.plan.strategies.assessment import Assessment, manuals_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Manual, Plan

IDENTIFIER = "route53-takeover-manual"
"""The set identifier of the manual member."""
HEAVIEST = 255
"""The largest weight that Route 53 takes."""


def assess(facts: Facts, plan: Plan, name: str) -> Assessment:
    """Possible where a simple record stands and the stack's has a weight above 0."""
    assessment = Assessment(strategy=Strategy.WEIGHTED)
    manuals: list[Manual] = []
    for manual in manuals_at(plan, name):
        desired = _desired(facts, manual.original)
        if manual.original.is_routed:
            return replace(assessment, reason=f"{manual.key} is a member of a routed group.")
        if not facts.pending.given:
            return replace(
                assessment,
                reason=f"no template tells that the stack's {manual.key} has a weight.",
                hint="Show the pending template with --template or --preview.",
            )
        if desired is None:
            return replace(
                assessment, reason=f"the stack's {manual.key} has no SetIdentifier and no weight."
            )
        weight = weight_of(desired)
        if desired.set_identifier == IDENTIFIER:
            return replace(assessment, reason=f"the stack's {desired.key} has our identifier.")
        if weight is None:
            return replace(
                assessment, reason=f"the stack's {desired.key} has the policy {desired.policy}."
            )
        if weight == 0:
            return replace(assessment, reason=f"the stack's {desired.key} has the weight 0.")
        least = first_share(weight)
        if plan.options.weights and plan.options.weights[0] < least:
            return replace(
                assessment,
                reason=f"the stack's {desired.key} has the weight {weight}: it answers {least} % "
                f"as soon as it is created, and --weights begins with {plan.options.weights[0]}.",
                hint=f"Give it a smaller weight in the template, or begin with {least}.",
            )
        manuals.append(
            replace(
                manual,
                strategy=Strategy.WEIGHTED,
                prepared=_member(manual.original, desired),
                weights=_steps(weight, plan.options.weights),
            )
        )
    return replace(
        assessment,
        manuals=tuple(manuals),
        side_effect="the name is a weighted group, and both targets answer, until the manual "
        "member is deleted",
    )


def first_share(weight: int) -> int:
    """Percent of the answers that the stack's member has as soon as it is created, rounded up."""
    return -(-100 * weight // (weight + HEAVIEST))


def manual_weight(weight: int, share: int) -> int:
    """The manual member's weight that leaves the stack's, of this weight, so many percent."""
    return min(round(weight * (100 - share) / share), HEAVIEST)


def _steps(weight: int, shares: Iterable[int]) -> tuple[int, ...]:
    """The manual member's weights, without steps that would change nothing."""
    found = [HEAVIEST]
    for share in shares:
        if (next_one := manual_weight(weight, share)) < found[-1]:
            found.append(next_one)
    return tuple(found[1:])


def with_weight(member: RecordSet, weight: int) -> RecordSet:
    """The member with another weight."""
    others = [(key, value) for key, value in member.routing if key != "Weight"]
    return replace(member, routing=tuple(sorted([*others, ("Weight", json.dumps(weight))])))


def _desired(facts: Facts, record: RecordSet) -> RecordSet | None:
    """The stack's member that is to stand beside the record, once that is one."""
    for each in new_records(facts):
        desired = each.record.desired
        if desired is None or not each.certain or each.record.pattern:
            continue
        if desired.record.is_routed and desired.record.key[:2] == record.key[:2]:
            return desired.record
    return None


def _member(record: RecordSet, desired: RecordSet) -> RecordSet:
    """The simple record as a member; the TTL of a group is the same for all."""
    ttl = record.ttl if record.ttl is None or desired.ttl is None else desired.ttl
    return with_weight(replace(record, ttl=ttl, set_identifier=IDENTIFIER), HEAVIEST)


def weight_of(record: RecordSet) -> int | None:
    told = dict(record.routing).get("Weight")
    value = None if told is None else json.loads(told)
    return value if isinstance(value, int) else None
