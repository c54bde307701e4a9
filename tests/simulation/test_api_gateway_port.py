"""API Gateway in process: the real adapter over the simulated operations, on any way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.simulated_api_gateway import BLUE, EDGE, GREEN, HTTP_BLUE, REGIONAL, Gateway

from route53_takeover.adapters.rate_limit import budgets
from route53_takeover.base.errors import (
    EndpointError,
    NotFoundError,
    RejectedChangeError,
    UnansweredError,
)
from route53_takeover.core.domain.api_mappings import ApiKind, ApiTarget
from route53_takeover.simulation.chaos.api_gateway_port import simulated_api_gateway
from route53_takeover.simulation.chaos.transport import VirtualClock
from route53_takeover.simulation.chaos.way import Way

if TYPE_CHECKING:
    from route53_takeover.base.errors import (
        ApiError,
    )

UPDATES = ("apigateway:UpdateBasePathMapping", "apigatewayv2:UpdateApiMapping")


class LossyWay(Way):
    """Loses the requests and the answers that a test names."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.on_the_way_there: ApiError | None = None
        self.on_the_way_back: ApiError | None = None

    async def there(self, operation: str) -> None:
        self.calls.append(operation)
        if self.on_the_way_there and operation in UPDATES:
            raise self.on_the_way_there

    async def back(self, operation: str) -> None:
        if self.on_the_way_back and operation in UPDATES:
            raise self.on_the_way_back


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.mark.parametrize(("name", "update"), zip((EDGE, REGIONAL), UPDATES, strict=True))
async def test_a_mapping_is_read_and_pointed_by_the_operations_of_the_real_one(
    gateway: Gateway, name: str, update: str
) -> None:
    way = LossyWay()
    port = simulated_api_gateway(gateway.store, way, by="a switch")
    domain = await port.domain(name)
    assert domain in await port.domains()
    mapping = (await port.mappings(domain))[0]
    await port.point(domain, "", mapping, GREEN)
    assert (await port.mappings(domain))[0].target == GREEN
    assert gateway.store.history[0].by == "a switch"
    assert way.calls.count(update) == 1
    assert await port.rules(domain) == []
    kinds = [(await port.api(target)).kind for target in (BLUE, HTTP_BLUE)]
    assert kinds == [ApiKind.REST, ApiKind.HTTP]


@pytest.mark.parametrize("name", [EDGE, REGIONAL])
async def test_a_write_whose_answer_is_lost_is_applied_and_one_that_is_lost_is_not(
    gateway: Gateway, name: str
) -> None:
    way = LossyWay()
    port = simulated_api_gateway(gateway.store, way)
    domain = await port.domain(name)
    mapping = (await port.mappings(domain))[0]
    way.on_the_way_there = EndpointError("could not connect")
    with pytest.raises(EndpointError):
        await port.point(domain, "", mapping, GREEN)
    assert gateway.store.history == []
    way.on_the_way_there, way.on_the_way_back = None, UnansweredError("closed")
    with pytest.raises(UnansweredError):
        await port.point(domain, "", mapping, GREEN)
    assert gateway.leads_to(name) == GREEN
    with pytest.raises(UnansweredError):
        await port.point(domain, "", mapping, ApiTarget("green", "prod"))
    assert len(gateway.store.history) == 1


async def test_a_refusal_means_what_it_means_over_the_wire(gateway: Gateway) -> None:
    port = simulated_api_gateway(gateway.store)
    domain = await port.domain(EDGE)
    with pytest.raises(RejectedChangeError, match="Invalid stage identifier") as caught:
        await port.point(domain, "", (await port.mappings(domain))[0], ApiTarget("green", "prod"))
    assert (caught.value.code, caught.value.operation) == ("BadRequestException", UPDATES[0])
    with pytest.raises(NotFoundError):
        await port.domain("other.example.com")
    assert not (await port.api(ApiTarget("blue", "prod"))).has_stage


async def test_it_takes_no_time_of_its_own(gateway: Gateway) -> None:
    loop = asyncio.get_running_loop()
    slept: list[float] = []
    call_later = loop.call_later

    def noted(delay: float, *rest: object, **more: object) -> asyncio.TimerHandle:
        slept.append(delay)
        return call_later(delay, *rest, **more)  # type: ignore[arg-type]

    loop.call_later = noted  # type: ignore[method-assign]
    port = simulated_api_gateway(gateway.store)
    for domain in await port.domains():
        for mapping in await port.mappings(domain):
            await port.point(domain, mapping.base_path, mapping, BLUE)
    assert slept == []


async def test_both_apis_have_one_budget() -> None:
    found = budgets(VirtualClock(0.0))
    assert found["apigateway"] is found["apigatewayv2"]
