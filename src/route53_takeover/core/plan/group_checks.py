"""The checks of a plan on record set groups: one resource, many records, one batch.

CloudFormation creates all records of a group or none. So all of them must be known, free or in the
plan, and in the plan's zone, before any of them is released.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.plan.claims import (
    Claim,
    claim,
    clashes,
    is_elsewhere,
    is_unclear,
    may_own,
)
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.plan.ownership import is_in_group, resource_of, site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.plan.facts import Facts, OwnedRecord
    from route53_takeover.core.plan.model import Plan


def refuse_groups(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A group that cannot be created as a whole, or of which that is not known."""
    site = site_of(facts)
    for members in _groups(facts):
        met = [
            record
            for record in (manual.original for manual in plan.manuals)
            for member in members
            if may_own(site, member, record) or clashes(site, member, record)
        ]
        if not met:
            continue
        for member in members:
            hides = member.desired is None or bool(member.pattern)
            if hides or (
                claim(site, member, met[0]) is Claim.MAY or is_unclear(site, member, member.name)
            ):
                yield is_in_group(member, met[0])
                break
            if is_elsewhere(site, member):
                yield Finding(
                    text=f"the stack's RecordSetGroup {member.logical_id} has {met[0].key} and "
                    f"{shown_name(member.name)} {member.record_type}, which is not in zone "
                    f"{shown_name(facts.zone_name)} ({facts.zone_id}): the run could not see "
                    "whether CloudFormation can create it.",
                    hint="Put the records of each zone into a group of their own.",
                )
                break


def warn_groups(facts: Facts, plan: Plan) -> Iterator[Finding]:
    """A record that the update of a group adds exactly as it stands is never released."""
    there = {(each.stack_id, each.logical_id) for each in facts.owned if each.group}
    for manual in plan.manuals:
        standing = manual.lowered or manual.original
        for each in facts.coming:
            desired = each.desired
            if (each.stack_id, each.logical_id) not in there or desired is None or each.pattern:
                continue
            if desired.complete and desired.record.same_as(standing):
                yield Finding(
                    text=f"the update of RecordSetGroup {each.logical_id} adds {manual.key} "
                    "exactly as it is: if CloudFormation does not adopt it, the update fails, for "
                    "nothing shows whether the record is still the manual one, so it is not "
                    "released.",
                    hint="To have it released, give the manual record another TTL or "
                    "EvaluateTargetHealth first.",
                )


def vacant_records(facts: Facts) -> Iterator[RecordKey]:
    """The records of the stack's groups that have nothing in their way, as far as was read.

    What the stack owns is in no way: it may be the group's own.
    """
    site = site_of(facts)
    owned = (resource for resource in facts.owned if resource.group)
    for member in (*facts.coming, *owned):
        desired = member.desired
        if desired is None or member.pattern or is_elsewhere(site, member):
            continue
        if facts.zone_unread and desired.record.key.name not in facts.zone_names:
            continue
        if not any(
            conflict(desired.record, record) and resource_of(facts, record) is None
            for record in facts.zone_records
        ):
            yield desired.record.key


def _groups(facts: Facts) -> list[list[OwnedRecord]]:
    """The records of each group that the deploy creates, or adds to."""
    found: dict[tuple[str, str], list[OwnedRecord]] = {}
    for coming in facts.coming:
        found.setdefault((coming.stack_id, coming.logical_id), []).append(coming)
    return list(found.values())
