"""The simulated web as a real HTTP server on loopback: the ``Host`` header decides who is asked.

It must never listen on anything but loopback by default. Who asks for a host that does not exist
gets no answer at all, as where DNS has none.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import web as http

from route53_takeover.simulation.aws.web.routing import SiteRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.simulation.aws.web.web import Web

_LOG = logging.getLogger(__name__)


class WebServer:
    """Answers for every host of a simulated web.

    Args:
        before: called before each request is answered, so that the owner can move time on.
    """

    def __init__(self, web: Web, *, before: Callable[[], None]) -> None:
        self._web = web
        self._before = before
        self._runner: http.ServerRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listens, and returns the URL; port 0 takes any free one."""
        runner = http.ServerRunner(http.Server(self._serve, access_log=None), shutdown_timeout=0.2)
        await runner.setup()
        self._runner = runner
        await http.TCPSite(runner, host, port).start()
        return f"http://{host}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Closes the server and every connection to it."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: http.BaseRequest) -> http.StreamResponse:
        asked = SiteRequest(
            method=request.method,
            host=_host(request.headers.get("Host", "")),
            path=request.rel_url.raw_path or "/",
            query=request.rel_url.raw_query_string,
            headers={n.lower(): v for n, v in request.headers.items() if n.lower() != "host"},
            body=await request.read(),
        )
        try:
            self._before()
            answer = self._web.ask(asked)
        except Exception as error:  # noqa: BLE001 -- logged whole; the client gets the error of a defect here
            _LOG.exception("%s %s%s failed", asked.method, asked.host, asked.path)
            return http.Response(status=500, text=f"{type(error).__name__}: {error}")
        if answer is None:
            if request.transport is not None:
                request.transport.close()
            return http.Response()
        return http.Response(status=answer.status, headers=answer.headers, body=answer.body)


def _host(header: str) -> str:
    """The host without its port, as the fronts know it."""
    host = header if header.endswith("]") else header.rpartition(":")[0] or header
    return host.lower().removesuffix(".")
