"""How the simulated CloudFormation creates records where a real account's was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.plan.measured import MeasuredOutcome, RecordKind, kind_of_record
from route53_takeover.simulation.aws.cloudformation.record_handler import (
    DEFAULT_MODES,
    Mode,
    RecordHandlerConfig,
    case_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.measured import Measurement

_MODES = {
    MeasuredOutcome.RETRIED: Mode.RETRY,
    MeasuredOutcome.FAILED_AT_ONCE: Mode.FAIL,
    MeasuredOutcome.ADOPTED: Mode.ADOPT,
    MeasuredOutcome.OVERWRITTEN: Mode.OVERWRITE,
}
_LONGEST = 3600.0
"""Seconds for which it goes on where it was still trying when the measurement ended."""


def measured_config(
    measured: Measurement, kinds: Iterable[RecordKind | None] = (RecordKind.ALIAS,)
) -> RecordHandlerConfig:
    """The handler's habits as they were measured; as publicly reported where they were not.

    Args:
        kinds: whose schedule counts, the first that was retried: the handler has one for all.
    """

    def mode(there: RecordSet, desired: RecordSet) -> Mode:
        kind, case = kind_of_record(desired), case_of(there, desired)
        known = None if kind is None else measured.of(kind)
        if known is None or kind is not kind_of_record(there):
            return DEFAULT_MODES[case]
        outcome = known.identical if there.same_as(desired) else known.differs
        return _MODES.get(outcome, DEFAULT_MODES[case])

    delays = measured_delays(measured, kinds)
    config = RecordHandlerConfig(modes=mode)
    return config if delays is None else replace(config, retry_delays=delays)


def measured_delays(
    measured: Measurement, kinds: Iterable[RecordKind | None]
) -> tuple[float, ...] | None:
    """The pauses between the tries; behind the last one that was seen it goes on as before."""
    for kind in kinds:
        known = None if kind is None else measured.of(kind)
        if known is None or not known.retry_delays:
            continue
        delays = list(known.retry_delays)
        end = known.gave_up_after if known.gave_up_after is not None else _LONGEST
        while sum(delays) + delays[-1] <= end:
            delays.append(delays[-1])
        return tuple(delays)
    return None
