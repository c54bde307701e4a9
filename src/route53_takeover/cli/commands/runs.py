"""``runs``: every run, its phase and how it ended. Only reads run folders."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from route53_takeover.base.errors import ExitCode, TakeoverError
from route53_takeover.base.stdio import write_line
from route53_takeover.cli.run_state import read_state
from route53_takeover.core.domain.names import display_name
from route53_takeover.core.status.rehearsal_marks import mark
from route53_takeover.storage.run_folder import SavedSwitch, all_runs

if TYPE_CHECKING:
    from route53_takeover.cli.options import CommonOptions
    from route53_takeover.storage.run_folder import RunFolder


def runs(options: CommonOptions) -> ExitCode:
    """Prints a line for each run."""
    common = options.common()
    for folder in all_runs(common.state_dir):
        line = _run_line(folder)
        if common.as_json:
            write_line(json.dumps(line), sys.stdout)
        else:
            word = f" {mark(folder.rehearses)}" if line["rehearsal"] else ""
            what = ", ".join(str(name) for name in (*line["records"], *line["switches"]))
            told = line["outcome"] or line["phase"]
            write_line(
                f"{line['run']}  {told}{word}  {what}  {line['reason']}".rstrip(), sys.stdout
            )
    return ExitCode.DONE


def _run_line(folder: RunFolder) -> dict[str, Any]:
    """One run as a JSON object; one that cannot be read says why instead."""
    line: dict[str, Any] = {
        "event": "run",
        "run": folder.name,
        "rehearsal": False,
        "phase": None,
        "outcome": None,
        "records": [],
        "switches": [],
        "reason": "",
    }
    try:
        saved = folder.saved()
        line["rehearsal"] = saved.rehearsal is not None
        if isinstance(saved, SavedSwitch):
            line["switches"] = [swap.target for swap in saved.plan.swaps or saved.plan.watched]
        else:
            manuals = saved.plan.manuals
            line["records"] = [f"{display_name(m.key.name)} {m.key.type}" for m in manuals]
        state = read_state(folder)
    except TakeoverError as error:
        return line | {"reason": error.message}
    if state is not None:
        line["phase"] = str(state.phase)
        if state.ending is not None:
            line |= {"outcome": str(state.ending.outcome), "reason": state.ending.reason}
    return line
