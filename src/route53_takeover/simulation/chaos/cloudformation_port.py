"""CloudFormation of the simulated account, in process, by way of a transport that may fail."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import ThrottledError
from route53_takeover.core.domain.stacks import (
    ABSENT,
    ChangeSet,
    EventMark,
    ResourceChange,
    StackDescription,
    StackDetails,
    StackResource,
)
from route53_takeover.simulation.aws.cloudformation.api import (
    RESOURCES_PER_PAGE,
    STACKS_PER_PAGE,
)
from route53_takeover.simulation.aws.cloudformation.stacks import to_core
from route53_takeover.simulation.aws.cloudformation.template import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
    from typing import Any

    from route53_takeover.core.domain.stacks import StackEvent
    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.aws.cloudformation.change_sets import (
        ChangeSet as SimChangeSet,
    )
    from route53_takeover.simulation.aws.cloudformation.stacks import Stack, StackEventRow
    from route53_takeover.simulation.aws.cloudformation.stacks import StackStore as SimStacks
    from route53_takeover.simulation.chaos.transport import Transport


class SimulatedStacks:
    """CloudFormation of the simulated account: the `Stacks` and the `ChangeSets` port.

    Args:
        abroad: the stacks of other regions.
        region: the one of these that this is of; the world's own where it is empty.
    """

    def __init__(
        self, transport: Transport, abroad: Mapping[str, SimStacks] | None = None, region: str = ""
    ) -> None:
        self._transport = transport
        self._abroad = abroad or {}
        self._region = region

    def _of(self, world: SimulatedAccount) -> SimStacks:
        return self._abroad[self._region] if self._region else world.stacks

    async def _ask(self, operation: str, *, urgent: bool = False) -> SimulatedAccount:
        """A call arrives; too many in too short a time are refused."""
        called = f"cloudformation:{operation}"
        world = await self._transport.there(called, urgent=urgent, region=self._region)
        if not self._of(world).reads.admits(operation):
            raise ThrottledError("Rate exceeded", code="Throttling", operation=called)
        return world

    async def describe(self, stack: str) -> StackDescription:
        world = await self._ask("DescribeStacks")
        return _described(self._of(world).find(stack), stack)

    async def resources(self, stack_id: str, *, urgent: bool = False) -> Sequence[StackResource]:
        stack = self._of(await self._ask("ListStackResources", urgent=urgent)).find(stack_id)
        for _ in range(
            RESOURCES_PER_PAGE, len(stack.resources) if stack else 0, RESOURCES_PER_PAGE
        ):
            await self._ask("ListStackResources", urgent=urgent)
        return [
            StackResource(
                stack_id=stack_id,
                logical_id=logical_id,
                physical_id=resource.physical_id,
                resource_type=resource.type,
                status=resource.status,
            )
            for logical_id, resource in (stack.resources if stack else {}).items()
        ]

    async def stacks(self, found: Callable[[int], None]) -> Sequence[StackDescription]:
        there = self._of(await self._ask("ListStacks"))
        live = [s for s in there.all() if not s.is_deleted and s.status != "REVIEW_IN_PROGRESS"]
        for start in range(0, len(live), STACKS_PER_PAGE):
            if start:
                await self._ask("ListStacks")
            found(len(live[start : start + STACKS_PER_PAGE]))
        return [_described(stack, stack.name) for stack in live]

    async def other_regions(self) -> Sequence[str]:
        return [region for region in self._abroad if region != self._region]

    @asynccontextmanager
    async def in_region(self, region: str) -> AsyncIterator[SimulatedStacks]:
        yield SimulatedStacks(self._transport, self._abroad, region)

    async def body(self, stack_id: str) -> Mapping[str, Any]:
        stack = self._of(await self._ask("GetTemplate")).get(stack_id)
        return stack.body if isinstance(stack.body, dict) else {}

    async def details(self, stack_id: str) -> StackDetails:
        world = await self._ask("DescribeStacks")
        stack = self._of(world).get(stack_id)
        return StackDetails(
            parameters=dict(stack.parameters),
            outputs=dict(stack.outputs),
            exports=self._of(world).export_names(stack),
            is_protected=stack.is_protected,
        )

    async def exports(self) -> Mapping[str, str]:
        there = self._of(await self._ask("ListExports"))
        return {name: value for name, (_, value) in there.exports().items()}

    async def importers(self, export: str) -> Sequence[str]:
        return self._of(await self._ask("ListImports")).importers(export)

    async def change_sets(self, stack: str) -> Sequence[str]:
        there = self._of(await self._ask("ListChangeSets"))
        found = there.find(stack)
        mine = there.change_sets.of_stack(found.stack_id) if found else []
        return [each.change_set_id for each in mine]

    async def change_set(self, change_set_id: str) -> ChangeSet:
        there = self._of(await self._ask("DescribeChangeSet"))
        return _change_set(there.change_sets.get({"ChangeSetName": change_set_id}))

    async def change_set_body(self, change_set_id: str) -> Mapping[str, Any]:
        there = self._of(await self._ask("GetTemplate"))
        return load(there.change_sets.get({"ChangeSetName": change_set_id}).body)

    async def delete_change_set(self, change_set_id: str) -> None:
        there = self._of(await self._ask("DeleteChangeSet"))
        there.change_sets.delete({"ChangeSetName": change_set_id})

    async def newest_event(self, stack_id: str) -> EventMark | None:
        world = await self._transport.there("cloudformation:DescribeStackEvents")
        newest = next(self._of(world).events(stack_id), None)
        if newest is None:
            return None
        return EventMark(event_id=newest.event_id, timestamp=newest.timestamp)

    async def events(
        self,
        stack_id: str,
        known: Container[str],
        *,
        after: str | None,
        urgent: bool = False,
    ) -> Sequence[StackEvent]:
        world = await self._transport.there("cloudformation:DescribeStackEvents", urgent=urgent)
        found: list[StackEvent] = []
        rows = self._of(world).events(stack_id)
        while page := list(islice(rows, self._transport.page)):
            if self._take(page, known, after, found):
                break
        await self._transport.back("cloudformation:DescribeStackEvents")
        return found[::-1]

    def _take(
        self,
        page: Sequence[StackEventRow],
        known: Container[str],
        after: str | None,
        found: list[StackEvent],
    ) -> bool:
        """Takes one page of events in; true where it is the last that is wanted."""
        last = False
        for row in page:
            if row.event_id == after:
                return True
            if row.event_id in known:
                last = True
                continue
            event = to_core(row)
            informs = event.desired is not None or bool(event.members)
            if informs and self._transport.is_mute():
                event = replace(event, desired=None, members=())
            found.append(event)
            if after is None and found[-1].starts_operation:
                return True
        return last


def _described(stack: Stack | None, name: str) -> StackDescription:
    if stack is None:
        return StackDescription(stack_id="", stack_name=name, status=ABSENT)
    parent = stack.parent
    return StackDescription(
        stack_id=stack.stack_id,
        stack_name=stack.name,
        status=stack.status,
        root_id=None if parent is None else stack.root.stack_id,
        parent_id=None if parent is None else parent.stack_id,
    )


def _change_set(made: SimChangeSet) -> ChangeSet:
    shape = made.to_api()
    return ChangeSet(
        change_set_id=made.change_set_id,
        name=made.name,
        stack_id=made.stack_id,
        stack_name=made.stack_name,
        status=shape["Status"],
        reason=shape["StatusReason"] or "",
        parameters=dict(made.parameters),
        changes=tuple(
            ResourceChange(
                action=each.action,
                logical_id=each.logical_id,
                resource_type=each.type,
                keeps_id=not each.replaced,
                change_set_id=made.nested[each.logical_id].change_set_id
                if each.logical_id in made.nested
                else "",
                properties=None if each.after is None else dict(each.after),
            )
            for each in made.differences
            if each.logical_id
        ),
    )
