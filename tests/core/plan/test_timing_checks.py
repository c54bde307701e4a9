"""A time of the user's that makes a takeover fail, or a gap long, is warned of with the numbers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.plan.test_forecast import ALIAS, plan

from route53_takeover.base.errors import UsageError
from route53_takeover.cli.takeover_options import Takeover
from route53_takeover.core.plan.timing_checks import told, warn_times


@pytest.mark.parametrize(
    ("options", "text", "hint"),
    [
        ({"restore_after": 1.0}, "--restore-after 1 s is shorter than the 5 s", "1 min to 5 min"),
        ({"restore_after": 36000.0}, "no record for 10 h", "1 min to 5 min"),
        ({"restore_after": 9.0, "expected_gap": 20.0}, "shorter than the 20 s", ""),
        ({"hold": 300.0}, "keep trying for 5 min before", "2 s for an alias, else 10 s"),
    ],
)
def test_a_time_that_does_not_fit_is_warned_of(
    options: dict[str, Any], text: str, hint: str
) -> None:
    (found,) = warn_times(plan(ALIAS, **options))
    assert text in found.text
    assert hint in found.hint


@pytest.mark.parametrize(
    "options", [{}, {"hold": 60.0}, {"restore_after": 5.0}, {"restore_after": 300.0}]
)
def test_a_time_that_fits_is_not(options: dict[str, Any]) -> None:
    assert list(warn_times(plan(ALIAS, **options))) == []


def test_nothing_is_warned_of_where_no_name_loses_its_record() -> None:
    assert list(warn_times(plan(restore_after=1.0))) == []


def test_a_hold_that_outlasts_the_deploy_is_refused() -> None:
    def asked(**times: Any) -> Takeover:
        return Takeover(stack="s", record=["a.b"], no_deploy=True, **times)

    with pytest.raises(UsageError, match="--hold 10h is not shorter than --deploy-timeout 2h"):
        asked(hold=36000.0).options()
    with pytest.raises(UsageError, match="--deploy-timeout 90s"):
        asked(hold=90.0, deploy_timeout=90.0).options()
    assert asked(hold=36000.0, deploy_timeout=40000.0).options().hold == 36000.0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 s"), (1.5, "1.5 s"), (90.0, "90 s"), (300.0, "5 min")]
)
def test_a_time_is_told_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    assert told(seconds) == text
