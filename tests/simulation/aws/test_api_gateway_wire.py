"""Unmodified SDKs against the simulated API Gateway, over real HTTP: both of its APIs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.simulated_api_gateway import (
    EDGE,
    GREEN,
    HTTP_BLUE,
    HTTP_GREEN,
    REGIONAL,
    START,
    Gateway,
    served,
)

from route53_takeover.core.domain.api_mappings import RoutingMode
from route53_takeover.simulation.aws.http.protocols import Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

SWITCH = [
    {"op": "replace", "path": "/restapiId", "value": GREEN.api_id},
    {"op": "replace", "path": "/stage", "value": GREEN.stage},
]


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with served(Gateway()) as gateway:
        yield gateway


def client(service: str, url: str) -> Any:
    session: Any = boto3.Session("AKIASIMULATED", "simulated", region_name=Gateway.region)
    config = Config(proxies={}, retries={"total_max_attempts": 1})
    return session.client(service, endpoint_url=url, config=config)


@pytest.fixture
def v1(gateway: Gateway) -> Iterator[Any]:
    made = client("apigateway", gateway.url)
    yield made
    made.close()


@pytest.fixture
def v2(gateway: Gateway) -> Iterator[Any]:
    made = client("apigatewayv2", gateway.url)
    yield made
    made.close()


async def call(operation: Callable[..., Any], **params: Any) -> Any:
    """boto3 blocks, and the server runs on this loop."""
    answer = await asyncio.to_thread(operation, **params)
    answer.pop("ResponseMetadata")
    return answer


async def refused(operation: Callable[..., Any], **params: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status of a refusal."""
    with pytest.raises(ClientError) as caught:
        await call(operation, **params)
    answer: Any = caught.value.response
    error, status = answer["Error"], answer["ResponseMetadata"]["HTTPStatusCode"]
    return error["Code"], error["Message"], status


async def test_v1_calls_the_root_none_both_ways(gateway: Gateway, v1: Any) -> None:
    shape = {"basePath": "(none)", "restApiId": "blue", "stage": "dev"}
    listed = await call(v1.get_base_path_mappings, domainName=EDGE)
    assert listed["items"] == [shape, {**shape, "basePath": "shop"}]
    assert await call(v1.get_base_path_mapping, domainName=EDGE, basePath="(none)") == shape
    changed = await call(
        v1.update_base_path_mapping, domainName=EDGE, basePath="(none)", patchOperations=SWITCH
    )
    assert changed == {"basePath": "(none)", "restApiId": "green", "stage": "dev_2"}
    assert gateway.leads_to(EDGE) == GREEN
    await call(v1.delete_base_path_mapping, domainName=EDGE, basePath="(none)")
    assert list(gateway.store.domain(EDGE).mappings) == ["shop"]
    made = await call(v1.create_base_path_mapping, domainName=EDGE, restApiId="blue", stage="dev")
    assert made == shape


async def test_v1_refuses_with_the_codes_and_messages_of_aws(gateway: Gateway, v1: Any) -> None:
    update, create = v1.update_base_path_mapping, v1.create_base_path_mapping
    at = {"domainName": EDGE, "basePath": "(none)"}
    to = {"restApiId": "green", "stage": "dev_2"}

    def patch(path: str, value: str, op: str = "replace") -> Any:
        return {"patchOperations": [{"op": op, "path": path, "value": value}]}

    bad, missing, conflict = (
        ("BadRequestException", 400),
        ("NotFoundException", 404),
        ("ConflictException", 409),
    )
    for (code, status), message, operation, params in (
        (bad, "Invalid stage identifier specified", update, at | patch("/stage", "prod")),
        (bad, "Invalid REST API identifier specified", update, at | patch("/restapiId", "hblue")),
        (
            bad,
            (
                "Invalid patch path  '/x' specified for op 'add'. Must be one of: "
                "[/basePath, /restapiId, /stage]"
            ),
            update,
            at | patch("/x", "", "add"),
        ),
        (
            missing,
            "Invalid base path mapping identifier specified",
            update,
            at | {"basePath": "cart"} | patch("/stage", "dev"),
        ),
        (
            missing,
            "Invalid domain name identifier specified",
            update,
            at | {"domainName": "x.example.com"} | patch("/stage", "dev"),
        ),
        (
            conflict,
            "Only one base path mapping is allowed if the base path is empty",
            create,
            at | to,
        ),
        (
            conflict,
            "Base path already exists for this domain name",
            create,
            at | to | {"basePath": "shop"},
        ),
        (
            conflict,
            "Base path already exists for this domain name",
            update,
            at | patch("/basePath", "shop"),
        ),
    ):
        assert await refused(operation, **params) == (code, message, status)
    assert (await refused(create, **at | to | {"basePath": "a/b"}))[0] == "BadRequestException"
    assert gateway.store.history == []


async def test_v2_manages_the_mappings_of_both_kinds_of_api(gateway: Gateway, v2: Any) -> None:
    listed = await call(v2.get_api_mappings, DomainName=REGIONAL)
    root, shop = listed["Items"]
    assert root == {
        "ApiId": "blue",
        "ApiMappingId": root["ApiMappingId"],
        "ApiMappingKey": "",
        "Stage": "dev",
    }
    shape = {"DomainName": REGIONAL, "ApiMappingId": shop["ApiMappingId"]}
    assert await call(v2.get_api_mapping, **shape) == shop
    changed = await call(v2.update_api_mapping, ApiId="green", Stage="dev_2", **shape)
    assert (changed["ApiId"], changed["ApiMappingKey"]) == ("green", "shop/v1")
    await call(v2.update_api_mapping, ApiId="hgreen", Stage="$default", ApiMappingKey="s", **shape)
    assert gateway.leads_to(REGIONAL, "s") == HTTP_GREEN
    made = await call(
        v2.create_api_mapping, DomainName=REGIONAL, ApiId="blue", Stage="dev", ApiMappingKey="new"
    )
    await call(v2.delete_api_mapping, DomainName=REGIONAL, ApiMappingId=made["ApiMappingId"])
    assert sorted(gateway.store.domain(REGIONAL).mappings) == ["", "s"]


async def test_v2_refuses_with_the_codes_and_messages_of_aws(gateway: Gateway, v2: Any) -> None:
    mapping = gateway.store.domain(REGIONAL).mappings[""]
    at = {"DomainName": REGIONAL, "ApiMappingId": mapping.mapping_id, "ApiId": "green"}
    update = v2.update_api_mapping
    assert await refused(update, **at, Stage="prod") == (
        "BadRequestException",
        "Invalid stage identifier specified",
        400,
    )
    assert await refused(update, **at | {"ApiId": "none"}, Stage="dev") == (
        "NotFoundException",
        "Invalid API identifier specified",
        404,
    )
    assert await refused(update, **at | {"ApiMappingId": "none"}) == (
        "NotFoundException",
        "Invalid API mapping identifier specified",
        404,
    )
    assert await refused(update, **at, Stage="dev_2", ApiMappingKey="shop/v1") == (
        "ConflictException",
        "ApiMapping key already exists for this domain name",
        409,
    )
    code, message, _ = await refused(v2.get_api_mappings, DomainName=EDGE)
    assert code == "BadRequestException"
    assert "please use the V1 API" in message
    assert gateway.store.history == []


async def test_v1_does_not_show_what_only_v2_can_manage(v1: Any) -> None:
    listed = await call(v1.get_base_path_mappings, domainName=REGIONAL)
    assert [mapping["basePath"] for mapping in listed["items"]] == ["(none)"]


async def test_a_custom_domain_is_one_for_both_apis(v1: Any, v2: Any) -> None:
    names = await call(v1.get_domain_names)
    assert [domain["domainName"] for domain in names["items"]] == [REGIONAL, EDGE]
    patch = [{"op": "replace", "path": "/routingMode", "value": RoutingMode.RULES_FIRST}]
    await call(v1.update_domain_name, domainName=REGIONAL, patchOperations=patch)
    found = await call(v2.get_domain_name, DomainName=REGIONAL)
    assert found["RoutingMode"] == RoutingMode.RULES_FIRST
    assert found["DomainNameConfigurations"][0]["EndpointType"] == "REGIONAL"
    await call(v2.update_domain_name, DomainName=REGIONAL, RoutingMode=RoutingMode.MAPPINGS)
    again = await call(v1.get_domain_name, domainName=REGIONAL)
    assert again["routingMode"] == RoutingMode.MAPPINGS
    listed = await call(v2.get_domain_names)
    assert [domain["DomainName"] for domain in listed["Items"]] == [REGIONAL]


async def test_routing_rules_are_made_replaced_and_deleted(gateway: Gateway, v2: Any) -> None:
    secret = {"Header": "x-green", "ValueGlob": "s3cret"}
    rule: dict[str, Any] = {
        "Priority": 10,
        "Actions": [{"InvokeApi": {"ApiId": "green", "Stage": "dev_2", "StripBasePath": True}}],
        "Conditions": [{"MatchHeaders": {"AnyOf": [secret]}}],
    }
    made = await call(v2.create_routing_rule, DomainName=EDGE, **rule)
    at = {"DomainName": EDGE, "RoutingRuleId": made["RoutingRuleId"]}
    assert await call(v2.get_routing_rule, **at) == made == {**rule, **made}
    catch_all = {**rule, "Conditions": [], "Priority": 20}
    await call(v2.put_routing_rule, **at, **catch_all)
    listed = await call(v2.list_routing_rules, DomainName=EDGE)
    assert listed["RoutingRules"] == [{**catch_all, "RoutingRuleId": made["RoutingRuleId"]}]
    assert (await refused(v2.create_routing_rule, DomainName=EDGE, **catch_all))[2] == 409
    beyond = {**rule, "Priority": 1_000_001}
    assert (await refused(v2.create_routing_rule, DomainName=EDGE, **beyond))[2] == 400
    to_http = [{"InvokeApi": {"ApiId": HTTP_BLUE.api_id, "Stage": HTTP_BLUE.stage}}]
    only_rest = {**rule, "Actions": to_http}
    assert (await refused(v2.create_routing_rule, DomainName=EDGE, **only_rest))[2] == 404
    await call(v2.delete_routing_rule, **at)
    assert await refused(v2.delete_routing_rule, **at) == (
        "NotFoundException",
        "Invalid routing rule identifier specified",
        404,
    )
    operations = [written.operation for written in gateway.store.history]
    assert operations == ["CreateRoutingRule", "PutRoutingRule", "DeleteRoutingRule"]


async def test_an_api_that_a_domain_leads_to_cannot_be_deleted(v1: Any, v2: Any) -> None:
    code, message, status = await refused(v1.delete_rest_api, restApiId="blue")
    assert (code, status) == ("BadRequestException", 400)
    assert "Please remove all base path mappings related to the RestApi" in message
    _, message, _ = await refused(v1.delete_stage, restApiId="blue", stageName="dev")
    assert message.endswith(f"related to the stage in your domains: {REGIONAL}, {EDGE}, {EDGE}")
    assert (await refused(v2.delete_api, ApiId="hblue"))[0] == "BadRequestException"
    assert (await refused(v2.delete_stage, ApiId="hblue", StageName="$default"))[2] == 400
    await call(v1.delete_stage, restApiId="green", stageName="dev_2")
    await call(v1.delete_rest_api, restApiId="green")
    await call(v2.delete_stage, ApiId="hgreen", StageName="$default")
    await call(v2.delete_api, ApiId="hgreen")
    assert (await refused(v1.get_rest_api, restApiId="green"))[2] == 404
    apis = await call(v1.get_rest_apis), await call(v2.get_apis)
    assert [api["id"] for api in apis[0]["items"]] == ["blue"]
    assert [api["ApiId"] for api in apis[1]["Items"]] == ["hblue"]
    stages = await call(v1.get_stages, restApiId="blue"), await call(v2.get_stages, ApiId="hblue")
    assert [stage["stageName"] for stage in stages[0]["item"]] == ["dev"]
    assert [stage["StageName"] for stage in stages[1]["Items"]] == ["$default"]


async def test_times_are_spelt_as_each_model_says(gateway: Gateway, v1: Any, v2: Any) -> None:
    made = datetime.fromtimestamp(START, UTC)
    assert (await call(v1.get_rest_api, restApiId="blue"))["createdDate"] == made
    assert (await call(v2.get_api, ApiId="hblue"))["CreatedDate"] == made
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{gateway.url}/restapis/blue") as answer:
            assert answer.content_type == "application/json"
            assert (await answer.json())["createdDate"] == START
        async with session.get(f"{gateway.url}/v2/apis/hblue") as answer:
            assert (await answer.json())["createdDate"] == "2023-11-14T22:13:20.000Z"


async def test_an_error_is_named_in_a_header_and_told_as_json(gateway: Gateway, v1: Any) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{gateway.url}/restapis/x") as answer,
    ):
        assert answer.headers["x-amzn-ErrorType"] == "NotFoundException"
        assert answer.content_type == "application/json"
        assert await answer.json() == {"message": "Invalid API identifier specified"}
    assert (await refused(v1.get_account))[:2] == (
        "InvalidAction",
        "apigateway:GetAccount is not part of the simulated account",
    )


async def test_pages_lead_from_one_to_the_next(v1: Any, v2: Any) -> None:
    first = await call(v1.get_domain_names, limit=1)
    assert len(first["items"]) == 1
    second = await call(v1.get_domain_names, limit=1, position=first["position"])
    assert [domain["domainName"] for domain in second["items"]] == [EDGE]
    assert "position" not in second
    page = await call(v2.get_api_mappings, DomainName=REGIONAL, MaxResults="1")
    assert len(page["Items"]) == 1
    rest = await call(v2.get_api_mappings, DomainName=REGIONAL, NextToken=page["NextToken"])
    assert [mapping["ApiMappingKey"] for mapping in rest["Items"]] == ["shop/v1"]
    assert (await refused(v1.get_domain_names, position="x"))[0] == "BadRequestException"


def test_operations_of_one_path_are_told_apart_by_the_query() -> None:
    names = {route.name: route for route in Wire("apigateway")._routes}
    there = list(names)
    assert there.index("ImportRestApi") < there.index("CreateRestApi")
    assert names["ImportRestApi"].query == {"mode": "import"}
    assert Wire("apigatewayv2").signing_name == Wire("apigateway").signing_name == "apigateway"
