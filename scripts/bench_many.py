"""Measures one takeover of many names: the cost of a step, the calls, hold-end to DELETE.

    uv run scripts/bench_many.py [--names 100] [--every 0.25] [--profile]

1. On virtual time: CPU time of the whole run, and of each event in the machine (step and polls).
2. Over the wire, in real time, against the simulated account in a process of its own: from the end
   of each record's hold to the arrival of its DELETE, and the most calls of Route 53 in any second.

The records are created side by side in one stack, one each ``--every`` seconds. An account takes
five calls of Route 53 a second, and one ChangeResourceRecordSets at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

import bench
from route53_takeover.core.takeover.polling import polls
from route53_takeover.core.takeover.step import step
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import percentiles, rehearse_once
from route53_takeover.simulation.serve import scrub

if TYPE_CHECKING:
    from route53_takeover.simulation.scenarios import Scenario


def side_by_side(names: int, every: float) -> Scenario:
    """The records in one stack, each of which waits for a resource of its own."""
    chained = bench.scenario(names, 0.0)
    resources = {}
    for n in range(names):
        resources[f"Site{n}"] = bench.inert(3.0 + n * every)
        resources[f"Record{n}"] = {**bench.record(n), "DependsOn": [f"Site{n}"]}
    template = {
        "Parameters": {"Route53Enable": {"Type": "String", "Default": "false"}},
        "Conditions": {"Enabled": {"Fn::Equals": [{"Ref": "Route53Enable"}, "true"]}},
        "Resources": resources,
    }
    return replace(
        chained,
        account=replace(chained.account, template=template),
        record=bench.record_name(0),
        more=tuple(bench.record_name(n) for n in range(1, names)),
    )


def virtual(scenario: Scenario, *, profile: bool) -> None:
    began = time.process_time()
    run = rehearse_once(scenario, "many", Faults())
    print(f"virtual: {run.result.outcome}, {time.process_time() - began:.1f} s of CPU")
    state, spent = None, []
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    for event in run.events:
        started = time.process_time()
        state, _ = step(state, event)
        polls(state)
        spent.append(1000 * (time.process_time() - started))
    profiler.disable()
    shown = {key: round(value, 2) for key, value in percentiles(spent).items()}
    print(f"  {len(spent)} events, {sum(spent) / 1000:.1f} s; ms of CPU for one: {shown}")
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def over_the_wire(names: int, every: float) -> None:
    scenario = side_by_side(names, every)
    with bench.account(f"many,{names},{every}") as (addresses, truth):
        began = time.process_time()
        ours = bench.take_over(addresses, scenario, 1.0)
        spent = time.process_time() - began
    result = ours["result"]
    late = bench.hold_to_delete(ours["events"], truth)
    gaps, _ = bench.added_to_schedule(truth)
    seconds = sorted(truth["route53"], reverse=True)
    elapsed = ours["events"][-1].time - ours["events"][0].time
    print(f"over the wire: {result['outcome']} in {elapsed:.0f} s, {spent:.1f} s of CPU")
    print(f"  {json.dumps(result['api_calls'])}")
    print(f"  Route 53 calls in one second: most {seconds[:3]}, mean {sum(seconds) / elapsed:.1f}")
    print(f"  end of hold -> DELETE, ms: {percentiles(late)} ({len(late)} releases)")
    print(f"  gap, s: {percentiles(gaps)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--names", type=int, default=100)
    parser.add_argument("--every", type=float, default=0.25)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--only", choices=("virtual", "wire"))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        _, names, every = arguments.serve.split(",")
        asyncio.run(bench.serve(side_by_side(int(names), float(every)), 1.0))
        return
    scrub(os.environ)
    if arguments.only != "wire":
        scenario = side_by_side(arguments.names, arguments.every)
        virtual(scenario, profile=arguments.profile)
    if arguments.only != "virtual":
        over_the_wire(arguments.names, arguments.every)


if __name__ == "__main__":
    main()
