"""The forecast: arithmetic that a reader can check, and nothing that is unknown."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.facts import (
    Facts,
    Identity,
    OwnedRecord,
    PendingRecord,
    PendingTemplate,
)
from route53_takeover.core.plan.forecast import rank, recommended
from route53_takeover.core.plan.forecast_lines import forecast_lines, recommendation, strategy_table
from route53_takeover.core.plan.forecast_objects import forecast_object, strategy_objects
from route53_takeover.core.plan.harm import affected_share, harmed_seconds
from route53_takeover.core.plan.model import (
    Finding,
    Manual,
    Options,
    Plan,
    Strategy,
    StrategyForecast,
)
from route53_takeover.core.plan.planner import make_plan
from route53_takeover.core.plan.steps import steps

ALIAS = RecordSet(
    name="www.example.com.",
    type="A",
    alias=AliasTarget(zone_id="Z2FDTNDATAQYW2", dns_name="d1old.cloudfront.net."),
)
HOUR = RecordSet(name="www.example.com.", type="CNAME", ttl=3600, values=("old.example.net",))
MINUTE = replace(HOUR, ttl=60)


def plan(*records: RecordSet, negative_ttl: int = 900, **options: object) -> Plan:
    return Plan(
        options=Options(stack="shop", records=("www.example.com",), **options),  # type: ignore[arg-type]  # by name
        zone_id="Z1",
        zone_name="example.com.",
        zone_private=False,
        zone_is_unique=True,
        name_servers=(),
        root=StackDescription(stack_id="", stack_name="shop", status="ABSENT"),
        account="123456789012",
        negative_ttl=negative_ttl,
        manuals=tuple(
            Manual(original=r, lowered=replace(r, ttl=60) if (r.ttl or 0) > 60 else None)
            for r in records
        ),
    )


def line(lines: tuple[str, ...], part: str) -> str:
    (found,) = [text for text in lines if part in text]
    return found


def test_the_harm_is_that_of_the_documented_examples() -> None:
    """A gap of 5 s under a negative TTL of 900 s: 75 s a user at TTL 60, 1.3 s at 3600."""
    assert harmed_seconds(5, 60, 900) == pytest.approx(75.0)
    assert harmed_seconds(5, 3600, 900) == pytest.approx(1.25)
    assert harmed_seconds(5, 60, 5) < 1.0


@pytest.mark.parametrize(
    ("gap", "ttl", "negative"),
    [(5, 60, 900), (5, 60, 5), (60, 60, 5), (60, 60, 40), (100, 60, 30), (7, 3, 2), (30, 60, 0)],
)
def test_the_harm_is_the_mean_over_resolvers_that_fetch_at_any_time(
    gap: float, ttl: float, negative: float
) -> None:
    count, harmed = 20_000, 0.0
    for number in range(count):
        at = ttl * (number + 0.5) / count
        if at < gap:
            left = gap - at
            harmed += math.ceil(left / negative) * negative if negative else left
    assert harmed_seconds(gap, ttl, negative) == pytest.approx(harmed / count, rel=0.001)


def test_no_more_than_all_resolvers_ask() -> None:
    assert affected_share(120, 60) == affected_share(5, 0) == 1.0
    assert affected_share(6, 60) == 0.1


def test_an_alias_is_reckoned_with_its_targets_ttl() -> None:
    reported = line(forecast_lines(plan(ALIAS)), "www.example.com A (TTL about 60 s, its target's")
    assert "5 s gap: about 8 % of resolvers affected, about 75 s per user" in reported
    assert 'cache "no such name" for about 15 min' in reported


def test_the_expected_gap_is_an_assumption_that_can_be_changed() -> None:
    lines = forecast_lines(plan(ALIAS, expected_gap=10.0))
    assert "10 s gap: about 17 % of resolvers affected, about 2 min" in line(lines, "(TTL")
    assert "not published" in line(lines, "The gap of 10 s is an assumption (--expected-gap)")


def test_a_lowered_record_is_reckoned_with_the_lower_ttl_and_the_time_it_takes() -> None:
    lines = forecast_lines(plan(HOUR))
    assert "TTL 60 s once lowered" in line(lines, "5 s gap: about")
    assert "takes about 61 min" in line(lines, "Lowering the TTL")


def test_what_the_lower_ttl_costs_is_said_where_the_negative_ttl_is_high() -> None:
    reported = line(forecast_lines(plan(HOUR)), "--ttl keep")
    assert "about 1 s per user instead of about 75 s" in reported
    assert "--negative-ttl 5" in reported
    for other in (plan(HOUR, negative_ttl=5), plan(MINUTE)):
        assert not [text for text in forecast_lines(other) if "--ttl keep" in text]


def test_a_low_negative_ttl_makes_the_harm_small() -> None:
    reported = line(forecast_lines(plan(ALIAS, negative_ttl=5)), "5 s gap")
    assert "less than 1 s per user on average" in reported


def test_without_the_drain_caches_may_keep_the_old_record() -> None:
    lines = forecast_lines(plan(HOUR, drain=False))
    assert "--no-drain" in lines[0]
    assert "up to 60 min" in lines[0]


def test_what_may_be_adopted_has_no_gap_then() -> None:
    assert "without a gap" in line(forecast_lines(plan(MINUTE)), "may adopt")
    assert not [text for text in forecast_lines(plan(ALIAS)) if "adopt" in text]


def test_the_worst_case_is_the_deadman_that_was_asked_for() -> None:
    assert "after 60 to 300 s; by then about 100 %" in forecast_lines(plan(ALIAS))[-1]
    assert "after 20 s; by then about 33 %" in forecast_lines(plan(ALIAS, restore_after=20.0))[-1]


def test_of_a_plan_that_does_nothing_nothing_is_forecast() -> None:
    assert forecast_lines(plan()) == ()
    assert forecast_lines(replace(plan(ALIAS), refusals=(Finding(text="no"),))) == ()


def member(identifier: str, key: str, value: str) -> RecordSet:
    return replace(ALIAS, set_identifier=identifier, routing=((key, value),))


BLUE, GREEN = member("blue", "Weight", "10"), member("green", "Weight", "90")
GERMANY = member("de", "GeoLocation", '{"CountryCode":"DE"}')
FRANCE = member("fr", "GeoLocation", '{"CountryCode":"FR"}')


@pytest.mark.parametrize("others", [{"staying": (GREEN,)}, {"owned": (GREEN,)}])
def test_a_member_beside_others_costs_no_client_its_answer(others: dict[str, object]) -> None:
    lines = forecast_lines(replace(plan(BLUE), **others))
    assert line(lines, "www.example.com A [blue]") == (
        "www.example.com A [blue]: about 0 s per user without an answer in any gap: the name still "
        "answers from its 1 other member (about 10 % of queries affected)."
    )
    assert not [text for text in lines if "resolvers" in text or "not published" in text]
    assert "restored after 60 to 300 s." in lines[-1]


def test_a_member_alone_costs_what_a_simple_record_costs() -> None:
    assert "5 s gap: about 8 %" in line(forecast_lines(plan(BLUE)), "www.example.com A [blue]")
    both = forecast_lines(plan(BLUE, GREEN))  # they may be gone together
    assert "5 s gap: about 8 %" in line(both, "www.example.com A [green]")
    assert "by then about 100 % of resolvers" in both[-1]


def test_what_is_the_same_of_many_records_is_said_once() -> None:
    names = [replace(ALIAS, name=f"n{number}.example.com.") for number in range(5)]
    lines = forecast_lines(plan(*names, HOUR))
    assert "5 s gap: about 8 % of" in line(lines, "Each of 5 records (TTL about 60 s")
    assert "5 s gap: about 8 % of" in line(lines, "www.example.com CNAME (TTL 60 s once lowered")
    assert not [text for text in lines if "n1.example.com" in text]


def test_a_location_that_no_other_member_covers_is_reckoned_for_its_clients() -> None:
    reported = line(forecast_lines(replace(plan(GERMANY), staying=(FRANCE,))), "5 s gap: about 8 %")
    assert reported.endswith(
        "That is for clients in DE that no other member covers: others have an answer."
    )


def test_beside_a_harmless_member_a_simple_record_keeps_its_own_numbers() -> None:
    lines = forecast_lines(replace(plan(BLUE, HOUR), staying=(GREEN,)))
    assert "5 s gap: about" in line(lines, "www.example.com CNAME (TTL")
    assert "without an answer in any gap" in line(lines, "[blue]")


SOA = RecordSet(
    name="example.com.", type="SOA", ttl=900, values=("ns. mail. 1 7200 900 1209600 86400",)
)
PLAIN = RecordSet(name="www.example.com.", type="A", ttl=60, values=("192.0.2.1",))
NEW = replace(ALIAS, alias=AliasTarget(zone_id="Z2FDTNDATAQYW2", dns_name="d1new.cloudfront.net."))


def made(
    now: RecordSet, desired: RecordSet, *others: RecordSet, condition: str = "", **options: Any
) -> Plan:
    """The plan for a record, with the pending template's in its place."""
    wanted = DesiredRecord(record=desired, zone_id="Z1", complete=True)
    owned = OwnedRecord(
        stack_id="arn:1",
        logical_id="R",
        name=desired.name,
        desired=wanted,
        zone_id="Z1",
    )
    facts = Facts(
        now=1000.0,
        identity=Identity(account="123456789012", arn="arn"),
        region="us-east-1",
        zone_id="Z1",
        zone_name="example.com.",
        zone_private=False,
        zone_name_servers=("ns1.example.net",),
        zone_records=(SOA, now, *others),
        stack=StackDescription(stack_id="arn:1", stack_name="shop", status="CREATE_COMPLETE"),
        expected=(wanted,),
        pending=PendingTemplate(
            source="t",
            given=True,
            records=(
                PendingRecord(record=owned, path="R", condition=condition, certain=not condition),
            ),
            assumed={condition: ("Dns",)},
        ),
    )
    said = Options(stack="shop", records=("www.example.com",), deploy_on="x", **options)
    return make_plan(facts, said)


def of(strategy: str, plan: Plan) -> StrategyForecast:
    (found,) = [each for each in plan.strategies if each.strategy == strategy]
    return found


BELOW = RecordSet(name="_x.www.example.com.", type="TXT", ttl=60, values=('"x"',))


def test_every_strategy_is_in_the_table_whichever_is_chosen() -> None:
    for strategy in Strategy:
        told = made(ALIAS, NEW, strategy=strategy, strategy_given=True)
        assert [each.strategy for each in told.strategies] == [
            s for s in Strategy if s is not Strategy.AUTO
        ]
        assert of("delete", told).harmed_seconds == pytest.approx(75.0)
        assert of("delete", told).worst_harmed_seconds == pytest.approx(900.0)
        assert (of("bridge", told).gap_seconds, of("bridge", told).harmed_seconds) == (0.0, 0.0)
        assert "directly below example.com" in of("bridge", told).side_effects[0]
        assert "no weight" in of("weighted", told).reason


def test_whether_an_alias_is_adopted_is_not_known_and_of_other_types_it_is() -> None:
    assert of("adopt", made(ALIAS, NEW, BELOW)).harmed_seconds == pytest.approx(75.0)
    other = replace(MINUTE, values=("new.example.net",))
    assert of("adopt", made(MINUTE, other, BELOW)).harmed_seconds == 0.0
    assert of("adopt", made(MINUTE, other, BELOW)).worst_harmed_seconds == pytest.approx(900.0)


def test_a_record_behind_a_condition_is_adopted_only_with_the_parameter_that_decides_it() -> None:
    found = of("adopt", made(MINUTE, replace(MINUTE, ttl=30), condition="Wanted"))
    assert "not known to the letter" in found.reason
    assert "condition Wanted" in found.hint
    assert found.hint.endswith("add --parameter Dns=VALUE.")


def test_under_adopt_a_wildcard_answers_where_one_is_possible() -> None:
    found = of("adopt", made(ALIAS, NEW))
    assert (found.gap_seconds, found.harmed_seconds, found.worst_harmed_seconds) == (0, 0, 0)
    lines = forecast_lines(made(ALIAS, NEW, strategy=Strategy.ADOPT))
    assert not [text for text in lines if "does not create its record" in text]


def row(told: Plan, strategy: str) -> str:
    """The row of a strategy, with its note."""
    (found,) = [r for r in strategy_table(told).rows if r.cells[0].text.endswith(f" {strategy}")]
    return "|".join([*(cell.text for cell in found.cells), found.note.text])


def test_a_better_strategy_is_recommended_with_its_option_where_it_is_worth_it() -> None:
    told = made(ALIAS, NEW)
    assert recommendation(told) == (
        "Use --strategy adopt: 0 s without an answer per user instead of 75 s."
    )
    assert row(told, "adopt").startswith("  adopt|0 s|0 %|0 s|recommended")
    assert row(told, "delete") == "> delete|5 s|8 %|75 s|chosen"
    assert recommendation(made(ALIAS, NEW, strategy=Strategy.BRIDGE)) == ""
    assert recommended(made(ALIAS, NEW, strategy=Strategy.BRIDGE)) is None
    assert recommended(made(ALIAS, NEW, expected_gap=0.01)) is None
    assert recommended(made(ALIAS, NEW, BELOW)) is None  # nothing better is possible


def test_a_plain_record_that_delete_refuses_is_shown_the_way_out() -> None:
    told = made(PLAIN, NEW)
    assert told.refused
    assert recommendation(told) == "Use --strategy bridge: 0 s without an answer per user."
    assert row(told, "delete").startswith("> delete|-|-|-|not possible: ")


def test_only_weighted_is_possible_where_the_stacks_record_is_a_member() -> None:
    weighted = replace(NEW, set_identifier="new", routing=(("Weight", "1"),))
    told = made(ALIAS, weighted)
    assert [each.strategy for each in told.strategies if each.is_possible] == ["weighted"]
    assert recommended(told) == of("weighted", told)


def test_auto_takes_the_least_harm_then_the_least_risk_then_the_fewest_side_effects() -> None:
    weighted = replace(NEW, set_identifier="new", routing=(("Weight", "1"),))
    cases = {
        (ALIAS, NEW): "adopt",  # fewer names change than with bridge
        (PLAIN, NEW): "bridge",
        (ALIAS, NEW, BELOW): "delete",  # as much harm as adopt, without its side effect
        (MINUTE, replace(MINUTE, values=("new.example.net",)), BELOW): "adopt",
        (ALIAS, weighted): "weighted",
    }
    for (now, desired, *others), expected in cases.items():
        told = made(now, desired, *others, strategy=Strategy.AUTO)
        assert [m.strategy for m in told.manuals] == [expected]


def test_the_order_of_auto_hangs_on_each_of_its_numbers() -> None:
    def one(harm: float, worst: float, effects: int, others: bool = False) -> StrategyForecast:
        return StrategyForecast(
            strategy=Strategy.DELETE,
            harmed_seconds=harm,
            worst_harmed_seconds=worst,
            side_effects=("x",) * effects,
            reaches_others=others,
        )

    ordered = [one(0, 0, 0), one(0, 0, 1), one(0, 0, 1, True), one(0, 9, 0), one(1, 0, 0)]
    mixed = [ordered[at] for at in (3, 1, 4, 0, 2)]
    assert sorted(mixed, key=rank) == ordered


def gap_warnings(told: Plan) -> list[str]:
    words = ("negative TTL", "during the gap", "while")
    texts = [*(finding.text for finding in told.warnings), *steps(told)]
    return [text for text in texts if any(word in text.lower() for word in words)]


def test_no_warning_of_a_gap_is_given_where_the_strategy_has_none() -> None:
    leaning = replace(
        ALIAS,
        name="shop.example.com.",
        alias=AliasTarget(zone_id="Z1", dns_name="www.example.com."),
    )
    assert len(gap_warnings(made(ALIAS, NEW, leaning))) == 3
    cname = replace(MINUTE, values=("new.example.net",))
    assert gap_warnings(made(MINUTE, cname, strategy=Strategy.ADOPT)) == []
    assert gap_warnings(made(ALIAS, NEW, strategy=Strategy.BRIDGE)) == []
    weighted = replace(NEW, set_identifier="new", routing=(("Weight", "1"),))
    assert gap_warnings(made(ALIAS, weighted, leaning, strategy=Strategy.WEIGHTED)) == []


def test_json_has_the_contracts_keys() -> None:
    told = made(ALIAS, NEW)
    objects = {each["strategy"]: each for each in strategy_objects(told)}
    assert objects["delete"] == {
        "strategy": "delete",
        "possible": True,
        "reason": None,
        "gap_seconds": 5.0,
        "affected_share": 0.0833,
        "harmed_seconds": 75.0,
        "worst_harmed_seconds": 900.0,
        "side_effects": [],
        "chosen": True,
    }
    weighted = objects["weighted"]
    assert (weighted["possible"], weighted["gap_seconds"]) == (False, None)
    assert "weight" in weighted["reason"]
    forecast = forecast_object(told)
    assert forecast is not None
    assert forecast["recommended"] == "--strategy adopt"
    assert forecast["assumptions"]["negative_ttl_seconds"] == 900
    assert forecast["assumptions"]["expected_gap_seconds"] == 5.0
    (record,) = forecast["records"]
    assert (record["name"], record["ttl_seconds"], record["harmed_seconds"]) == (
        "www.example.com",
        60,
        75.0,
    )


def test_the_table_survives_the_way_to_a_screen() -> None:
    told = made(ALIAS, NEW)
    assert msgspec.json.decode(msgspec.json.encode(told), type=Plan) == told
