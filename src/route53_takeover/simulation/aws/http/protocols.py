"""AWS's wire protocols, seen from the server: requests to parameters, results to XML.

Owns the protocols `query` and `rest-xml`, generic over botocore's service models, which say of
every operation how it is spelt on the wire; single values are read and written by
`simulation.aws.http.shapes`. It must never know what an operation does, nor who answers it;
it opens no socket.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree as ET

from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, StructureShape
from msgspec import Struct

from route53_takeover.simulation.aws.http.shapes import fill, from_form, from_xml, scalar, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel

MODELS = Path(__file__).parent / "models"
"""What AWS has and the SDK in use may not know yet; the program has its own copy of a part."""


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
    """An HTTP answer; the body is XML."""

    status: int
    body: bytes
    headers: dict[str, str]


class Wire:
    """One service's side of the conversation."""

    def __init__(self, service: str) -> None:
        self.service = service
        loader = Loader(extra_search_paths=[str(MODELS)])
        self.model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        self.protocol = self.model.metadata["protocol"]
        if self.protocol not in ("query", "rest-xml"):
            raise ValueError(f"{service} speaks {self.protocol}, which is not built")

    def operation(self, request: WireRequest) -> str | None:
        """The operation that is asked for, where the service's model has it."""
        if self.protocol == "query":
            action = request.form.get("Action")
            return action if action in self.model.operation_names else None
        for method, path, name in self._routes:
            if method == request.method and path.fullmatch(request.path.rstrip("/")):
                return name
        return None

    def parameters(self, operation: str, request: WireRequest) -> dict[str, Any]:
        """The operation's parameters, as a caller of botocore would have given them."""
        model = self.model.operation_model(operation)
        if model.input_shape is None:
            return {}
        if self.protocol == "query":
            parsed = from_form(model.input_shape, request.form, "")
            return parsed if isinstance(parsed, dict) else {}
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
        return self._rest_answer(model, result, headers)

    def error(self, code: str, message: str, status: int, request_id: str) -> WireAnswer:
        """The error that botocore raises as `ClientError` with this code and message."""
        return error_answer(code, message, status, request_id, self._namespace)

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
    def _routes(self) -> list[tuple[str, re.Pattern[str], str]]:
        """Method, path and name of every operation; paths with the fewest labels come first."""
        routes = []
        for name in self.model.operation_names:
            http = self.model.operation_model(name).http
            path = http["requestUri"].partition("?")[0].rstrip("/")
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
            pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", pattern)
            routes.append((http["method"], re.compile(pattern), name))
        return sorted(routes, key=lambda route: route[1].groups)

    def _rest_parameters(
        self, model: OperationModel, shape: StructureShape, request: WireRequest
    ) -> dict[str, Any]:
        route = next(path for _, path, name in self._routes if name == model.name)
        match = route.fullmatch(request.path.rstrip("/"))
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
            root = ET.fromstring(request.body)  # noqa: S314 -- from a client on this machine
            payload = shape.serialization.get("payload")
            if payload is not None:
                parsed[payload] = from_xml(shape.members[payload], root)
            else:
                parsed |= from_xml(shape, root)
        return parsed

    def _rest_answer(
        self, model: OperationModel, result: Mapping[str, Any], headers: dict[str, str]
    ) -> WireAnswer:
        status = int(model.http.get("responseCode", 200))
        shape = model.output_shape
        if shape is None:
            return WireAnswer(status=status, body=b"", headers=headers)
        body = {}
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
