"""The arithmetic of a gap: which resolvers it reaches, and for how long their users get no answer.

For a name that every resolver is asked for all the time. Of a record with a TTL of ``T`` seconds
each resolver fetches the answer anew at a time of its own, so ``g / T`` of them do it in a gap of
``g`` seconds (at most all). What a resolver is told then, "no such name" or "no data", it caches
for the negative TTL ``N`` (RFC 2308); it fetches again then, until the gap is over.
"""

from __future__ import annotations

import math

_LEAST_TTL = 1.0
"""Seconds: a record with the TTL 0 is fetched for every question; one a second is enough."""


def affected_share(gap: float, ttl: float) -> float:
    """The share of resolvers whose cached answer ends in the gap: 0 to 1."""
    return min(gap / max(ttl, _LEAST_TTL), 1.0)


def harmed_seconds(gap: float, ttl: float, negative_ttl: float) -> float:
    """Seconds without an answer for an average user, of all resolvers.

    A resolver that fetches with ``left`` seconds of the gap to go has an answer again after the
    negative TTL, as many times as it takes to last ``left`` seconds. This is the mean over the
    times at which resolvers fetch.
    """
    period = max(ttl, _LEAST_TTL)
    reach = min(gap, period)
    return (_sum_up_to(gap, negative_ttl) - _sum_up_to(gap - reach, negative_ttl)) / period


def _sum_up_to(gap: float, negative_ttl: float) -> float:
    """The integral of the time without an answer, over what is left of the gap: 0 to ``gap``."""
    if negative_ttl <= 0:
        return gap * gap / 2
    whole = math.floor(gap / negative_ttl)
    rest = gap - whole * negative_ttl
    return negative_ttl * (negative_ttl * whole * (whole + 1) / 2 + rest * (whole + 1))
