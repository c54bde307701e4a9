"""A real browser for the tests: headless Chromium, driven by its own protocol.

Owns where the program comes from and its process. It reaches nothing but 127.0.0.1 and files.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import os
import shutil
import subprocess
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from tests.e2e.installed import NotInstallableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_STARTS = 30.0
_ANSWERS = 20.0
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
)


def chromium() -> str:
    """The program; on a CI machine without one it is installed from Debian's packages.

    Raises:
        NotInstallableError: there is none.
    """
    if (found := _found()) is not None:
        return found
    if os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        lock = Path(tempfile.gettempdir()) / "route53-takeover-tests-chromium.lock"
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # of other workers
            if _found() is None:
                _install()
        if (found := _found()) is not None:
            return found
    raise NotInstallableError("there is no Chromium (apt-get install chromium)")


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def _install() -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (
        ("update", "-qq"),
        ("install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"),
    ):
        subprocess.run(("apt-get", *words), env=quiet, capture_output=True, check=False)


class Page:
    """A page in the browser.

    Attributes:
        requests: every URL that it asked for.
        complaints: what it logged, and exceptions.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._loaded = False
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        while True:
            told = await asyncio.wait_for(self._socket.receive_json(), _ANSWERS)
            self._take(told)
            if told.get("id") == self._number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    def _take(self, told: dict[str, Any]) -> None:
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(told["params"]["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(str(told["params"]))
            case "Page.loadEventFired":
                self._loaded = True
            case _:
                pass

    async def open(self, path: Path, *, width: int, dark: bool) -> None:
        """Shows a file in a window of this width, and waits until it is there."""
        for domain in ("Network", "Log", "Runtime", "Page"):
            await self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844,
            deviceScaleFactor=2,
            mobile=width < 600,
        )
        self.requests, self.complaints, self._loaded = [], [], False
        await self.call("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self._take(await asyncio.wait_for(self._socket.receive_json(), _ANSWERS))

    async def value(self, expression: str) -> Any:
        """What an expression comes to in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def picture(self, path: Path) -> None:
        """All of the page as PNG."""
        answer = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def printed(self) -> bytes:
        """The page on paper, as PDF."""
        answer = await self.call("Page.printToPDF", printBackground=True)
        return base64.b64decode(answer["data"])


@asynccontextmanager
async def browsing(program: str, folder: Path) -> AsyncIterator[Page]:
    """A page in a new browser, whose profile is in ``folder``."""
    process = await asyncio.create_subprocess_exec(
        program,
        *_FLAGS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port = await _port(folder / "DevToolsActivePort", process)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                targets = await answer.json(content_type=None)
            url = next(t["webSocketDebuggerUrl"] for t in targets if t["type"] == "page")
            async with session.ws_connect(url, max_msg_size=1 << 28) as socket:
                yield Page(socket)
    finally:
        process.kill()
        await process.wait()


async def _port(file: Path, process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(_STARTS):
        while process.returncode is None:
            if port := await asyncio.to_thread(_told, file):
                return port
            await asyncio.sleep(0.05)
    raise AssertionError("the browser has ended")


def _told(file: Path) -> str:
    """The port, once the browser has written it."""
    with suppress(OSError):
        return next(iter(file.read_text().splitlines()), "")
    return ""
