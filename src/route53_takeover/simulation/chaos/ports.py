"""The ports on the simulated account, in process: what virtual rehearsals and tests run on.

Every call goes by a `simulation.chaos.transport.Transport`, which takes time and may fail.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import RejectedChangeError, ThrottledError
from route53_takeover.core.domain.protections import Protection
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import (
    ABSENT,
    ChangeSet,
    EventMark,
    ResourceChange,
    StackDescription,
    StackDetails,
    StackResource,
)
from route53_takeover.core.ports import DeployExit, DnsAnswer, Zone
from route53_takeover.simulation.aws.cloudformation.api import (
    RESOURCES_PER_PAGE,
    STACKS_PER_PAGE,
)
from route53_takeover.simulation.aws.cloudformation.stacks import to_core
from route53_takeover.simulation.aws.cloudformation.template import load
from route53_takeover.simulation.aws.route53.nameserver import synthetic_address
from route53_takeover.simulation.aws.route53.zones import ZoneError
from route53_takeover.simulation.chaos.transport import CHANGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Container, Mapping, Sequence
    from typing import Any

    from route53_takeover.core.domain.record_sets import Change, RecordKey, RecordSet
    from route53_takeover.core.domain.stacks import StackEvent
    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.aws.cloudformation.change_sets import (
        ChangeSet as SimChangeSet,
    )
    from route53_takeover.simulation.aws.cloudformation.stacks import Stack, StackEventRow
    from route53_takeover.simulation.aws.cloudformation.stacks import StackStore as SimStacks
    from route53_takeover.simulation.aws.route53.zones import SimZone
    from route53_takeover.simulation.chaos.transport import Transport, VirtualClock

_HELD_OFF = frozenset({"PriorRequestNotComplete", "Throttling"})


class SimulatedRecords:
    """Route 53 of the simulated account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def zones(self, name: str) -> Sequence[Zone]:
        world = await self._transport.there("route53:ListHostedZones")
        dotted = "." + normal_name(name)
        found = [_zone(z) for z in world.zones.zones() if dotted.endswith("." + z.name)]
        return sorted(found, key=lambda zone: -len(zone.name))

    async def zone(self, zone_id: str) -> Zone:
        world = await self._transport.there("route53:GetHostedZone")
        return _zone(world.zones.zone(zone_id))

    async def read_zone(self, zone_id: str) -> Sequence[RecordSet]:
        world = await self._transport.there("route53:ListResourceRecordSets")
        return world.zones.list(zone_id)

    async def read_from(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        world = await self._transport.there("route53:ListResourceRecordSets")
        return world.zones.records_at(zone_id, name)

    async def read_name(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        world = await self._transport.there("route53:ListResourceRecordSets")
        found = world.zones.records_at(zone_id, name)
        if self._transport.behind:
            found = _records_before(world, name, world.timeline.now - self._transport.behind)
        await self._transport.back("route53:ListResourceRecordSets")
        return found

    async def protections(self, zone_id: str, names: Collection[str]) -> Sequence[Protection]:
        world = await self._transport.there("route53:ListResourceRecordSetProtections")
        wanted = set(map(normal_name, names))
        return [
            Protection(name=at, type=kind, comment=comment)
            for (at, kind), comment in world.zones.zone(zone_id).protections.items()
            if at in wanted
        ]

    async def change(self, zone_id: str, changes: Sequence[Change], comment: str) -> str:
        try:
            return await self._transport.change(zone_id, changes, comment)
        except ZoneError as error:
            kind = ThrottledError if error.code in _HELD_OFF else RejectedChangeError
            raise kind(error.message, code=error.code, operation=CHANGE) from error

    async def is_insync(self, change_id: str) -> bool:
        world = await self._transport.there("route53:GetChange")
        return world.timeline.now >= self._transport.pending_until and world.zones.insync(change_id)

    async def warm(self) -> None:
        """Nothing to warm in process."""


def _records_before(world: SimulatedAccount, name: str, time: float) -> tuple[RecordSet, ...]:
    """What a read that lags behind shows: the record sets at a name as they were at ``time``."""
    there: dict[RecordKey, RecordSet] = {}
    for applied in world.history:
        for action, record in applied.changes if applied.time <= time else ():
            if action == "DELETE":
                there.pop(record.key, None)
            else:
                there[record.key] = record
    return tuple(record for key, record in there.items() if key.name == name)


def _zone(zone: SimZone) -> Zone:
    return Zone(
        zone_id=zone.zone_id,
        name=zone.name,
        private=zone.private,
        name_servers=zone.name_servers,
        record_count=len(zone.records),
        guardrails=tuple(sorted(zone.guardrails)),
    )


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
        stack = self._of(await self._ask("DescribeStacks")).get(stack_id)
        return StackDetails(parameters=dict(stack.parameters), outputs=dict(stack.outputs))

    async def exports(self) -> Mapping[str, str]:
        there = self._of(await self._ask("ListExports"))
        return {name: value for name, (_, value) in there.exports().items()}

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


class SimulatedDeployer:
    """The deploy commands of the simulated account, which survive any process.

    Args:
        timeout: seconds after which a command is ended.
        whose: a prefix that distinguishes another machine's commands.
    """

    def __init__(
        self,
        world: SimulatedAccount,
        clock: VirtualClock,
        *,
        timeout: float = 7200.0,
        whose: str = "",
    ) -> None:
        self._world = world
        self._clock = clock
        self._timeout = timeout
        self._whose = whose

    async def run(self, switch: str) -> DeployExit:
        self._world.timeline.advance(self._clock.true())
        self._world.start_deploy(self._whose + switch)
        return await self.rejoin(switch)

    async def rejoin(self, switch: str) -> DeployExit:
        if not self.ever_started(switch):
            return DeployExit(code=None)
        until = self._clock.true() + self._timeout
        return await self._clock.every(0.5, lambda: self._ended(self._whose + switch, until))

    def _ended(self, deploy: str, until: float) -> DeployExit | None:
        """How the command ended, if it has by now."""
        now = self._clock.true()
        self._world.timeline.advance(now)
        code = self._world.deploys[deploy]
        if code is not None:
            return DeployExit(code=code)
        if now < until:
            return None
        self._world.end_deploy(deploy)
        return DeployExit(code=None, timed_out=True)

    def ever_started(self, switch: str) -> bool:
        return self._whose + switch in self._world.deploys


class SimulatedProber:
    """The zone's name servers, each with its own propagation.

    Attributes:
        stuck: name server -> until when it continues serving what it served then.
        mute: name server -> until when it does not answer.
    """

    def __init__(self, world: SimulatedAccount, clock: VirtualClock) -> None:
        self._world = world
        self._clock = clock
        self.mute: dict[int, float] = {}
        self.stuck: dict[int, float] = {}
        self._served: dict[int, tuple[str, tuple[str, ...]]] = {}
        self._contents: dict[tuple[int, str, str], tuple[object, tuple[str, tuple[str, ...]]]] = {}

    async def probe(self, name: str, record_type: str) -> Sequence[DnsAnswer]:
        now = self._clock.true()
        self._world.timeline.advance(now)
        zone = self._world.zone
        answers = []
        for index, server in enumerate(zone.name_servers):
            if now >= self.stuck.get(index, 0.0) or index not in self._served:
                served = zone.served[index]
                of, contents = self._contents.get((index, name, record_type), _NOTHING)
                if of is not served:
                    contents = _contents(served, name, record_type)
                    self._contents[index, name, record_type] = served, contents
                self._served[index] = contents
            status, values = self._served[index]
            if now < self.mute.get(index, 0.0):
                status, values = "timeout", ()
            answers.append(
                DnsAnswer(server=server, name=name, type=record_type, status=status, values=values)
            )
        return answers


_NOTHING: tuple[object, tuple[str, tuple[str, ...]]] = (None, ("", ()))


def _contents(
    served: Mapping[RecordKey, RecordSet], name: str, record_type: str
) -> tuple[str, tuple[str, ...]]:
    """Status and values; an alias is answered by what stands for its target's addresses."""
    there = [r for k, r in served.items() if k.name == name]
    good = [r for r in there if r.type in (record_type, "CNAME")]
    values = tuple(
        value
        for r in good
        for value in ((synthetic_address(r.alias.dns_name, r.type),) if r.alias else r.values)
    )
    return "answer" if good else "nodata" if there else "nxdomain", values
