"""What a reviewed plan and the one made anew may differ in, and what they may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.facts import Facts, Identity, OtherZone, PendingTemplate
from route53_takeover.core.plan.model import Options
from route53_takeover.core.plan.review import Review, differences, review

if TYPE_CHECKING:
    from collections.abc import Sequence

SITE = StackDescription(stack_id="arn:1", stack_name="shop", status="CREATE_COMPLETE")
WWW = RecordSet(name="www.example.com.", type="CNAME", ttl=300, values=("old.example.net",))
SOA = RecordSet(
    name="example.com.", type="SOA", ttl=900, values=("ns. mail. 1 7200 900 1209600 60",)
)
PENDING = PendingTemplate(source="change set one", given=True, digest="a")
FACTS = Facts(
    now=1000.0,
    identity=Identity(account="123456789012", arn="arn"),
    region="us-east-1",
    zone_id="Z1",
    zone_name="example.com.",
    zone_private=False,
    zone_name_servers=("ns1.example.net", "ns2.example.net"),
    zone_records=(SOA, WWW),
    stack=SITE,
)


def reviewed(of: Facts = FACTS, **options: Any) -> Review:
    said = Options(stack="shop", records=("www.example.com",), deploy_on="x", **options)
    found = review(of, said)
    return msgspec.json.decode(msgspec.json.encode(found), type=Review)


def texts(now: Review, then: Review | None = None) -> Sequence[str]:
    return [found.text for found in differences(then or reviewed(), now)]


SOON = Identity(account="123456789012", arn="arn", expires=1060.0, renewable=False)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"now": 99999.0},
        {"identity": SOON},
        {"cwd": "/elsewhere", "missing_programs": ("x",)},
        {"zone_name_servers": ("ns2.example.net", "ns1.example.net")},
        {"stack": replace(SITE, status="UPDATE_COMPLETE")},
        {"zone_records": (SOA, replace(WWW, name="WWW.Example.com", values=("OLD.example.net.",)))},
    ],
)
def test_what_does_not_matter_is_no_difference(changes: dict[str, Any]) -> None:
    assert texts(reviewed(replace(FACTS, **changes))) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"identity": replace(SOON, account="1")}, "account 123456789012 -> 1"),
        ({"region": "eu-west-1"}, "region us-east-1 -> eu-west-1"),
        ({"zone_id": "Z2"}, "zone example.com (Z1) -> example.com (Z2)"),
        ({"stack": replace(SITE, stack_id="arn:2")}, "stack shop: arn:1 -> arn:2"),
        ({"stack": replace(SITE, status="DELETE_FAILED")}, "stack shop is DELETE_FAILED"),
        ({"zone_name_servers": ("ns1.example.net",)}, "name servers ns1"),
        ({"zone_records": (replace(SOA, ttl=5), WWW)}, "negative TTL of the zone 60 s -> 5 s"),
        ({"zone_records": (SOA, replace(WWW, ttl=60))}, "(TTL 300) -> www.example.com CNAME"),
        (
            {"zone_records": (SOA, replace(WWW, routing=(("HealthCheckId", '"h"'),)))},
            "www.example.com CNAME: HealthCheckId changed",
        ),
        (
            {"other_zones": (OtherZone(zone_id="Z3", name="example.com.", private=True),)},
            "other zones named example.com",
        ),
        ({"protections_unread": "AccessDenied"}, "new warning: "),
    ],
)
def test_what_matters_is_named(changes: dict[str, Any], named: str) -> None:
    (first, *_) = texts(reviewed(replace(FACTS, **changes)))
    assert named in first


def test_the_pending_template_counts_and_the_name_of_its_change_set_does_not() -> None:
    then = reviewed(replace(FACTS, pending=PENDING), preview="make")
    same = reviewed(
        replace(FACTS, pending=replace(PENDING, source="change set two")), preview="make"
    )
    other = reviewed(replace(FACTS, pending=replace(PENDING, digest="b")), preview="make")
    assert texts(same, then) == []
    assert texts(other, then) == [
        "the pending template of the preview's change set has changed",
    ]


def test_a_name_of_a_group_that_is_no_longer_free_is_named() -> None:
    key = RecordKey("api.example.com.", "A", None)
    now = reviewed()
    then = replace(now, plan=replace(now.plan, vacant=(key,)))
    assert texts(now, then) == ["api.example.com A: no longer free for the stack's group"]
    assert texts(then, now) == ["api.example.com A: free now for the stack's group"]


def test_a_stack_under_review_is_one_that_does_not_exist_yet() -> None:
    absent = StackDescription(stack_id="", stack_name="", status="ABSENT")
    then = reviewed(replace(FACTS, stack=absent), deploy_off="x")
    now = reviewed(replace(FACTS, stack=replace(SITE, status="REVIEW_IN_PROGRESS")), deploy_off="x")
    assert not any("does not exist ->" in text for text in texts(now, then))
    created = reviewed(FACTS, deploy_off="x")
    assert "stack shop: does not exist -> arn:1" in texts(created, then)
