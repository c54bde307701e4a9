"""``rehearse``: a takeover in a simulated account, over the wire or many on virtual time."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode
from route53_takeover.base.stdio import write_line

if TYPE_CHECKING:
    from route53_takeover.cli.options import CommonOptions, ConnectionOptions, Rehearsal
    from route53_takeover.storage.config import Common, Connection


def rehearse(
    rehearsal: Rehearsal, connection: ConnectionOptions, options: CommonOptions, *, auto: bool
) -> ExitCode:
    """Lists the scenarios, rehearses, or measures the account."""
    common = options.common()
    if rehearsal.live and rehearsal.zone is not None:
        return _measure(common, connection.connection(), rehearsal, rehearsal.zone, auto=auto)
    if rehearsal.list_:
        return _list(common)
    if rehearsal.virtual:
        from route53_takeover.cli.virtual_rehearsals import rehearse_virtual

        return rehearse_virtual(common, rehearsal.scenario, rehearsal.seed, rehearsal.runs)
    if rehearsal.like is not None:
        return _like(common, rehearsal.like, rehearsal.speed, auto=auto)
    if auto and not _kills(rehearsal):
        return _here(common, rehearsal)
    return _in_another_process(common, rehearsal, auto=auto)


def _measure(
    common: Common, connection: Connection, rehearsal: Rehearsal, zone: str, *, auto: bool
) -> ExitCode:
    from route53_takeover.cli.interrupts import in_loop
    from route53_takeover.cli.live_measurement import LiveRequest, measure_live
    from route53_takeover.core.plan.measured import RecordKind

    kinds = tuple(RecordKind(each) for each in rehearsal.kinds.split(","))
    asked = LiveRequest(zone, kinds, protections=rehearsal.protections, auto=auto)
    return in_loop(measure_live(common, connection, asked))


def _like(common: Common, name: str, speed: float | None, *, auto: bool) -> ExitCode:
    from route53_takeover.storage.rehearsable import rehearsable

    like = rehearsable(common.state_dir, name)
    if auto:
        from route53_takeover.cli.dry_run import rehearse_like
        from route53_takeover.cli.interrupts import in_loop
        from route53_takeover.output.reporter import ConsoleReporter

        return in_loop(rehearse_like(common, ConsoleReporter(common), like, speed))
    from route53_takeover.cli import terminal
    from route53_takeover.process.spawn import BeginLike

    order = BeginLike(
        state_dir=str(common.state_dir),
        log_level=common.log_level,
        on_event=common.on_event,
        like=like,
        speed=speed,
    )
    return terminal.start(common, order)


def _list(common: Common) -> ExitCode:
    from route53_takeover.cli.rehearsals import REHEARSALS

    for scenario in REHEARSALS.values():
        if common.as_json:
            line = {
                "event": "scenario",
                "name": scenario.name,
                "summary": scenario.summary,
                "outcome": str(scenario.outcome),
                "exit_code": scenario.exit_code,
            }
            text = json.dumps(line)
        else:
            ends = f"{scenario.outcome}, exit {scenario.exit_code}"
            text = f"{scenario.name:22}{ends:20}{scenario.summary}"
        write_line(text, sys.stdout)
    return ExitCode.DONE


def _here(common: Common, rehearsal: Rehearsal) -> ExitCode:
    from route53_takeover.cli.interrupts import in_loop
    from route53_takeover.cli.rehearsal import rehearse_scenario
    from route53_takeover.cli.rehearsals import find_rehearsal
    from route53_takeover.output.reporter import ConsoleReporter
    from route53_takeover.simulation.scenarios import DEFAULT

    scenario = find_rehearsal(rehearsal.scenario or DEFAULT)
    reporter = ConsoleReporter(common)
    work = rehearse_scenario(common, reporter, scenario, rehearsal.seed, rehearsal.speed)
    return in_loop(work)


def _kills(rehearsal: Rehearsal) -> bool:
    """Whether the scenario kills the run's process, which must not be this one then."""
    from route53_takeover.cli.rehearsals import find_rehearsal
    from route53_takeover.simulation.scenarios import DEFAULT

    return find_rehearsal(rehearsal.scenario or DEFAULT).killed


def _in_another_process(common: Common, rehearsal: Rehearsal, *, auto: bool) -> ExitCode:
    from route53_takeover.process.spawn import BeginRehearsal

    order = BeginRehearsal(
        state_dir=str(common.state_dir),
        log_level=common.log_level,
        on_event=common.on_event,
        scenario=rehearsal.scenario or "",
        seed=rehearsal.seed,
        speed=rehearsal.speed,
        is_watched=not auto,
    )
    if auto:
        from route53_takeover.cli.killed_rehearsal import rehearse_killed

        return rehearse_killed(common, order)
    from route53_takeover.cli import terminal

    return terminal.start(common, order)
