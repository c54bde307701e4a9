"""Checks over real HTTP: what is sent, what passes, and that nothing hostile gets through."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from route53_takeover.adapters import check_process, http_checks
from route53_takeover.adapters.http_checks import WebChecks
from route53_takeover.base.errors import UsageError
from route53_takeover.core.domain.http_checks import Route
from route53_takeover.core.switch.check_syntax import parse_check

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.adapters.conftest import FakeAws

    from route53_takeover.core.domain.http_checks import CheckAnswer

    Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

MEGABYTE = 1_000_000


async def check(
    text: str,
    *,
    route: Route | None = None,
    connect: str = "",
    timeout: float = 5.0,  # noqa: ASYNC109 -- what is tested
    command_limit: float = 5.0,
    **environment: str,
) -> CheckAnswer:
    checks = WebChecks(
        environment=dict(os.environ) | environment,
        site="www.example.com",
        connect=connect,
        timeout=timeout,
        command_limit=command_limit,
    )
    return await checks.carry_out(parse_check(text), route or Route())


class Asked:
    """A server that keeps what it was asked, and answers as a test tells it to."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"hello"

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, request.raw_path, headers, await request.read()))
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@pytest.fixture
async def site() -> AsyncIterator[Asked]:
    asked = Asked()
    runner = web.ServerRunner(web.Server(asked.answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    asked.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield asked
    await runner.cleanup()


@pytest.fixture
async def talking() -> AsyncIterator[Callable[[Talk], Awaitable[str]]]:
    """Starts servers that say what a test wants, byte by byte."""
    servers: list[asyncio.Server] = []

    async def start(talk: Talk) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await talk(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


def saying(*parts: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()

    return talk


@pytest.mark.parametrize(
    ("status", "options", "reason"),
    [
        (200, "", ""),
        (302, "", ""),
        (399, "", ""),
        (400, "", "the status is 400"),
        (403, "", "the status is 403"),
        (500, "", "the status is 500"),
        (401, "--expect-status 401", ""),
        (302, "--expect-status 200,302", ""),
        (200, "--expect-status 201,302", "the status is 200, not 201 or 302"),
        (200, "--expect-body hell", ""),
        (200, "--expect-body 'bye'", "the body does not hold 'bye'"),
        (200, "--expect-header 'X-ENV: green'", ""),
        (200, "--expect-header 'X-Env: blue'", "the header x-env is 'green', not 'blue'"),
        (200, "--expect-header 'X-Other: a'", "the header x-other is missing"),
        (200, "--side-header X-Side", "the header x-side is missing"),
        (
            500,
            "--expect-body b --expect-body hello --expect-header 'X-Env: b'",
            "the status is 500; the header x-env is 'green', not 'b'; the body does not hold 'b'",
        ),
    ],
)
async def test_a_check_passes_where_everything_comes_back_as_expected(
    site: Asked, status: int, options: str, reason: str
) -> None:
    site.status, site.headers = status, {"X-Env": "green"}
    answer = await check(f"{site.url}/up {options}")
    assert (answer.passed, answer.reason, answer.status) == (not reason, reason, status)
    assert 0 < answer.seconds < 5


async def test_a_redirect_is_an_answer_and_is_not_followed(site: Asked) -> None:
    site.status, site.headers = 302, {"Location": f"{site.url}/elsewhere"}
    answer = await check(f"{site.url}/up --expect-status 302")
    assert answer.passed
    assert [path for _, path, *_ in site.requests] == ["/up"]


async def test_what_is_sent_is_what_the_line_says(site: Asked) -> None:
    text = (
        f"POST '{site.url}/a%2Fb/?q=1&r=%20' -H 'Origin: https://www.example.com' "
        "-b 'session=${SESSION}; x=2' -d user=x -d 'password=${PASSWORD}' -A probe"
    )
    assert (await check(text, SESSION="s-1", PASSWORD="p&q")).passed  # noqa: S106 -- made up
    ((method, path, headers, body),) = site.requests
    assert (method, path, body) == ("POST", "/a%2Fb/?q=1&r=%20", b"user=x&password=p&q")
    assert headers["origin"] == "https://www.example.com"
    assert headers["cookie"] == "session=s-1; x=2"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["user-agent"] == "probe"
    assert headers["host"] == site.url.removeprefix("http://")


async def test_a_variable_that_is_not_set_fails_the_check_and_nothing_is_sent(site: Asked) -> None:
    answer = await check(f"{site.url}/ -H 'Authorization: Bearer ${{NO_SUCH}}'")
    assert "the variable NO_SUCH, which is not set" in answer.reason
    assert not answer.passed
    assert not site.requests
    answer = await check(f"{site.url}/ -H 'X-A: ${{ODD}}'", ODD="a\r\nX-Injected: yes")
    assert "line break" in answer.reason
    assert not site.requests


@pytest.mark.parametrize(
    ("base", "strip", "asked", "path"),
    [
        ("", "", "/up?x=1", "/up?x=1"),
        ("/dev", "", "/up?x=1", "/dev/up?x=1"),
        ("/dev/", "", "", "/dev/"),
        ("/dev", "v1", "/v1/up", "/dev/up"),
        ("/dev", "/v1/", "/v1", "/dev/"),
        ("/dev", "v1", "/v10/up", "/dev/v10/up"),
        ("/dev", "v1", "/other", "/dev/other"),
    ],
)
async def test_a_route_leads_a_check_to_another_place(
    site: Asked, base: str, strip: str, asked: str, path: str
) -> None:
    route = Route(base_url=site.url + base, strip_path=strip, headers={"X-Secret": "s"})
    assert (await check(f"https://www.example.com{asked}", route=route)).passed
    ((_, sent, headers, _),) = site.requests
    assert sent == path
    assert headers["host"] == site.url.removeprefix("http://")
    assert headers["x-secret"] == "s"


async def test_every_host_is_reached_at_the_web_server_of_a_rehearsal(site: Asked) -> None:
    for url in ("https://www.example.com/up", "http://d1.cloudfront.net:8080/up"):
        assert (await check(url, connect=f"{site.url}/")).passed
    route = Route(base_url="https://abc.execute-api.eu-west-1.amazonaws.com/dev_2")
    assert (await check("https://www.example.com/up?a=b", route=route, connect=site.url)).passed
    assert [(headers["host"], path) for _, path, headers, _ in site.requests] == [
        ("www.example.com", "/up"),
        ("d1.cloudfront.net:8080", "/up"),
        ("abc.execute-api.eu-west-1.amazonaws.com", "/dev_2/up?a=b"),
    ]


def test_a_web_server_elsewhere_is_refused() -> None:
    with pytest.raises(UsageError, match="not on this machine"):
        WebChecks(environment={}, connect="http://192.0.2.1:80")


async def test_each_check_has_a_connection_of_its_own(server: FakeAws) -> None:
    server.succeed("hello")
    for _ in range(3):
        assert (await check(f"{server.url}/up")).passed
    assert len(server.connections) == 3


async def test_the_host_is_looked_up_anew_for_each_check(
    site: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    real = socket.getaddrinfo

    def counted(host: object, *rest: object) -> object:
        asked.append(host)
        return real("127.0.0.1", *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    port = site.url.rpartition(":")[2]
    for _ in range(2):
        assert (await check(f"http://www.example.com:{port}/")).passed
    assert asked == ["www.example.com"] * 2


async def test_the_marks_are_the_side_header_or_a_digest_of_the_answer(site: Asked) -> None:
    site.headers = {"X-Env": "green"}
    assert (await check(f"{site.url}/ --side-header X-Env")).marks == "green"
    first = (await check(f"{site.url}/")).marks
    assert first == (await check(f"{site.url}/other")).marks
    site.body = b"other"
    second = (await check(f"{site.url}/")).marks
    site.status = 500
    third = (await check(f"{site.url}/")).marks
    assert len({first, second, third}) == 3


# what goes wrong


async def test_a_connection_that_is_refused_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        answer = await check(f"http://127.0.0.1:{port}/")
    assert answer.reason == f"cannot connect to 127.0.0.1:{port}: Connection refused"
    assert (answer.passed, answer.status, answer.marks) == (False, 0, "")


async def test_a_host_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    answer = await check("https://nowhere.example.com/")
    assert "the host nowhere.example.com is not found: Name or service" in answer.reason


def test_a_name_lookup_that_hangs_holds_up_neither_the_check_nor_the_exit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5) and [])
    timer = threading.Timer(3, release.set)  # a run that waits for it ends too late, but ends
    timer.start()
    answer = asyncio.run(check("https://slow.example.com/", timeout=0.2))
    was_waited_for = release.is_set()
    timer.cancel()
    release.set()
    assert answer.reason == "no answer within 0.2 s"
    assert not was_waited_for


@pytest.mark.parametrize("how", ["drop", "reset"])
async def test_a_request_without_an_answer_is_not_sent_again(server: FakeAws, how: str) -> None:
    server.handler = getattr(server, how)
    answer = await check(f"{server.url}/up")
    assert answer.reason == "the connection was closed without an answer"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
async def test_an_answer_that_does_not_come_to_its_end_takes_no_longer_than_allowed(
    talking: Callable[[Talk], Awaitable[str]], beginning: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        await reader.read(-1)  # until the other side closes

    answer = await check(f"{await talking(talk)}/", timeout=0.3)
    assert answer.reason == "no answer within 0.3 s"
    assert 0.3 <= answer.seconds < 2


async def test_a_body_that_drips_takes_no_longer_than_allowed(
    talking: Callable[[Talk], Awaitable[str]],
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    answer = await check(f"{await talking(talk)}/", timeout=0.3)
    assert answer.reason == "no answer within 0.3 s"


async def test_an_answer_that_is_cut_off_does_not_pass(
    talking: Callable[[Talk], Awaitable[str]],
) -> None:
    url = await talking(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"))
    answer = await check(f"{url}/ --expect-body hello")
    assert answer.reason == "the connection was closed in the middle of the answer"


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x00\xff not HTTP at all\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(5000)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\x1b[2J",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhaha",
    ],
    ids=["binary", "ssh", "status", "long header", "many headers", "chunk", "gzip"],
)
async def test_what_is_no_http_does_not_pass_and_reaches_no_screen_raw(
    talking: Callable[[Talk], Awaitable[str]], said: bytes
) -> None:
    answer = await check(f"{await talking(saying(said))}/")
    assert not answer.passed
    assert answer.reason
    assert answer.reason.isprintable()
    assert len(answer.reason) < 400


async def test_hostile_bytes_in_headers_and_body_are_judged_and_shown_plain(
    talking: Callable[[Talk], Awaitable[str]],
) -> None:
    said = (
        b"HTTP/1.1 200 OK\r\nX-Env: \xff\x9b2J\xe2\x80\xae green\r\nContent-Length: 4\r\n\r\n"
        b"\xff\x00\x1b["
    )
    url = await talking(saying(said))
    answer = await check(f"{url}/ --expect-header 'X-Env: green' --side-header X-Env")
    assert not answer.passed
    assert answer.status == 200
    assert answer.reason.isprintable()
    assert answer.marks.isprintable()


async def test_of_a_body_of_100_megabytes_only_the_first_is_taken(
    talking: Callable[[Talk], Awaitable[str]],
) -> None:
    sent = 0
    page = b"needle" + b"x" * MEGABYTE

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000600\r\n\r\n")
        for _ in range(100):
            writer.write(page)
            await writer.drain()
            sent += len(page)

    answer = await check(f"{await talking(talk)}/ --expect-body needle")
    assert answer.passed
    assert sent < 20 * MEGABYTE


async def test_a_body_that_unfolds_to_100_megabytes_is_not_unfolded(site: Asked) -> None:
    bomb = gzip.compress(b"needle" + b"\0" * 100 * MEGABYTE, compresslevel=1)
    assert len(bomb) < MEGABYTE
    site.body, site.headers = bomb, {"Content-Encoding": "gzip"}
    answer = await check(f"{site.url}/ --expect-body needle")
    assert answer.passed
    unfolded = http_checks._decoded(bomb, "gzip")
    assert len(unfolded) == MEGABYTE


async def test_a_server_that_speaks_no_tls_is_told(site: Asked) -> None:
    answer = await check(site.url.replace("http:", "https:") + "/")
    assert not answer.passed
    assert "cannot connect to 127.0.0.1" in answer.reason


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_a_certificate_that_nobody_vouches_for_does_not_pass(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = subprocess.run(  # noqa: ASYNC221 -- nothing else goes on yet
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=localhost", "-days", "1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    answer = await check(f"https://127.0.0.1:{port}/")
    server.close()
    assert not answer.passed
    assert "the certificate of 127.0.0.1 does not hold" in answer.reason


async def test_what_was_sent_in_secret_is_masked_where_the_answer_repeats_it(site: Asked) -> None:
    site.headers = {"X-Echo": "you sent token tok-12345 and session s-98765 by rule-secret"}
    answer = await check(
        f"{site.url}/ -H 'Authorization: Bearer ${{TOKEN}}' -b 'session=s-98765' "
        "--expect-header 'X-Echo: no' --side-header X-Echo",
        route=Route(base_url=site.url, headers={"X-Rule": "rule-secret"}),
        TOKEN="tok-12345",  # noqa: S106 -- made up
    )
    for secret in ("tok-12345", "s-98765", "rule-secret"):
        assert secret not in answer.reason + answer.marks
    assert "x-echo is 'you sent token ***" in answer.reason


async def test_a_check_that_is_given_up_is_given_up(
    talking: Callable[[Talk], Awaitable[str]],
) -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    url = await talking(talk)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await check(f"{url}/")


# commands


async def test_a_command_passes_by_its_exit_status() -> None:
    answer = await check("echo fine")
    assert (answer.passed, answer.reason, answer.marks) == (True, "", "")
    answer = await check("echo one; echo two >&2; exit 3")
    assert (answer.passed, answer.reason) == (False, "exit status 3: one / two")
    assert (await check("kill -SEGV $$")).reason == "signal SIGSEGV ended it"
    assert "exit status 127" in (await check("no-such-command --yes")).reason


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (Route(), "live https://www.example.com"),
        (Route(side="green", base_url="https://abc.example/dev"), "green https://abc.example/dev"),
    ],
)
async def test_a_command_is_told_whom_to_ask(route: Route, told: str) -> None:
    answer = await check('echo "$TAKEOVER_SIDE $TAKEOVER_BASE_URL"; exit 1', route=route)
    assert answer.reason == f"exit status 1: {told}"


async def test_a_command_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = f"sleep 60 & echo $! >{pids}; echo waiting; sleep 60 & echo $! >>{pids}; wait"
    answer = await check(command, command_limit=0.3)
    assert answer.reason == "it did not end within 0.3 s: waiting"
    await until_gone(*map(int, pids.read_text().split()))


async def test_what_a_command_leaves_behind_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    assert (await check(f"sleep 60 & echo $! >{pid}")).passed
    await until_gone(int(pid.read_text()))


async def test_a_command_of_a_check_that_is_given_up_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await check(f"echo $$ >{pid}; sleep 60; :")
    await until_gone(int(pid.read_text()))


async def test_a_process_that_left_the_group_is_not_waited_for(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    python = f"{shutil.which('python3') or 'python3'} -c"
    leave = (
        f"import os,time; os.setsid(); open('{pid}','w').write(str(os.getpid())); time.sleep(60)"
    )
    answer = await check(f'{python} "{leave}" & while [ ! -s {pid} ]; do sleep 0.02; done; exit 1')
    assert answer.reason == "exit status 1"
    assert answer.seconds < 4
    os.kill(int(pid.read_text()), 9)


async def test_of_the_output_the_last_lines_are_kept_without_control_characters() -> None:
    answer = await check("yes | head -c 3000000; printf '\\033[2Jred\\007\\n\\377\\nend'; exit 1")
    assert answer.reason == "exit status 1: red / \ufffd / end"


async def test_a_reason_is_of_a_length_that_can_be_read(site: Asked) -> None:
    options = " ".join(f"--expect-body {letter * 500}" for letter in "abcdefg")
    answer = await check(f"{site.url}/ {options}")
    assert 300 <= len(answer.reason) <= 303


async def test_output_that_is_cut_off_begins_with_a_whole_word() -> None:
    """Its first word may be the rest of a secret whose name is not there any more."""
    answer = await check("head -c 20000 /dev/zero | tr '\\0' x; echo; echo end; exit 1")
    assert answer.reason == "exit status 1: end"


async def test_what_a_command_wrote_last_is_read() -> None:
    """Its end may be known before the loop has looked at the pipe."""
    output = check_process._Output()
    os.write(output.writing_end, b"last words")
    output.begin()
    assert output.taken() == "last words"
    output.close()


async def test_a_secret_that_a_command_prints_is_masked() -> None:
    answer = await check(
        "echo $MY_API_TOKEN; exit 1",
        MY_API_TOKEN="a-long-secret-value",  # noqa: S106 -- made up
    )
    assert answer.reason == "exit status 1: ***"


async def until_gone(*pids: int) -> None:
    """Until none of the processes runs; the dead whom nobody has buried do not count."""
    async with asyncio.timeout(5):
        while any(_runs(pid) for pid in pids):  # noqa: ASYNC110 -- other processes
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(told.stdout.strip()) and not told.stdout.strip().startswith("Z")
