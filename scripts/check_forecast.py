#!/usr/bin/env python3
"""Holds the plan's forecast against simulated caching resolvers, over many virtual runs.

    uv run scripts/check_forecast.py --runs 1000

Each run is a takeover in the simulated account, on virtual time. When each name server had no
answer is the account's own history; resolvers with several TTLs and negative TTLs live through it.
Prints one table: the share of resolvers that the gap reached and the seconds without an answer for
an average user, measured and as forecast for the gap that was measured at the name servers. Exits 1
where they differ by more than 10 %.
"""

from __future__ import annotations

import argparse
import sys
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct
from msgspec.structs import astuple

from route53_takeover.core.plan.harm import affected_share, harmed_seconds
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.resolvers import ask_resolvers
from route53_takeover.simulation.scenarios import NAME, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.resolvers import Intervals

SHARES = {"alias": 0.6, "never-created": 0.2, "adopt": 0.07, "bridge": 0.07, "weighted": 0.06}
"""Scenario -> its share of the runs."""
GAPLESS = ("adopt", "bridge", "weighted")
CASES = ((60, 900), (60, 60), (60, 5), (300, 900), (3600, 900))
"""TTL and negative TTL of the resolvers' answers, in seconds."""
WITHIN = 0.1
_RESOLVERS_A_SECOND = 10
"""Resolvers for each second of the TTL: as many then ask in a gap, whatever the TTL."""


class Sum(Struct):
    """Of all runs of one scenario and one case; pairs are what was measured and the forecast."""

    runs: int = 0
    shares: tuple[float, float] = (0.0, 0.0)
    harmed: tuple[float, float] = (0.0, 0.0)
    gap_api: float = 0.0
    gap_dns: float = 0.0


def absences(scenario: str, seed: str) -> tuple[float, list[Intervals]]:
    """Rehearses once; returns the gap by the API, and of each name server its gaps."""
    seen: list[Harness] = []
    rehearsal = rehearse_once(SCENARIOS[scenario], seed, Faults(), begin=seen.append)
    world = seen[0].world
    told = [
        world.zones.absences(world.zone.zone_id, NAME, server=server)
        for server in range(len(world.zone.name_servers))
    ]
    now = world.timeline.now
    return rehearsal.gap_seconds, [
        [(began, now if ended is None else ended) for began, ended in each] for each in told
    ]


def rehearsed(runs: int, seed: int) -> dict[tuple[str, int, int], Sum]:
    """The sums of all runs."""
    sums: dict[tuple[str, int, int], Sum] = {}
    for scenario, part in SHARES.items():
        for number in range(round(runs * part)):
            gap, gaps = absences(scenario, f"{seed}/{number}")
            lengths = [sum(ended - began for began, ended in each) for each in gaps]
            for ttl, negative in CASES[:1] if scenario in GAPLESS else CASES:
                asked = ask_resolvers(
                    gaps,
                    resolvers=_RESOLVERS_A_SECOND * ttl,
                    ttl=ttl,
                    negative_ttl=negative,
                    rng=Random(f"{seed}/{number}/{ttl}/{negative}"),  # noqa: S311 -- a simulation
                )
                total = sums.setdefault((scenario, ttl, negative), Sum())
                total.runs += 1
                total.gap_api += gap
                total.gap_dns += fmean(lengths)
                share = fmean(affected_share(each, ttl) for each in lengths)
                harm = fmean(harmed_seconds(each, ttl, negative) for each in lengths)
                one, other = total.shares
                total.shares = (one + asked.affected / asked.resolvers, other + share)
                one, other = total.harmed
                total.harmed = (one + asked.unanswered / asked.resolvers, other + harm)
    return sums


def rows(sums: dict[tuple[str, int, int], Sum]) -> Iterator[tuple[str, bool]]:
    """The table, and whether each row is within the limit."""
    head = f"{'scenario':<14}{'runs':>5}{'TTL':>6}{'neg.':>5}{'gap API':>9}{'gap DNS':>9}"
    yield f"{head}{'share':>9}{'forecast':>10}{'harmed s':>10}{'forecast':>10}{'off':>7}", True
    for (scenario, ttl, negative), total in sums.items():
        runs, shares, harmed, *gaps = astuple(total)
        off = max(_off(*shares), _off(*harmed))
        line = f"{scenario:<14}{runs:>5}{ttl:>6}{negative:>5}"
        line += "".join(f"{gap / runs:>9.2f}" for gap in gaps)
        line += f"{shares[0] / runs:>9.2%}{shares[1] / runs:>10.2%}"
        line += f"{harmed[0] / runs:>10.2f}{harmed[1] / runs:>10.2f}{off:>7.1%}"
        yield line, off <= WITHIN


def _off(measured: float, forecast: float) -> float:
    return abs(forecast - measured) / measured if measured else float(forecast > 0)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="The forecast against simulated resolvers.")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    lines = list(rows(rehearsed(arguments.runs, arguments.seed)))
    print("\n".join(line for line, _ in lines))
    is_within = all(good for _, good in lines)
    print(f"every forecast is within {WITHIN:.0%}" if is_within else f"more than {WITHIN:.0%} off")
    return 0 if is_within else 1


if __name__ == "__main__":
    sys.exit(main())
