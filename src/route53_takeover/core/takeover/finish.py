"""What strategies remove at the end: helper records, and the last manual member of a group.

Helper records go once every name that they answer for has a record of its own on every name
server. A manual member goes once the stack is complete and at rest, after the steps of weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import Change, conflict
from route53_takeover.core.plan.strategies.weighted import with_weight
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.name_state import TAKEN_STAGES, HelperStatus
from route53_takeover.core.takeover.preparation import await_insync
from route53_takeover.core.takeover.queries import is_missed, matching_resources
from route53_takeover.core.timing import INSYNC_ASSUMED, READ_FRESH

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.name_state import (
        Handover,
        HelperState,
        NameState,
        WrittenName,
    )
    from route53_takeover.core.takeover.state import State
    from route53_takeover.core.takeover.step_context import StepContext


def helpers_removed(context: StepContext) -> bool:
    """Removes the helper records; true once none of the run's stands, or no more can be done."""
    waiting = [h for h in context.state.helpers.values() if not _is_removed(context, h)]
    return not waiting


def left_helpers(state: State) -> list[HelperState]:
    """The helper records that still stand, or may."""
    return [
        helper
        for helper in state.helpers.values()
        if helper.stage in (HelperStatus.STANDING, HelperStatus.CHANGED) or helper.write is not None
    ]


def members_removed(context: StepContext) -> bool:
    """Moves the weight step by step, and deletes the manual members; true once they are gone."""
    waiting = [
        name
        for name in context.state.names.values()
        for handover in name.handovers
        if not _is_retired(context, name, handover)
    ]
    return not waiting


def left_members(state: State) -> list[Handover]:
    """The manual members that stand beside the stack's."""
    return [h for h in state.handovers if h.stage in TAKEN_STAGES and is_member(h)]


def is_member(handover: Handover) -> bool:
    """Whether it stands as a member of a group that the run made, as far as it knows."""
    standing = handover.standing
    return standing.is_routed and not handover.original.is_routed and handover.removed_at is None


def _is_removed(context: StepContext, helper: HelperState) -> bool:
    if helper.stage is not HelperStatus.STANDING and helper.write is None:
        return True
    if helper.is_tried_in_vain:
        return True  # said by the ending
    if helper.write is not None:
        context.read(helper, every=1.0)
        return False
    names = [context.state.names[name] for name in helper.covers]
    if any(is_missed(context.state, name) or name.write is not None for name in names):
        return False
    ready = [_is_everywhere(context, name) and is_due(context, name) for name in names]
    if all(ready) and is_due(context, helper):
        deletes = tuple(Change.delete(record) for record in helper.records)
        context.write(helper, Purpose.REMOVE, deletes)
    return False


def _is_everywhere(context: StepContext, name: NameState) -> bool:
    """Whether every name server has the name's own record, or must have."""
    created = [h.created_at for h in name.handovers if h.created_at is not None]
    until = max(created, default=0.0) + INSYNC_ASSUMED  # its change id is CloudFormation's
    context.wake(until)
    return await_insync(context, name) and context.state.now >= until


def _is_retired(context: StepContext, name: NameState, handover: Handover) -> bool:
    """Whether the manual member is gone, or no more can be done about it."""
    name = context.state.names[name.name]  # another member's batch may have been asked for
    if not is_member(handover) or handover.stage not in TAKEN_STAGES or name.is_tried_in_vain:
        return True
    if name.write is not None:
        context.read(name, every=1.0)
        return False
    state = context.state
    manual = state.plan.manual(handover.original)
    weights = manual.weights
    every = state.plan.options.weight_every
    since = handover.weighed_at or handover.created_at or state.now
    due = since + every if handover.steps_done and not name.restoring else since
    if name.restoring and handover.standing.same_as(manual.prepared):
        return True  # the operator asked for it: the manual member answers as before
    if state.now < due:
        context.wake(due)
        return False
    if not is_due(context, name):
        return False
    name = context.state.names[name.name]
    if not _stands_beside(context.state, name, handover):
        return True  # another writer changed one of the two: it is left as it is
    if name.restoring and manual.prepared is not None:
        changes = (Change.delete(handover.standing), Change.create(manual.prepared))
        context.write(name, Purpose.WEIGH, changes)
    elif handover.steps_done < len(weights):
        lighter = with_weight(handover.standing, weights[handover.steps_done])
        changes = (Change.delete(handover.standing), Change.create(lighter))
        context.write(name, Purpose.WEIGH, changes)
    else:
        context.write(name, Purpose.REMOVE, (Change.delete(handover.standing),))
    return False


def is_due(context: StepContext, name: WrittenName) -> bool:
    """Whether the name was just read, and nothing keeps it from being written."""
    read = name.read
    if read is None or not is_fresh(
        context.state, began=read.began, told=read.told, within=READ_FRESH
    ):
        context.read(name, every=1.0)
    elif context.state.now < name.not_before:
        context.wake(name.not_before)
    else:
        return True
    return False


def _stands_beside(state: State, name: NameState, handover: Handover) -> bool:
    """Whether the last read shows the manual member and the stack's beside it."""
    here = name.read.records if name.read else ()
    wanted = [m.desired.record for m in matching_resources(state, handover) if m.desired]
    return any(r.same_as(handover.standing) for r in here) and any(
        _is_theirs(record, wanted) for record in here if not conflict(record, handover.standing)
    )


def _is_theirs(record: RecordSet, wanted: list[RecordSet]) -> bool:
    return any(each.key == record.key for each in wanted)
