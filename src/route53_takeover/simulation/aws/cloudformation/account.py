"""What all stacks of the simulated account share: configuration, names, events, handlers.

Owns the list of stacks, the writing of their events, and who works on which type of resource. It
does not know what an operation is made of; `simulation.aws.cloudformation.operations` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP, STACK
from route53_takeover.core.domain.template import TemplateError
from route53_takeover.simulation.aws.cloudformation.record_group_handler import GroupHandler
from route53_takeover.simulation.aws.cloudformation.record_handler import (
    RecordHandler,
    RecordHandlerConfig,
)
from route53_takeover.simulation.aws.cloudformation.state import Stack, StackEventRow
from route53_takeover.simulation.aws.cloudformation.template import Template, load
from route53_takeover.simulation.aws.cloudformation.throttling import ReadLimit
from route53_takeover.simulation.aws.cloudformation.zone_handler import ZoneHandler

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from route53_takeover.simulation.aws.cloudformation.state import Resource
    from route53_takeover.simulation.aws.route53.zones import Zones
    from route53_takeover.simulation.aws.timeline import Schedule

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_NAMED = frozenset({"AWS::S3::Bucket", "AWS::ApiGateway::DomainName", "AWS::IAM::Role"})
_NAMED_BY = ("BucketName", "DomainName", "RoleName")
"""What has the physical id that its template gives it: often the name of a host."""
_WAIT = "AWS::CloudFormation::WaitCondition"
"""Fails after its time-out: no one signals anything here."""
_RECORD_REPLACED_WITH = ("Name", "HostedZoneId", "HostedZoneName")


class StackConfig(Struct, frozen=True, kw_only=True):
    """The account's habits; all times in seconds.

    Attributes:
        seconds: how long an operation on a resource takes that no template says more of.
        pace: from one step of a stack to its next, such as from its status to its resources.
        cleanup_retry: between the tries to delete an old resource.
        event_lag: until an event becomes visible, or who says so for each event.
        visible: the delays after which copies of an event appear, instead of ``event_lag``; none
            for an event that is lost, several for one that is repeated.
        fail_rollback: the reason with which every rollback of a root stack fails; empty for none.
        reads: how fast each read may be asked; ``None`` for no limit.
        records: the habits of the record handler.
    """

    seconds: float = 1.0
    pace: float = 0.2
    cleanup_retry: float = 5.0
    event_lag: float | Callable[[StackEventRow], float] = 0.0
    visible: Callable[[StackEventRow], Sequence[float]] | None = None
    fail_rollback: str = ""
    reads: ReadLimit | None = None
    records: RecordHandlerConfig = RecordHandlerConfig()
    account: str = "123456789012"
    region: str = "us-east-1"


class Task:
    """One operation on one resource; its handler reports the result.

    Args:
        action: ``create``, ``update`` or ``delete``.
        resource: what it is done to, with the properties that are wanted.
        previous: the properties before an update.
        initiated: called with the physical id, once a create has one.
        ended: called once with the reason of a failure, empty where it succeeded.
    """

    def __init__(
        self,
        action: str,
        resource: Resource,
        *,
        ended: Callable[[str], None],
        initiated: Callable[[str], None] = lambda _: None,
        previous: Mapping[str, Any] | None = None,
    ) -> None:
        self.action = action
        self.resource = resource
        self.logical_id = resource.logical_id
        self.properties: Mapping[str, Any] = resource.properties
        self.previous: Mapping[str, Any] = previous or {}
        self.live = True
        self._initiated = initiated
        self._ended = ended

    def initiated(self, physical_id: str) -> None:
        """The resource has come into being, but is not complete yet."""
        self._initiated(physical_id)

    def succeed(self) -> None:
        """It is done."""
        self.live = False
        self._ended("")

    def fail(self, reason: str) -> None:
        """It could not be done."""
        self.live = False
        self._ended(reason)

    def cancel(self) -> None:
        """No longer wanted; nothing more is done for it."""
        self.live = False


class Handler(Protocol):
    """Who works on a type of resource."""

    def create(self, task: Task) -> None: ...

    def update(self, task: Task) -> None: ...

    def delete(self, task: Task) -> None: ...


class CloudFormationAccount:
    """The stacks, and what they need from each other."""

    def __init__(self, timeline: Schedule, zones: Zones, rng: Random, config: StackConfig) -> None:
        self.timeline = timeline
        self.config = config
        self.records = RecordHandler(timeline, zones, config.records)
        self.groups = GroupHandler(timeline, zones, config.records)
        self.stacks: dict[str, Stack] = {}
        self.templates: dict[str, Mapping[str, Any]] = {}
        self.on_event: list[Callable[[StackEventRow], None]] = []
        self._zones = zones
        self._rng = rng
        self._sequence = 0

    def add_stack(self, name: str, parent: Stack | None = None, stack_id: str = "") -> Stack:
        """A new stack without a status; its id is drawn, unless it is given."""
        place = f"{self.config.region}:{self.config.account}"
        stack = Stack(
            stack_id=stack_id or f"arn:aws:cloudformation:{place}:stack/{name}/{self.uuid()}",
            name=name,
            created_at=self.timeline.now,
            parent=parent,
        )
        self.stacks[stack.stack_id] = stack
        return stack

    def uuid(self) -> str:
        """Drawn, and so the same for the same seed."""
        digits = f"{self._rng.getrandbits(128):032x}"
        return "-".join(
            (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]),
        )

    def generated_name(self, stack: Stack, logical_id: str) -> str:
        """A physical name as CloudFormation makes them up."""
        return f"{stack.name}-{logical_id}-{''.join(self._rng.choices(_ID_LETTERS, k=12))}"

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Lets ``action`` happen so many seconds from now."""
        self.timeline.after(seconds, action)

    def template(
        self,
        stack: Stack,
        body: Mapping[str, Any],
        parameters: Mapping[str, str],
        exports: Callable[[], dict[str, tuple[Stack, str]]] | None = None,
    ) -> Template:
        """The template as this stack would have it; ``exports``: others than those there are."""
        config = self.config
        return Template(
            body,
            parameters,
            {
                "AWS::Region": config.region,
                "AWS::StackName": stack.name,
                "AWS::StackId": stack.stack_id,
                "AWS::AccountId": config.account,
                "AWS::Partition": "aws",
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::NotificationARNs": [],
                "AWS::NoValue": "",
            },
            exports or self.exports,
        )

    def exports(self) -> dict[str, tuple[Stack, str]]:
        """By their names, what the stacks export: whose it is, and the value."""
        return {
            name: (stack, stack.outputs[key])
            for stack in self.stacks.values()
            for key, name in self.export_names(stack).items()
        }

    def export_names(self, stack: Stack) -> dict[str, str]:
        """Key of each output of a stack that is exported -> its name there."""
        outputs = {} if stack.is_deleted else stack.body.get("Outputs") or {}
        if not any("Export" in output for output in outputs.values()):
            return {}
        names = self.template(stack, stack.body, stack.parameters).export_names(stack.lookup)
        return {key: name for key, name in names.items() if key in stack.outputs}

    def imported_names(self, stack: Stack) -> set[str]:
        """The exports that a stack imports."""
        if stack.is_deleted or "Fn::ImportValue" not in json.dumps(stack.body):
            return set()
        exports = _Met(self.exports())
        template = self.template(stack, stack.body, stack.parameters, lambda: exports)
        for logical_id in template.resources:
            template.foreseen(logical_id, stack.lookup, "")
        return exports.met

    def child_template(self, child: Stack, wanted: Resource) -> Template:
        """The template of a nested stack: from its metadata, or put under its ``TemplateURL``."""
        url = wanted.properties.get("TemplateURL")
        body = wanted.simulation.template or self.templates.get(str(url))
        if body is None:
            raise TemplateError(f"S3 error: no template has been put under {url}")
        return self.template(child, body, wanted.properties.get("Parameters", {}))

    def stack_status(self, stack: Stack, status: str, reason: str = "") -> None:
        """Gives the stack a new status, and its stream the event of it."""
        stack.status, stack.reason = status, reason
        if status == "DELETE_COMPLETE":
            stack.deleted_at = self.timeline.now
        self._write(
            stack,
            StackEventRow(
                event_id=self.uuid(),
                stack_id=stack.stack_id,
                stack_name=stack.name,
                logical_id=stack.name,
                physical_id=stack.stack_id,
                resource_type=STACK,
                status=status,
                reason=reason,
                timestamp=self.timeline.now,
                token=stack.token,
            ),
        )

    def resource_status(
        self, stack: Stack, resource: Resource, status: str, reason: str = ""
    ) -> None:
        """Gives a resource a new status, and its stack's stream the event of it."""
        resource.status, resource.reason = status, reason
        resource.updated_at = self.timeline.now
        self._sequence += 1
        self._write(
            stack,
            StackEventRow(
                event_id=f"{resource.logical_id}-{status}-{self._sequence:06d}",
                stack_id=stack.stack_id,
                stack_name=stack.name,
                logical_id=resource.logical_id,
                physical_id=resource.physical_id,
                resource_type=resource.type,
                status=status,
                reason=reason,
                timestamp=self.timeline.now,
                token=stack.token,
                properties=resource.properties,
            ),
        )

    def work(self, stack: Stack, task: Task, *, fails: str = "") -> None:
        """Lets the handler of its type do the task, or lets it fail where that is asked for."""
        seconds = task.resource.simulation.seconds
        seconds = self.config.seconds if seconds is None else seconds
        if task.resource.type == _WAIT and task.action == "create":
            seconds = float(task.properties.get("Timeout", seconds))
            count = task.properties.get("Count", 1)
            fails = (
                fails or f"WaitCondition timed out. Received 0 conditions when expecting {count}"
            )
        if fails:
            self.after(seconds, lambda: task.fail(fails) if task.live else None)
            return
        handler = self._handler(stack, task, seconds)
        {"create": handler.create, "update": handler.update, "delete": handler.delete}[task.action](
            task
        )

    def _handler(self, stack: Stack, task: Task, seconds: float) -> Handler:
        def after(later: Task, action: Callable[[], None]) -> None:
            self.after(seconds, lambda: action() if later.live else None)

        match task.resource.type:
            case kind if kind == RECORD_SET:
                return self.records
            case kind if kind == RECORD_SET_GROUP:
                return self.groups
            case "AWS::Route53::HostedZone":
                return ZoneHandler(self._zones, after)
            case _:
                return _Inert(self, stack, seconds)

    def _write(self, stack: Stack, row: StackEventRow) -> None:
        config = self.config
        if config.visible is not None:
            delays = config.visible(row)
        else:
            lag = config.event_lag
            delays = (lag(row) if callable(lag) else lag,)
        stack.show(row, [row.timestamp + delay for delay in delays])
        for listener in self.on_event:
            listener(row)


class _Met(dict[str, tuple[Stack, str]]):
    """Exports that remember which of them were asked for."""

    def __init__(self, exports: Mapping[str, tuple[Stack, str]]) -> None:
        super().__init__(exports)
        self.met: set[str] = set()

    def __getitem__(self, name: str) -> tuple[Stack, str]:
        self.met.add(name)
        return super().__getitem__(name)


class _Inert:
    """The handler of every type that only takes its time."""

    def __init__(self, account: CloudFormationAccount, stack: Stack, seconds: float) -> None:
        self._account = account
        self._stack = stack
        self._seconds = seconds

    def create(self, task: Task) -> None:
        given = [task.properties[key] for key in _NAMED_BY if key in task.properties]
        asked = task.resource.simulation.physical_id
        made_up = asked or self._account.generated_name(self._stack, task.logical_id)
        name = str(given[0]) if given and task.resource.type in _NAMED else made_up
        self._after(task, self._seconds / 2, lambda: task.initiated(name))
        self._after(task, self._seconds, task.succeed)

    def update(self, task: Task) -> None:
        self._after(task, self._seconds, task.succeed)

    def delete(self, task: Task) -> None:
        self._after(task, self._seconds, task.succeed)

    def _after(self, task: Task, seconds: float, action: Callable[[], None]) -> None:
        self._account.after(seconds, lambda: action() if task.live else None)


def is_replaced(old: Resource, new: Resource) -> bool:
    """Whether this update needs a new physical resource."""
    if new.simulation.replace:
        return True
    return old.type == RECORD_SET and any(
        old.properties.get(name) != new.properties.get(name) for name in _RECORD_REPLACED_WITH
    )


def parse_body(body: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """A template body that may be text."""
    return load(body) if isinstance(body, str) else body
