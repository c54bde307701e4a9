"""Letting one swap lead to a side: read, compare, write once, read back, read again.

A mapping has no compare-and-set, so what is written on is a read of just now. A write whose answer
was lost is judged by what is read afterwards; none is sent beside one on its way.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.timing import (
    SWAP_AGREES,
    SWAP_LAG,
    SWAP_TRIES,
    SWAP_UNANSWERED,
)

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwapState
    from route53_takeover.core.switch.step_context import SwitchContext

_LEAVES: dict[Side, frozenset[Side]] = {
    Side.GREEN: frozenset({Side.BLUE}),
    Side.BLUE: frozenset({Side.GREEN, Side.ABSENT}),
}
"""A side -> what a swap may show when it is written to lead there. Anything else is another
writer's, and nothing of another writer is overwritten."""


class Progress(Enum):
    """How far a swap is."""

    GOES_ON = auto()
    LEADS_THERE = auto()
    CHANGED_BY_ANOTHER = auto()
    NOT_TAKEN = auto()  # a write to green was refused, or not taken, again and again


def lead(
    context: SwitchContext,
    swap: SwapState,
    to: Side,
    purpose: SwapPurpose,
    *,
    leaves: frozenset[Side] | None = None,
    again: bool = False,
) -> Progress:
    """One step further towards a side.

    Args:
        leaves: what it may show when it is written; by default `_LEAVES`.
        again: it is written again where it was moved after the newest write.
    """
    now = context.state.now
    if swap.write is not None:
        if swap.write.is_unknown:
            context.is_read(swap, since=swap.write.sent)
            context.wake(swap.write.sent + SWAP_UNANSWERED)
            if now >= swap.write.sent + SWAP_UNANSWERED:
                context.is_read(swap, since=swap.write.sent + SWAP_UNANSWERED)
        return Progress.GOES_ON
    if not context.is_read(swap, since=swap.wrote_at):
        return Progress.GOES_ON
    if may_be_read_late(context, swap):
        context.wake(now + SWAP_AGREES)
        return Progress.GOES_ON
    if swap.is_on(to):
        return _agreed(context, swap, to)
    if swap.side not in (leaves or _LEAVES[to]) or (swap.wrote is to and not again):
        return Progress.CHANGED_BY_ANOTHER
    is_tired = swap.refusals >= SWAP_TRIES or swap.held_off >= 2 * SWAP_TRIES
    if is_tired and purpose is SwapPurpose.SWITCH:
        return Progress.NOT_TAKEN  # what rescues is tried again for as long as the phase lasts
    if now < swap.not_before:
        context.wake(swap.not_before)
        return Progress.GOES_ON
    if purpose is SwapPurpose.SWITCH and not is_settled(swap):
        return Progress.GOES_ON  # no switch begins while CloudFront is still at the last change
    context.write(swap, to, purpose)
    return Progress.GOES_ON


def may_be_read_late(context: SwitchContext, swap: SwapState) -> bool:
    """Whether a read may still show what was before the newest write: it led to one side then."""
    if swap.wrote is None or swap.side is swap.wrote:
        return False
    is_recent = context.state.now < swap.wrote_at + SWAP_LAG
    return is_recent and swap.side in _LEAVES[swap.wrote]


def _agreed(context: SwitchContext, swap: SwapState, to: Side) -> Progress:
    """Whether what was written is seen twice; what was never written is as it is."""
    if swap.wrote is not to:
        return Progress.LEADS_THERE
    if swap.agreed_since is None:
        return Progress.GOES_ON
    again = swap.agreed_since + SWAP_AGREES
    if swap.read_began >= again:
        return Progress.LEADS_THERE
    context.is_read(swap, since=again)
    return Progress.GOES_ON


def is_settled(swap: SwapState) -> bool:
    """Whether the newest read, since the newest write, shows that every edge has it."""
    return swap.reading is not None and swap.read_began >= swap.wrote_at and swap.reading.is_settled


def why_not_taken(swap: SwapState) -> str:
    """Why writes were not taken, for a person."""
    return swap.trouble or "AWS did not take the change"


def changed(swap: SwapState) -> str:
    """That another writer has changed a swap, for a person."""
    shown = "" if swap.reading is None else swap.reading.shown
    if swap.side is Side.ABSENT:
        now = "it is gone"
    elif swap.side is Side.OTHER and shown in (swap.swap.before, swap.swap.after):
        now = f"it leads to {shown} and has other settings"
    else:
        now = f"it leads to {shown} now"
    return f"another writer has changed {swap.swap.target}: {now}"
