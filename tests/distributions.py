"""Distributions and their parts in CloudFront's shape, as the tests need them."""

from __future__ import annotations

from typing import Any

from route53_takeover.core.domain.cloudfront_policies import (
    ALL_VIEWER,
    ALL_VIEWER_EXCEPT_HOST,
    CACHING_DISABLED,
    CACHING_OPTIMIZED,
    MANAGED,
)
from route53_takeover.core.domain.distributions import Distribution

BLUE, GREEN = "dblue.cloudfront.net", "dgreen.cloudfront.net"
BLUE_API = "blue1.execute-api.eu-central-1.amazonaws.com"
GREEN_API = "green1.execute-api.eu-central-1.amazonaws.com"
GREEN_LAMBDA = "green1.lambda-url.eu-central-1.on.aws"
SITE = "www.example.com"
POLICIES = {
    each: MANAGED[each]
    for each in (ALL_VIEWER, ALL_VIEWER_EXCEPT_HOST, CACHING_DISABLED, CACHING_OPTIMIZED)
}


def listed(*items: Any) -> dict[str, Any]:
    return {"Quantity": len(items), "Items": list(items)} if items else {"Quantity": 0}


def origin(host: str = BLUE, origin_id: str = "app", **more: Any) -> dict[str, Any]:
    """A custom origin; what is given as ``None`` is left out."""
    shape: dict[str, Any] = {
        "Id": origin_id,
        "DomainName": host,
        "OriginPath": "",
        "CustomHeaders": listed(),
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
            "OriginSslProtocols": listed("TLSv1.2"),
            "OriginReadTimeout": 30,
            "OriginKeepaliveTimeout": 5,
        },
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginAccessControlId": "",
        **more,
    }
    return {name: value for name, value in shape.items() if value is not None}


def bucket(identity: str = "", control: str = "") -> dict[str, Any]:
    return origin(
        "site.s3.eu-central-1.amazonaws.com",
        CustomOriginConfig=None,
        S3OriginConfig={"OriginAccessIdentity": identity},
        OriginAccessControlId=control,
    )


def behavior(target: str = "app", **more: Any) -> dict[str, Any]:
    """A behaviour that keeps nothing and forwards all but ``Host``."""
    shape = {
        "TargetOriginId": target,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {
            **listed("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"),
            "CachedMethods": listed("HEAD", "GET"),
        },
        "Compress": True,
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST,
        **more,
    }
    return {name: value for name, value in shape.items() if value is not None}


def config(*origins: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A whole config; one origin leads to blue's distribution unless others are given."""
    return {
        "CallerReference": "made-by-hand",
        "Aliases": listed(SITE),
        "DefaultRootObject": "",
        "Origins": listed(*(origins or (origin(),))),
        "OriginGroups": listed(),
        "DefaultCacheBehavior": behavior(),
        "CacheBehaviors": listed(),
        "CustomErrorResponses": listed(),
        "Comment": "the site",
        "PriceClass": "PriceClass_100",
        "Enabled": True,
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
        "HttpVersion": "http2",
        "IsIPV6Enabled": True,
        **more,
    }


def distribution(whole: dict[str, Any] | None = None, **more: Any) -> Distribution:
    """The front, deployed."""
    shape: dict[str, Any] = {
        "distribution_id": "EFRONT",
        "domain_name": "dfront.cloudfront.net",
        "status": "Deployed",
        "aliases": (SITE,),
        "etag": "E1",
        "config": config() if whole is None else whole,
        **more,
    }
    return Distribution(**shape)


def group(group_id: str, *origin_ids: str) -> dict[str, Any]:
    return {
        "Id": group_id,
        "FailoverCriteria": {"StatusCodes": listed(500, 502)},
        "Members": listed(*({"OriginId": each} for each in origin_ids)),
    }
