"""CloudFront as a switch sees it: a distribution with its whole config, and its policies."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct


class PolicyKind(StrEnum):
    """The kinds of policy that a behaviour of a distribution refers to by id."""

    CACHE = "cache"
    ORIGIN_REQUEST = "origin-request"
    RESPONSE_HEADERS = "response-headers"


class Distribution(Struct, frozen=True, kw_only=True):
    """A distribution as it was read.

    Attributes:
        domain_name: the one that CloudFront gave it.
        status: ``Deployed``, or ``InProgress`` while edges still get the newest config.
        etag: identifies the config; an update has to name it.
        config: the whole ``DistributionConfig``, in the API's shape.
        unknown: paths of elements of the config that the SDK's model does not have: an update with
            what it read would erase them.
    """

    distribution_id: str
    domain_name: str
    status: str
    aliases: tuple[str, ...] = ()
    etag: str = ""
    config: Mapping[str, Any] = {}
    unknown: tuple[str, ...] = ()

    @property
    def is_deployed(self) -> bool:
        return self.status == "Deployed"


class Behavior(Struct, frozen=True, kw_only=True):
    """What a distribution does with the requests of one path pattern; ``*`` for the default."""

    path_pattern: str
    config: Mapping[str, Any]
