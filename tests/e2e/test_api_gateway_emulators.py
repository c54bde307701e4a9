"""The API Gateway adapter against emulators that nobody here wrote: moto for v1, MiniStack for v2.

What they lack is left out: moto has no `UpdateApiMapping`, MiniStack no `UpdateBasePathMapping`,
neither has routing rules.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from tests.e2e import moto
from tests.e2e.installed import NotInstallableError

from route53_takeover.adapters.api_gateway import ApiGatewayMappings
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.base.errors import NotFoundError, RejectedChangeError
from route53_takeover.core.domain.api_mappings import ApiKind, ApiTarget, EndpointType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.ministack import Account

REGION = "us-east-1"
DOMAIN = "www.example.com"
NEW_PATH = "cart"


@contextmanager
def client(service: str, endpoint_url: str, key: str) -> Iterator[Any]:
    session: Any = boto3.Session(key, "test", region_name=REGION)
    made = session.client(service, endpoint_url=endpoint_url, config=Config(proxies={}))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        with moto.running(tmp_path_factory.mktemp("moto")) as url:
            yield url
    except NotInstallableError as error:
        pytest.skip(f"moto cannot be installed here: {error}")


def rest_api(apis: Any, name: str, stage: str) -> ApiTarget:
    """A REST API with a deployed stage that has a variable."""
    made = apis.create_rest_api(
        name=name, minimumCompressionSize=1024, endpointConfiguration={"types": ["EDGE"]}
    )
    api, root = made["id"], apis.get_resources(restApiId=made["id"])["items"][0]["id"]
    method = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    apis.put_method(**method, authorizationType="NONE")
    apis.put_integration(**method, type="HTTP", integrationHttpMethod="GET", uri="http://x.test")
    apis.create_deployment(restApiId=api, stageName=stage, variables={"TABLE": "orders"})
    return ApiTarget(api, stage)


async def test_moto_points_the_mappings_of_an_edge_domain_by_v1(
    moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    def build() -> tuple[ApiTarget, ApiTarget]:
        with client("apigateway", moto_url, "testing") as apis:
            blue, green = rest_api(apis, "blue", "dev"), rest_api(apis, "green", "dev_2")
            apis.create_domain_name(domainName=DOMAIN, endpointConfiguration={"types": ["EDGE"]})
            for path in ("(none)", "shop"):
                apis.create_base_path_mapping(
                    domainName=DOMAIN, basePath=path, restApiId=blue.api_id, stage=blue.stage
                )
            plan = {"apiId": blue.api_id, "stage": blue.stage}
            apis.create_usage_plan(name="partners", apiStages=[plan])
        return blue, green

    blue, green = await asyncio.to_thread(build)
    account = Credentials(endpoint_url=moto_url, region=REGION)
    async with AwsSession(account, SystemClock(), writable=True, switches=True) as aws:
        port = ApiGatewayMappings(aws)
        (domain,) = await port.domains()
        assert domain == await port.domain(DOMAIN)
        assert (domain.endpoint_type, domain.status) == (EndpointType.EDGE, "AVAILABLE")
        root, shop = await port.mappings(domain)
        assert [(m.base_path, m.target) for m in (root, shop)] == [("", blue), ("shop", blue)]
        for mapping in (root, shop):
            await port.point(domain, mapping.base_path, mapping, green)
        await port.point(domain, NEW_PATH, None, blue)
        found = {m.base_path: m.target for m in await port.mappings(domain)}
        assert found == {"": green, "shop": green, NEW_PATH: blue}
        assert aws.calls["apigateway:UpdateBasePathMapping"] == 2
        for to in (ApiTarget(green.api_id, "prod"), ApiTarget("none", "dev")):
            with pytest.raises((RejectedChangeError, NotFoundError)):
                await port.point(domain, "", root, to)
        with pytest.raises(RejectedChangeError) as caught:
            await port.point(domain, NEW_PATH, None, green)
        assert caught.value.code == "ConflictException"
        assert found == {m.base_path: m.target for m in await port.mappings(domain)}
        api = await port.api(blue)
        assert (api.kind, api.endpoint_types) == (ApiKind.REST, (EndpointType.EDGE,))
        assert (api.has_stage, api.is_deployed, api.unread) == (True, True, {})
        assert api.settings["minimum compression"] == "1024"
        assert api.settings["stage variable TABLE"] == "orders"
        assert "usage plan partners" in api.settings
        assert not (await port.api(ApiTarget(blue.api_id, "prod"))).has_stage
        with pytest.raises(NotFoundError):
            await port.domain("other.example.com")


async def test_ministack_points_the_mappings_of_a_regional_domain_by_v2(account: Account) -> None:
    def build() -> tuple[ApiTarget, ApiTarget, ApiTarget]:
        with client("apigatewayv2", account.endpoint_url, account.number) as apis:
            made = []
            for name in ("blue", "green"):
                cors = {"AllowOrigins": [f"https://{DOMAIN}"]}
                api = apis.create_api(Name=name, ProtocolType="HTTP", CorsConfiguration=cors)
                apis.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
                made.append(ApiTarget(api["ApiId"], "$default"))
            configuration = {"EndpointType": "REGIONAL", "CertificateArn": "arn:aws:acm:::c/1"}
            apis.create_domain_name(DomainName=DOMAIN, DomainNameConfigurations=[configuration])
            for path in ("", "shop/v1"):
                apis.create_api_mapping(
                    DomainName=DOMAIN, ApiId=made[0].api_id, Stage="$default", ApiMappingKey=path
                )
        with client("apigateway", account.endpoint_url, account.number) as apis:
            rest = apis.create_rest_api(name="rest")["id"]
            deployment = apis.create_deployment(restApiId=rest)["id"]
            apis.create_stage(restApiId=rest, stageName="dev", deploymentId=deployment)
        return made[0], made[1], ApiTarget(rest, "dev")

    blue, green, rest = await asyncio.to_thread(build)
    there = Credentials(endpoint_url=account.endpoint_url, region=REGION)
    async with AwsSession(there, SystemClock(), writable=True, switches=True) as aws:
        port = ApiGatewayMappings(aws)
        (domain,) = await port.domains()
        assert domain == await port.domain(DOMAIN)
        assert (domain.endpoint_type, domain.status) == (EndpointType.REGIONAL, "AVAILABLE")
        root, shop = await port.mappings(domain)
        assert [(m.base_path, m.target) for m in (root, shop)] == [("", blue), ("shop/v1", blue)]
        await port.point(domain, "", root, green)
        await port.point(domain, "shop/v1", shop, rest)
        await port.point(domain, NEW_PATH, None, blue)
        found = {m.base_path: m.target for m in await port.mappings(domain)}
        assert found == {"": green, "shop/v1": rest, NEW_PATH: blue}
        assert aws.calls["apigatewayv2:UpdateApiMapping"] == 2
        with pytest.raises(RejectedChangeError, match="Invalid stage identifier specified"):
            await port.point(domain, "", root, ApiTarget(green.api_id, "prod"))
        with pytest.raises(NotFoundError):
            await port.point(domain, "", root, ApiTarget("none", "dev"))
        with pytest.raises(RejectedChangeError, match="already exists for this domain name"):
            await port.point(domain, NEW_PATH, None, green)
        assert found == {m.base_path: m.target for m in await port.mappings(domain)}
        api = await port.api(green)
        assert (api.kind, api.has_stage) == (ApiKind.HTTP, True)
        assert api.settings["CORS"] == '{"AllowOrigins": ["https://www.example.com"]}'
        assert (await port.api(rest)).kind is ApiKind.REST
        with pytest.raises(NotFoundError):
            await port.api(ApiTarget("none", "dev"))
        with pytest.raises(NotFoundError):
            await port.domain("other.example.com")
