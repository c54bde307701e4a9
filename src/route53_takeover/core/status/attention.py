"""Problems that are not over, and what the operator must do now.

A run needs the operator only where it says so here; everything else it handles by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.messages import ANSWER_WORDS
from route53_takeover.core.status.sentences import unseen_of_group
from route53_takeover.core.status.waiting import written
from route53_takeover.core.takeover.absence import lacks
from route53_takeover.core.takeover.bridge_gate import bridge_gate
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.release_gate import release_gates
from route53_takeover.core.timing import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.run_timeline import Trouble
    from route53_takeover.core.status.timeline import Timeline
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.state import State

_OVER = 30.0
"""Seconds after which a failed read counts as over: reads are tried every 10 s at least, and a poll
that shows nothing new leaves no trace."""
_SILENT = 15.0
"""Seconds without an answer from a name server that exceed those of a normal release."""
_CREDENTIALS = re.compile(
    r"security token|token (has|is) expired|expired[ -]?token|sso session|"
    r"aws (sso )?login|unable to locate credentials|retrieving credentials|"
    r"refreshed credentials|partial credentials|signature (not yet current|expired)|"
    r"request has expired|set AWS_PROFILE",
    re.IGNORECASE,
)
"""The messages of AWS and botocore for missing or expired credentials, and their hints."""


def needs_person(state: State, timeline: Timeline) -> str:
    """What the operator must do now; empty where nothing is needed."""
    return next(_needs(state, timeline), "")


def _needs(state: State, timeline: Timeline) -> Iterator[str]:
    ending = state.ending
    if ending is not None:
        if missing := lacks(state.names.values()):
            yield f"{missing}. Run `restore` now."
        elif ending.outcome is Outcome.UNKNOWN:
            yield f"Check the name and the stack: {ending.reason}."
        return
    if reason := _credentials(timeline, state.now):
        yield f"AWS rejects the credentials: {reason}. Renew them; the run continues by itself."
    for name in state.names.values():
        if any(gate.may_be_confirmed for gate in release_gates(state, name)):
            yield f"CloudFormation is waiting: confirm the release of {display_name(name.name)}."
        if name.covered_by and bridge_gate(state, name).may_be_confirmed:
            covering = display_name(name.covered_by)
            yield f"{covering} answers: confirm the release of {display_name(name.name)}."
    if state.phase is Phase.WATCH and (unseen := unseen_of_group(state)):
        yield unseen
    if state.journal_lost:
        yield f"The journal cannot be written ({state.journal_lost}). Stay to the end of the run."
    if state.is_paused:
        yield "The run is paused. Continue or abort it."


def alerts(state: State, timeline: Timeline) -> tuple[str, ...]:
    """Problems that are not over, one a line."""
    return tuple(dict.fromkeys(_alerts(state, timeline)))


def _alerts(state: State, timeline: Timeline) -> Iterator[str]:
    if state.given_up:
        yield f"The takeover is given up: {state.given_up}."
    for stop in state.interrupts:
        yield f"Stop requested: {stop}."
    if state.journal_lost:
        yield f"The journal cannot be written: {state.journal_lost}."
    for handover in state.handovers:
        if handover.stage is RecordStatus.CHANGED:
            yield f"Another writer changed {handover.original.key}; its record is left as it is."
    for name in state.names.values():
        if name.given_up:
            yield f"{display_name(name.name)} is not released: {name.given_up}."
    if state.ending is None:
        yield from _passing(state, timeline)


def _passing(state: State, timeline: Timeline) -> Iterator[str]:
    """Problems that may end by themselves."""
    for each in written(state):
        if each.write is not None and each.write.unknown_since is not None:
            what = f"The {each.write.purpose} batch for {display_name(each.name)}"
            yield f"{what} got no answer; reading the zone to find out whether it was applied."
    for name in state.names.values():
        if name.restoring and state.phase is Phase.RESTORE and name.is_absent:
            yield f"{display_name(name.name)} is being restored."
        if name.failures > 1:
            what = f"{display_name(name.name)} could not be read"
            yield _in_a_row(state, what, name.failures)
    if state.failures > 1:
        yield _in_a_row(state, "The stacks could not be read", state.failures)
    if state.unlisted > 1:
        yield _in_a_row(state, "A stack's resources could not be listed", state.unlisted)
    for trouble in _troubles(timeline, state.now):
        yield f"No successful read for {state.now - trouble.since:.0f} s: {trouble.reason}."
    for name in state.names.values():
        yield from _silent(state, name)


def _silent(state: State, name: NameState) -> Iterator[str]:
    """The name servers without an answer, one line for each kind of answer."""
    found: dict[str, dict[str, float]] = {}
    for server, since in name.silent_since.items():
        if state.now - since >= _SILENT:
            status = name.answers.get(server, "timeout")
            found.setdefault(status, {})[server] = state.now - since
    for status, servers in found.items():
        who = f"{len(servers)} of {len(name.answers)} name servers"
        words = ANSWER_WORDS.get(status, status)
        what = f"{words} for {display_name(name.name)}"
        yield f"{who}: {what} (longest {max(servers.values()):.0f} s)."


def _in_a_row(state: State, what: str, times: int) -> str:
    """After a release the run does not give up because of it, so there is no limit to show."""
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
