"""What CloudTrail adds to a measurement: tries that no read has shown, and times of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.names import normal_name
from route53_takeover.core.plan.measured import MeasuredOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.core.measuring.ports import LoggedChange
    from route53_takeover.core.plan.measured import MeasuredKind

_HALF_A_SECOND = 0.5
"""CloudTrail cuts its times to seconds: half a second later is off by half a second at most."""
_SAME_TRY = 1.0


def merge_logged(
    measured: MeasuredKind,
    changes: Sequence[LoggedChange],
    *,
    stayed: str,
    started: float | None,
    told: Mapping[str, float],
) -> MeasuredKind:
    """The same with the tries over the record that was never deleted, and the events' lag.

    Args:
        stayed: the name of that record; ``started``: when its create began.
        told: name -> the time of the event that told of its create.
    """
    ours = [each for each in changes if each.by_cloudformation and "CREATE" in each.actions]
    lag = _event_lag(ours, told)
    if lag is not None:
        measured = replace(measured, event_lag=lag)
    if measured.differs is not MeasuredOutcome.RETRIED or started is None:
        return measured
    at = normal_name(stayed)
    seen = [
        round(each.time + _HALF_A_SECOND - started, 2)
        for each in ours
        if at in each.names and each.error
    ]
    apart = max(_SAME_TRY, measured.uncertainty + _HALF_A_SECOND)
    more = [
        each
        for each in sorted(seen)
        if each >= _SAME_TRY and all(abs(each - known) >= apart for known in measured.tries)
    ]
    return replace(measured, tries=tuple(sorted((*measured.tries, *more))), logged=len(more))


def _event_lag(changes: Sequence[LoggedChange], told: Mapping[str, float]) -> float | None:
    """Seconds from an accepted change until the event that tells of it, on average."""
    submitted = {
        name: each.submitted_at
        for each in changes
        if each.submitted_at is not None and not each.error
        for name in each.names
    }
    lags = [
        time - accepted
        for name, time in told.items()
        if (accepted := submitted.get(normal_name(name))) is not None
    ]
    return round(sum(lags) / len(lags), 2) if lags else None
