"""Route 53 over its API: the `Records` port.

Every read is fresh; nothing is cached but which zone was last used. The only call that changes
anything is `Route53Records.change`, sent once, on a connection of its own that `warm` keeps open.
"""

from __future__ import annotations

from contextlib import aclosing
from itertools import count
from typing import TYPE_CHECKING, Any

from route53_takeover.adapters.unknown_members import unknown_of
from route53_takeover.base.errors import AccessDeniedError, NotFoundError, ThrottledError
from route53_takeover.core.domain.protections import Protection
from route53_takeover.core.domain.record_sets import RecordSet, normal_name, normal_zone_id
from route53_takeover.core.ports import Records, Zone

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

    from route53_takeover.adapters.session import AwsSession
    from route53_takeover.core.domain.record_sets import Change

_ZONE_PAGE = "300"
_NAME_PAGE = "100"
_LONGEST_COMMENT = 256
_PROTECTION_PAGES = 5


class Route53Records(Records):
    """The account's hosted zones.

    Args:
        aws: its open session.
    """

    def __init__(self, aws: AwsSession) -> None:
        self._aws = aws
        self._last_zone = ""

    async def zones(self, name: str) -> Sequence[Zone]:
        """Every hosted zone whose name is ``name`` or a parent of it, the most specific first.

        Reads the whole list, a hundred zones a call, and filters it here. `ListHostedZonesByName`
        would need a call for each parent domain and a permission of its own, and it starts at the
        nearest name where a domain has no zone.
        """
        wanted = _suffixes(normal_name(name))
        found = [
            shape async for shape in self._hosted_zones() if normal_name(shape["Name"]) in wanted
        ]
        zones = [await self.zone(normal_zone_id(shape["Id"])) for shape in found]
        return sorted(zones, key=lambda zone: (wanted.index(zone.name), zone.private, zone.zone_id))

    async def every_zone(self) -> Sequence[Zone]:
        """Every hosted zone, without its name servers and guardrails: one call for a hundred."""
        return [
            Zone(
                zone_id=normal_zone_id(shape["Id"]),
                name=normal_name(shape["Name"]),
                private=bool(shape.get("Config", {}).get("PrivateZone", False)),
                record_count=shape.get("ResourceRecordSetCount", 0),
            )
            async for shape in self._hosted_zones()
        ]

    async def zone(self, zone_id: str) -> Zone:
        """One zone by its id, with the name servers of its delegation set."""
        async with self._aws.reading("route53:GetHostedZone") as clients:
            answer = await clients.route53.get_hosted_zone(Id=zone_id)
        shape = answer["HostedZone"]
        self._last_zone = normal_zone_id(shape["Id"])
        return Zone(
            zone_id=self._last_zone,
            name=normal_name(shape["Name"]),
            private=bool(shape.get("Config", {}).get("PrivateZone", False)),
            name_servers=tuple(answer.get("DelegationSet", {}).get("NameServers", ())),
            record_count=shape.get("ResourceRecordSetCount", 0),
            guardrails=_enabled(shape.get("Features", {})),
        )

    async def read_zone(self, zone_id: str) -> Sequence[RecordSet]:
        """Every record set of the zone."""
        pages = self._pages(zone_id, MaxItems=_ZONE_PAGE)
        return [record async for page in pages for record in page]

    async def read_from(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        """Whole pages, until one holds another name than this."""
        wanted = normal_name(name)
        records: list[RecordSet] = []
        pages = self._pages(zone_id, StartRecordName=wanted, MaxItems=_ZONE_PAGE)
        async with aclosing(pages):
            async for page in pages:
                records += page
                if any(normal_name(record.name) != wanted for record in page):
                    break
        return records

    async def read_name(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        """Every record set at exactly this name.

        Route 53 lists from the name on, in the order of the reversed labels, so the first other
        name ends it.
        """
        wanted = normal_name(name)
        records: list[RecordSet] = []
        pages = self._pages(zone_id, StartRecordName=wanted, MaxItems=_NAME_PAGE)
        async with aclosing(pages):
            async for page in pages:
                here = [record for record in page if normal_name(record.name) == wanted]
                records += here
                if len(here) < len(page):
                    break
        return records

    async def protections(self, zone_id: str, names: Collection[str]) -> Sequence[Protection]:
        """The record set protections of every type at exactly these names.

        Of several names those of the whole zone are listed, which takes one call where there are
        few of them; a zone with very many is asked name by name.
        """
        wanted = set(map(normal_name, names))
        only = next(iter(wanted)) if len(wanted) == 1 else None
        found: list[Protection] = []
        position: dict[str, Any] = {} if only is None else {"StartRecordName": only}
        for _ in range(_PROTECTION_PAGES) if only is None else count():
            async with self._aws.reading("route53:ListResourceRecordSetProtections") as clients:
                client: Any = clients.route53  # the SDK's types are older than the operation
                page = await client.list_resource_record_set_protections(
                    HostedZoneId=zone_id, MaxResults=_NAME_PAGE, **position
                )
            listed = [_protection(shape) for shape in page["ResourceRecordSetProtections"]]
            found += (one for one in listed if one.name in wanted)
            is_past = only is not None and any(one.name != only for one in listed)
            if is_past or not page.get("NextToken"):
                return found
            position = {"NextToken": page["NextToken"]}
        return [one for name in wanted for one in await self.protections(zone_id, [name])]

    async def change(self, zone_id: str, changes: Sequence[Change], comment: str) -> str:
        """Sends one batch in a single attempt and returns the change id, without prefix."""
        self._last_zone = normal_zone_id(zone_id)
        batch: Any = {
            "Comment": comment[:_LONGEST_COMMENT],
            "Changes": [
                {"Action": change.action, "ResourceRecordSet": change.record.to_api()}
                for change in changes
            ],
        }
        async with self._aws.writing("route53:ChangeResourceRecordSets") as clients:
            answer = await clients.route53_writes.change_resource_record_sets(
                HostedZoneId=zone_id, ChangeBatch=batch
            )
            return answer["ChangeInfo"]["Id"].rpartition("/")[2]

    async def is_insync(self, change_id: str) -> bool:
        """Whether every name server serves the change."""
        async with self._aws.reading("route53:GetChange") as clients:
            answer = await clients.route53.get_change(Id=change_id)
        return answer["ChangeInfo"]["Status"] == "INSYNC"

    async def warm(self) -> None:
        """Keeps the connection that writes use open, with a read that is as small as can be.

        To be called every 20 s or so. Any answer will do: a refusal has kept it open as well.
        """
        try:
            if self._last_zone:
                async with self._aws.writing("route53:GetHostedZone") as clients:
                    await clients.route53_writes.get_hosted_zone(Id=self._last_zone)
            else:
                async with self._aws.writing("route53:ListHostedZones") as clients:
                    await clients.route53_writes.list_hosted_zones(MaxItems="1")
        except (AccessDeniedError, NotFoundError, ThrottledError):
            return

    async def _hosted_zones(self) -> AsyncGenerator[Mapping[str, Any], None]:
        position: dict[str, Any] = {}
        while True:
            async with self._aws.reading("route53:ListHostedZones") as clients:
                page = await clients.route53.list_hosted_zones(MaxItems="100", **position)
            for shape in page["HostedZones"]:
                yield shape
            if not page["IsTruncated"]:
                return
            position = {"Marker": page["NextMarker"]}

    async def _pages(self, zone_id: str, **start: str) -> AsyncGenerator[list[RecordSet], None]:
        self._last_zone = normal_zone_id(zone_id)
        position: dict[str, Any] = dict(start)
        while True:
            async with self._aws.reading("route53:ListResourceRecordSets") as clients:
                page = await clients.route53.list_resource_record_sets(
                    HostedZoneId=zone_id, **position
                )
            yield [
                RecordSet.from_api({**shape, **unknown_of(page, at)})
                for at, shape in enumerate(page["ResourceRecordSets"])
            ]
            if not page["IsTruncated"]:
                return
            position = {
                "MaxItems": start["MaxItems"],
                "StartRecordName": page["NextRecordName"],
                "StartRecordType": page["NextRecordType"],
            }
            if page.get("NextRecordIdentifier"):
                position["StartRecordIdentifier"] = page["NextRecordIdentifier"]


def _protection(shape: Mapping[str, Any]) -> Protection:
    return Protection(
        name=normal_name(shape["RecordName"]),
        type=shape["RecordType"],
        comment=shape.get("Comment") or "",
    )


def _enabled(features: Mapping[str, Any]) -> tuple[str, ...]:
    """The change guardrails that are on; none where Route 53 does not say."""
    listed = features.get("ChangeGuardrails") or ()
    return tuple(sorted(each["Name"] for each in listed if each["Status"] == "ENABLED"))


def _suffixes(name: str) -> list[str]:
    r"""The name and its parents, the longest first; an escaped dot is ``\056`` by now."""
    labels = name.removesuffix(".").split(".")
    return [".".join(labels[at:]) + "." for at in range(len(labels))]
