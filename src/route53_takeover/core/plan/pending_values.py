"""What is known of a pending template beside its text: parameters, outputs, order, conditions.

Pure, like `route53_takeover.core.plan.pending`, which reads the records.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.stacks import STACK, UNKNOWN_VALUE, ResourceChange
from route53_takeover.core.domain.template import direct_depends, members_of, resources_of
from route53_takeover.core.plan.facts import OwnedRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from route53_takeover.core.domain.intrinsics import Resolver


class PendingStack(Struct, frozen=True, kw_only=True):
    """One stack of the tree as the deploy wants it, and what is known of it.

    Attributes:
        body: its template, parsed; ``None`` where there is none to be read.
        stack_id: empty for a stack that does not exist yet.
        given: the parameters that this deploy is known to give.
        in_force: the parameters that it keeps where none is given.
        resources: logical id -> type and physical id of what exists and stays.
        owned: the records that it owns.
        outputs: its outputs, where it stays as it is.
        nested: its nested stacks, by logical id.
        changes: what a change set says of its resources, by logical id.
        is_processed: macros are expanded already.
        unread: why ``body`` is not what the deploy applies, but the template in force, if any.
    """

    body: dict[str, Any] | None = None
    unread: str = ""
    stack_id: str = ""
    given: dict[str, str] = {}
    in_force: dict[str, str] = {}
    resources: dict[str, tuple[str, str]] = {}
    owned: tuple[OwnedRecord, ...] = ()
    outputs: dict[str, str] = {}
    nested: dict[str, PendingStack] = {}
    changes: dict[str, ResourceChange] = {}
    is_processed: bool = False


def parameters_of(
    stack: PendingStack, body: Mapping[str, Any], hidden: frozenset[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The values of its parameters that are known, and those of them that were given."""
    known: dict[str, str] = {}
    given: dict[str, str] = {}
    for name, declared in members_of(body.get("Parameters")).items():
        declaration = members_of(declared)
        stored = str(declaration.get("Type", "")).startswith("AWS::SSM::Parameter::Value")
        secret = str(declaration.get("NoEcho", "")).lower() == "true"
        if name in hidden or (stored and not stack.is_processed):
            continue  # of a stored parameter the template has the key, not the value
        if UNKNOWN_VALUE in stack.given.get(name, ""):
            continue
        if name in stack.given:
            known[name] = given[name] = stack.given[name]
        elif name in stack.in_force:
            known[name] = stack.in_force[name]
        elif "Default" in declaration and not (secret and stack.stack_id):
            known[name] = as_parameter(declaration["Default"])
    return known, given


def as_parameter(value: object) -> str:
    """What a parameter's value is as text."""
    if isinstance(value, list):
        return ",".join(map(as_parameter, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def nested_in_order(body: Mapping[str, Any]) -> Iterator[str]:
    """Its nested stacks, those whose outputs others use before these."""
    template = dict(resources_of(body))
    try:
        ordered = list(TopologicalSorter(direct_depends(body)).static_order())
    except CycleError:  # CloudFormation will refuse it
        ordered = list(template)
    yield from (name for name in ordered if template[name].get("Type") == STACK)


def outputs_of(body: Mapping[str, Any], now: Resolver) -> dict[str, Any]:
    """Its outputs, resolved as far as that goes."""
    return {
        name: now(output.get("Value"))
        for name, output in members_of(body.get("Outputs")).items()
        if isinstance(output, dict)
        and ("Condition" not in output or now.holds(str(output["Condition"])))
    }


def behind_condition(
    body: Mapping[str, Any], condition: str, free: AbstractSet[str]
) -> tuple[str, ...]:
    """The parameters of ``free`` that a condition hangs on, directly or through others."""
    conditions = members_of(body.get("Conditions"))
    names: set[str] = set()
    ahead = [condition]
    for each in ahead:
        node = conditions.get(each)
        names |= free & _values_of("Ref", node)
        ahead += [name for name in _values_of("Condition", node) if name not in ahead]
    return tuple(sorted(names))


def _values_of(key: str, node: object) -> set[str]:
    """The texts that stand under a key, anywhere below ``node``."""
    if isinstance(node, list):
        return {name for item in node for name in _values_of(key, item)}
    if not isinstance(node, dict):
        return set()
    found = {node[key]} if isinstance(node.get(key), str) else set()
    return found | {name for value in node.values() for name in _values_of(key, value)}
