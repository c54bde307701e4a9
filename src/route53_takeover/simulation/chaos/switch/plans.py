"""The plan of a rehearsed switch, made by hand: what is found in the account before anything."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import NotFoundError
from route53_takeover.core.domain.api_mappings import ApiKind, CustomDomain
from route53_takeover.core.domain.http_checks import Check, Route, Side
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.switch.model import (
    MappingSwap,
    OriginSwap,
    SwitchOptions,
    SwitchPlan,
)
from route53_takeover.core.switch.origins import OriginTarget, switched
from route53_takeover.simulation.aws.web.sites import SIDE_HEADER
from route53_takeover.simulation.chaos.switch.setup import (
    APP,
    DOMAIN,
    FRONT,
    FRONT_NAME,
    REGION,
    CheckKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.switch.model import (
        Swap,
    )
    from route53_takeover.simulation.chaos.switch.world import SwitchWorld

COMMAND = "probe the site"
"""The command of a check."""


def plan_of(world: SwitchWorld) -> SwitchPlan:
    """What ``switch`` plans; where green is made first, without it."""
    setup = world.setup
    plan = SwitchPlan(
        options=SwitchOptions(
            domain=DOMAIN if world.is_mapping else None,
            distribution=None if world.is_mapping else FRONT,
            to_stack="green",
            deploy=None if setup.deploy is None else "make green",
            deploy_timeout=setup.deploy_timeout,
            bake=setup.bake,
            max_failures=setup.max_failures,
            retire=None if setup.retire is None else "blue",
        ),
        account="123456789012",
        region=REGION,
        site=DOMAIN,
        known_apis=("blue", "other"),
        checks=tuple(_check(kind, setup.base_paths[0]) for kind in setup.checks),
        blue=_route(world, Side.BLUE),
    )
    if setup.deploy is None:
        return with_green(plan, world)
    return replace(plan, watched=tuple(_swaps(world, is_there=False)))


def with_green(plan: SwitchPlan, world: SwitchWorld) -> SwitchPlan:
    """The plan with what the deploy has made.

    Raises:
        NotFoundError: it has made nothing.
    """
    if not world.has_green:
        raise NotFoundError("the stack green has no API", operation="cloudformation:DescribeStacks")
    refusals = (Finding(text="Green's endpoint type does not fit.", hint="Use another."),)
    return replace(
        plan,
        swaps=tuple(_swaps(world, is_there=True)),
        green=_route(world, Side.GREEN),
        refusals=refusals if world.setup.refused else (),
    )


def _swaps(world: SwitchWorld, *, is_there: bool) -> Iterator[Swap]:
    for path, mapping in world.mappings.items():
        domain = world.gateway.domain(DOMAIN)
        yield MappingSwap(
            id=f"{DOMAIN}/{path}",
            domain=CustomDomain(name=DOMAIN, endpoint_type=domain.endpoint_type),
            mapping=mapping,
            to=world.target(Side.GREEN) if is_there else mapping.target,
        )
    if world.front:
        to = OriginTarget(host=world.host(Side.GREEN))
        yield OriginSwap(
            id=f"{FRONT}/{APP}",
            distribution_id=FRONT,
            domain_name=FRONT_NAME,
            aliases=(DOMAIN,),
            origin_id=APP,
            config=deepcopy(world.front),
            switched=switched(world.front, APP, to) if is_there else world.front,
            invalidate=("/*",) if world.setup.caches else (),
        )


def _route(world: SwitchWorld, side: Side) -> Route:
    """How a side is asked directly."""
    if not world.is_mapping:
        return Route(side=str(side), base_url=f"https://{world.host(side)}")
    target = world.target(side)
    stage = "" if world.setup.api_kind is ApiKind.HTTP else f"/{target.stage}"
    url = f"https://{target.api_id}.execute-api.{REGION}.amazonaws.com{stage}"
    return Route(side=str(side), base_url=url)


def _check(kind: CheckKind, base_path: str) -> Check:
    url = f"https://{DOMAIN}/{base_path}".rstrip("/")
    match kind:
        case CheckKind.SIDES:
            return Check(text=f"{url}/up", url=f"{url}/up", side_header=SIDE_HEADER)
        case CheckKind.PAGE:
            return Check(text=f"{url}/", url=f"{url}/")
        case CheckKind.SAME:
            return Check(text=f"{url}/up", url=f"{url}/up", body=("ok",))
        case CheckKind.COMMAND:
            return Check(text=COMMAND, command=COMMAND)
