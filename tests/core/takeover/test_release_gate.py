"""The moment: each of its conditions is enough to keep a release back."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold import observe
from route53_takeover.core.takeover.fold_requests import asked
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.release_gate import Condition, release_gates
from route53_takeover.core.takeover.state import Phase, RecordStatus, Stop
from route53_takeover.core.takeover.step import step
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.takeover.release_gate import ReleaseGate
    from route53_takeover.core.takeover.stack_state import RecordResource, StackState
    from route53_takeover.core.takeover.state import NameState, State

NAME = "www.example.com."


@cache
def due_state(scenario: str) -> State:
    """The state in which the release was decided, as it was a step before."""
    events = rehearse_once(SCENARIOS[scenario], "moment", Faults()).events
    at = next(
        i
        for i, e in enumerate(events)
        if isinstance(e, ev.WriteIntended) and e.purpose is Purpose.RELEASE
    )
    state = fold(events[:at])
    assert state is not None
    return replace(
        state,
        phase=Phase.WATCH,
        names={NAME: replace(state.names[NAME], write=None)},
    )


def the_gate(state: State) -> ReleaseGate:
    (found,) = release_gates(state, state.names[NAME])
    return found


def with_name(state: State, **changes: Any) -> State:
    return replace(state, names={NAME: replace(state.names[NAME], **changes)})


def with_stacks(state: State, change: Callable[[StackState], StackState]) -> State:
    return replace(state, stacks={key: change(s) for key, s in state.stacks.items()})


def with_resource(state: State, change: Callable[[RecordResource], RecordResource]) -> State:
    return with_stacks(
        state, lambda s: replace(s, records={k: change(r) for k, r in s.records.items()})
    )


def in_zone(state: State, **changes: Any) -> State:
    def change(resource: RecordResource) -> RecordResource:
        assert resource.desired is not None
        return replace(resource, desired=replace(resource.desired, **changes))

    return with_resource(state, change)


def creating_since(state: State) -> float:
    return the_gate(state).resource.since


def reading(state: State, **changes: Any) -> State:
    read = state.names[NAME].read
    assert read is not None
    return with_name(state, read=replace(read, **changes))


def routed(state: State) -> State:
    def change(resource: RecordResource) -> RecordResource:
        assert resource.desired is not None
        record = replace(resource.desired.record, set_identifier="blue")
        return replace(resource, desired=replace(resource.desired, record=record))

    changed = with_resource(state, change)
    name: NameState = changed.names[NAME]
    return replace(changed, names={NAME: name})


def confirming(state: State) -> State:
    options = replace(state.plan.options, confirm_release=True)
    return replace(state, plan=replace(state.plan, options=options))


OTHER = RecordSet(name=NAME, type="A", ttl=60, values=("192.0.2.1",))

BROKEN: dict[str, tuple[Callable[[State], State], Condition | None]] = {
    "no backup": (lambda s: replace(s, backed_up=False), Condition.BACKUP),
    "no journal": (lambda s: replace(s, journal_lost="disk full"), Condition.JOURNAL),
    "wrong phase": (lambda s: replace(s, phase=Phase.PROVE), Condition.PHASE),
    "restoring phase": (lambda s: replace(s, phase=Phase.RESTORE), Condition.PHASE),
    "interrupted": (lambda s: replace(s, interrupts=(Stop("SIGINT"),)), Condition.WANTED),
    "given up": (lambda s: replace(s, given_up="why not"), Condition.WANTED),
    "name given up": (lambda s: with_name(s, given_up="refused twice"), Condition.WANTED),
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
    "holds nothing": (lambda s: reading(s, records=()), Condition.UNCHANGED),
    "another zone": (lambda s: in_zone(s, zone_id="ZOTHER"), Condition.ZONE),
    "no zone": (lambda s: in_zone(s, zone_id=None, zone_name=None), Condition.ZONE),
    "two zones of the name": (
        lambda s: replace(s, plan=replace(s.plan, zone_is_unique=False)),
        Condition.ZONE,
    ),
    "routed": (routed, Condition.SIMPLE),
    "rolling back": (
        lambda s: with_stacks(s, lambda t: replace(t, status="UPDATE_ROLLBACK_IN_PROGRESS")),
        Condition.FORWARD,
    ),
    "stack complete": (
        lambda s: with_stacks(s, lambda t: replace(t, status="UPDATE_COMPLETE")),
        Condition.FORWARD,
    ),
    "no status": (
        lambda s: with_stacks(s, lambda t: replace(t, status="")),
        Condition.FORWARD,
    ),
    "old events": (
        lambda s: with_stacks(s, lambda t: replace(t, poll_told=s.now - 3.1 - 2 * s.lag)),
        Condition.EVENTS,
    ),
    "another root": (
        lambda s: replace(s, root=replace(s.root, stack_id="arn:other")),
        Condition.IN_TREE,
    ),
    "a circle of stacks": (
        lambda s: with_stacks(s, lambda t: replace(t, parent=t.stack_id)),
        None,
    ),
}


@pytest.mark.parametrize("scenario", ["alias", "nested"])
def test_nothing_is_lacking_in_the_state_that_released(scenario: str) -> None:
    gate = the_gate(due_state(scenario))
    assert gate.unmet == ()
    assert gate.is_open
    assert [record.key.name for record in gate.deletes] == [NAME]


@pytest.mark.parametrize("scenario", ["alias", "nested"])
@pytest.mark.parametrize("what", BROKEN)
def test_each_condition_alone_keeps_the_release_back(scenario: str, what: str) -> None:
    change, lack = BROKEN[what]
    gate = the_gate(change(due_state(scenario)))
    if lack:
        assert lack in gate.unmet
        assert not gate.is_open


@pytest.mark.parametrize("scenario", ["alias", "nested"])
@pytest.mark.parametrize("what", [what for what in BROKEN if what not in ("held", "unconfirmed")])
def test_a_key_that_cuts_the_hold_skips_no_other_condition(scenario: str, what: str) -> None:
    """Neither one that was pressed before the condition broke, nor one after."""
    change, lack = BROKEN[what]
    state = due_state(scenario)
    since = the_gate(state).resource.since
    early = with_name(state, hold_cut_at=since, confirmed_at=since)
    assert the_gate(early).is_open
    broken = change(early)
    pressed = asked(change(state), ev.HoldCut(time=state.now, name=NAME))
    for gate in (the_gate(broken), the_gate(pressed)):
        if lack:
            assert lack in gate.unmet
            assert not gate.is_open


@pytest.mark.parametrize("scenario", ["alias", "nested"])
@pytest.mark.parametrize("what", [what for what in BROKEN if what != "unconfirmed"])
def test_a_persons_word_stands_for_no_other_condition(scenario: str, what: str) -> None:
    change, lack = BROKEN[what]
    state = confirming(due_state(scenario))
    state = with_name(state, confirmed_at=the_gate(state).resource.since)
    assert the_gate(state).is_open
    gate = the_gate(change(state))
    if lack:
        assert lack in gate.unmet
        assert not gate.is_open


def test_an_answer_that_waited_for_its_turn_is_as_old_as_its_arrival() -> None:
    state = due_state("alias")
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


@pytest.mark.parametrize("scenario", ["alias", "nested"])
def test_what_an_earlier_process_knew_of_the_stacks_is_not_fresh_after_a_resume(
    scenario: str,
) -> None:
    """Its clock goes on from the journal's last time: a clock set back hides how long it was dead.

    The stack had failed a quarter of an hour ago when the record was deleted.
    """
    state = due_state(scenario)
    name = state.names[NAME]
    assert name.read is not None
    state = observe(state, ev.RunResumed(time=state.now))
    read = ev.NameRead(
        time=state.now + 0.05, began=state.now + 0.01, name=NAME, records=name.read.records
    )
    assert Condition.EVENTS in the_gate(observe(state, read)).unmet


def test_the_hold_begins_again_with_a_resume() -> None:
    """The wall clock may have jumped while no process lived."""
    state = due_state("alias")
    resumed = replace(state, resumed_at=state.now - 1.9)
    assert the_gate(resumed).unmet == (Condition.HOLD,)
    assert the_gate(replace(state, resumed_at=state.now - 2.0)).is_open


def test_a_call_that_took_longer_than_any_client_waits_says_that_the_process_slept() -> None:
    state = replace(due_state("alias"), wake_at=None)
    name = state.names[NAME]
    assert name.read is not None
    woken = ev.NameRead(
        time=state.now + 1800, began=state.now, name=NAME, records=name.read.records
    )
    state = observe(state, woken)
    assert (state.lag, state.awake_since) == (due_state("alias").lag, woken.time)
    assert Condition.EVENTS in the_gate(state).unmet


def test_a_key_cuts_the_hold_and_nothing_else() -> None:
    state = due_state("alias")
    held = replace(state, now=state.now - 1.9)
    assert the_gate(held).unmet == (Condition.HOLD,)
    cut = asked(held, ev.HoldCut(time=held.now, name=NAME))
    assert the_gate(cut).is_open


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "CREATE_FAILED", "DELETE_IN_PROGRESS", ""])
def test_there_is_no_moment_unless_the_newest_event_is_create_in_progress(status: str) -> None:
    state = with_resource(due_state("alias"), lambda r: replace(r, status=status))
    assert not list(release_gates(state, state.names[NAME]))


@pytest.mark.parametrize("end", ["CREATE_FAILED", "CREATE_COMPLETE"])
def test_an_end_that_is_seen_before_its_beginning_of_the_same_time_is_the_newest_event(
    end: str,
) -> None:
    """A create that failed at once was taken for one under way, and the record deleted."""
    events = rehearse_once(SCENARIOS["alias"], "moment", Faults()).events
    at, begun = next(
        (at, row)
        for at, event in enumerate(events)
        if isinstance(event, ev.StackPolled)
        for row in event.events
        if (row.logical_id, row.status) == ("DnsRecord", "CREATE_IN_PROGRESS")
    )
    state = fold(events[:at])
    assert state is not None
    ended = replace(begun, event_id="ended", status=end)
    polled = ev.StackPolled(
        stack=state.root.stack_id, time=state.now, began=state.now, events=(ended, begun)
    )
    state = observe(state, polled)
    assert state.stacks[begun.stack_id].records["DnsRecord"].status == end
    assert not list(release_gates(state, state.names[NAME]))


@pytest.mark.parametrize("stage", [s for s in RecordStatus if s is not RecordStatus.STANDING])
def test_there_is_no_moment_for_a_record_that_does_not_stand_as_it_was_left(
    stage: RecordStatus,
) -> None:
    state = due_state("alias")
    (handover,) = state.names[NAME].handovers
    changed = with_name(state, handovers=(replace(handover, stage=stage),))
    assert not list(release_gates(changed, changed.names[NAME]))


def test_a_private_zones_record_never_releases_the_public_one() -> None:
    """Safety rule 10."""
    state = in_zone(due_state("alias"), zone_id="ZPRIVATE", zone_name=None)
    assert not the_gate(state).is_open


def test_a_child_whose_parent_turns_back_is_not_released() -> None:
    state = due_state("nested")
    root = state.root.stack_id
    stacks = {
        k: replace(s, status="UPDATE_ROLLBACK_IN_PROGRESS") if k == root else s
        for k, s in state.stacks.items()
    }
    assert not the_gate(replace(state, stacks=stacks)).is_open


def identical(state: State, *, for_seconds: float, listed: float, initiated: bool) -> State:
    """The stack wants what stands there; its list of resources was read so many seconds ago."""
    original = state.names[NAME].handovers[0].original

    def wanted(resource: RecordResource) -> RecordResource:
        assert resource.desired is not None
        return replace(
            resource,
            since=state.now - for_seconds,
            initiated_at=state.now if initiated else None,
            desired=replace(resource.desired, record=original),
        )

    at = state.now - listed
    stacks = {k: replace(s, listed=at, told=at) for k, s in state.stacks.items()}
    return with_resource(replace(state, stacks=stacks), wanted)


def test_an_identical_record_is_released_only_on_the_stacks_fresh_word_that_it_has_no_id() -> None:
    """Safety rule 2: a compare-and-delete could hit CloudFormation's own record."""
    state = due_state("alias")
    assert the_gate(identical(state, for_seconds=30, listed=0.5, initiated=False)).is_open
    for unsure in (
        identical(state, for_seconds=30, listed=0.5, initiated=True),
        identical(state, for_seconds=3000, listed=0.5, initiated=True),
        identical(state, for_seconds=30, listed=5, initiated=False),
        identical(state, for_seconds=10.2, listed=0.5, initiated=False),  # it is from the hold
    ):
        assert the_gate(unsure).unmet == (Condition.DISOWNED,)


def test_one_of_unknown_values_is_no_adoption_any_more_after_ninety_seconds() -> None:
    """Nobody knows whether CloudFormation tells an id of what it only retries."""
    state = identical(due_state("alias"), for_seconds=300, listed=0.5, initiated=True)

    def told(seconds: float) -> State:
        def unknown(resource: RecordResource) -> RecordResource:
            assert resource.desired is not None
            desired = replace(resource.desired, complete=False)
            return replace(resource, desired=desired, initiated_at=state.now - seconds)

        return with_resource(state, unknown)

    assert not the_gate(told(89)).is_open
    assert the_gate(told(91)).is_open


def test_no_hold_that_is_asked_for_cuts_the_time_short_in_which_a_record_may_be_adopted() -> None:
    state = due_state("alias")
    options = replace(state.plan.options, hold=0.0)
    state = replace(state, plan=replace(state.plan, options=options))
    asked = identical(state, for_seconds=9, listed=0.5, initiated=False)
    assert Condition.HOLD in the_gate(asked).unmet


@pytest.mark.parametrize("stop", [{"interrupts": (Stop("SIGINT"),)}, {"paused": True}])
def test_an_interrupt_after_the_first_release_does_not_keep_the_others_back(
    stop: dict[str, Any],
) -> None:
    """The stack can only succeed as a whole: without the others it takes the first one back.

    Nor does a pause.
    """
    state = due_state("alias")
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
    state = due_state("alias")
    _, commands = step(state, ev.TimePassed(time=state.now))
    (write,) = [c for c in commands if isinstance(c, cmd.WriteBatch)]
    read = state.names[NAME].read
    assert read is not None
    assert [(c.action, c.record) for c in write.changes] == [("DELETE", read.records[0])]
