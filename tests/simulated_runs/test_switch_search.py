"""The search for a broken promise among switches: some of the soak's, by fixed seeds.

``scripts/soak.py`` goes on for as long as it is told to. What fails here names the one command
that repeats it and tells what happened.
"""

from __future__ import annotations

import pytest

from route53_takeover.simulation.chaos.process_faults import PROCESS_DEEDS, ProcessFault
from route53_takeover.simulation.chaos.soak import drawn, is_switch, soaked
from route53_takeover.simulation.chaos.switch.draws import DrawnSwitch, draw_switch, soak_switch
from route53_takeover.simulation.chaos.switch.faults import SITE_DEEDS, SiteFault
from route53_takeover.simulation.chaos.switch.setup import CheckKind, DeployHabit

RUNS = 120
"""Numbers of each seed, of which one in four is a switch."""


@pytest.mark.parametrize("seed", [1, 2])
def test_no_promise_is_broken(seed: int) -> None:
    for number in filter(is_switch, range(RUNS)):
        run = soaked(seed, number)
        assert run.broken == (), f"uv run scripts/soak.py --seed {seed} --only {number}"


def test_a_run_of_the_soak_is_the_same_whatever_ran_before_it() -> None:
    soak_switch(3, 3)
    first, second = soak_switch(3, 7), soak_switch(3, 7)
    assert (first.events, first.history) == (second.events, second.history)
    assert first.events != soak_switch(3, 11).events


def test_one_run_in_four_is_a_switch() -> None:
    kinds = [type(drawn(1, number)) for number in range(40)]
    assert kinds.count(DrawnSwitch) == 10


def test_every_fault_there_is_is_drawn_now_and_then() -> None:
    found = [draw_switch(4, number) for number in range(2000)]
    deeds = {fault.deed for each in found for fault in each.faults.injected}
    assert deeds == {*ProcessFault, *SiteFault} == {*PROCESS_DEEDS, *SITE_DEEDS}
    assert {each.setup.deploy for each in found} == {None, *DeployHabit}
    assert {kind for each in found for kind in each.setup.checks} == set(CheckKind)
