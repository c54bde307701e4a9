"""The forecast of a run beside what was measured."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.core.status.test_result import ended, handed

from route53_takeover.core.status.forecast_result import (
    forecast_result_lines,
    forecast_result_objects,
)
from route53_takeover.core.takeover.name_state import RecordStatus


def test_the_gap_by_the_api_and_by_name_servers_is_held_against_the_forecast() -> None:
    handover = handed(
        RecordStatus.CREATED, released_at=10.0, gone_at=10.0, created_at=12.5, back_at=12.0
    )
    state = ended(handover, answered=frozenset({"ns1", "ns2"}), silences={"ns1": 3.0, "ns2": 2.0})
    (told,) = forecast_result_objects(state)
    assert (told["gap_seconds"], told["harmed_seconds"]) == (5.0, 75.0)
    measured = told["measured"]
    assert (measured["gap_seconds"], measured["gap_seconds_dns"]) == (2.0, 3.0)
    assert measured["affected_share"] == pytest.approx(2.5 / 60, abs=0.0001)  # by all name servers
    assert measured["harmed_seconds"] == pytest.approx(37.5)
    heading, line = forecast_result_lines(state)
    assert heading == "Forecast and measurement:"
    assert line == (
        "  www.example.com CNAME: gap 5 s expected, 2.0 s (3.0 s at the worst name server): 4 % of "
        "resolvers instead of 8 %, 38 s per user instead of 75 s"
    )


def test_an_adopted_record_had_no_gap_and_harmed_no_user() -> None:
    (told,) = forecast_result_objects(ended(handed(RecordStatus.ADOPTED)))
    assert told["measured"]["gap_seconds"] == told["measured"]["harmed_seconds"] == 0.0


def test_what_was_never_deleted_has_nothing_measured() -> None:
    state = ended(handed(RecordStatus.STANDING))
    (told,) = forecast_result_objects(state)
    assert set(told["measured"].values()) == {None}
    assert forecast_result_lines(state)[1:] == [
        "  www.example.com CNAME: gap 5 s expected, none measured"
    ]


def test_a_run_that_took_nothing_over_has_no_comparison() -> None:
    state = replace(ended(), names={})
    assert forecast_result_lines(state) == []
    assert forecast_result_objects(state) == []
