"""Plumbing of the end-to-end tests: the installed command as a process, and what is in its way.

Owns starting, watching, signalling and ending processes, and a relay between a command and a server
that can lose a request or an answer. It knows nothing of a takeover but its command line and its
JSON lines; every process that it starts is ended with the test.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PROGRAM = Path(sys.executable).with_name("route53-takeover")
NO_SERVER = "http://127.0.0.1:9"
"""An endpoint without a server: a process without a configured account fails there."""
_MARK = "END_TO_END_TEST"
_numbers = count(1)


def bare_environment(folder: Path) -> dict[str, str]:
    """An environment with nothing of the developer's: no AWS settings, no options, no proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "ROUTE53_", "XDG_")) and not name.lower().endswith("_proxy")
    }
    machine = folder / "machine"  # no run of another test is met there
    machine.mkdir(mode=0o700, exist_ok=True)
    return kept | {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(machine),
        "TMPDIR": str(machine),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": NO_SERVER,
    }


class Finished(NamedTuple):
    """A process that has ended, and all that it said."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its stdout as JSON lines; fails where a line is not one object."""
        lines = [json.loads(line) for line in self.stdout.splitlines()]
        assert all(isinstance(line, dict) for line in lines), self.stdout
        return lines

    @property
    def result(self) -> dict[str, Any]:
        """The last line, which is the result and agrees with the exit code."""
        assert self.stdout, f"exit {self.code} and nothing on stdout: {self.stderr}"
        last = self.lines[-1]
        assert last["event"] == "result", last
        assert last["exit_code"] == self.code, last
        return last


class Running:
    """The command while it runs; its stdout is read as it comes."""

    def __init__(self, process: subprocess.Popen[str], stderr: Path) -> None:
        self.process = process
        self._stderr = stderr
        self._said: list[str] = []
        self._news = threading.Condition()
        self._is_silent = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        stdout: IO[str] | None = self.process.stdout
        if stdout is not None:
            with stdout:
                for line in stdout:
                    with self._news:
                        self._said.append(line)
                        self._news.notify_all()
        with self._news:
            self._is_silent = True
            self._news.notify_all()

    def await_line(
        self, wanted: Callable[[dict[str, Any]], object], what: str, seconds: float = 30
    ) -> dict[str, Any]:
        """The first JSON line that is wanted; fails where the command ends without one."""
        found: list[dict[str, Any]] = []
        seen = 0

        def arrived() -> bool:
            nonlocal seen
            news, seen = self._said[seen:], len(self._said)
            found.extend(line for line in map(json.loads, news) if wanted(line))
            return bool(found) or self._is_silent

        with self._news:
            in_time = self._news.wait_for(arrived, seconds)
        said = "".join(self._said[-8:]) + self.stderr[-2000:]
        assert found, f"{'it ended without' if in_time else 'in vain waited for'} {what}: {said}"
        return found[0]

    def await_phase(self, phase: str) -> dict[str, Any]:
        return self.await_line(lambda line: line["phase"] == phase, f"phase {phase}")

    @property
    def stderr(self) -> str:
        """What it has said on stderr so far."""
        return self._stderr.read_text("utf-8")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> Finished:
        """Ends it as a power cut would."""
        self.send(signal.SIGKILL)
        finished = self.finish()
        assert finished.code == -signal.SIGKILL, finished
        return finished

    def finish(self, seconds: float = 60) -> Finished:
        """Waits for its end."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self._reader.join()
            said = "".join(self._said[-8:]) + self.stderr[-2000:]
            raise AssertionError(f"it does not end in {seconds} s: {said}") from None
        self._reader.join()
        return Finished(code, "".join(self._said), self.stderr)


class Takeover:
    """The installed command with a state folder of its own. Close it: nothing is left behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state_dir = folder / "state"
        self.mark = f"{os.getpid()}-{next(_numbers)}"
        self.environment = bare_environment(folder) | {_MARK: self.mark}
        self._running: list[Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._running:
            if running.process.poll() is None:
                running.process.kill()
            running.finish()
        for pid in self.leftovers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start(self, command: str, *arguments: str, through: tuple[str, ...] = ()) -> Running:
        """Starts ``route53-takeover COMMAND ...`` in the background.

        Args:
            through: a command line that runs the one that is appended to it, as ``env`` does.
        """
        stderr = self.folder / f"stderr-{len(self._running)}.txt"
        with stderr.open("w") as file:
            process = subprocess.Popen(
                [*through, PROGRAM, command, *arguments, "--state-dir", str(self.state_dir)],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        running = Running(process, stderr)
        self._running.append(running)
        return running

    def run(self, command: str, *arguments: str, seconds: float = 60) -> Finished:
        """Calls ``route53-takeover COMMAND ...`` and waits for its end."""
        return self.start(command, *arguments).finish(seconds)

    @property
    def run_folder(self) -> Path:
        """The folder of the only run."""
        (folder,) = (self.state_dir / "runs").iterdir()
        return folder

    @property
    def journal(self) -> list[dict[str, Any]]:
        """The events of the only run's journal."""
        lines = (self.run_folder / "journal.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line)["event"] for line in lines]

    def leftovers(self) -> list[int]:
        """Processes that this command or its deploys left behind (where there is a /proc)."""
        return [pid for pid, environment in _environments() if self.mark == environment.get(_MARK)]


def _environments() -> Iterator[tuple[int, Mapping[str, str]]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            pairs = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
            yield int(folder.name), dict(pair.split("=", 1) for pair in pairs if "=" in pair)


class Call(NamedTuple):
    """A request that came to a relay.

    Attributes:
        operation: as AWS calls it; the method and path of one that the relay does not know.
        purpose: of a batch of the command's, as its comment says it.
        is_ours: whether the command sent it, and not its deploy.
    """

    operation: str
    purpose: str
    is_ours: bool


DERIVED = ("gap-opened", "gap-closed", "would-write")


def are_in_order(lines: Sequence[Mapping[str, Any]]) -> bool:
    """Whether ``seq`` grows with each line, but for those derived from the event before them."""
    return all(
        before["seq"] < after["seq"]
        or (after["event"] in DERIVED and before["seq"] == after["seq"])
        for before, after in pairwise(lines)
    )


class Relay:
    """Stands between a command and a server on loopback, notes what is changed, and loses things.

    Attributes:
        changes: bodies of the ``ChangeResourceRecordSets`` requests that came, in order.
        lose: what befalls the next batch of ``purpose``; then it is a plain relay again.
        purpose: as the batch's comment says it.

    What can befall a call: ``request``: it does not reach the server, ``answer``: it does, but
    nothing comes back, ``connection``: the same, and the connection is closed; any other word: it
    is refused with this error code.
    """

    def __init__(self, port: int) -> None:
        self.changes: list[str] = []
        self.lose = ""
        self.purpose = "release"
        self._rule: Callable[[Call], str] = lambda _: ""
        self._deciding = threading.Lock()
        self._lost = threading.Event()
        self._over = threading.Event()
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                with suppress(ConnectionError):  # the command may have been killed
                    super().handle()

            def do_GET(self) -> None:
                relay._pass_on(self, port)

            do_POST = do_PUT = do_GET  # noqa: N815 -- the names that the server looks for

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.endpoint_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of(self, purpose: str) -> list[str]:
        """The batches of one purpose that came."""
        return [body for body in self.changes if _purpose(body) == purpose]

    def await_loss(self) -> None:
        """Waits until an answer has stayed away."""
        assert self._lost.wait(30), "nothing came by that could be lost"

    def befall(self, rule: Callable[[Call], str]) -> None:
        """Asks ``rule`` of each call from now on what befalls it; empty where nothing does."""
        with self._deciding:
            self._rule = rule
            self._lost.clear()

    def _decide(self, call: Call) -> str:
        with self._deciding:
            if self.lose and call.purpose == self.purpose:
                lost, self.lose = self.lose, ""
                return lost
            return self._rule(call)

    def _pass_on(self, request: BaseHTTPRequestHandler, port: int) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        text = body.decode()
        operation = _operation(request.command, request.path, text)
        if operation == CHANGE:
            self.changes.append(text)
        is_ours = "route53-takeover/" in (request.headers.get("User-Agent") or "")
        lost = self._decide(Call(operation, _purpose(text), is_ours))
        if lost == "request":
            self._hang(request)
            return
        if lost not in ("", "answer", "connection"):
            _say(request, 400, _REFUSED.format(lost).encode(), {"Content-Type": "text/xml"})
            return
        answer, content = _ask(port, request.command, request.path, body, dict(request.headers))
        if lost == "connection":
            request.close_connection = True
        elif lost == "answer":
            self._hang(request)
        else:
            _say(request, answer.status, content, dict(answer.getheaders()))

    def _hang(self, request: BaseHTTPRequestHandler) -> None:
        """Answers nothing for as long as the test lasts."""
        request.close_connection = True
        self._lost.set()
        self._over.wait(60)


CHANGE = "ChangeResourceRecordSets"
_REFUSED = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{}</Code><Message>Rate exceeded</Message>"
    "</Error><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
)
_PURPOSE = re.compile(r"<Comment>route53-takeover (?:\S+ )?(\S+)</Comment>")
_ROUTE53 = (
    ("POST", r"/hostedzone/[^/]+/rrset/?$", CHANGE),
    ("GET", r"/hostedzone/[^/]+/rrset/?$", "ListResourceRecordSets"),
    ("GET", r"/change/", "GetChange"),
    ("GET", r"/hostedzone/[^/]+$", "GetHostedZone"),
)


def _purpose(body: str) -> str:
    found = _PURPOSE.search(body)
    return found[1] if found else ""


def _operation(method: str, path: str, body: str) -> str:
    query = re.match(r"(?:.*&)?Action=(\w+)", body)
    if query:
        return query[1]
    plain = path.partition("?")[0]
    spelt = (name for verb, form, name in _ROUTE53 if verb == method and re.search(form, plain))
    return next(spelt, f"{method} {plain}")


def _say(
    request: BaseHTTPRequestHandler, status: int, content: bytes, headers: Mapping[str, str]
) -> None:
    request.send_response(status)
    for name, value in headers.items():
        if name.lower() not in ("content-length", "transfer-encoding", "connection"):
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


def _ask(
    port: int, method: str, path: str, body: bytes, headers: dict[str, str]
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()
