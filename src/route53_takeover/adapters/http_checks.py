"""HTTP checks of a live site, as its users ask: the `HttpChecks` port.

Each check is one request on a connection of its own, its host looked up anew, so that neither a
kept connection nor a cache hides where users are led now. Nothing is sent twice, and no redirect is
followed. Whatever goes wrong is an answer that did not pass, never an exception.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

import route53_takeover
from route53_takeover.adapters.check_process import LIMIT, run_check
from route53_takeover.adapters.endpoint import is_loopback, proxy_for
from route53_takeover.base.errors import UsageError, one_line
from route53_takeover.base.threads import in_thread
from route53_takeover.core.domain.http_answers import (
    MOST_BODY,
    Received,
    concluded,
    told,
    url_by,
)
from route53_takeover.core.domain.http_checks import CheckAnswer
from route53_takeover.core.domain.http_secrets import filled
from route53_takeover.core.ports import HttpChecks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aiohttp.client import ClientTimeout
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from route53_takeover.core.domain.http_checks import Check, Route

TIMEOUT = 10.0
"""The loop's seconds for a request, its name lookup and its body included."""
_CHUNK = 64 * 1024
_HEADERS = {
    "User-Agent": f"route53-takeover/{route53_takeover.__version__}",
    "Accept-Encoding": "gzip",
}
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
_UNUSABLE = "the answer is no HTTP that can be read"


class WebChecks(HttpChecks):
    """Carries out checks over the network.

    Args:
        environment: of the commands, and of the variables that checks name.
        site: the production name: where commands are told to ask on the way that users go.
        connect: the ``http://ADDRESS:PORT`` on this machine at which every host is reached, its
            ``Host`` header preserved, where the account is a simulated one.
        cwd: where commands run; ``None`` is here.
        timeout: the loop's seconds for a request.
        command_limit: the same for a command.

    Raises:
        UsageError: ``connect`` is not on this machine.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        site: str = "",
        connect: str = "",
        cwd: Path | None = None,
        timeout: float = TIMEOUT,
        command_limit: float = LIMIT,
    ) -> None:
        if connect and not is_loopback(connect):
            raise UsageError(
                f"the web server {connect} is not on this machine", "Sites are found by DNS."
            )
        self._environment = environment
        self._site = site
        self._connect = connect.rstrip("/")
        self._cwd = cwd
        self._timeout = timeout
        self._command_limit = command_limit

    async def carry_out(self, check: Check, route: Route) -> CheckAnswer:
        """One check by one way; never raises."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            asked = filled(check, self._environment)
        except UsageError as error:
            return CheckAnswer(passed=False, reason=one_line(error))
        try:
            if asked.command:
                reason = await self._command(asked.command, route)
                return CheckAnswer(
                    passed=not reason,
                    reason=told(reason, asked, route),
                    seconds=loop.time() - began,
                )
            async with asyncio.timeout(self._timeout):
                received = await self._request(asked, route)
            return concluded(asked, route, received, loop.time() - began)
        except Exception as error:  # noqa: BLE001 -- any failure is what came of the check
            reason = told(self._failure(error), asked, route)
            return CheckAnswer(passed=False, reason=reason, seconds=loop.time() - began)

    async def _request(self, check: Check, route: Route) -> Received:
        url = url_by(check.url, route)
        headers = _HEADERS | _by_canonical_name({**check.headers, **route.headers})
        if self._connect:
            parts = urlsplit(url)
            headers["Host"] = parts.netloc
            url = self._connect + urlunsplit(("", "", parts.path, parts.query, ""))
        async with (
            aiohttp.ClientSession(
                connector=_OneConnection(resolver=_Resolver(), force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),
            ) as session,
            session.request(
                check.method,
                URL(url),
                headers=headers,
                data=check.data.encode() if check.data else None,
                allow_redirects=False,
                proxy=proxy_for(url) or None,
            ) as response,
        ):
            body = await _beginning(response)
            return Received(
                status=response.status,
                headers=tuple((_text(name), _text(value)) for name, value in response.raw_headers),
                body=_decoded(body, response.headers.get("Content-Encoding", "")),
            )

    async def _command(self, command: str, route: Route) -> str:
        """Why it did not pass."""
        base_url = route.base_url or (f"https://{self._site}" if self._site else "")
        told_to_it = {"TAKEOVER_BASE_URL": base_url, "TAKEOVER_SIDE": route.side}
        if self._connect:  # a client that knows proxies reaches every host there, too
            told_to_it["TAKEOVER_BASE_URL"] = base_url.replace("https://", "http://", 1)
            told_to_it |= {"http_proxy": self._connect, "no_proxy": "", "NO_PROXY": ""}
        try:
            ended = await run_check(
                command,
                {**self._environment, **told_to_it},
                cwd=self._cwd,
                limit=self._command_limit,
            )
        except (OSError, ValueError) as error:
            return f"cannot start the command: {one_line(error)}"
        if ended.code == 0:
            return ""
        if ended.code is None:
            how = f"it did not end within {self._command_limit:g} s"
        elif ended.code < 0:
            how = f"signal {_signal_name(-ended.code)} ended it"
        else:
            how = f"exit status {ended.code}"
        said = " / ".join(ended.tail.splitlines())
        return f"{how}: {said}" if said else how

    def _failure(self, error: Exception) -> str:
        """What went wrong with a request, in words."""
        match error:
            case TimeoutError():
                return f"no answer within {self._timeout:g} s"
            case aiohttp.ClientConnectorDNSError():
                return f"the host {error.host} is not found: {_cause(error)}"
            case aiohttp.ClientConnectorCertificateError():
                return f"the certificate of {error.host} does not hold: {_cause(error)}"
            case aiohttp.ClientConnectorError():
                return f"cannot connect to {error.host}:{error.port}: {_cause(error)}"
            case aiohttp.ServerDisconnectedError() | ConnectionError():
                return "the connection was closed without an answer"
            case aiohttp.ClientPayloadError():
                return "the connection was closed in the middle of the answer"
            case aiohttp.ClientResponseError() | zlib.error():
                return f"{_UNUSABLE}: {one_line(error)}"
            case _:
                return f"it could not be asked: {type(error).__name__}: {one_line(error)}"


class _OneConnection(aiohttp.TCPConnector):
    """Connects once.

    Where a connection is closed without an answer, the library would ask again by itself, and hide
    the very thing that is looked for.
    """

    _is_spent = False

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109 -- the library's
    ) -> Connection:
        if self._is_spent:
            raise aiohttp.ServerDisconnectedError
        self._is_spent = True
        return await super().connect(req, traces, timeout)


class _Resolver(AbstractResolver):
    """Asks the system in a thread that no exit of the process waits for."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await in_thread(lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The body as it was sent, up to the most that is looked at; the rest is never taken."""
    body = bytearray()
    while chunk := await response.content.read(min(_CHUNK, MOST_BODY - len(body))):
        body += chunk
    response.close()
    return bytes(body)


def _decoded(body: bytes, encoding: str) -> bytes:
    """The body without its compression: of one that unfolds to gigabytes only the beginning."""
    if encoding.strip().lower() not in ("gzip", "deflate", "x-gzip"):
        return body
    return zlib.decompressobj(_ZLIB_OR_GZIP).decompress(body, MOST_BODY)


def _by_canonical_name(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, those that are always sent by the name that they have there."""
    ours = {name.lower(): name for name in _HEADERS}
    return {ours.get(name.lower(), name): value for name, value in headers.items()}


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="backslashreplace")


def _cause(error: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError) -> str:
    cause = (
        error.certificate_error
        if isinstance(error, aiohttp.ClientConnectorCertificateError)
        else error.os_error
    )
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError | socket.gaierror):
        return os.strerror(cause.errno) if cause.errno else one_line(cause)
    return getattr(cause, "strerror", None) or one_line(cause)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
