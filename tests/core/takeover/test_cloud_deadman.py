"""The deadman in AWS in the machine: when it counts for a release, what is taken for its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.builders import (
    NAME,
    NOW,
    OLD,
    accepted,
    due_state,
    fed,
    purpose_of,
    tree,
    with_name,
    with_options,
    write_of,
)

from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.deadman_state import (
    CloudDeadman,
    DeadmanStatus,
    is_armed,
    may_have_fired,
    open_deadmen,
    rescuers,
)
from route53_takeover.core.takeover.events import DeadmanAnswer, Purpose
from route53_takeover.core.takeover.failure_reason import why
from route53_takeover.core.takeover.fold import observe
from route53_takeover.core.takeover.invariants import violations
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.step import step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.takeover.state import State

ROLE = "arn:aws:iam::123456789012:role/deadman"
IN_TIME = 125.0
"""Seconds: the run's own deadman has 60, and the one in AWS comes 60 later."""


def deadman(number: int = 1, **members: Any) -> CloudDeadman:
    given: dict[str, Any] = {
        "id": f"run--{number}",
        "name": NAME,
        "record": OLD,
        "seconds": IN_TIME,
        "sent": NOW,
        "status": DeadmanStatus.RUNNING,
        "intended": True,
    }
    return CloudDeadman(**given | members)


def with_deadmen(*deadmen: CloudDeadman, of: State | None = None, proven: bool = True) -> State:
    """A run whose release is due but for the deadman in AWS."""
    state = with_options(of or due_state(), cloud_deadman=ROLE)
    state = replace(state, deadmen={each.id: each for each in deadmen})
    return with_name(state, deadman_proven=proven)


def released(*deadmen: CloudDeadman, **members: Any) -> State:
    """A run that has deleted the record."""
    state = with_deadmen(*deadmen, of=due_state(**members))
    return accepted(step(state, ev.TimePassed(time=NOW))[0])


def stage(state: State) -> RecordStatus:
    return state.names[NAME].handovers[0].stage


def read_at(seconds: float) -> ev.NameRead:
    """A read, so many seconds later, that shows the old record."""
    began = NOW + seconds
    return ev.NameRead(time=began + 0.05, began=began, name=NAME, records=(OLD,))


# -- what a release waits for


@pytest.mark.parametrize("status", DeadmanStatus)
def test_only_one_that_certainly_runs_lets_a_release_go(status: DeadmanStatus) -> None:
    state = with_deadmen(deadman(status=status))
    assert is_armed(state, state.names[NAME], [OLD]) is (status is DeadmanStatus.RUNNING)


def test_one_that_would_fire_too_soon_keeps_the_release_back_whatever_else_runs() -> None:
    early, late = deadman(1, seconds=IN_TIME - 10.0), deadman(2)
    for state in (with_deadmen(early), with_deadmen(early, late), with_deadmen(late, early)):
        assert not is_armed(state, state.names[NAME], [OLD])
        following, commands = step(state, ev.TimePassed(time=NOW))
        assert not any(isinstance(each, cmd.WriteBatch) for each in commands)
        assert purpose_of(following) is None


def test_a_release_that_does_not_wait_for_it_is_forbidden() -> None:
    state = with_deadmen(deadman())
    following, commands = step(state, ev.TimePassed(time=NOW))
    (write,) = [each for each in commands if isinstance(each, cmd.WriteBatch)]
    assert violations(following, write, frozenset()) == ()
    without = replace(following, deadmen={})
    assert "a release waits until the deadman in AWS runs" in violations(
        without, write, frozenset()
    )


def test_one_of_another_record_set_does_not_count() -> None:
    state = with_deadmen(deadman(record=replace(OLD, type="AAAA")))
    assert not is_armed(state, state.names[NAME], [OLD])


def test_an_unproven_one_does_not_count_and_none_is_started() -> None:
    state = with_deadmen(deadman(), proven=False)
    assert not is_armed(state, state.names[NAME], [OLD])
    _, commands = step(with_deadmen(proven=False), ev.TimePassed(time=NOW))
    assert not any(isinstance(each, cmd.StartDeadman) for each in commands)


def test_the_one_that_a_later_one_replaces_is_stopped_once_that_certainly_runs() -> None:
    early = deadman(1, seconds=60.0)
    for later, stopped in ((DeadmanStatus.STARTING, []), (DeadmanStatus.RUNNING, [early.id])):
        state = with_deadmen(early, deadman(2, status=later))
        _, commands = step(state, ev.TimePassed(time=NOW))
        stops = [each.id for each in commands if isinstance(each, cmd.StopDeadman)]
        assert stops == stopped


def test_one_that_should_have_ended_is_stopped_where_the_clock_may_have_jumped() -> None:
    state = replace(released(deadman()), now=NOW + 7200.0)
    assert open_deadmen(state) == ()
    assert [each.id for each in open_deadmen(fed(state, ev.RunResumed(time=state.now)))] == [
        "run--1"
    ]


# -- what an earlier process started: its clock may have been another one


def resumed(*deadmen: CloudDeadman) -> State:
    """A resumed run whose release is due but for the deadman in AWS."""
    return replace(with_deadmen(*deadmen), resumes=1, resumed_at=NOW)


def started(commands: Iterable[cmd.AnyCommand]) -> list[cmd.StartDeadman]:
    return [each for each in commands if isinstance(each, cmd.StartDeadman)]


def test_one_of_an_earlier_process_lets_no_release_go_and_gets_a_later_one() -> None:
    state = resumed(deadman(seconds=IN_TIME + 40.0))  # started at the same time as the resume
    assert not is_armed(state, state.names[NAME], [OLD])
    following, commands = step(state, ev.TimePassed(time=NOW))
    assert len(started(commands)) == 1
    assert not any(isinstance(each, cmd.WriteBatch) for each in commands)
    (new,) = [each for each in following.deadmen.values() if each.id != "run--1"]
    assert new.resumes == 1


def test_one_of_an_earlier_process_is_stopped_before_a_release_that_a_later_one_waits_for() -> None:
    old, new = deadman(1, seconds=IN_TIME + 40.0), deadman(2, resumes=1)
    _, commands = step(resumed(old, new), ev.TimePassed(time=NOW))
    assert [each.id for each in commands if isinstance(each, cmd.StopDeadman)] == [old.id]
    assert not any(isinstance(each, cmd.WriteBatch) for each in commands)
    state = resumed(replace(old, status=DeadmanStatus.STOPPED), new)
    assert is_armed(state, state.names[NAME], [OLD])


def test_an_intent_tells_which_process_started_it() -> None:
    state = replace(with_deadmen(), resumes=2)
    intent = ev.DeadmanIntended(time=NOW, id="run--9", name=NAME, record=OLD, seconds=IN_TIME)
    assert observe(state, intent).deadmen["run--9"].resumes == 2


def test_a_release_waits_for_one_that_was_started_after_the_last_sleep() -> None:
    before = deadman(1, sent=NOW - 10.0, seconds=IN_TIME + 40.0)
    state = replace(with_deadmen(before), awake_since=NOW - 5.0)
    assert not is_armed(state, state.names[NAME], [OLD])
    assert len(started(step(state, ev.TimePassed(time=NOW))[1])) == 1
    both = replace(with_deadmen(before, deadman(2)), awake_since=NOW - 5.0)
    assert is_armed(both, both.names[NAME], [OLD])


def test_in_the_gap_one_of_an_earlier_process_is_replaced_and_not_told() -> None:
    gap = released(deadman())
    assert [each.id for each in rescuers(gap)] == ["run--1"]
    state, commands = step(gap, ev.RunResumed(time=gap.now + 1.0))
    assert rescuers(state) == ()
    (start,) = started(commands)
    assert not any(isinstance(each, cmd.StopDeadman) for each in commands)
    answered = ev.DeadmanAnswered(
        time=state.now, id=start.id, name=NAME, answer=DeadmanAnswer.STARTED
    )
    assert [each.id for each in rescuers(step(state, answered)[0])] == [start.id]


# -- what is taken for its work


def test_a_record_that_equals_the_backup_is_its_work_once_it_may_have_fired() -> None:
    state = released(deadman())
    before, after = NOW + IN_TIME - 1.0, NOW + IN_TIME + 1.0
    assert not may_have_fired(replace(state, now=before), OLD)
    assert may_have_fired(replace(state, now=after), OLD)
    resumed = fed(state, ev.RunResumed(time=before))
    assert may_have_fired(resumed, OLD), "an earlier process may have had another clock"


def test_one_that_was_stopped_in_time_has_done_nothing() -> None:
    state = released(deadman())
    stopped = ev.DeadmanAnswered(
        time=NOW + 5.0, id="run--1", name=NAME, answer=DeadmanAnswer.STOPPED
    )
    state = replace(observe(state, stopped), now=NOW + 500.0)
    assert not may_have_fired(state, OLD)


def test_an_identical_record_that_it_may_have_created_is_restored_and_not_created() -> None:
    state = replace(released(deadman()), stacks=tree(OLD))
    assert stage(state) is RecordStatus.RELEASED
    assert stage(observe(state, read_at(IN_TIME + 20.0))) is RecordStatus.RESTORED
    without = replace(state, deadmen={})
    assert stage(observe(without, read_at(IN_TIME + 20.0))) is RecordStatus.CREATED


def test_a_release_of_unknown_fate_was_applied_where_the_record_may_be_its_work() -> None:
    sent, _ = step(with_deadmen(deadman()), ev.TimePassed(time=NOW))
    intent = write_of(sent)
    assert intent.purpose is Purpose.RELEASE
    lost = ev.WriteUnknown(time=NOW + 1.0, id=intent.id, name=NAME, reason="lost")
    state = observe(observe(sent, intent), lost)
    for after in (20.0, 23.0, 35.0):
        state = observe(state, read_at(IN_TIME + after))
    assert stage(state) is RecordStatus.RESTORED
    assert state.names[NAME].write is None


@pytest.mark.parametrize(
    ("seen_after", "by"),
    [
        (IN_TIME + 9, "the deadman in AWS restored"),
        (IN_TIME - 9, "`restore`, another writer or the deadman in AWS restored"),
    ],
)
def test_only_a_deadman_that_was_due_is_said_to_have_restored(seen_after: float, by: str) -> None:
    seen = NOW + seen_after
    state = replace(due_state(), deadmen={"run--1": deadman()}, resumes=1, now=seen)
    (handover,) = state.handovers
    back = replace(handover, stage=RecordStatus.RESTORED, released_at=NOW, back_at=seen)
    assert why(with_name(state, handovers=(back,))).startswith(f"{by} www.example.com; ")
