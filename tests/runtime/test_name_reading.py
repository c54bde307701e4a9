"""The reads of a run with many names are few calls, and each is as fresh as one of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from route53_takeover.base.errors import EndpointError
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.ports import Zone
from route53_takeover.runtime.name_reading import MANY, NameReads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.runtime.name_reading import NameReading


class EventLoopClock:
    """The event loop's own time."""

    speed = longest_wait = 1.0

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def go_on_from(self, time: float) -> None:
        """It never does."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class CountedZone:
    """A zone with a record at each name but the last, and what it was asked."""

    def __init__(self, names: Sequence[str], size: int) -> None:
        self.asked: list[str] = []
        self.fails = False
        self._names = names
        self._size = size

    async def zone(self, zone_id: str) -> Zone:
        self.asked.append("zone")
        return Zone(zone_id=zone_id, name="example.com.", record_count=self._size)

    async def read_zone(self, zone_id: str) -> Sequence[RecordSet]:  # noqa: ARG002 -- the only one
        self.asked.append("read_zone")
        if self.fails:
            raise EndpointError("no connection")
        return [record(name) for name in self._names[:-1]]

    async def read_name(self, zone_id: str, name: str) -> Sequence[RecordSet]:  # noqa: ARG002
        self.asked.append("read_name")
        return [record(name)] if name in self._names[:-1] else []


def record(name: str) -> RecordSet:
    return RecordSet(name=name, type="A", ttl=60, values=("192.0.2.1",))


def names(count: int) -> list[str]:
    return [f"r{number}.example.com." for number in range(count)]


async def read_all(
    zone: CountedZone, wanted: Sequence[str], reads: NameReads | None = None
) -> list[NameReading]:
    reads = reads or NameReads(EventLoopClock(), zone)  # type: ignore[arg-type]
    return await asyncio.gather(*(reads.read("Z1", name, len(wanted)) for name in wanted))


async def test_many_names_are_one_call() -> None:
    wanted = names(MANY)
    zone = CountedZone(wanted, size=200)
    asked_at = asyncio.get_running_loop().time()
    found = await read_all(zone, wanted)
    assert zone.asked == ["zone", "read_zone"]
    assert [[r.name for r in each.records] for each in found] == [[n] for n in wanted[:-1]] + [[]]
    assert all(each.began >= asked_at for each in found)


async def test_few_names_are_read_each_by_itself_and_at_once() -> None:
    wanted = names(MANY - 1)
    zone = CountedZone(wanted, size=200)
    await read_all(zone, wanted)
    assert zone.asked == ["read_name"] * len(wanted)


@pytest.mark.parametrize("size", [0, 100_000])
async def test_a_zone_that_is_large_or_of_unknown_size_is_read_name_by_name(size: int) -> None:
    wanted = names(MANY)
    zone = CountedZone(wanted, size)
    found = await read_all(zone, wanted)
    assert zone.asked == ["zone"] + ["read_name"] * MANY
    assert [len(each.records) for each in found] == [1] * (MANY - 1) + [0]


async def test_a_name_that_is_asked_for_alone_is_read_alone() -> None:
    wanted = names(MANY)
    zone = CountedZone(wanted, size=200)
    reads = NameReads(EventLoopClock(), zone)  # type: ignore[arg-type]
    await reads.read("Z1", wanted[0], MANY)
    assert zone.asked == ["zone", "read_name"]


async def test_a_read_that_fails_fails_for_each_and_the_next_is_another() -> None:
    wanted = names(MANY)
    zone = CountedZone(wanted, size=200)
    reads = NameReads(EventLoopClock(), zone)  # type: ignore[arg-type]
    zone.fails = True
    failed = await asyncio.gather(
        *(reads.read("Z1", name, MANY) for name in wanted), return_exceptions=True
    )
    assert [type(each) for each in failed] == [EndpointError] * MANY
    zone.fails = False
    assert len(await read_all(zone, wanted, reads)) == MANY


async def test_those_who_wait_end_with_the_one_who_reads() -> None:
    wanted = names(MANY)
    zone = CountedZone(wanted, size=200)
    reads = NameReads(EventLoopClock(), zone)  # type: ignore[arg-type]
    tasks = [asyncio.ensure_future(reads.read("Z1", name, MANY)) for name in wanted]
    await asyncio.sleep(0)
    tasks[0].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in done)
