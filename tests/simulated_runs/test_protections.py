"""Protections and guardrails in the simulated account: in the plan, and right before a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.release_gate import Condition, release_gates
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.scenarios import Scenario, cname, site_account

if TYPE_CHECKING:
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal
    from route53_takeover.simulation.chaos.runner import Saw

WWW = "www.example.com."


def rehearsed(account: AccountSetup, saw: Saw = lambda *_: None) -> Rehearsal:
    scenario = Scenario(
        name="protected", summary="", account=account, outcome=Outcome.DONE, exit_code=0
    )
    return rehearse_once(scenario, "protected", Faults(), options=options_of(scenario), saw=saw)


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"protections": (("www.example.com", "A", "hands off"),)}, "record set protection"),
        ({"guardrails": ("ACTIVE_RECORD_CHECK",)}, "ACTIVE_RECORD_CHECK"),
    ],
)
def test_what_route_53_would_refuse_is_refused_by_the_plan(
    changes: dict[str, tuple[object, ...]], reported: str
) -> None:
    with pytest.raises(RefusedError, match=reported):
        rehearsed(replace(site_account(), **changes))


@pytest.mark.parametrize("kind", ["A", "CNAME"])
def test_a_protection_that_comes_after_the_plan_keeps_the_record_from_being_released(
    kind: str,
) -> None:
    """``A`` is the type that CloudFormation creates, ``CNAME`` the one that would be released."""
    lacked: set[Condition] = set()

    def protect(harness: Harness, event: ev.AnyEvent, state: State) -> None:
        if isinstance(event, ev.DeployIntended) and event.switch is Switch.ON:
            harness.world.zones.protect(harness.world.zone.zone_id, WWW, kind)
        for name in state.names.values():
            for gate in release_gates(state, name):
                lacked.update(gate.unmet)

    ended = rehearsed(
        site_account(existing=replace(cname(60), values=("old.example.net",))), protect
    )
    assert ended.broken == ()
    assert not ended.absent
    assert ended.gap_seconds == 0.0
    assert Condition.UNPROTECTED in lacked
    assert not [
        event
        for event in ended.events
        if isinstance(event, ev.WriteIntended) and event.purpose is ev.Purpose.RELEASE
    ], "nothing was even tried"
    assert (ended.result.outcome, ended.result.exit_code) == (Outcome.FAILED, 1)


def test_a_protection_of_another_type_changes_nothing() -> None:
    def protect(harness: Harness, event: ev.AnyEvent, _: State) -> None:
        if isinstance(event, ev.DeployIntended) and event.switch is Switch.ON:
            harness.world.zones.protect(harness.world.zone.zone_id, WWW, "TXT")

    assert rehearsed(site_account(), protect).result.outcome == Outcome.DONE


def test_a_protection_that_is_deleted_in_time_lets_the_run_go_on() -> None:
    def protect(harness: Harness, event: ev.AnyEvent, _: State) -> None:
        world = harness.world
        if isinstance(event, ev.DeployIntended) and event.switch is Switch.ON:
            world.zones.protect(world.zone.zone_id, WWW, "A")
            world.timeline.after(25.0, world.zone.protections.clear)

    ended = rehearsed(site_account(retry_delays=(1, 2, 4, 8, 15, 30, 30)), protect)
    assert ended.broken == ()
    assert ended.result.outcome == Outcome.DONE
