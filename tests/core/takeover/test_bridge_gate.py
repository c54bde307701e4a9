"""The bridge gate: each of its conditions is enough to keep the record where it is."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.builders import NAME, resource, with_name, with_options, with_stacks

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.endings import Stop
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.bridge_gate import bridge_gate
from route53_takeover.core.takeover.commands import WriteBatch
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.invariants import violations
from route53_takeover.core.takeover.name_state import HelperStatus, RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.release_gate import Condition
from route53_takeover.core.takeover.step import step
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.takeover.state import State

WILDCARD = "\\052.example.com."
OTHER = RecordSet(name=NAME, type="TXT", ttl=60, values=('"x"',))


@cache
def due() -> tuple[State, WriteBatch]:
    """The state in which the release was asked for, and the batch."""
    state: State | None = None
    for event in rehearse_once(SCENARIOS["bridge"], "gate", Faults()).events:
        state, commands = step(state, event)
        for command in commands:
            if isinstance(command, WriteBatch) and command.purpose is Purpose.RELEASE:
                return with_name(state, write=None), command
    raise AssertionError("it was never released")


def with_helper(state: State, **changes: Any) -> State:
    return replace(state, helpers={WILDCARD: replace(state.helpers[WILDCARD], **changes)})


def reading(state: State, **changes: Any) -> State:
    read = state.names[NAME].read
    assert read is not None
    return with_name(state, read=replace(read, **changes))


def described(state: State, status: str, **changes: Any) -> State:
    return replace(state, described=replace(state.root, status=status), **changes)


def owning(state: State) -> State:
    stack = next(iter(state.stacks.values()))
    owned = replace(resource(), stack_id=stack.stack_id, status="CREATE_COMPLETE")
    return with_stacks(state, records={owned.logical_id: owned})


BROKEN: dict[str, tuple[Callable[[State], State], Condition]] = {
    "no backup": (lambda s: replace(s, backed_up=False), Condition.BACKUP),
    "no journal": (lambda s: replace(s, journal_lost="disk full"), Condition.JOURNAL),
    "another phase": (lambda s: replace(s, phase=Phase.DEPLOY_ON), Condition.PHASE),
    "interrupted": (lambda s: replace(s, interrupts=(Stop("SIGINT"),)), Condition.WANTED),
    "given up": (lambda s: replace(s, given_up="why not"), Condition.WANTED),
    "paused": (lambda s: replace(s, paused=True), Condition.NOT_PAUSED),
    "put back already": (lambda s: with_name(s, restoring=True), Condition.NOT_RESTORED),
    "unconfirmed": (lambda s: with_options(s, confirm_release=True), Condition.CONFIRMATION),
    "pausing": (lambda s: with_name(s, not_before=s.now + 1), Condition.PAUSE),
    "never read": (lambda s: with_name(s, read=None), Condition.READ),
    "read long ago": (lambda s: reading(s, told=s.now - 2.1 - 2 * s.lag), Condition.READ),
    "another record at the name": (
        lambda s: reading(s, records=(*s.names[NAME].read.records, OTHER)),  # type: ignore[union-attr]
        Condition.UNCHANGED,
    ),
    "protected": (lambda s: reading(s, protected=("A",)), Condition.UNPROTECTED),
    "no wildcard": (
        lambda s: with_helper(s, stage=HelperStatus.PLANNED),
        Condition.BRIDGED,
    ),
    "another wildcard": (lambda s: with_helper(s, stage=HelperStatus.CHANGED), Condition.BRIDGED),
    "not on every name server": (
        lambda s: with_helper(s, unsynced="C1", wrote_at=s.now),
        Condition.BRIDGED,
    ),
    "one name server does not answer with it": (
        lambda s: with_helper(
            s,
            answers=dict.fromkeys(s.helpers[WILDCARD].answers, "answer")
            | {"ns-1.awsdns.example.": "nxdomain"},
        ),
        Condition.BRIDGED,
    ),
    "the wildcard not read since": (
        lambda s: with_helper(
            s,
            read=replace(s.helpers[WILDCARD].read, told=s.now - 5.1 - 2 * s.lag),  # type: ignore[type-var]
        ),
        Condition.BRIDGED,
    ),
    "another type than the wildcard's": (
        lambda s: with_helper(
            s, records=tuple(replace(r, type="AAAA") for r in s.helpers[WILDCARD].records)
        ),
        Condition.BRIDGED,
    ),
    "no list": (lambda s: with_stacks(s, told=s.now - 5.1 - 2 * s.lag), Condition.DISOWNED),
    "owned": (owning, Condition.UNOWNED),
    "status not known": (lambda s: replace(s, described=None), Condition.STATUS),
    "another deploy": (lambda s: described(s, "UPDATE_IN_PROGRESS"), Condition.AT_REST),
    "another deploy failed": (lambda s: described(s, "UPDATE_ROLLBACK_FAILED"), Condition.AT_REST),
}


def test_the_gate_is_open_where_every_condition_holds() -> None:
    state, write = due()
    assert bridge_gate(state, state.names[NAME]).unmet == ()
    assert violations(state, write, frozenset()) == ()


@pytest.mark.parametrize("what", BROKEN)
def test_each_condition_alone_keeps_the_record(what: str) -> None:
    state, write = due()
    change, lack = BROKEN[what]
    broken = change(state)
    assert bridge_gate(broken, broken.names[NAME]).unmet == (lack,)
    assert "a release meets every release condition" in violations(broken, write, frozenset())


def test_a_batch_under_way_keeps_the_record() -> None:
    state, write = due()
    name = step(
        state,
        ev.WriteIntended(
            time=state.now, id="w", name=NAME, purpose=Purpose.PROVE, changes=write.changes
        ),
    )[0].names[NAME]
    assert Condition.ANSWERED in bridge_gate(state, name).unmet


def test_what_answers_is_not_removed_while_a_name_has_no_record() -> None:
    state, write = due()
    remove = WriteBatch(
        id="w",
        name=WILDCARD,
        purpose=Purpose.REMOVE,
        changes=tuple(
            replace(write.changes[0], record=record) for record in state.helpers[WILDCARD].records
        ),
    )
    assert violations(state, remove, frozenset()) == ()
    (handover,) = state.names[NAME].handovers
    gone = with_name(
        state, handovers=(replace(handover, stage=RecordStatus.RELEASED, released_at=state.now),)
    )
    assert "what helped is removed only where it is not needed any more" in violations(
        gone, remove, frozenset()
    )
