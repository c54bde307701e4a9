"""What a behaviour of a distribution does with a request, by the content of its policies.

Policies are given by id, without what they are called (`core.ports.Distributions.policy`). An older
behaviour has no cache policy, and says the same in ``ForwardedValues`` and time-to-live members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from route53_takeover.core.domain.distribution_configs import POLICY_MEMBERS, items
from route53_takeover.core.domain.distributions import PolicyKind

Policies = Mapping[str, Mapping[str, Any]]
"""Content by id; what could not be read is not there."""

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
"""Ids of policies that CloudFront manages itself, the same in every account."""


def _sent(headers: Mapping[str, Any]) -> Mapping[str, Any]:
    """An origin request policy that sends all but some headers."""
    return {
        "HeadersConfig": headers,
        "CookiesConfig": {"CookieBehavior": "all"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    }


def _cached(ttls: tuple[int, int, int], *, compressed: bool) -> Mapping[str, Any]:
    """A cache policy with nothing but the path in its key."""
    return {
        "MinTTL": ttls[0],
        "DefaultTTL": ttls[1],
        "MaxTTL": ttls[2],
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": compressed,
            "EnableAcceptEncodingBrotli": compressed,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    }


MANAGED: Policies = {
    CACHING_DISABLED: _cached((0, 0, 0), compressed=False),
    CACHING_OPTIMIZED: _cached((1, 86400, 31536000), compressed=True),
    ALL_VIEWER: _sent({"HeaderBehavior": "allViewer"}),
    ALL_VIEWER_EXCEPT_HOST: _sent(
        {"HeaderBehavior": "allExcept", "Headers": {"Quantity": 1, "Items": ["host"]}}
    ),
}
"""What these do: for a policy that was not read, since it was not in use before."""

_ALL_HEADERS = frozenset({"allViewer", "allViewerAndWhitelistCloudFront"})


def content(policy_id: str, policies: Policies) -> Mapping[str, Any] | None:
    """What a policy does, where that is known."""
    return policies.get(policy_id) or MANAGED.get(policy_id)


def unread(behavior: Mapping[str, Any], policies: Policies) -> tuple[str, ...]:
    """The ids of a behaviour's policies whose content is not known."""
    ids = (str(behavior.get(member) or "") for member in POLICY_MEMBERS.values())
    return tuple(each for each in ids if each and content(each, policies) is None)


def forwards_host(behavior: Mapping[str, Any], policies: Policies) -> bool:
    """Whether the origin gets the ``Host`` that the viewer sent, in place of its own name.

    What is part of the cache key reaches the origin as well, whatever the other policy leaves out.
    """
    return _is_host_in_key(behavior, policies) or _is_host_requested(behavior, policies)


def is_cached(behavior: Mapping[str, Any], policies: Policies) -> bool:
    """Whether an answer may be kept for longer than its request; so too where it is unknown."""
    policy_id = behavior.get(POLICY_MEMBERS[PolicyKind.CACHE])
    if policy_id:
        known = content(policy_id, policies)
        return known is None or any(
            known.get(ttl, default) for ttl, default in (("MinTTL", 0), ("MaxTTL", 1))
        )
    if "*" in items(behavior.get("ForwardedValues", {}).get("Headers")):
        return False
    return bool(behavior.get("MinTTL", 0) or behavior.get("MaxTTL", 1))


def _is_host_in_key(behavior: Mapping[str, Any], policies: Policies) -> bool:
    policy_id = behavior.get(POLICY_MEMBERS[PolicyKind.CACHE])
    if not policy_id:
        forwarded = items(behavior.get("ForwardedValues", {}).get("Headers"))
        return "*" in forwarded or _has_host(forwarded)
    key = (content(policy_id, policies) or {}).get("ParametersInCacheKeyAndForwardedToOrigin", {})
    headers = key.get("HeadersConfig", {})
    return headers.get("HeaderBehavior") == "whitelist" and _has_host(items(headers.get("Headers")))


def _is_host_requested(behavior: Mapping[str, Any], policies: Policies) -> bool:
    policy_id = behavior.get(POLICY_MEMBERS[PolicyKind.ORIGIN_REQUEST])
    headers = (content(policy_id or "", policies) or {}).get("HeadersConfig", {})
    kind, named = headers.get("HeaderBehavior", "none"), items(headers.get("Headers"))
    if kind == "allExcept":
        return not _has_host(named)
    return kind in _ALL_HEADERS or (kind == "whitelist" and _has_host(named))


def _has_host(headers: Any) -> bool:  # noqa: ANN401 -- a list of the API's
    return any(header.lower() == "host" for header in headers)
