"""The switch as the engine hosts it: what is durable before what, and what is never sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.events import DeployExited, DeployIntended, Switch
from route53_takeover.core.machine import Machine
from route53_takeover.core.projection import Projection
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.switch.invariants import violations
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.polling import polls
from route53_takeover.core.switch.step import step
from route53_takeover.core.timing import DISK_PATIENCE, RESTORE_DISK_PATIENCE, STALE_DECISION

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from route53_takeover.core.machine import Wait
    from route53_takeover.core.switch.polling import SwitchTarget
    from route53_takeover.core.switch.state import SwitchState

_TO_BLUE = frozenset({SwapPurpose.BACK, SwapPurpose.KEEP})
"""What goes out without its intent where the disk stalls: it leads users back to what works."""


def _has_ended(state: SwitchState) -> bool:
    return state.phase is SwitchPhase.ENDED


def _intent(command: cmd.SwitchCommand, now: float) -> ev.SwitchEvent | None:
    match command:
        case cmd.WriteSwap():
            return ev.SwapIntended(
                time=now,
                id=command.id,
                swap=command.swap,
                to=command.to,
                purpose=command.purpose,
                etag=command.etag,
            )
        case cmd.DeployGreen():
            return DeployIntended(time=now, switch=Switch.GREEN)
        case cmd.DeleteBlue():
            return ev.DeleteIntended(time=now)
        case cmd.TryByRule():
            return ev.RuleIntended(time=now)
        case _:
            return None


def _intended_write(event: ev.SwitchEvent) -> str | None:
    return event.id if isinstance(event, ev.SwapIntended) else None


def _forbids(
    state: SwitchState, command: cmd.SwitchCommand, sent: AbstractSet[str], now: float
) -> ev.SwitchEvent | None:
    if not isinstance(command, cmd.WriteSwap):
        return None
    forbidden = violations(state, command, sent)
    if not forbidden:
        return None
    return ev.SwapRefused(
        time=now, id=command.id, swap=command.swap, code="Forbidden", reason=forbidden[0]
    )


def _disk_patience(command: cmd.SwitchCommand) -> float | None:
    if isinstance(command, cmd.DeleteBlue):
        return STALE_DECISION
    if not isinstance(command, cmd.WriteSwap):
        return None
    return RESTORE_DISK_PATIENCE if command.purpose in _TO_BLUE else DISK_PATIENCE


def _held_off(state: SwitchState, command: cmd.SwitchCommand, wait: Wait) -> ev.SwitchEvent | None:
    match command:
        case cmd.WriteSwap():
            reason = ""
            if state.phase is SwitchPhase.RETIRE and state.may_go_back:
                reason = "the delete of blue was not begun"
            elif not wait.is_durable and command.purpose not in _TO_BLUE:
                reason = "the journal could not be written in time"
            elif wait.now - wait.decided > STALE_DECISION:
                reason = "the decision is too old"
            if reason:
                return ev.SwapHeldOff(
                    time=wait.now, id=command.id, swap=command.swap, reason=reason
                )
        case cmd.TryByRule() if not wait.is_durable:
            problem = "not tested: the journal could not be written in time"
            return ev.RuleTested(time=wait.now, problem=problem, is_removed=True)
        case cmd.DeleteBlue():
            if why := _why_not_deleted(state, wait):
                return ev.DeleteEnded(time=wait.now, problem=f"not deleted: {why}", is_begun=False)
        case cmd.DeployGreen() if not wait.is_durable:
            return DeployExited(
                time=wait.now,
                switch=Switch.GREEN,
                code=127,
                tail="not started: the journal could not be written in time",
            )
        case _:
            pass
    return None


def _why_not_deleted(state: SwitchState, wait: Wait) -> str:
    """Why blue is not deleted after all; empty where it may be: there is no way back from that."""
    if not wait.is_durable:
        return "the journal could not be written in time"
    if wait.now - wait.decided > STALE_DECISION:
        return "the decision is too old"
    if not all(swap.is_on(Side.GREEN) for swap in state.swaps.values()):
        return "not everything leads to green any more"
    return ""


SWITCH: Machine[SwitchState, ev.SwitchEvent, cmd.SwitchCommand, SwitchTarget] = Machine(
    step=step,
    polls=polls,
    has_ended=_has_ended,
    intent=_intent,
    intended_write=_intended_write,
    forbids=_forbids,
    disk_patience=_disk_patience,
    held_off=_held_off,
)


def switch_projection() -> Projection[SwitchState, ev.SwitchEvent, cmd.SwitchCommand]:
    """For readers of the journal of a switch."""
    return Projection(SWITCH.step)


def fold_switch(history: Iterable[ev.SwitchEvent]) -> SwitchState | None:
    """The state after these events; ``None`` where there are none.

    Raises:
        ValueError: they do not begin with the beginning of a switch.
    """
    folding = switch_projection()
    for event in history:
        folding.take(event)
    return folding.state
