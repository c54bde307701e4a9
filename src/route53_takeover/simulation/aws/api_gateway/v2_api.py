"""API Gateway's v2 operations (HTTP APIs), as the API spells them, over the simulated store.

Owns v2's shapes and paging. Its mappings are those of REST APIs as well; custom domains of the edge
kind it does not manage. It must never hold state of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.api_mappings import ApiTarget, RoutingMode
from route53_takeover.simulation.aws.api_gateway.paging import page
from route53_takeover.simulation.aws.api_gateway.refusals import bad_request, conflict, not_found
from route53_takeover.simulation.aws.api_gateway.v1_api import bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from route53_takeover.core.domain.api_mappings import ApiMapping
    from route53_takeover.simulation.aws.api_gateway.state import (
        SimApi,
        SimDomain,
        SimRule,
        SimStage,
    )
    from route53_takeover.simulation.aws.api_gateway.store import ApiGatewayStore
    from route53_takeover.simulation.aws.http.faults import Operation

    _Handler = Callable[[ApiGatewayStore, Mapping[str, Any], str], Mapping[str, Any]]


def operations(store: ApiGatewayStore, *, by: str = "client") -> dict[str, Operation]:
    """v2's operations over ``store``; the history names ``by`` as who asked."""
    return bound(_HANDLERS, store, by)


# -- custom domains


def _get_domain_names(
    store: ApiGatewayStore, params: Mapping[str, Any], _: str
) -> Mapping[str, Any]:
    regional = [_domain_shape(domain) for domain in store.domains() if not domain.is_edge]
    return _page(params, regional)


def _get_domain_name(
    store: ApiGatewayStore, params: Mapping[str, Any], _: str
) -> Mapping[str, Any]:
    return _domain_shape(_domain(store, params))


def _update_domain_name(
    store: ApiGatewayStore, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    domain = _domain(store, params)
    if "RoutingMode" in params:
        store.set_routing_mode(domain, RoutingMode(params["RoutingMode"]), by=by)
    return _domain_shape(domain)


def _domain(store: ApiGatewayStore, params: Mapping[str, Any]) -> SimDomain:
    found = store.domain(params["DomainName"])
    if found.is_edge:
        raise bad_request(
            "Only REGIONAL domain names can be managed through the API Gateway V2 API. For EDGE "
            "domain names, please use the V1 API. Also note that only REST APIs can be attached "
            "to EDGE domain names."
        )
    return found


def _domain_shape(domain: SimDomain) -> dict[str, Any]:
    configuration = {
        "ApiGatewayDomainName": domain.hostname,
        "DomainNameStatus": domain.status,
        "EndpointType": domain.endpoint_type,
        "SecurityPolicy": "TLS_1_2",
    }
    return {
        "DomainName": domain.name,
        "ApiMappingSelectionExpression": "$request.basepath",
        "DomainNameConfigurations": [configuration],
        "RoutingMode": domain.routing_mode,
    }


# -- mappings


def _get_mappings(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _page(params, [_mapping_shape(m) for m in _domain(store, params).mappings.values()])


def _get_mapping(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _mapping_shape(_found(_domain(store, params), params))


def _create_mapping(
    store: ApiGatewayStore, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    domain, base_path = _domain(store, params), params.get("ApiMappingKey", "")
    target = ApiTarget(params["ApiId"], params["Stage"])
    _check(store, target)
    _check_free(domain, base_path)
    return _mapping_shape(
        store.create_mapping(domain, base_path, target, by=by, operation="CreateApiMapping")
    )


def _update_mapping(
    store: ApiGatewayStore, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    domain = _domain(store, params)
    old = _found(domain, params)
    target = ApiTarget(params["ApiId"], params.get("Stage", old.target.stage))
    _check(store, target)
    moved_to = params.get("ApiMappingKey", old.base_path)
    if moved_to != old.base_path:
        _check_free(domain, moved_to)
    return _mapping_shape(
        store.change_mapping(
            domain, old.base_path, target, by=by, operation="UpdateApiMapping", moved_to=moved_to
        )
    )


def _delete_mapping(
    store: ApiGatewayStore, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    domain = _domain(store, params)
    base_path = _found(domain, params).base_path
    store.delete_mapping(domain, base_path, by=by, operation="DeleteApiMapping")
    return {}


def _found(domain: SimDomain, params: Mapping[str, Any]) -> ApiMapping:
    for mapping in domain.mappings.values():
        if mapping.mapping_id == params["ApiMappingId"]:
            return mapping
    raise not_found("Invalid API mapping identifier specified")


def _check(store: ApiGatewayStore, target: ApiTarget) -> None:
    if target.stage not in store.api(target.api_id).stages:
        raise bad_request("Invalid stage identifier specified")


def _check_free(domain: SimDomain, base_path: str) -> None:
    if base_path in domain.mappings:
        raise conflict("ApiMapping key already exists for this domain name")


def _mapping_shape(mapping: ApiMapping) -> dict[str, Any]:
    return {
        "ApiId": mapping.target.api_id,
        "ApiMappingId": mapping.mapping_id,
        "ApiMappingKey": mapping.base_path,
        "Stage": mapping.target.stage,
    }


# -- routing rules, of edge domains too


def _list_rules(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    domain = store.domain(params["DomainName"])
    rules = [rule_shape(rule) for rule in domain.table.rules]
    here, following = page(rules, params.get("NextToken"), params.get("MaxResults"))
    return {"RoutingRules": list(here), "NextToken": following}


def _get_rule(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    domain = store.domain(params["DomainName"])
    return rule_shape(store.rule(domain, params["RoutingRuleId"]))


def _put_rule(store: ApiGatewayStore, params: Mapping[str, Any], by: str) -> Mapping[str, Any]:
    if len(params["Actions"]) != 1:
        raise bad_request("A routing rule must have exactly one action")
    invoked = params["Actions"][0]["InvokeApi"]
    rule = store.put_rule(
        store.domain(params["DomainName"]),
        priority=params["Priority"],
        target=ApiTarget(invoked["ApiId"], invoked["Stage"]),
        conditions=params.get("Conditions", ()),
        strips=invoked.get("StripBasePath", False),
        by=by,
        rule_id=params.get("RoutingRuleId"),
    )
    return rule_shape(rule)


def _delete_rule(store: ApiGatewayStore, params: Mapping[str, Any], by: str) -> Mapping[str, Any]:
    store.delete_rule(store.domain(params["DomainName"]), params["RoutingRuleId"], by=by)
    return {}


def rule_shape(rule: SimRule) -> dict[str, Any]:
    """A routing rule as the API tells it."""
    action = {
        "ApiId": rule.target.api_id,
        "Stage": rule.target.stage,
        "StripBasePath": rule.strips,
    }
    return {
        "RoutingRuleId": rule.rule_id,
        "Priority": rule.priority,
        "Actions": [{"InvokeApi": action}],
        "Conditions": list(rule.conditions),
    }


# -- APIs


def _get_apis(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _page(params, [_api_shape(store, api) for api in store.apis(rest=False)])


def _get_api(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _api_shape(store, store.api(params["ApiId"], rest=False))


def _delete_api(store: ApiGatewayStore, params: Mapping[str, Any], by: str) -> Mapping[str, Any]:
    store.delete_api(params["ApiId"], rest=False, by=by)
    return {}


def _get_stages(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    api = store.api(params["ApiId"], rest=False)
    return _page(params, [_stage_shape(stage) for stage in api.stages.values()])


def _get_stage(store: ApiGatewayStore, params: Mapping[str, Any], _: str) -> Mapping[str, Any]:
    return _stage_shape(store.stage(params["ApiId"], params["StageName"], rest=False))


def _delete_stage(store: ApiGatewayStore, params: Mapping[str, Any], by: str) -> Mapping[str, Any]:
    store.delete_stage(params["ApiId"], params["StageName"], rest=False, by=by)
    return {}


def _get_authorizers(
    store: ApiGatewayStore, params: Mapping[str, Any], _: str
) -> Mapping[str, Any]:
    return _page(params, store.api(params["ApiId"], rest=False).authorizers)


def _api_shape(store: ApiGatewayStore, api: SimApi) -> dict[str, Any]:
    return {
        "ApiId": api.api_id,
        "Name": api.name,
        "ProtocolType": api.kind,
        "ApiEndpoint": f"https://{api.api_id}.execute-api.{store.region}.amazonaws.com",
        "RouteSelectionExpression": "$request.method $request.path",
        "CreatedDate": api.created,
        "DisableExecuteApiEndpoint": False,
        **api.settings,
    }


def _stage_shape(stage: SimStage) -> dict[str, Any]:
    return {
        "StageName": stage.name,
        "DeploymentId": stage.deployment_id or None,
        **stage.settings,
    }


def _page(params: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    here, following = page(items, params.get("NextToken"), params.get("MaxResults"))
    return {"Items": list(here), "NextToken": following}


_HANDLERS: dict[str, _Handler] = {
    "GetDomainNames": _get_domain_names,
    "GetDomainName": _get_domain_name,
    "UpdateDomainName": _update_domain_name,
    "GetApiMappings": _get_mappings,
    "GetApiMapping": _get_mapping,
    "CreateApiMapping": _create_mapping,
    "UpdateApiMapping": _update_mapping,
    "DeleteApiMapping": _delete_mapping,
    "ListRoutingRules": _list_rules,
    "GetRoutingRule": _get_rule,
    "CreateRoutingRule": _put_rule,
    "PutRoutingRule": _put_rule,
    "DeleteRoutingRule": _delete_rule,
    "GetApis": _get_apis,
    "GetApi": _get_api,
    "DeleteApi": _delete_api,
    "GetStages": _get_stages,
    "GetStage": _get_stage,
    "DeleteStage": _delete_stage,
    "GetAuthorizers": _get_authorizers,
}
