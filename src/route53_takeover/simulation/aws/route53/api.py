"""Route 53's and STS's operations, as the API spells them, over the simulated zones.

Owns the shapes and the paging of the API. The rules are the zones'; every refusal of theirs becomes
an `ApiFault`. It must never hold state of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.record_sets import (
    RecordKey,
    RecordSet,
    display_name,
    normal_name,
    normal_zone_id,
)
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.route53.guards import ALWAYS_ON, OPTIONAL
from route53_takeover.simulation.aws.route53.zones import ZoneError, order, reversed_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.simulation.aws.http.faults import Operation
    from route53_takeover.simulation.aws.route53.zones import AppliedChange, SimZone, Zones

ACCOUNT = "123456789012"
_MAX_ZONES = 100
_MAX_RECORDS = 300


def operations(zones: Zones, *, by: str = "client") -> dict[str, Operation]:
    """Route 53's operations over ``zones``; the history names ``by`` as who asked."""

    def list_zones(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _list_hosted_zones(zones, params)

    def list_zones_by_name(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _list_hosted_zones_by_name(zones, params)

    def get_zone(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _get_hosted_zone(zones, params)

    def list_records(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _list_resource_record_sets(zones, params)

    def change_records(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _change_resource_record_sets(zones, params, by)

    def list_protections(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _list_protections(zones, params)

    def create_protections(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _create_protections(zones, params)

    def delete_protections(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return _delete_protections(zones, params)

    def get_change(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"ChangeInfo": _change_info(zones, zones.applied(params["Id"]))}

    return {
        "ListHostedZones": _with_faults(list_zones),
        "ListHostedZonesByName": _with_faults(list_zones_by_name),
        "GetHostedZone": _with_faults(get_zone),
        "ListResourceRecordSets": _with_faults(list_records),
        "ChangeResourceRecordSets": _with_faults(change_records),
        "GetChange": _with_faults(get_change),
        "ListResourceRecordSetProtections": _with_faults(list_protections),
        "CreateResourceRecordSetProtections": _with_faults(create_protections),
        "DeleteResourceRecordSetProtections": _with_faults(delete_protections),
    }


def identity(*, account: str = ACCOUNT, user: str = "rehearsal") -> dict[str, Operation]:
    """STS's operations: who the caller is."""

    def get_caller_identity(_: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "UserId": "AIDASIMULATED",
            "Account": account,
            "Arn": f"arn:aws:iam::{account}:user/{user}",
        }

    return {"GetCallerIdentity": get_caller_identity}


def _with_faults(operation: Operation) -> Operation:
    def answering(params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return operation(params)
        except ZoneError as error:
            raise ApiFault(error.code, error.message, error.status) from error

    return answering


def _limit(params: Mapping[str, Any], most: int) -> int:
    asked = params.get("MaxItems")
    if asked is None:
        return most
    if not str(asked).isdecimal() or int(asked) < 1:
        raise ApiFault("InvalidInput", f"Invalid MaxItems: {asked}")
    return min(int(asked), most)


def _zone_shape(zone: SimZone) -> dict[str, Any]:
    return {
        "Id": f"/hostedzone/{zone.zone_id}",
        "Name": zone.name,
        "CallerReference": f"simulated-{zone.zone_id}",
        "Config": {
            "PrivateZone": zone.private,
            "HostedZoneTier": "ADVANCED" if zone.guardrails - {*ALWAYS_ON} else "STANDARD",
        },
        "ResourceRecordSetCount": len(zone.records),
        "Features": {
            "ChangeGuardrails": [
                {"Name": name, "Status": "ENABLED" if name in zone.guardrails else "DISABLED"}
                for name in (*ALWAYS_ON, *OPTIONAL)
            ]
        },
    }


def _list_hosted_zones(zones: Zones, params: Mapping[str, Any]) -> Mapping[str, Any]:
    kind, marker = params.get("HostedZoneType"), params.get("Marker")
    found = [zone for zone in zones.zones() if kind != "PrivateHostedZone" or zone.private]
    limit = _limit(params, _MAX_ZONES)
    ids = [zone.zone_id for zone in found]
    if marker and marker not in ids:
        raise ApiFault("InvalidInput", f"Invalid marker: {marker}")
    start = ids.index(marker) if marker else 0
    rest = ids[start + limit :]
    return {
        "HostedZones": [_zone_shape(zone) for zone in found[start : start + limit]],
        "Marker": marker,
        "IsTruncated": bool(rest),
        "NextMarker": rest[0] if rest else None,
        "MaxItems": str(limit),
    }


def _list_hosted_zones_by_name(zones: Zones, params: Mapping[str, Any]) -> Mapping[str, Any]:
    name, zone_id = params.get("DNSName"), params.get("HostedZoneId")
    if zone_id and not name:
        raise ApiFault("InvalidInput", "HostedZoneId needs DNSName beside it")
    start = (reversed_labels(normal_name(name)) if name else "", normal_zone_id(zone_id or ""))
    limit = _limit(params, _MAX_ZONES)

    def place(zone: SimZone) -> tuple[str, str]:
        return (reversed_labels(zone.name), zone.zone_id)

    found = [zone for zone in sorted(zones.zones(), key=place) if place(zone) >= start]
    following = found[limit] if len(found) > limit else None
    return {
        "HostedZones": [_zone_shape(zone) for zone in found[:limit]],
        "DNSName": name,
        "HostedZoneId": zone_id,
        "IsTruncated": following is not None,
        "NextDNSName": following and following.name,
        "NextHostedZoneId": following and following.zone_id,
        "MaxItems": str(limit),
    }


def _get_hosted_zone(zones: Zones, params: Mapping[str, Any]) -> Mapping[str, Any]:
    zone = zones.zone(params["Id"])
    if zone.private:
        return {
            "HostedZone": _zone_shape(zone),
            "VPCs": [{"VPCRegion": "us-east-1", "VPCId": "vpc-5131a7ed"}],
        }
    return {
        "HostedZone": _zone_shape(zone),
        "DelegationSet": {"NameServers": [display_name(name) for name in zone.name_servers]},
    }


def _list_resource_record_sets(zones: Zones, params: Mapping[str, Any]) -> Mapping[str, Any]:
    name, kind = params.get("StartRecordName"), params.get("StartRecordType")
    identifier = params.get("StartRecordIdentifier")
    if (kind and not name) or (identifier and not kind):
        raise ApiFault("InvalidInput", "A type needs a name beside it, an identifier both")
    records = zones.list(params["HostedZoneId"])
    limit = _limit(params, _MAX_RECORDS)
    if name:
        start = order(RecordKey(normal_name(name), kind or "", identifier))
        records = [record for record in records if order(record.key) >= start]
    following = records[limit] if len(records) > limit else None
    return {
        "ResourceRecordSets": [record.to_api() for record in records[:limit]],
        "IsTruncated": following is not None,
        "NextRecordName": following and following.name,
        "NextRecordType": following and following.type,
        "NextRecordIdentifier": following and following.set_identifier,
        "MaxItems": str(limit),
    }


def _list_protections(zones: Zones, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The token is how many were listed before."""
    zone = zones.zone(params["HostedZoneId"])
    limit = _limit({"MaxItems": params.get("MaxResults")}, _MAX_RECORDS)
    found = sorted(zone.protections, key=lambda each: order(RecordKey(*each)))
    begin = int(params.get("NextToken") or 0)
    if not begin and params.get("StartRecordName"):
        first = normal_name(params["StartRecordName"]), params.get("StartRecordType") or ""
        start = order(RecordKey(*first))
        begin = sum(order(RecordKey(*each)) < start for each in found)
    page = found[begin:]
    more = len(page) > limit
    return {
        "ResourceRecordSetProtections": [
            {"RecordName": at, "RecordType": kind, "Comment": zone.protections[at, kind] or None}
            for at, kind in page[:limit]
        ],
        "NextToken": str(begin + limit) if more else None,
    }


def _create_protections(zones: Zones, params: Mapping[str, Any]) -> Mapping[str, Any]:
    zone = zones.zone(params["HostedZoneId"])
    made = {
        (normal_name(each["RecordName"]), each["RecordType"]): each.get("Comment") or ""
        for each in params["Protections"]
    }
    if made.keys() <= zone.protections.keys():
        raise ApiFault("ProtectionAlreadyExists", "Every protection exists already.")
    if not made.keys().isdisjoint(zone.protections):
        raise ApiFault("InvalidResourceRecordSetProtectionBatch", "A protection exists already.")
    for (name, kind), comment in made.items():
        zones.protect(zone.zone_id, name, kind, comment)
    return {}


def _delete_protections(zones: Zones, params: Mapping[str, Any]) -> Mapping[str, Any]:
    zone = zones.zone(params["HostedZoneId"])
    named = {
        (normal_name(each["RecordName"]), each["RecordType"]) for each in params["Protections"]
    }
    if not named <= zone.protections.keys():
        raise ApiFault("InvalidResourceRecordSetProtectionBatch", "There is no such protection.")
    for each in named:
        del zone.protections[each]
    return {}


def _change_resource_record_sets(
    zones: Zones, params: Mapping[str, Any], by: str
) -> Mapping[str, Any]:
    batch = params["ChangeBatch"]
    changes = [
        (change["Action"], RecordSet.from_api(change["ResourceRecordSet"]))
        for change in batch["Changes"]
    ]
    change_id = zones.change(
        params["HostedZoneId"], changes, by=by, comment=batch.get("Comment") or ""
    )
    return {"ChangeInfo": _change_info(zones, zones.applied(change_id))}


def _change_info(zones: Zones, applied: AppliedChange) -> dict[str, Any]:
    return {
        "Id": f"/change/{applied.change_id}",
        "Status": "INSYNC" if zones.insync(applied.change_id) else "PENDING",
        "SubmittedAt": datetime.fromtimestamp(applied.time, UTC),
        "Comment": applied.comment or None,
    }
