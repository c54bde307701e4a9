"""A scrubbed environment for every test here, and a server that answers as a test tells it to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import botocore.session
import pytest
from aiohttp import web
from botocore.loaders import Loader

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.session import AwsSession, Credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


_LOADER = Loader()


@pytest.fixture(autouse=True)
def scrubbed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No AWS setting, profile or proxy of the developer's; made-up keys and region."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@pytest.fixture(autouse=True)
def _one_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session takes the service models from one loader, which reads each file once."""
    monkeypatch.setattr(botocore.session, "create_loader", lambda _path: _LOADER)


class FakeAws:
    """Counts what arrives and answers with ``handler``."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, str, str]] = []
        self.connections: set[object] = set()
        self.handler: Handler = self.drop

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path, await request.text()))
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        return await self.handler(request)

    async def drop(self, request: web.Request) -> web.StreamResponse:
        """Reads the request to its end and hangs up."""
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def reset(self, request: web.Request) -> web.StreamResponse:
        """The same with a TCP reset."""
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    def fail(self, code: str, message: str, status: int = 400) -> None:
        """From now on answers with this error, as the query and the REST-XML protocols have it."""
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
            f"<Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
        )
        self.succeed(body, status)

    def succeed(self, body: str, status: int = 200) -> None:
        """From now on answers with this body."""

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text=body, content_type="text/xml")

        self.handler = answer


@pytest.fixture
async def server() -> AsyncIterator[FakeAws]:
    fake = FakeAws()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    fake.url = f"http://{host}:{port}"
    yield fake
    await runner.cleanup()


@pytest.fixture
async def aws(server: FakeAws) -> AsyncIterator[AwsSession]:
    """A session that may write; its every request goes to `server`."""
    account = Credentials(endpoint_url=server.url)
    async with AwsSession(account, SystemClock(), writable=True) as session:
        yield session


@pytest.fixture
async def stubbed() -> AsyncIterator[AwsSession]:
    """A session for stubbed clients: it has no endpoint that could be reached."""
    nowhere = Credentials(endpoint_url="http://127.0.0.1:1")
    async with AwsSession(nowhere, SystemClock(), writable=True) as session:
        yield session
