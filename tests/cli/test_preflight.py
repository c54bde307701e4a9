"""Before anything is written: what is not there, who may not, and who does not answer."""

from __future__ import annotations

import signal
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import SECRET, plain_error

from route53_takeover.sim.wire.faults import AnswerDelayed, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.cli.program import Cloud, Ended, Program

RUN = ("run", "--auto", "--output=json")
FULL = ("--stack=shop", "--record=www.example.com", "--deploy=true")


def nothing_happened(program: Program, ended: Ended) -> None:
    """Nothing is left behind, in the account or here."""
    assert ended.result["run"] is None
    assert ended.result["records"] == []
    assert len(ended.lines) == 1
    assert program.folders() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--stack=nowhere", "--skip-off"), ("stack nowhere", "us-east-1")),
        (("--zone=ZUNKNOWN",), ("ZUNKNOWN", "www.example.com")),
        (("--zone=example.org",), ("example.org", "www.example.com")),
        (("--record=nothing.example.com",), ("nothing.example.com", "holds nothing")),
        (("--record=www.example.com/TXT",), ("no TXT", "it holds A there")),
        (("--record=www.example.com/BOGUS",), ("no BOGUS", "it holds A there")),
        (("--record=www.example.org",), ("www.example.org", "no public hosted zone")),
        (("--record=www.example.com", "--record=www.example.net"), ("www.example.net", "not in")),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_refused_and_what_is_there_is_said(
    program: Program, account: Cloud, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    given = {option.partition("=")[0] for option in options}
    rest = [word for word in account.target() if word.partition("=")[0] not in given]
    ended = program(*RUN, *rest, *options)
    plain_error(ended, 3, *words)
    nothing_happened(program, ended)
    assert ended.result["outcome"] == "refused"
    assert account.writes() == ["a person"]


def test_a_plan_that_refuses_says_so_in_its_object(program: Program, account: Cloud) -> None:
    target = [word for word in account.target() if not word.startswith("--record")]
    ended = program("plan", "--output=json", *target, "--record=www.example.org")
    assert ended.code == 3
    (told,) = ended.lines
    assert (told["event"], told["refused"]) == ("plan", True)
    assert "www.example.org" in told["reasons"][0]
    assert "error: " in ended.err


OPERATIONS = (
    "sts:GetCallerIdentity",
    "route53:ListHostedZones",
    "route53:GetHostedZone",
    "route53:ListResourceRecordSets",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStackEvents",
)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_permission_names_the_action_and_the_resource(
    program: Program, account: Cloud, operation: str
) -> None:
    what = "User: arn:aws:iam::123456789012:user/x is not authorized on resource arn:aws:x:::y"
    account.befall(refusing(operation, "AccessDenied", what, 403))
    ended = program(*RUN, *account.target("--skip-off"))
    plain_error(ended, 3, "arn:aws:x:::y", hint=f"allow {operation} ")
    nothing_happened(program, ended)


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_bad_credentials_are_told_before_anything_is_written(
    program: Program, account: Cloud, code: str
) -> None:
    for service in ("sts", "route53"):
        account.befall(refusing(service, code, "The security token included is bad", 403))
        ended = program(*RUN, *account.target())
        plain_error(ended, 1, "security token", hint="--profile")
        nothing_happened(program, ended)


def test_expired_credentials_of_single_sign_on_say_how_to_log_in(
    program: Program, account: Cloud
) -> None:
    (program.home / "aws-config").write_text(
        "[profile work]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = x\n"
        "region = us-east-1\n"
        "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://127.0.0.1/start\n"
    )
    ended = program(*RUN, *account.target("--profile=work"))
    plain_error(ended, 1, hint="aws sso login --profile work")
    nothing_happened(program, ended)


def test_a_profile_that_would_ask_for_a_code_is_refused_where_nobody_can_answer(
    program: Program, account: Cloud
) -> None:
    (program.home / "aws-config").write_text(
        "[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\n"
        "source_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/x\n"
        "region = us-east-1\n"
        f"[profile base]\naws_access_key_id = A\naws_secret_access_key = {SECRET}\n"
    )
    ended = program(*RUN, *account.target("--profile=admin"))
    plain_error(ended, 3, "profile admin", "MFA code", hint="get-session-token")
    nothing_happened(program, ended)


def test_without_credentials_region_or_profile_the_first_line_says_which(program: Program) -> None:
    plain_error(program(*RUN, *FULL, "--profile=unheard-of"), 1, "unheard-of", hint="--profile")
    del program.env["AWS_REGION"]
    plain_error(program(*RUN, *FULL), 2, "no AWS region", hint="--region")
    program.env["AWS_REGION"] = "us-east-1"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        del program.env[name]
    for command in (RUN, ("plan", "--output=json")):
        ended = program(*command, *FULL)
        plain_error(ended, 1, "credentials", hint="--profile")
        assert ended.result["run"] is None
    assert program.folders() == []


def test_an_endpoint_where_nobody_is_ends_soon(program: Program) -> None:
    ended = program(*RUN, *FULL, "--endpoint-url=http://127.0.0.1:9")
    plain_error(ended, 1, "http://127.0.0.1:9", hint="--endpoint-url")
    nothing_happened(program, ended)


def test_an_endpoint_that_speaks_something_else_ends_soon(program: Program) -> None:
    with endpoint(b"220 mail.example.com ESMTP\r\n") as url:
        ended = program(*RUN, *FULL, f"--endpoint-url={url}")
    plain_error(ended, 1, "sts:GetCallerIdentity", hint="--endpoint-url")
    nothing_happened(program, ended)


def test_an_endpoint_that_answers_a_web_page_ends_soon(program: Program) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n<html>hello</html>\n"
    with endpoint(page) as url:
        ended = program(*RUN, *FULL, f"--endpoint-url={url}")
    plain_error(ended, 1, hint="--endpoint-url")
    nothing_happened(program, ended)


def test_an_endpoint_that_never_answers_ends_in_seconds(program: Program) -> None:
    with endpoint(None) as url:
        began = time.monotonic()  # noqa: TID251 -- how long a person waits
        ended = program(*RUN, *FULL, f"--endpoint-url={url}")
        assert time.monotonic() - began < 20  # noqa: TID251
    plain_error(ended, 1, "sts:GetCallerIdentity", hint="--endpoint-url")
    nothing_happened(program, ended)


@pytest.mark.parametrize(
    ("number", "hanging"),
    [
        (signal.SIGINT, "sts:GetCallerIdentity"),
        (signal.SIGTERM, "route53:GetHostedZone"),
        (signal.SIGHUP, "cloudformation:DescribeStacks"),
    ],
)
def test_a_signal_during_preflight_ends_it_at_once_with_nothing_written(
    program: Program, account: Cloud, number: signal.Signals, hanging: str
) -> None:
    reached = threading.Event()

    def delay(operation: str, _: Mapping[str, Any]) -> AnswerDelayed | None:
        if operation != hanging:
            return None
        reached.set()
        return AnswerDelayed(seconds=15)

    account.befall(delay)
    process = program.start(*RUN, *account.target())
    assert reached.wait(20)
    process.send_signal(number)
    ended = program.end_of(process, timeout=5)
    plain_error(ended, 130, number.name, "nothing was written")
    nothing_happened(program, ended)
    assert ended.result["outcome"] == "aborted"


def refusing(
    what: str, code: str, message: str, status: int = 400
) -> Callable[[str, Mapping[str, Any]], Refused | None]:
    """Every call of an operation, or of a service, is answered with an error."""

    def fault(operation: str, _: Mapping[str, Any]) -> Refused | None:
        if what in (operation, operation.partition(":")[0]):
            return Refused(code=code, message=message, status=status)
        return None

    return fault


@contextmanager
def endpoint(answer: bytes | None) -> Iterator[str]:
    """A listener that says this to everybody, or never anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stopped = threading.Event()
        kept: list[socket.socket] = []

        def serve() -> None:
            while not stopped.is_set():
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    continue
                kept.append(client)
                if answer is not None:
                    client.settimeout(0.5)
                    client.recv(65536)
                    client.sendall(answer)
                    client.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stopped.set()
            thread.join()
            for client in kept:
                client.close()
