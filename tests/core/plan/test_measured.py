"""What a plan concludes from a measurement: the gap, the hold, the deadman, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.builders import plan

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.plan.forecast import assumptions, record_forecast
from route53_takeover.core.plan.forecast_lines import forecast_lines
from route53_takeover.core.plan.forecast_objects import forecast_object, measured_objects
from route53_takeover.core.plan.hold import hold_for
from route53_takeover.core.plan.measured import (
    MeasuredKind,
    MeasuredOutcome,
    Measurement,
    RecordKind,
    best_hold,
    gap_after,
    kind_of_record,
    least_deadman,
    measured_line,
)
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.timing import deadman_after

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Plan

DAY = 1795737600.0  # 2026-11-27
ALIAS = RecordSet(
    name="www.example.com.",
    type="A",
    alias=AliasTarget(zone_id="Z2FDTNDATAQYW2", dns_name="d1.cloudfront.net."),
)
PLAIN = RecordSet(name="www.example.com.", type="A", ttl=60, values=("192.0.2.1",))


def retried(*tries: float, kind: RecordKind = RecordKind.ALIAS) -> MeasuredKind:
    return MeasuredKind(
        kind=kind, at=DAY, differs=MeasuredOutcome.RETRIED, tries=tries, watched_for=600.0
    )


def measured(*kinds: MeasuredKind) -> Measurement:
    return Measurement(
        account="123456789012", region="us-east-1", run="20261127-000000-measure", kinds=kinds
    )


def planned(record: RecordSet, *kinds: MeasuredKind, **options: object) -> Plan:
    made = plan(record, measured=measured(*kinds))
    return replace(made, options=replace(made.options, **options))


@pytest.mark.parametrize(
    ("tries", "hold", "gap"),
    [
        ((1.0, 3.0, 7.0), 4.9, 1.1),  # a DELETE that is due at 2 may miss the try at 3
        ((1.0, 4.0, 7.0), 4.9, 1.1),
        ((1.0, 10.0, 20.0), 7.9, 1.1),
        ((1.0, 3.6, 60.0), 2.0, 11.88),  # nothing is put off by a minute
        ((5.0, 65.0), 2.9, 1.1),
        ((1.0, 120.0), 2.0, 117.0),
        ((0.5, 1.0), 2.0, None),  # no later try is known
    ],
)
def test_the_release_comes_right_before_a_try(
    tries: tuple[float, ...], hold: float, gap: float | None
) -> None:
    found = best_hold(retried(*tries), 2.0)
    assert found == pytest.approx(hold)
    assert gap_after(retried(*tries), found) == (gap if gap is None else pytest.approx(gap))


def test_late_events_and_uncertain_times_bring_the_release_forward() -> None:
    late = replace(retried(1.0, 10.0, 20.0), seen_after=1.5, uncertainty=0.3)
    assert best_hold(late, 2.0) == pytest.approx(7.9 - 1.8)


@pytest.mark.parametrize("outcome", [*MeasuredOutcome])
def test_a_hold_is_never_shorter_than_without_a_measurement(outcome: MeasuredOutcome) -> None:
    known = replace(retried(0.5, 1.0, 9.0, 13.0), differs=outcome)
    assert best_hold(known, 10.0) >= 10.0
    desired = DesiredRecord(record=replace(PLAIN, values=("192.0.2.2",)), complete=True)
    made = planned(PLAIN, replace(known, kind=RecordKind.A))
    assert hold_for(made.options, PLAIN, desired, known) >= 10.0
    assert hold_for(replace(made.options, hold=0.5), PLAIN, desired, known) == 0.5


def test_the_deadman_outlasts_the_measured_pauses_within_its_bounds() -> None:
    assert deadman_after(5.0, None, least_deadman([retried(1.0, 3.0)])) == 60.0
    assert deadman_after(5.0, None, least_deadman([retried(1.0, 61.0, 141.0)])) == 120.0
    assert deadman_after(5.0, None, least_deadman([retried(1.0, 600.0)])) == 300.0
    assert deadman_after(5.0, 20.0, least_deadman([retried(1.0, 600.0)])) == 20.0


def test_the_forecast_is_that_of_the_measured_schedule() -> None:
    made = planned(ALIAS, retried(1.0, 10.0, 20.0))
    assert record_forecast(made, made.manuals[0]).gap_seconds == pytest.approx(1.1)
    assert assumptions(made).is_measured
    told = forecast_object(made)
    assert told is not None
    assert told["assumptions"]["expected_gap_seconds"] == pytest.approx(1.1)
    assert told["assumptions"]["expected_gap_is_measured"] is True
    lines = forecast_lines(made)
    assert (
        "alias: measured here on 2026-11-27: retries after 1, 10, 20 s (still trying after 600 s)"
        in lines
    )
    assert not any("is an assumption" in line for line in lines)
    assert measured_objects(made)[0]["tries"] == (1.0, 10.0, 20.0)


def test_what_the_user_expects_wins_over_a_measurement() -> None:
    made = planned(ALIAS, retried(1.0, 10.0, 20.0), expected_gap=12.0)
    assert record_forecast(made, made.manuals[0]).gap_seconds == 12.0
    assert not assumptions(made).is_measured
    held = planned(ALIAS, retried(1.0, 10.0, 20.0), hold=4.0)
    assert record_forecast(held, held.manuals[0]).gap_seconds == 5.0


def test_a_kind_that_was_not_measured_is_assumed() -> None:
    made = planned(PLAIN, retried(1.0, 10.0))
    assert record_forecast(made, made.manuals[0]).gap_seconds == 5.0
    assert measured_objects(made) == []
    lines = forecast_lines(made)
    assert any("is an assumption" in line for line in lines)
    assert made.measured_of(PLAIN, ALIAS) is None, "a change of kinds was not measured"


def test_a_kind_that_fails_at_once_is_said_to() -> None:
    fails = MeasuredKind(kind=RecordKind.A, at=DAY, differs=MeasuredOutcome.FAILED_AT_ONCE)
    lines = forecast_lines(planned(PLAIN, fails))
    assert "a: measured here on 2026-11-27: fails at once over a record that differs" in lines
    assert any("another strategy avoids that" in line for line in lines)


def test_a_measured_adoption_lets_adopt_expect_no_gap() -> None:
    adopts = MeasuredKind(kind=RecordKind.A, at=DAY, identical=MeasuredOutcome.ADOPTED)
    for kinds, expects in (((), True), ((adopts,), False)):
        made = planned(PLAIN, *kinds)
        manual = replace(made.manuals[0], strategy=Strategy.ADOPT, prepared=PLAIN)
        assert replace(made, manuals=(manual,)).expects_gap(manual) is expects


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (retried(1.0, 3.0, 7.04, 15.0, 30.0, 60.0, 90.0), "after 1, 3, 7, 15, 30, 60... s (still"),
        (replace(retried(1.0), gave_up_after=270.0), "gives up after 270 s"),
        (replace(retried(), gave_up_after=7.0), "retries (gives up after 7 s)"),
        (
            replace(retried(1.0), identical=MeasuredOutcome.ADOPTED, rollback="deleted"),
            "adopts an identical record, and a rollback deletes it",
        ),
        (replace(retried(1.0), protected=MeasuredOutcome.FAILED_AT_ONCE), "a protected create"),
        (replace(retried(1.0), note="Route 53 refuses such a record"), "Route 53 refuses"),
    ],
)
def test_a_line_says_what_was_found(kind: MeasuredKind, said: str) -> None:
    assert said in measured_line(kind)


def test_records_are_told_apart_by_their_kinds() -> None:
    cname = replace(PLAIN, type="CNAME", values=("a.example.net.",))
    assert kind_of_record(ALIAS) is RecordKind.ALIAS
    assert kind_of_record(replace(PLAIN, type="AAAA")) is RecordKind.A
    assert kind_of_record(cname) is RecordKind.CNAME
    assert kind_of_record(replace(PLAIN, type="MX")) is None
    assert kind_of_record(replace(ALIAS, type="HTTPS")) is None
