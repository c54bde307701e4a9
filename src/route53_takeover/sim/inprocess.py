"""The ports on the simulated account, in process: what virtual rehearsals and tests run on.

Each call takes some time, during which the engine may be killed: before the change is applied or
after it. Faults are drawn from a seeded source, harsher than production.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.records import display_name, normal_name
from route53_takeover.core.stacks import (
    ABSENT,
    NOT_OWNED,
    RECORD_SET,
    StackDescription,
    StackResource,
)
from route53_takeover.core.template import read_template
from route53_takeover.errors import (
    RejectedChangeError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.ports import Answer, DeployExit, Zone
from route53_takeover.sim.cloudformation.stacks import to_core
from route53_takeover.sim.route53.zones import ZoneError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
    from random import Random

    from route53_takeover.core.records import Change, RecordKey, RecordSet
    from route53_takeover.core.stacks import (
        StackEvent,
        StackTemplate,
    )
    from route53_takeover.errors import ApiError
    from route53_takeover.sim.cloudformation.stacks import Stack
    from route53_takeover.sim.cloudformation.stacks import Stacks as SimStacks
    from route53_takeover.sim.route53.zones import SimZone
    from route53_takeover.sim.world import World

_HELD_OFF = frozenset({"PriorRequestNotComplete", "Throttling"})
CHANGE = "route53:ChangeResourceRecordSets"


class VirtualClock:
    """The event loop's own time, which in a virtual loop only jumps. Counts from ``start``."""

    speed = 1.0

    def __init__(self, start: float) -> None:
        self._offset = start - asyncio.get_running_loop().time()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._offset + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Lets so much virtual time pass."""
        await asyncio.sleep(seconds)


class FaultRates(Struct, frozen=True, kw_only=True):
    """How often a call goes wrong, each from 0 to 1.

    Attributes:
        throttled: refused for now, nothing applied.
        lost_request: the connection broke before anything was applied.
        lost_answer: applied, but the answer never came.
    """

    throttled: float = 0.0
    lost_request: float = 0.0
    lost_answer: float = 0.0


class Line:
    """The way to the account and back: takes time, and goes wrong at the given rates.

    Attributes:
        calls: operation -> how often it was called.
        lost: numbers of the batches, counted from 1, whose answer is lost.
        dropped: numbers of the batches that never arrive.
        refuse: decides which calls are refused, and how, by their operation.
        behind: by how many seconds reads of a name lag behind.
    """

    def __init__(self, world: World, clock: VirtualClock, rng: Random, rates: FaultRates) -> None:
        self._world = world
        self._clock = clock
        self._rng = rng
        self._rates = rates
        self.calls: dict[str, int] = {}
        self.lost: frozenset[int] = frozenset()
        self.dropped: frozenset[int] = frozenset()
        self.refuse: Callable[[str], ApiError | None] = lambda _: None
        self.behind = 0.0

    async def there(self, operation: str) -> World:
        """The request arrives, or it does not."""
        self.calls[operation] = self.calls.get(operation, 0) + 1
        await self._clock.sleep(self._rng.uniform(0.005, 0.03))
        self._world.timeline.advance(self._clock.now())
        refused = self.refuse(operation)
        if refused is not None:
            raise refused
        if operation == CHANGE and self.calls[operation] in self.dropped:
            await self._clock.sleep(2.0)
            raise UnansweredError("the connection was closed", operation=operation)
        luck = self._rng.random()
        if luck < self._rates.throttled:
            raise ThrottledError("Rate exceeded", code="Throttling", operation=operation)
        if luck < self._rates.throttled + self._rates.lost_request:
            await self._clock.sleep(2.0)
            raise UnansweredError("the connection was closed", operation=operation)
        return self._world

    async def back(self, operation: str) -> None:
        """The answer comes, or it does not."""
        await self._clock.sleep(self._rng.uniform(0.005, 0.03))
        scripted = operation == CHANGE and self.calls[operation] in self.lost
        if self._rng.random() < self._rates.lost_answer or scripted:
            await self._clock.sleep(2.0)
            raise UnansweredError("the connection was closed", operation=operation)


class WorldRecords:
    """Route 53 of the simulated account."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def zones(self, name: str) -> Sequence[Zone]:
        world = await self._line.there("route53:ListHostedZones")
        dotted = "." + normal_name(name)
        found = [_zone(z) for z in world.zones.zones() if dotted.endswith("." + z.name)]
        return sorted(found, key=lambda zone: -len(zone.name))

    async def zone(self, zone_id: str) -> Zone:
        world = await self._line.there("route53:GetHostedZone")
        return _zone(world.zones.zone(zone_id))

    async def read_zone(self, zone_id: str) -> Sequence[RecordSet]:
        world = await self._line.there("route53:ListResourceRecordSets")
        return world.zones.list(zone_id)

    async def read_name(self, zone_id: str, name: str) -> Sequence[RecordSet]:
        world = await self._line.there("route53:ListResourceRecordSets")
        found = world.zones.records_at(zone_id, name)
        if self._line.behind:
            found = _records_before(world, name, world.timeline.now - self._line.behind)
        await self._line.back("route53:ListResourceRecordSets")
        return found

    async def change(self, zone_id: str, changes: Sequence[Change], comment: str) -> str:
        operation = CHANGE
        world = await self._line.there(operation)
        try:
            change_id = world.zones.change(
                zone_id, [(c.action, c.record) for c in changes], by="takeover", comment=comment
            )
        except ZoneError as error:
            kind = ThrottledError if error.code in _HELD_OFF else RejectedChangeError
            raise kind(error.message, code=error.code, operation=operation) from error
        await self._line.back(operation)
        return change_id

    async def is_insync(self, change_id: str) -> bool:
        world = await self._line.there("route53:GetChange")
        return world.zones.insync(change_id)

    async def warm(self) -> None:
        """Nothing to warm in process."""


def _records_before(world: World, name: str, time: float) -> tuple[RecordSet, ...]:
    """What a read that lags behind shows: the record sets at a name as they were at ``time``."""
    there: dict[RecordKey, RecordSet] = {}
    for applied in world.zones.history:
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
    )


class WorldStacks:
    """CloudFormation of the simulated account.

    Args:
        abroad: the stacks of other regions.
        region: the one of these that this is of; the world's own where it is empty.
    """

    def __init__(
        self, line: Line, abroad: Mapping[str, SimStacks] | None = None, region: str = ""
    ) -> None:
        self._line = line
        self._abroad = abroad or {}
        self._region = region

    def _of(self, world: World) -> SimStacks:
        return self._abroad[self._region] if self._region else world.stacks

    async def describe(self, stack: str) -> StackDescription:
        world = await self._line.there("cloudformation:DescribeStacks")
        return _described(self._of(world).find(stack), stack)

    async def resources(self, stack_id: str) -> Sequence[StackResource]:
        world = await self._line.there("cloudformation:ListStackResources")
        stack = self._of(world).find(stack_id)
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

    async def owner(self, name: str) -> StackDescription | None:
        world = await self._line.there("cloudformation:DescribeStackResources")
        for spelling in (name, display_name(name)):
            stack = self._of(world).owner(spelling)
            if stack is not None and any(
                resource.type == RECORD_SET
                and resource.physical_id == spelling
                and resource.status not in NOT_OWNED
                for resource in stack.resources.values()
            ):
                return _described(stack, stack.name)
        return None

    async def other_regions(self) -> Sequence[str]:
        return [region for region in self._abroad if region != self._region]

    @asynccontextmanager
    async def in_region(self, region: str) -> AsyncIterator[WorldStacks]:
        yield WorldStacks(self._line, self._abroad, region)

    async def template(self, stack_id: str, *, with_parameters: bool = False) -> StackTemplate:
        world = await self._line.there("cloudformation:GetTemplate")
        stack = self._of(world).get(stack_id)
        body = stack.body if isinstance(stack.body, dict) else {}
        return read_template(body, stack.parameters if with_parameters else {})

    async def newest_event(self, stack_id: str) -> str | None:
        world = await self._line.there("cloudformation:DescribeStackEvents")
        newest = next(self._of(world).events(stack_id), None)
        return None if newest is None else newest.event_id

    async def events(
        self, stack_id: str, known: Container[str], *, after: str | None
    ) -> Sequence[StackEvent]:
        world = await self._line.there("cloudformation:DescribeStackEvents")
        found: list[StackEvent] = []
        for row in self._of(world).events(stack_id):
            if row.event_id == after:
                break
            if row.event_id not in known:
                found.append(to_core(row))
            if after is None and found and found[-1].starts_operation:
                break
        await self._line.back("cloudformation:DescribeStackEvents")
        return found[::-1]


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


class WorldDeployer:
    """The deploy commands of the simulated account, which go on whoever dies."""

    def __init__(self, world: World, clock: VirtualClock) -> None:
        self._world = world
        self._clock = clock

    async def run(self, switch: str) -> DeployExit:
        self._world.timeline.advance(self._clock.now())
        self._world.start_deploy(switch)
        return await self.rejoin(switch)

    async def rejoin(self, switch: str) -> DeployExit:
        if not self.ever_started(switch):
            return DeployExit(code=None)
        while True:
            self._world.timeline.advance(self._clock.now())
            code = self._world.deploys[switch]
            if code is not None:
                return DeployExit(code=code)
            await self._clock.sleep(0.5)

    def ever_started(self, switch: str) -> bool:
        return switch in self._world.deploys


class WorldProber:
    """The zone's name servers, each with its own propagation."""

    def __init__(self, world: World, clock: VirtualClock) -> None:
        self._world = world
        self._clock = clock

    async def probe(self, name: str, record_type: str) -> Sequence[Answer]:
        self._world.timeline.advance(self._clock.now())
        zone = self._world.zone
        answers = []
        for index, server in enumerate(zone.name_servers):
            served = self._world.zones.served(zone.zone_id, index)
            there = [r for k, r in served.items() if k.name == name]
            good = any(r.type in (record_type, "CNAME") for r in there)
            status = "answer" if good else "nodata" if there else "nxdomain"
            answers.append(Answer(server=server, name=name, type=record_type, status=status))
        return answers
