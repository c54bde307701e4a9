"""The front beside the distributions behind it: what differs, what is taken over, what is kept."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from tests.distributions import (
    POLICIES,
    behavior,
    config,
    distribution,
    listed,
    origin,
)

from route53_takeover.core.domain.cloudfront_policies import (
    ALL_VIEWER,
    ALL_VIEWER_EXCEPT_HOST,
    CACHING_DISABLED,
    CACHING_OPTIMIZED,
    is_cached,
)
from route53_takeover.core.domain.distribution_configs import policy_ids
from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.core.switch.policies import compare, invalidation, matched

if TYPE_CHECKING:
    from route53_takeover.core.domain.cloudfront_policies import Policies

ORIGIN = "origin-request"
FUNCTION = {"FunctionARN": "arn:aws:cloudfront::1:function/f", "EventType": "viewer-request"}
EDGE = {
    "LambdaFunctionARN": "arn:aws:lambda:us-east-1:1:function:g:1",
    "EventType": "origin-request",
}
KEY = {
    "EnableAcceptEncodingGzip": True,
    "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": listed("Accept", "X-A")},
    "CookiesConfig": {"CookieBehavior": "none"},
    "QueryStringsConfig": {"QueryStringBehavior": "none"},
}
REORDERED = deepcopy(KEY) | {
    "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": listed("x-a", "accept")},
    "EnableAcceptEncodingBrotli": False,
}
HIS: Policies = {
    **POLICIES,
    "one": {"MinTTL": 0, "MaxTTL": 60, "ParametersInCacheKeyAndForwardedToOrigin": KEY},
    "same": {"MinTTL": 0, "MaxTTL": 60, "ParametersInCacheKeyAndForwardedToOrigin": REORDERED},
    "longer": {"MinTTL": 0, "MaxTTL": 61, "ParametersInCacheKeyAndForwardedToOrigin": KEY},
    "revalidated": {"MinTTL": 0, "DefaultTTL": 0, "MaxTTL": 60},
    "security": {"SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}}},
    "host-keyed": {
        "MinTTL": 0,
        "MaxTTL": 0,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": listed("Host")}
        },
    },
}
OLDER: dict[str, Any] = {
    "CachePolicyId": None,
    "OriginRequestPolicyId": None,
    "ForwardedValues": {"QueryString": True, "Cookies": {"Forward": "all"}},
}


def default(**more: Any) -> dict[str, Any]:
    return config(DefaultCacheBehavior=behavior(**more))


def pattern(at: str, target: str = "app", **more: Any) -> dict[str, Any]:
    return {"PathPattern": at, **behavior(target, **more)}


@pytest.mark.parametrize(
    ("front", "green", "what", "weight", "values"),
    [
        (
            default(CachePolicyId=CACHING_OPTIMIZED),
            default(),
            "* cache policy",
            "warn",
            ("MaxTTL 31536000", "MaxTTL 0"),
        ),
        (default(CachePolicyId="one"), default(CachePolicyId="longer"), "* cache policy", "warn",
         ("MaxTTL 60", "MaxTTL 61")),
        (default(CachePolicyId="unread"), default(), "* cache policy", "warn", ("Id unread", "")),
        (default(**OLDER), default(OriginRequestPolicyId=None), "* cache policy", "warn",
         ("MaxTTL 31536000", "MaxTTL 0")),
        (default(**OLDER, MaxTTL=5), default(**OLDER, MaxTTL=6), "* cache policy", "warn",
         ("MaxTTL 5", "MaxTTL 6")),
        (default(OriginRequestPolicyId=None), default(), "* origin request policy", "warn",
         ("none", "allExcept")),
        (default(), default(ResponseHeadersPolicyId="security"), "* response headers policy",
         "warn", ("none", "Override")),
        (
            default(AllowedMethods={**listed("GET", "HEAD"), "CachedMethods": listed("GET")}),
            default(
                AllowedMethods={**listed("GET", "HEAD", "POST"), "CachedMethods": listed("GET")}
            ),
            "* allowed methods",
            "warn",
            ("GET, HEAD", "GET, HEAD, POST"),
        ),
        (
            default(),
            default(
                AllowedMethods=behavior()["AllowedMethods"]
                | {"CachedMethods": listed("GET", "HEAD", "OPTIONS")}
            ),
            "* cached methods",
            "warn",
            ("GET, HEAD", "GET, HEAD, OPTIONS"),
        ),
        (default(ViewerProtocolPolicy="allow-all"), default(), "* viewer protocol", "warn",
         ("allow-all", "redirect-to-https")),
        (default(Compress=False), default(), "* compression", "note", ("off", "on")),
        (default(), default(FunctionAssociations=listed(FUNCTION)), "* functions", "warn",
         ("none", "viewer-request arn:aws:cloudfront::1:function/f")),
        (default(), default(LambdaFunctionAssociations=listed(EDGE)), "* functions", "warn",
         ("none", "origin-request arn:aws:lambda")),
        (default(), default(TrustedKeyGroups={"Enabled": True, **listed("k1")}), "* key groups",
         "warn", ("none", "k1")),
        (config(), config(CacheBehaviors=listed(pattern("/a"))), "path patterns", "warn",
         ("none", "/a")),
        (
            config(CacheBehaviors=listed(pattern("/a"), pattern("/b"))),
            config(CacheBehaviors=listed(pattern("/b"), pattern("/a"))),
            "path patterns",
            "warn",
            ("/a, /b", "/b, /a"),
        ),
        (
            config(CacheBehaviors=listed(pattern("/a", ViewerProtocolPolicy="https-only"))),
            config(CacheBehaviors=listed(pattern("/a"))),
            "/a viewer protocol",
            "warn",
            ("https-only", "redirect-to-https"),
        ),
        (
            config(),
            config(CustomErrorResponses=listed({"ErrorCode": 404, "ResponseCode": "200"})),
            "custom error responses",
            "warn",
            ("none", "404"),
        ),
        (config(), config(DefaultRootObject="index.html"), "default root object", "warn",
         ("none", "index.html")),
        (config(), config(HttpVersion="http3"), "HTTP version", "note", ("http2", "http3")),
        (config(), config(IsIPV6Enabled=False), "IPv6", "note", ("on", "off")),
        (config(), config(PriceClass="PriceClass_All"), "price class", "note",
         ("PriceClass_100", "PriceClass_All")),
        (config(), config(WebACLId="arn:waf"), "WAF", "warn", ("none", "arn:waf")),
        (
            config(),
            config(
                Restrictions={"GeoRestriction": {"RestrictionType": "whitelist", **listed("NL")}}
            ),
            "restrictions",
            "warn",
            ("none", "NL"),
        ),
        (config(), config(origin(ConnectionTimeout=4)), "origin time-outs", "note",
         ("30, 10", "30, 4")),
        (
            config(),
            config(ViewerCertificate={"MinimumProtocolVersion": "TLSv1.2_2021"}),
            "minimum TLS version",
            "note",
            ("none", "TLSv1.2_2021"),
        ),
    ],
)  # fmt: skip
def test_a_difference_is_found_with_its_weight_and_its_values(
    front: dict[str, Any], green: dict[str, Any], what: str, weight: str, values: tuple[str, str]
) -> None:
    (found,) = compare(front, "app", green, HIS)
    assert (found.what, found.weight) == (what, weight)
    assert values[0] in found.blue
    assert values[1] in found.green
    (known,) = compare(front, "app", green, HIS, blue=green)
    assert (known.what, known.weight) == (what, "note")


@pytest.mark.parametrize(
    ("front", "green"),
    [
        (config(), config(Comment="another", CallerReference="r", Aliases=listed("a.example"))),
        (default(CachePolicyId="one"), default(CachePolicyId="same")),
        (default(), default(OriginRequestPolicyId=ALL_VIEWER)),
        (default(**OLDER), default(**OLDER, MinTTL=0)),
        (
            config(origin(), CacheBehaviors=listed(pattern("/f", "files", Compress=False))),
            config(CacheBehaviors=listed(pattern("/f"))),
        ),
        (
            default(AllowedMethods={**listed("GET", "HEAD"), "CachedMethods": listed("GET")}),
            default(AllowedMethods={**listed("HEAD", "GET"), "CachedMethods": listed("GET")}),
        ),
    ],
)
def test_what_only_looks_different_is_none(front: dict[str, Any], green: dict[str, Any]) -> None:
    assert compare(front, "app", green, HIS) == ()


def test_greens_policies_are_taken_over_for_the_behaviours_that_both_have() -> None:
    front = config(
        origin(),
        origin("files.example.com", "files"),
        DefaultCacheBehavior=behavior(FunctionAssociations=listed(FUNCTION), Compress=False),
        CacheBehaviors=listed(pattern("/a"), pattern("/f", "files"), pattern("/ours")),
    )
    green = config(
        DefaultCacheBehavior=behavior(
            "else", CachePolicyId="one", ResponseHeadersPolicyId="security"
        ),
        CacheBehaviors=listed(
            pattern("/a", "else", **OLDER, ViewerProtocolPolicy="https-only"),
            pattern("/f", "else", CachePolicyId="one"),
            pattern("/theirs", "else"),
        ),
    )
    kept = deepcopy(front)
    after = matched(front, "app", green, HIS)
    assert front == kept
    assert after["DefaultCacheBehavior"] == behavior(
        CachePolicyId="one",
        ResponseHeadersPolicyId="security",
        FunctionAssociations=listed(FUNCTION),
    )
    assert after["CacheBehaviors"] == listed(
        pattern("/a", **OLDER, ViewerProtocolPolicy="https-only"),
        pattern("/f", "files"),
        pattern("/ours"),
    )
    assert {each.what for each in compare(after, "app", green, HIS)} == {
        "* functions",
        "path patterns",
    }


@pytest.mark.parametrize(
    ("theirs", "forwarding"),
    [
        ({"OriginRequestPolicyId": ALL_VIEWER}, (CACHING_DISABLED, ALL_VIEWER_EXCEPT_HOST)),
        (
            {"CachePolicyId": "host-keyed", "OriginRequestPolicyId": None},
            (CACHING_OPTIMIZED, None),
        ),
    ],
)
def test_matching_never_forwards_a_host_that_was_not_forwarded(
    theirs: dict[str, Any], forwarding: tuple[str, str | None]
) -> None:
    front = default(CachePolicyId=CACHING_OPTIMIZED, OriginRequestPolicyId=None)
    after = matched(front, "app", default(**theirs), HIS)["DefaultCacheBehavior"]
    assert (after["CachePolicyId"], after.get("OriginRequestPolicyId")) == forwarding


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({}, False),
        ({"CachePolicyId": CACHING_OPTIMIZED}, True),
        ({"CachePolicyId": "revalidated"}, True),
        ({"CachePolicyId": "host-keyed"}, False),
        ({"CachePolicyId": "unread"}, True),
        (OLDER, True),
        ({**OLDER, "MinTTL": 0, "MaxTTL": 0}, False),
        ({**OLDER, "MinTTL": 1, "MaxTTL": 0}, True),
        ({**OLDER, "ForwardedValues": {"Headers": listed("*")}}, False),
    ],
)
def test_an_invalidation_is_for_what_is_kept(members: dict[str, Any], kept: bool) -> None:
    paths = ("/*",) if kept else ()
    assert is_cached(behavior(**members), HIS) is kept
    assert invalidation(default(**members), config(), "app", HIS) == paths
    assert invalidation(config(), default(**members), "app", HIS) == paths
    elsewhere = config(CacheBehaviors=listed(pattern("/f", "files", **members)))
    assert invalidation(elsewhere, elsewhere, "app", HIS) == ()


def test_the_policies_to_read_are_those_of_all_behaviours() -> None:
    whole = config(
        DefaultCacheBehavior=behavior(ResponseHeadersPolicyId="security"),
        CacheBehaviors=listed(pattern("/a"), pattern("/b", **OLDER)),
    )
    assert set(policy_ids(distribution(whole).config)) == {
        (PolicyKind.CACHE, CACHING_DISABLED),
        (PolicyKind.ORIGIN_REQUEST, ALL_VIEWER_EXCEPT_HOST),
        (PolicyKind.RESPONSE_HEADERS, "security"),
    }
