"""Runs of this machine that have not restored a record that they changed.

A run that was killed, or ended `unknown`, may have left a lowered TTL or no record at all. The
record itself does not show that, so a new plan looks for the original here. It only reads run
folders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import TakeoverError
from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.domain.soa import negative_caching
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.facts import UnfinishedRun
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.machine import fold
from route53_takeover.storage.journal import is_held, read_journal
from route53_takeover.storage.run_folder import all_runs, line_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import LoweredSoa, Manual
    from route53_takeover.storage.run_folder import RunFolder


def unfinished_runs(
    state_dir: Path,
    zone_id: str,
    live: Sequence[RecordSet],
    elsewhere: Sequence[RunFolder] = (),
    names: Collection[str] | None = None,
) -> tuple[UnfinishedRun, ...]:
    """One for each record set that is as a run left it, which has not undone that.

    Args:
        state_dir: where the runs are.
        zone_id: the zone; records of other zones are left out.
        live: every record set of the zone now, or all that there are at ``names``.
        elsewhere: runs that may be in other state folders.
        names: in normal form; only what was left there counts; ``None``: at any.
    """
    folders = {folder.path.resolve(): folder for folder in (*elsewhere, *all_runs(state_dir))}
    return tuple(found for run in folders.values() for found in _left_by(run, zone_id, live, names))


def _left_by(
    folder: RunFolder, zone_id: str, live: Sequence[RecordSet], names: Collection[str] | None
) -> Iterator[UnfinishedRun]:
    state_dir = folder.path.parent.parent
    try:
        saved = folder.plan()
    except TakeoverError:
        return  # without its plan nothing was written
    if saved.rehearsal or saved.plan.zone_id != zone_id:
        return
    left = [
        manual
        for manual in saved.plan.manuals
        if names is None or manual.key.name in names
        if _looks_left(manual, live)
    ]
    originals = [manual.original for manual in left]
    if not left or not _is_unfinished(folder, {manual.key.name for manual in left}):
        originals = []
    soa = saved.plan.soa
    if soa is not None and _has_left_soa(folder, soa, live):
        originals.append(soa.original)
    for original in originals:
        yield UnfinishedRun(
            run=folder.name,
            original=original,
            is_alive=is_held(folder.journal),
            attach=line_for(state_dir, "attach", folder.name),
            resume=line_for(state_dir, "resume", folder.name),
            restore=line_for(state_dir, "restore", folder.name),
        )


def _looks_left(manual: Manual, live: Sequence[RecordSet]) -> bool:
    """Whether it has the lowered TTL, or is gone with nothing in its place."""
    here = [record for record in live if conflict(record, manual.original)]
    if not here:
        return True
    return manual.lowered is not None and any(manual.lowered.same_as(record) for record in here)


def _has_left_soa(folder: RunFolder, soa: LoweredSoa, live: Sequence[RecordSet]) -> bool:
    """Whether the zone's SOA has the negative TTL that the run gave it, and has not put back."""
    here = next((record for record in live if record.key == soa.original.key), None)
    if here is None or negative_caching(here) != negative_caching(soa.lowered):
        return False
    return _is_unfinished(folder, set())


def _is_unfinished(folder: RunFolder, names: set[str]) -> bool:
    """Whether the run changed one of the names, and does not know that it undid that.

    Without names: whether it lowered the negative TTL.
    """
    if not folder.journal.exists():
        return False
    try:
        state = fold(read_journal(folder.journal))
    except (TakeoverError, ValueError):
        return True  # a damaged journal tells nothing: its plan does
    if state is None or (state.ending and state.ending.outcome is not Outcome.UNKNOWN):
        return False
    tried = [state.names[name].tried for name in names if name in state.names]
    if not names and state.soa is not None:
        tried.append(state.soa.tried)
    return any(_CHANGING & purposes for purposes in tried)


_CHANGING = frozenset({Purpose.LOWER, Purpose.PREPARE, Purpose.RELEASE, Purpose.LOWER_SOA})
