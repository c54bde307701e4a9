"""Unmodified AWS clients against the simulated account, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import aiohttp
import boto3
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.model import ShapeResolver, StructureShape

from route53_takeover.simulation.aws.http.faults import (
    AnswerDelayed,
    AnswerLost,
    ApiFault,
    Refused,
    RequestLost,
)
from route53_takeover.simulation.aws.http.protocols import Wire
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.http.shapes import fill, from_form, from_xml
from route53_takeover.simulation.aws.route53.api import identity, operations
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from pathlib import Path

    from route53_takeover.simulation.aws.http.faults import Fault

START = 1_700_000_000.0
WWW = "www.example.com."
MANUAL = {"Name": WWW, "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.1"}]}
ALIAS = {
    "Name": WWW,
    "Type": "A",
    "AliasTarget": {
        "HostedZoneId": "Z2FDTNDATAQYW2",
        "DNSName": "d1.cloudfront.net.",
        "EvaluateTargetHealth": False,
    },
}


class Account:
    """A simulated account: its time stands still until `later`."""

    def __init__(self) -> None:
        self.timeline = Schedule(START)
        self.now = START
        self.zones = Zones(self.timeline, random.Random(7))  # noqa: S311 -- a simulation
        self.zones.add_zone("example.com", zone_id="Z1")
        self.clients: list[Any] = []
        self.stacks: dict[str, Any] = {}
        self.url = ""
        self.server = AccountServer(
            {
                "route53": operations(self.zones),
                "sts": identity(),
                "cloudformation": self.stacks,
                "cloudfront": self.stacks,
            },
            before=lambda: self.timeline.advance(self.now),
        )

    def fault(self, *faults: Fault | None) -> None:
        """Lets these befall the next calls, one each."""
        left: Iterator[Fault | None] = iter(faults)

        def next_fault(_: str, __: Mapping[str, Any]) -> Fault | None:
            return next(left, None)

        self.server.fault = next_fault

    def client(self, service: str, **config: Any) -> Any:
        session: Any = boto3.Session(
            aws_access_key_id="AKIASIMULATED",
            aws_secret_access_key="simulated",  # noqa: S106 -- signs for a server that does not check
            region_name="eu-west-1",
        )
        config = {"retries": {"total_max_attempts": 1}, **config}
        client = session.client(
            service,
            endpoint_url=self.url,
            config=Config(**config),
        )
        self.clients.append(client)
        return client

    async def change(self, client: Any, *changes: tuple[str, Mapping[str, Any]]) -> Any:
        batch = {
            "Comment": "a test",
            "Changes": [{"Action": action, "ResourceRecordSet": r} for action, r in changes],
        }
        return await call(client.change_resource_record_sets, HostedZoneId="Z1", ChangeBatch=batch)


async def call(operation: Callable[..., Any], **params: Any) -> Any:
    """boto3 blocks, and the server runs on this loop."""
    return await asyncio.to_thread(operation, **params)


@pytest.fixture
async def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Account]:
    for name in (
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "AWS_SESSION_TOKEN",
        "HTTP_PROXY",
        "http_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    account = Account()
    account.url = await account.server.start()
    yield account
    for client in account.clients:
        client.close()
    await account.server.stop()


async def test_the_caller_is_the_rehearsal_user(account: Account) -> None:
    who = await call(account.client("sts").get_caller_identity)
    assert who["Account"] == "123456789012"
    assert who["Arn"] == "arn:aws:iam::123456789012:user/rehearsal"


async def test_a_change_is_pending_until_every_name_server_has_it(account: Account) -> None:
    route53 = account.client("route53")
    changed = (await account.change(route53, ("CREATE", MANUAL)))["ChangeInfo"]
    assert changed["Status"] == "PENDING"
    assert changed["Comment"] == "a test"
    assert changed["SubmittedAt"] == datetime.fromtimestamp(START, UTC)
    account.now = START + 1.9
    assert (await call(route53.get_change, Id=changed["Id"]))["ChangeInfo"]["Status"] == "PENDING"
    account.now = START + 10
    assert (await call(route53.get_change, Id=changed["Id"]))["ChangeInfo"]["Status"] == "INSYNC"
    assert account.server.calls == {
        "route53:ChangeResourceRecordSets": 1,
        "route53:GetChange": 2,
    }


async def test_records_come_back_as_they_were_sent(account: Account) -> None:
    route53 = account.client("route53")
    weighted = {
        "Name": "\\052.w.example.com.",
        "Type": "TXT",
        "SetIdentifier": 'blue <&> "green"',
        "Weight": 0,
        "TTL": 0,
        "ResourceRecords": [{"Value": '"v=spf1 -all" "<b>&amp;"'}],
    }
    multi = {
        "Name": "m.example.com.",
        "Type": "A",
        "SetIdentifier": "one",
        "MultiValueAnswer": True,
        "GeoLocation": {"CountryCode": "NL"},
        "TTL": 60,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    await account.change(
        route53,
        ("CREATE", {**MANUAL, "Name": "WWW.Example.com"}),
        ("CREATE", weighted),
        ("CREATE", multi),
        ("CREATE", {**ALIAS, "Type": "AAAA"}),
    )
    listed = await call(route53.list_resource_record_sets, HostedZoneId="/hostedzone/Z1")
    assert listed["ResourceRecordSets"][2:] == [
        multi,
        weighted,
        MANUAL,
        {**ALIAS, "Type": "AAAA"},
    ]
    assert listed["IsTruncated"] is False


async def test_record_sets_are_paged_from_any_start(account: Account) -> None:
    route53 = account.client("route53")
    names = [f"n{number:02d}.example.com." for number in range(7)]
    await account.change(route53, *(("CREATE", {**MANUAL, "Name": name}) for name in names))
    pages = route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId="Z1", PaginationConfig={"PageSize": 2}
    )
    found = await call(lambda: [[r["Name"] for r in page["ResourceRecordSets"]] for page in pages])
    assert [name for page in found for name in page][2:] == names
    assert [len(page) for page in found] == [2, 2, 2, 2, 1]
    page = await call(
        route53.list_resource_record_sets,
        HostedZoneId="Z1",
        StartRecordName="N03.example.com",
        StartRecordType="A",
        MaxItems="1",
    )
    assert [r["Name"] for r in page["ResourceRecordSets"]] == [names[3]]
    assert (page["IsTruncated"], page["NextRecordName"], page["NextRecordType"]) == (
        True,
        names[4],
        "A",
    )


async def test_members_of_a_routed_group_are_paged_by_identifier(account: Account) -> None:
    route53 = account.client("route53")
    members = [{**MANUAL, "SetIdentifier": name, "Weight": 1} for name in ("a", "b", "c")]
    await account.change(route53, *(("CREATE", member) for member in members))
    page = await call(
        route53.list_resource_record_sets,
        HostedZoneId="Z1",
        StartRecordName=WWW,
        StartRecordType="A",
        StartRecordIdentifier="b",
        MaxItems="1",
    )
    assert page["ResourceRecordSets"] == [members[1]]
    assert page["NextRecordIdentifier"] == "c"


async def test_zones_are_listed_and_found_by_name_and_id(account: Account) -> None:
    account.zones.add_zone("sub.example.com", zone_id="Z2", private=True)
    account.zones.add_zone("example.com", zone_id="Z0")
    route53 = account.client("route53")
    listed = await call(route53.list_hosted_zones, MaxItems="2")
    assert [zone["Id"] for zone in listed["HostedZones"]] == ["/hostedzone/Z1", "/hostedzone/Z2"]
    assert listed["NextMarker"] == "Z0"
    rest = await call(route53.list_hosted_zones, Marker="Z0")
    assert [zone["Id"] for zone in rest["HostedZones"]] == ["/hostedzone/Z0"]
    named = await call(route53.list_hosted_zones_by_name, DNSName="example.com", MaxItems="2")
    assert [zone["Id"] for zone in named["HostedZones"]] == ["/hostedzone/Z0", "/hostedzone/Z1"]
    assert (named["NextDNSName"], named["NextHostedZoneId"]) == ("sub.example.com.", "Z2")
    public = await call(route53.get_hosted_zone, Id="Z1")
    assert public["DelegationSet"]["NameServers"][0] == "ns-1.awsdns.example"
    assert public["HostedZone"]["Config"]["PrivateZone"] is False
    private = await call(route53.get_hosted_zone, Id="Z2")
    assert private["HostedZone"]["Config"]["PrivateZone"] is True
    assert "DelegationSet" not in private


async def test_a_refused_batch_shows_aws_message_and_changes_nothing(account: Account) -> None:
    route53 = account.client("route53")
    await account.change(route53, ("CREATE", MANUAL))
    with pytest.raises(route53.exceptions.InvalidChangeBatch) as caught:
        await account.change(
            route53,
            ("DELETE", {**MANUAL, "TTL": 60}),
            ("CREATE", {**MANUAL, "Name": "other.example.com"}),
        )
    assert str(caught.value).endswith(
        "[Tried to delete resource record set [name='www.example.com.', type='A'] "
        "but the values provided do not match the current values]"
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    assert len(account.zones.history) == 1


async def test_unknown_zones_and_changes_are_modelled_errors(account: Account) -> None:
    route53 = account.client("route53")
    with pytest.raises(route53.exceptions.NoSuchHostedZone, match="ID: Z404"):
        await call(route53.list_resource_record_sets, HostedZoneId="Z404")
    with pytest.raises(route53.exceptions.NoSuchChange):
        await call(route53.get_change, Id="C404")


async def test_a_held_zone_answers_prior_request_not_complete(account: Account) -> None:
    route53 = account.client("route53")
    account.zones.hold_zone("Z1", START + 5)
    with pytest.raises(route53.exceptions.PriorRequestNotComplete):
        await account.change(route53, ("CREATE", MANUAL))
    account.now = START + 5
    await account.change(route53, ("CREATE", MANUAL))


async def test_a_lost_answer_is_a_closed_connection_and_the_change_is_made(
    account: Account,
) -> None:
    route53 = account.client("route53")
    account.fault(AnswerLost())
    with pytest.raises(ConnectionClosedError):
        await account.change(route53, ("CREATE", MANUAL))
    assert account.zones.records_at("Z1", WWW)[0].values == ("192.0.2.1",)
    await account.change(route53, ("DELETE", MANUAL))


async def test_a_lost_request_is_a_closed_connection_and_nothing_is_changed(
    account: Account,
) -> None:
    route53 = account.client("route53")
    account.fault(RequestLost())
    with pytest.raises(ConnectionClosedError):
        await account.change(route53, ("CREATE", MANUAL))
    assert account.zones.history == []


async def test_an_answer_may_come_after_the_client_gave_up(account: Account) -> None:
    route53 = account.client("route53", read_timeout=0.1)
    account.fault(AnswerDelayed(seconds=0.4))
    with pytest.raises(ReadTimeoutError):
        await account.change(route53, ("CREATE", MANUAL))
    assert len(account.zones.history) == 1


async def test_throttling_is_refused_unexecuted_and_retried_by_the_sdk(account: Account) -> None:
    once = account.client("route53")
    account.fault(Refused())
    with pytest.raises(ClientError, match=r"\(Throttling\).*Rate exceeded"):
        await account.change(once, ("CREATE", MANUAL))
    assert account.zones.history == []
    patient = account.client("route53", retries={"total_max_attempts": 2, "mode": "standard"})
    account.fault(Refused())
    await account.change(patient, ("CREATE", MANUAL))
    assert account.server.calls["route53:ChangeResourceRecordSets"] == 3
    assert len(account.zones.history) == 1


async def test_the_sdk_repeats_a_write_whose_answer_was_lost(account: Account) -> None:
    """Why the adapter must not let it: the second DELETE meets what is no longer there."""
    eager = account.client("route53", retries={"total_max_attempts": 2, "mode": "standard"})
    await account.change(eager, ("CREATE", MANUAL))
    account.fault(AnswerLost())
    with pytest.raises(ClientError, match="it was not found"):
        await account.change(eager, ("DELETE", MANUAL))


async def test_aiobotocore_speaks_to_it_unmodified(account: Account) -> None:
    async with get_session().create_client(
        "route53",
        endpoint_url=account.url,
        region_name="us-east-1",
        aws_access_key_id="AKIASIMULATED",
        aws_secret_access_key="simulated",  # noqa: S106 -- signs for a server that does not check
        config=AioConfig(retries={"total_max_attempts": 1}),
    ) as route53:
        batch: Any = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": MANUAL}]}
        change = await route53.change_resource_record_sets(HostedZoneId="Z1", ChangeBatch=batch)
        account.now = START + 10
        status = await route53.get_change(Id=change["ChangeInfo"]["Id"])
        assert status["ChangeInfo"]["Status"] == "INSYNC"
        batch["Changes"][0]["Action"] = "CREATE"
        with pytest.raises(route53.exceptions.InvalidChangeBatch, match="but it already exists"):
            await route53.change_resource_record_sets(HostedZoneId="Z1", ChangeBatch=batch)


async def test_the_query_protocol_carries_lists_structures_booleans_and_times(
    account: Account,
) -> None:
    seen: list[Mapping[str, Any]] = []
    event = {
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/s/1",
        "EventId": "e<1>",
        "StackName": "s",
        "Timestamp": START + 0.25,
        "ResourceProperties": '{"Name": "www.example.com", "TTL": "60"}',
        "ResourceStatusReason": None,
    }

    def create_stack(params: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(params)
        return {"StackId": event["StackId"]}

    def cancel(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ApiFault("ValidationError", "No updates are to be performed.")

    account.stacks |= {
        "CreateStack": create_stack,
        "DescribeStackEvents": lambda _: {"StackEvents": [event, event]},
        "ListStacks": lambda _: {"StackSummaries": []},
        "CancelUpdateStack": cancel,
    }
    cloudformation = account.client("cloudformation")
    params = {
        "StackName": "s",
        "TemplateBody": "Resources: {a: &b}\nü",
        "Parameters": [
            {"ParameterKey": f"p{number}", "ParameterValue": "", "UsePreviousValue": False}
            for number in range(11)
        ],
        "Capabilities": ["CAPABILITY_IAM"],
        "NotificationARNs": [],
        "TimeoutInMinutes": 5,
        "DisableRollback": True,
    }
    created = await call(cloudformation.create_stack, **params)
    assert created["StackId"] == event["StackId"]
    assert created["ResponseMetadata"]["RequestId"]
    assert seen == [params]
    events = (await call(cloudformation.describe_stack_events, StackName="s"))["StackEvents"]
    assert len(events) == 2
    assert events[0]["Timestamp"] == datetime.fromtimestamp(START + 0.25, UTC)
    assert events[0]["EventId"] == "e<1>"
    assert "ResourceStatusReason" not in events[0]
    assert (await call(cloudformation.list_stacks))["StackSummaries"] == []
    with pytest.raises(ClientError, match=r"\(ValidationError\).*No updates") as caught:
        await call(cloudformation.cancel_update_stack, StackName="s")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


async def test_rest_xml_carries_payloads_headers_and_status(account: Account) -> None:
    seen: list[Mapping[str, Any]] = []

    def get_config(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"ETag": "E1", "DistributionConfig": {"CallerReference": "r", "Enabled": True}}

    def invalidate(params: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(params)
        return {"Location": "https://x/1", "Invalidation": {"Id": "I1", "Status": "InProgress"}}

    def delete(params: Mapping[str, Any]) -> Mapping[str, Any]:
        seen.append(params)
        return {}

    account.stacks |= {
        "GetDistributionConfig": get_config,
        "CreateInvalidation": invalidate,
        "DeleteDistribution": delete,
    }
    cloudfront = account.client("cloudfront")
    config = await call(cloudfront.get_distribution_config, Id="D1")
    assert config["ETag"] == "E1"
    assert config["DistributionConfig"] == {"CallerReference": "r", "Enabled": True}
    batch = {"Paths": {"Quantity": 2, "Items": ["/a", "/b"]}, "CallerReference": "r"}
    made = await call(cloudfront.create_invalidation, DistributionId="D/1", InvalidationBatch=batch)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["Location"], made["Invalidation"]["Id"]) == ("https://x/1", "I1")
    await call(cloudfront.delete_distribution, Id="D1", IfMatch="E1")
    assert seen == [
        {"DistributionId": "D/1", "InvalidationBatch": batch},
        {"Id": "D1", "IfMatch": "E1"},
    ]


async def test_an_operation_that_is_not_simulated_is_named(account: Account) -> None:
    with pytest.raises(ClientError, match=r"InvalidAction.*route53:CreateHostedZone is not"):
        await call(account.client("route53").create_hosted_zone, Name="x.com", CallerReference="r")
    with pytest.raises(ClientError, match=r"cloudformation:ListStacks is not part"):
        await call(account.client("cloudformation").list_stacks)
    with pytest.raises(ClientError) as caught:
        await call(account.client("iam").list_users)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "iam:ListUsers" in str(caught.value)


async def test_an_unsigned_request_goes_to_the_service_that_knows_it(account: Account) -> None:
    async with aiohttp.ClientSession() as session:
        form = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
        async with session.post(account.url, data=form) as answer:
            assert "arn:aws:iam::123456789012:user/rehearsal" in await answer.text()
        async with session.get(f"{account.url}/2013-04-01/hostedzone/Z1") as answer:
            assert "<Name>example.com.</Name>" in await answer.text()


async def test_a_defect_of_a_handler_is_an_internal_failure_that_says_what(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    account.stacks["ListStacks"] = lambda _: {"Misspelt": 1}
    with pytest.raises(ClientError, match=r"InternalFailure.*has no member Misspelt"):
        await call(account.client("cloudformation").list_stacks)
    assert "cloudformation:ListStacks failed" in caplog.text


def test_flattened_lists_and_maps_are_read_and_written() -> None:
    shapes: Any = {
        "Top": {
            "type": "structure",
            "members": {
                "Names": {"shape": "Names"},
                "Tags": {"shape": "Tags", "flattened": True, "locationName": "Tag"},
                "Plain": {"shape": "Tags"},
            },
        },
        "Names": {"type": "list", "flattened": True, "member": {"shape": "Text"}},
        "Tags": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
        "Text": {"type": "string"},
    }
    top = ShapeResolver(shapes).get_shape_by_name("Top")
    assert isinstance(top, StructureShape)
    value = {"Names": ["a", "b"], "Tags": {"k": "v", "l": "w"}, "Plain": {"x": "y"}}
    node = ET.Element("Top")
    fill(node, top, value)
    assert [child.tag for child in node] == ["Names", "Names", "Tag", "Tag", "Plain"]
    assert from_xml(top, node) == value
    form = {
        "Names.2": "b",
        "Names.1": "a",
        "Tag.1.key": "k",
        "Tag.1.value": "v",
        "Tag.2.key": "l",
        "Tag.2.value": "w",
        "Plain.entry.1.key": "x",
        "Plain.entry.1.value": "y",
    }
    assert from_form(top, form, "") == value


def test_a_protocol_that_is_not_built_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="ec2 speaks ec2"):
        Wire("ec2")
