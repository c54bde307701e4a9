"""What a rehearsal came to see: the states that a search for broken promises must have been in.

A search that never reaches the hard places proves nothing. Each `CoverageGoal` is a fact about a
whole rehearsal, derived from the account's history and the journal.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.finish import is_member
from route53_takeover.core.takeover.name_state import TAKEN_STAGES
from route53_takeover.core.takeover.release_gate import Condition
from route53_takeover.core.timing import ONE_REQUEST, READ_FRESH
from route53_takeover.simulation.chaos.transport import ANOTHER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.simulation.chaos.arrivals import Arrival
    from route53_takeover.simulation.chaos.harness import Harness


class CoverageGoal(StrEnum):
    """A state that was reached."""

    CRASH_BEFORE_DELETE = "crash between the intent of a release and its delete"
    CRASH_AFTER_DELETE = "crash after the delete was applied, before its answer"
    DELETE_UNANSWERED = "the answer to a release lost after it was applied"
    DELETE_UNSENT = "a release that never arrived, of unknown fate"
    DELETE_REFUSED = "a release refused, for the record was edited or gone"
    DELETE_BY_THE_DEAD = "a release that arrived after its sender's death"
    ADOPTING = "an adoption under way when the hold ends"
    TURNED_BACK = "the stack turns back after the release"
    RESTORE_BEATEN = "a restore that CloudFormation's create forestalled"
    RESTORE_AFTER_CREATE = "a restore after CloudFormation had created and deleted"
    SECOND_RESTORE = "a second restore after a second clean-up delete"
    THIRD_RESTORE = "a third restore after a third clean-up delete"
    DEADMAN_TOO_SOON = "the deadman restores though CloudFormation would have tried again"
    DEAD_IN_THE_GAP = "no process lives while the name has no record"
    ASLEEP_IN_THE_GAP = "the machine sleeps while the name has no record"
    CUT_OFF_IN_THE_GAP = "AWS cannot be reached while the name has no record"
    STALLED_IN_THE_GAP = "the disk stalls while the name has no record"
    RESTORE_UNREAD = "a restore sent without a fresh read"
    RESTORE_RESENT = "a restore of unknown fate sent again before any read"
    SLOW_READ = "a read of an empty name that takes longer than it is fresh"
    SIGNALS_TOGETHER = "two signals that are one request, while the name has no record"
    JOURNAL_LOST_IN_THE_GAP = "the journal breaks while the name has no record"
    KILLED_RESUMING = "killed again while resuming"
    CLOCK_SET_BACK = "resumed under a wall clock that was set back"
    POWER_LOST = "resumed from a journal whose unsynced tail was lost"
    DAMAGED = "a damaged journal, and `restore` from the backup alone"
    PUT_BACK_BY_RESTORE = "a gap that `restore` closed"
    TWO_RUNS = "another machine's run at work on the same name"
    EDITED_IN_THE_GAP = "another writer writes the name while it has no record"
    ROLLBACK_FAILED = "a rollback that itself fails"
    INTERRUPTED_IN_THE_GAP = "interrupted while the name has no record"
    PAUSED_AT_THE_RELEASE = "a release that only a pause kept back"
    CONTINUED = "a release after a pause"
    UNCONFIRMED = "a release that waited only for the confirmation"
    CONFIRMED = "a confirmed release"
    HOLD_CUT = "a release without the rest of the hold"
    DEADMAN_PUT_OFF = "the deadman extended while the name has no record"
    RESTORED_BY_A_KEY = "the operator restores the record by a key"
    ABORTED = "the operator aborts by a key"
    DEAD_ON_THE_BRIDGE = "no process lives while only a wildcard answers"
    BRIDGE_UNANSWERED = "the answer to the batch that creates or removes a wildcard is lost"
    BRIDGE_BROKEN = "another writer changes or deletes the wildcard while only it answers"
    BRIDGE_UNDONE = "a record restored under a wildcard"
    BRIDGED_ADOPTION = "a release under a wildcard of a record that was to be adopted"
    PREPARATION_UNDONE = "a prepared record changed back"
    ADOPTION_ROLLED_BACK = "a rollback that deletes a prepared record which was adopted"
    WEIGHT_UNANSWERED = "the answer to a step of weight is lost"
    DEAD_BETWEEN_WEIGHTS = "no process lives while two members answer"
    OWNER_HIDDEN = "an owner hidden by another resource"
    SOA_PUT_BACK = "a lowered negative TTL that was put back"
    SOA_EDITED = "another writer writes the SOA while its negative TTL is lowered"
    SOA_LEFT_BY_A_CRASH = "no process lives while the negative TTL is lowered"
    SOA_UNANSWERED = "the answer to a batch of the SOA lost"
    CLOUD_RESTORED = "the deadman in AWS restores a name whose run is never resumed"
    CLOUD_WHILE_CREATING = "a deadman in AWS fires while CloudFormation creates"
    CLOUD_REPLACED = "a deadman in AWS replaced by a later one"
    CLOUD_NOT_STOPPED = "a deadman in AWS that could not be stopped at once"
    CLOUD_UNANSWERED = "the answer to the start of a deadman in AWS lost"
    CLOUD_DENIED = "a deadman in AWS that is not proven"


def sights(harness: Harness, plan: Plan) -> frozenset[CoverageGoal]:
    """Everything of note that this rehearsal was in."""
    return frozenset(
        [
            *_of_releases(harness),
            *_of_restores(harness),
            *_of_the_gap(harness, plan),
            *_of_reads(harness),
            *_of_the_stack(harness),
            *_of_the_process(harness),
            *_of_the_keys(harness),
            *_of_the_strategies(harness, plan),
        ]
    )


def hidden_owners(harness: Harness, plan: Plan) -> Iterator[str]:
    """The other stacks that own a record at a name for which CloudFormation names another one."""
    stacks = harness.world.stacks
    asked = {normal_name(name) for name in plan.options.records}
    for name in harness.world.account.others:
        stack = stacks.get(name)
        for resource in stack.resources.values():
            is_record = resource.type == RECORD_SET and normal_name(resource.physical_id) in asked
            if is_record and stacks.owner(resource.physical_id) is not stack:
                yield name


def _of_the_strategies(harness: Harness, plan: Plan) -> Iterator[CoverageGoal]:
    adopting = {m.key.name for m in plan.manuals if m.strategy is Strategy.ADOPT}
    lost = {e.id for e in harness.disk.events if isinstance(e, ev.WriteUnknown)}
    purposes = set(harness.purposes.values())
    unanswered = {purpose for write, purpose in harness.purposes.items() if write in lost}
    if unanswered & {Purpose.BRIDGE, Purpose.REMOVE}:
        yield CoverageGoal.BRIDGE_UNANSWERED
    if Purpose.WEIGH in unanswered:
        yield CoverageGoal.WEIGHT_UNANSWERED
    if {Purpose.BRIDGE, Purpose.RESTORE} <= purposes:
        yield CoverageGoal.BRIDGE_UNDONE
    if adopting and {Purpose.BRIDGE, Purpose.RELEASE} <= purposes:
        yield CoverageGoal.BRIDGED_ADOPTION
    if {Purpose.PREPARE, Purpose.UNDO} <= purposes:
        yield CoverageGoal.PREPARATION_UNDONE
    if harness.is_bridge_broken:
        yield CoverageGoal.BRIDGE_BROKEN
    for state in harness.deaths:
        if any(name.is_absent and name.covered_by for name in state.names.values()):
            yield CoverageGoal.DEAD_ON_THE_BRIDGE
        if any(h.stage in TAKEN_STAGES and is_member(h) for h in state.handovers):
            yield CoverageGoal.DEAD_BETWEEN_WEIGHTS
    if harness.state is not None and any(
        h.created_at is not None and h.released_at is None and h.restored_at is not None
        for h in harness.state.handovers
        if h.original.key.name in adopting
    ):
        yield CoverageGoal.ADOPTION_ROLLED_BACK


def _of_releases(harness: Harness) -> Iterator[CoverageGoal]:
    arrived = {a.comment.split()[1]: a for a in harness.transport.arrivals}
    told: dict[str, ev.AnyEvent] = {}
    for event in harness.disk.events:
        if isinstance(
            event, ev.WriteAccepted | ev.WriteRefused | ev.WriteUnknown | ev.WriteHeldOff
        ):
            told[event.id] = event
    for write, purpose in harness.purposes.items():
        if purpose is not Purpose.RELEASE:
            continue
        yield from _of_release(arrived.get(write), told.get(write))


def _of_release(arrival: Arrival | None, told: ev.AnyEvent | None) -> Iterator[CoverageGoal]:
    applied = arrival is not None and not arrival.refused
    match told:
        case None if arrival is None:
            yield CoverageGoal.CRASH_BEFORE_DELETE
        case None if applied:
            yield CoverageGoal.CRASH_AFTER_DELETE
        case ev.WriteUnknown() if applied:
            yield CoverageGoal.DELETE_UNANSWERED
        case ev.WriteUnknown() if arrival is None:
            yield CoverageGoal.DELETE_UNSENT
        case ev.WriteRefused():
            yield CoverageGoal.DELETE_REFUSED
        case _:
            pass
    if arrival is not None and arrival.orphaned:
        yield CoverageGoal.DELETE_BY_THE_DEAD


def _of_restores(harness: Harness) -> Iterator[CoverageGoal]:
    restores = [a for a in harness.transport.arrivals if harness.purpose_of(a) is Purpose.RESTORE]
    if any(a.refused == "InvalidChangeBatch" for a in restores):
        yield CoverageGoal.RESTORE_BEATEN
    if harness.restored_before_a_try:
        yield CoverageGoal.DEADMAN_TOO_SOON
    if harness.struck["put back by restore"]:
        yield CoverageGoal.PUT_BACK_BY_RESTORE
    deleted: Counter[RecordKey] = Counter()
    put_back: Counter[RecordKey] = Counter()
    for change in harness.world.history:
        for action, record in change.changes:
            key = record.key
            if change.by == "cloudformation" and action == "DELETE" and len(change.changes) == 1:
                deleted[key] += 1
            elif deleted[key] > put_back[key] and "restore" in change.comment:
                put_back[key] += 1
    most = max(put_back.values(), default=0)
    yield from [
        CoverageGoal.RESTORE_AFTER_CREATE,
        CoverageGoal.SECOND_RESTORE,
        CoverageGoal.THIRD_RESTORE,
    ][:most]


def _of_the_gap(harness: Harness, plan: Plan) -> Iterator[CoverageGoal]:
    world = harness.world
    gaps = [
        (began, end if end is not None else world.timeline.now)
        for name in plan.names
        for began, end in world.zones.absences(world.zone.zone_id, name, plan.members_at(name))
    ]
    for trouble in harness.troubles:
        if any(began < trouble.ended and trouble.began < end for began, end in gaps):
            yield {
                "dead": CoverageGoal.DEAD_IN_THE_GAP,
                "asleep": CoverageGoal.ASLEEP_IN_THE_GAP,
                "told to stop": CoverageGoal.INTERRUPTED_IN_THE_GAP,
                "disk": CoverageGoal.JOURNAL_LOST_IN_THE_GAP,
                "disk stalls": CoverageGoal.STALLED_IN_THE_GAP,
            }.get(trouble.what, CoverageGoal.CUT_OFF_IN_THE_GAP)
    for change in world.history:
        if change.by == "a person" and any(change.time == end for _, end in gaps):
            yield CoverageGoal.EDITED_IN_THE_GAP


def _of_reads(harness: Harness) -> Iterator[CoverageGoal]:
    """Restores that reads did not lead to, and signals that came together in the gap."""
    is_released = False
    read_at, stopped_at = 0.0, float("-inf")
    restores: set[str] = set()  # those since the last read, and whether the fate of one is unknown
    is_unknown = False
    for event in harness.disk.events:
        match event:
            case ev.WriteIntended(purpose=Purpose.RESTORE):
                if event.time - read_at > READ_FRESH:
                    yield CoverageGoal.RESTORE_UNREAD
                if is_unknown:
                    yield CoverageGoal.RESTORE_RESENT
                restores.add(event.id)
            case ev.WriteAccepted():
                is_released = harness.purposes.get(event.id) is Purpose.RELEASE
            case ev.WriteUnknown() if event.id in restores:
                is_unknown = True
            case ev.NameRead():
                if is_released and event.time - event.began > READ_FRESH:
                    yield CoverageGoal.SLOW_READ
                read_at, restores, is_unknown = event.time, set(), False
            case ev.Interrupted():
                if is_released and 0 <= event.time - stopped_at < ONE_REQUEST:
                    yield CoverageGoal.SIGNALS_TOGETHER
                stopped_at = event.time
            case _:
                pass


def _of_the_stack(harness: Harness) -> Iterator[CoverageGoal]:
    released = [
        a.time
        for a in harness.transport.arrivals
        if harness.purpose_of(a) is Purpose.RELEASE and not a.refused
    ]
    if any(min(released, default=turned) < turned for turned in harness.turned_at):
        yield CoverageGoal.TURNED_BACK
    if any(stack.status.endswith("ROLLBACK_FAILED") for stack in harness.world.stacks.all()):
        yield CoverageGoal.ROLLBACK_FAILED
    began: dict[str, float] = {}
    initiated: dict[str, float] = {}
    for event in harness.disk.events:
        if not isinstance(event, ev.StackPolled):
            continue
        for row in event.events:
            if row.resource_type not in (RECORD_SET, RECORD_SET_GROUP):
                continue
            if row.status == "CREATE_IN_PROGRESS":
                times = initiated if row.physical_id else began
                times.setdefault(row.logical_id, event.time)
            elif row.logical_id in initiated and row.status == "CREATE_COMPLETE":
                hold_ends = began.get(row.logical_id, event.time) + 10.0
                if initiated[row.logical_id] <= hold_ends <= event.time:
                    yield CoverageGoal.ADOPTING


def _of_the_keys(harness: Harness) -> Iterator[CoverageGoal]:
    if Condition.NOT_PAUSED in harness.awaited:
        yield CoverageGoal.PAUSED_AT_THE_RELEASE
    if Condition.CONFIRMATION in harness.awaited:
        yield CoverageGoal.UNCONFIRMED
    released = [
        a.time
        for a in harness.transport.arrivals
        if harness.purpose_of(a) is Purpose.RELEASE and not a.refused
    ]
    for time, key in harness.keys:
        sight = _BY_KEY.get(type(key))
        if sight is not None and max(released, default=time) > time:
            yield sight
        elif isinstance(key, ev.DeadmanExtended):
            yield CoverageGoal.DEADMAN_PUT_OFF
        elif isinstance(key, ev.RestoreAsked):
            yield CoverageGoal.RESTORED_BY_A_KEY
        elif isinstance(key, ev.AbortAsked):
            yield CoverageGoal.ABORTED


_BY_KEY: dict[type[ev.AnyEvent], CoverageGoal] = {
    ev.RunUnpaused: CoverageGoal.CONTINUED,
    ev.ReleaseConfirmed: CoverageGoal.CONFIRMED,
    ev.HoldCut: CoverageGoal.HOLD_CUT,
}


def _of_the_process(harness: Harness) -> Iterator[CoverageGoal]:
    resumes = [e for e in harness.disk.events if isinstance(e, ev.RunResumed)]
    if len(resumes) > 1 and harness.struck["killed"] + harness.struck["killed after an append"] > 1:
        yield CoverageGoal.KILLED_RESUMING
    if harness.set_back and resumes:
        yield CoverageGoal.CLOCK_SET_BACK
    if harness.disk.lost and resumes:
        yield CoverageGoal.POWER_LOST
    if harness.struck["journal damaged"]:
        yield CoverageGoal.DAMAGED
    if any(change.by == ANOTHER for change in harness.world.history):
        yield CoverageGoal.TWO_RUNS
