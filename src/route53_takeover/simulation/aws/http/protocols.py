"""AWS's wire protocols, seen from the server: requests to parameters, results to XML or JSON.

Owns the protocols `query`, `json`, `rest-xml` and `rest-json`, generic over botocore's service
models, which say of every operation how it is spelt on the wire; values are read and written by
`simulation.aws.http.shapes` and `simulation.aws.http.json_shapes`. It must never know what an
operation does, nor who answers it; it opens no socket.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, StructureShape
from msgspec import Struct

from route53_takeover.simulation.aws.http.json_shapes import from_json, to_json
from route53_takeover.simulation.aws.http.shapes import fill, from_form, from_xml, scalar, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel

MODELS = Path(__file__).parent / "models"
"""What AWS has and the SDK in use may not know yet; the program has its own copy of a part."""
_JSON = "application/json"


class WireRequest(Struct, frozen=True, kw_only=True):
    """An HTTP request: the path still escaped, header names in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form, sent as the body or as the query string."""
        sent = self.query if self.method == "GET" else self.body.decode()
        return dict(parse_qsl(sent, keep_blank_values=True))


class WireAnswer(Struct, frozen=True, kw_only=True):
    """An HTTP answer."""

    status: int
    body: bytes
    headers: dict[str, str]
    content_type: str = "text/xml"


class Route(Struct, frozen=True, kw_only=True):
    """How the operation ``name`` is asked for.

    Attributes:
        query: what the query string has to hold: it tells two operations of one path apart.
    """

    method: str
    path: re.Pattern[str]
    query: dict[str, str]
    name: str

    def fits(self, request: WireRequest) -> bool:
        """Whether the request asks for it."""
        sent = dict(parse_qsl(request.query, keep_blank_values=True))
        return (
            self.method == request.method
            and self.path.fullmatch(request.path.rstrip("/")) is not None
            and self.query.items() <= sent.items()
        )


class Wire:
    """One service's side of the conversation.

    Attributes:
        signing_name: what the service is called in a signature; two may share one.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        loader = Loader(extra_search_paths=[str(MODELS)])
        self.model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        self.signing_name = self.model.signing_name
        self.protocol = self.model.metadata["protocol"]
        if self.protocol not in ("query", "json", "rest-xml", "rest-json"):
            raise ValueError(f"{service} speaks {self.protocol}, which is not built")

    def operation(self, request: WireRequest) -> str | None:
        """The operation that is asked for, where the service's model has it."""
        if self.protocol == "query":
            action = request.form.get("Action")
            return action if action in self.model.operation_names else None
        if self.protocol == "json":
            target = request.headers.get("x-amz-target", "").removeprefix(self._target)
            return target if target in self.model.operation_names else None
        return next((route.name for route in self._routes if route.fits(request)), None)

    def parameters(self, operation: str, request: WireRequest) -> dict[str, Any]:
        """The operation's parameters, as a caller of botocore would have given them."""
        model = self.model.operation_model(operation)
        if model.input_shape is None:
            return {}
        if self.protocol == "query":
            parsed = from_form(model.input_shape, request.form, "")
            return parsed if isinstance(parsed, dict) else {}
        if self.protocol == "json":
            return dict(from_json(model.input_shape, json.loads(request.body or b"{}")))
        return self._rest_parameters(model, model.input_shape, request)

    def answer(self, operation: str, result: Mapping[str, Any], request_id: str) -> WireAnswer:
        """The answer that botocore reads as ``result``."""
        model = self.model.operation_model(operation)
        headers = {"x-amzn-requestid": request_id}
        if self.protocol == "query":
            root = ET.Element(f"{operation}Response", self._namespace)
            if model.output_shape is not None:
                wrapper = model.output_shape.serialization.get("resultWrapper")
                node = root if wrapper is None else ET.SubElement(root, wrapper)
                fill(node, model.output_shape, result)
            ET.SubElement(ET.SubElement(root, "ResponseMetadata"), "RequestId").text = request_id
            return WireAnswer(status=200, body=_document(root), headers=headers)
        if self.protocol == "json":
            shape = model.output_shape
            body = {} if shape is None else to_json(shape, result)
            sent = json.dumps(body).encode()
            return WireAnswer(status=200, body=sent, headers=headers, content_type=self._json)
        return self._rest_answer(model, result, headers)

    def error(self, code: str, message: str, status: int, request_id: str) -> WireAnswer:
        """The error that botocore raises as `ClientError` with this code and message."""
        if self.protocol == "rest-json":
            return WireAnswer(
                status=status,
                body=json.dumps({"message": message}).encode(),
                headers={"x-amzn-requestid": request_id, "x-amzn-ErrorType": code},
                content_type=_JSON,
            )
        if self.protocol == "json":
            return WireAnswer(
                status=status,
                body=json.dumps({"__type": code, "message": message}).encode(),
                headers={"x-amzn-requestid": request_id},
                content_type=self._json,
            )
        return error_answer(code, message, status, request_id, self._namespace)

    @property
    def _target(self) -> str:
        return f"{self.model.metadata['targetPrefix']}."

    @property
    def _json(self) -> str:
        return f"application/x-amz-json-{self.model.metadata['jsonVersion']}"

    @cached_property
    def _namespace(self) -> dict[str, str]:
        known = self.model.metadata.get("xmlNamespace")
        if isinstance(known, str):
            return {"xmlns": known}
        # rest-xml models carry it on the input shapes only; clients ignore it in answers.
        return {
            "xmlns": f"https://{self.service}.amazonaws.com/doc/{self.model.metadata['apiVersion']}/"
        }

    @cached_property
    def _routes(self) -> list[Route]:
        """Every operation's; paths with the fewest labels come first, then the fuller queries."""
        routes = []
        for name in self.model.operation_names:
            http = self.model.operation_model(name).http
            path, _, query = http["requestUri"].partition("?")
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/")))
            pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", pattern)
            routes.append(
                Route(
                    method=http["method"],
                    path=re.compile(pattern),
                    query=dict(parse_qsl(query, keep_blank_values=True)),
                    name=name,
                )
            )
        return sorted(routes, key=lambda route: (route.path.groups, -len(route.query)))

    def _rest_parameters(
        self, model: OperationModel, shape: StructureShape, request: WireRequest
    ) -> dict[str, Any]:
        route = next(route for route in self._routes if route.name == model.name)
        match = route.path.fullmatch(request.path.rstrip("/"))
        labels = {} if match is None else match.groupdict()
        query = parse_qsl(request.query, keep_blank_values=True)
        parsed: dict[str, Any] = {}
        for member, member_shape in shape.members.items():
            name = member_shape.serialization.get("name", member)
            match member_shape.serialization.get("location"):
                case "uri" if name in labels:
                    parsed[member] = scalar(member_shape, unquote(labels[name]))
                case "querystring":
                    sent = [value for key, value in query if key == name]
                    if sent and isinstance(member_shape, ListShape):
                        parsed[member] = [scalar(member_shape.member, value) for value in sent]
                    elif sent:
                        parsed[member] = scalar(member_shape, sent[0])
                case "header" if name.lower() in request.headers:
                    parsed[member] = scalar(member_shape, request.headers[name.lower()])
                case "headers":
                    parsed[member] = {
                        header[len(name) :]: value
                        for header, value in request.headers.items()
                        if header.startswith(name.lower())
                    }
                case _:
                    pass
        if request.body:
            parsed |= self._body_parameters(shape, request.body)
        return parsed

    def _body_parameters(self, shape: StructureShape, body: bytes) -> dict[str, Any]:
        """What of an operation's parameters the body holds: one of them, or all that are left."""
        payload = shape.serialization.get("payload")
        inner = shape if payload is None else shape.members[payload]
        parsed: Any
        if self.protocol == "rest-json" and inner.type_name in ("blob", "string"):
            parsed = body if inner.type_name == "blob" else body.decode()
        elif self.protocol == "rest-json":
            parsed = from_json(inner, json.loads(body))
        else:
            root = ET.fromstring(body)  # noqa: S314 -- from a client on this machine
            parsed = from_xml(inner, root)
        return parsed if payload is None else {payload: parsed}

    def _rest_answer(
        self, model: OperationModel, result: Mapping[str, Any], headers: dict[str, str]
    ) -> WireAnswer:
        status = int(model.http.get("responseCode", 200))
        shape = model.output_shape
        if shape is None:
            return WireAnswer(status=status, body=b"", headers=headers)
        body: dict[str, Any] = {}
        for member, value in result.items():
            member_shape = shape.members[member]
            match member_shape.serialization.get("location"):
                case "header":
                    name = member_shape.serialization.get("name", member)
                    headers[name] = text(member_shape, value)
                case "statusCode":
                    status = int(value)
                case _:
                    body[member] = value
        payload = shape.serialization.get("payload")
        if payload is not None and isinstance(inner := shape.members[payload], StructureShape):
            shape, body = inner, body.get(payload) or {}
        elif payload is not None and self.protocol == "rest-json":
            sent = body.get(payload) or b""
            raw = sent if isinstance(sent, bytes) else str(sent).encode()
            return WireAnswer(status=status, body=raw, headers=headers)
        if self.protocol == "rest-json":
            written = json.dumps(to_json(shape, body)).encode()
            return WireAnswer(status=status, body=written, headers=headers, content_type=_JSON)
        root = ET.Element(shape.serialization.get("name", shape.name), self._namespace)
        fill(root, shape, body)
        return WireAnswer(status=status, body=_document(root), headers=headers)


def error_answer(
    code: str,
    message: str,
    status: int,
    request_id: str,
    namespace: dict[str, str] | None = None,
) -> WireAnswer:
    """An error in the form that `query` and `rest-xml` share."""
    root = ET.Element("ErrorResponse", namespace or {})
    error = ET.SubElement(root, "Error")
    ET.SubElement(error, "Type").text = "Receiver" if status >= 500 else "Sender"  # noqa: PLR2004 -- HTTP's 5xx
    ET.SubElement(error, "Code").text = code
    ET.SubElement(error, "Message").text = message
    ET.SubElement(root, "RequestId").text = request_id
    return WireAnswer(status=status, body=_document(root), headers={"x-amzn-requestid": request_id})


def _document(root: ET.Element) -> bytes:
    return b'<?xml version="1.0"?>\n' + ET.tostring(root, encoding="unicode").encode()
