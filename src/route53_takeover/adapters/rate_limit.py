"""A call budget: how fast this process may read from AWS, however much it has to watch.

AWS throttles an account as a whole, so a busy watcher would take the calls from CloudFormation and
from every other user of the account. Writes never pass through here: nothing may delay them.

The usual libraries for this keep the event loop's time; a rehearsal needs the run's own `Clock`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.core.ports import Clock

_PATIENCE = 3.0
"""Seconds for which a call lets urgent ones go first."""


class CallBudget:
    """A token bucket: ``burst`` calls at once, ``rate`` a second in the long run.

    First come, first served; urgent calls go before the others, which wait some seconds at most.

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
        self._turn, self._urgent_turn = asyncio.Lock(), asyncio.Lock()
        self._urgent = 0  # how many urgent calls wait

    async def take(self, *, urgent: bool = False) -> None:
        """Returns when one more call may be sent."""
        self._urgent += urgent
        try:
            async with self._urgent_turn if urgent else self._turn:
                until = self._clock.now() + _PATIENCE
                while not self._may_go(urgent=urgent or self._clock.now() >= until):
                    await self._clock.sleep(max(1 - self._tokens, 0.5) / self._rate)
                self._tokens -= 1
        finally:
            self._urgent -= urgent

    def _may_go(self, *, urgent: bool) -> bool:
        now = self._clock.now()
        passed = max(0.0, now - self._filled_at)
        self._tokens = min(self._burst, self._tokens + passed * self._rate)
        self._filled_at = now
        return self._tokens >= 1 and (urgent or not self._urgent)


def budgets(clock: Clock) -> Mapping[str, CallBudget]:
    """The budgets of one process, by service.

    AWS gives an account 5 to 10 reads of Route 53 a second, and throttled a fleet that read
    CloudFormation 8 to 10 times a second. The two are apart, so that polling many stacks never
    delays the look at a record before it is deleted. API Gateway gives 10 calls a second to account
    and region together, for its two APIs; CloudTrail gives two lookups a second.
    """
    api_gateway = CallBudget(clock, rate=5, burst=20)
    return {
        "route53": CallBudget(clock, rate=5, burst=20),
        "cloudformation": CallBudget(clock, rate=8, burst=20),
        "apigateway": api_gateway,
        "apigatewayv2": api_gateway,
        "cloudfront": CallBudget(clock, rate=5, burst=20),
        "cloudtrail": CallBudget(clock, rate=1, burst=2),
        "states": CallBudget(clock, rate=5, burst=20),
    }
