"""What a run does about a name that has no record, or may have none: one rule a test.

Each of these rules could be broken once without a test that failed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold import observe
from route53_takeover.core.takeover.state import Phase, RecordStatus
from route53_takeover.core.takeover.step import step
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.state import State

NAME = "www.example.com."


@cache
def history(scenario: str) -> tuple[ev.AnyEvent, ...]:
    return rehearse_once(SCENARIOS[scenario], "gap", Faults()).events


def until(scenario: str, last: Callable[[ev.AnyEvent, State], bool]) -> State:
    """The state of a real run after the first event for which this is so."""
    state: State | None = None
    for event in history(scenario):
        state, _ = step(state, event)
        if last(event, state):
            return state
    raise AssertionError(f"{scenario}: it never is")


def purpose(state: State) -> Purpose | None:
    write = state.names[NAME].write
    return None if write is None else write.purpose


def released(scenario: str = "never-created") -> State:
    """The release was accepted, and the name read since."""
    return until(scenario, lambda e, s: isinstance(e, ev.NameRead) and s.phase is Phase.CONFIRM)


def unanswered(scenario: str = "alias") -> State:
    """The answer to the release was lost."""
    sent = until(scenario, lambda _, s: purpose(s) is Purpose.RELEASE)
    write = sent.names[NAME].write
    assert write is not None
    lost = ev.WriteUnknown(time=sent.now + 1, id=write.id, name=NAME, reason="lost")
    return observe(observe(sent, _intended(sent)), lost)


def _intended(state: State) -> ev.WriteIntended:
    write = state.names[NAME].write
    assert write is not None
    return ev.WriteIntended(
        time=state.now, id=write.id, name=NAME, purpose=write.purpose, changes=write.changes
    )


def read(state: State, *records: RecordSet, after: float, took: float = 0.05) -> ev.NameRead:
    began = state.now + after
    return ev.NameRead(time=began + took, began=began, name=NAME, records=records)


def with_status(state: State, status: str, *, root: bool) -> State:
    """The stacks of one kind have this status now."""
    changed = {
        key: replace(s, status=status, status_time=s.status_time + 1)
        if (key == state.root.stack_id) is root
        else s
        for key, s in state.stacks.items()
    }
    return replace(state, stacks=changed)


def stage(state: State) -> RecordStatus:
    return state.names[NAME].handovers[0].stage


# -- a restore


def test_a_record_that_cloudformation_had_and_lost_is_restored_at_once_while_its_stack_works() -> (
    None
):
    """Not only once the stack has turned back, or the deadman fires."""
    state = until("alias", lambda _, s: s.phase is Phase.GUARD and stage(s) is RecordStatus.CREATED)
    state = with_status(state, "UPDATE_IN_PROGRESS", root=True)
    (handover,) = state.names[NAME].handovers
    name = replace(state.names[NAME], deadman_at=state.now + 250)
    state = replace(state, names={NAME: replace(name, handovers=(handover,))})
    state, _ = step(state, read(state, after=0.1))
    assert (stage(state), purpose(state)) == (RecordStatus.LOST, Purpose.RESTORE)


@pytest.mark.parametrize("scenario", ["alias", "nested"])
def test_a_stack_that_cleans_up_creates_no_more_and_the_record_is_restored_at_once(
    scenario: str,
) -> None:
    """In a nested stack too, whose own events are not there yet."""
    state = released(scenario)
    assert stage(state) is RecordStatus.RELEASED
    assert purpose(step(state, ev.TimePassed(time=state.now))[0]) is None, "it waits"
    cleaning = with_status(state, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", root=True)
    state, _ = step(cleaning, ev.TimePassed(time=cleaning.now))
    assert purpose(state) is Purpose.RESTORE


def test_a_restore_that_is_due_needs_no_read() -> None:
    """Neither a fresh one nor any."""
    state = released()
    name = state.names[NAME]
    assert name.deadman_at is not None
    for known in (name, replace(name, read=None, failures=40)):
        late = replace(state, names={NAME: known})
        late, _ = step(late, ev.TimePassed(time=name.deadman_at + 0.01))
        assert purpose(late) is Purpose.RESTORE


# -- what a read tells


@pytest.mark.parametrize("lost", [False, True])
def test_a_record_that_stands_and_that_the_complete_stack_lists_needs_no_read(lost: bool) -> None:
    """But where a restore of ours may be what stands there."""
    state = until("alias", lambda e, s: isinstance(e, ev.NameRead) and s.phase is Phase.CONFIRM)
    (handover,) = state.names[NAME].handovers
    name = replace(
        state.names[NAME], deadman_at=state.now, handovers=(replace(handover, restore_lost=lost),)
    )
    state = replace(state, names={NAME: name})
    created = [
        event
        for event in history("alias")
        if isinstance(event, ev.StackPolled) and event.time > state.now and event.events
    ]
    for event in created:
        state, _ = step(state, event)
    write = state.names[NAME].write
    assert write is not None
    assert write.purpose is Purpose.RESTORE
    assert write.sent < created[-1].time
    for after in (1.0, 3.0):  # the first was sent before the stack was complete
        state, _ = step(state, _refused(state, after=after))
        state, _ = step(state, ev.TimePassed(time=state.now + 2.0))
    assert stage(state) is (RecordStatus.RELEASED if lost else RecordStatus.CREATED)
    assert (purpose(state) is Purpose.RESTORE) is lost


def _refused(state: State, *, after: float) -> ev.WriteRefused:
    write = state.names[NAME].write
    assert write is not None
    return ev.WriteRefused(
        time=state.now + after,
        id=write.id,
        name=NAME,
        code="InvalidChangeBatch",
        reason="[Tried to create resource record set [...] but it already exists]",
    )


def test_a_read_that_began_before_our_own_last_write_tells_nothing() -> None:
    state = until("never-created", lambda _, s: stage(s) is RecordStatus.RESTORED)
    name = state.names[NAME]
    assert name.wrote_at == state.now
    late = read(state, after=-0.3, took=0.5)
    state, _ = step(state, late)
    assert stage(state) is RecordStatus.RESTORED, "it is of the gap"
    assert state.names[NAME].read is None
    state, _ = step(state, read(state, after=0.1))
    assert stage(state) is RecordStatus.LOST, "one that began later is not"


# -- a DELETE of unknown fate


def identical(state: State) -> State:
    """The stack wants what stands there."""
    original = state.names[NAME].handovers[0].original
    stacks = {
        key: replace(
            s,
            records={
                k: replace(r, desired=replace(r.desired, record=original))
                for k, r in s.records.items()
                if r.desired is not None
            },
        )
        for key, s in state.stacks.items()
    }
    return replace(state, stacks=stacks)


@pytest.mark.parametrize(
    ("make", "seconds"), [(lambda s: s, 2.0), (identical, 10.0)], ids=["differs", "identical"]
)
def test_a_lost_delete_counts_as_not_done_after_two_seconds_or_ten_of_an_identical_record(
    make: Callable[[State], State], seconds: float
) -> None:
    state = make(unanswered())
    here = state.names[NAME].handovers[0].standing
    first = read(state, here, after=0.1)
    state = observe(state, first)

    def under_way(after: float) -> bool:
        again = replace(first, began=first.began + after, time=first.time + after)
        return observe(state, again).names[NAME].write is not None

    assert under_way(seconds - 0.1)
    assert not under_way(seconds + 0.1)


@pytest.mark.parametrize("restore_after", [None, 20.0])
def test_a_lost_delete_that_no_read_can_settle_counts_as_done_by_the_deadman(
    restore_after: float | None,
) -> None:
    state = unanswered()
    options = replace(state.plan.options, restore_after=restore_after)
    state = replace(state, plan=replace(state.plan, options=options))
    write = state.names[NAME].write
    assert write is not None
    due = write.sent + (60.0 if restore_after is None else restore_after)

    def unread(at: float) -> State:
        return step(state, ev.NameUnread(time=at, name=NAME, reason="timed out"))[0]

    before = unread(due - 0.1)
    assert purpose(before) is Purpose.RELEASE
    assert before.wake_at is not None
    assert before.wake_at <= due, "it wakes for it, whatever else happens"
    assert purpose(unread(due + 0.1)) is Purpose.RESTORE


# -- a restore that nothing but failing reads asks for


def test_a_record_that_the_rollback_may_delete_unseen_is_created_blindly() -> None:
    """A read that fails says nothing; a fresh one that showed CloudFormation's record does."""
    state = until("rolled-back", lambda _, s: stage(s) is RecordStatus.CREATED)
    state = with_status(state, "UPDATE_ROLLBACK_IN_PROGRESS", root=True)
    here = state.names[NAME].read
    assert here is not None
    state, _ = step(state, read(state, *here.records, after=0.1))
    assert purpose(state) is None

    def unread(after: float) -> State:
        return step(state, ev.NameUnread(time=state.now + after, name=NAME, reason="timed out"))[0]

    assert purpose(unread(0.5)) is None
    assert purpose(unread(60.0)) is Purpose.RESTORE
