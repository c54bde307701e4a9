"""What a run knows of the deadmen that it started in AWS, and questions about them.

One execution of the state machine (`core.plan.cloud_deadman`) restores one record set. Plain data:
what to do about it is decided in `core.takeover.cloud_deadman`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordSet, display_name
from route53_takeover.core.plan.cloud_deadman import needs_deadman
from route53_takeover.core.takeover.helper_queries import is_covered
from route53_takeover.core.takeover.name_state import ABSENT_STAGES
from route53_takeover.core.takeover.queries import deadman
from route53_takeover.core.timing import CLOUD_AGAIN, CLOUD_MARGIN, CLOUD_TRIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.state import State


class DeadmanStatus(StrEnum):
    """What became of an execution."""

    STARTING = "starting"
    UNKNOWN = "unknown"  # the answer to its start was lost
    RUNNING = "running"
    LOST = "lost"  # the same, and it was not found
    REFUSED = "refused"  # it certainly was not started
    STOPPED = "stopped"
    ENDED = "ended"  # by itself


class CloudDeadman(Struct, frozen=True, kw_only=True):
    """One execution: it restores ``record`` at `fires_at` and, where it exists, later.

    Attributes:
        id: its name in AWS.
        name: of the record set, in normal form.
        seconds: how long it waits.
        sent: when it was started, at the earliest.
        resumes: how often the run had been resumed by then.
        intended: whether its intent is durable; before that it certainly was not started.
        failures: attempts in vain to find out about it or to stop it, in a row.
        not_before: when the next one is due.
        stopped_at: when its stop was accepted.
    """

    id: str
    name: str
    record: RecordSet
    seconds: float
    sent: float
    resumes: int = 0
    status: DeadmanStatus = DeadmanStatus.STARTING
    intended: bool = False
    failures: int = 0
    not_before: float = 0.0
    stopped_at: float = 0.0

    @property
    def fires_at(self) -> float:
        """When it sends its first CREATE, at the earliest."""
        return self.sent + self.seconds

    @property
    def ends_at(self) -> float:
        """When it ends by itself."""
        return self.fires_at + CLOUD_AGAIN * CLOUD_TRIES


_MAY_RUN = frozenset(
    {DeadmanStatus.STARTING, DeadmanStatus.UNKNOWN, DeadmanStatus.RUNNING, DeadmanStatus.LOST}
)


def open_deadmen(state: State) -> tuple[CloudDeadman, ...]:
    """Those that may still run, the oldest first.

    The clock of an earlier process may have been another one: what it started is stopped, whatever
    the time is now.
    """
    return tuple(
        [
            d
            for d in state.deadmen.values()
            if d.status in _MAY_RUN and (state.resumes > 0 or state.now < d.ends_at)
        ]
    )


def running(state: State, record: RecordSet) -> CloudDeadman | None:
    """The newest one that certainly runs for this record set."""
    for each in reversed(state.deadmen.values()):
        is_running = each.status is DeadmanStatus.RUNNING and state.now < each.ends_at
        if is_running and each.record == record:
            return each
    return None


def is_timed(state: State, deadman: CloudDeadman) -> bool:
    """Whether its times are those of this process's clock.

    The wall clock may have been set between two processes: what an earlier one started may fire at
    any time. A clock that runs counts time asleep, so a sleep changes nothing.
    """
    return deadman.resumes == state.resumes


def superseded(state: State) -> Iterator[CloudDeadman]:
    """Those in whose place a later one runs."""
    for each in open_deadmen(state):
        newest = running(state, each.record)
        if each.status is not DeadmanStatus.STARTING and newest not in (None, each):
            yield each


def due_at(state: State, name: NameState, released_at: float) -> float:
    """When the deadman in AWS of a name may fire, at the earliest.

    After the run's own deadman. Where helper records answer there is none: the deploy may take as
    long as it is given.
    """
    if name.covered_by and (not name.is_absent or is_covered(state, name)):
        return released_at + state.plan.options.deploy_timeout + CLOUD_MARGIN
    if name.is_absent and name.deadman_at is not None:
        return name.deadman_at + CLOUD_MARGIN
    return deadman(state, name, released_at) + CLOUD_MARGIN


def is_armed(state: State, name: NameState, released: Iterable[RecordSet]) -> bool:
    """Whether each record set to release now has a deadman in AWS, and none that fires too soon."""
    if not needs_deadman(state.plan, name.name):
        return True
    due = due_at(state, name, state.now)
    keys = {record.key for record in released}
    may_run = [d for d in open_deadmen(state) if d.status is not DeadmanStatus.LOST]
    for handover in name.handovers:
        if handover.standing.key not in keys:
            continue
        mine = [d for d in may_run if d.record == handover.original]
        if not all(
            d.status is DeadmanStatus.RUNNING and is_timed(state, d) and d.fires_at >= due
            for d in mine
        ):
            return False
        if not any(d.sent >= state.awake_since for d in mine):
            return False
    return name.deadman_proven


def may_have_fired(state: State, record: RecordSet) -> bool:
    """Whether a record set that equals the backup may be the work of a deadman in AWS.

    The clock of an earlier process may have been another one.
    """
    return any(state.resumes > 0 or state.now >= d.fires_at for d in _sent(state, record))


def was_due(state: State, record: RecordSet, at: float) -> bool:
    """Whether a deadman in AWS was to restore this record set by then, as far as clocks tell."""
    return any(at >= d.fires_at for d in _sent(state, record))


def _sent(state: State, record: RecordSet) -> Iterator[CloudDeadman]:
    """Those that were not refused, nor stopped in time."""
    for each in state.deadmen.values():
        stopped = each.status is DeadmanStatus.STOPPED and each.stopped_at < each.fires_at
        is_sent = each.intended and each.status is not DeadmanStatus.REFUSED
        if each.record == record and is_sent and not stopped:
            yield each


def utc(time: float) -> str:
    """A time as AWS writes it, to the second."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def left_deadmen(state: State) -> str:
    """What is said of those that may still run; empty where none does."""
    left = [d for d in open_deadmen(state) if d.status is not DeadmanStatus.LOST]
    if not left:
        return ""
    names = ", ".join(dict.fromkeys(display_name(d.name) for d in left))
    return (
        f"the deadman in AWS of {names} still runs: it creates the old record if that is gone, and "
        f"ends by itself at {utc(max(d.ends_at for d in left))}"
    )


def rescuers(state: State) -> tuple[CloudDeadman, ...]:
    """The newest one of each record set that is gone, or may be released: it certainly runs.

    One of an earlier process is left out: nothing true can be said of when it restores.
    """
    found = [running(state, h.original) for h in state.handovers]
    return tuple([each for each in found if each is not None and is_timed(state, each)])


def is_gone(state: State, each: CloudDeadman) -> bool:
    """Whether its record set is known to be gone, with nothing in its place."""
    name = state.names[each.name]
    return any(h.original == each.record and h.stage in ABSENT_STAGES for h in name.handovers)
