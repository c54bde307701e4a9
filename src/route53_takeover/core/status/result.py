"""The result that a run ends with: the one source for screen, text and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import RecordKey, display_name
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.status.spoken_times import length
from route53_takeover.core.takeover.name_state import TAKEN_STAGES, RecordStatus
from route53_takeover.core.takeover.queries import matching_resources, root_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.name_state import Handover, NameState
    from route53_takeover.core.takeover.state import State


class RecordResult(Struct, frozen=True, kw_only=True):
    """The result for one record set. Times are seconds since the epoch.

    ``observed``: what CloudFormation did about the record: ``adopted``, ``retried`` until it was
    released, ``failed-at-once``, or ``created`` where nothing was in its way.
    ``unwatched``: for how many seconds of the gap no process lived, so that the gap was at most as
    long as it says; not in the JSON line.
    """

    name: str
    type: str
    outcome: str
    strategy: str
    released_at: float | None = None
    created_at: float | None = None
    gap_seconds: float | None = None
    gap_seconds_dns: float | None = None
    unwatched: float = 0.0
    set_identifier: str | None = None
    observed: str | None = None

    @classmethod
    def of(
        cls,
        record: RecordSet,
        outcome: str,
        *,
        strategy: str = "delete",
        observed: str | None = None,
        unwatched: float = 0.0,
        **more: float | None,
    ) -> RecordResult:
        """The result for this record set."""
        key = record.key
        return cls(
            name=display_name(key.name),
            type=key.type,
            set_identifier=key.set_identifier,
            outcome=outcome,
            strategy=strategy,
            observed=observed,
            unwatched=unwatched,
            **more,
        )

    @property
    def label(self) -> str:
        """The record set as text names it."""
        return str(RecordKey(self.name, self.type, self.set_identifier))


class SwapResult(Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """The result for one thing that a blue-green switch switches. Times: seconds since the epoch.

    ``outcome``: ``switched``, ``restored``, ``untouched`` or ``unknown``.
    """

    kind: str
    target: str
    before: str
    after: str
    outcome: str
    switched_at: float | None = None
    first_green_at: float | None = None
    last_blue_at: float | None = None


class Result(Struct, frozen=True, kw_only=True):
    """How a run ended, for the last JSON line and the summary.

    ``api_calls`` is ``None`` where no process counted: a result made from a journal.
    ``resumable``: whether `resume` could do anything; not in the JSON line.
    """

    run: str | None
    phase: str
    outcome: str
    exit_code: ExitCode
    reason: str
    owner_notice: str | None = None
    records: tuple[RecordResult, ...] = ()
    switches: tuple[SwapResult, ...] = ()
    api_calls: Mapping[str, int] | None = {}
    resumable: bool = True


_OUTCOMES = {
    RecordStatus.STANDING: "untouched",
    RecordStatus.CHANGED: "untouched",
    RecordStatus.CREATED: "created",
    RecordStatus.ADOPTED: "adopted",
    RecordStatus.RESTORED: "restored",
    RecordStatus.RELEASED: "unknown",
    RecordStatus.LOST: "unknown",
}


def record_results(state: State) -> tuple[RecordResult, ...]:
    """One for each record set of the plan, those that the stack owned already included."""
    owned = tuple(RecordResult.of(record, "owned") for record in state.plan.owned)
    return owned + tuple(
        _record_result(state, name, handover)
        for name in state.names.values()
        for handover in name.handovers
    )


def gap_seconds(handover: Handover) -> float | None:
    """How long the name had no answer; ``None`` where nothing was deleted, or nothing stands yet.

    From the acceptance of our DELETE on, or from when what answered meanwhile was gone; where
    another writer or CloudFormation deleted it, from the first read that showed it gone.
    """
    if handover.released_at is None and not handover.lost_seconds:
        return 0.0 if handover.stage is RecordStatus.ADOPTED else None
    if handover.is_covered and handover.uncovered_at is None:
        return round(handover.lost_seconds, 3)
    if handover.gap_began_at is None or handover.back_at is None:
        return round(handover.lost_seconds, 3) if handover.lost_seconds else None
    ours = max(handover.back_at - handover.gap_began_at, 0.0)
    return round(ours + handover.lost_seconds, 3)


def unwatched_seconds(state: State, handover: Handover) -> float:
    """For how much of the gap that a release left no process lived."""
    began, back = handover.gap_began_at, handover.back_at
    if began is None or back is None:
        return 0.0
    spans = (min(until, back) - max(since, began) for since, until in state.unwatched)
    return round(sum(max(span, 0.0) for span in spans), 3)


def gap_words(lasted: str, unwatched: float, by_dns: str = "") -> str:
    """How long a gap lasted, or at most did: a record may come back while no process reads it.

    Args:
        by_dns: how long it was at the worst name server.
    """
    notes = [f"no process looked for {length(unwatched)}"] * bool(unwatched)
    notes += [f"{by_dns} at the worst name server"] * bool(by_dns)
    at_most = "at most " if unwatched else ""
    return f"{at_most}{lasted} ({'; '.join(notes)})" if notes else lasted


def _observed(state: State, handover: Handover) -> str | None:
    manual = state.plan.manual(handover.original)
    if handover.stage is RecordStatus.ADOPTED and manual.strategy is not Strategy.WEIGHTED:
        return "adopted"
    if handover.created_at is not None:
        is_free = manual.strategy in (Strategy.WEIGHTED, Strategy.BRIDGE)
        return "created" if is_free else "retried"
    failed = any(m.status == "CREATE_FAILED" for m in matching_resources(state, handover))
    return "failed-at-once" if failed and handover.released_at is None else None


def _record_result(state: State, name: NameState, handover: Handover) -> RecordResult:
    outcome = _OUTCOMES[handover.stage]
    if handover.stage is RecordStatus.CHANGED and handover.released_at is not None:
        outcome = "unknown"
    strategy = state.plan.manual(handover.original).strategy
    if handover.stage is RecordStatus.ADOPTED and strategy is Strategy.WEIGHTED:
        outcome = "created"  # beside the manual member, which is gone by now
    return RecordResult.of(
        handover.original,
        outcome,
        strategy=str(strategy),
        observed=_observed(state, handover),
        released_at=handover.released_at,
        created_at=handover.created_at,
        gap_seconds=gap_seconds(handover),
        gap_seconds_dns=name.worst_silence if handover.released_at is not None else None,
        unwatched=unwatched_seconds(state, handover),
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
        resumable=state.ending.resumable,
    )


def owner_notice(state: State) -> str | None:
    """Who owns the records now and what the next deploy does to them; ``None`` if nothing new."""
    taken = [h for h in state.handovers if is_owned(state, h)]
    if not taken or state.ending is None:
        return None
    stack = state.root.stack_name or state.plan.options.stack
    lost = _names(h for h in taken if not _is_retained(state, h))
    kept = _names(h for h in taken if _is_retained(state, h))
    options = state.plan.options
    skips_off = options.deploy_off is None and options.deploy_on is not None
    when = "whose template lacks it" if skips_off else "with the switch off"
    then = []
    if lost:
        only = f" {lost}" if kept else " it"
        then.append(f"deletes{only}")
    if kept:
        only = f" {kept}" if lost else " it"
        then.append(f"leaves{only} without an owner (DeletionPolicy: Retain)")
    do = "keep it in the template" if skips_off else "make the switch permanent now"
    return (
        f"Stack {stack} owns {_names(taken)} now. The next deploy {when} {', and '.join(then)}: "
        f"{do}."
    )


def is_owned(state: State, handover: Handover) -> bool:
    """Whether the stack owns the record at the end: the run is done, or the stack says so."""
    if handover.stage not in TAKEN_STAGES or state.ending is None:
        return False
    if state.ending.outcome is Outcome.DONE:
        return True
    created = any(m.status == "CREATE_COMPLETE" for m in matching_resources(state, handover))
    unknown = state.ending.outcome is Outcome.UNKNOWN
    return unknown and created and root_kind(state) is StackPhase.SUCCEEDED


def _is_retained(state: State, handover: Handover) -> bool:
    """Whether CloudFormation leaves it when a later template lacks it, as its template says."""
    resources = [m for m in matching_resources(state, handover) if m.status == "CREATE_COMPLETE"]
    templates = [(m, state.stacks[m.stack_id].template) for m in resources]
    return bool(templates) and all(t and m.logical_id in t.retained for m, t in templates)


def _names(handovers: Iterable[Handover]) -> str:
    return ", ".join(dict.fromkeys(h.label for h in handovers))
