"""Rehearsals of a switch in process, on virtual time: the real engine, killed and lied to.

Each run is decided by its set-up, its faults and one seed: the same three give the same run, to the
last event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ManualActionRequiredError, RefusedError
from route53_takeover.core.domain.http_checks import CheckAnswer
from route53_takeover.core.endings import Outcome
from route53_takeover.core.switch import events as ev
from route53_takeover.runtime.site_swaps import SiteSwaps
from route53_takeover.runtime.switch_effects import switch_engine
from route53_takeover.simulation.chaos.api_gateway_port import simulated_api_gateway
from route53_takeover.simulation.chaos.disk import DiskJournal
from route53_takeover.simulation.chaos.distributions_port import SimulatedDistributions
from route53_takeover.simulation.chaos.faults import WayOut
from route53_takeover.simulation.chaos.http_checks_port import SimulatedChecks
from route53_takeover.simulation.chaos.process import Killed
from route53_takeover.simulation.chaos.switch.calls import SiteCalls
from route53_takeover.simulation.chaos.switch.deploys import GreenDeployer
from route53_takeover.simulation.chaos.switch.faults import arm
from route53_takeover.simulation.chaos.switch.harness import CheckMade, SwitchHarness, SwitchPoint
from route53_takeover.simulation.chaos.switch.oracle import check_switch
from route53_takeover.simulation.chaos.switch.plans import COMMAND, plan_of
from route53_takeover.simulation.chaos.switch.restoring import restore
from route53_takeover.simulation.chaos.switch.retirement import BlueRetirement
from route53_takeover.simulation.chaos.switch.setup import SWITCHER
from route53_takeover.simulation.chaos.switch.world import SwitchWorld
from route53_takeover.simulation.chaos.transport import VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop

if TYPE_CHECKING:
    from route53_takeover.core.domain.http_checks import Check, Route
    from route53_takeover.core.ports import HttpChecks
    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.core.switch.state import SwitchState
    from route53_takeover.runtime.switch_effects import SwitchEngine
    from route53_takeover.simulation.chaos.switch.faults import SwitchFaults
    from route53_takeover.simulation.chaos.switch.oracle import SwitchRehearsal
    from route53_takeover.simulation.chaos.switch.setup import SwitchSetup
    from route53_takeover.storage.journal import MemoryJournal

START = 1_800_000_000.0
LONGEST = 6 * 3600.0
"""Virtual seconds after which a process that has not ended is a defect."""
MOST_LIVES = 12
LOOK = 60.0
"""Virtual seconds after which an operator looks again at what has ended `unknown`."""

Begin = Callable[[SwitchHarness], None]
Saw = Callable[[SwitchHarness, ev.SwitchEvent, "SwitchState"], None]


def rehearse_switch(
    setup: SwitchSetup,
    seed: str,
    faults: SwitchFaults,
    *,
    begin: Begin = lambda _: None,
    saw: Saw = lambda _harness, _event, _state: None,
) -> SwitchRehearsal:
    """One run to its end, through every kill and resume.

    Args:
        begin: may disturb it from the beginning.
        saw: may disturb it after an event.
    """
    rehearsing = _rehearse(setup, seed, faults, begin, saw)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.get_loop().run_until_complete(rehearsing)


async def _rehearse(
    setup: SwitchSetup, seed: str, faults: SwitchFaults, begin: Begin, saw: Saw
) -> SwitchRehearsal:
    rng = Random(f"{seed}/faults")  # noqa: S311 -- a simulation, not a secret
    world = SwitchWorld(setup, seed=f"{seed}/world", start=START)
    clock = VirtualClock(world.timeline.now)
    calls = SiteCalls(world, clock, rng, faults.rates)
    calls.lost, calls.dropped = faults.lost, faults.dropped
    harness = SwitchHarness(world, clock, calls, rng)
    harness.disk.holds = faults.journal_holds
    plan = plan_of(world)
    for fault in faults.injected:
        arm(harness, fault)
    begin(harness)
    await _Rehearsing(harness, faults, plan, saw).to_the_end()
    return check_switch(setup, seed, harness, plan, faults)


class _Rehearsing:
    """A run through all its lives, and what people do about it between them."""

    def __init__(
        self, harness: SwitchHarness, faults: SwitchFaults, plan: SwitchPlan, saw: Saw
    ) -> None:
        self._harness = harness
        self._faults = faults
        self._plan = plan
        self._saw = saw
        self._kills = list(zip(faults.kills, faults.downtimes, strict=True))
        self._resumes = faults.resumes
        self._appends: int | None = None

    async def to_the_end(self) -> None:
        """Lives, and is resumed, until an operator would give up."""
        harness = self._harness
        while harness.lives < MOST_LIVES:
            try:
                state = harness.state = await self._live()
            except (ManualActionRequiredError, RefusedError):
                harness.strike("journal damaged, or nothing in it")
                await restore(harness, self._known_plan())
                break
            except TimeoutError:
                harness.unfounded.append("a run comes to an end")
                break
            if state is None:
                saved = harness.disk.fold()
                if saved is not None and saved.ending is not None:
                    state = harness.state = saved  # it was killed when it had nothing left to do
            if state is not None and not self._is_left_open(state):
                break
            harness.ended_unknown |= state is not None
            if state is not None:
                harness.leave_alone(LOOK * harness.lives)  # the operator waits longer each time
            await harness.stay_down()
            harness.disk.broken, harness.disk.holds = "", None  # the disk has room again
            if self._faults.way_out is WayOut.RESTORE and not self._kills:
                harness.state = None
                await restore(harness, self._known_plan())
                break
        harness.end()

    def _known_plan(self) -> SwitchPlan:
        """With green, where the journal tells of it."""
        state = self._harness.disk.fold()
        return self._plan if state is None else state.plan

    def _is_left_open(self, state: SwitchState) -> bool:
        """Whether the operator follows up a run that has ended."""
        if state.ending is None or state.ending.outcome is not Outcome.UNKNOWN:
            return False
        self._resumes -= 1
        return self._resumes >= 0

    async def _live(self) -> SwitchState | None:
        """One process, from its start to its end.

        Returns:
            The last state; ``None`` where it was killed.

        Raises:
            ManualActionRequiredError: the journal is damaged.
            RefusedError: there is nothing in it.
        """
        harness = self._harness
        harness.lives += 1
        self._appends, downtime = self._kills.pop(0) if self._kills else (None, 0.0)
        journal = DiskJournal(harness.disk, harness.clock, self._appended)
        if harness.lives > 1 and not journal.events:
            raise RefusedError("there is nothing to resume")
        first: ev.SwitchStarted | ev.RunResumed = ev.RunResumed(time=harness.clock.now())
        if harness.lives == 1:
            first = ev.SwitchStarted(time=harness.clock.now(), run="rehearsal", plan=self._plan)
        engine = harness.engine = self._engine(journal)
        harness.task = asyncio.get_running_loop().create_task(
            engine.run(first, list(journal.events))
        )
        harness.cue(SwitchPoint.BEGIN)
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

    def _engine(self, journal: MemoryJournal) -> SwitchEngine:
        harness, world = self._harness, self._harness.world
        sites = SiteSwaps(
            simulated_api_gateway(world.gateway, harness.calls, by=SWITCHER),
            SimulatedDistributions(world.cloudfront, harness.calls, by=SWITCHER),
        )
        return switch_engine(
            clock=harness.clock,
            journal=journal,
            sites=sites,
            checks=_WatchedChecks(harness),
            deployer=GreenDeployer(world, harness.clock),
            find_green=harness.find_green,
            save_backup=harness.disk.save_backup,
            retirement=BlueRetirement(world, harness.clock),
            rng=harness.rng,
            observer=self._observe,
            strict=True,
        )

    def _observe(self, event: ev.SwitchEvent, state: SwitchState, seq: int) -> None:  # noqa: ARG002
        self._harness.saw(event, state)
        self._saw(self._harness, event, state)


class _WatchedChecks:
    """The checks of a run, each of them noted; for a time none of them may get out."""

    def __init__(self, harness: SwitchHarness) -> None:
        self._harness = harness
        self._checks: HttpChecks = SimulatedChecks(
            harness.world.web, harness.clock, commands={COMMAND: self._command}
        )

    async def carry_out(self, check: Check, route: Route) -> CheckAnswer:
        """One check by one way; never raises."""
        harness = self._harness
        began = harness.clock.true()
        answer = await self._checks.carry_out(check, route)
        if began < harness.are_checks_blind:
            answer = CheckAnswer(passed=False, reason="the network is unreachable")
        made = CheckMade(
            began=began,
            ended=harness.clock.true(),
            check=check.text,
            side=route.side,
            passed=answer.passed,
        )
        harness.checks.append(made)
        return answer

    def _command(self, route: Route) -> str:
        """A command looks at the site by its own means."""
        status = self._harness.world.status(route.side)
        return "" if status == _FINE else f"exit status 1: HTTP {status}"


_FINE = 200
