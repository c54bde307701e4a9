"""How the simulated CloudFormation creates, changes and deletes ``AWS::Route53::RecordSetGroup``.

One resource, many records, one batch that applies whole or not at all. What is done about a record
that exists is `RecordHandlerConfig.groups`: nothing is documented of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.domain.template import group_members
from route53_takeover.simulation.aws.cloudformation.record_handler import BUSY, WRITER, Mode
from route53_takeover.simulation.aws.route53.zones import ZoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.simulation.aws.cloudformation.account import Task
    from route53_takeover.simulation.aws.cloudformation.record_handler import (
        RecordHandlerConfig,
    )
    from route53_takeover.simulation.aws.route53.zones import Zones
    from route53_takeover.simulation.aws.timeline import Schedule

    Members = dict[tuple[str, object], RecordSet]


class GroupHandler:
    """Creates, updates and deletes record set groups on the timeline."""

    def __init__(self, timeline: Schedule, zones: Zones, config: RecordHandlerConfig) -> None:
        self._timeline = timeline
        self._zones = zones
        self._config = config

    def create(self, task: Task) -> None:
        """Creates every record, or does about an existing one what the mode says."""
        self._try(task, {}, self._members(task.properties), 0)

    def update(self, task: Task) -> None:
        """Changes what differs; records that are new to the group are created."""
        self._try(task, self._members(task.previous), self._members(task.properties), 0)

    def delete(self, task: Task) -> None:
        """Deletes what the group last asked for, as far as it is there."""
        self._try(task, self._members(task.properties), {}, 0)

    def _try(self, task: Task, old: Members, new: Members, tries: int) -> None:
        if tries and self._config.groups is Mode.NEVER:
            self._again(task, old, new, tries, "it was not created in time")
            return
        batches: dict[str, list[tuple[str, RecordSet]]] = {}
        for zone_id, change in self._changes(old, new):
            batches.setdefault(zone_id, []).append(change)
        try:
            for zone_id, batch in batches.items():
                self._zones.change(zone_id, batch, by=WRITER)
        except ZoneError as error:
            if error.code in BUSY:
                again = self._config.busy_seconds
                self._later(task, again, lambda: self._try(task, old, new, tries))
            else:
                self._again(task, old, new, tries, error.message)
            return
        told, done = self._config.id_seconds if new else 0.0, self._config.insync_seconds
        if new:
            identifier = f"{task.logical_id}-1ABCDEFGHIJKL"
            if told:
                self._later(task, told, lambda: task.initiated(identifier))
            else:
                task.initiated(identifier)
        self._later(task, max(told, done), task.succeed)

    def _again(self, task: Task, old: Members, new: Members, tries: int, reason: str) -> None:
        delays = self._config.retry_delays
        if self._config.groups in (Mode.RETRY, Mode.NEVER) and tries < len(delays):
            self._later(task, delays[tries], lambda: self._try(task, old, new, tries + 1))
        else:
            self._later(task, 0, lambda: task.fail(reason))

    def _changes(self, old: Members, new: Members) -> Iterator[tuple[str, tuple[str, RecordSet]]]:
        takes = self._config.groups in (Mode.ADOPT, Mode.OVERWRITE)
        for (zone_id, key), record in old.items():
            if (zone_id, key) not in new and any(
                other.key == record.key for other in self._zones.records_at(zone_id, record.name)
            ):
                yield zone_id, ("DELETE", record)
        for (zone_id, key), record in new.items():
            there = self._zones.records_at(zone_id, record.name)
            if (zone_id, key) in old:
                yield zone_id, ("UPSERT", record)
                continue
            for other in there if takes else ():
                if conflict(other, record):
                    yield zone_id, ("DELETE", other)
            yield zone_id, ("CREATE", record)

    def _members(self, properties: Mapping[str, Any]) -> Members:
        found: Members = {}
        for desired in group_members(properties):
            if desired is not None and desired.complete:
                zones = [z.zone_id for z in self._zones.zones() if z.name == desired.zone_name]
                zone_id = desired.zone_id or zones[0]
                found[zone_id, desired.record.key] = desired.record
        return found

    def _later(self, task: Task, seconds: float, action: Callable[[], None]) -> None:
        self._timeline.after(seconds, lambda: action() if task.live else None)
