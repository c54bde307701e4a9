"""The process of a rehearsal's simulated account, started by `process.account_socket`.

It serves the account until the run has ended, or until no run is connected and nothing has asked it
for a while. In a scenario that kills the run it does that, too: it ends the run's process once the
record is deleted, and starts another that resumes the run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import TakeoverError
from route53_takeover.cli.rehearsals import find_rehearsal
from route53_takeover.process.account_socket import (
    AccountOrder,
    RunConnected,
    RunEnded,
    RunNamed,
    Welcome,
    socket_of,
    words,
)
from route53_takeover.process.control_socket import short_path
from route53_takeover.process.spawn import GoOn, Launch
from route53_takeover.simulation.blue_green import SwitchScenario
from route53_takeover.simulation.scenarios import Scenario
from route53_takeover.simulation.serve import ServedSite, scrub, serving, serving_sites
from route53_takeover.storage.config import Override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.simulation.aws.route53.zones import AppliedChange
    from route53_takeover.simulation.serve import ServedAccount

_GAP_SHOWN, _DEAD_SHOWN = 1.0, 1.5
"""Real seconds from the release to the kill, and from there to the resume, at least."""


class RunsHere:
    """The runs that are connected, and whether the account is still needed.

    Args:
        idle: seconds without a run and without a request after which it is not.
    """

    welcome: Welcome

    def __init__(self, idle: float) -> None:
        self.run = ""
        self.released = asyncio.Event()
        self.pids: dict[asyncio.StreamWriter, int] = {}
        self.history: Sequence[AppliedChange] = ()
        self._idle = idle
        self._ended = asyncio.Event()
        self._asked_at = 0.0
        self.asked()

    def asked(self) -> None:
        """A request came."""
        self._asked_at = asyncio.get_running_loop().time()
        if not self.released.is_set() and any(map(_is_release, self.history)):
            self.released.set()

    def end(self) -> None:
        """The account is not needed any more."""
        self._ended.set()

    async def over(self) -> None:
        """Returns when the account is to end."""
        clock = asyncio.get_running_loop().time
        while not self._ended.is_set():
            left = self._idle if self.pids else self._asked_at + self._idle - clock()
            if left <= 0:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), left)

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One run, until its process closes the connection or dies."""
        try:
            writer.write(msgspec.json.encode(self.welcome) + b"\n")
            while line := await reader.readline():
                match words.decode(line):
                    case RunConnected(pid=pid):
                        self.pids[writer] = pid
                    case RunNamed(run=run):
                        self.run = run
                    case RunEnded():
                        self.end()
        except (OSError, ValueError):
            pass
        finally:
            self.pids.pop(writer, None)
            self.asked()
            writer.close()


async def serve(folder: Path, order: AccountOrder) -> None:
    """Serves an account to its end."""
    scenario = find_rehearsal(order.scenario)
    clock = SystemClock(order.speed)
    runs = RunsHere(order.idle)
    async with AsyncExitStack() as stack:
        seed, asked = str(order.seed), runs.asked
        served: ServedAccount | ServedSite
        if isinstance(scenario, SwitchScenario):
            served = await stack.enter_async_context(
                serving_sites(scenario, seed=seed, clock=clock, asked=asked)
            )
        else:
            served = await stack.enter_async_context(
                serving(scenario, seed=seed, clock=clock, asked=asked)
            )
            runs.history = served.world.zones.history
        runs.welcome = Welcome(
            endpoint_url=served.endpoint_url,
            name_servers=served.name_servers,
            clock=clock.origin,
            web_server=served.web_server if isinstance(served, ServedSite) else "",
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, runs.end)
        with short_path(socket_of(folder)) as name:
            server = await asyncio.start_unix_server(runs.hear, name)
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        work = asyncio.sleep(0)
        if isinstance(scenario, Scenario) and scenario.killed:
            work = _kill_in_the_gap(runs, order, dead_for=scenario.dead_for / order.speed)
        killing = asyncio.create_task(work)
        await runs.over()
        server.close()
        killing.cancel()


async def _kill_in_the_gap(runs: RunsHere, order: AccountOrder, *, dead_for: float) -> None:
    """Kills the run's process after its release, and resumes the run in another.

    Args:
        dead_for: real seconds in between, at least.
    """
    await runs.released.wait()
    await asyncio.sleep(_GAP_SHOWN)
    for pid in runs.pids.values():  # it is connected, so it is this process
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(max(_DEAD_SHOWN, dead_for))
    launch = Launch(
        GoOn(
            state_dir=order.state_dir,
            log_level=order.log_level,
            run=runs.run,
            override=Override(),
        )
    )
    try:
        await launch.start()
        await launch.begun(lambda _: None, agreed=False)
    except TakeoverError as error:
        sys.stderr.write(f"{error.message}\n")
        runs.end()  # whoever looks on is not to wait for the resume


def _is_release(change: AppliedChange) -> bool:
    """Whether a batch deletes records and creates none, which only a release does."""
    return {action for action, _ in change.changes} == {"DELETE"}


def main() -> None:
    """Serves what the command line says, and removes its folder."""
    folder = Path(sys.argv[1])
    scrub(os.environ)
    try:
        asyncio.run(serve(folder, msgspec.json.decode(sys.argv[2], type=AccountOrder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
