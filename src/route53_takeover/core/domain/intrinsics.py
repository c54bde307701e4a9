"""What intrinsic functions come to, as far as a stack's own values tell.

Evaluates a template in part: parameters in force, physical ids, outputs of nested stacks, exports,
mappings and conditions. What none of them tells stays in place as the intrinsic that it is, so that
a caller sees that it is open. Nothing is ever guessed, and nothing is asked for here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import STACK
from route53_takeover.core.domain.template import SUBSTITUTION, is_intrinsic

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING = object()
"""``Ref: AWS::NoValue``."""
_NO_VALUE = {"Ref": "AWS::NoValue"}
_DYNAMIC = "Fn::DynamicReference"
"""Our own name for ``{{resolve:...}}``, and for what a change set says is not known yet."""
_REFERENCE_START = re.compile(r"\{\{(?:resolve|changeSet):")
_REFERENCE = re.compile(_REFERENCE_START.pattern + r"[^{}]*\}\}")
_OPEN = "\x00"
"""In a text: what is not known there; no domain name and no template holds it."""
_LONGEST_NAME = 1024
"""Characters that a name may have: 255 bytes, each perhaps spelt as an octal escape."""
_NO_NAME = "(?!)"
_HOSTED_ZONE = "AWS::Route53::HostedZone"
_ARN_PARTS = 6
_LONGEST_CHAIN = 30
"""Conditions that name each other, at most: a ring of them ends here."""


class Values(Struct, frozen=True, kw_only=True):
    """What is known of a stack beside its template.

    Attributes:
        parameters: those in force, but for hidden ones.
        resources: logical id -> type and physical id of what exists.
        outputs: logical id of a nested stack -> its outputs.
        exports: the exports of the region.
        pseudo: values of pseudo parameters that ``stack_id`` does not tell.
        has_conditions: whether ``parameters`` are those that the conditions will be judged by; they
            are not for a resource that only a deploy with other parameters creates.
    """

    stack_id: str = ""
    parameters: dict[str, str] = {}
    resources: dict[str, tuple[str, str]] = {}
    outputs: dict[str, dict[str, str]] = {}
    exports: dict[str, str] = {}
    pseudo: dict[str, str] = {}
    has_conditions: bool = True


class Resolver:
    """One template, and the values of one stack.

    Args:
        body: the template, parsed.
    """

    def __init__(self, body: Mapping[str, Any], values: Values) -> None:
        self._values = values
        self._mappings = _mapping(body.get("Mappings"))
        self._conditions = _mapping(body.get("Conditions")) if values.has_conditions else {}
        declared = _mapping(body.get("Parameters"))
        self._names: dict[str, Any] = {
            name: _listed(declared.get(name), value) for name, value in values.parameters.items()
        }
        self._names |= _pseudo(values.stack_id) | values.pseudo

    def __call__(self, node: Any) -> Any:  # noqa: ANN401 -- JSON in, JSON out
        """``node`` with everything in place that is known."""
        if isinstance(node, list):
            return [item for item in map(self, node) if item is not _NOTHING]
        if isinstance(node, str):
            return _static(node)
        if not isinstance(node, dict):
            return node
        if is_intrinsic(node):
            ((function, argument),) = node.items()
            return self._call(function, argument)
        resolved = {key: self(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not _NOTHING}

    def holds(self, condition: str) -> bool | None:
        """Whether a condition of the template holds; ``None`` where that is open."""
        return self._holds({"Condition": condition}, _LONGEST_CHAIN)

    def _call(self, function: str, argument: Any) -> Any:  # noqa: ANN401 -- JSON in, JSON out
        match function, argument:
            case "Ref", "AWS::NoValue":
                return _NOTHING
            case "Ref", str(name):
                return self._named(name, {"Ref": name})
            case "Fn::GetAtt", _:
                return self._attribute(argument)
            case "Fn::Sub", str(text):
                return self._substituted(text, {})
            case "Fn::Sub", [str(text), dict(given)]:
                return self._substituted(text, self(given))
            case "Fn::If", [str(name), then, otherwise]:
                return self._chosen(name, self(then), self(otherwise))
            case _:
                known = self(argument)
                return _pure(function, known, self._mappings, self._values.exports)

    def _named(self, name: str, unknown: Any) -> Any:  # noqa: ANN401 -- text, a list, or open
        if name in self._names:
            return self(self._names[name])
        _, physical_id = self._values.resources.get(name, ("", ""))
        return physical_id or unknown

    def _attribute(self, argument: Any) -> Any:  # noqa: ANN401 -- text, or open
        words = argument.split(".", 1) if isinstance(argument, str) else argument
        match words:
            case [str(name), str(attribute)]:
                kind, physical_id = self._values.resources.get(name, ("", ""))
                if kind == _HOSTED_ZONE and attribute == "Id" and physical_id:
                    return physical_id
                output = attribute.removeprefix("Outputs.")
                if kind == STACK and output in self._values.outputs.get(name, {}):
                    return self._values.outputs[name][output]
            case _:
                pass
        return {"Fn::GetAtt": words}

    def _substituted(self, text: str, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- the same
        """The text with what is known; as ``Fn::Join``, so that its known parts can be seen."""
        parts: list[Any] = []
        at = 0
        for found in SUBSTITUTION.finditer(text):
            literal, name = found.groups()
            parts.append(text[at : found.start()])
            at = found.end()
            if literal:
                parts.append(f"${{{name}}}")
            elif name in given:
                parts.append(given[name])
            elif "." in name:
                parts.append(self._attribute(name))
            else:
                parts.append(self._named(name, {"Ref": name}))
        return _joined("", [*parts, text[at:]])

    def _chosen(self, name: str, then: Any, otherwise: Any) -> Any:  # noqa: ANN401 -- the same
        holds = self.holds(name)
        if holds is None:
            ways = [_NO_VALUE if way is _NOTHING else way for way in (then, otherwise)]
            return then if then == otherwise else {"Fn::If": [name, *ways]}
        return then if holds else otherwise

    def _holds(self, node: Any, depth: int) -> bool | None:  # noqa: ANN401 -- a condition
        """Whether a condition holds; ``None`` where that is open."""
        match node:
            case {"Condition": str(name)} if depth:
                return self._holds(self._conditions.get(name), depth - 1)
            case {"Fn::Equals": [one, other]}:
                known = [_as_text(self(one)), _as_text(self(other))]
                return None if any(map(is_open, known)) else known[0] == known[1]
            case {"Fn::Not": [inner]}:
                holds = self._holds(inner, depth)
                return None if holds is None else not holds
            case {"Fn::And": list(inner)}:
                all_of_them = [self._holds(item, depth) for item in inner]
                return False if False in all_of_them else None if None in all_of_them else True
            case {"Fn::Or": list(inner)}:
                any_of_them = [self._holds(item, depth) for item in inner]
                return True if True in any_of_them else None if None in any_of_them else False
            case _:
                return None


def _pure(function: str, known: Any, mappings: Any, exports: Mapping[str, str]) -> Any:  # noqa: ANN401 -- JSON in, JSON out
    """The functions that depend on nothing but their resolved argument."""
    match function, known:
        case "Fn::Join", [str(between), list(parts)]:
            return _joined(between, parts)
        case "Fn::ImportValue", str(name) if name in exports:
            return exports[name]
        case "Fn::Split", [str(between), str(text)] if between:
            return text.split(between)
        case "Fn::Select", [index, list(choices)] if re.fullmatch("[0-9]{1,9}", str(index)):
            chosen = choices[int(index)] if int(index) < len(choices) else None
            return {function: known} if chosen is None or is_open(chosen) else chosen
        case "Fn::FindInMap", [str(name), str(first), str(second)]:
            found = _mapping(_mapping(mappings.get(name)).get(first)).get(second)
            return {function: known} if found is None else found
        case _:
            return {function: known}


def _joined(between: str, parts: list[Any]) -> Any:  # noqa: ANN401 -- text, or open
    texts = [_as_text(part) for part in parts]
    if not any(isinstance(text, dict | list) for text in texts):
        return _static(between.join(texts))
    if any(isinstance(text, str) and _REFERENCE_START.search(text) for text in texts):
        return {_DYNAMIC: "?"}  # part of the reference itself is open
    return {"Fn::Join": [between, texts]}


def _static(text: str) -> Any:  # noqa: ANN401 -- text, or open
    """The text; open where a dynamic reference stands in it, which only CloudFormation resolves."""
    if "{{" not in text:
        return text
    parts: list[Any] = []
    at = 0
    for found in _REFERENCE.finditer(text):
        parts += [text[at : found.start()], {_DYNAMIC: found[0]}]
        at = found.end()
    if not parts:
        return text
    return {"Fn::Join": ["", [part for part in (*parts, text[at:]) if part != ""]]}


def _as_text(value: Any) -> Any:  # noqa: ANN401 -- JSON in, JSON out
    """A scalar as CloudFormation has it: numbers and booleans are text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return value if isinstance(value, dict) else str(value)


def is_open(node: object) -> bool:
    """Whether something in it is not known."""
    if isinstance(node, dict):
        return is_intrinsic(node) or any(map(is_open, node.values()))
    return isinstance(node, list) and any(map(is_open, node))


def functions_in(node: object) -> set[str]:
    """The intrinsic functions that are called anywhere in it."""
    if isinstance(node, list):
        return {name for item in node for name in functions_in(item)}
    if not isinstance(node, dict):
        return set()
    called = set(node) if is_intrinsic(node) else set()
    return called | {name for value in node.values() for name in functions_in(value)}


def name_pattern(node: object) -> str:
    """A regular expression of every domain name, in normal form, that ``node`` may come to.

    A template may have as many gaps as its author likes: what is known between two of them is
    looked for from the left and, once found, never anew, so that no name takes long to match.
    """
    text = re.sub(f"{_OPEN}+", _OPEN, _with_gaps(node))
    if len(text) - text.count(_OPEN) > _LONGEST_NAME:
        return _NO_NAME
    gap = normal_name(_OPEN).removesuffix(".")
    first, *rest = map(re.escape, normal_name(text).split(gap))
    if not rest:
        return f"(?:{first})"
    between = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return f"(?:{first}{between}.*{rest[-1]})"


def described_name(node: object) -> str:
    """The name as text, ``?`` in the place of what is not known."""
    return _with_gaps(node).replace(_OPEN, "?")


def _with_gaps(node: object) -> str:
    match node:
        case str():
            return node
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(_with_gaps(part) for part in parts)
        case _:
            return _OPEN


def _pseudo(stack_id: str) -> dict[str, str]:
    """What a stack's ARN tells of the pseudo parameters."""
    parts = stack_id.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS:
        return {}
    _, partition, _, region, account, rest = parts
    return {
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::AccountId": account,
        "AWS::StackId": stack_id,
        "AWS::StackName": rest.removeprefix("stack/").partition("/")[0],
        "AWS::URLSuffix": "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com",
    }


def _listed(declaration: object, value: str) -> str | list[str]:
    kind = str(_mapping(declaration).get("Type", ""))
    if "CommaDelimitedList" in kind or "List<" in kind:
        return [item.strip() for item in value.split(",")]
    return value


def _mapping(node: object) -> dict[str, Any]:
    return node if isinstance(node, dict) else {}
