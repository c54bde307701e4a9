"""The deadman in AWS as pure values: its state machine, its input, its role, its template."""

from __future__ import annotations

import json
import re

import pytest

from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.plan.cloud_deadman import (
    DeadmanRole,
    as_route53_spells,
    create_task,
    definition,
    execution_input,
    execution_name,
    is_definition,
    run_prefix,
    why_not_proven,
)

ROLE = "arn:aws:iam::123456789012:role/ops/route53-takeover-deadman"
ALIAS = RecordSet(
    name="www.example.com.",
    type="A",
    alias=AliasTarget(zone_id="Z2", dns_name="d1.cloudfront.net.", evaluate_target_health=True),
    set_identifier="blue",
    routing=(
        ("GeoProximityLocation", '{"AWSRegion":"eu-west-1","Bias":3}'),
        ("HealthCheckId", '"hc-1"'),
    ),
)
TXT = RecordSet(name="www.example.com.", type="TXT", ttl=300, values=('"a b"', '"TTL"'))
EXISTS = "[Tried to create resource record set [name='www.example.com.', type='A'] but it already "


def test_the_state_machine_can_only_create() -> None:
    text = json.dumps(definition())
    assert re.findall(r'"Action": "(\w+)"', text) == ["CREATE"]
    assert "UPSERT" not in text
    assert "DELETE" not in text


def test_only_the_very_definition_is_recognized() -> None:
    changed = definition()
    changed["States"]["WaitToTryAgain"]["Seconds"] = 11
    assert is_definition(json.dumps(definition(), indent=3))
    assert not is_definition(json.dumps(changed))
    assert not is_definition(json.dumps(definition("aws-cn")))
    assert not is_definition("{")


def test_what_is_tested_is_the_task_of_the_state_machine() -> None:
    task = definition()["States"]["CreateTheRecord"]
    assert {**task, **create_task()} == task


@pytest.mark.parametrize("record", [ALIAS, TXT], ids=lambda r: r.type)
def test_the_input_has_the_record_set_as_the_sdk_for_java_spells_it(record: RecordSet) -> None:
    given = json.loads(execution_input("Z1", record, "r--1", 149.6))
    assert given["seconds"] == 150
    assert given["zone"] == "Z1"
    assert not re.search(r'"(TTL|DNSName|AWSRegion)":', json.dumps(given))
    assert RecordSet.from_api(as_route53_spells(given["record"])) == record


def test_the_state_machine_is_called_as_its_role() -> None:
    role = DeadmanRole.parse(ROLE)
    states = "arn:aws:states:eu-west-1:123456789012"
    assert role.machine("eu-west-1") == f"{states}:stateMachine:route53-takeover-deadman"
    execution = role.execution("eu-west-1", "r--1")
    assert execution == f"{states}:execution:route53-takeover-deadman:r--1"


@pytest.mark.parametrize(
    "arn",
    [
        "route53-takeover-deadman",
        "arn:aws:iam::123456789012:user/me",
        "arn:aws:iam::12345:role/me",
        "arn:aws:iam::123456789012:role/with.dot",
        "arn:aws:iam::123456789012:role/me\n",
    ],
)
def test_what_is_no_role_for_it_is_refused(arn: str) -> None:
    with pytest.raises(ValueError, match="is not the ARN of a role"):
        DeadmanRole.parse(arn)


def test_each_execution_of_each_run_has_a_name_of_its_own() -> None:
    runs = ["20261128-120304-shop", "20261128-120304-" + 60 * "x", "20261128-120304-" + 59 * "x"]
    numbers = ["1", "12", "r99-1a318965d6c-9999"]
    names = [execution_name(run, number) for run in runs for number in numbers]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9-]{1,80}", name) for name in names)
    for run in runs:
        others = [name for name in names if name.startswith(f"{run_prefix(run)}--")]
        assert others == [execution_name(run, number) for number in numbers]


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        ("Route53.InvalidChangeBatchException", f"{EXISTS}exists]", ""),
        ("Route53.Route53Exception", "User is not authorized", "not authorized"),
        ("Route53.InvalidChangeBatchException", "is protected: hands off", "hands off"),
        ("Route53.NoSuchHostedZoneException", "No hosted zone", "No hosted zone"),
        ("States.Runtime", f"{EXISTS}exists]", "States.Runtime"),
        ("", "", "did not exist"),
    ],
)
def test_only_that_the_record_set_exists_proves_the_role(
    error: str, cause: str, reason: str
) -> None:
    found = why_not_proven(error, cause)
    assert reason in found if reason else not found
