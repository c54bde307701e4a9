"""What the simulated account showed at any time of a run, for the oracle of the releases.

Told from the account's own history alone: events of stacks and when each became visible, the record
sets that stood, the requests that arrived and how long each had been on its way.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from route53_takeover.core.domain.record_sets import conflict, normal_name
from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP
from route53_takeover.core.takeover import events as ev
from route53_takeover.simulation.aws.cloudformation.stacks import to_core
from route53_takeover.simulation.chaos.fault_injection import FaultKind
from route53_takeover.simulation.chaos.process_faults import STALE_BY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.simulation.aws.cloudformation.stacks import Stack, StackEventRow
    from route53_takeover.simulation.chaos.arrivals import Arrival
    from route53_takeover.simulation.chaos.harness import Harness

PACE = 1.0
"""Seconds that deciding and sending take, and the pace of the polls."""
EVENTS = 3.0
"""Seconds for which events are good enough to release on (design)."""
_LATELY = 20.0
"""Seconds for which a slow answer stretches the bounds."""
_BASELINE = 30.0
"""Seconds, at most, from the baseline to the start of the deploy: an operation that another writer
begins in between counts as the deploy's."""
_JUST = 1e-6
GOING = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"})
"""Statuses of an operation that goes forward, and of a group that creates records: an update of it
creates those that are new to it."""
RECORD_TYPES = frozenset({RECORD_SET, RECORD_SET_GROUP})


def is_read_late(harness: Harness, name: str) -> bool:
    """Whether the last reads of a name lagged behind what CloudFormation wrote there."""
    at = harness.ended_at
    return _do_reads_lag(harness, at) and any(
        change.by == "cloudformation"
        and at - STALE_BY <= change.time <= at
        and any(record.key.name == name for _, record in change.changes)
        for change in harness.world.history
    )


def _do_reads_lag(harness: Harness, at: float) -> bool:
    return any(t.what == FaultKind.STALE and t.began <= at <= t.ended for t in harness.troubles)


class Row(NamedTuple):
    """An event as the account wrote it, and when it became visible."""

    seen: float
    stack: Stack
    row: StackEventRow


class Creation(NamedTuple):
    """A create of a record set that goes on, as the account showed it at some time."""

    began: float
    desired: DesiredRecord
    stack: Stack
    logical_id: str
    others: tuple[DesiredRecord | None, ...] = ()
    """The other records of its group; ``None`` for one that nothing tells."""


class AccountHistory:
    """What the account showed, as far as a run for this plan could see it."""

    def __init__(self, harness: Harness, plan: Plan) -> None:
        self._harness = harness
        self._world = harness.world
        self._options = plan.options
        self._root = plan.root.stack_name or plan.options.stack
        self._lists = sorted(
            a.arrived for a in harness.transport.requests if "ListStackResources" in a.operation
        )
        self._baselines = [e.time for e in harness.disk.events if isinstance(e, ev.BaselineRead)]
        self._rows = [
            Row(seen=min(seen, self._listed(row)), stack=stack, row=row)
            for stack in harness.world.stacks.all()
            for seen, row in stack.written()
        ]

    def _listed(self, row: StackEventRow) -> float:
        """When a list, or the baseline, first showed what an event tells only later."""
        is_of_stack = row.physical_id == row.stack_id
        shown = self._baselines if is_of_stack else self._lists
        return next((at for at in shown if at >= row.timestamp), float("inf"))

    def lag(self, sent: float) -> float:
        """How long its calls took of late, but for those in which the machine slept."""
        asleep = [t for t in self._harness.troubles if t.what == "asleep"]
        took = [
            a.arrived - a.asked
            for a in self._harness.transport.requests
            if sent - _LATELY <= a.arrived <= sent
            and not any(a.asked <= t.ended and t.began <= a.arrived for t in asleep)
        ]
        return max(took, default=0.0)

    def instants(self, arrival: Arrival) -> Iterator[float]:
        """The time of the release, and those before it at which the account showed something."""
        sent = arrival.sent
        since = sent - EVENTS - PACE - 2 * self.lag(sent)
        yield sent
        written = {c.time for c in self._world.history}
        turns = {r.seen for r in self._rows} | written | {time + STALE_BY for time in written}
        # Just before something happened is when what it contradicts was last true.
        yield from sorted((t - _JUST for t in turns if since <= t <= sent), reverse=True)

    def asked(self, operation: str, arrival: Arrival, within: float, *, since: float) -> bool:
        """Whether the account was asked this lately, and since the create began."""
        lag = self.lag(arrival.sent)
        oldest = max(since, arrival.sent - within - PACE - 2 * lag)
        return any(
            operation in a.operation and oldest <= a.arrived <= arrival.sent
            for a in self._harness.transport.requests
        )

    def newest(self, at: float, stack: Stack) -> dict[str, StackEventRow]:
        """By logical id the newest event that was visible; the stack's own by its id."""
        found: dict[str, StackEventRow] = {}
        for each in self._rows:
            if each.stack is stack and each.seen <= at:
                row = each.row
                key = stack.stack_id if row.physical_id == stack.stack_id else row.logical_id
                if key not in found or row.timestamp >= found[key].timestamp:
                    found[key] = row
        return found

    def operation_began(self, at: float, stack: Stack) -> float:
        """When the operation began that the stack was in, as far as the account showed it."""
        began = float("inf")
        for each in self._rows:
            row = each.row
            own = row.physical_id == row.stack_id == stack.stack_id
            if own and each.seen <= at and row.status in GOING:
                began = row.timestamp if began == float("inf") else max(began, row.timestamp)
        return began

    def creations(self, at: float, record: RecordSet) -> Iterator[Creation]:
        since = self.deployed_at()
        for stack in self._world.stacks.all():
            if stack.root.name != self._root:
                continue
            began = self.operation_began(at, stack)
            if self.operation_began(at, stack.root) < since:
                continue
            for logical_id, row in self.newest(at, stack).items():
                if row.resource_type not in RECORD_TYPES or row.status not in GOING:
                    continue
                if row.resource_type == RECORD_SET and row.status != "CREATE_IN_PROGRESS":
                    continue
                first = min(
                    each.row.timestamp
                    for each in self._rows
                    if each.stack is stack
                    and each.row.logical_id == logical_id
                    and each.row.status == row.status
                    and each.row.timestamp >= min(began, row.timestamp)
                )
                if began > row.timestamp:
                    continue
                for desired, others in _asked_for(row):
                    if self.is_for(desired, record):
                        yield Creation(first, desired, stack, logical_id, others)

    def deployed_at(self) -> float:
        """From when on an operation counts as the deploy's."""
        if self._options.deploy_on is None:
            return 0.0
        # The baseline is read just before the deploy: what begins in between is taken for its own,
        # and so is another machine's where the run was killed before it could start one.
        starts = self._world.first_starts
        others = (time for command, time in starts.items() if command.endswith("on"))
        return starts.get("on", min(others, default=float("inf"))) - _BASELINE

    def goes_forward(self, at: float, stack: Stack) -> bool:
        above: Stack | None = stack
        while above is not None:
            own = self.newest(at, above).get(above.stack_id)
            if own is None or own.status not in GOING:
                return False
            above = above.parent
        return True

    def wrote_last(self, at: float, key: RecordKey) -> str:
        last = self.last_change(at, key)
        return "" if last is None else last[1]

    def is_for(self, desired: DesiredRecord, record: RecordSet) -> bool:
        """Whether it would stand in this record set's place, in the run's zone."""
        zone = self._world.zone
        if desired.zone_id is not None:
            is_here = desired.zone_id == zone.zone_id
        else:
            named = [z for z in self._world.zones.zones() if z.name == desired.zone_name]
            is_here = [z.zone_id for z in named] == [zone.zone_id]
        alike = desired.record.is_routed == record.is_routed
        return is_here and alike and conflict(desired.record, record)

    def last_change(self, before: float, key: RecordKey) -> tuple[float, str] | None:
        """When, and by whom, the record set was written last before this time."""
        for change in reversed(self._world.history):
            written = any(a != "DELETE" and r.key == key for a, r in change.changes)
            if change.time <= before and written:
                return change.time, change.by
        return None

    def shown(self, at: float, name: str) -> Iterator[Sequence[RecordSet]]:
        """What stood at a name, and what a read that lagged behind said that stands."""
        yield self.stood(at, name)
        if _do_reads_lag(self._harness, at):
            yield self.stood(at - STALE_BY, name)

    def stood(self, at: float, name: str) -> Sequence[RecordSet]:
        stood: dict[RecordKey, RecordSet] = {}
        for change in self._world.history:
            for action, record in change.changes if change.time < at else ():
                if normal_name(record.name) == normal_name(name):
                    if action == "DELETE":
                        stood.pop(record.key, None)
                    else:
                        stood[record.key] = record
        return tuple(stood.values())


def _asked_for(
    row: StackEventRow,
) -> Iterator[tuple[DesiredRecord, tuple[DesiredRecord | None, ...]]]:
    """Each record that a resource asks for, and the others of its group."""
    event = to_core(row)
    if event.desired is not None:
        yield event.desired, ()
    for number, member in enumerate(event.members):
        if member is not None:
            yield member, (*event.members[:number], *event.members[number + 1 :])


def longest_pause(plan: Plan) -> float:
    """Seconds between two of CloudFormation's tries at most, of any kind that was measured."""
    kinds = () if plan.measured is UNSET else plan.measured.kinds
    pauses = [b - a for each in kinds for a, b in pairwise((0.0, *each.tries))]
    return max(pauses, default=0.0)
