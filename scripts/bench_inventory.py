"""How long it takes to find out whose a record is, where AWS lets itself be asked only so fast.

Serves an account of many stacks in several regions on 127.0.0.1, its reads throttled by region and
operation, and reads it with the program's own session, call budgets and retries, in real time:

    uv run scripts/bench_inventory.py --stacks 300 --regions 3

The account answers at once, so this measures the rates; a real call takes some 0.1 s besides, of
which several are on their way at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from random import Random
from typing import TYPE_CHECKING

from route53_takeover.adapters import session
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.cloudformation import CloudFormationStacks
from route53_takeover.core.plan.model import OwnerCheck
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.simulation.aws.cloudformation import api
from route53_takeover.simulation.aws.cloudformation.stacks import ReadLimit, StackConfig, StackStore
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.timeline import Schedule
from route53_takeover.simulation.serve import scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

REGIONS = ("us-east-1", "eu-west-1", "ap-south-1", "eu-central-1", "us-west-2", "sa-east-1")
_PAST = 3600.0
_NAME = "www.example.com."


class Everywhere(CloudFormationStacks):
    """The stacks of an account on loopback, in more regions than the program would ask there."""

    regions: Sequence[str] = ()

    async def other_regions(self) -> Sequence[str]:
        return self.regions[1:]


def account(regions: Sequence[str], stacks: int, limit: ReadLimit) -> dict[str, StackStore]:
    """Stacks of a few resources each; one of them in five has a record, and the last owns ours."""
    clock = SystemClock()
    timeline = Schedule(clock.now() - _PAST)
    rng = Random(1)  # noqa: S311 -- a simulation
    zones = Zones(timeline, rng)
    zones.add_zone("example.com", zone_id="Z1")
    made = {
        region: StackStore(timeline, zones, rng, config=StackConfig(region=region, reads=limit))
        for region in regions
    }
    for number in range(stacks):
        resources: dict[str, object] = {f"R{n}": {"Type": "Custom::Thing"} for n in range(8)}
        if number % 5 == 0 or number == stacks - 1:
            name = _NAME if number == stacks - 1 else f"h{number}.example.com"
            properties: dict[str, object] = {
                "Name": name,
                "Type": "CNAME",
                "TTL": "60",
                "ResourceRecords": ["x."],
            }
            properties["HostedZoneId"] = "Z1"
            resources["Dns"] = {"Type": "AWS::Route53::RecordSet", "Properties": properties}
        there = made[regions[number % len(regions)]]
        there.create_stack(f"app-{number}", {"Resources": resources})
    timeline.advance(clock.now())
    return made


async def measure(regions: Sequence[str], stacks: int, limit: ReadLimit) -> int:
    """Reads such an account over the wire, and prints what it took."""
    made = account(regions, stacks, limit)
    clock = SystemClock()
    timeline = made[regions[0]].timeline
    home = {"cloudformation": api.operations(made[regions[0]]), "route53": {}}
    server = AccountServer(home, before=lambda: timeline.advance(clock.now()))
    server.abroad = {r: {"cloudformation": api.operations(made[r])} for r in regions[1:]}
    credentials = session.Credentials(region=regions[0], endpoint_url=await server.start())
    try:
        async with session.AwsSession(credentials, clock) as aws:
            there = Everywhere(aws)
            there.regions = regions
            inventory = Inventory(
                there, clock, region=regions[0], tell=lambda text: print(text, file=sys.stderr)
            )
            began = clock.now()
            found = await inventory.beside((), [_NAME], OwnerCheck.FULL)
            took = clock.now() - began
            calls = dict(sorted(aws.calls.items()))
    finally:
        await server.stop()
    refused = sum(each.reads.refused for each in made.values())
    owners = ", ".join(one.stack.stack_name for one in found.records) or "none"
    print(f"{stacks} stacks in {len(regions)} regions at {limit.rate:g} calls/s: {took:.1f} s")
    print(f"owner: {owners}; could not be read: {len(found.unasked)}; throttled: {refused}")
    print(f"calls: {calls}")
    return 0 if took < 60 and owners == f"app-{stacks - 1}" and not found.unasked else 1


def main() -> int:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description="Time an inventory of many stacks.")
    parser.add_argument("--stacks", type=int, default=300)
    parser.add_argument("--regions", type=int, default=3, choices=range(1, len(REGIONS) + 1))
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second, by operation")
    parser.add_argument("--burst", type=int, default=20)
    asked = parser.parse_args()
    scrub(os.environ)
    limit = ReadLimit(rate=asked.rate, burst=asked.burst)
    return asyncio.run(measure(REGIONS[: asked.regions], asked.stacks, limit))


if __name__ == "__main__":
    sys.exit(main())
