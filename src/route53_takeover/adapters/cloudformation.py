"""CloudFormation over its API: the `Stacks` port. It reads; it never changes a stack."""

from __future__ import annotations

import json
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from route53_takeover.base.errors import ApiError, NotFoundError
from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.stacks import (
    ABSENT,
    RECORD_SET,
    RECORD_SET_GROUP,
    EventMark,
    StackDescription,
    StackDetails,
    StackEvent,
    StackResource,
)
from route53_takeover.core.domain.template import TemplateError, group_members, parse_template
from route53_takeover.core.ports import Stacks

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Container,
        Iterable,
        Mapping,
        Sequence,
    )
    from contextlib import AbstractAsyncContextManager

    from types_aiobotocore_cloudformation import CloudFormationClient

    _Page = Sequence[Mapping[str, Any]]


_NOT_IMPORTED = "is not imported by any stack"
"""How CloudFormation says that nobody imports an export: as an error."""


class HasCloudFormation(Protocol):
    """Clients, one of which is CloudFormation's."""

    @property
    def cloudformation(self) -> CloudFormationClient: ...


class Reader(Protocol):
    """What stacks are read through: a session, in its own region or in another."""

    def reading(
        self, operation: str, *, urgent: bool = False
    ) -> AbstractAsyncContextManager[HasCloudFormation]: ...

    async def other_regions(self) -> Sequence[str]: ...

    def in_region(self, region: str) -> AbstractAsyncContextManager[Reader]: ...


class CloudFormationStacks(Stacks):
    """The stacks of one account and region.

    Args:
        aws: its open session.
    """

    def __init__(self, aws: Reader) -> None:
        self._aws = aws

    async def describe(self, stack: str) -> StackDescription:
        """Its status; `ABSENT` with empty ids where no such stack exists."""
        try:
            async with self._aws.reading("cloudformation:DescribeStacks") as clients:
                answer = await clients.cloudformation.describe_stacks(StackName=stack)
        except NotFoundError:
            return StackDescription(stack_id="", stack_name="", status=ABSENT)
        return _summary(answer["Stacks"][0])

    async def resources(self, stack_id: str, *, urgent: bool = False) -> Sequence[StackResource]:
        """Every resource of one stack, children not descended into."""
        found: list[StackResource] = []
        position: dict[str, Any] = {}
        while True:
            async with self._aws.reading(
                "cloudformation:ListStackResources", urgent=urgent
            ) as clients:
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

    async def stacks(self, found: Callable[[int], None]) -> Sequence[StackDescription]:
        """Every stack of this region that is not deleted, nested ones included."""
        listed: list[StackDescription] = []
        position: dict[str, Any] = {}
        while True:
            async with self._aws.reading("cloudformation:ListStacks") as clients:
                client = clients.cloudformation
                page = await client.list_stacks(StackStatusFilter=_live(client), **position)
            listed += map(_summary, page["StackSummaries"])
            found(len(page["StackSummaries"]))
            if not page.get("NextToken"):
                return listed
            position = {"NextToken": page["NextToken"]}

    async def other_regions(self) -> Sequence[str]:
        """The other regions of the partition."""
        return await self._aws.other_regions()

    @asynccontextmanager
    async def in_region(self, region: str) -> AsyncIterator[Stacks]:
        """The stacks of another region."""
        async with self._aws.in_region(region) as there:
            yield CloudFormationStacks(there)

    async def body(self, stack_id: str) -> Mapping[str, Any]:
        """The template in force, parsed, with macros expanded where it can be."""
        try:
            body = await self._template_body(stack_id, "Processed")
        except NotFoundError:
            raise
        except ApiError as error:
            if error.code != "ValidationError":
                raise
            body = await self._template_body(stack_id, "Original")
        return parsed_body(body, stack_id)

    async def details(self, stack_id: str) -> StackDetails:
        """The parameters and outputs in force."""
        async with self._aws.reading("cloudformation:DescribeStacks") as clients:
            answer = await clients.cloudformation.describe_stacks(StackName=stack_id)
        shape = answer["Stacks"][0]
        return StackDetails(
            parameters=in_force(shape.get("Parameters", ())),
            outputs={each["OutputKey"]: each["OutputValue"] for each in shape.get("Outputs", ())},
            exports={
                each["OutputKey"]: each["ExportName"]
                for each in shape.get("Outputs", ())
                if "ExportName" in each
            },
            is_protected=shape.get("EnableTerminationProtection", False),
        )

    async def exports(self) -> Mapping[str, str]:
        """What the stacks of this region export, by the exports' names."""
        found: dict[str, str] = {}
        position: dict[str, Any] = {}
        while True:
            async with self._aws.reading("cloudformation:ListExports") as clients:
                page = await clients.cloudformation.list_exports(**position)
            found |= {each["Name"]: each["Value"] for each in page.get("Exports", ())}
            if not page.get("NextToken"):
                return found
            position = {"NextToken": page["NextToken"]}

    async def importers(self, export: str) -> Sequence[str]:
        """Names of the stacks of this region that import an export."""
        found: list[str] = []
        position: dict[str, Any] = {}
        while True:
            try:
                async with self._aws.reading("cloudformation:ListImports") as clients:
                    page = await clients.cloudformation.list_imports(ExportName=export, **position)
            except ApiError as error:
                if _NOT_IMPORTED in error.message:
                    return found
                raise
            found += page.get("Imports", ())
            if not page.get("NextToken"):
                return found
            position = {"NextToken": page["NextToken"]}

    async def newest_event(self, stack_id: str) -> EventMark | None:
        """Its newest event; ``None`` where it has none or does not exist."""
        async with aclosing(self._event_pages(stack_id)) as pages:
            async for page in pages:
                for shape in page:
                    return EventMark(
                        event_id=shape["EventId"], timestamp=shape["Timestamp"].timestamp()
                    )
        return None

    async def events(
        self,
        stack_id: str,
        known: Container[str],
        *,
        after: str | None,
        urgent: bool = False,
    ) -> Sequence[StackEvent]:
        """New events, oldest first, back to ``after`` or to the start of the newest operation.

        The first page with a known event is the last one, and is taken whole.
        """
        newest_first: dict[str, StackEvent] = {}  # pages overlap when events arrive in between
        async with aclosing(self._event_pages(stack_id, urgent=urgent)) as pages:
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

    async def _event_pages(
        self, stack_id: str, *, urgent: bool = False
    ) -> AsyncGenerator[_Page, None]:
        """Pages, newest event first; none where the stack does not exist."""
        position: dict[str, Any] = {}
        while True:
            try:
                async with self._aws.reading(
                    "cloudformation:DescribeStackEvents", urgent=urgent
                ) as clients:
                    page = await clients.cloudformation.describe_stack_events(
                        StackName=stack_id, **position
                    )
            except NotFoundError:
                return
            yield page["StackEvents"]
            if not page.get("NextToken"):
                return
            position = {"NextToken": page["NextToken"]}

    async def _template_body(self, stack_id: str, stage: Any) -> Any:  # noqa: ANN401 -- text or dict
        async with self._aws.reading("cloudformation:GetTemplate") as clients:
            answer = await clients.cloudformation.get_template(
                StackName=stack_id, TemplateStage=stage
            )
        return answer["TemplateBody"]


def in_force(shapes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The values of the API's ``Parameter`` shapes, but for those that it hides (``****``)."""
    given = {
        each["ParameterKey"]: each.get("ResolvedValue") or each.get("ParameterValue", "")
        for each in shapes
    }
    return {key: value for key, value in given.items() if value.strip("*") or not value}


def parsed_body(body: object, whose: str) -> Mapping[str, Any]:
    """The ``TemplateBody`` of ``GetTemplate``, which botocore has parsed where it is JSON.

    Raises:
        ApiError: it is no template.
    """
    try:
        parsed: Any = parse_template(body) if isinstance(body, str) else body
    except TemplateError as error:
        operation = "cloudformation:GetTemplate"
        raise ApiError(f"{whose}: {error}", operation=operation) from error
    return dict(parsed)


def _live(client: CloudFormationClient) -> Any:  # noqa: ANN401 -- a list of one of its literals
    """Every status that the SDK knows, but for those of stacks that have no resources."""
    known: Any = client.meta.service_model.shape_for("StackStatus")
    return [
        status for status in known.enum if status not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS")
    ]


def _summary(shape: Any) -> StackDescription:  # noqa: ANN401 -- botocore's dictionary
    return StackDescription(
        stack_id=shape.get("StackId", ""),
        stack_name=shape["StackName"],
        status=shape["StackStatus"],
        root_id=shape.get("RootId"),
        parent_id=shape.get("ParentId"),
    )


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
        members=_members(shape) if resource_type == RECORD_SET_GROUP else (),
    )


def _members(shape: Mapping[str, Any]) -> tuple[DesiredRecord | None, ...]:
    """The records of a group; none where its properties are missing or cut short."""
    try:
        properties = json.loads(shape.get("ResourceProperties") or "null")
    except ValueError:
        return ()
    return group_members(properties) if isinstance(properties, dict) else ()


def _desired(text: str | None) -> DesiredRecord | None:
    """What the properties ask for; unknown where there are none or they are cut short."""
    try:
        properties = json.loads(text or "null")
    except ValueError:
        return None
    return DesiredRecord.from_properties(properties) if isinstance(properties, dict) else None
