"""The search for a broken promise: some hundred rehearsals among faults, by fixed seeds.

``scripts/soak.py`` goes on for as long as it is told to. What fails here names the one command
that repeats it and tells what happened.
"""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING

import pytest

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.status.choices import Act
from route53_takeover.simulation.aws.account import Habit
from route53_takeover.simulation.chaos.coverage import Sight
from route53_takeover.simulation.chaos.fault_catalog import DEEDS, Deed
from route53_takeover.simulation.chaos.harness import Cue
from route53_takeover.simulation.chaos.search import draw, soak_once

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.simulation.chaos.fault_catalog import Mishap

SEEDS = 4, 2, 3, 5
RUNS = 75
"""Of each seed, whatever they come to."""
MOST = 200
"""More runs of a seed at most, to come to one state of note."""
AIMS: dict[Sight, tuple[Deed | Act, ...]] = {
    Sight.CRASH_BEFORE_DELETE: (Deed.KILL, Deed.POWER),
    Sight.CRASH_AFTER_DELETE: (Deed.KILL, Deed.POWER),
    Sight.DELETE_BY_THE_DEAD: (Deed.KILL, Deed.POWER),
    Sight.DELETE_REFUSED: (Deed.EDIT,),
    Sight.SECOND_RESTORE: (Deed.CLEAN_UP,),
    Sight.THIRD_RESTORE: (Deed.CLEAN_UP,),
    Sight.ASLEEP_IN_THE_GAP: (Deed.SUSPEND,),
    Sight.STALLED_IN_THE_GAP: (Deed.STALL,),
    Sight.RESTORE_UNREAD: (Deed.SILENCE,),
    Sight.RESTORE_RESENT: (Deed.SILENCE,),
    Sight.SLOW_READ: (Deed.SLOW,),
    Sight.SIGNALS_TOGETHER: (Deed.STOP,),
    Sight.INTERRUPTED_IN_THE_GAP: (Deed.STOP,),
    Sight.JOURNAL_LOST_IN_THE_GAP: (Deed.FULL, Deed.READ_ONLY),
    Sight.CLOCK_SET_BACK: (Deed.CLOCK,),
    Sight.POWER_LOST: (Deed.POWER,),
    Sight.DAMAGED: (Deed.CORRUPT,),
    Sight.TWO_RUNS: (Deed.ANOTHER,),
    Sight.EDITED_IN_THE_GAP: (Deed.EDIT,),
    Sight.PAUSED_AT_THE_MOMENT: (Act.PAUSE,),
    Sight.GOING_ON: (Act.PAUSE,),
    Sight.UNCONFIRMED: (Act.CONFIRM_RELEASE,),
    Sight.CONFIRMED: (Act.CONFIRM_RELEASE,),
    Sight.HOLD_CUT: (Act.RELEASE_NOW,),
    Sight.DEADMAN_PUT_OFF: (Act.EXTEND_DEADMAN,),
    Sight.RESTORED_BY_A_KEY: (Act.RESTORE,),
    Sight.ABORTED: (Act.ABORT,),
}
"""What one of the mishaps of a run must be, so that a rare state is worth looking for in it.

A state that is not here is looked for in any run: enough where one in fifty comes to it.
"""
WITHIN = {Sight.CRASH_BEFORE_DELETE: 0.02, Sight.DELETE_BY_THE_DEAD: 0.05}
"""Seconds after its cue in which the mishap must happen, where there is little time for it."""
ANYTIME = Sight.CLOCK_SET_BACK, Sight.DAMAGED, Sight.POWER_LOST, Sight.TWO_RUNS
"""For these the mishap need not be at the release, or the clean-up after it."""


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_is_broken_and_every_state_of_note_is_reached(seed: int) -> None:
    """Each seed has the same share of runs, and looks for a share of the states of its own."""
    seen: set[Sight] = set()
    for number in range(RUNS):
        seen |= unbroken(seed, number)
    for sight in list(Sight)[SEEDS.index(seed) :: len(SEEDS)]:
        for number in islice(worth_a_look(seed, sight), MOST):
            if sight in seen:
                break
            seen |= unbroken(seed, number)
        assert sight in seen, f"not in {MOST} runs of seed {seed} that may come to it"


def unbroken(seed: int, number: int) -> frozenset[Sight]:
    """What a run came to see; fails where it broke a promise."""
    try:
        rehearsal = soak_once(seed, number)
    except RefusedError:
        return frozenset()
    assert rehearsal.broken == (), f"uv run scripts/soak.py --seed {seed} --only {number}"
    return rehearsal.sights


def worth_a_look(seed: int, sight: Sight) -> Iterator[int]:
    """Further runs of this seed that may well come to this state."""
    for number in count(RUNS):
        drawn = draw(seed, number).faults.mishaps
        if sight not in AIMS or any(_serves(mishap, sight) for mishap in drawn):
            yield number


def _serves(mishap: Mishap, sight: Sight) -> bool:
    is_key = mishap.deed is Deed.KEYS
    what = mishap.act if is_key else mishap.deed
    if what not in AIMS[sight] or mishap.delay > WITHIN.get(sight, mishap.delay):
        return False
    if is_key:
        return mishap.cue in (Cue.CREATING, Cue.RELEASE)
    return mishap.cue in (Cue.RELEASE, Cue.CLEANING) or sight in ANYTIME


def test_a_run_of_the_soak_is_the_same_whatever_ran_before_it() -> None:
    soak_once(3, 1)
    first, second = soak_once(3, 17), soak_once(3, 17)
    assert first.events == second.events
    assert first.history == second.history
    assert first.events != soak_once(3, 18).events


def test_every_fault_there_is_is_drawn_now_and_then() -> None:
    drawn = [draw(4, number) for number in range(1500)]
    assert {mishap.deed for d in drawn for mishap in d.faults.mishaps} == set(Deed) == set(DEEDS)
    assert {d.scenario.account.habit for d in drawn} == set(Habit)
