"""API Gateway over its two APIs: the `ApiGateway` port.

v1 knows every custom domain, but mappings of REST APIs only; v2 knows the mappings of REST and HTTP
APIs, but of regional domains only. Every read is fresh. The only call that changes anything is
`ApiGatewayMappings.point`, sent once. What an API's settings are called is in
`adapters.api_settings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from route53_takeover.adapters.api_settings import (
    UsagePlan,
    http_description,
    is_in,
    rest_description,
)
from route53_takeover.adapters.custom_domains import (
    V1_ROOT,
    custom_domain,
    custom_domain_v2,
    mapping_v1,
    mapping_v2,
    routing_rules,
)
from route53_takeover.base.errors import AccessDeniedError, NotFoundError
from route53_takeover.core.domain.api_mappings import (
    ApiKind,
    EndpointType,
)
from route53_takeover.core.ports import ApiGateway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from route53_takeover.adapters.session import Clients, SwitchClients
    from route53_takeover.core.domain.api_mappings import (
        ApiDescription,
        ApiMapping,
        ApiTarget,
        CustomDomain,
        RoutingRule,
    )

_PAGE = 500
_Found = TypeVar("_Found")


class Calls(Protocol):
    """What of `adapters.session.AwsSession` is needed here."""

    def reading(self, operation: str) -> AbstractAsyncContextManager[Clients]:
        """The clients for one read."""

    def writing(self, operation: str) -> AbstractAsyncContextManager[Clients]:
        """The clients for one write, in a single attempt."""


class ApiGatewayMappings(ApiGateway):
    """The custom domains and APIs of one region.

    Args:
        aws: its open session, for switches.
    """

    def __init__(self, aws: Calls) -> None:
        self._aws = aws

    async def domains(self) -> Sequence[CustomDomain]:
        """Every custom domain, as v1 lists them."""
        listed = await self._listed(
            "apigateway:GetDomainNames", lambda switch: switch.apigateway.get_domain_names
        )
        return [custom_domain(shape) for shape in listed]

    async def domain(self, name: str) -> CustomDomain:
        """One custom domain, as v1 has it; as v2 has it where v1 does not know it."""
        try:
            async with self._aws.reading("apigateway:GetDomainName") as clients:
                found = await clients.switch.apigateway.get_domain_name(domainName=name)
            return custom_domain(found)
        except NotFoundError:
            async with self._aws.reading("apigatewayv2:GetDomainName") as clients:
                other = await clients.switch.apigatewayv2.get_domain_name(DomainName=name)
            return custom_domain_v2(other)

    async def mappings(self, domain: CustomDomain) -> Sequence[ApiMapping]:
        """Every mapping, by v2 where that manages the domain."""
        if _is_of_v2(domain):
            listed = await self._listed(
                "apigatewayv2:GetApiMappings",
                lambda switch: switch.apigatewayv2.get_api_mappings,
                DomainName=domain.name,
            )
            return [mapping_v2(shape) for shape in listed]
        listed = await self._listed(
            "apigateway:GetBasePathMappings",
            lambda switch: switch.apigateway.get_base_path_mappings,
            domainName=domain.name,
        )
        return [mapping_v1(shape) for shape in listed]

    async def point(
        self, domain: CustomDomain, base_path: str, mapping: ApiMapping | None, to: ApiTarget
    ) -> None:
        """Sends one request, in a single attempt.

        A mapping without an id was told by v1 and is changed there.
        """
        if _is_of_v2(domain) and (mapping is None or mapping.mapping_id):
            await self._point_v2(domain, base_path, mapping, to)
        else:
            await self._point_v1(domain, base_path, mapping, to)

    async def api(self, target: ApiTarget, kind: ApiKind | None = None) -> ApiDescription:
        """An API with one stage; without ``kind`` it is looked for among the REST APIs first."""
        if kind is ApiKind.REST:
            return await self._rest(target)
        if kind is not None:
            return await self._http(target)
        try:
            return await self._rest(target)
        except (NotFoundError, AccessDeniedError) as error:
            try:
                return await self._http(target)
            except NotFoundError:
                raise error from None  # a REST API that may not be read is more than none at all

    async def api_ids(self) -> Mapping[str, ApiKind]:
        """Every API, as both APIs list theirs."""
        rest = await self._listed(
            "apigateway:GetRestApis", lambda switch: switch.apigateway.get_rest_apis
        )
        others = await self._listed(
            "apigatewayv2:GetApis", lambda switch: switch.apigatewayv2.get_apis
        )
        kinds = {shape["ApiId"]: ApiKind(shape.get("ProtocolType", "HTTP")) for shape in others}
        return {shape["id"]: ApiKind.REST for shape in rest} | kinds

    async def stages(self, api_id: str, kind: ApiKind) -> Sequence[str]:
        """The names of an API's stages, by the API that manages it."""
        if kind is ApiKind.REST:
            async with self._aws.reading("apigateway:GetStages") as clients:
                answer = await clients.switch.apigateway.get_stages(restApiId=api_id)
            return [shape["stageName"] for shape in answer.get("item", ())]
        listed = await self._listed(
            "apigatewayv2:GetStages",
            lambda switch: switch.apigatewayv2.get_stages,
            ApiId=api_id,
        )
        return [shape["StageName"] for shape in listed]

    async def rules(self, domain: CustomDomain) -> Sequence[RoutingRule]:
        """Every routing rule; one with alternatives counts once for each of them."""
        listed = await self._listed(
            "apigatewayv2:ListRoutingRules",
            lambda switch: switch.apigatewayv2.list_routing_rules,
            DomainName=domain.name,
        )
        return [rule for shape in listed for rule in routing_rules(shape)]

    async def create_rule(self, domain: CustomDomain, rule: RoutingRule) -> None:
        """Creates a rule, in a single attempt."""
        conditions: list[Any] = [
            {"MatchHeaders": {"AnyOf": [{"Header": name, "ValueGlob": value}]}}
            for name, value in rule.headers.items()
        ]
        if rule.base_paths:
            conditions.append({"MatchBasePaths": {"AnyOf": list(rule.base_paths)}})
        to: Any = {
            "ApiId": rule.target.api_id,
            "Stage": rule.target.stage,
            "StripBasePath": bool(rule.base_paths),
        }
        async with self._aws.writing("apigatewayv2:CreateRoutingRule") as clients:
            await clients.switch.apigatewayv2_writes.create_routing_rule(
                DomainName=domain.name,
                Priority=rule.priority,
                Conditions=conditions,
                Actions=[{"InvokeApi": to}],
            )

    async def delete_rule(self, domain: CustomDomain, rule_id: str) -> None:
        """Deletes a rule, in a single attempt."""
        async with self._aws.writing("apigatewayv2:DeleteRoutingRule") as clients:
            await clients.switch.apigatewayv2_writes.delete_routing_rule(
                DomainName=domain.name, RoutingRuleId=rule_id
            )

    # -- mappings

    async def _point_v1(
        self, domain: CustomDomain, base_path: str, mapping: ApiMapping | None, to: ApiTarget
    ) -> None:
        path = base_path or V1_ROOT
        if mapping is None:
            async with self._aws.writing("apigateway:CreateBasePathMapping") as clients:
                await clients.switch.apigateway_writes.create_base_path_mapping(
                    domainName=domain.name, basePath=path, restApiId=to.api_id, stage=to.stage
                )
            return
        async with self._aws.writing("apigateway:UpdateBasePathMapping") as clients:
            await clients.switch.apigateway_writes.update_base_path_mapping(
                domainName=domain.name,
                basePath=path,
                patchOperations=[
                    {"op": "replace", "path": "/restapiId", "value": to.api_id},
                    {"op": "replace", "path": "/stage", "value": to.stage},
                ],
            )

    async def _point_v2(
        self, domain: CustomDomain, base_path: str, mapping: ApiMapping | None, to: ApiTarget
    ) -> None:
        if mapping is None:
            async with self._aws.writing("apigatewayv2:CreateApiMapping") as clients:
                await clients.switch.apigatewayv2_writes.create_api_mapping(
                    DomainName=domain.name,
                    ApiId=to.api_id,
                    Stage=to.stage,
                    ApiMappingKey=base_path,
                )
            return
        async with self._aws.writing("apigatewayv2:UpdateApiMapping") as clients:
            await clients.switch.apigatewayv2_writes.update_api_mapping(
                DomainName=domain.name,
                ApiMappingId=mapping.mapping_id,
                ApiId=to.api_id,
                Stage=to.stage,
                ApiMappingKey=base_path,
            )

    # -- APIs

    async def _rest(self, target: ApiTarget) -> ApiDescription:
        async with self._aws.reading("apigateway:GetRestApi") as clients:
            api = await clients.switch.apigateway.get_rest_api(restApiId=target.api_id)
        stage: Mapping[str, Any] | None = None
        try:
            async with self._aws.reading("apigateway:GetStage") as clients:
                stage = await clients.switch.apigateway.get_stage(
                    restApiId=target.api_id, stageName=target.stage
                )
        except NotFoundError:
            pass
        unread: dict[str, str] = {}
        return rest_description(
            target,
            api,
            stage,
            authorizers=await _or_unread(self._authorizers(target), "authorizers", unread),
            responses=await _or_unread(self._responses(target), "gateway responses", unread),
            plans=await _or_unread(self._plans(target), "usage plans", unread),
            unread=unread,
        )

    async def _http(self, target: ApiTarget) -> ApiDescription:
        async with self._aws.reading("apigatewayv2:GetApi") as clients:
            api = await clients.switch.apigatewayv2.get_api(ApiId=target.api_id)
        stage: Mapping[str, Any] | None = None
        try:
            async with self._aws.reading("apigatewayv2:GetStage") as clients:
                stage = await clients.switch.apigatewayv2.get_stage(
                    ApiId=target.api_id, StageName=target.stage
                )
        except NotFoundError:
            pass
        unread: dict[str, str] = {}
        authorizers = await _or_unread(self._authorizers_v2(target), "authorizers", unread)
        return http_description(target, api, stage, authorizers=authorizers, unread=unread)

    async def _authorizers(self, target: ApiTarget) -> Sequence[Any]:
        return await self._listed(
            "apigateway:GetAuthorizers",
            lambda switch: switch.apigateway.get_authorizers,
            restApiId=target.api_id,
        )

    async def _authorizers_v2(self, target: ApiTarget) -> Sequence[Any]:
        return await self._listed(
            "apigatewayv2:GetAuthorizers",
            lambda switch: switch.apigatewayv2.get_authorizers,
            ApiId=target.api_id,
        )

    async def _responses(self, target: ApiTarget) -> Sequence[Any]:
        return await self._listed(
            "apigateway:GetGatewayResponses",
            lambda switch: switch.apigateway.get_gateway_responses,
            restApiId=target.api_id,
        )

    async def _plans(self, target: ApiTarget) -> Sequence[UsagePlan]:
        """The usage plans that hold the stage, each with the ids of its keys."""
        listed = await self._listed(
            "apigateway:GetUsagePlans", lambda switch: switch.apigateway.get_usage_plans
        )
        return [UsagePlan(p, await self._keys(p["id"])) for p in listed if is_in(target, p)]

    async def _keys(self, plan_id: str) -> tuple[str, ...]:
        listed = await self._listed(
            "apigateway:GetUsagePlanKeys",
            lambda switch: switch.apigateway.get_usage_plan_keys,
            usagePlanId=plan_id,
        )
        return tuple(sorted(shape["id"] for shape in listed))

    async def _listed(
        self,
        operation: str,
        method: Callable[[SwitchClients], Callable[..., Awaitable[Any]]],
        **params: str,
    ) -> list[Any]:
        """What all pages of an operation hold."""
        is_v1 = operation.startswith("apigateway:")
        position: dict[str, Any] = {"limit": _PAGE} if is_v1 else {}
        items, token = ("items", "position") if is_v1 else ("Items", "NextToken")
        found: list[Any] = []
        while True:
            async with self._aws.reading(operation) as clients:
                page = await method(clients.switch)(**params, **position)
            found += page.get(items) or page.get("RoutingRules") or ()
            if not page.get(token):
                return found
            position[token] = page[token]


async def _or_unread(
    reading: Awaitable[Sequence[_Found]], what: str, unread: dict[str, str]
) -> Sequence[_Found]:
    """What a read finds; nothing, and a note of it, where it is not allowed or gone meanwhile."""
    try:
        return await reading
    except (AccessDeniedError, NotFoundError) as error:
        unread[what] = error.message
        return ()


def _is_of_v2(domain: CustomDomain) -> bool:
    return domain.endpoint_type is EndpointType.REGIONAL
