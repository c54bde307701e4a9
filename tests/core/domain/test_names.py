r"""Names as users type them: what is read, what is shown, and which part an error names."""

from __future__ import annotations

import pytest

from route53_takeover.base.errors import UsageError
from route53_takeover.core.domain.names import (
    canonical_record,
    canonical_zone,
    requested,
    requested_pairs,
    shown_name,
)
from route53_takeover.core.domain.record_sets import RecordKey


@pytest.mark.parametrize(
    ("text", "name", "types"),
    [
        ("www.example.com", "www.example.com.", ()),
        (" WWW.Example.Com. ", "www.example.com.", ()),
        ("Www.Example.com./cname", "www.example.com.", ("CNAME",)),
        ("www.example.com/", "www.example.com.", ()),
        ("www.example.com/a, aaaa,A", "www.example.com.", ("A", "AAAA")),
        ("0/25.2.0.192.in-addr.arpa", "0\\05725.2.0.192.in-addr.arpa.", ()),
        ("0/25.2.0.192.in-addr.arpa/NS", "0\\05725.2.0.192.in-addr.arpa.", ("NS",)),
        ("https://www.example.com/path?x=1#y", "www.example.com.", ()),
        ("HTTPS://user:pw@WWW.example.com:8443", "www.example.com.", ()),
        ("//www.example.com/", "www.example.com.", ()),
        ("https://www.example.com/a", "www.example.com.", ()),
        ("bücher.example.com", "xn--bcher-kva.example.com.", ()),
        ("BÜCHER.Example.com/AAAA", "xn--bcher-kva.example.com.", ("AAAA",)),
        ("https://bücher.example.com/blog", "xn--bcher-kva.example.com.", ()),
        ("bu\u0308cher.example.com", "xn--bcher-kva.example.com.", ()),
        ("straße.example.com", "xn--strae-oqa.example.com.", ()),
        ("例え。example。com", "xn--r8jz45g.example.com.", ()),
        ("xn--bcher-kva.example.com", "xn--bcher-kva.example.com.", ()),
        ("*.example.com", "\\052.example.com.", ()),
        ("\\052.example.com/A", "\\052.example.com.", ("A",)),
        ("*.bücher.example.com", "\\052.xn--bcher-kva.example.com.", ()),
        ("_dmarc.example.com/TXT", "_dmarc.example.com.", ("TXT",)),
        ("a\\056b.example.com", "a\\056b.example.com.", ()),
    ],
)
def test_a_record_is_named_as_people_type_it(text: str, name: str, types: tuple[str, ...]) -> None:
    assert requested(text) == (name, types)
    assert requested(canonical_record(text)) == (name, types), "and is said again in ASCII"
    assert canonical_record(text).isascii()


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("", "no domain name"),
        ("/A", "no domain name in '/A'"),
        ("www..example.com", "label 2 is empty"),
        (".example.com", "label 1 is empty"),
        ("www\u3002\u3002example.com", "label 2 is empty"),
        ("www.example.com..", "label 4 is empty"),
        ("w w.example.com", "space in the label 'w w'"),
        ("w\\9.example.com", "label 'w\\\\9' has a backslash"),
        ("w\\400.example.com", "label 'w\\\\400' has a backslash"),
        ("x" * 64 + ".example.com", "has 64 characters, and 63 are allowed"),
        ("ü" * 60 + ".example.com", "Label too long"),
        (".".join(["x" * 60] * 5), "more than 253 characters"),
        ("a" * 2000, "is not a domain name"),
        ("www.example.com/ALIAS", "'ALIAS' in 'www.example.com/ALIAS' is no record type"),
        ("www.example.com/A,,AAAA", "empty record type"),
        ("www.example.com/blog", "'BLOG'"),
        ("www.example.com:8443", "':8443' in 'www.example.com:8443' is a port"),
        ("192.0.2.7", "IP address"),
        ("https://192.0.2.7/", "IP address"),
        ("https://[2001:db8::1]/", "IP address"),
        ("https://", "without a host"),
        ("https://[::1", "is not a URL"),
        ("https://www.example.com/A,AAAA", "may be a path or a record type"),
        ("a\u2665b.example.com", "label 'a♥b' has no IDNA form"),
        ("a\u202eb.example.com", "has no IDNA form"),
    ],
)
def test_an_error_names_the_part_that_is_wrong(text: str, reported: str) -> None:
    with pytest.raises(UsageError) as raised:
        requested(text)
    assert reported in raised.value.message
    assert raised.value.hint


def test_types_and_repeated_names_come_to_pairs_each_once() -> None:
    asked = ["www.example.com/A,AAAA", "WWW.example.com/a", "example.com"]
    assert requested_pairs(asked) == [
        ("www.example.com.", "A"),
        ("www.example.com.", "AAAA"),
        ("example.com.", None),
    ]


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Z0123456789ABC", "Z0123456789ABC"),
        ("/hostedzone/Z0123456789ABC", "/hostedzone/Z0123456789ABC"),
        ("Example.COM.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("https://example.com/", "example.com"),
    ],
)
def test_a_zone_is_named_by_its_id_or_its_name(text: str, zone: str) -> None:
    assert canonical_zone(text) == zone


def test_an_internationalized_name_is_shown_in_both_forms() -> None:
    both = "bücher.example.com (xn--bcher-kva.example.com)"
    assert shown_name("xn--bcher-kva.example.com.") == both
    assert str(RecordKey("xn--bcher-kva.example.com.", "A")) == f"{both} A"
    assert shown_name("\\052.example.com.") == "*.example.com"


@pytest.mark.parametrize("label", ["xn--", "xn--a", "xn--" + "9" * 70, "xn--n3h", "xn--ab-m1t"])
def test_what_idna_allows_in_no_name_is_shown_as_it_is(label: str) -> None:
    assert shown_name(f"{label}.example.com.") == f"{label}.example.com"
