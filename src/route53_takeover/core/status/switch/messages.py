"""The table from the events and phases of a switch to the lines that users read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.message import Message
from route53_takeover.core.status.messages import of_deploy_exit
from route53_takeover.core.status.snapshot import Detail, Mark
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.phases import SwitchPhase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.snapshot import LiveMeter
    from route53_takeover.core.switch.state import SwapState, SwitchState

SWITCH_PHASE_WORDS = {
    SwitchPhase.PREFLIGHT: "reading the account",
    SwitchPhase.BACKUP: "saving a backup",
    SwitchPhase.DEPLOY: "deploying green, and watching the live site",
    SwitchPhase.CHECK: "checking green, and that the way back works",
    SwitchPhase.SWITCH: "switching to green",
    SwitchPhase.SETTLE: "waiting until only green answers",
    SwitchPhase.BAKE: "watching the live site on green",
    SwitchPhase.RETIRE: "retiring blue",
    SwitchPhase.RESTORE: "leading everything back to blue",
    SwitchPhase.VERIFY: "verifying the result",
    SwitchPhase.ENDED: "ended",
}

OUTCOME_WORDS = {Outcome.DONE: "green", Outcome.RESTORED: "back on blue"}


def of_switch_phase(phase: SwitchPhase) -> Message:
    """A phase that the switch enters."""
    return Message(SWITCH_PHASE_WORDS[phase], Mark.RUNNING)


def of_switch_event(event: ev.SwitchEvent, state: SwitchState) -> Iterator[Message]:
    """What an event says.

    Args:
        state: after it.
    """
    match event:
        case ev.RunResumed():
            yield Message("resumed from the journal", Mark.DONE)
        case ev.BackupWritten():
            yield Message("backup saved", Mark.DONE, Detail.MORE)
        case ev.BackupFailed():
            yield Message(f"no backup: {event.reason}", Mark.FAILED)
        case ev.DeployIntended():
            yield Message("starting the deploy of green", Mark.RUNNING)
        case ev.DeployExited():
            yield of_deploy_exit(event)
        case ev.GreenFound():
            places = ", ".join(dict.fromkeys(swap.after for swap in event.plan.swaps))
            yield Message(f"green is there: {places}", Mark.DONE)
        case ev.GreenNotFound():
            yield Message(f"green is not found yet: {event.reason}", Mark.WAITING)
        case ev.Interrupted():
            text = f"{event.signal}: stopping after the way back; once more stops at once"
            yield Message(text, Mark.UNDONE)
        case ev.JournalFailed():
            text = f"the journal cannot be written: {event.reason}; continuing in memory"
            yield Message(text, Mark.FAILED)
        case ev.AlertFailed():
            yield Message(f"--on-event: {event.reason}", Mark.FAILED)
        case ev.CheckAnswered():
            yield from _checked(event, state)
        case ev.RuleIntended() | ev.RuleTested() | ev.RuleRemoved():
            yield _of_rule(event)
        case (
            ev.RetirementJudged() | ev.RetirementUnjudged() | ev.DeleteIntended() | ev.DeleteEnded()
        ):
            yield _retired(event, state)
        case _:
            yield from _of_swap(event, state)
            yield from _of_operator(event)


def _of_rule(event: ev.RuleIntended | ev.RuleTested | ev.RuleRemoved) -> Message:
    match event:
        case ev.RuleIntended():
            text = "asking green under the production name, by a routing rule with a secret header"
            return Message(text, Mark.RUNNING)
        case ev.RuleTested(problem=""):
            return Message("green passes under the production name", Mark.DONE)
        case ev.RuleTested():
            return Message(f"green fails under the production name: {event.problem}", Mark.FAILED)
        case ev.RuleRemoved(problem=""):
            return Message("the routing rule is removed", Mark.DONE)
        case ev.RuleRemoved():
            return Message(f"the routing rule is not removed: {event.problem}", Mark.FAILED)


def _retired(
    event: ev.RetirementJudged | ev.RetirementUnjudged | ev.DeleteIntended | ev.DeleteEnded,
    state: SwitchState,
) -> Message:
    stack = f"stack {state.plan.options.retire}"
    match event:
        case ev.RetirementJudged(breaks=()):
            return Message(f"{stack} may be deleted", Mark.DONE)
        case ev.RetirementJudged():
            text = f"{stack} may not be deleted: {'; '.join(event.breaks)}"
            return Message(text, Mark.FAILED)
        case ev.RetirementUnjudged():
            text = f"cannot tell whether {stack} may be deleted: {event.reason}"
            return Message(text, Mark.WAITING)
        case ev.DeleteIntended():
            return Message(f"deleting {stack}: there is no way back from here", Mark.RUNNING)
        case ev.DeleteEnded():
            if event.problem:
                return Message(f"{stack} is not gone: {event.problem}", Mark.FAILED)
            return Message(f"{stack} is deleted", Mark.DONE)


def _checked(event: ev.CheckAnswered, state: SwitchState) -> Iterator[Message]:
    text = state.plan.checks[event.check].text
    answer = event.answer
    if event.way is Way.LIVE:
        if not answer.passed:
            yield Message(f"the live site fails {text}: {answer.reason}", Mark.FAILED)
        return
    if event.way is Way.BLUE:
        return  # it is only asked to tell the two apart
    if answer.passed:
        yield Message(f"{event.way} passes {text}", Mark.DONE)
    else:
        yield Message(f"{event.way} fails {text}: {answer.reason}", Mark.FAILED)


def _of_swap(event: ev.SwitchEvent, state: SwitchState) -> Iterator[Message]:
    match event:
        case ev.SwapIntended():
            yield _intended(event, state)
        case ev.SwapAccepted():
            text = f"AWS accepted the change of {_target(state, event.swap)}"
            yield Message(text, Mark.DONE, Detail.MORE)
        case ev.SwapRefused():
            target = _target(state, event.swap)
            yield Message(f"AWS refused the change of {target}: {event.reason}", Mark.FAILED)
        case ev.SwapHeldOff():
            target = _target(state, event.swap)
            text = f"the change of {target} was not applied: {event.reason}"
            yield Message(text, Mark.WAITING)
        case ev.SwapUnknown():
            target = _target(state, event.swap)
            text = f"no answer to the change of {target}: {event.reason}"
            yield Message(text, Mark.UNKNOWN)
        case ev.InvalidationBegun():
            text = f"invalidating what CloudFront has cached ({event.invalidation})"
            yield Message(text, Mark.RUNNING)
        case ev.InvalidationFailed():
            yield Message(f"the invalidation did not work: {event.reason}", Mark.WAITING)
        case ev.InvalidationCompleted():
            yield Message("the invalidation is complete", Mark.DONE)
        case _:
            return


def _intended(event: ev.SwapIntended, state: SwitchState) -> Message:
    known = state.swaps.get(event.swap)
    target = _target(state, event.swap)
    before, after = ("", "") if known is None else (known.swap.before, known.swap.after)
    match event.purpose:
        case SwapPurpose.PROVE:
            text = f"updating {target} without a change, to test the way back"
            return Message(text, Mark.RUNNING, Detail.MORE)
        case SwapPurpose.SWITCH:
            return Message(f"switching {target}: {before} -> {after}", Mark.RUNNING)
        case SwapPurpose.KEEP:
            what, where = "the deploy of green", before
            if not state.may_go_back:
                what, where = "the delete of blue", after
            return Message(f"{what} has moved {target}: leading it back to {where}", Mark.FAILED)
        case SwapPurpose.BACK:
            return Message(f"leading {target} back to {before}", Mark.UNDONE)


def _target(state: SwitchState, swap_id: str) -> str:
    known = state.swaps.get(swap_id)
    return swap_id if known is None else known.swap.target


def _of_operator(event: ev.SwitchEvent) -> Iterator[Message]:
    """The request alone: it may come too late to change anything."""
    match event:
        case ev.RunPaused():
            yield Message("pause requested: no further step starts", Mark.WAITING)
        case ev.RunUnpaused():
            yield Message("continuing requested", Mark.RUNNING)
        case ev.RestoreAsked():
            yield Message("switch back requested", Mark.UNDONE)
        case ev.AbortAsked():
            yield Message("abort requested", Mark.UNDONE)
        case _:
            return


_SIDE_WORDS = {
    Side.BLUE: (Mark.WAITING, "leads to blue"),
    Side.GREEN: (Mark.DONE, "leads to green"),
    Side.OTHER: (Mark.FAILED, "changed by another writer"),
    Side.ABSENT: (Mark.FAILED, "is gone"),
    Side.UNKNOWN: (Mark.UNKNOWN, "not read yet"),
}


def swap_words(swap: SwapState) -> tuple[Mark, str]:
    """Where a swap is."""
    if swap.write is not None:
        what = "no answer to the change" if swap.write.is_unknown else "changing"
        return Mark.RUNNING, f"{what}, to {swap.write.to}"
    mark, words = _SIDE_WORDS[swap.side]
    if swap.swap.before == swap.swap.after and swap.is_on(Side.GREEN):
        mark, words = Mark.DONE, "stays as it is"  # of a run that only retires a stack
    if swap.returned_at is not None and swap.side is Side.BLUE:
        mark, words = Mark.UNDONE, "led back to blue"
    if swap.reading is not None and not swap.reading.is_settled:
        words = f"{words}; CloudFront is deploying it"
    return mark, words


def share_words(meter: LiveMeter) -> str:
    """How much of what users get comes from green."""
    if meter.share is not None:
        return f"{meter.share:.0%} of the newest answers from green"
    if not meter.tells_sides:
        return "no check tells by its answer which side gave it"
    return "no answer yet that tells which side gave it"


def failed_words(meter: LiveMeter) -> str:
    """How many checks of the live site have failed, and how many may."""
    checks = "failed check" if meter.failed == 1 else "failed checks"
    return f"{meter.failed} {checks} of {meter.max_failures} allowed"
