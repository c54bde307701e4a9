"""Changing records back that the run changed: TTLs, and what a strategy prepared, exactly.

At the end of a run that did not succeed; a prepared record as soon as the stack turns back without
having taken it, for the name must not lead to the new target meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.queries import candidate_resources, root_kind, was_deployed
from route53_takeover.core.takeover.step_context import tree_is_listed
from route53_takeover.core.timing import (
    LIST_FRESH,
    LIST_TRIES,
    READ_FRESH,
    WRITE_FRESH,
)

if TYPE_CHECKING:
    from route53_takeover.core.takeover.name_state import Handover, NameState
    from route53_takeover.core.takeover.state import State
    from route53_takeover.core.takeover.step_context import StepContext


def all_undone(context: StepContext) -> bool:
    """Changes back what is left changed; true once every name is as it is to stay."""
    undone = True
    for name in context.state.names.values():
        if name.write is None and not _changes(context.state, name):
            continue
        if name.is_tried_in_vain:
            continue  # said by the ending
        undone = False
        undo(context, name)
    return undone


def undo(context: StepContext, name: NameState) -> None:
    """Changes the name's records back once a fresh read and fresh lists allow it."""
    changes = _changes(context.state, name)
    if name.write is not None or not changes or name.is_tried_in_vain:
        return
    if name.read is None or not is_fresh(
        context.state, began=name.read.began, told=name.read.told, within=READ_FRESH
    ):
        context.read(name, every=1.0)
    elif context.state.now < name.not_before:
        context.wake(name.not_before)
    elif _may_undo(context):
        context.write(name, Purpose.UNDO, changes)


def is_to_undo_early(state: State, name: NameState) -> bool:
    """Whether the stack turns back and certainly never had a record that was prepared for it."""
    if root_kind(state) not in (StackPhase.ROLLING_BACK, StackPhase.ROLLED_BACK):
        return False
    prepared = [m.prepared for m in state.plan.manuals if m.prepared and m.key.name == name.name]
    left = [h for h in name.handovers if is_left_changed(h)]
    if not left or not was_deployed(state):
        return False
    return any(h.standing.same_as(each) for h in left for each in prepared) and all(
        m.status in ("CREATE_FAILED", "DELETE_COMPLETE") and m.initiated_at is None
        for h in left
        for m in candidate_resources(state, h)
    )


def is_left_changed(handover: Handover) -> bool:
    """Whether a manual record set stands otherwise than before the run."""
    return handover.stage in (
        RecordStatus.STANDING,
        RecordStatus.RESTORED,
    ) and not handover.standing.same_as(handover.original)


def _changes(state: State, name: NameState) -> tuple[Change, ...]:
    return tuple(
        change
        for h in name.handovers
        if is_left_changed(h) and not _may_be_the_stacks(state, h)
        for change in (Change.delete(h.standing), Change.create(h.original))
    )


def _may_be_the_stacks(state: State, handover: Handover) -> bool:
    """Whether the changed record may be CloudFormation's by now: then it is left as it is.

    An adoption that was cancelled, and whose rollback failed, leaves it to the stack.
    """
    return any(
        m.initiated_at is not None
        and m.status != "DELETE_COMPLETE"
        and (m.status != "CREATE_FAILED" or root_kind(state) is StackPhase.FAILED)
        for m in candidate_resources(state, handover)
    )


def _may_undo(context: StepContext) -> bool:
    """Whether no stack took a changed record meanwhile, as far as anybody can know.

    Where nothing was deployed yet and the stacks cannot be listed, it is changed back all the same:
    a compare-and-delete of our own record.
    """
    state = context.state
    if state.baseline is None and state.unlisted >= LIST_TRIES:
        return True
    within = WRITE_FRESH if state.baseline is None else LIST_FRESH
    return tree_is_listed(context, within=within)
