"""What an operator does who gives a rehearsed switch up: `restore`, as often as it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import RefusedError, TakeoverError
from route53_takeover.runtime.site_swaps import SiteSwaps
from route53_takeover.runtime.switch_restore import lead_back
from route53_takeover.simulation.chaos.api_gateway_port import simulated_api_gateway
from route53_takeover.simulation.chaos.distributions_port import SimulatedDistributions
from route53_takeover.simulation.chaos.switch.setup import SWITCHER

if TYPE_CHECKING:
    from route53_takeover.core.switch.model import Swap, SwitchPlan
    from route53_takeover.simulation.chaos.switch.harness import SwitchHarness

_LOOK = 30.0
_PATIENCE = 150
"""How often the operator repeats what did not work, `_LOOK` seconds apart."""


async def restore(harness: SwitchHarness, plan: SwitchPlan) -> None:
    """``restore`` instead of ``resume``, once no deploy is at work any more.

    What leads to green is led back also where the backup does not know green, as it says: by
    ``--force``.
    """
    calls, world = harness.calls, harness.world
    sites = SiteSwaps(
        simulated_api_gateway(world.gateway, calls, by=SWITCHER),
        SimulatedDistributions(world.cloudfront, calls, by=SWITCHER),
    )
    harness.trouble("left to the operator", _LOOK * _PATIENCE)
    harness.restoring_since = harness.clock.true()
    for _ in range(_PATIENCE):
        world.timeline.advance(harness.clock.true())
        if not (world.deploy.is_running or world.delete.is_running):
            break
        await harness.clock.sleep(_LOOK)
    if world.delete.starts:
        return  # there is no blue to lead back to
    for swap in reversed(plan.swaps or plan.watched):
        await _lead_back(harness, sites, swap)


async def _lead_back(harness: SwitchHarness, sites: SiteSwaps, swap: Swap) -> None:
    for _ in range(_PATIENCE):
        done = await lead_back(
            swap,
            sites=sites,
            clock=harness.clock,
            force=harness.is_on_green(swap.id),
            by_force="restore --force",
            dry_run=False,
            save=lambda _swap, _reading: None,
            tell=lambda _text: None,
        )
        match done.error:
            case None:
                if done.outcome == "restored":
                    harness.strike("led back by restore")
                return
            case RefusedError():
                return  # another writer's stays
            case TakeoverError():
                await harness.clock.sleep(_LOOK)
