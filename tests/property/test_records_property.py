"""Record sets under any spelling: what Route 53 sends is repeated to the letter, and read by sense.

The spellings are made here from a meaning (labels, bytes, addresses), so that two spellings of one
meaning and two meanings are known to be that without asking the code under test.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given
from hypothesis import strategies as st

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import (
    AliasTarget,
    RecordSet,
    normal_name,
    normal_value,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LETTERS = st.binary(min_size=1, max_size=6) | st.sampled_from(
    [b"www", b"*", b"_x", b"a.b", b"back\\slash", b"MiXed", b"a b", b'qu"ote', b"\x00", b"\\052"]
)
NAMES = st.lists(LETTERS, min_size=1, max_size=4)
TEXT_CHUNKS = st.lists(st.binary(max_size=8) | st.just(b'a "q" \\134'), min_size=1, max_size=3)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
JSON = st.recursive(
    st.booleans() | st.integers() | WORDS,
    lambda inner: st.dictionaries(WORDS, inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=6,
)
KNOWN = {"Name", "Type", "TTL", "ResourceRecords", "AliasTarget", "SetIdentifier"}


@st.composite
def api_shapes(draw: st.DrawFn) -> dict[str, Any]:
    """Any ``ResourceRecordSet``, with members that this program has never heard of."""
    shape: dict[str, Any] = {"Name": draw(WORDS), "Type": draw(WORDS)}
    shape |= draw(st.dictionaries(WORDS.filter(lambda w: w not in KNOWN), JSON, max_size=4))
    if draw(st.booleans()):
        shape["SetIdentifier"] = draw(WORDS)
    if draw(st.booleans()):
        shape["AliasTarget"] = {
            "HostedZoneId": draw(WORDS),
            "DNSName": draw(WORDS),
            "EvaluateTargetHealth": draw(st.booleans()),
        }
    else:
        shape["TTL"] = draw(st.integers(0, 2**31 - 1))
        values = draw(st.lists(WORDS, min_size=1, max_size=4))
        shape["ResourceRecords"] = [{"Value": value} for value in values]
    return shape


@given(api_shapes())
def test_a_record_set_is_sent_back_to_the_letter(shape: dict[str, Any]) -> None:
    record = RecordSet.from_api(shape)
    assert record.to_api() == shape
    assert RecordSet.from_api(record.to_api()) == record


def spelt_label(draw: st.DrawFn, label: bytes) -> str:
    """One of the ways to write a label: as it is, escaped, in octal; in upper or lower case."""
    out = ""
    for byte in label:
        text = chr(byte)
        ways = [f"\\{byte:03o}"]
        if text.isascii() and text.isalnum():
            ways += [text.lower(), text.upper()]
        elif byte in b"-_*":
            ways += [text, "\\" + text]
        elif 0x21 <= byte < 0x7F:
            ways.append("\\" + text)
        out += draw(st.sampled_from(ways))
    return out


@st.composite
def two_spellings(draw: st.DrawFn) -> tuple[str, str]:
    labels = draw(NAMES)
    one, other = (".".join(spelt_label(draw, label) for label in labels) for _ in range(2))
    return one, other + draw(st.sampled_from(["", "."]))


def meaning(labels: Sequence[bytes]) -> list[bytes]:
    return [label.lower() for label in labels]


@given(two_spellings())
def test_a_name_is_the_same_in_every_spelling(names: tuple[str, str]) -> None:
    one, other = names
    assert normal_name(one) == normal_name(other)
    assert normal_name(normal_name(one)) == normal_name(one)


@given(st.data(), NAMES, NAMES)
def test_different_labels_are_different_names(
    data: st.DataObject, some: list[bytes], others: list[bytes]
) -> None:
    assume(meaning(some) != meaning(others))
    one, other = (
        ".".join(data.draw(st.composite(spelt_label)(label)) for label in labels)
        for labels in (some, others)
    )
    assert normal_name(one) != normal_name(other)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_normal_form_of_any_text_is_its_own_normal_form(text: str) -> None:
    assert normal_name(normal_name(text)) == normal_name(text)
    for kind in ("A", "AAAA", "CNAME", "MX", "SRV", "TXT", "CAA"):
        assert normal_value(kind, normal_value(kind, text)) == normal_value(kind, text)


def spelt_text(draw: st.DrawFn, chunks: list[bytes]) -> str:
    """A TXT value: each chunk quoted, its bytes as they are, escaped or in octal."""
    out = []
    for chunk in chunks:
        body = ""
        for byte in chunk:
            ways = [f"\\{byte:03o}"]
            if 0x20 <= byte < 0x7F:
                plain = byte not in b'"\\'
                ways += [chr(byte)] if plain else ["\\" + chr(byte)]
                if plain and not chr(byte).isdigit():
                    ways.append("\\" + chr(byte))
            body += draw(st.sampled_from(ways))
        out.append(f'"{body}"')
    return draw(st.sampled_from([" ", "  ", "\t"])).join(out)


@given(st.data(), TEXT_CHUNKS)
def test_a_txt_value_is_the_same_in_every_spelling(
    data: st.DataObject, chunks: list[bytes]
) -> None:
    one, other = (data.draw(st.composite(spelt_text)(chunks)) for _ in range(2))
    assert normal_value("TXT", one) == normal_value("TXT", other)


@given(st.data(), TEXT_CHUNKS, TEXT_CHUNKS)
def test_txt_values_that_differ_in_a_byte_or_in_their_chunks_differ(
    data: st.DataObject, some: list[bytes], others: list[bytes]
) -> None:
    assume(some != others)
    one, other = (data.draw(st.composite(spelt_text)(chunks)) for chunks in (some, others))
    assert normal_value("TXT", one) != normal_value("TXT", other)


@given(st.integers(0, 2**128 - 1))
def test_an_ipv6_address_is_the_same_short_long_and_in_capitals(number: int) -> None:
    address = ipaddress.IPv6Address(number)
    spellings = {address.compressed, address.exploded, address.exploded.upper()}
    assert len({normal_value("AAAA", spelling) for spelling in spellings}) == 1


@st.composite
def record_and_respelling(draw: st.DrawFn) -> tuple[RecordSet, RecordSet]:
    """A record set, and the same one in another spelling and order of values."""
    kind = draw(st.sampled_from(["A", "AAAA", "CNAME", "NS", "MX", "SRV", "TXT"]))
    names = [draw(two_spellings()) for _ in range(draw(st.integers(1, 3)))]
    pairs = [_value(draw, kind, name) for name in names]
    owner, ttl = draw(two_spellings()), draw(st.integers(0, 86400))
    routing = draw(st.sampled_from([(), (("Weight", "10"),)]))
    identifier = "blue" if routing else None
    one, other = (
        RecordSet(
            name=owner[side],
            type=kind,
            ttl=ttl,
            values=tuple(draw(st.permutations([pair[side] for pair in pairs]))),
            set_identifier=identifier,
            routing=routing,
        )
        for side in (0, 1)
    )
    return one, other


def _value(draw: st.DrawFn, kind: str, name: tuple[str, str]) -> tuple[str, str]:
    match kind:
        case "A":
            address = str(draw(st.ip_addresses(v=4)))
            return address, f" {address} "
        case "AAAA":
            v6 = ipaddress.IPv6Address(draw(st.integers(0, 2**128 - 1)))
            return v6.compressed, v6.exploded.upper()
        case "MX":
            number = draw(st.integers(0, 65535))
            return f"{number} {name[0]}", f"0{number}\t{name[1]}"
        case "SRV":
            return f"1 2 443 {name[0]}", f"01  02 443  {name[1]}"
        case "TXT":
            chunks = draw(TEXT_CHUNKS)
            return spelt_text(draw, chunks), spelt_text(draw, chunks)
        case _:
            return name


@given(record_and_respelling())
def test_same_as_sees_through_the_spelling_from_both_sides(
    records: tuple[RecordSet, RecordSet],
) -> None:
    one, other = records
    assert one.same_as(one)
    assert one.same_as(other)
    assert other.same_as(one)
    assert one.key == other.key
    assert one.normal().normal() == one.normal()


@given(record_and_respelling(), st.integers(0, 4))
def test_same_as_sees_every_real_difference(
    records: tuple[RecordSet, RecordSet], which: int
) -> None:
    one, other = records
    changes: list[dict[str, Any]] = [
        {"ttl": (other.ttl or 0) + 1},
        {"name": "other." + other.name},
        {"values": (*other.values, "1 1 1 extra.example.net")},
        {"set_identifier": "green"},
        {"routing": (("Weight", "11"),)},
    ]
    fields: dict[str, Any] = {f: getattr(other, f) for f in other.__struct_fields__}
    different = RecordSet(**(fields | changes[which]))
    assert not one.same_as(different)
    assert not different.same_as(one)
    assert not one.same_as(None)


@given(two_spellings(), two_spellings(), st.booleans())
def test_an_alias_is_the_same_in_every_spelling_and_has_no_ttl_of_its_own(
    owner: tuple[str, str], target: tuple[str, str], health: bool
) -> None:
    one, other = (
        RecordSet(
            name=owner[side],
            type="A",
            ttl=ttl,
            alias=AliasTarget(
                zone_id=zone_id, dns_name=target[side], evaluate_target_health=health
            ),
        )
        for side, ttl, zone_id in ((0, None, "Z1"), (1, 60, "/hostedzone/Z1"))
    )
    assert one.same_as(other)
    assert other.same_as(one)


ROUTING: list[tuple[dict[str, Any], dict[str, Any]]] = [  # the API's, CloudFormation's
    ({"Weight": 0}, {"Weight": "0"}),
    ({"Weight": 255}, {"Weight": 255}),
    ({"Region": "eu-west-1"}, {"Region": "eu-west-1"}),
    ({"Failover": "PRIMARY"}, {"Failover": "PRIMARY"}),
    ({"MultiValueAnswer": True}, {"MultiValueAnswer": "true"}),
    ({"MultiValueAnswer": False}, {"MultiValueAnswer": "False"}),
    (
        {"GeoLocation": {"CountryCode": "UA", "SubdivisionCode": "05"}},
        {"GeoLocation": {"SubdivisionCode": "05", "CountryCode": "UA"}},
    ),
    ({"GeoLocation": {"ContinentCode": "EU"}}, {"GeoLocation": {"ContinentCode": "EU"}}),
    (
        {"GeoProximityLocation": {"AWSRegion": "us-east-1", "Bias": -10}},
        {"GeoProximityLocation": {"AWSRegion": "us-east-1", "Bias": "-10"}},
    ),
    (
        {"GeoProximityLocation": {"Coordinates": {"Latitude": "10", "Longitude": "-74.01"}}},
        {"GeoProximityLocation": {"Coordinates": {"Latitude": "10", "Longitude": "-74.01"}}},
    ),
    (
        {"CidrRoutingConfig": {"CollectionId": "1", "LocationName": "7"}},
        {"CidrRoutingConfig": {"CollectionId": "1", "LocationName": "7"}},
    ),
    (
        {"Weight": 1, "HealthCheckId": "abc"},
        {"Weight": "1", "HealthCheckId": "abc"},
    ),
]


@given(st.sampled_from(ROUTING), two_spellings(), st.booleans())
def test_properties_and_the_api_mean_the_same_under_every_routing_policy(
    routing: tuple[dict[str, Any], dict[str, Any]], owner: tuple[str, str], is_alias: bool
) -> None:
    api: dict[str, Any] = {"Name": owner[0], "Type": "A", "SetIdentifier": "1", **routing[0]}
    properties: dict[str, Any] = {
        "Name": owner[1],
        "Type": "A",
        "SetIdentifier": "1",
        "HostedZoneId": "/hostedzone/Z1",
        "Comment": "not a part of the record",
        **routing[1],
    }
    if is_alias:
        target = {"HostedZoneId": "Z2", "DNSName": "d1.cloudfront.net"}
        api["AliasTarget"] = target | {"EvaluateTargetHealth": True}
        properties["AliasTarget"] = target | {"EvaluateTargetHealth": "true"}
    else:
        api |= {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.2"}]}
        properties |= {"TTL": "60", "ResourceRecords": ["192.0.2.2", "192.0.2.1"]}
    desired = DesiredRecord.from_properties(properties)
    assert desired is not None
    assert desired.complete
    assert desired.zone_id == "Z1"
    assert desired.record.normal() == RecordSet.from_api(api).normal()
