"""``runs``: every run, where it stands and what it needs; ``--prune`` removes what is over."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode, UsageError
from route53_takeover.base.stdio import width_of, write_line, write_lines, write_spans
from route53_takeover.cli.pruning import prune
from route53_takeover.cli.run_reading import listed_run
from route53_takeover.core.status.run_status import Need
from route53_takeover.output import text_lines
from route53_takeover.output.run_table import needs_line, plain_rows, run_object, table
from route53_takeover.storage.run_folder import all_runs, line_for

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.cli.options import CommonOptions
    from route53_takeover.core.status.run_status import ListedRun
    from route53_takeover.storage.config import Common

_VERBS = {
    Need.RESUME: "resume",
    Need.RESTORE: "restore",
    Need.YOUR_TURN: "attach",
    Need.LOOK: "report",
}


def runs(options: CommonOptions, *, prunes: bool, older_than: float, agreed: bool) -> ExitCode:
    """Prints a line for each run, and on stderr what the operator has to do."""
    common, now = options.common(), SystemClock().now()
    if prunes:
        return prune(common, now, older_than, agreed=agreed)
    if agreed:
        raise UsageError("--yes is for --prune", "Add --prune, or leave it out.")
    found = [listed_run(folder, now) for folder in all_runs(common.state_dir)]
    if not found:
        text_lines.talk(common, _no_runs(common.state_dir))
    if common.as_json:
        for run in found:
            write_line(json.dumps(run_object(run, now)), sys.stdout)
        return ExitCode.DONE
    width = width_of(sys.stdout)
    if width is None:
        write_lines(plain_rows(found, now), sys.stdout)
    elif found:
        write_spans(table(found, now, width), sys.stdout)
    _print_needs(common, found)
    return ExitCode.DONE


def _no_runs(state_dir: Path) -> str:
    where = f"there are no runs in {state_dir}"
    return where if state_dir.is_dir() else f"{where}: this folder does not exist"


def _print_needs(common: Common, found: list[ListedRun]) -> None:
    if common.quiet:
        return
    for run in found:
        if run.status.needs is not None:
            line = line_for(common.state_dir, _VERBS[run.status.needs], run.name)
            write_spans([needs_line(run, text_lines.pasteable(line))], sys.stderr)
