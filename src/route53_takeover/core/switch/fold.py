"""Folding events into the state of a switch: what each fact means, and not what to do about it.

Everything tolerates events that come late, twice or out of order.
"""

from __future__ import annotations

from msgspec.structs import replace

from route53_takeover.core.deploys import Deploy
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome, Stop
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.commands import answered_by
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.switch.fold_checks import checked
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.state import (
    SwapState,
    SwapWrite,
    SwitchState,
)
from route53_takeover.core.timing import ONE_REQUEST, SWAP_AGAIN, SWAP_UNANSWERED, backoff

_SLOWEST = 15.0
"""Seconds, at most, between two attempts to write: users may be led where nothing works."""


def begin(event: ev.SwitchStarted) -> SwitchState:
    """The state of a switch that has just started."""
    plan = event.plan
    return SwitchState(
        run=event.run,
        plan=plan,
        phase=SwitchPhase.PREFLIGHT,
        phase_since=event.time,
        now=event.time,
        swaps={swap.id: SwapState(swap=swap) for swap in plan.watched or plan.swaps},
        green_found=plan.options.deploy is None,
        news_at=event.time,
    )


def observe(state: SwitchState, event: ev.SwitchEvent) -> SwitchState:
    """The state with one more fact in it."""
    state = replace(state, now=max(state.now, event.time))
    if (answer := answered_by(event)) in state.in_flight:
        state = replace(state, in_flight=state.in_flight - {answer})
    match event:
        case ev.TimePassed() | ev.SwitchStarted() | ev.AlertFailed():
            return state
        case ev.SwapRead() | ev.SwapUnread():
            return _of_swap(state, event)
        case ev.CheckAnswered():
            return checked(state, event)
        case (
            ev.SwapIntended()
            | ev.SwapAccepted()
            | ev.SwapRefused()
            | ev.SwapHeldOff()
            | ev.SwapUnknown()
        ):
            return _written(replace(state, news_at=state.now), event)
        case ev.InvalidationBegun() | ev.InvalidationFailed() | ev.InvalidationCompleted():
            return _invalidated(state, event)
        case ev.RuleIntended() | ev.RuleTested() | ev.RuleRemoved():
            return _rule(replace(state, news_at=state.now), event)
        case (
            ev.RetirementJudged() | ev.RetirementUnjudged() | ev.DeleteIntended() | ev.DeleteEnded()
        ):
            return _retiring(replace(state, news_at=state.now), event)
        case ev.GreenFound() | ev.GreenNotFound():
            return _green(replace(state, news_at=state.now), event)
        case _:
            return _of_run(replace(state, news_at=state.now), event)


def _of_run(state: SwitchState, event: ev.SwitchEvent) -> SwitchState:
    match event:
        case ev.RunResumed():
            return _resumed(state)
        case ev.BackupWritten():
            return replace(state, backed_up=True)
        case ev.BackupFailed():
            return _give_up(state, f"no backup: {event.reason}")
        case ev.DeployIntended():
            return replace(state, deploy=Deploy(intended_at=event.time))
        case ev.DeployExited():
            return _deployed(state, event)
        case ev.Interrupted():
            return _interrupted(state, Stop(event.signal))
        case ev.JournalFailed():
            return replace(state, journal_lost=event.reason)
        case ev.RunPaused() if state.may_pause:
            return replace(state, paused=True)
        case ev.RunUnpaused():
            return replace(state, paused=False)
        case ev.AbortAsked() if state.may_abort:
            return _interrupted(state, Stop())
        case ev.RestoreAsked() if state.may_switch_back:
            return _give_up(state, "the operator has switched back")
        case _:
            return state


def _give_up(state: SwitchState, reason: str) -> SwitchState:
    return state if state.given_up else replace(state, given_up=reason)


def _rule(
    state: SwitchState, event: ev.RuleIntended | ev.RuleTested | ev.RuleRemoved
) -> SwitchState:
    known = state.rule_test
    match event:
        case ev.RuleIntended():
            known = replace(known, may_stand=True, problem="")
        case ev.RuleTested():
            known = replace(
                known,
                may_stand=not event.is_removed,
                passed=not event.problem,
                problem=event.problem,
            )
        case ev.RuleRemoved(problem=""):
            known = replace(known, may_stand=False, failures=0)
        case ev.RuleRemoved():
            failures = known.failures + 1
            again = state.now + backoff(failures, first=SWAP_AGAIN, most=_SLOWEST)
            known = replace(known, failures=failures, not_before=again, problem=event.problem)
    return replace(state, rule_test=known)


def _retiring(
    state: SwitchState,
    event: ev.RetirementJudged | ev.RetirementUnjudged | ev.DeleteIntended | ev.DeleteEnded,
) -> SwitchState:
    known = state.retirement
    match event:
        case ev.RetirementJudged():
            known = replace(
                known, stack_id=event.stack_id, breaks=event.breaks, judged_at=event.time
            )
        case ev.RetirementUnjudged():
            failures = known.unjudged + 1
            again = state.now + backoff(failures, first=SWAP_AGAIN, most=_SLOWEST)
            known = replace(known, unjudged=failures, not_before=again, problem=event.reason)
        case ev.DeleteIntended():
            known = replace(known, begun_at=event.time, problem="")
        case ev.DeleteEnded(is_begun=False) if not state.journal_lost:
            # Judged and begun anew: what it was decided on is old.
            known = replace(known, begun_at=None, breaks=None, problem=event.problem)
        case ev.DeleteEnded():
            begun_at = known.begun_at if event.is_begun else None
            known = replace(known, begun_at=begun_at, ended_at=event.time, problem=event.problem)
    return replace(state, retirement=known)


def _interrupted(state: SwitchState, stop: Stop) -> SwitchState:
    """One more request to stop, or an echo of the one that has just started."""
    if not state.interrupts:
        reason = "aborted by the operator" if stop.is_abort else f"stopped by {stop}"
        stopped = replace(
            state,
            interrupts=(stop,),
            interrupted_at=state.now,
            stopped=state.stopped or stop,
        )
        return _give_up(stopped, reason) if state.may_go_back else stopped
    if state.now < state.interrupted_at + ONE_REQUEST:
        return state
    return replace(state, interrupts=(*state.interrupts, stop))


def _resumed(state: SwitchState) -> SwitchState:
    """Another process: what was under way is lost, and writes among it are unknown.

    A run that ended knowing how stays ended; one that ended ``unknown`` goes on: with its way back
    where it was given up, with the guard of the live site where blue's delete has begun, and else
    where it was. A resume also ends a pause.
    """
    if state.ending is not None:
        if state.ending.outcome is not Outcome.UNKNOWN:
            return state
        phase = SwitchPhase(state.ending.phase)
        if not state.may_go_back:
            phase = SwitchPhase.RETIRE
        elif state.given_up:
            phase = SwitchPhase.RESTORE
        state = replace(state, phase=phase, phase_since=state.now, ending=None)
    return replace(
        state,
        swaps={swap.id: _resumed_swap(swap) for swap in state.swaps.values()},
        in_flight=frozenset(),
        interrupts=(),
        resumes=state.resumes + 1,
        resumed_at=state.now,
        paused=False,
        journal_lost="",
    )


def _resumed_swap(swap: SwapState) -> SwapState:
    """One that another process has not tried in vain to read or write."""
    write = None if swap.write is None else replace(swap.write, is_unknown=True)
    return replace(swap, write=write, unread=0, held_off=0, refusals=0, not_before=0.0)


def _deployed(state: SwitchState, event: ev.DeployExited) -> SwitchState:
    began = state.now if state.deploy is None else state.deploy.intended_at
    deploy = Deploy(
        intended_at=began,
        exited_at=event.time,
        code=event.code,
        tail=event.tail,
        timed_out=event.timed_out,
    )
    return replace(state, deploy=deploy)


def _green(state: SwitchState, event: ev.GreenFound | ev.GreenNotFound) -> SwitchState:
    if isinstance(event, ev.GreenNotFound):
        return replace(state, green_failures=state.green_failures + 1)
    found = {swap.id: swap for swap in event.plan.swaps}
    swaps = {
        swap_id: replace(state.swaps.get(swap_id, SwapState(swap=swap)), swap=swap, reading=None)
        for swap_id, swap in found.items()
    }
    state = replace(state, plan=event.plan, green_found=True, swaps=swaps)
    if event.plan.refused:
        reasons = " ".join(finding.text for finding in event.plan.refusals)
        return replace(_give_up(state, reasons), refused=True)
    return state


# -- the swaps


def put(state: SwitchState, swap: SwapState) -> SwitchState:
    """The state with this swap in it."""
    return replace(state, swaps={**state.swaps, swap.id: swap})


def _of_swap(state: SwitchState, event: ev.SwapRead | ev.SwapUnread) -> SwitchState:
    swap = state.swaps.get(event.swap)
    if swap is None:
        return state
    if isinstance(event, ev.SwapUnread):
        if state.now < swap.read_again_at:
            return state  # of reads at the same time one counts
        failed = replace(swap, unread=swap.unread + 1, unread_at=state.now, trouble=event.reason)
        return put(state, failed)
    if event.began < swap.read_began:
        return state  # an older one that came late
    if swap.reading is None or swap.reading != event.reading:
        state = replace(state, news_at=state.now)
    swap = replace(swap, reading=event.reading, read_began=event.began, read_at=state.now, unread=0)
    swap = _with_fate(swap, state.now)
    if swap.wrote is not None and swap.write is None and event.began >= swap.wrote_at:
        agrees = event.reading.side is swap.wrote
        since = (swap.agreed_since or event.began) if agrees else None
        swap = replace(swap, agreed_since=since)
    wanted = Side.BLUE if state.may_go_back else Side.GREEN
    by_deploy = state.deploy is not None and not swap.ever_green
    is_moved = (by_deploy or not state.may_go_back) and not swap.is_on(wanted)
    moved_at = (swap.moved_at or state.now) if is_moved else None
    is_gone = swap.side is Side.ABSENT
    absent_since = (swap.absent_since or state.now) if is_gone else None
    return put(state, replace(swap, moved_at=moved_at, absent_since=absent_since))


def _with_fate(swap: SwapState, now: float) -> SwapState:
    """What the newest read says of a write of which no answer came."""
    write = swap.write
    if write is None or not write.is_unknown or swap.read_began < write.sent:
        return swap
    if write.purpose is SwapPurpose.PROVE:
        return replace(swap, write=None)  # what changes nothing is proven by its answer alone
    if swap.side is write.to:
        return _applied(swap, write, now)
    if swap.read_began >= write.sent + SWAP_UNANSWERED:
        return replace(swap, write=None)
    return swap


def _applied(swap: SwapState, write: SwapWrite, now: float) -> SwapState:
    is_switch = write.purpose is SwapPurpose.SWITCH
    is_back = write.purpose is SwapPurpose.BACK
    return replace(
        swap,
        write=None,
        wrote=write.to,
        wrote_at=now,
        agreed_since=None,
        proven=swap.proven or write.purpose is SwapPurpose.PROVE,
        switched_at=now if is_switch else swap.switched_at,
        returned_at=now if is_back else swap.returned_at,
        moves=swap.moves + (write.purpose is SwapPurpose.KEEP),
        held_off=0,
        refusals=0,
        trouble="",
        invalidation="",
        is_invalidated=False,
        uninvalidated=0,
    )


def _written(state: SwitchState, event: ev.SwapIntended | ev.SwapWriteAnswer) -> SwitchState:
    swap = state.swaps.get(event.swap)
    if swap is None:
        return state
    if isinstance(event, ev.SwapIntended):
        to_green = event.to is Side.GREEN
        write = SwapWrite(id=event.id, to=event.to, purpose=event.purpose, sent=event.time)
        if to_green and state.switch_began is None:
            state = replace(state, switch_began=event.time)
        return put(state, replace(swap, write=write, ever_green=swap.ever_green or to_green))
    if swap.write is None or swap.write.id != event.id:
        return state
    if isinstance(event, ev.SwapAccepted):
        return put(state, _applied(swap, swap.write, state.now))
    if isinstance(event, ev.SwapUnknown):
        unknown = replace(swap.write, is_unknown=True)
        return put(state, replace(swap, write=unknown, trouble=event.reason))
    if isinstance(event, ev.SwapHeldOff):
        swap = replace(swap, held_off=swap.held_off + 1)
    else:
        swap = replace(swap, refusals=swap.refusals + 1)
    tries = swap.held_off + swap.refusals
    not_before = state.now + backoff(tries, first=SWAP_AGAIN, most=_SLOWEST)
    return put(state, replace(swap, write=None, not_before=not_before, trouble=event.reason))


def _invalidated(
    state: SwitchState,
    event: ev.InvalidationBegun | ev.InvalidationFailed | ev.InvalidationCompleted,
) -> SwitchState:
    swap = state.swaps.get(event.swap)
    if swap is None:
        return state
    match event:
        case ev.InvalidationBegun():
            swap = replace(
                swap,
                invalidation=event.invalidation,
                invalidating_since=state.now,
                uninvalidated=0,
            )
        case ev.InvalidationFailed():
            failures = swap.uninvalidated + 1
            again = state.now + backoff(failures, first=SWAP_AGAIN, most=_SLOWEST)
            swap = replace(
                swap, uninvalidated=failures, invalidate_after=again, trouble=event.reason
            )
        case ev.InvalidationCompleted():
            swap = replace(swap, is_invalidated=True)
    return put(replace(state, news_at=state.now), swap)
