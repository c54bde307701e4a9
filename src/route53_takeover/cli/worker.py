"""The process that a takeover runs in when a terminal asked for it: it needs none itself.

Started by `process.spawn` in a session of its own, with a socket for the order, the
plan and the confirmation. Once the run has started it says so and needs no terminal: it ignores
SIGHUP, and SIGINT, SIGTERM and SIGQUIT end the run properly. It never imports Textual.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base import stdio
from route53_takeover.base.crash_report import kept
from route53_takeover.base.errors import DefectError, ExitCode, TakeoverError
from route53_takeover.base.signals import give_up
from route53_takeover.cli.dry_run import rehearse_like, start_dry_run
from route53_takeover.cli.execution import resume_run, start_run
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.cli.rehearsal import rehearse_scenario
from route53_takeover.cli.rehearsals import find_rehearsal
from route53_takeover.cli.switch_execution import resume_switch, start_switch
from route53_takeover.process.protocol import GOOD_FOR, Proposal
from route53_takeover.process.spawn import (
    YES,
    AnyOrder,
    BeginLike,
    BeginRehearsal,
    BeginRun,
    BeginSwitch,
    Begun,
    Failed,
    GoOn,
    Over,
    Proposed,
    SpawnProgress,
)
from route53_takeover.simulation.scenarios import DEFAULT
from route53_takeover.storage.config import Common
from route53_takeover.storage.run_folder import find_run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.ports import Clock
    from route53_takeover.core.status.any_run import RunObserver, RunState
    from route53_takeover.core.status.result import Result
    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.process.spawn import SpawnReply
    from route53_takeover.storage.run_folder import RunFolder, SavedRun

_SLOWER = 3.0
"""How much slower a scenario runs on a screen: well under a minute still."""
_log = structlog.get_logger(__name__)
_orders: msgspec.json.Decoder[AnyOrder] = msgspec.json.Decoder(AnyOrder)


class SocketReporter:
    """The starting process at the other end of a socket, until the run has started."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel: socket.socket | None = channel
        self._rehearsal = ""

    def tell(self, text: str) -> None:
        """A message for the starting process."""
        self.say(SpawnProgress(text=text))

    def warn(self, text: str) -> None:
        """The same."""
        self.tell(f"warning: {text}")

    def say(self, word: SpawnReply) -> None:
        """Sends a reply; a terminal that has exited meanwhile does not get it."""
        if self._channel is not None:
            with suppress(OSError):
                self._channel.sendall(msgspec.json.encode(word) + b"\n")

    def leave(self) -> None:
        """Nothing more will be said."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    async def agrees(self, made: Plan) -> bool:
        """Proposes the plan and waits for the confirmation; a closed socket is none.

        Raises:
            TakeoverError: the confirmation came so late that the account may have changed.
        """
        proposal = Proposal(plan=made, rehearsal=self._rehearsal)
        return await self._is_agreed(proposal)

    async def agrees_to_switch(self, made: SwitchPlan) -> bool:
        """The same for the plan of a switch."""
        proposal = Proposal(switch=made, rehearsal=self._rehearsal)
        return await self._is_agreed(proposal)

    async def _is_agreed(self, proposal: Proposal) -> bool:
        if self._channel is None:
            return False
        clock = SystemClock()
        read_at = clock.now()
        self.say(Proposed(proposal=proposal))
        self._channel.setblocking(False)
        try:
            answer = await asyncio.get_running_loop().sock_recv(self._channel, len(YES))
        except OSError:
            return False
        self._channel.setblocking(True)
        if answer == YES and clock.now() - read_at > GOOD_FOR:
            raise TakeoverError(
                "the plan is older than 10 minutes and was not started: nothing was written",
                "Start it again: it reads the account again.",
            )
        return answer == YES

    def rehearses(self, scenario: str) -> None:
        """What is proposed is a rehearsal of this scenario."""
        self._rehearsal = scenario

    def begins(self, folder: RunFolder) -> None:
        """The last reply; stray output of this process goes to the run's log from now on."""
        with suppress(OSError):
            log = os.open(folder.log, os.O_WRONLY | os.O_APPEND)
            os.dup2(log, sys.stderr.fileno())
            os.close(log)
        self.say(Begun(run=folder.name))
        self.leave()

    @asynccontextmanager
    async def observing(
        self, _folder: RunFolder, _saved: SavedRun, _clock: Clock, _known: RunState | None = None
    ) -> AsyncIterator[RunObserver]:
        """No observer: terminals read the journal."""
        yield _no_observer

    def drain(self, _patience: float | None) -> bool:
        """There is nothing to wait for."""
        return True

    def ended(
        self, ended: Result, now: float, *, seq: int | None = None, saved: SavedRun | None = None
    ) -> ExitCode:
        """Sends the result, if the socket is open; the journal has it in any case."""
        del saved
        self.say(Over(result=ended, now=now, seq=seq))
        return ended.exit_code


def _no_observer(event: object, state: object, seq: int) -> None:
    del event, state, seq


def main() -> ExitCode:
    """Carries an order out; returns the exit code, which no process waits for."""
    give_up(signal.SIGHUP)
    stdio.open_all()
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.set_inheritable(False)  # the deploy command must not keep it open
    audience = SocketReporter(channel)
    try:
        return _carry_out(_order(channel), audience)
    except TakeoverError as error:
        return _fail(audience, error.message, error.hint, error.exit_code, error.run)
    except DefectError as error:
        _log.exception("daemon.failed")
        return _fail(audience, *kept(error.error), ExitCode.UNKNOWN, error.run)
    except Exception as error:  # noqa: BLE001 -- the last line of defence: it is kept, and reported
        _log.exception("daemon.failed")
        return _fail(audience, *kept(error), ExitCode.FAILED, None)
    finally:
        audience.leave()


def _fail(
    audience: SocketReporter, message: str, hint: str, code: ExitCode, run: str | None
) -> ExitCode:
    _log.error("daemon.ended", reason=message, exit_code=code)
    audience.say(Failed(message=message, hint=hint, exit_code=code, run=run))
    return code


def _order(channel: socket.socket) -> AnyOrder:
    data = b""
    while not data.endswith(b"\n"):
        part = channel.recv(1 << 16)
        if not part:
            raise TakeoverError(
                "the command that started this process has ended", "Start it again."
            )
        data += part
    return _orders.decode(data)


def _carry_out(order: AnyOrder, audience: SocketReporter) -> ExitCode:
    common = Common(
        state_dir=Path(order.state_dir), log_level=order.log_level, on_event=order.on_event
    )
    match order:
        case BeginRun(dry_run=True):
            audience.rehearses(order.rehearses)
            work = start_dry_run(
                common,
                audience,
                order.connection,
                order.options,
                reviewed=order.reviewed,
                slower=_SLOWER,
            )
            return in_loop(work)
        case BeginLike():
            audience.rehearses(order.rehearses)
            work = rehearse_like(common, audience, order.like, order.speed, slower=_SLOWER)
            return in_loop(work)
        case BeginRun():
            clock = SystemClock()
            work = start_run(
                common,
                audience,
                order.connection,
                order.options,
                clock,
                reviewed=order.reviewed,
            )
            return in_loop(work)
        case BeginSwitch():
            switching = start_switch(
                common, audience, order.connection, order.options, SystemClock()
            )
            return in_loop(switching)
        case BeginRehearsal():
            scenario = find_rehearsal(order.scenario or DEFAULT)
            audience.rehearses(scenario.name)
            speed = order.speed or scenario.speed / (_SLOWER if order.is_watched else 1.0)
            return in_loop(rehearse_scenario(common, audience, scenario, order.seed, speed))
        case GoOn():
            folder = find_run(common.state_dir, order.run)
            if folder.is_switch:
                return resume_switch(common, audience, folder, order.override)
            return resume_run(common, audience, folder, order.override)


if __name__ == "__main__":
    sys.exit(main())
