"""What can be derived from an unresolved template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from route53_takeover.core.domain.template import (
    TemplateError,
    depends,
    direct_depends,
    parse_template,
    read_template,
)

if TYPE_CHECKING:
    from route53_takeover.core.domain.desired_records import DesiredRecord

YAML = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Host: {Type: String, Default: www}
Conditions:
  On: !Not [!Equals [!Ref Host, ""]]
Resources:
  Zone:
    Type: AWS::Route53::HostedZone
  Cdn:
    Type: AWS::CloudFront::Distribution
    DependsOn: Logs
    Properties:
      Comment: !Sub "${AWS::StackName} ${!Literal} ${Certificate.Arn}"
  Logs: {Type: AWS::S3::Bucket}
  Literal: {Type: AWS::S3::Bucket}
  Certificate: {Type: AWS::CertificateManager::Certificate}
  Dns:
    Type: AWS::Route53::RecordSet
    Condition: On
    Properties:
      HostedZoneId: !Ref Zone
      Name: www.example.com
      Type: A
      AliasTarget:
        DNSName: !GetAtt Cdn.DomainName
        HostedZoneId: Z2FDTNDATAQYW2
"""


def test_short_tags_mean_the_long_functions_and_dates_stay_text() -> None:
    body = parse_template(YAML)
    assert body["AWSTemplateFormatVersion"] == "2010-09-09"
    assert body["Conditions"] == {"On": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Host"}, ""]}]}}
    alias = body["Resources"]["Dns"]["Properties"]["AliasTarget"]
    assert alias["DNSName"] == {"Fn::GetAtt": ["Cdn", "DomainName"]}


def test_tags_over_mappings_and_the_condition_tag_are_read() -> None:
    body = parse_template("A: !If [X, !Condition Y, {B: !Transform {Name: M}}]")
    assert body == {
        "A": {"Fn::If": ["X", {"Condition": "Y"}, {"B": {"Fn::Transform": {"Name": "M"}}}]}
    }


def test_json_is_read_as_json_even_where_yaml_would_differ() -> None:
    assert parse_template('{"A":\t"2010-09-09",\n\t"B": [1, "no"]}') == {
        "A": "2010-09-09",
        "B": [1, "no"],
    }


@pytest.mark.parametrize("text", ["", "just text", "[1]", "{", "A: [", "A: !!python/none x"])
def test_what_is_no_template_is_an_error_that_says_so(text: str) -> None:
    with pytest.raises(TemplateError, match="Template format error"):
        parse_template(text)


def test_everything_that_a_record_waits_for_is_found_through_others() -> None:
    template = read_template(parse_template(YAML))
    assert template.depends == {"Dns": frozenset({"Zone", "Cdn", "Logs", "Certificate"})}


def test_resources_that_wait_for_each_other_do_not_hang_the_reading() -> None:
    circle = {
        "Resources": {"A": {"DependsOn": "B"}, "B": {"DependsOn": ["C"]}, "C": {"DependsOn": "A"}}
    }
    everything = frozenset({"A", "B", "C"})
    assert depends(circle) == {"A": everything, "B": everything, "C": everything}


def test_parameters_and_pseudo_parameters_are_no_dependencies() -> None:
    assert direct_depends(parse_template(YAML))["Dns"] == frozenset({"Zone", "Cdn"})


def record(**properties: object) -> dict[str, object]:
    base = {"Name": "www.example.com", "Type": "CNAME", "TTL": 60, "ResourceRecords": ["a.b"]}
    return {
        "Resources": {
            "Dns": {"Type": "AWS::Route53::RecordSet", "Properties": {**base, **properties}}
        }
    }


def test_a_record_that_is_spelt_out_is_complete() -> None:
    desired = read_template(record(HostedZoneName="example.com.")).record_sets["Dns"]
    assert desired is not None
    assert desired.complete
    assert desired.zone_name == "example.com."
    assert desired.record.values == ("a.b",)


@pytest.mark.parametrize(
    "hidden",
    [
        {"TTL": {"Ref": "Ttl"}},
        {"ResourceRecords": [{"Fn::GetAtt": ["Cdn", "DomainName"]}]},
        {"AliasTarget": {"HostedZoneId": "Z2", "DNSName": {"Ref": "X"}}},
        {"Weight": {"Ref": "Weight"}, "SetIdentifier": "one"},
        {
            "AliasTarget": {
                "HostedZoneId": "Z",
                "DNSName": "x",
                "EvaluateTargetHealth": {"Ref": "E"},
            }
        },
    ],
    ids=str,
)
def test_a_record_with_a_hidden_value_is_known_by_name_and_type_only(
    hidden: dict[str, object],
) -> None:
    desired = read_template(record(**hidden)).record_sets["Dns"]
    assert desired is not None
    assert not desired.complete
    assert desired.record.key.name == "www.example.com."


@pytest.mark.parametrize(
    "hidden",
    [{"Name": {"Ref": "Host"}}, {"Type": {"Ref": "T"}}, {"SetIdentifier": {"Ref": "S"}}],
    ids=str,
)
def test_a_record_whose_identity_is_hidden_is_listed_as_unknown(hidden: dict[str, object]) -> None:
    assert read_template(record(**hidden)).record_sets == {"Dns": None}


def test_a_hidden_zone_leaves_the_values_known() -> None:
    desired = read_template(record(HostedZoneId={"Ref": "Zone"})).record_sets["Dns"]
    assert desired is not None
    assert desired.complete
    assert desired.zone_id is None


def test_the_records_of_a_group_have_its_zone_and_one_that_is_hidden_is_unknown() -> None:
    shown = {"Name": "www.example.com", "Type": "A", "TTL": "60", "ResourceRecords": ["192.0.2.1"]}
    properties = {"HostedZoneId": "ZONE", "RecordSets": [shown, {"Fn::If": ["X", shown, shown]}]}
    (desired, hidden) = group(properties)
    assert desired is not None
    assert (desired.record.key.name, desired.zone_id) == ("www.example.com.", "ZONE")
    assert hidden is None


@pytest.mark.parametrize(
    "properties", [None, {"Fn::If": []}, {}, {"RecordSets": {"Fn::If": ["X", [], []]}}], ids=str
)
def test_a_group_whose_list_is_hidden_has_one_unknown_record(properties: object) -> None:
    assert group(properties) == (None,)


def group(properties: object) -> tuple[DesiredRecord | None, ...]:
    resource = {"Type": "AWS::Route53::RecordSetGroup", "Properties": properties}
    return read_template({"Resources": {"All": resource}}).members["All"]


def test_a_template_without_resources_has_no_records() -> None:
    template = read_template({})
    assert (template.record_sets, template.depends, template.members) == ({}, {}, {})


JSON = st.recursive(
    st.none()
    | st.sampled_from(["A", "B.x", "${C}", "AWS::Route53::RecordSet"])
    | st.booleans()
    | st.integers()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Ref", "Fn::Sub", "Fn::GetAtt", "Resources", "Type", "DependsOn"])
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=20,
)


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), JSON, max_size=3))
def test_no_body_makes_the_reading_fail(resources: dict[str, object]) -> None:
    body = parse_template(json.dumps({"Resources": resources}))
    read_template(body)


@UNHURRIED
@given(st.dictionaries(st.sampled_from("ABCDEF"), st.sets(st.sampled_from("ABCDEF")), min_size=1))
def test_dependencies_are_closed_under_dependency(waits: dict[str, set[str]]) -> None:
    body = {"Resources": {name: {"DependsOn": sorted(others)} for name, others in waits.items()}}
    direct, all_of_them = direct_depends(body), depends(body)
    for name, found in all_of_them.items():
        assert direct[name] <= found
        assert all(all_of_them[other] <= found for other in found)
        reachable = set(direct[name])
        for _ in waits:
            reachable |= {further for other in reachable for further in direct[other]}
        assert found == reachable
