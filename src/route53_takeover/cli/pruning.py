"""``runs --prune``: removes the folders of runs that are over and of no use any more.

A run that may still be needed is never removed, whatever its age: one that a process works on, that
has not ended, that ended `unknown`, or that cannot be read.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode, TakeoverError
from route53_takeover.base.stdio import write_line
from route53_takeover.cli.run_reading import listed_run
from route53_takeover.core.status.run_status import Standing
from route53_takeover.core.status.spoken_times import age
from route53_takeover.output import text_lines
from route53_takeover.storage.journal import is_held
from route53_takeover.storage.run_folder import all_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.status.run_status import ListedRun
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import RunFolder

_OVER = frozenset(
    {
        Standing.DONE,
        Standing.RESTORED,
        Standing.FAILED,
        Standing.ABORTED,
        Standing.REFUSED,
        Standing.NEVER_STARTED,
    }
)


def prune(common: Common, now: float, older_than: float, *, agreed: bool) -> ExitCode:
    """Removes what is over, once that is agreed to: by ``--yes``, or on a terminal.

    Args:
        older_than: seconds; real runs that are younger stay. Rehearsals go at any age.
    """
    found = [(folder, listed_run(folder, now)) for folder in all_runs(common.state_dir)]
    old = [(folder, run) for folder, run in found if is_over(run, now, older_than)]
    if not old:
        text_lines.talk(common, f"nothing to remove in {common.state_dir}")
        return ExitCode.DONE
    is_agreed = agreed or (_can_ask() and _ask(old, now))
    failed = False
    for folder, run in old:
        is_removed = is_agreed and _remove(common, folder)
        failed = failed or (is_agreed and not is_removed)
        _print(common, run, now, is_removed=is_removed)
    if not is_agreed:
        text_lines.talk(common, f"nothing was removed; `--yes` removes {_runs(len(old))}")
    return ExitCode.FAILED if failed else ExitCode.DONE


def is_over(run: ListedRun, now: float, older_than: float) -> bool:
    """Whether the run is over and old enough, or a rehearsal that is."""
    status = run.status
    if status.alive or status.needs is not None or run.began is None:
        return False
    if run.rehearsal:  # without a process and with nothing needed its account is gone
        return True
    return status.standing in _OVER and now - (run.ended or run.began) >= older_than


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(old: Sequence[tuple[RunFolder, ListedRun]], now: float) -> bool:
    for _, run in old:
        write_line(f"  {_told(run, now)}", sys.stderr)
    sys.stderr.write(f"Remove {_runs(len(old))} for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _remove(common: Common, folder: RunFolder) -> bool:
    """Removes a folder that is the user's own and that no process has taken up meanwhile."""
    try:
        folder.claim()
        if is_held(folder.journal):
            return False
        shutil.rmtree(folder.path)
    except (TakeoverError, OSError) as error:
        reason = error.message if isinstance(error, TakeoverError) else error.strerror
        text_lines.talk(common, f"{folder.name} is not removed: {reason}", always=True)
        return False
    return True


def _print(common: Common, run: ListedRun, now: float, *, is_removed: bool) -> None:
    if common.as_json:
        line = {"event": "prune", "run": run.name, "removed": is_removed}
        write_line(json.dumps(line), sys.stdout)
    elif is_removed or not _can_ask():
        word = "removed" if is_removed else "would remove"
        write_line(f"{word}  {_told(run, now)}", sys.stdout)


def _told(run: ListedRun, now: float) -> str:
    mark = "REHEARSAL " if run.rehearsal else ""
    return f"{run.name}  {mark}{run.status.words}, {age(now - (run.began or now))} old"


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
