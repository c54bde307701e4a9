"""Counts the failed answers of a client that asks every 20 ms, during takeovers over the wire.

    uv run scripts/failed_answers.py [--runs 20] [--speed 20] [--every 0.02]

For each strategy as many takeovers, each in a simulated account of its own, by real clients over
real HTTP. Meanwhile a client asks one of the zone's name servers for the record every 20 ms of real
time, in turn, with real DNS packets. An answer without a record (NXDOMAIN, NODATA) has failed. How
long the name went without one is given in the account's seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.asyncquery
import dns.message
import dns.rdatatype
from msgspec.structs import replace

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.cli.execution import start_run
from route53_takeover.core.plan.model import Strategy
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.simulation.scenarios import SCENARIOS
from route53_takeover.simulation.serve import rehearsal_options, scrub, serving
from route53_takeover.storage.config import Common, Connection

if TYPE_CHECKING:
    from route53_takeover.simulation.scenarios import Scenario
    from route53_takeover.simulation.serve import ServedAccount

CASES: dict[str, tuple[str, Strategy]] = {
    "delete": ("alias", Strategy.DELETE),
    "adopt": ("adopt", Strategy.ADOPT),
    "bridge": ("bridge", Strategy.BRIDGE),
    "bridge, alias": ("alias", Strategy.BRIDGE),
    "weighted": ("weighted", Strategy.WEIGHTED),
}


class Client:
    """Asks the name servers in turn, and counts."""

    def __init__(self, served: ServedAccount, name: str) -> None:
        self._servers = cycle(served.name_servers)
        self._query = dns.message.make_query(name, dns.rdatatype.A)
        self.asked = 0
        self.failed = 0

    async def ask_every(self, seconds: float) -> None:
        """Until it is cancelled."""
        while True:
            host, _, port = next(self._servers).rpartition(":")
            response = await dns.asyncquery.udp(self._query, host, port=int(port), timeout=5)
            self.asked += 1
            self.failed += not response.answer
            await asyncio.sleep(seconds)


async def take_over(
    scenario: Scenario, strategy: Strategy, seed: str, arguments: argparse.Namespace
) -> tuple[dict[str, Any], Client]:
    """One takeover; its result line, and the client that asked meanwhile."""
    clock = SystemClock(arguments.speed)
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        async with serving(scenario, seed=seed, clock=clock) as served:
            client = Client(served, scenario.record)
            asking = asyncio.create_task(client.ask_every(arguments.every))
            options = replace(rehearsal_options(scenario, Path(folder)), strategy=strategy)
            common = Common(state_dir=Path(folder) / "state", output="json", quiet=True)
            connection = Connection(
                region="us-east-1",
                endpoint_url=served.endpoint_url,
                name_servers=served.name_servers,
            )
            with redirect_stdout(out), redirect_stderr(io.StringIO()):
                await start_run(common, ConsoleReporter(common), connection, options, clock)
            asking.cancel()
    return json.loads(out.getvalue().splitlines()[-1]), client


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--every", type=float, default=0.02, help="seconds of real time")
    parser.add_argument("--only", choices=CASES)
    arguments = parser.parse_args()
    scrub(os.environ)
    print(f"{'strategy':16}{'done':>10}{'asked':>10}{'failed':>8}{'longest gap':>14}")
    for label, (name, strategy) in CASES.items():
        if arguments.only not in (None, label):
            continue
        done = asked = failed = 0
        gaps = [0.0]
        for number in range(arguments.runs):
            work = take_over(SCENARIOS[name], strategy, f"{label}{number}", arguments)
            result, client = asyncio.run(work)
            done += result["outcome"] == "done"
            asked, failed = asked + client.asked, failed + client.failed
            gaps += [record["gap_seconds"] or 0.0 for record in result["records"]]
        told = f"{done} of {arguments.runs}"
        print(f"{label:16}{told:>10}{asked:>10}{failed:>8}{max(gaps):>12.1f} s", flush=True)


if __name__ == "__main__":
    main()
