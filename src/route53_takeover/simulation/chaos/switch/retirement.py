"""The delete of blue in a simulated account, and what it may take from the live site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.simulation.chaos.switch.setup import DELETE, RetireHabit

if TYPE_CHECKING:
    from route53_takeover.simulation.chaos.switch.world import SwitchWorld
    from route53_takeover.simulation.chaos.transport import VirtualClock

BLUE_STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/blue/1"
_TAKES, _LASTS = 10.0, 40.0
"""Seconds of the delete after which it takes what it takes, and after which it has ended."""


class BlueDelete:
    """The delete of blue's stack, which outlives any process of the run.

    Attributes:
        starts: when it was begun, each time.
        ended_at: when it ended.
    """

    def __init__(self, world: SwitchWorld) -> None:
        self._world = world
        self.starts: list[float] = []
        self.ended_at: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return bool(self.starts) and self.ended_at is None

    def start(self) -> None:
        """Begins it."""
        world = self._world
        self.starts.append(world.timeline.now)
        if world.setup.retire is RetireHabit.TAKES:
            world.timeline.after(_TAKES, self._take)
        world.timeline.after(_LASTS, self._end)

    def _take(self) -> None:
        """Deletes every mapping, whatever it leads to, as a custom resource of Jets 3 to 5 does."""
        for path in self._world.setup.base_paths:
            self._world.point(path, None, by=DELETE)

    def _end(self) -> None:
        world = self._world
        if world.setup.retire is not RetireHabit.FAILS:
            world.sites.remove(world.target(Side.BLUE))
            world.sites.remove(world.host(Side.BLUE))
        self.ended_at = world.timeline.now


class BlueRetirement:
    """`runtime.switch_effects.Retires` over a delete of this account."""

    def __init__(self, world: SwitchWorld, clock: VirtualClock) -> None:
        self._world = world
        self._clock = clock

    async def judged(self, stack: str) -> tuple[str, tuple[str, ...]]:  # noqa: ARG002 -- there is one
        await self._clock.sleep(2.0)
        breaks = self._world.setup.retire is RetireHabit.BREAKS
        return BLUE_STACK, ("the mapping of www.example.com goes with it",) if breaks else ()

    async def deleted(self, stack_id: str, run: str, *, begins: bool) -> str:  # noqa: ARG002
        world = self._world
        world.timeline.advance(self._clock.true())
        if begins and not world.delete.starts:
            world.delete.start()
        if not world.delete.starts:
            return "it was not begun"
        return await self._clock.every(1.0, self._outcome)

    def _outcome(self) -> str | None:
        world = self._world
        world.timeline.advance(self._clock.true())
        if world.delete.ended_at is None:
            return None
        return "its delete failed" if world.setup.retire is RetireHabit.FAILS else ""
