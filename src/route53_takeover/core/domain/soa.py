"""The SOA record set of a zone: the two fields that say how long "no such name" is cached.

RFC 2308: a resolver caches that a name is absent for the smaller of the SOA record's TTL and the
last number of its value, the minimum. Nothing here touches the other fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from route53_takeover.core.domain.record_sets import RecordSet

_DEFAULT_TTL = 900
_DEFAULT_MINIMUM = 86400


class NegativeCaching(NamedTuple):
    """The two fields; a minimum that cannot be read is ``None``."""

    ttl: int | None
    minimum: int | None

    def __str__(self) -> str:
        return f"TTL {self.ttl}, minimum {self.minimum}"


def soa_of(records: Iterable[RecordSet], zone_name: str) -> RecordSet | None:
    """The zone's SOA record set among others; the zone's name is in normal form."""
    return next((r for r in records if r.type == "SOA" and r.key.name == zone_name), None)


def negative_caching(soa: RecordSet) -> NegativeCaching:
    """What the record set says of negative caching."""
    words = soa.values[0].split() if soa.values else []
    minimum = words[-1] if words else ""
    return NegativeCaching(soa.ttl, int(minimum) if minimum.isdecimal() else None)


def negative_ttl(soa: RecordSet | None) -> int:
    """Seconds for which a resolver caches that a name is absent; AWS's default without a SOA."""
    if soa is None or not soa.values:
        return _DEFAULT_TTL
    ttl, minimum = negative_caching(soa)
    return min(ttl or 0, _DEFAULT_MINIMUM if minimum is None else minimum)


def with_negative_caching(soa: RecordSet, fields: NegativeCaching) -> RecordSet:
    """The record set with these two fields, the rest to the letter."""
    value = soa.values[0].rstrip()
    head = value.removesuffix(value.split()[-1])
    return replace(soa, ttl=fields.ttl, values=(f"{head}{fields.minimum}",))
