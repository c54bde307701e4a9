"""Reading what a stack has, and everything live that leads into it, before it is retired.

It only asks; what follows is decided in `route53_takeover.core.retire`. What may not be read is no
error: it is kept as `Unread`, and the verdict is not "safe" then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from route53_takeover.base.errors import (
    ApiError,
    CredentialsError,
    EndpointError,
    NotFoundError,
)
from route53_takeover.core.domain.api_mappings import RoutingMode
from route53_takeover.core.domain.intrinsics import Resolver, Values
from route53_takeover.core.domain.names import display_name, normal_name
from route53_takeover.core.domain.stacks import ABSENT, STACK
from route53_takeover.core.domain.template import is_retained, members_of, resources_of
from route53_takeover.core.plan.holdings import RECORD_TYPES, held, holdings
from route53_takeover.core.retire import model as kinds
from route53_takeover.core.retire.facts import (
    ImportedExport,
    LiveDomain,
    RetireFacts,
    TreeRecord,
    TreeResource,
    Unread,
    ZoneRecords,
)
from route53_takeover.core.retire.hosts import ANYWHERE
from route53_takeover.runtime.inventory import StackReader
from route53_takeover.runtime.similar_stacks import absent_stack

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from route53_takeover.core.domain.api_mappings import CustomDomain
    from route53_takeover.core.domain.distributions import Distribution
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.domain.stacks import StackDescription, StackDetails, StackResource
    from route53_takeover.core.ports import (
        ApiGateway,
        Clock,
        Distributions,
        Records,
        Stacks,
        Zone,
    )

    _Value = TypeVar("_Value")

_TELL_EVERY = 2.0
_GONE = "DELETE_COMPLETE"


@dataclass(frozen=True, kw_only=True)
class RetirePorts:
    """Where it is read from; see `core.ports`."""

    stacks: Stacks
    records: Records
    api_gateway: ApiGateway
    distributions: Distributions
    clock: Clock
    region: str
    tell: Callable[[str], None] = lambda _: None


async def gather_retirement(stack: str, ports: RetirePorts) -> RetireFacts:
    """Reads everything a verdict depends on.

    Args:
        stack: name, alias or ARN; of a nested stack its root is read.

    Raises:
        RefusedError: there is no such stack.
        CredentialsError, EndpointError: the account cannot be asked anything.
    """
    named = await ports.stacks.describe(stack)
    root = named
    if named.root_id:
        root = await ports.stacks.describe(named.root_id)
    if root.status == ABSENT:
        raise await absent_stack(ports.stacks, stack)
    reading = _Reading(ports)
    if root.status == _GONE:
        return RetireFacts(given=stack, named=named, root=root, region=ports.region)
    await reading.tree(root)
    await reading.exports()
    await reading.domains()
    await reading.distributions()
    await reading.zones()
    return RetireFacts(
        given=stack,
        named=named,
        root=root,
        region=ports.region,
        is_protected=reading.details[root.stack_id].is_protected,
        resources=tuple(reading.resources),
        records=tuple(reading.records),
        outputs=tuple(text for each in reading.details.values() for text in each.outputs.values()),
        imported=tuple(reading.imported),
        domains=tuple(reading.live_domains),
        distributions=tuple(reading.live_distributions),
        zones=tuple(reading.live_zones.values()),
        unread=tuple(reading.unread),
    )


class _Reading:
    """One reading of an account, step by step.

    Attributes:
        details: of each stack of the tree, by id.
    """

    def __init__(self, ports: RetirePorts) -> None:
        self.details: dict[str, StackDetails] = {}
        self.resources: list[TreeResource] = []
        self.records: list[TreeRecord] = []
        self.imported: list[ImportedExport] = []
        self.live_domains: list[LiveDomain] = []
        self.live_distributions: list[Distribution] = []
        self.live_zones: dict[str, ZoneRecords] = {}
        self.unread: list[Unread] = []
        self._ports = ports
        self._reader = StackReader(ports.stacks)
        self._names: set[str] = set()
        self._told_at = ports.clock.now()

    async def tree(self, root: StackDescription) -> None:
        """Every stack of the tree, with what it has."""
        todo = [(root, True)]
        for number, (stack, is_doomed) in enumerate(todo, 1):
            self._progress(f"reading stacks: {number} of {len(todo)} in the tree")
            self._names.add(stack.stack_name)
            there = held(await self._ports.stacks.resources(stack.stack_id), stack.status)
            self.details[stack.stack_id] = await self._ports.stacks.details(stack.stack_id)
            template = await self._template(stack, there)
            for each in there:
                goes = is_doomed and not template.is_retained(each.logical_id)
                self._take(stack, each, template.properties, is_doomed=goes)
                if each.resource_type == STACK:
                    todo.append((await self._ports.stacks.describe(each.physical_id), goes))
            for record in template.records:
                goes = is_doomed and not template.is_retained(record.logical_id)
                self.records.append(
                    TreeRecord(record=record, stack_name=stack.stack_name, is_doomed=goes)
                )

    async def _template(self, stack: StackDescription, there: Sequence[StackResource]) -> _InForce:
        wanted = [each.logical_id for each in there]
        body: Mapping[str, Any] | None = await self._asked(
            "template", stack.stack_name, lambda: self._reader.body(stack.stack_id), None
        )
        values = Values()
        if body is not None:
            in_force = body
            values = await self._asked(
                "values of the template",
                stack.stack_name,
                lambda: self._reader.values(stack.stack_id, in_force, there, wanted),
                values,
            )
        return _InForce(stack.stack_id, body, values, there)

    def _take(
        self,
        stack: StackDescription,
        each: StackResource,
        properties: Callable[[str], Mapping[str, Any]],
        *,
        is_doomed: bool,
    ) -> None:
        if each.resource_type in RECORD_TYPES or each.resource_type == STACK:
            return
        self.resources.append(
            TreeResource(
                stack_id=stack.stack_id,
                stack_name=stack.stack_name,
                logical_id=each.logical_id,
                physical_id=each.physical_id,
                type=each.resource_type,
                is_doomed=is_doomed,
                properties=properties(each.logical_id),
            )
        )

    async def exports(self) -> None:
        """Who imports what the tree exports."""
        for stack_id, details in self.details.items():
            name = stack_id.rpartition(":stack/")[2].partition("/")[0]
            for export in details.exports.values():
                self._progress(f"reading who imports {export}")
                none: Sequence[str] = ()
                ask = partial(self._ports.stacks.importers, export)
                found = await self._asked("imports of an export", export, ask, none)
                others = tuple(each for each in found if each not in self._names)
                if others:
                    self.imported.append(
                        ImportedExport(name=export, stack_name=name, importers=others)
                    )

    async def domains(self) -> None:
        """Every custom domain of the region, with its mappings and rules."""
        api = self._ports.api_gateway
        none: Sequence[CustomDomain] = ()
        domains = await self._asked("custom domains", self._ports.region, api.domains, none)
        for number, domain in enumerate(domains, 1):
            self._progress(f"reading custom domains: {number} of {len(domains)}")
            try:
                mappings = await api.mappings(domain)
                is_ruled = domain.routing_mode is not RoutingMode.MAPPINGS
                rules = await api.rules(domain) if is_ruled else ()
            except NotFoundError:
                continue  # it was deleted meanwhile
            except ApiError as error:
                self._keep("custom domain", domain.name, error)
                mappings, rules = (), ()
            self.live_domains.append(
                LiveDomain(domain=domain, mappings=tuple(mappings), rules=tuple(rules))
            )

    async def distributions(self) -> None:
        """Every distribution of the account, with its origins."""
        self._progress("reading distributions")
        none: Sequence[Distribution] = ()
        ask = self._ports.distributions.distributions
        self.live_distributions += await self._asked("distributions", "CloudFront", ask, none)

    async def zones(self) -> None:
        """The zones of the tree's records and names, each with all of its records.

        Every zone of the account where the tree has what a record of any name may lead to.
        """
        port = self._ports.records
        none: Sequence[Zone] = ()
        names, ids = self._names_of_the_tree()
        if any(each.type in ANYWHERE for each in self.resources):
            for zone in await self._asked("hosted zones", "Route 53", port.every_zone, none):
                await self._zone(zone)
        for zone_id in sorted(ids - self.live_zones.keys()):
            try:
                await self._zone(await port.zone(zone_id))
            except NotFoundError:
                continue  # its records went with it
            except ApiError as error:
                self._keep("hosted zone", zone_id, error)
        for name in sorted(names):
            ask = partial(port.zones, name)
            for zone in await self._asked("hosted zones", display_name(name), ask, none):
                await self._zone(zone)

    async def _zone(self, zone: Zone) -> None:
        if zone.zone_id in self.live_zones:
            return
        shown = display_name(zone.name)
        self._progress(f"reading the zone {shown}")
        none: Sequence[RecordSet] = ()
        ask = partial(self._ports.records.read_zone, zone.zone_id)
        self.live_zones[zone.zone_id] = ZoneRecords(
            zone_id=zone.zone_id,
            name=zone.name,
            private=zone.private,
            records=tuple(await self._asked("hosted zone", shown, ask, none)),
        )

    def _names_of_the_tree(self) -> tuple[set[str], set[str]]:
        """Names, in normal form, that users may know the tree by; and ids of its records' zones."""
        names = [each.physical_id for each in self.resources if each.type in kinds.CUSTOM_DOMAINS]
        names += [
            each.physical_id
            for each in self.resources
            if each.type == kinds.BUCKET and "." in each.physical_id
        ]
        owned = {e.physical_id for e in self.resources if e.type == kinds.DISTRIBUTION}
        for found in self.live_distributions:
            names += found.aliases if found.distribution_id in owned else ()
        ids: set[str] = set()
        for each in self.records:
            zone_id, zone_name = each.record.zone
            if zone_id is not None:
                ids.add(zone_id)
            elif zone_name is not None:
                names.append(zone_name)
            elif not each.record.pattern:
                names.append(each.record.name)
        return {normal_name(name) for name in names}, ids

    async def _asked(
        self, what: str, which: str, ask: Callable[[], Awaitable[_Value]], otherwise: _Value
    ) -> _Value:
        """What a call answers; where it may not be asked, that is kept."""
        try:
            return await ask()
        except ApiError as error:
            self._keep(what, which, error)
            return otherwise

    def _keep(self, what: str, which: str, error: ApiError) -> None:
        """Keeps that something could not be read.

        Raises:
            CredentialsError, EndpointError: nothing can be read.
        """
        if isinstance(error, CredentialsError | EndpointError):
            raise error
        reason = ": ".join(part for part in (error.operation, error.message) if part)
        self.unread.append(Unread(what=what, id=which, reason=reason, hint=error.hint))

    def _progress(self, text: str) -> None:
        """Tells how far it is, where that takes long."""
        now = self._ports.clock.now()
        if now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            self._ports.tell(text)


class _InForce:
    """A stack's template in force, with what fills it in."""

    def __init__(
        self,
        stack_id: str,
        body: Mapping[str, Any] | None,
        values: Values,
        there: Sequence[StackResource],
    ) -> None:
        self.records = holdings(stack_id, body, values, there).owned
        self._resources = dict(_entries(body))
        self._resolve = Resolver(body or {}, values)

    def is_retained(self, logical_id: str) -> bool:
        """Whether the delete of the stack leaves it."""
        return is_retained(self._resources.get(logical_id, {}))

    def properties(self, logical_id: str) -> Mapping[str, Any]:
        """Its properties, with everything in place that is known."""
        node = self._resources.get(logical_id, {}).get("Properties")
        return members_of(self._resolve(node or {}))


def _entries(body: Mapping[str, Any] | None) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return () if body is None else resources_of(body)
