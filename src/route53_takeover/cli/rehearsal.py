"""A rehearsal over the wire: the whole program in a simulated account that this process serves."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.cli.execution import start_run
from route53_takeover.simulation.serve import rehearsal_options, scrub, serving
from route53_takeover.storage.config import Connection

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.simulation.scenarios import Scenario
    from route53_takeover.storage.config import Common


async def rehearse_scenario(
    common: Common, reporter: Reporter, scenario: Scenario, seed: int, speed: float | None
) -> ExitCode:
    """A takeover in a simulated account that this process serves.

    Args:
        speed: simulated seconds in a real one; ``None``: the scenario's own.
    """
    scrub(os.environ)
    reporter.tell(f"REHEARSAL {scenario.name}: {scenario.summary}")
    clock = SystemClock(speed or scenario.speed)
    with tempfile.TemporaryDirectory(prefix="route53-takeover-") as folder:
        async with serving(scenario, seed=str(seed), clock=clock) as served:
            connection = Connection(
                region="us-east-1",
                endpoint_url=served.endpoint_url,
                name_servers=served.name_servers,
            )
            options = rehearsal_options(scenario, Path(folder))
            return await start_run(
                common, reporter, connection, options, clock, rehearsal=scenario.name
            )
