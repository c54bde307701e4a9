"""CloudFormation templates as they are written: their text, their dependencies, their record sets.

Reads an unresolved template: the body that ``GetTemplate`` returns, with parameters
unknown and intrinsic functions in place. What an intrinsic hides is reported as unknown, never
guessed; `route53_takeover.core.domain.intrinsics` evaluates what a stack's own values tell.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml
from msgspec.structs import replace

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP, StackTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUBSTITUTION = re.compile(r"\$\{(!?)\s*+((?:[^\s${}]++|\s++(?=[^\s${}]))*+)\s*+\}")
"""A variable of ``Fn::Sub``: ``${Name}``; group 1 is ``!`` where it is meant literally."""

_RETAINING = ("Retain", "RetainExceptOnCreate")
_UNCOMPARED = frozenset({"Comment", "HostedZoneId", "HostedZoneName"})
"""Properties of a record set that say nothing about its values."""


class TemplateError(ValueError):
    """The template cannot be used; the message says what and where, as CloudFormation would."""


def parse_template(text: str) -> dict[str, Any]:
    """Reads a template in JSON or in YAML with CloudFormation's short tags (``!Ref``).

    Dates stay text, as CloudFormation has them, so that ``AWSTemplateFormatVersion`` is a string.

    Raises:
        TemplateError: it is neither, or not a mapping at its top.
    """
    body: Any
    try:
        body = json.loads(text)
    except ValueError:
        loader = _Loader(text)
        try:
            body = loader.get_single_data()
        except yaml.YAMLError as error:
            raise TemplateError(f"Template format error: YAML not well-formed. {error}") from error
        finally:
            loader.dispose()
    if not isinstance(body, dict):
        raise TemplateError("Template format error: unsupported structure.")
    return body


def read_template(body: Mapping[str, Any]) -> StackTemplate:
    """What matters to a takeover of a raw template.

    A record set under a ``Condition`` is listed: whether the condition holds is not known here.
    """
    all_depends = depends(body)
    record_sets = {
        logical_id: desired_of(resource.get("Properties"))
        for logical_id, resource in resources_of(body)
        if resource.get("Type") == RECORD_SET
    }
    return StackTemplate(
        record_sets=record_sets,
        depends={logical_id: all_depends[logical_id] for logical_id in record_sets},
        members={
            logical_id: group_members(resource.get("Properties"))
            for logical_id, resource in resources_of(body)
            if resource.get("Type") == RECORD_SET_GROUP
        },
        retained=frozenset(
            logical_id
            for logical_id, resource in resources_of(body)
            if resource.get("Type") in (RECORD_SET, RECORD_SET_GROUP) and is_retained(resource)
        ),
    )


def is_retained(resource: Mapping[str, Any]) -> bool:
    """Whether CloudFormation leaves it when a later template lacks it."""
    return resource.get("DeletionPolicy") in _RETAINING


def depends(body: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Every resource that each resource waits for, directly or through others."""
    direct = direct_depends(body)
    reached: dict[str, frozenset[str]] = {}
    for logical_id in direct:
        found: set[str] = set()
        ahead = [logical_id]
        while ahead:
            for other in direct[ahead.pop()]:
                if other not in found:
                    found.add(other)
                    ahead.extend([other] if other not in reached else [])
                    found |= reached.get(other, frozenset())
        reached[logical_id] = frozenset(found)
    return reached


def direct_depends(body: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The resources that each resource names in ``DependsOn``, ``Ref``, ``GetAtt`` and ``Sub``.

    Both branches of ``Fn::If`` count. Names that are no resource of the template do not.
    """
    resources = dict(resources_of(body))
    return {
        logical_id: frozenset(
            name
            for name in (*_listed(resource.get("DependsOn")), *names_in(resource.get("Properties")))
            if name in resources
        )
        for logical_id, resource in resources.items()
    }


def names_in(node: object) -> Iterator[str]:
    """Every name that the intrinsic functions below ``node`` refer to: resources, parameters."""
    if isinstance(node, list):
        for item in node:
            yield from names_in(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _named(key, value) if len(node) == 1 else ()
            yield from names_in(value)


def _named(function: str, argument: object) -> Iterator[str]:
    first = argument[0] if isinstance(argument, list) and argument else argument
    if not isinstance(first, str):
        return
    match function:
        case "Ref":
            yield first
        case "Fn::GetAtt":
            yield first.partition(".")[0]
        case "Fn::Sub":
            for literal, name in SUBSTITUTION.findall(first):
                if not literal:
                    yield name.partition(".")[0]
        case _:
            pass


def is_intrinsic(node: object) -> bool:
    """Whether ``node`` is a call of an intrinsic function, such as ``{"Ref": "Zone"}``."""
    return (
        isinstance(node, dict)
        and len(node) == 1
        and all(isinstance(key, str) and (key == "Ref" or key.startswith("Fn::")) for key in node)
    )


def desired_of(properties: object) -> DesiredRecord | None:
    """The record set that properties ask for; ``None`` where intrinsics hide which it is."""
    if not isinstance(properties, dict) or is_intrinsic(properties.get("SetIdentifier")):
        return None
    desired = DesiredRecord.from_properties(properties)
    if desired is None:
        return None
    hidden = any(
        _holds_intrinsic(value) for key, value in properties.items() if key not in _UNCOMPARED
    )
    return replace(desired, complete=False) if hidden else desired


def group_members(properties: object) -> tuple[DesiredRecord | None, ...]:
    """The records of a ``RecordSetGroup``, ``None`` for each that its properties hide.

    A group whose whole list is hidden has one of these.
    """
    return tuple(map(desired_of, group_entries(properties)))


def group_entries(properties: object) -> list[dict[str, Any]]:
    """The properties of each record of a ``RecordSetGroup``, with the zone that it has from there.

    Nothing but that zone for each record that an intrinsic hides; a list that is hidden as a whole
    counts as one of these.
    """
    group = members_of(properties)
    zone = {key: group[key] for key in ("HostedZoneId", "HostedZoneName") if key in group}
    entries = group.get("RecordSets")
    return [zone | members_of(each) for each in (entries if isinstance(entries, list) else [None])]


def members_of(node: object) -> dict[str, Any]:
    """The members of a mapping; none where it is one intrinsic, which tells nothing."""
    return node if isinstance(node, dict) and not is_intrinsic(node) else {}


def _holds_intrinsic(node: object) -> bool:
    if is_intrinsic(node):
        return True
    if isinstance(node, dict):
        return any(_holds_intrinsic(value) for value in node.values())
    return isinstance(node, list) and any(_holds_intrinsic(item) for item in node)


def resources_of(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Logical id and definition of each resource."""
    resources = body.get("Resources")
    if isinstance(resources, dict):
        for logical_id, resource in resources.items():
            if isinstance(resource, dict):  # an Fn::ForEach loop is a list
                yield logical_id, resource


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _text_keys(loader: yaml.SafeLoader, node: yaml.MappingNode, *, deep: bool = False) -> Any:  # noqa: ANN401 -- PyYAML's own
    """A mapping whose keys are text: to YAML 1.1 the name ``On`` would be true."""
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
            key.tag = "tag:yaml.org,2002:str"
    return _FastLoader.construct_mapping(loader, node, deep)


# A template may be a megabyte, which only the C parser reads without holding everything up.
_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Loader: Any = type("_Loader", (_FastLoader,), {"construct_mapping": _text_keys})


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    argument: Any
    if isinstance(node, yaml.ScalarNode):
        argument = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the third kind
    if suffix == "GetAtt" and isinstance(argument, str):
        argument = argument.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": argument}


_Loader.add_multi_constructor("!", _short_tag)
_Loader.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node)
)
