"""Serves the simulated account of a scenario on 127.0.0.1 until it is told to stop.

Prints one JSON line: the endpoint, the name servers, and what a takeover in it would be called
with. The end-to-end tests start it as a process of its own; so can anybody who wants to try the
AWS CLI or boto3 on it:

    uv run scripts/simulated_account.py --scenario nested
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.sim.rehearse import rehearsal_options, serving
from route53_takeover.sim.scenarios import DEFAULT, find_scenario


async def serve(name: str, seed: str, speed: float, folder: Path) -> None:
    """Serves until SIGINT or SIGTERM."""
    scenario = find_scenario(name)
    options = rehearsal_options(scenario, folder)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serving(scenario, seed=seed, clock=SystemClock(speed)) as served:
        line = {
            "endpoint_url": served.endpoint_url,
            "name_servers": list(served.name_servers),
            "zone_id": served.world.zone.zone_id,
            "stack": options.stack,
            "record": scenario.record,
            "deploy": options.deploy_on,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        await stopped.wait()


def main() -> None:
    """Reads the arguments and serves."""
    parser = argparse.ArgumentParser(description="Serve a simulated account on loopback.")
    parser.add_argument("--scenario", default=DEFAULT)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--speed", type=float, default=1.0, help="simulated seconds a real one")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="for the template's file")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(arguments.scenario, arguments.seed, arguments.speed, arguments.folder))


if __name__ == "__main__":
    main()
