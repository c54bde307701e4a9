"""What intrinsic functions come to: what is known is in place, and what is not stays open."""

from __future__ import annotations

import re
import time
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from tests.core.domain.test_template import JSON, UNHURRIED

from route53_takeover.core.domain.intrinsics import (
    Resolver,
    Values,
    described_name,
    functions_in,
    is_open,
    name_pattern,
)
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import STACK, StackResource
from route53_takeover.core.plan.holdings import Holdings, holdings

BODY: dict[str, Any] = {
    "Parameters": {"Host": {}, "Names": {"Type": "CommaDelimitedList"}, "Stage": {}},
    "Mappings": {"Zones": {"prod": {"Id": "Z7"}}},
    "Conditions": {
        "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
        "Test": {"Fn::Not": [{"Condition": "Prod"}]},
        "Both": {"Fn::And": [{"Condition": "Prod"}, {"Condition": "Test"}]},
        "Either": {"Fn::Or": [{"Condition": "Hidden"}, {"Condition": "Prod"}]},
        "Hidden": {"Fn::Equals": [{"Ref": "Secret"}, "x"]},
        "Round": {"Condition": "About"},
        "About": {"Condition": "Round"},
    },
}
VALUES = Values(
    stack_id="arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1",
    parameters={"Host": "www", "Names": "a, b", "Stage": "prod"},
    resources={
        "Zone": ("AWS::Route53::HostedZone", "Z1"),
        "Bucket": ("AWS::S3::Bucket", "www.example.com"),
        "Network": (STACK, "arn:child"),
    },
    outputs={"Network": {"ZoneId": "Z9"}},
    exports={"shop-zone": "Z8"},
)
resolve = Resolver(BODY, VALUES)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Host"}, "www"),
        ({"Ref": "Names"}, ["a", "b"]),
        ({"Ref": "Zone"}, "Z1"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Ref": "AWS::StackName"}, "shop"),
        ({"Fn::GetAtt": ["Zone", "Id"]}, "Z1"),
        ({"Fn::GetAtt": "Network.Outputs.ZoneId"}, "Z9"),
        ({"Fn::Sub": "${Host}.${!Kept}.${Bucket}"}, "www.${Kept}.www.example.com"),
        ({"Fn::Sub": ["${A}.${Network.Outputs.ZoneId}", {"A": {"Ref": "Host"}}]}, "www.Z9"),
        ({"Fn::Join": [".", [{"Ref": "Host"}, "example", "com"]]}, "www.example.com"),
        ({"Fn::Join": ["-", {"Ref": "Names"}]}, "a-b"),
        ({"Fn::ImportValue": {"Fn::Sub": "${AWS::StackName}-zone"}}, "Z8"),
        ({"Fn::Select": ["1", {"Fn::Split": [".", "a.b.c"]}]}, "b"),
        ({"Fn::FindInMap": ["Zones", {"Ref": "Stage"}, "Id"]}, "Z7"),
        ({"Fn::If": ["Prod", "A", "CNAME"]}, "A"),
        ({"Fn::If": ["Test", "A", "CNAME"]}, "CNAME"),
        ({"Fn::If": ["Both", "A", "CNAME"]}, "CNAME"),
        ({"Fn::If": ["Either", "A", "CNAME"]}, "A"),
        ({"Fn::If": ["Hidden", "A", "A"]}, "A"),
        ([{"Ref": "AWS::NoValue"}, {"K": {"Ref": "AWS::NoValue"}}], [{}]),
        ({"TTL": 60, "Deep": [{"Ref": "Host"}]}, {"TTL": 60, "Deep": ["www"]}),
    ],
    ids=str,
)
def test_what_is_known_is_put_in_place(node: Any, value: Any) -> None:
    assert resolve(node) == value
    assert not is_open(value)


@pytest.mark.parametrize(
    "node",
    [
        {"Ref": "Secret"},
        {"Fn::GetAtt": ["Bucket", "DomainName"]},
        {"Fn::GetAtt": ["Network", "Outputs.Other"]},
        {"Fn::GetAtt": "odd"},
        {"Fn::Sub": "${Secret}.example.com"},
        {"Fn::ImportValue": "unheard-of"},
        {"Fn::Select": ["7", ["a"]]},
        {"Fn::Select": ["0", [{"Ref": "Secret"}]]},
        {"Fn::FindInMap": ["Zones", "test", "Id"]},
        {"Fn::If": ["Hidden", "A", "CNAME"]},
        {"Fn::If": ["Round", "A", "CNAME"]},
        {"Fn::If": ["Unheard", "A", "CNAME"]},
        {"Fn::Base64": "x"},
        {"Fn::Select": ["9" * 5_000, ["A"]]},
        {"Fn::Join": ["", {"Ref": "Secret"}]},
    ],
    ids=str,
)
def test_what_is_not_known_stays_open(node: Any) -> None:
    assert is_open(resolve(node))


def test_conditions_that_later_parameters_decide_are_open() -> None:
    later = Resolver(BODY, Values(parameters={"Stage": "prod"}, has_conditions=False))
    assert is_open(later({"Fn::If": ["Prod", "A", "CNAME"]}))


@pytest.mark.parametrize(
    ("node", "shown", "fits", "not_this"),
    [
        ({"Fn::Sub": "${Secret}.Example.com"}, "?.Example.com", "a.b.example.com", "example.org"),
        ({"Fn::Sub": "*.${Secret}"}, "*.?", "*.example.com", "www.example.com"),
        ({"Fn::Join": [".", [{"Ref": "Host"}, {"Ref": "Secret"}]]}, "www.?", "www.x", "ww.x"),
        ({"Ref": "Secret"}, "?", "anything.at.all", None),
    ],
    ids=str,
)
def test_a_name_that_is_open_in_part_fits_only_what_it_may_come_to(
    node: Any, shown: str, fits: str, not_this: str | None
) -> None:
    known = resolve(node)
    assert described_name(known) == shown
    assert re.fullmatch(name_pattern(known), normal_name(fits))
    assert not_this is None or not re.fullmatch(name_pattern(known), normal_name(not_this))


def test_what_is_known_between_gaps_is_looked_for_in_its_order() -> None:
    """The same names fit as would if every way to fill the gaps were tried."""
    gap = {"Ref": "Secret"}
    names = ["".join(letters) for n in range(6) for letters in product("ab", repeat=n)]
    for size in range(1, 5):
        for parts in product([gap, "a", "ab", "b"], repeat=size):
            pattern = name_pattern({"Fn::Join": ["", list(parts)]})
            slow = "".join(".*" if part is gap else str(part) for part in parts)
            for name in names:
                fits = re.fullmatch(pattern, normal_name(name))
                assert bool(fits) == bool(re.fullmatch(slow, name)), (parts, name)


@pytest.mark.parametrize("gaps", [4, 1_000, 100_000])
def test_a_name_with_many_gaps_is_matched_at_once(gaps: int) -> None:
    """Another stack's template may be anyone's work, and its names are matched in a run."""
    name = ".".join(["a" * 60] * 4) + "."
    began = time.thread_time()
    pattern = name_pattern({"Fn::Join": ["a", [*([{"Ref": "Secret"}] * gaps), "b"]]})
    assert not re.fullmatch(pattern, name)
    assert time.thread_time() - began < 0.2


def test_the_functions_of_a_node_are_found_at_every_depth() -> None:
    node = {"A": [{"Fn::Join": ["", [{"Fn::ImportValue": {"Ref": "X"}}]]}]}
    assert functions_in(node) == {"Fn::Join", "Fn::ImportValue", "Ref"}


@UNHURRIED
@given(JSON, JSON)
def test_no_template_makes_the_reading_of_what_a_stack_holds_fail(one: Any, other: Any) -> None:
    body = {
        "Conditions": other,
        "Mappings": other,
        "Parameters": other,
        "Resources": {
            "Dns": {"Type": "AWS::Route53::RecordSet", "Properties": one},
            "Names": {"Type": "AWS::Route53::RecordSetGroup", "Properties": {"RecordSets": one}},
            "More": {"Type": "AWS::Route53::RecordSetGroup", "Properties": one},
        },
    }
    there = [
        StackResource(
            stack_id="arn:x",
            logical_id=name,
            physical_id="www.example.com",
            resource_type=f"AWS::Route53::RecordSet{'' if name == 'Dns' else 'Group'}",
            status="CREATE_COMPLETE",
        )
        for name in ("Dns", "Names")
    ]
    found = holdings("arn:x", body, VALUES, there)
    assert isinstance(found, Holdings)
    (dns,) = [record for record in found.owned if not record.group]
    assert dns.may_be_at("www.example.com.")
    assert holdings("arn:x", None, Values(), there).owned[1].may_be_at("any.name.")
