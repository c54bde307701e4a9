"""The takeover as the engine hosts it: what is durable before what, and what is never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.machine import Machine
from route53_takeover.core.projection import Projection
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import DeadmanAnswer, Purpose
from route53_takeover.core.takeover.invariants import is_release_due, violations
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.polling import polls
from route53_takeover.core.takeover.step import step
from route53_takeover.core.timing import DISK_PATIENCE, RESTORE_DISK_PATIENCE, STALE_DECISION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from route53_takeover.core.machine import Wait
    from route53_takeover.core.takeover.polling import Target
    from route53_takeover.core.takeover.state import State

_PATIENCE = {Purpose.RESTORE: RESTORE_DISK_PATIENCE, Purpose.RELEASE: STALE_DECISION}


def _has_ended(state: State) -> bool:
    return state.phase is Phase.ENDED


def _intent(command: cmd.AnyCommand, now: float) -> ev.AnyEvent | None:
    match command:
        case cmd.WriteBatch():
            return ev.WriteIntended(
                time=now,
                id=command.id,
                name=command.name,
                purpose=command.purpose,
                changes=command.changes,
            )
        case cmd.RunDeploy():
            return ev.DeployIntended(time=now, switch=command.switch)
        case cmd.StartDeadman():
            return ev.DeadmanIntended(
                time=now,
                id=command.id,
                name=command.name,
                record=command.record,
                seconds=command.seconds,
            )
        case _:
            return None


def _intended_write(event: ev.AnyEvent) -> str | None:
    return event.id if isinstance(event, ev.WriteIntended) else None


def _forbids(
    state: State, command: cmd.AnyCommand, sent: AbstractSet[str], now: float
) -> ev.AnyEvent | None:
    if not isinstance(command, cmd.WriteBatch):
        return None
    forbidden = violations(state, command, sent)
    if not forbidden:
        return None
    return ev.WriteRefused(
        time=now, id=command.id, name=command.name, code="Forbidden", reason=forbidden[0]
    )


def _disk_patience(command: cmd.AnyCommand) -> float | None:
    match command:
        case cmd.WriteBatch():
            return _PATIENCE.get(command.purpose, DISK_PATIENCE)
        case cmd.StartDeadman():
            return DISK_PATIENCE
        case _:
            return None


def _held_off(state: State, command: cmd.AnyCommand, wait: Wait) -> ev.AnyEvent | None:
    """A restore goes out without its intent, and an undo where there is no journal any more."""
    match command:
        case cmd.WriteBatch():
            if reason := _why_held_off(state, command, wait):
                return ev.WriteHeldOff(
                    time=wait.now, id=command.id, name=command.name, reason=reason
                )
        case cmd.RunDeploy() if not wait.is_durable:
            return ev.DeployExited(
                time=wait.now,
                switch=command.switch,
                code=127,
                tail="not started: the journal could not be written in time",
            )
        case cmd.StartDeadman() if not wait.is_durable:
            return ev.DeadmanAnswered(
                time=wait.now,
                id=command.id,
                name=command.name,
                answer=DeadmanAnswer.HELD_OFF,
                reason="the journal could not be written in time",
            )
        case _:
            pass
    return None


def _why_held_off(state: State, write: cmd.WriteBatch, wait: Wait) -> str:
    goes_without = write.purpose is Purpose.RESTORE or (
        write.purpose in (Purpose.UNDO, Purpose.RESTORE_SOA) and not wait.journal_works
    )
    if not (wait.is_durable or goes_without):
        return "the journal could not be written in time"
    if write.purpose is Purpose.RELEASE:
        if wait.now - wait.decided > STALE_DECISION:
            return "the decision is too old"
        if not is_release_due(state, write):
            return "the release conditions no longer hold"
    return ""


TAKEOVER: Machine[State, ev.AnyEvent, cmd.AnyCommand, Target] = Machine(
    step=step,
    polls=polls,
    has_ended=_has_ended,
    intent=_intent,
    intended_write=_intended_write,
    forbids=_forbids,
    disk_patience=_disk_patience,
    held_off=_held_off,
)


def projection() -> Projection[State, ev.AnyEvent, cmd.AnyCommand]:
    """For readers of the journal of a takeover."""
    return Projection(TAKEOVER.step)


def fold(history: Iterable[ev.AnyEvent]) -> State | None:
    """The state after these events; ``None`` where there are none.

    Raises:
        ValueError: they do not begin with the beginning of a run.
    """
    folding = projection()
    for event in history:
        folding.take(event)
    return folding.state
