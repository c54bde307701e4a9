"""Route 53's rules for a batch of changes, with the messages AWS answers.

Owns what may stand in a hosted zone: values, names, conflicts, aliases, and what a batch does to
the record sets of a zone. It is pure: it takes record sets and returns record sets or messages,
and must never know time, zones other than the one at hand, or HTTP.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import (
    AliasTarget,
    RecordKey,
    conflict,
    normal_name,
    normal_zone_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet

ACTIONS = ("CREATE", "DELETE", "UPSERT")
MAX_TTL = 2_147_483_647

_MAX_LABEL = 63
_MAX_CHARACTER_STRING = 255
_MAX_16_BITS = 65_535
_CHARACTER_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_POLICIES = {
    "Weight": "weighted",
    "Region": "latency",
    "Failover": "failover",
    "GeoLocation": "geolocation",
    "GeoProximityLocation": "geoproximity",
    "MultiValueAnswer": "multivalue answer",
    "CidrRoutingConfig": "CIDR",
}


def stored(record: RecordSet) -> RecordSet:
    """The record set as Route 53 returns it: names in normal form, values to the letter."""
    alias = record.alias
    return replace(
        record,
        name=normal_name(record.name),
        alias=None
        if alias is None
        else AliasTarget(
            zone_id=normal_zone_id(alias.zone_id),
            dns_name=normal_name(alias.dns_name),
            evaluate_target_health=alias.evaluate_target_health,
        ),
    )


def within(name: str, zone_name: str) -> bool:
    """Whether a name (both in normal form) is the zone's apex or below it."""
    return name == zone_name or name.endswith("." + zone_name)


def input_error(changes: Sequence[tuple[str, RecordSet]]) -> str | None:
    """What makes AWS call the request itself invalid, before it looks at the zone."""
    if not changes:
        return "Invalid XML ; the content of element 'Changes' is not complete."
    errors = (_shape_error(at, action, record) for at, (action, record) in enumerate(changes, 1))
    return next((error for error in errors if error is not None), None)


def _shape_error(position: int, action: str, record: RecordSet) -> str | None:
    change = (
        f"Change with [Action={action}, Name={record.name}, Type={record.type}, "
        f"SetIdentifier={record.set_identifier or 'null'}]"
    )
    choice = (
        "Invalid request: Expected exactly one of "
        "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found"
    )
    if action not in ACTIONS:
        return f"Invalid XML ; Value '{action}' is not facet-valid: {', '.join(ACTIONS)}."
    if record.alias is not None:
        plain = record.ttl is not None or bool(record.values)
        return f"{choice} more than one in {change}" if plain else None
    if record.ttl is None:
        missing = "Invalid request: Missing field 'TTL'" if record.values else f"{choice} none"
        return f"{missing} in {change}"
    if not record.values:
        return f"Invalid request: Missing field 'ResourceRecords' in {change}"
    if not 0 <= record.ttl <= MAX_TTL:
        least, most = "greater than or equal to 0", f"less than or equal to {MAX_TTL}"
        return (
            f"1 validation error detected: Value '{record.ttl}' at 'changeBatch.changes."
            f"{position}.member.resourceRecordSet.tTL' failed to satisfy constraint: "
            f"Member must have value {least if record.ttl < 0 else most}"
        )
    return None


def apply_batch(
    zone_id: str,
    zone_name: str,
    records: Mapping[RecordKey, RecordSet],
    changes: Sequence[tuple[str, RecordSet]],
) -> tuple[dict[RecordKey, RecordSet], list[str]]:
    """What the batch makes of the zone, and why it may not.

    Each change is checked against the zone as the changes before it left it. The record sets
    returned count only if there are no messages: a batch applies whole or not at all.

    Args:
        zone_id: the zone's id, without prefix.
        zone_name: its name in normal form.
        records: what the zone holds.
        changes: pairs of action and record set, each as `stored` makes it.
    """
    state = dict(records)
    messages: list[str] = []
    for action, record in changes:
        if action == "DELETE":
            problems = _delete_problems(state, record)
        else:
            problems = _write_problems(zone_id, zone_name, state, action, record)
        if problems:
            messages += problems
        elif action == "DELETE":
            del state[record.key]
        else:
            state[record.key] = record
    if RecordKey(zone_name, "NS") not in state:
        messages.append("A HostedZone must contain at least one NS record for the zone itself.")
    soa = RecordKey(zone_name, "SOA")
    if soa not in state or any(a == "DELETE" and r.key == soa for a, r in changes):
        messages.append("A HostedZone must contain exactly one SOA record.")
    return state, messages


def _title(record: RecordSet) -> str:
    identifier = f", set-identifier='{record.set_identifier}'" if record.is_routed else ""
    return f"[name='{record.name}', type='{record.type}'{identifier}]"


def _delete_problems(state: Mapping[RecordKey, RecordSet], record: RecordSet) -> list[str]:
    current = state.get(record.key)
    tried = f"Tried to delete resource record set {_title(record)} but"
    if current is None:
        return [f"{tried} it was not found"]
    if not current.same_as(record):
        return [f"{tried} the values provided do not match the current values"]
    return _policy_problems(current)


def _write_problems(
    zone_id: str,
    zone_name: str,
    state: Mapping[RecordKey, RecordSet],
    action: str,
    record: RecordSet,
) -> list[str]:
    if not within(record.name, zone_name):
        return [f"RRSet with DNS name {record.name} is not permitted in zone {zone_name}"]
    problems = _value_problems(record)
    current = state.get(record.key)
    if record.type == "CNAME" and record.name == zone_name:
        problems.append(
            f"RRSet of type CNAME with DNS name {record.name} is not permitted at apex in zone "
            f"{zone_name}"
        )
        return problems
    if current is not None:
        if action == "CREATE":
            problems.append(
                f"Tried to create resource record set {_title(record)} but it already exists"
            )
            return problems
        problems += _policy_problems(current)
    problems += _conflict_problems(zone_name, state, record)
    problems += _alias_problems(zone_id, zone_name, state, record)
    return problems


def _policy_problems(current: RecordSet) -> list[str]:
    owner = current.traffic_policy_instance
    if owner is None:
        return []
    title = f"RRSet with DNS name {current.name}, type {current.type}"
    return [f"{title} cannot be changed directly: traffic policy instance {owner} owns it."]


def _conflict_problems(
    zone_name: str, state: Mapping[RecordKey, RecordSet], record: RecordSet
) -> list[str]:
    name, kind = record.name, record.type
    others = [r for key, r in state.items() if key != record.key and key.name == name]
    opposed = [other for other in others if conflict(record, other)]
    if any(other.type != kind for other in opposed):
        why = (
            f"as it conflicts with other records with the same DNS name in zone {zone_name}"
            if kind == "CNAME"
            else "because a conflicting RRSet of type  CNAME with the same DNS name already exists "
            f"in zone {zone_name}"
        )
        return [f"RRSet of type {kind} with DNS name {name} is not permitted {why}"]
    if opposed and not record.is_routed:
        exists = "other RRSets exist with the same name and type."
        return [f"RRSet with DNS name {name}, type {kind} cannot be created as {exists}"]
    siblings = [other for other in others if other.type == kind]
    if any(_policy(other) != _policy(record) for other in siblings):
        title = f"{name}, type {kind}, SetIdentifier {record.set_identifier}"
        exists = f"a non-{_policy(record)} set exists with the same name and type."
        return [f"RRSet with DNS name {title} cannot be created as {exists}"]
    return []


def _policy(record: RecordSet) -> str:
    if not record.is_routed:
        return "simple"
    named = [_POLICIES[key] for key, _ in record.routing if key in _POLICIES]
    return named[0] if named else "weighted"


def _alias_problems(
    zone_id: str, zone_name: str, state: Mapping[RecordKey, RecordSet], record: RecordSet
) -> list[str]:
    target = record.alias
    if target is None or target.zone_id != zone_id:
        return []
    tried = (
        f"Tried to create an alias that targets {target.dns_name}, type {record.type} in zone "
        f"{zone_id}, but"
    )
    if not within(target.dns_name, zone_name):
        return [
            f"{tried} the alias target name does not lie within the target zone",
            f"{tried} that target was not found",
        ]
    if target.dns_name == record.name:
        return [f"{tried} an alias cannot target itself"]
    if any(key[:2] == (target.dns_name, record.type) for key in state):
        return []
    return [f"{tried} that target was not found"]


def _value_problems(record: RecordSet) -> list[str]:
    problems = [
        f"Duplicate Resource Record: '{value}'"
        for position, value in enumerate(record.values)
        if value in record.values[:position]
    ]
    if record.type in ("CNAME", "SOA") and len(record.values) > 1:
        problems.append(
            f"Invalid Resource Record: '{record.type} {record.name}': only one value is permitted"
        )
    for value in record.values:
        fatal = _fatal(record.type, value)
        if fatal is not None:
            problems.append(f"Invalid Resource Record: 'FATAL problem: {fatal}'")
    return problems


def _fatal(kind: str, value: str) -> str | None:
    """What is wrong with one value, in the words Route 53 puts behind ``FATAL problem:``."""
    words = value.split()
    match kind:
        case "A" if not _is_address(value, ipaddress.IPv4Address):
            if len(words) != 1:
                problem = "ARRDATANotSingleField (Value contains spaces)"
            else:
                problem = "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        case "AAAA" if not _is_address(value, ipaddress.IPv6Address):
            problem = "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
        case "CNAME" | "NS" | "PTR" if not _is_domain_name(value):
            problem = "DomainNameIllegal (Value is not a valid domain name)"
        case "MX" if len(words) != 2:  # noqa: PLR2004 -- preference and exchange
            problem = "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
        case "MX" if not _is_16_bits(words[0]) or not _is_domain_name(words[1]):
            problem = "MXRRDATAIllegal (MX record needs a preference and a domain name)"
        case "TXT" | "SPF" if _CHARACTER_STRING.sub("", value).strip() or not value.strip():
            problem = "InvalidCharacterString (Value should be enclosed in quotation marks)"
        case "TXT" | "SPF" if _longest_string(value) > _MAX_CHARACTER_STRING:
            problem = "CharacterStringTooLong (Value is too long)"
        case _:
            return None
    return f"{problem} encountered with '{value}'"


def _is_address(value: str, family: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        family(value)
    except ValueError:
        return False
    return True


def _is_16_bits(word: str) -> bool:
    return word.isdecimal() and int(word) <= _MAX_16_BITS


def _is_domain_name(value: str) -> bool:
    labels = value.removesuffix(".").split(".")
    return not re.search(r"\s", value) and all(0 < len(label) <= _MAX_LABEL for label in labels)


def _longest_string(value: str) -> int:
    r"""The octets of the longest character string; an escape such as ``\052`` is one."""
    strings = _CHARACTER_STRING.findall(value)
    return max(len(re.sub(r"\\(?:[0-7]{3}|.)", "x", text).encode()) for text in strings)
