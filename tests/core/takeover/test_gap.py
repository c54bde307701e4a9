"""What a run does about a name that has no record, or may have none: one rule a test.

Each of these rules could be broken once without a test that failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.builders import (
    NAME,
    NEW,
    OLD,
    ROOT,
    cname,
    created,
    due_state,
    fed,
    name_read,
    polled,
    purpose_of,
    released,
    releasing,
    restored,
    stack_event,
    tree,
    with_handover,
    with_name,
    with_options,
    with_resource,
    with_stacks,
    write_of,
)

from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold import observe
from route53_takeover.core.takeover.name_state import RecordStatus

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.state import State


def unanswered(desired: RecordSet = NEW) -> State:
    """The answer to the release was lost."""
    sent = replace(releasing(), stacks=tree(desired))
    intent = write_of(sent)
    lost = ev.WriteUnknown(time=sent.now + 1, id=intent.id, name=NAME, reason="lost")
    return observe(observe(sent, intent), lost)


def unread(state: State, *, at: float) -> State:
    """A read of the name failed then."""
    return fed(state, ev.NameUnread(time=at, name=NAME, reason="timed out"))


def stage(state: State) -> RecordStatus:
    return state.names[NAME].handovers[0].stage


# -- a restore


def test_a_record_that_cloudformation_created_and_lost_is_restored_while_its_stack_continues() -> (
    None
):
    """Not only once the stack has turned back, or the deadman fires."""
    state = created()
    assert (stage(state), purpose_of(state)) == (RecordStatus.CREATED, None)
    state = fed(state, name_read(state))
    assert (stage(state), purpose_of(state)) == (RecordStatus.LOST, Purpose.RESTORE)


@pytest.mark.parametrize("nested", [False, True], ids=["root", "nested"])
def test_a_record_is_restored_at_once_when_the_stack_cleans_up(*, nested: bool) -> None:
    """It creates no more, in a nested stack too, whose own events are not there yet."""
    state = released(nested=nested)
    assert stage(state) is RecordStatus.RELEASED
    assert purpose_of(fed(state, ev.TimePassed(time=state.now))) is None, "it waits"
    cleaning = with_stacks(state, only=ROOT, status="UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    assert purpose_of(fed(cleaning, ev.TimePassed(time=cleaning.now))) is Purpose.RESTORE


def test_a_restore_that_is_due_needs_no_read() -> None:
    """Neither a fresh one nor any."""
    state = released()
    deadman_at = state.names[NAME].deadman_at
    assert deadman_at is not None
    for known in (state, with_name(state, read=None, failures=40)):
        late = fed(known, ev.TimePassed(time=deadman_at + 0.01))
        assert purpose_of(late) is Purpose.RESTORE


# -- what a read shows


@pytest.mark.parametrize("lost", [False, True])
def test_a_record_that_the_complete_stack_lists_and_that_refuses_a_restore_needs_no_read(
    lost: bool,
) -> None:
    """But where a restore of ours may be what stands there."""
    state = released()
    state = with_handover(with_name(state, deadman_at=state.now), restore_lost=lost)
    is_created = stack_event("DnsRecord", "CREATE_COMPLETE")
    is_complete = stack_event(timestamp=is_created.timestamp + 1)
    state = fed(state, polled(state, is_created), polled(state, is_complete, after=0.3))
    write = state.names[NAME].write
    assert write is not None
    assert write.purpose is Purpose.RESTORE
    assert write.sent < state.now
    for after in (1.0, 3.0):  # the first was sent before the stack was complete
        state = fed(state, _refused(state, after=after))
        state = fed(state, ev.TimePassed(time=state.now + 2.0))
    assert stage(state) is (RecordStatus.RELEASED if lost else RecordStatus.CREATED)
    assert (purpose_of(state) is Purpose.RESTORE) is lost


def _refused(state: State, *, after: float) -> ev.WriteRefused:
    return ev.WriteRefused(
        time=state.now + after,
        id=write_of(state).id,
        name=NAME,
        code="InvalidChangeBatch",
        reason="[Tried to create resource record set [...] but it already exists]",
    )


def test_a_read_that_began_before_our_last_write_is_ignored() -> None:
    state = restored()
    assert state.names[NAME].wrote_at == state.now
    state = fed(state, name_read(state, after=-0.3, took=0.5))
    assert stage(state) is RecordStatus.RESTORED, "it is of the gap"
    assert state.names[NAME].read is None
    state = fed(state, name_read(state))
    assert stage(state) is RecordStatus.LOST, "one that began later is not"


# -- a DELETE of unknown fate


@pytest.mark.parametrize(
    ("desired", "seconds"), [(NEW, 2.0), (OLD, 10.0)], ids=["differs", "identical"]
)
def test_a_lost_delete_counts_as_not_done_after_two_seconds_or_ten_of_an_identical_record(
    desired: RecordSet, seconds: float
) -> None:
    state = unanswered(desired)
    first = name_read(state, OLD)
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
    state = with_options(unanswered(), restore_after=restore_after)
    write = state.names[NAME].write
    assert write is not None
    due = write.sent + (60.0 if restore_after is None else restore_after)
    before = unread(state, at=due - 0.1)
    assert purpose_of(before) is Purpose.RELEASE
    assert before.wake_at is not None
    assert before.wake_at <= due, "it wakes for it, whatever else happens"
    assert purpose_of(unread(state, at=due + 0.1)) is Purpose.RESTORE


# -- a restore for which there are only failing reads


def test_a_record_that_the_rollback_may_delete_unseen_is_created_without_a_read() -> None:
    """A read that fails says nothing; a fresh one that showed CloudFormation's record does."""
    state = with_stacks(created(), status="UPDATE_ROLLBACK_IN_PROGRESS")
    state = fed(state, name_read(state, NEW))
    assert purpose_of(state) is None
    assert purpose_of(fed(state, ev.TimePassed(time=state.now + 60.0))) is None
    assert purpose_of(unread(state, at=state.now + 0.5)) is None
    assert purpose_of(unread(state, at=state.now + 60.0)) is Purpose.RESTORE


def test_the_original_in_the_place_of_an_adopted_record_is_what_a_blind_restore_created() -> None:
    """CloudFormation adopted the lowered record; another writer deleted it, unread."""
    original, lowered = cname(300, "new.example.net"), cname(60, "new.example.net")
    state = due_state(original, desired=lowered)
    state = with_handover(state, stage=RecordStatus.ADOPTED, standing=lowered)
    state = with_resource(state, status="DELETE_FAILED")
    (handover,) = observe(state, name_read(state, original)).names[NAME].handovers
    assert (handover.stage, handover.standing) == (RecordStatus.RESTORED, original)
