"""The list of runs: a table on a terminal, plain columns elsewhere, JSON objects.

A terminal's table is as wide as it: what does not fit is shortened, but never a run's name.
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
    from collections.abc import Sequence

    from route53_takeover.base.stdio import StyledLine
    from route53_takeover.core.status.run_status import ListedRun, RunStatus

HEADINGS = ("STATE", "AGE", "GAP", "STACK", "NAMES", "RUN")
_NO_RECORD = "NO RECORD"
_SPACE = "  "
_LEAST = 8
"""Columns that a stack or the names keep, however narrow the terminal."""
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
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    excess = sum(widths) + len(_SPACE) * (len(widths) - 1) - width
    for column in (4, 3):  # the names, then the stack
        cut = min(max(excess, 0), max(widths[column] - _LEAST, 0))
        widths[column] -= cut
        excess -= cut
    lines: list[StyledLine] = [[Span(_row(HEADINGS, widths), DIM)]]
    for run, cells in zip(runs, rows, strict=True):
        shown = _row(cells, widths)
        state, gap = widths[0], widths[0] + widths[1] + 2 * len(_SPACE)
        alarm = RED if _NO_RECORD in cells[2] else ""
        style = DIM if run.rehearsal else _STYLES.get(run.status.standing, "")
        lines.append(
            [
                Span(shown[:state], style),
                Span(shown[state:gap]),
                Span(shown[gap : gap + widths[2]], alarm),
                Span(shown[gap + widths[2] :]),
            ]
        )
    return lines


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = (
        f"{text if len(text) <= room else text[: room - 1] + '…':<{room}}"
        for text, room in zip(cells, widths, strict=True)
    )
    return _SPACE.join(fitted).rstrip()


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
