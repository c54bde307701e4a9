"""Tending the names while CloudFormation may be creating: release, restore, and reads.

A name is released when its moment is due, and put back when something says that CloudFormation
will not create its record, or has taken it away again: the deadman, a rollback, a clean-up. Reads
of the name decide where there are any; events are hints that come late. A restore depends on
neither: it is a CREATE, which cannot overwrite anything, so once it is due it is sent again and
again until a read shows a record, whatever reads and events do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import Change, normal_name
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover.events import Purpose, Switch
from route53_takeover.core.takeover.failure_reason import cause_of
from route53_takeover.core.takeover.fold_writes import applied
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.queries import (
    IN_PROGRESS,
    deadman,
    is_ours_to_fill,
    matching_resources,
    root_kind,
)
from route53_takeover.core.takeover.release_gate import Condition, release_gates
from route53_takeover.core.takeover.state import (
    ABSENT_STAGES,
    LIVE,
    TAKEN_STAGES,
    Phase,
    RecordStatus,
)
from route53_takeover.core.takeover.step_context import ask_list, ask_template
from route53_takeover.core.timing import (
    ACTIVE,
    CLOSE_READ,
    GAP_READ,
    GOING_READ,
    GUARD_READ,
    HOT,
    IDLE,
    IDLE_READ,
    LIST_PACE,
    READ_FRESH,
    RESTORE_PATIENCE,
    UNANSWERED,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.takeover.state import NameState, StackState, State
    from route53_takeover.core.takeover.step_context import StepContext

_SOUND = frozenset({StackPhase.FORWARD, StackPhase.SUCCEEDED})
"""What a root stack is like that is not about to delete what it created."""


def advance_names(context: StepContext) -> None:
    """Does what is due for every name, and finds the phase that follows from it."""
    for switch, deploy in context.state.deploys.items():
        if deploy.exited_at is None:
            context.ask(cmd.RejoinDeploy(switch=switch))
    for stack in context.state.stacks.values():
        if stack.kind is StackPhase.FORWARD and stack.template_for != stack.operations:
            ask_template(context, stack)
    for name in context.state.names.values():
        _advance_name(context, name)
    _find_phase(context)


def _advance_name(context: StepContext, name: NameState) -> None:
    name = _give_unknown_up(context, name)
    if name.write is not None:
        if name.write.unknown_since is not None:
            context.read(name, every=CLOSE_READ)
        return
    name = _arm(context, name)
    if _must_restore(context, name):
        cause = name.cause if name.restoring else cause_of(context.state, name)
        name = context.put(replace(name, restoring=True, cause=cause))
        _restore(context, name)
    elif _may_be_deleted_unseen(context.state, name):
        _restore(context, name)
    else:
        _release_when_due(context, name)
    every = _read_pace(context.state, context.state.names[name.name])
    if every is not None:
        context.read(context.state.names[name.name], every=every)


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
    """The deadman also runs for a record that somebody else deleted while it was awaited."""
    if name.is_absent and name.deadman_at is None:
        return context.put(
            replace(name, deadman_at=deadman(context.state, name, context.state.now))
        )
    return name


# -- restore


def _must_restore(context: StepContext, name: NameState) -> bool:
    """Whether the name is empty and CloudFormation is not going to fill it."""
    state = context.state
    if not name.is_absent or not is_ours_to_fill(state, name):
        return False
    if name.restoring or any(h.stage is RecordStatus.LOST for h in name.handovers):
        return True
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
    if name.deadman_at is None or state.now >= name.deadman_at:
        return True
    context.wake(name.deadman_at)
    return False


def _may_be_deleted_unseen(state: State, name: NameState) -> bool:
    """Whether the stack may be deleting what it created, while no read can tell.

    To create the record is how to find out then: it fails where CloudFormation's still stands.
    """
    if root_kind(state) in _SOUND or not any(h.stage in TAKEN_STAGES for h in name.handovers):
        return False
    read = name.read
    told = read is not None and is_fresh(
        state, began=read.began, told=read.told, within=READ_FRESH + CLOSE_READ
    )
    return name.failures > 0 and not told


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
        if gate.unmet == (Condition.DISOWNED,):
            since = max(gate.held_at, context.state.now - LIST_PACE)
            if context.state.stacks[gate.resource.stack_id].listed < since:
                ask_list(context, gate.resource.stack_id, urgent=True)


def _read_pace(state: State, name: NameState) -> float | None:
    if name.write is not None:
        return None
    if name.is_absent:
        return GAP_READ if is_ours_to_fill(state, name) else GUARD_READ
    if any(True for _ in release_gates(state, name)):
        return CLOSE_READ
    kind = root_kind(state)
    if all(h.stage in (RecordStatus.STANDING, RecordStatus.CHANGED) for h in name.handovers):
        if (
            kind is StackPhase.FORWARD
        ):  # another writer may delete it meanwhile, and the gap is measured
            return min(max(GOING_READ, len(state.names)), GUARD_READ)
        if kind in IN_PROGRESS:
            return CLOSE_READ  # CloudFormation may, though no event told that it had it
        if state.baseline is not Switch.ON:
            return None
        is_old = name.read is None or name.read.began < state.news_at
        return 0.0 if is_old else IDLE_READ  # one read that was stale must not be the last
    if kind not in (StackPhase.FORWARD, StackPhase.SUCCEEDED):
        return CLOSE_READ  # it is being deleted, or was
    if kind is StackPhase.SUCCEEDED and (name.read is None or name.read.began < state.news_at):
        return 0.0  # a clean-up that no poll showed may have deleted it
    return GUARD_READ


# -- the phase


def _find_phase(context: StepContext) -> None:
    target = _phase_of(context.state)
    if context.state.phase is not target:
        context.move(target)


def _phase_of(state: State) -> Phase:
    taken = all(h.stage in TAKEN_STAGES for h in state.handovers)
    if taken and root_kind(state) in (
        StackPhase.FORWARD,
        StackPhase.CLEANING,
        StackPhase.SUCCEEDED,
    ):
        return Phase.GUARD
    if (
        state.given_up
        or any(name.restoring for name in state.names.values())
        or ((state.interrupts or state.journal_lost) and not state.ever_released)
        or state.phase is Phase.RESTORE
    ):
        return Phase.RESTORE
    writes = [n.write for n in state.names.values() if n.write is not None]
    if any(w.purpose is Purpose.RELEASE for w in writes):
        return Phase.RELEASE
    if any(name.is_absent for name in state.names.values()):
        return Phase.CONFIRM
    if taken:
        return Phase.GUARD
    return Phase.WATCH


# -- what to poll


class Watch(Struct, frozen=True, kw_only=True):
    """How one stack is to be polled.

    Attributes:
        stack: its id; the root's name while it has none.
        after: the event to read back to; ``None``: the start of its current operation.
        every: seconds between polls.
        tell_all: polls without news matter too: they say that what is known is fresh.
        urgent: they go before those of other stacks, which the budget of calls may delay by far.
    """

    stack: str
    after: str | None
    every: float
    tell_all: bool
    urgent: bool = False


def watches(state: State) -> tuple[Watch, ...]:
    """The stacks to poll now, and how often. Empty while nothing is deployed."""
    deploying = state.phase in (Phase.DEPLOY_OFF, Phase.DEPLOY_ON, Phase.VERIFY)
    if state.baseline is None or not (deploying or state.phase in LIVE):
        return ()
    if state.phase is Phase.DEPLOY_ON and state.baseline is not Switch.ON:
        return ()  # what is known is the first deploy's
    hot = _hot_stacks(state)
    expecting = (state.stacks[each] for each in state.plan.expecting if each in state.stacks)
    urgent = hot | _with_all_above(state, expecting)
    root = state.root_stack
    if root is None:
        root_id = state.root.stack_id or state.plan.options.stack
        return (Watch(stack=root_id, after=None, every=ACTIVE, tell_all=False),)
    at_work = root.kind in IN_PROGRESS
    working = {s.stack_id: s for s in state.stacks.values() if _is_working(state, s)}
    parents = {s.parent for s in working.values()}
    found = []
    for stack in state.stacks.values():
        is_root = stack.stack_id == root.stack_id
        if not (is_root or (at_work and stack.stack_id in working) or stack.stack_id in hot):
            continue
        is_leaf = stack.stack_id in working and stack.stack_id not in parents
        every = ACTIVE if is_leaf or (is_root and _is_awaited(state, stack)) else IDLE
        found.append(
            Watch(
                stack=stack.stack_id,
                after=stack.baseline,
                every=HOT if stack.stack_id in hot else every,
                tell_all=stack.stack_id in hot,
                urgent=stack.stack_id in urgent,
            )
        )
    return tuple(found)


def _is_awaited(state: State, root: StackState) -> bool:
    """Whether our own deploy runs and the stack has not begun: its record may come soon."""
    deploy = state.deploys.get(state.baseline) if state.baseline else None
    return root.operations == 0 and deploy is not None and deploy.exited_at is None


def _is_working(state: State, stack: StackState) -> bool:
    """Whether the stack is in progress, or its turn in its parent's operation is still to come."""
    parent = state.stacks.get(stack.parent or "")
    if (
        stack.kind is StackPhase.CLEANING
        and parent is not None
        and parent.kind is StackPhase.FORWARD
    ):
        return False  # done, but for the clean-up that waits for its root
    if stack.kind in IN_PROGRESS:
        return True
    if parent is None or parent.kind not in IN_PROGRESS:
        return False
    return stack.kind is StackPhase.ABSENT or stack.status_time < parent.started


def _hot_stacks(state: State) -> frozenset[str]:
    """The stacks of the moment: those of a record being created or about to be, and the root."""
    return _with_all_above(
        state,
        (
            stack
            for stack in state.stacks.values()
            if stack.kind is StackPhase.FORWARD
            and (any(_is_settling(state, stack)) or _is_imminent(state, stack))
        ),
    )


def _with_all_above(state: State, stacks: Iterable[StackState]) -> frozenset[str]:
    found: set[str] = set()
    for stack in stacks:
        at: str | None = stack.stack_id
        while at in state.stacks and at not in found:
            found.add(at)
            at = state.stacks[at].parent
    return frozenset(found)


def _is_settling(state: State, stack: StackState) -> Iterator[bool]:
    for resource in stack.records.values():
        if resource.status == "CREATE_IN_PROGRESS" and resource.desired is not None:
            name = state.names.get(normal_name(resource.desired.record.name))
            yield name is not None and not name.restoring and not name.given_up


def _is_imminent(state: State, stack: StackState) -> bool:
    """Whether all that a record of ours depends on is complete, and it has not begun."""
    if stack.template is None:
        return False
    for logical_id, desired in stack.template.record_sets.items():
        if logical_id in stack.newest or logical_id in stack.existing:
            continue
        if desired is not None and normal_name(desired.record.name) not in state.names:
            continue
        waits_for = stack.template.depends.get(logical_id, frozenset())
        if all(_is_complete(stack, other) for other in waits_for):
            return True
    return False


def _is_complete(stack: StackState, logical_id: str) -> bool:
    if logical_id in stack.newest:
        return stack.newest[logical_id][1].endswith("_COMPLETE")
    return logical_id in stack.existing
