"""The forecast: what a gap is expected to cost the users of the names, as numbers.

Per strategy and per record set, from assumptions that are shown beside them. The arithmetic is in
`route53_takeover.core.plan.harm`, the wording in `route53_takeover.core.plan.forecast_lines`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
from route53_takeover.core.plan.harm import affected_share, harmed_seconds
from route53_takeover.core.plan.hold import hold_for
from route53_takeover.core.plan.measured import (
    MeasuredOutcome,
    best_hold,
    gap_after,
    least_deadman,
)
from route53_takeover.core.plan.model import Strategy, StrategyForecast
from route53_takeover.core.timing import (
    ALIAS_HOLD,
    DEADMAN,
    EXPECTED_GAP,
    INSYNC,
    OTHER_HOLD,
    deadman_after,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.plan.model import Manual, Plan
    from route53_takeover.core.plan.strategies.assessment import Assessment

ALIAS_TTL = 60
"""Seconds: what the targets of alias records have, as measured (CloudFront, ELB)."""
WORTH_CHANGING = 1.0
"""Harmed seconds per user that another strategy must save before it is recommended."""


class Assumptions(Struct, frozen=True, kw_only=True):
    """What the numbers hang on. Durations in seconds.

    Attributes:
        expected_gap: from the DELETE until CloudFormation's next try, which creates the record; of
            several record sets the longest.
        is_measured: whether that was measured in this account, for each of them.
        negative_ttl: how long a resolver caches that the name is absent.
        alias_ttl: the TTL that an alias record takes from its target.
        propagation: until a change is on every name server.
        restore_after: until the record is restored, if CloudFormation creates nothing.
        weights: the stack's shares of the answers, step by step, with ``weighted``.
        weight_every: between two of these steps.
    """

    expected_gap: float
    negative_ttl: int
    alias_ttl: int = ALIAS_TTL
    propagation: float = INSYNC
    restore_after: float = DEADMAN[0]
    weights: tuple[int, ...] = ()
    weight_every: float = 0.0
    is_measured: bool = False


class RecordForecast(Struct, frozen=True, kw_only=True):
    """What one record set of the plan is expected to go through.

    Attributes:
        ttl: the TTL in caches when it changes hands.
        affected_share: of the resolvers, those that ask in the gap: 0 to 1.
        harmed_seconds: without an answer, for an average user.
    """

    key: RecordKey
    strategy: Strategy
    ttl: int
    gap_seconds: float
    affected_share: float
    harmed_seconds: float


def assumptions(plan: Plan) -> Assumptions:
    options = plan.options
    after = options.restore_after
    measured = [each for m in plan.manuals if (each := plan.measured_of(m.original)) is not None]
    gaps = [measured_gap(plan, manual) for manual in plan.manuals]
    return Assumptions(
        expected_gap=max(options.expected_gap if gap is None else gap for gap in gaps or [None]),
        is_measured=None not in gaps and bool(gaps),
        negative_ttl=plan.negative_ttl_in_gap,
        restore_after=deadman_after(0.0, after, least_deadman(measured)),
        weights=options.weights,
        weight_every=options.weight_every,
    )


def record_forecast(plan: Plan, manual: Manual, gap: float | None = None) -> RecordForecast:
    """What is expected for a record set, by its strategy.

    Args:
        gap: seconds for which it is, or was, missing; ``None``: as the assumptions say.
    """
    assumed = assumptions(plan)
    ttl = ttl_in_caches(manual)
    if gap is None:
        measured = measured_gap(plan, manual)
        expected = plan.options.expected_gap if measured is None else measured
        gap = expected if plan.expects_gap(manual) else 0.0
    is_harmful = plan.may_be_unanswered(manual.original)
    return RecordForecast(
        key=manual.key,
        strategy=manual.strategy,
        ttl=ttl,
        gap_seconds=gap,
        affected_share=affected_share(gap, ttl) if is_harmful else 0.0,
        harmed_seconds=harmed_seconds(gap, ttl, assumed.negative_ttl) if is_harmful else 0.0,
    )


def measured_gap(plan: Plan, manual: Manual) -> float | None:
    """The gap that a measurement lets expect; ``None``: nothing was, or ``--expected-gap`` is."""
    if plan.options.expected_gap != EXPECTED_GAP:
        return None
    measured, desired = plan.measured_of(manual.original), _desired(plan, manual)
    if measured is None or measured.differs is not MeasuredOutcome.RETRIED:
        return None
    if desired is None:
        least = ALIAS_HOLD if manual.original.alias is not None else OTHER_HOLD
        hold = best_hold(measured, least) if plan.options.hold is None else plan.options.hold
    elif plan.measured_of(manual.original, desired.record) is None:
        return None
    else:
        hold = hold_for(plan.options, manual.original, desired, measured)
    return gap_after(measured, hold)


def _desired(plan: Plan, manual: Manual) -> DesiredRecord | None:
    """What the stack will create in its place, where the templates tell."""
    shape = next((e.desired for e in plan.records if e.now == manual.original and e.known), None)
    if shape is None:
        return None
    try:
        record = RecordSet.from_api(shape)
    except (KeyError, TypeError, AttributeError):  # an intrinsic function in the place of a value
        return None
    return DesiredRecord(record=record, complete=True)


def record_forecasts(plan: Plan) -> tuple[RecordForecast, ...]:
    """One for each record set that is taken over."""
    return tuple(record_forecast(plan, manual) for manual in plan.manuals)


def ttl_in_caches(manual: Manual) -> int:
    """The TTL that resolvers have the record with when it changes hands."""
    record = manual.lowered or manual.original
    return ALIAS_TTL if record.ttl is None else record.ttl


def strategy_forecast(
    plan: Plan, strategy: Strategy, found: Iterable[tuple[str, Assessment]]
) -> StrategyForecast:
    """What one strategy comes to for these names; the numbers are those of the worst record set."""
    each_name = list(found)
    for name, assessment in each_name:
        if not assessment.is_possible:
            at = f"{shown_name(name)}: " if len(each_name) > 1 else ""
            return StrategyForecast(
                strategy=strategy, reason=at + assessment.reason, hint=assessment.hint
            )
    there = replace(plan, helpers=tuple(h for _, each in each_name for h in each.helpers))
    manuals = [manual for _, assessment in each_name for manual in assessment.manuals]
    expected = [record_forecast(there, manual) for manual in manuals]
    after = assumptions(plan).restore_after
    worst = [record_forecast(there, m, after) for m in manuals if there.may_be_missing(m)]
    effects = [assessment.side_effect for _, assessment in each_name if assessment.side_effect]
    return StrategyForecast(
        strategy=strategy,
        gap_seconds=max((each.gap_seconds for each in expected), default=0.0),
        affected_share=max((each.affected_share for each in expected), default=0.0),
        harmed_seconds=max((each.harmed_seconds for each in expected), default=0.0),
        worst_harmed_seconds=max((each.harmed_seconds for each in worst), default=0.0),
        side_effects=tuple(dict.fromkeys(effects)),
        reaches_others=any(assessment.reaches_others for _, assessment in each_name),
    )


def rank(forecast: StrategyForecast) -> tuple[float, float, int]:
    """The order of ``auto``: expected harm, then the harm at worst, then side effects."""
    effects = 2 if forecast.reaches_others else min(len(forecast.side_effects), 1)
    return (
        round(forecast.harmed_seconds, 3),
        round(forecast.worst_harmed_seconds, 3),
        effects,
    )


def expected_harm(plan: Plan) -> float:
    """Harmed seconds per user of the plan as it is: of its worst record set."""
    return max((each.harmed_seconds for each in record_forecasts(plan)), default=0.0)


def chosen(plan: Plan) -> frozenset[Strategy]:
    """The strategies of the plan; of a refused one, what was asked for."""
    if plan.options.strategy is not Strategy.AUTO:
        return frozenset({plan.options.strategy})
    return frozenset(manual.strategy for manual in plan.manuals)


def recommended(plan: Plan) -> StrategyForecast | None:
    """A better strategy than the chosen one, where that is not possible or the harm is worth it."""
    possible = [each for each in plan.strategies if each.is_possible]
    best = min(possible, key=rank, default=None)
    if best is None or best.strategy in chosen(plan):
        return None
    is_impossible = plan.options.strategy in {
        each.strategy for each in plan.strategies if not each.is_possible
    }
    saves = expected_harm(plan) - best.harmed_seconds
    return best if is_impossible or saves >= WORTH_CHANGING else None
