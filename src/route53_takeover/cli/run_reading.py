"""A run as its folder tells it: state, timeline, whether its process lives, what is needed.

For the commands that look at runs. It only reads, and needs neither AWS nor the run's process.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from route53_takeover.base.errors import RefusedError, TakeoverError
from route53_takeover.cli.run_state import no_beginning
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.status.any_run import RunReading
from route53_takeover.core.status.gap_lines import GapLines
from route53_takeover.core.status.report.build import Followed
from route53_takeover.core.status.report.charts import is_live_answer
from route53_takeover.core.status.run_status import (
    ListedRun,
    Need,
    RunStatus,
    Standing,
    restored_at,
    run_status,
)
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.process.account_socket import is_served
from route53_takeover.storage.journal import is_held, read_journal
from route53_takeover.storage.measurement_folder import (
    how_it_ended,
    is_measurement,
    read_measurement_plan,
    writes_path,
)
from route53_takeover.storage.run_folder import SavedSwitch
from route53_takeover.storage.run_notes import read_restores

if TYPE_CHECKING:
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.status.snapshot import News, Snapshot
    from route53_takeover.core.switch.state import LiveAnswer
    from route53_takeover.storage.run_folder import RunFolder, Saved


class ReadRun(NamedTuple):
    """A run that has started; ``shown``: as it is at the time that it was read for."""

    state: RunState
    shown: Snapshot
    status: RunStatus
    followed: Followed


def read_run(folder: RunFolder, now: float) -> ReadRun:
    """Folds the run's journal.

    Args:
        now: the time to look at it for; a rehearsal, whose time is its own, is shown as of its
            newest event.

    Raises:
        RefusedError: it never started, or another version wrote it.
        TakeoverError: its journal cannot be read.
    """
    alive = is_held(folder.journal)
    history = read_journal(folder.journal) if folder.journal.exists() else []
    reading, gaps = RunReading(), GapLines()
    news: list[News] = []
    live: list[LiveAnswer] = []
    for event in history:
        try:
            news += reading.take(event)
        except ValueError:
            raise no_beginning(folder) from None
        if (state := reading.state) is not None:
            news += gaps.take(state)
            if isinstance(state, SwitchState) and is_live_answer(event):
                live += state.live[-1:]
    state, rehearsal, restores = reading.state, folder.rehearses, read_restores(folder)
    back = None if state is None or alive else restored_at(restores, state.now)
    at = back or (0.0 if rehearsal else now)  # a gap ends where `restore` ended it
    shown = reading.snapshot(at, rehearsal=rehearsal, state_dir="")
    if state is None or shown is None:
        raise RefusedError(
            f"{folder.name} never started: its journal is empty", "Start it again with `run`."
        )
    status = run_status(
        state,
        shown,
        alive=alive,
        restores=restores,
        has_account=has_account(folder),
    )
    return ReadRun(state, shown, status, Followed(history=history, news=news, live=live))


def has_account(folder: RunFolder) -> bool:
    """Whether the run's account is still there, which the simulated one of a rehearsal may not be.

    Of a folder that cannot be read it is: the run may be a real one.
    """
    try:
        saved = folder.saved()
    except TakeoverError:
        return True
    return not saved.rehearsal or (bool(saved.simulated) and is_served(Path(saved.simulated)))


def listed_run(folder: RunFolder, now: float) -> ListedRun:
    """The run as the list shows it; one that cannot be read says why instead."""
    if is_measurement(folder):
        return _listed_measurement(folder)
    alive = is_held(folder.journal)
    listed = ListedRun(name=folder.name, status=RunStatus(standing=Standing.RUNNING, alive=alive))
    try:
        saved = folder.saved()
        listed = replace(listed, **_of_plan(saved))
        if not folder.journal.exists() or not folder.journal.stat().st_size:
            standing = Standing.RUNNING if alive else Standing.NEVER_STARTED
            return replace(listed, status=RunStatus(standing=standing, alive=alive))
        found = read_run(folder, now)
    except TakeoverError as error:
        status = RunStatus(
            standing=Standing.UNREADABLE,
            alive=alive,
            needs=Need.LOOK if folder.journal.exists() else None,
            why=f"It cannot be read: {error.message}.",
        )
        return replace(listed, status=status, reason=error.message)
    ending = found.state.ending
    listed = replace(listed, status=found.status, phase=str(found.state.phase))
    if ending is None:
        return listed
    return replace(listed, outcome=str(ending.outcome), reason=ending.reason, ended=found.state.now)


def _listed_measurement(folder: RunFolder) -> ListedRun:
    """A measurement: it has ended, or a process works on it, or something of it may be left."""
    alive = is_held(writes_path(folder))
    standing, needs, why = Standing.RUNNING, None, ""
    ended = None if alive else how_it_ended(folder)
    if ended is not None:
        standing = Standing(ended[0])
    elif not alive:
        standing, why = Standing.DIED, "Its stack and its records may be left."
    if standing in (Standing.DIED, Standing.UNKNOWN):
        needs = Need.RESTORE
    status = RunStatus(standing=standing, alive=alive, needs=needs, why=why)
    outcome, reason = ended or (None, "")
    listed = ListedRun(
        name=folder.name, status=status, phase="measure", outcome=outcome, reason=reason
    )
    with suppress(TakeoverError):
        saved = read_measurement_plan(folder)
        name = display_name(saved.scope.suffix)
        listed = replace(
            listed, began=saved.begun, stack=saved.scope.stack_name, names=(f"below {name}",)
        )
    return listed


def _of_plan(saved: Saved | SavedSwitch) -> dict[str, Any]:
    common = {"began": saved.begun, "rehearsal": saved.rehearsal or ""}
    if isinstance(saved, SavedSwitch):
        swaps = saved.plan.swaps or saved.plan.watched
        names = tuple(swap.target for swap in swaps)
        stack = saved.plan.options.to_stack or saved.plan.options.retire or ""
        return {**common, "is_switch": True, "stack": stack, "names": names}
    keys = (manual.key for manual in saved.plan.manuals)
    return {
        **common,
        "stack": saved.plan.root.stack_name or saved.plan.options.stack,
        "names": tuple(f"{display_name(key.name)} {key.type}" for key in keys),
    }
