"""What the simulated CloudFormation keeps of a stack: its resources and its stream of events.

Holds state and shows it; it decides nothing and starts nothing. An event is written here at the
instant it happens, and becomes visible to callers when the account's faults let it.
"""

from __future__ import annotations

import bisect
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP, StackEvent
from route53_takeover.core.domain.template import TemplateError, group_members
from route53_takeover.simulation.aws.cloudformation.asked import Simulation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from route53_takeover.simulation.aws.cloudformation.template import ResourceSpec


class StackEventRow(Struct, frozen=True, kw_only=True):
    """One event as the account wrote it; ``properties`` are resolved, every scalar is text."""

    event_id: str
    stack_id: str
    stack_name: str
    logical_id: str
    resource_type: str
    status: str
    timestamp: float
    physical_id: str = ""
    reason: str = ""
    token: str = ""
    properties: dict[str, Any] | None = None

    def to_api(self) -> dict[str, Any]:
        """The ``StackEvent`` shape of ``DescribeStackEvents``; what is not there is left out."""
        shape = {
            "StackId": self.stack_id,
            "EventId": self.event_id,
            "StackName": self.stack_name,
            "LogicalResourceId": self.logical_id,
            "PhysicalResourceId": self.physical_id,
            "ResourceType": self.resource_type,
            "Timestamp": at(self.timestamp),
            "ResourceStatus": self.status,
            "ResourceStatusReason": self.reason or None,
            "ResourceProperties": None
            if self.properties is None
            else json.dumps(self.properties, separators=(",", ":")),
            "ClientRequestToken": self.token or None,
        }
        return {key: value for key, value in shape.items() if value is not None}


def to_core(row: StackEventRow) -> StackEvent:
    """The event as the program's core sees it, with the desired record of a record set read."""
    desired = None
    if row.resource_type == RECORD_SET and row.properties is not None:
        desired = DesiredRecord.from_properties(row.properties)
    members: tuple[DesiredRecord | None, ...] = ()
    if row.resource_type == RECORD_SET_GROUP and row.properties is not None:
        members = group_members(row.properties)
    return StackEvent(
        event_id=row.event_id,
        stack_id=row.stack_id,
        stack_name=row.stack_name,
        logical_id=row.logical_id,
        physical_id=row.physical_id,
        resource_type=row.resource_type,
        status=row.status,
        reason=row.reason,
        timestamp=row.timestamp,
        token=row.token,
        desired=desired,
        members=members,
    )


class Resource(Struct, kw_only=True):
    """A resource of a stack, as it is now.

    Attributes:
        physical_id: empty until it has one.
        properties: the resolved properties that were last asked for.
        child: the stack that it stands for, if it is a nested stack.
        depends: the resources of its stack that it refers to.
    """

    logical_id: str
    type: str
    physical_id: str = ""
    status: str = ""
    reason: str = ""
    updated_at: float = 0.0
    properties: dict[str, Any]
    depends: frozenset[str] = frozenset()
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"
    simulation: Simulation = Simulation()
    child: Stack | None = None

    @classmethod
    def wanted(cls, spec: ResourceSpec) -> Resource:
        """What a template asks for, before it is resolved or has come into being."""
        return cls(
            logical_id=spec.logical_id,
            type=spec.type,
            properties={},
            depends=spec.depends,
            deletion_policy=spec.deletion_policy,
            replace_policy=spec.replace_policy,
            simulation=spec.simulation,
        )

    def attribute(self, name: str | None) -> str:
        """``Ref`` where ``name`` is ``None``, else ``Fn::GetAtt``: made up where nothing is known.

        What ends in ``DomainName`` is a domain name, what ends in ``HostedZoneId`` CloudFront's
        zone, so that an alias to it is well formed.
        """
        if name is None or (name == "Id" and self.type == "AWS::Route53::HostedZone"):
            return self.physical_id
        if name in self.simulation.attributes:
            return str(self.simulation.attributes[name])
        if name == "Arn" and self.type == "AWS::IAM::Role":
            return f"arn:aws:iam::123456789012:role/{self.physical_id}"
        if name.endswith("HostedZoneId"):
            return "Z2FDTNDATAQYW2"
        if name.endswith("DomainName"):
            return f"{self.physical_id.lower()}.cloudfront.net"
        return f"{self.physical_id}.{name}"


class Stack:
    """One stack, root or nested, existing or deleted.

    Attributes:
        body: the template in force, parsed; ``text`` is it as it was sent.
        parameters: the parameters in force, defaults included.
        resources: by logical id, in the order in which they came.
        parent: the stack that holds it as a resource, if any.
        token: the ``ClientRequestToken`` of its newest operation.
        is_protected: it has termination protection.
    """

    def __init__(
        self, *, stack_id: str, name: str, created_at: float, parent: Stack | None = None
    ) -> None:
        self.stack_id = stack_id
        self.name = name
        self.parent = parent
        self.status = ""
        self.reason = ""
        self.created_at = created_at
        self.updated_at: float | None = None
        self.deleted_at: float | None = None
        self.body: Mapping[str, Any] = {}
        self.text = ""
        self.parameters: dict[str, str] = {}
        self.outputs: dict[str, str] = {}
        self.tags: Sequence[Mapping[str, str]] = ()
        self.capabilities: Sequence[str] = ()
        self.disable_rollback = False
        self.is_protected = False
        self.token = ""
        self.resources: dict[str, Resource] = {}
        self._appearances: list[tuple[float, int]] = []
        self._appeared: list[StackEventRow] = []
        self._order = 0

    @property
    def root(self) -> Stack:
        """The outermost stack of its tree: itself, if it is not nested."""
        return self if self.parent is None else self.parent.root

    @property
    def is_busy(self) -> bool:
        """Whether an operation is going on."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def is_deleted(self) -> bool:
        """Whether it is gone; only its id finds it then."""
        return self.status == "DELETE_COMPLETE"

    def show(self, row: StackEventRow, appear_at: Sequence[float]) -> None:
        """Lets copies of the event become visible at these times; none where there are none."""
        for time in appear_at:
            self._order += 1
            place = bisect.bisect_right(self._appearances, (time, self._order))
            self._appearances.insert(place, (time, self._order))
            self._appeared.insert(place, row)

    def visible(self, now: float) -> int:
        """How many events can be seen at ``now``."""
        return bisect.bisect_right(self._appearances, (now, self._order))

    def event(self, index: int) -> StackEventRow:
        """The event that became visible as the ``index``-th, counted from zero."""
        return self._appeared[index]

    def written(self) -> Iterator[tuple[float, StackEventRow]]:
        """Every event in the order in which it happened, and when it first became visible."""
        seen: dict[str, tuple[int, float, StackEventRow]] = {}
        for (time, order), row in zip(self._appearances, self._appeared, strict=True):
            seen.setdefault(row.event_id, (order, time, row))
        for _, time, row in sorted(seen.values(), key=lambda found: found[0]):
            yield time, row

    def newest_first(self, now: float) -> Iterator[StackEventRow]:
        """Every event that can be seen at ``now``, the one that appeared last first."""
        for index in reversed(range(self.visible(now))):
            yield self._appeared[index]

    def lookup(self, logical_id: str, attribute: str | None) -> str:
        """The value of ``Ref`` or ``Fn::GetAtt`` for a resource of this stack.

        Raises:
            TemplateError: the resource is not there, or the nested stack has no such output.
        """
        resource = self.resources.get(logical_id)
        if resource is None:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{logical_id}] in the "
                "Resources block of the template"
            )
        if resource.child is None or attribute is None:
            return resource.attribute(attribute)
        output = attribute.removeprefix("Outputs.")
        if output not in resource.child.outputs:
            raise TemplateError(f"Template error: {logical_id} has no attribute {attribute}")
        return resource.child.outputs[output]


def at(time: float) -> datetime:
    """Seconds since the epoch as AWS's timestamps have them: in UTC, to the millisecond."""
    return datetime.fromtimestamp(round(time, 3), tz=UTC)
