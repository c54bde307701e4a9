"""The steps of a switch, as they are shown before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.distributions import GREEN, config, origin
from tests.played_switch import BLUE, PLAN, swap

from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.model import OriginSwap, SwitchOptions
from route53_takeover.core.switch.plan_steps import first_green_step, span, switch_steps, ways_back

if TYPE_CHECKING:
    from route53_takeover.core.switch.model import SwitchPlan

ORIGIN = OriginSwap(
    id="app",
    distribution_id="EFRONT",
    domain_name="dfront.cloudfront.net",
    aliases=("www.example.com",),
    origin_id="app",
    config=config(),
    switched=config(origin(GREEN)),
    invalidate=("/*",),
)


def the_step(plan: SwitchPlan, words: str) -> int:
    """Its number."""
    (found,) = (n for n, text in enumerate(switch_steps(plan), start=1) if words in text)
    return found


def test_users_get_green_from_the_first_switch_on_and_not_before() -> None:
    first = first_green_step(PLAN)
    assert first == the_step(PLAN, "Switch shop.example.com from a1b2c3d4e5/live to f6g7h8i9j0/liv")
    assert the_step(PLAN, "Deploy green: npx cdk deploy orders-green") < first
    assert the_step(PLAN, "each of the 2 checks") < first
    assert the_step(PLAN, "Switch shop.example.com/orders from") == first + 1
    assert the_step(PLAN, "for 5 min") > first + 1


def test_green_that_is_made_first_is_told_from_green_that_is_there() -> None:
    made_first = replace(PLAN, swaps=(), watched=PLAN.swaps)
    first = first_green_step(made_first)
    assert first == the_step(made_first, "from blue to what the deploy has made")
    there = replace(PLAN, options=replace(PLAN.options, deploy=None))
    assert "Deploy" not in " ".join(switch_steps(there))
    assert first_green_step(there) == first - 3


def test_a_distribution_proves_the_way_back_before_and_is_invalidated_after() -> None:
    plan = replace(PLAN, swaps=(ORIGIN,))
    first = first_green_step(plan)
    assert first is not None
    assert the_step(plan, "without a change") == first - 1
    assert switch_steps(plan)[first - 1] == (
        "Switch origin app of distribution EFRONT from dblue.cloudfront.net to "
        "dgreen.cloudfront.net."
    )
    assert the_step(plan, "every edge") < the_step(plan, "Invalidate /* of distribution EFRONT")
    kept = replace(plan, swaps=(replace(ORIGIN, invalidate=()),))
    assert "Invalidate" not in " ".join(switch_steps(kept))


def test_what_was_not_asked_for_is_no_step() -> None:
    plan = replace(PLAN, checks=(), options=replace(PLAN.options, bake=0.0))
    said = " ".join(switch_steps(plan))
    for word in ("Watch", "check", "Retire"):
        assert word not in said


def test_a_retirement_comes_last_and_has_no_way_back() -> None:
    options = replace(PLAN.options, retire="orders-blue", retire_command="npx cdk destroy blue")
    plan = replace(PLAN, options=options)
    delete = the_step(plan, "Delete it by npx cdk destroy blue")
    assert the_step(plan, "deleting stack orders-blue would break") == delete - 1
    assert delete == len(switch_steps(plan)) - 1
    assert f"Once step {delete}, the delete of blue," in ways_back(plan)[-1]
    by_itself = replace(plan, options=replace(options, retire_command=None))
    assert the_step(by_itself, "Delete it, and lead") == delete
    assert "no way back" not in " ".join(ways_back(PLAN))


def test_what_only_retires_a_stack_switches_nothing() -> None:
    stays = tuple(replace(swap(path), to=BLUE) for path in ("", "orders"))
    plan = replace(
        PLAN, swaps=stays, checks=(), options=SwitchOptions(retire="orders-blue", bake=0.0)
    )
    assert first_green_step(plan) is None
    assert [text.split()[0] for text in switch_steps(plan)] == ["Save", "Tell", "Delete", "Read"]


def test_without_a_check_the_way_back_says_that_nothing_tells() -> None:
    assert "more than 2 checks" in " ".join(ways_back(PLAN))
    assert "nothing tells that green fails" in " ".join(ways_back(replace(PLAN, checks=())))


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, refusals=(Finding(text="no"),)),
        replace(PLAN, swaps=(), options=SwitchOptions(domain="x")),
    ],
)
def test_a_plan_that_does_nothing_has_no_steps(plan: SwitchPlan) -> None:
    assert switch_steps(plan) == []
    assert first_green_step(plan) is None
    assert ways_back(plan) == []


def test_a_time_is_said_in_the_largest_unit_that_fits() -> None:
    assert [span(s) for s in (0.5, 90, 300, 5400, 7200)] == [
        "0.5 s",
        "90 s",
        "5 min",
        "90 min",
        "2 h",
    ]
