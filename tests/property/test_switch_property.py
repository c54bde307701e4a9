"""The machine of a switch under any sequence of events, also senseless ones.

Real runs are recorded, then cut, doubled, swapped and mixed with each other. Whatever comes, the
machine never raises, never commands what is forbidden, and never comes to a dead end. What must
hold before a write is worked out anew here, from the raw events.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import CheckAnswer, Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import (
    AbortAsked,
    BackupWritten,
    DeployExited,
    Interrupted,
    JournalFailed,
    RestoreAsked,
    RunPaused,
    RunResumed,
    RunUnpaused,
    Switch,
    TimePassed,
)
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.invariants import violations
from route53_takeover.core.switch.machine import fold_switch
from route53_takeover.core.switch.model import SwapKind, SwapReading
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.polling import polls
from route53_takeover.core.switch.step import step
from route53_takeover.simulation.chaos.process_faults import ProcessFault
from route53_takeover.simulation.chaos.switch.faults import SiteFault, SwitchFault, SwitchFaults
from route53_takeover.simulation.chaos.switch.harness import SwitchPoint
from route53_takeover.simulation.chaos.switch.runner import rehearse_switch
from route53_takeover.simulation.chaos.switch.setup import DeployHabit, SwitchSetup

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwitchState

Events = tuple[ev.SwitchEvent, ...]
SETUPS = {
    "api": SwitchSetup(base_paths=("", "shop"), bake=10.0),
    "stolen": SwitchSetup(deploy=DeployHabit.STEALS, bake=10.0),
    "recreated": SwitchSetup(deploy=DeployHabit.RECREATES, bake=10.0),
    "front": SwitchSetup(kind=SwapKind.CLOUDFRONT_ORIGIN, caches=True, deploying=20.0, bake=10.0),
}
FAULTS = {
    "calm": SwitchFaults(),
    "killed": SwitchFaults(kills=(25,), downtimes=(2.0,), lost=frozenset({2})),
    "failing": SwitchFaults(
        injected=(SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=400.0),),
        dropped=frozenset({1}),
    ),
    "stopped": SwitchFaults(
        injected=(SwitchFault(deed=ProcessFault.STOP, cue=SwitchPoint.SWITCHED),)
    ),
}


@cache
def recorded(setup: str, faults: str) -> Events:
    """A real run."""
    return rehearse_switch(SETUPS[setup], "property", FAULTS[faults]).events


@cache
def pool() -> Events:
    """Everything that ever happened in any of them, and what seldom does."""
    found = [
        event
        for setup in SETUPS
        for faults in FAULTS
        for event in recorded(setup, faults)
        if not isinstance(event, ev.SwitchStarted)
    ]
    for swap in ("www.example.com/", "www.example.com/shop", "EFRONT/app", "else.example.com/"):
        found += [
            ev.SwapUnread(time=0.0, swap=swap, reason="throttled"),
            ev.InvalidationFailed(time=0.0, swap=swap, reason="throttled"),
            ev.InvalidationCompleted(time=0.0, swap=swap),
            *(
                ev.SwapRead(
                    time=0.0, swap=swap, began=0.0, reading=SwapReading(side=side, shown=str(side))
                )
                for side in Side
            ),
            *(
                answer
                for number in range(1, 5)
                for about in [{"id": f"rehearsal-{number}", "swap": swap}]
                for answer in (
                    ev.SwapAccepted(time=0.0, **about),
                    ev.SwapRefused(time=0.0, code="c", reason="r", **about),
                    ev.SwapHeldOff(time=0.0, reason="r", **about),
                    ev.SwapUnknown(time=0.0, reason="r", **about),
                )
            ),
        ]
    found += [
        Interrupted(time=0.0, signal="SIGINT"),
        JournalFailed(time=0.0, reason="disk full"),
        RunResumed(time=0.0),
        RunPaused(time=0.0),
        RunUnpaused(time=0.0),
        RestoreAsked(time=0.0),
        AbortAsked(time=0.0),
        TimePassed(time=0.0),
        DeployExited(time=0.0, switch=Switch.GREEN, code=None),
        ev.GreenNotFound(time=0.0, reason="r"),
        *(
            ev.CheckAnswered(
                time=0.0,
                check=0,
                way=way,
                began=0.0,
                answer=CheckAnswer(passed=False, reason="the status is 500"),
            )
            for way in (Way.BLUE, Way.GREEN, Way.LIVE)
        ),
    ]
    return tuple(found)


@st.composite
def histories(draw: st.DrawFn) -> Events:
    """A recorded run, disturbed; or nothing but noise."""
    setup, faults = draw(st.sampled_from(sorted(SETUPS))), draw(st.sampled_from(sorted(FAULTS)))
    run = list(recorded(setup, faults))
    if draw(st.integers(0, 4)) == 0:
        noise = draw(st.lists(st.sampled_from(pool()), max_size=40))
        return (run[0], *(_at(event, run[0].time + n) for n, event in enumerate(noise)))
    run = run[: draw(st.integers(1, len(run)))]
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(1, len(run)))
        match draw(st.sampled_from(["cut", "double", "swap", "insert", "insert", "repeat late"])):
            case "cut":
                del run[at : at + draw(st.integers(1, 4))]
            case "double":
                run[at:at] = run[at : at + 1]
            case "swap":
                run[at : at + 2] = run[at : at + 2][::-1]
            case "insert":
                event = draw(st.sampled_from(pool()))
                before = run[at - 1].time
                run.insert(at, _at(event, before + draw(st.sampled_from([0.0, 0.1, 30.0, 4000.0]))))
            case _:
                run.append(run[at - 1])
    return tuple(run)


def _at(event: ev.SwitchEvent, time: float) -> ev.SwitchEvent:
    if isinstance(event, ev.SwapRead | ev.CheckAnswered):
        return replace(event, time=time, began=time - 0.05)
    return replace(event, time=time)


class Witness:
    """Works out from the raw events what a write needs, apart from the program."""

    def __init__(self) -> None:
        self.backed_up = False
        self.deployed = False
        self.greens: set[str] = set()
        self.shown: dict[str, ev.SwapRead] = {}
        self.passed: dict[int, bool] = {}

    def sees(self, event: ev.SwitchEvent) -> None:
        match event:
            case BackupWritten():
                self.backed_up = True
            case ev.DeployIntended() | DeployExited():
                self.deployed = True
            case ev.SwapRead():
                known = self.shown.get(event.swap)
                if known is None or event.began >= known.began:
                    self.shown[event.swap] = event
            case ev.GreenFound():
                self.shown.clear()
            case ev.SwapIntended() if event.to is Side.GREEN:
                self.greens.add(event.swap)
            case ev.CheckAnswered() if event.way is Way.GREEN:
                self.passed[event.check] = event.answer.passed
            case _:
                pass

    def objections(self, state: SwitchState, write: cmd.WriteSwap) -> list[str]:
        shown = self.shown.get(write.swap)
        side = Side.UNKNOWN if shown is None else shown.reading.side
        found = []
        if not self.backed_up and write.purpose is not SwapPurpose.BACK:
            found.append("no backup")
        if write.to is Side.GREEN and side is not Side.BLUE:
            found.append(f"{side} is switched")
        if write.to is Side.GREEN and not all(
            self.passed.get(place) for place in range(len(state.plan.checks))
        ):
            found.append("green is not checked")
        if write.purpose is SwapPurpose.BACK and write.swap not in self.greens:
            found.append("led back without being switched")
        if write.purpose is SwapPurpose.BACK and side not in (Side.GREEN, Side.ABSENT):
            found.append(f"{side} is led back")
        if write.purpose is SwapPurpose.KEEP and not self.deployed:
            found.append("kept without a deploy")
        return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_whatever_comes_nothing_is_written_that_may_not_be(history: Events) -> None:
    state: SwitchState | None = None
    witness, asked = Witness(), set[str]()
    for event in history:
        witness.sees(event)
        state, commands = step(state, event)
        for command in commands:
            if isinstance(command, cmd.WriteSwap):
                assert violations(state, command, asked) == ()
                assert witness.objections(state, command) == []
                asked.add(command.id)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_no_state_is_a_dead_end(history: Events) -> None:
    """Something wakes the machine, or is asked for, or is looked at again and again."""
    state: SwitchState | None = None
    for event in history:
        state, _ = step(state, event)
    assert state is not None
    has_ended = state.phase is SwitchPhase.ENDED
    assert has_ended is (state.ending is not None)
    watched = polls(state)
    on_its_way = any(swap.write for swap in state.swaps.values())
    assert has_ended or state.paused or state.wake_at or state.in_flight or watched or on_its_way, (
        state.phase
    )
    assert all(poll.every > 0 for poll in watched)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.data())
def test_a_journal_is_folded_alike_by_everyone(history: Events, data: st.DataObject) -> None:
    """At once, in two parts, and again: who resumes a run knows what the engine knew."""
    at = data.draw(st.integers(1, len(history)))
    state: SwitchState | None = None
    for event in history[:at]:
        state, _ = step(state, event)
    assert state == fold_switch(history[:at])
    for event in history[at:]:
        state, _ = step(state, event)
    assert state == fold_switch(history)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_an_end_says_what_the_newest_reads_show(history: Events) -> None:
    state: SwitchState | None = None
    for event in history:
        before = state
        state, _ = step(state, event)
        if state.ending is None or (before is not None and before.ending is not None):
            continue
        sides = {swap.side for swap in state.swaps.values()}
        if state.ending.outcome is Outcome.DONE:
            assert sides == {Side.GREEN}
        elif state.ending.outcome is not Outcome.UNKNOWN:
            assert sides == {Side.BLUE}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_events_that_come_twice_change_nothing_of_what_was_written(history: Events) -> None:
    """An answer tells once what became of a write, however often it is told."""
    once = fold_switch(history)
    answers = [e for e in history if isinstance(e, ev.SwapWriteAnswer)]
    again = fold_switch((*history, *answers))
    assert once is not None
    assert again is not None
    for swap_id, swap in once.swaps.items():
        assert again.swaps[swap_id].wrote in (swap.wrote, swap.write and swap.write.to)
