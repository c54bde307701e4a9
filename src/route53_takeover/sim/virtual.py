"""Rehearsals in process, on virtual time: the real engine, thousands of times, killed and lied to.

Each run is decided by one seed: the scenario, the faults of every call, where the engine is killed
and for how long it stays down. The same seed gives the same run, to the last event.
"""

from __future__ import annotations

import asyncio
import selectors
from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core import events as ev
from route53_takeover.core.invariants import broken_promises
from route53_takeover.core.plan import Identity, Options, make_plan
from route53_takeover.core.state import Outcome
from route53_takeover.core.view import Result, result
from route53_takeover.engine import Engine, fold
from route53_takeover.journal import MemoryJournal
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
from route53_takeover.sim.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.records import RecordKey
    from route53_takeover.core.state import State
    from route53_takeover.sim.scenarios import Scenario
    from route53_takeover.sim.stacks import StackEventRow
    from route53_takeover.sim.world import Account

START = 1_800_000_000.0
"""When every virtual rehearsal begins, in seconds since the epoch."""
LONGEST = 6 * 3600.0
"""Virtual seconds after which a run that has not ended is a defect."""


class Killed(BaseException):
    """The process died, right after an append to the journal."""


class _MortalJournal(MemoryJournal):
    """A journal after whose n-th append from now the process dies."""

    def __init__(self, data: bytes, appends: int | None) -> None:
        super().__init__(data)
        self._left = appends

    def append(self, event: ev.AnyEvent) -> int:
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
    """

    rates: FaultRates = FaultRates()
    kills: tuple[int, ...] = ()
    downtimes: tuple[float, ...] = ()
    event_delays: tuple[float, float] = (0.0, 0.0)
    repeats: float = 0.0


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


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What came of one run, and what was true at its end.

    Attributes:
        absent: whether the name has no record, whatever the run says.
        broken: promises that were broken.
        gap_seconds: how long the name had no record, by the account's own history.
    """

    scenario: str
    seed: str
    result: Result
    absent: bool
    broken: tuple[str, ...]
    gap_seconds: float
    lives: int
    events: tuple[ev.AnyEvent, ...]


def rehearse_many(runs: int, seed: int, scenario: str | None) -> Iterator[Rehearsal]:
    """Runs that differ in scenario and faults, one after the other."""
    for number in range(runs):
        rng = Random(f"{seed}/{number}")  # noqa: S311 -- a simulation, not a secret
        chosen = SCENARIOS[scenario or rng.choice(sorted(SCENARIOS))]
        yield rehearse_once(chosen, f"{seed}/{number}", draw_faults(rng))


def rehearse_once(scenario: Scenario, seed: str, faults: Faults) -> Rehearsal:
    """One run to its end, through every kill and resume."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(_rehearse(scenario, seed, faults))


async def _rehearse(scenario: Scenario, seed: str, faults: Faults) -> Rehearsal:
    rng = Random(f"{seed}/faults")  # noqa: S311 -- a simulation, not a secret
    world = World(_with_event_faults(scenario, faults, rng), seed=f"{seed}/world", start=START)
    clock = VirtualClock(world.timeline.now)
    calm = Line(world, clock, rng, FaultRates())
    options = Options(
        stack=scenario.account.stack,
        records=(scenario.record,),
        deploy_off="off",
        deploy_on="on",
    )
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
    kills = [*faults.kills, None]
    state: State | None = None
    line = Line(world, clock, rng, faults.rates)
    lives = 0
    for lives, appends in enumerate(kills, start=1):
        journal = _MortalJournal(bytes(journal.data), appends)
        engine = Engine(
            clock=clock,
            journal=journal,
            records=WorldRecords(line),
            stacks=WorldStacks(line),
            deployer=WorldDeployer(world, clock),
            prober=WorldProber(world, clock),
            save_backup=lambda: None,
            rng=rng,
            observer=lambda _event, _state, _seq: None,
        )
        try:
            async with asyncio.timeout(LONGEST):
                state = await engine.run(first, list(journal.events))
            break
        except Killed:
            await clock.sleep(faults.downtimes[lives - 1])
            first = ev.RunResumed(time=clock.now())
    world.timeline.advance(clock.now() + 3600.0)
    if state is None or state.ending is None:
        raise RuntimeError(f"seed {seed}: the last life of the engine did not end")
    return _judged(scenario, seed, state, world, journal, line, lives)


def _judged(
    scenario: Scenario,
    seed: str,
    state: State,
    world: World,
    journal: MemoryJournal,
    line: Line,
    lives: int,
) -> Rehearsal:
    """Holds what the run says against what is true in the account an hour later."""
    name = state.plan.names[0]
    here = world.holds(name)
    broken = list(broken_promises(state))
    if fold(journal.events) != state:
        broken.append("folding the journal equals the state in memory")
    outcome = state.ending.outcome if state.ending else Outcome.UNKNOWN
    originals = [m.original for m in state.plan.manuals]
    writer = world.last_writer(name)
    if outcome is Outcome.DONE and writer != "cloudformation":
        broken.append("done means that CloudFormation wrote last")
    if outcome is Outcome.RESTORED and not all(any(o.same_as(r) for r in here) for o in originals):
        broken.append("restored means that the backup stands to the letter")
    if outcome in (Outcome.FAILED, Outcome.ABORTED) and not (
        writer == "a person" or all(any(o.same_as(r) for r in here) for o in originals)
    ):
        broken.append("failed means that the manual record or somebody else's stands")
    broken += _wronged(world)
    absences = world.zones.absences(world.zone.zone_id, name)
    gap = sum((end if end is not None else world.timeline.now) - began for began, end in absences)
    return Rehearsal(
        scenario=scenario.name,
        seed=seed,
        result=result(state, line.calls),
        absent=not here,
        broken=tuple(broken),
        gap_seconds=round(gap, 3),
        lives=lives,
        events=tuple(journal.events),
    )


def _wronged(world: World) -> list[str]:
    """Deletes of ours that hit a record set which CloudFormation had written last."""
    writer: dict[RecordKey, str] = {}
    wronged = []
    for change in world.zones.history:
        for action, record in change.changes:
            if action == "DELETE" and change.by == "takeover":
                if writer.get(record.key) == "cloudformation":
                    wronged.append("a record that CloudFormation created is never deleted by us")
            writer[record.key] = change.by
    return wronged


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


class _JumpingSelector(selectors.SelectSelector):
    """Waits for nothing: what the loop wants to wait becomes the loop's own time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is due any more: the run waits for ever")
        self.now += max(timeout, 0.0)
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock only jumps from one due call to the next."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now
