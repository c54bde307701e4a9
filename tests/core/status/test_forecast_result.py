"""The forecast of a run beside what was measured."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.core.status.test_result import ended, handed

from route53_takeover.core.status.forecast_result import forecast_result_object, forecast_results
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.output.report_words import forecast_rows


def test_the_gap_by_the_api_and_by_name_servers_is_held_against_the_forecast() -> None:
    handover = handed(
        RecordStatus.CREATED, released_at=10.0, gone_at=10.0, created_at=12.5, back_at=12.0
    )
    state = ended(handover, answered=frozenset({"ns1", "ns2"}), silences={"ns1": 3.0, "ns2": 2.0})
    (result,) = forecast_results(state)
    told = forecast_result_object(result)
    assert (told["gap_seconds"], told["harmed_seconds"]) == (5.0, 75.0)
    measured = told["measured"]
    assert (measured["gap_seconds"], measured["gap_seconds_dns"]) == (2.0, 3.0)
    assert measured["affected_share"] == pytest.approx(2.5 / 60, abs=0.0001)  # by all name servers
    assert measured["harmed_seconds"] == pytest.approx(37.5)
    assert forecast_rows(result) == (
        ("www.example.com CNAME", "forecast", "5 s", "", "8 %", "75 s"),
        ("", "measured", "2.0 s", "3.0 s", "4 %", "38 s"),
    )


def test_a_gap_that_no_process_watched_to_its_end_is_an_upper_limit() -> None:
    handover = handed(
        RecordStatus.CREATED,
        released_at=10.0,
        gone_at=10.0,
        created_at=12.5,
        back_at=12.0,
    )
    (result,) = forecast_results(replace(ended(handover), unwatched=((10.5, 11.5),)))
    assert forecast_rows(result)[1][2] == "at most 2.0 s"


def test_an_adopted_record_had_no_gap_and_harmed_no_user() -> None:
    (result,) = forecast_results(ended(handed(RecordStatus.ADOPTED)))
    told = forecast_result_object(result)
    assert told["measured"]["gap_seconds"] == told["measured"]["harmed_seconds"] == 0.0


def test_what_was_never_deleted_has_nothing_measured() -> None:
    state = ended(handed(RecordStatus.STANDING))
    (result,) = forecast_results(state)
    told = forecast_result_object(result)
    assert set(told["measured"].values()) == {None}
    assert forecast_rows(result)[1] == ("", "measured", "none", "", "", "")


def test_a_run_that_took_nothing_over_has_no_comparison() -> None:
    state = replace(ended(), names={})
    assert list(forecast_results(state)) == []
