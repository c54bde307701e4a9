"""Folding events into the state: what each fact means, and nothing of what to do about it.

A read of a name is the strongest fact. A lost answer makes a write *unknown*, and only reads (or
CloudFormation's own events) settle it. Everything here tolerates events that come late, twice or
out of order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core import events as ev
from route53_takeover.core.events import Purpose
from route53_takeover.core.records import (
    DesiredRecord,
    RecordSet,
    conflict,
    normal_name,
    normal_zone_id,
    same_records,
)
from route53_takeover.core.stacks import RECORD_SET, RECORD_SET_GROUP, STACK
from route53_takeover.core.state import (
    TAKEN_STAGES,
    Deploy,
    Handover,
    NameState,
    Outcome,
    Phase,
    Reading,
    RecordResource,
    StackState,
    Stage,
    State,
    Write,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.plan import Plan
    from route53_takeover.core.stacks import StackEvent

SECOND_LOOK = 2.0
"""Seconds between two reads that must agree before a DELETE of unknown fate counts as not done."""
IDENTICAL_LOOK = 10.0
"""The same where the manual and the desired record cannot be told apart."""
STALE = 5.0
"""Seconds after a release for which a read that still shows the record is taken as stale."""
INSYNC_ASSUMED = 60.0
"""Seconds after which a change without a change id counts as INSYNC."""


def begin(event: ev.RunStarted) -> State:
    """The state of a run that has only begun."""
    plan = event.plan
    names = {
        name: NameState(
            name=name,
            handovers=tuple(
                Handover(original=m.original, standing=m.original)
                for m in plan.manuals
                if m.key.name == name
            ),
        )
        for name in plan.names
    }
    return State(
        run=event.run,
        plan=plan,
        phase=Phase.PREFLIGHT,
        phase_since=event.time,
        now=event.time,
        names=names,
        root=plan.root,
        news_at=event.time,
    )


def observe(state: State, event: ev.AnyEvent) -> State:
    """The state with one more fact in it."""
    state = replace(state, now=max(state.now, event.time))
    match event:
        case ev.RunResumed():
            return _resumed(state)
        case ev.BackupWritten():
            return replace(state, backed_up=True)
        case ev.BackupFailed():
            return replace(state, backup_failed=True, given_up=f"no backup: {event.reason}")
        case ev.Interrupted():
            return replace(state, interrupts=(*state.interrupts, event.signal))
        case ev.JournalFailed():
            return replace(state, journal_lost=event.reason)
        case ev.TimePassed() | ev.RunStarted():
            return state
        case ev.DeployIntended() | ev.DeployExited():
            return _deploy(state, event)
        case (
            ev.BaselineRead()
            | ev.BaselineUnread()
            | ev.RootDescribed()
            | ev.RootUndescribed()
            | ev.TemplateRead()
        ):
            return _tree(state, event)
        case ev.ResourcesRead() | ev.ResourcesUnread():
            return reconciled(_resources(state, event))
        case ev.StackPolled():
            return reconciled(_polled(state, event))
        case ev.StackUnpolled():
            return state
        case _:
            return _of_name(state, event)


def _of_name(
    state: State,
    event: ev.NameRead
    | ev.NameUnread
    | ev.WriteIntended
    | ev.WriteAccepted
    | ev.WriteRefused
    | ev.WriteHeldOff
    | ev.WriteUnknown
    | ev.ChangeInsync
    | ev.NamesAnswered,
) -> State:
    """Facts about one name. Those about a write other than the one under way are late: ignored."""
    before = state.names.get(event.name)
    if before is None:
        return state
    name = before
    match event:
        case ev.NameRead():
            name = _read(state, name, event)
        case ev.NameUnread():
            failures = name.failures + 1
            pause = min(0.5 * 2 ** min(failures - 1, 5), 2.0 if state.ever_released else 10.0)
            name = replace(name, reading=False, failures=failures, read_after=state.now + pause)
        case ev.NamesAnswered():
            name = _heard(state, name, event)
        case ev.ChangeInsync():
            if name.unsynced == event.change_id:
                name = replace(name, unsynced=None, synced_at=state.now)
        case ev.WriteIntended():
            write = Write(
                id=event.id,
                purpose=event.purpose,
                changes=event.changes,
                sent=event.time,
                intended=True,
            )
            name = replace(name, write=write, tried=name.tried | {event.purpose})
        case _:
            if name.write is not None and name.write.id == event.id:
                name = _answered(state, name, name.write, event)
    moved = _shape(name) != _shape(before)
    state = replace(
        state,
        names={**state.names, event.name: name},
        news_at=state.now if moved else state.news_at,
    )
    return reconciled(state)


def _heard(state: State, name: NameState, event: ev.NamesAnswered) -> NameState:
    """Name servers' answers: who answers before the release, who is silent after it, how long."""
    good = {server for server, status in event.statuses.items() if status == "answer"}
    name = replace(name, answers={**name.answers, **event.statuses})
    if not name.was_released:
        return replace(name, answered=name.answered | good)
    since, silences = dict(name.silent_since), dict(name.silences)
    for server in name.answered & event.statuses.keys():
        if server in good:
            silence = state.now - since.pop(server, state.now)
            silences[server] = max(silence, silences.get(server, 0.0))
        else:
            since.setdefault(server, state.now)
    return replace(name, silent_since=since, silences=silences)


def _shape(name: NameState) -> tuple[object, ...]:
    return tuple((h.stage, h.standing) for h in name.handovers)


def _resumed(state: State) -> State:
    """What was in flight is lost: reads are asked again, writes have become unknown.

    A run that ended knowing how stays ended; one that ended ``unknown`` goes on where it was.
    """
    if state.ending is not None:
        if state.ending.outcome is not Outcome.UNKNOWN:
            return state
        state = replace(state, phase=state.ending.phase, ending=None)
    names = {}
    for key, name in state.names.items():
        write = name.write
        if write is not None:
            unknown = write.unknown_since if write.unknown_since is not None else state.now
            write = (
                replace(write, unknown_since=unknown, present_since=None)
                if write.intended
                else None
            )
        names[key] = replace(
            name, reading=False, read=None, read_after=0.0, write=write, not_before=0.0
        )
    return replace(
        state,
        names=names,
        asked=frozenset(),
        interrupts=(),
        not_before=0.0,
        news_at=state.now,
        described=None,
        verifying_since=None,
        stacks={key: replace(stack, polled=0.0) for key, stack in state.stacks.items()},
    )


# -- writes


def _answered(
    state: State,
    name: NameState,
    write: Write,
    event: ev.WriteAccepted | ev.WriteRefused | ev.WriteHeldOff | ev.WriteUnknown,
) -> NameState:
    match event:
        case ev.WriteAccepted():
            return applied(state, name, write, at=state.now, change_id=event.change_id)
        case ev.WriteRefused():
            failed = name.refusals + 1
            return replace(
                name,
                write=None,
                wrote_at=state.now,
                read=None,
                refusals=failed,
                not_before=state.now + min(0.5 * failed, 1.0),
                given_up=name.given_up
                or (event.reason if write.purpose in _ONCE and failed >= _REFUSALS else ""),
            )
        case ev.WriteHeldOff():
            tries = name.attempts + 1
            pause = min(0.2 * 2 ** min(tries - 1, 6), 1.0 if state.ever_released else 10.0)
            return replace(name, write=None, attempts=tries, not_before=state.now + pause)
        case ev.WriteUnknown():
            return replace(name, write=replace(write, unknown_since=state.now), read=None)


_REFUSALS = 2
"""Refused twice, with a read in between that shows nothing changed: it will not be accepted."""
_ONCE = frozenset({Purpose.LOWER, Purpose.PROVE, Purpose.RELEASE})


def applied(
    state: State, name: NameState, write: Write, *, at: float, change_id: str | None
) -> NameState:
    """The name after this batch was applied at ``at``."""
    created = {c.record.key: c.record for c in write.changes if c.action == "CREATE"}
    deleted = {c.record.key for c in write.changes if c.action == "DELETE"}
    handovers = []
    for handover in name.handovers:
        key = handover.original.key
        if write.purpose is Purpose.RELEASE and key in deleted:
            handover = replace(  # noqa: PLW2901 -- the loop builds the new tuple
                handover, stage=Stage.RELEASED, released_at=at, back_at=None
            )
        elif write.purpose is Purpose.RESTORE and key in created:
            handover = replace(  # noqa: PLW2901
                handover,
                stage=Stage.RESTORED,
                standing=created[key],
                restored_at=at,
                back_at=handover.back_at if handover.back_at is not None else at,
            )
        elif key in created:
            handover = replace(handover, standing=created[key])  # noqa: PLW2901
        handovers.append(handover)
    name = replace(
        name,
        handovers=tuple(handovers),
        write=None,
        wrote_at=max(at, name.wrote_at),
        attempts=0,
        refusals=0,
        proven=name.proven or write.purpose is Purpose.PROVE,
    )
    match write.purpose:
        case Purpose.LOWER if change_id is None:
            return replace(name, synced_at=state.now + INSYNC_ASSUMED)
        case Purpose.LOWER:
            return replace(name, unsynced=change_id)
        case Purpose.RELEASE:
            return replace(name, deadman_at=deadman(state, name, at))
        case _:
            return name


def deadman(state: State, name: NameState, released_at: float) -> float:
    """When to put the record back: ``min(max(60 s, twice the time in progress), 300 s)`` on."""
    if state.plan.options.restore_after is not None:
        return released_at + state.plan.options.restore_after
    began = [m.since for h in name.handovers for m in matches(state, h)]
    in_progress = released_at - min(began, default=released_at)
    return released_at + min(max(60.0, 2 * in_progress), 300.0)


# -- reads


def _read(state: State, name: NameState, event: ev.NameRead) -> NameState:
    name = replace(name, reading=False, failures=0)
    if event.began < name.wrote_at:
        return name  # older than our own last write
    name = replace(name, read=Reading(began=event.began, records=event.records))
    if name.write is not None:
        since = name.write.unknown_since
        if since is None or event.began < since:
            return name  # a write is on its way: the read may show either side of it
        name = _settled(state, name, name.write, event.began)
        if name.write is not None:
            return name
    return replace(
        name, handovers=tuple(_classified(state, name, h, event.began) for h in name.handovers)
    )


def _settled(state: State, name: NameState, write: Write, began: float) -> NameState:
    """Settles a write of unknown fate by a read that began after its answer was lost."""
    here = name.read.records if name.read else ()
    deletes = [c.record for c in write.changes if c.action == "DELETE"]
    creates = [c.record for c in write.changes if c.action == "CREATE"]
    touched = tuple(r for r in here if any(conflict(r, c.record) for c in write.changes))
    is_before = same_records(touched, deletes)
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
    if write.purpose is Purpose.RESTORE or not is_before:
        return replace(name, write=None, wrote_at=began)
    since = write.present_since
    if since is None:
        return replace(name, write=replace(write, present_since=began))
    identical = write.purpose is Purpose.RELEASE and any(
        may_be_identical(h.standing, m.desired) for h in name.handovers for m in matches(state, h)
    )
    if began - since < (IDENTICAL_LOOK if identical else SECOND_LOOK):
        return name
    return replace(name, write=None, wrote_at=began)


def may_be_identical(manual: RecordSet, desired: DesiredRecord | None) -> bool:
    """Whether a compare-and-delete of the manual record could hit CloudFormation's."""
    return desired is None or not desired.complete or desired.record.same_as(manual)


def _classified(state: State, name: NameState, handover: Handover, began: float) -> Handover:
    """The handover as a read that began at ``began`` shows it, with no write of ours under way."""
    occupants = name.occupants(handover.original)
    if not occupants:
        return _gone(handover)
    desired = any(_is_desired(state, handover, r) for r in occupants)
    unlike = any(not r.same_as(handover.original) for r in occupants)
    match handover.stage:
        case Stage.STANDING:
            return _standing(state, name, handover, occupants)
        case Stage.RELEASED | Stage.LOST if desired:
            return _created(state, handover)
        case Stage.RELEASED | Stage.LOST if any(r.same_as(handover.standing) for r in occupants):
            if handover.stage is Stage.RELEASED and began < (handover.released_at or 0) + STALE:
                return handover
            return replace(handover, stage=Stage.RESTORED, back_at=handover.back_at or state.now)
        case Stage.RELEASED | Stage.LOST:
            if any(r.same_as(handover.original) for r in occupants):
                return replace(
                    handover,
                    stage=Stage.RESTORED,
                    standing=handover.original,
                    back_at=handover.back_at or state.now,
                )
            return replace(handover, stage=Stage.CHANGED, back_at=handover.back_at or state.now)
        case Stage.RESTORED:
            if desired and unlike:
                return _created(state, handover)
            if any(r.same_as(handover.standing) for r in occupants):
                return handover
            return replace(handover, stage=Stage.CHANGED)
        case Stage.CREATED | Stage.ADOPTED:
            known = any(m.desired and m.desired.complete for m in matches(state, handover))
            if known and not desired and all(r.same_as(handover.standing) for r in occupants):
                return replace(handover, stage=Stage.RESTORED)
            return handover
        case Stage.CHANGED:
            return handover


def _gone(handover: Handover) -> Handover:
    match handover.stage:
        case Stage.STANDING:
            return replace(handover, stage=Stage.RELEASED)
        case Stage.CREATED | Stage.ADOPTED | Stage.RESTORED:
            return replace(handover, stage=Stage.LOST)
        case Stage.RELEASED | Stage.LOST | Stage.CHANGED:
            return handover


def _created(state: State, handover: Handover) -> Handover:
    return replace(
        handover,
        stage=Stage.CREATED,
        created_at=handover.created_at or state.now,
        back_at=handover.back_at or state.now,
    )


def _standing(
    state: State, name: NameState, handover: Handover, occupants: tuple[RecordSet, ...]
) -> Handover:
    if len(occupants) == 1:
        (record,) = occupants
        if record.same_as(handover.standing):
            return handover
        ours = _written_before(state.plan, name, handover)
        if ours is not None and record.same_as(ours):
            return replace(handover, standing=ours)
    if all(_is_desired(state, handover, record) for record in occupants):
        return replace(handover, stage=Stage.ADOPTED, created_at=state.now)
    return replace(handover, stage=Stage.CHANGED)


def _written_before(plan: Plan, name: NameState, handover: Handover) -> RecordSet | None:
    """What one of our own TTL changes would have made of it, had its answer been a lost one."""
    if Purpose.UNDO in name.tried:
        return handover.original
    if Purpose.LOWER in name.tried:
        return next((m.lowered for m in plan.manuals if m.key == handover.original.key), None)
    return None


# -- the stack tree


def matches(state: State, handover: Handover) -> tuple[RecordResource, ...]:
    """The record resources of the tree that would stand in this record set's place."""
    return tuple(
        resource
        for stack in state.stacks.values()
        for resource in stack.records.values()
        if resource.desired is not None
        and is_in_zone(state.plan, resource)
        and conflict(resource.desired.record, handover.original)
    )


def is_in_zone(plan: Plan, resource: RecordResource) -> bool:
    """Whether the resource is certainly in the plan's zone. Unresolved or ambiguous: it is not."""
    desired = resource.desired
    if desired is None:
        return False
    if desired.zone_id is not None:
        return normal_zone_id(desired.zone_id) == plan.zone_id
    return desired.zone_name == plan.zone_name and plan.zone_is_unique and not plan.zone_private


def _is_desired(state: State, handover: Handover, record: RecordSet) -> bool:
    """Whether this live record set is what one of the tree's resources asks for."""
    for resource in matches(state, handover):
        desired = resource.desired
        if desired is None or desired.record.key != record.key:
            continue
        if desired.complete and desired.record.same_as(record):
            return True
        if resource.status == "CREATE_COMPLETE" or not desired.complete:
            return not record.same_as(handover.standing)
    return False


def reconciled(state: State) -> State:
    """CloudFormation says it created a record that never had to be released: adopted."""
    names = {}
    for key, name in state.names.items():
        if name.write is not None:
            continue
        handovers = tuple(_adopted(state, name, handover) for handover in name.handovers)
        if handovers != name.handovers:
            names[key] = replace(name, handovers=handovers)
    if not names:
        return state
    return replace(state, names={**state.names, **names}, news_at=state.now)


def _adopted(state: State, name: NameState, handover: Handover) -> Handover:
    if handover.stage not in (Stage.STANDING, Stage.CHANGED, Stage.RESTORED):
        return handover
    if not any(m.status == "CREATE_COMPLETE" for m in matches(state, handover)):
        return handover
    if handover.stage is not Stage.STANDING and not any(
        _is_desired(state, handover, r) for r in name.occupants(handover.original)
    ):
        return handover
    stage = Stage.ADOPTED if handover.released_at is None else Stage.CREATED
    return replace(handover, stage=stage, created_at=handover.created_at or state.now)


def _polled(state: State, event: ev.StackPolled) -> State:
    stacks = dict(state.stacks)
    fresh = False
    for item in event.events:
        stack = stacks.get(item.stack_id) or StackState(stack_id=item.stack_id)
        if item.event_id in stack.seen or item.event_id == stack.baseline:
            continue
        fresh = True
        stacks[item.stack_id] = _with_event(stack, item, state.now)
        if item.resource_type == STACK and item.physical_id and not item.is_of_stack:
            child = stacks.get(item.physical_id) or StackState(stack_id=item.physical_id)
            stacks[child.stack_id] = replace(child, parent=item.stack_id)
    root = state.root
    if not root.stack_id and event.events:  # it was watched by name until it existed
        root = replace(root, stack_id=event.events[0].stack_id)
    if event.stack in stacks or root.stack_id in stacks:
        polled = event.stack if event.stack in stacks else root.stack_id
        stacks[polled] = replace(stacks[polled], polled=event.began)
    return replace(state, stacks=stacks, root=root, news_at=state.now if fresh else state.news_at)


def _with_event(stack: StackState, event: StackEvent, now: float) -> StackState:
    stack = replace(stack, seen=stack.seen | {event.event_id})
    if event.is_of_stack:
        return _own_status(stack, event)
    before = stack.newest.get(event.logical_id)
    if event.timestamp < stack.started or (before and event.timestamp < before[0]):
        return stack
    stack = replace(
        stack, newest={**stack.newest, event.logical_id: (event.timestamp, event.status)}
    )
    if event.status.endswith("_FAILED") and not stack.first_error and event.reason:
        stack = replace(stack, first_error=f"{event.logical_id}: {event.reason}")
    if event.resource_type == RECORD_SET_GROUP:
        return replace(stack, has_group=True)
    if event.resource_type != RECORD_SET:
        return stack
    known = stack.records.get(event.logical_id)
    same = known is not None and known.status == event.status
    resource = RecordResource(
        stack_id=stack.stack_id,
        logical_id=event.logical_id,
        status=event.status,
        since=known.since if known is not None and same else now,
        initiated_at=(known.initiated_at if known is not None and same else None)
        or (now if event.physical_id else None),
        desired=event.desired or (known.desired if known else None) or _from_template(stack, event),
        reason=event.reason,
    )
    return replace(stack, records={**stack.records, event.logical_id: resource})


def _resources(state: State, event: ev.ResourcesRead | ev.ResourcesUnread) -> State:
    """What a stack holds by its own list, which is ahead of its events."""
    key = f"resources:{event.stack}"
    if isinstance(event, ev.ResourcesUnread):
        return _tree_unread(state, key)
    stack = state.stacks.get(event.stack) or StackState(stack_id=event.stack)
    stacks = dict(state.stacks)
    records = dict(stack.records)
    for item in event.resources:
        if item.resource_type == STACK and item.physical_id and item.physical_id not in stacks:
            stacks[item.physical_id] = StackState(stack_id=item.physical_id, parent=event.stack)
        if item.resource_type == RECORD_SET:
            known = records.get(item.logical_id)
            desired = known.desired if known else None
            if stack.template is not None:
                desired = desired or stack.template.record_sets.get(item.logical_id)
            status = item.status
            if status == "UPDATE_COMPLETE" and (known is None or known.status.startswith("CREATE")):
                status = "CREATE_COMPLETE"
            records[item.logical_id] = RecordResource(
                stack_id=event.stack,
                logical_id=item.logical_id,
                status=status,
                since=known.since if known and known.status == status else state.now,
                initiated_at=known.initiated_at if known else None,
                desired=desired or _guessed(state, item.physical_id),
                reason=known.reason if known else "",
            )
    stacks[event.stack] = replace(stack, records=records, listed=event.began)
    return replace(state, asked=state.asked - {key}, failures=0, stacks=stacks)


def _guessed(state: State, physical_id: str) -> DesiredRecord | None:
    """A record set of which only the name is known: to be careful, one of ours at that name."""
    name = state.names.get(normal_name(physical_id))
    if name is None:
        return None
    original = name.handovers[0].original
    return DesiredRecord(
        record=RecordSet(name=original.name, type=original.type),
        complete=False,
        zone_id=state.plan.zone_id,
    )


def _from_template(stack: StackState, event: StackEvent) -> DesiredRecord | None:
    return stack.template.record_sets.get(event.logical_id) if stack.template else None


def _own_status(stack: StackState, event: StackEvent) -> StackState:
    if event.timestamp < stack.status_time:
        return stack
    if event.starts_operation:
        newest = {k: v for k, v in stack.newest.items() if v[0] >= event.timestamp}
        stack = replace(
            stack,
            operations=stack.operations + 1,
            started=event.timestamp,
            newest=newest,
            records={k: r for k, r in stack.records.items() if k in newest},
            existing=stack.existing | frozenset(stack.newest),
            first_error="",
        )
    return replace(stack, status=event.status, status_time=event.timestamp)


def _tree(
    state: State,
    event: ev.BaselineRead
    | ev.BaselineUnread
    | ev.RootDescribed
    | ev.RootUndescribed
    | ev.TemplateRead,
) -> State:
    match event:
        case ev.BaselineRead():
            return _baseline(state, event)
        case ev.BaselineUnread():
            return _tree_unread(state, "baseline")
        case ev.RootUndescribed():
            return _tree_unread(state, "describe")
        case ev.TemplateRead():
            stack = state.stacks.get(event.stack)
            asked = state.asked - {f"template:{event.stack}"}
            if stack is None:
                return replace(state, asked=asked)
            stack = replace(stack, template=event.template, template_for=stack.operations)
            return replace(state, asked=asked, stacks={**state.stacks, event.stack: stack})
        case ev.RootDescribed():
            return replace(
                state,
                asked=state.asked - {"describe"},
                failures=0,
                described=event.root,
                described_began=event.began,
                root=event.root if event.root.stack_id else state.root,
            )


def _tree_unread(state: State, asked: str) -> State:
    failures = state.failures + 1
    return replace(
        state,
        asked=state.asked - {asked},
        failures=failures,
        not_before=state.now + min(0.5 * 2 ** min(failures, 5), 10.0),
    )


def _baseline(state: State, event: ev.BaselineRead) -> State:
    ids = dict.fromkeys([event.root.stack_id, *event.existing]) if event.root.stack_id else {}
    return replace(
        state,
        asked=state.asked - {"baseline"},
        failures=0,
        baseline=ev.Switch.OFF if state.phase is Phase.DEPLOY_OFF else ev.Switch.ON,
        baseline_at=state.now,
        root=event.root if event.root.stack_id else state.root,
        described=None,
        news_at=state.now,
        stacks={
            stack_id: StackState(
                stack_id=stack_id,
                parent=event.parents.get(stack_id),
                existing=frozenset(event.existing.get(stack_id, ())),
                baseline=event.newest.get(stack_id),
            )
            for stack_id in ids
        },
    )


def _deploy(state: State, event: ev.DeployIntended | ev.DeployExited) -> State:
    key = f"deploy-{event.switch}"
    if isinstance(event, ev.DeployIntended):
        deploy, asked = Deploy(intended_at=state.now), state.asked | {key}
    else:
        before = state.deploys.get(event.switch)
        deploy = Deploy(
            intended_at=before.intended_at if before else state.now,
            exited_at=state.now,
            code=event.code,
            tail=event.tail,
            timed_out=event.timed_out,
        )
        asked = state.asked - {key}
    return replace(
        state, deploys={**state.deploys, event.switch: deploy}, asked=asked, news_at=state.now
    )


def is_taken(handovers: Iterable[Handover]) -> bool:
    """Whether CloudFormation has every one of them."""
    return all(h.stage in TAKEN_STAGES for h in handovers)
