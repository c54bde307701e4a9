"""CloudTrail's ``LookupEvents`` over what was written in the zones.

It has every ChangeResourceRecordSets, accepted or refused, to the second, some minutes late.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.simulation.aws.cloudformation.record_handler import WRITER
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.route53.zones import AppliedChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.simulation.aws.http.faults import Operation
    from route53_takeover.simulation.aws.route53.zones import RefusedChange, Zones

LAG = 300.0
_CHANGE = "ChangeResourceRecordSets"
_PAGE = 50


def operations(zones: Zones, *, lag: float = LAG) -> dict[str, Operation]:
    """CloudTrail's operations; ``lag``: seconds until it has a call."""

    def lookup_events(params: Mapping[str, Any]) -> Mapping[str, Any]:
        asked = {a["AttributeKey"]: a["AttributeValue"] for a in params.get("LookupAttributes", ())}
        if asked.keys() - {"EventName"}:
            raise ApiFault("InvalidLookupAttributesException", "Only EventName is simulated.")
        found = [] if asked.get("EventName", _CHANGE) != _CHANGE else logged(zones, lag)
        since, until = params.get("StartTime"), params.get("EndTime")
        found = [
            each
            for each in found
            if (since is None or each["EventTime"] >= since)
            and (until is None or each["EventTime"] <= until)
        ]
        start = int(params.get("NextToken") or 0)
        end = start + min(params.get("MaxResults", _PAGE), _PAGE)
        return {
            "Events": found[start:end],
            "NextToken": str(end) if end < len(found) else None,
        }

    return {"LookupEvents": lookup_events}


def logged(zones: Zones, lag: float) -> list[dict[str, Any]]:
    """What the log has by now, the newest first."""
    visible = zones.timeline.now - lag
    calls: list[AppliedChange | RefusedChange] = [*zones.history, *zones.refused]
    there = sorted((each for each in calls if each.time <= visible), key=lambda each: -each.time)
    return [_event(each, number) for number, each in enumerate(there)]


def _event(call: AppliedChange | RefusedChange, number: int) -> dict[str, Any]:
    by_stack = call.by == WRITER
    at = datetime.fromtimestamp(int(call.time), UTC)
    source = "cloudformation.amazonaws.com" if by_stack else "192.0.2.99"
    body: dict[str, Any] = {
        "eventTime": at.isoformat(),
        "eventSource": "route53.amazonaws.com",
        "eventName": _CHANGE,
        "sourceIPAddress": source,
        "userAgent": source,
        "requestParameters": {
            "hostedZoneId": call.zone_id,
            "changeBatch": {
                "comment": call.comment,
                "changes": [
                    {
                        "action": action,
                        "resourceRecordSet": {
                            "name": display_name(record.name),
                            "type": record.type,
                        },
                    }
                    for action, record in call.changes
                ],
            },
        },
    }
    if isinstance(call, AppliedChange):
        submitted = datetime.fromtimestamp(call.time, UTC).isoformat(timespec="milliseconds")
        body["responseElements"] = {
            "changeInfo": {"id": f"/change/{call.change_id}", "submittedAt": submitted}
        }
    else:
        body |= {"errorCode": call.code, "errorMessage": call.message}
    return {
        "EventId": f"00000000-0000-4000-8000-{number:012d}",
        "EventName": _CHANGE,
        "EventTime": at,
        "EventSource": "route53.amazonaws.com",
        "CloudTrailEvent": json.dumps(body),
    }
