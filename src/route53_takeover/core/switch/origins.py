"""An origin of a distribution that is to be another host: what the config becomes, or why not.

The origin keeps its id, so that no behaviour and no group has to change. With host and path goes
what depends on them: the protocol and the access control. All else stays as it was, byte for byte,
and the way back writes the whole config of before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.distribution_configs import (
    behaviors,
    items,
    normal_config,
    origin_groups,
    origins,
)
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.model import SwapReading, place

if TYPE_CHECKING:
    from route53_takeover.core.domain.distributions import Distribution
    from route53_takeover.core.switch.model import OriginSwap

_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_NO_CONTROL = ""
_TLS = "TLSv1.2"


class OriginKind(StrEnum):
    """What an origin is, as far as its name tells."""

    LAMBDA_URL = "a Lambda URL"
    API = "an API Gateway"
    DISTRIBUTION = "a distribution"
    BUCKET = "an S3 bucket"
    WEBSITE = "an S3 website"
    OTHER = "a host"


_BY_NAME = {
    OriginKind.LAMBDA_URL: r"[^.]+\.lambda-url\.[^.]+\.on\.aws",
    OriginKind.API: r"[^.]+\.execute-api\.[^.]+\.(amazonaws\.com(\.cn)?|api\.aws)",
    OriginKind.DISTRIBUTION: r"[^.]+\.cloudfront\.(net|cn)",
    OriginKind.WEBSITE: r".+\.s3-website[.-][^.]+\.amazonaws\.com(\.cn)?",
    OriginKind.BUCKET: r".+\.s3([.-](dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(\.cn)?",
}
BY_HOST = frozenset({OriginKind.LAMBDA_URL, OriginKind.API, OriginKind.DISTRIBUTION})
"""These find what is asked for by the ``Host`` of a request, and speak HTTPS."""
_HTTPS = BY_HOST
_CONTROLLED = frozenset({OriginKind.LAMBDA_URL, OriginKind.BUCKET})
"""Kinds that an origin access control may sign requests for, each with one of its own kind."""


class OriginTarget(Struct, frozen=True, kw_only=True):
    """What an origin is to be.

    Attributes:
        path: comes before the path of each request; empty, or ``/`` and something.
        kind: as the name tells, or the account where the name is a custom one.
        headers: the custom headers to send in place of the present ones; ``None`` keeps them.
        access_control: the id of the origin access control to use; ``None`` keeps the present one
            where it still fits.
    """

    host: str
    path: str = ""
    kind: OriginKind = OriginKind.OTHER
    headers: Mapping[str, str] | None = None
    access_control: str | None = None

    def __str__(self) -> str:
        return f"{self.host}{self.path}"


def kind_of(host: str) -> OriginKind:
    """What kind of origin a host name is."""
    name = host.lower()
    return next(
        (kind for kind, pattern in _BY_NAME.items() if re.fullmatch(pattern, name)),
        OriginKind.OTHER,
    )


def target_of(text: str, kind: OriginKind | None = None) -> OriginTarget | None:
    """What ``HOST[/PATH]`` means; ``None`` where it is not that.

    Args:
        text: as it was given; ``https://`` before it is fine.
        kind: where the account tells more than the name does.
    """
    host, slash, path = text.strip().removeprefix("https://").partition("/")
    host = host.rstrip(".").lower()
    path = path.strip("/")
    if not _HOST.fullmatch(host) or any(c in path for c in "?#* "):
        return None
    return OriginTarget(
        host=host, path=f"{slash}{path}" if path else "", kind=kind or kind_of(host)
    )


def chosen_origin(config: Mapping[str, Any], origin_id: str | None) -> str | None:
    """The id of the origin to switch; of a group, its primary; ``None``: there is none such.

    Args:
        config: the distribution's.
        origin_id: as the user named it; ``None``: the one that serves the default behaviour.
    """
    asked = origin_id or str(behaviors(config)[-1].config.get("TargetOriginId", ""))
    found = next(iter(origin_groups(config).get(asked, ())), asked)
    return found if found in origins(config) else None


def switched(config: Mapping[str, Any], origin_id: str, to: OriginTarget) -> dict[str, Any]:
    """The whole config with this origin leading there."""
    changed = deepcopy(dict(config))
    for origin in items(changed["Origins"]):
        if origin["Id"] == origin_id:
            _lead(origin, to)
    return changed


def reading(swap: OriginSwap, distribution: Distribution) -> SwapReading:
    """Which side a distribution is on, compared as a whole.

    Order and defaults do not count. Whatever else differs makes it another writer's.
    """
    found = normal_config(distribution.config)
    if distribution.unknown:
        side = Side.OTHER
    elif found == normal_config(swap.config):
        side = Side.BLUE  # also where nothing is to change
    elif found == normal_config(swap.switched):
        side = Side.GREEN
    else:
        side = Side.OTHER
    return SwapReading(
        side=side,
        shown=place(distribution.config, swap.origin_id),
        etag=distribution.etag,
        is_settled=distribution.is_deployed,
    )


def _lead(origin: dict[str, Any], to: OriginTarget) -> None:
    """Changes an origin in place: host, path, and what goes with them."""
    before = kind_of(origin["DomainName"])
    origin["DomainName"] = to.host
    origin["OriginPath"] = to.path
    if to.headers is not None:
        origin["CustomHeaders"] = _listed(
            [{"HeaderName": name, "HeaderValue": value} for name, value in to.headers.items()]
        )
    if to.access_control is not None:
        origin["OriginAccessControlId"] = to.access_control
    elif origin.get("OriginAccessControlId") and not (before is to.kind in _CONTROLLED):
        origin["OriginAccessControlId"] = _NO_CONTROL  # signs for a kind of origin that it is not
    if to.kind is OriginKind.BUCKET:
        return
    if origin.pop("S3OriginConfig", None) is not None:
        origin["CustomOriginConfig"] = _custom_origin(to)
    elif "CustomOriginConfig" in origin:
        _fit_protocol(origin["CustomOriginConfig"], to)


def _custom_origin(to: OriginTarget) -> dict[str, Any]:
    is_plain = to.kind is OriginKind.WEBSITE
    return {
        "HTTPPort": 80,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "http-only" if is_plain else "https-only",
        "OriginSslProtocols": _listed([_TLS]),
        "OriginReadTimeout": 30,
        "OriginKeepaliveTimeout": 5,
    }


def _fit_protocol(custom: dict[str, Any], to: OriginTarget) -> None:
    """Lets CloudFront speak what the origin does; leaves it as it is where that is not known."""
    if to.kind is OriginKind.WEBSITE:
        custom["OriginProtocolPolicy"] = "http-only"
    elif to.kind in _HTTPS:
        custom["OriginProtocolPolicy"] = "https-only"
        custom["HTTPSPort"] = 443
        if _TLS not in items(custom.get("OriginSslProtocols")):
            custom["OriginSslProtocols"] = _listed([_TLS])


def _listed(values: list[Any]) -> dict[str, Any]:
    return {"Quantity": len(values), "Items": values} if values else {"Quantity": 0}
