"""How fast the simulated CloudFormation lets itself be asked: token buckets, one an operation.

AWS publishes no numbers for CloudFormation; its buckets are by account, region and operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from route53_takeover.simulation.aws.timeline import Schedule


class ReadLimit(Struct, frozen=True, kw_only=True):
    """Calls a second in the long run, and how many at once."""

    rate: float
    burst: int


class Buckets:
    """The buckets of one region.

    Attributes:
        refused: how many calls were throttled.
    """

    def __init__(self, timeline: Schedule, limit: ReadLimit | None) -> None:
        self.refused = 0
        self._timeline = timeline
        self._limit = limit
        self._left: dict[str, tuple[float, float]] = {}

    def admits(self, operation: str) -> bool:
        """Whether a call is let through now; it takes a token."""
        if self._limit is None:
            return True
        now = self._timeline.now
        tokens, at = self._left.get(operation, (float(self._limit.burst), now))
        tokens = min(self._limit.burst, tokens + (now - at) * self._limit.rate)
        is_let = tokens >= 1
        self._left[operation] = (tokens - is_let, now)
        self.refused += not is_let
        return is_let
