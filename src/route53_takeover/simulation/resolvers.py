"""Caching resolvers of one name, on virtual time: how many a gap reaches, and for how long.

Told when each name server had no answer. Each resolver is asked at random times, fetches from a
name server of its own choice when its cache has run out, and caches what it is told: an answer for
its TTL, an absence for the negative TTL. Knows nothing of the forecast, which is checked with it.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

Intervals = list[tuple[float, float]]
"""Times without an answer, in order, none of them overlapping."""


class Asked(NamedTuple):
    """What users of all resolvers saw.

    ``unanswered``: seconds from a first question without an answer to the next one with one, summed
    over the resolvers.
    """

    resolvers: int
    affected: int
    unanswered: float


def ask_resolvers(
    absences: Sequence[Intervals],
    *,
    resolvers: int,
    ttl: float,
    negative_ttl: float,
    rng: Random,
    every: float = 0.2,
) -> Asked:
    """Lets so many resolvers be asked before, in and after the gaps.

    Args:
        absences: of each name server, when it had no answer.
        every: seconds between two questions to one resolver, on average.
    """
    gaps = [gap for server in absences for gap in server]
    if not gaps:
        return Asked(resolvers, 0, 0.0)
    first, last = min(began for began, _ in gaps), max(ended for _, ended in gaps)
    affected, unanswered = 0, 0.0
    for _ in range(resolvers):
        # It fetched an answer at some time of its last period before the first gap.
        at = first - rng.random() * (ttl + every) + ttl + rng.expovariate(1 / every)
        failed_at: float | None = None
        before = unanswered
        while at <= last or failed_at is not None:
            if _is_absent(rng.choice(absences), at):
                failed_at = at if failed_at is None else failed_at
                at += negative_ttl + rng.expovariate(1 / every)
                continue
            if failed_at is not None:
                unanswered += at - failed_at
                failed_at = None
            at += ttl + rng.expovariate(1 / every)
        affected += unanswered > before
    return Asked(resolvers, affected, unanswered)


def _is_absent(intervals: Intervals, at: float) -> bool:
    position = bisect_right(intervals, (at, float("inf"))) - 1
    return position >= 0 and at < intervals[position][1]
