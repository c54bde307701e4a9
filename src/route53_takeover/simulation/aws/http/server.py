"""The simulated account's endpoint: real HTTP on loopback, for clients that are not changed.

Owns the sockets, the choice of service and operation for a request, the count of calls and the
faults that befall them. What an operation means is its handler's business, how it is spelt is
`simulation.aws.http.protocols`'s. It must never listen on anything but loopback by default,
and never checks signatures: there is nothing here to protect.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web

from route53_takeover.simulation.aws.http.faults import (
    AnswerDelayed,
    AnswerLost,
    ApiFault,
    Refused,
    RequestLost,
)
from route53_takeover.simulation.aws.http.protocols import Wire, WireRequest, error_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from route53_takeover.simulation.aws.http.faults import Fault, Operation
    from route53_takeover.simulation.aws.http.protocols import WireAnswer

_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/([^/,]+)/([^/,]+)/aws4_request")
_LOG = logging.getLogger(__name__)


class AccountServer:
    """Answers the AWS calls of a simulated account.

    Args:
        operations: handlers by service (the name of its model) and operation.
        before: called before each request is executed, so that the owner can move time on.
        after: called after each request that was carried out (not where its handler refused).
        fault: asked for each call, with ``service:Operation`` and the parameters, what befalls it.

    Attributes:
        calls: how often each ``service:Operation`` was asked for, executed or not.
        abroad: handlers as ``operations`` has them, by region: what a request that is signed for
            that region gets instead. All other regions are one.
    """

    def __init__(
        self,
        operations: Mapping[str, Mapping[str, Operation]],
        *,
        before: Callable[[], None],
        after: Callable[[], None] | None = None,
        fault: Callable[[str, Mapping[str, Any]], Fault | None] | None = None,
    ) -> None:
        self.calls: Counter[str] = Counter()
        self.abroad: dict[str, Mapping[str, Mapping[str, Operation]]] = {}
        self.fault = fault
        self._operations = operations
        self._before = before
        self._after = after
        self._wires = {service: Wire(service) for service in operations}
        self._requests = 0
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens, and returns the endpoint's URL; port 0 takes any free one."""
        runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=0.2)
        await runner.setup()
        self._runner = runner
        await web.TCPSite(runner, host, port).start()
        return f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Closes the endpoint and every connection to it."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        received = WireRequest(
            method=request.method,
            path=request.rel_url.raw_path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        answer = await self._answer(received)
        if answer is None:
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        return web.Response(
            status=answer.status,
            body=answer.body,
            headers=answer.headers,
            content_type=answer.content_type,
        )

    async def _answer(self, request: WireRequest) -> WireAnswer | None:
        """The answer, or ``None`` where the connection is to close without one."""
        self._requests += 1
        request_id = f"00000000-0000-4000-8000-{self._requests:012d}"
        service, operation = self._asked(request)
        signed = _SCOPE.search(request.headers.get("authorization", ""))
        there = self.abroad.get(signed[1] if signed else "", {})
        handler = there.get(service, self._operations.get(service, {})).get(operation)
        if handler is None:
            missing = f"{service}:{operation} is not part of the simulated account"
            _LOG.warning("%s (%s %s)", missing, request.method, request.path)
            spoken = self._wires.get(service)
            answering = error_answer if spoken is None else spoken.error
            return answering("InvalidAction", missing, 501, request_id)
        wire, called = self._wires[service], f"{service}:{operation}"
        self.calls[called] += 1
        parameters = wire.parameters(operation, request)
        fault = None if self.fault is None else self.fault(called, parameters)
        match fault:
            case Refused(code=code, message=message, status=status):
                return wire.error(code, message, status, request_id)
            case RequestLost():
                return None
            case _:
                answer = self._execute(wire, operation, handler, parameters, request_id)
        match fault:
            case AnswerLost():
                return None
            case AnswerDelayed(seconds=seconds):
                await asyncio.sleep(seconds)
            case None:
                pass
        return answer

    def _execute(
        self,
        wire: Wire,
        operation: str,
        handler: Operation,
        parameters: Mapping[str, Any],
        request_id: str,
    ) -> WireAnswer:
        try:
            self._before()
            result = handler(parameters)
            if self._after is not None:
                self._after()
            return wire.answer(operation, result, request_id)
        except ApiFault as fault:
            return wire.error(fault.code, fault.message, fault.status, request_id)
        except Exception as error:  # noqa: BLE001 -- logged whole; the client gets the error of a defect here
            _LOG.exception("%s:%s failed", wire.service, operation)
            what = f"{type(error).__name__}: {error}"
            return wire.error("InternalFailure", what, 500, request_id)

    def _asked(self, request: WireRequest) -> tuple[str, str]:
        """The service and operation a request is for, as far as it says.

        The credential scope names the service; where two sign by the same name, the one that knows
        the path is meant. An unsigned request is given to the first service that knows its action
        or its path.
        """
        signed = _SCOPE.search(request.headers.get("authorization", ""))
        presigned = dict(parse_qsl(request.query)).get("X-Amz-Credential")
        if signed is not None or presigned is not None:
            scope = signed[2] if signed is not None else str(presigned).split("/")[-2]
            for service, wire in self._wires.items():
                if wire.signing_name == scope and (operation := wire.operation(request)):
                    return service, operation
            return scope, self._spelt(request)
        for service, wire in self._wires.items():
            operation = wire.operation(request)
            if operation is not None:
                return service, operation
        return "unknown", self._spelt(request)

    @staticmethod
    def _spelt(request: WireRequest) -> str:
        """What the request calls its operation, for the message that it is unknown."""
        target = request.headers.get("x-amz-target")
        if target is not None:
            return target
        if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
            return request.form.get("Action", request.path)
        return f"{request.method} {request.path}"
