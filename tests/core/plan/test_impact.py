"""The forecast: arithmetic that a reader can check, and nothing that is unknown."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.impact import forecast, harm, share_of
from route53_takeover.core.plan.model import Finding, Manual, Options, Plan

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
    assert harm(5, 60, 900) == pytest.approx(75.0)
    assert harm(5, 3600, 900) == pytest.approx(1.25)
    assert harm(5, 60, 5) < 1.0


def test_no_more_than_all_resolvers_ask_and_none_waits_less_than_the_gap() -> None:
    assert share_of(120, 60) == share_of(5, 0) == 1.0
    assert harm(60, 60, 5) == pytest.approx(30.0)  # the rest of the gap, half of it on average


def test_an_alias_is_reckoned_with_its_targets_ttl() -> None:
    reported = line(forecast(plan(ALIAS)), "www.example.com A (TTL about 60 s, its target's")
    assert "2 s gap: about 3 % of resolvers affected, about 30 s per user" in reported
    assert "10 s gap: about 17 % of resolvers affected, about 2 min per user" in reported
    assert 'cache "no such name" for about 15 min' in reported


def test_a_lowered_record_is_reckoned_with_the_lower_ttl_and_the_time_it_takes() -> None:
    lines = forecast(plan(HOUR))
    assert "TTL 60 s once lowered" in line(lines, "2 s gap")
    assert "takes about 61 min" in line(lines, "Lowering the TTL")


def test_what_the_lower_ttl_costs_is_said_where_the_negative_ttl_is_high() -> None:
    reported = line(forecast(plan(HOUR)), "--ttl keep")
    assert "about 2 s per user instead of about 2 min" in reported
    assert "negative TTL of 5 s" in reported
    assert not [text for text in forecast(plan(HOUR, negative_ttl=5)) if "--ttl keep" in text]
    assert not [text for text in forecast(plan(MINUTE)) if "--ttl keep" in text]


def test_a_low_negative_ttl_makes_the_harm_small() -> None:
    reported = line(forecast(plan(ALIAS, negative_ttl=5)), "2 s gap")
    assert reported.count("less than 1 s per user on average") == 2


def test_without_the_drain_caches_may_keep_the_old_record() -> None:
    lines = forecast(plan(HOUR, drain=False))
    assert "--no-drain" in lines[0]
    assert "up to 60 min" in lines[0]


def test_what_may_be_adopted_has_no_gap_then() -> None:
    assert "without a gap" in line(forecast(plan(MINUTE)), "may adopt")
    assert not [text for text in forecast(plan(ALIAS)) if "adopt" in text]


def test_the_worst_case_is_the_deadman_that_was_asked_for() -> None:
    assert "after 60 to 300 s; by then about 100 %" in forecast(plan(ALIAS))[-1]
    assert "after 20 s; by then about 33 %" in forecast(plan(ALIAS, restore_after=20.0))[-1]


def test_that_the_length_of_a_gap_is_not_known_is_said() -> None:
    assert "not published" in line(forecast(plan(ALIAS)), "examples")


def test_of_a_plan_that_does_nothing_nothing_is_forecast() -> None:
    assert forecast(plan()) == ()
    assert forecast(replace(plan(ALIAS), refusals=(Finding(text="no"),))) == ()


def member(identifier: str, key: str, value: str) -> RecordSet:
    return replace(ALIAS, set_identifier=identifier, routing=((key, value),))


BLUE, GREEN = member("blue", "Weight", "10"), member("green", "Weight", "90")
GERMANY = member("de", "GeoLocation", '{"CountryCode":"DE"}')
FRANCE = member("fr", "GeoLocation", '{"CountryCode":"FR"}')


@pytest.mark.parametrize("others", [{"staying": (GREEN,)}, {"owned": (GREEN,)}])
def test_a_member_beside_others_costs_no_client_its_answer(others: dict[str, object]) -> None:
    lines = forecast(replace(plan(BLUE), **others))
    assert line(lines, "www.example.com A [blue]") == (
        "www.example.com A [blue]: about 0 s per user without an answer in any gap: the name still "
        "answers from its 1 other member (about 10 % of queries affected)."
    )
    assert not [text for text in lines if "resolvers" in text or "not published" in text]
    assert "restored after 60 to 300 s." in lines[-1]


def test_a_member_alone_costs_what_a_simple_record_costs() -> None:
    assert "10 s gap: about 17 %" in line(forecast(plan(BLUE)), "www.example.com A [blue]")
    both = forecast(plan(BLUE, GREEN))  # they may be gone together
    assert "10 s gap: about 17 %" in line(both, "www.example.com A [green]")
    assert "by then about 100 % of resolvers" in both[-1]


def test_a_location_that_no_other_member_covers_is_reckoned_for_its_clients() -> None:
    reported = line(forecast(replace(plan(GERMANY), staying=(FRANCE,))), "10 s gap: about 17 %")
    assert reported.endswith(
        "That is for clients in DE that no other member covers: others have an answer."
    )


def test_beside_a_harmless_member_a_simple_record_keeps_its_own_numbers() -> None:
    lines = forecast(replace(plan(BLUE, HOUR), staying=(GREEN,)))
    assert "2 s gap" in line(lines, "www.example.com CNAME (TTL")
    assert "without an answer in any gap" in line(lines, "[blue]")
