"""Measure a plan in a zone of many record sets: list calls, and the program's own CPU time.

Serves a simulated account with such a zone on 127.0.0.1 and runs ``plan`` on it as a process of its
own:

    uv run scripts/bench_big_zone.py --records 10000

Exits 1 where the plan takes more than 3 s of CPU, or 10 list calls or more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shlex
import sys
import tempfile
from pathlib import Path

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.simulation.scenarios import DEFAULT, find_scenario
from route53_takeover.simulation.serve import rehearsal_options, scrub, serving

MOST_CPU, MOST_CALLS = 3.0, 10
LIST = "route53:ListResourceRecordSets"


async def measure(records: int, scenario_name: str) -> int:
    """Runs the plan, prints what it took."""
    scenario = find_scenario(scenario_name)
    clock = SystemClock()
    async with serving(scenario, seed="1", clock=clock) as served:
        zone = served.world.zone
        for number in range(records - len(zone.records)):
            name = f"h{number:06d}.{zone.name}"
            made = RecordSet(name=name, type="A", ttl=60, values=("192.0.2.1",))
            zone.records[made.key] = made
        with tempfile.TemporaryDirectory() as folder:
            options = rehearsal_options(scenario, Path(folder))
            command = [sys.executable, "-m", "route53_takeover", "plan", "--output=json"]
            command += [f"--stack={options.stack}", f"--record={options.records[0]}"]
            command += [f"--deploy={options.deploy_on}", "--region=us-east-1"]
            command += [f"--endpoint-url={served.endpoint_url}", f"--state-dir={folder}/state"]
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            out, _ = await process.communicate()
        if process.returncode:
            print(f"exit {process.returncode}: {shlex.join(command)}", file=sys.stderr)
            return 1
    plan = json.loads(out)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    calls = served.calls[LIST]
    print(f"{records} record sets: {cpu:.2f} s of CPU, {calls} list calls")
    print(*(text for text in plan["warnings"] if "were read" in text), sep="\n")
    return 0 if cpu < MOST_CPU and calls < MOST_CALLS else 1


def main() -> int:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description="Measure a plan in a large zone.")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--scenario", default=DEFAULT)
    asked = parser.parse_args()
    scrub(os.environ)
    return asyncio.run(measure(asked.records, asked.scenario))


if __name__ == "__main__":
    sys.exit(main())
