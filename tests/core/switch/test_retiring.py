"""Retiring blue: judged first, no way back once it has begun, and what is live is kept."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.core.switch.stepped import BLUE, GREEN, SWAP, Stepped, plan

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import (
    AbortAsked,
    Interrupted,
    JournalFailed,
    RestoreAsked,
    RunResumed,
)
from route53_takeover.core.machine import Wait
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.invariants import violations
from route53_takeover.core.switch.machine import SWITCH


def outcome(run: Stepped) -> Outcome:
    assert run.state.ending is not None
    return run.state.ending.outcome


def deleting(run: Stepped, seconds: float = 5) -> None:
    """Until the delete of blue was intended, and so many seconds longer."""
    run.answers[cmd.DeleteBlue] = lambda _: None
    run.go(until="retire")
    while run.state.may_go_back:
        run.go(1)
    run.go(seconds)
    assert not run.state.may_go_back


def test_blue_is_deleted_after_the_switch() -> None:
    run = Stepped(plan(retire="blue"))
    run.go()
    assert outcome(run) is Outcome.DONE
    assert run.kinds() == ["SaveBackup", "WriteSwap", "JudgeRetirement", "DeleteBlue"]
    assert "stack blue is deleted" in run.state.ending.reason  # type: ignore[union-attr]


def test_nothing_is_deleted_where_something_would_break() -> None:
    run = Stepped(plan(retire="blue"))
    run.answers[cmd.JudgeRetirement] = lambda _: ev.RetirementJudged(
        time=run.now, stack_id="arn:blue", breaks=("record www: goes along",)
    )
    run.go()
    assert "DeleteBlue" not in run.kinds()
    assert outcome(run) is Outcome.REFUSED
    assert run.side is Side.GREEN


def test_a_verdict_that_cannot_be_had_deletes_nothing() -> None:
    run = Stepped(plan(retire="blue"))
    run.answers[cmd.JudgeRetirement] = lambda _: ev.RetirementUnjudged(
        time=run.now, reason="denied"
    )
    run.go()
    assert "DeleteBlue" not in run.kinds()
    assert outcome(run) is Outcome.UNKNOWN
    assert run.kinds().count("JudgeRetirement") == 5


@pytest.mark.parametrize("side", [Side.BLUE, Side.ABSENT])
def test_what_the_delete_takes_is_led_to_green_again(side: Side) -> None:
    run = Stepped(plan(retire="blue"))
    deleting(run)
    run.side = side
    began = run.now
    run.go(30)
    assert run.side is Side.GREEN
    write = [c for c in run.asked if isinstance(c, cmd.WriteSwap)][-1]
    assert write.to is Side.GREEN
    waited = run.now - began
    assert waited >= 1
    run.take(ev.DeleteEnded(time=run.now))
    run.go()
    assert outcome(run) is Outcome.DONE


def test_what_another_writer_leads_elsewhere_while_blue_is_deleted_is_left_there() -> None:
    run = Stepped(plan(retire="blue"))
    deleting(run)
    run.side = Side.OTHER
    run.go(30)
    run.take(ev.DeleteEnded(time=run.now))
    run.go()
    assert run.side is Side.OTHER
    assert outcome(run) is Outcome.UNKNOWN


def test_a_mapping_that_is_gone_is_not_made_at_once_while_the_delete_goes_on() -> None:
    run = Stepped(plan(retire="blue"))
    deleting(run)
    run.side = Side.ABSENT
    run.go(15)
    assert run.side.value == "absent"  # what deletes it may wait for that
    run.go(15)
    assert run.side is Side.GREEN


def test_there_is_no_way_back_once_the_delete_has_begun() -> None:
    run = Stepped(plan(retire="blue"))
    deleting(run)
    for event in (
        RestoreAsked(time=run.now),
        AbortAsked(time=run.now),
        Interrupted(time=run.now, signal="SIGTERM"),
    ):
        run.take(event)
    run.go(5)
    assert run.state.phase == "retire"
    assert run.side is Side.GREEN
    run.take(ev.DeleteEnded(time=run.now))
    run.go()
    assert outcome(run) is Outcome.DONE


def test_a_lost_journal_does_not_end_what_has_begun() -> None:
    run = Stepped(plan(retire="old", swap=replace(SWAP, to=BLUE)))
    deleting(run)
    run.take(JournalFailed(time=run.now, reason="no space left"))
    run.go(5)
    assert run.state.phase == "retire"
    run.take(ev.DeleteEnded(time=run.now))
    run.go()
    assert outcome(run) is Outcome.DONE


def test_a_delete_that_fails_is_unknown() -> None:
    run = Stepped(plan(retire="blue"))
    run.answers[cmd.DeleteBlue] = lambda _: ev.DeleteEnded(time=run.now, problem="DELETE_FAILED")
    run.go()
    assert outcome(run) is Outcome.UNKNOWN
    assert "DELETE_FAILED" in run.state.ending.reason  # type: ignore[union-attr]


def test_a_delete_that_was_not_begun_leads_no_one_from_blue_to_green() -> None:
    """Blue stays as it is: another writer may lead users there."""
    run = Stepped(plan(retire="blue"))

    def held_off(_: object) -> ev.DeleteEnded:
        run.take(JournalFailed(time=run.now, reason="no disk"))
        run.side = Side.BLUE
        run.now += 0.1
        return ev.DeleteEnded(time=run.now, problem="not deleted: no disk", is_begun=False)

    run.answers[cmd.DeleteBlue] = held_off
    run.go()
    assert outcome(run) is Outcome.UNKNOWN
    assert run.kinds().count("WriteSwap") == 1
    assert run.side is Side.BLUE
    assert run.state.may_go_back
    reason = run.state.ending.reason  # type: ignore[union-attr]
    assert reason.endswith("it leads to blue/dev now; stack blue: not deleted: no disk")


def test_a_delete_that_a_stalled_disk_held_off_is_decided_anew() -> None:
    run = Stepped(plan(retire="blue"))

    def held_off(_: object) -> ev.DeleteEnded:
        del run.answers[cmd.DeleteBlue]
        run.now += 3.1
        return ev.DeleteEnded(time=run.now, problem="not deleted: no disk", is_begun=False)

    run.answers[cmd.DeleteBlue] = held_off
    run.go()
    assert outcome(run) is Outcome.DONE
    retired = ["JudgeRetirement", "DeleteBlue"]
    assert run.kinds() == ["SaveBackup", "WriteSwap", *retired, *retired]


def test_nothing_is_led_to_green_until_the_delete_can_be_held_off_no_more() -> None:
    run = Stepped(plan(retire="blue"))
    deleting(run, 0)
    run.side = Side.BLUE
    run.go(2)
    assert run.kinds().count("WriteSwap") == 1
    run.go(4)
    assert run.side.value == "green"


@pytest.mark.parametrize(
    ("side", "is_durable", "waited", "why"),
    [
        (Side.GREEN, True, 1.0, ""),
        (Side.GREEN, False, 1.0, "the journal could not be written in time"),
        (Side.GREEN, True, 3.1, "the decision is too old"),
        (Side.OTHER, True, 1.0, "not everything leads to green any more"),
    ],
)
def test_a_delete_that_waited_for_the_disk_is_begun_only_where_it_still_may(
    side: Side, is_durable: bool, waited: float, why: str
) -> None:
    run = Stepped(plan(retire="blue"))
    deleting(run, 0)
    run.side = side
    run.go(1)
    wait = Wait(is_durable=is_durable, journal_works=True, decided=run.now - waited, now=run.now)
    held_off = SWITCH.held_off(run.state, cmd.DeleteBlue(stack_id="arn:blue"), wait)
    if not why:
        assert held_off is None
        return
    assert isinstance(held_off, ev.DeleteEnded)
    assert (held_off.problem, held_off.is_begun) == (f"not deleted: {why}", False)


def test_a_write_to_green_is_held_off_where_the_delete_was_not_begun_meanwhile() -> None:
    run = Stepped(plan(retire="blue"))
    deleting(run)
    run.side = Side.BLUE
    run.answers[cmd.WriteSwap] = lambda _: None  # it waits for its intent
    run.go(3)
    keep = run.asked[-1]
    assert isinstance(keep, cmd.WriteSwap)
    wait = Wait(is_durable=False, journal_works=True, decided=run.now, now=run.now)
    assert SWITCH.held_off(run.state, keep, wait) is None
    run.take(ev.DeleteEnded(time=run.now, problem="not deleted: no disk", is_begun=False))
    assert isinstance(SWITCH.held_off(run.state, keep, wait), ev.SwapHeldOff)


def test_a_resumed_run_begins_no_second_delete() -> None:
    run = Stepped(plan(retire="blue"))
    deleting(run)
    run.take(RunResumed(time=run.now))
    run.go()
    assert outcome(run) is Outcome.DONE
    assert run.kinds().count("DeleteBlue") == 1
    assert "RejoinDelete" in run.kinds()


def test_a_stack_is_retired_by_itself_with_nothing_written() -> None:
    same = replace(SWAP, to=BLUE)
    run = Stepped(plan(retire="old", swap=same))
    run.go()
    assert outcome(run) is Outcome.DONE
    assert "WriteSwap" not in run.kinds()
    assert run.state.ending.reason == "stack old is deleted"  # type: ignore[union-attr]


def test_blue_is_not_deleted_where_another_writer_has_changed_the_site() -> None:
    run = Stepped(plan(retire="blue"))

    def judged(_: object) -> ev.RetirementJudged:
        run.side, run.now = Side.OTHER, run.now + 0.5
        return ev.RetirementJudged(time=run.now, stack_id="arn:blue")

    run.answers[cmd.JudgeRetirement] = judged
    run.go()
    assert "DeleteBlue" not in run.kinds()
    assert outcome(run) is Outcome.UNKNOWN


def test_green_is_only_written_in_this_phase_once_the_delete_has_begun() -> None:
    run = Stepped(plan(retire="blue"))
    run.answers[cmd.JudgeRetirement] = lambda _: None
    run.go(60, until="retire")
    run.side = Side.BLUE
    run.take(run._read())
    write = cmd.WriteSwap(id="x", swap=SWAP.id, to=Side.GREEN, purpose=ev.SwapPurpose.KEEP)
    assert "the delete of blue has not moved it" in violations(run.state, write, frozenset())
    assert str(GREEN) == SWAP.after
