"""The deadman's template, deployed in the simulated account: what its role may, and its end."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace
from tests.core.plan.test_iam_policy import planned

from route53_takeover.core.plan.cloud_deadman import (
    create_task,
    execution_input,
    machine_name,
    template,
)
from route53_takeover.core.plan.iam_policy import only_create
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.scenarios import alias, site_account

PLAN = planned(("www.example.com.", "A"))
NAME = machine_name(PLAN)
ROLE = f"arn:aws:iam::123456789012:role/{NAME}"
MACHINE = f"arn:aws:states:us-east-1:123456789012:stateMachine:{NAME}"
WWW = alias("d1old")


@pytest.fixture
def world() -> SimulatedAccount:
    account = SimulatedAccount(site_account(), seed="1", start=0.0)
    account.stacks.create_stack("shop-deadman", template(PLAN, only_create(PLAN)))
    account.timeline.advance(account.timeline.now + 60)
    return account


def test_the_stack_makes_the_machine_and_names_its_role(world: SimulatedAccount) -> None:
    stack = world.stacks.get("shop-deadman")
    assert (stack.status, stack.outputs) == ("CREATE_COMPLETE", {"RoleArn": ROLE})
    assert world.step_functions.machine(MACHINE).role_arn == ROLE


def test_its_role_may_create_the_planned_record_and_no_other(world: SimulatedAccount) -> None:
    for record, error in (
        (WWW, "Route53.InvalidChangeBatchException"),  # it exists already
        (replace(WWW, name="other.example.com."), "Route53.Route53Exception"),
        (replace(WWW, type="AAAA"), "Route53.Route53Exception"),
    ):
        given = execution_input(world.zone.zone_id, record, "test", 1.0)
        failed = world.step_functions.test(ROLE, json.dumps(create_task()), given)
        assert failed is not None
        assert failed.error == error


def test_an_execution_restores_the_record(world: SimulatedAccount) -> None:
    world.write([("DELETE", WWW)])
    world.step_functions.start(MACHINE, "one", execution_input(world.zone.zone_id, WWW, "x", 30))
    world.timeline.advance(world.timeline.now + 31)
    assert world.holds("www.example.com.") == (WWW,)


def test_with_its_stack_it_goes_and_its_executions_end(world: SimulatedAccount) -> None:
    world.write([("DELETE", WWW)])
    given = execution_input(world.zone.zone_id, WWW, "x", 300)
    started = world.step_functions.start(MACHINE, "one", given)
    world.stacks.delete_stack("shop-deadman")
    world.timeline.advance(world.timeline.now + 600)
    assert started.status == "ABORTED"
    assert world.holds("www.example.com.") == ()
    with pytest.raises(ApiFault, match="Does Not Exist"):
        world.step_functions.machine(MACHINE)
