"""Judges every DELETE that reached the simulated account, from the account's own history alone.

The program decides a release by `core.takeover.release_gate`, on what it has folded from its
journal. This module shares nothing with that decision. It replays what happened at the account, in
its order: the operations of stacks, the statuses of resources and when each event became visible,
the record sets that stood, the requests that arrived and how long each had been on its way. A
DELETE that leaves a record set's place empty is a release, whatever its comment says. What the
account showed at which time is told by `simulation.chaos.account_history`.

A release needs every `Ground`. Which of them hold where:

    =====================  =====================================================================
    ``--no-deploy``        `CREATING` counts from the operation that the run joined: there is no
                           deploy of its own that could have begun it
    ``--hold``, its key    `HELD` is shorter or 0, where the stack's record certainly differs; an
                           identical one is held for 10 s whatever is asked for
    ``--confirm-release``  `CONFIRMED` is one more; without the option it always holds
    ``--owner-check none`` `UNOWNED` counts the stacks of the run's own tree alone
    =====================  =====================================================================

The strategy ``bridge`` releases before anything is deployed: it needs `BRIDGED` instead of what
CloudFormation does. What a strategy put beside a record is removed on the ground `HELPED`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import conflict, normal_name
from route53_takeover.core.plan.model import OwnerCheck, Strategy
from route53_takeover.core.takeover import events as ev
from route53_takeover.simulation.aws.cloudformation.stacks import to_core
from route53_takeover.simulation.chaos.account_history import (
    EVENTS,
    PACE,
    RECORD_TYPES,
    AccountHistory,
)
from route53_takeover.simulation.chaos.deadman_oracle import is_rescued
from route53_takeover.simulation.chaos.transport import ANOTHER, TAKEOVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow
    from route53_takeover.simulation.chaos.account_history import Creation
    from route53_takeover.simulation.chaos.arrivals import Arrival
    from route53_takeover.simulation.chaos.harness import Harness


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
    TOGETHER = "a release for a group leaves nothing in the way of its other records"
    CONFIRMED = "a release waits for the confirmation that was asked for"
    BRIDGED = "a record that is deleted before the deploy has a wildcard's answer everywhere"
    HELPED = "what helped is removed only beside a record of the stack, or the restored one"
    WANTED = "nothing is released first after a request to stop or to pause"
    RESCUED = "a release waits for a deadman in AWS that fires after the run's own"
    ONCE = "a name that was put back is not released again"


_FREE = frozenset(
    {"CREATE_FAILED", "DELETE_COMPLETE", "DELETE_SKIPPED", "CREATE_IN_PROGRESS", "IMPORT_FAILED"}
)
"""Statuses of a resource that owns nothing, but for a create that has told an id."""
_READS = 2.0
"""Seconds for which a read of the name is good enough to release on (design)."""
_PROTECTIONS = 10.0
"""Seconds for which a list of protections is good enough."""
_ALIAS_HOLD, _HOLD = 2.0, 10.0
"""Seconds of trying before an alias that differs, and before anything else, is released."""
_ADOPTED = 1.5
"""Seconds after CloudFormation wrote an identical record, within which its delete may be on its
way."""
_TOLD = 0.5
"""Seconds after a request to stop within which a release may be on its way."""
_ROUNDING = 0.01


def unfounded_releases(harness: Harness, plan: Plan) -> Iterator[Ground]:
    """Each ground that some release of the run lacked."""
    court = _Court(harness, plan)
    for arrival in harness.transport.arrivals:
        deleted = _released(arrival)
        if deleted and arrival.by == TAKEOVER:
            yield from court.judge(arrival, deleted)


def _helping_keys(plan: Plan) -> frozenset[RecordKey]:
    """What the strategies put beside records, and remove in the end."""
    members = (m.prepared.key for m in plan.manuals if m.prepared is not None)
    return frozenset({*members, *(h.record.key for h in plan.helpers)}) - plan.keys


def _released(arrival: Arrival) -> tuple[RecordSet, ...]:
    """The record sets that a batch deletes and puts nothing in the place of."""
    created = [change.record for change in arrival.changes if change.action != "DELETE"]
    return tuple(
        change.record
        for change in arrival.changes
        if change.action == "DELETE" and not any(conflict(change.record, r) for r in created)
    )


class _Court:
    """Judges the releases of one run."""

    def __init__(self, harness: Harness, plan: Plan) -> None:
        self._harness = harness
        self._world = harness.world
        self._options = plan.options
        self._planned = [
            record
            for manual in plan.manuals
            for record in (manual.original, manual.lowered, manual.prepared)
            if record is not None
        ]
        self._plan = plan
        self._helping = _helping_keys(plan)
        self._past = AccountHistory(harness, plan)
        self._root = plan.root.stack_name or plan.options.stack
        self._began = min((a.asked for a in harness.transport.requests), default=0.0)

    def judge(self, arrival: Arrival, deleted: Sequence[RecordSet]) -> Iterator[Ground]:
        """The grounds that are missing for this release."""
        if all(record.key in self._helping for record in deleted):
            if not all(self._is_needless(arrival, record) for record in deleted):
                yield Ground.HELPED
            return
        if any(not any(record.same_as(r) for r in self._planned) for record in deleted):
            yield Ground.PLANNED
        if not arrival.refused and any(self._is_taken(arrival, record) for record in deleted):
            yield Ground.UNTAKEN
        if not self._is_wanted(arrival):
            yield Ground.WANTED
        if not is_rescued(self._harness, self._plan, arrival, deleted):
            yield Ground.RESCUED
        if not arrival.refused and any(self._was_put_back(arrival, r.name) for r in deleted):
            yield Ground.ONCE
        for record in deleted:
            if self._is_bridged(record):
                yield from self._why_bridged(arrival, record)
            else:
                yield from self._why(arrival, record, deleted)

    def _is_bridged(self, record: RecordSet) -> bool:
        return any(
            m.strategy is Strategy.BRIDGE and m.key == record.key for m in self._plan.manuals
        )

    def _is_needless(self, arrival: Arrival, helping: RecordSet) -> bool:
        """Whether each name that it answers for was seen to have another record set."""
        names = [n for h in self._plan.helpers if h.record.key == helping.key for n in h.covers]
        for name in names or [helping.name]:
            if self._was_given_up(arrival, name):
                continue
            if not any(
                any(record.key != helping.key for record in stood)
                for at in self._past.instants(arrival)
                for stood in self._past.shown(at, name)
            ):
                return False
        return True

    def _was_given_up(self, arrival: Arrival, name: str) -> bool:
        """Whether another writer deleted the name's record: that is not the run's to change."""
        gone = [
            change.by
            for change in self._world.history
            if change.time < arrival.time
            and any(r.key.name == normal_name(name) for _, r in change.changes)
        ]
        return bool(gone) and gone[-1] in ("a person", ANOTHER)

    def _why_bridged(self, arrival: Arrival, record: RecordSet) -> Iterator[Ground]:
        """A release before the deploy: every name server answers without the record."""
        if arrival.comment not in self._harness.bridged and not arrival.refused:
            yield Ground.BRIDGED
        if self._is_owned(arrival.sent, None, record):
            yield Ground.UNOWNED
        if not self._past.asked("ListResourceRecordSets", arrival, _READS, since=0.0):
            yield Ground.READ
        if self._is_protected(arrival, record):
            yield Ground.UNPROTECTED
        keys = (ev.ReleaseConfirmed, ev.HoldCut)
        if self._options.confirm_release and not self._pressed(keys, record.name, 0.0):
            yield Ground.CONFIRMED

    def _why(
        self, arrival: Arrival, record: RecordSet, deleted: Sequence[RecordSet]
    ) -> Iterator[Ground]:
        """What CloudFormation was doing for this record set, as far as the run could know.

        What the account showed a moment before counts too: an answer is a little old when the run
        acts on it. The fewest grounds that are missing at one such instant are what is missing.
        """
        fewest: Sequence[Ground] = (Ground.CREATING,)
        for at in self._past.instants(arrival):
            creations = [*self._past.creations(at, record)]
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
        creation: Creation,
        record: RecordSet,
        deleted: Sequence[RecordSet],
    ) -> Iterator[Ground]:
        if not self._past.goes_forward(at, creation.stack):
            yield Ground.FORWARD
        if self._is_owned(at, creation, record):
            yield Ground.UNOWNED
        if arrival.sent - creation.began < self._hold(creation, record) - _ROUNDING:
            yield Ground.HELD
        if all(
            any(conflict(r, creation.desired.record) and r not in deleted for r in stood)
            for stood in self._past.shown(at, record.name)
        ):
            yield Ground.ALONE
        if not self._past.asked("ListResourceRecordSets", arrival, _READS, since=creation.began):
            yield Ground.READ
        if not self._past.asked("DescribeStackEvents", arrival, EVENTS, since=creation.began):
            yield Ground.POLLED
        if any(self._is_protected(arrival, r) for r in (record, creation.desired.record)):
            yield Ground.UNPROTECTED
        if not self._is_whole(at, creation, deleted):
            yield Ground.TOGETHER
        if self._options.confirm_release and not self._pressed(
            (ev.ReleaseConfirmed, ev.HoldCut), record.name, creation.began
        ):
            yield Ground.CONFIRMED

    def _is_protected(self, arrival: Arrival, record: RecordSet) -> bool:
        """Whether a protection covers it, and did so when they were last listed."""
        zone, key = self._world.zone, (normal_name(record.name), record.type)
        if key not in zone.protections:
            return False
        listed = arrival.sent - _PROTECTIONS - PACE - 2 * self._past.lag(arrival.sent)
        return zone.protected_at[key] < listed

    def _is_whole(self, at: float, creation: Creation, deleted: Sequence[RecordSet]) -> bool:
        """Whether nothing but records of the plan was in the way of the group's other records.

        The stack's own is in no way. What stands that is planned is to be released with this.
        """
        for other in creation.others:
            if other is None:
                return False
            for stood in self._past.shown(at, other.record.name):
                in_the_way = [r for r in stood if conflict(r, other.record) and r not in deleted]
                if all(
                    r in self._planned or self._past.wrote_last(at, r.key) == "cloudformation"
                    for r in in_the_way
                ):
                    break
            else:
                return False
        return True

    def _hold(self, creation: Creation, record: RecordSet) -> float:
        wanted = creation.desired.record
        if wanted.same_as(record):
            return _HOLD
        if self._pressed((ev.HoldCut,), record.name, creation.began):
            return 0.0
        if self._options.hold is not None:
            return self._options.hold
        return _ALIAS_HOLD if wanted.alias is not None and wanted.type in ("A", "AAAA") else _HOLD

    def _is_owned(self, at: float, creation: Creation | None, record: RecordSet) -> bool:
        """Whether another resource had the record: one of the tree, or, as the run began, any."""
        for stack in self._world.stacks.all():
            is_ours = stack.root.name == self._root
            if not is_ours and self._options.owner_check is OwnerCheck.NONE:
                continue
            until = at if is_ours else min(at, self._began)
            newest = self._past.newest(until, stack)
            own = newest.get(stack.stack_id)
            if own is None or own.status == "DELETE_COMPLETE":
                continue
            for logical_id, row in newest.items():
                if creation and stack is creation.stack and logical_id == creation.logical_id:
                    continue
                if _has(row) and any(self._past.is_for(d, record) for d in _records(row)):
                    return True
        return False

    def _is_taken(self, arrival: Arrival, record: RecordSet) -> bool:
        """Whether CloudFormation wrote last what is deleted, and the run could know it."""
        last = self._past.last_change(arrival.time, record.key)
        if last is None or last[1] != "cloudformation" or self._harness.struck["stack deleted"]:
            return False
        if self._is_bridged(record) and not self._is_owned(arrival.sent, None, record):
            return False  # an adoption that was cancelled, and has left it to nobody
        known = _ADOPTED + self._world.account.config.records.id_seconds
        return arrival.time >= last[0] + known

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
        """Whether the run released the name before, and put it back, as far as it could know.

        A restore is sent without a journal too. Where the process is killed then, the next one
        finds a record and a release of unknown fate.
        """
        kept = {e.id for e in self._harness.disk.events if isinstance(e, ev.WriteIntended)}
        released = False
        for other in self._harness.transport.arrivals:
            if other is arrival:
                return False
            if other.refused or other.by != TAKEOVER:
                continue
            at_name = [c for c in other.changes if normal_name(c.record.name) == normal_name(name)]
            if at_name and _released(other):
                released = True
            elif (
                released
                and at_name
                and all(c.action == "CREATE" for c in at_name)
                and (_write_id(arrival) not in kept or _write_id(other) in kept)
            ):
                return True
        return False


def _write_id(arrival: Arrival) -> str:
    """The write that a batch is of, by its comment: ``route53-takeover ID PURPOSE``."""
    return arrival.comment.split()[1]


def _has(row: StackEventRow) -> bool:
    """Whether the resource owns its records after this event."""
    if row.status == "CREATE_IN_PROGRESS":
        return bool(row.physical_id)
    return row.status not in _FREE


def _records(row: StackEventRow) -> Iterator[DesiredRecord]:
    if row.resource_type not in RECORD_TYPES:
        return
    event = to_core(row)
    if event.desired is not None:
        yield event.desired
    yield from (member for member in event.members if member is not None)
