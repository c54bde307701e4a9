"""The checks of a plan on the owners of its records.

A list of resources names a record set by its name alone, so type, zone and values come from
templates, which may not show them. Unknown values are never guessed: where a resource could be the
record, the plan is refused. The judgement itself is in `route53_takeover.core.plan.claims`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import AT_REST, kind_of
from route53_takeover.core.plan.claims import (
    Claim,
    Site,
    claim,
    clashes,
    is_elsewhere,
    is_unclear,
    rivals,
)
from route53_takeover.core.plan.model import ADDRESSING, Finding, OwnerCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import Facts, OwnedRecord, StackRecord
    from route53_takeover.core.plan.model import Plan

_RESOLVING = ("A", "AAAA", "CNAME")


def site_of(facts: Facts) -> Site:
    """The zone of the plan's records."""
    return Site(
        zone_id=facts.zone_id,
        zone_name=facts.zone_name,
        private=facts.zone_private,
        others=facts.other_zones,
    )


def resource_of(facts: Facts, record: RecordSet) -> OwnedRecord | None:
    """The tree's resource that certainly is this record set."""
    site = site_of(facts)
    return next((r for r in facts.owned if claim(site, r, record) is Claim.YES), None)


def expected_types(facts: Facts, name: str) -> frozenset[str]:
    """The types that the stack's templates define at a name; empty: not known."""
    site = site_of(facts)
    grouped = (c.desired for c in facts.coming if c.desired and c.record_type in ADDRESSING)
    return frozenset(
        desired.record.type
        for desired in (*facts.expected, *grouped)
        if normal_name(desired.record.name) == name and not is_elsewhere(site, desired)
    )


def refuse_drift(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A record of the stack differs from its template."""
    for record in plan.owned:
        resource = resource_of(facts, record)
        if resource is None or resource.desired is None or not resource.desired.complete:
            continue
        if not resource.desired.record.same_as(record):
            yield Finding(
                text=f"the stack owns {record.key} ({resource.logical_id}), but the live record "
                f"is {record.describe()}; its template says "
                f"{resource.desired.record.describe()}.",
                hint="It was edited outside the stack (drift): restore the live record, or "
                "change the template and deploy.",
            )


def owned_but_gone(facts: Facts, name: str, kind: str | None) -> Finding | None:
    """The finding for a requested record that the stack owns and that does not exist."""
    site = site_of(facts)
    wanted = _RESOLVING if kind is None else (kind,)
    for resource in facts.owned:
        type_ = resource.record_type
        is_certain = not resource.pattern and not is_unclear(site, resource, name)
        if (
            type_ not in wanted
            or not is_certain
            or not resource.may_be_at(name)
            or is_elsewhere(site, resource)
        ):
            continue
        return Finding(
            text=f"the stack owns {shown_name(name)} {type_} ({resource.logical_id}), but zone "
            f"{shown_name(facts.zone_name)} ({facts.zone_id}) does not have it.",
            hint="It was deleted outside the stack (drift), which a deploy does not detect: create "
            "it as the template says, or remove it from the template, deploy, and add it again.",
        )
    return None


def refuse_unclear(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """The stack has a record that may be one of these, and its template does not show it."""
    site = site_of(facts)
    for resource in facts.owned:
        for record in (manual.original for manual in plan.manuals):
            if claim(site, resource, record) is not Claim.MAY:
                continue
            if resource.group and (resource.pattern or resource.record_type is None):
                yield is_in_group(resource, record)
            elif is_unclear(site, resource, record.key.name):
                yield _unclear_zone(facts, resource, record.key.name)
            else:
                yield Finding(
                    text=f"the stack owns a record at {shown_name(record.key.name)} "
                    f"({resource.logical_id}), and its template does not show whether it is "
                    f"the {record.type}: its type or set identifier is unknown.",
                    hint="Set Type and SetIdentifier in the template as text or by a parameter, "
                    "deploy it without changing the switch, then run this again.",
                )
            break


def is_in_group(resource: OwnedRecord, record: RecordSet) -> Finding:
    """The finding for a group of which not every record is known."""
    return Finding(
        text=f"the stack's RecordSetGroup {resource.logical_id} may hold {record.key}: one of its "
        f"records is {shown_name(resource.name)} {resource.record_type or 'of an unknown type'}.",
        hint="Set Name and Type of each of its records as text or by a parameter; or show what the "
        "deploy makes of them with --preview or --template.",
    )


def _unclear_zone(facts: Facts, resource: OwnedRecord, name: str) -> Finding:
    others = ", ".join(str(zone) for zone in rivals(site_of(facts), name))
    return Finding(
        text=f"the stack owns a record at {shown_name(name)} ({resource.logical_id}), "
        f"and its template does not show its zone: {shown_name(facts.zone_name)} "
        f"({facts.zone_id}) or {others}.",
        hint="Set HostedZoneId in the template as text or by a parameter, deploy it without "
        "changing the switch, then run this again.",
    )


def refuse_owners(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Another stack owns a record of the plan, or another record conflicts with it."""
    yield from _refuse_unasked(facts, plan)
    yield from _refuse_foreign(facts, plan)
    site = site_of(facts)
    for resource in facts.owned:
        beside = [str(m.key) for m in plan.manuals if clashes(site, resource, m.original)]
        if beside:
            yield Finding(
                text=f"the stack owns {resource.record_type} at {shown_name(resource.name)} "
                f"({resource.logical_id}), which cannot exist beside the manual "
                f"{', '.join(beside)}.",
                hint="It was replaced outside the stack (drift): restore the stack's record, or "
                "remove that resource from the stack first.",
            )
    if plan.options.deploy_off and plan.owned:
        resources = [resource_of(facts, record) for record in plan.owned]
        ids = ", ".join(f"{r.logical_id} ({shown_name(r.name)})" for r in resources if r)
        yield Finding(
            text=f"the deploy with the switch off may delete records that the stack owns: {ids}.",
            hint="Add --skip-off to skip that deploy.",
        )


def _refuse_unasked(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """Regions that could not be read: a stack there may own the records."""
    by_error: dict[tuple[str, str], list[str]] = {}
    for one in facts.unasked:
        by_error.setdefault((one.error, one.hint), []).append(one.region)
    names = ", ".join(shown_name(name) for name in plan.names)
    for (error, hint), regions in by_error.items():
        is_home = facts.region in regions
        limited = "" if is_home else f"--owner-check region (reads {facts.region} alone) or "
        yield Finding(
            text=f"cannot check whether a stack owns {names} in {', '.join(regions)}: {error}.",
            hint=f"To read them, {hint or 'run this again'}; to continue without, check there "
            f"yourself and add {limited}--owner-check none (you confirm that no other stack owns "
            "them).",
        )


def _refuse_foreign(facts: Facts, plan: Plan) -> Iterator[Finding]:
    site = site_of(facts)
    for foreign in facts.foreign:
        records = [manual.original for manual in plan.manuals]
        claims = {claim(site, foreign.record, record) for record in records}
        if foreign.creating:
            if claims != {Claim.NO}:
                yield _is_created_by_another(foreign)
            continue
        if Claim.YES in claims or any(clashes(site, foreign.record, record) for record in records):
            yield _owned_by_another(foreign)
        elif Claim.MAY in claims:
            yield _may_be_anothers(facts, foreign, records)


def _owned_by_another(foreign: StackRecord) -> Finding:
    record = foreign.record
    within = f"RecordSetGroup {record.logical_id}" if record.group else record.logical_id
    return Finding(
        text=f"stack {stack_named(foreign)} owns the {record.record_type} record at "
        f"{shown_name(record.name)} ({within}).",
        hint=f"{way_out(foreign)}; then run this again.",
    )


def _is_created_by_another(foreign: StackRecord) -> Finding:
    record = foreign.record
    return Finding(
        text=f"stack {stack_named(foreign)} is creating a record at {shown_name(record.name)} "
        f"({record.logical_id}) and would get the name as soon as it is released.",
        hint="Wait until that stack has finished, or cancel its operation, then run this again.",
    )


def _may_be_anothers(facts: Facts, foreign: StackRecord, records: list[RecordSet]) -> Finding:
    record, site = foreign.record, site_of(facts)
    name = next(r.key.name for r in records if claim(site, record, r) is Claim.MAY)
    hidden = ["name"] if record.pattern else []
    hidden += [] if record.record_type else ["type"]
    hidden += ["zone"] if is_unclear(site, record, name) else []
    why = foreign.unread or f"its template does not show the {' and '.join(hidden) or 'rest'}"
    what = f"{record.record_type or 'some'} record at {shown_name(record.name)}"
    within = f"RecordSetGroup {record.logical_id}" if record.group else record.logical_id
    return Finding(
        text=f"stack {stack_named(foreign)} owns {what} ({within}), which may be "
        f"{shown_name(name)} in this zone: {why}.",
        hint=f"Check that stack. If it is this record: {way_out(foreign)}; then run this again. "
        "If it is another record: add --owner-check none (you confirm that no other stack owns "
        "these).",
    )


def stack_named(foreign: StackRecord) -> str:
    """The stack, with its region where that is not the run's."""
    where = f" in {foreign.region}" if foreign.region else ""
    return f"{foreign.stack.stack_name}{where}"


def way_out(foreign: StackRecord) -> str:
    """How its stack releases a record without deleting it, as far as its status allows."""
    stack, logical_id = foreign.stack, foreign.record.logical_id
    region = f" --region {foreign.region}" if foreign.region else ""
    if stack.status == "DELETE_FAILED":
        return (
            "That stack is DELETE_FAILED and cannot be updated: delete it without the record: "
            f"`aws cloudformation delete-stack{region} --retain-resources {logical_id} "
            f"--stack-name {stack.stack_name}`"
        )
    if kind_of(stack.status) not in AT_REST:
        return (
            f"That stack is {stack.status}: bring it to rest first; then set DeletionPolicy: "
            "Retain on it there and deploy, then remove it and deploy"
        )
    return "There, set DeletionPolicy: Retain on it and deploy, then remove it and deploy"


def warn_owned(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What is not known about a record that the stack owns."""
    for record in plan.owned:
        resource = resource_of(facts, record)
        if resource is not None and (resource.desired is None or not resource.desired.complete):
            yield Finding(
                text=f"the stack owns {shown_name(resource.name)} ({resource.logical_id}), but "
                f"its template does not show all of it: {record.describe()} was not compared."
            )
    if plan.owned and not plan.manuals and kind_of(facts.stack.status) not in AT_REST:
        yield Finding(
            text=f"stack {facts.stack.stack_name} is {facts.stack.status}: it may still change "
            "what it owns.",
            hint="Check again once it has finished.",
        )


def warn_owners(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """What was not checked, what a deploy may do to other records, and what is not known yet."""
    if plan.options.owner_check is not OwnerCheck.FULL:
        where = f"only in {facts.region}"
        if plan.options.owner_check is OwnerCheck.NONE:
            where = f"only in the tree of {facts.stack.stack_name or plan.options.stack}"
        yield Finding(
            text=f"owners of these records were searched {where} (--owner-check "
            f"{plan.options.owner_check}).",
            hint="You confirm that no other stack owns them.",
        )
    others = [r for r in facts.owned if plan.options.deploy_off and not plan.owned]
    if others:
        ids = ", ".join(dict.fromkeys(f"{r.logical_id} ({shown_name(r.name)})" for r in others))
        yield Finding(
            text=f"the deploy with the switch off deletes those of {ids} that depend on the "
            "switch.",
            hint="If any does, add --skip-off to skip that deploy.",
        )
    unknown = [name for name in plan.names if not expected_types(facts, name)]
    if unknown:
        is_unseen = not facts.pending.given and plan.options.jets is None
        yield Finding(
            text="the stack does not define "
            f"{', '.join(shown_name(name) for name in unknown)} yet; the new value is shown once "
            "CloudFormation starts creating it.",
            hint="Show the template with --template or --preview: if it has a RecordSetGroup with "
            "records of other names, nothing is released without that."
            if is_unseen
            else "",
        )
