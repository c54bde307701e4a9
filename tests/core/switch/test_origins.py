"""What becomes of an origin that is switched, when it is refused, and how it is recognized."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.distributions import (
    BLUE,
    BLUE_API,
    GREEN,
    GREEN_API,
    GREEN_LAMBDA,
    POLICIES,
    SITE,
    behavior,
    bucket,
    config,
    distribution,
    group,
    listed,
    origin,
)

from route53_takeover.core.domain.cloudfront_policies import ALL_VIEWER
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.model import OriginSwap
from route53_takeover.core.switch.origin_checks import (
    no_such_origin,
    origin_refusals,
    origin_warnings,
)
from route53_takeover.core.switch.origins import (
    OriginKind,
    chosen_origin,
    kind_of,
    reading,
    switched,
    target_of,
)

if TYPE_CHECKING:
    from route53_takeover.core.domain.cloudfront_policies import Policies
    from route53_takeover.core.switch.origins import OriginTarget


def to(text: str, **more: Any) -> OriginTarget:
    target = target_of(text)
    assert target is not None
    return replace(target, **more)


def changed(before: Any, after: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """Every leaf that differs, by its path."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {
            at: pair
            for name in before.keys() | after.keys()
            for at, pair in changed(
                before.get(name), after.get(name), f"{path}.{name}".lstrip(".")
            ).items()
        }
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return {
            at: pair
            for number, both in enumerate(zip(before, after, strict=True))
            for at, pair in changed(*both, f"{path}[{number}]").items()
        }
    return {} if before == after else {path: (before, after)}


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("abc.lambda-url.eu-west-1.on.aws", OriginKind.LAMBDA_URL),
        ("abc.execute-api.eu-west-1.amazonaws.com", OriginKind.API),
        ("d-abc.execute-api.eu-west-1.amazonaws.com", OriginKind.API),
        ("D111.CloudFront.net", OriginKind.DISTRIBUTION),
        ("my.site.s3.eu-west-1.amazonaws.com", OriginKind.BUCKET),
        ("site.s3.amazonaws.com", OriginKind.BUCKET),
        ("site.s3-eu-west-1.amazonaws.com", OriginKind.BUCKET),
        ("site.s3.dualstack.eu-west-1.amazonaws.com", OriginKind.BUCKET),
        ("site.s3-website.eu-central-1.amazonaws.com", OriginKind.WEBSITE),
        ("site.s3-website-eu-west-1.amazonaws.com", OriginKind.WEBSITE),
        ("lb-1.eu-west-1.elb.amazonaws.com", OriginKind.OTHER),
        ("cloudfront.net.example.com", OriginKind.OTHER),
    ],
)
def test_a_host_name_tells_what_kind_of_origin_it_is(host: str, kind: OriginKind) -> None:
    assert kind_of(host) is kind


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("green.example.com", "green.example.com", ""),
        ("Green.Example.com./", "green.example.com", ""),
        (f"{GREEN_API}/dev_2", GREEN_API, "/dev_2"),
        (f"https://{GREEN_API}/dev_2/", GREEN_API, "/dev_2"),
    ],
)
def test_a_target_is_host_and_path(text: str, host: str, path: str) -> None:
    target = target_of(text)
    assert target is not None
    assert (target.host, target.path) == (host, path)


@pytest.mark.parametrize(
    "text", ["", "green", "green.example.com:8443", "a b.example.com", "x.yz/?a"]
)
def test_what_is_no_host_is_no_target(text: str) -> None:
    assert target_of(text) is None


def test_what_is_not_to_change_is_read_as_what_it_is_now() -> None:
    """Of an origin that is watched while green is made, no other writer has changed anything."""
    watched = OriginSwap(
        id="EFRONT/app",
        distribution_id="EFRONT",
        domain_name="dfront.cloudfront.net",
        aliases=(SITE,),
        origin_id="app",
        config=config(),
        switched=config(),
    )
    assert reading(watched, distribution()).side is Side.BLUE


def test_only_host_and_path_change_between_two_of_a_kind() -> None:
    before = config(origin(BLUE_API, OriginPath="/dev"), origin("files.example.com", "files"))
    kept = deepcopy(before)
    after = switched(before, "app", to(f"{GREEN_API}/dev_2"))
    assert changed(before, after) == {
        "Origins.Items[0].DomainName": (BLUE_API, GREEN_API),
        "Origins.Items[0].OriginPath": ("/dev", "/dev_2"),
    }
    assert before == kept


def test_the_protocol_goes_with_the_host_where_only_one_is_spoken() -> None:
    plain = origin("blue.example.com")
    plain["CustomOriginConfig"] |= {
        "OriginProtocolPolicy": "http-only",
        "OriginSslProtocols": listed("SSLv3"),
    }
    at = "Origins.Items[0]."
    custom = f"{at}CustomOriginConfig."
    before = config(plain)
    assert changed(before, switched(before, "app", to(GREEN_LAMBDA))) == {
        f"{at}DomainName": ("blue.example.com", GREEN_LAMBDA),
        f"{custom}OriginProtocolPolicy": ("http-only", "https-only"),
        f"{custom}OriginSslProtocols.Items[0]": ("SSLv3", "TLSv1.2"),
    }
    website = "green.s3-website.eu-central-1.amazonaws.com"
    assert changed(config(), switched(config(), "app", to(website))) == {
        f"{at}DomainName": (BLUE, website),
        f"{custom}OriginProtocolPolicy": ("https-only", "http-only"),
    }
    assert changed(before, switched(before, "app", to("green.example.com"))) == {
        f"{at}DomainName": ("blue.example.com", "green.example.com"),
    }


def test_a_public_bucket_becomes_a_custom_origin() -> None:
    before = config(bucket())
    after = switched(before, "app", to(GREEN))
    (made,) = after["Origins"]["Items"]
    assert "S3OriginConfig" not in made
    assert made["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert made["CustomOriginConfig"]["OriginSslProtocols"] == listed("TLSv1.2")


@pytest.mark.parametrize(
    ("host", "target", "control"),
    [
        ("blue1.lambda-url.eu-central-1.on.aws", to(GREEN_LAMBDA), "OAC1"),
        ("blue1.lambda-url.eu-central-1.on.aws", to(GREEN), ""),
        ("blue1.lambda-url.eu-central-1.on.aws", to(GREEN_LAMBDA, access_control="OAC2"), "OAC2"),
    ],
)
def test_access_control_stays_where_it_can_sign_for_green(
    host: str, target: OriginTarget, control: str
) -> None:
    before = config(origin(host, OriginAccessControlId="OAC1"))
    (made,) = switched(before, "app", target)["Origins"]["Items"]
    assert made["OriginAccessControlId"] == control


def test_custom_headers_stay_unless_others_are_given() -> None:
    secret = listed({"HeaderName": "X-Secret", "HeaderValue": "blue"})
    before = config(origin(CustomHeaders=secret))
    (kept,) = switched(before, "app", to(GREEN))["Origins"]["Items"]
    assert kept["CustomHeaders"] == secret
    (other,) = switched(before, "app", to(GREEN, headers={"X-Secret": "green"}))["Origins"]["Items"]
    assert other["CustomHeaders"] == listed({"HeaderName": "X-Secret", "HeaderValue": "green"})
    (none,) = switched(before, "app", to(GREEN, headers={}))["Origins"]["Items"]
    assert none["CustomHeaders"] == listed()


@pytest.mark.parametrize(
    ("asked", "target", "chosen"),
    [
        (None, "app", "app"),
        ("files", "app", "files"),
        (None, "both", "files"),
        ("both", "app", "files"),
        ("nothing", "app", None),
        (None, "nothing", None),
    ],
)
def test_the_origin_is_the_one_of_the_default_behaviour_or_of_its_group(
    asked: str | None, target: str, chosen: str | None
) -> None:
    whole = config(
        origin(),
        origin("files.example.com", "files"),
        OriginGroups=listed(group("both", "files", "app")),
        DefaultCacheBehavior=behavior(target),
    )
    assert chosen_origin(whole, asked) == chosen
    assert "app, files" in no_such_origin(distribution(whole), asked).hint


FORWARDED = {"QueryString": True, "Cookies": {"Forward": "all"}}
LISTING_HOST = {
    "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": listed("HOST", "Accept")},
}
BUT_COOKIE = {"HeadersConfig": {"HeaderBehavior": "allExcept", "Headers": listed("cookie")}}
KEYED = {
    "MinTTL": 0,
    "ParametersInCacheKeyAndForwardedToOrigin": {
        "HeadersConfig": {"HeaderBehavior": "whitelist", "Headers": listed("Host")}
    },
}
CUSTOM: Policies = {"listing": LISTING_HOST, "but-cookie": BUT_COOKIE, "keyed": KEYED}
ALL: Policies = {**POLICIES, **CUSTOM}


def older(*headers: str) -> dict[str, Any]:
    return {
        "CachePolicyId": None,
        "OriginRequestPolicyId": None,
        "ForwardedValues": {**FORWARDED, "Headers": listed(*headers)},
    }


@pytest.mark.parametrize(
    ("members", "is_forwarded"),
    [
        ({}, False),
        ({"OriginRequestPolicyId": None}, False),
        ({"OriginRequestPolicyId": ALL_VIEWER}, True),
        ({"OriginRequestPolicyId": "listing"}, True),
        ({"OriginRequestPolicyId": "but-cookie"}, True),
        ({"CachePolicyId": "keyed"}, True),
        (older("Accept"), False),
        (older("host"), True),
        (older("*"), True),
    ],
)
@pytest.mark.parametrize("target", [GREEN, GREEN_API, GREEN_LAMBDA])
def test_a_viewers_host_never_reaches_what_finds_its_site_by_it(
    members: dict[str, Any], is_forwarded: bool, target: str
) -> None:
    whole = config(
        DefaultCacheBehavior=behavior(),
        CacheBehaviors=listed({"PathPattern": "/api/*", **behavior(**members)}),
    )
    there = to(target)
    found = origin_refusals(distribution(whole), "app", there, switched(whole, "app", there), ALL)
    assert [
        ("/api/*" in each.text, "AllViewerExceptHostHeader" in each.hint) for each in found
    ] == [(True, True)] * is_forwarded
    elsewhere = to("green.example.com")
    after = switched(whole, "app", elsewhere)
    assert not origin_refusals(distribution(whole), "app", elsewhere, after, ALL)
    told = origin_warnings(distribution(whole), "app", elsewhere, ALL)
    assert any("Host is forwarded" in each.text for each in told) is is_forwarded


@pytest.mark.parametrize("members", [("app", "files"), ("files", "app")])
def test_a_behaviour_that_leads_to_the_origins_group_counts_as_well(
    members: tuple[str, str],
) -> None:
    whole = config(
        origin(),
        origin("files.example.com", "files"),
        OriginGroups=listed(group("both", *members)),
        DefaultCacheBehavior=behavior("both", OriginRequestPolicyId=ALL_VIEWER),
    )
    after = switched(whole, "app", to(GREEN))
    (found,) = origin_refusals(distribution(whole), "app", to(GREEN), after, POLICIES)
    assert "forwards the viewer's Host" in found.text


def test_a_policy_that_could_not_be_read_is_a_refusal() -> None:
    whole = config(DefaultCacheBehavior=behavior(OriginRequestPolicyId="hidden"))
    after = switched(whole, "app", to(GREEN))
    (found,) = origin_refusals(distribution(whole), "app", to(GREEN), after, POLICIES)
    assert "hidden" in found.text


def test_a_behaviour_that_leads_elsewhere_may_forward_what_it_likes() -> None:
    whole = config(
        origin(),
        origin("files.example.com", "files"),
        CacheBehaviors=listed(
            {"PathPattern": "/f/*", **behavior("files", OriginRequestPolicyId=ALL_VIEWER)}
        ),
    )
    after = switched(whole, "app", to(GREEN))
    assert not origin_refusals(distribution(whole), "app", to(GREEN), after, POLICIES)


@pytest.mark.parametrize(
    ("more", "whole", "target", "words"),
    [
        ({"unknown": ("Origins.Origin.New",)}, config(), GREEN, "Origins.Origin.New"),
        ({"status": "InProgress"}, config(), GREEN, "InProgress"),
        ({}, config(Enabled=False), GREEN, "disabled"),
        ({}, config(Staging=True), GREEN, "staging"),
        ({}, config(ConnectionMode="tenant-only"), GREEN, "tenants"),
        ({}, config(), BLUE, "already"),
        ({}, config(), "dfront.cloudfront.net", "circle"),
        ({}, config(), SITE, "circle"),
        ({}, config(bucket(identity="origin-access-identity/cloudfront/E1")), GREEN, "identity"),
        ({}, config(bucket(control="OAC1")), GREEN, "control"),
        ({}, config(), "green.s3.eu-central-1.amazonaws.com", "S3 bucket"),
        (
            {},
            config(origin(CustomOriginConfig=None, VpcOriginConfig={"VpcOriginId": "vo"})),
            GREEN,
            "VPC",
        ),
    ],
)
def test_what_cannot_be_switched_is_refused_with_the_way_out(
    more: dict[str, Any], whole: dict[str, Any], target: str, words: str
) -> None:
    there = to(target)
    front = distribution(whole, **more)
    (found,) = origin_refusals(front, "app", there, switched(whole, "app", there), POLICIES)
    assert words in found.text
    assert found.hint
    assert not origin_refusals(
        distribution(), "app", to(GREEN), switched(config(), "app", to(GREEN)), POLICIES
    )


def test_the_same_host_with_another_path_is_no_refusal() -> None:
    whole = config(origin(BLUE_API, OriginPath="/dev"))
    there = to(f"{BLUE_API}/Dev")
    assert not origin_refusals(
        distribution(whole), "app", there, switched(whole, "app", there), POLICIES
    )


def told(whole: dict[str, Any], target: str = GREEN, origin_id: str = "app") -> str:
    found = origin_warnings(distribution(whole), origin_id, to(target), POLICIES)
    return " / ".join(each.text for each in found)


def test_what_an_origin_is_shared_by_is_told() -> None:
    shared = config(CacheBehaviors=listed({"PathPattern": "/api/*", **behavior()}))
    assert "serves /api/*, *" in told(shared)
    assert told(config()) == ""
    two = (origin(), origin("files.example.com", "files"))
    groups = listed(group("both", "app", "files"))
    grouped = config(*two, OriginGroups=groups, DefaultCacheBehavior=behavior("both"))
    assert "where green fails, files answers" in told(grouped)
    assert "only where app fails" in told(grouped, origin_id="files")
    assert "No behaviour uses origin files" in told(config(*two), origin_id="files")


@pytest.mark.parametrize(
    ("whole", "target", "words"),
    [
        (
            config(origin(CustomHeaders=listed({"HeaderName": "X-S", "HeaderValue": "hidden"}))),
            GREEN,
            "X-S",
        ),
        (
            config(origin("b.lambda-url.eu-west-1.on.aws", OriginAccessControlId="OAC1")),
            GREEN_LAMBDA,
            "signed by origin access control OAC1",
        ),
        (
            config(origin("b.lambda-url.eu-west-1.on.aws", OriginAccessControlId="OAC1")),
            GREEN,
            "taken off",
        ),
        (config(ContinuousDeploymentPolicyId="CD1"), GREEN, "staging distribution"),
        (
            config(
                DefaultCacheBehavior=behavior(
                    LambdaFunctionAssociations=listed(
                        {"LambdaFunctionARN": "arn:f:1", "EventType": "origin-request"}
                    )
                )
            ),
            GREEN,
            "may choose another origin",
        ),
    ],
)
def test_what_goes_along_is_told_without_secrets(
    whole: dict[str, Any], target: str, words: str
) -> None:
    assert words in told(whole, target)
    assert "hidden" not in told(whole, target)


SWAP = OriginSwap(
    id="s",
    distribution_id="EFRONT",
    domain_name="dfront.cloudfront.net",
    aliases=(SITE,),
    origin_id="app",
    config=config(),
    switched=switched(config(), "app", to(GREEN)),
)


def as_aws_answers(whole: dict[str, Any]) -> dict[str, Any]:
    """The same config with what CloudFront adds, in another order."""
    answer = deepcopy(whole)
    methods = answer["DefaultCacheBehavior"]["AllowedMethods"]
    methods["Items"].reverse()
    answer["Origins"]["Items"][0] |= {"OriginShield": {"Enabled": False}}
    del answer["Origins"]["Items"][0]["CustomHeaders"]
    answer["ViewerCertificate"] |= {
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
        "SSLSupportMethod": "vip",
    }
    answer |= {"WebACLId": "", "Staging": False, "HttpVersion": "HTTP2"}
    answer["Restrictions"] = {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}}
    answer["DefaultCacheBehavior"] |= {
        "TrustedSigners": {"Enabled": False, "Quantity": 0},
        "SmoothStreaming": False,
        "FieldLevelEncryptionId": "",
        "GrpcConfig": {"Enabled": False},
        "LambdaFunctionAssociations": {"Quantity": 0},
    }
    answer["Logging"] = {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}
    return answer


def test_a_reading_does_not_mind_order_and_defaults() -> None:
    for whole, side in ((SWAP.config, Side.BLUE), (SWAP.switched, Side.GREEN)):
        found = reading(SWAP, distribution(as_aws_answers(whole), status="InProgress"))
        assert (found.side, found.is_settled, found.etag) == (side, False, "E1")
        assert found.shown == (BLUE if side is Side.BLUE else GREEN)


@pytest.mark.parametrize(
    "edit",
    [
        {"Comment": "edited"},
        {"Enabled": False},
        {"DefaultCacheBehavior": behavior(Compress=False)},
        {"DefaultCacheBehavior": behavior(MinTTL=1)},
        {"Origins": listed(origin("other.example.com"))},
        {"Origins": listed(origin(GREEN, OriginPath="/x"))},
        {"Origins": listed(origin(GREEN), origin("new.example.com", "new"))},
        {"CacheBehaviors": listed({"PathPattern": "/a", **behavior()})},
        {"SomethingNew": "x"},
    ],
)
@pytest.mark.parametrize("side", ["config", "switched"])
def test_any_other_difference_is_another_writers(side: str, edit: dict[str, Any]) -> None:
    found = reading(SWAP, distribution({**getattr(SWAP, side), **edit}))
    assert found.side is Side.OTHER


def test_an_element_that_the_sdk_does_not_know_is_another_writers() -> None:
    assert reading(SWAP, distribution(unknown=("New",))).side is Side.OTHER


def test_the_order_of_path_patterns_counts() -> None:
    first = {"PathPattern": "/a", **behavior()}
    second = {"PathPattern": "/*", **behavior()}
    ordered = config(CacheBehaviors=listed(first, second))
    swap = replace(SWAP, config=ordered, switched=switched(ordered, "app", to(GREEN)))
    other = config(CacheBehaviors=listed(second, first))
    assert reading(swap, distribution(ordered)).side is Side.BLUE
    assert reading(swap, distribution(other)).side is Side.OTHER
