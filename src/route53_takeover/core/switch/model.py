"""What a switch is asked to do, and its plan: what may be written, and what it looks like before.

Nothing but the `swaps` of a plan is ever written. Each swap is one thing that leads users to blue
now and to green afterwards: a mapping of an API Gateway custom domain, or an origin of a CloudFront
distribution. The machine knows a swap by its id alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.api_mappings import ApiMapping, ApiTarget, CustomDomain
from route53_takeover.core.domain.http_checks import Check, Route, Side
from route53_takeover.core.plan.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_BAKE = 300.0
"""Seconds for which the checks go on after the switch."""


class SwapKind(StrEnum):
    """What is switched, as the result names it."""

    API_MAPPING = "api-mapping"
    CLOUDFRONT_ORIGIN = "cloudfront-origin"


class MappingSwap(Struct, frozen=True, kw_only=True, tag="api-mapping"):
    """A base path of a custom domain that is to lead to another stage.

    Attributes:
        mapping: as it is before the switch.
        to: where it leads afterwards.
    """

    id: str
    domain: CustomDomain
    mapping: ApiMapping
    to: ApiTarget

    kind = SwapKind.API_MAPPING

    @property
    def target(self) -> str:
        """What is switched, as users know it."""
        return f"{self.domain.name}/{self.mapping.base_path}".rstrip("/")

    @property
    def changes(self) -> bool:
        """Whether the switch changes anything."""
        return self.to != self.mapping.target

    @property
    def before(self) -> str:
        return str(self.mapping.target)

    @property
    def after(self) -> str:
        return str(self.to)


class OriginSwap(Struct, frozen=True, kw_only=True, tag="cloudfront-origin"):
    """An origin of a distribution that is to be another one; its id stays.

    Attributes:
        distribution_id: and the name that CloudFront gave it, and those of users.
        origin_id: of the origin.
        config: the whole config before the switch: what the way back writes.
        switched: the whole config afterwards, made from it.
        invalidate: the paths to invalidate once every edge has it.
    """

    id: str
    distribution_id: str
    domain_name: str
    aliases: tuple[str, ...]
    origin_id: str
    config: dict[str, Any]
    switched: dict[str, Any]
    invalidate: tuple[str, ...] = ()

    kind = SwapKind.CLOUDFRONT_ORIGIN

    @property
    def target(self) -> str:
        """What is switched, as users know it."""
        return f"{self.distribution_id} {self.origin_id}"

    @property
    def changes(self) -> bool:
        """Whether the switch changes anything."""
        return self.switched != self.config

    @property
    def before(self) -> str:
        return place(self.config, self.origin_id)

    @property
    def after(self) -> str:
        return place(self.switched, self.origin_id)


Swap = MappingSwap | OriginSwap


def place(config: Mapping[str, Any], origin_id: str) -> str:
    """Host and path of an origin."""
    items = config.get("Origins", {}).get("Items", ())
    origin: dict[str, Any] = next((each for each in items if each["Id"] == origin_id), {})
    return f"{origin.get('DomainName', '')}{origin.get('OriginPath', '')}"


class SecretRule(Struct, frozen=True, kw_only=True):
    """A routing rule for the time of a test: requests with a secret header get green.

    Attributes:
        header, value: of the requests; nobody else knows the value.
        base_path: of the mapping that is switched.
        priority: before every rule that is there.
    """

    domain: CustomDomain
    header: str
    value: str
    base_path: str
    priority: int
    to: ApiTarget


class SwapReading(Struct, frozen=True, kw_only=True):
    """What a read of a swap showed.

    Attributes:
        side: `Side.BLUE` where it is as before the switch, `Side.GREEN` where it is as the plan
            wants it, `Side.OTHER` where another writer has changed it, `Side.ABSENT`.
        shown: where it leads, as text.
        etag: of the config that was read; empty where there is no such thing.
        is_settled: whether every edge has it.
    """

    side: Side
    shown: str
    etag: str = ""
    is_settled: bool = True


class SwitchOptions(Struct, frozen=True, kw_only=True):
    """What the user asked for. Durations in seconds.

    Attributes:
        base_path: ``None``: all that lead to blue.
        origin: id of the origin; ``None``: the one that serves the default behaviour.
        to: ``API_ID/STAGE``, or ``HOST[/PATH]``.
        to_stack: the stack that green is in; its API or host is found there.
        deploy: shell command that makes green, before anything else.
        extra: ``JETS_EXTRA`` of the deploy.
        max_failures: failed checks in the bake after which it is switched back.
        match_policies: green's policies are taken over in the same update.
        invalidate: the paths to invalidate; ``None``: as the plan finds necessary.
        retire: the stack to retire at the end; ``retire_command``: the shell command that does,
            in the place of a DeleteStack.
    """

    domain: str | None = None
    base_path: str | None = None
    distribution: str | None = None
    origin: str | None = None
    to: str | None = None
    to_stack: str | None = None
    deploy: str | None = None
    deploy_timeout: float = 7200.0
    extra: str | None = None
    checks: tuple[str, ...] = ()
    bake: float = DEFAULT_BAKE
    max_failures: int = 2
    match_policies: bool = False
    invalidate: tuple[str, ...] | None = None
    retire: str | None = None
    retire_command: str | None = None


class Difference(Struct, frozen=True, kw_only=True):
    """What is set in one way for blue and in another for green.

    Attributes:
        weight: ``refuse``, ``warn`` or ``note``.
    """

    what: str
    blue: str
    green: str
    weight: str
    hint: str = ""


class SwitchPlan(Struct, frozen=True, kw_only=True):
    """What a switch does, and all that it may write.

    Attributes:
        site: the name that users know the site by.
        swaps: in the order of the switch; empty where green is made first.
        watched: what leads to blue now, while green is made and `swaps` is not known yet.
        checks: the checks of ``--check``.
        known_apis: ids of the APIs that exist: what leads to another one later, the deploy made.
        green: by which way green is asked before the switch; ``blue``: the same of blue.
        rule: green is also asked under the production name, where the domain has routing rules.
    """

    options: SwitchOptions
    account: str
    region: str
    site: str
    swaps: tuple[Swap, ...] = ()
    watched: tuple[Swap, ...] = ()
    known_apis: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    blue: Route = Route()
    green: Route = Route()
    rule: SecretRule | None = None
    differences: tuple[Difference, ...] = ()
    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the plan is refused."""
        return bool(self.refusals)
