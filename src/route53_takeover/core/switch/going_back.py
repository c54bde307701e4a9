"""Leading everything to blue: what the deploy of green has moved, and a switch that is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.commands import RejoinGreenDeploy
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.switch.model import MappingSwap
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.rule_test import rule_is_gone
from route53_takeover.core.switch.settling import is_invalidated
from route53_takeover.core.switch.writing import Progress, changed, is_settled, lead
from route53_takeover.core.timing import BACK_PATIENCE, MOVED_PATIENCE, SWAP_TRIES

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwapState, SwitchState
    from route53_takeover.core.switch.step_context import SwitchContext

_MOVED = frozenset({Side.GREEN, Side.OTHER, Side.ABSENT})


def deploy_is_over(state: SwitchState) -> bool:
    """Whether the deploy of green has ended, or never began."""
    return state.deploy is None or state.deploy.exited_at is not None


def keep_blue(context: SwitchContext) -> bool:
    """Puts back what the deploy of green has moved; whether nothing is left to put back.

    What leads to green, or to an API that did not exist before, is the deploy's work, and so is a
    mapping that is gone. Anything else is another writer's, and stays.
    """
    are_kept = [_is_kept(context, swap) for swap in context.state.swaps.values()]
    return all(are_kept)


def _is_kept(context: SwitchContext, swap: SwapState) -> bool:
    state = context.state
    if swap.ever_green:
        return True
    if swap.reading is None or (swap.is_on(Side.BLUE) and swap.write is None):
        return context.is_read(swap, since=_ended_at(state))
    if swap.write is None and swap.side is Side.OTHER and not _is_of_the_deploy(state, swap):
        context.give_up(changed(swap))
        return True
    if swap.moves >= SWAP_TRIES:
        context.give_up(f"the deploy of green moves {swap.swap.target} again and again")
    if swap.refusals >= SWAP_TRIES:
        context.give_up(f"{swap.swap.target} could not be put back: {swap.trouble}")
    if swap.side is not Side.ABSENT or swap.write is not None or _is_long_gone(context, swap):
        lead(context, swap, Side.BLUE, SwapPurpose.KEEP, leaves=_MOVED, again=True)
    return False


def _ended_at(state: SwitchState) -> float:
    """Since when a read counts: of a deploy that has ended, since its end."""
    return 0.0 if state.deploy is None else state.deploy.exited_at or 0.0


def _is_of_the_deploy(state: SwitchState, swap: SwapState) -> bool:
    if not isinstance(swap.swap, MappingSwap) or swap.reading is None:
        return False
    api_id = swap.reading.shown.partition("/")[0]
    green = {each.to.api_id for each in state.plan.swaps if isinstance(each, MappingSwap)}
    return api_id in green or api_id not in state.plan.known_apis


def _is_long_gone(context: SwitchContext, swap: SwapState) -> bool:
    """Whether a mapping that is gone may be created again.

    Not at once while the deploy goes on: what deletes and creates a mapping may wait for it to be
    gone, and delete it once more.
    """
    since = swap.moved_at if swap.moved_at is not None else context.state.now
    until = since + MOVED_PATIENCE
    if deploy_is_over(context.state) or context.state.now >= until:
        return True
    context.wake(until)
    return False


def go_back(context: SwitchContext) -> None:
    """Leads every swap that may not lead to blue back there, all at the same time."""
    state = context.state
    if not deploy_is_over(state):
        context.ask(RejoinGreenDeploy())
    is_back = [
        deploy_is_over(state),
        state.deploy is None or keep_blue(context),
        rule_is_gone(context),
        *(_is_back(context, swap) for swap in state.swaps.values() if swap.ever_green),
    ]
    until = state.since + BACK_PATIENCE
    is_late = state.now >= until and all(is_out_of_reach(s) for s in state.swaps.values())
    if all(is_back) or (is_late and deploy_is_over(state)):
        context.move(SwitchPhase.VERIFY)
    else:
        context.wake(until)


def is_out_of_reach(swap: SwapState) -> bool:
    """Whether neither a read nor a write of it has succeeded lately."""
    is_hard = swap.unread or swap.held_off or swap.refusals or swap.write
    return swap.is_on(Side.BLUE) or bool(is_hard)


def _is_back(context: SwitchContext, swap: SwapState) -> bool:
    """Whether a swap is back, or will not come back by this run."""
    match lead(context, swap, Side.BLUE, SwapPurpose.BACK, again=swap.returned_at is None):
        case Progress.LEADS_THERE:
            return is_settled(swap) and is_invalidated(context, swap)
        case Progress.CHANGED_BY_ANOTHER | Progress.NOT_TAKEN:
            return True
        case Progress.GOES_ON:
            return False
