"""``delete``: the record is deleted while CloudFormation retries to create its own.

Nothing is prepared and nothing helps. The gap lasts until CloudFormation's next try; the release
gate (`route53_takeover.core.takeover.release_gate`) decides when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.plan.strategies.assessment import Assessment, manuals_at

if TYPE_CHECKING:
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Plan


def assess(facts: Facts, plan: Plan, name: str) -> Assessment:  # noqa: ARG001 -- as each strategy
    manuals = manuals_at(plan, name)
    plain = [m for m in manuals if m.original.alias is None and m.original.type in ("A", "AAAA")]
    return Assessment(
        strategy=Strategy.DELETE,
        manuals=tuple(replace(m, strategy=Strategy.DELETE) for m in manuals),
        reason=""
        if not plain or plan.options.strategy_given
        else f"{plain[0].key} is a plain {plain[0].original.type} record: CloudFormation fails on "
        "it at once instead of retrying, so the record cannot be released in time.",
    )
