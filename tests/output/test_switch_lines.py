"""The plan of a switch as text and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec.structs import replace
from tests.played_switch import PLAN

from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.cards import NO_CHECKS, USERS_GET_GREEN, switch_cards
from route53_takeover.core.switch.model import Difference
from route53_takeover.core.switch.plan_steps import first_green_step, switch_steps
from route53_takeover.output.card_lines import card_lines
from route53_takeover.output.plan_lines import last_switch_lines
from route53_takeover.output.switch_lines import switch_plan_object

if TYPE_CHECKING:
    from route53_takeover.core.switch.model import SwitchPlan

STEPS = switch_steps(PLAN)
REFUSED = replace(PLAN, refusals=(Finding(text="an EDGE domain", hint="Use a REGIONAL one."),))


def text(plan: SwitchPlan, run_line: str | None = None, config: str = "") -> list[str]:
    """The plan as it goes to a file."""
    cards = card_lines(switch_cards(plan, config))
    return [*(line.plain for line in cards), *last_switch_lines(plan, run_line)]


def test_the_text_has_what_is_switched_what_differs_and_what_happens() -> None:
    lines = text(PLAN, "route53-takeover switch --domain x", config="t.toml")
    assert lines[:4] == [
        "What changes",
        "  mapping  shop.example.com",
        "              now (blue)       then (green)",
        "  ≠ leads to  a1b2c3d4e5/live  f6g7h8i9j0/live_2",
    ]
    for line in (
        "  site     shop.example.com",
        "  account  123456789012, region eu-central-1",
        "  options  from t.toml",
        "  ! both sides run the schedule",
        "      Disable one.",
        "  · note  throttling  100/s  10000/s",
        "  ! warn  access log  on     none     Set it on the stage.",
        "  - POST https://shop.example.com/orders/quote status=201",
        f"   1. this program    {STEPS[0]}",
        f"   2. your deploy     {STEPS[1]}  (your deploy's time)",
        f"  {len(STEPS):>2}. this program    {STEPS[-1]}",
    ):
        assert line in lines
    assert lines[-3:] == ["", "Run it with:", "  route53-takeover switch --domain x"]


def test_a_line_stands_before_the_step_from_which_users_get_green() -> None:
    lines = text(PLAN)
    first = first_green_step(PLAN)
    assert first is not None
    at = lines.index(f"  -- {USERS_GET_GREEN} --")
    assert lines[at + 1] == f"  {first:>2}. this program    {STEPS[first - 1]}"
    assert "Run it with:" not in lines


def test_long_values_that_differ_share_the_width_beside_each_other() -> None:
    differs = Difference(what="policy", blue="b" * 90, green="g" * 90, weight="refuse", hint="Way.")
    lines = [
        line.plain for line in card_lines(switch_cards(replace(PLAN, differences=(differs,))), 80)
    ]
    (at,) = [n for n, line in enumerate(lines) if line.startswith("  ✘ refuse  policy")]
    beside = "".join(lines[at : at + 4])
    assert (beside.count("b"), beside.count("gg" * 14)) == (90, 3)
    assert max(map(len, lines)) <= 80
    assert "      Way." in lines


def test_a_refused_plan_says_why_and_the_way_out_and_no_step() -> None:
    lines = text(REFUSED, "line")
    assert "  ✘ an EDGE domain" in lines
    assert "      Use a REGIONAL one." in lines
    assert lines[-1] == "Refused: nothing was written."
    assert STEPS[0] not in "".join(lines)
    told = switch_plan_object(REFUSED, STEPS, "line")
    assert (told["refused"], told["reasons"]) == (True, ["an EDGE domain Use a REGIONAL one."])
    assert told["steps"] == []


def test_nothing_to_do_is_said() -> None:
    idle = replace(PLAN, swaps=(), options=replace(PLAN.options, deploy=None))
    assert text(idle)[-1] == "Nothing to do."


def test_green_that_is_not_there_yet_is_not_shown_as_blue() -> None:
    plan = replace(PLAN, swaps=(), watched=PLAN.swaps[:1])
    assert "  ≠ leads to  a1b2c3d4e5/live  green, once its deploy has made it" in text(plan)
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
    lines = text(replace(PLAN, checks=()))
    assert f"  {NO_CHECKS}" in lines
