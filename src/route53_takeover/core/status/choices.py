"""The operator's choices now: what each of them does, and the event that requests it.

Offer and effect come from the same predicates (`core.takeover.fold_requests`): each choice that is
shown works. The texts are not escaped.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.absence import lack
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold_requests import (
    is_weighing,
    may_abort,
    may_extend,
    may_pause,
    to_confirm,
    to_cut,
    to_restore,
)
from route53_takeover.core.takeover.name_state import ABSENT_STAGES, TAKEN_STAGES, RecordStatus
from route53_takeover.core.takeover.queries import deadman
from route53_takeover.core.timing import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.bridge_gate import BridgeGate
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.release_gate import ReleaseGate
    from route53_takeover.core.takeover.state import State


class Act(StrEnum):
    """What the operator may request."""

    PAUSE = "pause"
    GO_ON = "go-on"
    RELEASE_NOW = "release-now"
    CONFIRM_RELEASE = "confirm-release"
    EXTEND_DEADMAN = "extend-deadman"
    RESTORE = "restore"
    ABORT = "abort"


class Confirmation(StrEnum):
    """What the operator does to confirm a request."""

    NONE = "none"  # it is done at once: another key undoes it
    ENTER = "enter"  # a question that Enter answers with yes: never slower than an emergency allows
    NAME = "name"  # the name is typed: it takes a record away


CONFIRMATIONS: Mapping[Act, Confirmation] = {
    Act.PAUSE: Confirmation.NONE,
    Act.GO_ON: Confirmation.NONE,
    Act.RESTORE: Confirmation.ENTER,
    Act.EXTEND_DEADMAN: Confirmation.ENTER,
    Act.ABORT: Confirmation.ENTER,
    Act.RELEASE_NOW: Confirmation.NAME,
    Act.CONFIRM_RELEASE: Confirmation.NAME,
}
"""The rule: what rescues needs Enter, what takes a record away needs its name."""


class Choice(Struct, frozen=True, kw_only=True):
    """A request that is possible now, and what it does.

    Attributes:
        name: which name it is about, in normal form; empty for the whole run.
        effect: what it does.
        unchanged: what it does not touch.
        undo: how it is undone, or what follows it.
        title: of the question, where it is not the usual one of the act.
        risk: what users get until it is over; empty where they get what they got before.
    """

    act: Act
    name: str = ""
    effect: str
    unchanged: str
    undo: str
    title: str = ""
    risk: str = ""

    @property
    def confirmation(self) -> Confirmation:
        return CONFIRMATIONS[self.act]


def choices(state: State) -> tuple[Choice, ...]:
    """The requests that are possible now."""
    return tuple(_choices(state))


def event_of(act: Act, name: str, *, time: float) -> ev.OperatorEvent:
    """What to submit for this act; ``name`` is that of the choice."""
    match act:
        case Act.PAUSE:
            return ev.RunPaused(time=time)
        case Act.GO_ON:
            return ev.RunUnpaused(time=time)
        case Act.RELEASE_NOW:
            return ev.HoldCut(time=time, name=name)
        case Act.CONFIRM_RELEASE:
            return ev.ReleaseConfirmed(time=time, name=name)
        case Act.EXTEND_DEADMAN:
            return ev.DeadmanExtended(time=time, name=name, seconds=EXTENSION)
        case Act.RESTORE:
            return ev.RestoreAsked(time=time)
        case Act.ABORT:
            return ev.AbortAsked(time=time)


def _choices(state: State) -> Iterator[Choice]:
    if may_pause(state):
        yield Choice(
            act=Act.PAUSE,
            effect="No further step starts, and no record is deleted.",
            unchanged=_untouched(state, "Reads and a running deploy continue"),
            undo="Continue the run. If the stack finishes while it is paused, the run ends.",
        )
    if state.is_paused:
        yield Choice(
            act=Act.GO_ON,
            effect=f"The run continues with {state.phase}; it may delete the record.",
            unchanged="Every release condition still has to hold.",
            undo="Pause it again, as long as no record is deleted.",
        )
    for name in state.names.values():
        yield from _of_name(state, name)
    if names := to_restore(state):
        weighing = all(is_weighing(state, name) for name in names)
        yield _weigh_back(names) if weighing else _restore(state, names)
    if may_abort(state):
        yield Choice(
            act=Act.ABORT,
            effect=_undone(state),
            unchanged=_untouched(state, "No record is deleted"),
            undo="None in this run: start another. A running deploy continues.",
        )


def _of_name(state: State, name: NameState) -> Iterator[Choice]:
    if found := to_cut(state, name.name, state.now):
        sooner = max(m.held_at - max(m.least, state.now) for m in found)
        yield Choice(
            act=Act.RELEASE_NOW,
            name=name.name,
            effect=f"Deletes {_all(_deleted(found))}, up to {sooner:.0f} s earlier.",
            unchanged="Every other release condition still has to hold.",
            undo=_created_again(state, name, _deleted(found)),
            risk=_risk(state, name),
        )
    if waiting := to_confirm(state, name.name, state.now):
        yield Choice(
            act=Act.CONFIRM_RELEASE,
            name=name.name,
            effect=f"Deletes {_all(_deleted(waiting))} once every other condition holds.",
            unchanged="No other name is confirmed.",
            undo=f"{display_name(name.covered_by)} answers meanwhile."
            if name.covered_by
            else _created_again(state, name, _deleted(waiting)),
            risk=_risk(state, name),
        )
    if may_extend(state, name.name, EXTENSION):
        gone = [h.original for h in name.handovers if h.stage in ABSENT_STAGES]
        what, answers = lack(name)
        yield Choice(
            act=Act.EXTEND_DEADMAN,
            name=name.name,
            effect=f"CloudFormation gets {EXTENSION:.0f} s more to create its record, in which "
            f"{what} may {'be missing' if answers else 'have none'}.",
            unchanged="A rollback still restores the record at once.",
            undo=f"Restore creates {_all(gone)} at any time before that.",
        )


def _weigh_back(names: tuple[NameState, ...]) -> Choice:
    shown = " and ".join(display_name(name.name) for name in names)
    return Choice(
        act=Act.RESTORE,
        effect=f"The manual member of {shown} gets its first weight back, in one batch.",
        unchanged="The stack keeps its member, and answers as far as its weight goes.",
        undo="None in this run: deploy with the switch off, then `restore` the record.",
    )


def _restore(state: State, names: tuple[NameState, ...]) -> Choice:
    back = [
        handover.original
        for name in names
        for handover in name.handovers
        if handover.stage in ABSENT_STAGES or _is_being_released(name, handover.original)
    ]
    theirs = [h.original for h in state.handovers if h.stage in TAKEN_STAGES]
    kept = f"CloudFormation keeps {_all(theirs)}" if theirs else "All other records"
    return Choice(
        act=Act.RESTORE,
        effect=f"Creates {_all(back)} again, and deletes no other record.",
        unchanged=f"{kept}. If CloudFormation is faster, its record wins: nothing is overwritten.",
        undo="None in this run: the stack most likely rolls back.",
    )


def _is_being_released(name: NameState, original: RecordSet) -> bool:
    write = name.write
    return (
        write is not None
        and write.purpose is Purpose.RELEASE
        and any(change.record.key == original.key for change in write.changes)
    )


def _undone(state: State) -> str:
    lowered = [
        h.original
        for h in state.handovers
        if h.stage is RecordStatus.STANDING and h.standing.ttl != h.original.ttl
    ]
    if not lowered:
        return "The takeover is given up; no record has to be restored."
    return f"The takeover is given up, and {_all(lowered)} gets its old TTL back."


def _untouched(state: State, what: str) -> str:
    records = [h.standing for h in state.handovers if h.stage is RecordStatus.STANDING]
    return f"{what}; {_all(records)} stays in place." if records else f"{what}."


def _created_again(state: State, name: NameState, records: Iterable[RecordSet]) -> str:
    after = f"after {_restored_after(state, name):.0f} s"
    return f"The run creates {_all(records)} again {after} if CloudFormation creates no record."


def _risk(state: State, name: NameState) -> str:
    """What users get once the record is deleted."""
    if name.covered_by:
        return f"{display_name(name.covered_by)} answers meanwhile."
    after = f"{_restored_after(state, name):.0f} s"
    return (
        "users get no answer until CloudFormation creates its record (the old one is restored "
        f"after {after} at the latest)"
    )


def _restored_after(state: State, name: NameState) -> float:
    return deadman(state, name, state.now) - state.now


def _deleted(found: Iterable[ReleaseGate | BridgeGate]) -> list[RecordSet]:
    return [record for gate in found for record in gate.deletes]


def _all(records: Iterable[RecordSet]) -> str:
    return " and ".join(dict.fromkeys(record.describe() for record in records))
