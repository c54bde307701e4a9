"""The throw-away records of each kind, and the templates that create them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.domain.stacks import RECORD_SET
from route53_takeover.core.measuring.scope import WAIT, WAIT_HANDLE
from route53_takeover.core.plan.measured import RecordKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from route53_takeover.core.measuring.scope import Scope

_VALUES = {
    RecordKind.A: ("A", ("192.0.2.1",), ("192.0.2.2",)),
    RecordKind.CNAME: ("CNAME", ("old.example.net.",), ("new.example.net.",)),
    RecordKind.TXT: ("TXT", ('"old"',), ('"new"',)),
    RecordKind.NS: (
        "NS",
        ("ns1.example.net.", "ns2.example.net."),
        ("ns3.example.net.", "ns4.example.net."),
    ),
}
"""Type, old and new values: addresses and names that are reserved for documentation."""
_TTL = 60


def targets(scope: Scope) -> tuple[RecordSet, ...]:
    """The plain records that the aliases point to: the old one's and the new one's target."""
    return tuple(
        RecordSet(name=scope.name(f"target-{which}"), type="A", ttl=_TTL, values=values)
        for which, values in (("old", ("192.0.2.1",)), ("new", ("192.0.2.2",)))
    )


def record(scope: Scope, kind: RecordKind, label: str, *, new: bool) -> RecordSet:
    """One throw-away record, with its old or its new value."""
    name = scope.name(label)
    if kind is RecordKind.ALIAS:
        target = scope.name("target-new" if new else "target-old")
        return RecordSet(
            name=name, type="A", alias=AliasTarget(zone_id=scope.zone_id, dns_name=target)
        )
    record_type, before, after = _VALUES[kind]
    return RecordSet(name=name, type=record_type, ttl=_TTL, values=after if new else before)


def record_type(kind: RecordKind) -> str:
    return "A" if kind is RecordKind.ALIAS else _VALUES[kind][0]


def template(
    scope: Scope, records: Mapping[str, RecordSet], *, fails: bool = False
) -> dict[str, Any]:
    """The stack's template with these records, by their logical ids.

    Args:
        fails: once they are created, a wait condition that no one signals fails the operation.
    """
    resources: dict[str, Any] = {"Handle": {"Type": WAIT_HANDLE}}
    resources |= {name: _resource(scope, each) for name, each in records.items()}
    if fails:
        resources[f"Fail{''.join(records)}"] = {
            "Type": WAIT,
            "DependsOn": list(records),
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1", "Count": 1},
        }
    return {"Description": scope.description, "Resources": resources}


def _resource(scope: Scope, wanted: RecordSet) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "HostedZoneId": scope.zone_id,
        "Name": wanted.name,
        "Type": wanted.type,
    }
    if wanted.alias is not None:
        properties["AliasTarget"] = {
            "HostedZoneId": wanted.alias.zone_id,
            "DNSName": wanted.alias.dns_name,
            "EvaluateTargetHealth": wanted.alias.evaluate_target_health,
        }
    else:
        properties |= {"TTL": str(wanted.ttl), "ResourceRecords": list(wanted.values)}
    return {"Type": RECORD_SET, "Properties": properties}


def targets_last(records: Iterable[RecordSet]) -> list[RecordSet]:
    """In an order in which they can be deleted: aliases before what they point to."""
    return sorted(records, key=lambda each: each.alias is None)
