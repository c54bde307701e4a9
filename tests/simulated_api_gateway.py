"""A simulated API Gateway with a blue and a green environment, for tests of any layer."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.api_mappings import ApiKind, ApiTarget, EndpointType
from route53_takeover.simulation.aws.api_gateway import v1_api, v2_api
from route53_takeover.simulation.aws.api_gateway.store import ApiGatewayStore
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from route53_takeover.simulation.aws.http.faults import Fault

START = 1_700_000_000.0
REGIONAL, EDGE = "api.example.com", "www.example.com"
BLUE, GREEN = ApiTarget("blue", "dev"), ApiTarget("green", "dev_2")
HTTP_BLUE, HTTP_GREEN = ApiTarget("hblue", "$default"), ApiTarget("hgreen", "$default")


class Gateway:
    """The store, in an account whose time stands still unless `later` moves it on.

    Attributes:
        region: where the clients are.
    """

    region = "eu-central-1"

    def __init__(self, *, settling: tuple[float, float] = (0.0, 0.0)) -> None:
        self.timeline = Schedule(START)
        rng = random.Random(7)  # noqa: S311 -- a simulation
        self.store = ApiGatewayStore(self.timeline, rng, region=self.region, settling=settling)
        both = (EndpointType.REGIONAL,)
        for target in (BLUE, GREEN):
            self.store.add_api(target.api_id, api_id=target.api_id, endpoint_types=both)
            self.store.add_stage(*_pair(target))
        for target in (HTTP_BLUE, HTTP_GREEN):
            self.store.add_api(target.api_id, api_id=target.api_id, kind=ApiKind.HTTP)
            self.store.add_stage(*_pair(target))
        mappings = {"": BLUE, "shop/v1": HTTP_BLUE}
        self.store.add_domain(REGIONAL, mappings=mappings)
        self.store.add_domain(
            EDGE, endpoint_type=EndpointType.EDGE, mappings={"": BLUE, "shop": BLUE}
        )
        self.server = AccountServer(
            {
                "apigateway": v1_api.operations(self.store),
                "apigatewayv2": v2_api.operations(self.store),
            },
            before=lambda: None,
        )
        self.url = ""

    def later(self, seconds: float) -> None:
        """Lets so much time pass."""
        self.timeline.advance(self.timeline.now + seconds)

    def fault(self, operation: str, *faults: Fault | None) -> None:
        """Lets these befall the next calls of an operation, one each."""
        left: Iterator[Fault | None] = iter(faults)

        def next_fault(called: str, _: Mapping[str, Any]) -> Fault | None:
            return next(left, None) if called == operation else None

        self.server.fault = next_fault

    def leads_to(self, domain: str, base_path: str = "") -> ApiTarget:
        """Where a mapping leads, as it is written."""
        return self.store.domain(domain).mappings[base_path].target


@asynccontextmanager
async def served(gateway: Gateway) -> AsyncIterator[Gateway]:
    """The same behind its HTTP door."""
    gateway.url = await gateway.server.start()
    try:
        yield gateway
    finally:
        await gateway.server.stop()


def _pair(target: ApiTarget) -> tuple[str, str]:
    return target.api_id, target.stage
