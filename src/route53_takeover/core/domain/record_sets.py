r"""Record sets, Route 53's unit: as the API spells them, and in a normal form for comparing.

A `RecordSet` keeps what the API returned to the letter: a DELETE must repeat it exactly. Two
record sets mean the same when their normal forms are equal: `RecordSet.same_as`. The normal form
knows case, the trailing dot, octal escapes (``\052`` is ``*``), the order of values, TXT quoting,
alias targets and routing fields, from the API's shape and from CloudFormation's properties.

This module also holds Route 53's rule of which record sets cannot stand beside each other.
"""

from __future__ import annotations

import ipaddress
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.names import display_name, normal_name, shown_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "AliasTarget",
    "Change",
    "RecordKey",
    "RecordSet",
    "conflict",
    "display_name",
    "normal_name",
    "normal_value",
    "normal_zone_id",
    "same_records",
]

_NAME_VALUES = {"CNAME": 0, "NS": 0, "PTR": 0, "MX": 1, "SRV": 3}
"""Types whose value ends in a domain name, and how many numbers stand before it."""


class RecordKey(NamedTuple):
    """What identifies a record set in its zone; the name is in normal form."""

    name: str
    type: str
    set_identifier: str | None = None

    def __str__(self) -> str:
        suffix = f" [{self.set_identifier}]" if self.set_identifier else ""
        return f"{shown_name(self.name)} {self.type}{suffix}"


class AliasTarget(Struct, frozen=True, kw_only=True):
    """Where an alias record points: a DNS name in another (AWS's or the same) hosted zone."""

    zone_id: str
    dns_name: str
    evaluate_target_health: bool = False


class RecordSet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record set, as the API spells it.

    Attributes:
        name: the owner name as the API returned it.
        type: ``A``, ``CNAME``, ...
        ttl: seconds; ``None`` for an alias, which has none of its own.
        values: the values in the API's order and spelling; empty for an alias.
        alias: the target of an alias.
        set_identifier: distinguishes the members of a routed group; ``None`` for a simple record.
        routing: every other member of the API's shape (``Weight``, ``Region``, ...), each as
            canonical JSON, so that what this program does not know is repeated to the letter too.
    """

    name: str
    type: str
    ttl: int | None = None
    values: tuple[str, ...] = ()
    alias: AliasTarget | None = None
    set_identifier: str | None = None
    routing: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_api(cls, shape: Mapping[str, Any]) -> RecordSet:
        """Reads Route 53's ``ResourceRecordSet`` shape (botocore's dictionary)."""
        alias = shape.get("AliasTarget")
        known = {"Name", "Type", "TTL", "ResourceRecords", "AliasTarget", "SetIdentifier"}
        return cls(
            name=shape["Name"],
            type=shape["Type"],
            ttl=shape.get("TTL"),
            values=tuple(record["Value"] for record in shape.get("ResourceRecords") or ()),
            alias=None
            if alias is None
            else AliasTarget(
                zone_id=alias["HostedZoneId"],
                dns_name=alias["DNSName"],
                evaluate_target_health=alias["EvaluateTargetHealth"],
            ),
            set_identifier=shape.get("SetIdentifier"),
            routing=tuple(
                sorted((key, canonical(value)) for key, value in shape.items() if key not in known)
            ),
        )

    def to_api(self) -> dict[str, Any]:
        """The ``ResourceRecordSet`` shape, equal to the one `from_api` was given."""
        shape: dict[str, Any] = {"Name": self.name, "Type": self.type}
        if self.set_identifier is not None:
            shape["SetIdentifier"] = self.set_identifier
        shape |= {key: json.loads(value) for key, value in self.routing}
        if self.ttl is not None:
            shape["TTL"] = self.ttl
        if self.alias is not None:
            shape["AliasTarget"] = {
                "HostedZoneId": self.alias.zone_id,
                "DNSName": self.alias.dns_name,
                "EvaluateTargetHealth": self.alias.evaluate_target_health,
            }
        else:
            shape["ResourceRecords"] = [{"Value": value} for value in self.values]
        return shape

    @property
    def key(self) -> RecordKey:
        """Name in normal form, type and set identifier."""
        return RecordKey(normal_name(self.name), self.type, self.set_identifier)

    @property
    def is_routed(self) -> bool:
        """Whether a routing policy (weighted, latency, ...) applies to it."""
        return self.set_identifier is not None

    @property
    def policy(self) -> str:
        """The routing policy, as AWS calls it; ``simple`` where there is none."""
        if not self.is_routed:
            return "simple"
        return next((_POLICIES[key] for key, _ in self.routing if key in _POLICIES), "weighted")

    @property
    def traffic_policy_instance(self) -> str | None:
        """The traffic policy instance that owns it, if any: it cannot be changed directly then."""
        owner = dict(self.routing).get("TrafficPolicyInstanceId")
        return None if owner is None else str(json.loads(owner))

    @property
    def unknown_members(self) -> tuple[str, ...]:
        """Members that this program does not know: what they mean is not known either."""
        return tuple(key for key, _ in self.routing if key not in _KNOWN_ROUTING)

    @lru_cache(maxsize=4096)  # noqa: B019 -- of values: the same few are compared all the time
    def normal(self) -> RecordSet:
        """The form in which equal meanings are equal objects. Never sent to AWS."""
        alias = self.alias
        return replace(
            self,
            name=normal_name(self.name),
            ttl=None if alias else self.ttl,
            values=tuple(sorted(normal_value(self.type, value) for value in self.values)),
            alias=None
            if alias is None
            else AliasTarget(
                zone_id=normal_zone_id(alias.zone_id),
                dns_name=normal_name(alias.dns_name),
                evaluate_target_health=alias.evaluate_target_health,
            ),
        )

    def same_as(self, other: RecordSet | None) -> bool:
        """Whether both mean the same to Route 53, TTL included."""
        return other is not None and (self == other or self.normal() == other.normal())

    def describe(self) -> str:
        """One line of text: ``www.example.com A alias to d1.cloudfront.net``."""
        if self.alias is not None:
            return f"{self.key} alias to {display_name(self.alias.dns_name)}"
        return f"{self.key} {', '.join(self.values)} (TTL {self.ttl})"


_POLICIES = {
    "CidrRoutingConfig": "IP-based",
    "Failover": "failover",
    "GeoLocation": "geolocation",
    "GeoProximityLocation": "geoproximity",
    "MultiValueAnswer": "multi-value answer",
    "Region": "latency",
    "Weight": "weighted",
}
_KNOWN_ROUTING = frozenset({*_POLICIES, "HealthCheckId", "TrafficPolicyInstanceId"})


class Change(Struct, frozen=True, kw_only=True):
    """One change of a batch: ``DELETE`` or ``CREATE``, and ``UPSERT`` of a SOA alone.

    Raises:
        ValueError: it is another action, or would overwrite anything but a SOA.
    """

    action: str
    record: RecordSet

    def __post_init__(self) -> None:
        if self.action == "UPSERT" and self.record.type == "SOA":
            return
        if self.action not in ("DELETE", "CREATE"):
            raise ValueError(f"{self.action} of {self.record.key} is never sent")

    @classmethod
    def delete(cls, record: RecordSet) -> Change:
        """Deletes exactly this record set; refused by Route 53 where it has become another."""
        return cls(action="DELETE", record=record)

    @classmethod
    def create(cls, record: RecordSet) -> Change:
        """Creates it where nothing is in its way."""
        return cls(action="CREATE", record=record)

    @classmethod
    def upsert_soa(cls, record: RecordSet) -> Change:
        """Overwrites the zone's SOA, which can neither be deleted nor created."""
        return cls(action="UPSERT", record=record)


def conflict(one: RecordSet, other: RecordSet) -> bool:
    """Whether Route 53 lets only one of the two stand (same zone assumed).

    A CNAME stands alone at its name. Of one name and type there is either one simple record set or
    a routed group whose members differ in their set identifier.
    """
    if normal_name(one.name) != normal_name(other.name):
        return False
    if one.type != other.type:
        return "CNAME" in (one.type, other.type)
    return not (one.is_routed and other.is_routed) or one.set_identifier == other.set_identifier


def same_records(some: Iterable[RecordSet], others: Iterable[RecordSet]) -> bool:
    """Whether both hold the same record sets, in whatever order."""
    return {r.key: r.normal() for r in some} == {r.key: r.normal() for r in others}


def normal_zone_id(zone_id: str) -> str:
    """``/hostedzone/Z1`` and ``Z1`` are both ``Z1``."""
    return zone_id.rpartition("/")[2]


_LONGEST_VALUE = 32_000
"""Characters of all values that one change may have, by Route 53's quotas."""


def normal_value(record_type: str, value: str) -> str:
    """One value in normal form for its type; one that no record set can have stays as it is."""
    if len(value) > _LONGEST_VALUE:
        return value
    if record_type in ("TXT", "SPF"):
        return " ".join(_quoted(chunk) for chunk in _character_strings(value))
    # spaces between words do not count, those inside quotes do (CAA, NAPTR)
    words: list[str] = re.findall(r'"(?:[^"\\]|\\.)*"|\S+', value)
    if record_type in ("A", "AAAA") and len(words) == 1:
        try:
            return str(ipaddress.ip_address(words[0]))
        except ValueError:
            return words[0]
    numbers = _NAME_VALUES.get(record_type)
    if numbers is not None and len(words) == numbers + 1:
        plain = [str(int(word)) if NUMBER.fullmatch(word) else word for word in words[:-1]]
        return " ".join([*plain, normal_name(words[-1])])
    return " ".join(words)


def _character_strings(value: str) -> list[bytes]:
    r"""A TXT value's strings: ``"a b" c`` has two; escapes are ``\"``, ``\\``, ``\ooo``."""
    strings: list[bytes] = []
    for quoted, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.?)+)', value, re.DOTALL):
        text = re.sub(
            rb"\\([0-3][0-7]{2})|\\(.)",
            lambda m: bytes([int(m[1], 8)]) if m[1] else m[2],
            (quoted or bare).encode(),
            flags=re.DOTALL,
        )
        strings.append(text)
    return strings


def _quoted(chunk: bytes) -> str:
    body = "".join(
        f"\\{chr(b)}"
        if b in b'"\\'
        else chr(b)
        if 0x20 <= b <= 0x7E  # noqa: PLR2004 -- printable ASCII
        else f"\\{b:03o}"
        for b in chunk
    )
    return f'"{body}"'


def canonical(value: object) -> str:
    """JSON in which equal values are equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
"""A longer one is no number of Route 53's, and Python reads none of more than 4,300 digits."""
