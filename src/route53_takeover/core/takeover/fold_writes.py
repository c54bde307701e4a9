"""Folding the answers to batches into the state of a name: accepted, refused, held off, unknown.

A lost answer makes a write *unknown*, never *failed*: it stays on its way until reads that began
later settle it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.name_state import RecordStatus, Write, WrittenName
from route53_takeover.core.takeover.queries import deadman
from route53_takeover.core.timing import (
    INSYNC_ASSUMED,
    REFUSALS,
    RESTORE_AGAIN,
    RESTORE_PACE,
    backoff,
)

if TYPE_CHECKING:
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.state import State

_Name = TypeVar("_Name", bound=WrittenName)


Answer = ev.WriteAccepted | ev.WriteRefused | ev.WriteHeldOff | ev.WriteUnknown


def intended(name: _Name, event: ev.WriteIntended) -> _Name:
    write = Write(
        id=event.id,
        purpose=event.purpose,
        changes=event.changes,
        sent=event.time,
        intended=True,
    )
    return replace(name, write=write, tried=name.tried | {event.purpose})


def unread(state: State, name: _Name) -> _Name:
    """The name after one more read of it failed."""
    failures = name.failures + 1
    pause = backoff(failures, first=0.5, most=2.0 if state.ever_released else 10.0)
    return replace(name, failures=failures, read_after=state.now + pause)


def answered(state: State, name: NameState, write: Write, event: Answer) -> NameState:
    match event:
        case ev.WriteAccepted():
            return applied(state, name, write, at=state.now, change_id=event.change_id)
        case ev.WriteRefused() if write.purpose is Purpose.RESTORE:
            # Something is in the way, or was: nothing was written, so reads under way count.
            failed = name.restores_refused + 1
            pause = min(0.5 * failed, RESTORE_PACE)
            return replace(
                name,
                write=None,
                restores_refused=failed,
                restores_lost=0,
                occupied_at=write.sent if _EXISTS in event.reason else name.occupied_at,
                not_before=state.now + pause,
            )
        case ev.WriteUnknown() if write.purpose is Purpose.RESTORE:
            return replace(
                restore_lost(name, write),
                restores_lost=name.restores_lost + 1,
                not_before=write.sent + RESTORE_AGAIN,
            )
        case _:
            return not_applied(state, name, write, event)


def not_applied(
    state: State,
    name: _Name,
    write: Write,
    event: ev.WriteRefused | ev.WriteHeldOff | ev.WriteUnknown,
) -> _Name:
    """The name after a batch that was not applied, or may not have been."""
    match event:
        case ev.WriteRefused():
            failed = name.refusals + 1
            return replace(
                name,
                write=None,
                wrote_at=state.now,
                read=None,
                refusals=failed,
                not_before=state.now + min(0.5 * failed, 1.0),
                given_up=name.given_up
                or (event.reason if write.purpose in _ONCE and failed >= REFUSALS else ""),
            )
        case ev.WriteHeldOff():
            tries = name.attempts + 1
            pause = backoff(tries, first=0.2, most=1.0 if state.ever_released else 10.0)
            return replace(name, write=None, attempts=tries, not_before=state.now + pause)
        case ev.WriteUnknown():
            return replace(name, write=replace(write, unknown_since=state.now), read=None)


_EXISTS = "but it already exists"
"""Route 53's answer to a CREATE where a record of that name and type exists."""
_ONCE = frozenset(
    {
        Purpose.LOWER,
        Purpose.LOWER_SOA,
        Purpose.PROVE,
        Purpose.PREPARE,
        Purpose.BRIDGE,
        Purpose.RELEASE,
    }
)


_LEADING_AWAY = frozenset({Purpose.RELEASE, Purpose.RESTORE})
"""What changes whether the name or its helper answers: it must be on every name server first."""


def restore_lost(name: NameState, write: Write) -> NameState:
    """A restore of unknown fate: it is sent again at once, for a CREATE overwrites nothing."""
    created = {change.record.key for change in write.changes}
    handovers = tuple(
        replace(h, restore_lost=True) if h.original.key in created else h for h in name.handovers
    )
    return replace(name, write=None, handovers=handovers)


def applied(
    state: State, name: NameState, write: Write, *, at: float, change_id: str | None
) -> NameState:
    """The name after this batch was applied at ``at``."""
    created = [c.record for c in write.changes if c.action == "CREATE"]
    deleted = {c.record.key for c in write.changes if c.action == "DELETE"}
    was_absent = name.is_absent
    handovers = []
    for handover in name.handovers:
        put = next((r for r in created if conflict(r, handover.original)), None)
        if write.purpose is Purpose.RELEASE and handover.standing.key in deleted:
            handover = replace(  # noqa: PLW2901 -- the loop builds the new tuple
                handover,
                stage=RecordStatus.RELEASED,
                released_at=at,
                is_covered=bool(name.covered_by),
                back_at=None,
            )
        elif write.purpose is Purpose.REMOVE and handover.standing.key in deleted:
            handover = replace(handover, removed_at=at)  # noqa: PLW2901
        elif write.purpose is Purpose.RESTORE and put is not None:
            handover = replace(  # noqa: PLW2901
                handover,
                stage=RecordStatus.RESTORED,
                standing=put,
                restored_at=at,
                back_at=handover.back_at if handover.back_at is not None else at,
            )
        elif put is not None:
            handover = replace(handover, standing=put)  # noqa: PLW2901
            if write.purpose is Purpose.WEIGH:
                steps = handover.steps_done + 1
                handover = replace(handover, steps_done=steps, weighed_at=at)  # noqa: PLW2901
        handovers.append(handover)
    name = replace(
        name,
        handovers=tuple(handovers),
        write=None,
        wrote_at=max(at, name.wrote_at),
        read=None,  # what was read before the write tells nothing any more
        attempts=0,
        refusals=0,
        restores_refused=0,
        restores_lost=0,
        proven=name.proven or write.purpose is Purpose.PROVE,
    )
    is_covered = any(name.name in helper.covers for helper in state.helpers.values())
    if is_covered and write.purpose in _LEADING_AWAY:
        assumed = state.now + INSYNC_ASSUMED if change_id is None else None
        name = replace(name, unsynced=change_id, synced_at=assumed)
    match write.purpose:
        case Purpose.LOWER if change_id is None:
            return replace(name, synced_at=state.now + INSYNC_ASSUMED)
        case Purpose.LOWER:
            return replace(name, unsynced=change_id)
        case Purpose.RELEASE:
            due, extended = deadman(state, name, at), 0.0
            if was_absent and name.deadman_at is not None:
                extended = name.extended
                # The record that went first does not wait longer.
                due = min(due + extended, name.deadman_at)
            return replace(name, deadman_at=due, extended=extended)
        case _:
            return name
