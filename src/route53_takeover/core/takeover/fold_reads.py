"""Folding reads into the state of a name: what stands there, whose it is, what became of ours.

A read is the strongest fact there is, but for one that began before our own last write, or soon
after it and still shows what was there before: those are stale and say nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import conflict, same_records
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.plan.strategies.weighted import with_weight
from route53_takeover.core.takeover.deadman_state import may_have_fired
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold_writes import applied
from route53_takeover.core.takeover.name_state import TAKEN_STAGES, Reading, RecordStatus
from route53_takeover.core.takeover.queries import matching_resources, may_be_identical, root_kind
from route53_takeover.core.timing import IDENTICAL_LOOK, INSYNC_ASSUMED, SECOND_LOOK, STALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover import events as ev
    from route53_takeover.core.takeover.name_state import Handover, NameState, Write
    from route53_takeover.core.takeover.state import State

_UNDONE = frozenset(
    {StackPhase.ROLLING_BACK, StackPhase.ROLLED_BACK, StackPhase.FAILED, StackPhase.ABSENT}
)


def read(state: State, name: NameState, event: ev.NameRead) -> NameState:
    name = replace(name, failures=0)
    if event.began < name.wrote_at:
        return name  # older than our own last write
    reading = Reading(
        began=event.began, told=event.time, records=event.records, protected=event.protected
    )
    name = replace(name, read=reading, seen=event.records)
    if name.write is not None:
        since = name.write.unknown_since
        if since is None or event.began < since:
            return name  # a write is on its way: the read may show either side of it
        name = replace(_settled(state, name, name.write, event.began), read=reading)
        if name.write is not None:
            return name
    handovers = tuple([_classified(state, name, h, event.began) for h in name.handovers])
    if handovers != name.handovers:
        name = replace(name, handovers=handovers)
    lowered = any(
        h.stage is RecordStatus.STANDING and h.standing != h.original for h in name.handovers
    )
    if lowered and name.unsynced is None and name.synced_at is None:
        return replace(name, synced_at=state.now + INSYNC_ASSUMED)
    return name


def _settled(state: State, name: NameState, write: Write, began: float) -> NameState:
    """Settles a write of unknown fate by a read that began after its answer was lost."""
    here = name.read.records if name.read else ()
    deletes = [c.record for c in write.changes if c.action == "DELETE"]
    creates = [c.record for c in write.changes if c.action == "CREATE"]
    touched = tuple(r for r in here if any(conflict(r, c.record) for c in write.changes))
    is_before = same_records(touched, deletes)
    if write.purpose is Purpose.RELEASE and touched and _is_put_back(state, name, touched):
        return applied(state, name, write, at=write.sent, change_id=None)
    if write.purpose is Purpose.RELEASE:
        came = any(
            _is_desired(state, h, r)
            for h in name.handovers
            for r in name.occupants(h.original)
            if not r.same_as(h.standing)
        )
        is_after = not touched or came
    else:
        is_after = same_records(touched, creates)
    if is_after and not is_before:
        return applied(state, name, write, at=write.sent, change_id=None)
    if not is_before:
        return replace(name, write=None, wrote_at=began)
    since = write.present_since
    if since is None:
        return replace(name, write=replace(write, present_since=began))
    identical = write.purpose is Purpose.RELEASE and any(
        may_be_identical(h.standing, m.desired)
        for h in name.handovers
        for m in matching_resources(state, h)
    )
    if began - since < (IDENTICAL_LOOK if identical else SECOND_LOOK):
        return name
    return replace(name, write=None, wrote_at=began)


def _is_put_back(state: State, name: NameState, records: tuple[RecordSet, ...]) -> bool:
    """Whether what stands may be the work of a deadman in AWS: then the DELETE was applied."""
    originals = [h.original for h in name.handovers if may_have_fired(state, h.original)]
    return all(any(record.same_as(each) for each in originals) for record in records)


def _classified(state: State, name: NameState, handover: Handover, began: float) -> Handover:
    """The handover as a read that began at ``began`` shows it, with no write of ours under way."""
    occupants = name.occupants(handover.original)
    if not occupants:
        return _gone(handover)
    if _is_stale(state, name, handover, occupants, began):
        return handover
    desired = any(_is_desired(state, handover, r) for r in occupants)
    unlike = any(not r.same_as(handover.original) for r in occupants)
    match handover.stage:
        case RecordStatus.STANDING:
            return _standing(state, name, handover, occupants)
        case RecordStatus.RELEASED | RecordStatus.LOST if desired and not _is_what_we_put_back(
            state, handover
        ):
            return _created(state, handover)
        case RecordStatus.RELEASED | RecordStatus.LOST if any(
            r.same_as(handover.standing) for r in occupants
        ):
            return replace(
                handover, stage=RecordStatus.RESTORED, back_at=handover.back_at or state.now
            )
        case RecordStatus.RELEASED | RecordStatus.LOST:
            if any(r.same_as(handover.original) for r in occupants):
                return replace(
                    handover,
                    stage=RecordStatus.RESTORED,
                    standing=handover.original,
                    back_at=handover.back_at or state.now,
                )
            return replace(
                handover, stage=RecordStatus.CHANGED, back_at=handover.back_at or state.now
            )
        case RecordStatus.RESTORED:
            if desired and unlike:
                return _created(state, handover)
            if any(r.same_as(handover.standing) for r in occupants):
                return handover
            return replace(handover, stage=RecordStatus.CHANGED)
        case RecordStatus.CREATED | RecordStatus.ADOPTED:
            resources = matching_resources(state, handover)
            known = any(m.desired and m.desired.complete for m in resources)
            undone = not resources and root_kind(state) in _UNDONE
            manual = (handover.standing, handover.original)  # a blind restore creates the original
            ours = not desired and all(any(r.same_as(m) for m in manual) for r in occupants)
            if ours and (known or undone):
                standing = next(m for m in manual if m.same_as(occupants[0]))
                return replace(handover, stage=RecordStatus.RESTORED, standing=standing)
            return handover
        case RecordStatus.CHANGED if all(r.same_as(handover.standing) for r in occupants):
            stage = RecordStatus.STANDING if handover.released_at is None else RecordStatus.RESTORED
            return replace(handover, stage=stage)  # another writer has restored it
        case RecordStatus.CHANGED:
            return handover


def _is_what_we_put_back(state: State, handover: Handover) -> bool:
    """Whether a record that is what the stack wants is more likely ours: it looked the same."""
    wanted = matching_resources(state, handover)
    is_back = (
        handover.restored_at is not None
        or handover.restore_lost
        or may_have_fired(state, handover.original)
    )
    return (
        is_back
        and any(m.desired and m.desired.record.same_as(handover.original) for m in wanted)
        and not any(m.status == "CREATE_COMPLETE" for m in wanted)
    )


def _is_stale(
    state: State,
    name: NameState,
    handover: Handover,
    occupants: tuple[RecordSet, ...],
    began: float,
) -> bool:
    """Whether a read soon after our own write shows what stood there before it."""
    if began >= name.wrote_at + STALE or len(occupants) != 1:
        return False
    (record,) = occupants
    match handover.stage:
        case RecordStatus.RELEASED:
            return handover.released_at is not None and record.same_as(handover.standing)
        case RecordStatus.STANDING if not record.same_as(handover.standing):
            return any(record.same_as(each) for each in _before(state.plan, name, handover))
        case _:
            return False


def _gone(handover: Handover) -> Handover:
    match handover.stage:
        case RecordStatus.STANDING | RecordStatus.CHANGED:
            return replace(handover, stage=RecordStatus.RELEASED)
        case RecordStatus.CREATED | RecordStatus.ADOPTED | RecordStatus.RESTORED:
            return replace(handover, stage=RecordStatus.LOST)
        case RecordStatus.RELEASED | RecordStatus.LOST:
            return handover


def _created(state: State, handover: Handover) -> Handover:
    return replace(
        handover,
        stage=RecordStatus.CREATED,
        created_at=handover.created_at or state.now,
        back_at=handover.back_at or state.now,
    )


def _standing(
    state: State, name: NameState, handover: Handover, occupants: tuple[RecordSet, ...]
) -> Handover:
    if _is_beside(handover):  # a weighted group: the stack's member, and others', may come
        occupants = tuple(r for r in occupants if conflict(r, handover.standing)) or occupants
    if len(occupants) == 1:
        (record,) = occupants
        if record.same_as(handover.standing):  # a DELETE repeats it as Route 53 spells it
            return handover if record == handover.standing else replace(handover, standing=record)
    undone = Purpose.UNDO in name.tried
    known = [handover.original] if undone else _written(state.plan, name, handover)
    for ours in known:
        beside = [r for r in occupants if not r.same_as(ours)]
        if len(beside) < len(occupants) and not any(conflict(r, ours) for r in beside):
            return replace(handover, standing=ours)
    if all(_is_desired(state, handover, record) for record in occupants):
        return replace(handover, stage=RecordStatus.ADOPTED, created_at=state.now)
    return replace(handover, stage=RecordStatus.CHANGED)


def _is_beside(handover: Handover) -> bool:
    """Whether it stands as a member now that others can stand beside."""
    return handover.standing.is_routed and not handover.original.is_routed


def _before(plan: Plan, name: NameState, handover: Handover) -> list[RecordSet]:
    """What our own changes made of it before what stands now."""
    versions = [handover.original, *_written(plan, name, handover)]
    if handover.standing.same_as(handover.original):
        return versions[1:] if Purpose.UNDO in name.tried else []
    at = next((n for n, each in enumerate(versions) if each.same_as(handover.standing)), None)
    return versions[:at]


def _written(plan: Plan, name: NameState, handover: Handover) -> Iterator[RecordSet]:
    """What each of our own changes would have made of it, in their order."""
    manual = plan.manual(handover.original)
    if Purpose.LOWER in name.tried and manual.lowered is not None:
        yield manual.lowered
    if Purpose.PREPARE in name.tried and manual.prepared is not None:
        yield manual.prepared
        if Purpose.WEIGH in name.tried:
            yield from (with_weight(manual.prepared, weight) for weight in manual.weights)


def _is_desired(state: State, handover: Handover, record: RecordSet) -> bool:
    """Whether this live record set is what one of the tree's resources asks for."""
    for resource in matching_resources(state, handover):
        desired = resource.desired
        if desired is None or desired.record.key != record.key:
            continue
        if desired.complete and desired.record.same_as(record):
            return True
        if resource.status == "CREATE_COMPLETE" or not desired.complete:
            return not record.same_as(handover.standing)
    return False


def reconciled(state: State, *touched: str) -> State:
    """CloudFormation says it created a record that never had to be released: adopted.

    Args:
        touched: the names of which something new is known; all of them without.
    """
    names = {}
    for key in touched or state.names:
        name = state.names[key]
        if name.write is not None:
            continue
        handovers = tuple([_adopted(state, name, handover) for handover in name.handovers])
        if handovers != name.handovers:
            names[key] = replace(name, handovers=handovers)
    if not names:
        return state
    return replace(state, names={**state.names, **names}, news_at=state.now)


def _adopted(state: State, name: NameState, handover: Handover) -> Handover:
    if handover.stage in TAKEN_STAGES:
        return _let_go(state, name, handover)
    if _was_created_unseen(state, name, handover):
        return replace(_created(state, handover), back_at=handover.back_at or name.occupied_at)
    if handover.stage not in (RecordStatus.STANDING, RecordStatus.CHANGED, RecordStatus.RESTORED):
        return handover
    if not any(m.status == "CREATE_COMPLETE" for m in matching_resources(state, handover)):
        return handover
    if handover.stage is not RecordStatus.STANDING and not any(
        _is_desired(state, handover, r) for r in name.occupants(handover.original)
    ):
        return handover
    was_gone = handover.released_at is not None or handover.lost_seconds > 0
    stage = RecordStatus.CREATED if was_gone else RecordStatus.ADOPTED
    return replace(handover, stage=stage, created_at=handover.created_at or state.now)


def _was_created_unseen(state: State, name: NameState, handover: Handover) -> bool:
    """Whether CloudFormation's record stands, as far as can be known without a read of the name.

    Its stack has succeeded and lists the record, and a restore that was sent after that was refused
    because a record stands there, which neither our own restores nor the deadman in AWS can have
    created.
    """
    if handover.stage is not RecordStatus.RELEASED or handover.restore_lost:
        return False
    if may_have_fired(state, handover.original):
        return False
    if root_kind(state) is not StackPhase.SUCCEEDED or len(name.handovers) > 1:
        return False
    read = name.read
    is_read_since = read is not None and read.began >= name.occupied_at
    return not is_read_since and any(
        m.status == "CREATE_COMPLETE" and m.initiated_at is not None and m.since < name.occupied_at
        for m in matching_resources(state, handover)
    )


def _let_go(state: State, name: NameState, handover: Handover) -> Handover:
    """CloudFormation has deleted its record, and one that looks the same is what we put back."""
    resources = matching_resources(state, handover)
    if not resources or any(m.status != "DELETE_COMPLETE" for m in resources):
        return handover
    here = name.occupants(handover.original)
    manual = (handover.original, *([handover.standing] if _is_beside(handover) else []))
    if not (ours := [m for m in manual if any(r.same_as(m) for r in here)]):
        return handover
    was_gone = handover.restored_at is not None or handover.released_at is not None
    stage = RecordStatus.RESTORED if was_gone else RecordStatus.STANDING
    return replace(handover, stage=stage, standing=ours[0])
