"""What only a measurement calls: a throw-away stack, protections, and CloudTrail's events.

What may be written is decided in `core.measuring.scope`; here it is only sent. A request to the
stack that is sent twice is carried out once, by its token.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.measuring.ports import LoggedChange, MeasuringAws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.adapters.session import AwsSession

_CHANGE = "ChangeResourceRecordSets"
_PAGES = 200
"""Pages of fifty events that are read: CloudTrail has every other change of the account, too."""


class AwsMeasuring(MeasuringAws):
    """One account and region.

    Args:
        stacks: its session, opened with ``measures``.
        dns: the session of the zone, which may be another.
    """

    def __init__(self, stacks: AwsSession, dns: AwsSession) -> None:
        self._stacks = stacks
        self._dns = dns

    async def create_stack(self, name: str, template: Mapping[str, Any], token: str) -> str:
        """Begins it and returns the stack's id."""
        async with self._stacks.writing("cloudformation:CreateStack") as clients:
            answer = await clients.cloudformation.create_stack(
                StackName=name, TemplateBody=json.dumps(template), ClientRequestToken=token
            )
            return str(answer["StackId"])

    async def update_stack(self, stack_id: str, template: Mapping[str, Any], token: str) -> None:
        """Begins an update."""
        async with self._stacks.writing("cloudformation:UpdateStack") as clients:
            await clients.cloudformation.update_stack(
                StackName=stack_id, TemplateBody=json.dumps(template), ClientRequestToken=token
            )

    async def cancel_update(self, stack_id: str, token: str) -> None:
        """Turns an update back."""
        async with self._stacks.writing("cloudformation:CancelUpdateStack") as clients:
            await clients.cloudformation.cancel_update_stack(
                StackName=stack_id, ClientRequestToken=token
            )

    async def delete_stack(self, stack_id: str, token: str) -> None:
        """Begins to delete it."""
        async with self._stacks.writing("cloudformation:DeleteStack") as clients:
            await clients.cloudformation.delete_stack(StackName=stack_id, ClientRequestToken=token)

    async def submitted_at(self, change_id: str) -> float:
        """When Route 53 accepted a change."""
        async with self._dns.reading("route53:GetChange") as clients:
            answer = await clients.route53.get_change(Id=change_id)
        return answer["ChangeInfo"]["SubmittedAt"].timestamp()

    async def protect(self, zone_id: str, name: str, record_type: str, comment: str) -> None:
        """Creates a record set protection."""
        async with self._dns.writing("route53:CreateResourceRecordSetProtections") as clients:
            client: Any = clients.route53_writes
            await client.create_resource_record_set_protections(
                HostedZoneId=zone_id,
                Protections=[{"RecordName": name, "RecordType": record_type, "Comment": comment}],
            )

    async def unprotect(self, zone_id: str, name: str, record_type: str) -> None:
        """Deletes it."""
        async with self._dns.writing("route53:DeleteResourceRecordSetProtections") as clients:
            client: Any = clients.route53_writes
            await client.delete_resource_record_set_protections(
                HostedZoneId=zone_id,
                Protections=[{"RecordName": name, "RecordType": record_type}],
            )

    async def logged_changes(self, since: float, until: float) -> Sequence[LoggedChange]:
        """Every ChangeResourceRecordSets that CloudTrail has of that time."""
        found: list[LoggedChange] = []
        position: dict[str, Any] = {}
        for _ in range(_PAGES):
            async with self._stacks.reading("cloudtrail:LookupEvents") as clients:
                page = await clients.cloudtrail.lookup_events(
                    LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": _CHANGE}],
                    StartTime=datetime.fromtimestamp(since, UTC),
                    EndTime=datetime.fromtimestamp(until, UTC),
                    MaxResults=50,
                    **position,
                )
            found += [read for each in page["Events"] if (read := read_logged(each)) is not None]
            if not page.get("NextToken"):
                break
            position = {"NextToken": page["NextToken"]}
        return found


def read_logged(event: Mapping[str, Any]) -> LoggedChange | None:
    """One event of CloudTrail; ``None`` where its record cannot be read."""
    try:
        body = json.loads(event["CloudTrailEvent"])
        changes = (body.get("requestParameters") or {})["changeBatch"]["changes"]
        return LoggedChange(
            time=event["EventTime"].timestamp(),
            names=tuple(normal_name(each["resourceRecordSet"]["name"]) for each in changes),
            actions=tuple(str(each["action"]) for each in changes),
            error=str(body.get("errorCode") or ""),
            submitted_at=_submitted(body),
            by_cloudformation="cloudformation"
            in json.dumps(
                [body.get("sourceIPAddress"), body.get("userAgent"), body.get("userIdentity")]
            ),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _submitted(body: Mapping[str, Any]) -> float | None:
    info = (body.get("responseElements") or {}).get("changeInfo") or {}
    try:
        return _time(info["submittedAt"])
    except (KeyError, TypeError, ValueError):
        return None


def _time(text: str) -> float:
    """CloudTrail's times of Route 53's answers: ISO 8601, or ``Nov 27, 2026 9:00:01 AM``."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        plain = " ".join(text.replace("\u202f", " ").split())
        return datetime.strptime(plain, "%b %d, %Y %I:%M:%S %p").replace(tzinfo=UTC).timestamp()
