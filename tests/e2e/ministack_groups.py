"""Part of the exchanged MiniStack: ``AWS::Route53::RecordSetGroup``, which MiniStack lacks.

One resource, many records, one batch that applies whole or not at all. What CloudFormation does
about a record in its way is documented for none of them: here it tries again, identical or not.
"""

from __future__ import annotations

from typing import Any

from tests.e2e.ministack_events import RECORD_SET_GROUP, pause
from tests.e2e.ministack_route53 import PROPAGATION, Route53, insist, provisioners, route53

Records = dict[tuple[str, Any], dict[str, Any]]


class RecordSetGroups:
    """Creates, updates and deletes groups; each on a thread of its own, like a record set."""

    def __init__(self, events: Any) -> None:
        self.events = events
        provisioners._RESOURCE_HANDLERS[RECORD_SET_GROUP] = {
            "create": self.create,
            "update": self.update,
            "update_with_logical_id": True,
            "delete": self.delete,
        }

    def create(self, logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        new = records_of(props)
        insist(stack_name, logical_id, lambda *, dry: (self.batch({}, new, dry=dry), False))
        group = f"{stack_name}-{logical_id}-1ABCDEFGHIJKL"
        self.events.initiated(stack_name, logical_id, RECORD_SET_GROUP, group)
        pause(PROPAGATION)
        return group, {}

    def update(
        self,
        physical_id: str,
        old: dict[str, Any],
        new: dict[str, Any],
        stack_name: str,
        logical_id: str,
    ) -> Any:
        before, after = records_of(old), records_of(new)
        insist(stack_name, logical_id, lambda *, dry: (self.batch(before, after, dry=dry), False))
        pause(PROPAGATION)
        return physical_id, {}

    def delete(self, _physical_id: str, props: dict[str, Any]) -> None:
        self.batch(records_of(props), {})
        pause(PROPAGATION)

    @staticmethod
    def batch(old: Records, new: Records, *, dry: bool = False) -> str:
        """Why the batch from ``old`` to ``new`` is refused; empty where it is applied.

        Args:
            dry: it is not applied all the same.
        """
        with Route53.changing:
            zones = {zone_id: list(route53._records[zone_id]) for zone_id, _ in (*old, *new)}
            for (zone_id, key), record in old.items():
                values = route53._rs_values(record)
                zones[zone_id] = [
                    each
                    for each in zones[zone_id]
                    if route53._rs_key(each) != key or route53._rs_values(each) != values
                ]
            refusals = []
            for (zone_id, _), record in new.items():
                refusals.append(Route53.refusal(zone_id, record, zones[zone_id]))
                zones[zone_id].append(record)
            if not any(refusals) and not dry:
                route53._records.update(zones)
        return ", ".join(filter(None, refusals))


def records_of(props: dict[str, Any]) -> Records:
    """The group's records by zone and key; what they lack of their zone the group has."""
    found: Records = {}
    zone = {key: props[key] for key in ("HostedZoneId", "HostedZoneName") if key in props}
    for each in props.get("RecordSets", ()):
        own = each if {"HostedZoneId", "HostedZoneName"} & each.keys() else zone | each
        record = provisioners._r53_record_set_build_rs(own)
        found[provisioners._r53_resolve_hosted_zone_id(own), route53._rs_key(record)] = record
    return found
