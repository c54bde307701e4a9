"""What is set at an API and its stage, as text by name: what belongs to them and not to a domain.

Two environments made from one template have other ids, so the text leaves out what always differs:
ids of the API, of its stage, of deployments and certificates. What is not set has no name here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from route53_takeover.core.domain.api_mappings import (
    ApiDescription,
    ApiKind,
    EndpointType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from route53_takeover.core.domain.api_mappings import (
        ApiTarget,
    )

_Settings = dict[str, str]

_EVERY_METHOD = "*/*"
_THROTTLES = {
    "throttlingRateLimit": "rate",
    "throttlingBurstLimit": "burst",
    "ThrottlingRateLimit": "rate",
    "ThrottlingBurstLimit": "burst",
}
_REST = {
    "minimumCompressionSize": "minimum compression",
    "apiKeySource": "API key source",
    "securityPolicy": "security policy",
    "endpointAccessMode": "endpoint access",
}
_REST_STAGE = {
    "webAclArn": "WAF",
    "tracingEnabled": "tracing",
    "canarySettings": "canary",
    "accessLogSettings": "access log",
}
_HTTP = {
    "CorsConfiguration": "CORS",
    "RouteSelectionExpression": "route selection",
    "ApiKeySelectionExpression": "API key selection",
    "IpAddressType": "IP address type",
}


class UsagePlan(NamedTuple):
    """A usage plan as the API tells it, and the ids of its keys in order."""

    plan: Mapping[str, Any]
    keys: tuple[str, ...]


def is_in(target: ApiTarget, plan: Mapping[str, Any]) -> bool:
    """Whether a usage plan holds a stage."""
    stages = plan.get("apiStages", ())
    return any((s.get("apiId"), s.get("stage")) == (target.api_id, target.stage) for s in stages)


def rest_description(
    target: ApiTarget,
    api: Mapping[str, Any],
    stage: Mapping[str, Any] | None,
    *,
    authorizers: Sequence[Mapping[str, Any]],
    responses: Sequence[Mapping[str, Any]],
    plans: Sequence[UsagePlan],
    unread: Mapping[str, str],
) -> ApiDescription:
    """A REST API as v1 tells it, all of it but what is ``unread``.

    Args:
        stage: ``None``: there is no such stage.
        plans: those that hold the stage.
    """
    settings = _named(_REST, api) | _endpoint(off=api.get("disableExecuteApiEndpoint"))
    if api.get("policy"):
        settings["resource policy"] = _text(_policy(api["policy"]))
    if api.get("binaryMediaTypes"):
        settings["binary media types"] = ", ".join(sorted(api["binaryMediaTypes"]))
    for each in authorizers:
        kept = _without(each, "id", "name")
        settings[f"authorizer {each['name']}"] = _text(kept)
    for each in responses:
        if not each.get("defaultResponse"):
            kept = _without(each, "responseType", "defaultResponse")
            settings[f"gateway response {each['responseType']}"] = _text(kept)
    for plan, keys in plans:
        settings[f"usage plan {plan['name']}"] = _text(_plan(target, plan, keys))
    settings |= _named(_REST_STAGE, stage or {}) | _rest_stage(stage or {})
    types = api.get("endpointConfiguration", {}).get("types", ())
    return ApiDescription(
        target=target,
        name=api.get("name", ""),
        kind=ApiKind.REST,
        endpoint_types=tuple(map(EndpointType, types)),
        has_stage=stage is not None,
        is_deployed=bool(stage and stage.get("deploymentId")),
        settings=_comparable(target, settings),
        unread=unread,
    )


def http_description(
    target: ApiTarget,
    api: Mapping[str, Any],
    stage: Mapping[str, Any] | None,
    *,
    authorizers: Sequence[Mapping[str, Any]],
    unread: Mapping[str, str],
) -> ApiDescription:
    """An HTTP or WebSocket API as v2 tells it; the same holds."""
    settings = _named(_HTTP, api) | _endpoint(off=api.get("DisableExecuteApiEndpoint"))
    for each in authorizers:
        settings[f"authorizer {each['Name']}"] = _text(_without(each, "AuthorizerId", "Name"))
    set_there = stage or {}
    settings |= _named({"AccessLogSettings": "access log"}, set_there)
    settings |= dict(_methods({_EVERY_METHOD: set_there.get("DefaultRouteSettings") or {}}))
    settings |= dict(_methods(set_there.get("RouteSettings") or {}))
    settings |= _variables(set_there.get("StageVariables"))
    if set_there.get("ClientCertificateId"):
        settings["client certificate"] = "set"
    return ApiDescription(
        target=target,
        name=api.get("Name", ""),
        kind=ApiKind(api.get("ProtocolType", ApiKind.HTTP)),
        endpoint_types=(EndpointType.REGIONAL,),
        has_stage=stage is not None,
        is_deployed=bool(set_there.get("DeploymentId")),
        settings=_comparable(target, settings),
        unread=unread,
    )


def _rest_stage(stage: Mapping[str, Any]) -> _Settings:
    """What of a stage is more than a value."""
    settings = dict(_methods(stage.get("methodSettings") or {})) | _variables(
        stage.get("variables")
    )
    if stage.get("clientCertificateId"):
        settings["client certificate"] = "set"
    if stage.get("cacheClusterEnabled"):
        settings["cache"] = f"{stage.get('cacheClusterSize', '')} GB"
    return settings


def _named(names: Mapping[str, str], shape: Mapping[str, Any]) -> _Settings:
    """The members that are set, by what they are called here."""
    there = {name: shape.get(member) for member, name in names.items()}
    return {name: _text(value) for name, value in there.items() if value not in (None, "", False)}


def _endpoint(*, off: object) -> _Settings:
    return {"execute-api endpoint": "disabled" if off else "enabled"}


def _variables(variables: Mapping[str, str] | None) -> _Settings:
    return {f"stage variable {name}": value for name, value in (variables or {}).items()}


def _methods(settings: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What is set for all methods or routes, and for single ones: throttles apart from the rest."""
    for where, shape in settings.items():
        of = "" if where == _EVERY_METHOD else f" {where.replace('~1', '/')}"
        throttles = {_THROTTLES[each]: shape[each] for each in shape if each in _THROTTLES}
        rest = {each: value for each, value in shape.items() if each not in _THROTTLES}
        if throttles:
            limits = sorted(throttles.items(), reverse=True)
            yield f"throttling{of}", ", ".join(f"{name} {limit:g}" for name, limit in limits)
        if any(value not in (None, False, "") for value in rest.values()):
            yield f"method settings{of}", _text(rest)


def _plan(target: ApiTarget, plan: Mapping[str, Any], keys: tuple[str, ...]) -> Mapping[str, Any]:
    """What a usage plan allows the stage's callers."""
    stage = next(s for s in plan["apiStages"] if s.get("apiId") == target.api_id)
    return {
        "throttle": plan.get("throttle"),
        "quota": plan.get("quota"),
        "method throttles": stage.get("throttle"),
        "keys": list(keys),
    }


def _policy(spelt: str) -> Any:  # noqa: ANN401 -- whatever the policy holds
    r"""A resource policy, which v1 tells with ``\"`` for each quote."""
    for text in (spelt, spelt.replace('\\"', '"').replace("\\/", "/")):
        try:
            return json.loads(text)
        except ValueError:
            continue
    return spelt


def _without(shape: Mapping[str, Any], *members: str) -> Mapping[str, Any]:
    return {name: value for name, value in shape.items() if name not in members}


def _text(value: object) -> str:
    """A value as text that is equal where the values are."""
    if isinstance(value, dict):
        value = {name: each for name, each in value.items() if each not in (None, [], {})}
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _comparable(target: ApiTarget, settings: _Settings) -> Mapping[str, str]:
    """The settings without the ids of this API and, behind them, of this stage."""
    stage = re.compile(rf"(?<=API_ID/){re.escape(target.stage)}(?=[/\"*]|$)")

    def text(value: str) -> str:
        return stage.sub("STAGE", re.sub(rf"\b{re.escape(target.api_id)}\b", "API_ID", value))

    return {name: text(value) for name, value in sorted(settings.items())}
