r"""Record sets: names, values, CloudFormation's properties, and what cannot stand side by side."""

from __future__ import annotations

from typing import Any

import pytest

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import (
    AliasTarget,
    Change,
    RecordKey,
    RecordSet,
    conflict,
    display_name,
    normal_name,
    normal_value,
    same_records,
)


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("WWW.Example.COM", "www.example.com."),
        ("*.example.com", "\\052.example.com."),
        ("\\052.example.com.", "\\052.example.com."),
        ("\\*.example.com.", "\\052.example.com."),
        ("\\141\\102.example.com", "ab.example.com."),
        ("a\\056b.example.com", "a\\056b.example.com."),
        ("a\\.b.example.com", "a\\056b.example.com."),
        ("_acme-challenge.example.com", "_acme-challenge.example.com."),
        ("0/25.2.0.192.in-addr.arpa", "0\\05725.2.0.192.in-addr.arpa."),
        ("a\\", "a\\134."),
        ("\\477.example.com", "477.example.com."),
        (".", "."),
        ("", "."),
    ],
)
def test_a_name_has_one_normal_form(name: str, normal: str) -> None:
    assert normal_name(name) == normal


def test_an_escaped_dot_stays_inside_its_label() -> None:
    assert normal_name("a\\056b.example.com") != normal_name("a.b.example.com")


def test_people_read_names_without_the_dot_and_with_the_star() -> None:
    assert display_name("\\052.example.com.") == "*.example.com"
    assert str(RecordKey("\\052.example.com.", "A", "blue")) == "*.example.com A [blue]"
    assert str(RecordKey("www.example.com.", "A")) == "www.example.com A"


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("TXT", '"a\\"b"', '"a\\042b"'),
        ("TXT", '"a\\\\b"', '"a\\134b"'),
        ("TXT", '"\\141"', '"a"'),
        ("TXT", "unquoted", '"unquoted"'),
        ("TXT", 'un\\"quoted', '"un\\"quoted"'),
        ("TXT", '"a"   "b"', '"a" "b"'),
        ("TXT", '"v=spf1 -all"', '"v=spf1\\040-all"'),
        ("SPF", "a", '"a"'),
        ("CNAME", "D1.CloudFront.net", "d1.cloudfront.net."),
        ("NS", "NS-1.awsdns-1.org", "ns-1.awsdns-1.org."),
        ("PTR", "Www.example.com", "www.example.com."),
        ("MX", "010  Mail.example.com", "10 mail.example.com."),
        ("SRV", "1 02 443 Host.example.com", "1 2 443 host.example.com."),
        ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
        ("A", " 192.0.2.1 ", "192.0.2.1"),
        ("CAA", '0  issue  "ca.example"', '0 issue "ca.example"'),
    ],
)
def test_one_value_in_two_spellings_is_the_same(kind: str, one: str, other: str) -> None:
    assert normal_value(kind, one) == normal_value(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("TXT", '"a" "b"', '"ab"'),
        ("TXT", '"a" "b"', '"b" "a"'),
        ("TXT", '"A"', '"a"'),
        ("TXT", '"a  b"', '"a b"'),
        ("TXT", '"a" ""', '"a"'),
        ("TXT", '"\\\\101"', '"\\101"'),
        ("TXT", "a\\\\", "a"),
        ("MX", "10 mail.example.com.", "20 mail.example.com."),
        ("CNAME", "a\\056b.example.com.", "a.b.example.com."),
        ("AAAA", "::ffff:192.0.2.1", "::192.0.2.1"),
        ("A", "192.0.2.01", "192.0.2.1"),
        ("CAA", '0 issue "ca  example"', '0 issue "ca example"'),
    ],
)
def test_two_values_stay_different(kind: str, one: str, other: str) -> None:
    assert normal_value(kind, one) != normal_value(kind, other)


WWW: dict[str, Any] = {"Name": "www.example.com", "Type": "A"}
PLAIN = WWW | {"TTL": "60", "ResourceRecords": ["192.0.2.1"]}
ALIAS = WWW | {"AliasTarget": {"DNSName": "d1.cloudfront.net", "HostedZoneId": "Z2FDTNDATAQYW2"}}
REF = {"Ref": "Something"}


def desired(properties: dict[str, Any]) -> DesiredRecord:
    read = DesiredRecord.from_properties(properties)
    assert read is not None
    return read


def test_properties_with_all_that_is_compared_are_complete() -> None:
    plain, alias = desired(PLAIN), desired(ALIAS)
    assert plain.complete
    assert (plain.record.ttl, plain.record.values) == (60, ("192.0.2.1",))
    assert alias.complete
    assert alias.record.alias == AliasTarget(zone_id="Z2FDTNDATAQYW2", dns_name="d1.cloudfront.net")


@pytest.mark.parametrize(
    "properties",
    [
        WWW,
        WWW | {"TTL": "60"},
        WWW | {"TTL": "60", "ResourceRecords": []},
        WWW | {"TTL": "60", "ResourceRecords": REF},
        WWW | {"TTL": "60", "ResourceRecords": ["192.0.2.1", REF]},
        WWW | {"ResourceRecords": ["192.0.2.1"]},
        PLAIN | {"TTL": REF},
        PLAIN | {"TTL": "soon"},
        PLAIN | {"TTL": True},
        PLAIN | {"Weight": REF, "SetIdentifier": "a"},
        PLAIN | {"GeoLocation": {"CountryCode": {"Fn::GetAtt": ["A", "B"]}}, "SetIdentifier": "a"},
        WWW | {"AliasTarget": REF},
        WWW | {"AliasTarget": {"DNSName": {"Fn::Sub": "x"}, "HostedZoneId": "Z2"}},
        WWW | {"AliasTarget": {"DNSName": "d1.cloudfront.net", "HostedZoneId": REF}},
        WWW | {"AliasTarget": {"DNSName": "d1.cloudfront.net"}},
        WWW
        | {
            "AliasTarget": {
                "DNSName": "d1.cloudfront.net",
                "HostedZoneId": "Z2",
                "EvaluateTargetHealth": {"Fn::If": ["Live", True, False]},
            }
        },
    ],
)
def test_properties_with_something_missing_or_unresolved_are_incomplete(
    properties: dict[str, Any],
) -> None:
    assert not desired(properties).complete


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"Name": "www.example.com"},
        {"Type": "A"},
        PLAIN | {"Name": REF},
        PLAIN | {"Type": REF},
        PLAIN | {"SetIdentifier": REF},
    ],
)
def test_properties_that_do_not_say_which_record_set_say_nothing(
    properties: dict[str, Any],
) -> None:
    assert DesiredRecord.from_properties(properties) is None


def test_the_zone_is_known_by_id_or_by_name_or_not_at_all() -> None:
    by_id = desired(PLAIN | {"HostedZoneId": "/hostedzone/Z1"})
    assert (by_id.zone_id, by_id.zone_name) == ("Z1", None)
    by_name = desired(PLAIN | {"HostedZoneName": "Example.com"})
    assert (by_name.zone_id, by_name.zone_name) == (None, "example.com.")
    unknown = desired(PLAIN | {"HostedZoneId": REF, "HostedZoneName": REF})
    assert (unknown.zone_id, unknown.zone_name) == (None, None)
    assert unknown.complete


@pytest.mark.parametrize(
    ("text", "boolean"),
    [(True, True), ("true", True), ("True", True), (False, False), ("false", False)],
)
def test_a_boolean_may_come_as_text(text: object, boolean: bool) -> None:
    target = ALIAS["AliasTarget"] | {"EvaluateTargetHealth": text}
    alias = desired(WWW | {"AliasTarget": target}).record.alias
    assert alias is not None
    assert alias.evaluate_target_health is boolean


def record(name: str, kind: str, set_identifier: str | None = None) -> RecordSet:
    return RecordSet(
        name=name, type=kind, ttl=60, values=("192.0.2.1",), set_identifier=set_identifier
    )


@pytest.mark.parametrize(
    ("one", "other", "stands_in_the_way"),
    [
        (record("www.a.", "A"), record("www.a.", "A"), True),
        (record("www.a.", "A"), record("WWW.a", "A"), True),
        (record("www.a.", "A"), record("web.a.", "A"), False),
        (record("www.a.", "A"), record("www.a.", "AAAA"), False),
        (record("www.a.", "A"), record("www.a.", "TXT"), False),
        (record("www.a.", "CNAME"), record("www.a.", "A"), True),
        (record("www.a.", "CNAME"), record("www.a.", "TXT"), True),
        (record("www.a.", "CNAME"), record("www.a.", "CNAME"), True),
        (record("www.a.", "CNAME"), record("x.www.a.", "A"), False),
        (record("www.a.", "A"), record("www.a.", "A", "blue"), True),
        (record("www.a.", "A", "blue"), record("www.a.", "A", "blue"), True),
        (record("www.a.", "A", "green"), record("www.a.", "A", "blue"), False),
        (record("www.a.", "CNAME", "green"), record("www.a.", "CNAME", "blue"), False),
        (record("www.a.", "CNAME", "green"), record("www.a.", "A", "blue"), True),
        (record("www.a.", "A", "green"), record("www.a.", "AAAA", "green"), False),
    ],
)
def test_what_cannot_stand_side_by_side(
    one: RecordSet, other: RecordSet, stands_in_the_way: bool
) -> None:
    assert conflict(one, other) is stands_in_the_way
    assert conflict(other, one) is stands_in_the_way


def test_two_sets_of_records_are_the_same_in_any_order_and_spelling() -> None:
    www, web = record("www.a.", "A"), record("web.a.", "A")
    assert same_records([www, web], [web, record("WWW.a", "A")])
    assert not same_records([www], [www, web])
    assert not same_records([www], [web])


def test_a_change_deletes_or_creates_and_repeats_the_record_as_it_came() -> None:
    odd = record("WWW.a", "A")
    assert Change.delete(odd) == Change(action="DELETE", record=odd)
    assert Change.create(odd) == Change(action="CREATE", record=odd)


def test_a_traffic_policys_record_names_its_owner() -> None:
    shape = {"Name": "www.a.", "Type": "A", "TrafficPolicyInstanceId": "7"}
    assert RecordSet.from_api(shape).traffic_policy_instance == "7"
    assert record("www.a.", "A").traffic_policy_instance is None


def test_a_record_is_described_in_a_line() -> None:
    assert desired(ALIAS).record.describe() == "www.example.com A alias to d1.cloudfront.net"
    assert desired(PLAIN).record.describe() == "www.example.com A 192.0.2.1 (TTL 60)"
