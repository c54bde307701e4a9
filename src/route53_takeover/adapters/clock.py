"""The real clock: seconds since the epoch that no correction of the wall clock can move.

It counts the time that the machine was asleep, because DNS caches and CloudFormation do too. It
must never be set, and never read the wall clock again once it is anchored.
"""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import NamedTuple, Self

from route53_takeover.core.ports import Clock

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux's monotonic clock stops while the machine sleeps; elsewhere it does not."""

_LONGEST_NAP = 1.0
"""The event loop's timers do stop while the machine sleeps: so many of its seconds at once."""


class ClockOrigin(NamedTuple):
    """What makes another process's clock show the same time: seconds since the epoch at `steady`.

    ``steady``: of this machine since it was booted.
    """

    epoch: float
    steady: float
    speed: float


class SystemClock(Clock):
    """The wall clock at construction plus what has passed since, ``speed`` times as fast.

    Args:
        speed: how many of this clock's seconds pass in a real one; other than 1.0 only where a
            simulated account is rehearsed.
    """

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"the speed of a clock must be above zero, not {speed}")
        self.speed = speed
        self.longest_wait = _LONGEST_NAP if speed == 1.0 else inf
        self._anchor = time.time()  # noqa: TID251 -- read once, for the date; never for durations
        self._start = time.clock_gettime(_STEADY)

    @classmethod
    def of(cls, origin: ClockOrigin) -> Self:
        """The clock of another process of this machine."""
        clock = cls(origin.speed)
        clock._anchor, clock._start = origin.epoch, origin.steady
        return clock

    @property
    def origin(self) -> ClockOrigin:
        return ClockOrigin(self._anchor, self._start, self.speed)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._anchor + (time.clock_gettime(_STEADY) - self._start) * self.speed

    def go_on_from(self, time: float) -> None:
        """Never tells an earlier time than ``time`` from now on."""
        self._anchor += max(0.0, time - self.now())

    async def sleep(self, seconds: float) -> None:
        """Waits for so many of this clock's seconds; after a suspend it ends within one more."""
        end = self.now() + seconds
        await asyncio.sleep(0)
        while True:
            left = end - self.now()
            if left <= 0:
                return
            await asyncio.sleep(min(left / self.speed, _LONGEST_NAP))
