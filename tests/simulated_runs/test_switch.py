"""Whole switches on virtual time: what happens to users, and what the run says, fault by fault.

Every run is held against the account's own history (`simulation.chaos.switch.oracle`); here stands
what each of them has to come to besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.api_mappings import ApiKind, EndpointType
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.choices import Act
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.model import SwapKind
from route53_takeover.simulation.chaos.faults import WayOut
from route53_takeover.simulation.chaos.process_faults import ProcessFault
from route53_takeover.simulation.chaos.switch.coverage import SwitchGoal
from route53_takeover.simulation.chaos.switch.faults import SiteFault, SwitchFault, SwitchFaults
from route53_takeover.simulation.chaos.switch.harness import SwitchPoint
from route53_takeover.simulation.chaos.switch.runner import rehearse_switch
from route53_takeover.simulation.chaos.switch.setup import (
    CheckKind,
    DeployHabit,
    RetireHabit,
    SwitchSetup,
)

if TYPE_CHECKING:
    from route53_takeover.simulation.chaos.switch.oracle import SwitchRehearsal

API = SwitchSetup()
EDGE = SwitchSetup(endpoint_type=EndpointType.EDGE)
HTTP = SwitchSetup(api_kind=ApiKind.HTTP)
SHOP = SwitchSetup(base_paths=("", "shop"))
CDN = SwitchSetup(kind=SwapKind.CLOUDFRONT_ORIGIN, deploying=30.0)
CALM = SwitchFaults()


def run(setup: SwitchSetup, *faults: SwitchFault, **more: Any) -> SwitchRehearsal:
    """A run that keeps every promise."""
    done = rehearse_switch(setup, "cases", SwitchFaults(injected=faults, **more))
    assert done.broken == ()
    return done


def sides(done: SwitchRehearsal) -> set[Side]:
    return set(done.found.values())


@pytest.mark.parametrize("setup", [API, EDGE, HTTP, SHOP, CDN], ids=str)
def test_a_switch_in_which_nothing_goes_wrong_is_done(setup: SwitchSetup) -> None:
    done = run(setup)
    assert (done.outcome, sides(done)) == (Outcome.DONE, {Side.GREEN})


@pytest.mark.parametrize("checks", [(), *((kind,) for kind in CheckKind)], ids=str)
def test_whatever_is_checked_a_good_green_is_switched_to(checks: tuple[CheckKind, ...]) -> None:
    assert run(replace(API, checks=checks)).outcome is Outcome.DONE


def test_a_site_of_many_paths_is_switched() -> None:
    """All mappings of a domain come in one read: there are five a second for all of them."""
    many = replace(API, base_paths=tuple(f"p{number}" for number in range(16)))
    assert run(many).outcome is Outcome.DONE


def test_what_cloudfront_keeps_of_blue_is_gone_at_the_end() -> None:
    done = run(replace(CDN, caches=True))
    assert done.outcome is Outcome.DONE
    assert SwitchGoal.INVALIDATED in done.sights
    answers = [e.answer.marks for e in done.events if isinstance(e, ev.CheckAnswered)]
    assert answers[-1] == "green"


# -- the deploy of green


@pytest.mark.parametrize("habit", list(DeployHabit), ids=lambda habit: habit.name)
def test_whatever_the_deploy_does_users_stay_on_blue_until_the_switch(habit: DeployHabit) -> None:
    done = run(replace(API, deploy=habit, deploy_timeout=200.0))
    fails = habit.fails or habit is DeployHabit.HANGS
    assert done.outcome is (Outcome.FAILED if fails else Outcome.DONE)
    assert sides(done) == ({Side.BLUE} if fails else {Side.GREEN})
    is_stolen = habit.moves and not habit.recreates and habit is not DeployHabit.DELETES
    assert (SwitchGoal.STOLEN in done.sights) is is_stolen
    assert (SwitchGoal.DELETED_AT_ITS_END in done.sights) is (habit is DeployHabit.DELETES)
    assert (SwitchGoal.RECREATED in done.sights) is habit.recreates


def test_a_distribution_stays_on_blue_while_green_is_made() -> None:
    assert run(replace(CDN, deploy=DeployHabit.WELL)).outcome is Outcome.DONE
    assert run(replace(CDN, deploy=DeployHabit.FAILS)).outcome is Outcome.FAILED


def test_a_plan_that_is_refused_once_green_is_there_changes_nothing() -> None:
    done = run(replace(API, deploy=DeployHabit.WELL, refused=True))
    assert (done.outcome, sides(done)) == (Outcome.REFUSED, {Side.BLUE})


def test_a_theft_at_the_very_end_of_a_deploy_is_put_back_though_the_run_is_aborted() -> None:
    done = run(
        replace(API, deploy=DeployHabit.STEALS_AND_FAILS, deploy_takes=5.0),
        SwitchFault(deed=ProcessFault.KEYS, act=Act.ABORT, cue=SwitchPoint.DEPLOYING, delay=3.05),
    )
    assert (done.outcome, sides(done)) == (Outcome.ABORTED, {Side.BLUE})


# -- green and blue that fail


def test_a_green_that_fails_before_is_never_switched_to() -> None:
    done = run(API, SwitchFault(deed=SiteFault.GREEN_FAILS, seconds=900.0))
    assert (done.outcome, sides(done)) == (Outcome.FAILED, {Side.BLUE})
    assert SwitchGoal.GREEN_FAILS in done.sights


@pytest.mark.parametrize("setup", [API, SHOP, CDN], ids=str)
@pytest.mark.parametrize("cue", [SwitchPoint.SWITCHED, SwitchPoint.SETTLING, SwitchPoint.BAKING])
def test_a_green_that_fails_afterwards_is_switched_back(
    setup: SwitchSetup, cue: SwitchPoint
) -> None:
    done = run(setup, SwitchFault(deed=SiteFault.GREEN_FAILS, cue=cue, seconds=9000.0))
    assert (done.outcome, sides(done)) == (Outcome.RESTORED, {Side.BLUE})


def test_a_few_failed_checks_are_allowed() -> None:
    once = SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, delay=1.0, seconds=6.0)
    assert run(API, once).outcome is Outcome.DONE
    assert run(replace(API, max_failures=0), once).outcome is Outcome.RESTORED


def test_a_blue_that_fails_keeps_nobody_from_green() -> None:
    done = run(API, SwitchFault(deed=SiteFault.BLUE_FAILS, share=1.0, seconds=3.0))
    assert done.outcome is Outcome.DONE


# -- writes


def test_an_answer_that_is_lost_is_settled_by_reading() -> None:
    applied = run(API, lost=frozenset({1}))
    assert applied.outcome is Outcome.DONE
    assert SwitchGoal.LOST_APPLIED in applied.sights
    dropped = run(API, dropped=frozenset({1}))
    assert dropped.outcome is Outcome.DONE
    assert SwitchGoal.LOST_UNAPPLIED in dropped.sights


@pytest.mark.parametrize("setup", [API, SHOP, CDN], ids=str)
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.08, 0.5])
@pytest.mark.parametrize("cue", [SwitchPoint.SWITCHING, SwitchPoint.BACK])
def test_a_run_that_is_killed_around_a_write_goes_on(
    setup: SwitchSetup, delay: float, cue: SwitchPoint
) -> None:
    faults = [SwitchFault(deed=ProcessFault.KILL, cue=cue, delay=delay, seconds=20.0)]
    if cue is SwitchPoint.BACK:
        fails = SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=900.0)
        faults.append(fails)
    done = run(setup, *faults)
    assert done.lives == 2
    assert done.outcome is (Outcome.DONE if len(faults) == 1 else Outcome.RESTORED)


def test_another_etag_is_read_again_and_the_switch_goes_on() -> None:
    done = run(CDN, SwitchFault(deed=SiteFault.TOUCH, cue=SwitchPoint.SWITCHING))
    assert done.outcome is Outcome.DONE
    assert SwitchGoal.STALE_ETAG in done.sights


def test_a_write_that_is_refused_changes_nothing() -> None:
    done = run(API, SwitchFault(deed=SiteFault.REFUSE, cue=SwitchPoint.CHECKING, seconds=900.0))
    assert (done.outcome, sides(done)) == (Outcome.FAILED, {Side.BLUE})


def test_a_way_back_that_is_refused_for_a_minute_still_comes_to_blue() -> None:
    done = run(
        API,
        SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=900.0),
        SwitchFault(deed=SiteFault.REFUSE, cue=SwitchPoint.RETURNING, seconds=60.0),
    )
    assert (done.outcome, sides(done)) == (Outcome.RESTORED, {Side.BLUE})
    assert SwitchGoal.BACK_REFUSED in done.sights


def test_reads_that_lag_behind_are_not_believed() -> None:
    stale = SwitchFault(deed=ProcessFault.STALE, cue=SwitchPoint.SWITCHING, seconds=20.0)
    assert run(API, stale).outcome is Outcome.DONE
    done = run(API, stale, SwitchFault(deed=ProcessFault.STOP, cue=SwitchPoint.SWITCHED))
    assert (done.outcome, sides(done)) == (Outcome.RESTORED, {Side.BLUE})


@pytest.mark.parametrize(
    "deed", [ProcessFault.THROTTLE, ProcessFault.UNREACHABLE, ProcessFault.EXPIRE]
)
@pytest.mark.parametrize("cue", list(SwitchPoint)[:1] + list(SwitchPoint)[4:])
def test_half_a_minute_without_aws_ends_nothing(deed: ProcessFault, cue: SwitchPoint) -> None:
    outage = SwitchFault(deed=deed, cue=cue, seconds=30.0)
    assert run(API, outage).outcome is Outcome.DONE


# -- other writers


@pytest.mark.parametrize(
    "cue", [SwitchPoint.BEGIN, SwitchPoint.CHECKING, SwitchPoint.SETTLING, SwitchPoint.BAKING]
)
@pytest.mark.parametrize("setup", [API, CDN], ids=str)
def test_what_another_writer_does_stays(setup: SwitchSetup, cue: SwitchPoint) -> None:
    done = run(setup, SwitchFault(deed=SiteFault.EDIT, cue=cue))
    assert (done.outcome, sides(done)) == (Outcome.UNKNOWN, {Side.OTHER})


def test_a_config_that_another_writer_edits_stays() -> None:
    done = run(CDN, SwitchFault(deed=SiteFault.EDIT_FRONT, cue=SwitchPoint.BAKING))
    assert (done.outcome, sides(done)) == (Outcome.UNKNOWN, {Side.OTHER})


def test_who_leads_the_site_back_by_hand_has_led_it_back() -> None:
    done = run(API, SwitchFault(deed=SiteFault.TO_BLUE, cue=SwitchPoint.BAKING, delay=20.0))
    assert (done.outcome, sides(done)) == (Outcome.RESTORED, {Side.BLUE})


def test_a_mapping_that_is_deleted_before_anything_is_nobodys_to_create() -> None:
    for setup in (API, replace(API, deploy=DeployHabit.WELL)):
        done = run(setup, SwitchFault(deed=SiteFault.DELETE))
        assert (done.outcome, sides(done)) == (Outcome.UNKNOWN, {Side.ABSENT})


def test_a_mapping_that_is_deleted_after_the_switch_is_created_to_blue() -> None:
    done = run(API, SwitchFault(deed=SiteFault.DELETE, cue=SwitchPoint.BAKING))
    assert (done.outcome, sides(done)) == (Outcome.RESTORED, {Side.BLUE})


# -- CloudFront that is slow


def test_a_way_back_does_not_wait_for_the_edges() -> None:
    done = run(
        replace(CDN, deploying=300.0),
        SwitchFault(deed=ProcessFault.STOP, cue=SwitchPoint.SWITCHED, delay=5.0),
    )
    assert (done.outcome, sides(done)) == (Outcome.RESTORED, {Side.BLUE})
    assert SwitchGoal.BACK_IN_PROGRESS in done.sights


@pytest.mark.parametrize("cue", [SwitchPoint.PROVING, SwitchPoint.SWITCHED, SwitchPoint.BACK])
def test_a_distribution_that_never_finishes_is_not_waited_for_for_ever(cue: SwitchPoint) -> None:
    stuck = SwitchFault(deed=SiteFault.NEVER_DEPLOYED, cue=cue, seconds=1e6)
    fails = SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=1e6)
    done = run(CDN, stuck, fails)
    expected = Outcome.FAILED if cue is SwitchPoint.PROVING else Outcome.RESTORED
    assert (done.outcome, sides(done)) == (expected, {Side.BLUE})


def test_invalidations_that_are_refused_hold_nothing_up() -> None:
    refused = SwitchFault(deed=SiteFault.NO_INVALIDATION, seconds=1e6)
    done = run(replace(CDN, caches=True, checks=()), refused)
    assert done.outcome is Outcome.DONE
    assert SwitchGoal.INVALIDATION_FAILED in done.sights


# -- the delete of blue


@pytest.mark.parametrize("setup", [API, SHOP, CDN], ids=str)
@pytest.mark.parametrize("habit", list(RetireHabit), ids=lambda habit: habit.name)
def test_blue_is_deleted_at_the_end_and_takes_nothing_with_it(
    setup: SwitchSetup, habit: RetireHabit
) -> None:
    done = run(replace(setup, retire=habit))
    expected = {RetireHabit.FAILS: Outcome.UNKNOWN, RetireHabit.BREAKS: Outcome.REFUSED}
    assert (done.outcome, sides(done)) == (expected.get(habit, Outcome.DONE), {Side.GREEN})
    is_taken = habit is RetireHabit.TAKES and setup is not CDN
    assert (SwitchGoal.TAKEN in done.sights) is is_taken


@pytest.mark.parametrize("delay", [0.0, 0.5, 5.0, 12.0, 28.0])
def test_a_run_that_is_killed_while_blue_is_deleted_keeps_users_on_green(delay: float) -> None:
    kill = SwitchFault(deed=ProcessFault.KILL, cue=SwitchPoint.DELETING, delay=delay, seconds=20.0)
    done = run(replace(API, retire=RetireHabit.TAKES), kill)
    assert (done.outcome, sides(done), done.lives) == (Outcome.DONE, {Side.GREEN}, 2)


@pytest.mark.parametrize("deed", [ProcessFault.STOP, ProcessFault.FULL, SiteFault.GREEN_FAILS])
def test_nobody_is_led_back_to_a_blue_that_is_being_deleted(
    deed: ProcessFault | SiteFault,
) -> None:
    fault = SwitchFault(deed=deed, cue=SwitchPoint.DELETING, delay=1.0, seconds=900.0)
    done = run(replace(API, retire=RetireHabit.TAKES), fault)
    assert (done.outcome, sides(done)) == (Outcome.DONE, {Side.GREEN})


def test_a_green_that_fails_in_the_bake_keeps_blue_from_being_deleted() -> None:
    fails = SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=900.0)
    done = run(replace(API, retire=RetireHabit.SAFE), fails)
    assert (done.outcome, sides(done)) == (Outcome.RESTORED, {Side.BLUE})
    assert SwitchGoal.BLUE_DELETED not in done.sights


# -- the disk, the machine, the operator


@pytest.mark.parametrize("deed", [ProcessFault.FULL, ProcessFault.READ_ONLY])
def test_a_journal_that_breaks(deed: ProcessFault) -> None:
    before = run(API, SwitchFault(deed=deed, cue=SwitchPoint.CHECKING))
    assert (before.outcome, sides(before)) == (Outcome.FAILED, {Side.BLUE})
    after = run(API, SwitchFault(deed=deed, cue=SwitchPoint.BAKING))
    assert (after.outcome, sides(after)) == (Outcome.DONE, {Side.GREEN})


def test_a_disk_that_stalls_keeps_nobody_on_a_green_that_fails() -> None:
    done = run(
        API,
        SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=900.0),
        SwitchFault(deed=ProcessFault.STALL, cue=SwitchPoint.RETURNING, seconds=300.0),
    )
    assert (done.outcome, sides(done)) == (Outcome.RESTORED, {Side.BLUE})
    assert SwitchGoal.STALLED_GOING_BACK in done.sights


def test_a_machine_that_slept_through_the_bake_looks_before_it_is_done() -> None:
    asleep = SwitchFault(deed=ProcessFault.SUSPEND, cue=SwitchPoint.BAKING, seconds=600.0)
    assert run(API, asleep).outcome is Outcome.DONE
    fails = SwitchFault(
        deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, delay=300.0, seconds=9000.0
    )
    assert run(API, asleep, fails).outcome is Outcome.RESTORED


def test_a_run_that_was_dead_through_the_bake_bakes_anew() -> None:
    dead = SwitchFault(deed=ProcessFault.KILL, cue=SwitchPoint.BAKING, delay=1.0, seconds=600.0)
    done = run(API, dead)
    resumed = next(e.time for e in done.events if isinstance(e, ev.RunResumed))
    assert done.outcome is Outcome.DONE
    assert done.events[-1].time - resumed >= API.bake


@pytest.mark.parametrize(
    ("act", "cue", "outcome", "side"),
    [
        (Act.ABORT, SwitchPoint.DEPLOYING, Outcome.ABORTED, Side.BLUE),
        (Act.ABORT, SwitchPoint.CHECKING, Outcome.ABORTED, Side.BLUE),
        (Act.ABORT, SwitchPoint.BAKING, Outcome.DONE, Side.GREEN),
        (Act.RESTORE, SwitchPoint.CHECKING, Outcome.DONE, Side.GREEN),
        (Act.RESTORE, SwitchPoint.SWITCHED, Outcome.RESTORED, Side.BLUE),
        (Act.RESTORE, SwitchPoint.BAKING, Outcome.RESTORED, Side.BLUE),
        (Act.PAUSE, SwitchPoint.CHECKING, Outcome.DONE, Side.GREEN),
    ],
)
def test_what_the_operator_asks_for(
    act: Act, cue: SwitchPoint, outcome: Outcome, side: Side
) -> None:
    key = SwitchFault(deed=ProcessFault.KEYS, act=act, cue=cue, seconds=300.0)
    done = run(replace(API, deploy=DeployHabit.WELL), key)
    assert (done.outcome, sides(done)) == (outcome, {side})


def test_a_run_that_is_killed_while_it_is_paused_goes_on_when_it_is_resumed() -> None:
    done = run(
        API,
        SwitchFault(deed=ProcessFault.KEYS, act=Act.PAUSE, cue=SwitchPoint.CHECKING, seconds=1e5),
        SwitchFault(deed=ProcessFault.KILL, cue=SwitchPoint.CHECKING, delay=5.0, seconds=7200.0),
    )
    assert done.outcome is Outcome.DONE


def test_a_run_that_ended_unknown_is_resumed_to_a_known_end() -> None:
    blind = SwitchFault(deed=ProcessFault.UNREACHABLE, cue=SwitchPoint.VERIFYING, seconds=100.0)
    unknown = run(API, blind)
    assert unknown.outcome is Outcome.UNKNOWN
    resumed = run(API, blind, resumes=1)
    assert (resumed.outcome, resumed.lives) == (Outcome.DONE, 2)
    assert SwitchGoal.RESUMED_UNKNOWN in resumed.sights


@pytest.mark.parametrize("setup", [API, CDN], ids=str)
def test_a_dead_run_is_led_back_by_restore(setup: SwitchSetup) -> None:
    dead = SwitchFault(deed=ProcessFault.KILL, cue=SwitchPoint.BAKING, delay=1.0, seconds=60.0)
    done = run(setup, dead, way_out=WayOut.RESTORE)
    assert sides(done) == {Side.BLUE}
    assert SwitchGoal.LED_BACK_BY_RESTORE in done.sights


def test_the_same_seed_gives_the_same_run() -> None:
    faults = SwitchFaults(kills=(9,), downtimes=(3.0,), lost=frozenset({1}))
    first, second = (rehearse_switch(SHOP, "same", faults) for _ in range(2))
    assert (first.events, first.history) == (second.events, second.history)
    assert first.events != rehearse_switch(SHOP, "another", faults).events
