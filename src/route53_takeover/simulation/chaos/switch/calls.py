"""The way from a rehearsed switch to its account, and what of its writes reached the account."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from route53_takeover.simulation.aws.api_gateway.state import AppliedWrite
from route53_takeover.simulation.aws.cloudfront.store import Written
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.chaos.switch.world import SwitchWorld, Write
from route53_takeover.simulation.chaos.transport import Calls

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from route53_takeover.simulation.chaos.transport import FaultRates, VirtualClock

POINTING = frozenset(
    {
        "apigateway:UpdateBasePathMapping",
        "apigateway:CreateBasePathMapping",
        "apigatewayv2:UpdateApiMapping",
        "apigatewayv2:CreateApiMapping",
        "cloudfront:UpdateDistribution",
    }
)
"""What lets users be led elsewhere."""
WRITES = POINTING | {"cloudfront:CreateInvalidation"}
_Answer = TypeVar("_Answer")


class SiteArrival(Struct, frozen=True, kw_only=True):
    """A write of the run that the account has applied.

    Attributes:
        sent: when it left its process.
        orphaned: the process that sent it did not wait for it any more.
        written: by whom what it replaced was written; empty: it stood at the beginning.
        written_at: and when.
    """

    time: float
    sent: float
    operation: str
    applied: Write
    orphaned: bool = False
    written: str = ""
    written_at: float = 0.0


class SiteCalls(Calls[SwitchWorld]):
    """The way to the account of a switch.

    Attributes:
        arrivals: every write of the run that was applied.
        on_arrival: called for each.
    """

    def __init__(
        self, world: SwitchWorld, clock: VirtualClock, rng: Random, rates: FaultRates
    ) -> None:
        super().__init__(world, clock, rng, rates, writes=WRITES)
        self.arrivals: list[SiteArrival] = []
        self.on_arrival: Callable[[SiteArrival], None] = lambda _: None

    async def carry(self, operation: str, arrive: Callable[[], _Answer]) -> _Answer:
        """A whole call; a read may show what was some seconds ago, a write outlive its sender."""
        sent = self._clock.true()
        try:
            await self.there(operation)
        except asyncio.CancelledError:
            if operation in self._writes:
                self.outlives(lambda: self._orphan(operation, arrive, sent))
            raise
        if operation in self._writes:
            return await self.answered(operation, lambda: self._arrived(operation, arrive, sent))
        if self.behind:
            with self._world.as_it_was(self._clock.true() - self.behind):
                stale = arrive()
            return await self.answered(operation, lambda: stale)
        return await self.answered(operation, arrive)

    def _orphan(self, operation: str, arrive: Callable[[], object], sent: float) -> None:
        try:
            self._arrived(operation, arrive, sent, orphaned=True)
        except ApiFault:
            return  # no caller is left
        self.hurt["arrived after its sender gave up"] += 1

    def _arrived(
        self,
        operation: str,
        arrive: Callable[[], _Answer],
        sent: float,
        *,
        orphaned: bool = False,
    ) -> _Answer:
        answer = arrive()
        self._world.keep_moment()
        if operation not in POINTING:
            return answer
        *history, applied = self._world.writes
        before = next((w for w in reversed(history) if _is_of_the_same(w, applied)), None)
        arrival = SiteArrival(
            time=self._world.timeline.now,
            sent=sent,
            operation=operation,
            applied=applied,
            orphaned=orphaned,
            written="" if before is None else before.by,
            written_at=0.0 if before is None else before.time,
        )
        self.arrivals.append(arrival)
        self.on_arrival(arrival)
        return answer


def _is_of_the_same(one: Write, other: Write) -> bool:
    """Whether two writes are about the same mapping, or the same config."""
    if isinstance(one, AppliedWrite) and isinstance(other, AppliedWrite):
        return one.what == other.what
    return isinstance(one, Written) and bool(one.config)
