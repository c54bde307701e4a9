"""``adopt``: the record is changed into exactly what the stack wants; CloudFormation adopts it.

Preparation: one batch, right before the deploy with the switch on. Undo: one batch back, as soon as
the operation rolls back without having adopted it. Where CloudFormation retries instead, the
release gate deletes the record after the hold, with a wildcard under it where one is possible
(`route53_takeover.core.plan.strategies.bridge`), which is only created then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.plan.comparison import coming_in_place
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.plan.strategies import bridge
from route53_takeover.core.plan.strategies.assessment import Assessment, manuals_at, standing

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import Facts, PendingRecord
    from route53_takeover.core.plan.model import Helper, Manual, Plan


def assess(facts: Facts, plan: Plan, name: str) -> Assessment:
    """Possible where the desired record sets are known to the letter, and of the same types."""
    assessment = Assessment(strategy=Strategy.ADOPT)
    manuals = []
    for manual in manuals_at(plan, name):
        record = manual.original
        if record.alias is None and record.type in ("A", "AAAA"):
            return replace(
                assessment,
                reason=f"CloudFormation fails on a plain {record.type} record that exists, even if "
                "it is identical.",
            )
        coming = coming_in_place(facts, record)
        if coming is not None and coming.record.group:
            return replace(
                assessment,
                reason=f"{coming.path} is a RecordSetGroup, and whether CloudFormation adopts one "
                "is not known.",
            )
        desired = None if coming is None or not coming.certain else coming.record.desired
        if not facts.pending.given or desired is None or not desired.complete:
            return replace(
                assessment,
                reason=f"what the stack wants in the place of {record.key} is not known to the "
                "letter.",
                hint=_hint(facts, coming),
            )
        if desired.record.key != record.key:
            return replace(
                assessment, reason=f"the stack's record is another one than {record.key}."
            )
        prepared = None if desired.record.same_as(record) else _as_named(desired.record, record)
        manuals.append(replace(manual, strategy=Strategy.ADOPT, prepared=prepared))
    under = bridge.assess(facts, plan, name)
    changed = [m.prepared.describe() for m in manuals if m.prepared is not None]
    effects = [f"the name leads to {'; '.join(changed)} before the deploy begins"] * bool(changed)
    effects += [f"if CloudFormation retries, {under.side_effect}"] * bool(under.helpers)
    return replace(
        assessment,
        manuals=tuple(manuals),
        helpers=tuple(
            replace(helper, record=replace(_stands(manuals, helper), name=helper.record.name))
            for helper in under.helpers
        ),
        side_effect="; ".join(effects),
    )


def _hint(facts: Facts, coming: PendingRecord | None) -> str:
    """What the user can add, so that what the stack wants is known."""
    assumed = facts.pending.assumed
    if coming is None or coming.certain or not assumed.get(coming.condition):
        return "Show the pending template with --template or --preview."
    told = " ".join(f"--parameter {name}=VALUE" for name in assumed[coming.condition])
    return (
        f"{coming.path} is only created where condition {coming.condition} holds: if the deploy "
        f"makes it hold, add {told}."
    )


def _stands(manuals: list[Manual], helper: Helper) -> RecordSet:
    """What stands in the deploy, and what its helper is to answer like."""
    manual = next(m for m in manuals if m.key.type == helper.record.type)
    return manual.prepared or standing(manual)


def _as_named(desired: RecordSet, record: RecordSet) -> RecordSet:
    """The desired record set under the name as Route 53 spells it."""
    return replace(desired, name=record.name)
