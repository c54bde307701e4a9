"""Reading why a stack's last operation failed on records: its events, the names, and the owners.

It only asks; what follows is decided in `route53_takeover.core.plan.diagnosis`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import (
    ApiError,
    CredentialsError,
    EndpointError,
)
from route53_takeover.core.domain.change_refusals import WHOEVER_ASKS, refusals_in
from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.domain.stacks import ABSENT, RECORD_SET, RECORD_SET_GROUP, STACK
from route53_takeover.core.plan.claims import Site
from route53_takeover.core.plan.diagnosis import DiagnosisFacts, FailedRecord, Ground
from route53_takeover.core.plan.facts import OtherZone
from route53_takeover.core.plan.model import OwnerCheck
from route53_takeover.core.timing import AT_ONCE
from route53_takeover.runtime.ownership_lookup import Tree
from route53_takeover.runtime.protection_reading import read_protections
from route53_takeover.runtime.similar_stacks import absent_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.stacks import StackDescription, StackEvent
    from route53_takeover.core.ports import Records, Stacks, Zone
    from route53_takeover.runtime.inventory import Inventory

_WHOLE_HISTORY = ""
"""As `Stacks.events` takes it: no event has this id."""


async def gather_diagnosis(
    stack: str,
    *,
    records: Records,
    stacks: Stacks,
    inventory: Inventory,
    owner_check: OwnerCheck = OwnerCheck.FULL,
    connection: Sequence[str] = (),
) -> DiagnosisFacts:
    """Reads everything a diagnosis depends on.

    Args:
        stack: name or ARN; of a nested stack its root is read.
        connection: the words that reach this account on a command line.

    Raises:
        RefusedError: there is no such stack.
        ApiError: it cannot be read.
    """
    root = await stacks.describe(stack)
    if root.root_id:
        root = await stacks.describe(root.root_id)
    if root.status == ABSENT:
        raise await absent_stack(stacks, stack)
    events = await _last_operation(stacks, root)
    failed = tuple(_failed_records(events))
    names = list(dict.fromkeys(one.name for one in failed if one.name))
    tree = Tree() if root.status == "DELETE_COMPLETE" else await Tree.read(stacks, root)
    grounds = {name: await _ground(records, name, _zone_of(failed, name)) for name in names}
    found = await inventory.beside(tree.stack_ids, names, owner_check if names else OwnerCheck.NONE)
    return DiagnosisFacts(
        stack=root,
        failed=failed,
        grounds=grounds,
        owned=tuple(tree.owned),
        foreign=found.records,
        unasked=found.unasked,
        first_failure=_first_failure(events),
        connection=tuple(connection),
    )


async def _last_operation(stacks: Stacks, root: StackDescription) -> list[StackEvent]:
    """The events of the newest operation of the whole tree, each stack's oldest first."""
    events: list[StackEvent] = []
    todo = [root.stack_id]
    for stack_id in todo:
        here = await stacks.events(stack_id, (), after=None)
        if here and here[0].status == "DELETE_IN_PROGRESS":
            # of a stack that its creation's rollback deleted, the creation is what failed
            here = await stacks.events(stack_id, (), after=_WHOLE_HISTORY)
        events += here
        todo += [
            child
            for child in dict.fromkeys(
                e.physical_id for e in here if e.resource_type == STACK and not e.is_of_stack
            )
            if child and child not in todo
        ]
    return events


def _failed_records(events: Sequence[StackEvent]) -> Iterator[FailedRecord]:
    """Each record set that failed, by its first failure that is not a cancellation."""
    wanted: dict[tuple[str, str], StackEvent] = {}
    began: dict[tuple[str, str], float] = {}
    seen: set[tuple[str, str]] = set()
    for event in events:
        if event.resource_type not in (RECORD_SET, RECORD_SET_GROUP):
            continue
        key = (event.stack_id, event.logical_id)
        was_retried = event.timestamp - began.setdefault(key, event.timestamp) > AT_ONCE
        if event.desired is not None or event.members:
            wanted[key] = event
        if _is_failure(event) and key not in seen:
            seen.add(key)
            for failed in _records_of(event, wanted.get(key, event), events):
                yield replace(failed, was_retried=was_retried)


def _records_of(
    event: StackEvent, wanted: StackEvent, rest: Sequence[StackEvent]
) -> Iterator[FailedRecord]:
    """One for each record that the reason names; ``rest``: the operation's events."""
    members = [member for member in wanted.members if member is not None]
    refusals = refusals_in(event.reason)
    group: tuple[str, ...] = ()
    if event.resource_type == RECORD_SET_GROUP:
        told = wanted.members or (None,)
        group = tuple("?" if each is None else each.record.key.name for each in told)
    if wanted.desired is not None:  # one record set, however many messages
        refusals = tuple(sorted(refusals, key=lambda r: r.problem not in WHOEVER_ASKS))[:1]
    for refusal in refusals:
        desired: DesiredRecord | None = wanted.desired
        if members and refusal.key is not None:
            desired = next((m for m in members if m.record.key == refusal.key), None)
        yield FailedRecord(
            stack_name=event.stack_name,
            logical_id=event.logical_id,
            reason=event.reason,
            refusal=refusal,
            desired=desired,
            twin=_twin(event, desired, rest),
            group=group,
        )


def _twin(event: StackEvent, desired: DesiredRecord | None, rest: Sequence[StackEvent]) -> str:
    """Another resource that the same operation created, and that conflicts with this one."""
    if desired is None:
        return ""
    for other in rest:
        is_itself = (other.stack_id, other.logical_id) == (event.stack_id, event.logical_id)
        wants = [one for one in (other.desired, *other.members) if one is not None]
        if is_itself or not other.status.startswith(("CREATE", "UPDATE")):
            continue
        if any(
            conflict(one.record, desired.record)
            and (one.zone_id, one.zone_name) == (desired.zone_id, desired.zone_name)
            for one in wants
        ):
            return other.logical_id
    return ""


def _is_failure(event: StackEvent) -> bool:
    is_cancelled = "cancelled" in event.reason.lower()
    return event.status.endswith("_FAILED") and not is_cancelled


def _first_failure(events: Sequence[StackEvent]) -> str:
    failures = (e for e in events if _is_failure(e) and not e.is_of_stack)
    own = [e for e in failures if e.resource_type != STACK]
    first = min(own, key=lambda e: e.timestamp, default=None)
    return "" if first is None else f"{first.logical_id} ({first.stack_name}): {first.reason}"


def _zone_of(failed: Sequence[FailedRecord], name: str) -> DesiredRecord | None:
    return next((one.desired for one in failed if one.name == name and one.desired), None)


async def _ground(records: Records, name: str, desired: DesiredRecord | None) -> Ground:
    """What stands at a name in the zone that the template means, as far as it can be read."""
    try:
        zones = await records.zones(name)
        zone = _chosen(zones, desired)
        if zone is None:
            return Ground()
        guarded = await read_protections(records, zone.zone_id, [name])
        return Ground(
            site=Site(
                zone_id=zone.zone_id,
                zone_name=zone.name,
                private=zone.private,
                others=tuple(_other(z) for z in zones if z.zone_id != zone.zone_id),
            ),
            records=tuple(await records.read_name(zone.zone_id, name)),
            protections=guarded.protections,
        )
    except (CredentialsError, EndpointError):
        raise
    except ApiError as error:
        return Ground(unread=error.message)


def _chosen(zones: Sequence[Zone], desired: DesiredRecord | None) -> Zone | None:
    """The zone that the template names; where it names none, the one that the world asks."""
    if desired is not None and desired.zone_id is not None:
        return next((zone for zone in zones if zone.zone_id == desired.zone_id), None)
    named = zones
    if desired is not None and desired.zone_name is not None:
        named = [zone for zone in zones if zone.name == desired.zone_name]
    public = [zone for zone in named if not zone.private]
    return next(iter([*public, *named]), None)


def _other(zone: Zone) -> OtherZone:
    return OtherZone(
        zone_id=zone.zone_id,
        name=zone.name,
        private=zone.private,
        name_servers=zone.name_servers,
    )
