"""The machine's own rules: its table, its beginning, and what a resume makes of a state."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.domain.stacks import (
    RECORD_SET,
    StackDescription,
    StackEvent,
    StackResource,
)
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.polling import stack_polls
from route53_takeover.core.takeover.queries import candidate_resources, matching_resources
from route53_takeover.core.takeover.release_gate import release_gates
from route53_takeover.core.takeover.state import (
    LIVE,
    Ending,
    Outcome,
    Phase,
    RecordStatus,
    Stop,
    Write,
)
from route53_takeover.core.takeover.step import step
from route53_takeover.core.takeover.step_context import ALLOWED, StepContext
from route53_takeover.core.timing import ACTIVE, HOT
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS, cname

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.state import State

NAME = "www.example.com."
STACK = "AWS::CloudFormation::Stack"


@cache
def history(scenario: str) -> tuple[ev.AnyEvent, ...]:
    return rehearse_once(SCENARIOS[scenario], "machine", Faults()).events


def folded_until(scenario: str, phase: Phase) -> State:
    """The last state of a real run in this phase."""
    found: State | None = None
    state: State | None = None
    for event in history(scenario):
        state, _ = step(state, event)
        if state.phase is phase:
            found = state
    assert found is not None
    return found


def with_name(state: State, **changes: Any) -> State:
    return replace(state, names={NAME: replace(state.names[NAME], **changes)})


# -- the table


def test_a_run_begins_with_run_started_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="begins with RunStarted"):
        step(None, ev.TimePassed(time=0.0))


def test_a_move_that_is_not_allowed_is_an_error_and_changes_nothing() -> None:
    state = folded_until("alias", Phase.PROVE)
    turn = StepContext(state)
    with pytest.raises(ValueError, match="guard does not follow prove"):
        turn.move(Phase.GUARD)
    assert turn.state == state


def test_every_phase_can_be_ended_and_every_one_before_restore_undone() -> None:
    for phase in Phase:
        if phase is Phase.ENDED:
            assert not ALLOWED[phase]
            continue
        assert Phase.ENDED in ALLOWED[phase]
        if phase not in (Phase.PREFLIGHT, Phase.RESTORE):
            assert Phase.RESTORE in ALLOWED[phase]


def test_every_phase_can_be_reached() -> None:
    reached = {Phase.PREFLIGHT}.union(*ALLOWED.values())
    assert reached == set(Phase)


def test_an_ended_run_moves_no_more() -> None:
    """Not even by an interrupt: what it said stays said."""
    state = fold(history("alias"))
    assert state is not None
    for event in (
        ev.Interrupted(time=state.now + 1, signal="SIGINT"),
        ev.TimePassed(time=state.now + 9),
        ev.NameRead(time=state.now + 9, name=NAME, began=state.now + 8, records=()),
        ev.RunResumed(time=state.now + 9),
    ):
        after, commands = step(state, event)
        assert after.ending == state.ending
        assert commands == ()


# -- from verify back


def test_a_record_that_vanishes_while_it_is_verified_is_put_back() -> None:
    """Safety rule 4: the guard is not over before the end."""
    state = folded_until("alias", Phase.VERIFY)
    began = state.now + 1
    state, _ = step(state, ev.NameRead(time=began + 0.05, name=NAME, began=began, records=()))
    assert state.phase is Phase.RESTORE
    assert state.names[NAME].handovers[0].stage is RecordStatus.LOST
    write = state.names[NAME].write
    assert write is not None
    assert write.purpose is Purpose.RESTORE


def test_news_of_the_stack_while_verifying_lead_back_to_the_guard() -> None:
    state = folded_until("alias", Phase.VERIFY)
    root = state.root
    item = StackEvent(
        event_id="later",
        stack_id=root.stack_id,
        stack_name=root.stack_name,
        logical_id=root.stack_name,
        physical_id=root.stack_id,
        resource_type=STACK,
        status="UPDATE_IN_PROGRESS",
        timestamp=state.now + 1,
    )
    polled = ev.StackPolled(
        time=state.now + 1, stack=root.stack_id, began=state.now + 1, events=(item,)
    )
    assert step(state, polled)[0].phase is Phase.GUARD


# -- resuming


def test_a_resume_makes_an_intended_write_unknown_and_forgets_an_unintended_one() -> None:
    """Safety rule 6."""
    state = folded_until("alias", Phase.PROVE)
    name = state.names[NAME]
    for intended in (True, False):
        write = Write(id="w", purpose=Purpose.PROVE, changes=(), sent=state.now, intended=intended)
        resumed, _ = step(with_name(state, write=write), ev.RunResumed(time=state.now + 5))
        left = resumed.names[NAME].write
        assert (left is not None and left.id == "w") == intended
        assert left is None or left.unknown_since == state.now + 5 or not intended
    assert name.proven is False


def test_a_resumed_run_that_ended_unknown_goes_on_with_new_patience() -> None:
    state = folded_until("alias", Phase.GUARD)
    ending = Ending(
        phase=Phase.GUARD, outcome=Outcome.UNKNOWN, exit_code=ExitCode.UNKNOWN, reason="blind"
    )
    ended = replace(with_name(state, failures=99), phase=Phase.ENDED, ending=ending, failures=99)
    resumed, _ = step(ended, ev.RunResumed(time=state.now + 60))
    assert resumed.phase in LIVE
    assert resumed.ending is None
    assert resumed.failures == resumed.names[NAME].failures == 0


def test_what_an_interrupt_began_to_undo_is_undone_to_the_end_after_a_resume() -> None:
    """Safety rule 7."""
    state = folded_until("cname", Phase.PROVE)
    state, _ = step(state, ev.Interrupted(time=state.now, signal="SIGTERM"))
    assert state.phase is Phase.RESTORE
    state, _ = step(state, ev.RunResumed(time=state.now + 5))
    assert state.given_up == "stopped by SIGTERM"
    assert state.phase is Phase.RESTORE


# -- reads


def read_of(state: State, *records: RecordSet, after: float = 60.0) -> RecordStatus:
    began = state.now + after
    event = ev.NameRead(time=began, name=NAME, began=began, records=records)
    return step(state, event)[0].names[NAME].handovers[0].stage


def test_a_stale_read_after_our_own_write_is_not_taken_for_somebody_elses() -> None:
    state = folded_until("cname", Phase.LOWER_TTL)
    lowered = with_name(
        state,
        wrote_at=state.now,
        write=None,
        handovers=tuple(replace(h, standing=cname(60)) for h in state.names[NAME].handovers),
    )
    assert read_of(lowered, cname(300), after=1.0) is RecordStatus.STANDING
    assert read_of(lowered, cname(300), after=6.0) is RecordStatus.CHANGED
    assert read_of(lowered, cname(77), after=1.0) is RecordStatus.CHANGED


def test_what_somebody_changed_and_put_back_stands_again() -> None:
    state = folded_until("alias", Phase.WATCH)
    (handover,) = state.names[NAME].handovers
    changed = with_name(state, handovers=(replace(handover, stage=RecordStatus.CHANGED),))
    assert read_of(changed, handover.original) is RecordStatus.STANDING
    assert read_of(changed, cname(5)) is RecordStatus.CHANGED


def test_what_somebody_changed_and_then_deleted_counts_as_absent() -> None:
    state = folded_until("alias", Phase.WATCH)
    (handover,) = state.names[NAME].handovers
    changed = with_name(state, handovers=(replace(handover, stage=RecordStatus.CHANGED),))
    assert read_of(changed) in (RecordStatus.RELEASED, RecordStatus.LOST)


def test_a_lowered_ttl_that_is_only_seen_in_a_read_is_drained_all_the_same() -> None:
    state = folded_until("cname", Phase.LOWER_TTL)
    name = state.names[NAME]
    lost = with_name(
        state,
        write=None,
        unsynced=None,
        synced_at=None,
        tried=name.tried | {Purpose.LOWER},
        handovers=tuple(replace(h, standing=h.original) for h in name.handovers),
    )
    began = state.now + 30
    state, _ = step(lost, ev.NameRead(time=began, name=NAME, began=began, records=(cname(60),)))
    assert state.phase is Phase.DRAIN
    assert state.wake_at == began + 60 + 300


def test_a_change_that_is_never_insync_does_not_hold_the_run_for_ever() -> None:
    state = folded_until("cname", Phase.LOWER_TTL)
    state = with_name(
        state,
        write=None,
        unsynced="C1",
        wrote_at=state.now,
        handovers=tuple(replace(h, standing=cname(60)) for h in state.names[NAME].handovers),
    )
    waiting, _ = step(state, ev.TimePassed(time=state.now + 299))
    assert waiting.phase is Phase.LOWER_TTL
    over, _ = step(state, ev.TimePassed(time=state.now + 300))
    assert over.phase is Phase.DRAIN


# -- the tree


def own(stack: str, status: str, time: float, event_id: str) -> StackEvent:
    return StackEvent(
        event_id=event_id,
        stack_id=stack,
        stack_name="s",
        logical_id="s",
        physical_id=stack,
        resource_type=STACK,
        status=status,
        timestamp=time,
    )


def polled(state: State, *items: StackEvent) -> State:
    event = ev.StackPolled(
        time=state.now + 1, stack=items[0].stack_id, began=state.now + 1, events=items
    )
    return step(state, event)[0]


def test_an_operations_start_that_is_told_after_its_end_still_counts() -> None:
    state = folded_until("alias", Phase.WATCH)
    root = state.root.stack_id
    before = state.stacks[root].operations
    now = state.now + 100
    state = polled(state, own(root, "UPDATE_COMPLETE", now + 9, "end"))
    state = polled(state, own(root, "UPDATE_IN_PROGRESS", now, "start"))
    assert state.stacks[root].operations == before + 1
    assert state.stacks[root].status == "UPDATE_COMPLETE"


def test_an_operation_from_before_the_baseline_is_not_the_deploys_however_late_it_is_told() -> None:
    """Safety rule 9: the first deploy's beginning may become visible after its end."""
    state = folded_until("alias", Phase.DEPLOY_ON)
    root = state.root.stack_id
    read = ev.BaselineRead(time=state.now, root=state.root, newest={root: "end"}, until={root: 9.0})
    state, _ = step(state, read)
    late = polled(state, own(root, "UPDATE_IN_PROGRESS", 5.0, "late"))
    assert late.stacks[root].status == ""
    assert polled(late, own(root, "UPDATE_IN_PROGRESS", 9.1, "new")).stacks[root].operations == 1


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("CREATE_IN_PROGRESS", "CREATE_FAILED"),
        ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"),
        ("CREATE_FAILED", "DELETE_IN_PROGRESS"),
        ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"),
    ],
)
def test_of_two_events_of_one_instant_the_later_state_counts(begins: str, ends: str) -> None:
    """AWS's times are in milliseconds, and what began may be told after what has ended."""
    state = folded_until("alias", Phase.WATCH)
    root = state.root.stack_id
    before = own(root, begins, state.now + 100, "begins")
    of_record = replace(before, logical_id="DnsRecord", resource_type=RECORD_SET, physical_id="")
    for first, then in ((begins, ends), (ends, begins)):
        told = polled(state, *(replace(of_record, status=s, event_id=s) for s in (first, then)))
        assert told.stacks[root].records["DnsRecord"].status == ends


def test_a_stack_that_ends_in_the_instant_in_which_it_cleans_up_has_ended() -> None:
    state = folded_until("alias", Phase.WATCH)
    root = state.root.stack_id
    now = state.now + 100
    told = polled(
        state,
        own(root, "UPDATE_COMPLETE", now, "end"),
        own(root, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", now, "cleaning"),
    )
    assert told.stacks[root].status == "UPDATE_COMPLETE"


def test_a_child_is_watched_again_in_its_parents_second_operation() -> None:
    state = folded_until("nested", Phase.GUARD)
    root = state.root.stack_id
    (child,) = [s for s in state.stacks if s != root]
    now = max(s.status_time for s in state.stacks.values()) + 100
    for stack in (child, root):
        state = polled(state, own(stack, "UPDATE_COMPLETE", now, f"done-{stack}"))
    assert child not in {w.target.stack for w in stack_polls(state)}
    state = replace(state, phase=Phase.GUARD)
    state = polled(state, own(root, "UPDATE_IN_PROGRESS", now + 60, "second"))
    assert {w.target.stack: w.every for w in stack_polls(state)}[child] == ACTIVE


def test_the_stacks_of_the_moment_are_polled_twice_a_second_up_to_the_root() -> None:
    paces: set[float] = set()
    state: State | None = None
    for event in history("nested"):
        state, _ = step(state, event)
        if state.phase is Phase.RELEASE:
            paces |= {w.every for w in stack_polls(state)}
            assert len(stack_polls(state)) == 2
    assert paces == {HOT}


def test_a_root_that_is_recreated_under_its_name_is_followed_to_its_new_id() -> None:
    state = folded_until("alias", Phase.WATCH)
    new = StackDescription(
        stack_id="arn:new", stack_name=state.root.stack_name, status="CREATE_IN_PROGRESS"
    )
    described = ev.RootDescribed(time=state.now + 1, began=state.now + 1, root=new)
    state, _ = step(state, described)
    (poll,) = stack_polls(state)
    assert (poll.target.stack, poll.target.after) == ("arn:new", None)


def test_events_before_the_baseline_are_of_no_operation_of_ours() -> None:
    """Safety rule 9: told by event ids, never by clocks."""
    state = folded_until("nested", Phase.DEPLOY_ON)
    root = state.root.stack_id
    baseline = ev.BaselineRead(
        time=state.now, root=state.root, newest={root: "old"}, existing={root: ("Site",)}
    )
    state, _ = step(state, baseline)
    old = own(root, "UPDATE_IN_PROGRESS", state.now + 999, "old")
    after = polled(state, old)
    assert after.stacks[root].operations == 0


def test_the_deadman_of_the_record_that_went_first_is_not_put_off_by_the_second() -> None:
    """Safety rule 5."""
    state = folded_until("alias", Phase.CONFIRM)
    name = state.names[NAME]
    assert name.deadman_at is not None
    six = replace(name.handovers[0].original, type="AAAA")
    first = name.handovers[0]
    second = replace(
        first, original=six, standing=six, stage=RecordStatus.STANDING, released_at=None
    )
    write = Write(
        id="w2",
        purpose=Purpose.RELEASE,
        changes=(Change.delete(six),),
        sent=state.now,
        intended=True,
    )
    state = with_name(state, handovers=(first, second), write=write)
    accepted = ev.WriteAccepted(time=state.now + 30, id="w2", name=NAME, change_id="C2")
    state, _ = step(state, accepted)
    assert state.names[NAME].deadman_at == name.deadman_at


def test_a_second_request_stops_at_once_says_unknown_and_4() -> None:
    """Safety rule 7."""
    state = folded_until("alias", Phase.CONFIRM)
    began = state.now
    state, _ = step(state, ev.Interrupted(time=began, signal="SIGINT"))
    assert state.phase is Phase.CONFIRM
    state, commands = step(state, ev.Interrupted(time=began + 2.0, signal="SIGINT"))
    assert commands == ()
    assert state.ending is not None
    assert (state.ending.outcome, state.ending.exit_code) == (Outcome.UNKNOWN, 4)


@pytest.mark.parametrize("after", [0.0, 0.001, 1.999])
@pytest.mark.parametrize("second", ["SIGTERM", "SIGHUP"])
def test_signals_within_two_seconds_are_one_request(after: float, second: str) -> None:
    """Safety rule 7: whatever their numbers, and counted from the first of them."""
    state = folded_until("alias", Phase.CONFIRM)
    began = state.now
    state, _ = step(state, ev.Interrupted(time=began, signal="SIGTERM"))
    for _ in range(2):
        state, _ = step(state, ev.Interrupted(time=began + after, signal=second))
    assert state.phase is Phase.CONFIRM
    assert state.interrupts == (Stop("SIGTERM"),)
    state, _ = step(state, ev.Interrupted(time=began + 2.0, signal=second))
    assert state.ending is not None
    assert state.ending.exit_code == 4


def test_events_are_read_back_to_the_newest_one_before_the_deploy() -> None:
    """Safety rule 9: an earlier attempt's events must not be taken for this one's."""
    state = folded_until("nested", Phase.CONFIRM)
    read = [e for e in history("nested") if isinstance(e, ev.BaselineRead)]
    assert {w.target.stack: w.target.after for w in stack_polls(state)} == read[-1].newest


def test_a_batch_of_unknown_fate_stays_under_way_until_later_reads_have_settled_it() -> None:
    """Safety rule 6: lost is neither refused nor applied."""
    state: State | None = None
    for event in history("alias"):
        state, _ = step(state, event)
        if isinstance(event, ev.WriteIntended) and event.purpose is ev.Purpose.RELEASE:
            break
    assert state is not None
    write = state.names[NAME].write
    assert write is not None
    there = (state.names[NAME].handovers[0].standing,)

    def read(state: State, began: float) -> State:
        event = ev.NameRead(time=began + 0.1, name=NAME, began=began, records=there)
        return step(state, event)[0]

    at = state.now
    lost, _ = step(state, ev.WriteUnknown(time=at + 2, id=write.id, name=NAME, reason="reset"))
    once = read(lost, at + 3)
    for unsettled in (lost, read(lost, at + 1), once, read(once, at + 4)):
        waits = unsettled.names[NAME].write
        assert waits is not None
        assert waits.id == write.id
        assert unsettled.names[NAME].handovers[0].released_at is None
    settled = read(once, at + 5.1).names[NAME].write
    assert settled is None or settled.id != write.id


def test_a_resource_of_which_only_the_name_is_known_keeps_batches_back_and_tells_nothing() -> None:
    state = folded_until("cname", Phase.DRAIN)
    surprise = StackResource(
        stack_id=state.root.stack_id,
        logical_id="Surprise",
        physical_id="www.example.com",
        resource_type=RECORD_SET,
        status="CREATE_COMPLETE",
    )
    listed = ev.ResourcesRead(
        time=state.now, stack=state.root.stack_id, began=state.now, resources=(surprise,)
    )
    after, _ = step(state, listed)
    (handover,) = after.names[NAME].handovers
    assert handover.stage is RecordStatus.STANDING
    assert not matching_resources(after, handover)
    assert [r.logical_id for r in candidate_resources(after, handover)] == ["Surprise"]
    begun = replace(surprise, status="CREATE_IN_PROGRESS", physical_id="www.example.com")
    trying, _ = step(state, replace(listed, resources=(begun,)))
    assert not [*release_gates(trying, trying.names[NAME])]
    had = replace(state.plan, resources=(f"{state.root.stack_id} Surprise",))
    after, _ = step(replace(state, plan=had), listed)
    assert not candidate_resources(after, handover)


@pytest.mark.parametrize(
    ("status", "left"),
    [
        ("UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"),
        ("UPDATE_COMPLETE", "CREATE_IN_PROGRESS"),
        ("UPDATE_ROLLBACK_FAILED", "CREATE_IN_PROGRESS"),
        ("UPDATE_ROLLBACK_COMPLETE", "DELETE_COMPLETE"),
    ],
)
def test_a_record_that_the_list_lacks_is_gone_only_once_its_stack_has_rolled_back(
    status: str, left: str
) -> None:
    """Events may be missing; a list may lag behind a create, but not behind a rollback's end."""
    state = folded_until("never-created", Phase.CONFIRM)
    root = state.root.stack_id
    stack = replace(state.stacks[root], status=status)
    state = replace(state, stacks={**state.stacks, root: stack})
    later = state.now + 60
    listed, _ = step(state, ev.ResourcesRead(time=later, stack=root, began=later))
    assert [r.status for r in listed.stacks[root].records.values()] == [left]
