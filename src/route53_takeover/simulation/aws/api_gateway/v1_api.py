"""API Gateway's v1 operations (REST APIs), as the API spells them, over the simulated store.

Owns v1's shapes, paging, and its own view of a custom domain: it has no mapping of an HTTP API and
none whose base path has several parts, and calls the root ``(none)``. It must never hold state of
its own.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.api_mappings import (
    ROOT_PATH,
    ApiTarget,
    RoutingMode,
)
from route53_takeover.simulation.aws.api_gateway.paging import page
from route53_takeover.simulation.aws.api_gateway.refusals import (
    ApiGatewayError,
    bad_request,
    conflict,
    not_found,
)
from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from route53_takeover.core.domain.api_mappings import (
        ApiMapping,
    )
    from route53_takeover.simulation.aws.api_gateway.state import SimApi, SimDomain, SimStage
    from route53_takeover.simulation.aws.api_gateway.store import ApiGatewayStore
    from route53_takeover.simulation.aws.http.faults import Operation

    _Handler = Callable[[ApiGatewayStore, Mapping[str, Any], str], Mapping[str, Any]]

NONE = "(none)"
"""The base path of the root, in requests and in answers."""


def operations(store: ApiGatewayStore, *, by: str = "client") -> dict[str, Operation]:
    """v1's operations over ``store``; the history names ``by`` as who asked."""
    return bound(_HANDLERS, store, by)


def bound(
    handlers: Mapping[str, _Handler], store: ApiGatewayStore, by: str
) -> dict[str, Operation]:
    """Handlers that know their store, and say no as the wire server wants it."""

    def answer(handler: _Handler, params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return handler(store, params, by)
        except ApiGatewayError as error:
            raise ApiFault(error.code, error.message, error.status) from error

    return {name: partial(answer, handler) for name, handler in handlers.items()}


# -- custom domains


def _get_domain_names(
    store: ApiGatewayStore, params: Mapping[str, Any], _: str
) -> Mapping[str, Any]:
    return _page(params, [_domain_shape(domain) for domain in store.domains()])


def _get_domain_name(
    store: ApiGatewayStore, params: Mapping[str, Any], _: str
) -> Mapping[str, Any]:
    return _domain_shape(store.domain(params["domainName"]))


def _update_domain_name(
    store: ApiGatewayStore, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    domain = store.domain(params["domainName"])
    patches = _patches(params, "/routingMode")
    if "/routingMode" in patches:
        store.set_routing_mode(domain, RoutingMode(patches["/routingMode"]), by=by)
    return _domain_shape(domain)


def _domain_shape(domain: SimDomain) -> dict[str, Any]:
    kind = "distributionDomainName" if domain.is_edge else "regionalDomainName"
    return {
        "domainName": domain.name,
        kind: domain.hostname,
        "endpointConfiguration": {"types": [domain.endpoint_type]},
        "domainNameStatus": domain.status,
        "securityPolicy": "TLS_1_2",
        "routingMode": domain.routing_mode,
    }


# -- base path mappings


def _get_mappings(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    domain = store.domain(params["domainName"])
    return _page(params, [_mapping_shape(each) for each in _visible(store, domain).values()])


def _get_mapping(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    domain = store.domain(params["domainName"])
    return _mapping_shape(_found(store, domain, params["basePath"]))


def _create_mapping(
    store: ApiGatewayStore, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    domain, base_path = store.domain(params["domainName"]), _path(params.get("basePath", NONE))
    if "/" in base_path:
        raise bad_request(
            "API Gateway V1 doesn't support the slash character (/) in base path mappings. To "
            "create a multi-level base path mapping, use API Gateway V2."
        )
    target = ApiTarget(params["restApiId"], params.get("stage", ""))
    _check(store, target)
    _check_free(domain, base_path)
    operation = "CreateBasePathMapping"
    return _mapping_shape(
        store.create_mapping(domain, base_path, target, by=by, operation=operation)
    )


def _update_mapping(
    store: ApiGatewayStore, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    domain = store.domain(params["domainName"])
    old = _found(store, domain, params["basePath"])
    patches = _patches(params, "/basePath", "/restapiId", "/stage")
    target = ApiTarget(
        patches.get("/restapiId", old.target.api_id), patches.get("/stage", old.target.stage)
    )
    _check(store, target)
    moved_to = _path(patches.get("/basePath", old.base_path))
    if moved_to != old.base_path:
        _check_free(domain, moved_to)
    return _mapping_shape(
        store.change_mapping(
            domain,
            old.base_path,
            target,
            by=by,
            operation="UpdateBasePathMapping",
            moved_to=moved_to,
        )
    )


def _delete_mapping(
    store: ApiGatewayStore, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    domain = store.domain(params["domainName"])
    base_path = _found(store, domain, params["basePath"]).base_path
    store.delete_mapping(domain, base_path, by=by, operation="DeleteBasePathMapping")
    return {}


def _visible(store: ApiGatewayStore, domain: SimDomain) -> dict[str, ApiMapping]:
    """The mappings that v1 knows of, by base path."""
    rest = {api.api_id for api in store.apis(rest=True)}
    return {
        path: mapping
        for path, mapping in domain.mappings.items()
        if mapping.target.api_id in rest and "/" not in path
    }


def _found(store: ApiGatewayStore, domain: SimDomain, base_path: str) -> ApiMapping:
    found = _visible(store, domain).get(_path(base_path))
    if found is None:
        raise not_found("Invalid base path mapping identifier specified")
    return found


def _check(store: ApiGatewayStore, target: ApiTarget) -> None:
    apis = {api.api_id: api for api in store.apis(rest=True)}
    if target.api_id not in apis:
        raise bad_request("Invalid REST API identifier specified")
    if target.stage not in apis[target.api_id].stages:
        raise bad_request("Invalid stage identifier specified")


def _check_free(domain: SimDomain, base_path: str) -> None:
    if base_path not in domain.mappings:
        return
    if base_path == ROOT_PATH:
        raise conflict("Only one base path mapping is allowed if the base path is empty")
    raise conflict("Base path already exists for this domain name")


def _path(spelt: str) -> str:
    return ROOT_PATH if spelt == NONE else spelt


def _mapping_shape(mapping: ApiMapping) -> dict[str, Any]:
    return {
        "basePath": mapping.base_path or NONE,
        "restApiId": mapping.target.api_id,
        "stage": mapping.target.stage,
    }


# -- APIs


def _get_apis(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _page(params, [_api_shape(api) for api in store.apis(rest=True)])


def _get_api(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _api_shape(store.api(params["restApiId"], rest=True))


def _delete_api(store: ApiGatewayStore, params: Mapping[str, Any], by: str) -> Mapping[str, Any]:
    store.delete_api(params["restApiId"], rest=True, by=by)
    return {}


def _get_stages(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    api = store.api(params["restApiId"], rest=True)
    return {"item": [_stage_shape(stage) for stage in api.stages.values()]}


def _get_stage(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _stage_shape(store.stage(params["restApiId"], params["stageName"], rest=True))


def _delete_stage(store: ApiGatewayStore, params: Mapping[str, Any], by: str) -> Mapping[str, Any]:
    store.delete_stage(params["restApiId"], params["stageName"], rest=True, by=by)
    return {}


def _get_authorizers(
    store: ApiGatewayStore, params: Mapping[str, Any], _: str
) -> Mapping[str, Any]:
    return _page(params, store.api(params["restApiId"], rest=True).authorizers)


def _get_responses(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _page(params, store.api(params["restApiId"], rest=True).responses)


def _get_plans(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _page(params, [each.plan for each in store.usage_plans])


def _get_plan_keys(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    for each in store.usage_plans:
        if each.plan["id"] == params["usagePlanId"]:
            return _page(params, [{"id": key, "type": "API_KEY"} for key in each.keys])
    raise not_found("Invalid Usage Plan ID specified")


def _api_shape(api: SimApi) -> dict[str, Any]:
    return {
        "id": api.api_id,
        "name": api.name,
        "createdDate": api.created,
        "endpointConfiguration": {"types": [*api.endpoint_types]},
        "disableExecuteApiEndpoint": False,
        **api.settings,
    }


def _stage_shape(stage: SimStage) -> dict[str, Any]:
    return {
        "stageName": stage.name,
        "deploymentId": stage.deployment_id or None,
        **stage.settings,
    }


# -- what they share


def _page(params: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    here, following = page(items, params.get("position"), params.get("limit"))
    return {"items": list(here), "position": following}


def _patches(params: Mapping[str, Any], *known: str) -> dict[str, str]:
    """The value for each path of ``patchOperations``."""
    patches = params.get("patchOperations", ())
    for patch in patches:
        if patch.get("op") != "replace" or patch.get("path") not in known:
            raise bad_request(
                f"Invalid patch path  '{patch.get('path')}' specified for op '{patch.get('op')}'. "
                f"Must be one of: [{', '.join(known)}]"
            )
    return {patch["path"]: patch.get("value", "") for patch in patches}


_HANDLERS: dict[str, _Handler] = {
    "GetDomainNames": _get_domain_names,
    "GetDomainName": _get_domain_name,
    "UpdateDomainName": _update_domain_name,
    "GetBasePathMappings": _get_mappings,
    "GetBasePathMapping": _get_mapping,
    "CreateBasePathMapping": _create_mapping,
    "UpdateBasePathMapping": _update_mapping,
    "DeleteBasePathMapping": _delete_mapping,
    "GetRestApis": _get_apis,
    "GetRestApi": _get_api,
    "DeleteRestApi": _delete_api,
    "GetStages": _get_stages,
    "GetStage": _get_stage,
    "DeleteStage": _delete_stage,
    "GetAuthorizers": _get_authorizers,
    "GetGatewayResponses": _get_responses,
    "GetUsagePlans": _get_plans,
    "GetUsagePlanKeys": _get_plan_keys,
}
