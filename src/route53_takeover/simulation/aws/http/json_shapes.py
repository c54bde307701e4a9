"""Values of botocore's shapes as JSON: read from and written for the `rest-json` protocol.

Owns how times, bytes, lists, maps and structures are spelt in JSON; single values outside a body
are those of `simulation.aws.http.shapes`. It must never know an operation, a service or HTTP.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.model import ListShape, MapShape, StructureShape
from botocore.utils import parse_timestamp

from route53_takeover.simulation.aws.http.shapes import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import Shape


def from_json(shape: Shape, value: Any) -> Any:  # noqa: ANN401 -- the model says which type it is
    """Reads a value; members of a structure that travel elsewhere, or are null, are left out."""
    match shape:
        case StructureShape():
            found = {
                member: (member_shape, value.get(_name(member_shape, member)))
                for member, member_shape in shape.members.items()
                if "location" not in member_shape.serialization
            }
            return {m: from_json(s, sent) for m, (s, sent) in found.items() if sent is not None}
        case ListShape():
            return [from_json(shape.member, item) for item in value]
        case MapShape():
            return {key: from_json(shape.value, item) for key, item in value.items()}
        case _ if shape.type_name == "timestamp":
            return parse_timestamp(value)
        case _ if shape.type_name == "blob":
            return base64.b64decode(value)
        case _:
            return value


def to_json(shape: Shape, value: Any) -> Any:  # noqa: ANN401 -- see from_json
    """Writes a value; members that are ``None`` are left out.

    Raises:
        ValueError: a structure has no such member.
    """
    match shape:
        case StructureShape():
            return _structure(shape, value)
        case ListShape():
            return [to_json(shape.member, item) for item in value]
        case MapShape():
            return {key: to_json(shape.value, item) for key, item in value.items()}
        case _ if shape.type_name == "timestamp":
            if shape.serialization.get("timestampFormat") == "iso8601":
                return text(shape, value)
            moment = value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)
            return moment.timestamp()
        case _ if shape.type_name == "blob":
            return text(shape, value)
        case _:
            return value


def _structure(shape: StructureShape, value: Mapping[str, Any]) -> dict[str, Any]:
    written = {}
    for member, item in value.items():
        if member not in shape.members:
            raise ValueError(f"{shape.name} has no member {member}")
        if item is not None:
            member_shape = shape.members[member]
            written[_name(member_shape, member)] = to_json(member_shape, item)
    return written


def _name(shape: Shape, member: str) -> str:
    return str(shape.serialization.get("name", member))
