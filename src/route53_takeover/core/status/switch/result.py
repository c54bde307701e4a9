"""The result that a switch ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.result import Result, SwapResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.core.switch.state import SwapState, SwitchState


def switch_result(state: SwitchState, api_calls: Mapping[str, int] | None) -> Result:
    """The result of a switch that has ended.

    Raises:
        ValueError: it has not ended.
    """
    if state.ending is None:
        raise ValueError(f"run {state.run} has not ended")
    return Result(
        run=state.run,
        phase=str(state.phase),
        outcome=str(state.ending.outcome),
        exit_code=state.ending.exit_code,
        reason=state.ending.reason,
        owner_notice=_blue_is_needed(state),
        switches=tuple(_swap_result(state, swap) for swap in state.swaps.values()),
        api_calls=None if api_calls is None else dict(sorted(api_calls.items())),
        resumable=state.ending.resumable,
    )


def _swap_result(state: SwitchState, swap: SwapState) -> SwapResult:
    return SwapResult(
        kind=str(swap.swap.kind),
        target=swap.swap.target,
        before=swap.swap.before,
        after=swap.swap.after if state.green_found else _wanted(state),
        outcome=_outcome(swap),
        switched_at=swap.switched_at,
        first_green_at=state.first_green_at if swap.switched_at is not None else None,
        last_blue_at=state.last_blue_at if swap.switched_at is not None else None,
    )


def _wanted(state: SwitchState) -> str:
    """Where it was to lead, of a green that was not made."""
    options = state.plan.options
    return options.to or f"stack {options.to_stack}"


def _outcome(swap: SwapState) -> str:
    if swap.write is not None:
        return "unknown"
    match swap.side:
        case Side.GREEN:
            return "switched" if swap.ever_green else "untouched"
        case Side.BLUE:
            moved = swap.switched_at is not None or swap.returned_at is not None or swap.moves
            return "restored" if moved else "untouched"
        case _:
            return "unknown"


def _blue_is_needed(state: SwitchState) -> str | None:
    """What to do with blue afterwards; ``None`` where green does not serve the site."""
    if state.ending is None or state.ending.outcome is not Outcome.DONE:
        return None
    if state.plan.options.retire is not None:
        return None  # it is gone
    return (
        "Blue still stands, for the way back. Before its stack is deleted: "
        "`route53-takeover retire --stack NAME` says what would break."
    )
