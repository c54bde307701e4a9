"""CloudFormation's words: stack events, and what each of its statuses means to a takeover."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct

from route53_takeover.core.domain.desired_records import DesiredRecord

RECORD_SET = "AWS::Route53::RecordSet"
RECORD_SET_GROUP = "AWS::Route53::RecordSetGroup"
STACK = "AWS::CloudFormation::Stack"
CUSTOM_DOMAIN = "AWS::ApiGateway::DomainName"
"""A resource whose physical id is the domain's name."""

ABSENT = "ABSENT"
"""Our word for the status of a stack that does not exist."""


class StackPhase(StrEnum):
    """What a stack's own status means to a run that waits for it."""

    ABSENT = "absent"
    FORWARD = "going"  # forward: a record may be created now
    CLEANING = "cleaning"  # the update succeeded; old resources are being deleted
    ROLLING_BACK = "turning-back"  # rolling back or deleting
    SUCCEEDED = "succeeded"
    ROLLED_BACK = "rolled-back"
    FAILED = "failed"  # terminal for a poller, but the operator must act


_KINDS = {
    ABSENT: StackPhase.ABSENT,
    "CREATE_IN_PROGRESS": StackPhase.FORWARD,
    "UPDATE_IN_PROGRESS": StackPhase.FORWARD,
    "IMPORT_IN_PROGRESS": StackPhase.FORWARD,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": StackPhase.CLEANING,
    "ROLLBACK_IN_PROGRESS": StackPhase.ROLLING_BACK,
    "UPDATE_ROLLBACK_IN_PROGRESS": StackPhase.ROLLING_BACK,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": StackPhase.ROLLING_BACK,
    "IMPORT_ROLLBACK_IN_PROGRESS": StackPhase.ROLLING_BACK,
    "DELETE_IN_PROGRESS": StackPhase.ROLLING_BACK,
    "REVIEW_IN_PROGRESS": StackPhase.ABSENT,  # a change set that was never executed
    "CREATE_COMPLETE": StackPhase.SUCCEEDED,
    "UPDATE_COMPLETE": StackPhase.SUCCEEDED,
    "IMPORT_COMPLETE": StackPhase.SUCCEEDED,
    "ROLLBACK_COMPLETE": StackPhase.ROLLED_BACK,
    "UPDATE_ROLLBACK_COMPLETE": StackPhase.ROLLED_BACK,
    "IMPORT_ROLLBACK_COMPLETE": StackPhase.ROLLED_BACK,
    "DELETE_COMPLETE": StackPhase.ROLLED_BACK,
}

AT_REST = frozenset({StackPhase.SUCCEEDED, StackPhase.ROLLED_BACK})
"""Of a stack that does nothing any more, and of which nothing has gone wrong."""

UPDATABLE_FAILURES = frozenset({"CREATE_FAILED", "UPDATE_FAILED"})
"""Where an operation without rollback ended: the stack stays as it is, and can be updated."""

NOT_OWNED = frozenset({"CREATE_FAILED", "DELETE_COMPLETE", "DELETE_SKIPPED"})
"""Statuses of a resource that its stack does not hold, or not any more (it was retained)."""

_OPERATION_STARTS = frozenset(
    {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS", "DELETE_IN_PROGRESS"}
)


@lru_cache(maxsize=256)  # of a few dozen statuses, and asked for a hundred times an event
def kind_of(status: str) -> StackPhase:
    """The kind of a stack status; one that is new to this program counts as failed or going."""
    if status in _KINDS:
        return _KINDS[status]
    if status.endswith("_IN_PROGRESS"):
        return StackPhase.ROLLING_BACK if "ROLLBACK" in status else StackPhase.FORWARD
    return StackPhase.FAILED


class StackEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stack event as CloudFormation reports it, with the properties of a record set read.

    Attributes:
        event_id: unique; what repeated events are told apart by.
        stack_id: the ARN of the stack in whose stream it is.
        stack_name: that stack's name.
        logical_id: the resource's name in its template.
        physical_id: empty until it has one; for a stack's own status the stack's ARN.
        resource_type: such as ``AWS::Route53::RecordSet``.
        status: such as ``CREATE_IN_PROGRESS``.
        reason: CloudFormation's status reason.
        timestamp: AWS's clock, seconds since the epoch; only to order events of one stack.
        token: ``ClientRequestToken`` or ``OperationId``: tells operations apart, where present.
        desired: what the event's ``ResourceProperties`` ask for, on record sets only.
        members: the same of a record set group's records; empty where they do not tell.
    """

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
    desired: DesiredRecord | None = None
    members: tuple[DesiredRecord | None, ...] = ()

    @property
    def is_of_stack(self) -> bool:
        """Whether this is the stack's own status (a child's event in its parent is not)."""
        return self.resource_type == STACK and self.physical_id == self.stack_id

    @property
    def starts_operation(self) -> bool:
        """Whether the stack began a create, update, import or delete with this."""
        return self.is_of_stack and self.status in _OPERATION_STARTS


class EventMark(Struct, frozen=True, kw_only=True):
    """Which event it is, and AWS's time of it."""

    event_id: str
    timestamp: float


class StackDescription(Struct, frozen=True, kw_only=True):
    """A stack as ``DescribeStacks`` shows it. ``status`` is `ABSENT` where there is none."""

    stack_id: str
    stack_name: str
    status: str
    root_id: str | None = None  # set on children
    parent_id: str | None = None


class StackDetails(Struct, frozen=True, kw_only=True):
    """What ``DescribeStacks`` tells of a stack besides its status.

    Attributes:
        parameters: those in force, but for those whose values CloudFormation hides.
        exports: key of an output -> the name by which it is exported.
        is_protected: it has termination protection; CloudFormation tells that of a root only.
    """

    parameters: dict[str, str] = {}
    outputs: dict[str, str] = {}
    exports: dict[str, str] = {}
    is_protected: bool = False


class ResourceChange(Struct, frozen=True, kw_only=True):
    """What a change set does to one resource.

    Attributes:
        action: ``Add``, ``Modify``, ``Remove``, ``Import`` or ``Dynamic``.
        keeps_id: whether it certainly stays the same physical resource.
        change_set_id: of a nested stack: the change set nested in this one, if there is one.
        properties: what they are then, where the API tells; see `UNKNOWN_VALUE`.
    """

    action: str
    logical_id: str
    resource_type: str
    keeps_id: bool = True
    change_set_id: str = ""
    properties: dict[str, Any] | None = None


UNKNOWN_VALUE = "{{changeSet:"
"""In a text: how the API begins what only executing the change set makes known."""


class ChangeSet(Struct, frozen=True, kw_only=True):
    """A change set as ``DescribeChangeSet`` shows it.

    Attributes:
        parameters: those that it would put in force, but for hidden ones.
        stack_id: also of a stack that does not exist yet.
    """

    change_set_id: str
    name: str
    stack_id: str
    stack_name: str
    status: str
    reason: str = ""
    parameters: dict[str, str] = {}
    changes: tuple[ResourceChange, ...] = ()


class StackResource(Struct, frozen=True, kw_only=True):
    """A resource as ``ListStackResources`` shows it."""

    stack_id: str
    logical_id: str
    physical_id: str
    resource_type: str
    status: str

    @property
    def is_owned(self) -> bool:
        """Whether the stack holds something by this name."""
        return bool(self.physical_id) and self.status not in NOT_OWNED

    @property
    def is_left_over(self) -> bool:
        """Whether it was adopted, then cancelled: a rollback deletes it yet, or failed to."""
        return bool(self.physical_id) and self.status == "CREATE_FAILED"


class StackTemplate(Struct, frozen=True, kw_only=True):
    """What matters to us of a template in force.

    Attributes:
        record_sets: logical id -> the desired record, ``None`` where intrinsics hide it.
        depends: logical id of each record set -> every resource it waits for, transitively.
        members: logical id of each ``RecordSetGroup`` -> its records, ``None`` for each that
            intrinsics hide.
        retained: those of both that CloudFormation leaves when the template lacks them.
    """

    record_sets: dict[str, DesiredRecord | None]
    depends: dict[str, frozenset[str]]
    members: dict[str, tuple[DesiredRecord | None, ...]] = {}
    retained: frozenset[str] = frozenset()
