"""A run in this process whose every call goes over HTTP: real clients, a simulated account.

Between the two stands a wire that a test can cut. Both clocks are one, some times as fast as the
wall clock, so that minutes of a takeover take seconds; what is true is read in the account itself.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import TYPE_CHECKING, Self, TypeVar

from msgspec.structs import replace

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.cli.bootstrap import opened, planned
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.takeover import events as ev
from route53_takeover.runtime.takeover_effects import takeover_engine
from route53_takeover.simulation.chaos.ports import SimulatedDeployer
from route53_takeover.simulation.serve import serving
from route53_takeover.storage.config import Connection
from route53_takeover.storage.journal import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from route53_takeover.core.plan.model import Options, Plan
    from route53_takeover.core.ports import Deployer
    from route53_takeover.core.takeover.state import State
    from route53_takeover.runtime.takeover_effects import TakeoverEngine
    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.scenarios import Scenario

_HOST = "127.0.0.1"
_Found = TypeVar("_Found")


class AccountClock(SystemClock):
    """The clock of the run and of the account: what is true is what it tells."""

    def true(self) -> float:
        """Seconds since the epoch."""
        return self.now()

    async def every(self, seconds: float, look: Callable[[], _Found | None]) -> _Found:
        """Looks now and after every so many seconds, until that finds something."""
        while (found := look()) is None:
            await self.sleep(seconds)
        return found


class Wire:
    """Passes bytes on to a port, until it is cut: then open connections are dead without a word.

    Attributes:
        reads_take: seconds that each read of record sets is held up on the way.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.reads_take = 0.0
        self._open: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, _HOST, 0)
        self.endpoint_url = f"http://{_HOST}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._open, return_exceptions=True)
        for writer in self._writers:
            writer.close()

    def cut(self) -> int:
        """The network changes: what was open says nothing any more, what is new works."""
        living = [task for task in self._open if not task.done()]
        for task in living:
            task.cancel()
        return len(living) // 2

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(_HOST, self._port)
        self._writers += [writer, back]
        for source, sink in ((reader, back), (there, writer)):
            self._open.append(asyncio.create_task(self._pass(source, sink)))

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if data.startswith(b"GET ") and b"/rrset" in data.partition(b"\r\n")[0]:
                    await asyncio.sleep(self.reads_take)
                sink.write(data)
                await sink.drain()
            sink.close()


class Wired:
    """One run.

    Attributes:
        world: the account.
        wire: the way to it.
    """

    def __init__(
        self,
        world: SimulatedAccount,
        clock: AccountClock,
        wire: Wire,
        engine: TakeoverEngine,
        plan: Plan,
    ) -> None:
        self.world = world
        self.clock = clock
        self.wire = wire
        self.plan = plan
        self._engine = engine

    @property
    def gaps(self) -> list[float]:
        """How long each name had no record, every time; one that has none yet for ever."""
        return [
            (end if end is not None else float("inf")) - began
            for name in self.plan.names
            for began, end in self.world.zones.absences(self.world.zone.zone_id, name)
        ]

    @property
    def released_at(self) -> list[float]:
        """When each name was left without a record."""
        zones, zone_id = self.world.zones, self.world.zone.zone_id
        return [began for name in self.plan.names for began, _ in zones.absences(zone_id, name)]

    def now_held(self) -> int:
        """How many of the names have a record."""
        self.world.timeline.advance(self.clock.now())
        return sum(bool(self.world.holds(name)) for name in self.plan.names)

    async def to_the_end(self) -> State:
        return await self._engine.run(self._first, [])

    async def until(self, is_so: Callable[[], object], seconds: float) -> None:
        """Runs until it is so, by the account's clock, and no further."""
        run = asyncio.create_task(self.to_the_end())
        end = self.clock.now() + seconds
        try:
            while not is_so():
                assert not run.done(), run.result().ending
                assert self.clock.now() < end, "in vain"
                await self.clock.sleep(0.1)
        finally:
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run

    @property
    def _first(self) -> ev.RunStarted:
        return ev.RunStarted(time=self.clock.now(), run="wired", plan=self.plan)


@asynccontextmanager
async def wired(
    scenario: Scenario,
    options: Options,
    *,
    speed: float,
    folder: Path,
    deployer: Callable[[AccountClock, str], Deployer] | None = None,
) -> AsyncIterator[Wired]:
    """A run that is planned and has not started; ``deployer`` is made from clock and endpoint."""
    clock = AccountClock(speed)
    async with serving(scenario, seed="wire", clock=clock) as served:
        port = int(served.endpoint_url.rpartition(":")[2])
        async with Wire(port) as wire:
            connection = Connection(region="us-east-1", endpoint_url=wire.endpoint_url)
            async with opened(connection, clock, writable=True) as account:
                identity = Identity(account="123456789012", arn="test")
                options = replace(options, deploy_on="true", probe=False, strategy_given=True)
                plan, _, _ = await planned(
                    account, clock, connection, options, identity, state_dir=folder
                )
                assert not plan.refused, plan.refusals
                world = served.world
                engine = takeover_engine(
                    clock=clock,
                    journal=MemoryJournal(),
                    records=account.records,
                    stacks=account.stacks,
                    deployer=deployer(clock, served.endpoint_url)
                    if deployer
                    else SimulatedDeployer(world, clock),  # type: ignore[arg-type]
                    prober=None,
                    save_backup=_saved,
                    rng=Random(1),  # noqa: S311 -- jitter
                    observer=lambda _event, _state, _seq: None,
                    strict=True,
                )
                yield Wired(world, clock, wire, engine, plan)


async def _saved() -> None:
    """The backup is not what these runs are about."""
