#!/usr/bin/env python3
"""Writes tests/data/recorded: one journal of today's program for each way in which a run can go.

    uv run scripts/record_journals.py [--folder tests/data/recorded]

Each is the real engine on the simulated account, on virtual time, from a fixed seed, so the same
program writes the same bytes. Tests of the status and the screen read them. Record them again
where the events, or their order, are meant to change, and look at what changed. The journals of
earlier versions (tests/data/journals) are never written again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.plan.model import Options
from route53_takeover.core.status.choices import Act
from route53_takeover.core.takeover.events import RunStarted
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.scenarios import (
    NAME,
    SCENARIOS,
    Scenario,
    alias,
    alias_resource,
    site_account,
    site_template,
)
from route53_takeover.storage.journal_format import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "recorded"
_API = "api.example.com"


class Recording(Struct, frozen=True, kw_only=True):
    """What is recorded under one name."""

    scenario: Scenario
    options: Options
    faults: Faults = Faults()


def recordings() -> dict[str, Recording]:
    """All of them: every scenario as it is, and what operators and faults make of some."""
    found = {name: _of(scenario) for name, scenario in SCENARIOS.items()}
    alias_run, cname_run = found["alias"], found["cname"]
    failing = found["rolled-back"].scenario
    stuck = replace(failing.account.config, fail_rollback="not now")
    never_repaired = replace(failing, account=replace(failing.account, config=stuck))
    return found | {
        "aborted": _with(cname_run, _key(Act.ABORT, cue=InjectionPoint.LOWER, delay=60.0)),
        "stopped": _with(
            cname_run, InjectedFault(deed=FaultKind.STOP, cue=InjectionPoint.LOWER, delay=90.0)
        ),
        "rollback-failed": _of(never_repaired),
        "confirmed": replace(
            _with(alias_run, _key(Act.CONFIRM_RELEASE, cue=InjectionPoint.CREATING, delay=6.0)),
            options=replace(alias_run.options, confirm_release=True),
        ),
        "paused": _with(
            alias_run, _key(Act.PAUSE, cue=InjectionPoint.CREATING, delay=0.5, seconds=20.0)
        ),
        "put-back-by-a-person": _with(
            found["never-created"],
            _key(Act.EXTEND_DEADMAN, cue=InjectionPoint.RELEASE, delay=5.0),
            _key(Act.RESTORE, cue=InjectionPoint.RELEASE, delay=12.0),
        ),
        "credentials-expired": _with(
            alias_run,
            InjectedFault(
                deed=FaultKind.EXPIRE, cue=InjectionPoint.RELEASE, delay=0.2, seconds=20.0
            ),
        ),
        "two-names": _two_names(),
    }


def _of(scenario: Scenario) -> Recording:
    return Recording(scenario=scenario, options=options_of(scenario))


def _with(recording: Recording, *injected: InjectedFault) -> Recording:
    return replace(recording, faults=Faults(injected=injected))


def _key(act: Act, *, cue: InjectionPoint, delay: float, seconds: float = 1.0) -> InjectedFault:
    of_a_name = act in (Act.CONFIRM_RELEASE, Act.EXTEND_DEADMAN, Act.RELEASE_NOW)
    name = NAME if of_a_name else ""
    return InjectedFault(
        deed=FaultKind.KEYS, act=act, name=name, cue=cue, delay=delay, seconds=seconds
    )


def _two_names() -> Recording:
    record = alias_resource("d1new")
    other = {**record, "Properties": {**record["Properties"], "Name": _API}}
    account = site_account(template=site_template(record, Api=other))
    account = replace(account, existing=(alias("d1old"), replace(alias("d1old"), name=f"{_API}.")))
    scenario = replace(SCENARIOS["alias"], name="two-names", account=account)
    options = replace(options_of(scenario), records=(scenario.record, _API))
    return Recording(scenario=scenario, options=options)


def journal(name: str, recording: Recording) -> bytes:
    """One journal, as a run would have written it."""
    rehearsal = rehearse_once(
        recording.scenario, f"journal/{name}", recording.faults, options=recording.options
    )
    first, *rest = rehearsal.events
    if not isinstance(first, RunStarted):
        raise SystemExit(f"{name} does not begin with its plan")
    events = (replace(first, rehearsal=False), *rest)  # as of an account that is not simulated
    return b"".join(encode(seq, event) for seq, event in enumerate(events, start=1))


def record(folder: Path) -> Iterator[str]:
    """Writes them all; yields a line for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, recording in recordings().items():
        data = journal(name, recording)
        (folder / f"{name}.jsonl").write_bytes(data)
        lines = data.count(b"\n")
        yield f"{name}: {lines} events, {len(data) // 1000} kB"


def main() -> None:
    parser = argparse.ArgumentParser(description="Record the journals of today's program.")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    for line in record(parser.parse_args().folder):
        print(line)


if __name__ == "__main__":
    main()
