"""Before and after: each record set as it stands, and as the stack's templates say it will.

The values that text, screen and JSON share are `PlannedRecord`; how one reads is decided here.
"""

from __future__ import annotations

import json
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.intrinsics import is_open
from route53_takeover.core.domain.record_sets import (
    display_name,
    normal_name,
    normal_value,
)
from route53_takeover.core.plan.claims import Claim, claim, is_elsewhere
from route53_takeover.core.plan.model import PlannedRecord
from route53_takeover.core.plan.ownership import resource_of, site_of, stack_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import Facts, PendingRecord
    from route53_takeover.core.plan.model import Plan

_API = ("TTL", "SetIdentifier", "Weight", "Region", "Failover", "GeoLocation", "HealthCheckId")
_OPEN = "?"
NOTHING = "none"
"""What stands where no value does."""


def planned_records(facts: Facts, plan: Plan) -> Iterator[PlannedRecord]:
    """Each record set that is taken over, that the stack owns, and that will be new."""
    names = set(plan.names) | {record.key.name for record in plan.owned}
    taken = [manual.original for manual in plan.manuals]
    for record in (*taken, *plan.owned):
        coming = coming_in_place(facts, record)
        yield PlannedRecord(
            name=display_name(record.key.name),
            type=record.type,
            now=record,
            desired=None if coming is None else desired_shape(coming),
            known=coming is not None or _is_known_to_go(facts, record),
            owner=owner_of(facts, record),
            resource="" if coming is None else coming.path,
            strategy=str(plan.manual(record).strategy) if record in taken else "",
        )
    keys = {record.key for record in facts.zone_records}
    here = {(record.key.name, record.type) for record in facts.zone_records}
    for each in new_records(facts):
        name, kind = normal_name(each.record.name), each.record.record_type
        desired = each.record.desired
        if each.record.pattern or kind is None:
            continue
        is_member = desired is not None and desired.record.is_routed
        if (name, kind) in here and not (is_member and desired and desired.record.key not in keys):
            continue
        if name in names or (facts.pending.given and each.certain):
            yield PlannedRecord(
                name=display_name(name),
                type=kind,
                desired=desired_shape(each),
                known=True,
                resource=each.path,
            )


def new_records(facts: Facts) -> Iterator[PendingRecord]:
    """The records in the plan's zone that the stack does not have yet."""
    site = site_of(facts)
    for each in facts.pending.records:
        if not each.exists and not is_elsewhere(site, each.record):
            yield each


def owner_of(facts: Facts, record: RecordSet) -> str:
    """The stack that certainly owns a record set; empty where none is known to."""
    if resource_of(facts, record) is not None:
        return facts.stack.stack_name
    site = site_of(facts)
    for foreign in facts.foreign:
        if not foreign.creating and claim(site, foreign.record, record) is Claim.YES:
            return stack_named(foreign)
    return ""


def coming_in_place(facts: Facts, record: RecordSet) -> PendingRecord | None:
    """What the templates say will stand in its place as the same record set."""
    site = site_of(facts)
    found = [
        each
        for each in facts.pending.records
        if not each.record.pattern and claim(site, each.record, record) is not Claim.NO
    ]
    return next((each for each in found if each.certain), found[0] if found else None)


def _is_known_to_go(facts: Facts, record: RecordSet) -> bool:
    """Whether it will certainly not stand any more, because a CNAME takes its place or it one."""
    return any(
        not each.record.pattern
        and normal_name(each.record.name) == record.key.name
        and "CNAME" in (record.type, each.record.record_type)
        for each in new_records(facts)
    )


def desired_shape(pending: PendingRecord) -> dict[str, Any]:
    """What will stand, in the API's shape; intrinsic functions where it is not known."""
    desired = pending.record.desired
    if desired is not None and desired.complete:
        return desired.record.to_api()
    told = pending.properties
    shape: dict[str, Any] = {"Name": told.get("Name"), "Type": told.get("Type")}
    shape |= {key: told[key] for key in _API if key in told}
    if "AliasTarget" in told:
        shape["AliasTarget"] = told["AliasTarget"]
    elif isinstance(told.get("ResourceRecords"), list):
        shape["ResourceRecords"] = [{"Value": value} for value in told["ResourceRecords"]]
    elif "ResourceRecords" in told:
        shape["ResourceRecords"] = told["ResourceRecords"]
    return json.loads(json.dumps(shape, default=str))  # type: ignore[no-any-return]  # JSON


def record_objects(plan: Plan) -> list[dict[str, Any]]:
    """The ``records`` of ``plan --output json``."""
    lowered = {manual.key: manual.lowered for manual in plan.manuals}
    told = []
    for each in plan.records:
        low = None if each.now is None else lowered.get(each.now.key)
        told.append(
            {
                "name": each.name,
                "type": each.type,
                "set_identifier": each.set_identifier,
                "now": None if each.now is None else each.now.to_api(),
                "desired": each.desired,
                "owner": each.owner or None,
                "strategy": each.strategy or None,
                "resource": each.resource or None,
                "changes": comparison_lines(each),
                "lowered_ttl": None if low is None else low.ttl,
            }
        )
    return told


def comparison_lines(record: PlannedRecord) -> list[str]:
    """What changes of it, a line each: ``-`` goes, ``+`` comes, ``=`` stays."""
    before = [] if record.now is None else _values(record.now.to_api(), record.type)
    if not record.known:
        return ["what will stand is not known yet: no template tells"]
    after = [] if record.desired is None else _values(record.desired, record.type)
    lines = [f"= {value}" for value in before if value in after]
    lines += [f"- {value}" for value in before if value not in after]
    lines += [f"+ {value}" for value in after if value not in before]
    old = None if record.now is None else record.now.ttl
    new = None if record.desired is None else record.desired.get("TTL")
    if record.now is not None and record.desired is not None and str(old) != str(new):
        lines.append(f"TTL {_ttl(old)} -> {_ttl(new)}")
    return lines


def before_and_after(record: PlannedRecord) -> Iterator[tuple[str, str, str]]:
    """Values and TTL: what it is, now, and then. Empty where nothing is, and where it is not known.

    A value that goes stands beside one that comes, as far as there are as many.
    """
    before = [] if record.now is None else _values(record.now.to_api(), record.type)
    now_ttl = "" if record.now is None else _ttl(record.now.ttl)
    if not record.known:
        yield from (("value", value, "") for value in before)
        yield "TTL", now_ttl or NOTHING, ""
        return
    after = [] if record.desired is None else _values(record.desired, record.type)
    for value in before:
        if value in after:
            yield "value", value, value
    going = [value for value in before if value not in after]
    coming = [value for value in after if value not in before]
    for gone, come in zip_longest(going, coming, fillvalue=""):
        yield "value", gone or NOTHING, come or NOTHING
    then_ttl = NOTHING if record.desired is None else _ttl(record.desired.get("TTL"))
    yield "TTL", now_ttl or NOTHING, then_ttl


def _values(shape: Mapping[str, Any], record_type: str) -> list[str]:
    """The values, each in normal form, ``?`` for what is not known."""
    target = shape.get("AliasTarget")
    if target is not None:
        name = target.get("DNSName") if isinstance(target, dict) else None
        return [f"alias to {display_name(normal_name(name)) if isinstance(name, str) else _OPEN}"]
    records = shape.get("ResourceRecords")
    if not isinstance(records, list):
        return [_OPEN]
    values = [each.get("Value") if isinstance(each, dict) else None for each in records]
    return [normal_value(record_type, v) if isinstance(v, str) else _OPEN for v in values]


def _ttl(value: object) -> str:
    if value is None:
        return "of its target"
    return _OPEN if is_open(value) else f"{value} s"


def lost_values(record: RecordSet, desired: DesiredRecord | None) -> list[str]:
    """The values that will not stand any more; ``desired`` is ``None`` where nothing will."""
    kept = () if desired is None else desired.record.values
    after = {normal_value(record.type, value) for value in kept}
    return [value for value in record.values if normal_value(record.type, value) not in after]
