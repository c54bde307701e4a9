"""A record in a tree of many nested stacks: the budget of reads makes a run slower, and no more.

Each list and each poll waits for its turn of a few a second, so what is known of 70 stacks is many
seconds old before the last of them was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.endings import Outcome
from route53_takeover.core.takeover import events as ev
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.runner import START, options_of, rehearse_once
from route53_takeover.simulation.scenarios import (
    Scenario,
    alias,
    alias_resource,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal

SOON = 5.0
"""Seconds from the record's create, within which an alias is released: two of them are the hold."""
PAUSE = 4.0
"""Seconds that CloudFormation then waits before its next try, at most; later it waits longer."""
OLD = alias("d1old")
PLAIN = RecordSet(name="www.example.com.", type="A", ttl=300, values=("192.0.2.1",))


def many_stacks(
    count: int,
    existing: RecordSet = OLD,
    *,
    mode: Mode = Mode.RETRY,
    **others: dict[str, Any],
) -> Scenario:
    """So many nested stacks beside the one with the record and these other resources."""
    site = site_template(alias_resource("d1new"), **others)
    part = {
        "Parameters": {"Route53Enable": {"Type": "String", "Default": "false"}},
        "Resources": {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Switch": {"Ref": "Route53Enable"}},
                "Metadata": {"Simulation": {"Seconds": 2}},
            }
        },
    }
    template = {
        "Parameters": site["Parameters"],
        "Resources": {
            "Site": nested(site),
            **{f"Part{number}": nested(part) for number in range(count)},
        },
    }
    account = site_account(
        existing=existing,
        template=template,
        modes={Case.ALIAS_DIFFERS: mode, Case.ADDRESS_DIFFERS: mode},
        retry_delays=(1, 2, 4, 8, 15, 30, 30, 60, 60, 60),
    )
    return Scenario(
        name=f"{count}-stacks",
        summary="a tree of many",
        account=account,
        outcome=Outcome.DONE,
        exit_code=0,
    )


def nested(template: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": "https://example.com/part.json",
            "Parameters": {"Route53Enable": {"Ref": "Route53Enable"}},
        },
        "Metadata": {"Simulation": {"Template": template}},
    }


def rehearse(
    scenario: Scenario, begin: Callable[[Harness], None] = lambda _: None, **changes: Any
) -> Rehearsal:
    options = replace(options_of(scenario), strategy_given=True, **changes)
    return rehearse_once(scenario, "tree", Faults(), options=options, begin=begin, saw=in_time)


def in_time(_harness: object, event: ev.AnyEvent, _state: object) -> None:
    assert event.time < START + 3600 + 1200.0, "it waits for ever"


@pytest.mark.parametrize(
    ("count", "existing"),
    [(30, OLD), (70, OLD), (70, PLAIN)],
    ids=["30", "70", "70 with a TTL"],
)
def test_a_record_in_a_tree_of_many_stacks_is_taken_over_without_a_longer_gap(
    count: int, existing: RecordSet
) -> None:
    """The gap is CloudFormation's pause between two tries, as it is with one stack."""
    began: list[float] = []

    def creating(harness: Harness) -> None:
        harness.on(InjectionPoint.CREATING, lambda: began.append(harness.clock.true()))

    rehearsal = rehearse(many_stacks(count, existing), begin=creating)
    assert rehearsal.broken == ()
    assert rehearsal.result.outcome == Outcome.DONE
    assert rehearsal.gap_seconds <= PAUSE + 0.2
    (release,) = (
        e
        for e in rehearsal.events
        if isinstance(e, ev.WriteIntended) and e.purpose is ev.Purpose.RELEASE
    )
    assert release.time - began[0] <= SOON


def test_what_a_tree_of_many_stacks_takes_back_is_restored_in_seconds() -> None:
    failing = {
        "Type": "AWS::Lambda::Permission",
        "Condition": "Enabled",
        "DependsOn": "DnsRecord",
        "Metadata": {"Simulation": {"Seconds": 3, "Fail": "Resource handler failed"}},
    }
    rehearsal = rehearse(many_stacks(70, Permission=failing))
    assert rehearsal.broken == ()
    assert rehearsal.result.outcome == Outcome.RESTORED
    assert rehearsal.gap_seconds <= PAUSE + 3.0, "until its create, and after its rollback"


def test_the_deadman_of_a_record_in_a_tree_of_many_stacks_is_kept() -> None:
    rehearsal = rehearse(many_stacks(70, mode=Mode.NEVER), restore_after=20.0)
    assert rehearsal.broken == ()
    assert rehearsal.result.outcome == Outcome.RESTORED
    assert 20.0 <= rehearsal.gap_seconds <= 21.0
