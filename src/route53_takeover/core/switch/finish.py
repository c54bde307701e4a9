"""How a switch ends: a last look at every swap, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.switch.writing import changed, is_settled
from route53_takeover.core.timing import PATIENCE

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwapState
    from route53_takeover.core.switch.step_context import SwitchContext


def verify(context: SwitchContext) -> None:
    """Reads every swap once more, and ends: one after the other, for nothing is written now."""
    state = context.state
    read = [
        swap.read_began >= state.phase_since or context.is_read(swap, since=state.phase_since)
        for swap in state.swaps.values()
    ]
    blind = [swap for swap in state.swaps.values() if swap.unread >= PATIENCE]
    if blind:
        context.end(Outcome.UNKNOWN, _why(context, _unread(blind)))
    elif all(read) and state.given_up:
        _end_on_blue(context)
    elif all(read):
        _end_on_green(context)


def _end_on_green(context: SwitchContext) -> None:
    swaps = context.state.swaps.values()
    if wrong := [swap for swap in swaps if not swap.is_on(Side.GREEN)]:
        retirement = context.state.retirement
        left = [f"stack {context.state.plan.options.retire}: {retirement.problem}"]
        why = [*map(changed, wrong), *(left if retirement.problem else ())]
        context.end(Outcome.UNKNOWN, "; ".join(why))
        return
    if _is_left_over(context):
        return
    plan = context.state.plan
    places = ", ".join(dict.fromkeys(swap.swap.after for swap in swaps))
    gone = f"stack {plan.options.retire} is deleted" if plan.options.retire else ""
    led = any(swap.swap.before != swap.swap.after for swap in swaps)
    served = f"{plan.site} is served by {places} now" if led else ""
    context.end(Outcome.DONE, ", and ".join(filter(None, (served, gone))))


def _is_left_over(context: SwitchContext) -> bool:
    """Ends a run that has switched, and has not retired what it was asked to."""
    options, retirement = context.state.plan.options, context.state.retirement
    if options.retire is None:
        return False
    if retirement.breaks:
        more = f" and {len(retirement.breaks) - 1} more" if len(retirement.breaks) > 1 else ""
        reason = f"stack {options.retire} may not be deleted: {retirement.breaks[0]}{more}"
        context.end(Outcome.REFUSED, f"{reason}; {context.state.plan.site} stays where it leads")
        return True
    if retirement.problem or retirement.ended_at is None:
        why = retirement.problem or "it was not deleted"
        context.end(Outcome.UNKNOWN, f"stack {options.retire}: {why}")
        return True
    return False


def _end_on_blue(context: SwitchContext) -> None:
    state = context.state
    swaps = state.swaps.values()
    wrong = [swap for swap in swaps if not swap.is_on(Side.BLUE)]
    if state.rule_test.may_stand:
        why = state.rule_test.problem or "it may still stand"
        context.end(Outcome.UNKNOWN, _why(context, f"the routing rule for the test: {why}"))
    elif wrong:
        left = "; ".join(_left(swap) for swap in wrong)
        context.end(Outcome.UNKNOWN, _why(context, left))
    elif any(swap.returned_at or swap.switched_at for swap in swaps):
        slow = [swap for swap in swaps if not is_settled(swap)]
        late = f"; {slow[0].swap.target} is still being deployed" if slow else ""
        context.end(Outcome.RESTORED, f"{state.given_up}; {state.plan.site} is on blue{late}")
    elif state.stopped is not None:
        is_signal = bool(state.interrupts) and not state.stopped.is_abort
        context.end(
            Outcome.ABORTED,
            state.given_up,
            exit_code=ExitCode.INTERRUPTED if is_signal else None,
        )
    else:
        context.end(Outcome.REFUSED if state.refused else Outcome.FAILED, state.given_up)


def _left(swap: SwapState) -> str:
    if swap.side is Side.GREEN:
        return f"{swap.swap.target} could not be led back to blue: {swap.trouble}"
    return changed(swap)


def _unread(blind: list[SwapState]) -> str:
    return "; ".join(f"{swap.swap.target} cannot be read: {swap.trouble}" for swap in blind)


def _why(context: SwitchContext, what: str) -> str:
    return "; ".join(dict.fromkeys(filter(None, (context.state.given_up, what))))
