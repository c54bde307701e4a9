"""Route 53's requests have the right shape, and its pages are read to the right end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.stub import AioStubber

from route53_takeover.adapters.route53 import Route53Records
from route53_takeover.core.domain.record_sets import Change, RecordSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.adapters.session import AwsSession

CHANGE_INFO = {"Id": "/change/C1", "Status": "PENDING", "SubmittedAt": "2026-01-01T00:00:00Z"}


@pytest.fixture
def reads(stubbed: AwsSession) -> Iterator[AioStubber]:
    with AioStubber(stubbed._open[-1].pooled.route53) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def writes(stubbed: AwsSession) -> Iterator[AioStubber]:
    with AioStubber(stubbed._open[-1].pooled.route53_writes) as stub:
        yield stub
        stub.assert_no_pending_responses()


def hosted_zone(zone_id: str, name: str, *, private: bool = False) -> dict[str, Any]:
    return {
        "Id": f"/hostedzone/{zone_id}",
        "Name": name,
        "CallerReference": "r",
        "Config": {"PrivateZone": private},
    }


def record(name: str, kind: str = "A", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": "v"}], **more}


def page(records: list[dict[str, Any]], following: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "ResourceRecordSets": records,
        "IsTruncated": following is not None,
        "MaxItems": "100",
        **(following or {}),
    }


async def test_every_zone_takes_one_call_for_a_page(stubbed: AwsSession, reads: AioStubber) -> None:
    shapes = [hosted_zone("ZCOM", "Example.com."), hosted_zone("ZIN", "in.", private=True)]
    page = {"HostedZones": shapes, "IsTruncated": False, "Marker": "", "MaxItems": "100"}
    reads.add_response("list_hosted_zones", page, {"MaxItems": "100"})
    found = await Route53Records(stubbed).every_zone()
    assert [(zone.zone_id, zone.name, zone.private) for zone in found] == [
        ("ZCOM", "example.com.", False),
        ("ZIN", "in.", True),
    ]


async def test_zones_are_those_that_hold_the_name_the_most_specific_first(
    stubbed: AwsSession, reads: AioStubber
) -> None:
    first = [
        hosted_zone("ZCOM", "example.com."),
        hosted_zone("ZOTHER", "ample.com."),
        hosted_zone("ZPRIVATE", "a.example.com.", private=True),
    ]
    truncated = {"IsTruncated": True, "NextMarker": "m", "Marker": "", "MaxItems": "100"}
    reads.add_response(
        "list_hosted_zones", {"HostedZones": first, **truncated}, {"MaxItems": "100"}
    )
    reads.add_response(
        "list_hosted_zones",
        {
            "HostedZones": [hosted_zone("ZA", "a.example.com.")],
            "IsTruncated": False,
            "Marker": "m",
            "MaxItems": "100",
        },
        {"MaxItems": "100", "Marker": "m"},
    )
    for shape in (first[0], first[2], hosted_zone("ZA", "a.example.com.")):
        delegation = {} if "ZPRIVATE" in shape["Id"] else {"DelegationSet": {"NameServers": ["ns"]}}
        reads.add_response(
            "get_hosted_zone",
            {"HostedZone": shape, **delegation},
            {"Id": shape["Id"].rpartition("/")[2]},
        )
    zones = await Route53Records(stubbed).zones("WWW.a.example.com")
    assert [zone.zone_id for zone in zones] == ["ZA", "ZPRIVATE", "ZCOM"]
    assert [zone.private for zone in zones] == [False, True, False]
    assert [zone.name_servers for zone in zones] == [("ns",), (), ("ns",)]


async def test_reading_a_zone_follows_every_page(stubbed: AwsSession, reads: AioStubber) -> None:
    reads.add_response(
        "list_resource_record_sets",
        page(
            [record("a.example.com.")],
            {
                "NextRecordName": "b.example.com.",
                "NextRecordType": "A",
                "NextRecordIdentifier": "two",
            },
        ),
        {"HostedZoneId": "Z1", "MaxItems": "300"},
    )
    reads.add_response(
        "list_resource_record_sets",
        page([record("b.example.com.", SetIdentifier="two", Weight=1)]),
        {
            "HostedZoneId": "Z1",
            "MaxItems": "300",
            "StartRecordName": "b.example.com.",
            "StartRecordType": "A",
            "StartRecordIdentifier": "two",
        },
    )
    assert [r.name for r in await Route53Records(stubbed).read_zone("Z1")] == [
        "a.example.com.",
        "b.example.com.",
    ]


async def test_reading_from_a_name_continues_while_only_this_name_is_listed(
    stubbed: AwsSession, reads: AioStubber
) -> None:
    asked = {"HostedZoneId": "Z1", "MaxItems": "300", "StartRecordName": "a.example.com."}
    more = {
        "NextRecordName": "a.example.com.",
        "NextRecordType": "A",
        "NextRecordIdentifier": "two",
    }
    member: dict[str, Any] = {"SetIdentifier": "one", "Weight": 1}
    reads.add_response(
        "list_resource_record_sets", page([record("a.example.com.", **member)], more), asked
    )
    reads.add_response(
        "list_resource_record_sets",
        page(
            [record("a.example.com.", **member | {"SetIdentifier": "two"}), record("b.a.example.")],
            {"NextRecordName": "c.example.com.", "NextRecordType": "A"},
        ),
        asked | {"StartRecordType": "A", "StartRecordIdentifier": "two"},
    )
    found = await Route53Records(stubbed).read_from("Z1", "A.example.com")
    assert [(r.name, r.set_identifier) for r in found] == [
        ("a.example.com.", "one"),
        ("a.example.com.", "two"),
        ("b.a.example.", None),
    ]


async def test_reading_a_name_ends_where_the_name_ends(
    stubbed: AwsSession, reads: AioStubber
) -> None:
    reads.add_response(
        "list_resource_record_sets",
        page(
            [
                record(r"\052.example.com."),
                record(r"\052.example.com.", "TXT"),
                record("www.example.com."),
            ],
            {"NextRecordName": "x.example.com.", "NextRecordType": "A"},
        ),
        {"HostedZoneId": "Z1", "MaxItems": "100", "StartRecordName": r"\052.example.com."},
    )
    found = await Route53Records(stubbed).read_name("Z1", "*.Example.com")
    assert [(r.name, r.type) for r in found] == [
        (r"\052.example.com.", "A"),
        (r"\052.example.com.", "TXT"),
    ]


async def test_a_name_without_records_reads_as_empty(
    stubbed: AwsSession, reads: AioStubber
) -> None:
    reads.add_response("list_resource_record_sets", page([record("zzz.example.com.")]))
    assert await Route53Records(stubbed).read_name("Z1", "www.example.com.") == []


async def test_a_change_repeats_the_record_to_the_letter(
    stubbed: AwsSession, writes: AioStubber
) -> None:
    old = record(r"\052.Example.com.", "TXT", SetIdentifier="one", Weight=10)
    new = {
        "Name": "www.example.com.",
        "Type": "A",
        "AliasTarget": {
            "HostedZoneId": "Z2FDTNDATAQYW2",
            "DNSName": "d1.cloudfront.net.",
            "EvaluateTargetHealth": False,
        },
    }
    writes.add_response(
        "change_resource_record_sets",
        {"ChangeInfo": CHANGE_INFO},
        {
            "HostedZoneId": "Z1",
            "ChangeBatch": {
                "Comment": "release 1",
                "Changes": [
                    {"Action": "DELETE", "ResourceRecordSet": old},
                    {"Action": "CREATE", "ResourceRecordSet": new},
                ],
            },
        },
    )
    changes = [Change.delete(RecordSet.from_api(old)), Change.create(RecordSet.from_api(new))]
    assert await Route53Records(stubbed).change("Z1", changes, "release 1") == "C1"


async def test_a_long_comment_is_cut_to_what_route_53_takes(
    stubbed: AwsSession, writes: AioStubber
) -> None:
    shape = record("www.example.com.")
    writes.add_response(
        "change_resource_record_sets",
        {"ChangeInfo": CHANGE_INFO},
        {
            "HostedZoneId": "Z1",
            "ChangeBatch": {
                "Comment": "x" * 256,
                "Changes": [{"Action": "CREATE", "ResourceRecordSet": shape}],
            },
        },
    )
    await Route53Records(stubbed).change(
        "Z1", [Change.create(RecordSet.from_api(shape))], "x" * 999
    )


@pytest.mark.parametrize(("status", "insync"), [("PENDING", False), ("INSYNC", True)])
async def test_a_change_is_in_sync_when_route_53_says_so(
    stubbed: AwsSession, reads: AioStubber, status: str, insync: bool
) -> None:
    info = CHANGE_INFO | {"Status": status}
    reads.add_response("get_change", {"ChangeInfo": info}, {"Id": "C1"})
    assert await Route53Records(stubbed).is_insync("C1") is insync


async def test_warming_asks_for_the_zone_in_use_on_the_connection_of_writes(
    stubbed: AwsSession, reads: AioStubber, writes: AioStubber
) -> None:
    records = Route53Records(stubbed)
    empty = {"HostedZones": [], "IsTruncated": False, "Marker": "", "MaxItems": "1"}
    writes.add_response("list_hosted_zones", empty, {"MaxItems": "1"})
    await records.warm()
    reads.add_response("list_resource_record_sets", page([]))
    await records.read_name("Z1", "www.example.com.")
    zone = {"HostedZone": hosted_zone("Z1", "example.com.")}
    writes.add_response("get_hosted_zone", zone, {"Id": "Z1"})
    await records.warm()
