"""When a switch counts as settled: every edge has it, nothing cached is old, and green answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.commands import Invalidate
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.switch.state import CheckState
from route53_takeover.core.switch.who_answered import are_told_apart
from route53_takeover.core.switch.writing import is_settled
from route53_takeover.core.timing import (
    INVALIDATION_PATIENCE,
    SETTLE_ANSWERS,
    SETTLE_BLIND,
    SETTLE_PATIENCE,
    SWAP_TRIES,
)

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwapState, SwitchState
    from route53_takeover.core.switch.step_context import SwitchContext


def has_settled(context: SwitchContext) -> bool:
    """Whether users get green and nothing else, as far as can be told."""
    state = context.state
    are_settled = all(is_settled(swap) for swap in state.swaps.values())
    if are_settled and _all_invalidated(context):
        if tells_sides(state):
            if only_green_answers(state):
                return True
        elif state.now >= state.phase_since + SETTLE_BLIND:
            return True
        else:
            context.wake(state.phase_since + SETTLE_BLIND)
    until = state.since + SETTLE_PATIENCE
    context.wake(until)
    if state.now >= until:
        context.give_up(f"the switch has not settled within {SETTLE_PATIENCE / 60:.0f} minutes")
    return False


def _all_invalidated(context: SwitchContext) -> bool:
    """The same for all swaps, which are invalidated at the same time."""
    found = [is_invalidated(context, swap) for swap in context.state.swaps.values()]
    return all(found)


def is_invalidated(context: SwitchContext, swap: SwapState) -> bool:
    """Whether what CloudFront has cached of the other side is gone, where that was planned.

    Only for a swap that has settled: an edge that still asks the other side would cache it again.
    An invalidation that fails again and again, or of which nothing can be learnt, holds nothing up:
    objects expire by themselves.
    """
    if not isinstance(swap.swap, OriginSwap) or not swap.swap.invalidate:
        return True
    if swap.is_invalidated or swap.uninvalidated >= SWAP_TRIES:
        return True
    state = context.state
    if swap.invalidation:
        until = swap.invalidating_since + INVALIDATION_PATIENCE
        context.wake(until)
        return state.now >= until
    if state.now >= swap.invalidate_after:
        reference = f"{state.run}-{swap.id}-{swap.wrote}-{round(swap.wrote_at * 1000):x}"
        context.ask(Invalidate(swap=swap.id, reference=reference))
    else:
        context.wake(swap.invalidate_after)
    return False


def tells_sides(state: SwitchState) -> bool:
    """Whether some check tells by its answer which side gave it."""
    return any(
        are_told_apart(
            state.checks.get((place, Way.BLUE), CheckState()).marks,
            state.checks.get((place, Way.GREEN), CheckState()).marks,
        )
        for place in range(len(state.plan.checks))
    )


def only_green_answers(state: SwitchState) -> bool:
    """Whether the newest answers on users' way all came from green, since the last write."""
    since = max((swap.wrote_at for swap in state.swaps.values()), default=0.0)
    known = [a for a in state.live if a.side in (Side.BLUE, Side.GREEN) and a.time >= since]
    newest = known[-SETTLE_ANSWERS:]
    return len(newest) == SETTLE_ANSWERS and all(a.side is Side.GREEN for a in newest)


def has_failed_too_often(context: SwitchContext) -> bool:
    """Whether more checks than ``--max-failures`` have failed on users' way since the switch."""
    state = context.state
    if state.failed_checks <= state.plan.options.max_failures:
        return False
    last = max(
        (c for (_, way), c in state.checks.items() if way is Way.LIVE and c.last_failure),
        key=lambda check: check.began,
        default=CheckState(),
    )
    context.give_up(
        f"{state.failed_checks} checks have failed since the switch, more than "
        f"--max-failures {state.plan.options.max_failures}: {last.last_failure}"
    )
    return True
