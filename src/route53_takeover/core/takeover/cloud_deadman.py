"""Starting and stopping the deadmen in AWS (``--cloud-deadman``), which restore if this run cannot.

It is proven with the real role before anything is deployed with the switch on, started right before
a release, which waits for it, and stopped once every name has its record for good. A later one
takes the place of one that would fire too early, and is started before that is stopped. What is
left running ends by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.plan.cloud_deadman import execution_name, needs_deadman
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover.commands import Subject
from route53_takeover.core.takeover.deadman_state import (
    CloudDeadman,
    DeadmanStatus,
    due_at,
    is_timed,
    open_deadmen,
    running,
    superseded,
)
from route53_takeover.core.takeover.name_state import ABSENT_STAGES
from route53_takeover.core.takeover.queries import is_missed
from route53_takeover.core.takeover.release_gate import Condition
from route53_takeover.core.timing import (
    CLOUD_LATE,
    CLOUD_LEAD,
    CLOUD_PATIENCE,
    CLOUD_SLACK,
    CLOUD_TESTS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.state import State
    from route53_takeover.core.takeover.step_context import StepContext

_SOON = frozenset(
    {
        Condition.CLOUD_DEADMAN,
        Condition.HOLD,
        Condition.READ,
        Condition.EVENTS,
        Condition.STATUS,
        Condition.DISOWNED,
        Condition.PAUSE,
    }
)
"""What a release still waits for when the deadman in AWS is started: it comes by itself, soon."""


def deadmen_proven(context: StepContext) -> bool:
    """Whether the real role could restore every name, as far as it needs to; tests what is not."""
    waiting = False
    for name in context.state.names.values():
        if not needs_deadman(context.state.plan, name.name) or name.deadman_proven:
            continue
        waiting = True
        if name.given_up:
            context.give_up(f"{display_name(name.name)}: {name.given_up}")
        elif context.state.now < name.deadman_not_before:
            context.wake(name.deadman_not_before)
        elif _tests_under_way(context.state) < CLOUD_TESTS:
            context.ask(cmd.TestDeadman(name=name.name))
    return not waiting


def _tests_under_way(state: State) -> int:
    return sum(each.subject is Subject.DEADMAN_TEST for each in state.in_flight)


def start_before_release(
    context: StepContext,
    name: NameState,
    *,
    unmet: Sequence[Condition],
    held_at: float,
    records: Iterable[RecordSet],
) -> None:
    """Starts what a release that is about to come waits for."""
    if Condition.CLOUD_DEADMAN not in unmet or not _SOON.issuperset(unmet):
        return
    if context.state.now < held_at - CLOUD_LEAD:
        context.wake(held_at - CLOUD_LEAD)
        return
    keys = {record.key for record in records}
    released_at = max(held_at, context.state.now)
    originals = [h.original for h in name.handovers if h.standing.key in keys]
    _start_where_due(context, name, originals, due_at(context.state, name, released_at))


def tend_deadmen(context: StepContext) -> None:
    """Finds out what is not known of them, and replaces those that fire at the wrong time."""
    for each in open_deadmen(context.state):
        if each.status is DeadmanStatus.UNKNOWN and each.failures < CLOUD_PATIENCE:
            _when_due(context, each, cmd.FindDeadman(id=each.id, name=each.name))
    for each in superseded(context.state):
        if each.failures < CLOUD_PATIENCE:
            _when_due(context, each, cmd.StopDeadman(id=each.id, name=each.name))
    for name in context.state.names.values():
        if name.restoring or not needs_deadman(context.state.plan, name.name):
            continue
        if is_missed(context.state, name) and name.was_released:
            gone = [h.original for h in name.handovers if h.stage in ABSENT_STAGES]
            due = due_at(context.state, name, context.state.now)
            _start_where_due(context, name, gone, due, late=due + CLOUD_LATE)


def _start_where_due(
    context: StepContext,
    name: NameState,
    records: Iterable[RecordSet],
    due: float,
    *,
    late: float = float("inf"),
) -> None:
    """Starts one for each record set that has none which fires then."""
    state = context.state
    is_given_up = name.given_up or name.deadman_failures >= CLOUD_PATIENCE
    if is_given_up or not name.deadman_proven or state.journal_lost:
        return
    for record in records:
        mine = [d for d in open_deadmen(context.state) if d.record == record]
        if any(d.status in (DeadmanStatus.STARTING, DeadmanStatus.UNKNOWN) for d in mine):
            continue
        newest = running(context.state, record)
        if newest is not None and _fires_in_time(state, name, newest, due, late):
            continue
        if state.now < name.deadman_not_before:
            context.wake(name.deadman_not_before)
        else:
            _start(context, name, record, due + CLOUD_SLACK - state.now)


def _fires_in_time(
    state: State, name: NameState, deadman: CloudDeadman, due: float, late: float
) -> bool:
    """In the gap the one that the release waited for is good enough, but for an extension.

    One of an earlier process never is: see `is_timed`.
    """
    if not is_timed(state, deadman):
        return False
    if name.covered_by and name.is_absent:
        return True  # as it was started; the wildcard answers
    if not name.is_absent and deadman.sent < state.awake_since:
        return False  # a release needs one that was started since the process was last stopped
    early = CLOUD_SLACK if name.is_absent else 0.0
    return due - early <= deadman.fires_at <= late


def _start(context: StepContext, name: NameState, record: RecordSet, seconds: float) -> None:
    state = context.state
    number = state.writes + 1
    id_ = execution_name(state.run, context.life + str(number))
    deadman = CloudDeadman(
        id=id_,
        name=name.name,
        record=record,
        seconds=float(round(seconds)),
        sent=state.now,
        resumes=state.resumes,
    )
    context.state = replace(state, writes=number, deadmen={**state.deadmen, id_: deadman})
    context.commands.append(
        cmd.StartDeadman(id=id_, name=name.name, record=record, seconds=deadman.seconds)
    )


def _when_due(
    context: StepContext, deadman: CloudDeadman, command: cmd.FindDeadman | cmd.StopDeadman
) -> None:
    if context.state.now < deadman.not_before:
        context.wake(deadman.not_before)
    else:
        context.ask(command)


# -- the end


def deadmen_stopped(context: StepContext) -> bool:
    """Stops them all; true once none is left that can be stopped."""
    waiting = False
    for each in open_deadmen(context.state):
        if each.failures >= CLOUD_PATIENCE or each.status is DeadmanStatus.STARTING:
            waiting |= each.status is DeadmanStatus.STARTING
            continue
        waiting = True
        _when_due(context, each, cmd.StopDeadman(id=each.id, name=each.name))
    return not waiting
