"""What is looked at, how often, and which looks leave an event."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.commands import Request, Subject
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.polling import (
    Connection,
    NameRecords,
    NameServers,
    StackEvents,
    polls,
)
from route53_takeover.core.takeover.step import step
from route53_takeover.core.timing import (
    CLOSE_READ,
    GAP_READ,
    GOING_READ,
    HOT,
    HOT_FOR,
    PROBE_IN_GAP,
    PROBES_A_SECOND,
)
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from route53_takeover.core.machine import Poll
    from route53_takeover.core.takeover.polling import (
        Target,
    )
    from route53_takeover.core.takeover.state import State

NAME = "www.example.com."


@cache
def history() -> tuple[ev.AnyEvent, ...]:
    return tuple(rehearse_once(SCENARIOS["nested"], "polling", Faults()).events)


@cache
def before_the_release() -> State:
    """A step before the release is decided."""
    at = next(
        n
        for n, event in enumerate(history())
        if isinstance(event, ev.WriteIntended) and event.purpose is Purpose.RELEASE
    )
    state = fold(history()[:at])
    assert state is not None
    name = replace(state.names[NAME], write=None)
    return replace(state, phase=Phase.WATCH, names={NAME: name})


def in_the_gap() -> State:
    state: State | None = None
    for event in history():
        state, _ = step(state, event)
        if state.phase is Phase.CONFIRM:
            return state
    raise AssertionError("no gap")


def of(state: State, kind: type[Target]) -> list[Poll[Target]]:
    return [poll for poll in polls(state) if isinstance(poll.target, kind)]


def hours_later(state: State, *, confirm: bool) -> State:
    """It has waited for longer than looks are frequent; what is known is as fresh as before."""
    options = replace(state.plan.options, confirm_release=confirm)
    stacks = {
        key: replace(
            stack,
            records={
                k: replace(r, since=r.since - HOT_FOR - 1.0) for k, r in stack.records.items()
            },
        )
        for key, stack in state.stacks.items()
    }
    return replace(state, stacks=stacks, plan=replace(state.plan, options=options))


def test_around_a_release_everything_is_polled_often_and_every_look_is_reported() -> None:
    state = before_the_release()
    stacks = of(state, StackEvents)
    assert len(stacks) == 2
    assert {(p.every, p.tell_all, p.urgent) for p in stacks} == {(HOT, True, True)}
    assert [p.every for p in of(state, NameRecords)] == [CLOSE_READ]
    assert len(of(state, Connection)) == 1


def test_what_waits_for_a_confirmation_is_looked_at_often_for_some_minutes_only() -> None:
    state = before_the_release()
    confirming = replace(state.plan, options=replace(state.plan.options, confirm_release=True))
    assert {p.every for p in of(replace(state, plan=confirming), StackEvents)} == {HOT}
    late = hours_later(state, confirm=True)
    assert not [p for p in of(late, StackEvents) if p.every == HOT or p.tell_all]
    assert [p.every for p in of(late, NameRecords)] == [GOING_READ]
    confirmed = replace(late.names[NAME], confirmed_at=late.now)
    again = replace(late, names={NAME: confirmed})
    assert {(p.every, p.tell_all) for p in of(again, StackEvents)} == {(HOT, True)}
    assert [p.every for p in of(again, NameRecords)] == [CLOSE_READ]


def test_what_waits_for_nothing_but_looks_is_looked_at_often_however_long_it_takes() -> None:
    late = hours_later(before_the_release(), confirm=False)
    stale = {key: replace(stack, poll_told=0.0) for key, stack in late.stacks.items()}
    for state in (late, replace(late, stacks=stale)):
        assert {(p.every, p.tell_all) for p in of(state, StackEvents)} == {(HOT, True)}
        assert [p.every for p in of(state, NameRecords)] == [CLOSE_READ]


def test_in_the_gap_the_name_and_the_name_servers_are_asked_most_often() -> None:
    state = in_the_gap()
    assert [p.every for p in of(state, NameRecords)] == [GAP_READ]
    assert [p.every for p in of(state, NameServers)] == [PROBE_IN_GAP]
    assert {p.every for p in of(state, StackEvents)} == {HOT}


def test_a_name_that_a_decision_has_read_already_is_not_read_twice() -> None:
    state = in_the_gap()
    asked = replace(state, in_flight=state.in_flight | {Request(Subject.NAME, NAME)})
    assert not of(asked, NameRecords)


def test_a_name_whose_read_failed_is_read_again_when_its_pause_is_over() -> None:
    state = in_the_gap()
    state, _ = step(state, ev.NameUnread(time=state.now + 1.0, name=NAME, reason="throttled"))
    (poll,) = of(state, NameRecords)
    assert poll.not_before > state.now


def test_many_names_are_asked_for_at_the_name_servers_at_a_bounded_rate() -> None:
    state = in_the_gap()
    name = state.names[NAME]
    names = {}
    for number in range(120):
        key = f"n{number}.example.com."
        original = replace(name.handovers[0].original, name=key)
        names[key] = replace(
            name, name=key, handovers=(replace(name.handovers[0], original=original),)
        )
    probes = of(replace(state, names=names), NameServers)
    assert sum(1.0 / p.every for p in probes) <= PROBES_A_SECOND + 0.1


def test_nothing_is_looked_at_before_anything_depends_on_it_nor_after_the_end() -> None:
    state: State | None = None
    for event in history():
        state, _ = step(state, event)
        if state.phase in (Phase.BACKUP, Phase.LOWER_TTL, Phase.DRAIN, Phase.ENDED):
            assert polls(state) == ()
    assert state is not None
    assert state.phase is Phase.ENDED
