"""A run whose plan knows the schedule of CloudFormation's tries releases right before one."""

from __future__ import annotations

import pytest

from route53_takeover.core.plan.measured import (
    MeasuredKind,
    MeasuredOutcome,
    Measurement,
    RecordKind,
)
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_many, rehearse_once
from route53_takeover.simulation.scenarios import SCENARIOS

CALM = Faults()


def measured(*tries: float) -> Measurement:
    kind = MeasuredKind(
        kind=RecordKind.ALIAS,
        at=0.0,
        differs=MeasuredOutcome.RETRIED,
        tries=tries,
        uncertainty=0.2,
        seen_after=0.4,
        watched_for=600.0,
    )
    return Measurement(
        account="123456789012", region="us-east-1", run="20261127-000000-measure", kinds=(kind,)
    )


@pytest.mark.parametrize("tries", [(1.0, 10.0, 20.0, 30.0), (1.0, 3.0, 7.0, 15.0), (5.0, 35.0)])
def test_the_gap_is_short_whatever_the_schedule_is(tries: tuple[float, ...]) -> None:
    for seed in range(12):
        run = rehearse_once(SCENARIOS["alias"], f"{seed}", CALM, measured=measured(*tries))
        assert run.result.outcome == "done"
        assert not run.broken
        assert run.gap_seconds is not None
        assert run.gap_seconds <= 3.2, f"seed {seed}"


def test_long_pauses_put_the_deadman_off() -> None:
    """Without the measurement it would restore after 60 s, before the try at 100 s."""
    for seed in range(6):
        run = rehearse_once(SCENARIOS["alias"], f"{seed}", CALM, measured=measured(1.0, 100.0))
        assert run.result.outcome == "done"
        assert run.gap_seconds is not None
        assert 90.0 <= run.gap_seconds <= 100.0


def test_faults_break_no_promise_of_a_run_with_a_measurement() -> None:
    for run in rehearse_many(25, 11, None, measured(1.0, 61.0, 141.0)):
        assert not run.broken, run.broken
        assert not run.absent
