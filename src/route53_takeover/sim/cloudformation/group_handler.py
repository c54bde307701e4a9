"""How the simulated CloudFormation works on hosted zones and on groups of record sets.

A group is one resource and one batch, which is applied whole or not at all: what stands in the way
of one record fails them all. A zone's physical id is its id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.records import DesiredRecord, normal_name
from route53_takeover.sim.cloudformation.record_handler import WRITER
from route53_takeover.sim.route53.zones import ZoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from route53_takeover.core.records import RecordSet
    from route53_takeover.sim.cloudformation.account import Task
    from route53_takeover.sim.route53.zones import Zones

    After = Callable[[Task, Callable[[], None]], None]
    """Lets something happen later, if the task still lives then."""


class ZoneHandler:
    """Creates hosted zones; one with ``VPCs`` is private. It never deletes any."""

    def __init__(self, zones: Zones, after: After) -> None:
        self._zones = zones
        self._after = after

    def create(self, task: Task) -> None:
        properties = task.properties
        zone = self._zones.add_zone(str(properties["Name"]), private="VPCs" in properties)
        task.initiated(zone.zone_id)
        self._after(task, task.succeed)

    def update(self, task: Task) -> None:
        self._after(task, task.succeed)

    def delete(self, task: Task) -> None:
        self._after(task, task.succeed)


class GroupHandler:
    """Creates, changes and deletes ``AWS::Route53::RecordSetGroup``.

    Args:
        name: makes up a group's physical id.
    """

    def __init__(self, zones: Zones, after: After, name: Callable[[Task], str]) -> None:
        self._zones = zones
        self._after = after
        self._name = name

    def create(self, task: Task) -> None:
        zone_id, records = self._target(task.properties)
        if self._apply(task, zone_id, [("CREATE", record) for record in records]):
            task.initiated(self._name(task))

    def update(self, task: Task) -> None:
        zone_id, records = self._target(task.properties)
        _, before = self._target(task.previous)
        batch = [("DELETE", record) for record in before if record not in records]
        batch += [("CREATE", record) for record in records if record not in before]
        self._apply(task, zone_id, batch)

    def delete(self, task: Task) -> None:
        zone_id, records = self._target(task.properties)
        standing = {
            r.key for record in records for r in self._zones.records_at(zone_id, record.name)
        }
        self._apply(task, zone_id, [("DELETE", r) for r in records if r.key in standing])

    def _apply(self, task: Task, zone_id: str, batch: Sequence[tuple[str, RecordSet]]) -> bool:
        try:
            if batch:
                self._zones.change(zone_id, batch, by=WRITER)
        except ZoneError as error:
            reason = error.message
            self._after(task, lambda: task.fail(reason))
            return False
        self._after(task, task.succeed)
        return True

    def _target(self, properties: Mapping[str, Any]) -> tuple[str, list[RecordSet]]:
        zone = {k: v for k, v in properties.items() if k in ("HostedZoneId", "HostedZoneName")}
        read = [DesiredRecord.from_properties({**zone, **e}) for e in properties["RecordSets"]]
        records = [each.record for each in read if each is not None]
        named = normal_name(str(zone.get("HostedZoneName", "")))
        found = [each.zone_id for each in self._zones.zones() if each.name == named]
        return str(zone.get("HostedZoneId") or found[0]), records
