"""The release gate: each of its conditions is enough to keep a release back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.builders import (
    CHILD,
    NAME,
    NEW,
    NOW,
    OLD,
    ROOT,
    due_state,
    polled,
    releasing,
    stack,
    stack_event,
    with_handover,
    with_name,
    with_options,
    with_resource,
    with_stacks,
    write_of,
)

from route53_takeover.core.deploys import Deploy
from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.core.endings import Stop
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.failure_reason import why
from route53_takeover.core.takeover.fold import observe
from route53_takeover.core.takeover.fold_requests import asked
from route53_takeover.core.takeover.name_state import RecordStatus, Write
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.release_gate import Condition, release_gates

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.takeover.release_gate import ReleaseGate
    from route53_takeover.core.takeover.state import State

in_both_trees = pytest.mark.parametrize("nested", [False, True], ids=["root", "nested"])
"""Whether the record is the root stack's or a nested one's."""


def the_gate(state: State) -> ReleaseGate:
    (found,) = release_gates(state, state.names[NAME])
    return found


def desired(record: RecordSet = NEW, **members: Any) -> DesiredRecord:
    given: dict[str, Any] = {"record": record, "complete": True, "zone_name": "example.com."}
    return DesiredRecord(**given | members)


def in_zone(state: State, **members: Any) -> State:
    return with_resource(state, desired=desired(**members))


def creating_since(state: State) -> float:
    return the_gate(state).resource.since


def reading(state: State, **changes: Any) -> State:
    read = state.names[NAME].read
    assert read is not None
    return with_name(state, read=replace(read, **changes))


def confirming(state: State) -> State:
    return with_options(state, confirm_release=True)


def in_group(state: State, other: DesiredRecord | None) -> State:
    """The resource is one record of a group, and this is another one."""
    state = with_resource(state, group=True)
    stacks = {}
    for key, one in state.stacks.items():
        more = {f"{k}/other": replace(r, desired=other) for k, r in one.records.items()}
        stacks[key] = replace(one, records={**one.records, **more})
    return replace(state, stacks=stacks)


def exited(state: State, *, described: str, began: float, at: float | None = None) -> State:
    """The deploy command has exited, and the stack was described."""
    deploy = Deploy(intended_at=state.now - 90, exited_at=state.now - 1 if at is None else at)
    return replace(
        state,
        deploys={Switch.ON: deploy},
        described=replace(state.root, status=described),
        described_began=began,
        lag=0.0,
    )


def test_a_deploy_that_exits_early_does_not_keep_the_release_back() -> None:
    state = due_state()
    assert the_gate(exited(state, described="UPDATE_IN_PROGRESS", began=state.now - 0.1)).is_open


OTHER = RecordSet(name=NAME, type="A", ttl=60, values=("192.0.2.1",))

BROKEN: dict[str, tuple[Callable[[State], State], Condition]] = {
    "no backup": (lambda s: replace(s, backed_up=False), Condition.BACKUP),
    "no journal": (lambda s: replace(s, journal_lost="disk full"), Condition.JOURNAL),
    "wrong phase": (lambda s: replace(s, phase=Phase.PROVE), Condition.PHASE),
    "restoring phase": (lambda s: replace(s, phase=Phase.RESTORE), Condition.PHASE),
    "interrupted": (lambda s: replace(s, interrupts=(Stop("SIGINT"),)), Condition.WANTED),
    "given up": (lambda s: replace(s, given_up="why not"), Condition.WANTED),
    "name given up": (lambda s: with_name(s, given_up="refused twice"), Condition.WANTED),
    "a batch under way": (
        lambda s: with_name(s, write=Write(id="w", purpose=Purpose.PROVE, changes=(), sent=s.now)),
        Condition.ANSWERED,
    ),
    "put back already": (lambda s: with_name(s, restoring=True), Condition.NOT_RESTORED),
    "held": (lambda s: replace(s, now=s.now - 1.9), Condition.HOLD),
    "paused": (lambda s: replace(s, paused=True), Condition.NOT_PAUSED),
    "unconfirmed": (confirming, Condition.CONFIRMATION),
    "pausing": (lambda s: with_name(s, not_before=s.now + 1), Condition.PAUSE),
    "never read": (lambda s: with_name(s, read=None), Condition.READ),
    "read long ago": (lambda s: reading(s, told=s.now - 2.1 - 2 * s.lag), Condition.READ),
    "read before the create began": (
        lambda s: reading(s, began=creating_since(s) - 0.1),
        Condition.READ,
    ),
    "asleep since the read began": (lambda s: replace(s, awake_since=s.now), Condition.READ),
    "holds another": (lambda s: reading(s, records=(OTHER,)), Condition.UNCHANGED),
    "protected": (lambda s: reading(s, protected=(OLD.type,)), Condition.UNPROTECTED),
    "holds nothing": (lambda s: reading(s, records=()), Condition.UNCHANGED),
    "another zone": (lambda s: in_zone(s, zone_id="ZOTHER"), Condition.ZONE),
    "no zone": (lambda s: in_zone(s, zone_id=None, zone_name=None), Condition.ZONE),
    "two zones of the name": (
        lambda s: replace(s, plan=replace(s.plan, zone_is_unique=False)),
        Condition.ZONE,
    ),
    "routed": (
        lambda s: with_resource(s, desired=desired(replace(NEW, set_identifier="blue"))),
        Condition.SIMPLE,
    ),
    "rolling back": (
        lambda s: with_stacks(s, status="UPDATE_ROLLBACK_IN_PROGRESS"),
        Condition.FORWARD,
    ),
    "stack complete": (
        lambda s: with_stacks(s, status="UPDATE_COMPLETE"),
        Condition.FORWARD,
    ),
    "no status": (
        lambda s: with_stacks(s, status=""),
        Condition.FORWARD,
    ),
    "old events": (
        lambda s: with_stacks(s, poll_told=s.now - 3.1 - 2 * s.lag),
        Condition.EVENTS,
    ),
    "no status since the deploy exited": (
        lambda s: exited(s, described="UPDATE_IN_PROGRESS", began=s.now - 1.5),
        Condition.STATUS,
    ),
    "no fresh status since the deploy exited": (
        lambda s: exited(s, described="UPDATE_IN_PROGRESS", at=s.now - 60, began=s.now - 3.5),
        Condition.STATUS,
    ),
    "events behind the status": (
        lambda s: exited(s, described="UPDATE_ROLLBACK_IN_PROGRESS", began=s.now - 0.1),
        Condition.FORWARD,
    ),
    "a group with a record that nothing tells": (lambda s: in_group(s, None), Condition.TOGETHER),
    "a group with a name that is not the plan's": (
        lambda s: in_group(s, desired(replace(NEW, name="api.example.com."))),
        Condition.TOGETHER,
    ),
    "a group with a record of another zone": (
        lambda s: in_group(s, desired(replace(NEW, type="AAAA"), zone_id="ZOTHER")),
        Condition.TOGETHER,
    ),
    "a group of which another record is not free": (
        lambda s: reading(
            in_group(s, desired(replace(NEW, type="AAAA"))),
            records=(OLD, replace(OLD, type="AAAA")),
        ),
        Condition.TOGETHER,
    ),
    "another root": (
        lambda s: replace(s, root=replace(s.root, stack_id="arn:other")),
        Condition.IN_TREE,
    ),
}


@in_both_trees
def test_the_gate_is_open_where_every_condition_holds(*, nested: bool) -> None:
    gate = the_gate(due_state(nested=nested))
    assert gate.unmet == ()
    assert gate.is_open
    assert [record.key.name for record in gate.deletes] == [NAME]


def test_a_group_whose_other_record_is_free_is_released() -> None:
    six = desired(replace(NEW, type="AAAA"))
    assert the_gate(in_group(due_state(), six)).is_open
    elsewhere = desired(replace(NEW, name="api.example.com."))
    state = in_group(due_state(), elsewhere)
    seen = replace(state, plan=replace(state.plan, vacant=(elsewhere.record.key,)))
    assert the_gate(seen).is_open


def member(record: RecordSet, identifier: str, policy: str = "Weight") -> RecordSet:
    return replace(record, set_identifier=identifier, routing=((policy, "1"),))


def test_a_member_is_released_beside_others_of_its_policy_only() -> None:
    blue, green = member(OLD, "blue"), member(OLD, "green")
    state = due_state(blue, desired=member(NEW, "blue"))
    state = reading(state, records=(blue, green))
    gate = the_gate(state)
    assert gate.is_open
    assert gate.deletes == (blue,), "the other one stays"
    latency = with_resource(state, desired=desired(member(NEW, "blue", "Region")))
    assert the_gate(latency).unmet == (Condition.SIMPLE,)
    simple = with_resource(state, desired=desired(NEW))
    assert Condition.SIMPLE in the_gate(simple).unmet


@in_both_trees
@pytest.mark.parametrize("what", BROKEN)
def test_each_condition_alone_keeps_the_release_back(what: str, *, nested: bool) -> None:
    change, lack = BROKEN[what]
    gate = the_gate(change(due_state(nested=nested)))
    assert lack in gate.unmet
    assert not gate.is_open


@in_both_trees
@pytest.mark.parametrize("what", [what for what in BROKEN if what not in ("held", "unconfirmed")])
def test_a_key_that_cuts_the_hold_skips_no_other_condition(what: str, *, nested: bool) -> None:
    """Neither one that was pressed before the condition broke, nor one after."""
    change, lack = BROKEN[what]
    state = due_state(nested=nested)
    since = the_gate(state).resource.since
    early = with_name(state, hold_cut_at=since, confirmed_at=since)
    assert the_gate(early).is_open
    broken = change(early)
    pressed = asked(change(state), ev.HoldCut(time=state.now, name=NAME))
    for gate in (the_gate(broken), the_gate(pressed)):
        assert lack in gate.unmet
        assert not gate.is_open


@in_both_trees
@pytest.mark.parametrize("what", [what for what in BROKEN if what != "unconfirmed"])
def test_a_confirmation_stands_for_no_other_condition(what: str, *, nested: bool) -> None:
    change, lack = BROKEN[what]
    state = confirming(due_state(nested=nested))
    state = with_name(state, confirmed_at=the_gate(state).resource.since)
    assert the_gate(state).is_open
    gate = the_gate(change(state))
    assert lack in gate.unmet
    assert not gate.is_open


def test_the_age_of_an_answer_counts_from_its_arrival() -> None:
    state = due_state()
    late, name, stack_id = state.now + 30, state.names[NAME], state.root.stack_id
    assert name.read is not None
    came, began = state.now, state.now - 0.05
    waiting = replace(state, now=late, wake_at=None)
    for answer in (
        ev.NameRead(name=NAME, records=name.read.records, time=came, began=began),
        ev.StackPolled(stack=stack_id, time=came, began=began),
        ev.ResourcesRead(stack=stack_id, time=came, began=began),
    ):
        waiting = observe(waiting, answer)
    assert the_gate(waiting).unmet == (Condition.EVENTS, Condition.READ)
    assert waiting.stacks[stack_id].told == came


@in_both_trees
def test_after_a_resume_no_earlier_poll_of_the_stacks_is_fresh(
    *,
    nested: bool,
) -> None:
    """Its clock goes on from the journal's last time: a clock set back hides how long it was dead.

    The stack had failed a quarter of an hour ago when the record was deleted.
    """
    state = due_state(nested=nested)
    name = state.names[NAME]
    assert name.read is not None
    state = observe(state, ev.RunResumed(time=state.now))
    read = ev.NameRead(
        time=state.now + 0.05, began=state.now + 0.01, name=NAME, records=name.read.records
    )
    assert Condition.EVENTS in the_gate(observe(state, read)).unmet


def test_a_resume_starts_the_hold_again() -> None:
    """The wall clock may have jumped while no process lived."""
    state = due_state()
    resumed = replace(state, resumed_at=state.now - 1.9)
    assert the_gate(resumed).unmet == (Condition.HOLD,)
    assert the_gate(replace(state, resumed_at=state.now - 2.0)).is_open


def test_a_call_that_took_longer_than_any_client_waits_means_that_the_process_slept() -> None:
    state = replace(due_state(), wake_at=None)
    name = state.names[NAME]
    assert name.read is not None
    woken = ev.NameRead(
        time=state.now + 1800, began=state.now, name=NAME, records=name.read.records
    )
    state = observe(state, woken)
    assert (state.lag, state.awake_since) == (due_state().lag, woken.time)
    assert Condition.EVENTS in the_gate(state).unmet


def test_a_key_cuts_the_hold() -> None:
    state = due_state()
    held = replace(state, now=state.now - 1.9)
    assert the_gate(held).unmet == (Condition.HOLD,)
    cut = asked(held, ev.HoldCut(time=held.now, name=NAME))
    assert the_gate(cut).is_open


def test_an_operation_that_begins_late_starts_the_hold_again() -> None:
    """The events that ended the create in the operation before may not be visible yet."""
    state = due_state()
    assert the_gate(state).is_open
    create = stack_event("DnsRecord", "CREATE_IN_PROGRESS", timestamp=NOW, desired=desired())
    begin = stack_event("shop", "UPDATE_IN_PROGRESS", timestamp=NOW - 4, physical_id=ROOT)
    state = observe(state, polled(state, create, begin))
    assert Condition.HOLD in the_gate(state).unmet


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "CREATE_FAILED", "DELETE_IN_PROGRESS", ""])
def test_there_is_no_gate_unless_the_newest_event_is_create_in_progress(status: str) -> None:
    state = with_resource(due_state(), status=status)
    assert not list(release_gates(state, state.names[NAME]))


@pytest.mark.parametrize("end", ["CREATE_FAILED", "CREATE_COMPLETE"])
def test_of_a_start_and_an_end_with_the_same_timestamp_the_end_counts(end: str) -> None:
    """A create that failed at once was taken for one under way, and the record deleted."""
    state = due_state(stacks={ROOT: stack()})
    started, ended = (
        stack_event("DnsRecord", status, physical_id="", desired=desired())
        for status in ("CREATE_IN_PROGRESS", end)
    )
    assert list(release_gates(observe(state, polled(state, started)), state.names[NAME]))
    state = observe(state, polled(state, ended, started))
    assert state.stacks[ROOT].records["DnsRecord"].status == end
    assert not list(release_gates(state, state.names[NAME]))


@pytest.mark.parametrize("stage", [s for s in RecordStatus if s is not RecordStatus.STANDING])
def test_there_is_no_gate_for_a_record_that_is_not_as_the_run_left_it(
    stage: RecordStatus,
) -> None:
    state = with_handover(due_state(), stage=stage)
    assert not list(release_gates(state, state.names[NAME]))


def test_a_stack_that_is_its_own_parent_is_not_in_the_tree() -> None:
    state = with_stacks(due_state(nested=True), only=CHILD, parent=CHILD)
    assert the_gate(state).unmet == (Condition.IN_TREE,)


def test_a_record_of_a_child_stack_is_not_released_while_its_parent_rolls_back() -> None:
    state = due_state(nested=True)
    rolling_back = with_stacks(state, only=ROOT, status="UPDATE_ROLLBACK_IN_PROGRESS")
    assert not the_gate(rolling_back).is_open


def identical(state: State, *, for_seconds: float, listed: float, initiated: bool) -> State:
    """The stack wants what stands there; its list of resources was read so many seconds ago."""
    at = state.now - listed
    return with_resource(
        with_stacks(state, listed=at, told=at),
        since=state.now - for_seconds,
        initiated_at=state.now if initiated else None,
        desired=desired(OLD),
    )


def test_an_identical_record_is_released_only_if_a_fresh_stack_list_shows_no_id() -> None:
    """Safety rule 2: a compare-and-delete could hit CloudFormation's own record."""
    state = due_state()
    assert the_gate(identical(state, for_seconds=30, listed=0.5, initiated=False)).is_open
    for unsure in (
        identical(state, for_seconds=30, listed=0.5, initiated=True),
        identical(state, for_seconds=3000, listed=0.5, initiated=True),
        identical(state, for_seconds=30, listed=5, initiated=False),
        identical(state, for_seconds=10.2, listed=0.5, initiated=False),  # it is from the hold
    ):
        assert the_gate(unsure).unmet == (Condition.DISOWNED,)


def test_a_record_of_unknown_values_is_not_being_adopted_after_ninety_seconds() -> None:
    """CloudFormation may report an id of what it only retries."""
    state = identical(due_state(), for_seconds=300, listed=0.5, initiated=True)

    def initiated(seconds: float) -> State:
        unknown = desired(OLD, complete=False)
        return with_resource(state, desired=unknown, initiated_at=state.now - seconds)

    assert not the_gate(initiated(89)).is_open
    assert the_gate(initiated(91)).is_open


def test_the_hold_option_does_not_shorten_the_time_for_an_adoption() -> None:
    state = with_options(due_state(), hold=0.0)
    early = identical(state, for_seconds=9, listed=0.5, initiated=False)
    assert Condition.HOLD in the_gate(early).unmet


@pytest.mark.parametrize("stop", [{"interrupts": (Stop("SIGINT"),)}, {"paused": True}])
def test_an_interrupt_after_the_first_release_does_not_keep_the_others_back(
    stop: dict[str, Any],
) -> None:
    """The stack can only succeed as a whole: without the others it takes the first one back.

    Nor does a pause.
    """
    state = due_state()
    other = replace(
        state.names[NAME],
        name="api.example.com.",
        handovers=tuple(
            replace(h, stage=RecordStatus.CREATED, released_at=state.now - 5)
            for h in state.names[NAME].handovers
        ),
    )
    state = replace(state, names={**state.names, "api.example.com.": other}, **stop)
    assert the_gate(state).is_open


def test_the_step_that_releases_deletes_exactly_what_was_read() -> None:
    """Safety rule 2."""
    assert write_of(releasing()).changes == (Change.delete(OLD),)


def test_the_reason_names_the_status_that_counts_where_events_lag() -> None:
    """DescribeStacks said that it is over; the event of its end never came."""
    state = exited(due_state(), described="UPDATE_ROLLBACK_COMPLETE", began=NOW + 100)
    state = replace(state, now=NOW + 100, news_at=NOW)
    assert "ended UPDATE_ROLLBACK_COMPLETE" in why(state)
