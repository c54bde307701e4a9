"""Judges every DELETE that reached the simulated account, from the account's own history alone.

The program decides a release by `core.takeover.release_gate`, on what it has folded from its
journal. This module shares nothing with that decision. It replays what happened at the account, in
its order: the operations of stacks, the statuses of resources and when each event became visible,
the record sets that stood, the requests that arrived and how long each had been on its way. A
DELETE that leaves a record set's place empty is a release, whatever its comment says.

A release needs every `Ground`. Which of them hold where:

    =====================  =====================================================================
    ``--no-deploy``        `CREATING` counts from the operation that the run joined: there is no
                           deploy of its own that could have begun it
    ``--hold``, its key    `HELD` is shorter or 0, where the stack's record certainly differs; an
                           identical one is held for 10 s whatever is asked for
    ``--confirm-release``  `CONFIRMED` is one more; without the option it always holds
    ``--owner-check none`` `UNOWNED` counts the stacks of the run's own tree alone
    =====================  =====================================================================

Only the strategy ``delete`` releases; another one needs its own row here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.core.domain.record_sets import conflict, normal_name
from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP
from route53_takeover.core.plan.model import OwnerCheck
from route53_takeover.core.takeover import events as ev
from route53_takeover.simulation.aws.cloudformation.stacks import to_core
from route53_takeover.simulation.chaos.fault_injection import STALE_BY, FaultKind
from route53_takeover.simulation.chaos.transport import TAKEOVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.simulation.aws.cloudformation.stacks import Stack, StackEventRow
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.transport import Arrival


class Ground(StrEnum):
    """What a release needs. The values are broken promises, as `Rehearsal.broken` tells them."""

    PLANNED = "a release deletes the plan's record set, as it was or with its TTL lowered"
    ALONE = "a release leaves nothing standing that is in CloudFormation's way"
    UNTAKEN = "a release deletes nothing that CloudFormation wrote"
    CREATING = "a release waits for CloudFormation to create that record in the named stack"
    FORWARD = "a release needs a stack that goes forward, and all above it"
    UNOWNED = "a release takes a record from no other resource"
    HELD = "a release waits for the hold"
    READ = "a release needs a read of the name since the create began"
    POLLED = "a release needs fresh events"
    UNPROTECTED = "a release needs a name that no known protection covers"
    CONFIRMED = "a release waits for the confirmation that was asked for"
    WANTED = "nothing is released first after a request to stop or to pause"
    ONCE = "a name that was put back is not released again"


_GOING = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"})
_FREE = frozenset(
    {"CREATE_FAILED", "DELETE_COMPLETE", "DELETE_SKIPPED", "CREATE_IN_PROGRESS", "IMPORT_FAILED"}
)
"""Statuses of a resource that owns nothing, but for a create that has told an id."""
_EVENTS, _READS = 3.0, 2.0
"""Seconds for which events, and a read of the name, are good enough to release on (design)."""
_PROTECTIONS = 10.0
"""Seconds for which a list of protections is good enough."""
_PACE = 1.0
"""Seconds that deciding and sending take, and the pace of the polls."""
_LATELY = 20.0
"""Seconds for which a slow answer stretches the two bounds above."""
_BASELINE = 30.0
"""Seconds, at most, from the baseline to the start of the deploy: an operation that another writer
begins in between counts as the deploy's."""
_ALIAS_HOLD, _HOLD = 2.0, 10.0
"""Seconds of trying before an alias that differs, and before anything else, is released."""
_ADOPTED = 1.5
"""Seconds after CloudFormation wrote an identical record, within which its delete may be on its
way."""
_TOLD = 0.5
"""Seconds after a request to stop within which a release may be on its way."""
_ROUNDING, _JUST = 0.01, 1e-6


def unfounded_releases(harness: Harness, plan: Plan) -> Iterator[Ground]:
    """Each ground that some release of the run lacked."""
    court = _Court(harness, plan)
    for arrival in harness.transport.arrivals:
        deleted = _released(arrival)
        if deleted and arrival.by == TAKEOVER:
            yield from court.judge(arrival, deleted)


def _released(arrival: Arrival) -> tuple[RecordSet, ...]:
    """The record sets that a batch deletes and puts nothing in the place of."""
    created = {change.record.key for change in arrival.changes if change.action != "DELETE"}
    return tuple(
        change.record
        for change in arrival.changes
        if change.action == "DELETE" and change.record.key not in created
    )


class _Row(NamedTuple):
    """An event as the account wrote it, and when it became visible."""

    seen: float
    stack: Stack
    row: StackEventRow


class _Creation(NamedTuple):
    """A create of a record set that goes on, as the account showed it at some time."""

    began: float
    desired: DesiredRecord
    stack: Stack
    logical_id: str


class _Court:
    """Judges the releases of one run."""

    def __init__(self, harness: Harness, plan: Plan) -> None:
        self._harness = harness
        self._world = harness.world
        self._options = plan.options
        self._planned = [r for m in plan.manuals for r in (m.original, m.lowered) if r is not None]
        self._rows = [
            _Row(seen=seen, stack=stack, row=row)
            for stack in harness.world.stacks.all()
            for seen, row in stack.written()
        ]
        self._root = plan.root.stack_name or plan.options.stack
        self._began = min((a.asked for a in harness.transport.requests), default=0.0)

    def judge(self, arrival: Arrival, deleted: Sequence[RecordSet]) -> Iterator[Ground]:
        """The grounds that are missing for this release."""
        if any(record not in self._planned for record in deleted):
            yield Ground.PLANNED
        if not arrival.refused and any(self._is_taken(arrival, record) for record in deleted):
            yield Ground.UNTAKEN
        if not self._is_wanted(arrival):
            yield Ground.WANTED
        if not arrival.refused and any(self._was_put_back(arrival, r.name) for r in deleted):
            yield Ground.ONCE
        for record in deleted:
            yield from self._why(arrival, record, deleted)

    def _why(
        self, arrival: Arrival, record: RecordSet, deleted: Sequence[RecordSet]
    ) -> Iterator[Ground]:
        """What CloudFormation was doing for this record set, as far as the run could know.

        What the account showed a moment before counts too: an answer is a little old when the run
        acts on it. The fewest grounds that are missing at one such instant are what is missing.
        """
        fewest: Sequence[Ground] = (Ground.CREATING,)
        for at in self._instants(arrival):
            creations = [*self._creations(at, record)]
            for creation in creations:
                missing = [*self._missing(arrival, at, creation, record, deleted)]
                if not missing:
                    return
                if fewest == (Ground.CREATING,) or len(missing) < len(fewest):
                    fewest = missing
        yield from fewest

    def _missing(
        self,
        arrival: Arrival,
        at: float,
        creation: _Creation,
        record: RecordSet,
        deleted: Sequence[RecordSet],
    ) -> Iterator[Ground]:
        if not self._goes_forward(at, creation.stack):
            yield Ground.FORWARD
        if self._is_owned(at, creation, record):
            yield Ground.UNOWNED
        if arrival.sent - creation.began < self._hold(creation, record) - _ROUNDING:
            yield Ground.HELD
        if all(
            any(conflict(r, creation.desired.record) and r not in deleted for r in stood)
            for stood in self._shown(at, record.name)
        ):
            yield Ground.ALONE
        if not self._asked("ListResourceRecordSets", arrival, _READS, since=creation.began):
            yield Ground.READ
        if not self._asked("DescribeStackEvents", arrival, _EVENTS, since=creation.began):
            yield Ground.POLLED
        if any(self._is_protected(arrival, r) for r in (record, creation.desired.record)):
            yield Ground.UNPROTECTED
        if self._options.confirm_release and not self._pressed(
            (ev.ReleaseConfirmed, ev.HoldCut), record.name, creation.began
        ):
            yield Ground.CONFIRMED

    # -- what the run could know

    def _lag(self, sent: float) -> float:
        """How long its calls took of late, but for those in which the machine slept."""
        asleep = [t for t in self._harness.troubles if t.what == "asleep"]
        took = [
            a.arrived - a.asked
            for a in self._harness.transport.requests
            if sent - _LATELY <= a.arrived <= sent
            and not any(a.asked <= t.ended and t.began <= a.arrived for t in asleep)
        ]
        return max(took, default=0.0)

    def _instants(self, arrival: Arrival) -> Iterator[float]:
        """The time of the release, and those before it at which the account showed something."""
        sent = arrival.sent
        since = sent - _EVENTS - _PACE - 2 * self._lag(sent)
        yield sent
        written = {c.time for c in self._world.history}
        turns = {r.seen for r in self._rows} | written | {time + STALE_BY for time in written}
        # Just before something happened is when what it contradicts was last true.
        yield from sorted((t - _JUST for t in turns if since <= t <= sent), reverse=True)

    def _asked(self, operation: str, arrival: Arrival, within: float, *, since: float) -> bool:
        """Whether the account was asked this lately, and since the create began."""
        lag = self._lag(arrival.sent)
        oldest = max(since, arrival.sent - within - _PACE - 2 * lag)
        return any(
            operation in a.operation and oldest <= a.arrived <= arrival.sent
            for a in self._harness.transport.requests
        )

    def _is_protected(self, arrival: Arrival, record: RecordSet) -> bool:
        """Whether a protection covers it, and did so when they were last listed."""
        zone, key = self._world.zone, (normal_name(record.name), record.type)
        if key not in zone.protections:
            return False
        listed = arrival.sent - _PROTECTIONS - _PACE - 2 * self._lag(arrival.sent)
        return zone.protected_at[key] < listed

    # -- what CloudFormation was doing

    def _newest(self, at: float, stack: Stack) -> dict[str, StackEventRow]:
        """By logical id the newest event that was visible; the stack's own by its id."""
        found: dict[str, StackEventRow] = {}
        for each in self._rows:
            if each.stack is stack and each.seen <= at:
                row = each.row
                key = stack.stack_id if row.physical_id == stack.stack_id else row.logical_id
                if key not in found or row.timestamp >= found[key].timestamp:
                    found[key] = row
        return found

    def _operation_began(self, at: float, stack: Stack) -> float:
        """When the operation began that the stack was in, as far as the account showed it."""
        began = float("inf")
        for each in self._rows:
            row = each.row
            own = row.physical_id == row.stack_id == stack.stack_id
            if own and each.seen <= at and row.status in _GOING:
                began = row.timestamp if began == float("inf") else max(began, row.timestamp)
        return began

    def _creations(self, at: float, record: RecordSet) -> Iterator[_Creation]:
        since = self._deployed_at()
        for stack in self._world.stacks.all():
            if stack.root.name != self._root:
                continue
            began = self._operation_began(at, stack)
            if self._operation_began(at, stack.root) < since:
                continue
            for logical_id, row in self._newest(at, stack).items():
                if row.resource_type != RECORD_SET or row.status != "CREATE_IN_PROGRESS":
                    continue
                desired = to_core(row).desired
                first = min(
                    each.row.timestamp
                    for each in self._rows
                    if each.stack is stack
                    and each.row.logical_id == logical_id
                    and each.row.status == row.status
                    and each.row.timestamp >= min(began, row.timestamp)
                )
                if desired is not None and began <= row.timestamp and self._is_for(desired, record):
                    yield _Creation(
                        began=first, desired=desired, stack=stack, logical_id=logical_id
                    )

    def _deployed_at(self) -> float:
        """From when on an operation counts as the deploy's."""
        if self._options.deploy_on is None:
            return 0.0
        # The baseline is read just before the deploy: what begins in between is taken for its own,
        # and so is another machine's where the run was killed before it could start one.
        starts = self._world.first_starts
        others = (time for command, time in starts.items() if command.endswith("on"))
        return starts.get("on", min(others, default=float("inf"))) - _BASELINE

    def _goes_forward(self, at: float, stack: Stack) -> bool:
        above: Stack | None = stack
        while above is not None:
            own = self._newest(at, above).get(above.stack_id)
            if own is None or own.status not in _GOING:
                return False
            above = above.parent
        return True

    def _is_for(self, desired: DesiredRecord, record: RecordSet) -> bool:
        """Whether it would stand in this record set's place, in the run's zone."""
        zone = self._world.zone
        if desired.zone_id is not None:
            is_here = desired.zone_id == zone.zone_id
        else:
            named = [z for z in self._world.zones.zones() if z.name == desired.zone_name]
            is_here = [z.zone_id for z in named] == [zone.zone_id]
        simple = not desired.record.set_identifier
        return is_here and simple and conflict(desired.record, record)

    def _hold(self, creation: _Creation, record: RecordSet) -> float:
        wanted = creation.desired.record
        if wanted.same_as(record):
            return _HOLD
        if self._pressed((ev.HoldCut,), record.name, creation.began):
            return 0.0
        if self._options.hold is not None:
            return self._options.hold
        return _ALIAS_HOLD if wanted.alias is not None and wanted.type in ("A", "AAAA") else _HOLD

    # -- whose it was

    def _is_owned(self, at: float, creation: _Creation, record: RecordSet) -> bool:
        """Whether another resource had the record: one of the tree, or, as the run began, any."""
        for stack in self._world.stacks.all():
            is_ours = stack.root.name == self._root
            if not is_ours and self._options.owner_check is OwnerCheck.NONE:
                continue
            until = at if is_ours else min(at, self._began)
            newest = self._newest(until, stack)
            own = newest.get(stack.stack_id)
            if own is None or own.status == "DELETE_COMPLETE":
                continue
            for logical_id, row in newest.items():
                if stack is creation.stack and logical_id == creation.logical_id:
                    continue
                if _has(row) and any(self._is_for(d, record) for d in _records(row)):
                    return True
        return False

    def _is_taken(self, arrival: Arrival, record: RecordSet) -> bool:
        """Whether CloudFormation wrote last what is deleted, and the run could know it."""
        last = self._last_change(arrival.time, record.key)
        if last is None or last[1] != "cloudformation" or self._harness.struck["stack deleted"]:
            return False
        known = _ADOPTED + self._world.account.config.records.id_seconds
        return arrival.time >= last[0] + known

    def _last_change(self, before: float, key: RecordKey) -> tuple[float, str] | None:
        """When, and by whom, the record set was written last before this time."""
        for change in reversed(self._world.history):
            written = any(a != "DELETE" and r.key == key for a, r in change.changes)
            if change.time <= before and written:
                return change.time, change.by
        return None

    def _shown(self, at: float, name: str) -> Iterator[Sequence[RecordSet]]:
        """What stood at a name, and what a read that lagged behind said that stands."""
        yield self._stood(at, name)
        if any(
            t.what == FaultKind.STALE and t.began <= at <= t.ended for t in self._harness.troubles
        ):
            yield self._stood(at - STALE_BY, name)

    def _stood(self, at: float, name: str) -> Sequence[RecordSet]:
        stood: dict[RecordKey, RecordSet] = {}
        for change in self._world.history:
            for action, record in change.changes if change.time < at else ():
                if normal_name(record.name) == normal_name(name):
                    if action == "DELETE":
                        stood.pop(record.key, None)
                    else:
                        stood[record.key] = record
        return tuple(stood.values())

    # -- what people wanted

    def _pressed(self, keys: tuple[type[ev.AnyEvent], ...], name: str, since: float) -> bool:
        return any(
            isinstance(key, keys)
            and getattr(key, "name", "") == normal_name(name)
            and time >= since
            for time, key in (*self._harness.pressed, *self._harness.keys)
        )

    def _is_wanted(self, arrival: Arrival) -> bool:
        """Whether nothing kept the first release back; the others follow it in any case."""
        keys = {record.key for record in self._planned}
        for change in self._world.history:
            brought = {r.key for action, r in change.changes if action != "DELETE"}
            gone = {r.key for action, r in change.changes if action == "DELETE"} - brought
            if change.time < arrival.time and gone & keys:
                return True  # by whomever: the stack can only succeed as a whole
        troubles, pressed, until = self._harness.troubles, self._harness.keys, arrival.sent
        # Whoever resumes a run wants it to go on.
        resumed = [t.began for t in troubles if t.what in ("dead", "left alone")]
        stops = [t.began for t in troubles if t.what == "told to stop"]
        pauses = [time for time, key in pressed if isinstance(key, ev.RunPaused)]
        ends = [*resumed, *(time for time, key in pressed if isinstance(key, ev.RunUnpaused))]
        return not any(
            wish <= until - _TOLD and not any(wish <= end <= until for end in over)
            for wishes, over in ((stops, resumed), (pauses, ends))
            for wish in wishes
        )

    def _was_put_back(self, arrival: Arrival, name: str) -> bool:
        """Whether the run released the name before, and put it back."""
        released = False
        for other in self._harness.transport.arrivals:
            if other is arrival:
                return False
            if other.refused or other.by != TAKEOVER:
                continue
            at_name = [c for c in other.changes if normal_name(c.record.name) == normal_name(name)]
            if at_name and _released(other):
                released = True
            elif released and at_name and all(c.action == "CREATE" for c in at_name):
                return True
        return False


def _has(row: StackEventRow) -> bool:
    """Whether the resource owns its records after this event."""
    if row.status == "CREATE_IN_PROGRESS":
        return bool(row.physical_id)
    return row.status not in _FREE


def _records(row: StackEventRow) -> Iterator[DesiredRecord]:
    if row.resource_type not in (RECORD_SET, RECORD_SET_GROUP):
        return
    event = to_core(row)
    if event.desired is not None:
        yield event.desired
    yield from (member for member in event.members if member is not None)
