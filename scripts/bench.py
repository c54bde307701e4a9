"""Measures a takeover on the simulated account over the wire, beside a plain polling loop.

    uv run scripts/bench.py [--names 12] [--minutes 10] [--speed 10] [--runs 3]

Six things, in one run on one machine, so that the ratios mean something:

1. from the end of the hold to the arrival of the DELETE at the account, fsync of the intent
   included (one run, ``--names`` records released one after the other, in real time);
2. the gap against the record handler's own schedule of tries: what a takeover adds to it;
3. API calls by operation for a deploy of ``--minutes`` of a stack with one nested stack;
4. the CPU time of ``--help``, beside that of ``import typer``, which it cannot do without;
5. the CPU time of a thousand rehearsals on virtual time;
6. every strategy beside the plain loop, in one table (`bench_strategies.py`).

The plain loop is what people write: boto3, all events of root and child every 5 s, delete when the
record's CREATE_IN_PROGRESS shows.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.cli.execution import start_run
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet, normal_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.step import step
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.simulation.aws.account import AccountSetup
from route53_takeover.simulation.aws.cloudformation.record_handler import RecordHandlerConfig
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig
from route53_takeover.simulation.chaos.runner import percentiles
from route53_takeover.simulation.scenarios import Scenario
from route53_takeover.simulation.serve import rehearsal_options, scrub, serving
from route53_takeover.storage.config import Common, Connection
from route53_takeover.storage.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.serve import ServedAccount

_CLOUDFRONT = "Z2FDTNDATAQYW2"
_POLL = 5.0


def record_name(number: int) -> str:
    return f"r{number}.example.com"


def record(number: int, *after: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Route53::RecordSet",
        "Condition": "Enabled",
        "DependsOn": ["Site", *after],
        "Properties": {
            "HostedZoneName": "example.com.",
            "Name": record_name(number),
            "Type": "A",
            "AliasTarget": {"HostedZoneId": _CLOUDFRONT, "DNSName": "d1new.cloudfront.net"},
        },
    }


def inert(seconds: float, *after: str) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFront::Distribution",
        "DependsOn": list(after),
        "Properties": {"Comment": {"Fn::Sub": "switch ${Route53Enable}"}},
        "Metadata": {"Simulation": {"Seconds": seconds}},
    }


def scenario(names: int, minutes: float) -> Scenario:
    """``names`` records one after the other in a nested stack; ``minutes`` of deploy around them.

    Half of the time passes before the records and half after them.
    """
    chain = {f"Record{n}": record(n, *([f"Record{n - 1}"] if n else [])) for n in range(names)}
    head = {
        "Parameters": {"Route53Enable": {"Type": "String", "Default": "false"}},
        "Conditions": {"Enabled": {"Fn::Equals": [{"Ref": "Route53Enable"}, "true"]}},
    }
    child = head | {"Resources": {"Site": inert(minutes * 30.0), **chain}}
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": "https://example.com/site.json",
            "Parameters": {"Route53Enable": {"Ref": "Route53Enable"}},
        },
        "Metadata": {"Simulation": {"Template": child}},
    }
    template = head | {"Resources": {"Child": nested, "After": inert(minutes * 30.0, "Child")}}
    existing = tuple(
        RecordSet(
            name=normal_name(record_name(n)),
            type="A",
            alias=AliasTarget(zone_id=_CLOUDFRONT, dns_name="d1old.cloudfront.net."),
        )
        for n in range(names)
    )
    return Scenario(
        name="bench",
        summary="",
        account=AccountSetup(
            zone="example.com",
            existing=existing,
            stack="shop",
            template=template,
            exists=True,
            config=StackConfig(
                records=RecordHandlerConfig(
                    retry_delays=(1, 2, 4, 8, 15, 30, 30), insync_seconds=2.0
                )
            ),
        ),
        outcome=Outcome.DONE,
        exit_code=0,
    )


# -- the account, in a process of its own


async def serve(served_scenario: Scenario, speed: float) -> None:
    """Serves an account until SIGTERM; prints its addresses, and at the end what happened."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with serving(served_scenario, seed="bench", clock=SystemClock(speed)) as served:
        print(json.dumps([served.endpoint_url, *served.name_servers]), flush=True)
        seconds: list[int] = []
        counting = asyncio.create_task(_count_seconds(served, seconds))
        await stopped.wait()
        counting.cancel()
        print(json.dumps(_truth(served) | {"route53": seconds}), flush=True)


async def _count_seconds(served: ServedAccount, seconds: list[int]) -> None:
    """How often Route 53 was called in each second."""
    before = 0
    while True:
        await asyncio.sleep(1.0)
        calls = sum(n for name, n in served.calls.items() if name.startswith("route53:"))
        seconds.append(calls - before)
        before = calls


def _truth(served: ServedAccount) -> dict[str, Any]:
    """When each release arrived, when the handler would have tried next, when it was created."""
    world = served.world
    deletes: dict[str, float] = {}
    created: dict[str, float] = {}
    for change in world.zones.history:
        for action, record in change.changes:
            name = record.key.name
            if action == "DELETE" and len(change.changes) == 1:
                deletes[name] = change.time
            if action == "CREATE" and change.by == "cloudformation":
                created[name] = change.time
    return {
        "deletes": deletes,
        "created": created,
        "attempts": [
            (normal_name(record_name(int(a.logical_id.removeprefix("Record")))), a.time, a.outcome)
            for a in world.stacks.attempts
        ],
    }


@contextmanager
def account(what: str) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """A served account: its addresses, and a dictionary that is filled when it ends.

    Args:
        what: what the script that runs takes as ``--serve``.
    """
    command = [sys.executable, sys.argv[0], "--serve", what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 -- it is a pipe
        truth: dict[str, Any] = {}
        try:
            yield json.loads(process.stdout.readline()), truth
        finally:
            process.send_signal(signal.SIGTERM)
            select.select([process.stdout], [], [], 10)
            truth.update(json.loads(process.stdout.readline() or "{}"))


# -- the two contestants


def take_over(addresses: list[str], taken: Scenario, speed: float) -> dict[str, Any]:
    """A takeover by this program; its result line and its journal."""
    endpoint, *name_servers = addresses
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        made = rehearsal_options(taken, Path(folder))
        options = type(made)(
            stack=made.stack, records=taken.records, deploy_on=made.deploy_on, settle=2.0
        )
        common = Common(state_dir=Path(folder) / "state", output="json", quiet=True)
        connection = Connection(
            region="us-east-1", endpoint_url=endpoint, name_servers=tuple(name_servers)
        )
        with redirect_stdout(out), redirect_stderr(io.StringIO()):
            asyncio.run(
                start_run(common, ConsoleReporter(common), connection, options, SystemClock(speed))
            )
        result: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
        journal = Path(folder) / "state" / "runs" / result["run"] / "journal.jsonl"
        return {"result": result, "events": read_journal(journal)}


def plain_loop(addresses: list[str], speed: float) -> dict[str, int]:
    """What people write: polls everything every 5 s, deletes when it sees the record's create."""
    endpoint = addresses[0]
    calls: dict[str, int] = {}

    def call(client: Any, operation: str, **arguments: Any) -> Any:  # noqa: ANN401 -- any call
        calls[operation] = calls.get(operation, 0) + 1
        return getattr(client, operation)(**arguments)

    options: dict[str, Any] = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    cloudformation = boto3.client("cloudformation", **options)
    route53 = boto3.client("route53", **options)
    zone = call(route53, "list_hosted_zones")["HostedZones"][0]["Id"]
    stacks = ["shop"]
    listed = call(cloudformation, "list_stack_resources", StackName="shop")
    stacks += [
        resource["PhysicalResourceId"]
        for resource in listed["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::CloudFormation::Stack"
    ]
    call(
        cloudformation,
        "update_stack",
        StackName="shop",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Route53Enable", "ParameterValue": "true"}],
    )
    released: set[str] = set()
    while True:
        time.sleep(_POLL / speed)  # noqa: TID251 -- the plain loop is plain
        for stack in stacks:
            for page in cloudformation.get_paginator("describe_stack_events").paginate(
                StackName=stack
            ):
                calls["describe_stack_events"] = calls.get("describe_stack_events", 0) + 1
                for event in page["StackEvents"]:
                    name = event["LogicalResourceId"]
                    if (
                        event["ResourceType"] == "AWS::Route53::RecordSet"
                        and event["ResourceStatus"] == "CREATE_IN_PROGRESS"
                        and name not in released
                    ):
                        released.add(name)
                        wanted = json.loads(event["ResourceProperties"])["Name"]
                        found = call(
                            route53,
                            "list_resource_record_sets",
                            HostedZoneId=zone,
                            StartRecordName=wanted,
                            MaxItems="1",
                        )["ResourceRecordSets"][0]
                        change = {"Action": "DELETE", "ResourceRecordSet": found}
                        call(
                            route53,
                            "change_resource_record_sets",
                            HostedZoneId=zone,
                            ChangeBatch={"Changes": [change]},
                        )
        described = call(cloudformation, "describe_stacks", StackName="shop")["Stacks"][0]
        if not described["StackStatus"].endswith("_IN_PROGRESS"):
            return calls


# -- what came of it


def hold_to_delete(events: list[ev.AnyEvent], truth: dict[str, Any]) -> list[float]:
    """Milliseconds from the end of each hold to the DELETE's arrival at the account."""
    found = []
    state: State | None = None
    for event in events:
        if isinstance(event, ev.WriteIntended) and event.purpose is ev.Purpose.RELEASE and state:
            since = next(
                r.since
                for stack in state.stacks.values()
                for r in stack.records.values()
                if r.desired and r.desired.record.key.name == event.name
            )
            found.append(1000 * (truth["deletes"][event.name] - since - 2.0))
        state, _ = step(state, event)
    return found


def added_to_schedule(truth: dict[str, Any]) -> tuple[list[float], list[float]]:
    """For each record: the gap, and the part of it that the handler's next try cannot explain."""
    gaps, waited = [], []
    for name, deleted in truth["deletes"].items():
        gap = truth["created"][name] - deleted
        tries = [t for n, t, _ in truth["attempts"] if n == name and t >= deleted]
        gaps.append(gap)
        waited.append(gap - (min(tries) - deleted))
    return gaps, waited


def cpu_seconds(*words: str | Path, times: int = 5) -> float:
    """The least CPU time of some runs of a command."""
    spent = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(spent)


def _shown(values: list[float], unit: str) -> str:
    return ", ".join(f"{key} {value:.2f} {unit}" for key, value in percentiles(values).items())


def main() -> None:
    """Runs the measurements and prints them."""
    from bench_strategies import print_table  # noqa: PLC0415 -- it imports this module

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--names", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=3, help="of each strategy")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        names, minutes, speed = arguments.serve.split(",")
        asyncio.run(serve(scenario(int(names), float(minutes)), float(speed)))
        return
    scrub(os.environ)

    chain, what = scenario(arguments.names, 0.05), f"{arguments.names},0.05,1.0"
    with account(what) as (addresses, truth):
        ours = take_over(addresses, chain, 1.0)
    outcome = ours["result"]["outcome"]
    latencies = hold_to_delete(ours["events"], truth)
    print(f"{arguments.names} records, one after the other, in real time: {outcome}")
    print(f"  end of hold -> DELETE at the account: {_shown(latencies, 'ms')}")
    gaps, waited = added_to_schedule(truth)
    print(f"  gap: {_shown(gaps, 's')}")
    print(f"  of it not explained by the handler's next try: {_shown(waited, 's')}")
    with account(what) as (addresses, plain_truth):
        plain_loop(addresses, 1.0)
    plain_gaps, _ = added_to_schedule(plain_truth)
    ratio = sum(plain_gaps) / max(sum(gaps), 1e-9)
    print(f"  a plain loop that polls every 5 s: gap {_shown(plain_gaps, 's')}")
    print(f"  ratio of the gaps, plain loop : this program = {ratio:.2f}")

    what = f"1,{arguments.minutes},{arguments.speed}"
    with account(what) as (addresses, _):
        long = take_over(addresses, scenario(1, arguments.minutes), arguments.speed)
    calls = long["result"]["api_calls"]
    outcome = long["result"]["outcome"]
    print(f"\n{arguments.minutes:g} min deploy, root and one child: {outcome}")
    for operation, number in calls.items():
        print(f"  {number:5} {operation}")
    total = sum(calls.values())
    with account(what) as (addresses, _):
        plain = sum(plain_loop(addresses, arguments.speed).values())
    print(f"  {total:5} in all (aim: under 500); plain loop {plain}; ratio {total / plain:.2f}")

    shown = cpu_seconds(Path(sys.executable).with_name("route53-takeover"), "run", "--help")
    typer = cpu_seconds(sys.executable, "-c", "import typer")
    print(f"\nrun --help: {shown:.2f} s of CPU; import typer alone {typer:.2f} s")
    rehearse = ("rehearse", "--virtual", "--runs", "1000", "--output", "json", "--quiet")
    spent = cpu_seconds(Path(sys.executable).with_name("route53-takeover"), *rehearse, times=1)
    print(f"1000 rehearsals on virtual time: {spent:.1f} s of CPU (aim: under 60)\n")
    print_table(arguments.runs, arguments.speed)


if __name__ == "__main__":
    main()
