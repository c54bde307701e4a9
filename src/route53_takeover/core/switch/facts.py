"""What a switch is planned from: all that was read, and nothing of what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from route53_takeover.core.domain.api_mappings import (
    ApiDescription,
    ApiMapping,
    ApiTarget,
    CustomDomain,
    RoutingRule,
)
from route53_takeover.core.domain.distributions import Distribution
from route53_takeover.core.domain.http_checks import Check
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.model import SwitchOptions


class GreenPlace(Struct, frozen=True, kw_only=True):
    """Where green is, as far as it is there yet.

    Attributes:
        target: the stage of an API; ``host``: a host with a path, for an origin.
        stack_id: of the stack that it was found in; empty where it was named.
    """

    target: ApiTarget | None = None
    host: str = ""
    stack_id: str = ""


class SwitchFacts(Struct, frozen=True, kw_only=True):
    """Everything that was read.

    Attributes:
        green: ``None`` where green is not there yet: a deploy is to make it.
        findings: what could not be found or read, each a refusal.
        domain, mappings, rules: of a custom domain.
        apis: the APIs that mappings lead to now, and green's, by ``API_ID/STAGE``.
        known_apis: the ids of all APIs.
        distribution: the one that is switched; ``behind_blue`` and ``behind_green`` those that its
            origin is before and after, where they are distributions of this account.
        policies: the content of every policy of these, by id.
        secret: a value that nobody else knows.
        domain_suffix: of AWS's own names: ``amazonaws.com``.
    """

    options: SwitchOptions
    account: str
    region: str
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    green: GreenPlace | None = None
    domain: CustomDomain | None = None
    mappings: tuple[ApiMapping, ...] = ()
    rules: tuple[RoutingRule, ...] = ()
    apis: Mapping[str, ApiDescription] = {}
    known_apis: tuple[str, ...] = ()
    distribution: Distribution | None = None
    behind_blue: Distribution | None = None
    behind_green: Distribution | None = None
    policies: Mapping[str, Mapping[str, Any]] = {}
    secret: str = ""
    domain_suffix: str = "amazonaws.com"
