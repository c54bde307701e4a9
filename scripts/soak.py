#!/usr/bin/env python3
"""Looks for a broken promise: rehearsals drawn from a seed, for as long as you like.

    uv run scripts/soak.py --minutes 10
    uv run scripts/soak.py --seed 7 --only 1234     # one of them, and what happened in it

Every run is the real engine on a simulated account, on virtual time, among faults: one in four is a
switch, the others are takeovers (`simulation.chaos.soak`). A violation is told at once, with the
command that repeats it. At the end: how many runs a minute, which faults struck how often, which of
the states of note were reached. Exits 1 where a promise was broken or a state was never reached.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING, NamedTuple

import structlog

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.switch.events import GreenFound, SwapRead, SwitchStarted
from route53_takeover.core.takeover import events as ev
from route53_takeover.simulation.chaos.soak import GOALS, drawn, soaked

if TYPE_CHECKING:
    from concurrent.futures import Future

    from route53_takeover.core.events import Event

_BATCH = 50


class Found(NamedTuple):
    """What a batch of runs came to."""

    runs: int
    broken: list[tuple[int, str]]
    outcomes: Counter[str]
    struck: Counter[str]
    sights: Counter[str]


def soak(seed: int, first: int, runs: int) -> Found:
    """Runs of one seed, from a number on."""
    quiet()
    found = Found(0, [], Counter(), Counter(), Counter())
    for number in range(first, first + runs):
        try:
            run = soaked(seed, number)
        except RefusedError:
            found.outcomes["refused"] += 1
            continue
        except Exception as error:  # noqa: BLE001 -- a defect: told, and the search goes on
            found.broken.append((number, f"raised {error!r}"))
            continue
        found.outcomes[run.outcome] += 1
        found.struck.update(run.struck)
        found.sights.update(str(sight) for sight in run.sights)
        found.broken.extend((number, promise) for promise in run.broken)
    return found._replace(runs=runs)


def search(seed: int, minutes: float, processes: int) -> int:
    """Runs until the time is over."""
    began = time.perf_counter()
    total = Found(0, [], Counter(), Counter(), Counter())
    first = 0
    with ProcessPoolExecutor(processes) as pool:
        waiting: set[Future[Found]] = set()
        while True:
            is_time = time.perf_counter() - began < 60 * minutes
            while is_time and len(waiting) < 2 * processes:
                waiting.add(pool.submit(soak, seed, first, _BATCH))
                first += _BATCH
            if not waiting:
                break
            done = next(as_completed(waiting))
            waiting.remove(done)
            found = done.result()
            for number, promise in found.broken:
                print(f"BROKEN {promise}\n  uv run scripts/soak.py --seed {seed} --only {number}")
            for counts, more in zip(total[2:], found[2:], strict=True):
                counts.update(more)
            total = total._replace(runs=total.runs + found.runs, broken=total.broken + found.broken)
            print(f"\r{total.runs} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return tell(seed, total, time.perf_counter() - began)


def tell(seed: int, total: Found, seconds: float) -> int:
    """What all of them came to, on stdout."""
    print(f"seed {seed}: {total.runs} runs, {60 * total.runs / seconds:.0f} a minute")
    print("outcomes:", ", ".join(f"{n} {what}" for what, n in total.outcomes.most_common()))
    print("faults that struck:")
    for what, number in total.struck.most_common():
        print(f"  {number:8} {what}")
    print("runs in which a state of note was reached:")
    for sight in GOALS:
        print(f"  {total.sights[str(sight)]:8} {sight}")
    unseen = [sight for sight in GOALS if not total.sights[str(sight)]]
    print(f"broken promises: {len(total.broken)}; states never reached: {len(unseen)}")
    return 1 if total.broken or unseen else 0


def retell(seed: int, number: int) -> int:
    """One run: its case, and everything that happened, in order."""
    quiet()
    print(drawn(seed, number))
    run = soaked(seed, number)
    began = run.events[0].time if run.events else 0.0
    for time_, line in sorted([*map(_of_event, run.events), *run.history]):
        print(f"{time_ - began:10.2f}  {line}")
    print(f"{run.outcome}: {run.reason}")
    for promise in run.broken:
        print(f"BROKEN {promise}")
    return 1 if run.broken else 0


def _of_event(event: Event) -> tuple[float, str]:
    fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "time"}
    if isinstance(event, ev.StackPolled):
        fields = {"": [f"{e.logical_id} {e.status} {e.physical_id}" for e in event.events]}
    if isinstance(event, ev.NameRead):
        fields = {"": [record.describe() for record in event.records]}
    if isinstance(event, ev.RunStarted | SwitchStarted | GreenFound):
        fields = {}
    if isinstance(event, SwapRead):
        fields = {"": f"{event.swap} {event.reading.side} {event.reading.shown}"}
    told = " ".join(f"{name}={value}" if name else f"{value}" for name, value in fields.items())
    return event.time, f"run: {type(event).__name__} {told}"


def quiet() -> None:
    """The faults of so many runs are no news."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def main() -> int:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description="Looks for a broken promise.")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="N", help="repeat this run, and tell it")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    if given.only is not None:
        return retell(given.seed, given.only)
    return search(given.seed, given.minutes, given.processes)


if __name__ == "__main__":
    sys.exit(main())
