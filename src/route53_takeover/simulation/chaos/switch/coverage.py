"""What a rehearsed switch came to see: the states that a search for defects must have been in.

Each `SwitchGoal` is a fact about a whole rehearsal, derived from the account's history and the
journal.
"""

from __future__ import annotations

import itertools
from enum import StrEnum
from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import AbortAsked, RestoreAsked, RunResumed, RunUnpaused
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.timing import SWAP_LAG
from route53_takeover.simulation.chaos.switch.setup import (
    DELETE,
    DEPLOY,
    PERSON,
    SWITCHER,
    RetireHabit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.simulation.chaos.switch.harness import SwitchHarness


class SwitchGoal(StrEnum):
    """A state that was reached."""

    STOLEN = "the deploy leads users to green, and is put back"
    STOLEN_AGAIN = "the deploy is put back three times"
    STOLEN_BY_FAILURE = "the deploy leads users to green, fails, and is put back"
    RECREATED = "the deploy deletes and creates the mapping, and is put back"
    DELETED_AT_ITS_END = "the mapping is gone when the deploy ends, and is created again"
    GREEN_FAILS = "green fails its checks, and nothing is written"
    GREEN_REFUSED = "the plan is refused once green is there"
    SWITCHED_SETTLING = "switched back before it has settled"
    SWITCHED_BAKING = "switched back in the bake"
    SWITCHED_BY_KEY = "switched back by a key"
    SWITCHED_BY_SIGNAL = "switched back by a signal"
    HALF_SWITCHED = "switched back with one mapping on green and another on blue"
    KILLED_BEFORE_WRITE = "killed between the intent of a write to green and its arrival"
    KILLED_AFTER_WRITE = "killed after a write to green was applied, before its answer"
    KILLED_GOING_BACK = "killed between a write back and its answer"
    DEAD_ON_GREEN = "no process lives while users are on green, in the bake"
    LOST_APPLIED = "the answer to a write to green lost after it was applied"
    LOST_UNAPPLIED = "a write to green of unknown fate that never arrived"
    ARRIVED_LATE = "a write that arrives after its sender gave up"
    BACK_UNANSWERED = "the answer to a write back lost"
    BACK_REFUSED = "a write back that is refused at first"
    STALE_ETAG = "a write that meets another ETag than it read"
    CHANGED_AT_THE_WRITE = "a mapping that changes between the decision and the write"
    READ_LATE = "a read that shows blue after the switch"
    ANOTHER_BEFORE = "another writer before the switch, who is left alone"
    ANOTHER_AFTER = "another writer after the switch, who is left alone"
    MIXED = "users get both sides in turn"
    BACK_IN_PROGRESS = "the way back while CloudFront still deploys the switch"
    NEVER_DEPLOYED = "the way back of which CloudFront never finishes the update"
    INVALIDATED = "what was cached is invalidated"
    INVALIDATION_FAILED = "an invalidation that fails again and again, and a switch that is done"
    JOURNAL_LOST_BEFORE = "the journal breaks before the switch"
    JOURNAL_LOST_AFTER = "the journal breaks in the bake, and the run goes on in memory"
    STALLED_GOING_BACK = "a way back that does not wait for the disk"
    ABORTED_DEPLOYING = "aborted while green is deployed"
    ABORTED_CHECKING = "aborted while green is checked"
    CONTINUED = "paused before the switch, continued and done"
    ASLEEP_BAKING = "the machine sleeps in the bake"
    RESUMED_UNKNOWN = "a run that ended unknown, resumed to a known end"
    KILLED_RESUMING = "killed again while resuming"
    CLOCK_SET_BACK = "resumed under a wall clock that was set back"
    POWER_LOST = "resumed from a journal whose unsynced tail was lost"
    DAMAGED = "a damaged journal"
    BLUE_DELETED = "blue is deleted at the end"
    TAKEN = "the delete of blue takes the live mapping, and it is led to green again"
    DEAD_DELETING = "no process lives while blue is deleted"
    DELETE_REFUSED = "a delete of blue that would break something"
    LED_BACK_BY_RESTORE = "led back by `restore`"


def sights(harness: SwitchHarness, outcome: Outcome) -> frozenset[SwitchGoal]:
    """Everything of note that this rehearsal was in."""
    return frozenset(
        [
            *_of_the_deploy(harness, outcome),
            *_of_the_delete(harness, outcome),
            *_of_the_way_back(harness, outcome),
            *_of_writes(harness),
            *_of_other_writers(harness, outcome),
            *_of_cloudfront(harness, outcome),
            *_of_the_operator(harness, outcome),
            *_of_the_process(harness, outcome),
        ]
    )


def _of_the_deploy(harness: SwitchHarness, outcome: Outcome) -> Iterator[SwitchGoal]:
    world, deploy = harness.world, harness.world.deploy
    green = world.target(Side.GREEN)
    thefts = kept = 0
    is_recreated = False
    for number, write in enumerate(world.gateway.history):
        if write.by == DEPLOY and write.after == green:
            thefts += 1
            is_recreated |= write.before is None
        earlier = [w for w in world.gateway.history[:number] if w.what == write.what]
        if write.by == SWITCHER and earlier and earlier[-1].by == DEPLOY:
            kept += 1
            if write.before is None and deploy.exited_at and earlier[-1].time <= deploy.exited_at:
                yield SwitchGoal.DELETED_AT_ITS_END
    if thefts and kept:
        yield SwitchGoal.RECREATED if is_recreated else SwitchGoal.STOLEN
        if deploy.code:
            yield SwitchGoal.STOLEN_BY_FAILURE
    if kept > 2 * len(world.setup.base_paths):
        yield SwitchGoal.STOLEN_AGAIN
    reason = "" if harness.state is None else harness.state.given_up
    if outcome is Outcome.FAILED and "green fails the check" in reason and not harness.greens:
        yield SwitchGoal.GREEN_FAILS
    if outcome is Outcome.REFUSED and not harness.greens:
        yield SwitchGoal.GREEN_REFUSED


def _of_the_delete(harness: SwitchHarness, outcome: Outcome) -> Iterator[SwitchGoal]:
    world, deaths = harness.world, harness.deaths
    if outcome is Outcome.DONE and world.delete.ended_at is not None:
        yield SwitchGoal.BLUE_DELETED
        if any(write.by == DELETE for write in world.gateway.history):
            yield SwitchGoal.TAKEN
    if any(s.retirement.begun_at and not s.retirement.ended_at for s in deaths):
        yield SwitchGoal.DEAD_DELETING
    if world.setup.retire is RetireHabit.BREAKS and outcome is Outcome.REFUSED and harness.greens:
        yield SwitchGoal.DELETE_REFUSED


def _of_the_way_back(harness: SwitchHarness, outcome: Outcome) -> Iterator[SwitchGoal]:
    if outcome is not Outcome.RESTORED:
        return
    left = {a for a, b in zip(harness.phases, harness.phases[1:], strict=False) if _is_back(b)}
    if SwitchPhase.BAKE in left:
        yield SwitchGoal.SWITCHED_BAKING
    if SwitchPhase.SETTLE in left:
        yield SwitchGoal.SWITCHED_SETTLING
    switched = {harness.swap_of(a) for a in harness.greens}
    if switched and len(switched) < len(harness.found):
        yield SwitchGoal.HALF_SWITCHED


def _is_back(phase: SwitchPhase) -> bool:
    return phase is SwitchPhase.RESTORE


def _of_writes(harness: SwitchHarness) -> Iterator[SwitchGoal]:
    events = harness.disk.events
    if any(arrival.orphaned for arrival in harness.calls.arrivals):
        yield SwitchGoal.ARRIVED_LATE
    for number, event in enumerate(events):
        if isinstance(event, ev.SwapIntended):
            yield from _of_write(harness, event, events[number + 1 :])


def _of_write(
    harness: SwitchHarness, intent: ev.SwapIntended, later: Sequence[ev.SwitchEvent]
) -> Iterator[SwitchGoal]:
    """What became of one write."""
    told = next((e for e in later if _tells_of(e, intent)), None)
    until = later[-1].time if told is None and later else intent.time if told is None else told.time
    arrived = any(
        harness.swap_of(a) == intent.swap and intent.time <= a.sent <= until
        for a in harness.calls.arrivals
    )
    is_green = intent.purpose is SwapPurpose.SWITCH
    is_back = intent.purpose is SwapPurpose.BACK
    match told:
        case RunResumed() if is_green:
            goal = SwitchGoal.KILLED_AFTER_WRITE if arrived else SwitchGoal.KILLED_BEFORE_WRITE
            yield goal
        case RunResumed() if is_back:
            yield SwitchGoal.KILLED_GOING_BACK
        case ev.SwapUnknown() if is_green:
            yield SwitchGoal.LOST_APPLIED if arrived else SwitchGoal.LOST_UNAPPLIED
        case ev.SwapUnknown() if is_back:
            yield SwitchGoal.BACK_UNANSWERED
        case ev.SwapRefused() if is_back:
            yield SwitchGoal.BACK_REFUSED
        case ev.SwapHeldOff() if "preconditions" in told.reason:
            yield SwitchGoal.STALE_ETAG
        case ev.SwapHeldOff() if "changed right before" in told.reason:
            yield SwitchGoal.CHANGED_AT_THE_WRITE
        case ev.SwapAccepted() if is_green:
            reads = (e for e in later if isinstance(e, ev.SwapRead) and e.swap == intent.swap)
            soon = [e for e in reads if told.time <= e.began <= told.time + SWAP_LAG]
            if soon and soon[0].reading.side is Side.BLUE:
                yield SwitchGoal.READ_LATE
        case _:
            pass


def _tells_of(event: ev.SwitchEvent, intent: ev.SwapIntended) -> bool:
    return isinstance(event, RunResumed) or (
        isinstance(event, ev.SwapWriteAnswer) and event.id == intent.id
    )


def _of_other_writers(harness: SwitchHarness, outcome: Outcome) -> Iterator[SwitchGoal]:
    first = min((a.time for a in harness.greens), default=float("inf"))
    for write in harness.world.writes:
        if write.by != PERSON or write.time > harness.ended_at:
            continue
        if Side.OTHER not in harness.found.values() or outcome is not Outcome.UNKNOWN:
            continue
        yield SwitchGoal.ANOTHER_BEFORE if write.time < first else SwitchGoal.ANOTHER_AFTER
    answers = [
        e.answer.marks
        for e in harness.disk.events
        if isinstance(e, ev.CheckAnswered) and e.way is Way.LIVE
    ]
    if str(Side.GREEN) in answers and str(Side.BLUE) in answers[answers.index(str(Side.GREEN)) :]:
        yield SwitchGoal.MIXED


def _of_cloudfront(harness: SwitchHarness, outcome: Outcome) -> Iterator[SwitchGoal]:
    world = harness.world
    if world.is_mapping:
        return
    deploying = world.setup.deploying
    arrivals = harness.calls.arrivals
    for one, other in itertools.pairwise(arrivals):
        sides = harness.side_of(one), harness.side_of(other)
        if sides == (Side.GREEN, Side.BLUE) and other.time < one.time + deploying:
            yield SwitchGoal.BACK_IN_PROGRESS
    if outcome is Outcome.RESTORED and "still being deployed" in _reason(harness):
        yield SwitchGoal.NEVER_DEPLOYED
    if any(write.invalidated for write in world.cloudfront.history):
        yield SwitchGoal.INVALIDATED
    failed = sum(isinstance(e, ev.InvalidationFailed) for e in harness.disk.events)
    if failed and outcome is Outcome.DONE:
        yield SwitchGoal.INVALIDATION_FAILED


def _reason(harness: SwitchHarness) -> str:
    state = harness.state
    return "" if state is None or state.ending is None else state.ending.reason


def _of_the_operator(harness: SwitchHarness, outcome: Outcome) -> Iterator[SwitchGoal]:
    events = harness.disk.events
    if outcome is Outcome.ABORTED and any(isinstance(e, AbortAsked) for e in events):
        if harness.world.deploy.starts and SwitchPhase.CHECK not in harness.phases:
            yield SwitchGoal.ABORTED_DEPLOYING
        if SwitchPhase.CHECK in harness.phases:
            yield SwitchGoal.ABORTED_CHECKING
    if outcome is Outcome.DONE and any(isinstance(e, RunUnpaused) for e in events):
        yield SwitchGoal.CONTINUED
    if outcome is Outcome.RESTORED and "stopped by" in _reason(harness):
        yield SwitchGoal.SWITCHED_BY_SIGNAL
    asked = any(isinstance(e, RestoreAsked) for e in events)
    if outcome is Outcome.RESTORED and asked and "the operator" in _reason(harness):
        yield SwitchGoal.SWITCHED_BY_KEY


def _of_the_process(harness: SwitchHarness, outcome: Outcome) -> Iterator[SwitchGoal]:
    resumes = [e for e in harness.disk.events if isinstance(e, RunResumed)]
    if len(resumes) > 1 and harness.struck["killed"] + harness.struck["killed after an append"] > 1:
        yield SwitchGoal.KILLED_RESUMING
    if harness.set_back and resumes:
        yield SwitchGoal.CLOCK_SET_BACK
    if harness.disk.lost and resumes:
        yield SwitchGoal.POWER_LOST
    if harness.struck["journal damaged, or nothing in it"]:
        yield SwitchGoal.DAMAGED
    if harness.struck["led back by restore"]:
        yield SwitchGoal.LED_BACK_BY_RESTORE
    if harness.ended_unknown and outcome is not Outcome.UNKNOWN:
        yield SwitchGoal.RESUMED_UNKNOWN
    if any(state.phase is SwitchPhase.BAKE for state in harness.deaths):
        yield SwitchGoal.DEAD_ON_GREEN
    if SwitchPhase.BAKE in harness.lost_in:
        yield SwitchGoal.JOURNAL_LOST_AFTER
    if harness.lost_in & {SwitchPhase.BACKUP, SwitchPhase.DEPLOY, SwitchPhase.CHECK}:
        yield SwitchGoal.JOURNAL_LOST_BEFORE
    if harness.is_unlogged:
        yield SwitchGoal.STALLED_GOING_BACK
    bakes = [time for time, phase in harness.entered if phase is SwitchPhase.BAKE]
    slept = [t.began for t in harness.troubles if t.what == "asleep"]
    if bakes and slept and bakes[0] <= slept[-1] and harness.entered[-1][0] >= slept[-1]:
        yield SwitchGoal.ASLEEP_BAKING
