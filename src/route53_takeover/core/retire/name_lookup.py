"""Where names lead by the records of the account's zones."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import display_name, normal_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.retire.facts import ZoneRecords

_WEBSITE = re.compile(r"s3-website[.-][a-z0-9-]+\.amazonaws\.com(?:\.cn)?")
_LEADING = frozenset({"A", "AAAA", "CNAME", "HTTPS"})
_WILDCARD = normal_name("*.").removesuffix(".")


class Reach(Enum):
    """Whether users of a name arrive at certain hosts."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Lookup:
    """The records of the zones, by their names.

    Args:
        zones: each with all of its records.
    """

    def __init__(self, zones: Iterable[ZoneRecords]) -> None:
        self.zones = tuple(zones)
        self._at: dict[str, dict[str, list[RecordSet]]] = {}
        for zone in self.zones:
            names = self._at.setdefault(zone.zone_id, {})
            for record in zone.records:
                names.setdefault(normal_name(record.name), []).append(record)

    def at(self, zone: ZoneRecords, name: str) -> Sequence[RecordSet]:
        """The record sets at a name, which is given in normal form."""
        return self._at[zone.zone_id].get(name, ())

    def names(self, zone: ZoneRecords) -> Mapping[str, Sequence[RecordSet]]:
        """Every name of a zone, in normal form, with its record sets."""
        return self._at[zone.zone_id]

    def leading(self) -> Iterator[tuple[ZoneRecords, RecordSet]]:
        """Every record that leads somewhere, with its zone."""
        for zone in self.zones:
            for record in zone.records:
                if record.type in _LEADING:
                    yield zone, record

    def zones_of(self, name: str) -> list[ZoneRecords]:
        """The zones that answer for a name: the most specific public one, and private ones."""
        dotted = "." + normal_name(name)
        fitting = [zone for zone in self.zones if dotted.endswith("." + zone.name)]
        public = [zone for zone in fitting if not zone.private]
        longest = max((len(zone.name) for zone in public), default=0)
        return [zone for zone in fitting if zone.private or len(zone.name) == longest]

    def reach(self, name: str, hosts: Iterable[str]) -> tuple[Reach, str]:
        """Whether a name's records lead to one of these hosts, and the record or reason as text.

        Of a wildcard, such as ``*.example.com``, every name below it counts.
        """
        wanted = {host.lower().removesuffix(".") for host in hosts}
        zones = self.zones_of(name)
        if not zones:
            return Reach.UNKNOWN, f"no hosted zone of this account has {display_name(name)}"
        for zone in zones:
            for record in self._starts(zone, name):
                if self._leads(zone, record, wanted):
                    return Reach.YES, record.describe()
        return Reach.NO, f"no record of {display_name(name)} leads there"

    def _starts(self, zone: ZoneRecords, name: str) -> Iterable[RecordSet]:
        if not name.startswith("*."):
            return self._answering(zone, normal_name(name))
        below = "." + normal_name(name[2:])
        return [
            record
            for other, records in self.names(zone).items()
            if other.endswith(below)
            for record in records
            if record.type in _LEADING
        ]

    def _answering(self, zone: ZoneRecords, name: str) -> list[RecordSet]:
        """The records that answer for a host name: its own, else those of a wildcard."""
        labels = name.split(".")
        above = (".".join([_WILDCARD, *labels[n:]]) for n in range(1, len(labels)))
        for way in (name, *above):
            if found := self.at(zone, way):
                return [record for record in found if record.type in _LEADING]
        return []

    def _leads(self, zone: ZoneRecords, record: RecordSet, wanted: set[str]) -> bool:
        """Whether a record leads to one of the hosts, also by way of other names of its zone."""
        seen: set[str] = set()
        todo = [record]
        while todo:
            for target in targets(todo.pop()):
                if target in wanted:
                    return True
                name = normal_name(target)
                if name not in seen and ("." + name).endswith("." + zone.name):
                    seen.add(name)
                    todo += self._answering(zone, name)
        return False


def is_website(host: str) -> bool:
    """Whether it is S3's endpoint for websites, which serves the bucket of the asked name."""
    return _WEBSITE.fullmatch(host.lower()) is not None


def targets(record: RecordSet) -> list[str]:
    """The hosts and addresses that a record leads to, in lower case."""
    if record.alias is not None:
        return [record.alias.dns_name.lower().removesuffix(".").removeprefix("dualstack.")]
    if record.type == "HTTPS":
        words = [value.split() for value in record.values]
        return [each[1].lower().removesuffix(".") for each in words if len(each) > 1]
    return [value.lower().removesuffix(".") for value in record.values]
