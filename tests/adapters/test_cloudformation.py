"""Stack events come whole, in order and no further back than asked for; shapes are right."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.stub import AioStubber
from botocore.session import get_session

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.cloudformation import CloudFormationStacks, read_event
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    CredentialsError,
    NotFoundError,
)
from route53_takeover.core.domain.stacks import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adapters.conftest import FakeAws

STACK = "arn:aws:cloudformation:eu-central-1:123456789012:stack/app/1"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


STATUSES: Any = get_session().get_service_model("cloudformation").shape_for("StackStatus")
LIVE = [s for s in STATUSES.enum if s not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")]


@pytest.fixture
def stub(stubbed: AwsSession) -> Iterator[AioStubber]:
    with AioStubber(stubbed._open[-1].pooled.cloudformation) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def stacks(stubbed: AwsSession) -> CloudFormationStacks:
    return CloudFormationStacks(stubbed)


def event(event_id: str, **more: Any) -> dict[str, Any]:
    return {"StackId": STACK, "EventId": event_id, "StackName": "app", "Timestamp": WHEN, **more}


def own(event_id: str, status: str) -> dict[str, Any]:
    """The stack's own status."""
    kind = "AWS::CloudFormation::Stack"
    return event(event_id, PhysicalResourceId=STACK, ResourceType=kind, ResourceStatus=status)


def described(status: str, **more: Any) -> dict[str, Any]:
    shape = {"StackId": STACK, "StackName": "app", "StackStatus": status, "CreationTime": WHEN}
    return {"Stacks": [{**shape, **more}]}


async def test_events_stop_at_the_given_one_and_come_oldest_first(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    first = {"StackEvents": [event("6"), own("5", "UPDATE_IN_PROGRESS")], "NextToken": "t"}
    stub.add_response("describe_stack_events", first, {"StackName": STACK})
    overlap = [own("5", "UPDATE_IN_PROGRESS"), event("4"), event("3"), event("2"), event("1")]
    second = {"StackEvents": overlap, "NextToken": "u"}
    stub.add_response("describe_stack_events", second, {"StackName": STACK, "NextToken": "t"})
    found = await stacks.events(STACK, (), after="2")
    assert [e.event_id for e in found] == ["3", "4", "5", "6"]


async def test_events_stop_with_the_page_of_a_known_one_and_miss_no_late_one_on_it(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    first = {"StackEvents": [event("6"), event("5")], "NextToken": "t"}
    stub.add_response("describe_stack_events", first, {"StackName": STACK})
    second = {"StackEvents": [event("4"), event("late"), event("3")], "NextToken": "u"}
    stub.add_response("describe_stack_events", second, {"StackName": STACK, "NextToken": "t"})
    found = await stacks.events(STACK, {"4", "3"}, after="1")
    assert [e.event_id for e in found] == ["late", "5", "6"]


async def test_without_a_given_one_events_begin_with_the_start_of_the_operation(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    events = [event("4"), own("3", "UPDATE_IN_PROGRESS"), own("2", "CREATE_COMPLETE")]
    stub.add_response("describe_stack_events", {"StackEvents": events, "NextToken": "t"})
    found = await stacks.events(STACK, (), after=None)
    assert [e.event_id for e in found] == ["3", "4"]


async def test_a_stack_that_does_not_exist_has_no_events(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    for _ in range(2):
        stub.add_client_error(
            "describe_stack_events", "ValidationError", "Stack [app] does not exist"
        )
    assert await stacks.events("app", (), after=None) == []
    assert await stacks.newest_event("app") is None


async def test_the_newest_event_costs_one_page(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    page = {"StackEvents": [event("2"), event("1")], "NextToken": "t"}
    stub.add_response("describe_stack_events", page, {"StackName": STACK})
    mark = await stacks.newest_event(STACK)
    assert mark is not None
    assert mark.event_id == "2"


def test_an_event_keeps_what_the_stack_will_create() -> None:
    properties = {
        "Name": "www.example.com",
        "Type": "A",
        "HostedZoneId": "Z1",
        "AliasTarget": {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d1.cloudfront.net"},
    }
    read = read_event(
        event(
            "1",
            LogicalResourceId="Dns",
            ResourceType="AWS::Route53::RecordSet",
            ResourceStatus="CREATE_IN_PROGRESS",
            ResourceStatusReason="why",
            ResourceProperties=json.dumps(properties),
            ClientRequestToken="token",
        )
    )
    assert read.desired is not None
    assert read.desired.zone_id == "Z1"
    assert read.desired.record.alias is not None
    assert (read.timestamp, read.reason, read.token) == (WHEN.timestamp(), "why", "token")


@pytest.mark.parametrize("properties", [None, "", "{cut", "[]", "null", '"text"', "{}"])
def test_properties_that_cannot_be_read_are_unknown(properties: str | None) -> None:
    shape = event("1", ResourceType="AWS::Route53::RecordSet", ResourceStatus="CREATE_IN_PROGRESS")
    if properties is not None:
        shape["ResourceProperties"] = properties
    assert read_event(shape).desired is None


async def test_a_stack_is_described_with_its_family(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    answer = described("UPDATE_COMPLETE", RootId="root", ParentId="parent")
    stub.add_response("describe_stacks", answer, {"StackName": "app"})
    description = await stacks.describe("app")
    assert (description.stack_id, description.status) == (STACK, "UPDATE_COMPLETE")
    assert (description.root_id, description.parent_id) == ("root", "parent")


async def test_a_stack_that_does_not_exist_is_absent_and_one_we_may_not_see_is_an_error(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    stub.add_client_error("describe_stacks", "ValidationError", "Stack with id app does not exist")
    assert (await stacks.describe("app")).status == ABSENT
    stub.add_client_error("describe_stacks", "AccessDenied", "not authorized", 403)
    with pytest.raises(AccessDeniedError):
        await stacks.describe("app")


async def test_resources_are_read_to_the_last_page(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    def summary(logical_id: str) -> dict[str, Any]:
        return {
            "LogicalResourceId": logical_id,
            "ResourceType": "AWS::Route53::RecordSet",
            "LastUpdatedTimestamp": WHEN,
            "ResourceStatus": "CREATE_COMPLETE",
        }

    first = {"StackResourceSummaries": [summary("A")], "NextToken": "t"}
    stub.add_response("list_stack_resources", first, {"StackName": STACK})
    second = {"StackResourceSummaries": [{**summary("B"), "PhysicalResourceId": "www"}]}
    stub.add_response("list_stack_resources", second, {"StackName": STACK, "NextToken": "t"})
    found = await stacks.resources(STACK)
    assert [(r.logical_id, r.physical_id) for r in found] == [("A", ""), ("B", "www")]


async def test_stacks_are_listed_to_the_last_page_but_for_those_that_hold_nothing(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    def listed(name: str) -> dict[str, Any]:
        return {
            "StackId": f"{STACK}/{name}",
            "StackName": name,
            "StackStatus": "DELETE_FAILED",
            "CreationTime": WHEN,
            "RootId": "root",
        }

    asked: list[int] = []
    live = {"StackStatusFilter": LIVE}
    stub.add_response("list_stacks", {"StackSummaries": [listed("a")], "NextToken": "t"}, live)
    last = {"StackSummaries": [listed("b"), listed("c")]}
    stub.add_response("list_stacks", last, {**live, "NextToken": "t"})
    found = await stacks.stacks(asked.append)
    assert [(s.stack_name, s.status, s.root_id) for s in found] == [
        (name, "DELETE_FAILED", "root") for name in "abc"
    ]
    assert asked == [1, 2]
    assert {"DELETE_FAILED", "CREATE_FAILED", "UPDATE_IN_PROGRESS"} < set(LIVE)
    assert not {"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"} & set(LIVE)


async def test_exports_are_read_to_the_last_page(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    first = {"Exports": [{"Name": "zone", "Value": "Z1"}], "NextToken": "t"}
    stub.add_response("list_exports", first, {})
    last = {"Exports": [{"Name": "host", "Value": "www"}]}
    stub.add_response("list_exports", last, {"NextToken": "t"})
    assert await stacks.exports() == {"zone": "Z1", "host": "www"}


async def test_all_regions_of_the_partition_but_the_own_are_asked_for_an_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def beside(region: str, endpoint_url: str | None = None) -> list[str]:
        credentials = Credentials(region=region, endpoint_url=endpoint_url)
        async with AwsSession(credentials, SystemClock()) as session:
            return list(await CloudFormationStacks(session).other_regions())

    aws = await beside("eu-west-1")
    assert {"us-east-1", "eu-central-1", "ap-east-1"} < set(aws)
    assert "eu-west-1" not in aws
    assert await beside("cn-north-1") == ["cn-northwest-1"]
    with pytest.raises(ApiError, match=r"vpce-1\.cloud.* serves only eu-west-1"):
        await beside("eu-west-1", "https://vpce-1.cloudformation.example.com")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", "https://vpce-1.example.com")
    with pytest.raises(ApiError, match="serves only eu-west-1"):
        await beside("eu-west-1")


async def test_a_simulated_account_is_asked_in_the_region_of_cloudfront_only(
    aws: AwsSession, server: FakeAws
) -> None:
    stacks = CloudFormationStacks(aws)
    assert await stacks.other_regions() == ["us-east-1"]
    server.fail("InvalidClientTokenId", "The security token included in the request is invalid.")
    async with stacks.in_region("us-east-1") as there:
        assert await there.other_regions() == []
        with pytest.raises(CredentialsError):
            await there.stacks(lambda _: None)
    assert aws.calls["cloudformation:ListStacks"] == 1
    assert not aws._bad, "a region that does not know us says nothing of home"


TEMPLATE = {
    "Resources": {
        "Dns": {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {
                "Name": "www.example.com",
                "Type": "CNAME",
                "TTL": "60",
                "ResourceRecords": ["a.example.net"],
                "HostedZoneId": "Z1",
            },
        }
    }
}


async def test_the_template_in_force_is_read_as_json_or_text(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    yaml = "Resources:\n  Dns:\n    Type: AWS::Route53::RecordSet\n    Properties: {}\n"
    for body in (json.dumps(TEMPLATE), yaml):
        stub.add_response(
            "get_template",
            {"TemplateBody": body},
            {"StackName": STACK, "TemplateStage": "Processed"},
        )
        assert "Dns" in (await stacks.body(STACK))["Resources"]


async def test_details_hold_what_is_in_force_and_nothing_that_is_hidden(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    parameters = [
        {"ParameterKey": "Zone", "ParameterValue": "Z7"},
        {"ParameterKey": "Stored", "ParameterValue": "/aws/zone", "ResolvedValue": "Z8"},
        {"ParameterKey": "Secret", "ParameterValue": "****"},
        {"ParameterKey": "Empty", "ParameterValue": ""},
    ]
    outputs = [{"OutputKey": "Id", "OutputValue": "Z9"}]
    answer = described("UPDATE_COMPLETE", Parameters=parameters, Outputs=outputs)
    stub.add_response("describe_stacks", answer, {"StackName": STACK})
    details = await stacks.details(STACK)
    assert details.parameters == {"Zone": "Z7", "Stored": "Z8", "Empty": ""}
    assert details.outputs == {"Id": "Z9"}


async def test_a_template_without_a_processed_stage_is_read_as_it_was_given(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    stub.add_client_error("get_template", "ValidationError", "Processed template is not available")
    stub.add_response(
        "get_template",
        {"TemplateBody": json.dumps(TEMPLATE)},
        {"StackName": STACK, "TemplateStage": "Original"},
    )
    assert "Dns" in (await stacks.body(STACK))["Resources"]


async def test_a_template_that_is_none_and_one_of_no_stack_are_errors(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    stub.add_response("get_template", {"TemplateBody": "- a list"})
    with pytest.raises(ApiError, match="app"):
        await stacks.body(STACK)
    stub.add_client_error("get_template", "ValidationError", "Stack with id x does not exist")
    with pytest.raises(NotFoundError):
        await stacks.body("x")


async def test_who_imports_an_export_is_read_to_the_last_page(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    stub.add_response("list_imports", {"Imports": ["a"], "NextToken": "t"}, {"ExportName": "zone"})
    last = {"ExportName": "zone", "NextToken": "t"}
    stub.add_response("list_imports", {"Imports": ["b"]}, last)
    assert await stacks.importers("zone") == ["a", "b"]


async def test_an_export_that_nobody_imports_has_no_importers(
    stacks: CloudFormationStacks, stub: AioStubber
) -> None:
    message = "Export 'zone' is not imported by any stack."
    stub.add_client_error("list_imports", "ValidationError", message)
    assert await stacks.importers("zone") == []
    stub.add_client_error("list_imports", "ValidationError", "something else")
    with pytest.raises(ApiError, match="something else"):
        await stacks.importers("zone")
