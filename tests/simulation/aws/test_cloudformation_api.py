"""CloudFormation's API over the simulated stacks: shapes, paging, words, and unmodified clients."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import validate_parameters

from route53_takeover.simulation.aws.cloudformation.api import operations
from route53_takeover.simulation.aws.cloudformation.stacks import ReadLimit, StackConfig, StackStore
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from pathlib import Path

    from botocore.model import Shape

MODEL = ServiceModel(Loader().load_service_model("cloudformation", "service-2"))
BUCKET = {"Type": "AWS::S3::Bucket"}
RECORD = {
    "Type": "AWS::Route53::RecordSet",
    "Properties": {
        "HostedZoneId": "Z1",
        "Name": "www.example.com",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": ["a.example.net"],
    },
}


class Api:
    """The handlers, each call held against botocore's model of what goes in and comes out."""

    def __init__(self) -> None:
        rng = random.Random(1)  # noqa: S311 -- a simulation, not a secret
        self.timeline = Schedule(1_800_000_000.0)
        self.zones = Zones(self.timeline, rng)
        self.zones.add_zone("example.com", zone_id="Z1")
        self.stacks = StackStore(self.timeline, self.zones, rng)
        self.operations = operations(self.stacks)

    def call(self, operation: str, **params: Any) -> Any:
        model = MODEL.operation_model(operation)
        assert model.input_shape is not None
        validate_parameters(params, model.input_shape)
        result = {k: v for k, v in self.operations[operation](params).items() if v is not None}
        if model.output_shape is not None:
            fits(model.output_shape, result)
        return result

    def wait(self, seconds: float = 200.0) -> None:
        self.timeline.advance(self.timeline.now + seconds)

    def create(self, **resources: Any) -> str:
        body = json.dumps({"Resources": resources or {"Dns": RECORD}})
        stack_id = self.call("CreateStack", StackName="app", TemplateBody=body)["StackId"]
        self.wait()
        return str(stack_id)


def fits(shape: Shape, value: Any) -> None:
    """Nothing in ``value`` that the model does not know; times may be numbers."""
    if shape.type_name == "structure":
        for key, item in value.items():
            if item is not None:
                fits(shape.members[key], item)  # type: ignore[attr-defined]
    elif shape.type_name == "list":
        for item in value:
            fits(shape.member, item)  # type: ignore[attr-defined]
    elif shape.type_name == "string":
        assert isinstance(value, str)
        assert not shape.enum or value in shape.enum  # type: ignore[attr-defined]
    elif shape.type_name == "boolean":
        assert isinstance(value, bool)


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_stack_is_described_by_name_and_by_id(api: Api) -> None:
    stack_id = api.create()
    by_name = api.call("DescribeStacks", StackName="app")["Stacks"][0]
    assert by_name == api.call("DescribeStacks", StackName=stack_id)["Stacks"][0]
    assert (by_name["StackId"], by_name["StackStatus"]) == (stack_id, "CREATE_COMPLETE")
    assert [each["StackName"] for each in api.call("DescribeStacks")["Stacks"]] == ["app"]


@pytest.mark.parametrize(
    ("operation", "params", "words"),
    [
        ("DescribeStacks", {}, "Stack with id nope does not exist"),
        ("DescribeStackEvents", {}, "Stack [nope] does not exist"),
        ("ListStackResources", {}, "Stack with id nope does not exist"),
        ("DescribeStackResources", {}, "Stack with id nope does not exist"),
        ("DescribeStackResource", {"LogicalResourceId": "A"}, "Stack 'nope' does not exist"),
        ("GetTemplate", {}, "Stack with id nope does not exist"),
        ("UpdateStack", {"TemplateBody": "{}"}, "Stack [nope] does not exist"),
        ("CancelUpdateStack", {}, "Stack [nope] does not exist"),
        ("ContinueUpdateRollback", {}, "Stack [nope] does not exist"),
        (
            "CreateChangeSet",
            {"ChangeSetName": "c", "TemplateBody": "{}"},
            "Stack [nope] does not exist",
        ),
    ],
)
def test_a_stack_that_does_not_exist_is_refused_in_awss_words(
    api: Api, operation: str, params: dict[str, Any], words: str
) -> None:
    with pytest.raises(ApiFault) as refused:
        api.call(operation, StackName="nope", **params)
    assert (refused.value.code, refused.value.message) == ("ValidationError", words)


def test_deleting_a_stack_that_does_not_exist_is_fine(api: Api) -> None:
    assert api.call("DeleteStack", StackName="nope") == {}


def test_events_come_newest_first_in_pages_that_do_not_move(api: Api) -> None:
    api.call(
        "CreateStack",
        StackName="app",
        TemplateBody=json.dumps({"Resources": {f"B{n}": BUCKET for n in range(80)}}),
        ClientRequestToken="op-1",
    )
    api.wait(1.0)
    first = api.call("DescribeStackEvents", StackName="app")
    assert len(first["StackEvents"]) == 100
    api.wait()  # more events come between the pages
    second = api.call("DescribeStackEvents", StackName="app", NextToken=first["NextToken"])
    assert "NextToken" not in second
    seen = [each["EventId"] for each in first["StackEvents"] + second["StackEvents"]]
    assert len(seen) == len(set(seen)) == 1 + 160
    assert second["StackEvents"][-1]["ResourceStatusReason"] == "User Initiated"
    assert {each["ClientRequestToken"] for each in first["StackEvents"]} == {"op-1"}
    times = [each["Timestamp"] for each in first["StackEvents"] + second["StackEvents"]]
    assert times == sorted(times, reverse=True)


def test_a_deleted_stacks_events_are_found_by_its_id_only(api: Api) -> None:
    stack_id = api.create()
    api.call("DeleteStack", StackName="app")
    api.wait()
    events = api.call("DescribeStackEvents", StackName=stack_id)["StackEvents"]
    assert events[0]["ResourceStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ApiFault, match="does not exist"):
        api.call("DescribeStackEvents", StackName="app")
    summaries = api.call("ListStacks", StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert [each["StackId"] for each in summaries] == [stack_id]


def test_list_stack_resources_pages_where_describe_stops_at_a_hundred(api: Api) -> None:
    api.create(**{f"B{number}": BUCKET for number in range(130)})
    first = api.call("ListStackResources", StackName="app")
    rest = api.call("ListStackResources", StackName="app", NextToken=first["NextToken"])
    assert len(first["StackResourceSummaries"] + rest["StackResourceSummaries"]) == 130
    assert len(api.call("DescribeStackResources", StackName="app")["StackResources"]) == 100


def test_exports_are_listed_by_page_and_imported_by_name(api: Api) -> None:
    names = [f"zone-{number}" for number in range(130)]
    outputs = {
        f"O{number}": {"Value": {"Ref": "Bucket"}, "Export": {"Name": {"Fn::Sub": name}}}
        for number, name in enumerate(names)
    }
    bucket = {**BUCKET, "Properties": {"BucketName": "www.example.com"}}
    body = {"Resources": {"Bucket": bucket}, "Outputs": outputs}
    made = api.call("CreateStack", StackName="app", TemplateBody=json.dumps(body))
    api.timeline.advance(api.timeline.now + 600)
    first = api.call("ListExports")
    rest = api.call("ListExports", NextToken=first["NextToken"])
    listed = first["Exports"] + rest["Exports"]
    assert [each["Name"] for each in listed] == names
    assert {each["Value"] for each in listed} == {"www.example.com"}, "as its template names it"
    assert {each["ExportingStackId"] for each in listed} == {made["StackId"]}


def test_a_read_that_is_asked_too_fast_is_throttled_until_its_bucket_fills_again() -> None:
    timeline = Schedule(1_800_000_000.0)
    rng = random.Random(1)  # noqa: S311 -- a simulation, not a secret
    config = StackConfig(reads=ReadLimit(rate=2.0, burst=3))
    asked = operations(StackStore(timeline, Zones(timeline, rng), rng, config=config))
    for _ in range(3):
        asked["ListStacks"]({})
    with pytest.raises(ApiFault, match="Rate exceeded"):
        asked["ListStacks"]({})
    asked["ListExports"]({})  # each operation has its own
    timeline.advance(timeline.now + 0.5)
    asked["ListStacks"]({})
    with pytest.raises(ApiFault, match="Rate exceeded"):
        asked["ListStacks"]({})


def test_a_group_is_one_batch_and_a_zone_has_its_id_as_its_physical_id(api: Api) -> None:
    zone = {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "inner.example.com"}}
    values = {"Type": "CNAME", "TTL": 60, "ResourceRecords": ["a.example.net"]}
    records = [{**values, "Name": f"{name}.inner.example.com"} for name in ("a", "b")]
    group = {"HostedZoneId": {"Ref": "Zone"}, "RecordSets": records}
    both = {"Type": "AWS::Route53::RecordSetGroup", "Properties": group}
    api.create(Zone=zone, Both=both)
    listed = api.call("ListStackResources", StackName="app")["StackResourceSummaries"]
    ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed}
    assert "example" not in ids["Both"], "a group's id tells none of its names"
    zones = api.zones
    assert {r.name for r in zones.list(ids["Zone"]) if r.type == "CNAME"} == {
        f"{name}.inner.example.com." for name in ("a", "b")
    }
    api.call("DeleteStack", StackName="app")
    api.timeline.advance(api.timeline.now + 600)
    assert not [r for r in zones.list(ids["Zone"]) if r.type == "CNAME"]


def test_the_stack_that_owns_a_record_is_found_by_the_records_name(api: Api) -> None:
    stack_id = api.create()
    found = api.call("DescribeStackResources", PhysicalResourceId="www.example.com")
    assert found["StackResources"][0]["StackId"] == stack_id
    with pytest.raises(ApiFault, match=r"Stack for other\.example\.com does not exist"):
        api.call("DescribeStackResources", PhysicalResourceId="other.example.com")


def test_one_resource_is_described_or_refused_by_name(api: Api) -> None:
    api.create()
    detail = api.call("DescribeStackResource", StackName="app", LogicalResourceId="Dns")
    assert detail["StackResourceDetail"]["PhysicalResourceId"] == "www.example.com"
    with pytest.raises(ApiFault, match="Resource X does not exist for stack app"):
        api.call("DescribeStackResource", StackName="app", LogicalResourceId="X")


def test_a_nested_stack_names_its_parent_and_its_root(api: Api) -> None:
    child = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"Simulation": {"Template": {"Resources": {"B": BUCKET}}}},
    }
    stack_id = api.create(Child=child)
    listed = api.call("ListStackResources", StackName="app")["StackResourceSummaries"]
    described = api.call("DescribeStacks", StackName=listed[0]["PhysicalResourceId"])["Stacks"][0]
    assert (described["ParentId"], described["RootId"]) == (stack_id, stack_id)


def test_a_template_comes_back_to_the_letter(api: Api) -> None:
    text = "Resources:\n  B: {Type: 'AWS::S3::Bucket'} # a comment\n"
    api.call("CreateStack", StackName="app", TemplateBody=text)
    assert api.call("GetTemplate", StackName="app")["TemplateBody"] == text


def test_parameters_can_keep_their_previous_values(api: Api) -> None:
    body = """
Parameters: {Host: {Type: String, Default: a}, Version: {Type: String, Default: "1"}}
Resources: {B: {Type: AWS::S3::Bucket, Properties: {Name: !Sub "${Host}-${Version}"}}}
Outputs: {Name: {Value: !Ref Host}}
"""
    given = [{"ParameterKey": "Host", "ParameterValue": "www"}]
    api.call("CreateStack", StackName="app", TemplateBody=body, Parameters=given)
    api.wait()
    api.call(
        "UpdateStack",
        StackName="app",
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": "Host", "UsePreviousValue": True},
            {"ParameterKey": "Version", "ParameterValue": "2"},
        ],
    )
    api.wait()
    stack = api.call("DescribeStacks", StackName="app")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert stack["Outputs"] == [{"OutputKey": "Name", "OutputValue": "www"}]
    with pytest.raises(ApiFault, match="No updates are to be performed"):
        api.call(
            "UpdateStack",
            StackName="app",
            UsePreviousTemplate=True,
            Parameters=[
                {"ParameterKey": name, "UsePreviousValue": True} for name in ("Host", "Version")
            ],
        )


def test_a_template_can_be_validated_and_summed_up(api: Api) -> None:
    body = "{Parameters: {A: {Type: Number, Default: 1}}, Resources: {B: {Type: T}}}"
    parameter = {"ParameterKey": "A", "DefaultValue": "1", "NoEcho": False, "Description": None}
    assert api.call("ValidateTemplate", TemplateBody=body)["Parameters"] == [parameter]
    summary = api.call("GetTemplateSummary", TemplateBody=body)
    assert summary["ResourceTypes"] == ["T"]
    assert summary["Parameters"] == [{**parameter, "ParameterType": "Number"}]
    with pytest.raises(ApiFault, match="Fn::Cidr is not supported"):
        api.call(
            "ValidateTemplate",
            TemplateBody="{Resources: {B: {Type: T, Properties: {A: !Cidr [a]}}}}",
        )


def test_a_template_with_an_unknown_function_never_makes_a_stack(api: Api) -> None:
    with pytest.raises(ApiFault, match=r"Fn::GetAZs is not supported") as refused:
        api.create(B={**BUCKET, "Properties": {"Zones": {"Fn::GetAZs": ""}}})
    assert refused.value.code == "ValidationError"
    assert api.call("ListStacks")["StackSummaries"] == []


def test_a_change_set_creates_a_stack_and_an_empty_one_says_so(api: Api) -> None:
    body = json.dumps({"Resources": {"Dns": RECORD}})
    made = api.call(
        "CreateChangeSet",
        StackName="app",
        ChangeSetName="one",
        ChangeSetType="CREATE",
        TemplateBody=body,
    )
    assert api.call("DescribeStacks", StackName="app")["Stacks"][0]["StackStatus"] == (
        "REVIEW_IN_PROGRESS"
    )
    described = api.call("DescribeChangeSet", ChangeSetName=made["Id"])
    assert described["Status"] == "CREATE_COMPLETE"
    assert described["Changes"][0]["ResourceChange"]["Action"] == "Add"
    api.call("ExecuteChangeSet", ChangeSetName="one", StackName="app", ClientRequestToken="t")
    api.wait()
    assert api.call("DescribeStacks", StackName="app")["Stacks"][0]["StackId"] == made["StackId"]
    api.call("CreateChangeSet", StackName="app", ChangeSetName="two", TemplateBody=body)
    empty = api.call("DescribeChangeSet", ChangeSetName="two", StackName="app")
    assert empty["Status"] == "FAILED"
    assert "didn't contain changes" in empty["StatusReason"]
    with pytest.raises(ApiFault) as refused:
        api.call("ExecuteChangeSet", ChangeSetName="two", StackName="app")
    assert refused.value.code == "InvalidChangeSetStatus"
    api.call("DeleteChangeSet", ChangeSetName="two", StackName="app")
    with pytest.raises(ApiFault) as refused:
        api.call("DescribeChangeSet", ChangeSetName="two", StackName="app")
    assert refused.value.code == "ChangeSetNotFound"


async def test_boto3_deploys_by_change_set_over_the_wire(
    api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = AccountServer(
        {"cloudformation": api.operations}, before=lambda: None, after=lambda: api.wait(300)
    )
    url = await server.start()
    session: Any = boto3.Session(
        aws_access_key_id="AKIASIMULATED",
        aws_secret_access_key="simulated",  # noqa: S106 -- signs for a server that does not check
        region_name="us-east-1",
    )
    client = session.client(
        "cloudformation", endpoint_url=url, config=Config(retries={"total_max_attempts": 1})
    )

    def deploy() -> tuple[list[str], list[dict[str, Any]], str]:
        with pytest.raises(ClientError, match="Stack with id app does not exist"):
            client.describe_stacks(StackName="app")
        client.create_change_set(
            StackName="app",
            ChangeSetName="one",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps({"Resources": {"Dns": RECORD}}),
            Capabilities=["CAPABILITY_IAM"],
        )
        client.get_waiter("change_set_create_complete").wait(StackName="app", ChangeSetName="one")
        client.execute_change_set(StackName="app", ChangeSetName="one")
        client.get_waiter("stack_create_complete").wait(StackName="app")
        pages = client.get_paginator("describe_stack_events").paginate(StackName="app")
        events = [each for page in pages for each in page["StackEvents"]]
        template = client.get_template(StackName="app")["TemplateBody"]
        return [each["ResourceStatus"] for each in events], events, json.dumps(template)

    try:
        statuses, events, template = await asyncio.to_thread(deploy)
    finally:
        client.close()
        await server.stop()
    assert statuses[0] == "CREATE_COMPLETE"
    assert statuses[-1] == "REVIEW_IN_PROGRESS"
    record = next(each for each in events if each["LogicalResourceId"] == "Dns")
    assert json.loads(record["ResourceProperties"])["TTL"] == "60"
    assert json.loads(template) == {"Resources": {"Dns": RECORD}}


def test_who_imports_an_export_is_listed_and_a_protected_stack_is_not_deleted(api: Api) -> None:
    outputs = {"Zone": {"Value": {"Ref": "Bucket"}, "Export": {"Name": "zone"}}}
    body = {"Resources": {"Bucket": BUCKET}, "Outputs": outputs}
    api.call("CreateStack", StackName="app", TemplateBody=json.dumps(body))
    api.timeline.advance(api.timeline.now + 600)
    with pytest.raises(ApiFault, match="Export 'zone' is not imported by any stack"):
        api.call("ListImports", ExportName="zone")
    importing = {**BUCKET, "Properties": {"Tag": {"Fn::ImportValue": "zone"}}}
    other = {"Resources": {"Bucket": importing}}
    api.call("CreateStack", StackName="other", TemplateBody=json.dumps(other))
    assert api.call("ListImports", ExportName="zone")["Imports"] == ["other"]
    (shape,) = api.call("DescribeStacks", StackName="app")["Stacks"]
    assert [output["ExportName"] for output in shape["Outputs"]] == ["zone"]
    assert shape["EnableTerminationProtection"] is False
    stack = api.stacks.find("app")
    assert stack is not None
    stack.is_protected = True
    with pytest.raises(ApiFault, match="TerminationProtection is enabled"):
        api.call("DeleteStack", StackName="app")
