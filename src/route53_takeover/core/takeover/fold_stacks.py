"""Folding what CloudFormation says into the state: stack events, lists of resources, templates.

One state a stack, one a record set resource in it. Events may come late, twice or out of order;
what belongs to an earlier operation is recognised by AWS's own times and never counts. Nothing here
knows what a name holds: that is read, not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import RecordSet, normal_name
from route53_takeover.core.domain.stacks import (
    RECORD_SET,
    RECORD_SET_GROUP,
    STACK,
    StackPhase,
)
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import IN_PROGRESS, root_kind
from route53_takeover.core.takeover.stack_state import RecordResource, StackState
from route53_takeover.core.timing import TEMPLATE_PAUSE, backoff

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.domain.stacks import StackEvent, StackResource, StackTemplate
    from route53_takeover.core.takeover.state import State


_VERBS = {"CREATE": 0, "UPDATE": 1, "DELETE": 2}
"""In which order they come upon a resource in one operation."""


def polled(state: State, event: ev.StackPolled) -> State:
    if event.began < state.baseline_at:
        return state  # it read back beyond the baseline: another poll has started since
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
        stacks[polled] = replace(stacks[polled], polled=event.began, poll_told=event.time)
    return replace(state, stacks=stacks, root=root, news_at=state.now if fresh else state.news_at)


def _with_event(stack: StackState, event: StackEvent, now: float) -> StackState:
    stack = replace(stack, seen=stack.seen | {event.event_id})
    if event.timestamp <= stack.floor:
        return stack  # of an earlier operation, and only seen now
    if event.is_of_stack:
        return _own_status(stack, event, now)
    before = stack.newest.get(event.logical_id)
    if event.timestamp < stack.started or (before and not _is_newer(event, before)):
        return stack
    stack = replace(
        stack, newest={**stack.newest, event.logical_id: (event.timestamp, event.status)}
    )
    if event.status.endswith("_FAILED") and not stack.first_error and event.reason:
        stack = replace(stack, first_error=f"{event.logical_id}: {event.reason}")
    if event.resource_type == RECORD_SET_GROUP:
        return replace(stack, records=stack.records | _of_group(stack, event, now))
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
        desired=event.desired or _from_template(stack, event),
        reason=event.reason,
    )
    if resource.desired is None and known is not None:
        resource = replace(resource, desired=known.desired, guessed=known.guessed)
    return replace(stack, records={**stack.records, event.logical_id: resource})


def _is_newer(event: StackEvent, before: tuple[float, str]) -> bool:
    """Whether it tells of a later time, or at the same of a later state, than what was told before.

    AWS's times are in milliseconds, and events do not become visible in their order: the beginning
    of a create may be told after its end.
    """
    time, status = before
    return (event.timestamp, _stage_of_life(event.status)) >= (time, _stage_of_life(status))


def _stage_of_life(status: str) -> tuple[int, bool]:
    return _VERBS.get(status.partition("_")[0], 1), not status.endswith("_IN_PROGRESS")


def _of_group(stack: StackState, event: StackEvent, now: float) -> dict[str, RecordResource]:
    """The records of a group as an event tells them; those that it has lost are deleted.

    An update of the group is what creates a record that is new to it.
    """
    told = event.members or (stack.template.members.get(event.logical_id) if stack.template else ())
    status = event.status.replace("UPDATE_", "CREATE_", 1)
    gone = event.status if event.status.startswith("DELETE_") else "DELETE_COMPLETE"
    before = {
        k: r for k, r in stack.records.items() if r.group and r.logical_id == event.logical_id
    }
    if not told and before:
        return {key: replace(r, status=status, reason=event.reason) for key, r in before.items()}
    found = _members(stack.stack_id, event.logical_id, status, told or (None,), now)
    found = {
        key: replace(
            r,
            since=before[key].since if key in before and before[key].status == status else now,
            initiated_at=_initiated_at(before.get(key), event, status, now),
            reason=event.reason,
        )
        for key, r in found.items()
    }
    lost = {
        key: replace(r, status=gone, since=now) for key, r in before.items() if key not in found
    }
    return lost | found


def _initiated_at(
    before: RecordResource | None, event: StackEvent, status: str, now: float
) -> float | None:
    known = before.initiated_at if before is not None and before.status == status else None
    return known or (now if event.physical_id else None)


def _members(
    stack_id: str,
    logical_id: str,
    status: str,
    members: Iterable[DesiredRecord | None],
    now: float,
) -> dict[str, RecordResource]:
    """One resource for each record of a group, by the group's logical id and the record's key."""
    return {
        f"{logical_id}/{'' if desired is None else desired.record.key}": RecordResource(
            stack_id=stack_id,
            logical_id=logical_id,
            status=status,
            since=now,
            desired=desired,
            group=True,
        )
        for desired in members
    }


def _listed_group(
    stack: StackState, item: StackResource, now: float, *, undone: bool
) -> dict[str, RecordResource]:
    """A group as the stack's list shows it: its status, and what the template says is in it.

    Args:
        undone: the operation was rolled back: what an update added to the group is gone again.
    """
    status = item.status.replace("UPDATE_", "CREATE_", 1)
    is_as_before = undone and item.status == "UPDATE_COMPLETE"
    if is_as_before:
        status = "DELETE_COMPLETE"
    before = {k: r for k, r in stack.records.items() if r.group and r.logical_id == item.logical_id}
    had = now if item.physical_id else None
    if before:
        return {
            key: replace(
                r,
                status=status,
                since=r.since if r.status == status else now,
                initiated_at=(r.initiated_at if r.status == status else None) or had,
            )
            for key, r in before.items()
            if not r.status.startswith("DELETE_")
        }
    members = stack.template.members.get(item.logical_id, ()) if stack.template else ()
    if is_as_before or (not members and item.logical_id in stack.existing):
        return {}  # it was there before, and nothing says that it changed
    found = _members(stack.stack_id, item.logical_id, status, members or (None,), now)
    return {key: replace(r, initiated_at=had) for key, r in found.items()}


def resources(state: State, event: ev.ResourcesRead | ev.ResourcesUnread) -> State:
    """What a stack holds by its own list, which is ahead of its events."""
    if isinstance(event, ev.ResourcesUnread):
        return _tree_unread(replace(state, unlisted=state.unlisted + 1))
    stack = state.stacks.get(event.stack) or StackState(stack_id=event.stack)
    stacks = dict(state.stacks)
    records = dict(stack.records)
    undone = root_kind(state) in (StackPhase.ROLLED_BACK, StackPhase.ABSENT)
    for item in event.resources:
        if item.resource_type == STACK and item.physical_id and item.physical_id not in stacks:
            stacks[item.physical_id] = StackState(stack_id=item.physical_id, parent=event.stack)
        if item.resource_type == RECORD_SET_GROUP:
            records |= _listed_group(stack, item, state.now, undone=undone)
        if item.resource_type == RECORD_SET:
            known = records.get(item.logical_id)
            desired = known.desired if known and not known.guessed else None
            if stack.template is not None:
                desired = desired or stack.template.record_sets.get(item.logical_id)
            is_new = f"{event.stack} {item.logical_id}" not in state.plan.resources
            guess = _guessed(state, item.physical_id) if desired is None and is_new else None
            status = item.status
            if status == "UPDATE_COMPLETE" and (known is None or known.status.startswith("CREATE")):
                status = "CREATE_COMPLETE"
            same = known if known and known.status == status else None
            initiated_at = same.initiated_at if same else None
            records[item.logical_id] = RecordResource(
                stack_id=event.stack,
                logical_id=item.logical_id,
                status=status,
                since=same.since if same else state.now,
                initiated_at=initiated_at or (state.now if item.physical_id else None),
                desired=desired or guess,
                guessed=desired is None,
                reason=known.reason if known else "",
            )
    listed = {item.logical_id for item in event.resources}
    for logical_id, known in records.items():
        is_coming = (
            known.status == "CREATE_IN_PROGRESS" and not undone
        )  # the list may lag behind it
        if known.logical_id not in listed and event.began > known.since and not is_coming:
            records[logical_id] = replace(known, status="DELETE_COMPLETE", since=state.now)
    stacks[event.stack] = replace(stack, records=records, listed=event.began, told=event.time)
    return replace(state, failures=0, unlisted=0, stacks=stacks)


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


def _resolved(resource: RecordResource, template: StackTemplate | None) -> RecordResource:
    """A resource of which only the name was known, with what the template says of it."""
    desired = template.record_sets.get(resource.logical_id) if template else None
    if not resource.guessed or desired is None:
        return resource
    return replace(resource, desired=desired, guessed=False)


def _from_template(stack: StackState, event: StackEvent) -> DesiredRecord | None:
    return stack.template.record_sets.get(event.logical_id) if stack.template else None


def _own_status(stack: StackState, event: StackEvent, now: float) -> StackState:
    begins = not stack.operations or event.timestamp > stack.started
    if event.starts_operation and begins:  # also one that is told after what followed it
        newest = {k: v for k, v in stack.newest.items() if v[0] >= event.timestamp}
        stack = replace(
            stack,
            operations=stack.operations + 1,
            started=event.timestamp,
            newest=newest,
            records={
                # What is in progress may have been so in the operation before: the hold is not.
                k: replace(r, since=now) if stack.operations else r
                for k, r in stack.records.items()
                if r.logical_id in newest
            },
            existing=stack.existing | (frozenset(stack.newest) - newest.keys()),
            first_error=stack.first_error if stack.status_time > event.timestamp else "",
        )
    is_same_time = event.timestamp == stack.status_time and not event.starts_operation
    begins_what_ended = event.status.endswith("_IN_PROGRESS") and stack.kind not in IN_PROGRESS
    if event.timestamp < stack.status_time or (is_same_time and stack.status and begins_what_ended):
        return stack
    return replace(stack, status=event.status, status_time=event.timestamp)


def tree(
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
        case ev.BaselineUnread() | ev.RootUndescribed():
            return _tree_unread(state)
        case ev.TemplateRead():
            stack = state.stacks.get(event.stack)
            if stack is None:
                return state
            stack = _with_template(stack, event.template, state.now)
            return replace(state, stacks={**state.stacks, event.stack: stack})
        case ev.RootDescribed():
            return replace(
                state,
                failures=0,
                described=event.root,
                described_began=event.began,
                root=event.root if event.root.stack_id else state.root,
            )


def _with_template(stack: StackState, template: StackTemplate | None, now: float) -> StackState:
    if template is None:
        failures = stack.template_failures + 1
        pause = backoff(failures, first=1.0, most=TEMPLATE_PAUSE)
        return replace(stack, template=None, template_failures=failures, template_after=now + pause)
    return replace(
        stack,
        template=template,
        template_for=stack.operations,
        template_failures=0,
        records={
            key: known
            for k, r in stack.records.items()
            for key, known in _with_members(k, _resolved(r, template), template).items()
        },
    )


def _with_members(
    key: str, known: RecordResource, template: StackTemplate
) -> dict[str, RecordResource]:
    """A group of which nothing was known, with the records that its template tells."""
    members = template.members.get(known.logical_id)
    if not known.group or known.desired is not None or not members:
        return {key: known}
    found = _members(known.stack_id, known.logical_id, known.status, members, known.since)
    return {k: replace(r, initiated_at=known.initiated_at) for k, r in found.items()}


def _tree_unread(state: State) -> State:
    failures = state.failures + 1
    return replace(
        state,
        failures=failures,
        not_before=state.now + backoff(failures, first=1.0, most=10.0),
    )


def _baseline(state: State, event: ev.BaselineRead) -> State:
    ids = dict.fromkeys([event.root.stack_id, *event.existing]) if event.root.stack_id else {}
    return replace(
        state,
        failures=0,
        baseline=Switch.OFF if state.phase is Phase.DEPLOY_OFF else Switch.ON,
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
                floor=event.until.get(stack_id, 0.0),
            )
            for stack_id in ids
        },
    )
