"""Trying a call again while AWS, or the way to it, fails for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from route53_takeover.base.errors import EndpointError, ThrottledError, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from route53_takeover.core.ports import Clock

_Found = TypeVar("_Found")
TRANSIENT = (ThrottledError, UnansweredError, EndpointError)
AGAIN = 1.0
PATIENCE = 120.0
"""Seconds for which a call is tried."""


async def patiently(clock: Clock, read: Callable[[], Awaitable[_Found]]) -> _Found:
    """What a read answers, however often it has to be asked.

    Raises:
        TakeoverError: it fails for good, or for too long.
    """
    until = clock.now() + PATIENCE
    while True:
        try:
            return await read()
        except TRANSIENT:
            if clock.now() >= until:
                raise
            await clock.sleep(AGAIN)
