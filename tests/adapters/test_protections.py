"""Protections, guardrails and unknown members of record sets, read over the wire.

The simulated Route 53 has its own copy of what is new in the API; the program's SDK is older.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from botocore.loaders import Loader

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.route53 import Route53Records
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.base.errors import AccessDeniedError, RejectedChangeError
from route53_takeover.core.domain.protections import Guardrail, Protection
from route53_takeover.core.domain.record_sets import Change, RecordSet
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.route53.api import operations
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import AsyncIterator

    from tests.adapters.conftest import FakeAws

AFFINITY = {"LocationType": "Region", "LocationId": "eu-west-1"}
WWW = {
    "Name": "www.example.com.",
    "Type": "A",
    "SetIdentifier": "one",
    "TTL": 60,
    "ResourceRecords": [{"Value": "192.0.2.1"}],
}


class Cloud:
    """A zone over the wire, read by the program's own session."""

    def __init__(self, zones: Zones, records: Route53Records, calls: Counter[str]) -> None:
        self.zone = zones.zone("Z1")
        self.zones = zones
        self.records = records
        self.calls = calls


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    timeline = Schedule(0.0)
    zones = Zones(timeline, Random(1))  # noqa: S311 -- a simulation
    zones.add_zone("example.com", zone_id="Z1")
    server = AccountServer({"route53": operations(zones)}, before=lambda: timeline.advance(0.0))
    credentials = Credentials(endpoint_url=await server.start())
    async with AwsSession(credentials, SystemClock(), writable=True) as aws:
        yield Cloud(zones, Route53Records(aws), aws.calls)
    await server.stop()


async def test_the_protections_at_a_name_are_listed_of_every_type(cloud: Cloud) -> None:
    cloud.zone.protections |= {
        ("example.com.", "MX"): "",
        ("www.example.com.", "A"): "production & more",
        ("www.example.com.", "CNAME"): "",
        ("x.www.example.com.", "A"): "",
    }
    assert await cloud.records.protections("Z1", ["WWW.example.com"]) == [
        Protection(name="www.example.com.", type="A", comment="production & more"),
        Protection(name="www.example.com.", type="CNAME"),
    ]
    assert await cloud.records.protections("Z1", ["none.example.com"]) == []
    assert cloud.calls == {"route53:ListResourceRecordSetProtections": 2}


async def test_every_page_of_protections_is_read(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("route53_takeover.adapters.route53._NAME_PAGE", "1")
    kinds = ("A", "AAAA", "TXT")
    cloud.zone.protections |= {("www.example.com.", kind): "" for kind in kinds}
    cloud.zone.protections["example.com.", "MX"] = ""
    found = await cloud.records.protections("Z1", ["www.example.com."])
    assert [one.type for one in found] == [*kinds]


@pytest.mark.parametrize("pages", [1, 5])
async def test_the_protections_of_many_names_take_one_list_where_a_zone_has_few(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    names = [f"n{number}.example.com." for number in range(4)]
    cloud.zone.protections |= {(name, "A"): "" for name in [*names, "other.example.com."]}
    monkeypatch.setattr("route53_takeover.adapters.route53._NAME_PAGE", "2")
    monkeypatch.setattr("route53_takeover.adapters.route53._PROTECTION_PAGES", pages)
    found = await cloud.records.protections("Z1", names)
    assert sorted(one.name for one in found) == names
    calls = cloud.calls["route53:ListResourceRecordSetProtections"]
    assert calls == (3 if pages == 5 else 1 + len(names))


async def test_a_denied_list_of_protections_is_an_error_of_its_own(
    server: FakeAws, aws: AwsSession
) -> None:
    server.fail("AccessDenied", "no identity-based policy allows it", 403)
    with pytest.raises(AccessDeniedError) as raised:
        await Route53Records(aws).protections("Z1", ["www.example.com."])
    assert "route53:ListResourceRecordSetProtections" in raised.value.hint


async def test_the_guardrails_that_are_on_are_read_with_the_zone(cloud: Cloud) -> None:
    always = (Guardrail.NS_DELEGATION_AUTHORITY, Guardrail.NS_FORMAT)
    assert (await cloud.records.zone("Z1")).guardrails == always
    cloud.zone.guardrails.add(Guardrail.ACTIVE_RECORD)
    assert (await cloud.records.zone("Z1")).guardrails == (Guardrail.ACTIVE_RECORD, *always)


async def test_a_zone_without_features_has_no_guardrails(server: FakeAws, aws: AwsSession) -> None:
    server.succeed(
        "<GetHostedZoneResponse><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name>"
        "<CallerReference>r</CallerReference></HostedZone></GetHostedZoneResponse>"
    )
    zone = await Route53Records(aws).zone("Z1")
    assert (zone.guardrails, zone.record_count) == ((), 0)


async def test_a_member_that_the_sdk_does_not_know_is_kept_and_never_sent(cloud: Cloud) -> None:
    odd = RecordSet.from_api({**WWW, "AZAffinity": AFFINITY})
    cloud.zone.records[odd.key] = odd
    plain = RecordSet.from_api({**WWW, "SetIdentifier": "two", "Weight": 1})
    cloud.zone.records[plain.key] = plain
    read, other = await cloud.records.read_name("Z1", "www.example.com.")
    assert read.unknown_members == ("AZAffinity",)
    assert "<" in dict(read.routing)["AZAffinity"]
    assert "eu-west-1" in dict(read.routing)["AZAffinity"]
    assert other == plain
    with pytest.raises(RejectedChangeError, match="AZAffinity"):
        await cloud.records.change("Z1", [Change.delete(read)], "")
    assert cloud.calls["route53:ChangeResourceRecordSets"] == 0


@pytest.mark.parametrize(
    ("inside", "path"),
    [
        ("<New>1</New>", "New"),
        (("<AliasTarget><HostedZoneId>Z</HostedZoneId><DNSName>x.</DNSName><EvaluateTargetHealth>"
         "false</EvaluateTargetHealth><Scope>x</Scope></AliasTarget>"), "AliasTarget.Scope"),
        (("<ResourceRecords><ResourceRecord><Value>192.0.2.1</Value><Note/></ResourceRecord>"
         "</ResourceRecords>"), "ResourceRecords.ResourceRecord.Note"),
        ("<GeoLocation><CountryCode>NL</CountryCode><City>x</City></GeoLocation>",
         "GeoLocation.City"),
    ],
)  # fmt: skip
async def test_an_unknown_element_is_found_at_any_depth(
    server: FakeAws, aws: AwsSession, inside: str, path: str
) -> None:
    record = f"<ResourceRecordSet><Name>a.</Name><Type>A</Type>{inside}</ResourceRecordSet>"
    server.succeed(
        '<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">'
        f"<ResourceRecordSets>{record}</ResourceRecordSets><IsTruncated>false</IsTruncated>"
        "<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"
    )
    (found,) = await Route53Records(aws).read_zone("Z1")
    assert found.unknown_members == (path,)


async def test_the_sdks_own_refusals_of_a_list_are_reported_as_before(
    server: FakeAws, aws: AwsSession
) -> None:
    server.fail("AccessDenied", "not allowed", 403)
    with pytest.raises(AccessDeniedError):
        await Route53Records(aws).read_zone("Z1")


def test_the_sdk_in_use_still_needs_the_extras() -> None:
    """Once it does not, `adapters.aws_models` can go."""
    model = Loader().load_service_model("route53", "service-2")
    assert "ListResourceRecordSetProtections" not in model["operations"]
