"""Folding what is known of the deadmen in AWS: proven, started, found, stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.deadman_state import CloudDeadman, DeadmanStatus
from route53_takeover.core.takeover.events import DeadmanAnswer
from route53_takeover.core.timing import CLOUD_PATIENCE, REFUSALS, backoff

if TYPE_CHECKING:
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.state import State

_STATUS = {
    DeadmanAnswer.STARTED: DeadmanStatus.RUNNING,
    DeadmanAnswer.FOUND: DeadmanStatus.RUNNING,
    DeadmanAnswer.REFUSED: DeadmanStatus.REFUSED,
    DeadmanAnswer.HELD_OFF: DeadmanStatus.REFUSED,
    DeadmanAnswer.UNKNOWN: DeadmanStatus.UNKNOWN,
    DeadmanAnswer.ABSENT: DeadmanStatus.LOST,
    DeadmanAnswer.ENDED: DeadmanStatus.ENDED,
    DeadmanAnswer.STOPPED: DeadmanStatus.STOPPED,
}


def of_deadman(state: State, event: ev.DeadmanEvent) -> State:
    """The state with one more fact; one of a name that is not the run's says nothing."""
    if event.name not in state.names:
        return state
    match event:
        case ev.DeadmanTested():
            return _put(state, _tested(state, state.names[event.name], event))
        case ev.DeadmanIntended():
            intended = CloudDeadman(
                id=event.id,
                name=event.name,
                record=event.record,
                seconds=event.seconds,
                sent=event.time,
                resumes=state.resumes,
                intended=True,
            )
            return replace(state, deadmen={**state.deadmen, event.id: intended})
        case ev.DeadmanAnswered() if event.id in state.deadmen:
            return _answered(state, state.deadmen[event.id], event)
        case _:
            return state


def _tested(state: State, name: NameState, event: ev.DeadmanTested) -> NameState:
    if not event.reason:
        return replace(name, deadman_proven=True, deadman_failures=0)
    return _failed(state, name, event.reason, gives_up=event.is_certain)


def _failed(state: State, name: NameState, reason: str, *, gives_up: bool) -> NameState:
    """One more failure to test or to start the deadman: without it the name is not released."""
    failures = name.deadman_failures + 1
    pause = backoff(failures, first=0.5, most=5.0)
    failed = replace(name, deadman_failures=failures, deadman_not_before=state.now + pause)
    if name.was_released or not (gives_up or failures >= CLOUD_PATIENCE):
        return failed
    text = f"the deadman in AWS cannot be relied on: {reason}"
    return replace(failed, given_up=name.given_up or text)


def _answered(state: State, deadman: CloudDeadman, event: ev.DeadmanAnswered) -> State:
    name, answer = state.names[deadman.name], event.answer
    status = _STATUS.get(answer)
    if status is None or (status is DeadmanStatus.LOST and deadman.status is not _UNKNOWN):
        # It was not stopped, or found out about; or a start that was answered is not seen yet.
        failures = deadman.failures + 1
        pause = backoff(failures, first=0.5, most=5.0)
        deadman = replace(deadman, failures=failures, not_before=state.now + pause)
    else:
        deadman = replace(deadman, status=status, failures=0)
    if status is DeadmanStatus.STOPPED:
        deadman = replace(deadman, stopped_at=state.now)
    if status is DeadmanStatus.RUNNING:
        name = replace(name, deadman_failures=0)
    elif status in (DeadmanStatus.REFUSED, DeadmanStatus.LOST):
        refused = answer is DeadmanAnswer.REFUSED and name.deadman_failures + 1 >= REFUSALS
        name = _failed(state, name, event.reason, gives_up=refused)
    state = replace(state, deadmen={**state.deadmen, deadman.id: deadman})
    return _put(state, name)


_UNKNOWN = DeadmanStatus.UNKNOWN


def _put(state: State, name: NameState) -> State:
    return replace(state, names={**state.names, name.name: name})


def resumed(state: State) -> dict[str, CloudDeadman]:
    """Those of earlier processes: a start without an answer has become unknown."""
    return {
        key: replace(
            each,
            status=_UNKNOWN if each.status is DeadmanStatus.STARTING else each.status,
            failures=0,
            not_before=0.0,
        )
        for key, each in state.deadmen.items()
        if each.intended
    }
