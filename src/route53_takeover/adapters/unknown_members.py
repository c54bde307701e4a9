"""Members of a record set that the SDK's model does not know, and would drop without a word.

A record set that is deleted and created again without such a member is another one. So the answer
of `ListResourceRecordSets` is read a second time here, as XML: every element that the model lacks
is added to the answer under `KEY`. It changes nothing else of what the SDK does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from botocore.model import ListShape, StructureShape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiobotocore.session import AioSession
    from botocore.model import OperationModel, Shape

KEY = "UnknownMembers"
"""Where they are in the answer: for each record set that has any, its position -> path -> XML."""
_OPERATION = "route-53.ListResourceRecordSets"


def keep_unknown_members(session: AioSession) -> None:
    """Lets the answers of every client of this session tell them."""
    emitter = session.get_component("event_emitter")
    emitter.register(f"before-parse.{_OPERATION}", _before_parse)


def unknown_of(page: Mapping[str, Any], position: int) -> Mapping[str, str]:
    """What the record set at this position of an answer has, by path: ``AliasTarget.Scope``."""
    found: Mapping[int, Mapping[str, str]] = page.get(KEY, {})
    return found.get(position, {})


def _before_parse(
    operation_model: OperationModel,
    response_dict: Mapping[str, Any],
    customized_response_dict: dict[str, Any],
    **_: object,
) -> None:
    shape = operation_model.output_shape
    listed = None if shape is None else shape.members.get("ResourceRecordSets")
    if not isinstance(listed, ListShape) or response_dict["status_code"] != 200:  # noqa: PLR2004
        return
    try:
        root = ET.fromstring(response_dict["body"])  # noqa: S314 -- the SDK reads it the same way
    except ET.ParseError:
        return  # the SDK says so
    record_sets = [node for each in root if _name(each) == "ResourceRecordSets" for node in each]
    unknown = {
        position: dict(_unknown(listed.member, node, ""))
        for position, node in enumerate(record_sets)
    }
    customized_response_dict[KEY] = {at: found for at, found in unknown.items() if found}


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
