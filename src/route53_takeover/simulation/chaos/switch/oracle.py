"""The verdict on a rehearsed switch: what the run did and says, held against what is true.

The truth is the simulated account's own history, what users got, and what was on the disk when each
write arrived. Nothing here asks the machine what it meant.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.simulation.aws.api_gateway.state import AppliedWrite
from route53_takeover.simulation.aws.cloudfront.store import Written
from route53_takeover.simulation.chaos.process_faults import STALE_BY, ProcessFault
from route53_takeover.simulation.chaos.switch.coverage import SwitchGoal, sights
from route53_takeover.simulation.chaos.switch.faults import SiteFault
from route53_takeover.simulation.chaos.switch.setup import (
    DELETE,
    DEPLOY,
    DOMAIN,
    FRONT,
    PERSON,
    SWITCHER,
    RetireHabit,
    SwitchSetup,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.simulation.chaos.switch.calls import SiteArrival
    from route53_takeover.simulation.chaos.switch.faults import SwitchFaults
    from route53_takeover.simulation.chaos.switch.harness import SwitchHarness

_INSTANT = 0.1
"""Seconds before a write leaves in which what another writer writes cannot be seen any more: the
answer to the last look is on its way."""
_LAST_LOOK = 5.0
"""Seconds that the last look at everything may take."""
_RECENT = 120.0
"""Seconds for which a passed check of green is good enough to lead users there."""
_ON_ITS_WAY = 1.0
"""Seconds for which a check may already be under way when the first write to green is sent."""
_PARALLEL = 2
"""Checks that may be under way when the last one that is allowed fails."""
_PUT_BACK = 60.0
"""Seconds within which what the deploy of green has moved is put back, or given up."""
_SLACK_OF_FAULTS = 600.0
"""More of them where calls go wrong."""
_POINTS = frozenset(
    {"UpdateBasePathMapping", "CreateBasePathMapping", "UpdateApiMapping", "CreateApiMapping"}
)
_ON_BLUE = frozenset({Outcome.RESTORED, Outcome.FAILED, Outcome.ABORTED, Outcome.REFUSED})
_MEDDLING = frozenset(
    {
        SiteFault.EDIT,
        SiteFault.DELETE,
        SiteFault.TO_BLUE,
        SiteFault.TO_GREEN,
        SiteFault.EDIT_FRONT,
    }
)


class SwitchRehearsal(Struct, frozen=True, kw_only=True):
    """What came of one run, and what was true at its end.

    Attributes:
        state: the last one; ``None`` where nothing is left of it.
        found: where every swap led at the end.
        broken: promises that were broken.
        struck: kind of fault -> how often it struck.
        sights: the states of note that it was in.
        history: what happened in the account and to the process, with its time.
    """

    setup: SwitchSetup
    seed: str
    outcome: Outcome
    reason: str
    state: SwitchState | None
    found: dict[str, Side]
    broken: tuple[str, ...]
    lives: int
    events: tuple[ev.SwitchEvent, ...]
    struck: dict[str, int]
    sights: frozenset[SwitchGoal]
    history: tuple[tuple[float, str], ...]


def check_switch(
    setup: SwitchSetup, seed: str, harness: SwitchHarness, plan: SwitchPlan, faults: SwitchFaults
) -> SwitchRehearsal:
    """Holds what the run says against what is true in the account."""
    ended: SwitchState | None = harness.state
    state: SwitchState | None = ended or harness.disk.fold()
    ending = None if state is None else state.ending
    outcome = Outcome.UNKNOWN if ending is None or harness.is_restoring else ending.outcome
    broken = [
        *harness.unfounded,
        *_stray_writes(harness),
        *_overwritten(harness),
        *_unchecked(harness, plan),
        *_untruths(harness, outcome),
        *_gaps(harness),
        *_left_moved(harness, faults),
        *_led_to_what_is_deleted(harness),
    ]
    if ended is not None and not ended.journal_lost and harness.disk.fold() != ended:
        broken.append("folding the journal equals the state in memory")
    is_gone = bool(harness.world.delete.starts)
    if harness.is_restoring and not is_gone and not _is_led_back(harness):
        broken.append("whatever a crash leaves can be restored")
    if len(harness.world.deploy.starts) > 1:
        broken.append("a deploy is started at most once")
    if faults.is_calm and outcome is Outcome.UNKNOWN and setup.retire is not RetireHabit.FAILS:
        broken.append("a run is only `unknown` for a reason")
    if outcome is Outcome.DONE:
        broken += _unwatched(harness, plan)
        if not _is_invalidated(harness):
            broken.append("what was cached of blue is invalidated")
    return SwitchRehearsal(
        setup=setup,
        seed=seed,
        outcome=outcome,
        reason="" if ending is None else ending.reason,
        state=state,
        found=harness.found,
        broken=tuple(dict.fromkeys(broken)),
        lives=harness.lives,
        events=tuple(harness.disk.events),
        struck=dict(harness.struck + harness.calls.hurt),
        sights=sights(harness, outcome),
        history=tuple(_history(harness)),
    )


def _history(harness: SwitchHarness) -> Iterator[tuple[float, str]]:
    for write in harness.world.gateway.history:
        yield (
            write.time,
            f"API Gateway: {write.by}: {write.operation} /{write.what} -> {write.after}",
        )
    for written in harness.world.cloudfront.history:
        did = f"invalidates {written.invalidated}"
        if written.config:
            did = f"updates to {harness.side_of_config(written.config)}"
        yield written.time, f"CloudFront: {written.by}: {did}"
    for visit in harness.world.visits:
        yield visit.time, f"users: {visit.path} {visit.side} {visit.status}"
    for trouble in harness.troubles:
        yield trouble.began, f"trouble for {trouble.ended - trouble.began:g} s: {trouble.what}"
    deploy = harness.world.deploy
    for started in deploy.starts:
        yield started, "deploy: started"
    if deploy.exited_at is not None:
        yield deploy.exited_at, f"deploy: exited {deploy.code}"
    yield harness.ended_at, "nobody does anything about the run any more"


# -- what was written


def _stray_writes(harness: SwitchHarness) -> Iterator[str]:
    """Writes of the run to what is not planned, or with what is neither before nor after it."""
    world = harness.world
    ours = {world.target(Side.BLUE), world.target(Side.GREEN)}
    for write in world.gateway.history:
        if write.by != SWITCHER:
            continue
        is_planned = write.domain == DOMAIN and write.what in world.setup.base_paths
        if write.operation not in _POINTS or not is_planned or write.after not in ours:
            yield "only the planned mappings are written, and to blue or green"
    for written in world.cloudfront.history:
        if written.by != SWITCHER or not written.config:
            continue
        if written.distribution_id != FRONT or harness.side_of_config(written.config) is Side.OTHER:
            yield "a distribution is written whole, as it was or as it was planned"


def _overwritten(harness: SwitchHarness) -> Iterator[str]:
    """Writes of the run that replaced what another writer had made, and could be seen."""
    for arrival in harness.calls.arrivals:
        replaced = _replaced(harness, arrival)
        if arrival.written != PERSON or replaced in (Side.BLUE, Side.GREEN):
            continue
        is_asked_for = arrival.sent >= (harness.restoring_since or float("inf"))
        if replaced is Side.ABSENT and (is_asked_for or _may_have_moved(harness, arrival)):
            continue  # users get nothing: it is created again
        seen_until = arrival.sent - _INSTANT - _staleness(harness, arrival.sent)
        # An ETag is that of what was read: of a distribution nothing can be missed.
        if isinstance(arrival.applied, Written) or arrival.written_at < seen_until:
            yield "nothing of another writer is overwritten"


def _is_retiring(harness: SwitchHarness, at: float) -> bool:
    """Whether the delete of blue had begun by then: users are led nowhere but to green."""
    starts = harness.world.delete.starts
    return bool(starts) and starts[0] <= at


def _led_to_what_is_deleted(harness: SwitchHarness) -> Iterator[str]:
    """Deletes of blue while users were not all on green, and writes to blue after that."""
    starts = harness.world.delete.starts
    if len(starts) > 1:
        yield "blue is deleted at most once"
    for arrival in harness.calls.arrivals:
        if _is_retiring(harness, arrival.sent) and harness.side_of(arrival) is Side.BLUE:
            yield "nobody is led to a blue that is being deleted"
    for start in starts[:1]:
        with harness.world.as_it_was(start):
            led = set(harness.look().values())
        if led != {Side.GREEN} and not _is_overtaken(harness, start):
            yield "blue is deleted only while everything leads to green"


def _replaced(harness: SwitchHarness, arrival: SiteArrival) -> Side:
    """Where a swap led until a write arrived."""
    world, applied = harness.world, arrival.applied
    if isinstance(applied, AppliedWrite):
        if applied.before is None:
            return Side.ABSENT
        sides = {world.target(side): side for side in (Side.BLUE, Side.GREEN)}
        return sides.get(applied.before, Side.OTHER)
    earlier = [w for w in world.cloudfront.history if w.config]
    before = earlier[earlier.index(applied) - 1] if earlier.index(applied) else None
    return Side.BLUE if before is None else harness.side_of_config(before.config)


def _may_have_moved(harness: SwitchHarness, arrival: SiteArrival) -> bool:
    """Whether the run, or its deploy, may have led users away from blue before."""
    deploy = harness.world.deploy
    greens = [e for e in harness.disk.events if isinstance(e, ev.SwapIntended)]
    has_switched = any(e.to is Side.GREEN for e in greens)
    return has_switched or bool(deploy.starts and deploy.starts[0] <= arrival.sent)


def _staleness(harness: SwitchHarness, at: float) -> float:
    """By how much a read may have lagged behind at this time."""
    stale = (t for t in harness.troubles if t.what == ProcessFault.STALE)
    return STALE_BY if any(t.began - 1 <= at <= t.ended + STALE_BY for t in stale) else 0.0


def _unchecked(harness: SwitchHarness, plan: SwitchPlan) -> Iterator[str]:
    """Writes to green before each check had passed there."""
    for arrival in harness.calls.arrivals:
        if harness.side_of(arrival) is not Side.GREEN or _is_retiring(harness, arrival.sent):
            continue
        for check in plan.checks:
            made = [
                each
                for each in harness.checks
                if each.check == check.text and each.side == "green" and each.ended <= arrival.sent
            ]
            if not made or not made[-1].passed:
                yield "green gets no traffic before it has passed every check"
            elif made[-1].ended < arrival.sent - _RECENT and not harness.set_back:
                yield "green gets no traffic that has not passed every check just before"


def _unwatched(harness: SwitchHarness, plan: SwitchPlan) -> Iterator[str]:
    """An end on green though too many of users' requests failed, or none was made lately."""
    greens = [a.sent for a in harness.calls.arrivals if harness.side_of(a) is Side.GREEN]
    since = min(greens, default=0.0) + _ON_ITS_WAY
    until = min(harness.world.delete.starts, default=float("inf"))  # there is no way back then
    live = [c for c in harness.checks if c.side == "live" and since <= c.began <= until]
    if sum(not each.passed for each in live) > plan.options.max_failures + _PARALLEL:
        yield "more failed checks than allowed lead back to blue"
    for check in plan.checks:
        made = [c.ended for c in harness.checks if (c.check, c.side) == (check.text, "live")]
        if max(made, default=0.0) < _last_look_at(harness) - _RECENT - _slept(harness):
            yield "a switch is watched by its checks to the end"


def _last_look_at(harness: SwitchHarness) -> float:
    """When the last look at every swap began, for the first time."""
    looks = (at for at, phase in harness.entered if phase is SwitchPhase.VERIFY)
    return next(looks, 0.0)


def _slept(harness: SwitchHarness) -> float:
    """How long the last look at everything may have been kept waiting."""
    since = harness.ended_at - _RECENT
    return sum(t.ended - t.began for t in harness.troubles if t.ended > since)


# -- what it says at its end


def _untruths(harness: SwitchHarness, outcome: Outcome) -> Iterator[str]:
    """An end that says another side than the one that every swap leads to."""
    sides = set(harness.found.values())
    is_green = outcome is Outcome.DONE or (
        outcome is Outcome.REFUSED and harness.world.setup.retire is RetireHabit.BREAKS
    )
    is_true = (
        sides == {Side.GREEN}
        if is_green and (outcome is Outcome.DONE or harness.greens)
        else sides == {Side.BLUE}
        if outcome in _ON_BLUE
        else True
    )
    if not is_true and not _is_overtaken(harness):
        yield "done means green and nothing else; any other end but unknown, blue"


def _is_led_back(harness: SwitchHarness) -> bool:
    """Whether everything that is not another writer's leads to blue."""
    return _is_overtaken(harness) or all(
        side is Side.BLUE or (side is not Side.GREEN and _is_anothers(harness))
        for side in harness.found.values()
    )


def _is_anothers(harness: SwitchHarness) -> bool:
    return any(write.by == PERSON for write in harness.world.writes)


def _is_overtaken(harness: SwitchHarness, at: float | None = None) -> bool:
    """Whether somebody else wrote while the run made its last look, at its end or at this time."""
    since = (harness.ended_at if at is None else at) - _LAST_LOOK
    since -= sum(
        trouble.ended - trouble.began
        for trouble in harness.troubles
        if trouble.ended >= since and trouble.what in (ProcessFault.SLOW, ProcessFault.STALE)
    )
    until = harness.timeline.now if at is None else at
    return any(w.by != SWITCHER and since <= w.time <= until for w in harness.world.writes)


def _is_invalidated(harness: SwitchHarness) -> bool:
    """Whether what a front has kept was invalidated after it was led to green, if it was asked."""
    world = harness.world
    if not world.front or not world.setup.caches:
        return True
    if harness.struck[SiteFault.NO_INVALIDATION] or _calls_fail(harness):
        return True  # it holds nothing up: objects expire by themselves
    greens = [a.time for a in harness.calls.arrivals if harness.side_of(a) is Side.GREEN]
    wiped = [w.time for w in world.cloudfront.history if w.by == SWITCHER and w.invalidated]
    return bool(greens and wiped) and wiped[-1] > greens[-1]


def _calls_fail(harness: SwitchHarness) -> bool:
    return bool(harness.calls.hurt)


# -- what users get


def _gaps(harness: SwitchHarness) -> Iterator[str]:
    """Times at which neither blue nor green answered, though nobody else had written anything."""
    others = [write.time for write in harness.world.writes if write.by != SWITCHER]
    first_other = min(others, default=float("inf"))
    for visit in harness.world.visits:
        if visit.time > harness.ended_at:
            return
        is_answered = visit.side in (Side.BLUE, Side.GREEN)
        if not is_answered and visit.time < first_other:
            yield "users are answered by blue or by green at every time"


def _left_moved(harness: SwitchHarness, faults: SwitchFaults) -> Iterator[str]:
    """What the deploy has moved, and was not put back in time while the run lived.

    Where most calls fail the run may need many attempts: no pause between two of them is too long.
    """
    tries = [e.time for e in harness.disk.events if isinstance(e, ev.SwapIntended)]
    history = harness.world.gateway.history
    limit = _PUT_BACK + (0.0 if faults.is_calm else _SLACK_OF_FAULTS)
    for number, write in enumerate(history):
        if write.by not in (DEPLOY, DELETE) or write.time > harness.ended_at:
            continue
        later = [w for w in history[number + 1 :] if w.what == write.what]
        until = later[0].time if later else harness.ended_at
        limit_here = limit + sum(
            max(0.0, min(until, trouble.ended) - max(write.time, trouble.began))
            for trouble in harness.troubles
        )
        kept = [] if faults.is_calm else [at for at in tries if write.time < at < until]
        if max(b - a for a, b in pairwise([write.time, *kept, until])) > limit_here:
            yield "what the deploy of green has moved is put back"
