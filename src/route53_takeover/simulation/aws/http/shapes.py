"""Values of botocore's shapes on the wire: read from forms and XML, written as XML.

Owns how strings, numbers, times, lists, maps and structures are spelt in AWS's `query` and
`rest-xml` protocols. It must never know an operation, a service or HTTP.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from botocore.model import ListShape, MapShape, StructureShape
from botocore.utils import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from botocore.model import Shape


def scalar(shape: Shape, sent: str) -> Any:  # noqa: ANN401 -- the model says which type it is
    """Reads a value that is neither structure, list nor map."""
    match shape.type_name:
        case "integer" | "long":
            return int(sent)
        case "float" | "double":
            return float(sent)
        case "boolean":
            return sent == "true"
        case "timestamp":
            return parse_timestamp(sent)
        case "blob":
            return base64.b64decode(sent)
        case _:
            return sent


def text(shape: Shape, value: object) -> str:
    """Writes a value that is neither structure, list nor map.

    A timestamp may be a `datetime` or seconds since the epoch.
    """
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            if not isinstance(value, datetime):
                value = datetime.fromtimestamp(float(str(value)), UTC)
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        case "blob" if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        case _:
            return str(value)


def from_form(shape: Shape, form: Mapping[str, str], prefix: str) -> Any:  # noqa: ANN401 -- see scalar
    """Reads what the `query` protocol sent under ``prefix``; ``None`` where it sent nothing."""
    if prefix and not any(key == prefix or key.startswith(prefix + ".") for key in form):
        return None
    match shape:
        case StructureShape():
            under = prefix + "." if prefix else ""
            members = {
                member: from_form(member_shape, form, under + _element(member_shape, member))
                for member, member_shape in shape.members.items()
            }
            return {member: value for member, value in members.items() if value is not None}
        case ListShape():
            entry = prefix if _flattened(shape) else f"{prefix}.{_name(shape.member, 'member')}"
            return [
                from_form(shape.member, form, f"{entry}.{number}")
                for number in _numbers(form, entry)
            ]
        case MapShape():
            entry = prefix if _flattened(shape) else f"{prefix}.entry"
            key_name, value_name = _name(shape.key, "key"), _name(shape.value, "value")
            return {
                form[f"{entry}.{number}.{key_name}"]: from_form(
                    shape.value, form, f"{entry}.{number}.{value_name}"
                )
                for number in _numbers(form, entry)
            }
        case _:
            return scalar(shape, form[prefix])


def from_xml(shape: Shape, node: ET.Element) -> Any:  # noqa: ANN401 -- see scalar
    """Reads an element; members of a structure that travel elsewhere are left out."""
    match shape:
        case StructureShape():
            parsed = {}
            for member, member_shape in shape.members.items():
                found = _children(node, _name(member_shape, member))
                if not found or "location" in member_shape.serialization:
                    continue
                if _flattened(member_shape):
                    parsed[member] = _items(member_shape, found)
                else:
                    parsed[member] = from_xml(member_shape, found[0])
            return parsed
        case ListShape() | MapShape():
            return _items(shape, list(node))
        case _:
            return scalar(shape, node.text or "")


def fill(node: ET.Element, shape: StructureShape, value: Mapping[str, Any]) -> None:
    """Writes a structure's members into its element; those that are ``None`` are left out.

    Raises:
        ValueError: the shape has no such member.
    """
    for member, item in value.items():
        if item is None:
            continue
        if member not in shape.members:
            raise ValueError(f"{shape.name} has no member {member}")
        member_shape = shape.members[member]
        if member_shape.serialization.get("xmlAttribute"):
            node.set(_name(member_shape, member), text(member_shape, item))
        else:
            _append(node, member_shape, _element(member_shape, member), item)


def _append(node: ET.Element, shape: Shape, name: str, value: Any) -> None:  # noqa: ANN401 -- see scalar
    match shape:
        case StructureShape():
            fill(ET.SubElement(node, name), shape, value)
        case ListShape():
            parent = node if _flattened(shape) else ET.SubElement(node, name)
            inner = name if _flattened(shape) else _name(shape.member, "member")
            for item in value:
                _append(parent, shape.member, inner, item)
        case MapShape():
            parent = node if _flattened(shape) else ET.SubElement(node, name)
            for key, item in value.items():
                entry = ET.SubElement(parent, name if _flattened(shape) else "entry")
                _append(entry, shape.key, _name(shape.key, "key"), key)
                _append(entry, shape.value, _name(shape.value, "value"), item)
        case _:
            ET.SubElement(node, name).text = text(shape, value)


def _items(shape: Shape, nodes: Sequence[ET.Element]) -> Any:  # noqa: ANN401 -- see scalar
    match shape:
        case ListShape():
            return [from_xml(shape.member, node) for node in nodes]
        case MapShape():
            key_name, value_name = _name(shape.key, "key"), _name(shape.value, "value")
            return {
                from_xml(shape.key, _children(node, key_name)[0]): from_xml(
                    shape.value, _children(node, value_name)[0]
                )
                for node in nodes
            }
        case _:
            raise ValueError(f"{shape.name} is neither list nor map")


def _name(shape: Shape, default: str) -> str:
    return str(shape.serialization.get("name", default))


def _element(shape: Shape, member: str) -> str:
    """The name of a member's element or field; a flattened list goes by its items' name."""
    if isinstance(shape, ListShape) and _flattened(shape):
        return _name(shape.member, _name(shape, member))
    return _name(shape, member)


def _flattened(shape: Shape) -> bool:
    return bool(shape.serialization.get("flattened"))


def _numbers(form: Mapping[str, str], prefix: str) -> list[int]:
    """The positions sent for a list or map (``Prefix.1``, ``Prefix.2.Key``), in order."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)(?:\..*)?")
    return sorted({int(found[1]) for key in form if (found := pattern.fullmatch(key))})


def _children(node: ET.Element, name: str) -> list[ET.Element]:
    return [child for child in node if child.tag.rpartition("}")[2] == name]
