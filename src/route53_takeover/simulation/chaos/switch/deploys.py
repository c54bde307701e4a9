"""The deploy that makes green in a simulated account, and what it may do to the live site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.ports import DeployExit
from route53_takeover.simulation.chaos.switch.setup import DEPLOY, DeployHabit

if TYPE_CHECKING:
    from route53_takeover.simulation.chaos.switch.world import SwitchWorld
    from route53_takeover.simulation.chaos.transport import VirtualClock

_LOOK = 5.0
"""Seconds between a custom resource's looks whether a mapping is gone."""
_LAMBDA = 60.0
"""Seconds after which it runs into its time-out, and is tried again."""
_LAMBDA_TRIES = 3
_MADE, _MOVES, _CLEANS_UP = 0.4, 0.6, 0.95
"""When green is there, when the site is moved, when a failure is cleaned up: parts of the time that
the deploy takes."""


class GreenDeploy:
    """One deploy command and its stack, which outlive any process of the run.

    Attributes:
        starts: when it was started, each time.
        code: its exit code; ``None`` while it runs.
        exited_at: when it exited.
    """

    def __init__(self, world: SwitchWorld) -> None:
        self._world = world
        self.starts: list[float] = []
        self.code: int | None = None
        self.exited_at: float | None = None
        self._killed = False

    @property
    def is_running(self) -> bool:
        """Whether the command goes on."""
        return bool(self.starts) and self.exited_at is None

    def start(self) -> None:
        """Begins it."""
        world, habit = self._world, self._world.setup.deploy
        if habit is None:
            raise ValueError("nothing is deployed here")
        self.starts.append(world.timeline.now)
        takes = world.setup.deploy_takes
        world.timeline.after(takes * _MADE, world.put_green)
        if habit.recreates:
            world.timeline.after(takes * _MOVES, self._recreate)
            return
        if habit is DeployHabit.DELETES:
            world.timeline.after(takes * _CLEANS_UP, self._clean_up)
        elif habit.moves:
            world.timeline.after(takes * _MOVES, self._steal)
        if habit is not DeployHabit.HANGS:
            world.timeline.after(takes, self._exit)

    def stop(self) -> None:
        """It is ended from outside; its stack goes on."""
        self._killed = True
        if self.exited_at is None:
            self.exited_at = self._world.timeline.now

    def _steal(self) -> None:
        world = self._world
        for path in world.setup.base_paths:
            if world.mapped(path) == world.target(Side.BLUE):
                world.point(path, world.target(Side.GREEN), by=DEPLOY)
        if world.setup.deploy is DeployHabit.STEALS_AGAIN and self.is_running:
            world.timeline.after(_LOOK, self._steal)

    def _clean_up(self) -> None:
        """Its stack is rolled back, and a custom resource deletes what it was to have made."""
        for path in self._world.setup.base_paths:
            self._world.point(path, None, by=DEPLOY)

    def _recreate(self, tries: int = 1) -> None:
        """Deletes every mapping, whatever it leads to, and waits for them to be gone."""
        world = self._world
        for path in world.setup.base_paths:
            world.point(path, None, by=DEPLOY)
        world.timeline.after(_LOOK, lambda: self._await_gone(tries, world.timeline.now + _LAMBDA))

    def _await_gone(self, tries: int, until: float) -> None:
        world = self._world
        if all(world.mapped(path) is None for path in world.setup.base_paths):
            for path in world.setup.base_paths:
                world.point(path, world.target(Side.GREEN), by=DEPLOY)
            world.timeline.after(world.setup.deploy_takes * (1 - _MOVES), self._exit)
        elif world.timeline.now < until:
            world.timeline.after(_LOOK, lambda: self._await_gone(tries, until))
        elif tries < _LAMBDA_TRIES:
            self._recreate(tries + 1)
        else:
            self._exit(failed=True)

    def _exit(self, *, failed: bool = False) -> None:
        world, habit = self._world, self._world.setup.deploy
        fails = failed or (habit is not None and habit.fails)
        if fails:
            world.remove_green()
        if not self._killed:
            self.code, self.exited_at = int(fails), world.timeline.now


class GreenDeployer:
    """The `Deployer` port over a deploy of this account."""

    def __init__(self, world: SwitchWorld, clock: VirtualClock) -> None:
        self._world = world
        self._clock = clock

    async def run(self, switch: str) -> DeployExit:
        self._world.timeline.advance(self._clock.true())
        self._world.deploy.start()
        return await self.rejoin(switch)

    async def rejoin(self, switch: str) -> DeployExit:
        if not self.ever_started(switch):
            return DeployExit(code=None)
        until = self._clock.true() + self._world.setup.deploy_timeout
        return await self._clock.every(0.5, lambda: self._ended(until))

    def ever_started(self, switch: str) -> bool:  # noqa: ARG002 -- there is one
        return bool(self._world.deploy.starts)

    def _ended(self, until: float) -> DeployExit | None:
        now, deploy = self._clock.true(), self._world.deploy
        self._world.timeline.advance(now)
        if deploy.exited_at is not None:
            return DeployExit(code=deploy.code)
        if now < until:
            return None
        deploy.stop()
        return DeployExit(code=None, timed_out=True)
