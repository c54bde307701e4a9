"""What each fact means to a switch, also where it comes late, twice, or about something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.core.switch.states import (
    DEPLOYED,
    FRONT,
    NOW,
    RUNNING,
    answered,
    on,
    passed,
    read,
    state,
    switched,
    take,
    unread,
    with_checks,
    write,
)
from tests.core.switch.stepped import SWAP, plan

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.http_checks import CheckAnswer, Side
from route53_takeover.core.endings import Ending, Outcome, Stop
from route53_takeover.core.events import (
    AbortAsked,
    Interrupted,
    JournalFailed,
    RestoreAsked,
    RunPaused,
    RunResumed,
)
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.fold import observe
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.state import Retirement

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwitchState

P, S = SwapPurpose, SwitchPhase


def swap_after(before: SwitchState, *events: ev.SwitchEvent, swap_id: str = SWAP.id) -> object:
    after = before
    for event in events:
        after = observe(after, event)
    return after.swaps[swap_id]


# -- reads


def test_an_older_read_that_comes_late_tells_nothing() -> None:
    before = state(S.CHECK, on(Side.BLUE))
    late = read(Side.OTHER, at=NOW + 1, began=NOW - 5)
    assert observe(before, late).swaps == before.swaps


def test_a_read_of_what_is_not_in_the_plan_tells_nothing() -> None:
    before = state(S.CHECK, on(Side.BLUE))
    after = observe(before, read(Side.OTHER, swap=FRONT, at=NOW))
    assert after.swaps == before.swaps
    assert observe(before, unread(FRONT)).swaps == before.swaps


def test_time_never_goes_back() -> None:
    before = state(S.CHECK)
    assert observe(before, unread(at=NOW - 50)).now == NOW


def test_what_does_not_lead_to_blue_was_moved_by_the_deploy_only_once_that_has_begun() -> None:
    gone = read(Side.ABSENT, at=NOW + 1)
    before = state(S.DEPLOY, on(Side.BLUE))
    assert observe(before, gone).swaps[SWAP.id].moved_at is None
    running = replace(before, deploy=RUNNING)
    assert observe(running, gone).swaps[SWAP.id].moved_at == NOW + 1
    ended = replace(before, deploy=DEPLOYED, phase=S.RESTORE)
    assert observe(ended, gone).swaps[SWAP.id].moved_at == NOW + 1
    ours = replace(running, swaps={SWAP.id: switched()})
    assert observe(ours, gone).swaps[SWAP.id].moved_at is None


def test_failing_reads_are_made_less_and_less_often() -> None:
    after = state(S.CHECK, on(Side.BLUE))
    pauses = []
    for number in range(6):
        after = observe(after, unread(at=NOW + 10 * number))
        pauses.append(after.swaps[SWAP.id].read_again_at - after.now)
    assert pauses == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    after = observe(after, read(Side.BLUE, at=NOW + 100))
    assert after.swaps[SWAP.id].read_again_at == 0.0


def test_of_reads_that_fail_at_the_same_time_one_counts() -> None:
    """A poll and what a decision waits for: a short outage is half as long for both together."""
    after = state(S.CHECK, on(Side.BLUE))
    for at in (NOW, NOW + 0.01, NOW + 0.99):
        after = observe(after, unread(at=at))
    assert after.swaps[SWAP.id].unread == 1
    assert observe(after, unread(at=NOW + 1.01)).swaps[SWAP.id].unread == 2


# -- writes


def intended(purpose: SwapPurpose, *, write_id: str = "run-1", at: float = NOW) -> ev.SwapIntended:
    to = Side.GREEN if purpose is P.SWITCH else Side.BLUE
    return ev.SwapIntended(time=at, id=write_id, swap=SWAP.id, to=to, purpose=purpose)


def test_an_accepted_write_needs_a_read_that_begins_after_it() -> None:
    before = state(S.SWITCH, on(Side.BLUE))
    accepted = ev.SwapAccepted(time=NOW + 1, id="run-1", swap=SWAP.id)
    after = observe(observe(before, intended(P.SWITCH)), accepted)
    swap = after.swaps[SWAP.id]
    assert (swap.wrote, swap.wrote_at, swap.switched_at) == (Side.GREEN, NOW + 1, NOW + 1)
    assert swap.agreed_since is None
    early = observe(after, read(Side.GREEN, at=NOW + 1.1, began=NOW + 0.9))
    assert early.swaps[SWAP.id].agreed_since is None
    later = observe(early, read(Side.GREEN, at=NOW + 2, began=NOW + 1.5))
    assert later.swaps[SWAP.id].agreed_since == NOW + 1.5
    moved = observe(later, read(Side.BLUE, at=NOW + 3))
    assert moved.swaps[SWAP.id].agreed_since is None


@pytest.mark.parametrize(
    "answer",
    [
        ev.SwapAccepted(time=NOW + 1, id="run-0", swap=SWAP.id),
        ev.SwapRefused(time=NOW + 1, id="run-0", swap=SWAP.id, code="c", reason="r"),
        ev.SwapHeldOff(time=NOW + 1, id="run-0", swap=SWAP.id, reason="r"),
        ev.SwapUnknown(time=NOW + 1, id="run-0", swap=SWAP.id, reason="r"),
        ev.SwapAccepted(time=NOW + 1, id="run-1", swap="else.example.com/"),
    ],
)
def test_the_answer_to_another_write_tells_nothing(answer: ev.SwitchEvent) -> None:
    before = state(S.SWITCH, on(Side.BLUE, write=write(P.SWITCH)))
    assert observe(before, answer).swaps == before.swaps


def test_an_answer_that_comes_twice_counts_once() -> None:
    before = state(S.SWITCH, on(Side.BLUE, write=write(P.SWITCH)))
    refused = ev.SwapRefused(time=NOW + 1, id="run-1", swap=SWAP.id, code="c", reason="r")
    once = observe(before, refused)
    assert once.swaps[SWAP.id].refusals == 1
    assert observe(once, refused).swaps == once.swaps


def test_what_is_not_taken_is_tried_less_and_less_often() -> None:
    after = state(S.SWITCH, on(Side.BLUE))
    pauses = []
    for number in range(4):
        after = observe(after, intended(P.SWITCH, write_id=f"run-{number}", at=after.now))
        held_off = ev.SwapHeldOff(time=after.now, id=f"run-{number}", swap=SWAP.id, reason="slow")
        after = observe(after, held_off)
        pauses.append(after.swaps[SWAP.id].not_before - after.now)
    assert pauses == [3.0, 6.0, 12.0, 15.0]


def test_a_write_without_an_answer_was_applied_where_a_read_shows_it() -> None:
    before = state(S.SWITCH, on(Side.BLUE, write=write(P.SWITCH, unknown=True)))
    swap = observe(before, read(Side.GREEN)).swaps[SWAP.id]
    assert (swap.write, swap.wrote, swap.switched_at) == (None, Side.GREEN, NOW)


def test_a_write_without_an_answer_was_not_applied_where_no_read_shows_it_for_long() -> None:
    before = state(S.SWITCH, on(Side.BLUE, write=write(P.SWITCH, sent=NOW, unknown=True)))
    soon = observe(before, read(Side.BLUE, at=NOW + 9.9))
    assert soon.swaps[SWAP.id].write is not None
    late = observe(soon, read(Side.BLUE, at=NOW + 10.2))
    assert (late.swaps[SWAP.id].write, late.swaps[SWAP.id].wrote) == (None, None)


def test_a_write_on_its_way_is_not_judged_by_reads() -> None:
    before = state(S.SWITCH, on(Side.BLUE, write=write(P.SWITCH)))
    assert observe(before, read(Side.GREEN)).swaps[SWAP.id].wrote is None


def test_a_proof_without_an_answer_proves_nothing() -> None:
    unsure = on(Side.BLUE, FRONT, proven=False, write=write(P.PROVE, unknown=True))
    after = observe(state(S.CHECK, unsure), read(Side.BLUE, swap=FRONT))
    assert (after.swaps[FRONT.id].write, after.swaps[FRONT.id].proven) == (None, False)


# -- invalidations


def test_an_invalidation_that_fails_holds_no_write_up() -> None:
    failed = ev.InvalidationFailed(time=NOW, swap=FRONT.id, reason="throttled")
    swap = observe(state(S.SETTLE, switched(FRONT)), failed).swaps[FRONT.id]
    assert (swap.not_before, swap.invalidate_after) == (0.0, NOW + 3.0)


def test_a_write_makes_an_earlier_invalidation_old() -> None:
    invalidated = switched(FRONT, invalidation="I1", is_invalidated=True, write=write(P.BACK))
    accepted = ev.SwapAccepted(time=NOW, id="run-1", swap=FRONT.id)
    swap = observe(state(S.RESTORE, invalidated), accepted).swaps[FRONT.id]
    assert (swap.invalidation, swap.is_invalidated) == ("", False)


# -- checks


def checked(
    *, ok: bool, marks: str = "", began: float = NOW, way: Way = Way.LIVE
) -> ev.SwitchEvent:
    answer = CheckAnswer(passed=ok, marks=marks, reason="" if ok else "the status is 500")
    return ev.CheckAnswered(time=began + 0.1, check=0, way=way, began=began, answer=answer)


def test_users_answers_count_from_the_switch_on() -> None:
    before = state(S.SETTLE, switched(), plan=with_checks(), checks=passed(), switch_began=NOW - 60)
    early = observe(before, checked(ok=False, began=NOW - 61))
    assert (early.failed_checks, early.answered) == (0, {})
    after = observe(observe(early, checked(ok=False)), checked(ok=True, marks="green"))
    assert after.failed_checks == 1
    assert after.answered == {Side.UNKNOWN: 1, Side.GREEN: 1}
    assert (after.first_green_at, after.last_blue_at) == (NOW + 0.1, None)
    mixed = observe(after, checked(ok=True, marks="blue", began=NOW + 1))
    assert (mixed.answered[Side.BLUE], mixed.last_blue_at) == (1, NOW + 1.1)


def test_failures_on_the_way_back_do_not_count() -> None:
    before = state(S.RESTORE, switched(), plan=with_checks(), switch_began=NOW - 60)
    assert observe(before, checked(ok=False)).failed_checks == 0


def test_a_pass_forgives_the_failures_before_it() -> None:
    made = state(S.CHECK, plan=with_checks(), checks={(0, Way.GREEN): answered(passed=False)})
    again = observe(made, checked(ok=False, way=Way.GREEN))
    assert again.checks[0, Way.GREEN].failed_in_a_row == 2
    assert observe(again, checked(ok=True, way=Way.GREEN)).checks[0, Way.GREEN].failed_in_a_row == 0


# -- the process and the operator


def test_another_process_knows_no_answer_and_has_tried_nothing_in_vain() -> None:
    tired = on(
        Side.BLUE,
        write=write(P.SWITCH),
        unread=11,
        held_off=9,
        refusals=4,
        not_before=NOW + 60,
    )
    before = state(S.SWITCH, tired, paused=True, interrupts=(Stop("SIGTERM"),))
    after = observe(before, RunResumed(time=NOW + 5))
    swap = after.swaps[SWAP.id]
    assert swap.write is not None
    assert swap.write.is_unknown
    assert (swap.unread, swap.held_off, swap.refusals, swap.not_before) == (0, 0, 0, 0.0)
    assert (after.paused, after.interrupts, after.in_flight) == (False, (), frozenset())
    assert (after.resumes, after.resumed_at) == (1, NOW + 5)


def ended(outcome: Outcome, phase: SwitchPhase = S.VERIFY, **more: object) -> SwitchState:
    ending = Ending(phase=phase, outcome=outcome, exit_code=ExitCode.UNKNOWN, reason="r")
    return state(S.ENDED, on(Side.BLUE), ending=ending, **more)


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.UNKNOWN}))
def test_a_run_that_knows_how_it_ended_stays_ended(outcome: Outcome) -> None:
    before = ended(outcome, given_up="r")
    assert observe(before, RunResumed(time=NOW + 5)) == replace(
        before, now=NOW + 5, news_at=NOW + 5
    )


@pytest.mark.parametrize(
    ("before", "phase"),
    [
        (ended(Outcome.UNKNOWN), S.VERIFY),
        (ended(Outcome.UNKNOWN, S.BAKE), S.BAKE),
        (ended(Outcome.UNKNOWN, given_up="r"), S.RESTORE),
        (ended(Outcome.UNKNOWN, retirement=Retirement(begun_at=NOW - 9)), S.RETIRE),
    ],
    ids=["as it was", "stopped at once", "on its way back", "while blue was deleted"],
)
def test_a_run_that_ended_unknown_goes_on(before: SwitchState, phase: SwitchPhase) -> None:
    after = observe(before, RunResumed(time=NOW + 5))
    assert (after.phase, after.phase_since, after.ending) == (phase, NOW + 5, None)


def test_a_run_that_was_stopped_twice_goes_on_with_its_way_back() -> None:
    before = state(S.BAKE, switched())
    stopped, _ = take(
        before,
        Interrupted(time=NOW, signal="SIGTERM"),
        Interrupted(time=NOW + 5, signal="SIGTERM"),
    )
    assert stopped.phase is S.ENDED
    after, _ = take(stopped, RunResumed(time=NOW + 9), read(Side.GREEN, at=NOW + 9.1))
    assert (after.phase, after.given_up) == (S.RESTORE, "stopped by SIGTERM")


def test_signals_that_come_together_are_one_request() -> None:
    first = Interrupted(time=NOW, signal="SIGTERM")
    echo, later = (
        Interrupted(time=NOW + 1.9, signal="SIGHUP"),
        Interrupted(time=NOW + 2.1, signal="SIGINT"),
    )
    once = observe(observe(state(S.CHECK), first), echo)
    assert [str(stop) for stop in once.interrupts] == ["SIGTERM"]
    assert once.given_up == "stopped by SIGTERM"
    assert len(observe(once, later).interrupts) == 2


def test_the_operator_is_heard_where_the_request_means_something() -> None:
    early, late = state(S.CHECK), state(S.BAKE, switched())
    assert observe(early, RunPaused(time=NOW)).paused
    assert not observe(late, RunPaused(time=NOW)).paused
    assert observe(early, AbortAsked(time=NOW)).given_up == "aborted by the operator"
    assert observe(late, AbortAsked(time=NOW)).given_up == ""
    assert observe(early, RestoreAsked(time=NOW)).given_up == ""
    assert observe(late, RestoreAsked(time=NOW)).given_up == "the operator has switched back"


def test_the_first_reason_stays() -> None:
    before = observe(state(S.BAKE, switched()), RestoreAsked(time=NOW))
    after = observe(before, Interrupted(time=NOW + 1, signal="SIGTERM"))
    assert after.given_up == "the operator has switched back"


def test_a_lost_journal_is_told_until_another_process_has_one() -> None:
    lost = observe(state(S.BAKE, switched()), JournalFailed(time=NOW, reason="full"))
    assert lost.journal_lost == "full"
    assert observe(lost, RunResumed(time=NOW + 1)).journal_lost == ""


def test_what_the_deploy_has_made_replaces_what_was_watched() -> None:
    watched = state(S.DEPLOY, on(Side.BLUE, moves=2), deploy=DEPLOYED, green_found=False)
    found = observe(watched, ev.GreenFound(time=NOW, plan=plan()))
    swap = found.swaps[SWAP.id]
    assert (found.green_found, swap.moves, swap.reading) == (True, 2, None)
