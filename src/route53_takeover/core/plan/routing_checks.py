"""The checks of a plan on routed record sets: members that differ in their SetIdentifier.

A member is taken over like a simple record. Its siblings stay, and the stack's member with another
SetIdentifier stands beside all of them, so it needs no takeover.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.domain.routing import other_members, still_answers
from route53_takeover.core.plan.claims import is_elsewhere
from route53_takeover.core.plan.model import Finding, Strategy
from route53_takeover.core.plan.ownership import resource_of, site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import Facts
    from route53_takeover.core.plan.model import Plan


def coming_at(facts: Facts, name: str) -> list[RecordSet]:
    """What the stack's templates are going to have at a name, as far as they tell."""
    site = site_of(facts)
    grouped = [c.desired for c in facts.coming if c.desired is not None]
    return [
        desired.record
        for desired in (*facts.expected, *grouped)
        if desired.record.key.name == name and not is_elsewhere(site, desired)
    ]


def is_member_left_alone(facts: Facts, record: RecordSet) -> bool:
    """Whether it is routed, and what the stack is going to have stands beside it."""
    owned = [r.desired.record for r in facts.owned if r.desired is not None]
    coming = [
        r
        for r in (*coming_at(facts, record.key.name), *owned)
        if (r.key.name, r.type) == (record.key.name, record.type)
    ]
    return (
        record.is_routed
        and bool(coming)
        and resource_of(facts, record) is None
        and not any(conflict(each, record) for each in coming)
    )


def needs_no_takeover(facts: Facts, name: str, kind: str | None) -> Finding | None:
    """The finding for a name at which the stack's member stands beside the manual ones."""
    for record in facts.zone_records:
        is_asked = record.key.name == name and kind in (None, record.type)
        if not is_asked or not is_member_left_alone(facts, record):
            continue
        coming = [r for r in coming_at(facts, name) if r.type == record.type]
        if not coming:
            continue
        return Finding(
            text=f"nothing to take over: the stack's {coming[0].key} stands beside {record.key}, "
            "as a member of the same routed group with another SetIdentifier.",
            hint="Just deploy. To replace the manual member, give the stack's the same "
            "SetIdentifier.",
        )
    return None


def refuse_routing(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Members and simple records that cannot stand beside each other, or are not told apart."""
    for manual in plan.manuals:
        record = manual.original
        coming = [r for r in coming_at(facts, record.key.name) if r.type == record.type]
        if record.traffic_policy_instance:
            continue  # refused as such
        is_read = facts.pending.given and not facts.pending.unread  # and has nothing there
        if record.is_routed and not coming and not is_read:
            yield Finding(
                text=f"{record.key} has a routing policy, and no template tells whether the stack "
                "is going to have this member of the routed group or another one.",
                hint="Show the template that will be deployed with --template or --preview.",
            )
        for each in coming:
            if each.is_routed and not record.is_routed:
                if Strategy.WEIGHTED in (manual.strategy, plan.options.strategy):
                    break  # or refused as not possible
                yield Finding(
                    text="the stack's template has a routing policy at "
                    f"{shown_name(record.key.name)} ({each.type}, SetIdentifier "
                    f"{each.set_identifier}), and a simple record stands there: Route 53 lets only "
                    "one of the two kinds stand.",
                    hint="Use --strategy weighted, which does that without a gap."
                    if each.policy == "weighted"
                    else f"In one batch, delete {record.key} and create it again with the routing "
                    f"policy {each.policy} and another SetIdentifier (no gap); then just "
                    "deploy: a member beside it needs no takeover.",
                )
                break
            if record.is_routed and not each.is_routed:
                yield Finding(
                    text=f"the stack's template has a simple {each.key}, and {record.key} has the "
                    f"routing policy {record.policy}: Route 53 lets only one of the two kinds "
                    "stand.",
                    hint="Give the stack's record the same routing policy, with a SetIdentifier; "
                    "or, in one batch, replace the members by one simple record first.",
                )
                break
            if each.key == record.key and (other := _other_policy(facts, record, each)):
                yield Finding(
                    text=f"the stack's template has the routing policy {each.policy} for "
                    f"{record.key}, and {other.key} beside it has {other.policy}: Route 53 "
                    "lets only one policy stand.",
                    hint="Give the stack's record the policy of the others.",
                )
                break


def of_the_other_kind(facts: Facts, record: RecordSet) -> RecordSet | None:
    """What the stack is going to have of this name and type, if only one of the two is routed."""
    coming = (r for r in coming_at(facts, record.key.name) if r.type == record.type)
    return next((r for r in coming if r.is_routed != record.is_routed), None)


def _other_policy(facts: Facts, record: RecordSet, coming: RecordSet) -> RecordSet | None:
    others = other_members(record, facts.zone_records)
    return next((r for r in others if r.policy != coming.policy), None)


def warn_routing(plan: Plan) -> Iterator[Finding]:
    """What the gap of a member means while others stand."""
    for manual in plan.manuals:
        record = manual.original
        if (others := plan.beside(record)) and plan.expects_gap(manual):
            yield Finding(
                text=f"{', '.join(str(r.key) for r in others)} stays as it is. While {record.key} "
                f"is missing, {still_answers(record, others)}, as health checks allow: gap_seconds "
                "counts the record set, not the name."
            )
