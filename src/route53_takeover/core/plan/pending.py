"""The pending template: which records the deploy with the switch on is going to create.

Pure: a tree of templates, and what is known of each stack, come to a `PendingTemplate`. Parameters
that were given, defaults, parameters in force, physical ids, outputs, exports and the account
resolve the intrinsic functions; what they leave open stays open. A record under a condition that
only values which were not given make false is kept, and is not certain.

`route53_takeover.runtime.pending_template` reads the templates,
`route53_takeover.core.plan.pending_checks` decides what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.intrinsics import Resolver, Values, is_open
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import (
    RECORD_SET,
    RECORD_SET_GROUP,
    STACK,
)
from route53_takeover.core.domain.template import (
    direct_depends,
    group_entries,
    is_retained,
    members_of,
    resources_of,
)
from route53_takeover.core.plan.facts import (
    OwnedRecord,
    PendingRecord,
    PendingResource,
    PendingTemplate,
)
from route53_takeover.core.plan.holdings import record_of
from route53_takeover.core.plan.pending_values import (
    PendingStack,
    as_parameter,
    behind_condition,
    nested_in_order,
    outputs_of,
    parameters_of,
)
from route53_takeover.core.plan.serverless import (
    SERVERLESS,
    SERVERLESS_TRANSFORM,
    domain_group,
    with_globals,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


DELETE_EXISTING = "Custom::DeleteExistingRecordSet"
_CERTIFICATE = "AWS::CertificateManager::Certificate"
_HOSTED_ZONE = "AWS::Route53::HostedZone"
_NO_MACROS = frozenset({SERVERLESS_TRANSFORM, "AWS::LanguageExtensions"})
"""Transforms that make no records of their own beside those that are read here."""


def read_pending(
    root: PendingStack,
    *,
    source: str,
    exports: Mapping[str, str] | None = None,
    pseudo: Mapping[str, str] | None = None,
) -> PendingTemplate:
    """What the templates of a tree come to.

    Args:
        source: which template it is, as messages name it.
        exports: those of the region.
        pseudo: pseudo parameters of the root, where it does not exist yet.
    """
    reading = _Reading(dict(exports or {}))
    reading.stack(root, "", dict(pseudo or {}), frozenset())
    return PendingTemplate(
        source=source,
        given=True,
        records=tuple(reading.records),
        resources=tuple(reading.resources),
        deletions=tuple(reading.deletions),
        unread=tuple(reading.unread),
        certificates=tuple(reading.certificates),
        assumed=reading.assumed,
    )


def waiting_records(
    stack_id: str, path: str, body: Mapping[str, Any], values: Values, exist: Mapping[str, Any]
) -> PendingTemplate:
    """What the template in force has and the stack does not: it hangs on conditions.

    Args:
        exist: logical ids of the stack's resources that exist.
    """
    reading = _Reading(values.exports)
    later = Resolver(body, replace(values, has_conditions=False))
    here = PendingStack(stack_id=stack_id, body=dict(body), resources=values.resources)
    for logical_id, resource in resources_of(body):
        if logical_id not in exist:
            reading.resource(here, path, logical_id, resource, later, certain=False)
        elif resource.get("Type") == _CERTIFICATE:
            reading.certificates.append(f"{path}{logical_id}")
    return PendingTemplate(
        source="the template in force",
        records=tuple(reading.records),
        deletions=tuple(reading.deletions),
        certificates=tuple(reading.certificates),
    )


class Outlook(Struct, frozen=True, kw_only=True):
    """What is new in a pending template, as `Facts` has it."""

    expected: tuple[DesiredRecord, ...]
    retained: tuple[DesiredRecord, ...]
    hidden: tuple[str, ...]
    coming: tuple[OwnedRecord, ...]
    expecting: tuple[str, ...]


def outlook(pending: PendingTemplate, names: Collection[str]) -> Outlook:
    """What of it is new.

    Args:
        names: those that were asked for, in normal form: what hides its name matters if it may be
            one of them; any name, where there are none.
    """
    new = [each for each in pending.records if not each.exists]
    single = [each for each in new if not each.record.group]
    told = [(each, each.record.desired) for each in single]
    return Outlook(
        expected=tuple(desired for _, desired in told if desired is not None),
        retained=tuple(desired for each, desired in told if desired is not None and each.retained),
        hidden=tuple(
            each.path
            for each, desired in told
            if desired is None and (not names or any(each.record.may_be_at(n) for n in names))
        ),
        coming=tuple(each.record for each in new if each.record.group),
        expecting=tuple(
            dict.fromkeys(each.record.stack_id for each in new if each.record.stack_id)
        ),
    )


class _Reading:
    """What has been found so far; paths end with a slash."""

    def __init__(self, exports: dict[str, str]) -> None:
        self.records: list[PendingRecord] = []
        self.resources: list[PendingResource] = []
        self.deletions: list[OwnedRecord] = []
        self.unread: list[str] = []
        self.certificates: list[str] = []
        self.assumed: dict[str, tuple[str, ...]] = {}
        self._exports = exports

    def stack(
        self, stack: PendingStack, path: str, pseudo: dict[str, str], hidden: frozenset[str]
    ) -> dict[str, Any]:
        """Reads one stack and those nested in it; returns its outputs, open ones included.

        Args:
            hidden: parameters that are given, with values that are not known.
        """
        body = stack.body
        if stack.unread:
            self.unread.append(f"nested stack {path.removesuffix('/')}: {stack.unread}")
        if body is None:
            return {}
        self._note_macros(stack, body, path)
        known, given = parameters_of(stack, body, hidden)
        values = Values(
            stack_id=stack.stack_id,
            parameters=known,
            resources=dict.fromkeys(nested_in_order(body), (STACK, "")) | stack.resources,
            exports=self._exports,
            pseudo=pseudo,
        )
        sure = Resolver(body, replace(values, parameters=given))
        template = dict(resources_of(body))
        for logical_id in nested_in_order(body):
            now = Resolver(body, values)
            if _state(now, sure, template[logical_id]) is not False:
                outputs = self._child(stack, path, logical_id, template[logical_id], now, pseudo)
                values = replace(values, outputs=values.outputs | {logical_id: outputs})
        now = Resolver(body, values)
        later = Resolver(body, replace(values, has_conditions=False))
        waits = direct_depends(body)
        for logical_id, resource in template.items():
            state = self._settled(stack, logical_id, resource, now, sure)
            if state is False:
                continue
            if state is None:
                condition = str(resource.get("Condition"))
                free = known.keys() - given.keys()
                self.assumed[condition] = behind_condition(body, condition, free)
            told = PendingResource(path=f"{path}{logical_id}", type=str(resource.get("Type")))
            self.resources.append(replace(told, depends=tuple(sorted(waits[logical_id]))))
            self.resource(
                stack,
                path,
                logical_id,
                with_globals(body, resource),
                now if state else later,
                certain=bool(state) and not stack.unread,
            )
        return outputs_of(body, now)

    def _child(
        self,
        stack: PendingStack,
        path: str,
        logical_id: str,
        resource: Mapping[str, Any],
        now: Resolver,
        pseudo: Mapping[str, str],
    ) -> dict[str, str]:
        """Reads a nested stack; returns its outputs, as far as they are known."""
        child = stack.nested.get(logical_id, PendingStack(unread="its template was not found"))
        wanted = now(members_of(resource.get("Properties")).get("Parameters"))
        told = members_of(wanted)
        given = {name: as_parameter(value) for name, value in told.items() if not is_open(value)}
        hidden = frozenset(name for name, value in told.items() if is_open(value))
        if is_open(wanted):
            declared = members_of((child.body or {}).get("Parameters"))
            hidden |= frozenset(name for name in declared if name not in given)
        shared = {k: v for k, v in pseudo.items() if k not in ("AWS::StackName", "AWS::StackId")}
        outputs = self.stack(
            replace(child, given=given | child.given),
            f"{path}{logical_id}/",
            shared,
            hidden - child.given.keys(),
        )
        if child.unread:
            return {}
        return child.outputs | {n: str(v) for n, v in outputs.items() if not is_open(v)}

    def _settled(
        self,
        stack: PendingStack,
        logical_id: str,
        resource: Mapping[str, Any],
        now: Resolver,
        sure: Resolver,
    ) -> bool | None:
        """Whether the resource will be there; a change set settles what its condition does not."""
        state = _state(now, sure, resource)
        if state is None and stack.changes:
            change = stack.changes.get(logical_id)
            if change is not None:
                return change.action != "Remove"
            return logical_id in stack.resources
        return state

    def resource(
        self,
        stack: PendingStack,
        path: str,
        logical_id: str,
        resource: Mapping[str, Any],
        resolve: Resolver,
        *,
        certain: bool,
    ) -> None:
        """Takes one resource in, if it has to do with records."""
        kind = str(resource.get("Type"))
        node = resource.get("Properties")
        if kind == RECORD_SET:
            entries = [members_of(_overlaid(stack, logical_id, resolve)(node))]
        elif kind == RECORD_SET_GROUP:
            entries = group_entries(_overlaid(stack, logical_id, resolve)(node))
        elif kind.startswith(SERVERLESS):
            entries = list(domain_group(resolve(node)))
        elif kind == _CERTIFICATE:
            self.certificates.append(f"{path}{logical_id}")
            return
        elif kind == DELETE_EXISTING and logical_id not in stack.resources:
            given = members_of(resolve(node))
            deleted = {"Name": given.get("RecordName"), "Type": given.get("RecordType")}
            if "HostedZoneId" in given:
                deleted["HostedZoneId"] = given["HostedZoneId"]
            self.deletions.append(record_of(stack.stack_id, f"{path}{logical_id}", deleted))
            return
        else:
            return
        for told in entries:
            properties = _in_new_zone(stack, told)
            record = record_of(stack.stack_id, logical_id, properties, group=kind != RECORD_SET)
            old, change = _same_resource(stack, record), stack.changes.get(logical_id)
            if change is not None and not change.keeps_id:
                old = None
            elif old and record.pattern and not old.pattern and _is_untouched(stack, logical_id):
                properties = properties | {"Name": old.name}  # its physical id
                record = record_of(stack.stack_id, logical_id, properties, group=record.group)
            self.records.append(
                PendingRecord(
                    record=record,
                    path=f"{path}{logical_id}",
                    properties=properties,
                    condition=str(resource.get("Condition", "")),
                    certain=certain and "Name" in properties,  # a hidden member may be none
                    exists=old is not None,
                    retained=is_retained(resource),
                )
            )

    def _note_macros(self, stack: PendingStack, body: Mapping[str, Any], path: str) -> None:
        """Says which records only CloudFormation itself could tell."""
        if stack.is_processed:
            return
        listed = body.get("Transform") or ()
        named = [listed] if isinstance(listed, str | dict) else list(listed)
        others = [str(each) for each in named if str(each) not in _NO_MACROS]
        resources = members_of(body.get("Resources"))
        loops = [str(key) for key, each in resources.items() if not isinstance(each, dict)]
        applications = [
            logical_id
            for logical_id, each in resources_of(body)
            if each.get("Type") == f"{SERVERLESS}Application"
        ]
        where = f" of {path.removesuffix('/')}" if path else ""
        for what in (*others, *loops):
            self.unread.append(f"what {what}{where} comes to is only known to CloudFormation")
        for logical_id in applications:
            self.unread.append(f"the application {path}{logical_id} was not read")


def _in_new_zone(stack: PendingStack, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties; a zone that the same deploy creates is none that exists."""
    match properties.get("HostedZoneId"):
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), "Id"]}:
            zone = members_of(members_of((stack.body or {}).get("Resources")).get(name))
            if zone.get("Type") == _HOSTED_ZONE and name not in stack.resources:
                return properties | {"HostedZoneId": f"new zone {name}"}
        case _:
            pass
    return properties


def _is_untouched(stack: PendingStack, logical_id: str) -> bool:
    """Whether a change set says that it leaves the resource as it is."""
    return stack.is_processed and logical_id not in stack.changes


def _overlaid(stack: PendingStack, logical_id: str, resolve: Resolver) -> Any:  # noqa: ANN401 -- a function of JSON
    """Resolves a resource's properties, and takes what a change set knows of them over that."""
    change = stack.changes.get(logical_id)
    after = None if change is None else change.properties

    def resolved(node: object) -> Any:  # noqa: ANN401 -- JSON
        told = resolve(node)
        if after is None or not isinstance(told, dict):
            return told
        known = {key: resolve(value) for key, value in after.items()}
        return {key: told.get(key, v) if is_open(v) else v for key, v in known.items()}

    return resolved


def _same_resource(stack: PendingStack, record: OwnedRecord) -> OwnedRecord | None:
    """What the stack owns as this resource and as this record set."""
    for old in stack.owned:
        if (
            old.logical_id == record.logical_id
            and old.group == record.group
            and (
                old.pattern == record.pattern
                if old.pattern
                else record.may_be_at(normal_name(old.name))
            )
            and (
                old.record_type == record.record_type
                or None in (old.record_type, record.record_type)
            )
            and _zones_agree(old, record)
        ):
            return old
    return None


def _zones_agree(one: OwnedRecord, other: OwnedRecord) -> bool:
    return all(a == b or a is None or b is None for a, b in zip(one.zone, other.zone, strict=True))


def _state(now: Resolver, sure: Resolver, resource: Mapping[str, Any]) -> bool | None:
    """Whether its condition holds; ``None``: open, or false by values that were not given."""
    if "Condition" not in resource:
        return True
    name = str(resource["Condition"])
    return now.holds(name) or (False if sure.holds(name) is False else None)
