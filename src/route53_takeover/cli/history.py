"""The commands that look back: runs and report. They only read run folders."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from route53_takeover.base.errors import ManualActionRequiredError, RefusedError, TakeoverError
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.core.status.result import result
from route53_takeover.core.takeover.projection import Projection, fold
from route53_takeover.output import text_lines
from route53_takeover.storage.journal import read_journal
from route53_takeover.storage.run_folder import line_for, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.takeover.state import State
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import RunFolder


def list_runs(common: Common, folders: Sequence[RunFolder]) -> int:
    """``runs``: every run, its phase and how it ended."""
    for folder in folders:
        line = _run_line(folder)
        if common.as_json:
            write_line(json.dumps(line), sys.stdout)
        else:
            mark = " REHEARSAL" if line["rehearsal"] else ""
            what = ", ".join(str(name) for name in line["records"])
            told = line["outcome"] or line["phase"]
            write_line(
                f"{line['run']}  {told}{mark}  {what}  {line['reason']}".rstrip(), sys.stdout
            )
    return 0


def _run_line(folder: RunFolder) -> dict[str, Any]:
    """One run as a JSON object; one that cannot be read says why instead."""
    line: dict[str, Any] = {
        "event": "run",
        "run": folder.name,
        "rehearsal": False,
        "phase": None,
        "outcome": None,
        "records": [],
        "reason": "",
    }
    try:
        saved = folder.plan()
        line["rehearsal"] = saved.rehearsal is not None
        line["records"] = [str(manual.key) for manual in saved.plan.manuals]
        state = folded(folder)
    except TakeoverError as error:
        return line | {"reason": error.message}
    if state is not None:
        line["phase"] = str(state.phase)
        if state.ending is not None:
            line |= {"outcome": str(state.ending.outcome), "reason": state.ending.reason}
    return line


def folded(folder: RunFolder) -> State | None:
    """The state that a run's journal comes to; ``None`` where it is empty or was never made."""
    if not folder.journal.exists():
        return None
    try:
        return fold(read_journal(folder.journal))
    except ValueError:
        raise _no_beginning(folder) from None


def _no_beginning(folder: RunFolder) -> ManualActionRequiredError:
    return ManualActionRequiredError(
        f"{folder.journal} does not begin with the beginning of a run",
        "Look at backup.json and at the zone; `restore` needs the backup alone.",
    )


def report(common: Common, folder: RunFolder) -> int:
    """``report RUN``: what happened, told from the journal."""
    with within(folder):
        return _report(common, folder)


def _report(common: Common, folder: RunFolder) -> int:
    history = read_journal(folder.journal) if folder.journal.exists() else []
    projection = Projection()
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
            projection.take(event)
        except ValueError:
            raise _no_beginning(folder) from None
        state = projection.state
        if state is not None and (not phases or phases[-1][0] != state.phase):
            phases.append((str(state.phase), event.time))
        if state is not None:
            told(event, state, seq)
    state = projection.state
    if state is None:
        raise RefusedError(
            f"{folder.name} was never begun: its journal is empty", "Begin it again with `run`."
        )
    ended = None if state.ending is None else result(state, None)
    if common.as_json:
        line = {
            "event": "report",
            "run": folder.name,
            "begun": text_lines.rfc3339(history[0].time),
            "events": len(history),
            "phases": [{"phase": p, "since": text_lines.rfc3339(t)} for p, t in phases],
            "result": None
            if ended is None
            else text_lines.result_object(ended, seq=len(history) + 1, time=state.now),
        }
        write_line(json.dumps(line), sys.stdout)
    elif ended is not None:
        write_lines(text_lines.summary(ended, resume=None), sys.stdout)
    else:
        lines = [f"not ended: it was in phase {state.phase} at {text_lines.rfc3339(state.now)}"]
        if not folder.rehearses:
            again = line_for(common.state_dir, "resume", folder.name, "--auto")
            lines.append(f"Go on with:  {text_lines.pasteable(again)}")
        write_lines(lines, sys.stdout)
    return 0
