"""Leaving a view while its run continues: what to print, and whether to wait first.

A name without a record is named, with the time by which it has one again. A container ends with its
first process, and the run's with it: where that is this process it stays until every name has a
record. A run that may end at the logout says so.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import ManualActionRequiredError, TakeoverError
from route53_takeover.core.status.rehearsal_marks import prefix
from route53_takeover.output import text_lines
from route53_takeover.process.client import RemoteRun
from route53_takeover.process.login_scope import EndsWith, ends_with
from route53_takeover.process.protocol import Link
from route53_takeover.process.spawn import Launch
from route53_takeover.storage.run_folder import find_run, line_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.status.snapshot import Absence
    from route53_takeover.process.protocol import ExitInfo, View
    from route53_takeover.storage.config import Common

_LOGIN = (
    "warning: the run may be killed when you log out (KillUserProcesses of systemd-logind): stay "
    "logged in until it has ended. `loginctl enable-linger` protects later runs"
)


def parting(common: Common, left: ExitInfo) -> ExitInfo:
    """Reports the state that the run is left in; waits where the run would end with this process.

    Returns:
        How it was left: a run that ended meanwhile has a result.

    Raises:
        ManualActionRequiredError: the run ends with this process, and has not ended by itself.
    """
    rehearses = find_run(common.state_dir, left.run).rehearses
    is_rehearsal = bool(rehearses)
    if left.absences:
        text_lines.talk(common, prefix(rehearses) + without_record(left.absences), always=True)
    match _fate():
        case EndsWith.CONTAINER if not is_rehearsal:
            return _stay(common, left)
        case EndsWith.LOGIN:
            text_lines.talk(common, _LOGIN, always=True)
        case _:
            pass
    return left


def without_record(absences: Sequence[Absence]) -> str:
    """The most urgent name, when it has a record again, and the number of others."""
    worst, *others = absences
    if worst.answers:
        what = "is missing" if worst.is_certain else "is about to be deleted"
        what += f"; {worst.answers}"
    else:
        what = "has no record" if worst.is_certain else "is about to lose its record"
    more = f", and {len(others)} more" if others else ""
    if worst.until is None:
        return f"{worst.name} {what}; the run is restoring it{more}"
    until = datetime.fromtimestamp(worst.until, UTC).strftime("%H:%M:%SZ")
    return f"{worst.name} {what}; restored at {until} at the latest{more}"


def _fate() -> EndsWith:
    launch = Launch.latest
    return EndsWith.NOTHING if launch is None else ends_with(moved=launch.has_left_scope)


def _stay(common: Common, left: ExitInfo) -> ExitInfo:
    if left.absences:
        text_lines.talk(
            common,
            "the run would end with the container, which ends with this process: waiting until "
            "every name has a record",
            always=True,
        )
    view = asyncio.run(_until_closed(common, left.run))
    shown = None if view is None else view.snapshot
    if shown is not None and shown.result is not None:
        return replace(
            left, detached=False, result=shown.result, now=shown.now, events=shown.events
        )
    if view is not None and view.link is Link.GONE:
        return replace(left, detached=False, gone=True)
    again = line_for(common.state_dir, "resume", left.run)
    raise ManualActionRequiredError(
        f"run {left.run} is not done, and ends with the container of this process",
        f"Continue with: `{text_lines.pasteable(again)}`.",
    )


async def _until_closed(common: Common, run: str) -> View | None:
    """The view in which no name lacks a record any more, or in which the run has ended or died."""
    view: View | None = None
    source = RemoteRun(find_run(common.state_dir, run))
    try:
        async with aclosing(source.subscribe()) as views:
            async for view in views:
                is_over = view.link in (Link.ENDED, Link.GONE)
                if is_over or not view.snapshot.absences:
                    break
    except TakeoverError as error:
        text_lines.tell_error(error)
    return view
