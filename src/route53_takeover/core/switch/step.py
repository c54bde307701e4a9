"""The machine of a switch: one fact in, the new state and what to do about it out.

`step` folds the event into the state (`core.switch.fold`), then decides by the state alone: a
resumed run needs no code of its own. The way to green is here; the way back, and what watches the
live site while green is made, are in `core.switch.going_back`; endings in `core.switch.finish`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.check_round import green_passes, was_just_watched
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.switch.finish import verify
from route53_takeover.core.switch.fold import begin, observe
from route53_takeover.core.switch.going_back import deploy_is_over, go_back, keep_blue
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.switch.phases import RETURNABLE, SwitchPhase
from route53_takeover.core.switch.retiring import retire
from route53_takeover.core.switch.rule_test import passes_by_rule
from route53_takeover.core.switch.settling import has_failed_too_often, has_settled
from route53_takeover.core.switch.step_context import SwitchContext
from route53_takeover.core.switch.writing import (
    Progress,
    changed,
    is_settled,
    lead,
    may_be_read_late,
    why_not_taken,
)
from route53_takeover.core.timing import PATIENCE, SETTLE_PATIENCE, SWAP_TRIES, backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.switch.state import SwapState, SwitchState

_MOVES_IN_A_STEP = 20


def step(
    state: SwitchState | None, event: ev.SwitchEvent
) -> tuple[SwitchState, tuple[cmd.SwitchCommand, ...]]:
    """One fact in; the new state and the commands that follow from it out.

    Args:
        state: ``None`` before the first event, which must be `SwitchStarted`.
        event: what happened.

    Raises:
        ValueError: the event cannot begin a run, or a phase was to be left by no row of the table.
    """
    if state is None:
        if not isinstance(event, ev.SwitchStarted):
            raise ValueError(f"a switch begins with SwitchStarted, not {type(event).__name__}")
        context = SwitchContext(begin(event))
        context.move(SwitchPhase.BACKUP)
    else:
        context = SwitchContext(observe(state, event))
    _decide(context)
    return replace(context.state, wake_at=context.wake_at), tuple(context.commands)


def _decide(context: SwitchContext) -> None:
    """Lets phases follow each other until one has to wait."""
    for _ in range(_MOVES_IN_A_STEP):
        state = context.state
        if state.phase is SwitchPhase.ENDED:
            return
        if len(state.interrupts) > 1:
            context.end(Outcome.UNKNOWN, f"stopped by a second {state.interrupts[-1]}")
            return
        if state.journal_lost and not state.ever_green and state.may_go_back:
            context.give_up(f"the journal cannot be written: {state.journal_lost}")
        if context.state.given_up and state.phase in RETURNABLE and state.may_go_back:
            context.move(SwitchPhase.RESTORE)
            continue
        _PHASES[state.phase](context)
        if context.state.phase is state.phase and context.state.given_up == state.given_up:
            return
    raise ValueError(f"{context.state.phase} does not come to rest")


# -- the way to green


def _backup(context: SwitchContext) -> None:
    if not context.state.backed_up:
        context.ask(cmd.SaveBackup())
    elif not context.state.paused:
        context.move(SwitchPhase.DEPLOY)


def _deploy(context: SwitchContext) -> None:
    state = context.state
    if state.plan.options.deploy is None:
        context.move(SwitchPhase.CHECK)
    elif state.deploy is None:
        if _all_blue(context) and not state.paused:
            context.ask(cmd.DeployGreen())
    elif not deploy_is_over(state):
        context.ask(cmd.RejoinGreenDeploy())
        keep_blue(context)
    elif keep_blue(context):
        _judge_deploy(context)


def _judge_deploy(context: SwitchContext) -> None:
    state = context.state
    deploy = state.deploy
    if deploy is None:
        return
    if deploy.timed_out:
        context.give_up("the deploy of green was stopped after --deploy-timeout")
    elif deploy.code != 0:
        how = "with an unknown status" if deploy.code is None else f"with {deploy.code}"
        context.give_up(f"the deploy of green exited {how}: see deploy-green.log")
    elif state.green_found:
        context.move(SwitchPhase.CHECK)
    elif state.green_failures >= SWAP_TRIES:
        context.give_up("what the deploy has made could not be told: check --to or --to-stack")
    else:
        pause = backoff(state.green_failures, first=1.0, most=10.0) if state.green_failures else 0
        if state.now >= state.news_at + pause:
            context.ask(cmd.FindGreen())
        else:
            context.wake(state.news_at + pause)


def _check(context: SwitchContext) -> None:
    are_proven = [_is_proven(context, swap) for swap in context.state.swaps.values()]
    if not all(are_proven):
        _give_up_where_slow(context)
    passes = green_passes(context)
    passes = passes and passes_by_rule(context)
    if all(are_proven) and passes and not context.state.paused and _all_blue(context):
        context.move(SwitchPhase.SWITCH)


def _is_proven(context: SwitchContext, swap: SwapState) -> bool:
    """Whether the way back of a swap is proven: of a distribution by an update without a change."""
    if not isinstance(swap.swap, OriginSwap):
        return True  # what reads a mapping before each write is all that its API offers
    if swap.proven:
        return is_settled(swap)
    if swap.write is not None:
        if swap.write.is_unknown:
            context.is_read(swap, since=swap.write.sent)
    elif swap.refusals:
        context.give_up(f"{swap.swap.target} may not be changed: {why_not_taken(swap)}")
    elif context.state.now < swap.not_before:
        context.wake(swap.not_before)
    elif not context.is_read(swap, since=swap.wrote_at):
        _give_up_where_blind(context, swap)
    elif swap.side is not Side.BLUE:
        context.give_up(changed(swap))
    elif is_settled(swap):
        context.write(swap, Side.BLUE, SwapPurpose.PROVE)
    return False


def _switch(context: SwitchContext) -> None:
    if any(swap.wrote is not Side.GREEN for swap in context.state.swaps.values()):
        _give_up_where_slow(context)
        if not green_passes(context):
            return  # it was some time ago that it has passed
    for swap in context.state.swaps.values():
        if swap.wrote is not Side.GREEN and not swap.is_on(Side.BLUE) and swap.write is None:
            context.give_up(changed(swap))  # also where it is on green already
            return
        match lead(context, swap, Side.GREEN, SwapPurpose.SWITCH):
            case Progress.LEADS_THERE:
                continue
            case Progress.CHANGED_BY_ANOTHER:
                context.give_up(changed(swap))
            case Progress.NOT_TAKEN:
                context.give_up(f"{swap.swap.target} was not switched: {why_not_taken(swap)}")
            case Progress.GOES_ON:
                _give_up_where_blind(context, swap)
        return
    context.move(SwitchPhase.SETTLE)


def _settle(context: SwitchContext) -> None:
    if _stays_green(context) and not has_failed_too_often(context) and has_settled(context):
        context.move(SwitchPhase.BAKE)


def _bake(context: SwitchContext) -> None:
    state = context.state
    until = state.since + state.plan.options.bake
    if not _stays_green(context) or has_failed_too_often(context):
        return
    if state.now < until:
        context.wake(until)
    elif was_just_watched(context):
        context.move(SwitchPhase.RETIRE)


# -- what has to hold


def _all_blue(context: SwitchContext) -> bool:
    """Whether every swap was just read and leads to blue, as planned."""
    are_blue = True
    for swap in context.state.swaps.values():
        if swap.write is not None:
            are_blue = False
        elif not context.is_read(swap, since=swap.wrote_at):
            _give_up_where_blind(context, swap)
            are_blue = False
        elif not swap.is_on(Side.BLUE):
            context.give_up(changed(swap))
            are_blue = False
    return are_blue


def _stays_green(context: SwitchContext) -> bool:
    """Whether no read shows that another writer has changed a swap since."""
    for swap in context.state.swaps.values():
        is_read = swap.read_began >= swap.wrote_at and not may_be_read_late(context, swap)
        if is_read and not swap.is_on(Side.GREEN):
            context.give_up(changed(swap))
            return False
    return True


def _give_up_where_slow(context: SwitchContext) -> None:
    """CloudFront may be at another change for ever."""
    until = context.state.since + SETTLE_PATIENCE
    context.wake(until)
    if context.state.now >= until:
        minutes = f"{SETTLE_PATIENCE / 60:.0f} minutes"
        context.give_up(f"it was not ready to be switched within {minutes}")


def _give_up_where_blind(context: SwitchContext, swap: SwapState) -> None:
    if swap.unread >= PATIENCE:
        context.give_up(f"{swap.swap.target} cannot be read: {swap.trouble}")


_PHASES: dict[SwitchPhase, Callable[[SwitchContext], None]] = {
    SwitchPhase.BACKUP: _backup,
    SwitchPhase.DEPLOY: _deploy,
    SwitchPhase.CHECK: _check,
    SwitchPhase.SWITCH: _switch,
    SwitchPhase.SETTLE: _settle,
    SwitchPhase.BAKE: _bake,
    SwitchPhase.RETIRE: retire,
    SwitchPhase.RESTORE: go_back,
    SwitchPhase.VERIFY: verify,
}
