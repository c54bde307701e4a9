"""``report``: what happened in a run, from its journal. Only reads the run's folder."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode, RefusedError
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.cli.run_state import no_beginning
from route53_takeover.core.status.any_run import RunReading, result_of
from route53_takeover.core.status.forecast_result import (
    forecast_result_lines,
    forecast_result_objects,
)
from route53_takeover.core.takeover.state import State
from route53_takeover.output import json_lines, text_lines
from route53_takeover.storage.journal import read_journal
from route53_takeover.storage.run_folder import find_run, line_for, within

if TYPE_CHECKING:
    from route53_takeover.cli.options import CommonOptions
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import RunFolder


def report(run: str, options: CommonOptions) -> ExitCode:
    """Prints what happened, from the journal."""
    common = options.common()
    return report_on(common, find_run(common.state_dir, run))


def report_on(common: Common, folder: RunFolder) -> ExitCode:
    """The same for a folder that is found."""
    with within(folder):
        return _report(common, folder)


def _report(common: Common, folder: RunFolder) -> ExitCode:
    history = read_journal(folder.journal) if folder.journal.exists() else []
    folding = RunReading()
    phases: list[tuple[str, float]] = []
    told = text_lines.TextLines(
        sys.stdout,
        prefix="",
        quiet=common.as_json,
        verbose=common.verbose,
        deploy_output=False,  # it stays in its log: stdout is data
    )
    for seq, event in enumerate(history, start=1):
        try:
            folding.take(event)
        except ValueError:
            raise no_beginning(folder) from None
        state = folding.state
        if state is not None and (not phases or phases[-1][0] != state.phase):
            phases.append((str(state.phase), event.time))
        if state is not None:
            told(event, state, seq)
    state = folding.state
    if state is None:
        raise RefusedError(
            f"{folder.name} never started: its journal is empty", "Start it again with `run`."
        )
    ended = None if state.ending is None else result_of(state, None)
    if common.as_json:
        line = {
            "event": "report",
            "run": folder.name,
            "begun": json_lines.rfc3339(history[0].time),
            "events": len(history),
            "phases": [{"phase": p, "since": json_lines.rfc3339(t)} for p, t in phases],
            "forecast": forecast_result_objects(state) if isinstance(state, State) else None,
            "result": None
            if ended is None
            else json_lines.result_object(ended, seq=len(history) + 1, time=state.now),
        }
        write_line(json.dumps(line), sys.stdout)
    elif ended is not None:
        lines = text_lines.summary(ended, resume=None)
        if isinstance(state, State):
            lines += forecast_result_lines(state)
        write_lines(lines, sys.stdout)
    else:
        lines = [f"not ended: it was in phase {state.phase} at {json_lines.rfc3339(state.now)}"]
        if not folder.rehearses:
            again = line_for(common.state_dir, "resume", folder.name, "--auto")
            lines.append(f"Resume with:  {text_lines.pasteable(again)}")
        write_lines(lines, sys.stdout)
    return ExitCode.DONE
