"""Route 53 of the simulated account, in process, by way of a transport that may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import RejectedChangeError, ThrottledError
from route53_takeover.core.domain.protections import Protection
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.ports import Zone
from route53_takeover.simulation.aws.route53.zones import ZoneError
from route53_takeover.simulation.chaos.transport import CHANGE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from route53_takeover.core.domain.record_sets import Change, RecordKey, RecordSet
    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.aws.route53.zones import SimZone
    from route53_takeover.simulation.chaos.transport import Transport

_HELD_OFF = frozenset({"PriorRequestNotComplete", "Throttling"})


class SimulatedRecords:
    """Route 53 of the simulated account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def zones(self, name: str) -> Sequence[Zone]:
        world = await self._transport.there("route53:ListHostedZones")
        dotted = "." + normal_name(name)
        found = [_zone(z) for z in world.zones.zones() if dotted.endswith("." + z.name)]
        return sorted(found, key=lambda zone: -len(zone.name))

    async def every_zone(self) -> Sequence[Zone]:
        world = await self._transport.there("route53:ListHostedZones")
        return [_zone(zone) for zone in world.zones.zones()]

    async def zone(self, zone_id: str) -> Zone:
        world = await self._transport.there("route53:GetHostedZone")
        return _zone(world.zones.zone(zone_id))

    async def read_zone(self, zone_id: str) -> Sequence[RecordSet]:
        world = await self._transport.there("route53:ListResourceRecordSets")
        return world.zones.list(zone_id)

    async def read_from(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        world = await self._transport.there("route53:ListResourceRecordSets")
        return world.zones.records_at(zone_id, name)

    async def read_name(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        world = await self._transport.there("route53:ListResourceRecordSets")
        found = world.zones.records_at(zone_id, name)
        if self._transport.behind:
            found = _records_before(world, name, world.timeline.now - self._transport.behind)
        await self._transport.back("route53:ListResourceRecordSets")
        return found

    async def protections(self, zone_id: str, names: Collection[str]) -> Sequence[Protection]:
        world = await self._transport.there("route53:ListResourceRecordSetProtections")
        wanted = set(map(normal_name, names))
        return [
            Protection(name=at, type=kind, comment=comment)
            for (at, kind), comment in world.zones.zone(zone_id).protections.items()
            if at in wanted
        ]

    async def change(self, zone_id: str, changes: Sequence[Change], comment: str) -> str:
        try:
            return await self._transport.change(zone_id, changes, comment)
        except ZoneError as error:
            kind = ThrottledError if error.code in _HELD_OFF else RejectedChangeError
            raise kind(error.message, code=error.code, operation=CHANGE) from error

    async def is_insync(self, change_id: str) -> bool:
        world = await self._transport.there("route53:GetChange")
        return world.timeline.now >= self._transport.pending_until and world.zones.insync(change_id)

    async def warm(self) -> None:
        """Nothing to warm in process."""


def _records_before(world: SimulatedAccount, name: str, time: float) -> tuple[RecordSet, ...]:
    """What a read that lags behind shows: the record sets at a name as they were at ``time``."""
    there: dict[RecordKey, RecordSet] = {}
    for applied in world.history:
        for action, record in applied.changes if applied.time <= time else ():
            if action == "DELETE":
                there.pop(record.key, None)
            else:
                there[record.key] = record
    return tuple(record for key, record in there.items() if key.name == name)


def _zone(zone: SimZone) -> Zone:
    return Zone(
        zone_id=zone.zone_id,
        name=zone.name,
        private=zone.private,
        name_servers=zone.name_servers,
        record_count=len(zone.records),
        guardrails=tuple(sorted(zone.guardrails)),
    )
