"""A CloudFormation template with its parameters: the simulated account's template engine.

Decides which resources a template has and what their properties are once everything they refer to
exists. It knows Parameters, Conditions, the pseudo parameters and the intrinsic functions in
`KNOWN`; any other is an error that names it. It creates nothing and leaves the body as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.template import (
    SUBSTITUTION,
    TemplateError,
    direct_depends,
    is_intrinsic,
    names_in,
    parse_template,
)
from route53_takeover.simulation.aws.cloudformation.asked import Simulation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Lookup = Callable[[str, str | None], Any]
    """The value of a resource: of ``Ref`` where the attribute is ``None``, else of ``GetAtt``."""

CONDITION_FUNCTIONS = frozenset({"Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not"})
KNOWN = CONDITION_FUNCTIONS | {
    *("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::If", "Fn::Select", "Fn::Split"),
    "Fn::ImportValue",
}
_NO_VALUE = object()


class ResourceSpec(Struct, frozen=True, kw_only=True):
    """One resource as its template wants it; ``properties`` are not resolved.

    Attributes:
        depends: the resources that must be complete before this one begins.
        deletion_policy: ``Delete``, ``Retain`` or ``RetainExceptOnCreate``.
        replace_policy: ``UpdateReplacePolicy``: what becomes of one that was replaced.
    """

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends: frozenset[str]
    deletion_policy: str
    replace_policy: str
    simulation: Simulation


class Template:
    """One template body with parameters.

    Args:
        body: as `parse_template` returns it.
        given: the parameters that the caller gave.
        pseudo: the values of ``AWS::Region`` and the other pseudo parameters.
        exports: tells what can be imported: the last of each is the value.

    Raises:
        TemplateError: a parameter is missing or unknown, a reference leads nowhere, the resources
            wait for each other in a circle, or an intrinsic function is not known.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        given: Mapping[str, str],
        pseudo: Mapping[str, Any],
        exports: Callable[[], Mapping[str, tuple[Any, str]]] = dict,
    ) -> None:
        self.body = body
        self._exports = exports
        declared = body.get("Parameters") or {}
        self.parameters = _parameters(declared, given)
        self._values = {
            name: _listed(declared[name], value) for name, value in self.parameters.items()
        }
        self._values |= pseudo
        self._conditions: Mapping[str, Any] = body.get("Conditions") or {}
        self._known: dict[str, bool | None] = {}
        self.outputs_wanted: Mapping[str, Any] = {
            name: output
            for name, output in (body.get("Outputs") or {}).items()
            if "Condition" not in output or self.condition(output["Condition"])
        }
        self.resources = self._specs()
        self._check()

    def properties(self, logical_id: str, lookup: Lookup) -> dict[str, Any]:
        """A resource's properties with every value in place; numbers and booleans are text."""
        return self._mapping(self.resources[logical_id].properties, lookup)

    def foreseen(self, logical_id: str, lookup: Lookup, unknown: str) -> dict[str, Any]:
        """The same before all exists; ``unknown`` stands for a value that ``lookup`` cannot tell.

        A function over such a value is not known either.
        """

        def resolved(node: Any) -> Any:  # noqa: ANN401 -- a template holds any JSON
            if isinstance(node, dict) and not is_intrinsic(node):
                told = {key: resolved(value) for key, value in node.items()}
                return {key: value for key, value in told.items() if value is not _NO_VALUE}
            if isinstance(node, list):
                return [item for item in map(resolved, node) if item is not _NO_VALUE]
            try:
                return self._resolve(node, lookup)
            except TemplateError:
                return unknown

        told: dict[str, Any] = resolved(dict(self.resources[logical_id].properties))
        return told

    def outputs(self, lookup: Lookup) -> dict[str, str]:
        """The stack's outputs whose conditions hold."""
        return {
            name: str(self._resolve(output.get("Value"), lookup))
            for name, output in self.outputs_wanted.items()
        }

    def export_names(self, lookup: Lookup) -> dict[str, str]:
        """Key of each output that is exported -> its name there."""
        return {
            key: str(self._resolve(output["Export"]["Name"], lookup))
            for key, output in self.outputs_wanted.items()
            if "Export" in output
        }

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds."""
        if name not in self._conditions:
            raise TemplateError(f"Template format error: Unresolved condition dependency {name}")
        if name not in self._known:
            self._known[name] = None
            self._known[name] = self._holds(self._conditions[name])
        holds = self._known[name]
        if holds is None:
            raise TemplateError(f"Template format error: circular dependency of condition {name}")
        return holds

    def _specs(self) -> dict[str, ResourceSpec]:
        wanted: dict[str, Any] = {}
        for logical_id, resource in (self.body.get("Resources") or {}).items():
            if not isinstance(resource, dict):
                raise TemplateError(f"{logical_id} is not supported by the simulated account.")
            if "Condition" not in resource or self.condition(resource["Condition"]):
                wanted[logical_id] = resource
        if not self.body.get("Resources"):
            raise TemplateError("Template format error: At least one Resources member must exist.")
        waits = direct_depends({"Resources": wanted})
        _refuse_circles(waits)
        return {
            logical_id: ResourceSpec(
                logical_id=logical_id,
                type=resource["Type"],
                properties=resource.get("Properties") or {},
                depends=waits[logical_id],
                deletion_policy=resource.get("DeletionPolicy", "Delete"),
                replace_policy=resource.get("UpdateReplacePolicy", "Delete"),
                simulation=Simulation.of(resource),
            )
            for logical_id, resource in wanted.items()
        }

    def _check(self) -> None:
        """Refuses what can be seen to be wrong before anything is created."""
        refuse_unknown(self.body.get("Conditions"))
        names = {*self._values, *self.body["Resources"]}
        for where, sources in (
            ("Resources", [spec.properties for spec in self.resources.values()]),
            ("Outputs", list(self.outputs_wanted.values())),
        ):
            for source in sources:
                refuse_unknown(source)
                missing = sorted({name for name in names_in(source) if name not in names})
                missing = [name for name in missing if name not in _sub_variables(source)]
                if missing:
                    raise TemplateError(
                        "Template format error: Unresolved resource dependencies "
                        f"[{', '.join(missing)}] in the {where} block of the template"
                    )

    def _holds(self, node: object) -> bool:
        if isinstance(node, dict) and len(node) == 1:
            ((function, argument),) = node.items()
            match function:
                case "Condition":
                    return self.condition(argument)
                case "Fn::Equals":
                    one, other = (self._resolve(item, _no_resources) for item in argument)
                    return bool(one == other)
                case "Fn::And":
                    return all(self._holds(item) for item in argument)
                case "Fn::Or":
                    return any(self._holds(item) for item in argument)
                case "Fn::Not":
                    return not self._holds(argument[0])
                case _:
                    refuse_unknown(node)
        raise TemplateError(f"Template format error: {node!r} is not a condition.")

    def _resolve(self, node: Any, lookup: Lookup) -> Any:  # noqa: ANN401 -- a template holds any JSON
        if isinstance(node, str):
            return node
        if isinstance(node, dict):
            return self._call(node, lookup) if is_intrinsic(node) else self._mapping(node, lookup)
        if isinstance(node, list):
            items = [self._resolve(item, lookup) for item in node]
            return [item for item in items if item is not _NO_VALUE]
        if isinstance(node, bool):
            return "true" if node else "false"
        if node is None:
            raise TemplateError("Template format error: null values are not allowed in templates")
        return str(node)

    def _mapping(self, node: Mapping[str, Any], lookup: Lookup) -> dict[str, Any]:
        resolved = {key: self._resolve(value, lookup) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not _NO_VALUE}

    def _call(self, node: Mapping[str, Any], lookup: Lookup) -> Any:  # noqa: ANN401 -- any JSON
        ((function, argument),) = node.items()
        match function, argument:
            case "Ref", str(name):
                return self._value(name, lookup)
            case "Fn::GetAtt", _:
                return self._attribute(argument, lookup)
            case "Fn::Sub", str(text):
                return self._substituted(text, {}, lookup)
            case "Fn::Sub", [str(text), dict(given)]:
                return self._substituted(text, self._mapping(given, lookup), lookup)
            case "Fn::Join", [str(between), parts]:
                return between.join(str(part) for part in self._resolve(parts, lookup))
            case "Fn::ImportValue", _:
                name = str(self._resolve(argument, lookup))
                if name not in self._exports():
                    raise TemplateError(f"No export named {name} found.")
                return self._exports()[name][1]
            case "Fn::If", [str(condition), then, otherwise]:
                return self._resolve(then if self.condition(condition) else otherwise, lookup)
            case "Fn::Select", [index, choices]:
                return self._selected(self._resolve(index, lookup), self._resolve(choices, lookup))
            case "Fn::Split", [str(at), text]:
                return str(self._resolve(text, lookup)).split(at)
            case _:
                refuse_unknown(node)
                raise TemplateError(f"Template error: every {function} object is malformed: {node}")

    def _value(self, name: str, lookup: Lookup) -> Any:  # noqa: ANN401 -- a list or text
        if name == "AWS::NoValue":
            return _NO_VALUE
        return self._values[name] if name in self._values else lookup(name, None)

    def _attribute(self, argument: Any, lookup: Lookup) -> Any:  # noqa: ANN401 -- as written
        words = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(words, list) or len(words) < 2:  # noqa: PLR2004 -- resource, attribute
            raise TemplateError(f"Template error: Fn::GetAtt needs two words: {argument!r}")
        return lookup(words[0], ".".join(str(self._resolve(word, lookup)) for word in words[1:]))

    def _substituted(self, text: str, given: Mapping[str, Any], lookup: Lookup) -> str:
        parts: list[str] = []
        at = 0
        for found in SUBSTITUTION.finditer(text):
            literal, name = found.groups()
            parts.append(text[at : found.start()])
            at = found.end()
            if literal:
                parts.append(f"${{{name}}}")
            elif name in given:
                parts.append(str(given[name]))
            else:
                resource, _, attribute = name.partition(".")
                value = lookup(resource, attribute) if attribute else self._value(name, lookup)
                parts.append(str(value))
        return "".join(parts) + text[at:]

    def _selected(self, index: Any, choices: Sequence[Any]) -> Any:  # noqa: ANN401 -- any JSON
        if not str(index).isdecimal() or int(index) >= len(choices):
            raise TemplateError(f"Template error: Fn::Select cannot select nonexistent {index}")
        return choices[int(index)]


@lru_cache(maxsize=64)
def load(text: str) -> Mapping[str, Any]:
    """`parse_template`, remembered: rehearsals send the same text again and again."""
    return parse_template(text)


def refuse_unknown(node: object) -> None:
    """Raises a `TemplateError` that names the first intrinsic function that is not `KNOWN`."""
    if isinstance(node, list):
        for item in node:
            refuse_unknown(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(key, str) and key.startswith("Fn::") and key not in KNOWN:
                raise TemplateError(
                    f"Template error: {key} is not supported by the simulated account."
                )
            refuse_unknown(value)


def _parameters(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(name for name in given if name not in declared)
    if unknown:
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name in declared if name not in given and "Default" not in declared[name]]
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _text(given.get(name, declared[name].get("Default"))) for name in declared}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(declaration: Mapping[str, Any], value: str) -> str | list[str]:
    kind = str(declaration.get("Type", "String"))
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [item.strip() for item in value.split(",")] if value else []
    return value


def _sub_variables(node: object) -> set[str]:
    """The variables that the second form of ``Fn::Sub`` brings with it, anywhere in ``node``."""
    if isinstance(node, list):
        return {name for item in node for name in _sub_variables(item)}
    if not isinstance(node, dict):
        return set()
    found = {name for value in node.values() for name in _sub_variables(value)}
    match node.get("Fn::Sub"):
        case [_, dict(given)]:
            return found | {str(name).partition(".")[0] for name in given}
        case _:
            return found


def _refuse_circles(waits: Mapping[str, frozenset[str]]) -> None:
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        circle = ", ".join(sorted(set(error.args[1])))
        raise TemplateError(f"Circular dependency between resources: [{circle}]") from None


def _no_resources(name: str, _attribute: str | None) -> str:
    raise TemplateError(
        f"Template format error: Unresolved dependencies [{name}]. Cannot reference resources in "
        "the Conditions block of the template"
    )
