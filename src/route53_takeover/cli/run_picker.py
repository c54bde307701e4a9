"""Which run a command means: RUN as it was given, or the operator's choice where several fit.

Only a terminal is asked, with a numbered list on stderr; elsewhere RUN alone decides.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import UsageError
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.cli.run_reading import listed_run
from route53_takeover.core.status.run_status import Need
from route53_takeover.output import text_lines
from route53_takeover.output.run_table import run_cells
from route53_takeover.storage.run_folder import find_run, line_for, matching_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.status.run_status import ListedRun
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import RunFolder

_SHOWN = 20
"""Runs that are read for a choice: the newest."""


def chosen_run(common: Common, name: str | None, *, asks: bool = True) -> RunFolder:
    """The run that is meant; without RUN it is named on stderr.

    Args:
        asks: whether a terminal may be asked.

    Raises:
        UsageError: there is none, RUN fits several, or no choice was made.
    """
    asks = asks and sys.stdin.isatty() and sys.stderr.isatty()
    fitting = matching_runs(common.state_dir, name)
    if name is not None and not (asks and len(fitting) > 1):
        return find_run(common.state_dir, name)
    now = SystemClock().now()
    if name is not None:
        return _ask(fitting, [listed_run(run, now) for run in fitting], fitting[-1], now)
    usual = find_run(common.state_dir, None)
    listed = [listed_run(run, now) for run in fitting[-_SHOWN:]]
    pressing = [run for run in listed if run.status.alive or run.status.needs is not None]
    others = [run for run in pressing if run.name != usual.name]
    if others and asks:
        shown = [run for run in listed if run in pressing or run.name == usual.name]
        return _ask(fitting, shown, usual, now)
    text_lines.talk(common, f"run {usual.name}")
    for run in others:
        if run.status.needs in (Need.RESUME, Need.RESTORE):
            line = line_for(common.state_dir, str(run.status.needs), run.name)
            text_lines.talk(common, f"warning: another run needs you: `{line}`", always=True)
    return usual


def _ask(
    folders: Sequence[RunFolder], listed: Sequence[ListedRun], usual: RunFolder, now: float
) -> RunFolder:
    """Lets the operator type a number; Enter alone takes the usual run."""
    newest_first = list(reversed(listed))
    lines = ["Which run?"]
    for number, run in enumerate(newest_first, start=1):
        state, began, gap, _, names, name = run_cells(run, now)
        told = ", ".join(filter(None, (state, gap, names, f"{began} ago" if began else "")))
        lines.append(f"{number:>3}  {name}  {told}")
    default = next((n for n, r in enumerate(newest_first, start=1) if r.name == usual.name), 1)
    write_lines(lines, sys.stderr)
    while True:
        sys.stderr.write(f"Number [{default}], or q: ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        typed = answer.strip() or (str(default) if answer else "q")
        if typed in ("q", "quit"):
            raise UsageError("no run was chosen", "Give RUN.")
        if typed.isdecimal() and 1 <= int(typed[:3]) <= len(newest_first):
            chosen = newest_first[int(typed[:3]) - 1].name
            return next(folder for folder in folders if folder.name == chosen)
        write_line(f"Type a number from 1 to {len(newest_first)}.", sys.stderr)
