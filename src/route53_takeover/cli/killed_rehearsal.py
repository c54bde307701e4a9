"""A rehearsal with ``--auto`` whose run's process is killed: this one outlives it, and prints both.

The run is in a process of its own, as behind a screen; the output is that of every ``--auto``.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import TakeoverError
from route53_takeover.base.signals import asking
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.cli.terminal import _seen, following
from route53_takeover.core.status.choices import Act, event_of
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.process.protocol import KILLED, ExitInfo, Link, is_newly_killed
from route53_takeover.process.spawn import Launch
from route53_takeover.storage.run_folder import find_run

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.process.client import RemoteRun
    from route53_takeover.process.protocol import View
    from route53_takeover.process.spawn import BeginRehearsal
    from route53_takeover.storage.config import Common

_DRAIN = 3.0


def rehearse_killed(common: Common, order: BeginRehearsal) -> ExitCode:
    """Starts the run, accepts its plan, and prints it to its end."""
    return in_loop(_rehearse(common, order), written="the run continues by itself")


async def _rehearse(common: Common, order: BeginRehearsal) -> ExitCode:
    reporter = ConsoleReporter(common)
    launch = Launch(order)
    await launch.start()
    proposal = await launch.proposal(reporter.tell)
    if proposal.plan is not None:
        await reporter.agrees(proposal.plan)
    folder = find_run(common.state_dir, await launch.begun(reporter.tell))
    reporter.begins(folder)
    saved = folder.plan()
    view: View | None = None
    async with reporter.observing(folder, saved, SystemClock()) as observer:
        source = following(common, folder, observer)
        with_aborts = asyncio.create_task(_aborting(source))
        async with aclosing(source.subscribe()) as views:
            async for newest in views:
                before, view = view, newest
                if is_newly_killed(before, view):
                    reporter.tell(f"REHEARSAL {KILLED}")
                if view.link is Link.GONE:
                    break
        with_aborts.cancel()
        reporter.drain(_DRAIN)
    if view is None or view.snapshot.result is None:
        return _seen(common, ExitInfo(run=folder.name, gone=True))
    shown = view.snapshot
    return reporter.ended(view.snapshot.result, shown.now, seq=shown.events + 1, saved=saved)


async def _aborting(source: RemoteRun) -> None:
    """Hands each signal on to the run as a request to abort it."""
    signals = asyncio.Queue[None]()
    for number in asking():
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, None)
    while True:
        await signals.get()
        with suppress(TakeoverError):  # it is dead just now
            await source.submit(event_of(Act.ABORT, "", time=0.0))
