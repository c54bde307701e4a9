"""A simulated account made of what was read of a real one, to rehearse a plan in.

The zone has its id, its name servers and its record sets; the stacks have their ids, their
resources and what their templates come to, with the intrinsic functions resolved as far as that is
known. A resource that is no record set only takes its time, and waits for nothing. What
CloudFormation does about a record that exists is as `rehearse --live` measured it in this account,
else `record_handler.DEFAULT_MODES`.
"""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import RecordSet, conflict, normal_name
from route53_takeover.core.domain.stacks import (
    ABSENT,
    RECORD_SET,
    RECORD_SET_GROUP,
    STACK,
    StackPhase,
    kind_of,
)
from route53_takeover.core.plan.measured import RecordKind, kind_of_record
from route53_takeover.simulation.aws.account import add_deadman
from route53_takeover.simulation.aws.cloudformation.placing import Placed
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig, StackStore
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.step_functions.state_machines import StateMachines
from route53_takeover.simulation.aws.timeline import Schedule
from route53_takeover.simulation.measured_handler import measured_config
from route53_takeover.simulation.record_properties import assumed, completed, properties_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from route53_takeover.core.domain.record_sets import RecordKey
    from route53_takeover.core.domain.stacks import StackDescription
    from route53_takeover.core.plan.account_read import AccountRead
    from route53_takeover.core.plan.facts import OwnedRecord, StackRead
    from route53_takeover.core.plan.model import Plan

    Resources = dict[str, dict[str, Any]]

_INERT = "AWS::CloudFormation::WaitConditionHandle"
_SWITCH = {"Route53Enable": {"Type": "String", "Default": "false"}}
"""The parameter that the rehearsal's deploy command gives; nothing depends on it."""
_UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"})


class RehearsedAccount:
    """The account of one plan.

    Args:
        seed: of every random draw in it.
        start: seconds since the epoch.

    Attributes:
        off: the root template that the deploy with the switch off applies; ``on``: the other.
    """

    def __init__(self, plan: Plan, read: AccountRead, *, seed: str, start: float) -> None:
        self.timeline = Schedule(start)
        rng = Random(seed)  # noqa: S311 -- a simulation, not a secret
        self.zones = Zones(self.timeline, rng)
        self.stacks = StackStore(
            self.timeline,
            self.zones,
            rng,
            config=_config(plan, read),
        )
        self.step_functions = StateMachines(self.timeline, self.zones, region=read.region)
        if plan.options.cloud_deadman is not None:
            add_deadman(self.step_functions, plan.options.cloud_deadman, plan.keys)
        templates = _Templates(plan, read)
        self.off, self.on = templates.body("", on=False), templates.body("", on=True)
        self.name = plan.root.stack_name or plan.options.stack
        missing = _missing_targets(plan, read, templates.coming)
        self.zones.add_zone(
            plan.zone_name,
            zone_id=plan.zone_id,
            private=plan.zone_private,
            name_servers=plan.name_servers,
            records=(*read.records, *missing),
        )
        for placed in _others(plan, read):
            self.stacks.place(placed)
        if plan.root.status != ABSENT and kind_of(plan.root.status) is not StackPhase.ABSENT:
            self.stacks.place(templates.placed("", plan.root))

    def deploy(self) -> None:
        """Begins the deploy with the switch on, which another system starts."""
        with suppress(ApiFault):  # nothing to update: no operation begins
            if self.stacks.find(self.name) is None:
                self.stacks.create_stack(self.name, self.on)
            else:
                self.stacks.update_stack(self.name, self.on)


def guessed(plan: Plan, read: AccountRead) -> tuple[RecordKey, ...]:
    """The record sets of which it is not known what the stack creates in their place."""
    return _Templates(plan, read).guesses


def _config(plan: Plan, read: AccountRead) -> StackConfig:
    config = StackConfig(account=plan.account, region=read.region)
    if plan.measured is UNSET:
        return config
    kinds = [*(kind_of_record(manual.original) for manual in plan.manuals), RecordKind.ALIAS]
    return replace(config, records=measured_config(plan.measured, kinds))


class _Templates:
    """The templates of the tree, before and with the switch on.

    Attributes:
        coming: the record sets that the deploy with the switch on creates.
    """

    def __init__(self, plan: Plan, read: AccountRead) -> None:
        self._plan = plan
        self._read = read
        self._stacks = {stack.path: stack for stack in read.stacks}
        self._depends = {each.path: each.depends for each in read.pending.resources}
        self._new = self._new_records()
        self.coming = [record for _, _, records in self._new for record in records]
        taken = [m.original for m in plan.manuals if not self._is_told(m.original)]
        self.guesses = tuple(record.key for record in taken)
        self._new += [
            (f"Record{number}", RECORD_SET, [assumed(record)])
            for number, record in enumerate(taken, start=1)
        ]

    def body(self, path: str, *, on: bool) -> dict[str, Any]:
        """The template of one stack and, in its metadata, of those nested in it."""
        resources = self._standing(path)
        resources |= {k: v for k, v in self._added(path).items() if k not in resources}
        if on:
            self._add_records(path, resources)
        for logical_id, resource in resources.items():
            if resource["Type"] == STACK:
                nested = self.body(f"{path}{logical_id}/", on=on)
                resource["Metadata"] = {"Simulation": {"Template": nested}}
                resource["Properties"] = {
                    "TemplateURL": f"https://rehearsed.example.com/{path}{logical_id}.json"
                }
            if resource["Type"] in (RECORD_SET, RECORD_SET_GROUP):
                known = self._depends.get(f"{path}{logical_id}", ())
                resource["DependsOn"] = [
                    name
                    for name in known
                    if name in resources
                    and resources[name]["Type"] not in (RECORD_SET, RECORD_SET_GROUP)
                ]
        return {
            "Parameters": _SWITCH if not path else {},
            "Resources": resources or {"Nothing": {"Type": _INERT}},
        }

    def placed(self, path: str, root: StackDescription) -> Placed:
        """A stack of the tree as it stands, with those nested in it."""
        stack = self._stacks.get(path)
        there = () if stack is None else stack.resources
        resources = self._standing(path)
        nested = {
            each.logical_id: self.placed(f"{path}{each.logical_id}/", root)
            for each in there
            if each.resource_type == STACK and f"{path}{each.logical_id}/" in self._stacks
        }
        for logical_id, child in nested.items():
            resources[logical_id]["Metadata"] = {"Simulation": {"Template": child.body}}
            url = f"https://rehearsed.example.com/{path}{logical_id}.json"
            resources[logical_id]["Properties"] = {"TemplateURL": url}
        stack_id = root.stack_id if not path else stack.stack_id if stack else ""
        return Placed(
            name=root.stack_name if not path else _name_of(stack_id),
            stack_id=stack_id,
            status=_settled(root.status),
            body={
                "Parameters": _SWITCH if not path else {},
                "Resources": resources or {"Nothing": {"Type": _INERT}},
            },
            physical_ids={each.logical_id: each.physical_id for each in there},
            nested=nested,
        )

    def _standing(self, path: str) -> Resources:
        """What one stack of the tree has."""
        stack = self._stacks.get(path)
        if stack is None:
            return {}
        return {
            each.logical_id: self._resource(stack, each.logical_id, each.resource_type)
            for each in stack.resources
        }

    def _resource(self, stack: StackRead, logical_id: str, kind: str) -> dict[str, Any]:
        if kind not in (RECORD_SET, RECORD_SET_GROUP):
            return {"Type": STACK if kind == STACK else _inert(kind)}
        owned = [
            each
            for each in self._read.owned
            if (each.stack_id, each.logical_id) == (stack.stack_id, logical_id)
        ]
        records = [*_known(owned, self._read.records, self._plan)]
        return _record_resource(kind, records, self._plan.zone_id)

    def _added(self, path: str) -> Resources:
        """What the pending template has in this stack besides records, existing or not."""
        return {
            each.path.removeprefix(path): {"Type": _inert(each.type)}
            for each in self._read.pending.resources
            if each.path.rpartition("/")[0] == path.removesuffix("/")
            and each.type not in (RECORD_SET, RECORD_SET_GROUP)
        }

    def _add_records(self, path: str, resources: Resources) -> None:
        for where, kind, records in self._new:
            stack, _, logical_id = where.rpartition("/")
            if stack != path.removesuffix("/"):
                continue
            there = resources.get(logical_id)
            if there is not None and there["Type"] not in (RECORD_SET, RECORD_SET_GROUP):
                logical_id = f"{logical_id}RecordSetGroup"  # the macro's own resource
                there = None
            made = _record_resource(kind, records, self._plan.zone_id)
            if there is not None and kind == RECORD_SET_GROUP and there["Type"] == kind:
                made["Properties"]["RecordSets"][:0] = there["Properties"]["RecordSets"]
            resources[logical_id] = made

    def _new_records(self) -> list[tuple[str, str, list[RecordSet]]]:
        """Path, type and record sets of each resource that is new with the switch on."""
        found: dict[str, tuple[str, str, list[RecordSet]]] = {}
        taken: set[Any] = set()
        for each in sorted(self._read.pending.records, key=lambda record: not record.certain):
            desired = each.record.desired
            if each.exists or desired is None or not self._is_here(each.record):
                continue
            record = completed(desired.record, each.properties)
            if record.key in taken:
                continue
            taken.add(record.key)
            kind = RECORD_SET_GROUP if each.record.group else RECORD_SET
            found.setdefault(each.path, (each.path, kind, []))[2].append(record)
        return [*found.values()]

    def _is_here(self, record: OwnedRecord) -> bool:
        return _is_in_zone(record, self._plan)

    def _is_told(self, manual: RecordSet) -> bool:
        """Whether it is known what the stack creates in the place of this one."""
        return any(conflict(record, manual) for record in self.coming)


def _is_in_zone(record: OwnedRecord, plan: Plan) -> bool:
    zone_id, zone_name = record.zone
    if zone_id is not None:
        return zone_id == plan.zone_id
    if zone_name is not None:
        return zone_name == plan.zone_name
    return f".{normal_name(record.name)}".endswith(f".{plan.zone_name}")


def _known(
    owned: Iterable[OwnedRecord], live: Iterable[RecordSet], plan: Plan
) -> Iterator[RecordSet]:
    """The record sets in the zone that these are, as they stand or as their templates say."""
    there = {record.key: record for record in live}
    for each in owned:
        if each.desired is not None and _is_in_zone(each, plan):
            record = each.desired.record
            yield there.get(record.key) or completed(record, {})


def _record_resource(kind: str, records: list[RecordSet], zone_id: str) -> dict[str, Any]:
    """The resource of these record sets; one that only stands there, where none is known."""
    told = [properties_of(record, zone_id) for record in records]
    if not told:
        return {"Type": _INERT}
    if kind == RECORD_SET:
        return {"Type": kind, "Properties": told[0]}
    entries = [{k: v for k, v in each.items() if k != "HostedZoneId"} for each in told]
    return {"Type": kind, "Properties": {"HostedZoneId": zone_id, "RecordSets": entries}}


def _inert(kind: str) -> str:
    """The type, where the simulated account does nothing else than show it."""
    return _INERT if kind.startswith("AWS::Route53::") else kind


def _settled(status: str) -> str:
    """A status that the simulated account can update from as the real one can."""
    if status in _UPDATABLE or kind_of(status) is StackPhase.FAILED:
        return status
    return "UPDATE_COMPLETE"


def _name_of(stack_id: str) -> str:
    return stack_id.rpartition(":stack/")[2].partition("/")[0] or "nested"


def _others(plan: Plan, read: AccountRead) -> Iterator[Placed]:
    """The other stacks that own records at the names."""
    by_stack: dict[str, tuple[StackDescription, list[OwnedRecord]]] = {}
    for each in read.foreign:
        if not (each.region or each.creating):
            by_stack.setdefault(each.stack.stack_id, (each.stack, []))[1].append(each.record)
    for stack, owned in by_stack.values():
        resources: Mapping[str, Any] = {
            each.logical_id: _record_resource(
                RECORD_SET, [*_known([each], read.records, plan)], plan.zone_id
            )
            for each in owned
        }
        yield Placed(
            name=stack.stack_name,
            stack_id=stack.stack_id,
            status=_settled(stack.status),
            body={"Resources": resources},
        )


def _missing_targets(
    plan: Plan, read: AccountRead, coming: Iterable[RecordSet]
) -> Iterator[RecordSet]:
    """What aliases of the plan point to in a large zone of which it was not read."""
    there = {(record.key.name, record.type) for record in read.records}
    originals = (manual.original for manual in plan.manuals)
    for record in (*originals, *coming) if read.unread else ():
        if record.alias is None or record.alias.zone_id != plan.zone_id:
            continue
        key = (normal_name(record.alias.dns_name), record.type)
        if key not in there:
            there.add(key)
            yield assumed(RecordSet(name=key[0], type=key[1], ttl=300))
