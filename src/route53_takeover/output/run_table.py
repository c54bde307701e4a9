"""The list of runs: a table on a terminal, plain columns elsewhere, JSON objects.

A terminal's table is as wide as it: what does not fit is shortened or left out, but never a run's
name, which is copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.base.stdio import BOLD, DIM, GREEN, RED, YELLOW, Span
from route53_takeover.core.status.rehearsal_marks import mark
from route53_takeover.core.status.run_status import Need, Standing
from route53_takeover.core.status.run_words import few
from route53_takeover.core.status.spoken_times import age, length
from route53_takeover.output.json_lines import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.base.stdio import StyledLine
    from route53_takeover.core.status.run_status import ListedRun, RunStatus

HEADINGS = ("STATE", "AGE", "GAP", "STACK", "NAMES", "RUN")
_NO_RECORD = "NO RECORD"
_SPACE = "  "
_STATE, _AGE, _GAP, _STACK, _NAMES, _RUN = range(len(HEADINGS))
_LEAST = {_NAMES: 15, _STACK: 8}
"""Width that the names and the stack keep, however narrow the terminal."""
_LAYOUTS = (
    (_STATE, _AGE, _GAP, _STACK, _NAMES, _RUN),
    (_STATE, _AGE, _GAP, _NAMES, _RUN),
    (_STATE, _GAP, _NAMES, _RUN),
)
"""The columns shown: the first that fit. A run's name contains its stack and its start."""
_RUN_BELOW = (_STATE, _AGE, _GAP, _NAMES)
"""Where none fit: each run's name is on a line of its own."""
_STYLES = {
    Standing.RUNNING: BOLD,
    Standing.YOUR_TURN: YELLOW,
    Standing.PAUSED: YELLOW,
    Standing.DIED: RED,
    Standing.DONE: GREEN,
    Standing.UNKNOWN: RED,
    Standing.UNREADABLE: RED,
}


def run_cells(run: ListedRun, now: float) -> tuple[str, ...]:
    """The cells of its row, below `HEADINGS`."""
    state = f"{mark(run.rehearsal)} {run.status.words}".lstrip()
    began = "" if run.began is None else age(now - run.began)
    return (state, began, _gap(run.status), run.stack, few(run.names), run.name)


def _gap(status: RunStatus) -> str:
    lasted = "" if status.gap is None else length(status.gap)
    if status.unwatched:
        lasted = f"at most {lasted}"
    if not status.missing:
        return lasted
    if all(each.answers for each in status.missing):
        return f"MISSING {lasted}".rstrip()
    is_certain = any(each.is_certain and not each.answers for each in status.missing)
    return f"{_NO_RECORD if is_certain else 'MAYBE ' + _NO_RECORD} {lasted}".rstrip()


def plain_rows(runs: Sequence[ListedRun], now: float) -> list[str]:
    """The rows in columns, nothing shortened and without headings; the reason comes last."""
    rows = [(*run_cells(run, now), run.reason) for run in runs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_row(cells, widths) for cells in rows]


def table(runs: Sequence[ListedRun], now: float, width: int) -> list[StyledLine]:
    """The rows below their headings, no wider than that."""
    rows = [run_cells(run, now) for run in runs]
    needed = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    widths = next(
        (each for columns in _LAYOUTS if _total(each := _fit(columns, needed, width)) <= width),
        _fit(_RUN_BELOW, needed, width),
    )
    lines = [_spans(HEADINGS, widths, dict.fromkeys(widths, DIM))]
    for run, cells in zip(runs, rows, strict=True):
        state = DIM if run.rehearsal else _STYLES.get(run.status.standing, "")
        alarm = RED if _NO_RECORD in cells[_GAP] else ""
        lines.append(_spans(cells, widths, {_STATE: state, _GAP: alarm}))
        if _RUN not in widths:
            lines.append([Span(cells[_RUN])])
    return lines


def _fit(columns: Sequence[int], needed: Sequence[int], width: int) -> dict[int, int]:
    """The width of each of these columns, the names and the stack shortened where they may be."""
    widths = {column: needed[column] for column in columns}
    for column, least in _LEAST.items():
        if column in widths:
            excess = max(_total(widths) - width, 0)
            widths[column] -= min(excess, max(widths[column] - least, 0))
    return widths


def _total(widths: Mapping[int, int]) -> int:
    return sum(widths.values()) + len(_SPACE) * (len(widths) - 1)


def _spans(
    cells: Sequence[str], widths: Mapping[int, int], styles: Mapping[int, str]
) -> StyledLine:
    last = max(widths)
    return [
        Span(
            _cell(cells[column], room).rstrip()
            if column == last
            else _cell(cells[column], room) + _SPACE,
            styles.get(column, ""),
        )
        for column, room in widths.items()
    ]


def _cell(text: str, room: int) -> str:
    return f"{text if len(text) <= room else text[: room - 1] + '…':<{room}}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _SPACE.join(map(_cell, cells, widths)).rstrip()


def needs_line(run: ListedRun, line: str) -> StyledLine:
    """What the operator has to do about a run; ``line``: the command for it."""
    is_bad = run.status.needs is not Need.YOUR_TURN
    why = run.status.why or "It waits for you."
    return [
        Span("! " if is_bad else "> ", RED if is_bad else YELLOW),
        Span(f"{run.name}: {why} "),
        Span(line, BOLD),
    ]


def run_object(run: ListedRun, now: float) -> dict[str, Any]:
    """The run as a JSON object."""
    status, names = run.status, list(run.names)
    return {
        "event": "run",
        "run": run.name,
        "rehearsal": bool(run.rehearsal),
        "state": str(status.standing),
        "alive": status.alive,
        "needs": None if status.needs is None else str(status.needs),
        "why": status.why,
        "phase": run.phase,
        "outcome": run.outcome,
        "stack": run.stack or None,
        "records": [] if run.is_switch else names,
        "switches": names if run.is_switch else [],
        "no_record": [each.name for each in status.missing if not each.answers],
        "gap_seconds": None if status.gap is None else round(status.gap, 3),
        "gap_is_open": status.is_gap_open,
        "began": None if run.began is None else rfc3339(run.began),
        "age_seconds": None if run.began is None else round(max(now - run.began, 0.0)),
        "reason": run.reason,
    }
