"""The scenarios of blue-green switches: a live site, blue and green behind it, and what goes wrong.

Every one has the site ``www.example.com``, which leads to the stack ``shop-dev`` (blue), and a
stack ``shop-dev-2`` (green) that is there already or that the deploy command makes.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.api_mappings import ApiKind, ApiTarget, EndpointType, RoutingMode
from route53_takeover.core.domain.cloudfront_policies import (
    ALL_VIEWER_EXCEPT_HOST,
    CACHING_OPTIMIZED,
)
from route53_takeover.core.endings import Outcome
from route53_takeover.core.switch.model import SwitchOptions
from route53_takeover.simulation.aws.api_gateway.store import ApiGatewayStore
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig, StackStore
from route53_takeover.simulation.aws.cloudfront.store import CloudFront, Habits
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.timeline import Schedule
from route53_takeover.simulation.aws.web.sites import Site, Sites, Trouble
from route53_takeover.simulation.aws.web.web import Web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow

SITE, REGION = "www.example.com", "us-east-1"
BLUE, GREEN = ApiTarget("blue1blue1", "dev"), ApiTarget("green2gree", "dev_2")
BLUE_STACK, GREEN_STACK = "shop-dev", "shop-dev-2"
DISTRIBUTION, ORIGIN = "EDFDVBD6EXAMPLE", "site"
_UP = f"https://{SITE}/up --expect-body ok --side-header x-env"
_PAST = 3600.0
_API = "AWS::ApiGateway::RestApi"
_STEALS = "Custom::BasePathMapping"
_TAKES = "Custom::Cleaner"
_MADE_AGAIN = 4.0
"""Seconds for which a mapping is gone that the deploy of green moves."""


class BlueGreenSetup(Struct, frozen=True, kw_only=True):
    """What a scenario's account holds, and how it behaves.

    Attributes:
        is_behind_cloudfront: the site is a distribution, and no custom domain.
        endpoint_type: of the custom domain, and of the APIs.
        makes_green: green is not there until the deploy command makes it.
        steals: that deploy moves the domain's mapping, as Jets 3 to 5 does.
        green_fails_after: seconds after it has got the site from which on green fails; ``None``: it
            never does.
        green_fails_at_once: green fails from the beginning.
        blue_takes_mapping: the delete of blue's stack deletes the domain's mapping, by a resource
            that nobody would expect it of.
        has_rules: routing rules come before the domain's mappings.
    """

    is_behind_cloudfront: bool = False
    endpoint_type: EndpointType = EndpointType.REGIONAL
    makes_green: bool = False
    steals: bool = False
    green_fails_after: float | None = None
    green_fails_at_once: bool = False
    blue_takes_mapping: bool = False
    has_rules: bool = False


class SwitchScenario(Struct, frozen=True, kw_only=True):
    """A rehearsal of a switch; see `simulation.scenarios.Scenario`."""

    name: str
    summary: str
    account: BlueGreenSetup
    options: SwitchOptions
    outcome: Outcome
    exit_code: int
    speed: float = 10.0

    @property
    def killed(self) -> bool:
        """No rehearsal of a switch kills its process."""
        return False


class BlueGreenAccount:
    """One account with a live site, in time.

    Args:
        seed: of every random draw in it.
        start: seconds since the epoch.

    Attributes:
        sites: blue and green, by name.
    """

    def __init__(self, setup: BlueGreenSetup, *, seed: str, start: float) -> None:
        self.setup = setup
        self.timeline = Schedule(start)
        self.rng = Random(seed)  # noqa: S311 -- a simulation, not a secret
        self.zones = Zones(self.timeline, self.rng)
        self.zones.add_zone("example.com")
        self.stacks = StackStore(self.timeline, self.zones, self.rng, config=StackConfig())
        self.api_gateway = ApiGatewayStore(self.timeline, self.rng, region=REGION)
        self.cloudfront = CloudFront(self.timeline, self.rng, Habits(deploying=40.0))
        self.standing = Sites(self.timeline)
        self.web = Web([self.api_gateway, self.cloudfront], self.standing)
        self.sites = {name: Site(name, rng=self.rng) for name in ("blue", "green")}
        self._make(BLUE, "blue")
        if not setup.makes_green:
            self._make(GREEN, "green")
        if setup.is_behind_cloudfront:
            self.cloudfront.add(_front(BLUE), distribution_id=DISTRIBUTION)
        else:
            self.api_gateway.add_domain(
                SITE,
                endpoint_type=setup.endpoint_type,
                mappings={"": BLUE},
                routing_mode=RoutingMode.RULES_FIRST if setup.has_rules else RoutingMode.MAPPINGS,
            )
        taking = {"Cleaner": {"Type": _TAKES}} if setup.blue_takes_mapping else {}
        self.stacks.create_stack(BLUE_STACK, _template(BLUE, taking))
        if not setup.makes_green:
            self.stacks.create_stack(GREEN_STACK, _template(GREEN, {}))
        self.timeline.advance(start + _PAST)
        self.stacks.on_event.append(self._deployed)
        if setup.green_fails_at_once:
            self.sites["green"].fail(Trouble(since=self.timeline.now))
        if setup.green_fails_after is not None:
            self._watch_mapping(setup.green_fails_after)

    def _make(self, target: ApiTarget, name: str) -> None:
        self.api_gateway.add_api(
            f"shop-{name}",
            api_id=target.api_id,
            kind=ApiKind.REST,
            endpoint_types=(self.setup.endpoint_type,),
        )
        self.api_gateway.add_stage(target.api_id, target.stage)
        self.standing.put(target, self.sites[name])

    def _watch_mapping(self, after: float) -> None:
        """Lets green fail some time after it has got the site."""
        if self.api_gateway.domain(SITE).mappings[""].target == GREEN:
            self.sites["green"].fail(Trouble(since=self.timeline.now + after))
        else:
            self.timeline.after(1.0, lambda: self._watch_mapping(after))

    # -- the deploy of green

    def _deployed(self, event: StackEventRow) -> None:
        """What CloudFormation's resources are in the account."""
        if event.stack_name == BLUE_STACK and event.status == "DELETE_COMPLETE":
            self._deleted(event.resource_type)
        if event.stack_name != GREEN_STACK or event.status != "CREATE_COMPLETE":
            return
        if event.resource_type == _API:
            self._make(GREEN, "green")
        elif event.resource_type == _STEALS:
            domain = self.api_gateway.domain(SITE)
            self.api_gateway.delete_mapping(
                domain, "", by="the deploy", operation="DeleteBasePathMapping"
            )
            self.timeline.after(_MADE_AGAIN, self._move)

    def _deleted(self, resource_type: str) -> None:
        domain = None if self.setup.is_behind_cloudfront else self.api_gateway.domain(SITE)
        if resource_type == _TAKES and domain is not None:
            self.api_gateway.delete_mapping(
                domain, "", by="the delete", operation="DeleteBasePathMapping"
            )
        if resource_type == _API:
            self.standing.remove(BLUE)
            self.api_gateway.delete_api(BLUE.api_id, rest=True, by="the delete")

    def _move(self) -> None:
        domain = self.api_gateway.domain(SITE)
        if "" not in domain.mappings:
            self.api_gateway.create_mapping(
                domain, "", GREEN, by="the deploy", operation="CreateBasePathMapping"
            )


def _template(target: ApiTarget, more: Mapping[str, Any]) -> dict[str, Any]:
    """A stack with an API of this id, and other resources."""
    resources: dict[str, Any] = {
        "RestApi": {"Type": _API, "Metadata": {"Simulation": {"PhysicalId": target.api_id}}},
        **more,
    }
    return {
        "Parameters": {"Route53Enable": {"Type": "String", "Default": "false"}},
        "Resources": resources,
    }


def green_template(setup: BlueGreenSetup) -> dict[str, Any]:
    """What the deploy command applies."""
    moving = {"BasePathMapping": {"Type": _STEALS, "DependsOn": "RestApi"}}
    return _template(GREEN, moving if setup.steals else {})


def _front(target: ApiTarget) -> dict[str, Any]:
    """The config of a manual distribution in front of an API."""
    return {
        "CallerReference": "manual",
        "Aliases": {"Quantity": 1, "Items": [SITE]},
        "Origins": {"Quantity": 1, "Items": [_origin(target)]},
        "DefaultCacheBehavior": {
            "TargetOriginId": ORIGIN,
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": CACHING_OPTIMIZED,
            "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST,
            "Compress": True,
        },
        "Comment": "made by hand",
        "Enabled": True,
    }


def _origin(target: ApiTarget) -> dict[str, Any]:
    return {
        "Id": ORIGIN,
        "DomainName": f"{target.api_id}.execute-api.{REGION}.amazonaws.com",
        "OriginPath": f"/{target.stage}",
        "CustomHeaders": {"Quantity": 0},
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
        },
    }


def _scenarios() -> list[SwitchScenario]:
    by_domain = SwitchOptions(domain=SITE, to=str(GREEN), checks=(_UP,), bake=60.0)
    host = f"{GREEN.api_id}.execute-api.{REGION}.amazonaws.com/{GREEN.stage}"
    return [
        SwitchScenario(
            name="blue-green",
            summary="A custom domain of API Gateway is switched to another stack.",
            account=BlueGreenSetup(),
            options=by_domain,
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        SwitchScenario(
            name="blue-green-cloudfront",
            summary="The origin of a distribution is switched, edge by edge.",
            account=BlueGreenSetup(is_behind_cloudfront=True),
            options=SwitchOptions(
                distribution=SITE, to=host, checks=(_UP,), bake=60.0, max_failures=2
            ),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        SwitchScenario(
            name="blue-green-fails",
            summary="Green passes its checks and fails under live traffic: it is switched back.",
            account=BlueGreenSetup(green_fails_after=20.0),
            options=by_domain,
            outcome=Outcome.RESTORED,
            exit_code=1,
        ),
        SwitchScenario(
            name="blue-green-refused",
            summary="Green fails its check before the switch: nothing is changed.",
            account=BlueGreenSetup(green_fails_at_once=True),
            options=by_domain,
            outcome=Outcome.FAILED,
            exit_code=1,
        ),
        SwitchScenario(
            name="blue-green-retired",
            summary="After the switch blue's stack is deleted, which takes the live mapping along.",
            account=BlueGreenSetup(blue_takes_mapping=True),
            options=replace(by_domain, bake=20.0, retire=BLUE_STACK),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        SwitchScenario(
            name="blue-green-rule",
            summary="Green is also tested under the production name, by a temporary routing rule.",
            account=BlueGreenSetup(has_rules=True),
            options=by_domain,
            outcome=Outcome.DONE,
            exit_code=0,
        ),
        SwitchScenario(
            name="blue-green-stolen",
            summary="The deploy of green moves the live domain: it is led back, tested, switched.",
            account=BlueGreenSetup(makes_green=True, steals=True, endpoint_type=EndpointType.EDGE),
            options=SwitchOptions(
                domain=SITE,
                to_stack=GREEN_STACK,
                deploy="made for the rehearsal",
                checks=(_UP,),
                bake=60.0,
            ),
            outcome=Outcome.DONE,
            exit_code=0,
        ),
    ]


SWITCH_SCENARIOS: dict[str, SwitchScenario] = {each.name: each for each in _scenarios()}
