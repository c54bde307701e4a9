"""Tending the names while CloudFormation may be creating: release, restore, and reads.

A name is released when its moment is due, and put back when something says that CloudFormation
will not create its record, or has taken it away again: the deadman, a rollback, a clean-up. Reads
of the name decide where there are any; events are hints that come late. A restore depends on
neither: it is a CREATE, which cannot overwrite anything, so once it is due it is sent again and
again until a read shows a record, whatever reads and events do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover.cloud_deadman import start_before_release, tend_deadmen
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.failure_reason import cause_of
from route53_takeover.core.takeover.fold_writes import applied
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.helper_queries import is_covered
from route53_takeover.core.takeover.name_state import ABSENT_STAGES, TAKEN_STAGES, RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.polling import read_pace
from route53_takeover.core.takeover.preparation import build_under
from route53_takeover.core.takeover.queries import (
    deadman,
    is_group_kept_back,
    is_ours_to_fill,
    matching_resources,
    root_kind,
    was_deployed,
)
from route53_takeover.core.takeover.release_gate import BY_LOOKING, Condition, release_gates
from route53_takeover.core.takeover.step_context import ask_list, ask_template
from route53_takeover.core.takeover.undo import is_to_undo_early, undo
from route53_takeover.core.timing import (
    CLOSE_READ,
    LATE,
    LIST_PACE,
    READ_FRESH,
    RESTORE_PATIENCE,
    UNANSWERED,
)

if TYPE_CHECKING:
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.state import State
    from route53_takeover.core.takeover.step_context import StepContext

_TURNED = frozenset({StackPhase.ROLLING_BACK, StackPhase.ROLLED_BACK, StackPhase.FAILED})
_SOUND = frozenset({StackPhase.FORWARD, StackPhase.SUCCEEDED})
"""What a root stack is like that is not about to delete what it created."""


def advance_names(context: StepContext) -> None:
    """Does what is due for every name, and finds the phase that follows from it."""
    for switch, deploy in context.state.deploys.items():
        if deploy.exited_at is None:
            context.ask(cmd.RejoinDeploy(switch=switch))
    for stack in context.state.stacks.values():
        if stack.template_for != stack.operations and stack.kind is StackPhase.FORWARD:
            ask_template(context, stack)
    for name in context.state.names.values():
        _advance_name(context, name)
    tend_deadmen(context)
    _find_phase(context)


def _advance_name(context: StepContext, name: NameState) -> None:
    name = _give_unknown_up(context, name)
    if name.write is not None:
        return
    if (is_absent := name.is_absent) and not is_covered(context.state, name):
        name = _arm(context, name)
    if is_absent and _must_restore(context, name):
        cause = name.cause if name.restoring else cause_of(context.state, name)
        name = context.put(replace(name, restoring=True, cause=cause))
        _restore(context, name)
    elif _may_be_deleted_unseen(context.state, name):
        _restore(context, name)
    elif is_to_undo_early(context.state, name):
        undo(context, name)
    else:
        _release_when_due(context, name)
    _expect_read(context, context.state.names[name.name])


def _expect_read(context: StepContext, name: NameState) -> None:
    """Wakes where the next read is overdue: the process may have been stopped (`freshness`)."""
    every = read_pace(context.state, name)
    if every is not None:
        began = name.read.began if name.read else 0.0
        context.wake(max(began + every, name.read_after) + LATE)


def _give_unknown_up(context: StepContext, name: NameState) -> NameState:
    """A DELETE of unknown fate that no read can settle: to be safe the name counts as empty.

    At the latest when the deadman would have fired, had the DELETE been accepted as it was sent.
    """
    write = name.write
    if write is None or write.unknown_since is None or write.purpose is not Purpose.RELEASE:
        return name
    if write.present_since is not None and name.failures == 0:
        return name  # reads show the record: they will settle it
    due = min(write.sent + UNANSWERED, deadman(context.state, name, write.sent))
    if context.state.now < due and (
        root_kind(context.state) is StackPhase.FORWARD or name.failures == 0
    ):
        context.wake(due)
        return name
    return context.put(applied(context.state, name, write, at=write.sent, change_id=None))


def _arm(context: StepContext, name: NameState) -> NameState:
    """The deadman also runs for a record that another writer deleted while it was awaited."""
    if name.deadman_at is None:
        return context.put(
            replace(name, deadman_at=deadman(context.state, name, context.state.now))
        )
    return name


# -- restore


def _must_restore(context: StepContext, name: NameState) -> bool:
    """Whether CloudFormation is not going to fill an empty name."""
    state = context.state
    if not is_ours_to_fill(state, name):
        return False
    if name.restoring or any(h.stage is RecordStatus.LOST for h in name.handovers):
        return True
    if is_covered(state, name):
        return _is_abandoned(state, name)
    if root_kind(state) is not StackPhase.FORWARD:
        return True
    for handover in name.handovers:
        if handover.stage not in ABSENT_STAGES:
            continue
        for match in matching_resources(state, handover):
            stack = state.stacks[match.stack_id]
            if stack.kind is not StackPhase.FORWARD or match.status not in (
                "CREATE_IN_PROGRESS",
                "CREATE_COMPLETE",
            ):
                return True
            if is_group_kept_back(state, match):
                return True
    if name.deadman_at is None or state.now >= name.deadman_at:
        return True
    context.wake(name.deadman_at)
    return False


def _is_abandoned(state: State, name: NameState) -> bool:
    """Whether CloudFormation will not fill a name that helper records answer for.

    There is no hurry: at the latest the end of the operation tells.
    """
    if state.phase is Phase.RESTORE:
        return True
    if was_deployed(state) and root_kind(state) in _TURNED:
        return True
    return any(
        m.status not in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
        for h in name.handovers
        if h.stage in ABSENT_STAGES
        for m in matching_resources(state, h)
    )


def _may_be_deleted_unseen(state: State, name: NameState) -> bool:
    """Whether the stack may be deleting what it created, while no read can tell.

    To create the record is how to find out then: it fails where CloudFormation's still stands.
    """
    if not name.failures or root_kind(state) in _SOUND:
        return False
    read = name.read
    told = read is not None and is_fresh(
        state, began=read.began, told=read.told, within=READ_FRESH + CLOSE_READ
    )
    return not told and any(h.stage in TAKEN_STAGES for h in name.handovers)


def _restore(context: StepContext, name: NameState) -> None:
    """Sends the CREATE, unless the pause after the last one still lasts.

    All record sets of the name in one batch at first. Once that was refused, each by itself in
    turn: one that stands already must not keep another from being created.
    """
    if context.state.now < name.not_before:
        context.wake(name.not_before)
        return
    missing = [h for h in name.handovers if h.stage in ABSENT_STAGES] or [
        h for h in name.handovers if h.stage in TAKEN_STAGES
    ]
    if name.restores_refused and len(missing) > 1:
        missing = [missing[name.restores_refused % len(missing)]]
    patience = RESTORE_PATIENCE[min(name.restores_lost, len(RESTORE_PATIENCE) - 1)]
    changes = tuple(Change.create(h.original) for h in missing)
    context.write(name, Purpose.RESTORE, changes, patience=patience)


# -- release


def _release_when_due(context: StepContext, name: NameState) -> None:
    for gate in release_gates(context.state, name):
        if gate.is_open:
            changes = tuple(Change.delete(record) for record in gate.deletes)
            context.write(name, Purpose.RELEASE, changes)
            return
        context.wake(gate.held_at)
        context.wake(name.not_before)
        start_before_release(
            context, name, unmet=gate.unmet, held_at=gate.held_at, records=gate.deletes
        )
        if Condition.BRIDGED in gate.unmet and gate.resource.initiated_at is None:
            build_under(context, name)
        if Condition.STATUS in gate.unmet and BY_LOOKING.issuperset(gate.unmet):
            context.wake(context.state.not_before)
            if context.state.now >= context.state.not_before:
                context.ask(cmd.DescribeRoot())
        if {*gate.unmet} - {Condition.CLOUD_DEADMAN} == {Condition.DISOWNED}:
            since = max(gate.held_at, context.state.now - LIST_PACE)
            if context.state.stacks[gate.resource.stack_id].listed < since:
                ask_list(context, gate.resource.stack_id, urgent=True)


# -- the phase


def _find_phase(context: StepContext) -> None:
    target = _phase_of(context.state)
    if context.state.phase is not target:
        context.move(target)


def _phase_of(state: State) -> Phase:
    names = state.names.values()
    taken = all(h.stage in TAKEN_STAGES for name in names for h in name.handovers)
    if taken and root_kind(state) in (
        StackPhase.FORWARD,
        StackPhase.CLEANING,
        StackPhase.SUCCEEDED,
    ):
        return Phase.GUARD
    if (
        state.given_up
        or any(name.restoring for name in names)
        or ((state.interrupts or state.journal_lost) and not state.ever_released)
        or state.phase is Phase.RESTORE
    ):
        return Phase.RESTORE
    if any(n.write is not None and n.write.purpose is Purpose.RELEASE for n in names):
        return Phase.RELEASE
    if any(name.is_absent and not is_covered(state, name) for name in names):
        return Phase.CONFIRM
    if taken:
        return Phase.GUARD
    return Phase.WATCH
