"""What a state looks like from outside: the result that a run ends with.

Screens, text and JSON are made from here, so that all of them say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.records import display_name
from route53_takeover.core.state import Stage

if TYPE_CHECKING:
    from route53_takeover.core.state import Handover, NameState, State


class RecordResult(Struct, frozen=True, kw_only=True):
    """What became of one record set. Times are seconds since the epoch."""

    name: str
    type: str
    outcome: str
    strategy: str
    released_at: float | None = None
    created_at: float | None = None
    gap_seconds: float | None = None
    gap_seconds_dns: float | None = None


class Result(Struct, frozen=True, kw_only=True):
    """How a run ended, for the last JSON line and the summary.

    ``api_calls`` is ``None`` where nobody counted: a run that is told from its journal.
    """

    run: str | None
    phase: str
    outcome: str
    exit_code: int
    reason: str
    owner_notice: str | None = None
    records: tuple[RecordResult, ...] = ()
    api_calls: Mapping[str, int] | None = {}


_OUTCOMES = {
    Stage.STANDING: "untouched",
    Stage.CHANGED: "untouched",
    Stage.CREATED: "created",
    Stage.ADOPTED: "adopted",
    Stage.RESTORED: "restored",
    Stage.RELEASED: "unknown",
    Stage.LOST: "unknown",
}


def record_results(state: State) -> tuple[RecordResult, ...]:
    """One for each record set of the plan, those that the stack owned already included."""
    owned = tuple(
        RecordResult(name=display_name(r.key.name), type=r.type, outcome="owned", strategy="delete")
        for r in state.plan.owned
    )
    return owned + tuple(
        _record_result(name, handover)
        for name in state.names.values()
        for handover in name.handovers
    )


def gap_seconds(handover: Handover) -> float | None:
    """From the DELETE's acceptance until the name had a record again; ``None`` before that."""
    if handover.released_at is None or handover.back_at is None:
        return None
    return round(max(handover.back_at - handover.released_at, 0.0), 3)


def _record_result(name: NameState, handover: Handover) -> RecordResult:
    outcome = _OUTCOMES[handover.stage]
    if handover.stage is Stage.CHANGED and handover.released_at is not None:
        outcome = "unknown"
    return RecordResult(
        name=display_name(handover.original.key.name),
        type=handover.original.type,
        outcome=outcome,
        strategy="delete",
        released_at=handover.released_at,
        created_at=handover.created_at,
        gap_seconds=gap_seconds(handover),
        gap_seconds_dns=name.worst_silence if handover.released_at is not None else None,
    )


def result(state: State, api_calls: Mapping[str, int] | None) -> Result:
    """The result of a run that has ended.

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
        owner_notice=owner_notice(state),
        records=record_results(state),
        api_calls=None if api_calls is None else dict(sorted(api_calls.items())),
    )


def owner_notice(state: State) -> str | None:
    """Who owns the records now and what the next deploy does to them; ``None`` if nothing new."""
    taken = [
        display_name(h.original.key.name)
        for h in state.handovers
        if h.stage in (Stage.CREATED, Stage.ADOPTED)
    ]
    if not taken or state.ending is None or state.ending.exit_code != 0:
        return None
    stack = state.root.stack_name or state.plan.options.stack
    return (
        f"Stack {stack} owns {', '.join(dict.fromkeys(taken))} now. The next deploy with the "
        "switch off deletes it: make the switch permanent now."
    )
