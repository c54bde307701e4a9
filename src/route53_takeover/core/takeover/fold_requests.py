"""Folding what the operator asks for: what may be asked for now, and what asking does.

Keys come late, twice, and from two screens at once: what does not apply, or not any more, changes
nothing. A request never takes a condition of the release gate away but the hold and the
confirmation, and never touches a record that CloudFormation created.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.endings import Stop
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.bridge_gate import bridge_gate
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.finish import is_member
from route53_takeover.core.takeover.helper_queries import helper_of
from route53_takeover.core.takeover.name_state import TAKEN_STAGES
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import is_ours_to_fill
from route53_takeover.core.takeover.release_gate import release_gates
from route53_takeover.core.timing import LONGEST_EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.takeover.bridge_gate import BridgeGate
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.release_gate import ReleaseGate
    from route53_takeover.core.takeover.state import State

PUT_BACK = "the operator requested the restore"


def asked(state: State, event: ev.OperatorEvent) -> State:
    """The state after the operator asked for this; the same one where it does not apply."""
    match event:
        case ev.RunPaused() if may_pause(state):
            return replace(state, paused=True)
        case ev.RunUnpaused() if state.is_paused:
            return _going_on(state)
        case ev.HoldCut() if to_cut(state, event.name, event.time):
            return _with(state, replace(state.names[event.name], hold_cut_at=event.time))
        case ev.ReleaseConfirmed() if to_confirm(state, event.name, event.time):
            return _with(state, replace(state.names[event.name], confirmed_at=event.time))
        case ev.DeadmanExtended() if may_extend(state, event.name, event.seconds):
            return _extended(state, state.names[event.name], event.seconds)
        case ev.RestoreAsked() if names := to_restore(state):
            return _restoring(state, names)
        case ev.AbortAsked() if may_abort(state):
            return replace(state, interrupts=(Stop(),), interrupted_at=state.now)
        case _:
            return state


# -- what applies


def may_pause(state: State) -> bool:
    return not (state.paused or state.has_stopped or state.ever_released)


def may_abort(state: State) -> bool:
    return not (state.interrupts or state.ever_released or state.phase is Phase.ENDED)


def may_extend(state: State, key: str, seconds: float) -> bool:
    name = state.names.get(key)
    return (
        name is not None
        and 0 < seconds <= LONGEST_EXTENSION
        and state.phase is not Phase.ENDED
        and name.is_absent
        and is_ours_to_fill(state, name)
        and not name.restoring
        and not name.covered_by
        and name.deadman_at is not None
        and name.deadman_at > state.now
    )


def to_cut(state: State, key: str, at: float) -> tuple[ReleaseGate, ...]:
    """The gates of a name of which a key, pressed then, cuts the hold."""
    return tuple(m for m in _gates(state, key, at) if m.may_be_cut)


def to_confirm(state: State, key: str, at: float) -> tuple[ReleaseGate | BridgeGate, ...]:
    """The gates of a name that a confirmation, given then, opens."""
    gates = [*_gates(state, key, at)]
    found: list[ReleaseGate | BridgeGate] = [m for m in gates if m.may_be_confirmed]
    if (helper := helper_of(state, key)) is not None and helper.created_at <= at:
        bridge = bridge_gate(state, state.names[key])
        found += [bridge] if bridge.may_be_confirmed else []
    return tuple(found)


def _gates(state: State, key: str, at: float) -> Iterator[ReleaseGate]:
    """Those that had started by then: a key that was pressed before means something else."""
    if key in state.names:
        yield from (m for m in release_gates(state, state.names[key]) if m.resource.since <= at)


def to_restore(state: State) -> tuple[NameState, ...]:
    """The names that are restored if the operator asks for it."""
    if state.phase is Phase.ENDED or not state.ever_released:
        return ()
    return tuple(
        name
        for name in state.names.values()
        if not name.restoring and (is_empty(state, name) or is_weighing(state, name))
    )


def is_weighing(state: State, name: NameState) -> bool:
    """Whether the answers move, or are to, from the manual member to the stack's."""
    return state.phase is Phase.GUARD and any(
        h.stage in TAKEN_STAGES and is_member(h) for h in name.handovers
    )


def is_empty(state: State, name: NameState) -> bool:
    """Whether the name has no record that CloudFormation will give it, or is just losing it."""
    releasing = name.write is not None and name.write.purpose is Purpose.RELEASE
    return releasing or (name.is_absent and is_ours_to_fill(state, name))


# -- what it does


def _with(state: State, *names: NameState) -> State:
    return replace(state, names={**state.names, **{name.name: name for name in names}})


def _going_on(state: State) -> State:
    """A baseline that nothing was deployed on is read again: it may be hours old by now."""
    state = replace(state, paused=False)
    if state.is_early and state.baseline is not None and state.baseline not in state.deploys:
        earlier = Switch.OFF if Switch.OFF in state.deploys else None
        return replace(state, baseline=earlier)
    return state


def _extended(state: State, name: NameState, seconds: float) -> State:
    due = (name.deadman_at or state.now) + seconds
    return _with(state, replace(name, deadman_at=due, extended=name.extended + seconds))


def _restoring(state: State, names: Iterable[NameState]) -> State:
    state = _with(state, *(replace(name, restoring=True) for name in names))
    return replace(state, given_up=state.given_up or PUT_BACK)


# -- what is offered
