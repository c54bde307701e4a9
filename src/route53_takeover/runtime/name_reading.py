"""Reads of names, of which a run with many makes one call: a page holds 300 record sets.

An account answers five reads of Route 53 a second. The reads of a run with more names than that are
collected for a moment and answered by one read of the whole zone, where that takes fewer calls.
Every read begins after it was asked for, and no call waits for another.
"""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.runtime.zone_reading import PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.ports import Clock, Records

MANY = 10
"""Names of a run from which on their reads are collected."""
_COLLECTED = 0.25
"""Seconds for which they are: four calls a second at most."""
_MOST_PAGES = 3
"""A larger zone is read name by name: its pages would take longer than a read may be old."""


class NameReading(NamedTuple):
    """The record sets at a name, and when the call began that read them."""

    began: float
    records: Sequence[RecordSet]


class NameReads:
    """Reads names of one zone."""

    def __init__(self, clock: Clock, records: Records) -> None:
        self._clock = clock
        self._records = records
        self._open: _Collected | None = None
        self._pages: int | None = None

    async def read(self, zone_id: str, name: str, among: int) -> NameReading:
        """Reads one name; raises what the port does.

        Args:
            among: how many names the run has.
        """
        if among < MANY:
            return await self._read_alone(zone_id, name)
        collected, is_first = self._open, self._open is None
        if collected is None:
            collected = self._open = _Collected()
        collected.names += 1
        if is_first:
            await self._answer(zone_id, collected)
        whole = await asyncio.shield(collected.answer)
        if whole is None:
            return await self._read_alone(zone_id, name)
        return NameReading(whole.began, whole.records.get(name, ()))

    async def _read_alone(self, zone_id: str, name: str) -> NameReading:
        began = self._clock.now()
        return NameReading(began, await self._records.read_name(zone_id, name))

    async def _answer(self, zone_id: str, collected: _Collected) -> None:
        """Reads the zone for all that ask meanwhile; ``None`` tells each to read for itself."""
        try:
            await self._clock.sleep(_COLLECTED)
            self._open = None
            collected.answer.set_result(await self._whole(zone_id, collected.names))
        except Exception as error:  # noqa: BLE001 -- each that asked gets it
            collected.answer.set_exception(error)
        finally:
            if self._open is collected:
                self._open = None
            collected.answer.cancel()  # where this task is, those that wait for it end too

    async def _whole(self, zone_id: str, names: int) -> _Whole | None:
        if self._pages is None:
            self._pages = ceil((await self._records.zone(zone_id)).record_count / PAGE)
        if not 0 < self._pages <= min(_MOST_PAGES, names - 1):
            return None
        began = self._clock.now()
        found: dict[str, list[RecordSet]] = {}
        zone = await self._records.read_zone(zone_id)
        for record in zone:
            found.setdefault(normal_name(record.name), []).append(record)
        self._pages = ceil(len(zone) / PAGE)
        return _Whole(began, found)


class _Whole(NamedTuple):
    began: float
    records: Mapping[str, Sequence[RecordSet]]


class _Collected:
    """Reads that were asked for within the same moment."""

    def __init__(self) -> None:
        self.names = 0
        self.answer: asyncio.Future[_Whole | None] = asyncio.get_running_loop().create_future()
