"""The CloudFormation properties of a record set, with examples where its values are not known.

A template hides values that only a deploy makes (a distribution's domain name, another stack's
output). A rehearsal needs some value there: one of the documentation ranges, and always another
than the one that stands.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import AliasTarget
from route53_takeover.core.domain.template import is_intrinsic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.core.domain.record_sets import RecordSet

EXAMPLE_TARGET = AliasTarget(zone_id="Z2FDTNDATAQYW2", dns_name="rehearsed.cloudfront.net.")
_TTL = 300
_EXAMPLES = {
    "A": "198.51.100.53",
    "AAAA": "2001:db8::53",
    "CNAME": "rehearsed.example.net.",
    "NS": "ns.rehearsed.example.net.",
    "PTR": "rehearsed.example.net.",
    "MX": "10 rehearsed.example.net.",
    "SRV": "1 1 443 rehearsed.example.net.",
    "CAA": '0 issue "rehearsed.example.net"',
    "HTTPS": "1 rehearsed.example.net.",
    "SVCB": "1 rehearsed.example.net.",
}


def properties_of(record: RecordSet, zone_id: str) -> dict[str, Any]:
    """What a template says of this record set."""
    properties: dict[str, Any] = {"HostedZoneId": zone_id, "Name": record.name, "Type": record.type}
    if record.alias is not None:
        properties["AliasTarget"] = {
            "HostedZoneId": record.alias.zone_id,
            "DNSName": record.alias.dns_name,
            "EvaluateTargetHealth": record.alias.evaluate_target_health,
        }
    else:
        properties |= {"TTL": str(record.ttl), "ResourceRecords": list(record.values)}
    if record.set_identifier is not None:
        properties["SetIdentifier"] = record.set_identifier
    routing = {key: _told(json.loads(value)) for key, value in record.routing}
    return properties | {key: value for key, value in routing.items() if value is not None}


def completed(record: RecordSet, told: Mapping[str, Any]) -> RecordSet:
    """The record set with example values where its template does not tell its own.

    Args:
        told: its properties, with intrinsic functions in the place of what is not known.
    """
    if record.alias is None and ("AliasTarget" in told or not (record.values or _is_plain(told))):
        return replace(record, alias=EXAMPLE_TARGET, ttl=None, values=())
    if record.alias is not None:
        return record
    ttl = _TTL if record.ttl is None else record.ttl
    return replace(record, ttl=ttl, values=record.values or (_example(record.type),))


def assumed(manual: RecordSet) -> RecordSet:
    """A record set of the same key that differs: where nothing is known of what a stack creates."""
    if manual.alias is not None:
        return replace(manual, alias=EXAMPLE_TARGET)
    return replace(manual, values=(_example(manual.type),))


def _is_plain(told: Mapping[str, Any]) -> bool:
    return "ResourceRecords" in told or "TTL" in told


def _example(kind: str) -> str:
    return _EXAMPLES.get(kind, '"rehearsed"')


def _told(node: Any) -> Any:  # noqa: ANN401 -- a template's JSON
    """What is known of it; nothing in the place of an intrinsic function."""
    if is_intrinsic(node):
        return None
    if isinstance(node, dict):
        known = {key: _told(value) for key, value in node.items()}
        return {key: value for key, value in known.items() if value is not None}
    return node
