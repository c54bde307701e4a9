"""Custom domains of API Gateway, their mappings and rules, as its two APIs spell them.

Owns the reading of these shapes alone; who asks for them is `adapters.api_gateway`.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.api_mappings import (
    ROOT_PATH,
    ApiMapping,
    ApiTarget,
    CustomDomain,
    EndpointType,
    RoutingMode,
    RoutingRule,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

V1_ROOT = "(none)"
"""What v1 calls the base path of the root, both ways; v2 has it empty."""
_V1_MODES = {
    "BASE_PATH_MAPPING_ONLY": RoutingMode.MAPPINGS,
    "ROUTING_RULE_THEN_BASE_PATH_MAPPING": RoutingMode.RULES_FIRST,
}
"""What v1 calls otherwise than v2."""
_CERTIFICATES = ("certificateArn", "regionalCertificateArn")


def custom_domain(shape: Mapping[str, Any]) -> CustomDomain:
    """A custom domain as v1 tells it; one that is both edge and regional is the former."""
    types = shape.get("endpointConfiguration", {}).get("types") or [EndpointType.EDGE]
    is_edge = EndpointType.EDGE in types
    return CustomDomain(
        name=shape["domainName"],
        endpoint_type=EndpointType.EDGE if is_edge else _endpoint_type(types[0]),
        status=shape.get("domainNameStatus", "AVAILABLE"),
        routing_mode=_routing_mode(shape.get("routingMode")),
        hostname=shape.get("distributionDomainName" if is_edge else "regionalDomainName", ""),
        certificates=tuple(shape[each] for each in _CERTIFICATES if shape.get(each)),
    )


def custom_domain_v2(shape: Mapping[str, Any]) -> CustomDomain:
    """A custom domain as v2 tells it."""
    configuration = (shape.get("DomainNameConfigurations") or [{}])[0]
    return CustomDomain(
        name=shape["DomainName"],
        endpoint_type=_endpoint_type(configuration.get("EndpointType", EndpointType.REGIONAL)),
        status=configuration.get("DomainNameStatus", "AVAILABLE"),
        routing_mode=_routing_mode(shape.get("RoutingMode")),
        hostname=configuration.get("ApiGatewayDomainName", ""),
        certificates=tuple(
            each["CertificateArn"]
            for each in shape.get("DomainNameConfigurations") or ()
            if each.get("CertificateArn")
        ),
    )


def mapping_v1(shape: Mapping[str, Any]) -> ApiMapping:
    """A base path mapping as v1 tells it."""
    return ApiMapping(
        base_path=_base_path(shape.get("basePath")),
        target=ApiTarget(shape["restApiId"], shape.get("stage", "")),
    )


def mapping_v2(shape: Mapping[str, Any]) -> ApiMapping:
    """An API mapping as v2 tells it."""
    return ApiMapping(
        base_path=_base_path(shape.get("ApiMappingKey")),
        target=ApiTarget(shape["ApiId"], shape["Stage"]),
        mapping_id=shape["ApiMappingId"],
    )


def routing_rules(shape: Mapping[str, Any]) -> Sequence[RoutingRule]:
    """A routing rule; for each combination of the headers that a condition leaves open, one."""
    action = shape["Actions"][0]["InvokeApi"]
    conditions = shape.get("Conditions") or ()
    alternatives = [
        [(each["Header"].lower(), each["ValueGlob"]) for each in condition["MatchHeaders"]["AnyOf"]]
        for condition in conditions
        if "MatchHeaders" in condition
    ]
    base_paths = (c["MatchBasePaths"]["AnyOf"] for c in conditions if "MatchBasePaths" in c)
    paths = tuple(path for offered in base_paths for path in offered)
    return [
        RoutingRule(
            rule_id=shape["RoutingRuleId"],
            priority=shape["Priority"],
            target=ApiTarget(action["ApiId"], action["Stage"]),
            headers=dict(headers),
            base_paths=paths,
        )
        for headers in product(*alternatives)
    ]


def _routing_mode(spelt: str | None) -> RoutingMode:
    """Of a mode that is not known here nobody can say that mappings count in it."""
    if spelt is None:
        return RoutingMode.MAPPINGS
    known = spelt in set(RoutingMode)
    return _V1_MODES.get(spelt) or (RoutingMode(spelt) if known else RoutingMode.RULES)


def _endpoint_type(spelt: str) -> EndpointType:
    """One that is not known here is no more reachable than a private one."""
    return EndpointType(spelt) if spelt in set(EndpointType) else EndpointType.PRIVATE


def _base_path(spelt: str | None) -> str:
    return ROOT_PATH if spelt in (None, V1_ROOT) else str(spelt)
