"""Who still has an answer while a member of a routed group is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.domain.routing import other_members, still_answers, unanswered

NAME = "www.example.com."
COVERED = "that no other member covers"


def member(identifier: str, key: str = "Weight", value: Any = 10, **more: Any) -> RecordSet:
    given: dict[str, Any] = {"name": NAME, "type": "A", "ttl": 60, "values": ("192.0.2.1",)}
    routing = ((key, json.dumps(value)),)
    return RecordSet(**given | {"set_identifier": identifier, "routing": routing} | more)


def country(identifier: str, **location: str) -> RecordSet:
    return member(identifier, "GeoLocation", location)


def block(identifier: str, name: str, collection: str = "c1") -> RecordSet:
    return member(
        identifier, "CidrRoutingConfig", {"CollectionId": collection, "LocationName": name}
    )


GERMANY = country("de", CountryCode="DE")
OREGON = country("or", CountryCode="US", SubdivisionCode="OR")
EVERYWHERE = country("all", CountryCode="*")


def test_a_simple_record_has_no_other_members() -> None:
    simple = RecordSet(name=NAME, type="A", ttl=60, values=("192.0.2.1",))
    assert other_members(simple, (member("green"),)) == ()
    assert still_answers(simple, ()) == unanswered(simple, ()) == ""


def test_other_names_and_types_and_itself_are_no_other_members() -> None:
    blue, green = member("blue"), member("green")
    beside = (blue, green, member("green", type="AAAA"), member("green", name="example.com."))
    assert other_members(blue, beside) == (green,)


@pytest.mark.parametrize(
    ("missing", "others", "said"),
    [
        (member("blue"), (90,), "1 other member (about 10 % of queries affected)"),
        (member("blue"), (45, 45), "2 other members (about 10 % of queries affected)"),
        (member("blue", value=1), (255,), "1 other member (less than 1 % of queries affected)"),
        (member("blue", value=0), (90,), "1 other member (no queries affected)"),
        (member("blue"), (0,), "1 other member (about 100 % of queries affected)"),
        (member("blue", value=0), (0,), "1 other member"),
    ],
)
def test_the_share_of_a_weighted_member_is_its_weight(
    missing: RecordSet, others: tuple[int, ...], said: str
) -> None:
    beside = tuple(member(f"m{i}", value=weight) for i, weight in enumerate(others))
    assert still_answers(missing, beside) == f"the name still answers from its {said}"
    assert unanswered(missing, beside) == ""


@pytest.mark.parametrize(
    ("missing", "other", "said"),
    [
        (
            member("eu", "Region", "eu-west-1"),
            member("us", "Region", "us-east-1"),
            "1 other member (clients closest to eu-west-1 affected)",
        ),
        (
            member("p", "Failover", "PRIMARY"),
            member("s", "Failover", "SECONDARY"),
            "1 other member",
        ),
        (
            member("a", "MultiValueAnswer", True),
            member("b", "MultiValueAnswer", True),
            "1 other member",
        ),
        (GERMANY, EVERYWHERE, "1 other member (clients in DE affected)"),
        (OREGON, country("us", CountryCode="US"), "1 other member (clients in US-OR affected)"),
        (block("a", "office"), block("b", "*"), "1 other member (clients in office affected)"),
    ],
)
def test_the_clients_of_a_member_are_named_as_far_as_known(
    missing: RecordSet, other: RecordSet, said: str
) -> None:
    assert still_answers(missing, (other,)) == f"the name still answers from its {said}"
    assert unanswered(missing, (other,)) == ""


@pytest.mark.parametrize(
    ("missing", "other", "clients"),
    [
        (GERMANY, country("fr", CountryCode="FR"), "clients in DE"),
        (GERMANY, country("eu", ContinentCode="EU"), "clients in DE"),
        (country("eu", ContinentCode="EU"), GERMANY, "clients in EU"),
        (OREGON, country("ca", CountryCode="US", SubdivisionCode="CA"), "clients in US-OR"),
        (EVERYWHERE, GERMANY, "clients"),
        (block("a", "office"), block("b", "home"), "clients in office"),
        (block("a", "*"), block("b", "home"), "clients"),
    ],
)
def test_clients_that_no_other_location_covers_have_no_answer(
    missing: RecordSet, other: RecordSet, clients: str
) -> None:
    assert unanswered(missing, (other,)) == f"{clients} {COVERED}"
    assert still_answers(missing, (other,)) == (
        f"the name still answers from its 1 other member, but not to {clients} {COVERED}"
    )
