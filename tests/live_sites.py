"""Live sites with a blue and a green side, in a simulated account that a thread serves.

Each test makes sites of its own in the account that it shares with others, and asks the account
itself what is true: where a site leads, who wrote that, and when.
"""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.core.domain.api_mappings import ApiKind, ApiTarget, EndpointType
from route53_takeover.core.domain.cloudfront_policies import (
    ALL_VIEWER_EXCEPT_HOST,
    CACHING_OPTIMIZED,
)
from route53_takeover.simulation.aws.api_gateway import v1_api, v2_api
from route53_takeover.simulation.aws.cloudformation import api as cloudformation_api
from route53_takeover.simulation.aws.cloudfront import api as cloudfront_api
from route53_takeover.simulation.aws.cloudfront.store import Habits
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.route53 import api as route53_api
from route53_takeover.simulation.aws.web.server import WebServer
from route53_takeover.simulation.aws.web.sites import Site, Trouble
from route53_takeover.simulation.blue_green import REGION, BlueGreenAccount, BlueGreenSetup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from route53_takeover.simulation.aws.http.faults import Fault

    Rule = Callable[[str, Mapping[str, Any]], Fault | None]

SPEED = 20.0
"""How many of the account's seconds pass in one of ours."""
SUFFIX = f"execute-api.{REGION}.amazonaws.com"
WRITES = {
    "apigateway:UpdateBasePathMapping",
    "apigateway:CreateBasePathMapping",
    "apigatewayv2:UpdateApiMapping",
    "apigatewayv2:CreateApiMapping",
    "cloudfront:UpdateDistribution",
}
"""The calls that lead a site elsewhere."""
_NAMES = ("domainName", "DomainName", "Id", "DistributionId")
_PAST = 3600.0
_Value = TypeVar("_Value")


class Wrote(NamedTuple):
    """A write that was accepted: whose, of which base path or origin, and where it leads to."""

    by: str
    what: str
    to: str


class LiveAccount:
    """The account and its web, from when they are served."""

    def __init__(
        self,
        speed: float = SPEED,
        setup: BlueGreenSetup = BlueGreenSetup(),  # noqa: B008
    ) -> None:
        self.clock = SystemClock(speed)
        start = self.clock.now() - 2 * _PAST
        self.world = BlueGreenAccount(setup, seed="live", start=start)
        self.world.cloudfront.habits = Habits(deploying=12.0, invalidating=3.0)
        self._rules: dict[str, Rule] = {}
        self._numbers = count(1)
        self._loop = asyncio.new_event_loop()
        self._server = AccountServer(
            {
                "route53": route53_api.operations(self.world.zones),
                "cloudformation": cloudformation_api.operations(self.world.stacks),
                "sts": route53_api.identity(),
                "apigateway": v1_api.operations(self.world.api_gateway),
                "apigatewayv2": v2_api.operations(self.world.api_gateway),
                "cloudfront": cloudfront_api.operations(self.world.cloudfront),
            },
            before=self._advance,
            fault=self._fault,
        )
        self._web = WebServer(self.world.web, before=self._advance)
        self.url = self.web_url = ""

    @property
    def origin(self) -> str:
        """Its clock, for `account_time`."""
        return json.dumps([*self.clock.origin])

    @property
    def connection(self) -> tuple[str, ...]:
        """The options that reach it."""
        return ("--endpoint-url", self.url, "--region", REGION)

    def do(self, act: Callable[[], _Value]) -> _Value:
        """Does something in the account's own thread."""
        done: Future[_Value] = Future()

        def work() -> None:
            try:
                self._advance()
                done.set_result(act())
            except Exception as error:  # noqa: BLE001 -- the caller's
                done.set_exception(error)

        self._loop.call_soon_threadsafe(work)
        return done.result(10)

    def befall(self, name: str, rule: Rule) -> None:
        """Asks ``rule`` of each call about this domain or distribution what befalls it."""
        self._rules[name] = rule

    def domain(
        self,
        *base_paths: str,
        kind: ApiKind = ApiKind.REST,
        endpoint_type: EndpointType = EndpointType.REGIONAL,
        has_green: bool = True,
    ) -> LiveDomain:
        """A custom domain of its own; the root's mapping alone where no base path is given."""
        made = LiveDomain(self, next(self._numbers), kind, endpoint_type)
        self.do(lambda: made.put_up(base_paths or ("",), has_green=has_green))
        return made

    def front(self) -> LiveFront:
        """A distribution of its own, made by hand."""
        made = LiveFront(self, next(self._numbers))
        self.do(made.put_up)
        return made

    def _advance(self) -> None:
        self.world.timeline.advance(self.clock.now())

    def _fault(self, called: str, parameters: Mapping[str, Any]) -> Fault | None:
        name = next((str(parameters[key]) for key in _NAMES if key in parameters), "")
        rule = self._rules.get(name)
        if rule is None:
            return None
        self._advance()
        return rule(called, parameters)

    @contextmanager
    def served(self) -> Iterator[LiveAccount]:
        """Serves it in a thread until the context ends."""
        ready, stopped = threading.Event(), asyncio.Event()

        async def serve() -> None:
            self.url, self.web_url = await self._server.start(), await self._web.start()
            ready.set()
            await stopped.wait()
            await self._web.stop()
            await self._server.stop()
            rest = asyncio.all_tasks() - {asyncio.current_task()}
            for task in rest:  # of clients that were killed
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),))
        thread.start()
        try:
            assert ready.wait(10)
            yield self
        finally:
            self._loop.call_soon_threadsafe(stopped.set)
            thread.join(10)
            self._loop.close()


class Live:
    """What every site here has: two sides, each behind an API of its own.

    Attributes:
        name: the one that users know.
        key: what AWS's calls name it by.
    """

    name: str
    key: str

    def __init__(
        self, account: LiveAccount, number: int, kind: ApiKind, endpoint_type: EndpointType
    ) -> None:
        self.account = account
        self.kind, self.endpoint_type = kind, endpoint_type
        stages = ("$default", "$default") if kind is ApiKind.HTTP else ("dev", "dev_2")
        self.blue, self.green = (
            ApiTarget(f"{color}{number:04d}", stage)
            for color, stage in zip(("blue", "gree"), stages, strict=True)
        )
        self.sites = {name: Site(name) for name in ("blue", "green")}

    @property
    def check(self) -> tuple[str, ...]:
        """A check that tells the sides apart."""
        return ("--check", f"https://{self.name}/up --expect-body ok --side-header x-env")

    def befall(self, rule: Rule) -> None:
        """Asks ``rule`` of each call about it what befalls it."""
        self.account.befall(self.key, rule)

    def fails(self, side: str) -> None:
        """From now on this side answers with errors."""
        now = self.account.clock.now()
        self.account.do(lambda: self.sites[side].fail(Trouble(since=now)))

    def make(self, target: ApiTarget, side: str) -> None:
        """An API with a stage and a side behind it; of the account's own thread."""
        gateway = self.account.world.api_gateway
        gateway.add_api(
            f"shop-{side}",
            api_id=target.api_id,
            kind=self.kind,
            endpoint_types=(self.endpoint_type,),
        )
        gateway.add_stage(target.api_id, target.stage)
        self.account.world.standing.put(target, self.sites[side])


class LiveDomain(Live):
    """A custom domain of API Gateway."""

    def __init__(
        self, account: LiveAccount, number: int, kind: ApiKind, endpoint_type: EndpointType
    ) -> None:
        super().__init__(account, number, kind, endpoint_type)
        self.name = self.key = f"shop{number}.example.com"

    def put_up(self, base_paths: tuple[str, ...], *, has_green: bool) -> None:
        self.make(self.blue, "blue")
        if has_green:
            self.make(self.green, "green")
        self.account.world.api_gateway.add_domain(
            self.name,
            endpoint_type=self.endpoint_type,
            mappings=dict.fromkeys(base_paths, self.blue),
        )

    @property
    def to_green(self) -> tuple[str, ...]:
        """The options of its switch, without a check."""
        return ("--domain", self.name, "--to", str(self.green), *self.account.connection)

    @property
    def leads_to(self) -> dict[str, ApiTarget]:
        """Where each of its mappings leads."""
        gateway = self.account.world.api_gateway
        return self.account.do(
            lambda: {path: m.target for path, m in gateway.domain(self.name).mappings.items()}
        )

    @property
    def writes(self) -> list[Wrote]:
        """Every write of its mappings, in order."""
        gateway = self.account.world.api_gateway
        return self.account.do(
            lambda: [
                Wrote(each.by, each.what, str(each.after or ""))
                for each in gateway.history
                if each.domain == self.name
            ]
        )

    def lead(self, target: ApiTarget, base_path: str = "", by: str = "a person") -> None:
        """Another writer's change; of the account's own thread."""
        gateway = self.account.world.api_gateway
        domain = gateway.domain(self.name)
        gateway.change_mapping(domain, base_path, target, by=by, operation="UpdateApiMapping")


class LiveFront(Live):
    """A distribution in front of an API."""

    def __init__(self, account: LiveAccount, number: int) -> None:
        super().__init__(account, number, ApiKind.REST, EndpointType.REGIONAL)
        self.name = f"front{number}.example.com"
        self.key = f"EFRONT{number:04d}"

    def put_up(self) -> None:
        self.make(self.blue, "blue")
        self.make(self.green, "green")
        self.account.world.cloudfront.add(self._config(), distribution_id=self.key)

    def place_of(self, target: ApiTarget) -> str:
        """Host and path of a side."""
        return f"{target.api_id}.{SUFFIX}/{target.stage}"

    @property
    def to_green(self) -> tuple[str, ...]:
        """The options of its switch, without a check."""
        to = ("--distribution", self.name, "--to", self.place_of(self.green))
        return (*to, *self.account.connection)

    @property
    def leads_to(self) -> str:
        """Where its origin leads."""
        cloudfront = self.account.world.cloudfront
        return self.account.do(lambda: _place(cloudfront.distribution(self.key).config))

    @property
    def writes(self) -> list[Wrote]:
        """Every write, in order; an invalidation leads nowhere."""
        return self.account.do(
            lambda: [
                Wrote(each.by, ",".join(each.invalidated), _place(each.config))
                for each in self.account.world.cloudfront.history
                if each.distribution_id == self.key
            ]
        )

    def _config(self) -> dict[str, Any]:
        return {
            "CallerReference": "by hand",
            "Aliases": {"Quantity": 1, "Items": [self.name]},
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "site",
                        "DomainName": f"{self.blue.api_id}.{SUFFIX}",
                        "OriginPath": f"/{self.blue.stage}",
                        "CustomHeaders": {"Quantity": 0},
                        "CustomOriginConfig": {
                            "HTTPPort": 80,
                            "HTTPSPort": 443,
                            "OriginProtocolPolicy": "https-only",
                            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
                        },
                    }
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": "site",
                "ViewerProtocolPolicy": "redirect-to-https",
                "CachePolicyId": CACHING_OPTIMIZED,
                "OriginRequestPolicyId": ALL_VIEWER_EXCEPT_HOST,
                "Compress": True,
            },
            "Comment": "made by hand",
            "Enabled": True,
        }


def _place(config: Mapping[str, Any]) -> str:
    if not config:
        return ""
    (origin,) = config["Origins"]["Items"]
    return f"{origin['DomainName']}{origin['OriginPath']}"
