"""What follows from each fact, phase by phase: the way to green, the way back, the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.core.switch.states import (
    CHECK,
    DEPLOYED,
    FRONT,
    NOW,
    RUNNING,
    SHOP,
    answered,
    on,
    passed,
    read,
    reading,
    state,
    switched,
    take,
    unread,
    with_checks,
    write,
)
from tests.core.switch.stepped import SWAP, plan

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import (
    AbortAsked,
    BackupFailed,
    BackupWritten,
    DeployExited,
    Interrupted,
    JournalFailed,
    RestoreAsked,
    RunResumed,
    RunUnpaused,
    Switch,
    TimePassed,
)
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.step import step

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwapState, SwitchState

P, S = SwapPurpose, SwitchPhase
TICK = TimePassed(time=NOW)
BAKING = with_checks(plan(bake=60.0))


def writes(commands: tuple[cmd.SwitchCommand, ...]) -> list[tuple[str, Side, SwapPurpose]]:
    return [(c.swap, c.to, c.purpose) for c in commands if isinstance(c, cmd.WriteSwap)]


def kinds(commands: tuple[cmd.SwitchCommand, ...]) -> list[str]:
    return [type(command).__name__ for command in commands]


def ending(after: SwitchState) -> tuple[Outcome, ExitCode]:
    assert after.ending is not None, after.phase
    return after.ending.outcome, after.ending.exit_code


def later(seconds: float, before: SwitchState) -> SwitchState:
    """The same, with every swap just read at a later time."""
    swaps = {
        key: replace(swap, read_began=NOW + seconds - 0.1, read_at=NOW + seconds)
        for key, swap in before.swaps.items()
    }
    return replace(before, swaps=swaps, now=NOW + seconds)


# -- the beginning


def test_a_run_begins_with_its_plan() -> None:
    with pytest.raises(ValueError, match="begins with SwitchStarted"):
        step(None, TICK)
    after, commands = step(None, ev.SwitchStarted(time=NOW, run="run", plan=plan()))
    assert (after.phase, kinds(commands)) == (S.BACKUP, ["SaveBackup"])


def test_nothing_is_done_without_a_backup() -> None:
    made = state(S.BACKUP, on(Side.BLUE, reading=None), backed_up=False)
    after, _ = take(made, BackupFailed(time=NOW, reason="full"), read(Side.BLUE, at=NOW + 1))
    assert ending(after) == (Outcome.FAILED, ExitCode.FAILED)
    after, _ = take(made, BackupWritten(time=NOW))
    assert after.phase is S.CHECK


# -- the deploy


def deploying(*swaps: SwapState, **more: Any) -> SwitchState:
    made = plan(deploy="make green")
    return state(S.DEPLOY, *swaps, **{"plan": made, "green_found": False, **more})


def test_green_is_made_once_blue_is_seen_to_serve() -> None:
    assert kinds(take(deploying(), TICK)[1]) == ["DeployGreen"]
    assert kinds(take(deploying(on(Side.BLUE, reading=None)), TICK)[1]) == ["ReadSwap"]
    assert kinds(take(deploying(paused=True), TICK)[1]) == []
    elsewhere, commands = take(deploying(on(Side.OTHER)), TICK)
    assert "DeployGreen" not in kinds(commands)
    assert "another writer" in elsewhere.given_up


def test_what_another_writer_deleted_before_the_deploy_is_not_created() -> None:
    after, commands = take(deploying(), read(Side.ABSENT, at=NOW + 1), TICK)
    assert writes(commands) == []
    after, commands = take(after, read(Side.ABSENT, at=NOW + 2))
    assert writes(commands) == []
    assert ending(after) == (Outcome.UNKNOWN, ExitCode.UNKNOWN)


@pytest.mark.parametrize("side", [Side.OTHER, Side.GREEN])
def test_what_the_deploy_moves_is_put_back_at_once(side: Side) -> None:
    shown = replace(reading(side), shown="new/prod" if side is Side.OTHER else "green/dev_2")
    moved = ev.SwapRead(time=NOW, swap=SWAP.id, began=NOW - 0.05, reading=shown)
    made = replace(deploying(deploy=RUNNING), plan=plan(deploy="make green"))
    _, commands = take(made, moved)
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.KEEP)]


def test_what_leads_to_an_api_that_was_there_before_is_another_writers() -> None:
    made = deploying(deploy=RUNNING)
    made = replace(made, plan=replace(made.plan, known_apis=("blue", "other")))
    after, commands = take(made, read(Side.OTHER))
    assert writes(commands) == []
    assert "another writer" in after.given_up


def test_a_mapping_that_is_gone_is_not_created_while_its_deleter_may_wait_for_that() -> None:
    gone, commands = take(deploying(deploy=RUNNING), read(Side.ABSENT))
    assert writes(commands) == []
    still, commands = take(gone, read(Side.ABSENT, at=NOW + 19.9))
    assert writes(commands) == []
    _, commands = take(still, read(Side.ABSENT, at=NOW + 20.1))
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.KEEP)]
    _, commands = take(
        gone,
        DeployExited(time=NOW + 5, switch=Switch.GREEN, code=1),
        read(Side.ABSENT, at=NOW + 5.1),
    )
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.KEEP)]


def test_what_the_deploy_moves_is_put_back_also_where_the_run_is_given_up() -> None:
    """It was moved between the last read and the end of the deploy, and the run was aborted."""
    made = deploying(deploy=RUNNING)
    after, _ = take(
        made,
        AbortAsked(time=NOW),
        DeployExited(time=NOW + 0.1, switch=Switch.GREEN, code=0),
    )
    assert after.phase is S.RESTORE
    after, commands = take(after, read(Side.ABSENT, at=NOW + 0.3))
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.KEEP)]


def test_a_swap_is_never_written_for_two_reasons_at_once() -> None:
    """While the deploy goes on, the way back both keeps and leads back."""
    moved = on(Side.GREEN, moves=1, moved_at=NOW - 1)
    made = deploying(moved, deploy=RUNNING, given_up="aborted by the operator")
    _, commands = take(replace(made, phase=S.RESTORE), read(Side.GREEN))
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.KEEP)]


def test_a_deploy_that_moves_the_site_again_and_again_ends_the_run_and_is_still_kept_off() -> None:
    worn = on(Side.BLUE, moves=5)
    made = deploying(worn, deploy=RUNNING)
    made = replace(made, plan=replace(made.plan, known_apis=("blue",)))
    after, commands = take(made, read(Side.OTHER))
    assert "again and again" in after.given_up
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.KEEP)]


@pytest.mark.parametrize(
    ("exited", "reason"),
    [
        (DeployExited(time=NOW, switch=Switch.GREEN, code=1), "exited with 1"),
        (DeployExited(time=NOW, switch=Switch.GREEN, code=None), "with an unknown status"),
        (
            DeployExited(time=NOW, switch=Switch.GREEN, code=None, timed_out=True),
            "after --deploy-timeout",
        ),
    ],
)
def test_a_deploy_that_fails_ends_the_run(exited: DeployExited, reason: str) -> None:
    after, commands = take(deploying(deploy=RUNNING), exited, read(Side.BLUE, at=NOW + 0.1))
    assert reason in after.given_up
    assert writes(commands) == []
    after, _ = take(after, read(Side.BLUE, at=NOW + 0.3))
    assert ending(after) == (Outcome.FAILED, ExitCode.FAILED)


def test_green_is_looked_for_once_everything_is_read_after_the_deploy() -> None:
    made = deploying(deploy=DEPLOYED)
    assert "FindGreen" in kinds(take(made, read(Side.BLUE))[1])
    stale = deploying(on(Side.BLUE, read_began=NOW - 60), deploy=DEPLOYED)
    assert "FindGreen" not in kinds(take(stale, TICK)[1])


# -- the check


def checking(*swaps: SwapState, **more: Any) -> SwitchState:
    return state(S.CHECK, *swaps, **{"plan": with_checks(), "checks": passed(), **more})


def test_green_is_switched_to_once_it_has_passed() -> None:
    after, commands = take(checking(), TICK)
    assert (after.phase, writes(commands)) == (S.SWITCH, [(SWAP.id, Side.GREEN, P.SWITCH)])


def test_both_sides_are_asked_before_the_switch() -> None:
    after, commands = take(checking(checks={}), TICK)
    assert after.phase is S.CHECK
    assert {c.way for c in commands if isinstance(c, cmd.CarryOutCheck)} == {Way.BLUE, Way.GREEN}


def test_a_check_that_passed_some_time_ago_is_made_again() -> None:
    old = {**passed(), (0, Way.GREEN): answered(at=NOW - 91)}
    after, commands = take(checking(checks=old), TICK)
    assert (after.phase, kinds(commands)) == (S.CHECK, ["CarryOutCheck"])
    recent = {**passed(), (0, Way.GREEN): answered(at=NOW - 89)}
    assert take(checking(checks=recent), TICK)[0].phase is S.SWITCH


def test_a_run_that_is_resumed_before_its_first_write_checks_green_again() -> None:
    slept = state(
        S.SWITCH, on(Side.BLUE), plan=with_checks(), checks=passed(), switch_began=NOW - 5
    )
    after, commands = take(slept, RunResumed(time=NOW + 3600), read(Side.BLUE, at=NOW + 3600.1))
    assert writes(commands) == []
    assert "CarryOutCheck" in kinds(commands)
    assert after.phase is S.SWITCH


def test_a_failed_check_is_repeated_after_a_while_and_not_for_ever() -> None:
    once = {**passed(), (0, Way.GREEN): answered(passed=False)}
    after, commands = take(checking(checks=once), TICK)
    assert (kinds(commands), after.wake_at) == ([], NOW - 1.1 + 5.0)
    thrice = {**passed(), (0, Way.GREEN): replace(answered(passed=False), failed_in_a_row=3)}
    after, _ = take(checking(checks=thrice), TICK)
    assert f"green fails the check {CHECK.text}" in after.given_up


def test_a_paused_run_does_not_switch() -> None:
    after, _ = take(checking(paused=True), TICK)
    assert after.phase is S.CHECK
    assert take(after, RunUnpaused(time=NOW))[0].phase is S.SWITCH


def test_a_distributions_way_back_is_proven_by_an_update_that_changes_nothing() -> None:
    unproven = on(Side.BLUE, FRONT, proven=False)
    after, commands = take(checking(unproven), TICK)
    assert (after.phase, writes(commands)) == (S.CHECK, [(FRONT.id, Side.BLUE, P.PROVE)])
    busy = on(Side.BLUE, FRONT, proven=False, reading=reading(Side.BLUE, etag="E1", settled=False))
    assert writes(take(checking(busy), TICK)[1]) == []
    refused = on(Side.BLUE, FRONT, proven=False, refusals=1, trouble="not authorized")
    assert "may not be changed: not authorized" in take(checking(refused), TICK)[0].given_up


def test_a_distribution_that_is_never_ready_is_not_waited_for_for_ever() -> None:
    busy = on(Side.BLUE, FRONT, reading=reading(Side.BLUE, etag="E1", settled=False))
    made = checking(busy)
    after, _ = take(made, TICK)
    assert (after.phase, after.wake_at) == (S.CHECK, made.phase_since + 3600)
    after, _ = take(later(3600, made), TimePassed(time=NOW + 3600))
    assert "not ready to be switched" in after.given_up


def test_a_short_outage_does_not_end_a_run() -> None:
    after: SwitchState = checking(on(Side.BLUE, read_at=NOW - 5, read_began=NOW - 5))
    failures = 0
    while not after.given_up:
        failures += 1
        again = max(after.now, after.swaps[SWAP.id].read_again_at)
        after, _ = take(after, unread(at=again))
    assert failures == 12
    assert after.now - NOW > 40


# -- the switch


def switching(*swaps: SwapState, **more: Any) -> SwitchState:
    return state(S.SWITCH, *swaps, **{"plan": with_checks(), "checks": passed(), **more})


def test_mappings_are_switched_in_order() -> None:
    made = switching(on(Side.BLUE), on(Side.BLUE, SHOP))
    after, commands = take(made, TICK)
    assert writes(commands) == [(SWAP.id, Side.GREEN, P.SWITCH)]
    half = switching(switched(at=NOW - 2), on(Side.BLUE, SHOP))
    after, commands = take(half, TICK)
    assert writes(commands) == [(SHOP.id, Side.GREEN, P.SWITCH)]
    both = switching(switched(), switched(SHOP))
    after, commands = take(both, TICK)
    assert (after.phase, writes(commands)) == (S.SETTLE, [])


def test_a_write_is_seen_twice_before_the_next() -> None:
    once = switched(at=NOW - 0.5, agreed_since=NOW - 0.4, read_began=NOW - 0.4)
    after, commands = take(switching(once, on(Side.BLUE, SHOP)), TICK)
    assert (writes(commands), after.wake_at) == ([], NOW + 0.6)


def test_a_read_that_shows_the_past_is_not_believed_for_a_while() -> None:
    late = switched(at=NOW - 5, reading=reading(Side.BLUE), agreed_since=None)
    after, commands = take(switching(late), TICK)
    assert (after.phase, writes(commands), after.given_up) == (S.SWITCH, [], "")
    after, _ = take(switching(switched(at=NOW - 16, reading=reading(Side.BLUE))), TICK)
    assert "another writer has changed" in after.given_up


def test_what_another_writer_has_changed_is_not_switched() -> None:
    after, commands = take(switching(on(Side.OTHER)), TICK)
    assert writes(commands) == []
    assert "another writer has changed" in after.given_up


@pytest.mark.parametrize("side", [Side.GREEN, Side.ABSENT])
def test_what_somebody_else_has_led_to_green_is_not_this_switchs(side: Side) -> None:
    after, commands = take(switching(on(side)), TICK)
    assert (after.phase, writes(commands)) == (S.VERIFY, [])
    assert "another writer has changed" in after.given_up


def test_what_is_not_taken_is_given_up() -> None:
    tired = on(Side.BLUE, refusals=5, trouble="refused")
    after, commands = take(switching(tired), TICK)
    assert (writes(commands), after.given_up) == (
        [],
        f"{SWAP.target} was not switched: refused",
    )


# -- settled, and the bake


def settling(*swaps: SwapState, **more: Any) -> SwitchState:
    found = swaps or (switched(),)
    return state(
        S.SETTLE,
        *found,
        **{"plan": BAKING, "checks": passed(), "switch_began": NOW - 60, **more},
    )


def live(marks: str, *, at: float, ok: bool = True) -> ev.SwitchEvent:
    answer = answered(passed=ok, marks=marks).last
    assert answer is not None
    return ev.CheckAnswered(time=at, check=0, way=Way.LIVE, began=at - 0.1, answer=answer)


def test_a_switch_has_settled_once_green_answers_and_nothing_else() -> None:
    four = [live("green", at=NOW + number) for number in range(4)]
    after, _ = take(settling(), *four)
    assert after.phase is S.SETTLE
    mixed, _ = take(after, live("blue", at=NOW + 5), *(live("green", at=NOW + 6),) * 4)
    assert mixed.phase is S.SETTLE
    assert take(mixed, live("green", at=NOW + 9))[0].phase is S.BAKE


def test_what_cloudfront_keeps_of_blue_is_invalidated_once_every_edge_has_green() -> None:
    busy = switched(FRONT, reading=reading(Side.GREEN, etag="E1", settled=False))
    assert kinds(take(settling(busy), TICK)[1]) == []
    _, commands = take(settling(switched(FRONT)), TICK)
    assert kinds(commands) == ["Invalidate"]
    running = switched(FRONT, invalidation="I1", invalidating_since=NOW - 10)
    after, commands = take(settling(running), *(live("green", at=NOW + n) for n in range(6)))
    assert (after.phase, kinds(commands)) == (S.SETTLE, [])


@pytest.mark.parametrize(
    "more",
    [
        {"uninvalidated": 5},
        {"invalidation": "I1", "invalidating_since": NOW - 901},
        {"invalidation": "I1", "is_invalidated": True},
    ],
    ids=["refused again and again", "never seen to be complete", "complete"],
)
def test_an_invalidation_holds_a_switch_up_for_a_while_only(more: dict[str, Any]) -> None:
    made = settling(switched(FRONT, **more))
    after, _ = take(made, *(live("green", at=NOW + n) for n in range(6)))
    assert after.phase is S.BAKE


def test_a_switch_that_does_not_settle_is_led_back() -> None:
    made = later(3600, settling())
    after, commands = take(made, TimePassed(time=NOW + 3600))
    assert "has not settled" in after.given_up
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.BACK)]


def baking(*swaps: SwapState, **more: Any) -> SwitchState:
    found = swaps or (switched(),)
    return state(
        S.BAKE,
        *found,
        **{
            "plan": BAKING,
            "checks": passed(),
            "switch_began": NOW - 60,
            "phase_since": NOW - 60,
            **more,
        },
    )


def test_a_bake_ends_after_its_time() -> None:
    early = baking(phase_since=NOW - 59)
    after, _ = take(early, TICK)
    assert (after.phase, after.wake_at) == (S.BAKE, NOW + 1)
    assert take(baking(), TICK)[0].phase is S.VERIFY


def test_a_bake_does_not_end_unwatched() -> None:
    """The machine slept, or the process was dead: nobody knows what users got meanwhile."""
    slept = baking(checks={**passed(), (0, Way.LIVE): answered(at=NOW - 400)})
    after, _ = take(slept, TICK)
    assert after.phase is S.BAKE
    assert take(after, live("green", at=NOW + 1))[0].phase is S.VERIFY
    failing = [live("", at=NOW + number, ok=False) for number in range(1, 4)]
    assert "checks have failed" in take(slept, *failing)[0].given_up


def test_more_failed_checks_than_allowed_lead_back() -> None:
    two, _ = take(baking(phase_since=NOW), *(live("", at=NOW, ok=False) for _ in range(2)))
    assert two.given_up == ""
    three, commands = take(two, live("", at=NOW, ok=False))
    assert "3 checks have failed since the switch, more than --max-failures 2" in three.given_up
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.BACK)]


@pytest.mark.parametrize("side", [Side.BLUE, Side.OTHER, Side.ABSENT])
def test_a_site_that_another_writer_moves_in_the_bake_is_seen(side: Side) -> None:
    after, _ = take(baking(), read(side, at=NOW + 1))
    assert "another writer has changed" in after.given_up


def test_a_read_that_shows_blue_soon_after_the_write_is_no_other_writer() -> None:
    fresh = baking(switched(at=NOW - 5))
    assert take(fresh, read(Side.BLUE, at=NOW + 1))[0].given_up == ""
    assert take(fresh, read(Side.OTHER, at=NOW + 1))[0].given_up != ""


# -- the way back


def returning(*swaps: SwapState, **more: Any) -> SwitchState:
    found = swaps or (switched(),)
    return state(S.RESTORE, *found, **{"given_up": "it failed", **more})


def test_every_swap_is_led_back_at_the_same_time() -> None:
    _, commands = take(returning(switched(), switched(SHOP)), TICK)
    assert [swap for swap, _, purpose in writes(commands) if purpose is P.BACK] == [
        SWAP.id,
        SHOP.id,
    ]


def test_a_way_back_does_not_wait_for_the_edges() -> None:
    busy = switched(FRONT, at=NOW - 2, reading=reading(Side.GREEN, etag="E1", settled=False))
    assert writes(take(returning(busy), TICK)[1]) == [(FRONT.id, Side.BLUE, P.BACK)]


def test_blue_that_is_read_right_after_the_switch_may_be_the_past() -> None:
    """Else the run would end on blue as it says, and users on green."""
    stale = switched(at=NOW - 1, reading=reading(Side.BLUE), read_began=NOW - 0.5)
    after, commands = take(returning(stale), TICK)
    assert (after.phase, writes(commands)) == (S.RESTORE, [])
    after, commands = take(after, read(Side.GREEN, at=NOW + 3))
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.BACK)]


def test_a_way_back_that_is_refused_is_tried_for_ten_minutes() -> None:
    refused = switched(refusals=9, trouble="not authorized")
    assert writes(take(returning(refused), TICK)[1]) == [(SWAP.id, Side.BLUE, P.BACK)]
    late = later(600, returning(refused, phase_since=NOW))
    after, _ = take(late, TimePassed(time=NOW + 600))
    assert after.phase is S.VERIFY


def test_a_way_back_of_which_nothing_was_tried_yet_is_not_too_late() -> None:
    """A resumed run, whose way back began long ago."""
    made = returning(switched(read_at=NOW - 900, read_began=NOW - 900), phase_since=NOW - 900)
    after, commands = take(made, RunResumed(time=NOW))
    assert (after.phase, kinds(commands)) == (S.RESTORE, ["ReadSwap"])


def test_nothing_of_another_writer_is_led_back() -> None:
    after, commands = take(returning(switched(reading=reading(Side.OTHER))), TICK)
    assert (after.phase, writes(commands)) == (S.VERIFY, [])


def test_a_mapping_that_is_gone_is_created_on_the_way_back() -> None:
    _, commands = take(returning(switched(reading=reading(Side.ABSENT))), TICK)
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.BACK)]


def test_a_write_of_unknown_fate_is_settled_before_another() -> None:
    unsure = on(Side.BLUE, ever_green=True, write=write(P.SWITCH, unknown=True))
    after, commands = take(returning(unsure), TICK)
    assert (after.phase, writes(commands)) == (S.RESTORE, [])
    _, commands = take(after, read(Side.GREEN, at=NOW + 1), read(Side.GREEN, at=NOW + 2))
    assert writes(commands) == [(SWAP.id, Side.BLUE, P.BACK)]


@pytest.mark.parametrize(
    "event",
    [
        RestoreAsked(time=NOW),
        Interrupted(time=NOW, signal="SIGTERM"),
    ],
)
def test_who_asks_for_it_gets_blue_back(event: ev.SwitchEvent) -> None:
    after, commands = take(baking(), event)
    assert (after.phase, writes(commands)) == (S.RESTORE, [(SWAP.id, Side.BLUE, P.BACK)])


def test_a_lost_journal_ends_what_has_not_begun_and_nothing_else() -> None:
    lost = JournalFailed(time=NOW, reason="full")
    assert "the journal cannot be written" in take(checking(), lost)[0].given_up
    assert take(baking(phase_since=NOW), lost)[0].given_up == ""


# -- the end


def verifying(*swaps: SwapState, **more: Any) -> SwitchState:
    return state(S.VERIFY, *swaps, **{"phase_since": NOW - 1, **more})


def test_only_what_leads_to_green_is_done() -> None:
    assert ending(take(verifying(switched()), TICK)[0]) == (Outcome.DONE, ExitCode.DONE)
    half = verifying(switched(), switched(SHOP, reading=reading(Side.BLUE)))
    assert ending(take(half, TICK)[0]) == (Outcome.UNKNOWN, ExitCode.UNKNOWN)


@pytest.mark.parametrize(
    ("swap", "more", "outcome", "code"),
    [
        (on(Side.BLUE), {}, Outcome.FAILED, ExitCode.FAILED),
        (on(Side.BLUE), {"refused": True}, Outcome.REFUSED, ExitCode.REFUSED),
        (on(Side.BLUE, returned_at=NOW - 5), {}, Outcome.RESTORED, ExitCode.FAILED),
        (on(Side.BLUE, switched_at=NOW - 9), {}, Outcome.RESTORED, ExitCode.FAILED),
        (on(Side.OTHER), {}, Outcome.UNKNOWN, ExitCode.UNKNOWN),
        (on(Side.ABSENT), {}, Outcome.UNKNOWN, ExitCode.UNKNOWN),
        (switched(), {}, Outcome.UNKNOWN, ExitCode.UNKNOWN),
    ],
)
def test_any_other_end_but_unknown_is_one_on_blue(
    swap: SwapState, more: dict[str, Any], outcome: Outcome, code: ExitCode
) -> None:
    made = verifying(swap, given_up="it failed", **more)
    assert ending(take(made, TICK)[0]) == (outcome, code)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (AbortAsked(time=NOW), ExitCode.FAILED),
        (Interrupted(time=NOW, signal="SIGINT"), ExitCode.INTERRUPTED),
    ],
)
def test_who_stops_a_run_before_the_switch_leaves_everything_as_it_was(
    event: ev.SwitchEvent, code: ExitCode
) -> None:
    after, commands = take(checking(paused=True), event, read(Side.BLUE, at=NOW + 0.2, began=NOW))
    assert (ending(after), writes(commands)) == ((Outcome.ABORTED, code), [])


def test_what_cannot_be_read_at_the_end_is_unknown() -> None:
    blind = verifying(on(Side.BLUE, read_at=NOW - 90, read_began=NOW - 90, unread=11))
    after, _ = take(blind, unread(at=NOW))
    assert ending(after) == (Outcome.UNKNOWN, ExitCode.UNKNOWN)


def test_the_last_look_at_many_need_not_be_at_the_same_time() -> None:
    """Else some of them would have grown old whenever the last was read, where reads fail."""
    earlier = switched(read_at=NOW - 30, read_began=NOW - 30)
    made = verifying(earlier, switched(SHOP), phase_since=NOW - 31)
    assert ending(take(made, TICK)[0]) == (Outcome.DONE, ExitCode.DONE)


def test_the_last_look_is_a_fresh_one() -> None:
    old = verifying(switched(read_began=NOW - 1.5), phase_since=NOW - 1)
    after, commands = take(old, TICK)
    assert (after.phase, kinds(commands)) == (S.VERIFY, ["ReadSwap"])


def test_another_process_begins_anew_to_wait() -> None:
    """What ran out while no process lived has not been waited for."""
    at = NOW + 7200
    for before in (settling(), returning(switched(reading=reading(Side.GREEN))), baking()):
        after, _ = take(before, RunResumed(time=at))
        assert after.phase is before.phase
        assert after.given_up == before.given_up


def test_a_way_back_with_a_write_of_unknown_fate_is_not_too_late_for_another_process() -> None:
    unsure = switched(write=write(P.BACK, sent=NOW - 900))
    made = returning(unsure, phase_since=NOW - 900)
    after, _ = take(made, RunResumed(time=NOW))
    assert after.phase is S.RESTORE


def test_what_could_not_be_read_is_not_asked_for_at_once() -> None:
    blind = checking(on(Side.BLUE, read_at=NOW - 5, read_began=NOW - 5))
    after, commands = take(blind, unread(at=NOW))
    assert (kinds(commands), after.wake_at) == ([], NOW + 1.0)
    assert kinds(take(after, TimePassed(time=NOW + 1.0))[1]) == ["ReadSwap"]
