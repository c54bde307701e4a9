"""Who owns a record set, as far as the stacks' lists and templates tell, and what that forbids.

CloudFormation names a record set by its name alone, so type, zone and values come from templates,
which may hide them. What is hidden is never guessed: it counts as the record at hand, unless there
is another zone that it could be in as well, and then the plan is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.plan import Finding
from route53_takeover.core.records import conflict, display_name, normal_name
from route53_takeover.core.stacks import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan import (
        Facts,
        ForeignRecord,
        Manual,
        OtherZone,
        OwnedRecord,
        Plan,
    )
    from route53_takeover.core.records import DesiredRecord, RecordSet

AT_REST = frozenset({Kind.SUCCEEDED, Kind.ROLLED_BACK})


def resource_of(facts: Facts, record: RecordSet) -> OwnedRecord | None:
    """The tree's resource for this record set; one whose template hides its type counts as it."""
    here = [r for r in owned_here(facts) if normal_name(r.name) == record.key.name]
    for resource in here:
        if resource.desired is not None and (
            (resource.desired.record.type, resource.desired.record.set_identifier)
            == (record.type, record.set_identifier)
        ):
            return resource
    return next((resource for resource in here if resource.desired is None), None)


def owned_here(facts: Facts) -> list[OwnedRecord]:
    """The tree's record sets, without those that certainly are in another zone.

    A stack may own a private zone's record of the same name, which says nothing of this one.
    """
    return [resource for resource in facts.owned if not is_elsewhere(facts, resource.desired)]


def expected_types(facts: Facts, name: str) -> frozenset[str]:
    """The types that the stack's templates are going to have at a name; empty: not known."""
    return frozenset(
        desired.record.type
        for desired in facts.expected
        if normal_name(desired.record.name) == name and not is_elsewhere(facts, desired)
    )


def is_elsewhere(facts: Facts, desired: DesiredRecord | None) -> bool:
    """Whether it certainly is in another zone."""
    if desired is None:
        return False
    if desired.zone_id is not None:
        return desired.zone_id != facts.zone_id
    return desired.zone_name not in (None, facts.zone_name)


def rivals(facts: Facts, name: str) -> list[OtherZone]:
    """The zones in which a stack may well have a record of this name, besides the plan's.

    A parent's or a child's public zone is none: only one of them is asked by the world.
    """
    return [
        zone
        for zone in facts.other_zones
        if (zone.name == facts.zone_name or zone.private != facts.zone_private)
        and ("." + name).endswith("." + zone.name)
    ]


def refuse_drift(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What the stack owns is not as it says."""
    for record in plan.owned:
        resource = resource_of(facts, record)
        if resource is None or resource.desired is None or not resource.desired.complete:
            continue
        if _is_unclear(facts, resource):
            continue
        if not resource.desired.record.same_as(record):
            yield Finding(
                text=f"the stack owns {record.key} ({resource.logical_id}), but the live record "
                f"is {record.describe()} where its template says "
                f"{resource.desired.record.describe()}.",
                hint="Somebody edited it (drift): put the live record back, or change the template "
                "and deploy.",
            )


def owned_but_gone(facts: Facts, name: str, kind: str | None) -> Finding | None:
    """The finding for a record that was asked for, is not there, and that the stack owns."""
    for resource in owned_here(facts):
        desired = resource.desired
        is_type = kind is None or desired is None or desired.record.type == kind
        if normal_name(resource.name) != name or not is_type or _is_unclear(facts, resource):
            continue
        type_ = "" if desired is None else f" {desired.record.type}"
        return Finding(
            text=f"the stack owns {display_name(name)}{type_} ({resource.logical_id}), but zone "
            f"{display_name(facts.zone_name)} ({facts.zone_id}) does not hold it.",
            hint="Somebody deleted it (drift), and a deploy does not notice: create it as the "
            "template says, or take it out of the template, deploy, and put it in again.",
        )
    return None


def refuse_unclear_zones(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """The stack has a record of this name, and nobody can tell in which zone."""
    names = {record.key.name for record in plan.owned} | set(plan.names)
    for resource in owned_here(facts):
        name = normal_name(resource.name)
        if name in names and _is_unclear(facts, resource):
            others = ", ".join(str(zone) for zone in rivals(facts, name))
            yield Finding(
                text=f"the stack owns a record at {display_name(name)} ({resource.logical_id}), "
                f"and its template does not tell in which zone: {display_name(facts.zone_name)} "
                f"({facts.zone_id}) or {others}.",
                hint="Let the template say HostedZoneId as text or by a parameter, deploy it with "
                "the switch as it is, then run this again.",
            )


def _is_unclear(facts: Facts, resource: OwnedRecord) -> bool:
    zones = rivals(facts, normal_name(resource.name))
    desired = resource.desired
    if not zones or (desired is not None and desired.zone_id is not None):
        return False
    is_named = desired is not None and desired.zone_name == facts.zone_name
    return not is_named or any(zone.name == facts.zone_name for zone in zones)


def refuse_owners(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Somebody else owns what is to be handed over, or stands in the way of it."""
    for foreign in facts.foreign:
        if any(_may_own(facts, foreign, manual) for manual in plan.manuals):
            yield _owned_by_another(foreign)
    for resource in owned_here(facts):
        if _is_unclear(facts, resource):
            continue  # refused as such
        kind = None if resource.desired is None else resource.desired.record.type
        beside = [str(m.key) for m in plan.manuals if m.key.name == normal_name(resource.name)]
        if beside:
            yield Finding(
                text=f"the stack owns {kind or 'a record'} at {display_name(resource.name)} "
                f"({resource.logical_id}), beside the manual {', '.join(beside)}.",
                hint="Take that resource out of the stack first.",
            )
    if plan.options.deploy_off and facts.owned:
        ids = ", ".join(f"{r.logical_id} ({display_name(r.name)})" for r in facts.owned)
        yield Finding(
            text=f"deploying with the switch off might delete what the stack owns: {ids}.",
            hint="Use --skip-off: the stack exists, so only the deploy with the switch on is due.",
        )
    if facts.tree_groups:
        yield Finding(
            text=f"the stack has RecordSetGroup resources ({', '.join(facts.tree_groups)}), which "
            "are not handled yet.",
            hint="Use one AWS::Route53::RecordSet a record.",
        )


def _may_own(facts: Facts, foreign: ForeignRecord, manual: Manual) -> bool:
    """Whether the other stack's record is this one, or would be if its template told."""
    desired = foreign.record.desired
    if normal_name(foreign.record.name) != manual.key.name or is_elsewhere(facts, desired):
        return False
    return desired is None or conflict(desired.record, manual.original)


def _owned_by_another(foreign: ForeignRecord) -> Finding:
    record = foreign.record
    kind = "a" if record.desired is None else f"the {record.desired.record.type}"
    where = f" in {foreign.region}" if foreign.region else ""
    return Finding(
        text=f"stack {foreign.stack.stack_name}{where} owns {kind} record at "
        f"{display_name(record.name)} ({record.logical_id}).",
        hint="There, set DeletionPolicy: Retain on it and deploy, then remove it and deploy; "
        "then run this again.",
    )


def refuse_expected(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """The template that is in force says already that it will not be a simple record."""
    for desired in facts.expected:
        name = normal_name(desired.record.name)
        if name in plan.names and desired.record.is_routed and not is_elsewhere(facts, desired):
            yield Finding(
                text=f"the stack's template has a routing policy at {display_name(name)} "
                f"({desired.record.type}, SetIdentifier {desired.record.set_identifier}); routed "
                "records are not handled yet.",
                hint="Only simple record sets can be taken over for now.",
            )


def warn_owned(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What is not certain of a record that the stack owns."""
    for record in plan.owned:
        resource = resource_of(facts, record)
        if resource is not None and (resource.desired is None or not resource.desired.complete):
            yield Finding(
                text=f"the stack owns {display_name(resource.name)} ({resource.logical_id}), but "
                f"its template does not tell all of it: {record.describe()} was not compared."
            )
    if plan.owned and not plan.manuals and kind_of(facts.stack.status) not in AT_REST:
        yield Finding(
            text=f"stack {facts.stack.stack_name} is {facts.stack.status}: it may still change "
            "what it owns.",
            hint="Look again once it has ended.",
        )


def warn_owners(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What nobody could tell of owners and of what is coming."""
    if facts.unasked_regions:
        yield Finding(
            text="whether a stack in another region owns these records was not answered in "
            f"{', '.join(facts.unasked_regions)}.",
            hint="Look there, or allow cloudformation:DescribeStackResources in every region.",
        )
    if facts.coming_groups:
        yield Finding(
            text="the stack's template has RecordSetGroup resources "
            f"({', '.join(facts.coming_groups)}): a record in one is never released.",
            hint="Use one AWS::Route53::RecordSet a record.",
        )
    unknown = [name for name in plan.names if not expected_types(facts, name)]
    if unknown:
        yield Finding(
            text="no template of the stack tells yet what it will create at "
            f"{', '.join(display_name(name) for name in unknown)}: it is learnt from its events."
        )
