"""The last check before a write of a switch: what must hold whatever the machine has decided.

Nothing but the plan's swaps is written, nothing of another writer is overwritten, and green is only
given traffic after its checks. The machine cannot break these by a mistake of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.timing import SWAP_FRESH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from route53_takeover.core.switch.commands import WriteSwap
    from route53_takeover.core.switch.state import SwapState, SwitchState

_PHASES = {
    SwapPurpose.PROVE: frozenset({SwitchPhase.CHECK}),
    SwapPurpose.SWITCH: frozenset({SwitchPhase.SWITCH}),
    SwapPurpose.KEEP: frozenset({SwitchPhase.DEPLOY, SwitchPhase.RESTORE, SwitchPhase.RETIRE}),
    SwapPurpose.BACK: frozenset({SwitchPhase.RESTORE}),
}
_TO = {
    SwapPurpose.PROVE: Side.BLUE,
    SwapPurpose.SWITCH: Side.GREEN,
    SwapPurpose.KEEP: Side.BLUE,
    SwapPurpose.BACK: Side.BLUE,
}


def violations(state: SwitchState, write: WriteSwap, sent: AbstractSet[str]) -> tuple[str, ...]:
    """Why a write must not be sent; none where it may be.

    Args:
        sent: the ids of all writes ever intended.
    """
    return tuple(_violations(state, write, sent))


def _violations(state: SwitchState, write: WriteSwap, sent: AbstractSet[str]) -> Iterator[str]:
    if write.id in sent:
        yield "this write was intended before"
    if not state.backed_up and write.purpose is not SwapPurpose.BACK:  # a rescue needs no file
        yield "there is no backup"
    if state.phase not in _PHASES[write.purpose]:
        yield f"{write.purpose} does not belong in {state.phase}"
    to = Side.GREEN if state.phase is SwitchPhase.RETIRE else _TO[write.purpose]
    if write.to is not to:
        yield f"{write.purpose} does not lead to {write.to}"
    swap = state.swaps.get(write.swap)
    if swap is None:
        yield "the plan does not have this swap"
        return
    if swap.write is not None and swap.write.id != write.id:
        yield "another write of this swap has no answer yet"
    if swap.reading is None or swap.read_began < swap.wrote_at:
        yield "it was not read since it was last written"
        return
    if state.now - swap.read_at > SWAP_FRESH:
        yield "it was not read just now"
    if isinstance(swap.swap, OriginSwap) and write.etag != swap.reading.etag:
        yield "the ETag is not that of the newest read"
    yield from _by_purpose(state, swap, write.purpose)


def _by_purpose(state: SwitchState, swap: SwapState, purpose: SwapPurpose) -> Iterator[str]:
    match purpose:
        case SwapPurpose.PROVE:
            if swap.side is not Side.BLUE:
                yield "a proof changes nothing, and it does not lead to blue"
        case SwapPurpose.SWITCH:
            if swap.side is not Side.BLUE:
                yield f"it leads to {swap.side} and not to blue"
            if isinstance(swap.swap, OriginSwap) and not swap.proven:
                yield "the way back is not proven"
            if state.given_up or not _is_checked(state):
                yield "green has not passed its checks"
        case SwapPurpose.KEEP if state.phase is SwitchPhase.RETIRE:
            if swap.is_on(Side.GREEN) or state.may_go_back:
                yield "the delete of blue has not moved it"
        case SwapPurpose.KEEP:
            if state.deploy is None or swap.ever_green or swap.is_on(Side.BLUE):
                yield "the deploy of green has not moved it"
        case SwapPurpose.BACK:
            if not swap.ever_green or swap.side not in (Side.GREEN, Side.ABSENT):
                yield "it is not this run's to lead back"


def _is_checked(state: SwitchState) -> bool:
    """Whether each check has passed on green."""
    return all(
        (found := state.checks.get((place, Way.GREEN))) is not None
        and found.last is not None
        and found.last.passed
        for place in range(len(state.plan.checks))
    )
