"""The forecast of a run held against what was measured, for `report`."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.plan.forecast import RecordForecast, record_forecast
from route53_takeover.core.plan.forecast_objects import record_object
from route53_takeover.core.status.result import gap_seconds, unwatched_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.takeover.state import State


class ForecastResult(Struct, frozen=True, kw_only=True):
    """One record set: what was expected, and what the gap that was measured comes to.

    Attributes:
        gap_seconds: by the API; ``None`` where nothing was deleted, or nothing stands yet.
        gap_seconds_dns: of the worst name server; ``None`` where none was asked.
        unwatched: seconds of the gap in which no process read the name: it is an upper limit then.
        affected_share: of the resolvers, each of which asks one of the name servers, or by the API
            where none was asked; ``None`` where nothing was measured. So are the harmed seconds.
    """

    expected: RecordForecast
    gap_seconds: float | None
    gap_seconds_dns: float | None
    affected_share: float | None = None
    harmed_seconds: float | None = None
    unwatched: float = 0.0


def forecast_results(state: State) -> Iterator[ForecastResult]:
    """One for each record set that was to be taken over."""
    for name in state.names.values():
        for handover in name.handovers:
            manual = state.plan.manual(handover.original)
            released = handover.released_at is not None
            told = ForecastResult(
                expected=record_forecast(state.plan, manual),
                gap_seconds=gap_seconds(handover),
                gap_seconds_dns=name.worst_silence if released else None,
                unwatched=unwatched_seconds(state, handover),
            )
            gaps = [] if told.gap_seconds is None else [told.gap_seconds]
            if told.gap_seconds_dns is not None:
                gaps = [name.silences.get(server, 0.0) for server in name.answered]
            measured = [record_forecast(state.plan, manual, gap) for gap in gaps]
            yield (
                told
                if not measured
                else replace(
                    told,
                    affected_share=fmean(each.affected_share for each in measured),
                    harmed_seconds=fmean(each.harmed_seconds for each in measured),
                )
            )


def forecast_result_object(each: ForecastResult) -> dict[str, Any]:
    """The comparison as JSON: what was expected, and under ``measured`` what came."""
    return record_object(each.expected) | {
        "measured": {
            "gap_seconds": each.gap_seconds,
            "gap_seconds_dns": each.gap_seconds_dns,
            "affected_share": _rounded(each.affected_share, 4),
            "harmed_seconds": _rounded(each.harmed_seconds, 3),
        }
    }


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
