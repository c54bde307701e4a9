"""What went wrong and still counts, and what a person must do now.

A run needs a person only where it says so here; everything else it comes through by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.takeover.release_gate import release_gates
from route53_takeover.core.takeover.state import Outcome, Phase, RecordStatus
from route53_takeover.core.timing import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.timeline import Timeline, Trouble
    from route53_takeover.core.takeover.state import State

_OVER = 30.0
"""Seconds after which what could not be read counts as mended: it is tried every 10 s at least, and
a poll that shows nothing new leaves no trace."""
_SILENT = 15.0
"""Seconds without an answer from a name server that are more than what every release brings."""
_CREDENTIALS = re.compile(
    r"security token|token (has|is) expired|expired[ -]?token|sso session|"
    r"aws (sso )?login|unable to locate credentials|retrieving credentials|"
    r"refreshed credentials|partial credentials|signature (not yet current|expired)|"
    r"request has expired|set AWS_PROFILE",
    re.IGNORECASE,
)
"""How AWS and botocore word that credentials are gone, and the hints that go with it."""


def needs_person(state: State, timeline: Timeline) -> str:
    """What a person must do now; empty where nobody must."""
    return next(_needs(state, timeline), "")


def _needs(state: State, timeline: Timeline) -> Iterator[str]:
    empty = [display_name(n.name) for n in state.names.values() if n.is_absent]
    ending = state.ending
    if ending is not None:
        if empty:
            yield f"{', '.join(empty)} has no record: restore it now."
        elif ending.outcome is Outcome.UNKNOWN:
            yield f"Somebody must look: {ending.reason}."
        return
    if reason := _credentials(timeline, state.now):
        yield f"The credentials are not accepted: {reason}. Renew them; the run goes on by itself."
    for name in state.names.values():
        if any(gate.may_be_confirmed for gate in release_gates(state, name)):
            yield f"Say whether {display_name(name.name)} may be released: the moment waits for it."
    if state.journal_lost:
        yield f"The journal is lost ({state.journal_lost}): make room, and stay until it has ended."
    if state.is_paused:
        yield "The run is paused: let it go on, or give it up."


def alerts(state: State, timeline: Timeline) -> tuple[str, ...]:
    """What went wrong and still counts, a line each."""
    return tuple(dict.fromkeys(_alerts(state, timeline)))


def _alerts(state: State, timeline: Timeline) -> Iterator[str]:
    if state.given_up:
        yield f"Given up: {state.given_up}."
    for signal in state.interrupts:
        yield f"Told to stop: {signal}."
    if state.journal_lost:
        yield f"The journal cannot be written any more: {state.journal_lost}."
    for handover in state.handovers:
        if handover.stage is RecordStatus.CHANGED:
            yield f"Somebody changed {handover.original.key}: theirs is left alone."
    for name in state.names.values():
        if name.given_up:
            yield f"{display_name(name.name)} is not released: {name.given_up}."
    if state.ending is None:
        yield from _passing(state, timeline)


def _passing(state: State, timeline: Timeline) -> Iterator[str]:
    """What may mend itself."""
    for name in state.names.values():
        if name.restoring and state.phase is Phase.RESTORE and name.is_absent:
            yield f"{display_name(name.name)} is being put back."
        if name.write is not None and name.write.unknown_since is not None:
            what = f"the {name.write.purpose} batch of {display_name(name.name)}"
            yield f"Nobody knows yet what became of {what}."
        if name.failures > 1:
            what = f"{display_name(name.name)} could not be read"
            yield _in_a_row(state, what, name.failures)
    if state.failures > 1:
        yield _in_a_row(state, "The stacks could not be read", state.failures)
    if state.unlisted > 1:
        yield _in_a_row(state, "A stack's resources could not be listed", state.unlisted)
    for trouble in _troubles(timeline, state.now):
        yield f"Cannot be read for {state.now - trouble.since:.0f} s: {trouble.reason}."
    for name in state.names.values():
        for server, since in name.silent_since.items():
            if state.now - since >= _SILENT:
                said = f"{server.removesuffix('.')} says {name.answers.get(server, 'nothing')}"
                seconds = state.now - since
                yield f"{said} to {display_name(name.name)} for {seconds:.0f} s."


def _in_a_row(state: State, what: str, times: int) -> str:
    """After a release nothing is given up because of it, so that there is no limit to tell."""
    limit = "" if state.ever_released else f" (given up after {PATIENCE})"
    return f"{what} {times} times in a row{limit}."


def _troubles(timeline: Timeline, now: float) -> list[Trouble]:
    return [t for t in timeline.troubles.values() if now - t.last < _OVER]


def _credentials(timeline: Timeline, now: float) -> str:
    """Why they are not accepted, where that is why nothing can be read."""
    for trouble in _troubles(timeline, now):
        if _CREDENTIALS.search(trouble.reason):
            return trouble.reason.rstrip(".")
    return ""
