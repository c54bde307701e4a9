"""A run on this terminal: started or resumed in another process, shown, and left.

The run is always in another process (`route53_takeover.process.spawn`); this one shows it and hands
over what is asked for, on a Textual screen, or as text where the terminal is too small or dumb for
one. Leaving it leaves the run alone. Textual is imported only when there is a screen for it.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import (
    DeclinedError,
    ExitCode,
    ManualActionRequiredError,
    TakeoverError,
)
from route53_takeover.base.signals import asking, ignore_asking
from route53_takeover.core.status.rehearsal_marks import prefix
from route53_takeover.core.timing import ALERT_LIMIT
from route53_takeover.output import text_lines
from route53_takeover.output.desktop import sequence_for
from route53_takeover.output.would_write import print_would_write
from route53_takeover.process.account_socket import is_served
from route53_takeover.process.client import RemoteRun
from route53_takeover.process.leaving import parting
from route53_takeover.process.login_scope import is_first_process
from route53_takeover.process.protocol import ExitInfo
from route53_takeover.process.replay import Replay
from route53_takeover.process.spawn import (
    GoOn,
    Launch,
    NothingToDoError,
)
from route53_takeover.storage.config import Override
from route53_takeover.storage.journal import read_journal
from route53_takeover.storage.run_folder import find_run, line_for
from route53_takeover.storage.user_folders import config_folder
from route53_takeover.tui.plain import TextView

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from route53_takeover.core.status.any_run import RunObserver
    from route53_takeover.process.protocol import PendingRun, Proposal, Source
    from route53_takeover.process.spawn import AnyOrder
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import RunFolder

_SMALLEST = (60, 15)
"""Columns and rows below which a screen shows less than text does."""


def has_screen() -> bool:
    """Whether the terminal can show a screen; otherwise the run is shown as text."""
    if os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return False
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    columns, rows = os.get_terminal_size(sys.stderr.fileno())
    return columns >= _SMALLEST[0] and rows >= _SMALLEST[1]


def start(common: Common, order: AnyOrder) -> ExitCode:
    """Shows the plan that a process of its own makes, starts it on a yes, shows the run."""
    if has_screen():
        return _seen(common, _on_screen(common, opening=_Launched(common, order)))
    lines = _lines(common, rehearsal=order.rehearses)
    view = TextView(common, lines).open(_Launched(common, order, lines))
    return _seen(common, asyncio.run(view))


def resume(common: Common, folder: RunFolder, override: Override) -> ExitCode:
    """Starts a process for the run again, and shows it.

    A signal meanwhile only ends the view: the process continues the run by itself.
    """
    try:
        asyncio.run(
            _until_stopped(_revive(common, folder, override, partial(text_lines.talk, common)))
        )
    except TakeoverError as error:
        return _seen(common, ExitInfo(error=error))
    except asyncio.CancelledError:
        return _seen(common, ExitInfo(run=folder.name, detached=True))
    ignore_asking()  # until there is a view that listens to them
    return watch(common, folder)


def watch(common: Common, folder: RunFolder) -> ExitCode:
    """Shows a run that another process works on, or did."""
    if has_screen():
        return _seen(common, _on_screen(common, source=following(common, folder)))
    lines = _lines(common, rehearsal=folder.rehearses)
    view = TextView(common, lines).show(following(common, folder, lines))
    return _seen(common, asyncio.run(view))


def replay(common: Common, folder: RunFolder) -> ExitCode:
    """Shows a run that has ended on the screen, which there must be."""
    source = Replay(folder, read_journal(folder.journal), rehearsal=folder.rehearses)
    left = _on_screen(common, source=source)
    return ExitCode.DONE if left.error is None else _seen(common, left)


def _on_screen(
    common: Common, *, source: Source | None = None, opening: PendingRun | None = None
) -> ExitInfo:
    from route53_takeover.tui.app import TakeoverApp  # noqa: PLC0415 -- only for a screen
    from route53_takeover.tui.desktop_news import DesktopNews  # noqa: PLC0415 -- the same

    preferences = config_folder() / "screen.json"
    app = TakeoverApp(
        source=source,
        opening=opening,
        preferences=preferences,
        desktop=DesktopNews(
            sequence_for(os.environ, asked=common.notify), asked=bool(common.notify)
        ),
    )

    async def show() -> ExitInfo | None:
        for number in asking():  # from outside: ctrl+c is a key here
            if number is not signal.SIGHUP or is_first_process():
                asyncio.get_running_loop().add_signal_handler(number, app.leave)
        return await app.run_async()

    if signal.SIGHUP in asking() and not is_first_process():
        # The terminal has gone: nothing to draw on, no one to report to, and nothing to undo here.
        signal.signal(signal.SIGHUP, lambda *_: os._exit(0))
    try:
        return asyncio.run(show()) or ExitInfo(detached=True)
    except Exception:  # a defect of the screen's is no reason to end a container in the gap
        left = app.left()
        if left.detached and left.run:
            ignore_asking()
            with suppress(ManualActionRequiredError):
                parting(common, left)
        raise


def _seen(common: Common, left: ExitInfo) -> ExitCode:
    """Prints the result, or that the run continues; returns the exit code.

    Raises:
        TakeoverError: it did not begin, or cannot be seen.
    """
    ignore_asking()
    if left.detached and left.run:
        left = parting(common, left)
    match left.error:
        case None:
            pass
        case NothingToDoError(over=over):
            return text_lines.print_result(common, over.result, over.now, seq=over.seq)
        case error:
            raise error
    if left.result is not None:
        print_would_write(common, find_run(common.state_dir, left.run))
        code = text_lines.print_result(
            common,
            left.result,
            left.now,
            seq=left.events + 1,
            resume=line_for(common.state_dir, "resume", left.run, "--auto"),
            rehearsal=find_run(common.state_dir, left.run).rehearses or None,
        )
        if Launch.latest is not None and is_first_process():
            Launch.latest.outlast(
                ALERT_LIMIT
            )  # the container ends with this process, and ends it too
        return code
    if left.gone:
        again = line_for(common.state_dir, "resume", left.run)
        hint = f"Resume it: `{text_lines.pasteable(again)}`."
        if not _has_account(find_run(common.state_dir, left.run)):
            hint = (
                "It was a rehearsal, whose simulated account no longer exists: start another one."
            )
        raise ManualActionRequiredError(
            f"run {left.run} was interrupted: its process is dead", hint
        )
    if left.detached and not left.run:
        return ExitCode.DONE  # before there was anything to see
    if not left.run:
        raise DeclinedError("the plan was not started, and nothing was written")
    does = "is paused and waits for you" if left.paused else "continues by itself"
    again = line_for(common.state_dir, "attach", left.run)
    text_lines.talk(common, f"run {left.run} {does}; show it again with:", always=True)
    text_lines.talk(common, f"  {text_lines.pasteable(again)}", always=True)
    return ExitCode.DONE


class _Launched:
    """An `PendingRun` whose run is in another process."""

    def __init__(
        self, common: Common, order: AnyOrder, observer: RunObserver | None = None
    ) -> None:
        self._common = common
        self._launch = Launch(order)
        self._observer = observer
        self._tell: Callable[[str], None] = lambda _: None

    async def proposal(self, tell: Callable[[str], None]) -> Proposal:
        """Starts the process, and waits for its plan."""
        self._tell = tell
        await self._launch.start()
        proposal = await self._launch.proposal(tell)
        return replace(
            proposal,
            config=str(self._common.config or ""),
            run_line=shlex.join(["route53-takeover", *sys.argv[1:]]),
        )

    async def start(self) -> Source:
        """Confirms the plan, and waits until the run has started."""
        run = await self._launch.begun(self._tell)
        return following(self._common, find_run(self._common.state_dir, run), self._observer)

    async def decline(self) -> None:
        """Lets the process end."""
        self._launch.close()


def following(common: Common, folder: RunFolder, observer: RunObserver | None = None) -> RemoteRun:
    """The run as its journal and its process tell it."""

    def revive() -> Awaitable[None]:
        return _revive(common, folder, Override(), lambda _: None)

    rehearsal = folder.rehearses
    return RemoteRun(
        folder,
        rehearsal=rehearsal,
        revive=revive,
        has_account=partial(_has_account, folder),
        is_killed=bool(rehearsal) and _is_killed(rehearsal),
        observer=observer,
    )


def _has_account(folder: RunFolder) -> bool:
    """Whether the account of a run is there, which the simulated one of a rehearsal may not be."""
    with suppress(TakeoverError):
        saved = folder.plan()
        return not saved.rehearsal or (bool(saved.simulated) and is_served(Path(saved.simulated)))
    return True


def _is_killed(rehearsal: str) -> bool:
    from route53_takeover.simulation.scenarios import SCENARIOS  # noqa: PLC0415 -- of rehearsals

    return rehearsal in SCENARIOS and SCENARIOS[rehearsal].killed


async def _revive(
    common: Common, folder: RunFolder, override: Override, tell: Callable[[str], None]
) -> None:
    """Starts a process that resumes the run."""
    order = GoOn(
        state_dir=str(common.state_dir),
        log_level=common.log_level,
        on_event=common.on_event,
        run=folder.name,
        override=override,
    )
    launch = Launch(order)
    await launch.start()
    await launch.begun(tell, agreed=False)


async def _until_stopped(work: Coroutine[None, None, None]) -> None:
    """Does it; a signal cancels the waiting for it."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in asking():
        loop.add_signal_handler(number, lambda: task and task.cancel())
    await work


def _lines(common: Common, *, rehearsal: str) -> text_lines.TextLines:
    return text_lines.TextLines(
        sys.stderr, prefix=prefix(rehearsal), quiet=common.quiet, verbose=common.verbose
    )
