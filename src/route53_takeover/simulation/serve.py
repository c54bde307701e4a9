"""Rehearsals over the wire: the simulated account on loopback, for the real adapters.

Owns the account's servers and what makes sure that a rehearsal cannot touch a real account: the
environment it runs in, and its deploy command, hold nothing of AWS but the loopback endpoint.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.template import members_of, resources_of
from route53_takeover.core.plan.model import Options
from route53_takeover.simulation.aws.account import DEADMAN_ROLE, SimulatedAccount
from route53_takeover.simulation.aws.api_gateway import v1_api, v2_api
from route53_takeover.simulation.aws.cloudformation import api as cloudformation_api
from route53_takeover.simulation.aws.cloudformation.asked import Simulation
from route53_takeover.simulation.aws.cloudfront import api as cloudfront_api
from route53_takeover.simulation.aws.cloudtrail import api as cloudtrail_api
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.route53 import api as route53_api
from route53_takeover.simulation.aws.route53.nameserver import NameServers
from route53_takeover.simulation.aws.step_functions import api as step_functions_api
from route53_takeover.simulation.aws.web.server import WebServer
from route53_takeover.simulation.blue_green import (
    GREEN_STACK,
    BlueGreenAccount,
    green_template,
)
from route53_takeover.simulation.scenarios import REHEARSED_STEP

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
    from pathlib import Path

    from route53_takeover.core.ports import Clock
    from route53_takeover.core.switch.model import SwitchOptions
    from route53_takeover.simulation.aws.cloudformation.stacks import StackStore
    from route53_takeover.simulation.aws.http.faults import Operation
    from route53_takeover.simulation.aws.route53.zones import Zones
    from route53_takeover.simulation.aws.step_functions.state_machines import StateMachines
    from route53_takeover.simulation.aws.timeline import Schedule
    from route53_takeover.simulation.blue_green import SwitchScenario
    from route53_takeover.simulation.scenarios import Scenario

PAST = 3600.0
"""Seconds that a world has behind it when it is first looked at."""
_FOREIGN = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "BOTO")


class Served(Struct, frozen=True, kw_only=True):
    """A simulated account that answers: its endpoint, and its name servers as ``HOST:PORT``.

    ``calls``: how often each ``service:Operation`` was asked for so far.
    """

    endpoint_url: str
    name_servers: tuple[str, ...]
    calls: Counter[str]


class ServedAccount(Served, frozen=True, kw_only=True):
    """The same for a scenario's account."""

    world: SimulatedAccount


class ServedSite(Served, frozen=True, kw_only=True):
    """The same for a switch's account.

    Attributes:
        web_server: the URL at which every site answers.
    """

    world: BlueGreenAccount
    web_server: str


class World(Protocol):
    """An account that can be served."""

    timeline: Schedule
    zones: Zones
    stacks: StackStore


@asynccontextmanager
async def serving(
    scenario: Scenario, *, seed: str, clock: Clock, asked: Callable[[], None] = lambda: None
) -> AsyncIterator[ServedAccount]:
    """Serves a scenario's account on 127.0.0.1 until the context ends; ``asked`` as below."""
    world = SimulatedAccount(scenario.account, seed=seed, start=clock.now() - PAST)
    services = with_deadman(world.step_functions)
    async with serving_world(world, clock, asked=asked, services=services) as served:
        yield ServedAccount(
            endpoint_url=served.endpoint_url,
            name_servers=served.name_servers,
            calls=served.calls,
            world=world,
        )


@asynccontextmanager
async def serving_sites(
    scenario: SwitchScenario, *, seed: str, clock: Clock, asked: Callable[[], None] = lambda: None
) -> AsyncIterator[ServedSite]:
    """Serves the account of a switch, and its sites; arguments as for `serving_world`."""
    world = BlueGreenAccount(scenario.account, seed=seed, start=clock.now() - PAST)
    services = {
        "apigateway": v1_api.operations(world.api_gateway),
        "apigatewayv2": v2_api.operations(world.api_gateway),
        "cloudfront": cloudfront_api.operations(world.cloudfront),
    }
    web = WebServer(world.web, before=lambda: world.timeline.advance(clock.now()))
    async with serving_world(world, clock, asked=asked, services=services) as served:
        try:
            yield ServedSite(
                endpoint_url=served.endpoint_url,
                name_servers=served.name_servers,
                calls=served.calls,
                world=world,
                web_server=await web.start(),
            )
        finally:
            await web.stop()


@asynccontextmanager
async def serving_world(
    world: World,
    clock: Clock,
    *,
    account: str = route53_api.ACCOUNT,
    asked: Callable[[], None] = lambda: None,
    services: Mapping[str, Mapping[str, Operation]] | None = None,
) -> AsyncIterator[Served]:
    """The same for any account.

    Args:
        services: others that it has, by the names of their models.
        account: its number.
        asked: called for each request and each DNS query.
    """

    def advance() -> None:
        asked()
        world.timeline.advance(clock.now())

    server = AccountServer(
        {
            "route53": route53_api.operations(world.zones),
            "cloudformation": cloudformation_api.operations(world.stacks),
            "cloudtrail": cloudtrail_api.operations(world.zones),
            "sts": route53_api.identity(account=account),
            **(services or {}),
        },
        before=advance,
    )
    name_servers = NameServers(world.zones, advance)
    try:
        endpoint_url = await server.start()
        addresses = await name_servers.start()
        yield Served(endpoint_url=endpoint_url, name_servers=tuple(addresses), calls=server.calls)
    finally:
        await name_servers.stop()
        await server.stop()


def with_deadman(machines: StateMachines) -> Mapping[str, Mapping[str, Operation]]:
    """Step Functions, which any stack can add a state machine to."""
    return {"stepfunctions": step_functions_api.operations(machines)}


def scrub(environment: MutableMapping[str, str]) -> None:
    """Takes everything of AWS, and every proxy, out of an environment; puts rehearsal keys in."""
    for name in list(environment):
        if name.upper().startswith(_FOREIGN):
            del environment[name]
    environment.update(
        AWS_ACCESS_KEY_ID="REHEARSAL",
        AWS_SECRET_ACCESS_KEY="rehearsal",  # noqa: S106 -- of a simulated account
        AWS_CONFIG_FILE="/dev/null",
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        AWS_EC2_METADATA_DISABLED="true",
        NO_PROXY="*",
    )


def rehearsal_options(scenario: Scenario, folder: Path) -> Options:
    """What the rehearsal of a scenario asks for; its template is written to ``folder``."""
    template = folder / "template.json"
    _write_template(template, scenario.account.template)
    command = deploy_line(scenario.account.stack, template)
    return Options(
        stack=scenario.account.stack,
        records=scenario.records,
        deploy_off=command,
        deploy_on=command,
        template=str(template),
        parameters=("Route53Enable=true",),
        strategy=scenario.strategy,
        weights=scenario.weights,
        weight_every=REHEARSED_STEP,
        cloud_deadman=DEADMAN_ROLE if scenario.account.deadman else None,
    )


def switch_options(scenario: SwitchScenario, folder: Path) -> SwitchOptions:
    """What the rehearsal of a switch asks for; green's template is written to ``folder``."""
    if scenario.options.deploy is None:
        return scenario.options
    template = folder / "template.json"
    _write_template(template, green_template(scenario.account))
    return replace(scenario.options, deploy=deploy_line(GREEN_STACK, template))


def deploy_line(stack: str, template: Path) -> str:
    """The deploy command of a rehearsal."""
    words = ["-m", "route53_takeover.simulation.deploy_command", stack, str(template)]
    return shlex.join([sys.executable, *words])


def _write_template(path: Path, body: Mapping[str, Any]) -> None:
    """Writes a template, and those of its nested stacks beside it."""
    path.write_text(json.dumps(body), encoding="utf-8")
    for _, resource in resources_of(body):
        nested = Simulation.of(resource).template
        url = members_of(resource.get("Properties")).get("TemplateURL")
        if nested is not None and isinstance(url, str):
            _write_template(path.with_name(url.rpartition("/")[2]), nested)
