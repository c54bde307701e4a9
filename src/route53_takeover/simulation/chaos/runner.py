"""Rehearsals in process, on virtual time: the real engine, thousands of times, killed and lied to.

Each run is decided by one seed: the scenario, the faults of every call, what goes wrong around it,
where the engine is killed and for how long it stays down. The same seed gives the same run, to the
last event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from route53_takeover.base.errors import ManualActionRequiredError, RefusedError
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.plan.measured import RecordKind
from route53_takeover.core.plan.model import Options, Strategy
from route53_takeover.core.plan.planner import make_plan
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.invariants import broken_promises
from route53_takeover.core.takeover.machine import projection
from route53_takeover.runtime.preflight import gather
from route53_takeover.runtime.takeover_effects import takeover_engine
from route53_takeover.simulation.aws.account import DEADMAN_ROLE, SimulatedAccount
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.disk import Disk, DiskJournal
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault, arm
from route53_takeover.simulation.chaos.faults import WayOut, draw_faults
from route53_takeover.simulation.chaos.harness import Harness, InjectionPoint
from route53_takeover.simulation.chaos.oracle import check_run
from route53_takeover.simulation.chaos.pending_port import SWITCHED_ON, TEMPLATE, pending_source
from route53_takeover.simulation.chaos.ports import SimulatedDeployer, SimulatedProber
from route53_takeover.simulation.chaos.process import Killed
from route53_takeover.simulation.chaos.refusal_oracle import judged_refusal
from route53_takeover.simulation.chaos.restoring import LOOK, restore
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.step_functions_port import SimulatedStepFunctions
from route53_takeover.simulation.chaos.transport import ANOTHER, FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.measured_handler import measured_delays
from route53_takeover.simulation.scenarios import REHEARSED_STEP, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.plan.measured import Measurement
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover.state import State
    from route53_takeover.runtime.takeover_effects import TakeoverEngine
    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow
    from route53_takeover.simulation.chaos.faults import Faults
    from route53_takeover.simulation.chaos.oracle import Rehearsal
    from route53_takeover.simulation.scenarios import Scenario
    from route53_takeover.storage.journal import MemoryJournal

START = 1_800_000_000.0
"""When every virtual rehearsal begins, in seconds since the epoch."""
LONGEST = 6 * 3600.0
"""Virtual seconds after which a run that has not ended is a defect."""
MOST_LIVES = 12
_KILLED = InjectedFault(deed=FaultKind.KILL, cue=InjectionPoint.RELEASE, delay=1.0)
"""Of a scenario whose run is killed in the gap: soon after the DELETE."""
_RESUMES = 6
"""Lives after which the operator tries `restore` instead of `resume`."""


Begin = Callable[[Harness], None]
"""Is called once, before the first life of the engine."""
Saw = Callable[[Harness, ev.AnyEvent, "State"], None]
"""Gets every event that an engine took in, and the state after it."""


def rehearse_many(
    runs: int, seed: int, scenario: str | None, measured: Measurement | None = None
) -> Iterator[Rehearsal]:
    """Runs that differ in scenario and faults, one after the other.

    Args:
        measured: gives the schedule of CloudFormation's tries; the run knows it, too.
    """
    for number in range(runs):
        rng = Random(f"{seed}/{number}")  # noqa: S311 -- a simulation, not a secret
        chosen = SCENARIOS[scenario or rng.choice(sorted(SCENARIOS))]
        yield rehearse_once(chosen, f"{seed}/{number}", draw_faults(rng), measured=measured)


def _as_measured(scenario: Scenario, measured: Measurement | None) -> Scenario:
    """The scenario with the schedule of a real account's tries."""
    records = scenario.account.config.records
    delays = None if measured is None else measured_delays(measured, RecordKind)
    if delays is None:
        return scenario
    config = replace(scenario.account.config, records=replace(records, retry_delays=delays))
    return replace(scenario, account=replace(scenario.account, config=config))


def rehearse_once(
    scenario: Scenario,
    seed: str,
    faults: Faults,
    *,
    options: Options | None = None,
    begin: Begin = lambda _: None,
    saw: Saw = lambda _harness, _event, _state: None,
    measured: Measurement | None = None,
) -> Rehearsal:
    """One run to its end, through every kill and resume.

    Args:
        measured: as for `rehearse_many`.
        options: instead of the scenario's own.
        begin: may disturb it from the beginning.
        saw: may disturb it after an event.

    Raises:
        RefusedError: the plan is refused, and not because of another stack.
    """
    rehearsing = _rehearse(
        _as_measured(scenario, measured),
        seed,
        faults,
        options=options or options_of(scenario),
        begin=begin,
        saw=saw,
        measured=measured,
    )
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        # `Runner.run` would install its own handler of SIGINT, for each of a thousand short runs.
        return runner.get_loop().run_until_complete(rehearsing)


def options_of(scenario: Scenario) -> Options:
    """What a user would ask for in this scenario."""
    options = Options(
        stack=scenario.account.stack,
        records=scenario.records,
        deploy_off="off",
        deploy_on="on",
        strategy=scenario.strategy,
        weights=scenario.weights,
        weight_every=REHEARSED_STEP,
        cloud_deadman=DEADMAN_ROLE if scenario.account.deadman else None,
    )
    if scenario.strategy is Strategy.DELETE:
        return options
    return replace(options, template=TEMPLATE, parameters=SWITCHED_ON)


async def _rehearse(
    scenario: Scenario,
    seed: str,
    faults: Faults,
    *,
    options: Options,
    begin: Begin,
    saw: Saw,
    measured: Measurement | None = None,
) -> Rehearsal:
    if scenario.killed:
        killed = replace(_KILLED, seconds=scenario.dead_for)
        faults = replace(faults, injected=(*faults.injected, killed))
    rng = Random(f"{seed}/faults")  # noqa: S311 -- a simulation, not a secret
    account = _with_event_faults(scenario, faults, rng)
    world = SimulatedAccount(account, seed=f"{seed}/world", start=START)
    clock = VirtualClock(world.timeline.now)
    transport = Transport(world, clock, rng, faults.rates)
    transport.lost, transport.dropped, transport.page = faults.lost, faults.dropped, faults.page
    transport.mute = faults.mute
    harness = Harness(world, clock, transport, rng)
    harness.disk.holds = faults.journal_holds
    harness.is_faulty = faults.is_faulty
    plan = await _plan(harness, options, measured)
    if plan.refused and account.others:
        return judged_refusal(scenario, seed, harness, plan)
    if plan.refused:
        raise RefusedError(str(plan.refusals[0]))
    for fault in faults.injected:
        arm(harness, fault)
    begin(harness)
    await _Rehearsing(harness, faults, plan, saw).to_the_end()
    return check_run(scenario, seed, harness, plan)


async def _plan(harness: Harness, options: Options, measured: Measurement | None) -> Plan:
    calm = Transport(harness.world, harness.clock, harness.rng, FaultRates())
    stacks = SimulatedStacks(calm)
    facts = await gather(
        options,
        clock=harness.clock,
        records=SimulatedRecords(calm),
        stacks=stacks,
        pending=pending_source(harness.world.account.template, stacks, harness.clock),
        identity=Identity(account="123456789012", arn="rehearsal"),
        region="us-east-1",
        ask_delegation=None,
    )
    return make_plan(replace(facts, measured=UNSET if measured is None else measured), options)


class _Rehearsing:
    """A run through all its lives, and what people do about it between them."""

    def __init__(self, harness: Harness, faults: Faults, plan: Plan, saw: Saw) -> None:
        self._harness = harness
        self._faults = faults
        self._plan = plan
        self._saw = saw
        self._kills = list(zip(faults.kills, faults.downtimes, strict=True))
        self._resumes = faults.resumes
        self._appends: int | None = None
        harness.begin_another = lambda: harness.others.append(
            asyncio.get_running_loop().create_task(self._another())
        )

    async def to_the_end(self) -> None:
        """Lives, and is resumed or restored, until an operator would give up."""
        harness = self._harness
        while harness.lives < MOST_LIVES:
            try:
                state = harness.state = await self._live()
            except (ManualActionRequiredError, RefusedError):
                harness.strike("journal damaged")
                await restore(harness, self._plan, longest=LONGEST)
                break
            if state is not None:
                harness.untrue += broken_promises(state)
            if state is None:
                saved = harness.disk.fold()
                if saved is not None and saved.ending is not None:
                    state = harness.state = saved  # it was killed when it had nothing left to do
            if state is not None and not self._is_left_open(state):
                break
            if state is not None:
                harness.leave_alone(LOOK * harness.lives)  # the operator waits longer each time
            await harness.stay_down()
            harness.disk.broken, harness.disk.holds = "", None  # the disk has room again
            if state is None and self._faults.way_out is WayOut.LEAVE:
                harness.is_left = True
                break
            gives_up = state is not None and harness.lives >= _RESUMES
            if gives_up or (self._faults.way_out is WayOut.RESTORE and not self._kills):
                await restore(harness, self._plan, longest=LONGEST)
                break
        harness.end(self._plan.names)
        for other in harness.others:
            await other
        harness.close(self._plan.names)

    def _is_left_open(self, state: State) -> bool:
        """Whether the operator follows up a run that has ended."""
        if state.ending is None or state.ending.outcome is not Outcome.UNKNOWN:
            return False
        plan = self._plan
        if state.interrupts or not all(self._harness.is_served(plan, n) for n in plan.names):
            return True
        self._resumes -= 1
        return self._resumes >= 0

    async def _live(self) -> State | None:
        """One process, from its start to its end.

        Returns:
            The last state; ``None`` where it was killed.

        Raises:
            ManualActionRequiredError: the journal is damaged.
            RefusedError: there is nothing in it, or nothing that is understood.
        """
        harness = self._harness
        harness.lives += 1
        self._appends, downtime = self._kills.pop(0) if self._kills else (None, 0.0)
        journal = DiskJournal(harness.disk, harness.clock, self._appended)
        if harness.lives > 1 and not journal.events:
            raise RefusedError("there is nothing to resume")
        first: ev.RunStarted | ev.RunResumed = ev.RunResumed(time=harness.clock.now())
        if harness.lives == 1:
            now = harness.clock.now()
            first = ev.RunStarted(time=now, run="rehearsal", plan=self._plan, rehearsal=True)
        harness.engine = self._engine(journal)
        harness.task = asyncio.get_running_loop().create_task(
            harness.engine.run(first, list(journal.events))
        )
        harness.cue(InjectionPoint.BEGIN)
        try:
            return await harness.lived(LONGEST)
        except Killed:
            harness.killed_by_an_append(downtime)
            return None

    def _appended(self) -> None:
        if self._appends is not None:
            self._appends -= 1
            if self._appends <= 0:
                raise Killed

    def _engine(self, journal: MemoryJournal) -> TakeoverEngine:
        harness = self._harness
        return takeover_engine(
            clock=harness.clock,
            journal=journal,
            records=SimulatedRecords(harness.transport),
            stacks=SimulatedStacks(harness.transport),
            deployer=SimulatedDeployer(
                harness.world, harness.clock, timeout=self._plan.options.deploy_timeout
            ),
            prober=harness.prober,
            save_backup=harness.disk.save_backup,
            step_functions=SimulatedStepFunctions(harness.transport, harness.world),
            rng=harness.rng,
            observer=self._observe,
            strict=True,
        )

    def _observe(self, event: ev.AnyEvent, state: State, seq: int) -> None:  # noqa: ARG002
        self._harness.saw(event, state)
        self._saw(self._harness, event, state)

    async def _another(self) -> None:
        """The same takeover from another machine, with its own lock, journal and deploys."""
        harness = self._harness
        clock = VirtualClock(harness.clock.true())
        plan = await _plan(harness, self._plan.options, None)
        if plan.refused or not plan.manuals:
            return
        transport = Transport(harness.world, clock, harness.rng, FaultRates(), by=ANOTHER)
        transport.arrivals = harness.transport.arrivals
        engine = takeover_engine(
            clock=clock,
            journal=DiskJournal(Disk(projection), clock, lambda: None),
            records=SimulatedRecords(transport),
            stacks=SimulatedStacks(transport),
            deployer=SimulatedDeployer(harness.world, clock, whose="another-"),
            prober=SimulatedProber(harness.world, clock),
            save_backup=_nothing_to_save,
            step_functions=SimulatedStepFunctions(transport, harness.world),
            rng=harness.rng,
            observer=lambda _event, _state, _seq: None,
            strict=True,
        )
        first = ev.RunStarted(time=clock.now(), run="another", plan=plan)
        async with asyncio.timeout(LONGEST):
            await engine.run(first, [])


async def _nothing_to_save() -> None:
    """The other machine's backup is its own."""


def _with_event_faults(scenario: Scenario, faults: Faults, rng: Random) -> AccountSetup:
    """The scenario's account, whose events come late, twice or for minutes not at all."""

    def visible(_: StackEventRow) -> list[float]:
        delay = rng.uniform(*faults.event_delays)
        if faults.missing and rng.random() < faults.missing:
            delay += rng.uniform(30.0, 240.0)
        return [delay, delay + 3.0] if rng.random() < faults.repeats else [delay]

    account = scenario.account
    if account.config.visible is not None:
        return account  # the scenario has its own
    return replace(account, config=replace(account.config, visible=visible))


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """p50, p90, p99 and the largest, by nearest rank; zeros where there are none."""
    ordered = sorted(values)

    def rank(share: float) -> float:
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0

    return {"p50": rank(0.5), "p90": rank(0.9), "p99": rank(0.99), "max": rank(1.0)}
