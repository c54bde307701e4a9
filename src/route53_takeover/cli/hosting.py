"""Hosting a run of any kind: the engine between its journal, signals and viewers."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from route53_takeover.base.signals import asking, never_suspend
from route53_takeover.cli.event_alerts import EventAlerts
from route53_takeover.cli.preloading import preload
from route53_takeover.core.events import AlertFailed
from route53_takeover.core.status.any_run import result_of
from route53_takeover.output import log
from route53_takeover.process.control_server import Control
from route53_takeover.process.keep_awake import Awake
from route53_takeover.storage.run_notes import RUN, save_end

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunObserver, RunState
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.runtime.engine import Engine
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.journal import FileJournal
    from route53_takeover.storage.run_folder import RunFolder, SavedRun

_DRAIN = 3.0
"""Seconds that a reader of the output gets at the end before a signal may end us."""


async def host(
    common: Common,
    audience: Reporter,
    clock: SystemClock,
    folder: RunFolder,
    saved: SavedRun,
    journal: FileJournal,
    first: Event,
    known: RunState | None,
    *,
    engine_of: Callable[[RunObserver], Engine[Any, Any, Any, Any]],
    is_at_risk: Callable[[Any], bool],
    calls: Callable[[], Counter[str]],
    also: Callable[[Any], None] = lambda _: None,
) -> ExitCode:
    """Runs an engine in a run's folder to its end, and reports the result; returns the exit code.

    The run can be looked at and acted on meanwhile, through the control socket in its folder.

    Args:
        journal: the run's, locked; it is closed before the result is printed.
        first: how this process begins.
        known: the state that its events come to; ``None`` for a new run.
        engine_of: makes the engine, given its observer.
        is_at_risk: whether the machine must not fall asleep now.
        calls: how often each API was called so far.
        also: is told of every state.
    """
    awake = Awake()
    try:
        log.to_file(folder.log, log.level(common.log_level))
        alerts = EventAlerts(common, folder, saved, journal.events, known)
        async with audience.observing(folder, saved, clock, known) as observer:

            def look(event: Any, state: Any, seq: int) -> None:  # noqa: ANN401 -- of any machine
                if isinstance(event, type(first)):  # it is on disk: readers see this process
                    audience.begins(folder)
                if is_at_risk(state) and not saved.rehearsal:
                    awake.hold()
                control.observe(event, state, seq)
                observer(event, state, seq)
                also(state)
                alerts.observe(event, state, seq)

            engine = engine_of(look)
            alerts.tell_failures(
                lambda reason: engine.submit(AlertFailed(time=clock.now(), reason=reason))
            )
            control = Control(folder.control, clock, engine.submit)
            preload()
            loop, asked = asyncio.get_running_loop(), asking()
            never_suspend()
            for number in asked:
                loop.add_signal_handler(number, engine.interrupt, number.name)
            try:
                async with control.serving():
                    state = await engine.run(first, journal.events, known)
                alerts.tell_failures(lambda why: audience.warn(f"--on-event: {why}"))
            finally:
                for number in asked:  # the run has ended: its own exit code is what it comes to
                    loop.remove_signal_handler(number)
                    signal.signal(number, signal.SIG_IGN)
                if not audience.drain(_DRAIN):
                    for number in asked:
                        signal.signal(number, signal.SIG_DFL)
                    audience.drain(None)
    finally:
        awake.close()
        journal.close()
    ended = result_of(state, calls())
    code = audience.ended(ended, clock.now(), seq=engine.seq + 1, saved=saved)
    save_end(folder, clock.now(), RUN, ended)  # a disk that stalls now delays no result
    return code
