"""CloudFront's operations, as the API spells them, over the simulated distributions.

Owns the shapes and the paging of the API. It must never hold state of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.simulation.aws.http.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.simulation.aws.cloudfront.store import (
        CloudFront,
        Invalidation,
        SimDistribution,
    )
    from route53_takeover.simulation.aws.http.faults import Operation

ACCOUNT = "123456789012"
_MOST = 100
SUMMARY = (
    "Aliases",
    "Origins",
    "OriginGroups",
    "DefaultCacheBehavior",
    "CacheBehaviors",
    "CustomErrorResponses",
    "Comment",
    "PriceClass",
    "Enabled",
    "ViewerCertificate",
    "Restrictions",
    "WebACLId",
    "HttpVersion",
    "IsIPV6Enabled",
    "Staging",
)
"""Members of a config that the list of distributions tells."""


def operations(store: CloudFront, *, by: str = "client") -> dict[str, Operation]:
    """CloudFront's operations over ``store``; the history names ``by`` as who asked."""

    def get(params: Mapping[str, Any]) -> Mapping[str, Any]:
        found = store.distribution(params["Id"])
        return {"Distribution": _shape(store, found), "ETag": found.etag}

    def get_config(params: Mapping[str, Any]) -> Mapping[str, Any]:
        found = store.distribution(params["Id"])
        return {"DistributionConfig": found.config, "ETag": found.etag}

    def update(params: Mapping[str, Any]) -> Mapping[str, Any]:
        found = store.update(
            params["Id"], params["DistributionConfig"], params.get("IfMatch"), by=by
        )
        return {"Distribution": _shape(store, found), "ETag": found.etag}

    def listed(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"DistributionList": _list(store, params)}

    def invalidate(params: Mapping[str, Any]) -> Mapping[str, Any]:
        batch, distribution_id = params["InvalidationBatch"], params["DistributionId"]
        paths = batch["Paths"].get("Items") or ()
        if batch["Paths"]["Quantity"] != len(paths):
            raise ApiFault("InconsistentQuantities", "Quantity and the size of Items differ.")
        made = store.invalidate(distribution_id, paths, batch["CallerReference"], by=by)
        where = f"/2020-05-31/distribution/{distribution_id}/invalidation/{made.invalidation_id}"
        return {"Location": where, "Invalidation": _invalidation(store, made)}

    def get_invalidation(params: Mapping[str, Any]) -> Mapping[str, Any]:
        found = store.invalidation(params["DistributionId"], params["Id"])
        return {"Invalidation": _invalidation(store, found)}

    def policy(kind: PolicyKind, member: str) -> Operation:
        def get_policy(params: Mapping[str, Any]) -> Mapping[str, Any]:
            config = {"Name": f"policy-{params['Id']}", **store.policy(kind, params["Id"])}
            shape = {"Id": params["Id"], "LastModifiedTime": 0, f"{member}Config": config}
            return {member: shape, "ETag": f"E{params['Id'][:13]}"}

        return get_policy

    return {
        "GetDistribution": get,
        "GetDistributionConfig": get_config,
        "UpdateDistribution": update,
        "ListDistributions": listed,
        "CreateInvalidation": invalidate,
        "GetInvalidation": get_invalidation,
        "GetCachePolicy": policy(PolicyKind.CACHE, "CachePolicy"),
        "GetOriginRequestPolicy": policy(PolicyKind.ORIGIN_REQUEST, "OriginRequestPolicy"),
        "GetResponseHeadersPolicy": policy(PolicyKind.RESPONSE_HEADERS, "ResponseHeadersPolicy"),
    }


def _shape(store: CloudFront, found: SimDistribution) -> dict[str, Any]:
    now = store.timeline.now
    return {
        "Id": found.distribution_id,
        "ARN": _arn(found),
        "Status": found.status(now),
        "LastModifiedTime": found.modified,
        "InProgressInvalidationBatches": sum(each.done > now for each in found.invalidations),
        "DomainName": found.domain_name,
        "ActiveTrustedSigners": {"Enabled": False, "Quantity": 0},
        "ActiveTrustedKeyGroups": {"Enabled": False, "Quantity": 0},
        "DistributionConfig": found.config,
    }


def _list(store: CloudFront, params: Mapping[str, Any]) -> dict[str, Any]:
    """A page; the marker is the id of the last distribution before it."""
    limit = int(params.get("MaxItems") or _MOST)
    if not limit >= 1:
        raise ApiFault("InvalidArgument", "The parameter MaxItems is invalid.")
    marker = params.get("Marker") or ""
    found = [each for each in store.all() if each.distribution_id > marker]
    page, rest = found[: min(limit, _MOST)], found[min(limit, _MOST) :]
    return {
        "Marker": marker,
        "NextMarker": page[-1].distribution_id if rest else None,
        "MaxItems": limit,
        "IsTruncated": bool(rest),
        "Quantity": len(page),
        "Items": [
            {
                "Id": each.distribution_id,
                "ARN": _arn(each),
                "Status": each.status(store.timeline.now),
                "LastModifiedTime": each.modified,
                "DomainName": each.domain_name,
                **{member: each.config[member] for member in SUMMARY},
            }
            for each in page
        ]
        or None,
    }


def _invalidation(store: CloudFront, found: Invalidation) -> dict[str, Any]:
    return {
        "Id": found.invalidation_id,
        "Status": "Completed" if store.timeline.now >= found.done else "InProgress",
        "CreateTime": found.created,
        "InvalidationBatch": {
            "Paths": {"Quantity": len(found.paths), "Items": list(found.paths)},
            "CallerReference": found.reference,
        },
    }


def _arn(found: SimDistribution) -> str:
    return f"arn:aws:cloudfront::{ACCOUNT}:distribution/{found.distribution_id}"
