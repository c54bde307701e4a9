"""Many rehearsals in this process, on virtual time: one result each, and what they come to."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from route53_takeover.base.errors import ExitCode
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.output import json_lines, log, text_lines
from route53_takeover.simulation.chaos.runner import percentiles, rehearse_many
from route53_takeover.simulation.scenarios import find_scenario
from route53_takeover.storage.measurements import newest_measurement

if TYPE_CHECKING:
    from route53_takeover.storage.config import Common


def rehearse_virtual(common: Common, name: str | None, seed: int, runs: int) -> ExitCode:
    """``rehearse --virtual --runs K``: one result a run, and what all of them come to."""
    chosen = None if name is None else find_scenario(name).name
    # The simulated faults of so many runs are no news, and stdout is for the results.
    log.to_stderr(log.level(common.log_level if common.verbose else "none"))
    measured = newest_measurement(common.state_dir)
    if measured is not None:
        text_lines.talk(
            common,
            f"CloudFormation's tries come as measured in account {measured.account}, "
            f"{measured.region}, by {measured.run}; with another --state-dir they are assumed",
        )
    outcomes: Counter[str] = Counter()
    gaps: list[float] = []
    without_record = broken = 0
    for number, rehearsal in enumerate(rehearse_many(runs, seed, chosen, measured)):
        outcomes[rehearsal.result.outcome] += 1
        without_record += rehearsal.absent
        broken += bool(rehearsal.broken)
        if rehearsal.gap_seconds:
            gaps.append(rehearsal.gap_seconds)
        line = json_lines.result_object(
            rehearsal.result, seq=len(rehearsal.events), time=rehearsal.events[-1].time
        ) | {
            "run": f"virtual-{seed}-{number}",
            "rehearsal": rehearsal.scenario,
            "seed": seed,
            "number": number,
            "without_record": rehearsal.absent,
            "broken": list(rehearsal.broken),
        }
        if common.as_json:
            write_line(json.dumps(line), sys.stdout)
        elif common.verbose or rehearsal.broken or rehearsal.absent:
            told = "; ".join(rehearsal.broken) or rehearsal.result.reason
            write_line(
                f"{line['run']} {rehearsal.scenario}: {rehearsal.result.outcome}: {told}",
                sys.stdout,
            )
        if (number + 1) % 200 == 0:
            text_lines.talk(common, f"REHEARSAL {number + 1} of {runs} runs")
    summary = {
        "event": "summary",
        "runs": runs,
        "seed": seed,
        "outcomes": dict(sorted(outcomes.items())),
        "without_record": without_record,
        "broken_promises": broken,
        "gap_seconds": percentiles(gaps),
    }
    if common.as_json:
        write_line(json.dumps(summary), sys.stdout)
    else:
        write_lines(_summary_lines(summary), sys.stdout)
    return ExitCode.UNKNOWN if without_record or broken else ExitCode.DONE


def _summary_lines(summary: dict[str, object]) -> list[str]:
    outcomes = msgspec.convert(summary["outcomes"], dict[str, int])
    gap = msgspec.convert(summary["gap_seconds"], dict[str, float])
    told = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
    return [
        f"REHEARSAL on virtual time: {summary['runs']} runs of seed {summary['seed']}: {told}",
        f"  names without a record at the end: {summary['without_record']}",
        f"  broken promises: {summary['broken_promises']}",
        "  gap where there was one: "
        + ", ".join(f"{name} {gap[name]} s" for name in ("p50", "p90", "p99", "max")),
    ]
