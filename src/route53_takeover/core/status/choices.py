"""What the operator may ask for now, what each of it would do, and the event that asks for it.

What is offered and what works come from the same predicates (`core.takeover.fold_requests`): each
choice that is shown would work.

The texts name records as Route 53 shows them: whoever prints them makes them printable.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold_requests import (
    may_abort,
    may_extend,
    may_pause,
    to_confirm,
    to_cut,
    to_restore,
)
from route53_takeover.core.takeover.state import (
    ABSENT_STAGES,
    TAKEN_STAGES,
    RecordStatus,
)
from route53_takeover.core.timing import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.release_gate import ReleaseGate
    from route53_takeover.core.takeover.state import (
        NameState,
        State,
    )


class Act(StrEnum):
    """What a person may ask for."""

    PAUSE = "pause"
    GO_ON = "go-on"
    RELEASE_NOW = "release-now"
    CONFIRM_RELEASE = "confirm-release"
    EXTEND_DEADMAN = "extend-deadman"
    RESTORE = "restore"
    ABORT = "abort"


class Choice(Struct, frozen=True, kw_only=True):
    """Something that a person may ask for now, and what to tell them before they do.

    Attributes:
        name: which name it is about, in normal form; empty for the whole run.
        severe: to be asked for twice: it deletes, creates or gives up something.
        happens: what it does.
        stays: what it does not touch.
        way_back: how it is undone, or what comes after it.
    """

    act: Act
    name: str = ""
    severe: bool
    happens: str
    stays: str
    way_back: str


def choices(state: State) -> tuple[Choice, ...]:
    """What may be asked for now; each of them would work."""
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
            severe=False,
            happens="No further step is begun, and nothing is released.",
            stays=_untouched(state, "The run goes on looking, and what runs already runs on"),
            way_back="Going on takes the next step; a stack that ends meanwhile ends the run.",
        )
    if state.is_paused:
        yield Choice(
            act=Act.GO_ON,
            severe=False,
            happens=f"The run goes on with {state.phase}, and releases at the moment.",
            stays="Every condition of the moment has to hold as before.",
            way_back="It can be paused again for as long as nothing was released.",
        )
    for name in state.names.values():
        yield from _of_name(state, name)
    if names := to_restore(state):
        yield _restore(state, names)
    if may_abort(state):
        yield Choice(
            act=Act.ABORT,
            severe=True,
            happens=_undone(state),
            stays=_untouched(state, "Nothing is deleted"),
            way_back="There is none in this run: begin another. A deploy that is running runs on.",
        )


def _of_name(state: State, name: NameState) -> Iterator[Choice]:
    if found := to_cut(state, name.name, state.now):
        sooner = max(m.held_at - max(m.least, state.now) for m in found)
        yield Choice(
            act=Act.RELEASE_NOW,
            name=name.name,
            severe=True,
            happens=f"Deletes {_all(_deleted(found))}, up to {sooner:.0f} s sooner.",
            stays="Every other condition of the moment still has to hold.",
            way_back=_deadman_creates(_deleted(found)),
        )
    if found := to_confirm(state, name.name, state.now):
        yield Choice(
            act=Act.CONFIRM_RELEASE,
            name=name.name,
            severe=False,
            happens=f"Deletes {_all(_deleted(found))} once all else of the moment holds.",
            stays="Nothing else is changed; no other name is confirmed.",
            way_back=_deadman_creates(_deleted(found)),
        )
    if may_extend(state, name.name, EXTENSION):
        gone = [h.original for h in name.handovers if h.stage in ABSENT_STAGES]
        yield Choice(
            act=Act.EXTEND_DEADMAN,
            name=name.name,
            severe=True,
            happens=f"CloudFormation gets {EXTENSION:.0f} s more to create its record, in which "
            f"{display_name(name.name)} may have none.",
            stays="A rollback still puts the record back at once.",
            way_back=f"Restoring creates {_all(gone)} at any time before.",
        )


def _restore(state: State, names: tuple[NameState, ...]) -> Choice:
    back = [
        handover.original
        for name in names
        for handover in name.handovers
        if handover.stage in ABSENT_STAGES or _is_being_released(name, handover.original)
    ]
    theirs = [h.original for h in state.handovers if h.stage in TAKEN_STAGES]
    kept = f"What CloudFormation created stays ({_all(theirs)})" if theirs else "All else stays"
    return Choice(
        act=Act.RESTORE,
        severe=True,
        happens=f"Creates {_all(back)} again, and releases no other name.",
        stays=f"{kept}; if its create comes first, ours fails and its record stands.",
        way_back="There is none in this run: the stack will most likely roll back.",
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
        return "The takeover is given up; no record has to be put back."
    return f"The takeover is given up, and {_all(lowered)} gets its old TTL back."


def _untouched(state: State, what: str) -> str:
    records = [h.standing for h in state.handovers if h.stage is RecordStatus.STANDING]
    return f"{what}: {_all(records)} stands." if records else f"{what}."


def _deadman_creates(records: Iterable[RecordSet]) -> str:
    return f"The deadman creates {_all(records)} again if CloudFormation creates no record in time."


def _deleted(found: Iterable[ReleaseGate]) -> list[RecordSet]:
    return [record for gate in found for record in gate.deletes]


def _all(records: Iterable[RecordSet]) -> str:
    return " and ".join(dict.fromkeys(record.describe() for record in records))
