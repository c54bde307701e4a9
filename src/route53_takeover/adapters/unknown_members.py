"""Members of an answer that the SDK's model does not know, and would drop without a word.

What is written back without such a member is another thing: a record set that is deleted and
created again, a distribution whose whole config is replaced. So the answers of `_PLACES` are read a
second time here, as XML: every element that the model lacks is added to the answer under `KEY`. It
changes nothing else of what the SDK does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from botocore.model import ListShape, StructureShape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aiobotocore.session import AioSession
    from botocore.model import OperationModel, Shape

KEY = "UnknownMembers"
"""Where they are in the answer: for each thing that has any, its position -> path -> XML."""
_PLACES: Mapping[str, Sequence[str]] = {
    "route-53.ListResourceRecordSets": ["ResourceRecordSets"],
    "cloudfront.GetDistribution": ["DistributionConfig"],
    "cloudfront.UpdateDistribution": ["DistributionConfig"],
}
"""Operation -> the members that lead from its answer's root to the thing, or the list of things."""


def keep_unknown_members(session: AioSession) -> None:
    """Lets the answers of every client of this session tell them."""
    emitter = session.get_component("event_emitter")
    for operation in _PLACES:
        emitter.register(f"before-parse.{operation}", _before_parse)


def unknown_of(answer: Mapping[str, Any], position: int = 0) -> Mapping[str, str]:
    """What the thing at this position of an answer has, by path: ``AliasTarget.Scope``."""
    found: Mapping[int, Mapping[str, str]] = answer.get(KEY, {})
    return found.get(position, {})


def _before_parse(
    operation_model: OperationModel,
    response_dict: Mapping[str, Any],
    customized_response_dict: dict[str, Any],
    **_: object,
) -> None:
    if response_dict["status_code"] != 200:  # noqa: PLR2004
        return
    try:
        root = ET.fromstring(response_dict["body"])  # noqa: S314 -- the SDK reads it the same way
    except ET.ParseError:
        return  # the SDK says so
    service = operation_model.service_model.service_id.hyphenize()
    nodes, shape = [root], _root_shape(operation_model)
    for member in _PLACES[f"{service}.{operation_model.name}"]:
        shape = shape.members.get(member) if isinstance(shape, StructureShape) else None
        nodes = [child for node in nodes for child in node if _name(child) == member]
    if isinstance(shape, ListShape):
        shape, nodes = shape.member, [child for node in nodes for child in node]
    if shape is None:
        return
    unknown = {at: dict(_unknown(shape, node, "")) for at, node in enumerate(nodes)}
    customized_response_dict[KEY] = {at: found for at, found in unknown.items() if found}


def _root_shape(operation_model: OperationModel) -> Shape | None:
    """What the root element of an answer is: its payload, where the operation has one."""
    output = operation_model.output_shape
    payload = None if output is None else output.serialization.get("payload")
    return output if output is None or payload is None else output.members[payload]


def _unknown(shape: Shape, node: ET.Element, path: str) -> Iterator[tuple[str, str]]:
    """Path and XML of every element below ``node`` that the model does not have."""
    if isinstance(shape, StructureShape):
        known = {
            str(member.serialization.get("name", name)): member
            for name, member in shape.members.items()
        }
    elif isinstance(shape, ListShape):
        known = {str(shape.member.serialization.get("name", "member")): shape.member}
    else:
        known = {}
    for child in node:
        name = _name(child)
        below = f"{path}.{name}" if path else name
        if name in known:
            yield from _unknown(known[name], child, below)
        else:
            yield below, ET.tostring(child, encoding="unicode").strip()


def _name(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]
