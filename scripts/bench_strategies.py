"""Measures every strategy beside a plain polling loop: failed answers, gap, calls, time.

    uv run scripts/bench_strategies.py [--runs 20] [--speed 10] [--every 0.02] [--only bridge]

`bench.py` prints the same table for fewer runs. Why a run did not end `done` is on stderr.

For each as many takeovers, each in a simulated account of its own, by real clients over real HTTP.
Meanwhile a client asks one of the zone's name servers for the record every 20 ms of real time, in
turn, with real DNS packets. An answer without a record (NXDOMAIN, NODATA) has failed. The gap (the
longest), the calls and the time (their means) are the account's. The plain loop is that of
`bench.py`: what people write.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dns.asyncquery
import dns.message
import dns.rdatatype
from msgspec.structs import replace

from bench import plain_loop
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.cli.execution import start_run
from route53_takeover.core.plan.model import Strategy
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.simulation.scenarios import SCENARIOS
from route53_takeover.simulation.serve import rehearsal_options, scrub, serving
from route53_takeover.storage.config import Common, Connection

if TYPE_CHECKING:
    from route53_takeover.simulation.serve import ServedAccount

EVERY = 0.02
PLAIN = "plain loop"
CASES: dict[str, tuple[str, Strategy]] = {
    PLAIN: ("nested", Strategy.DELETE),
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
        self.is_over = False

    async def ask_every(self, seconds: float) -> None:
        """Until it is over. It is not cancelled: dnspython may lose that (`asyncio.wait_for`)."""
        while not self.is_over:
            host, _, port = next(self._servers).rpartition(":")
            response = await dns.asyncquery.udp(self._query, host, port=int(port), timeout=5)
            self.asked += 1
            self.failed += not response.answer
            await asyncio.sleep(seconds)


class Outcome(NamedTuple):
    """What came of one takeover. Seconds are the account's."""

    done: bool
    asked: int
    failed: int
    gap: float
    calls: int
    seconds: float


async def carry_out(label: str, served: ServedAccount, clock: SystemClock) -> tuple[bool, int]:
    """One takeover in an account that is served; whether it ended `done`, and its API calls."""
    if label == PLAIN:
        made = await asyncio.to_thread(plain_loop, [served.endpoint_url], clock.speed)
        return True, sum(made.values())
    name, strategy = CASES[label]
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        options = replace(rehearsal_options(SCENARIOS[name], Path(folder)), strategy=strategy)
        common = Common(state_dir=Path(folder) / "state", output="json", quiet=True)
        connection = Connection(
            region="us-east-1",
            endpoint_url=served.endpoint_url,
            name_servers=served.name_servers,
        )
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            await start_run(common, ConsoleReporter(common), connection, options, clock)
    result = json.loads(out.getvalue().splitlines()[-1])
    if result["outcome"] != "done":
        print(f"{label}: {result['outcome']}: {result['reason']}", file=sys.stderr)
    return result["outcome"] == "done", sum(result["api_calls"].values())


async def take_over(label: str, seed: str, speed: float, every: float) -> Outcome:
    """One takeover, while a client asks."""
    scenario = SCENARIOS[CASES[label][0]]
    clock = SystemClock(speed)
    async with serving(scenario, seed=seed, clock=clock) as served:
        client = Client(served, scenario.record)
        asking = asyncio.create_task(client.ask_every(every))
        began = clock.now()
        done, calls = await carry_out(label, served, clock)
        seconds = clock.now() - began
        client.is_over = True
        await asking
        gaps = served.world.zones.absences(served.world.zone.zone_id, scenario.record)
    gap = sum((clock.now() if end is None else end) - start for start, end in gaps)
    return Outcome(done, client.asked, client.failed, gap, calls, seconds)


def row(label: str, outcomes: list[Outcome]) -> str:
    """One line of the table."""
    told = f"{sum(o.done for o in outcomes)} of {len(outcomes)}"
    calls = sum(o.calls for o in outcomes) / len(outcomes)
    seconds = sum(o.seconds for o in outcomes) / len(outcomes)
    return (
        f"{label:16}{told:>10}{sum(o.asked for o in outcomes):>10}"
        f"{sum(o.failed for o in outcomes):>8}{max(o.gap for o in outcomes):>10.1f} s"
        f"{calls:>8.0f}{seconds:>8.0f} s"
    )


def print_table(runs: int, speed: float, every: float = EVERY, only: str | None = None) -> None:
    """Makes so many takeovers of each kind, and prints a line for each."""
    heads = ("done", "asked", "failed", "gap", "calls", "time")
    widths = (10, 10, 8, 12, 8, 10)
    print(f"{'':16}" + "".join(f"{h:>{w}}" for h, w in zip(heads, widths, strict=True)))
    for label in CASES if only is None else (only,):
        outcomes = [
            asyncio.run(take_over(label, f"{label}{number}", speed, every))
            for number in range(runs)
        ]
        print(row(label, outcomes), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=EVERY, help="seconds of real time")
    parser.add_argument("--only", choices=CASES)
    arguments = parser.parse_args()
    scrub(os.environ)
    print_table(arguments.runs, arguments.speed, arguments.every, arguments.only)


if __name__ == "__main__":
    main()
