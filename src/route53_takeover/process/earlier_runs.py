"""How long each phase took in earlier runs of the same stack.

Only finished runs of the same kind count, rehearsals with rehearsals alone. It never fails: what
cannot be read is left out.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from route53_takeover.base.errors import TakeoverError
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.any_run import RunReading
from route53_takeover.storage.journal import read_journal
from route53_takeover.storage.run_folder import all_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from route53_takeover.storage.run_folder import RunFolder

_NEWEST = 3
"""How many earlier runs are read."""
_LARGEST = 1 << 20
"""Bytes of a journal that is read for this."""
_STAMP = len("20261127-110746-")


def usual_times(folder: RunFolder) -> dict[str, float]:
    """Phase -> seconds that it usually takes; empty where no earlier run tells."""
    found: dict[str, list[float]] = {}
    for times in _newest(folder):
        for phase, spent in times.items():
            found.setdefault(phase, []).append(spent)
    return {phase: median(times) for phase, times in found.items()}


def _newest(folder: RunFolder) -> Iterator[Mapping[str, float]]:
    left = _NEWEST
    for other in _alike(folder):
        if times := _times(other):
            yield times
            left -= 1
        if not left:
            return


def _alike(folder: RunFolder) -> Iterator[RunFolder]:
    """The runs of the same stack before this one, the newest first."""
    try:
        runs = all_runs(folder.state_dir)
        ours = (folder.is_switch, folder.rehearses)
    except TakeoverError:
        return
    label = folder.name[_STAMP:]
    for other in reversed(runs):
        is_earlier = other.name < folder.name and other.name[_STAMP:] == label
        if is_earlier and (other.is_switch, other.rehearses) == ours:
            yield other


def _times(folder: RunFolder) -> dict[str, float]:
    """Of a run that is done; else nothing."""
    reading = RunReading()
    try:
        if folder.journal.stat().st_size > _LARGEST:
            return {}
        for event in read_journal(folder.journal):
            reading.take(event)
    except (TakeoverError, OSError, ValueError):
        return {}
    state = reading.state
    if state is None or state.ending is None or state.ending.outcome is not Outcome.DONE:
        return {}
    spent: dict[str, float] = {}
    for visit in reading.timeline.visits:
        if visit.left is not None:
            phase = str(visit.phase)
            spent[phase] = spent.get(phase, 0.0) + visit.left - visit.entered
    return spent
