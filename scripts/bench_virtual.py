#!/usr/bin/env python3
"""Measures the CPU time of rehearsals on virtual time, alone or against an older checkout.

    uv run scripts/bench_virtual.py --runs 300
    uv run scripts/bench_virtual.py --runs 300 --against ../older-checkout

With ``--against`` the two checkouts take turns, each in a process of its own and with the same
seeds, so that the ratio holds on a busy machine. It also compares what the runs came to: journals,
results, broken promises, faults and states reached. Exits 1 where they differ.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import structlog
from msgspec.structs import replace

from route53_takeover.base.errors import RefusedError
from route53_takeover.simulation.chaos.runner import rehearse_many
from route53_takeover.simulation.chaos.search import soak_once
from route53_takeover.storage.journal_format import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.simulation.chaos.oracle import Rehearsal

HERE = Path(__file__).parents[1]
_ROUNDS = 5
_CHUNK = 10
"""Runs that are measured, and compared, as one."""


class Measured(NamedTuple):
    """One process: of every chunk of runs the user CPU seconds, and a digest."""

    events: int
    seconds: list[float]
    digests: list[str]


def rehearsals(kind: str, seed: int, first: int, runs: int) -> Iterator[Rehearsal | None]:
    """The runs of ``rehearse --virtual``, or of the soak; ``None`` for a plan that is refused."""
    if kind == "rehearse":
        yield from rehearse_many(first + runs, seed, None)
        return
    for number in range(first, first + runs):
        try:
            yield soak_once(seed, number)
        except RefusedError:
            yield None


def digest(rehearsal: Rehearsal | None) -> bytes:
    """What a run came to: its journal byte for byte, and what was found true of it."""
    if rehearsal is None:
        return b"refused"
    lines = b"".join(encode(n + 1, event) for n, event in enumerate(rehearsal.events))
    told = (
        rehearsal.result,
        replace(rehearsal.state, in_flight=frozenset()),  # a set of structs has no order of its own
        sorted(map(repr, rehearsal.state.in_flight)),
        rehearsal.absent,
        rehearsal.broken,
        rehearsal.gap_seconds,
        rehearsal.lives,
        sorted(rehearsal.struck.items()),
        sorted(rehearsal.sights),
        rehearsal.history,
    )
    return lines + repr(told).encode()


def work(kind: str, seed: int, runs: int) -> Measured:
    """Runs them in this process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    list(rehearsals(kind, seed + 1, 0, 3))  # what is only done once is no run's
    seconds, events, digests = [0.0], 0, []
    runs_left = iter(rehearsals(kind, seed, 0, runs))
    sums = hashlib.sha256()
    for number in range(runs):
        began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        rehearsal = next(runs_left)
        seconds[-1] += resource.getrusage(resource.RUSAGE_SELF).ru_utime - began
        events += len(rehearsal.events) if rehearsal else 0
        sums.update(digest(rehearsal))
        if (number + 1) % _CHUNK == 0 or number + 1 == runs:
            digests.append(sums.hexdigest()[:12])
            seconds.append(0.0)
    return Measured(events, seconds, digests)


def measure(checkout: Path, arguments: argparse.Namespace) -> Measured:
    """The same in a process of its own, by the code of a checkout."""
    command = [sys.executable, __file__, "--work", "--kind", arguments.kind]
    command += ["--seed", str(arguments.seed), "--runs", str(arguments.runs)]
    # A template's sets are written to the journal in the order that the hash seed gives them.
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return Measured(*json.loads(done.stdout))


def main() -> int:
    """Measures, and compares where there is something to compare with."""
    parser = argparse.ArgumentParser(description="CPU time of rehearsals on virtual time.")
    parser.add_argument("--kind", choices=("rehearse", "soak"), default="rehearse")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        print(json.dumps(work(arguments.kind, arguments.seed, arguments.runs)))
        return 0
    checkouts = [HERE] if arguments.against is None else [arguments.against.resolve(), HERE]
    found: dict[Path, list[Measured]] = {checkout: [] for checkout in checkouts}
    for _ in range(arguments.rounds):
        for checkout in checkouts:
            found[checkout].append(measure(checkout, arguments))
    # Of each chunk the round in which least else was going on.
    best = {
        checkout: sum(map(min, zip(*(m.seconds for m in ms), strict=True)))
        for checkout, ms in found.items()
    }
    for checkout, seconds in best.items():
        events = found[checkout][0].events
        each = f"{1000 * seconds / arguments.runs:.2f} ms a run"
        print(f"{checkout}: {seconds:.2f} s of user CPU, {each}, {events} events")
    if arguments.against is None:
        return 0
    print(f"ratio {best[HERE] / best[checkouts[0]]:.3f}")
    old, new = (found[checkout][0].digests for checkout in checkouts)
    unlike = next(
        (n for n, pair in enumerate(zip(old, new, strict=True)) if len({*pair}) > 1), None
    )
    if unlike is None:
        print("every run is the same")
        return 0
    print(f"runs differ from {unlike * _CHUNK} on")
    return 1


if __name__ == "__main__":
    sys.exit(main())
