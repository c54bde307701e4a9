"""One read for all who ask for the same at the same time.

A domain's mappings come in one answer, however many of them a switch watches: a read for each would
take longer than what it tells stays fresh.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from route53_takeover.base.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_Found = TypeVar("_Found")
_PATIENCE = 2.0
"""Seconds for which one waits for the read of another, which may never be answered."""


class _Read(NamedTuple, Generic[_Found]):
    """What came of a read: ``began`` after so many had asked."""

    began: int
    found: _Found | ApiError


class SharedReads(Generic[_Found]):
    """Reads of things by a key. Who asks gets what was read after they asked, and nothing older."""

    def __init__(self) -> None:
        self._asked = count()
        self._turns: dict[str, asyncio.Lock] = {}
        self._newest: dict[str, _Read[_Found]] = {}

    async def read(self, key: str, look: Callable[[], Awaitable[_Found]]) -> _Found:
        """What ``look`` finds, by this call of it or one that began since. Raises ApiError."""
        asked = next(self._asked)
        turn = self._turns.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(_PATIENCE):
                await turn.acquire()
        except TimeoutError:
            return await look()
        try:
            newest = self._newest.get(key)
            if newest is None or newest.began < asked:
                newest = self._newest[key] = await self._read(look)
        finally:
            turn.release()
        if isinstance(newest.found, ApiError):
            raise newest.found
        return newest.found

    async def _read(self, look: Callable[[], Awaitable[_Found]]) -> _Read[_Found]:
        began = next(self._asked)
        try:
            return _Read(began, await look())
        except ApiError as error:
            return _Read(began, error)
