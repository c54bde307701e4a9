"""What preflight reads of a zone: all of a small one, of a large one what the plan needs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.ports import Zone
from route53_takeover.runtime.zone_reading import PAGE, WHOLE, read_needed
from route53_takeover.simulation.aws.route53.zones import order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.ports import Records


class Listed:
    """A zone's record sets in Route 53's order, by calls of one page."""

    def __init__(self, *records: RecordSet) -> None:
        self.records = sorted(records, key=lambda r: order(r.key))
        self.calls: Counter[str] = Counter()

    async def read_zone(self, _: str) -> Sequence[RecordSet]:
        self.calls["whole"] += 1
        return self.records

    async def read_from(self, _: str, name: str) -> Sequence[RecordSet]:
        self.calls[name] += 1
        start = next(n for n, r in enumerate(self.records) if r.name == name)
        return self.records[start : start + PAGE]


def a(name: str, kind: str = "A") -> RecordSet:
    return RecordSet(name=name, type=kind, ttl=60, values=("192.0.2.1",))


def zone_of(count: int) -> tuple[Listed, Zone]:
    known = (a("example.com.", "SOA"), a("dev.example.com.", "NS"), a("www.dev.example.com."))
    many = (a(f"h{number:05d}.example.com.") for number in range(count - len(known)))
    return Listed(*known, *many), Zone(zone_id="Z1", name="example.com.", record_count=count)


async def read(listed: Records, zone: Zone, *names: str) -> tuple[tuple[RecordSet, ...], int]:
    reading = await read_needed(listed, zone, names)
    return reading.records, reading.unread


@pytest.mark.parametrize("count", [3, WHOLE])
async def test_a_small_zone_is_read_whole(count: int) -> None:
    listed, zone = zone_of(count)
    found, unread = await read(listed, zone, "www.dev.example.com.")  # type: ignore[arg-type]
    assert (len(found), unread, listed.calls) == (count, 0, {"whole": 1})


async def test_of_a_large_zone_the_names_those_above_and_the_apex_are_read() -> None:
    listed, zone = zone_of(10_000)
    found, unread = await read(listed, zone, "www.dev.example.com.")  # type: ignore[arg-type]
    assert listed.calls == {"example.com.": 1, "dev.example.com.": 1, "www.dev.example.com.": 1}
    assert {a("example.com.", "SOA"), a("dev.example.com.", "NS")} <= set(found)
    assert a("www.dev.example.com.") in found
    assert len(found) == len({r.key for r in found}), "no record set twice"
    assert unread == 10_000 - len(found) > 0


async def test_many_names_are_not_asked_for_one_by_one_where_all_costs_less() -> None:
    listed, zone = zone_of(3000)
    names = [f"h{number:05d}.example.com." for number in range(20)]
    _, unread = await read(listed, zone, *names)  # type: ignore[arg-type]
    assert (listed.calls, unread) == ({"whole": 1}, 0)


async def test_a_zone_of_unknown_size_is_read_whole() -> None:
    listed, _ = zone_of(2000)
    zone = Zone(zone_id="Z1", name="example.com.")
    found, _ = await read(listed, zone, "h00001.example.com.")  # type: ignore[arg-type]
    assert len(found) == 2000
