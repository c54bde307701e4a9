"""One rehearsal on virtual time while it runs, for code that injects faults into it.

A `Harness` outlives every process that works in the account: it announces the points at which
faults strike (`simulation.chaos.fault_injection`), kills and suspends the process that lives now,
and keeps what only the account and the disk can know.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import RecordKey
from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.fold_requests import asked
from route53_takeover.core.takeover.machine import projection
from route53_takeover.core.takeover.name_state import HelperStatus
from route53_takeover.core.takeover.release_gate import release_gates
from route53_takeover.simulation.aws.account import DeployBehavior
from route53_takeover.simulation.aws.cloudformation.record_handler import Mode
from route53_takeover.simulation.aws.route53.wildcards import answering_name
from route53_takeover.simulation.chaos.disk import Disk
from route53_takeover.simulation.chaos.ports import SimulatedProber
from route53_takeover.simulation.chaos.process import ProcessHarness

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from random import Random

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover.release_gate import Condition
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow
    from route53_takeover.simulation.chaos.arrivals import Arrival
    from route53_takeover.simulation.chaos.transport import Transport, VirtualClock


class InjectionPoint(StrEnum):
    """Something that happens in a run, for a fault to strike at."""

    BEGIN = "the run begins"
    LOWER = "the TTL is to be lowered"
    PROVE = "the restore is to be proven"
    CREATING = "the record's create begins"
    INITIATED = "the record gets its id"
    CREATED = "the record is created"
    RELEASE = "the release is to be sent"
    RESTORE = "a restore is to be sent"
    UNDO = "the TTL is to be put back"
    TURNING = "the stack turns back"
    CLEANING = "the stack cleans up"
    COMPLETE = "the stack is complete"
    PREPARE = "the record is to be prepared"
    BRIDGE = "the helper record is to be created"
    WEIGH = "the weight is to be changed"
    REMOVE = "what helped is to be removed"
    LOWER_SOA = "the negative TTL is to be lowered"
    RESTORE_SOA = "the SOA is to be put back"
    DEADMAN = "the deadman in AWS is to be started"


_BY_PURPOSE = {
    ev.Purpose.LOWER: InjectionPoint.LOWER,
    ev.Purpose.PROVE: InjectionPoint.PROVE,
    ev.Purpose.RELEASE: InjectionPoint.RELEASE,
    ev.Purpose.RESTORE: InjectionPoint.RESTORE,
    ev.Purpose.UNDO: InjectionPoint.UNDO,
    ev.Purpose.PREPARE: InjectionPoint.PREPARE,
    ev.Purpose.BRIDGE: InjectionPoint.BRIDGE,
    ev.Purpose.WEIGH: InjectionPoint.WEIGH,
    ev.Purpose.REMOVE: InjectionPoint.REMOVE,
    ev.Purpose.LOWER_SOA: InjectionPoint.LOWER_SOA,
    ev.Purpose.RESTORE_SOA: InjectionPoint.RESTORE_SOA,
}


_BROKEN = frozenset({HelperStatus.CHANGED, HelperStatus.GONE})
_RESCUES = frozenset({"restore", "undo-ttl", "remove", "restore-negative-ttl"})
_BEGINNINGS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})
_PATIENCE = 1.0
"""Seconds after a stall of the disk for which a restore may still be on its way without it."""
_HANGING = frozenset(
    {DeployBehavior.HANGS, DeployBehavior.NEVER_BEGINS, DeployBehavior.IGNORES_SIGNALS}
)


def result_of(state: State) -> Outcome | None:
    """How a run ended, if it has."""
    return state.ending.outcome if state.ending else None


class Harness(ProcessHarness["State"]):
    """What the rehearsal of a takeover consists of.

    Attributes:
        world: the account.
        transport: the way to it.
        prober: the zone's name servers.
        purposes: why each batch was intended.
        untrue: promises that the end of an earlier process broke.
        undurable: batches that arrived before their backup or intent was durable.
        is_bridge_broken: another writer changed or deleted a helper record while only it answered.
        bridged: releases that left every name server with an answer.
        soas_at_release: what each name server served of the SOA as a release arrived.
        restored_before_a_try: a restore came before a try of CloudFormation that was still due.
        creating_at: when CloudFormation began to create the record.
        turned_at: when a stack turned back.
        operations: how many operations any stack began.
        was_stopped: it was interrupted, or lost its journal, before a release.
        is_to_guard: what happened within an hour of the run's end was still the run's to guard: it
            was not interrupted before a release, and no one else started an operation.
        found: what stood at each name, and who had written it: an hour after the run's end, or
            at its end where what followed was not its to guard.
        is_left: its process died, and no one resumed or restored it.
        is_faulty: any call may go wrong at any time.
        begin_another: starts another machine's run.
        others: those runs.
        keys: what the operator asked for by keys and got, with the account's time.
        awaited: what the operator alone held a release back by.
    """

    def __init__(
        self, world: SimulatedAccount, clock: VirtualClock, transport: Transport, rng: Random
    ) -> None:
        super().__init__(world.timeline, clock, transport, rng, Disk(projection))
        self.world = world
        self.transport = transport
        self.prober = SimulatedProber(world, clock)
        self.purposes: dict[str, ev.Purpose] = {}
        self.undurable: list[str] = []
        self.untrue: list[str] = []
        self.is_bridge_broken = False
        self.bridged: set[str] = set()
        self.soas_at_release: list[RecordSet] = []
        self.restored_before_a_try = False
        self.creating_at: list[float] = []
        self.turned_at: list[float] = []
        self.operations = 0
        self._operations_at_end = 0
        self.is_to_guard = True
        self.was_stopped = False
        self.found: dict[str, tuple[Sequence[RecordSet], str]] = {}
        self.is_left = False
        self.is_faulty = False
        self.begin_another: Callable[[], None] = lambda: None
        self.others: list[asyncio.Task[None]] = []
        self.keys: list[tuple[float, ev.OperatorEvent]] = []
        self.awaited: set[Condition] = set()
        transport.on_arrival = self._on_arrival
        world.stacks.on_event.append(self._on_stack_event)

    def saw(self, event: ev.AnyEvent, state: State) -> None:
        """An engine took an event in, and came to this state."""
        before, self._before = self._before, state
        if before is not None and isinstance(event, ev.OperatorEvent):
            before = replace(before, now=max(before.now, event.time))
            if asked(before, event) is not before:
                self.strike(f"key: {type(event).__name__}")
                self.keys.append((self.clock.true(), event))
        if state.paused or state.plan.options.confirm_release:
            found = (m for name in state.names.values() for m in release_gates(state, name))
            self.awaited |= {m.unmet[0] for m in found if len(m.unmet) == 1}
        broken = any(h.stage in _BROKEN for h in state.helpers.values())
        self.is_bridge_broken |= broken and any(name.is_absent for name in state.names.values())
        if isinstance(event, ev.WriteIntended):
            self.purposes[event.id] = event.purpose
            self.cue(_BY_PURPOSE[event.purpose])
        if isinstance(event, ev.DeadmanIntended):
            self.cue(InjectionPoint.DEADMAN)

    def purpose_of(self, arrival: Arrival) -> ev.Purpose | None:
        """Why this batch was sent; ``None`` for those of ``restore``."""
        return self.purposes.get(arrival.comment.split()[1])

    def _on_arrival(self, arrival: Arrival) -> None:
        """Looks at what was durable when a batch arrived, and at what it met."""
        purpose = self.purpose_of(arrival)
        if purpose is None:
            return
        intended = any(
            isinstance(event, ev.WriteIntended)
            and event.id in arrival.comment
            and event.changes == arrival.changes
            for event in self.disk.durable
        )
        if purpose is ev.Purpose.RELEASE and self._is_answered_without(arrival):
            self.bridged.add(arrival.comment)
        if purpose is ev.Purpose.RELEASE:
            key = RecordKey(self.world.zone.name, "SOA")
            self.soas_at_release += [served[key] for served in self.world.zone.served]
        rescue = purpose in _RESCUES
        stalls = purpose is ev.Purpose.RESTORE and arrival.sent < self.disk.stalls_until + _PATIENCE
        if not self.disk.backup or not (intended or (rescue and self.disk.broken) or stalls):
            self.undurable.append(arrival.comment)
        tries = self.world.stacks.attempts
        if purpose is ev.Purpose.RESTORE and not arrival.refused and tries:
            stack = self.world.stacks.find(self.world.account.stack)
            forward = stack is not None and stack.status in _BEGINNINGS
            again = tries[-1].outcome == Mode.RETRY and (tries[-1].next_at or 0.0) > arrival.time
            self.restored_before_a_try |= forward and again

    def _is_answered_without(self, arrival: Arrival) -> bool:
        """Whether every name server answers for the names, even without what a batch deletes."""
        deleted = {change.record.key for change in arrival.changes}
        zone = self.world.zone
        return all(
            any(
                key.name == answering_name(gone.name, served.keys() - deleted, zone.name)
                and key.type == gone.type
                for key in served
            )
            for served in zone.served
            for gone in deleted
        )

    def _on_stack_event(self, row: StackEventRow) -> None:
        if not any(deploy.endswith("on") for deploy in self.world.deploys):
            return
        if row.resource_type in (RECORD_SET, RECORD_SET_GROUP):
            if row.status == "CREATE_IN_PROGRESS":
                if not row.physical_id:
                    self.creating_at.append(self.world.timeline.now)
                self.cue(InjectionPoint.INITIATED if row.physical_id else InjectionPoint.CREATING)
            elif row.status == "CREATE_COMPLETE":
                self.cue(InjectionPoint.CREATED)
        elif row.physical_id == row.stack_id:
            self.operations += row.status in _BEGINNINGS
            if "CLEANUP" in row.status:
                self.cue(InjectionPoint.CLEANING)
            elif row.status.endswith("ROLLBACK_IN_PROGRESS"):
                self.turned_at.append(self.world.timeline.now)
                self.cue(InjectionPoint.TURNING)
            elif row.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                self.cue(InjectionPoint.COMPLETE)

    @property
    def is_busy(self) -> bool:
        """Whether the stack is at work, or a deploy is that will have to do with it."""
        self.world.timeline.advance(self.clock.true())
        stack = self.world.stacks.find(self.world.account.stack)
        account = self.world.account
        hangs = account.habit in _HANGING or account.habit_off in _HANGING
        deploying = any(code is None for code in self.world.deploys.values())
        return (deploying and not hangs) or (stack is not None and stack.is_busy)

    def end(self, names: Sequence[str]) -> None:
        """No one works on the run any more."""
        self.ended_at = self.clock.true()
        self.world.timeline.advance(self.ended_at)
        self.found = self._find(names)
        self._operations_at_end = self.operations

    def close(self, names: Sequence[str]) -> None:
        """An hour passes after the run."""
        self.world.timeline.advance(self.clock.true() + 3600.0)
        state = self.state
        stopped = (
            state is not None
            and not state.ever_released
            and bool(state.interrupts or state.journal_lost)
        )
        self.was_stopped = stopped
        begun_since = self.operations > self._operations_at_end
        # It ended before it watched any deploy: what anybody's deploy does then is not its own.
        watched = state is None or state.baseline is Switch.ON
        begins_late = self.world.account.habit in (
            DeployBehavior.LATER,
            DeployBehavior.IGNORES_SIGNALS,
        )
        # The operator was asked to look.
        unknown = state is not None and result_of(state) is Outcome.UNKNOWN
        left = stopped or unknown or begun_since or begins_late or bool(self.others)
        self.is_to_guard = watched and not left
        if self.is_to_guard:
            self.found = self._find(names)

    def is_served(self, plan: Plan, name: str) -> bool:
        """Whether a record stands at the name; of a routed one, each member of the plan."""
        standing = {r.set_identifier for r in self.world.holds(name)}
        members = plan.members_at(name) or frozenset()
        return bool(standing) and members - {None} <= standing

    def _find(self, names: Sequence[str]) -> dict[str, tuple[Sequence[RecordSet], str]]:
        return {name: (self.world.holds(name), self.world.last_writer(name)) for name in names}
