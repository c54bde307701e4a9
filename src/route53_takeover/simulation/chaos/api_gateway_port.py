"""API Gateway of the simulated account, in process, by way of a transport that may fail.

The real adapter asks, and what it asks is carried out by the operations that the wire server has:
pages, spelling and the meaning of an error are those of the real one. Nothing here waits but what
the way itself takes.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import ClientError

from route53_takeover.adapters.api_gateway import ApiGatewayMappings
from route53_takeover.adapters.error_mapping import translate
from route53_takeover.simulation.aws.api_gateway import v1_api, v2_api
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.chaos.way import Way

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from route53_takeover.core.ports import ApiGateway
    from route53_takeover.simulation.aws.api_gateway.store import ApiGatewayStore
    from route53_takeover.simulation.aws.http.faults import Operation


def simulated_api_gateway(
    store: ApiGatewayStore, way: Way | None = None, *, by: str = "client"
) -> ApiGateway:
    """The port over a store; the store's history names ``by`` as who wrote."""
    services = {
        "apigateway": v1_api.operations(store, by=by),
        "apigatewayv2": v2_api.operations(store, by=by),
    }
    return ApiGatewayMappings(_InProcess(services, way or Way()))


class _InProcess:
    """A session whose clients call the operations themselves."""

    def __init__(self, services: Mapping[str, Mapping[str, Operation]], way: Way) -> None:
        self._way = way
        made = {name: self._client(name, found) for name, found in services.items()}
        writing = {f"{name}_writes": client for name, client in made.items()}
        self._clients: Any = SimpleNamespace(switch=SimpleNamespace(**made, **writing))

    @asynccontextmanager
    async def reading(self, operation: str) -> AsyncIterator[Any]:
        """The clients for one call."""
        try:
            yield self._clients
        except ApiFault as fault:
            raise _translated(fault, operation) from fault

    writing = reading

    def _client(self, service: str, operations: Mapping[str, Operation]) -> SimpleNamespace:
        methods = {
            xform_name(name): self._method(f"{service}:{name}", operation)
            for name, operation in operations.items()
        }
        return SimpleNamespace(**methods)

    def _method(self, name: str, operation: Operation) -> Callable[..., Awaitable[Any]]:
        async def call(**params: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- as an SDK's client
            return await self._way.carry(name, lambda: operation(params))

        return call


def _translated(fault: ApiFault, operation: str) -> Exception:
    """What the real session makes of this answer."""
    answer: Any = {
        "Error": {"Code": fault.code, "Message": fault.message},
        "ResponseMetadata": {"HTTPStatusCode": fault.status},
    }
    return translate(ClientError(answer, operation.partition(":")[2]), operation)
