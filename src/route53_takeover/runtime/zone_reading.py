"""Which record sets of a zone preflight reads: all of a small zone, of a large one what it needs.

A plan needs the record sets at its names, NS records above them that delegate them away, the SOA
record, what stands where the deploy creates other records, and aliases that point to the names. All
but the last are found by name. Route 53 lists no
aliases by their target, so those are only looked for among what is read. It never writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.ports import Records, Zone

PAGE = 300
"""Record sets that `ListResourceRecordSets` returns at most."""
WHOLE = 5 * PAGE
"""A zone of so many record sets is read whole, whatever the plan needs."""


class ZoneReading(Struct, frozen=True, kw_only=True):
    """What was read of a zone, in the API's order, and how many record sets were not."""

    records: tuple[RecordSet, ...]
    unread: int = 0


async def read_needed(
    records: Records, zone: Zone, names: Sequence[str], beside: Iterable[str] = ()
) -> ZoneReading:
    """Reads what a plan for these names depends on, in as few calls as that takes.

    Args:
        names: in normal form, all of them in the zone.
        beside: other names in it at which only what stands matters.
    """
    starts = list(dict.fromkeys([zone.name, *_above(zone.name, names), *names, *beside]))
    if zone.record_count <= max(WHOLE, PAGE * len(starts)):
        return ZoneReading(records=tuple(await records.read_zone(zone.zone_id)))
    found: dict[RecordKey, RecordSet] = {}
    for start in starts:
        found |= {r.key: r for r in await records.read_from(zone.zone_id, start)}
    return ZoneReading(records=tuple(found.values()), unread=max(zone.record_count - len(found), 0))


def _above(zone_name: str, names: Iterable[str]) -> list[str]:
    r"""The names between the zone's own and these: an escaped dot is ``\056`` by now."""
    above = []
    for name in names:
        parent = name.partition(".")[2]
        while parent.endswith("." + zone_name):
            above.append(parent)
            parent = parent.partition(".")[2]
    return above
