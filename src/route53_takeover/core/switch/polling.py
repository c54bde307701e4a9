"""What a switch looks at again and again: its swaps, users' way, invalidations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.machine import Poll
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.timing import (
    DISTRIBUTION_READ,
    LIVE_CHECK,
    LIVE_CHECK_CLOSE,
    LIVE_COMMAND,
    SWAP_READ,
    SWAP_READ_CLOSE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.switch.state import SwapState, SwitchState


class WatchedSwap(Struct, frozen=True):
    """Where a swap leads."""

    swap: str


class LiveCheck(Struct, frozen=True):
    """What a check gets on users' way."""

    check: int


class RunningInvalidation(Struct, frozen=True):
    """Whether an invalidation is complete."""

    swap: str
    invalidation: str


SwitchTarget = WatchedSwap | LiveCheck | RunningInvalidation

_P = SwitchPhase
_WATCHING = frozenset({_P.DEPLOY, _P.CHECK, _P.SWITCH, _P.SETTLE, _P.BAKE, _P.RETIRE, _P.RESTORE})
_LIVE = frozenset({_P.SETTLE, _P.BAKE, _P.RETIRE})
_CLOSE = frozenset({_P.DEPLOY, _P.SWITCH, _P.RETIRE, _P.RESTORE})


def polls(state: SwitchState) -> tuple[Poll[SwitchTarget], ...]:
    """What is looked at now, and how often."""
    return tuple(_polls(state))


def _polls(state: SwitchState) -> Iterator[Poll[SwitchTarget]]:
    if state.phase in _WATCHING:
        for swap in state.swaps.values():
            every = _pace(state, swap)
            yield Poll(
                target=WatchedSwap(swap.id),
                every=every,
                last=swap.read_at,
                not_before=swap.read_again_at,
                tell_all=True,
            )
            if swap.invalidation and not swap.is_invalidated:
                yield Poll(
                    target=RunningInvalidation(swap.id, swap.invalidation), every=DISTRIBUTION_READ
                )
    if state.phase in _LIVE or (state.phase in _CLOSE and state.switch_began is not None):
        for place, check in enumerate(state.plan.checks):
            is_close = state.phase is not _P.BAKE
            every = LIVE_CHECK_CLOSE if is_close else LIVE_CHECK
            if check.command:
                every = LIVE_COMMAND
            yield Poll(target=LiveCheck(place), every=every)


def _pace(state: SwitchState, swap: SwapState) -> float:
    if isinstance(swap.swap, OriginSwap):
        return SWAP_READ if state.phase in _CLOSE else DISTRIBUTION_READ
    return SWAP_READ_CLOSE if state.phase in _CLOSE else SWAP_READ
