"""A call budget: how fast this process may read from AWS, however much it has to watch.

AWS throttles an account as a whole, so a busy watcher would take the calls from CloudFormation and
from everybody else. Writes never pass through here: nothing may delay them.

The usual libraries for this keep the event loop's time; a rehearsal needs the run's own `Clock`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from route53_takeover.ports import Clock


class CallBudget:
    """A token bucket: ``burst`` calls at once, ``rate`` a second in the long run.

    Args:
        clock: whose seconds count.
        rate: calls a second that come back.
        burst: the most that can be saved up.
    """

    def __init__(self, clock: Clock, *, rate: float, burst: int) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled_at = clock.now()
        self._turn = asyncio.Lock()  # first come, first served

    async def take(self) -> None:
        """Returns when one more call may be sent."""
        async with self._turn:
            self._fill()
            while self._tokens < 1:
                await self._clock.sleep((1 - self._tokens) / self._rate)
                self._fill()
            self._tokens -= 1

    def _fill(self) -> None:
        now = self._clock.now()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
