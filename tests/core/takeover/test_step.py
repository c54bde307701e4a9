"""The machine's own rules: its table, its beginning, and what a resume makes of a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.builders import (
    CHILD,
    NAME,
    NEW,
    NOW,
    OLD,
    ROOT,
    before_deploys,
    cname,
    created,
    due_state,
    fed,
    name_read,
    polled,
    purpose_of,
    released,
    releasing,
    stack_event,
    tree,
    with_handover,
    with_name,
    with_resource,
    with_stacks,
    write_of,
)

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.domain.stacks import (
    RECORD_SET,
    StackDescription,
    StackResource,
)
from route53_takeover.core.endings import Ending, Outcome, Stop
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.name_state import Reading, RecordStatus, Write
from route53_takeover.core.takeover.phases import ALLOWED, LIVE, Phase
from route53_takeover.core.takeover.polling import stack_polls
from route53_takeover.core.takeover.queries import candidate_resources, matching_resources
from route53_takeover.core.takeover.release_gate import release_gates
from route53_takeover.core.takeover.step import step
from route53_takeover.core.takeover.step_context import StepContext
from route53_takeover.core.timing import ACTIVE, HOT

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.domain.stacks import StackEvent
    from route53_takeover.core.takeover.state import State

CREATE, UPDATE = "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"


def verifying() -> State:
    """The stack is complete, the deploy has exited, and everything is looked at once more."""
    state = created()
    state = fed(
        state,
        polled(state, stack_event(timestamp=state.now)),
        ev.DeployExited(time=state.now + 1.0, switch=Switch.ON, code=0),
    )
    state = fed(state, name_read(state, NEW), ev.TimePassed(time=state.now + 10.0))
    described = replace(state.root, status="UPDATE_COMPLETE")
    state = fed(
        state, ev.RootDescribed(time=state.now + 0.1, began=state.now + 0.05, root=described)
    )
    assert state.phase is Phase.VERIFY
    return state


# -- the table


def test_a_run_begins_with_run_started_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="begins with RunStarted"):
        step(None, ev.TimePassed(time=0.0))


def test_a_move_that_is_not_allowed_is_an_error_and_changes_nothing() -> None:
    state = before_deploys(Phase.PROVE)
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


def test_an_ended_run_changes_no_more() -> None:
    """Not even by an interrupt: what it said stays said."""
    ending = Ending(
        phase=Phase.VERIFY, outcome=Outcome.DONE, exit_code=ExitCode.DONE, reason="created"
    )
    state = replace(created(), phase=Phase.ENDED, ending=ending)
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


def test_a_record_that_vanishes_during_verify_is_restored() -> None:
    """Safety rule 4: the guard is not over before the end."""
    state = verifying()
    state = fed(state, name_read(state, after=1.0))
    assert state.phase is Phase.RESTORE
    assert state.names[NAME].handovers[0].stage is RecordStatus.LOST
    assert purpose_of(state) is Purpose.RESTORE


def test_a_stack_event_during_verify_leads_back_to_guard() -> None:
    state = verifying()
    started = stack_event(status=UPDATE, timestamp=state.now + 1)
    assert fed(state, polled(state, started, after=1.0)).phase is Phase.GUARD


# -- resuming


def test_a_resume_makes_an_intended_write_unknown_and_forgets_an_unintended_one() -> None:
    """Safety rule 6."""
    state = before_deploys(Phase.PROVE)
    name = state.names[NAME]
    for intended in (True, False):
        write = Write(id="w", purpose=Purpose.PROVE, changes=(), sent=state.now, intended=intended)
        resumed, _ = step(with_name(state, write=write), ev.RunResumed(time=state.now + 5))
        left = resumed.names[NAME].write
        assert (left is not None and left.id == "w") == intended
        assert left is None or left.unknown_since == state.now + 5 or not intended
    assert name.proven is False


def test_a_resumed_run_that_ended_unknown_continues_with_new_deadlines() -> None:
    state = created()
    ending = Ending(
        phase=Phase.GUARD, outcome=Outcome.UNKNOWN, exit_code=ExitCode.UNKNOWN, reason="blind"
    )
    ended = replace(with_name(state, failures=99), phase=Phase.ENDED, ending=ending, failures=99)
    resumed, _ = step(ended, ev.RunResumed(time=state.now + 60))
    assert resumed.phase in LIVE
    assert resumed.ending is None
    assert resumed.failures == resumed.names[NAME].failures == 0


def test_an_undo_that_an_interrupt_started_continues_after_a_resume() -> None:
    """Safety rule 7."""
    state = before_deploys(Phase.PROVE, cname(300), lowered=60)
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


def test_a_stale_read_after_our_write_is_not_taken_for_another_writers_change() -> None:
    state = before_deploys(Phase.LOWER_TTL, cname(300), lowered=60)
    lowered = with_handover(with_name(state, wrote_at=state.now), standing=cname(60))
    assert read_of(lowered, cname(300), after=1.0) is RecordStatus.STANDING
    assert read_of(lowered, cname(300), after=6.0) is RecordStatus.CHANGED
    assert read_of(lowered, cname(77), after=1.0) is RecordStatus.CHANGED


def test_a_record_that_was_changed_and_changed_back_stands_again() -> None:
    changed = with_handover(due_state(), stage=RecordStatus.CHANGED)
    assert read_of(changed, OLD) is RecordStatus.STANDING
    assert read_of(changed, cname(5)) is RecordStatus.CHANGED


def test_a_record_that_was_changed_and_then_deleted_counts_as_absent() -> None:
    changed = with_handover(due_state(), stage=RecordStatus.CHANGED)
    assert read_of(changed) in (RecordStatus.RELEASED, RecordStatus.LOST)


def test_a_member_that_only_a_read_shows_is_known_beside_another_writers() -> None:
    manual = replace(OLD, set_identifier="route53-takeover-manual", routing=(("Weight", "255"),))
    others = replace(NEW, set_identifier="blue", routing=(("Weight", "0"),))
    state = before_deploys(Phase.PROVE)
    (planned,) = state.plan.manuals
    made = replace(state.plan, manuals=(replace(planned, prepared=manual),))
    lost = with_name(replace(state, plan=made), tried=frozenset({Purpose.PREPARE}))
    assert read_of(lost, others, manual) is RecordStatus.STANDING
    assert read_of(lost, others) is RecordStatus.CHANGED
    assert read_of(lost, others, replace(manual, alias=NEW.alias)) is RecordStatus.CHANGED


def test_a_lowered_ttl_that_only_a_read_shows_is_drained() -> None:
    state = before_deploys(Phase.LOWER_TTL, cname(300), lowered=60)
    lost = with_name(state, tried=frozenset({Purpose.LOWER}))
    began = state.now + 30
    state, _ = step(lost, ev.NameRead(time=began, name=NAME, began=began, records=(cname(60),)))
    assert state.phase is Phase.DRAIN
    assert state.wake_at == began + 60 + 300


def test_a_change_that_never_becomes_insync_is_waited_for_five_minutes() -> None:
    state = before_deploys(Phase.LOWER_TTL, cname(300), lowered=60)
    state = with_handover(state, standing=cname(60))
    state = with_name(state, unsynced="C1", wrote_at=state.now)
    waiting, _ = step(state, ev.TimePassed(time=state.now + 299))
    assert waiting.phase is Phase.LOWER_TTL
    over, _ = step(state, ev.TimePassed(time=state.now + 300))
    assert over.phase is Phase.DRAIN


# -- the tree


def own(status: str, time: float, event_id: str, stack: str = ROOT) -> StackEvent:
    """A stack's own event."""
    return stack_event(
        status=status, timestamp=time, event_id=event_id, stack_id=stack, physical_id=stack
    )


def reported(state: State, *events: StackEvent) -> State:
    return fed(state, polled(state, *events, after=1.0))


def test_an_operations_start_that_is_reported_after_its_end_still_counts() -> None:
    state = due_state()
    before = state.stacks[ROOT].operations
    now = state.now + 100
    state = reported(state, own("UPDATE_COMPLETE", now + 9, "end"))
    state = reported(state, own(UPDATE, now, "start"))
    assert state.stacks[ROOT].operations == before + 1
    assert state.stacks[ROOT].status == "UPDATE_COMPLETE"


def test_an_operation_from_before_the_baseline_is_not_the_deploys_however_late_it_is_reported() -> (
    None
):
    """Safety rule 9: the first deploy's beginning may become visible after its end."""
    state = before_deploys(Phase.DEPLOY_ON)
    read = ev.BaselineRead(time=state.now, root=state.root, newest={ROOT: "end"}, until={ROOT: 9.0})
    late = reported(fed(state, read), own(UPDATE, 5.0, "late"))
    assert late.stacks[ROOT].status == ""
    assert reported(late, own(UPDATE, 9.1, "new")).stacks[ROOT].operations == 1


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("CREATE_IN_PROGRESS", "CREATE_FAILED"),
        ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"),
        ("CREATE_FAILED", "DELETE_IN_PROGRESS"),
        ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"),
    ],
)
def test_of_two_events_with_one_timestamp_the_later_state_counts(begins: str, ends: str) -> None:
    """AWS's times are in milliseconds, and what began may be reported after what has ended."""
    state = due_state()
    at = state.now + 100
    events = {
        status: stack_event("DnsRecord", status, timestamp=at, physical_id="")
        for status in (begins, ends)
    }
    for order in ((begins, ends), (ends, begins)):
        after = reported(state, *(events[status] for status in order))
        assert after.stacks[ROOT].records["DnsRecord"].status == ends


def test_a_stack_that_ends_at_the_time_at_which_it_cleans_up_has_ended() -> None:
    state = due_state()
    now = state.now + 100
    cleaning = own("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", now, "cleaning")
    after = reported(state, own("UPDATE_COMPLETE", now, "end"), cleaning)
    assert after.stacks[ROOT].status == "UPDATE_COMPLETE"


def test_a_child_is_polled_again_in_its_parents_second_operation() -> None:
    state = created(nested=True)
    now = state.now + 100
    for stack in (CHILD, ROOT):
        state = reported(state, own("UPDATE_COMPLETE", now, f"done-{stack}", stack))
    assert CHILD not in {w.target.stack for w in stack_polls(state)}
    state = replace(state, phase=Phase.GUARD)
    state = reported(state, own(UPDATE, now + 60, "second"))
    assert {w.target.stack: w.every for w in stack_polls(state)}[CHILD] == ACTIVE


def test_the_stacks_of_a_release_are_polled_twice_a_second_up_to_the_root() -> None:
    state = releasing(nested=True)
    assert state.phase is Phase.RELEASE
    assert {w.target.stack: w.every for w in stack_polls(state)} == {ROOT: HOT, CHILD: HOT}


def test_a_root_that_is_recreated_under_its_name_is_followed_to_its_new_id() -> None:
    state = due_state()
    new = StackDescription(
        stack_id="arn:new", stack_name=state.root.stack_name, status="CREATE_IN_PROGRESS"
    )
    described = ev.RootDescribed(time=state.now + 1, began=state.now + 1, root=new)
    state, _ = step(state, described)
    (poll,) = stack_polls(state)
    assert (poll.target.stack, poll.target.after) == ("arn:new", None)


def test_the_baseline_event_itself_is_of_no_operation_of_ours() -> None:
    """Safety rule 9: by event ids, never by clocks."""
    state = before_deploys(Phase.DEPLOY_ON)
    baseline = ev.BaselineRead(
        time=state.now, root=state.root, newest={ROOT: "old"}, existing={ROOT: ("Site",)}
    )
    after = reported(fed(state, baseline), own(UPDATE, state.now + 999, "old"))
    assert after.stacks[ROOT].operations == 0


def test_the_deadman_of_the_record_that_went_first_is_not_put_off_by_the_second() -> None:
    """Safety rule 5."""
    state = released()
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
    state = released()
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
    state = released()
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
    state = due_state(nested=True, phase=Phase.DEPLOY_ON, baseline=None, deploys={})
    newest = {ROOT: "old", CHILD: "older"}
    read = ev.BaselineRead(
        time=state.now,
        root=state.root,
        newest=newest,
        existing={ROOT: ("Site",), CHILD: ()},
        parents={CHILD: ROOT},
    )
    state = fed(state, read)
    started = [own(UPDATE, state.now + 1, f"begun-{stack}", stack) for stack in (ROOT, CHILD)]
    state = reported(reported(state, started[0]), started[1])
    assert {w.target.stack: w.target.after for w in stack_polls(state)} == newest


def test_a_batch_of_unknown_fate_stays_under_way_until_later_reads_have_settled_it() -> None:
    """Safety rule 6: lost is neither refused nor applied."""
    state = releasing()
    write = write_of(state)
    state = fed(state, write)
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


def test_a_resource_of_which_only_the_name_is_known_delays_batches_and_proves_nothing() -> None:
    state = before_deploys(Phase.DRAIN, cname(300), lowered=60)
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
    started = replace(surprise, status="CREATE_IN_PROGRESS", physical_id="www.example.com")
    trying, _ = step(state, replace(listed, resources=(started,)))
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
    state = with_stacks(released(), status=status)
    later = state.now + 60
    listed = fed(state, ev.ResourcesRead(time=later, stack=ROOT, began=later))
    assert [r.status for r in listed.stacks[ROOT].records.values()] == [left]


def test_a_stack_that_adopts_before_any_deploy_of_ours_is_described_before_the_run_is_done() -> (
    None
):
    """What preflight read of its status is old: it may roll back by now."""
    state = before_deploys(Phase.GUARD, OLD, stacks=tree(OLD))
    state = with_stacks(state, status="UPDATE_COMPLETE")
    state = with_handover(state, stage=RecordStatus.ADOPTED, created_at=NOW)
    state = with_resource(state, status="CREATE_COMPLETE")
    later = ev.TimePassed(time=NOW + state.plan.options.settle + 1)
    after, commands = step(state, later)
    assert after.phase is Phase.GUARD
    assert cmd.DescribeRoot() in commands


def test_an_update_that_was_rolled_back_leaves_no_new_record_in_a_group() -> None:
    """The stack's list shows the group as UPDATE_COMPLETE then, as after an update that held."""
    state = with_handover(due_state(OLD, desired=OLD), stage=RecordStatus.RESTORED)
    state = with_resource(state, status="CREATE_FAILED", group=True)
    state = with_stacks(state, status="UPDATE_ROLLBACK_COMPLETE")
    group = StackResource(
        stack_id=ROOT,
        logical_id="DnsRecord",
        physical_id="shop-DnsRecord-1",
        resource_type="AWS::Route53::RecordSetGroup",
        status="UPDATE_COMPLETE",
    )
    listed = ev.ResourcesRead(time=NOW + 2, stack=ROOT, began=NOW + 1, resources=(group,))
    state, _ = step(state, listed)
    (handover,) = state.names[NAME].handovers
    assert handover.stage is RecordStatus.RESTORED


def test_the_last_read_of_a_name_is_not_from_before_the_stack_was_at_rest() -> None:
    """Other names could not be read for long, and the rollback deleted the record meanwhile."""
    state = due_state(
        phase=Phase.RESTORE,
        given_up="stopped",
        journal_lost="no space left",
        verifying_since=NOW - 30,
        news_at=NOW - 10,
    )
    state = with_stacks(state, status="UPDATE_ROLLBACK_COMPLETE")
    state = with_name(state, read=Reading(began=NOW - 29, told=NOW - 29, records=(OLD,)))
    after, commands = step(state, ev.TimePassed(time=NOW + 1))
    assert after.phase is Phase.RESTORE
    assert cmd.ReadName(name=NAME) in commands
