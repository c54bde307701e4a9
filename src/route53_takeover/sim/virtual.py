"""Rehearsals in process, on virtual time: the real engine, thousands of times, killed and lied to.

Each run is decided by one seed: the scenario, the faults of every call, where the engine is killed
and for how long it stays down. The same seed gives the same run, to the last event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core import events as ev
from route53_takeover.core.plan import Identity, Options
from route53_takeover.core.planning import make_plan
from route53_takeover.core.state import Outcome
from route53_takeover.engine import Engine
from route53_takeover.journal import JournalError, MemoryJournal
from route53_takeover.preflight import gather
from route53_takeover.sim.inprocess import (
    FaultRates,
    Line,
    VirtualClock,
    WorldDeployer,
    WorldProber,
    WorldRecords,
    WorldStacks,
)
from route53_takeover.sim.scenarios import SCENARIOS
from route53_takeover.sim.verdict import judged
from route53_takeover.sim.virtual_loop import VirtualLoop
from route53_takeover.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.state import State
    from route53_takeover.sim.cloudformation.stacks import StackEventRow
    from route53_takeover.sim.scenarios import Scenario
    from route53_takeover.sim.verdict import Rehearsal
    from route53_takeover.sim.world import Account

START = 1_800_000_000.0
"""When every virtual rehearsal begins, in seconds since the epoch."""
LONGEST = 6 * 3600.0
"""Virtual seconds after which a run that has not ended is a defect."""


class Killed(BaseException):
    """The process died, right after an append to the journal."""


class _MortalJournal(MemoryJournal):
    """A journal after whose n-th append from now the process dies, or the disk is full."""

    def __init__(self, data: bytes, appends: int | None, holds: int | None) -> None:
        super().__init__(data)
        self._left = appends
        self._holds = holds

    def append(self, event: ev.AnyEvent) -> int:
        if self._holds is not None and len(self.events) >= self._holds:
            raise JournalError("no space left")
        seq = super().append(event)
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                raise Killed
        return seq


class Faults(Struct, frozen=True, kw_only=True):
    """What goes wrong in one run.

    Attributes:
        rates: of every call.
        kills: after how many appends each life of the engine ends; the last one lives.
        downtimes: seconds until the next life begins, one for each kill.
        event_delays: seconds by which events become visible late, drawn for each.
        repeats: how often an event appears twice.
        lost: numbers of the batches, counted from 1, that are applied and whose answer is lost.
        dropped: numbers of the batches that never arrive.
        journal_holds: how many events the journal can take.
        resumes: how often a run that has ended `unknown` is resumed.
    """

    rates: FaultRates = FaultRates()
    kills: tuple[int, ...] = ()
    downtimes: tuple[float, ...] = ()
    event_delays: tuple[float, float] = (0.0, 0.0)
    repeats: float = 0.0
    lost: frozenset[int] = frozenset()
    dropped: frozenset[int] = frozenset()
    journal_holds: int | None = None
    resumes: int = 0


class Stage:
    """One rehearsal while it goes on, for whoever wants to disturb it.

    Attributes:
        world: the account; it moves on whenever somebody looks at it.
        line: the way to it.
        engine: the one that lives now.
    """

    def __init__(self, world: World, clock: VirtualClock, line: Line) -> None:
        self.world = world
        self.clock = clock
        self.line = line
        self.engine: Engine

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Lets something happen in the account, so many seconds from now."""
        self.world.timeline.after(seconds, action)


Begin = Callable[[Stage], None]
"""Is called once, before the first life of the engine."""
Saw = Callable[[Stage, ev.AnyEvent, "State"], None]
"""Is told of every event that an engine took in, and the state after it."""


def draw_faults(rng: Random) -> Faults:
    """A mix of faults; a third of the runs has none."""
    if rng.random() < 1 / 3:
        return Faults()
    kills = tuple(rng.randint(1, 60) for _ in range(rng.choice((0, 0, 1, 1, 2, 3))))
    return Faults(
        rates=FaultRates(
            throttled=rng.choice((0.0, 0.05, 0.3)),
            lost_request=rng.choice((0.0, 0.05)),
            lost_answer=rng.choice((0.0, 0.1, 0.4)),
        ),
        kills=kills,
        downtimes=tuple(rng.choice((0.5, 5.0, 45.0, 400.0)) for _ in kills),
        event_delays=(0.0, rng.choice((0.0, 1.0, 8.0))),
        repeats=rng.choice((0.0, 0.2)),
    )


def rehearse_many(runs: int, seed: int, scenario: str | None) -> Iterator[Rehearsal]:
    """Runs that differ in scenario and faults, one after the other."""
    for number in range(runs):
        rng = Random(f"{seed}/{number}")  # noqa: S311 -- a simulation, not a secret
        chosen = SCENARIOS[scenario or rng.choice(sorted(SCENARIOS))]
        yield rehearse_once(chosen, f"{seed}/{number}", draw_faults(rng))


def rehearse_once(
    scenario: Scenario,
    seed: str,
    faults: Faults,
    *,
    options: Options | None = None,
    world_type: type[World] = World,
    begin: Begin = lambda _: None,
    saw: Saw = lambda _stage, _event, _state: None,
) -> Rehearsal:
    """One run to its end, through every kill and resume.

    Args:
        options: instead of the scenario's own.
        world_type: an account whose deploy commands have other habits.
        begin: may disturb it from the beginning.
        saw: may disturb it after an event.
    """
    rehearsing = _rehearse(
        scenario,
        seed,
        faults,
        options=options or options_of(scenario),
        world_type=world_type,
        begin=begin,
        saw=saw,
    )
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(rehearsing)


def options_of(scenario: Scenario) -> Options:
    """What a user would ask for in this scenario."""
    return Options(
        stack=scenario.account.stack,
        records=(scenario.record,),
        deploy_off="off",
        deploy_on="on",
    )


async def _rehearse(
    scenario: Scenario,
    seed: str,
    faults: Faults,
    *,
    options: Options,
    world_type: type[World],
    begin: Begin,
    saw: Saw,
) -> Rehearsal:
    rng = Random(f"{seed}/faults")  # noqa: S311 -- a simulation, not a secret
    account = _with_event_faults(scenario, faults, rng)
    world = world_type(account, seed=f"{seed}/world", start=START)
    clock = VirtualClock(world.timeline.now)
    calm = Line(world, clock, rng, FaultRates())
    facts = await gather(
        options,
        clock=clock,
        records=WorldRecords(calm),
        stacks=WorldStacks(calm),
        identity=Identity(account="123456789012", arn="rehearsal"),
        region="us-east-1",
        ask_delegation=None,
    )
    first: ev.RunStarted | ev.RunResumed = ev.RunStarted(
        time=clock.now(), run="rehearsal", plan=make_plan(facts, options)
    )
    journal = MemoryJournal()
    pending = list(zip(faults.kills, faults.downtimes, strict=True))
    resumes = faults.resumes
    line = Line(world, clock, rng, faults.rates)
    line.lost, line.dropped = faults.lost, faults.dropped
    stage = Stage(world, clock, line)
    begin(stage)
    lives = 0
    state: State | None = None
    while True:
        lives += 1
        appends, downtime = pending.pop(0) if pending else (None, 0.0)
        journal = _MortalJournal(bytes(journal.data), appends, faults.journal_holds)
        engine = stage.engine = Engine(
            clock=clock,
            journal=journal,
            records=WorldRecords(line),
            stacks=WorldStacks(line),
            deployer=WorldDeployer(world, clock),
            prober=WorldProber(world, clock),
            save_backup=lambda: None,
            rng=rng,
            observer=lambda event, state, _seq: saw(stage, event, state),
            strict=True,
        )
        try:
            async with asyncio.timeout(LONGEST):
                state = await engine.run(first, list(journal.events))
            ended_unknown = state.ending is not None and state.ending.outcome is Outcome.UNKNOWN
            if not ended_unknown or not resumes:
                break
            resumes -= 1
        except Killed:
            await clock.sleep(downtime)
        first = ev.RunResumed(time=clock.now())
    world.timeline.advance(clock.now() + 3600.0)
    return judged(scenario, seed, state, world, journal.events, line.calls, lives)


def _with_event_faults(scenario: Scenario, faults: Faults, rng: Random) -> Account:
    """The scenario's account, whose events come late and twice as the faults say."""

    def visible(_: StackEventRow) -> list[float]:
        delay = rng.uniform(*faults.event_delays)
        return [delay, delay + 3.0] if rng.random() < faults.repeats else [delay]

    account = scenario.account
    return replace(account, config=replace(account.config, visible=visible))


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """p50, p90, p99 and the largest, by nearest rank; zeros where there are none."""
    ordered = sorted(values)

    def rank(share: float) -> float:
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0

    return {"p50": rank(0.5), "p90": rank(0.9), "p99": rank(0.99), "max": rank(1.0)}
