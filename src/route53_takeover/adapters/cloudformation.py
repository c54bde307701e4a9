"""CloudFormation over its API: the `Stacks` port. It reads; it never changes a stack."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from route53_takeover.core.records import DesiredRecord, display_name, normal_name
from route53_takeover.core.stacks import (
    ABSENT,
    RECORD_SET,
    StackDescription,
    StackEvent,
    StackResource,
)
from route53_takeover.core.template import TemplateError, parse_template, read_template
from route53_takeover.errors import ApiError, NotFoundError
from route53_takeover.ports import Stacks

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Container, Mapping, Sequence

    from route53_takeover.adapters.session import AwsSession
    from route53_takeover.core.stacks import StackTemplate

    _Page = Sequence[Mapping[str, Any]]

_NOT_OWNED = frozenset({"CREATE_FAILED", "DELETE_COMPLETE", "DELETE_SKIPPED"})
"""Statuses of a resource that its stack does not hold, or not any more (it was retained)."""


class CloudFormationStacks(Stacks):
    """The stacks of one account and region.

    Args:
        aws: its open session.
    """

    def __init__(self, aws: AwsSession) -> None:
        self._aws = aws

    async def describe(self, stack: str) -> StackDescription:
        """Its status; `ABSENT` with empty ids where no such stack exists."""
        try:
            async with self._aws.reading("cloudformation:DescribeStacks") as clients:
                answer = await clients.cloudformation.describe_stacks(StackName=stack)
        except NotFoundError:
            return StackDescription(stack_id="", stack_name="", status=ABSENT)
        shape = answer["Stacks"][0]
        return StackDescription(
            stack_id=shape.get("StackId", ""),
            stack_name=shape["StackName"],
            status=shape["StackStatus"],
            root_id=shape.get("RootId"),
            parent_id=shape.get("ParentId"),
        )

    async def resources(self, stack_id: str) -> Sequence[StackResource]:
        """Every resource of one stack, children not descended into."""
        found: list[StackResource] = []
        position: dict[str, Any] = {}
        while True:
            async with self._aws.reading("cloudformation:ListStackResources") as clients:
                page = await clients.cloudformation.list_stack_resources(
                    StackName=stack_id, **position
                )
            found += (
                StackResource(
                    stack_id=stack_id,
                    logical_id=shape["LogicalResourceId"],
                    physical_id=shape.get("PhysicalResourceId", ""),
                    resource_type=shape["ResourceType"],
                    status=shape["ResourceStatus"],
                )
                for shape in page["StackResourceSummaries"]
            )
            if not page.get("NextToken"):
                return found
            position = {"NextToken": page["NextToken"]}

    async def owner(self, physical_id: str) -> StackDescription | None:
        """The stack that owns this physical id in this region, if any.

        A record's physical id is its name as its template spells it, so a name is looked up with
        and without the trailing dot.
        """
        for spelling in _spellings(physical_id):
            stack_id = await self._holder(spelling)
            if stack_id:
                description = await self.describe(stack_id)
                if description.status not in (ABSENT, "DELETE_COMPLETE"):
                    return description
        return None

    async def template(self, stack_id: str) -> StackTemplate:
        """What the template in force says of record sets, with macros expanded where it can be."""
        try:
            body = await self._template_body(stack_id, "Processed")
        except NotFoundError:
            raise
        except ApiError as error:
            if error.code != "ValidationError":
                raise
            body = await self._template_body(stack_id, "Original")
        try:
            return read_template(parse_template(body) if isinstance(body, str) else body)
        except TemplateError as error:
            operation = "cloudformation:GetTemplate"
            raise ApiError(f"{stack_id}: {error}", operation=operation) from error

    async def newest_event(self, stack_id: str) -> str | None:
        """The id of its newest event; ``None`` where it has none or does not exist."""
        async with aclosing(self._event_pages(stack_id)) as pages:
            async for page in pages:
                for shape in page:
                    return str(shape["EventId"])
        return None

    async def events(
        self, stack_id: str, known: Container[str], *, after: str | None
    ) -> Sequence[StackEvent]:
        """New events, oldest first, back to ``after`` or to the start of the newest operation.

        The first page with a known event is the last one, and is taken whole.
        """
        newest_first: dict[str, StackEvent] = {}  # pages overlap when events arrive in between
        async with aclosing(self._event_pages(stack_id)) as pages:
            async for page in pages:
                met = False
                for shape in page:
                    event = read_event(shape)
                    if event.event_id == after:
                        met = True
                        break
                    if event.event_id not in known:
                        newest_first.setdefault(event.event_id, event)
                    met = met or event.event_id in known
                    if after is None and event.starts_operation:
                        met = True
                        break
                if met:
                    break
        return list(reversed(newest_first.values()))

    async def _event_pages(self, stack_id: str) -> AsyncGenerator[_Page, None]:
        """Pages, newest event first; none where the stack does not exist."""
        position: dict[str, Any] = {}
        while True:
            try:
                async with self._aws.reading("cloudformation:DescribeStackEvents") as clients:
                    page = await clients.cloudformation.describe_stack_events(
                        StackName=stack_id, **position
                    )
            except NotFoundError:
                return
            yield page["StackEvents"]
            if not page.get("NextToken"):
                return
            position = {"NextToken": page["NextToken"]}

    async def _holder(self, physical_id: str) -> str | None:
        try:
            async with self._aws.reading("cloudformation:DescribeStackResources") as clients:
                answer = await clients.cloudformation.describe_stack_resources(
                    PhysicalResourceId=physical_id
                )
        except NotFoundError:
            return None
        for shape in answer["StackResources"]:  # all of that stack's, not only the one asked for
            held = shape.get("PhysicalResourceId") == physical_id
            if held and shape["ResourceStatus"] not in _NOT_OWNED:
                return shape.get("StackId")
        return None

    async def _template_body(self, stack_id: str, stage: Any) -> Any:  # noqa: ANN401 -- text or dict
        async with self._aws.reading("cloudformation:GetTemplate") as clients:
            answer = await clients.cloudformation.get_template(
                StackName=stack_id, TemplateStage=stage
            )
        return answer["TemplateBody"]


def read_event(shape: Mapping[str, Any]) -> StackEvent:
    """Reads the API's ``StackEvent`` shape (botocore's dictionary)."""
    resource_type = shape.get("ResourceType", "")
    return StackEvent(
        event_id=shape["EventId"],
        stack_id=shape["StackId"],
        stack_name=shape["StackName"],
        logical_id=shape.get("LogicalResourceId", ""),
        resource_type=resource_type,
        status=shape.get("ResourceStatus", ""),
        timestamp=shape["Timestamp"].timestamp(),
        physical_id=shape.get("PhysicalResourceId", ""),
        reason=shape.get("ResourceStatusReason", ""),
        token=shape.get("ClientRequestToken") or shape.get("OperationId") or "",
        desired=_desired(shape.get("ResourceProperties")) if resource_type == RECORD_SET else None,
    )


def _desired(text: str | None) -> DesiredRecord | None:
    """What the properties ask for; unknown where there are none or they are cut short."""
    try:
        properties = json.loads(text or "null")
    except ValueError:
        return None
    return DesiredRecord.from_properties(properties) if isinstance(properties, dict) else None


def _spellings(physical_id: str) -> Sequence[str]:
    if "." not in physical_id or ":" in physical_id or "/" in physical_id:
        return (physical_id,)
    plain = display_name(normal_name(physical_id))
    return tuple(dict.fromkeys((physical_id, plain, f"{plain}.")))
