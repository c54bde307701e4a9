"""What a stack holds: its record sets, and the records of its groups, as its template tells them.

The list of resources says what exists and a record set's name; type, zone and values stand in the
template. What cannot be told of them is left open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.intrinsics import Resolver, described_name, name_pattern
from route53_takeover.core.domain.record_sets import normal_name, normal_zone_id
from route53_takeover.core.domain.stacks import AT_REST, RECORD_SET, RECORD_SET_GROUP, kind_of
from route53_takeover.core.domain.template import (
    desired_of,
    group_entries,
    is_retained,
    members_of,
    resources_of,
)
from route53_takeover.core.plan.facts import OwnedRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from route53_takeover.core.domain.intrinsics import Values
    from route53_takeover.core.domain.stacks import StackResource

RECORD_TYPES = frozenset({RECORD_SET, RECORD_SET_GROUP})


class Holdings(Struct, frozen=True, kw_only=True):
    """The records of one stack.

    Attributes:
        owned: those that exist.
        expected: record sets that only the template holds, where it tells which they are.
        retained: those of them that have ``DeletionPolicy: Retain``.
        hidden: logical ids of those of which it does not.
        coming: records of groups that only the template holds.
    """

    owned: tuple[OwnedRecord, ...] = ()
    expected: tuple[DesiredRecord, ...] = ()
    retained: tuple[DesiredRecord, ...] = ()
    hidden: tuple[str, ...] = ()
    coming: tuple[OwnedRecord, ...] = ()


def held(resources: Sequence[StackResource], status: str) -> list[StackResource]:
    """Those that a stack of this status holds, what a rollback has still to delete included."""
    is_at_rest = kind_of(status) in AT_REST
    return [r for r in resources if r.is_owned or (not is_at_rest and r.is_left_over)]


def is_being_created(resource: StackResource) -> bool:
    """Whether its stack tries to create a record set that it does not have yet."""
    return (
        resource.resource_type == RECORD_SET
        and not resource.physical_id
        and resource.status == "CREATE_IN_PROGRESS"
    )


def holdings(
    stack_id: str, body: Mapping[str, Any] | None, values: Values, there: Sequence[StackResource]
) -> Holdings:
    """What of a stack's template are records, and which of them exist.

    Args:
        body: the template in force; ``None`` where it cannot be read.
        there: the stack's resources that exist, as `held` tells them.
    """
    template = {} if body is None else dict(resources_of(body))
    exist = {r.logical_id: r for r in there if r.resource_type in RECORD_TYPES}
    now = Resolver(body or {}, values)
    later = Resolver(body or {}, replace(values, has_conditions=False))
    owned: list[OwnedRecord] = []
    for logical_id, resource in exist.items():
        node = template.get(logical_id, {}).get("Properties")
        if resource.resource_type == RECORD_SET:
            properties = members_of(now(node))
            if resource.physical_id:
                properties = properties | {"Name": resource.physical_id}
            owned.append(record_of(stack_id, logical_id, properties))
        else:
            owned += group_records(stack_id, logical_id, now(node))
    waiting = {name: each for name, each in template.items() if name not in exist}
    wanted = {
        name: desired_of(later(each.get("Properties")))
        for name, each in waiting.items()
        if each.get("Type") == RECORD_SET
    }
    return Holdings(
        owned=tuple(owned),
        expected=tuple(desired for desired in wanted.values() if desired is not None),
        retained=tuple(
            desired
            for name, desired in wanted.items()
            if desired is not None and is_retained(waiting[name])
        ),
        hidden=tuple(name for name, desired in wanted.items() if desired is None),
        coming=tuple(
            record
            for name, each in waiting.items()
            if each.get("Type") == RECORD_SET_GROUP
            for record in group_records(stack_id, name, later(each.get("Properties")))
        ),
    )


def group_records(stack_id: str, logical_id: str, node: Any) -> Iterator[OwnedRecord]:  # noqa: ANN401 -- a template's JSON
    """One for each record of the group; a record of any name where they are not told."""
    for entry in group_entries(node):
        yield record_of(stack_id, logical_id, entry, group=True)


def record_of(
    stack_id: str, logical_id: str, properties: dict[str, Any], *, group: bool = False
) -> OwnedRecord:
    """The record of these properties, in which intrinsics stand for what is not known."""
    name, kind = properties.get("Name"), properties.get("Type")
    zone_id, zone_name = properties.get("HostedZoneId"), properties.get("HostedZoneName")
    return OwnedRecord(
        stack_id=stack_id,
        logical_id=logical_id,
        name=described_name(name),
        pattern="" if isinstance(name, str) else name_pattern(name),
        desired=desired_of(properties),
        type=kind.upper() if isinstance(kind, str) else None,
        zone_id=normal_zone_id(zone_id) if isinstance(zone_id, str) else None,
        zone_name=normal_name(zone_name) if isinstance(zone_name, str) else None,
        group=group,
    )
