"""What a measurement calls of the simulated account, in process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from route53_takeover.adapters.measuring import read_logged
from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    NotFoundError,
)
from route53_takeover.core.domain.names import normal_name
from route53_takeover.core.measuring.ports import MeasuringAws
from route53_takeover.simulation.aws.cloudtrail.api import LAG, logged
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.measuring.ports import LoggedChange
    from route53_takeover.simulation.chaos.transport import Transport

_LOOKUP = "cloudtrail:LookupEvents"


class ZoneRecords(SimulatedRecords):
    """Route 53 whose reads from a name on go on to the end of the zone, as the API's do."""

    async def read_from(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        del name
        return await self.read_zone(zone_id)


class SimulatedMeasuring(MeasuringAws):
    """The stack, the protections and CloudTrail.

    Args:
        lag: seconds until CloudTrail has a call; ``None``: it may not be asked.
    """

    def __init__(self, transport: Transport, *, lag: float | None = LAG) -> None:
        self._transport = transport
        self._lag = lag

    async def create_stack(self, name: str, template: Mapping[str, Any], token: str) -> str:
        world = await self._transport.there("cloudformation:CreateStack")
        with _translated("cloudformation:CreateStack"):
            stack_id = world.stacks.create_stack(name, template, token=token).stack_id
        await self._transport.back("cloudformation:CreateStack")
        return stack_id

    async def update_stack(self, stack_id: str, template: Mapping[str, Any], token: str) -> None:
        world = await self._transport.there("cloudformation:UpdateStack")
        with _translated("cloudformation:UpdateStack"):
            world.stacks.update_stack(stack_id, template, token=token)
        await self._transport.back("cloudformation:UpdateStack")

    async def cancel_update(self, stack_id: str, token: str) -> None:
        world = await self._transport.there("cloudformation:CancelUpdateStack")
        with _translated("cloudformation:CancelUpdateStack"):
            world.stacks.cancel_update(stack_id, token=token)

    async def delete_stack(self, stack_id: str, token: str) -> None:
        world = await self._transport.there("cloudformation:DeleteStack")
        with _translated("cloudformation:DeleteStack"):
            world.stacks.delete_stack(stack_id, token=token)
        await self._transport.back("cloudformation:DeleteStack")

    async def submitted_at(self, change_id: str) -> float:
        world = await self._transport.there("route53:GetChange")
        return world.zones.applied(change_id).time

    async def protect(self, zone_id: str, name: str, record_type: str, comment: str) -> None:
        world = await self._transport.there("route53:CreateResourceRecordSetProtections")
        world.zones.protect(zone_id, name, record_type, comment)

    async def unprotect(self, zone_id: str, name: str, record_type: str) -> None:
        world = await self._transport.there("route53:DeleteResourceRecordSetProtections")
        world.zones.zone(zone_id).protections.pop((normal_name(name), record_type), None)

    async def logged_changes(self, since: float, until: float) -> Sequence[LoggedChange]:
        if self._lag is None:
            raise AccessDeniedError("not authorized", operation=_LOOKUP)
        world = await self._transport.there(_LOOKUP)
        events = map(read_logged, logged(world.zones, self._lag))
        return [each for each in events if each is not None and since <= each.time <= until]


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    try:
        yield
    except ApiFault as fault:
        kind = NotFoundError if "does not exist" in fault.message else ApiError
        raise kind(fault.message, code=fault.code, operation=operation) from fault
