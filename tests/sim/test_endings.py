"""What a run says at its end is what the account shows: rehearsals in accounts of unlike kinds.

Safety rule: ``failed`` is only said where the manual records stand and no stack owns them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.core.state import Outcome
from route53_takeover.sim.faults import Faults
from route53_takeover.sim.scenarios import (
    Scenario,
    site_account,
)
from route53_takeover.sim.virtual import options_of, rehearse_once
from route53_takeover.sim.world import Habit

if TYPE_CHECKING:
    from route53_takeover.core.view import RecordResult
    from route53_takeover.sim.verdict import Rehearsal
    from route53_takeover.sim.world import Account

WWW = "www.example.com."


def rehearsed(account: Account, *, records: tuple[str, ...] = (WWW,), **options: Any) -> Rehearsal:
    """One calm run in this account: no promise is broken, and the name has a record."""
    scenario = Scenario(
        name="ending", summary="", account=account, outcome=Outcome.DONE, exit_code=0
    )
    asked = replace(options_of(scenario), records=records, **options)
    rehearsal = rehearse_once(scenario, "ending", Faults(), options=asked)
    assert rehearsal.broken == ()
    assert not rehearsal.absent
    return rehearsal


def ending(rehearsal: Rehearsal) -> tuple[str, int]:
    return rehearsal.result.outcome, rehearsal.result.exit_code


def the_record(rehearsal: Rehearsal) -> RecordResult:
    (record,) = rehearsal.result.records
    return record


# -- where a run begins


@pytest.mark.parametrize(
    ("past", "deploy_off"),
    [("create failed", "off"), ("update failed", None), ("under review", "off")],
)
def test_a_stack_that_never_succeeded_is_gone_on_with(past: str, deploy_off: str | None) -> None:
    rehearsal = rehearsed(replace(site_account(), past=past), deploy_off=deploy_off)
    assert ending(rehearsal) == (Outcome.DONE, 0)
    assert the_record(rehearsal).outcome == "created"


def test_a_failed_stack_that_nothing_was_deployed_on_is_no_unknown_ending() -> None:
    account = replace(site_account(), past="update failed", habit=Habit.DECLINED)
    rehearsal = rehearsed(account, deploy_off=None)
    assert ending(rehearsal) == (Outcome.FAILED, 1)
    assert "nothing was deployed" in rehearsal.result.reason
    assert the_record(rehearsal).outcome == "untouched"


def test_a_private_zone_that_is_the_only_one_of_its_name_is_released_by_name() -> None:
    rehearsal = rehearsed(replace(site_account(), private=True), zone="example.com")
    assert ending(rehearsal) == (Outcome.DONE, 0)
    assert the_record(rehearsal).outcome == "created"
