"""What stands in a ``DistributionConfig``: its behaviours, origins and groups, and who uses whom.

A config is kept in the API's shape, so that nothing of it is lost on the way back. `normal` is for
comparing two of them: CloudFront answers lists in its own order and fills in what was left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import json

from route53_takeover.core.domain.distributions import Behavior, PolicyKind

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PATTERN = "*"
"""The path pattern of the default behaviour."""
POLICY_MEMBERS = {
    PolicyKind.CACHE: "CachePolicyId",
    PolicyKind.ORIGIN_REQUEST: "OriginRequestPolicyId",
    PolicyKind.RESPONSE_HEADERS: "ResponseHeadersPolicyId",
}
"""The member by which a behaviour refers to a policy of each kind."""

_IN_ORDER = frozenset({"CacheBehaviors", "Members"})
"""Lists whose order means something: the first pattern that fits, the group's primary."""
_LOWER_CASE = frozenset({"Headers", "HttpVersion", "HeaderName", "Header"})
_DEFAULTS: Mapping[str, object] = {
    "ConnectionAttempts": 3,
    "ConnectionMode": "direct",
    "ConnectionTimeout": 10,
    "IpAddressType": "ipv4",
    "OriginKeepaliveTimeout": 5,
    "OriginReadTimeout": 30,
    "PriceClass": "PriceClass_All",
    "RestrictionType": "none",
    "SelectionCriteria": "default",
}
_OLD_CERTIFICATE = ("Certificate", "CertificateSource")
"""Repeat the certificate of the other members."""


def items(of: Mapping[str, Any] | None) -> Sequence[Any]:
    """The items of one of the API's lists, which are left out where there are none."""
    return () if of is None else of.get("Items") or ()


def behaviors(config: Mapping[str, Any]) -> tuple[Behavior, ...]:
    """Every behaviour in the order in which they are tried; the default one is the last."""
    return (
        *(
            Behavior(path_pattern=each["PathPattern"], config=each)
            for each in items(config.get("CacheBehaviors"))
        ),
        Behavior(path_pattern=DEFAULT_PATTERN, config=config.get("DefaultCacheBehavior", {})),
    )


def origins(config: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Every origin by its id."""
    return {each["Id"]: each for each in items(config.get("Origins"))}


def origin_groups(config: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """The ids of each group's origins, its primary first, by the group's id."""
    return {
        group["Id"]: tuple(member["OriginId"] for member in items(group["Members"]))
        for group in items(config.get("OriginGroups"))
    }


def origin_of(config: Mapping[str, Any], behavior: Behavior) -> str:
    """The id of the origin that serves a behaviour: of a group, its primary."""
    target = str(behavior.config.get("TargetOriginId", ""))
    return next(iter(origin_groups(config).get(target, ())), target)


def groups_with(config: Mapping[str, Any], origin_id: str) -> tuple[str, ...]:
    """The ids of the groups that an origin is in."""
    return tuple(group for group, ids in origin_groups(config).items() if origin_id in ids)


def behaviors_on(config: Mapping[str, Any], origin_id: str) -> tuple[Behavior, ...]:
    """The behaviours whose requests may reach an origin, also as the second of a group."""
    targets = {origin_id, *groups_with(config, origin_id)}
    return tuple(each for each in behaviors(config) if each.config.get("TargetOriginId") in targets)


def policy_ids(config: Mapping[str, Any]) -> tuple[tuple[PolicyKind, str], ...]:
    """Every policy that the behaviours refer to."""
    found = {
        (kind, str(each.config[member])): None
        for each in behaviors(config)
        for kind, member in POLICY_MEMBERS.items()
        if each.config.get(member)
    }
    return tuple(found)


def normal(value: Any, member: str = "") -> Any:  # noqa: ANN401 -- any part of a config
    """A part of a config without what does not matter: order, defaults, what is empty.

    Args:
        value: the part.
        member: what it is the value of.
    """
    match value:
        case Mapping() if "Quantity" in value and value.keys() <= {"Quantity", "Items"}:
            return _normal_items(items(value), member)
        case Mapping():
            parts = {name: normal(each, name) for name, each in value.items()}
            parts.pop("Quantity", None)
            if isinstance(listed := value.get("Items"), list | tuple):
                parts["Items"] = _normal_items(listed, member)
            return {name: each for name, each in sorted(parts.items()) if _matters(name, each)}
        case list() | tuple():
            return _normal_items(value, member)
        case str() if member in _LOWER_CASE:
            return value.lower()
        case _:
            return value


def normal_config(config: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- as `normal`
    """A whole config, to be compared with another."""
    certificate = dict(config.get("ViewerCertificate") or {})
    for member in _OLD_CERTIFICATE:
        certificate.pop(member, None)
    if certificate.get("CloudFrontDefaultCertificate"):  # the rest cannot be chosen then
        certificate = {"CloudFrontDefaultCertificate": True}
    return normal({**config, "ViewerCertificate": certificate})


def _normal_items(listed: Sequence[Any], member: str) -> list[Any]:
    each = [normal(item, member) for item in listed]
    return each if member in _IN_ORDER else sorted(each, key=json.encode)


def _matters(name: str, value: Any) -> bool:  # noqa: ANN401 -- as `normal`
    is_empty = value is None or value is False or value in ("", [], {})
    return not is_empty and _DEFAULTS.get(name) != value
