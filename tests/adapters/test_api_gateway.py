"""The adapter against the simulated API Gateway over real HTTP: one write, and what it has done."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from tests.simulated_api_gateway import (
    BLUE,
    EDGE,
    GREEN,
    HTTP_BLUE,
    HTTP_GREEN,
    REGIONAL,
    Gateway,
    served,
)

from route53_takeover.adapters.api_gateway import ApiGatewayMappings
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.operation_allowlist import NotAllowedError
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.base.errors import (
    AccessDeniedError,
    EndpointError,
    NotFoundError,
    RejectedChangeError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.core.domain.api_mappings import (
    ApiKind,
    ApiMapping,
    ApiTarget,
    CustomDomain,
    EndpointType,
    RoutingMode,
)
from route53_takeover.simulation.aws.api_gateway.state import SimUsagePlan
from route53_takeover.simulation.aws.http.faults import AnswerLost, Refused, RequestLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from route53_takeover.base.errors import ApiError
    from route53_takeover.simulation.aws.http.faults import Fault

V1_UPDATE, V2_UPDATE = "apigateway:UpdateBasePathMapping", "apigatewayv2:UpdateApiMapping"
WRITES = [
    pytest.param(EDGE, V1_UPDATE, id="v1"),
    pytest.param(REGIONAL, V2_UPDATE, id="v2"),
]
DENIED = Refused(code="AccessDeniedException", message="not authorized to perform", status=403)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with served(Gateway()) as gateway:
        yield gateway


@pytest.fixture
async def aws(gateway: Gateway) -> AsyncIterator[AwsSession]:
    account = Credentials(endpoint_url=gateway.url)
    async with AwsSession(account, SystemClock(), writable=True, switches=True) as session:
        yield session


@pytest.fixture
def port(aws: AwsSession) -> ApiGatewayMappings:
    return ApiGatewayMappings(aws)


async def root(port: ApiGatewayMappings, name: str) -> tuple[CustomDomain, ApiMapping]:
    """A custom domain and the mapping of its root."""
    domain = await port.domain(name)
    return domain, next(m for m in await port.mappings(domain) if not m.base_path)


# -- reads


async def test_custom_domains_are_listed_whichever_api_manages_them(
    gateway: Gateway, port: ApiGatewayMappings
) -> None:
    gateway.store.domain(REGIONAL).status = "UPDATING"
    gateway.store.domain(EDGE).routing_mode = RoutingMode.RULES_FIRST
    regional, edge = await port.domains()
    assert regional == CustomDomain(
        name=REGIONAL,
        endpoint_type=EndpointType.REGIONAL,
        status="UPDATING",
        hostname=gateway.store.domain(REGIONAL).hostname,
    )
    assert edge == await port.domain(EDGE)
    assert (edge.is_edge, edge.routing_mode) == (True, RoutingMode.RULES_FIRST)
    assert edge.hostname.endswith(".cloudfront.net")


async def test_every_page_is_read(
    gateway: Gateway, port: ApiGatewayMappings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("route53_takeover.simulation.aws.api_gateway.paging._MOST", 2)
    for number in range(5):
        gateway.store.add_domain(f"d{number}.example.com")
    assert len(await port.domains()) == 7
    target = {f"p{number}": BLUE for number in range(5)}
    many = gateway.store.add_domain("many.example.com", mappings=target)
    for number in range(5):
        gateway.store.put_rule(
            many, priority=number + 1, target=BLUE, conditions=(), strips=False, by="a person"
        )
    domain = await port.domain("many.example.com")
    assert [m.base_path for m in await port.mappings(domain)] == [*target]
    assert [rule.priority for rule in await port.rules(domain)] == [1, 2, 3, 4, 5]


async def test_a_domain_that_does_not_exist_is_not_found(port: ApiGatewayMappings) -> None:
    with pytest.raises(NotFoundError, match="Invalid domain name identifier specified"):
        await port.domain("other.example.com")


async def test_mappings_are_those_of_the_api_that_manages_the_domain(
    port: ApiGatewayMappings, aws: AwsSession
) -> None:
    regional = await port.mappings(await port.domain(REGIONAL))
    assert [(m.base_path, m.target) for m in regional] == [("", BLUE), ("shop/v1", HTTP_BLUE)]
    assert all(m.mapping_id for m in regional)
    edge = await port.mappings(await port.domain(EDGE))
    assert edge == [
        ApiMapping(base_path="", target=BLUE),
        ApiMapping(base_path="shop", target=BLUE),
    ]
    assert aws.calls["apigatewayv2:GetApiMappings"] == 1
    assert aws.calls["apigateway:GetBasePathMappings"] == 1


async def test_rules_with_alternatives_count_once_for_each(
    gateway: Gateway, port: ApiGatewayMappings
) -> None:
    headers = [{"Header": "X-A", "ValueGlob": "1*"}, {"Header": "X-B", "ValueGlob": "2"}]
    conditions: list[dict[str, Any]] = [
        {"MatchHeaders": {"AnyOf": headers}},
        {"MatchHeaders": {"AnyOf": [{"Header": "x-c", "ValueGlob": "3"}]}},
        {"MatchBasePaths": {"AnyOf": ["shop", "cart"]}},
    ]
    domain = gateway.store.domain(EDGE)
    gateway.store.put_rule(
        domain, priority=9, target=GREEN, conditions=conditions, strips=True, by="a person"
    )
    gateway.store.put_rule(
        domain, priority=5, target=BLUE, conditions=(), strips=False, by="a person"
    )
    catch_all, *found = await port.rules(await port.domain(EDGE))
    assert (catch_all.priority, catch_all.target, catch_all.headers) == (5, BLUE, {})
    assert [rule.headers for rule in found] == [
        {"x-a": "1*", "x-c": "3"},
        {"x-b": "2", "x-c": "3"},
    ]
    assert {(rule.rule_id, rule.target, rule.base_paths) for rule in found} == {
        (found[0].rule_id, GREEN, ("shop", "cart"))
    }


# -- the write


@pytest.mark.parametrize(("name", "operation"), WRITES)
async def test_a_mapping_is_pointed_elsewhere_by_one_request(
    gateway: Gateway, port: ApiGatewayMappings, aws: AwsSession, name: str, operation: str
) -> None:
    domain, mapping = await root(port, name)
    await port.point(domain, "", mapping, GREEN)
    assert gateway.leads_to(name) == GREEN
    (written,) = gateway.store.history
    assert (written.before, written.after) == (BLUE, GREEN)
    assert written.operation == operation.partition(":")[2]
    assert aws.calls[operation] == 1
    assert (await root(port, name))[1] == ApiMapping(
        base_path="", target=GREEN, mapping_id=mapping.mapping_id
    )


async def test_a_mapping_of_an_http_api_is_pointed_to_another(
    gateway: Gateway, port: ApiGatewayMappings
) -> None:
    domain = await port.domain(REGIONAL)
    mapping = (await port.mappings(domain))[1]
    await port.point(domain, "shop/v1", mapping, HTTP_GREEN)
    assert gateway.leads_to(REGIONAL, "shop/v1") == HTTP_GREEN


@pytest.mark.parametrize("path", ["", "cart"])
@pytest.mark.parametrize("kind", [EndpointType.EDGE, EndpointType.REGIONAL])
async def test_a_mapping_that_is_gone_is_created(
    gateway: Gateway, port: ApiGatewayMappings, kind: EndpointType, path: str
) -> None:
    gateway.store.add_domain("new.example.com", endpoint_type=kind)
    domain = await port.domain("new.example.com")
    await port.point(domain, path, None, BLUE)
    (mapping,) = await port.mappings(domain)
    assert (mapping.base_path, mapping.target) == (path, BLUE)


async def test_a_mapping_that_v1_told_is_changed_there(
    gateway: Gateway, port: ApiGatewayMappings, aws: AwsSession
) -> None:
    domain = await port.domain(REGIONAL)
    await port.point(domain, "", ApiMapping(base_path="", target=BLUE), GREEN)
    assert gateway.leads_to(REGIONAL) == GREEN
    assert aws.calls[V1_UPDATE] == 1


# -- what a write that failed has done


BUSY = "Unable to complete operation due to concurrent modification. Please try again later."
FAILURES: list[tuple[Fault, type[ApiError]]] = [
    (Refused(code="TooManyRequestsException", message="slow", status=429), ThrottledError),
    (Refused(code="ThrottlingException", message="slow", status=400), ThrottledError),
    (Refused(code="ConflictException", message=BUSY, status=409), ThrottledError),
    (Refused(code="ConflictException", message="exists", status=409), RejectedChangeError),
    (Refused(code="BadRequestException", message="no", status=400), RejectedChangeError),
    (Refused(code="LimitExceededException", message="no", status=429), RejectedChangeError),
    (Refused(code="NotFoundException", message="none", status=404), NotFoundError),
    (DENIED, AccessDeniedError),
    (Refused(code="ServiceUnavailableException", message="", status=503), UnansweredError),
    (Refused(code="InternalServerException", message="", status=500), UnansweredError),
    (RequestLost(), UnansweredError),
    (AnswerLost(), UnansweredError),
]


@pytest.mark.parametrize(("name", "operation"), WRITES)
async def test_a_write_that_failed_is_sent_once_and_has_one_meaning(
    gateway: Gateway, port: ApiGatewayMappings, aws: AwsSession, name: str, operation: str
) -> None:
    domain, mapping = await root(port, name)
    for sent, (fault, expected) in enumerate(FAILURES, start=1):
        gateway.fault(operation, fault)
        with pytest.raises(expected) as caught:
            await port.point(domain, "", mapping, GREEN)
        assert (type(caught.value), caught.value.operation) == (expected, operation), fault
        assert gateway.leads_to(name) == (GREEN if isinstance(fault, AnswerLost) else BLUE), fault
        assert gateway.server.calls[operation] == aws.calls[operation] == sent, fault


@pytest.mark.parametrize(("name", "operation"), WRITES)
async def test_what_api_gateway_itself_refuses_is_not_applied(
    gateway: Gateway, port: ApiGatewayMappings, name: str, operation: str
) -> None:
    domain, mapping = await root(port, name)
    with pytest.raises(RejectedChangeError, match="Invalid stage identifier specified") as caught:
        await port.point(domain, "", mapping, ApiTarget(GREEN.api_id, "prod"))
    assert (caught.value.code, caught.value.operation) == ("BadRequestException", operation)
    with pytest.raises(RejectedChangeError, match=r"already exists|Only one base path mapping"):
        await port.point(domain, "", None, GREEN)
    assert gateway.store.history == []


@pytest.mark.parametrize("name", [EDGE, REGIONAL])
async def test_without_a_connection_nothing_was_sent(gateway: Gateway, name: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    made = gateway.store.domain(name)
    domain = CustomDomain(name=name, endpoint_type=made.endpoint_type)
    account = Credentials(endpoint_url=url)
    async with AwsSession(account, SystemClock(), writable=True, switches=True) as aws:
        with pytest.raises(EndpointError):
            await ApiGatewayMappings(aws).point(domain, "", made.mappings[""], GREEN)


@pytest.mark.parametrize("name", [EDGE, REGIONAL])
async def test_a_session_that_only_reads_points_nothing(gateway: Gateway, name: str) -> None:
    account = Credentials(endpoint_url=gateway.url)
    async with AwsSession(account, SystemClock(), switches=True) as aws:
        port = ApiGatewayMappings(aws)
        domain, mapping = await root(port, name)
        with pytest.raises(NotAllowedError):
            await port.point(domain, "", mapping, GREEN)
        with pytest.raises(NotAllowedError):
            await port.point(domain, "new", None, GREEN)
    assert gateway.store.history == []


# -- what belongs to an API


def with_rest_settings(gateway: Gateway, target: ApiTarget) -> None:
    """Sets everything there is to set; the ids are the API's own."""
    api = gateway.store.api(target.api_id)
    arn = f"arn:aws:execute-api:eu-central-1:123456789012:{target.api_id}"
    policy = json.dumps({"Statement": [{"Resource": f"{arn}/{target.stage}/*"}]})
    api.settings = {
        "policy": policy.replace('"', '\\"'),
        "binaryMediaTypes": ["image/png", "application/pdf"],
        "minimumCompressionSize": 1024,
        "disableExecuteApiEndpoint": True,
        "apiKeySource": "HEADER",
        "endpointAccessMode": "STRICT",
    }
    api.authorizers = [
        {"id": f"a-{target}", "name": "login", "type": "REQUEST", "authorizerResultTtlInSeconds": 9}
    ]
    api.responses = [
        {"responseType": "DEFAULT_4XX", "statusCode": "404", "defaultResponse": False},
        {"responseType": "THROTTLED", "statusCode": "429", "defaultResponse": True},
    ]
    throttles = {"throttlingRateLimit": 50.0, "throttlingBurstLimit": 100}
    gateway.store.add_stage(
        target.api_id,
        target.stage,
        methodSettings={
            "*/*": {**throttles, "loggingLevel": "INFO", "metricsEnabled": False},
            "~1cart/POST": {"throttlingRateLimit": 5.5, "throttlingBurstLimit": 7},
        },
        webAclArn="arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/1",
        accessLogSettings={
            "format": "$context.requestId",
            "destinationArn": f"arn:aws:logs:eu-central-1:123456789012:log-group:{target.api_id}",
        },
        cacheClusterEnabled=True,
        cacheClusterSize="0.5",
        variables={"TABLE": "orders"},
        clientCertificateId=f"certificate-of-{target.api_id}",
        tracingEnabled=True,
    )
    stage = {"apiId": target.api_id, "stage": target.stage}
    quota = {"limit": 1000, "offset": 0, "period": "DAY"}
    plan = {"id": f"plan-{target}", "name": "partners", "apiStages": [stage], "quota": quota}
    gateway.store.usage_plans += [
        SimUsagePlan(plan=plan, keys=("k2", "k1")),
        SimUsagePlan(plan={"id": "other", "name": "others", "apiStages": []}),
    ]


async def test_settings_of_a_rest_api_are_told_by_name(
    gateway: Gateway, port: ApiGatewayMappings
) -> None:
    with_rest_settings(gateway, BLUE)
    found = await port.api(BLUE)
    assert (found.kind, found.name, found.endpoint_types) == (
        ApiKind.REST,
        "blue",
        (EndpointType.REGIONAL,),
    )
    assert (found.has_stage, found.is_deployed, found.unread) == (True, True, {})
    assert found.settings == {
        "API key source": "HEADER",
        "WAF": "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/shop/1",
        "access log": '{"destinationArn": "arn:aws:logs:eu-central-1:123456789012:log-group:'
        'API_ID", "format": "$context.requestId"}',
        "authorizer login": '{"authorizerResultTtlInSeconds": 9, "type": "REQUEST"}',
        "binary media types": "application/pdf, image/png",
        "cache": "0.5 GB",
        "client certificate": "set",
        "endpoint access": "STRICT",
        "execute-api endpoint": "disabled",
        "gateway response DEFAULT_4XX": '{"statusCode": "404"}',
        "method settings": '{"loggingLevel": "INFO", "metricsEnabled": false}',
        "minimum compression": "1024",
        "resource policy": '{"Statement": [{"Resource": "arn:aws:execute-api:eu-central-1:'
        '123456789012:API_ID/STAGE/*"}]}',
        "stage variable TABLE": "orders",
        "throttling": "rate 50, burst 100",
        "throttling /cart/POST": "rate 5.5, burst 7",
        "tracing": "true",
        "usage plan partners": '{"keys": ["k1", "k2"], "quota": '
        '{"limit": 1000, "offset": 0, "period": "DAY"}}',
    }


async def test_two_environments_that_are_set_alike_have_equal_settings(
    gateway: Gateway, port: ApiGatewayMappings
) -> None:
    for target in (BLUE, GREEN):
        with_rest_settings(gateway, target)
    blue, green = await port.api(BLUE, ApiKind.REST), await port.api(GREEN, ApiKind.REST)
    assert blue.settings == green.settings
    gateway.store.api(GREEN.api_id).settings["binaryMediaTypes"] = ["image/png"]
    green = await port.api(GREEN, ApiKind.REST)
    assert [name for name in blue.settings if blue.settings[name] != green.settings[name]] == [
        "binary media types"
    ]


async def test_settings_of_an_http_api_are_told_by_name(
    gateway: Gateway, port: ApiGatewayMappings
) -> None:
    api = gateway.store.api(HTTP_BLUE.api_id)
    api.settings = {
        "CorsConfiguration": {"AllowOrigins": ["https://www.example.com"], "MaxAge": 60},
        "DisableExecuteApiEndpoint": True,
        "IpAddressType": "ipv4",
    }
    jwt = {"Audience": ["shop"], "Issuer": "https://login.example.com"}
    api.authorizers = [
        {"AuthorizerId": "a1", "Name": "jwt", "AuthorizerType": "JWT", "JwtConfiguration": jwt}
    ]
    gateway.store.add_stage(
        HTTP_BLUE.api_id,
        HTTP_BLUE.stage,
        DefaultRouteSettings={"ThrottlingBurstLimit": 20, "ThrottlingRateLimit": 10.0},
        RouteSettings={"GET /cart": {"ThrottlingBurstLimit": 2, "DetailedMetricsEnabled": True}},
        StageVariables={"TABLE": "orders"},
        AccessLogSettings={"Format": "$context.requestId"},
        ClientCertificateId="c1",
    )
    found = await port.api(HTTP_BLUE)
    assert (found.kind, found.endpoint_types) == (ApiKind.HTTP, (EndpointType.REGIONAL,))
    assert (found.has_stage, found.is_deployed) == (True, True)
    assert found.settings == {
        "CORS": '{"AllowOrigins": ["https://www.example.com"], "MaxAge": 60}',
        "IP address type": "ipv4",
        "access log": '{"Format": "$context.requestId"}',
        "authorizer jwt": '{"AuthorizerType": "JWT", "JwtConfiguration": '
        '{"Audience": ["shop"], "Issuer": "https://login.example.com"}}',
        "client certificate": "set",
        "execute-api endpoint": "disabled",
        "method settings GET /cart": '{"DetailedMetricsEnabled": true}',
        "route selection": "$request.method $request.path",
        "stage variable TABLE": "orders",
        "throttling": "rate 10, burst 20",
        "throttling GET /cart": "burst 2",
    }


@pytest.mark.parametrize("target", [BLUE, HTTP_BLUE])
async def test_a_stage_may_be_missing_or_without_a_deployment(
    gateway: Gateway, port: ApiGatewayMappings, target: ApiTarget
) -> None:
    missing = await port.api(ApiTarget(target.api_id, "prod"))
    assert (missing.has_stage, missing.is_deployed) == (False, False)
    gateway.store.add_stage(target.api_id, "prod", deployed=False)
    bare = await port.api(ApiTarget(target.api_id, "prod"))
    assert (bare.has_stage, bare.is_deployed) == (True, False)


async def test_an_api_that_does_not_exist_is_not_found(port: ApiGatewayMappings) -> None:
    for kind in (None, ApiKind.REST, ApiKind.HTTP):
        with pytest.raises(NotFoundError, match="Invalid API identifier specified"):
            await port.api(ApiTarget("nothing", "dev"), kind)


@pytest.mark.parametrize(
    ("operation", "unread"),
    [
        ("apigateway:GetAuthorizers", "authorizers"),
        ("apigateway:GetGatewayResponses", "gateway responses"),
        ("apigateway:GetUsagePlans", "usage plans"),
        ("apigateway:GetUsagePlanKeys", "usage plans"),
        ("apigatewayv2:GetAuthorizers", "authorizers"),
    ],
)
async def test_what_may_not_be_read_is_named_and_the_rest_is_told(
    gateway: Gateway, port: ApiGatewayMappings, operation: str, unread: str
) -> None:
    with_rest_settings(gateway, BLUE)
    gateway.fault(operation, DENIED)
    found = await port.api(BLUE if operation.startswith("apigateway:") else HTTP_BLUE)
    assert found.unread == {unread: "not authorized to perform"}
    assert found.is_deployed
    assert "execute-api endpoint" in found.settings


@pytest.mark.parametrize("target", [BLUE, HTTP_BLUE])
async def test_an_api_that_may_not_be_read_is_not_one_that_is_missing(
    gateway: Gateway, port: ApiGatewayMappings, target: ApiTarget
) -> None:
    gateway.fault("apigateway:GetRestApi", DENIED)
    if target == BLUE:
        with pytest.raises(AccessDeniedError):
            await port.api(target)
    else:
        assert (await port.api(target)).kind is ApiKind.HTTP


async def test_reads_of_both_apis_share_one_budget(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    account = Credentials(endpoint_url=gateway.url)
    async with AwsSession(account, SystemClock(), switches=True) as aws:
        budget: Any = aws._budgets["apigateway"]
        take: Callable[..., Any] = budget.take

        async def counted(*, urgent: bool = False) -> None:
            taken.append("")
            await take(urgent=urgent)

        monkeypatch.setattr(budget, "take", counted)
        port = ApiGatewayMappings(aws)
        await port.mappings(await port.domain(REGIONAL))
    assert len(taken) == 2
