"""The forecast as JSON: the keys ``strategies`` and ``forecast`` of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.plan.forecast import (
    assumptions,
    chosen,
    recommended,
    record_forecasts,
)

if TYPE_CHECKING:
    from route53_takeover.core.plan.forecast import RecordForecast
    from route53_takeover.core.plan.model import Plan


def strategy_objects(plan: Plan) -> list[dict[str, Any]]:
    """Every strategy, chosen or not; the numbers of one that is not possible are ``None``."""
    told = []
    for each in plan.strategies:
        numbers = {
            "gap_seconds": each.gap_seconds,
            "affected_share": round(each.affected_share, 4),
            "harmed_seconds": round(each.harmed_seconds, 3),
            "worst_harmed_seconds": round(each.worst_harmed_seconds, 3),
        }
        told.append(
            {
                "strategy": str(each.strategy),
                "possible": each.is_possible,
                "reason": f"{each.reason} {each.hint}".strip() or None,
                **(numbers if each.is_possible else dict.fromkeys(numbers)),
                "side_effects": list(each.side_effects),
                "chosen": each.strategy in chosen(plan),
            }
        )
    return told


def forecast_object(plan: Plan) -> dict[str, Any] | None:
    """What is expected of the plan as it is, with the assumptions; ``None`` of one without."""
    if not plan.manuals:
        return None
    assumed, better = assumptions(plan), recommended(plan)
    records = record_forecasts(plan)
    return {
        "assumptions": {
            "expected_gap_seconds": assumed.expected_gap,
            "expected_gap_is_measured": assumed.is_measured,
            "negative_ttl_seconds": assumed.negative_ttl,
            "alias_ttl_seconds": assumed.alias_ttl,
            "propagation_seconds": assumed.propagation,
            "restore_after_seconds": assumed.restore_after,
            "weights": list(assumed.weights),
            "weight_every_seconds": assumed.weight_every,
        },
        "drain_seconds": plan.drain_seconds,
        "gap_seconds": max(each.gap_seconds for each in records),
        "affected_share": max(round(each.affected_share, 4) for each in records),
        "harmed_seconds": max(round(each.harmed_seconds, 3) for each in records),
        "records": [record_object(each) for each in records],
        "recommended": None if better is None else f"--strategy {better.strategy}",
    }


def measured_objects(plan: Plan) -> list[dict[str, Any]]:
    """What `rehearse --live` has found out about records like those of the plan."""
    found = (plan.measured_of(manual.original) for manual in plan.manuals)
    return [to_builtins(each) for each in dict.fromkeys(each for each in found if each)]


def record_object(each: RecordForecast) -> dict[str, Any]:
    """What one record set is expected to go through."""
    return {
        "name": display_name(each.key.name),
        "type": each.key.type,
        "set_identifier": each.key.set_identifier,
        "strategy": str(each.strategy),
        "ttl_seconds": each.ttl,
        "gap_seconds": each.gap_seconds,
        "affected_share": round(each.affected_share, 4),
        "harmed_seconds": round(each.harmed_seconds, 3),
    }
