"""Checks on the simulated web on virtual time: they say what they would say over real HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import pytest
from msgspec.structs import replace

from route53_takeover.adapters.http_checks import WebChecks
from route53_takeover.core.domain.http_checks import Route
from route53_takeover.core.switch.check_syntax import parse_check
from route53_takeover.simulation.aws.timeline import Schedule
from route53_takeover.simulation.aws.web.server import WebServer
from route53_takeover.simulation.aws.web.sites import Site, Sites, Trouble
from route53_takeover.simulation.aws.web.web import Web
from route53_takeover.simulation.chaos.http_checks_port import SimulatedChecks
from route53_takeover.simulation.chaos.transport import VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from route53_takeover.core.domain.http_checks import CheckAnswer

_Found = TypeVar("_Found")

START = 1_700_000_000.0
SITE, URL = "www.example.com", "https://www.example.com"


def web() -> Web:
    sites = Sites(Schedule(START))
    sites.put(SITE, Site("blue"))
    sites.put("green.example", Site("green"))
    return Web([], sites)


def virtually(work: Coroutine[object, object, _Found]) -> _Found:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


CHECKS = [
    f"{URL}/",
    f"{URL}/up?a=1 --side-header X-Env --expect-body ok --expect-header 'X-Env: blue'",
    f"{URL}/login -d a=b -H 'Origin: {URL}' -b 'session=${{S}}' --expect-status 302",
    f"{URL}/login -d a=b -H 'Origin: https://evil.example'",
    f"{URL}/nothing --expect-body x --expect-header 'X-Env: green'",
    f"HEAD {URL}/",
    f"{URL}/ -H 'X-A: ${{NOT_SET}}'",
]


@pytest.mark.parametrize("text", CHECKS)
@pytest.mark.parametrize("base_url", ["", "https://green.example"])
async def test_a_check_says_the_same_in_process_and_over_http(text: str, base_url: str) -> None:
    check, route = parse_check(text), Route(base_url=base_url)
    environment = {"S": "s-12345"}
    server = WebServer(web(), before=lambda: None)
    url = await server.start()
    real = await WebChecks(environment=environment, connect=url).carry_out(check, route)
    await server.stop()

    async def simulated() -> CheckAnswer:
        port = SimulatedChecks(web(), VirtualClock(START), environment=environment)
        return await port.carry_out(check, route)

    found = await asyncio.to_thread(virtually, simulated())
    assert replace(found, seconds=0.0) == replace(real, seconds=0.0)
    assert found.reason == "" or not found.passed


def test_virtual_time_moves_on_with_each_check() -> None:
    async def run() -> list[int]:
        world, clock = web(), VirtualClock(START)
        blue = world.sites.at(SITE)
        assert blue is not None
        blue.fail(Trouble(since=START + 3600, until=START + 7200))
        checks = SimulatedChecks(world, clock)
        statuses = []
        for _ in range(3):
            answer = await checks.carry_out(parse_check(f"{URL}/"), Route())
            statuses.append(answer.status)
            assert answer.seconds == pytest.approx(0.05)
            await clock.sleep(3600)
        return statuses

    assert virtually(run()) == [200, 500, 200]


def test_commands_and_hosts_that_are_not_there_do_not_pass() -> None:
    async def run(text: str, route: Route) -> str:
        checks = SimulatedChecks(
            web(),
            VirtualClock(START),
            commands={
                "./fine.sh": "",
                "./bad.sh": "exit status 1: bad",
                "./asks.sh": lambda route: "" if route.side == "green" else "exit status 2",
            },
        )
        answer = await checks.carry_out(parse_check(text), route)
        assert answer.passed is not bool(answer.reason)
        return answer.reason

    green = Route(side="green", base_url="https://green.example")
    assert virtually(run("./fine.sh", Route())) == ""
    assert virtually(run("./bad.sh", Route())) == "exit status 1: bad"
    assert virtually(run("./asks.sh", green)) == ""
    assert virtually(run("./asks.sh", Route())) == "exit status 2"
    assert virtually(run("./none.sh", Route())) == "exit status 127: not found"
    assert virtually(run("https://nowhere.example/", Route())) == (
        "the host nowhere.example is not found"
    )
