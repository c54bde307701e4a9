"""Whether a stack owns a record set of a zone: the one judgement of plan and `restore`.

By name, type, set identifier and zone, as far as they are known. A stack's record with an unknown
one of them may be the record set; nothing is guessed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import conflict
from route53_takeover.core.plan.facts import OtherZone

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.facts import OwnedRecord


class Site(Struct, frozen=True, kw_only=True):
    """The zone of a record, and the others of the account that could hold its name."""

    zone_id: str
    zone_name: str
    private: bool = False
    others: tuple[OtherZone, ...] = ()


class Claim(StrEnum):
    """Whether a stack's record is a certain record set of the zone."""

    NO = "no"
    MAY = "may"  # its template leaves it open
    YES = "yes"


def claim(site: Site, resource: OwnedRecord, record: RecordSet) -> Claim:
    """Whether a stack's record is this record set: by name, type, set identifier and zone."""
    if not resource.may_be_at(record.key.name) or is_elsewhere(site, resource):
        return Claim.NO
    if resource.record_type not in (None, record.type):
        return Claim.NO
    desired = resource.desired
    if desired is not None and desired.record.set_identifier != record.set_identifier:
        return Claim.NO
    is_open = desired is None or bool(resource.pattern)
    return Claim.MAY if is_open or is_unclear(site, resource, record.key.name) else Claim.YES


def may_own(site: Site, resource: OwnedRecord, record: RecordSet) -> bool:
    """Whether a stack's record is, or may be, this record set."""
    return claim(site, resource, record) is not Claim.NO


def clashes(site: Site, resource: OwnedRecord, record: RecordSet) -> bool:
    """Whether it is certainly another record set, beside which this one cannot stand."""
    desired = resource.desired
    return (
        desired is not None
        and claim(site, resource, record) is Claim.NO
        and resource.may_be_at(record.key.name)
        and not is_elsewhere(site, resource)
        and not is_unclear(site, resource, record.key.name)
        and conflict(desired.record, record)
    )


def is_elsewhere(site: Site, resource: OwnedRecord | DesiredRecord) -> bool:
    """Whether it certainly is in another zone.

    A stack may own a private zone's record of the same name, which says nothing of this one.
    """
    zone_id, zone_name = _zone_of(resource)
    if zone_id is not None:
        return zone_id != site.zone_id
    return zone_name not in (None, site.zone_name)


def is_unclear(site: Site, resource: OwnedRecord, name: str) -> bool:
    """Whether it may as well be in another zone of the account."""
    zone_id, zone_name = resource.zone
    zones = rivals(site, name)
    if not zones or zone_id is not None:
        return False
    return zone_name != site.zone_name or any(zone.name == site.zone_name for zone in zones)


def rivals(site: Site, name: str) -> list[OtherZone]:
    """The zones in which a stack may well have a record of this name, besides the site's.

    A parent's or a child's public zone is none: resolvers query only one of them.
    """
    return [
        zone
        for zone in site.others
        if (zone.name == site.zone_name or zone.private != site.private)
        and ("." + name).endswith("." + zone.name)
    ]


def _zone_of(resource: OwnedRecord | DesiredRecord) -> tuple[str | None, str | None]:
    if isinstance(resource, DesiredRecord):
        return resource.zone_id, resource.zone_name
    return resource.zone
