"""``bridge``: a wildcard with the same answer stands in while the record changes hands.

Preparation: the wildcard is created and checked on every name server, then the record is deleted,
before the deploy with the switch on; CloudFormation finds nothing in its way. At the end the
wildcard is removed. Undo: the record is created again, then the wildcard goes.

A wildcard answers only for a name that does not exist (RFC 4592): with no other record at the name
and none below it. The one directly above the name is always the closest, for it makes its own
parent exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import normal_name, normal_zone_id
from route53_takeover.core.plan.model import Helper, Strategy
from route53_takeover.core.plan.strategies.assessment import Assessment, manuals_at, standing
from route53_takeover.core.plan.zone_checks import dependants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Manual, Plan

_NOT_BY_WILDCARD = frozenset({"DS", "NS", "SOA"})


def assess(facts: Facts, plan: Plan, name: str) -> Assessment:
    manuals = manuals_at(plan, name)
    parent = name.partition(".")[2]
    assessment = Assessment(strategy=Strategy.BRIDGE)
    if reason := _why_not(facts, plan, name, manuals):
        return replace(assessment, reason=reason)
    return replace(
        assessment,
        manuals=tuple(replace(m, strategy=Strategy.BRIDGE) for m in manuals),
        helpers=tuple(
            Helper(record=replace(standing(m), name=f"*.{parent}"), covers=(name,)) for m in manuals
        ),
        side_effect=f"every name directly below {shown_name(parent)} that has no record answers "
        f"like {shown_name(name)} meanwhile",
        reaches_others=True,
    )


def _why_not(facts: Facts, plan: Plan, name: str, manuals: Sequence[Manual]) -> str:
    parent = name.partition(".")[2]
    wildcard = normal_name(f"*.{parent}")
    taken = {m.key for m in manuals}
    routed = next((m for m in manuals if m.original.is_routed), None)
    kind = next((m.key.type for m in manuals if m.key.type in _NOT_BY_WILDCARD), None)
    named = [(record.key.name, record) for record in facts.zone_records]
    beside = [r for at, r in named if at == name and r.key not in taken]
    below = [r for at, r in named if at.endswith(f".{name}")]
    there = [r for at, r in named if at == wildcard]
    leaning = [r for r in dependants(facts, taken) if r.key not in taken]
    loops = [m.key for m in manuals if _leads_below(facts, m.original, parent)]
    if name == facts.zone_name:
        return "no wildcard answers for the apex of a zone."
    if name == wildcard:
        return f"{shown_name(name)} is a wildcard itself."
    if routed is not None:
        return f"{routed.key} is a member of a routed group."
    if kind is not None:
        return f"a wildcard cannot stand in for {kind} records."
    if beside:
        return f"{beside[0].key} stands at the name, too, and hides a wildcard from it."
    if below:
        return f"{below[0].key} stands below the name and hides a wildcard from it."
    if there:
        return f"{there[0].key} exists already."
    if leaning:
        return f"{leaning[0].key} is an alias to the name, and may not follow a wildcard."
    if loops:
        return f"{loops[0]} leads to a name that the wildcard would answer for itself: a loop."
    if plan.options.deploy_on is None and facts.stack.status.endswith("_IN_PROGRESS"):
        return "an operation of the stack is in progress: the record would go too late."
    return ""


def _leads_below(facts: Facts, record: RecordSet, parent: str) -> bool:
    """Whether it points to a name directly below ``parent`` at which nothing stands."""
    if record.alias is not None:
        if normal_zone_id(record.alias.zone_id) != facts.zone_id:
            return False
        targets = [normal_name(record.alias.dns_name)]
    else:
        targets = [normal_name(v) for v in record.values] if record.type == "CNAME" else []
    known = {r.key.name for r in facts.zone_records}
    return any(t.endswith(f".{parent}") and t not in known for t in targets)


def merged(helpers: Sequence[Helper]) -> tuple[tuple[Helper, ...], str]:
    """The helpers of all names, one for each record set; or the key of one that would differ.

    Names below one parent share its wildcard, which has only one answer.
    """
    found: dict[object, Helper] = {}
    for helper in helpers:
        key = helper.record.key
        first = found.get(key)
        if first is not None and not first.record.same_as(helper.record):
            return (), str(key)
        covers = helper.covers if first is None else (*first.covers, *helper.covers)
        found[key] = Helper(record=helper.record, covers=covers)
    return tuple(found.values()), ""
