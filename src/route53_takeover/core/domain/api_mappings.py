"""API Gateway as a switch sees it: custom domains, their mappings, and what belongs to an API."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

ROOT_PATH = ""
"""The base path of a mapping that serves everything no other does; ``(none)`` in API Gateway v1."""


class EndpointType(StrEnum):
    """Where a custom domain, or an API, is served."""

    EDGE = "EDGE"
    REGIONAL = "REGIONAL"
    PRIVATE = "PRIVATE"


class RoutingMode(StrEnum):
    """What decides which API a request to a custom domain reaches."""

    MAPPINGS = "API_MAPPING_ONLY"
    RULES = "ROUTING_RULE_ONLY"
    RULES_FIRST = "ROUTING_RULE_THEN_API_MAPPING"


class ApiKind(StrEnum):
    """The kinds of API that a custom domain can lead to."""

    REST = "REST"
    HTTP = "HTTP"
    WEBSOCKET = "WEBSOCKET"


class ApiTarget(Struct, frozen=True):
    """A stage of an API: what a mapping leads to."""

    api_id: str
    stage: str

    def __str__(self) -> str:
        return f"{self.api_id}/{self.stage}"


DEFAULT_STAGE = "$default"
"""The stage of an HTTP API that is served at the root of its host."""


def stage_path(target: ApiTarget) -> str:
    """The path of a stage on its API's own host; empty for the one at the root."""
    return "" if target.stage == DEFAULT_STAGE else f"/{target.stage}"


class ApiMapping(Struct, frozen=True, kw_only=True):
    """One mapping of a custom domain.

    Attributes:
        base_path: without slashes around it; `ROOT_PATH` for the one of the root.
        mapping_id: the id that API Gateway v2 gives it; empty where v1 told it.
    """

    base_path: str
    target: ApiTarget
    mapping_id: str = ""


class CustomDomain(Struct, frozen=True, kw_only=True):
    """A custom domain name of API Gateway.

    Attributes:
        name: as API Gateway has it, without a dot at the end.
        endpoint_type: decides which API has to manage it: v1 for EDGE, v2 for REGIONAL.
        status: ``domainNameStatus``; a mapping is only changed where it is ``AVAILABLE``.
        hostname: what its record has to point to.
        certificates: ARNs of the certificates that it shows.
    """

    name: str
    endpoint_type: EndpointType
    status: str = "AVAILABLE"
    routing_mode: RoutingMode = RoutingMode.MAPPINGS
    hostname: str = ""
    certificates: tuple[str, ...] = ()

    @property
    def is_edge(self) -> bool:
        return self.endpoint_type is EndpointType.EDGE


class RoutingRule(Struct, frozen=True, kw_only=True):
    """A routing rule of a custom domain: the lowest priority that fits a request decides.

    Attributes:
        headers: each header that has to have this value (a glob); empty: any request fits.
        base_paths: of which one has to fit; empty: any.
    """

    rule_id: str
    priority: int
    target: ApiTarget
    headers: Mapping[str, str] = {}
    base_paths: tuple[str, ...] = ()


class ApiDescription(Struct, frozen=True, kw_only=True):
    """An API and one stage of it, with what is set there and not at the domain.

    Attributes:
        endpoint_types: of a REST API; an HTTP API is REGIONAL.
        has_stage: whether the stage exists.
        is_deployed: whether the stage has a deployment.
        settings: what belongs to the API and its stage, as text by a name that can be compared:
            ``resource policy``, ``authorizer NAME``, ``binary media types``, ``throttling``,
            ``WAF``, ``usage plan NAME``, ``execute-api endpoint``, ``access log``, ...
        unread: the settings that could not be read, and why, such as a missing permission.
    """

    target: ApiTarget
    name: str
    kind: ApiKind
    endpoint_types: tuple[EndpointType, ...]
    has_stage: bool
    is_deployed: bool
    settings: Mapping[str, str] = {}
    unread: Mapping[str, str] = {}
