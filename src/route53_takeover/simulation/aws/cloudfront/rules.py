"""What CloudFront refuses of a config, and what it makes of one that it accepts.

Only rules that a change of origins or policies can meet; each refusal has CloudFront's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_METHODS = ("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH")
_POLICIES = {
    "CachePolicyId": "NoSuchCachePolicy",
    "OriginRequestPolicyId": "NoSuchOriginRequestPolicy",
    "ResponseHeadersPolicyId": "NoSuchResponseHeadersPolicy",
}
_EMPTY: Mapping[str, Any] = {"Quantity": 0}
_WHOLE: Mapping[str, Any] = {
    "Aliases": _EMPTY,
    "DefaultRootObject": "",
    "OriginGroups": _EMPTY,
    "CacheBehaviors": _EMPTY,
    "CustomErrorResponses": _EMPTY,
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
    "PriceClass": "PriceClass_All",
    "ViewerCertificate": {
        "CloudFrontDefaultCertificate": True,
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    },
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "WebACLId": "",
    "HttpVersion": "http2",
    "IsIPV6Enabled": False,
    "ContinuousDeploymentPolicyId": "",
    "Staging": False,
}
_ORIGIN: Mapping[str, Any] = {
    "OriginPath": "",
    "CustomHeaders": _EMPTY,
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
    "OriginShield": {"Enabled": False},
    "OriginAccessControlId": "",
}
_BEHAVIOR: Mapping[str, Any] = {
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
    "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
    "AllowedMethods": {
        "Quantity": 2,
        "Items": ["HEAD", "GET"],
        "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
    },
    "SmoothStreaming": False,
    "Compress": False,
    "LambdaFunctionAssociations": _EMPTY,
    "FunctionAssociations": _EMPTY,
    "FieldLevelEncryptionId": "",
    "GrpcConfig": {"Enabled": False},
}


def behaviors(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every behaviour in order, the default one last."""
    listed = config.get("CacheBehaviors") or {}
    return [*(listed.get("Items") or ()), config["DefaultCacheBehavior"]]


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config with everything that was left out, and its methods in CloudFront's order."""
    whole = deepcopy({**_WHOLE, **config})
    for origin in whole["Origins"]["Items"]:
        origin.update(deepcopy({**_ORIGIN, **origin}))
    for behavior in behaviors(whole):
        behavior.update(deepcopy({**_BEHAVIOR, **behavior}))
        allowed = behavior["AllowedMethods"]
        for methods in (allowed, allowed.get("CachedMethods") or {"Items": []}):
            methods["Items"].sort(key=_METHODS.index)
    return whole


def check(config: Mapping[str, Any], before: Mapping[str, Any], policies: Container[str]) -> None:
    """Raises what CloudFront says no with, if it does.

    Args:
        config: what is to be.
        before: what is now.
        policies: the ids of those that exist.
    """
    _check_quantities(config)
    if config.get("CallerReference") != before["CallerReference"]:
        raise ApiFault("IllegalUpdate", "The caller reference cannot be changed.")
    targets = set()
    for origin in config["Origins"]["Items"]:
        targets.add(origin["Id"])
        _check_origin(origin)
    groups = (config.get("OriginGroups") or {}).get("Items") or ()
    for group in groups:
        if not {member["OriginId"] for member in group["Members"]["Items"]} <= targets:
            raise ApiFault("NoSuchOrigin", "A group names an origin that does not exist.", 404)
    targets |= {group["Id"] for group in groups}
    for behavior in behaviors(config):
        if behavior["TargetOriginId"] not in targets:
            raise ApiFault("NoSuchOrigin", "No origin exists with the specified Origin Id.", 404)
        for member, code in _POLICIES.items():
            if behavior.get(member) and behavior[member] not in policies:
                raise ApiFault(code, f"The policy {behavior[member]} does not exist.", 404)
        if bool(behavior.get("CachePolicyId")) is ("ForwardedValues" in behavior):
            raise ApiFault(
                "InvalidArgument",
                "The parameter ForwardedValues cannot be used when a cache policy is associated "
                "to the cache behavior, and is required otherwise.",
            )


def _check_origin(origin: Mapping[str, Any]) -> None:
    path = origin.get("OriginPath") or ""
    if path and (not path.startswith("/") or path.endswith("/")):
        raise ApiFault(
            "InvalidArgument", "The parameter Origin Path must begin with '/' and not end with it."
        )
    host = origin["DomainName"]
    if "." not in host or any(letter in host for letter in ":/ "):
        raise ApiFault("InvalidArgument", "The parameter Origin DomainName is not a domain name.")
    kinds = [k for k in ("S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig") if k in origin]
    if len(kinds) != 1:
        raise ApiFault(
            "InvalidArgument", "The parameter Origin must have exactly one kind of origin config."
        )


def _check_quantities(config: Mapping[str, Any]) -> None:
    for listed in _lists(config):
        if listed["Quantity"] != len(listed.get("Items") or ()):
            raise ApiFault(
                "InconsistentQuantities",
                "The value of Quantity and the size of Items do not match.",
            )


def _lists(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if "Quantity" in value:
            yield value
        for each in value.values():
            yield from _lists(each)
    elif isinstance(value, list):
        for each in value:
            yield from _lists(each)
