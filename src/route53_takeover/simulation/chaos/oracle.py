"""The verdict on a rehearsal: what a run says at its end, held against what is true.

The truth is the simulated account's own history, which no engine can see or change, and what was
on the disk when each batch arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.status.result import Result, result
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.fold import begin
from route53_takeover.core.takeover.invariants import (
    broken_promises,
    is_conditional,
    is_within_plan,
    leaves_a_record,
)
from route53_takeover.core.takeover.name_state import TAKEN_STAGES, RecordStatus
from route53_takeover.core.takeover.state import State
from route53_takeover.simulation.aws.step_functions.state_machines import DEADMAN
from route53_takeover.simulation.chaos.account_history import is_read_late, longest_pause
from route53_takeover.simulation.chaos.coverage import CoverageGoal, sights
from route53_takeover.simulation.chaos.deadman_oracle import deadman_sights, wrong_deadmen
from route53_takeover.simulation.chaos.release_oracle import unfounded_releases
from route53_takeover.simulation.chaos.soa_oracle import soa_sights, wrong_soas
from route53_takeover.simulation.chaos.transport import ANOTHER, TAKEOVER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.simulation.aws.route53.zones import AppliedChange
    from route53_takeover.simulation.chaos.harness import Harness as Rehearsed
    from route53_takeover.simulation.scenarios import Scenario

_OURS = (TAKEOVER, ANOTHER, DEADMAN)
_THIRD_PARTIES = ("a person", ANOTHER)
_INSTANT = 1.5
"""Seconds after CloudFormation has told that it wrote a record, within which a delete of one that
is identical may already be on its way."""
_LAST_LOOK = 5.0
"""Seconds that the last look at every name may take."""
_LONGEST_DEADMAN = 300.0
_SLACK = 30.0
"""Seconds that reading, retrying and one change may take after a deadline."""
_SLACK_OF_FAULTS = 240.0
"""The same where any call may go wrong at any time."""


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What came of one run, and what was true at its end.

    Attributes:
        state: the last one.
        absent: whether a name has no record, whatever the run says.
        broken: promises that were broken.
        gap_seconds: how long the name had no record, by the account's own history.
        struck: kind of fault -> how often it struck.
        sights: the states of note that it was in.
        history: what happened in the account and to the process, with its time.
    """

    scenario: str
    seed: str
    result: Result
    state: State
    absent: bool
    broken: tuple[str, ...]
    gap_seconds: float
    lives: int
    events: tuple[ev.AnyEvent, ...]
    struck: dict[str, int]
    sights: frozenset[CoverageGoal]
    history: tuple[tuple[float, str], ...]


def check_run(scenario: Scenario, seed: str, harness: Rehearsed, plan: Plan) -> Rehearsal:
    """Holds what the run says against what is true in the account an hour later."""
    world, ended = harness.world, harness.state
    events = harness.disk.events
    state = (
        ended or harness.disk.fold() or begin(ev.RunStarted(time=0.0, run="rehearsal", plan=plan))
    )
    broken = [*harness.untrue, *_wrong_writes(harness, plan), *_wronged(harness)]
    broken += [*unfounded_releases(harness, plan), *wrong_deadmen(harness, plan, ended)]
    broken += () if harness.is_left else wrong_soas(harness, plan, ended)
    if ended is not None:
        broken += broken_promises(ended)
        if not ended.journal_lost and harness.disk.fold() != ended:
            broken.append("folding the journal equals the state in memory")
        for name in plan.names:
            if not (_is_overtaken(harness, name) or is_read_late(harness, name)):
                broken += _untruths(ended, harness, name)
    absent = False
    for name in plan.names:
        absent |= not harness.is_served(plan, name)
        if not harness.is_left:
            broken += _long_gaps(harness, plan, name)
            broken += _left_without_record(harness, plan, name)
    if len(world.started) != len(set(world.started)):
        broken.append("a deploy is started at most once")
    gaps = [
        (end if end is not None else world.timeline.now) - began
        for name in plan.names
        for began, end in world.zones.absences(world.zone.zone_id, name, plan.members_at(name))
    ]
    return Rehearsal(
        scenario=scenario.name,
        seed=seed,
        result=_result(state, harness),
        state=state,
        absent=absent,
        broken=tuple(dict.fromkeys(broken)),
        gap_seconds=round(sum(gaps), 3),
        lives=harness.lives,
        events=tuple(events),
        struck=dict(harness.struck + harness.transport.hurt),
        sights=sights(harness, plan) | {*soa_sights(harness, plan), *deadman_sights(harness)},
        history=tuple(_history(harness)),
    )


def _result(state: State, harness: Rehearsed) -> Result:
    if state.ending is not None:
        return result(state, harness.transport.calls)
    return Result(
        run=state.run,
        phase=str(state.phase),
        outcome=str(Outcome.UNKNOWN),
        exit_code=ExitCode.UNKNOWN,
        reason="killed, and put back by restore",
    )


def _history(harness: Rehearsed) -> Iterator[tuple[float, str]]:
    for change in harness.world.history:
        did = ", ".join(f"{action} {record.describe()}" for action, record in change.changes)
        yield change.time, f"zone: {change.by}: {did}"
    for trouble in harness.troubles:
        yield trouble.began, f"trouble for {trouble.ended - trouble.began:g} s: {trouble.what}"
    yield harness.ended_at, "nobody does anything about the run any more"


# -- what was written


def _wrong_writes(harness: Rehearsed, plan: Plan) -> Iterator[str]:
    """Batches of the run that should not have been sent as they were."""
    if harness.undurable:
        yield "nothing is written before its backup and its intent are durable"
    sent = [a.comment for a in harness.transport.arrivals if harness.purpose_of(a) is not None]
    if len(sent) != len(set(sent)):
        yield "a batch is sent at most once"
    for arrival in harness.transport.arrivals:
        if arrival.by == TAKEOVER and not is_within_plan(plan, arrival.changes):
            yield "only record sets of the plan are written"
        if not is_conditional(arrival.changes):
            yield "an existing record is only changed by DELETE exact and CREATE"
        takes = arrival.comment.split()[-1] in (ev.Purpose.RELEASE, ev.Purpose.REMOVE)
        helping = plan.added_keys
        others = tuple(
            change
            for change in arrival.changes
            if change.action != "DELETE" or change.record.key not in helping
        )
        if not takes and not leaves_a_record(others):
            yield "only a release leaves a name without its record"


def _wronged(harness: Rehearsed) -> Iterator[str]:
    """Deletes of ours that hit a record set which CloudFormation had written, and owned.

    What CloudFormation writes in the very instant is not promised to be seen (`_INSTANT`), nor
    what a new stack of the same name writes after somebody has deleted the one that is watched.
    """
    if harness.struck["stack deleted"]:
        return
    # Before anything was deployed a TTL is put back though no stack could be asked (decision 3).
    baselines = [e.time for e in harness.disk.events if isinstance(e, ev.BaselineRead)]
    for arrival in harness.transport.arrivals:
        hit = arrival.hit
        if hit is None or arrival.refused:
            continue
        undoes = harness.purpose_of(arrival) is ev.Purpose.UNDO
        if undoes and arrival.time < min(baselines, default=arrival.time + 1):
            continue
        instant = _INSTANT + harness.world.account.config.records.id_seconds
        if arrival.time >= hit.time + instant:
            yield "a record that CloudFormation created is never deleted by us"


# -- what is said


def _untruths(state: State, harness: Rehearsed, name: str) -> Iterator[str]:
    """What the ending says of a name that is not true in the account."""
    outcome = state.ending.outcome if state.ending else Outcome.UNKNOWN
    found, writer = harness.found[name]
    members = state.plan.members_at(name)
    originals = [m.original for m in state.plan.manuals if m.key.name == name]
    here = [
        r
        for r in found
        if any(conflict(r, o) for o in originals)
        and (members is None or r.set_identifier in members)
    ]
    as_before = all(any(o.same_as(r) for r in here) for o in originals)
    handovers = state.names[name].handovers
    helping = state.plan.added_keys
    of_stack = _of_stack(harness, [r for r in here if r.key not in helping])
    if outcome is Outcome.DONE and writer in _OURS and not of_stack:
        yield "done means that CloudFormation's record stands"
    changed = any(h.stage is RecordStatus.CHANGED for h in handovers)
    somebodys = writer in _THIRD_PARTIES or (here and changed)
    if outcome in (Outcome.FAILED, Outcome.ABORTED) and not (as_before or somebodys):
        yield "failed means that the manual record or somebody else's stands"
    undone = outcome in (Outcome.FAILED, Outcome.RESTORED) and harness.is_to_guard
    # A stack still lists what its own clean-up has deleted: the reason must say so.
    told = state.ending is not None and "as its own" in state.ending.reason
    # What is taken for another writer's may be CloudFormation's, where its events are not seen.
    if (
        undone
        and not (told or changed)
        and harness.world.stacks.works_on(harness.world.zone.zone_id, name)
    ):
        yield "failed and restored mean that no stack owns the record"
    if outcome is Outcome.ABORTED:
        by_key = all(stop.is_abort for stop in state.interrupts)
        if state.ending is not None and state.ending.exit_code != (1 if by_key else 130):
            yield "130 is for a signal, and 1 for a person's abort"
        if any(h.gap_began_at is not None for h in state.handovers):
            yield "aborted means that nothing was released"
    if outcome is not Outcome.UNKNOWN:
        for handover in handovers:
            stands = any(handover.original.same_as(r) for r in here)
            ours = handover.stage in (RecordStatus.STANDING, RecordStatus.RESTORED)
            if ours and not stands and writer not in _THIRD_PARTIES:
                yield "what stands or was restored equals the backup to the letter"
            ours_stand = [
                r for r in here if conflict(r, handover.original) and _is_ours(harness, r)
            ]
            if handover.stage in TAKEN_STAGES and ours_stand:
                yield "what is created or adopted is what CloudFormation wrote"
            if handover.stage is RecordStatus.CHANGED and not stands and ours_stand:
                yield "what somebody is said to have changed was not written by us"
    if outcome is Outcome.RESTORED and all(
        h.stage is not RecordStatus.RESTORED for h in state.handovers
    ):
        yield "restored means that a record was put back"


def _is_ours(harness: Rehearsed, record: RecordSet) -> bool:
    """Whether the run wrote this record set last, and not as CloudFormation had."""
    until = float("inf") if harness.is_to_guard else harness.ended_at
    writer = next(
        change.by
        for change in reversed(harness.world.history)
        if change.time <= until and any(r.key == record.key for _, r in change.changes)
    )
    return writer in (TAKEOVER, DEADMAN) and not _of_stack(harness, [record])


def _of_stack(harness: Rehearsed, here: Sequence[RecordSet]) -> bool:
    """Whether what stands is what CloudFormation wrote, though we may have written it again."""
    theirs = [
        record
        for change in harness.world.history
        if change.by == "cloudformation"
        for action, record in change.changes
        if action != "DELETE"
    ]
    return all(any(record.same_as(r) for r in theirs) for record in here)


# -- how long a name has no record


def _absences(
    harness: Rehearsed, plan: Plan, name: str
) -> Iterator[tuple[AppliedChange, float | None]]:
    """The batches that left the name without a record of the plan, and when it had one again."""
    world = harness.world
    for began, end in world.zones.absences(world.zone.zone_id, name, plan.members_at(name)):
        yield (
            next(
                c
                for c in world.history
                if c.time == began and any(action == "DELETE" for action, _ in c.changes)
            ),
            end,
        )


def _is_overtaken(harness: Rehearsed, name: str) -> bool:
    """CloudFormation wrote in the last moments of a run that was told to stop.

    Its deploy goes on without it: what comes of that is not promised, nor in which second.
    """
    return harness.was_stopped and any(
        change.by == "cloudformation"
        and change.time > harness.ended_at - _LAST_LOOK
        and any(record.key.name == name for _, record in change.changes)
        for change in harness.world.history
    )


def _left_without_record(harness: Rehearsed, plan: Plan, name: str) -> Iterator[str]:
    for change, end in _absences(harness, plan, name):
        if end is not None or change.by == "a person":
            continue
        if _is_overtaken(harness, name):
            continue
        if harness.struck["stack deleted"] and change.time > harness.ended_at - _LAST_LOOK:
            continue
        guarded = change.time <= harness.ended_at or harness.is_to_guard
        if change.by in _OURS or guarded:
            yield "no name is left without a record"


def _long_gaps(harness: Rehearsed, plan: Plan, name: str) -> Iterator[str]:
    """Absences that lasted longer than the deadman allows, but for the time of troubles."""
    now = harness.world.timeline.now
    own = plan.options.deploy_on is not None
    begun = [
        e.time
        for e in harness.disk.events
        if (isinstance(e, ev.DeployIntended) and e.switch is Switch.ON)
        or (isinstance(e, ev.BaselineRead) and not own)
    ]
    for change, end in _absences(harness, plan, name):
        if change.by not in (TAKEOVER, "cloudformation") or change.time > harness.ended_at:
            continue
        if _is_overtaken(harness, name):
            continue
        if change.by == "cloudformation" and change.time < max(begun, default=now):
            continue  # in a deploy of somebody's, before the run watches any
        limit = _SLACK_OF_FAULTS if harness.is_faulty else _SLACK
        until = end if end is not None else now
        if change.by == TAKEOVER:
            limit += _deadman(harness, plan, change.time)
            limit += _extensions(harness, name, change.time, until)
        limit += sum(
            max(0.0, min(until, trouble.ended) - max(change.time, trouble.began))
            for trouble in harness.troubles
        )
        if until - change.time > limit:
            yield "a gap of our making is bounded by the deadman plus one change"


def _extensions(harness: Rehearsed, name: str, began: float, until: float) -> float:
    """Seconds by which a person put the deadman off, where it was still to come."""
    return sum(
        key.seconds
        for time, key in harness.keys
        if isinstance(key, ev.DeadmanExtended) and key.name == name and began <= time <= until
    )


def _deadman(harness: Rehearsed, plan: Plan, released_at: float) -> float:
    """The design's formula, on the account's own times."""
    if plan.options.restore_after is not None:
        return plan.options.restore_after
    if harness.struck["wall clock jumped"]:  # which tells how long it has been in progress
        return _LONGEST_DEADMAN
    began = [time for time in harness.creating_at if time <= released_at]
    in_progress = released_at - began[-1] if began else 0.0
    return min(max(60.0, 1.5 * longest_pause(plan), 2 * in_progress), _LONGEST_DEADMAN)
