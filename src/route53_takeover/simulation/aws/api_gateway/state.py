"""What the simulated API Gateway holds, as values: APIs and their stages, custom domains, writes.

Settings, authorizers, plans and conditions are kept in the shape in which the API tells them (v1
for REST APIs, v2 for HTTP APIs). Nothing here decides anything; written to by `store` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from route53_takeover.core.domain.api_mappings import (
    ApiKind,
    ApiMapping,
    ApiTarget,
    EndpointType,
    RoutingMode,
)


class SimStage(Struct, kw_only=True):
    """A stage; without a deployment it answers nothing."""

    name: str
    deployment_id: str
    settings: dict[str, Any] = field(default_factory=dict)


class SimApi(Struct, kw_only=True):
    """An API.

    Attributes:
        created: seconds since the epoch.
        authorizers: each with its id and name.
        responses: the gateway responses of a REST API that are not the default ones.
    """

    api_id: str
    name: str
    kind: ApiKind
    endpoint_types: tuple[EndpointType, ...]
    created: float
    stages: dict[str, SimStage] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    authorizers: list[Mapping[str, Any]] = field(default_factory=list)
    responses: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def is_rest(self) -> bool:
        return self.kind is ApiKind.REST

    @property
    def has_endpoint(self) -> bool:
        """Whether it is served under its own host name too."""
        off = "disableExecuteApiEndpoint" if self.is_rest else "DisableExecuteApiEndpoint"
        return not self.settings.get(off)


class SimUsagePlan(Struct, kw_only=True):
    """A usage plan, and the ids of the API keys that it has."""

    plan: Mapping[str, Any]
    keys: tuple[str, ...] = ()


class SimRule(Struct, frozen=True, kw_only=True):
    """A routing rule.

    Attributes:
        conditions: all of which a request has to meet; none: any request fits.
        strips: whether the base path that fitted is taken away.
    """

    rule_id: str
    priority: int
    target: ApiTarget
    conditions: tuple[Mapping[str, Any], ...] = ()
    strips: bool = False


class RoutingTable(Struct, frozen=True, kw_only=True):
    """All that decides where a request to a custom domain goes; ``rules`` in their order."""

    mode: RoutingMode
    mappings: Mapping[str, ApiTarget]
    rules: tuple[SimRule, ...]


class SimDomain(Struct, kw_only=True):
    """A custom domain; ``mappings`` by base path, ``rules`` by id."""

    name: str
    endpoint_type: EndpointType
    hostname: str
    status: str = "AVAILABLE"
    routing_mode: RoutingMode = RoutingMode.MAPPINGS
    mappings: dict[str, ApiMapping] = field(default_factory=dict)
    rules: dict[str, SimRule] = field(default_factory=dict)

    @property
    def is_edge(self) -> bool:
        return self.endpoint_type is EndpointType.EDGE

    @property
    def table(self) -> RoutingTable:
        """As it is written now."""
        return RoutingTable(
            mode=self.routing_mode,
            mappings={path: mapping.target for path, mapping in self.mappings.items()},
            rules=tuple(sorted(self.rules.values(), key=lambda rule: rule.priority)),
        )


class AppliedWrite(Struct, frozen=True, kw_only=True):
    """One write that was accepted: at ``time``, seconds since the epoch, ``by`` whom.

    Attributes:
        operation: such as ``UpdateBasePathMapping``.
        domain: empty where it was none's.
        what: the base path of a mapping, the id of a rule, of an API or of a stage.
        before: where that led; ``None`` where it was not there, or leads nowhere.
        after: where it leads since.
    """

    time: float
    by: str
    operation: str
    domain: str
    what: str
    before: ApiTarget | None = None
    after: ApiTarget | None = None
