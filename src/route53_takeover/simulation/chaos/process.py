"""A run's process on virtual time: it is killed, suspended, left alone, and begins again.

What is here holds for whatever machine the process hosts; what one of them adds is in its own
harness, which this is the base of.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from random import Random

    from route53_takeover.core.events import Event
    from route53_takeover.runtime.engine import Engine
    from route53_takeover.simulation.aws.timeline import Schedule
    from route53_takeover.simulation.chaos.disk import Disk
    from route53_takeover.simulation.chaos.transport import Calls, VirtualClock
    from route53_takeover.simulation.chaos.virtual_time import VirtualLoop

_State = TypeVar("_State")


class Killed(BaseException):
    """The process died, right after an append to the journal."""


class Disturbance(Struct, frozen=True, kw_only=True):
    """A time in which a run cannot be held to its promises about time. The account's seconds."""

    began: float
    ended: float
    what: str


class ProcessHarness(Generic[_State]):
    """One run's processes, one after the other, and what strikes them.

    Attributes:
        timeline: the account's; it moves on at each look.
        calls: the way to the account.
        disk: where the run's journal is.
        engine: the one that lives now.
        task: its process.
        struck: kind of fault -> how often it struck.
        troubles: when the run was dead, asleep or cut off.
        downtime: how long the process stays down that is just being killed; ``None`` while it
            lives.
        power_fails: it is the machine that dies: what is not synced is lost.
        corrupts: the journal is damaged the next time that the process is down.
        jump: by how much the next process's wall clock is off.
        lives: how many processes the run has had.
        state: the last one, where a process came to its end.
        deaths: the state that each process was in when it died.
        set_back: a process began under a wall clock that was set back.
        ended_at: when no one worked on the run any more.
        pressed: what the operator asked for by keys, with the account's time.
    """

    def __init__(
        self, timeline: Schedule, clock: VirtualClock, calls: Calls[Any], rng: Random, disk: Disk
    ) -> None:
        self.timeline = timeline
        self.clock = clock
        self.calls = calls
        self.rng = rng
        self.disk = disk
        self.engine: Engine[Any, Any, Any, Any]
        self.task: asyncio.Task[_State]
        self.struck: Counter[str] = Counter()
        self.troubles: list[Disturbance] = []
        self.downtime: float | None = None
        self.power_fails = False
        self.corrupts = False
        self.jump = 0.0
        self.lives = 0
        self.state: _State | None = None
        self.deaths: list[_State] = []
        self.set_back = False
        self.ended_at = float("inf")
        self.pressed: list[tuple[float, Event]] = []
        self._before: _State | None = None
        self._waiting: dict[StrEnum, list[Callable[[], None]]] = {}

    # -- cues

    def on(self, cue: StrEnum, action: Callable[[], None]) -> None:
        """Lets something happen once, at the next cue of this kind."""
        self._waiting.setdefault(cue, []).append(action)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Lets something happen in the account, so many seconds from now."""
        self.timeline.after(seconds, action)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Lets something happen to the process, so many seconds from now."""
        asyncio.get_running_loop().call_later(seconds, action)

    def cue(self, cue: StrEnum) -> None:
        """It happens now."""
        for action in self._waiting.pop(cue, []):
            action()

    # -- what may be done to the process

    def strike(self, what: str) -> None:
        """Counts a fault."""
        self.struck[what] += 1

    def trouble(self, what: str, seconds: float, *, at: float | None = None) -> None:
        """The run is cut off from now on, for so long.

        Args:
            at: the account's time. It lags behind while no process lives, and catches up later.
        """
        now = self.clock.true() if at is None else at
        self.troubles.append(Disturbance(began=now, ended=now + seconds, what=what))

    def kill(self, downtime: float, *, power_fails: bool = False) -> None:
        """The process dies, and stays down for so many seconds."""
        if self.downtime is not None or self.task.done():
            return
        self.strike("power failed" if power_fails else "killed")
        self.trouble("dead", downtime)
        self.downtime = downtime
        self.power_fails = power_fails
        self.task.cancel()

    def suspend(self, seconds: float) -> None:
        """The whole machine sleeps; the account does not."""
        self.strike("suspended")
        self.trouble("asleep", seconds)
        loop: VirtualLoop = asyncio.get_running_loop()  # type: ignore[assignment]
        loop.skip(seconds)

    def leave_alone(self, seconds: float) -> None:
        """The run has ended, and no one looks for so many seconds."""
        self.trouble("left alone", seconds)
        self.downtime = seconds

    async def stay_down(self) -> None:
        """Until the next process begins, on the disk that the last one left."""
        if self._before is not None:
            self.deaths.append(self._before)
        await self.clock.sleep(self.downtime or 0.0)
        self.timeline.advance(self.clock.true())  # what was on its way has arrived
        self.downtime = None
        if self.power_fails:
            self.disk.lose_power(self.rng)
            self.power_fails = False
        if self.corrupts:
            self.disk.corrupt(self.rng)
            self.corrupts = False
        self.set_back |= self.jump < 0
        self.clock.skew += self.jump
        self.jump = 0.0

    async def lived(self, longest: float) -> _State | None:
        """Waits for the end of the process that was just started.

        Returns:
            The last state; ``None`` where it was killed.
        """
        try:
            async with asyncio.timeout(longest):
                return await self.task
        except asyncio.CancelledError:
            if self.downtime is None:
                raise
        return None

    def killed_by_an_append(self, downtime: float) -> None:
        """It died of `Killed`."""
        self.strike("killed after an append")
        self.trouble("dead", downtime)
        self.downtime = downtime
