"""The verdict on the deadman in AWS: the truth is the account's own list of its executions.

It shares nothing with what the run knows of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import conflict, normal_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.cloud_deadman import run_prefix
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.timing import CLOUD_AGAIN, CLOUD_TRIES
from route53_takeover.simulation.aws.step_functions.state_machines import DEADMAN
from route53_takeover.simulation.chaos.coverage import CoverageGoal
from route53_takeover.simulation.chaos.fault_injection import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.aws.step_functions.state_machines import Execution
    from route53_takeover.simulation.chaos.arrivals import Arrival
    from route53_takeover.simulation.chaos.harness import Harness

_BOUND = CLOUD_AGAIN + 10.0
"""Seconds from one try to the end of the next: the pause, and the retries of one that Route 53 was
too busy for."""
_KEPT_BACK = frozenset({FaultKind.BUSY, FaultKind.DEADMAN_DENIED})
"""Troubles in which Route 53 takes nothing of it."""
_SHORTEST, _BEFORE = 60.0, 30.0
"""Seconds that the run's own deadman has at least, and that the one in AWS comes after it."""
_ON_ITS_WAY = 1.0
"""Seconds that the start of an execution may take to arrive after its process has died."""
_LONGEST = CLOUD_TRIES * (CLOUD_AGAIN + 5.0)


def executions(harness: Harness) -> list[Execution]:
    """Those of the run that is judged, in the order of their start."""
    return [
        each
        for each in harness.world.step_functions.executions.values()
        if each.name.startswith(f"{run_prefix('rehearsal')}--")
    ]


def wrong_deadmen(harness: Harness, plan: Plan, ended: State | None) -> Iterator[str]:
    """Each promise about the deadman in AWS that was broken."""
    for each in executions(harness):
        if _longest_absence(harness, plan, each) > 0:
            yield "a name has a record again soon after its deadman in AWS was due"
        until = harness.world.timeline.now if each.stopped_at is None else each.stopped_at
        if until - each.fires_at > _LONGEST:
            yield "a deadman in AWS ends by itself"
    for change in harness.world.history:
        if change.by == DEADMAN and any(action != "CREATE" for action, _ in change.changes):
            yield "the deadman in AWS only creates"
    if ended is None or ended.ending is None or ended.ending.outcome is Outcome.UNKNOWN:
        return
    at = harness.ended_at
    if any(e.was_running(at) and e.started < at - _ON_ITS_WAY for e in executions(harness)):
        yield "the deadman in AWS is stopped, or the run says that it is not"


def _longest_absence(harness: Harness, plan: Plan, each: Execution) -> float:
    """Seconds for which its name had no record though it was due, beyond what it may take."""
    world, name = harness.world, normal_name(each.record.name)
    now = world.timeline.now
    until = min(now if t is None else t for t in (each.stopped_at, each.created_at))
    worst = 0.0
    for began, end in world.zones.absences(world.zone.zone_id, name, plan.members_at(name)):
        first, last = max(began, each.fires_at), min(now if end is None else end, until)
        kept_back = sum(
            max(0.0, min(last, t.ended) - max(first, t.began))
            for t in harness.troubles
            if t.what in _KEPT_BACK
        )
        worst = max(worst, last - first - kept_back - _BOUND)
    return worst


def is_rescued(
    harness: Harness, plan: Plan, arrival: Arrival, deleted: Sequence[RecordSet]
) -> bool:
    """Whether each record set of a release had one execution, that fires after the run's deadman.

    One that would fire before it, and was not stopped, would undo the release.
    """
    if plan.options.cloud_deadman is None:
        return True
    own = plan.options.restore_after
    # A machine that sleeps after its DELETE has left the program, and before it has left the
    # machine, sends it when it wakes. No check of the program can come later than that.
    at = arrival.time - _slept_on_its_way(harness, arrival)
    soonest = at + (_SHORTEST if own is None else own) + _BEFORE
    for record in deleted:
        mine = [e for e in executions(harness) if e.was_running(at) and conflict(e.record, record)]
        if not mine or any(e.fires_at < soonest for e in mine):
            return False
    return True


def _slept_on_its_way(harness: Harness, arrival: Arrival) -> float:
    """Seconds for which the machine was asleep between a request's start and its arrival."""
    return sum(
        t.ended - t.began
        for t in harness.troubles
        if t.what == "asleep" and arrival.sent <= t.began and t.ended <= arrival.time
    )


def deadman_sights(harness: Harness) -> Iterator[CoverageGoal]:
    """What of note happened to the deadmen in AWS."""
    mine = executions(harness)
    created = [change.time for change in harness.world.history if change.by == DEADMAN]
    if created and harness.is_left:
        yield CoverageGoal.CLOUD_RESTORED
    for each in mine:
        fired = each.was_running(each.fires_at)
        going = [t for t in harness.creating_at if t < each.fires_at]
        turned = [t for t in harness.turned_at if t < each.fires_at]
        if fired and going and not turned:
            yield CoverageGoal.CLOUD_WHILE_CREATING
    if len({e.record.key for e in mine}) < len(mine):
        yield CoverageGoal.CLOUD_REPLACED
    answers = [e for e in harness.disk.events if isinstance(e, ev.DeadmanAnswered)]
    if any(e.answer is ev.DeadmanAnswer.NOT_STOPPED for e in answers):
        yield CoverageGoal.CLOUD_NOT_STOPPED
    if any(e.answer is ev.DeadmanAnswer.UNKNOWN for e in answers):
        yield CoverageGoal.CLOUD_UNANSWERED
    if any(isinstance(e, ev.DeadmanTested) and e.reason for e in harness.disk.events):
        yield CoverageGoal.CLOUD_DENIED
