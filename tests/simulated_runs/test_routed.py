"""Members of a routed group: each is a record set of its own, beside others that stay.

The sweeps over kills and lost answers are those of every scenario (`test_rehearsals`,
`test_faults`); here is what only a routed record can do.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.simulated_runs.test_faults import (
    NAME,
    assert_ended,
    failing,
    rehearse,
    story,
)

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.endings import Outcome
from route53_takeover.core.takeover import events as ev
from route53_takeover.output.json_lines import JsonLines, plan_object, result_object
from route53_takeover.output.text_lines import summary
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    alias,
    alias_resource,
    group_of,
    like,
    routed,
    routed_resource,
    site_account,
    site_template,
    with_groups,
)

if TYPE_CHECKING:
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal

BLUE, GREEN = routed(alias("d1old"), "blue"), routed(alias("d1green"), "green", 90)
POLICIES: dict[str, tuple[str, Any, str]] = {
    "weighted": ("Weight", "0", "0"),
    "latency": ("Region", "eu-west-1", '"eu-west-1"'),
    "failover": ("Failover", "PRIMARY", '"PRIMARY"'),
    "geolocation": ("GeoLocation", {"CountryCode": "DE"}, '{"CountryCode":"DE"}'),
    "multi-value": ("MultiValueAnswer", "true", "true"),
}
OTHERS = {"Failover": '"SECONDARY"', "GeoLocation": '{"CountryCode":"*"}', "Region": '"us-east-1"'}


def account(resource: Any, *existing: RecordSet, **others: Any) -> AccountSetup:
    return replace(
        site_account(template=site_template(resource, **others)), existing=existing or (BLUE, GREEN)
    )


def written(rehearsal: Rehearsal) -> list[str]:
    return [text for _, text in rehearsal.history if "takeover" in text or "cloudform" in text]


def test_the_other_member_is_in_no_batch() -> None:
    rehearsal = rehearse(SCENARIOS["routed"])
    assert_ended(rehearsal, [Outcome.DONE])
    assert not any("[green]" in text for text in written(rehearsal))
    assert rehearsal.result.records[0].gap_seconds == pytest.approx(rehearsal.gap_seconds, abs=1.0)
    assert "owns www.example.com A [blue] now" in rehearsal.result.reason


def test_a_rollback_restores_the_member_to_the_letter() -> None:
    scenario = story(
        "rolled-back",
        account(routed_resource(alias_resource("d1new")), Permission=failing(3, after_record=True)),
    )
    rehearsal = rehearse(scenario)
    assert_ended(rehearsal, [Outcome.RESTORED])
    (handover,) = rehearsal.state.handovers
    assert handover.standing == BLUE
    assert dict(BLUE.routing) == {"HealthCheckId": '"hc-1"', "Weight": "10"}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_member_of_each_policy_is_taken_over(policy: str) -> None:
    key, given, value = POLICIES[policy]
    aliased = policy != "multi-value"  # Route 53 has no multi-value alias
    old = alias("d1old") if aliased else address("192.0.2.1")
    blue = replace(old, set_identifier="blue", routing=((key, value),))
    green = replace(
        alias("d1green") if aliased else address("192.0.2.2"),
        set_identifier="green",
        routing=((key, OTHERS.get(key, value)),),
    )
    new = alias_resource("d1new")
    if not aliased:
        properties = {k: v for k, v in new["Properties"].items() if k != "AliasTarget"}
        new = {**new, "Properties": {**properties, "TTL": "60", "ResourceRecords": ["192.0.2.9"]}}
    resource = {
        **new,
        "Properties": {**new["Properties"], "SetIdentifier": "blue", key: given},
    }
    made = account(resource, blue, green)
    modes = {Case.ADDRESS_DIFFERS: Mode.RETRY}
    records = replace(made.config.records, modes=modes)
    made = replace(made, config=replace(made.config, records=records))
    rehearsal = rehearse(story(policy, made), options=options(made))
    assert_ended(rehearsal, [Outcome.DONE])
    assert rehearsal.result.records[0].outcome == "created"


def address(value: str) -> RecordSet:
    return RecordSet(name=NAME, type="A", ttl=60, values=(value,))


def options(made: AccountSetup) -> Any:
    return replace(options_of(story("routed", made)), strategy_given=True)


def test_two_members_of_one_group_are_released_in_one_batch() -> None:
    both = group_of(
        routed_resource(alias_resource("d1new")),
        like(routed_resource(alias_resource("d1new")), SetIdentifier="green", Weight="90"),
    )
    made = with_groups(account(both), Mode.RETRY)
    rehearsal = rehearse(story("grouped", made))
    assert_ended(rehearsal, [Outcome.DONE])
    released = [text for text in written(rehearsal) if "CREATE" not in text]
    assert len(released) == 1
    assert "[blue]" in released[0]
    assert "[green]" in released[0]


def test_json_and_text_name_the_member() -> None:
    out = io.StringIO()
    reported = JsonLines("rehearsal", out, io.StringIO())
    seq = iter(range(1, 100_000))

    def saw(_harness: Harness, event: ev.AnyEvent, state: State) -> None:
        reported(event, state, next(seq))

    rehearsal = rehearse_once(SCENARIOS["routed"], "routed", Faults(), saw=saw)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    gaps = [line for line in lines if line["event"].startswith("gap-")]
    assert [line["set_identifier"] for line in gaps] == ["blue", "blue"]
    (record,) = result_object(rehearsal.result, seq=1, time=0.0)["records"]
    assert record["set_identifier"] == "blue"
    assert any(
        line.startswith("  www.example.com A [blue]: created, gap")
        for line in summary(rehearsal.result, resume=None)
    )
    (planned,) = plan_object(rehearsal.state.plan, [], "run", None)["records"]
    assert planned["set_identifier"] == "blue"


def test_of_a_simple_record_there_is_no_set_identifier() -> None:
    rehearsal = rehearse_once(SCENARIOS["alias"], "routed", Faults())
    (record,) = result_object(rehearsal.result, seq=1, time=0.0)["records"]
    (planned,) = plan_object(rehearsal.state.plan, [], "run", None)["records"]
    assert record["set_identifier"] is planned["set_identifier"] is None


def test_the_plan_says_that_the_name_answers_without_the_member() -> None:
    plan = rehearse(SCENARIOS["routed"]).state.plan
    warned = " ".join(map(str, plan.warnings))
    assert "While www.example.com A [blue] is missing, the name still answers from its 1" in warned
    assert "negative TTL" not in warned


def test_a_member_that_another_writer_deleted_is_missing_at_the_end_and_the_name_answers() -> None:
    left = [("DELETE", BLUE)]

    def saw(harness: Harness, event: ev.AnyEvent, _state: State) -> None:
        if isinstance(event, ev.DeployIntended) and left:
            harness.world.write([left.pop()])

    rehearsal = rehearse_once(SCENARIOS["routed"], "routed", Faults(), saw=saw)
    assert rehearsal.result.exit_code == 4
    assert rehearsal.result.reason.startswith("www.example.com A [blue] is missing; the name still")
