"""Batches that are written while nothing is deployed: the lowered TTL, the proof, the preparation.

Each is written only where a fresh read shows the name as the run last left it, and fresh lists show
that the stack owns none of its record sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.stacks import NOT_OWNED
from route53_takeover.core.takeover.failure_reason import changed_by_another
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.queries import candidate_resources
from route53_takeover.core.takeover.step_context import tree_is_listed
from route53_takeover.core.timing import EARLY_PAUSE, PATIENCE, WRITE_FRESH

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import Change
    from route53_takeover.core.takeover.events import Purpose
    from route53_takeover.core.takeover.name_state import NameState, WrittenName
    from route53_takeover.core.takeover.stack_state import RecordResource
    from route53_takeover.core.takeover.state import State
    from route53_takeover.core.takeover.step_context import StepContext


def write_where_unchanged(
    context: StepContext, name: NameState, purpose: Purpose, changes: tuple[Change, ...]
) -> None:
    """Writes the batch in its turn, once a fresh read shows the name as the run last left it."""
    if not give_up_where_changed(context, name) and may_write(context, name):
        others = [other for other in context.state.names.values() if other.name != name.name]
        turn = max((other.wrote_at for other in others), default=0.0) + EARLY_PAUSE
        if context.state.now < turn:
            context.wake(turn)
        elif all(other.write is None for other in others):
            context.write(name, purpose, changes)


def give_up_where_changed(context: StepContext, name: NameState) -> bool:
    """Gives up where another writer changed, or deleted, a record set of the name."""
    changed = [h for h in name.handovers if h.stage is not RecordStatus.STANDING]
    if changed:
        context.give_up(changed_by_another(context.state, changed[0]))
    return bool(changed)


def is_seen_unchanged(context: StepContext, name: NameState) -> bool:
    """Whether a fresh read shows the name as the run last left it; reads it, or gives up."""
    return not give_up_where_changed(context, name) and _is_read(context, name)


def may_write(context: StepContext, name: WrittenName) -> bool:
    """Whether the name was read freshly, and the stack owns nothing; asks for what is missing."""
    if not _is_read(context, name):
        return False
    if context.state.now < name.not_before:
        context.wake(name.not_before)
    elif not has_no_patience_left(context) and tree_is_listed(context, within=WRITE_FRESH):
        if owned := owned_resources(context.state):
            context.give_up(f"the stack already owns {name.name} ({owned[0].logical_id})")
        else:
            return True
    return False


def is_readable(context: StepContext, name: WrittenName) -> bool:
    """Whether the name can be read and written, as far as it was tried; gives up where not."""
    if name.given_up:
        context.give_up(name.given_up)
    elif name.failures >= PATIENCE or name.attempts >= PATIENCE:
        context.give_up(f"Route 53 did not answer for {name.name} {PATIENCE} times in a row")
    else:
        return True
    return False


def _is_read(context: StepContext, name: WrittenName) -> bool:
    """Whether the name was read freshly, with no write under way; reads it, or gives up."""
    state = context.state
    if not is_readable(context, name):
        return False
    if (
        name.write is not None
        or name.read is None
        or not is_fresh(state, began=name.read.began, told=name.read.told, within=WRITE_FRESH)
    ):
        context.read(name, every=1.0)
    else:
        return True
    return False


def owned_resources(state: State) -> list[RecordResource]:
    """The tree's resources that have, or get, one of the records, or may have."""
    found = [
        resource
        for handover in state.handovers
        for resource in candidate_resources(state, handover)
    ]
    return [resource for resource in found if resource.status not in NOT_OWNED]


def has_no_patience_left(context: StepContext) -> bool:
    """The stacks cannot be listed: nothing is started that needs the list first."""
    if context.state.unlisted < PATIENCE:
        return False
    context.give_up(f"the stack's resources could not be listed {PATIENCE} times in a row")
    return True
