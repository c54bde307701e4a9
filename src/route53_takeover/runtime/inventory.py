"""The account's stacks, region by region: those that have records, and those of a plan.

AWS names one stack for a physical id, though several may have it: an S3 website bucket has the name
of the host, and so have a TXT and an A record set. So every live stack is listed with its resources
and compared here. It only reads, at a bounded rate; one inventory serves a process.
`route53_takeover.core.plan.ownership` decides what follows.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from route53_takeover.base.errors import (
    ApiError,
    CredentialsError,
    EndpointError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.core.domain.intrinsics import Values, functions_in
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import (
    CUSTOM_DOMAIN,
    RECORD_SET_GROUP,
    STACK,
    StackDescription,
    StackDetails,
    StackResource,
)
from route53_takeover.core.domain.template import names_in, resources_of
from route53_takeover.core.plan.facts import StackRecord, Unasked
from route53_takeover.core.plan.holdings import RECORD_TYPES, held, holdings, is_being_created
from route53_takeover.core.plan.model import OwnerCheck
from route53_takeover.core.timing import backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from route53_takeover.core.plan.facts import OwnedRecord
    from route53_takeover.core.ports import Clock, Stacks

    _Value = TypeVar("_Value")

REGIONS_AT_ONCE = 12
STACKS_AT_ONCE = 4
"""In one region; how fast they are read is the call budget's to say."""
OPEN_LIMIT, CALL_LIMIT = 20.0, 60.0
"""The loop's seconds for making a region's client, and for one question with all its pages."""
_THROTTLED_TRIES, _UNANSWERED_TRIES = 8, 2
_TELL_EVERY = 2.0
_NOT_ENABLED = frozenset(
    {"InvalidClientTokenId", "OptInRequired", "UnrecognizedClient", "UnrecognizedClientException"}
)
"""What a region says that does not know the account's credentials: it is not enabled for it."""


class Found(Struct, frozen=True, kw_only=True):
    """What stacks beside the tree may own of some names, and where that could not be told."""

    records: tuple[StackRecord, ...] = ()
    unasked: tuple[Unasked, ...] = ()


class Listed(Struct, frozen=True, kw_only=True):
    """A stack that has records, and all its resources that exist."""

    stack: StackDescription
    held: tuple[StackResource, ...]


class Inventory:
    """What the stacks of an account hold, read once.

    Args:
        stacks: those of the home region, from which the others are reached.
        region: its name, for what is told of it.
        tell: told of the progress, where that takes seconds.

    Attributes:
        templates: the ids of the stacks whose templates were asked for.
        roots: names of the home region's stacks that are not nested, once it was read.
        custom_domains: the home region's API Gateway custom domains -> the stack, beside the tree.
    """

    def __init__(
        self,
        stacks: Stacks,
        clock: Clock,
        *,
        region: str = "",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.templates: set[str] = set()
        self.roots: frozenset[str] = frozenset()
        self.custom_domains: dict[str, str] = {}
        self._stacks = stacks
        self._clock = clock
        self._region = region
        self._progress = _Progress(clock, tell)
        self._listed: dict[str, Sequence[Listed]] = {}
        self._failed: dict[str, ApiError] = {}
        self._readers: dict[str, StackReader] = {}

    async def beside(self, tree: Collection[str], names: Sequence[str], check: OwnerCheck) -> Found:
        """The records that may be at these names and that stacks outside the tree own.

        Raises:
            CredentialsError, EndpointError: the home region cannot be asked anything.
        """
        if check is OwnerCheck.NONE:
            return Found()
        unreached: list[Unasked] = []
        regions = [""]
        if check is OwnerCheck.FULL:
            try:
                regions += await self._stacks.other_regions()
            except ApiError as error:
                unreached.append(_unasked("the other regions", error))
        at_once = asyncio.Semaphore(REGIONS_AT_ONCE)
        records: dict[str, list[StackRecord]] = {}
        async with asyncio.TaskGroup() as group:
            for region in regions:
                group.create_task(self._look(region, tree, names, records, at_once))
        self._progress.end()
        if isinstance(self.error_at_home, CredentialsError | EndpointError):
            raise self.error_at_home
        failed = [(r, self._failed[r]) for r in regions if r in self._failed]
        return Found(
            records=tuple(record for region in regions for record in records.get(region, ())),
            unasked=(
                *unreached,
                *(_unasked(region or self._region, error) for region, error in failed),
            ),
        )

    @property
    def error_at_home(self) -> ApiError | None:
        """Why the home region could not be read, if it could not."""
        return self._failed.get("")

    async def _look(
        self,
        region: str,
        tree: Collection[str],
        names: Sequence[str],
        records: dict[str, list[StackRecord]],
        at_once: asyncio.Semaphore,
    ) -> None:
        """Reads one region, unless that was done; an error is kept for who asks."""
        self._failed.pop(region, None)
        async with at_once, AsyncExitStack() as stack:
            try:
                there = self._stacks
                if region:
                    opening = stack.enter_async_context(self._stacks.in_region(region))
                    there = await asyncio.wait_for(opening, OPEN_LIMIT)
                reader = self._readers.setdefault(region, StackReader(there))
                reader.stacks = there
                if region not in self._listed:
                    self._listed[region] = await self._list(there, tree, region)
                records[region] = [
                    record
                    for each in self._listed[region]
                    if each.stack.stack_id not in tree
                    for record in await self._matching(reader, each, names, region)
                ]
            except ApiError as error:
                if not region or error.code not in _NOT_ENABLED:
                    self._failed[region] = error
            except TimeoutError:
                self._failed[region] = UnansweredError(f"no answer in {OPEN_LIMIT:.0f} s")

    async def _list(self, there: Stacks, tree: Collection[str], region: str) -> list[Listed]:
        """The region's stacks that have records: one list a stack, some side by side.

        Those of the tree are left out: the caller has read them.
        """
        progress = self._progress
        before = progress.total

        def found(more: int) -> None:
            progress.expect(more)

        everything = await self._patiently(lambda: there.stacks(found))
        if not region:
            self.roots = frozenset(each.stack_name for each in everything if not each.root_id)
        stacks = [stack for stack in everything if stack.stack_id not in tree]
        progress.regions += progress.total > before
        progress.read(len(everything) - len(stacks))
        at_once = asyncio.Semaphore(STACKS_AT_ONCE)
        listed: dict[str, Listed] = {}
        failed: list[ApiError] = []

        async def read(stack: StackDescription) -> None:
            async with at_once:
                if failed:
                    return
                try:
                    resources = await self._patiently(lambda: there.resources(stack.stack_id))
                except ApiError as error:
                    failed.append(error)
                    return
            progress.read()
            present = held(resources, stack.status)
            if not region:
                domains = (r.physical_id for r in present if r.resource_type == CUSTOM_DOMAIN)
                self.custom_domains |= dict.fromkeys(domains, stack.stack_name)
            present += [resource for resource in resources if is_being_created(resource)]
            if any(resource.resource_type in RECORD_TYPES for resource in present):
                listed[stack.stack_id] = Listed(stack=stack, held=tuple(present))

        async with asyncio.TaskGroup() as group:
            for stack in stacks:
                group.create_task(read(stack))
        if failed:
            raise failed[0]
        return [listed[stack.stack_id] for stack in stacks if stack.stack_id in listed]

    async def _matching(
        self, reader: StackReader, listed: Listed, names: Sequence[str], region: str
    ) -> list[StackRecord]:
        """Its records that may be at these names; its template is read only if there can be any."""
        candidates = [r for r in listed.held if _may_matter(r, names)]
        if not candidates:
            return []
        stack, unread = listed.stack, ""
        creating = {r.logical_id for r in candidates if is_being_created(r)}
        self.templates.add(stack.stack_id)
        try:
            records = await self._patiently(
                lambda: reader.records(stack.stack_id, listed.held, candidates)
            )
        except ApiError as error:
            unread = f"its template could not be read ({_told(error)})"
            records = holdings(stack.stack_id, None, Values(), candidates).owned
        return [
            StackRecord(
                stack=stack,
                record=record,
                region=region,
                unread=unread,
                creating=record.logical_id in creating,
            )
            for record in records
            if any(record.may_be_at(name) for name in names)
        ]

    async def _patiently(self, ask: Callable[[], Awaitable[_Value]]) -> _Value:
        """Asks again where AWS throttles, and once more where it does not answer."""
        throttled = unanswered = 0
        while True:
            try:
                async with asyncio.timeout(CALL_LIMIT):
                    return await ask()
            except TimeoutError:
                error: ApiError = UnansweredError(f"no answer in {CALL_LIMIT:.0f} s")
                unanswered += 1
            except ThrottledError as refused:
                error = refused
                throttled += 1
            except UnansweredError as lost:
                error = lost
                unanswered += 1
            if throttled >= _THROTTLED_TRIES or unanswered >= _UNANSWERED_TRIES:
                raise error
            await self._clock.sleep(backoff(throttled + 1, first=0.5, most=10.0))


class StackReader:
    """Templates of one region's stacks, with what fills them in; each is read once.

    Args:
        stacks: those of the region.
    """

    def __init__(self, stacks: Stacks) -> None:
        self.stacks = stacks
        self._bodies: dict[str, Mapping[str, Any]] = {}
        self._exports: Mapping[str, str] | None = None

    async def body(self, stack_id: str) -> Mapping[str, Any]:
        """The template in force."""
        if stack_id not in self._bodies:
            self._bodies[stack_id] = await self.stacks.body(stack_id)
        return self._bodies[stack_id]

    async def records(
        self, stack_id: str, there: Sequence[StackResource], wanted: Sequence[StackResource]
    ) -> Sequence[OwnedRecord]:
        """The records of these resources, as far as template, values and account tell."""
        body = await self.body(stack_id)
        values = await self.values(stack_id, body, there, [r.logical_id for r in wanted])
        return holdings(stack_id, body, values, wanted).owned

    async def values(
        self,
        stack_id: str,
        body: Mapping[str, Any],
        there: Sequence[StackResource],
        wanted: Collection[str],
    ) -> Values:
        """What fills in these resources' properties; only what they need is asked for."""
        nodes = [each.get("Properties") for key, each in resources_of(body) if key in wanted]
        names, functions = set(names_in(nodes)), functions_in(nodes)
        declared = body.get("Parameters")
        parameters = isinstance(declared, dict) and (
            "Fn::If" in functions or not names.isdisjoint(declared)
        )
        details = await self.stacks.details(stack_id) if parameters else StackDetails()
        if "Fn::ImportValue" in functions and self._exports is None:
            self._exports = await self.stacks.exports()
        nested = [r for r in there if r.resource_type == STACK and r.logical_id in names]
        return Values(
            stack_id=stack_id,
            parameters=details.parameters,
            resources={r.logical_id: (r.resource_type, r.physical_id) for r in there},
            outputs={
                r.logical_id: (await self.stacks.details(r.physical_id)).outputs for r in nested
            },
            exports=dict(self._exports or {}),
        )


class _Progress:
    """Tells how far the reading is: not where it is quick, and not too often."""

    def __init__(self, clock: Clock, tell: Callable[[str], None]) -> None:
        self.total = 0
        self.regions = 0
        self._done = 0
        self._clock = clock
        self._tell = tell
        self._told_at = clock.now()
        self._has_told = False

    def expect(self, more: int) -> None:
        self.total += more

    def read(self, more: int = 1) -> None:
        self._done += more
        if self.total and self._clock.now() - self._told_at >= _TELL_EVERY:
            self._say()

    def end(self) -> None:
        """Says the last of it, if any was said."""
        if self._has_told:
            self._say()
        self._has_told = False

    def _say(self) -> None:
        where = "1 region" if self.regions == 1 else f"{self.regions} regions"
        self._tell(f"reading stacks: {self._done} of {self.total} in {where}")
        self._told_at, self._has_told = self._clock.now(), True


def _may_matter(resource: StackResource, names: Sequence[str]) -> bool:
    """Whether one of its records may be at these names, which a template alone may tell."""
    if resource.resource_type == RECORD_SET_GROUP or is_being_created(resource):
        return True
    return resource.resource_type in RECORD_TYPES and normal_name(resource.physical_id) in names


def _unasked(region: str, error: ApiError) -> Unasked:
    return Unasked(region=region, error=_told(error), hint=error.hint)


def _told(error: ApiError) -> str:
    """The operation, AWS's code and its words."""
    parts = [error.operation, "" if error.code in str(error) else error.code, error.message]
    return ": ".join(part for part in parts if part).rstrip(".")
