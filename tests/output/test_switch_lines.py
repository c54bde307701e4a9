"""The plan of a switch as text and as JSON."""

from __future__ import annotations

import json

from msgspec.structs import replace
from tests.played_switch import PLAN

from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.model import Difference
from route53_takeover.core.switch.plan_steps import first_green_step, switch_steps
from route53_takeover.output.switch_lines import (
    USERS_GET_GREEN,
    switch_plan_lines,
    switch_plan_object,
)

STEPS = switch_steps(PLAN)
REFUSED = replace(PLAN, refusals=(Finding(text="an EDGE domain", hint="Use a REGIONAL one."),))


def test_the_text_has_what_is_switched_what_differs_and_what_happens() -> None:
    lines = switch_plan_lines(PLAN, STEPS, "route53-takeover switch --domain x", config="t.toml")
    assert lines[:5] == [
        "Site shop.example.com, account 123456789012, region eu-central-1",
        "Options from t.toml",
        "  mapping    shop.example.com",
        "             - a1b2c3d4e5/live (blue)",
        "             + f6g7h8i9j0/live_2 (green)",
    ]
    for line in (
        "! both sides run the schedule",
        "    Disable one.",
        "· note    throttling: 100/s -> 10000/s",
        "! warn    access log: on -> none",
        "  POST https://shop.example.com/orders/quote status=201",
        f" 1. {STEPS[0]}",
        f"{len(STEPS):>2}. {STEPS[-1]}",
    ):
        assert line in lines
    assert lines[-3:] == ["", "Run it with:", "  route53-takeover switch --domain x"]


def test_a_line_stands_before_the_step_from_which_users_get_green() -> None:
    lines = switch_plan_lines(PLAN, STEPS, None)
    first = first_green_step(PLAN)
    assert first is not None
    assert lines[lines.index(USERS_GET_GREEN) + 1] == f"{first:>2}. {STEPS[first - 1]}"
    assert "Run it with:" not in lines


def test_long_values_that_differ_stand_below_each_other() -> None:
    differs = Difference(what="policy", blue="b" * 50, green="g" * 50, weight="refuse", hint="Way.")
    lines = switch_plan_lines(replace(PLAN, differences=(differs,)), STEPS, None)
    at = lines.index("✘ refuse  policy")
    assert lines[at + 1 : at + 4] == [
        f"             - {differs.blue}",
        f"             + {differs.green}",
        "    Way.",
    ]


def test_a_refused_plan_says_why_and_the_way_out_and_no_step() -> None:
    lines = switch_plan_lines(REFUSED, STEPS, "line")
    assert "✘ an EDGE domain" in lines
    assert "    Use a REGIONAL one." in lines
    assert lines[-1] == "Refused: nothing was written."
    assert STEPS[0] not in "".join(lines)
    told = switch_plan_object(REFUSED, STEPS, "line")
    assert (told["refused"], told["reasons"]) == (True, ["an EDGE domain Use a REGIONAL one."])
    assert told["steps"] == []


def test_nothing_to_do_is_said() -> None:
    idle = replace(PLAN, swaps=(), options=replace(PLAN.options, deploy=None))
    assert switch_plan_lines(idle, switch_steps(idle), None)[-1] == "Nothing to do."


def test_green_that_is_not_there_yet_is_not_shown_as_blue() -> None:
    plan = replace(PLAN, swaps=(), watched=PLAN.swaps[:1])
    lines = switch_plan_lines(plan, switch_steps(plan), None)
    assert "             + green, once its deploy has made it" in lines
    (switch,) = switch_plan_object(plan, [], "line")["switches"]
    assert (switch["from"], switch["to"]) == ("a1b2c3d4e5/live", None)


def test_the_object_has_the_promised_keys_and_is_json() -> None:
    told = json.loads(json.dumps(switch_plan_object(PLAN, STEPS, "line")))
    assert list(told) == [
        "event",
        "refused",
        "reasons",
        "warnings",
        "switches",
        "differences",
        "checks",
        "steps",
        "run_line",
    ]
    assert told["switches"][1] == {
        "kind": "api-mapping",
        "target": "shop.example.com/orders",
        "from": "a1b2c3d4e5/live",
        "to": "f6g7h8i9j0/live_2",
    }
    assert told["differences"][0]["weight"] == "note"
    assert (told["checks"][0], told["steps"]) == ("https://shop.example.com/up", STEPS)


def test_without_a_check_the_plan_says_what_that_means() -> None:
    lines = switch_plan_lines(replace(PLAN, checks=()), STEPS, None)
    assert "Checks: none. Without --check nothing tells whether green works." in lines
