"""The record set that a CloudFormation resource asks for, read from its properties.

Numbers and booleans may be texts there, and values may be intrinsics that are not resolved: what is
not known stays unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.record_sets import (
    NUMBER,
    AliasTarget,
    RecordSet,
    canonical,
    normal_name,
    normal_zone_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class DesiredRecord(Struct, frozen=True, kw_only=True):
    """The record set a CloudFormation resource asks for, as far as its properties tell.

    Attributes:
        record: name and type at least; values may be missing.
        complete: whether the values are known, so that they can be compared.
        zone_id: ``HostedZoneId``, resolved; ``None`` where it was not given or not resolved.
        zone_name: ``HostedZoneName`` in normal form, where it stands instead.
    """

    record: RecordSet
    complete: bool
    zone_id: str | None = None
    zone_name: str | None = None

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> DesiredRecord | None:
        """Reads the properties of an ``AWS::Route53::RecordSet``.

        Numbers and booleans may come as strings (the events' JSON has them so). A member that is
        still an unresolved intrinsic (a mapping where text is due) counts as unknown; ``None``
        where that leaves open which record set is meant: its name, type or set identifier.
        """
        name, kind = properties.get("Name"), properties.get("Type")
        set_identifier = properties.get("SetIdentifier")
        if not isinstance(name, str) or not isinstance(kind, str):
            return None
        if isinstance(set_identifier, dict | list):
            return None
        alias = _alias_from_properties(properties.get("AliasTarget"))
        values = _texts(properties.get("ResourceRecords"))
        ttl = _number(properties.get("TTL"))
        routing = {key: properties[key] for key in _ROUTING_PROPERTIES if key in properties}
        zone_id, zone_name = properties.get("HostedZoneId"), properties.get("HostedZoneName")
        return cls(
            record=RecordSet(
                name=name,
                type=kind,
                ttl=None if alias else ttl,
                values=() if alias else values,
                alias=alias,
                set_identifier=None if set_identifier is None else str(set_identifier),
                routing=tuple(
                    sorted((key, canonical(_typed(key, value))) for key, value in routing.items())
                ),
            ),
            complete=not (_is_unresolved(routing) or _is_unresolved(properties.get("AliasTarget")))
            and (alias is not None or (bool(values) and ttl is not None)),
            zone_id=normal_zone_id(zone_id) if isinstance(zone_id, str) else None,
            zone_name=normal_name(zone_name) if isinstance(zone_name, str) else None,
        )


_ROUTING_PROPERTIES = (
    "CidrRoutingConfig",
    "Failover",
    "GeoLocation",
    "GeoProximityLocation",
    "HealthCheckId",
    "MultiValueAnswer",
    "Region",
    "Weight",
)


def _typed(key: str, value: object) -> object:
    """A CloudFormation property in the type that the API gives this member.

    Only the key tells: a subdivision code or a CIDR location may be all digits and is text.
    """
    if isinstance(value, dict):
        return {inner: _typed(inner, item) for inner, item in value.items()}
    if key in ("Weight", "Bias"):
        number = _number(value)
        return value if number is None else number
    if key == "MultiValueAnswer":
        return _boolean(value)
    return value if isinstance(value, str) else canonical(value)


def _number(value: object) -> int | None:
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _boolean(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _texts(value: object) -> tuple[str, ...]:
    """A list of texts; empty where it is not one, or not all of it is known."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return ()
    return tuple(value)


def _is_unresolved(node: object) -> bool:
    """Whether an intrinsic such as ``{"Ref": "Zone"}`` still stands somewhere in it."""
    if isinstance(node, dict):
        return any(
            key == "Ref" or str(key).startswith("Fn::") or _is_unresolved(item)
            for key, item in node.items()
        )
    return isinstance(node, list) and any(_is_unresolved(item) for item in node)


def _alias_from_properties(target: object) -> AliasTarget | None:
    if not isinstance(target, dict):
        return None
    zone_id, dns_name = target.get("HostedZoneId"), target.get("DNSName")
    if not isinstance(zone_id, str) or not isinstance(dns_name, str):
        return None
    return AliasTarget(
        zone_id=normal_zone_id(zone_id),
        dns_name=dns_name,
        evaluate_target_health=_boolean(target.get("EvaluateTargetHealth", False)),
    )
