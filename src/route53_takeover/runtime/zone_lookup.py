"""Which hosted zone the records are in, and which others of the account could hold their names.

NS and DS records at a zone's own name that others see are the parent zone's. Where no record was
named the pending template says where to look: the one zone in which something is in its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.record_sets import (
    conflict,
    normal_name,
    normal_zone_id,
)
from route53_takeover.core.plan.facts import OtherZone
from route53_takeover.core.ports import Zone
from route53_takeover.runtime.zone_reading import read_needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import PendingRecord, PendingTemplate
    from route53_takeover.core.plan.model import Options
    from route53_takeover.core.ports import Records

    Wanted = Sequence[tuple[str, str | None]]

_IN_PARENT = frozenset({"NS", "DS"})


class FoundZone(Struct, frozen=True, kw_only=True):
    """The zone, the names in it, and what else was found.

    Attributes:
        others: the zones beside it that could hold the first name.
    """

    zone: Zone
    names: tuple[str, ...]
    others: tuple[OtherZone, ...] = ()

    @property
    def rivals(self) -> tuple[str, ...]:
        """Ids of other zones of its name, as public or private as it."""
        own = (self.zone.name, self.zone.private)
        return tuple(each.zone_id for each in self.others if (each.name, each.private) == own)


async def find_zone(
    records: Records, options: Options, pending: PendingTemplate, wanted: Wanted
) -> FoundZone:
    """The zone that holds the names.

    Args:
        wanted: name and type of what was asked for; none where the pending template tells.

    Raises:
        RefusedError: there is none, or several could be meant.
    """
    if not wanted:
        return await _zone_of_pending(records, options, pending)
    names = tuple(dict.fromkeys(name for name, _ in wanted))
    candidates = await records.zones(names[0])
    zone = _chosen(candidates, options.zone, names[0], _of_parent(wanted, pending))
    for name in names:
        if not _holds(zone, name):
            raise RefusedError(
                f"{shown_name(name)} is not in zone {shown_name(zone.name)}",
                "One run takes over the records of one zone.",
            )
    return await _found(records, zone, candidates, names)


async def _found(
    records: Records, zone: Zone, candidates: Sequence[Zone], names: tuple[str, ...]
) -> FoundZone:
    return FoundZone(
        zone=await records.zone(zone.zone_id),
        names=names,
        others=tuple(_other(each) for each in candidates if each.zone_id != zone.zone_id),
    )


def _of_parent(wanted: Wanted, pending: PendingTemplate) -> frozenset[str]:
    """The names of which only NS or DS records are asked for."""
    found: set[str] = set()
    for name, kind in wanted:
        kinds = {kind} if kind else _kinds_at(pending, name)
        if kinds and kinds <= _IN_PARENT:
            found.add(name)
    return frozenset(found)


def _kinds_at(pending: PendingTemplate, name: str) -> set[str | None]:
    """The types that a given template creates at a name."""
    return {
        each.record.record_type
        for each in pending.records
        if pending.given and not each.record.pattern and normal_name(each.record.name) == name
    }


def _chosen(
    candidates: Sequence[Zone], wanted: str | None, name: str, of_parent: frozenset[str]
) -> Zone:
    """The zone that is meant: the one that was said, else the most specific public one."""
    if wanted is not None:
        chosen = [zone for zone in candidates if _is_said(zone, wanted)]
        if not chosen:
            raise RefusedError(
                f"zone {wanted} does not exist or cannot contain {shown_name(name)}",
                f"Found: {_listed(candidates)}. Check --zone and the account.",
            )
        public = [zone for zone in chosen if not zone.private]
        return (public or chosen)[0]
    public = [zone for zone in candidates if not zone.private]
    if not public:
        raise RefusedError(
            f"no public hosted zone of this account contains {shown_name(name)}",
            f"Found: {_listed(candidates)}. Check the account and --profile; for a private "
            "zone use --zone ID.",
        )
    parents = [zone for zone in public if zone.name not in of_parent]
    return (parents or public)[0]


async def _zone_of_pending(
    records: Records, options: Options, pending: PendingTemplate
) -> FoundZone:
    """The zone in which something is in the way of the pending template."""
    known = [each for each in pending.records if not each.record.pattern]
    names_in: dict[str, list[PendingRecord]] = {}
    zones: dict[str, Zone] = {}
    candidates_of: dict[str, Sequence[Zone]] = {}
    for each in known:
        name = normal_name(each.record.name)
        if name not in candidates_of:
            candidates_of[name] = await records.zones(name)
        zone = _zone_of(each, candidates_of[name], options.zone)
        if zone is not None:
            zones[zone.zone_id] = zone
            names_in.setdefault(zone.zone_id, []).append(each)
    if not zones:
        where = "any zone of this account" if options.zone is None else f"zone {options.zone}"
        hints = ["Check that it was made with the switch on; or say which record with --record."]
        if pending.unread:
            hints.insert(0, f"Not all of it is known: {'; '.join(pending.unread)}.")
        hints += [f"Also, {each.text} {each.hint}" for each in pending.warnings]
        raise RefusedError(
            f"{pending.source} has no record with a known name in {where}", " ".join(hints)
        )
    named = {
        zone_id: tuple(dict.fromkeys(normal_name(e.record.name) for e in those))
        for zone_id, those in names_in.items()
    }
    in_the_way = [
        zone_id
        for zone_id, zone in zones.items()
        if len(zones) > 1
        and _is_in_the_way(
            names_in[zone_id], (await read_needed(records, zone, named[zone_id])).records
        )
    ]
    if len(in_the_way) > 1:
        told = ", ".join(str(_other(zones[zone_id])) for zone_id in in_the_way)
        raise RefusedError(
            f"{pending.source} meets records in several zones: {told}",
            "One run takes over the records of one zone: select it with --zone ID.",
        )
    zone = zones[(in_the_way or list(zones))[0]]
    names = named[zone.zone_id]
    return await _found(records, zone, candidates_of[names[0]], names)


def _zone_of(pending: PendingRecord, candidates: Sequence[Zone], wanted: str | None) -> Zone | None:
    """The zone that a record goes to, if it is one of these and of the one that was said."""
    zone_id, zone_name = pending.record.zone
    name = normal_name(pending.record.name)
    of_parent = frozenset({name} if pending.record.record_type in _IN_PARENT else ())
    fitting = [
        zone
        for zone in candidates
        if zone_id in (None, zone.zone_id)
        and zone_name in (None, zone.name)
        and (zone_id is not None or zone_name is not None or zone.name not in of_parent)
        and (
            wanted is None
            or normal_zone_id(wanted) == zone.zone_id
            or normal_name(wanted) == zone.name
        )
    ]
    public = [zone for zone in fitting if not zone.private]
    certain = zone_id is not None or wanted is not None
    return next(iter(public or (fitting if certain else ())), None)


def _is_in_the_way(pending: Sequence[PendingRecord], contained: Sequence[RecordSet]) -> bool:
    wanted = [each.record.desired for each in pending if not each.exists]
    return any(
        conflict(desired.record, record)
        for desired in wanted
        if desired is not None
        for record in contained
    )


def _is_said(zone: Zone, wanted: str | None) -> bool:
    """Whether ``--zone`` means it, or is not given."""
    return (
        wanted is None or zone.zone_id == normal_zone_id(wanted) or zone.name == normal_name(wanted)
    )


def _holds(zone: Zone, name: str) -> bool:
    return ("." + name).endswith("." + zone.name)


def _other(zone: Zone) -> OtherZone:
    return OtherZone(
        zone_id=zone.zone_id,
        name=zone.name,
        private=zone.private,
        name_servers=zone.name_servers,
    )


def _listed(zones: Sequence[Zone]) -> str:
    return ", ".join(str(_other(zone)) for zone in zones) or "none"
