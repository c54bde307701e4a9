"""Retiring blue: judged first, then deleted, while what users reach is watched and kept.

A delete cannot be taken back. So from its beginning on there is no way back to blue, and what it
takes from the live site is led to green again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.settling import is_invalidated
from route53_takeover.core.switch.writing import is_settled, lead
from route53_takeover.core.timing import (
    BACK_PATIENCE,
    BLUE_MARGIN,
    DELETE_BEGINS,
    MOVED_PATIENCE,
    SWAP_TRIES,
)

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwapState, SwitchState
    from route53_takeover.core.switch.step_context import SwitchContext

_TAKEN = frozenset({Side.ABSENT, Side.BLUE})
"""What a delete does to a front. Where one leads elsewhere, another writer led it, and it stays."""


def retire(context: SwitchContext) -> None:
    """One step further; on to the last look where nothing is left to do."""
    state = context.state
    retirement = state.retirement
    if state.plan.options.retire is None or retirement.breaks:
        context.move(SwitchPhase.VERIFY)
    elif retirement.breaks is None:
        _judge(context)
    elif retirement.begun_at is None and retirement.ended_at is not None:
        context.move(SwitchPhase.VERIFY)  # it was not begun, and blue stays as it is
    elif retirement.begun_at is None:
        _begin(context)
    elif retirement.ended_at is None and state.now < retirement.begun_at + DELETE_BEGINS:
        context.wake(retirement.begun_at + DELETE_BEGINS)  # it may still be held off
        context.ask(cmd.RejoinDelete(stack_id=retirement.stack_id))
    else:
        are_kept = [_is_kept(context, swap) for swap in state.swaps.values()]
        if retirement.ended_at is None:
            context.ask(cmd.RejoinDelete(stack_id=retirement.stack_id))
        elif all(are_kept) or state.now >= retirement.ended_at + BACK_PATIENCE:
            context.move(SwitchPhase.VERIFY)
        else:
            context.wake(retirement.ended_at + BACK_PATIENCE)


def _judge(context: SwitchContext) -> None:
    retirement = context.state.retirement
    if retirement.unjudged >= SWAP_TRIES:
        context.move(SwitchPhase.VERIFY)
    elif context.state.now >= retirement.not_before:
        context.ask(cmd.JudgeRetirement())
    else:
        context.wake(retirement.not_before)


def _begin(context: SwitchContext) -> None:
    """Deletes it, if everything was just read and leads to green."""
    state = context.state
    until = state.phase_since + _margin(state)
    if state.now < until:
        context.wake(until)
        return
    since = state.retirement.judged_at
    fresh = [context.is_read(swap, since=since) for swap in state.swaps.values()]
    if all(fresh) and all(swap.is_on(Side.GREEN) for swap in state.swaps.values()):
        context.ask(cmd.DeleteBlue(stack_id=state.retirement.stack_id))
    elif all(fresh):
        context.give_up("another writer has changed the live site before blue was deleted")


def _margin(state: SwitchState) -> float:
    """Seconds of this phase in which blue may still be asked, whatever its sites say."""
    if not any(isinstance(swap.swap, OriginSwap) for swap in state.swaps.values()):
        return 0.0
    return max(BLUE_MARGIN - state.plan.options.bake, 0.0)


def _is_kept(context: SwitchContext, swap: SwapState) -> bool:
    """Whether a swap leads to green; leads it there again where the delete has moved it.

    Not at once where a mapping is gone: what deletes it may wait for that, and delete it once more.
    """
    state = context.state
    if swap.reading is None or (swap.is_on(Side.GREEN) and swap.write is None):
        is_read = context.is_read(swap, since=state.retirement.ended_at or 0.0)
        return is_read and is_settled(swap) and is_invalidated(context, swap)
    is_anothers = swap.write is None and swap.side is Side.OTHER
    if is_anothers or swap.moves >= SWAP_TRIES:
        return True  # the last look tells
    since = swap.moved_at if swap.moved_at is not None else state.now
    until = since + MOVED_PATIENCE
    if swap.side is Side.ABSENT and state.retirement.ended_at is None and state.now < until:
        context.wake(until)
        return False
    lead(context, swap, Side.GREEN, SwapPurpose.KEEP, leaves=_TAKEN, again=True)
    return False
