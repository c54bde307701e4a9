"""How the simulated CloudFormation works on hosted zones: a zone's physical id is its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.simulation.aws.cloudformation.account import Task
    from route53_takeover.simulation.aws.route53.zones import Zones

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
