"""The release gate: the conditions under which the manual record may be deleted.

Every condition is one line of `unmet`, so that what a run waits for can be shown, and so that no
condition can be skipped: a release is due when nothing is lacking. A key of the operator may cut
the hold short, but for the time in which the record may be adopted, and never another condition.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import RecordSet, conflict, same_records
from route53_takeover.core.domain.stacks import StackPhase, kind_of
from route53_takeover.core.events import Switch
from route53_takeover.core.plan.hold import hold_for
from route53_takeover.core.takeover.deadman_state import is_armed
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.helper_queries import is_bridge_awaited
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import LIVE, Phase
from route53_takeover.core.takeover.queries import (
    group_members,
    is_in_zone,
    may_be_identical,
    resources_at,
)
from route53_takeover.core.takeover.soa_queries import is_seen_lowered
from route53_takeover.core.takeover.stack_state import RecordResource
from route53_takeover.core.timing import ADOPTING, LIST_FRESH, OTHER_HOLD, POLL_FRESH, READ_FRESH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.state import State


class Condition(StrEnum):
    """What must hold before a record is released."""

    BACKUP = "backup"
    JOURNAL = "journal"
    PHASE = "phase"
    WANTED = "wanted"
    NOT_PAUSED = "not-paused"
    NOT_RESTORED = "not-restored"
    ANSWERED = "answered"
    NEGATIVE_TTL = "lowered-negative-ttl"
    ZONE = "zone"
    SIMPLE = "simple"
    IN_TREE = "in-tree"
    FORWARD = "forward"
    EVENTS = "fresh-events"
    STATUS = "fresh-status"
    HOLD = "hold"
    CONFIRMATION = "confirmation"
    READ = "fresh-read"
    UNCHANGED = "unchanged"
    UNPROTECTED = "unprotected"
    PAUSE = "pause-after-refusal"
    DISOWNED = "disowned"
    TOGETHER = "together"
    BRIDGED = "bridged"
    CLOUD_DEADMAN = "cloud-deadman"
    UNOWNED = "unowned"
    AT_REST = "at-rest"


_COMING = frozenset(
    {
        Condition.HOLD,
        Condition.CONFIRMATION,
        Condition.DISOWNED,
        Condition.READ,
        Condition.EVENTS,
        Condition.STATUS,
        Condition.BRIDGED,
        Condition.ANSWERED,
        Condition.NEGATIVE_TTL,
        Condition.PAUSE,
        Condition.CLOUD_DEADMAN,
    }
)
"""What comes by itself, or by the operator's confirmation. Anything else may never come."""


BY_LOOKING = _COMING - {Condition.CONFIRMATION}
"""What a release waits for by itself: to look more often brings it sooner."""


class ReleaseGate(Struct, frozen=True, kw_only=True):
    """A release that is due, or what it still waits for.

    Attributes:
        resource: the record resource that CloudFormation is trying to create.
        deletes: what the release deletes: every record set that stands in its way.
        unmet: the conditions that do not hold yet; empty when the release is due.
        held_at: when the hold ends.
        least: how far the operator can cut the hold: no release before this.
        may_be_adopted: the manual record may be what CloudFormation wants, so that a
            compare-and-delete could hit CloudFormation's own.
    """

    resource: RecordResource
    deletes: tuple[RecordSet, ...]
    unmet: tuple[Condition, ...]
    held_at: float
    least: float
    may_be_adopted: bool

    @property
    def is_open(self) -> bool:
        """Whether the record is to be released now."""
        return not self.unmet

    @property
    def may_be_cut(self) -> bool:
        """Whether the release is to come, and would come sooner without the rest of the hold."""
        return self._is_coming and Condition.HOLD in self.unmet and self.least < self.held_at

    @property
    def may_be_confirmed(self) -> bool:
        """Whether the release is to come, and waits for the operator's confirmation."""
        return self._is_coming and Condition.CONFIRMATION in self.unmet

    @property
    def _is_coming(self) -> bool:
        return _COMING.issuperset(self.unmet)


def is_release_near(state: State, name: str) -> bool:
    """Whether a release of this name is held, or due."""
    known = state.names.get(name)
    return known is not None and any(True for _ in release_gates(state, known))


class Blocked(NamedTuple):
    """A resource that cannot be created yet.

    Attributes:
        resource: what is being created; of a group, one of its records at this name.
        wanted: what it asks for at this name; of a group, each that is blocked.
        standing: the record sets of ours that stand in its way.
    """

    resource: RecordResource
    wanted: tuple[DesiredRecord, ...]
    standing: tuple[RecordSet, ...]

    @property
    def pairs(self) -> Iterator[tuple[RecordSet, DesiredRecord]]:
        """Each record set that stands with each desired one in whose way it is."""
        for record in self.standing:
            for desired in self.wanted:
                if conflict(record, desired.record):
                    yield record, desired


def release_gates(state: State, name: NameState) -> Iterator[ReleaseGate]:
    """One for each resource that is being created where a manual record set of ours stands.

    A group creates all of its records or none, so it is released at every name or at none.
    """
    for blocked in to_release(state, name):
        gate = _gate(state, name, blocked)
        if gate.is_open and blocked.resource.group and not _is_whole(state, name, blocked.resource):
            gate = replace(gate, unmet=(Condition.TOGETHER,))
        yield gate


def _gate(state: State, name: NameState, blocked: Blocked) -> ReleaseGate:
    """The gate of this name by itself."""
    resource, standing = blocked.resource, blocked.standing
    plan = state.plan
    hold = max(
        hold_for(plan.options, r, desired, plan.measured_of(r, desired.record))
        for r, desired in blocked.pairs
    )
    began = max(resource.since, state.resumed_at)  # the wall clock may have jumped in between
    held_at = began + hold
    adoptable = any(may_be_identical(r, desired) for r, desired in blocked.pairs)
    least = began + (OTHER_HOLD if adoptable else 0.0)
    if name.hold_cut_at >= resource.since:
        held_at = min(held_at, name.hold_cut_at)
    held_at = max(held_at, least)
    unmet = [*_unmet(state, name, blocked, held_at)]
    if adoptable and not _is_disowned(state, blocked, held_at):
        unmet.append(Condition.DISOWNED)
    if not is_armed(state, name, standing):
        unmet.append(Condition.CLOUD_DEADMAN)
    return ReleaseGate(
        resource=resource,
        deletes=standing,
        unmet=tuple(unmet),
        held_at=held_at,
        least=least,
        may_be_adopted=adoptable,
    )


def to_release(state: State, name: NameState) -> Iterator[Blocked]:
    """Each such resource: one for all records that a group has at the name."""
    here = resources_at(state, name.name)
    if not any(map(_is_coming, here)):
        return
    ours = [h.standing for h in name.handovers if h.stage is RecordStatus.STANDING]
    groups: set[tuple[str, str]] = set()
    for resource in here:
        wanted = [resource]
        if resource.group:
            if (itself := (resource.stack_id, resource.logical_id)) in groups:
                continue
            groups.add(itself)
            wanted = [
                each for each in here if each.group and (each.stack_id, each.logical_id) == itself
            ]
        coming = [each for each in wanted if _is_coming(each)]
        if not coming:
            continue
        standing = tuple(r for r in ours if any(_is_in_way(r, c) for c in coming))
        met = [each for each in coming if any(_is_in_way(r, each) for r in standing)]
        if met:
            desired = tuple(each.desired for each in met if each.desired is not None)
            yield Blocked(resource=met[0], wanted=desired, standing=standing)


def _is_coming(resource: RecordResource) -> bool:
    """Whether it is being created; one that is only guessed is in no certain zone."""
    return resource.status == "CREATE_IN_PROGRESS" and not resource.guessed


def _is_in_way(record: RecordSet, resource: RecordResource) -> bool:
    return resource.desired is not None and conflict(record, resource.desired.record)


def _is_whole(state: State, name: NameState, resource: RecordResource) -> bool:
    """Whether every other record of the group is free, or its name is released now as well."""
    for member in group_members(state, resource):
        desired = member.desired
        if desired is None or not is_in_zone(state.plan, member):
            return False
        other = state.names.get(desired.record.key.name)
        if other is None:
            if desired.record.key not in state.plan.vacant:
                return False
        elif not _is_free(state, other, member, desired.record):
            return False
    names = {m.desired.record.key.name for m in group_members(state, resource) if m.desired}
    return all(
        _is_released_with(state, state.names[other], resource)
        for other in names & state.names.keys() - {name.name}
    )


def _is_free(state: State, name: NameState, member: RecordResource, record: RecordSet) -> bool:
    """Whether nothing is in this record's way but what the run releases, or has released."""
    if name.restoring or name.given_up:
        return False
    met = [h for h in name.handovers if conflict(h.original, record)]
    if met:
        return all(h.stage in (RecordStatus.STANDING, RecordStatus.RELEASED) for h in met)
    is_older = f"{member.stack_id} {member.logical_id}" in state.plan.resources
    if is_older and record.key in state.plan.vacant:
        return True  # what stands there may be the group's own
    return name.read is not None and not any(conflict(r, record) for r in name.read.records)


def _is_released_with(state: State, name: NameState, resource: RecordResource) -> bool:
    if name.write is not None and name.write.purpose is Purpose.RELEASE:
        return True
    return all(
        _gate(state, name, blocked).is_open
        for blocked in to_release(state, name)
        if blocked.resource.group
        and (blocked.resource.stack_id, blocked.resource.logical_id)
        == (resource.stack_id, resource.logical_id)
    )


def _is_disowned(state: State, blocked: Blocked, held_at: float) -> bool:
    """Whether the stack's own list, read since the hold, shows no id for the record.

    Events may lag by more than the hold; an id in the list counts like one in an event
    (`RecordResource.initiated_at`). One that is known to be identical is not released for as long
    as CloudFormation has an id.
    """
    resource = blocked.resource
    stack = state.stacks[resource.stack_id]
    asked_in_time = stack.listed >= max(held_at, state.awake_since)
    if not asked_in_time or state.now - stack.told > LIST_FRESH:
        return False
    if resource.initiated_at is None:
        return True
    known = any(d.complete and d.record.same_as(r) for r, d in blocked.pairs)
    return not known and state.now >= resource.initiated_at + ADOPTING


def _unmet(state: State, name: NameState, blocked: Blocked, held_at: float) -> Iterator[Condition]:
    resource = blocked.resource
    if not state.backed_up:
        yield Condition.BACKUP
    if state.journal_lost:
        yield Condition.JOURNAL
    if state.phase not in LIVE or state.phase is Phase.RESTORE:
        yield Condition.PHASE
    stopped = state.interrupts and not state.ever_released
    if stopped or state.given_up or name.given_up:
        yield Condition.WANTED  # after the first release the stack needs the others too
    if state.paused and not state.ever_released:
        yield Condition.NOT_PAUSED
    if name.restoring:
        yield Condition.NOT_RESTORED
    if name.write is not None:
        yield Condition.ANSWERED
    if not is_seen_lowered(state.soa):
        yield Condition.NEGATIVE_TTL
    if is_bridge_awaited(state, name):
        yield Condition.BRIDGED
    if not is_in_zone(state.plan, resource):
        yield Condition.ZONE
    if not _may_stand(name, blocked):
        yield Condition.SIMPLE
    yield from _unmet_of_stacks(state, resource)
    yield from _unmet_of_status(state)
    if state.now < held_at:
        yield Condition.HOLD
    if state.plan.options.confirm_release and name.agreed_at < resource.since:
        yield Condition.CONFIRMATION
    yield from _unmet_of_read(state, name, blocked)
    if state.now < name.not_before:
        yield Condition.PAUSE


def _may_stand(name: NameState, blocked: Blocked) -> bool:
    """Whether it is simple or routed like what stands, and of the policy of the other members."""
    if any(desired.record.is_routed != r.is_routed for r, desired in blocked.pairs):
        return False
    return all(
        r.policy == desired.record.policy
        for desired in blocked.wanted
        for r in (name.read.records if name.read else ())
        if r.type == desired.record.type and not conflict(r, desired.record)
    )


def _unmet_of_stacks(state: State, resource: RecordResource) -> Iterator[Condition]:
    lineage: list[str | None] = [resource.stack_id]
    while lineage[-1] and (parent := state.stacks[lineage[-1]].parent) in state.stacks:
        if parent in lineage:
            break  # no tree: its root is not the run's
        lineage.append(parent)
    if lineage[-1] != state.root.stack_id:
        yield Condition.IN_TREE
    for stack_id in lineage:
        stack = state.stacks.get(stack_id or "")
        if stack is None or stack.kind is not StackPhase.FORWARD:
            yield Condition.FORWARD
        elif not is_fresh(state, began=stack.polled, told=stack.poll_told, within=POLL_FRESH):
            yield Condition.EVENTS


def _unmet_of_status(state: State) -> Iterator[Condition]:
    """Once our deploy has exited, the stack's own status counts: its events may be late."""
    deploy = state.deploys.get(Switch.ON)
    if deploy is None or deploy.exited_at is None:
        return
    began = state.described_began
    if (
        state.described is None
        or began < deploy.exited_at
        or not is_fresh(state, began=began, told=began, within=POLL_FRESH)
    ):
        yield Condition.STATUS
    elif kind_of(state.described.status) is not StackPhase.FORWARD:
        yield Condition.FORWARD


def _unmet_of_read(state: State, name: NameState, blocked: Blocked) -> Iterator[Condition]:
    read, standing = name.read, blocked.standing
    if (
        read is None
        or read.began < blocked.resource.since
        or not is_fresh(state, began=read.began, told=read.told, within=READ_FRESH)
    ):
        yield Condition.READ
        return
    wanted = [desired.record for desired in blocked.wanted]
    in_the_way = [r for r in read.records if any(conflict(r, each) for each in wanted)]
    if not same_records(in_the_way, standing):
        yield Condition.UNCHANGED
    if not {r.type for r in (*standing, *wanted)}.isdisjoint(read.protected):
        yield Condition.UNPROTECTED  # of either: CloudFormation could not create its record
