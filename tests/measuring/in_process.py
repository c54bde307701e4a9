"""A measurement in the simulated account, in process and on virtual time."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.measuring.scope import Scope
from route53_takeover.core.plan.facts import Identity
from route53_takeover.runtime.measuring.bench import Bench
from route53_takeover.runtime.measuring.guarded import GuardedRecords, ThrowAwayStack
from route53_takeover.runtime.measuring.measure import measure
from route53_takeover.runtime.measuring.removal import remove_all
from route53_takeover.simulation.aws.account import AccountSetup, SimulatedAccount
from route53_takeover.simulation.aws.cloudformation.record_handler import RecordHandlerConfig
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.measuring_port import SimulatedMeasuring, ZoneRecords
from route53_takeover.simulation.chaos.ports import SimulatedProber
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.storage.journal import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from route53_takeover.core.plan.measured import Measurement, RecordKind
    from route53_takeover.runtime.measuring.removal import Left
    from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode

_Found = TypeVar("_Found")
RUN = "20261128-120000-measure"
START = 1_800_000_000.0
WWW = RecordSet(name="www.example.com.", type="A", ttl=60, values=("192.0.2.7",))


class KilledError(BaseException):
    """The process is killed: nothing of it runs any more."""


class Ledger:
    """Counts the writes, and kills before or after one of them."""

    def __init__(self, kill_at: int | None = None) -> None:
        self.lines: list[tuple[str, Mapping[str, Any]]] = []
        self.kill_at = kill_at

    def intend(self, what: str, **details: Any) -> None:
        if len(self.lines) == self.kill_at:
            raise KilledError
        self.lines.append((what, details))


class Site:
    """An account, and measurements in it."""

    def __init__(
        self,
        *,
        delays: tuple[float, ...] = (1, 2, 4),
        modes: Mapping[Case, Mode] | None = None,
        lag: float | None = None,
        rates: FaultRates | None = None,
        seed: int = 1,
        start: float = START,
        **config: Any,
    ) -> None:
        records = RecordHandlerConfig(retry_delays=delays, modes=modes or {}, insync_seconds=3.0)
        setup = AccountSetup(
            zone="example.com",
            existing=(WWW,),
            stack="none",
            template={},
            others={"shop": {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}},
            config=StackConfig(records=records, **config),
        )
        self.world = SimulatedAccount(setup, seed="measuring", start=start)
        self.lag = lag
        self.rates = rates or FaultRates()
        self.told: list[str] = []
        self.seed = seed
        self.scope = Scope(run=RUN, zone_id=self.world.zone.zone_id, zone_name="example.com.")
        self.before = self.state

    @property
    def state(self) -> object:
        """What stands in the zone, and the stacks that there are."""
        stacks = [(s.name, s.status, s.body) for s in self.world.stacks.all() if not s.is_deleted]
        return self.world.zones.list(self.world.zone.zone_id), stacks

    def bench(self, ledger: Ledger) -> Bench:
        """What a new process has."""
        clock = self.clock = VirtualClock(self.world.timeline.now)
        rng = Random(self.seed)  # noqa: S311 -- a simulation
        transport = Transport(self.world, clock, rng, self.rates)
        stacks = SimulatedStacks(transport)
        aws = SimulatedMeasuring(transport, lag=self.lag)
        self.prober = SimulatedProber(self.world, clock)
        return Bench(
            scope=self.scope,
            records=GuardedRecords(ZoneRecords(transport), self.scope, ledger),
            stack=ThrowAwayStack(aws, stacks, self.scope, ledger, clock),
            stacks=stacks,
            aws=aws,
            clock=clock,
            tell=self.told.append,
        )

    def measured(
        self,
        *kinds: RecordKind,
        protections: bool = False,
        ledger: Ledger | None = None,
        kill_after: float | None = None,
        skew: float = 0.0,
    ) -> Measurement:
        """What a measurement finds; it removes nothing.

        Args:
            kill_after: seconds after which the process is killed.
            skew: by how many seconds its clock is ahead of AWS's.
        """

        async def work() -> Measurement:
            bench = self.bench(ledger or Ledger())
            self.clock.skew = skew
            task = asyncio.ensure_future(
                measure(
                    bench,
                    kinds,
                    protections=protections,
                    identity=Identity(account="123456789012", arn="test"),
                    region="us-east-1",
                    prober=self.prober,
                    journal=MemoryJournal(),
                )
            )
            await asyncio.wait([task], timeout=kill_after)
            if not task.done():
                task.cancel()
                await asyncio.wait([task])
                raise KilledError
            return task.result()

        return self.run(work)

    def removed(self, ledger: Ledger | None = None) -> Sequence[Left]:
        """Removes, as another process, what is left."""

        async def work() -> Sequence[Left]:
            return await remove_all(self.bench(ledger or Ledger()))

        return self.run(work)

    @staticmethod
    def run(work: Callable[[], Coroutine[Any, Any, _Found]]) -> _Found:
        """Runs it on virtual time."""
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.get_loop().run_until_complete(work())
