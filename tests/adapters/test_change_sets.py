"""Change sets come whole, with their values; only a preview's connection deletes one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiobotocore.stub import AioStubber

from route53_takeover.adapters.change_sets import CloudFormationChangeSets
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.operation_allowlist import PREVIEWS, READS, WRITES, NotAllowedError
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.core.domain.stacks import ResourceChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adapters.conftest import FakeAws

PLACE = "arn:aws:cloudformation:eu-central-1:123456789012"
STACK, CHANGE_SET = f"{PLACE}:stack/app/1", f"{PLACE}:changeSet/one/1"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = "AWS::Route53::RecordSet"


@pytest.fixture
def stub(stubbed: AwsSession) -> Iterator[AioStubber]:
    with AioStubber(stubbed._open[-1].pooled.cloudformation) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def change_sets(stubbed: AwsSession) -> CloudFormationChangeSets:
    return CloudFormationChangeSets(stubbed)


async def test_the_ids_of_all_pages_and_none_of_a_stack_that_is_not_there(
    change_sets: CloudFormationChangeSets, stub: AioStubber
) -> None:
    first = {"Summaries": [{"ChangeSetId": "a"}], "NextToken": "t"}
    stub.add_response("list_change_sets", first, {"StackName": "app"})
    second = {"Summaries": [{"ChangeSetId": "b"}]}
    stub.add_response("list_change_sets", second, {"StackName": "app", "NextToken": "t"})
    assert list(await change_sets.change_sets("app")) == ["a", "b"]
    stub.add_client_error("list_change_sets", "ValidationError", "Stack [app] does not exist")
    assert list(await change_sets.change_sets("app")) == []


def page(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    shape = {
        "ChangeSetId": CHANGE_SET,
        "ChangeSetName": "one",
        "StackId": STACK,
        "StackName": "app",
        "Status": "CREATE_COMPLETE",
        "CreationTime": WHEN,
        "Parameters": [
            {"ParameterKey": "Host", "ParameterValue": "/host", "ResolvedValue": "www"},
            {"ParameterKey": "Secret", "ParameterValue": "****"},
        ],
    }
    reported = [{"Type": "Resource", "ResourceChange": change} for change in changes]
    return {**shape, "Changes": reported, **more}


def change(action: str, logical_id: str, kind: str = RECORD, **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": logical_id, "ResourceType": kind, **more}


async def test_a_change_set_is_read_to_its_last_page_with_the_values_of_properties(
    change_sets: CloudFormationChangeSets, stub: AioStubber
) -> None:
    asked = {"ChangeSetName": CHANGE_SET, "IncludePropertyValues": True}
    after = json.dumps({"Properties": {"Name": "www.example.com"}})
    nested = change("Modify", "Child", "AWS::CloudFormation::Stack", ChangeSetId="nested")
    first = page(change("Add", "Www", AfterContext=after), NextToken="t")
    stub.add_response("describe_change_set", first, asked)
    cut = change("Modify", "Old", Replacement="Conditional", AfterContext='{"Prop')
    stub.add_response("describe_change_set", page(nested, cut), {**asked, "NextToken": "t"})
    found = await change_sets.change_set(CHANGE_SET)
    assert found.parameters == {"Host": "www"}
    assert found.changes == (
        ResourceChange(
            action="Add",
            logical_id="Www",
            resource_type=RECORD,
            properties={"Name": "www.example.com"},
        ),
        ResourceChange(
            action="Modify",
            logical_id="Child",
            resource_type="AWS::CloudFormation::Stack",
            change_set_id="nested",
        ),
        ResourceChange(action="Modify", logical_id="Old", resource_type=RECORD, keeps_id=False),
    )


async def test_its_template_has_macros_expanded(
    change_sets: CloudFormationChangeSets, stub: AioStubber
) -> None:
    asked = {"ChangeSetName": CHANGE_SET, "TemplateStage": "Processed"}
    stub.add_response("get_template", {"TemplateBody": "Resources: {A: {Type: B}}"}, asked)
    assert await change_sets.change_set_body(CHANGE_SET) == {"Resources": {"A": {"Type": "B"}}}


@pytest.mark.parametrize("writable", [False, True])
async def test_only_a_previews_connection_deletes_one_and_none_executes_one(
    server: FakeAws, writable: bool
) -> None:
    server.succeed("<R><DeleteChangeSetResult/></R>")
    account = Credentials(endpoint_url=server.url)
    async with AwsSession(account, SystemClock(), writable=writable) as session:
        with pytest.raises(NotAllowedError):
            await CloudFormationChangeSets(session).delete_change_set(CHANGE_SET)
    assert server.requests == []
    async with AwsSession(account, SystemClock(), writable=writable, previews=True) as session:
        await CloudFormationChangeSets(session).delete_change_set(CHANGE_SET)
        assert len(server.requests) == 1
        async with session.reading("cloudformation:DescribeStacks") as clients:
            client: Any = clients.cloudformation
            for forbidden in (
                client.execute_change_set(ChangeSetName=CHANGE_SET),
                client.create_change_set(StackName="a", ChangeSetName="b"),
                client.delete_stack(StackName="a"),
            ):
                with pytest.raises(NotAllowedError):
                    await forbidden
    assert len(server.requests) == 1
    assert not any("Execute" in operation for operation in READS | WRITES | PREVIEWS)
