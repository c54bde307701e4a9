"""Why an origin is not switched, and what its switch brings along: findings for the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.cloudfront_policies import forwards_host, unread
from route53_takeover.core.domain.distribution_configs import (
    behaviors_on,
    groups_with,
    items,
    origin_groups,
    origins,
)
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.origins import BY_HOST, OriginKind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from route53_takeover.core.domain.cloudfront_policies import Policies
    from route53_takeover.core.domain.distributions import Distribution
    from route53_takeover.core.switch.origins import OriginTarget

_WAIT = "Wait until it is Deployed, and try again."
_ANOTHER = "Add an origin for green by hand, and let the behaviours use that one."


def no_such_origin(distribution: Distribution, origin_id: str | None) -> Finding:
    """The distribution has no origin of this id, or none for its default behaviour."""
    there = ", ".join(origins(distribution.config))
    asked = "for its default behaviour" if origin_id is None else f"or group {origin_id}"
    return Finding(
        text=f"Distribution {distribution.distribution_id} has no origin {asked}.",
        hint=f"Name one with --origin; it has {there or 'none'}.",
    )


def origin_refusals(
    distribution: Distribution,
    origin_id: str,
    to: OriginTarget,
    after: Mapping[str, Any],
    policies: Policies,
) -> tuple[Finding, ...]:
    """Why this switch may not be.

    Args:
        distribution: as it is now.
        origin_id: of the origin.
        to: what it is to be.
        after: the whole config as the update would write it.
        policies: the content of every policy that ``after`` refers to.
    """
    return (
        *_state(distribution),
        *_target(distribution, origin_id, to),
        *_access(origins(distribution.config)[origin_id], to),
        *_host(distribution, origin_id, to, after, policies),
    )


def origin_warnings(
    distribution: Distribution, origin_id: str, to: OriginTarget, policies: Policies
) -> tuple[Finding, ...]:
    """What the switch brings along that a user may not expect."""
    config = distribution.config
    return (
        *_sharing(config, origin_id),
        *_what_goes_along(config, origin_id, to),
        *_elsewhere(config, origin_id),
        *_custom_host(config, origin_id, to, policies),
    )


def _state(distribution: Distribution) -> Iterator[Finding]:
    named = f"Distribution {distribution.distribution_id}"
    if distribution.unknown:
        yield Finding(
            text=f"{named} has settings that the AWS SDK in use does not know, and that an update "
            f"would erase: {', '.join(distribution.unknown)}.",
            hint="Update it (pip install -U aiobotocore boto3), or switch in the console.",
        )
    if not distribution.config.get("Enabled", False):
        yield Finding(
            text=f"{named} is disabled: it serves nobody.",
            hint="Enable it, or name the one that serves the site.",
        )
    if not distribution.is_deployed:
        yield Finding(text=f"{named} is {distribution.status}.", hint=_WAIT)
    if distribution.config.get("Staging"):
        yield Finding(
            text=f"{named} is a staging distribution.", hint="Name its primary distribution."
        )
    if distribution.config.get("ConnectionMode") == "tenant-only":
        yield Finding(
            text=f"{named} serves tenants, each with settings of its own.",
            hint="Switch the tenants by hand.",
        )


def _target(distribution: Distribution, origin_id: str, to: OriginTarget) -> Iterator[Finding]:
    now = origins(distribution.config)[origin_id]
    if (now["DomainName"].lower(), now.get("OriginPath", "")) == (to.host, to.path):
        yield Finding(
            text=f"Origin {origin_id} is {to} already.", hint="There is nothing to switch."
        )
    own = {distribution.domain_name.lower(), *map(str.lower, distribution.aliases)}
    if to.host in own:
        yield Finding(
            text=f"{to.host} is distribution {distribution.distribution_id} itself: its requests "
            "would go round in a circle.",
            hint="Give green's own host with --to.",
        )


def _access(origin: Mapping[str, Any], to: OriginTarget) -> Iterator[Finding]:
    identity = origin.get("S3OriginConfig", {}).get("OriginAccessIdentity")
    control = origin.get("OriginAccessControlId")
    is_bucket = "S3OriginConfig" in origin
    if is_bucket and (identity or control):
        what = "identity" if identity else "control"
        yield Finding(
            text=f"Origin {origin['Id']} is an S3 bucket behind an origin access {what}: whether "
            "another one lets CloudFront in is up to its own policy.",
            hint=_ANOTHER,
        )
    elif not is_bucket and to.kind is OriginKind.BUCKET:
        yield Finding(
            text=f"{to.host} is an S3 bucket, and origin {origin['Id']} is none: it would need "
            "an origin access control and a bucket policy.",
            hint=_ANOTHER,
        )
    if "VpcOriginConfig" in origin:
        yield Finding(text=f"Origin {origin['Id']} is in a VPC.", hint=_ANOTHER)


def _host(
    distribution: Distribution,
    origin_id: str,
    to: OriginTarget,
    after: Mapping[str, Any],
    policies: Policies,
) -> Iterator[Finding]:
    """A viewer's ``Host`` that reaches what finds its site by it."""
    if to.kind not in BY_HOST:
        return
    on = behaviors_on(after, origin_id)
    forwarding = [each.path_pattern for each in on if forwards_host(each.config, policies)]
    unknown = sorted({policy for each in on for policy in unread(each.config, policies)})
    if forwarding:
        outcome = (
            "comes back to this distribution"
            if to.kind is OriginKind.DISTRIBUTION
            else "is answered with 403"
        )
        yield Finding(
            text=f"Distribution {distribution.distribution_id} forwards the viewer's Host for "
            f"{', '.join(forwarding)}; at {to.host}, which is {to.kind}, such a request {outcome}.",
            hint="Use the origin request policy AllViewerExceptHostHeader, and a cache policy "
            "without Host, for these paths; test with blue, then switch.",
        )
    if unknown:
        yield Finding(
            text=f"Whether the viewer's Host is forwarded to {to.host} cannot be told: these "
            f"policies could not be read: {', '.join(unknown)}.",
            hint="Allow cloudfront:GetCachePolicy, GetOriginRequestPolicy and "
            "GetResponseHeadersPolicy.",
        )


def _sharing(config: Mapping[str, Any], origin_id: str) -> Iterator[Finding]:
    on = [each.path_pattern for each in behaviors_on(config, origin_id)]
    groups = groups_with(config, origin_id)
    if len(on) > 1:
        yield Finding(text=f"Origin {origin_id} serves {', '.join(on)}: all of them are switched.")
    for group in groups:
        others = [each for each in origin_groups(config)[group] if each != origin_id]
        fails_over = origin_groups(config)[group][0] == origin_id
        yield Finding(
            text=f"Origin {origin_id} is in group {group}: "
            + (
                f"where green fails, {', '.join(others)} answers, which is not switched."
                if fails_over
                else f"it answers only where {', '.join(others)} fails."
            )
        )
    if not on:
        yield Finding(
            text=f"No behaviour uses origin {origin_id}: its switch changes nothing for users.",
            hint="Check --origin.",
        )


def _what_goes_along(
    config: Mapping[str, Any], origin_id: str, to: OriginTarget
) -> Iterator[Finding]:
    origin = origins(config)[origin_id]
    before = kind_of(origin["DomainName"])
    headers = [each["HeaderName"] for each in items(origin.get("CustomHeaders"))]
    if headers and to.headers is None:
        yield Finding(
            text=f"CloudFront goes on to send {', '.join(headers)} to origin {origin_id}.",
            hint="Check that green expects the same values.",
        )
    control = origin.get("OriginAccessControlId")
    if control and to.access_control is None:
        yield (
            Finding(
                text=f"Requests to {to.host} are signed by origin access control {control}.",
                hint="Check that green's function allows this distribution to invoke its URL: "
                "lambda:InvokeFunctionUrl and lambda:InvokeFunction.",
            )
            if before is to.kind is OriginKind.LAMBDA_URL
            else Finding(
                text=f"Origin access control {control} is taken off: it signs for {before}, and "
                f"{to.host} is {to.kind}."
            )
        )
    if origin.get("CustomOriginConfig", {}).get("OriginMtlsConfig"):
        yield Finding(
            text=f"CloudFront shows origin {origin_id} a client certificate.",
            hint="Check that green accepts it.",
        )


def _elsewhere(config: Mapping[str, Any], origin_id: str) -> Iterator[Finding]:
    if config.get("ContinuousDeploymentPolicyId"):
        yield Finding(
            text="A staging distribution may serve a part of the requests, and is not switched.",
            hint="Look at the continuous deployment policy "
            f"{config['ContinuousDeploymentPolicyId']}.",
        )
    choosing = [
        each.path_pattern
        for each in behaviors_on(config, origin_id)
        if any(
            function["EventType"] == "origin-request"
            for function in items(each.config.get("LambdaFunctionAssociations"))
        )
    ]
    if choosing:
        yield Finding(
            text=f"A function may choose another origin for {', '.join(choosing)}.",
            hint="Read the function of the event origin-request.",
        )


def _custom_host(
    config: Mapping[str, Any], origin_id: str, to: OriginTarget, policies: Policies
) -> Iterator[Finding]:
    if to.kind is OriginKind.OTHER and any(
        forwards_host(each.config, policies) for each in behaviors_on(config, origin_id)
    ):
        yield Finding(
            text=f"The viewer's Host is forwarded to {to.host}.",
            hint="Check that it answers for the production name; where it leads to an API Gateway, "
            "a Lambda URL or a distribution it does not.",
        )
