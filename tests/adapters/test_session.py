"""What a call that failed has done is known, and a write is sent once."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from botocore import exceptions as boto

from route53_takeover.adapters import client_config
from route53_takeover.adapters.client_config import READ_ATTEMPTS
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.cloudformation import CloudFormationStacks
from route53_takeover.adapters.error_mapping import CHANGE, translate
from route53_takeover.adapters.operation_allowlist import NotAllowedError
from route53_takeover.adapters.rate_limit import CallBudget
from route53_takeover.adapters.route53 import Route53Records
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.base.errors import (
    AccessDeniedError,
    CredentialsError,
    EndpointError,
    NotFoundError,
    RejectedChangeError,
    ThrottledError,
    UnansweredError,
    UsageError,
)
from route53_takeover.core.domain.record_sets import Change, RecordSet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.conftest import FakeAws

    from route53_takeover.base.errors import ApiError

RECORD = RecordSet(name="www.example.com.", type="A", ttl=60, values=("192.0.2.1",))
BATCH = [Change.delete(RECORD)]
CHANGED = (
    "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status>"
    "<SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>"
    "</ChangeResourceRecordSetsResponse>"
)


@pytest.mark.parametrize("how", ["drop", "reset"])
async def test_a_change_whose_answer_is_lost_is_sent_once_and_unanswered(
    server: FakeAws, aws: AwsSession, how: str
) -> None:
    server.handler = getattr(server, how)
    with pytest.raises(UnansweredError):
        await Route53Records(aws).change("Z1", BATCH, "release")
    assert len(server.requests) == 1
    assert aws.calls == {CHANGE: 1}


@pytest.mark.parametrize("how", ["drop", "reset"])
async def test_a_change_lost_on_a_warm_connection_is_sent_once_too(
    server: FakeAws, aws: AwsSession, how: str
) -> None:
    records = Route53Records(aws)
    server.fail("AccessDenied", "no")
    await records.warm()
    server.handler = getattr(server, how)
    with pytest.raises(UnansweredError):
        await records.change("Z1", BATCH, "release")
    assert [method for method, _, _ in server.requests] == ["GET", "POST"]
    assert len(server.connections) == 1


async def test_a_change_that_is_never_answered_is_sent_once(
    server: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_config, "READ_TIMEOUT", 0.2)

    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    server.handler = hang
    async with AwsSession(
        Credentials(endpoint_url=server.url), SystemClock(), writable=True
    ) as aws:
        with pytest.raises(UnansweredError, match="ChangeResourceRecordSets"):
            await Route53Records(aws).change("Z1", BATCH, "release")
    assert len(server.requests) == 1


async def test_after_a_call_without_an_answer_the_next_goes_out_on_a_new_connection(
    server: FakeAws, aws: AwsSession
) -> None:
    """The network changed: what was open is dead, without an error."""
    records = Route53Records(aws)
    server.succeed(CHANGED)
    await asyncio.gather(*(records.change("Z1", BATCH, "warm") for _ in range(3)))
    dead = set(server.connections)

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        if request.transport.get_extra_info("peername") in dead:
            await asyncio.sleep(30)
        return web.Response(text=CHANGED, content_type="text/xml")

    server.handler = answer
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):  # as the engine gives a restore up
            await records.change("Z1", BATCH, "restore")
    async with asyncio.timeout(10):
        assert await records.change("Z1", BATCH, "restore") == "C1"


@pytest.mark.parametrize("variable", ["AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"])
async def test_no_setting_of_the_environment_makes_a_change_be_sent_twice(
    server: FakeAws, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "5" if variable == "AWS_MAX_ATTEMPTS" else "legacy")
    server.fail("ServiceUnavailable", "busy", 503)
    async with AwsSession(
        Credentials(endpoint_url=server.url), SystemClock(), writable=True
    ) as aws:
        with pytest.raises(UnansweredError):
            await Route53Records(aws).change("Z1", BATCH, "release")
    assert len(server.requests) == 1


async def test_a_session_that_was_not_asked_to_write_sends_no_change(server: FakeAws) -> None:
    server.succeed(CHANGED)
    async with AwsSession(Credentials(endpoint_url=server.url), SystemClock()) as aws:
        records = Route53Records(aws)
        with pytest.raises(NotAllowedError, match="ChangeResourceRecordSets"):
            await records.change("Z1", BATCH, "release")
        await aws.renew()
        async with aws.reading("route53:GetChange") as clients:
            for client in (clients.route53, clients.route53_writes):
                with pytest.raises(NotAllowedError):
                    await client.delete_hosted_zone(Id="Z1")
            with pytest.raises(NotAllowedError):
                await clients.cloudformation.delete_stack(StackName="shop")
        session = aws._open[-1].session
        async with session.create_client("cloudformation", region_name="eu-west-1") as new:
            with pytest.raises(NotAllowedError):
                await new.delete_stack(StackName="shop")
    assert (server.requests, server.connections) == ([], set())
    assert aws.calls == {}


async def test_a_session_that_may_write_may_write_records_only(
    server: FakeAws, aws: AwsSession
) -> None:
    async with aws.writing("route53:ChangeResourceRecordSets") as clients:
        with pytest.raises(NotAllowedError):
            await clients.route53_writes.delete_hosted_zone(Id="Z1")
        with pytest.raises(NotAllowedError):
            await clients.cloudformation.update_stack(StackName="shop")
    assert server.requests == []
    server.succeed(CHANGED)
    assert await Route53Records(aws).change("Z1", BATCH, "release") == "C1"


async def test_a_read_is_tried_again(server: FakeAws, aws: AwsSession) -> None:
    server.fail("ServiceUnavailable", "busy", 503)
    with pytest.raises(UnansweredError):
        await Route53Records(aws).is_insync("C1")
    assert len(server.requests) == READ_ATTEMPTS
    assert aws.calls == {"route53:GetChange": READ_ATTEMPTS}


async def test_where_no_server_listens_nothing_was_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    async with AwsSession(Credentials(endpoint_url=url), SystemClock(), writable=True) as aws:
        with pytest.raises(EndpointError):
            await Route53Records(aws).change("Z1", BATCH, "release")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("Throttling", 400, ThrottledError),
        ("PriorRequestNotComplete", 400, ThrottledError),
        ("InvalidChangeBatch", 400, RejectedChangeError),
        ("InvalidInput", 400, RejectedChangeError),
        ("NoSuchHostedZone", 404, NotFoundError),
        ("AccessDenied", 403, AccessDeniedError),
        ("ExpiredToken", 403, CredentialsError),
        ("InvalidClientTokenId", 403, CredentialsError),
        ("SignatureDoesNotMatch", 403, CredentialsError),
        ("InternalFailure", 500, UnansweredError),
        ("Throttling", 503, UnansweredError),
    ],
)
async def test_an_error_of_route_53_has_one_meaning(
    server: FakeAws, aws: AwsSession, code: str, status: int, expected: type[ApiError]
) -> None:
    server.fail(code, "because of [this]", status)
    with pytest.raises(expected) as caught:
        await Route53Records(aws).change("Z1", BATCH, "release")
    assert type(caught.value) is expected
    assert (caught.value.message, caught.value.code) == ("because of [this]", code)
    assert caught.value.operation == CHANGE
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>"), (403, "<html>no</html>"), (403, "no"), (502, "")]
)
async def test_what_a_proxy_between_us_and_aws_says_is_no_answer(
    server: FakeAws, aws: AwsSession, status: int, body: str
) -> None:
    server.succeed(body, status)
    with pytest.raises(UnansweredError):
        await Route53Records(aws).change("Z1", BATCH, "release")


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ("<Message>it already exists</Message>", "it already exists"),
        ("<Message>one</Message><Message>two</Message>", "InvalidChangeBatch"),
    ],
)
async def test_a_rejected_batch_is_known_in_its_older_form_too(
    server: FakeAws, aws: AwsSession, messages: str, message: str
) -> None:
    server.succeed(
        '<InvalidChangeBatch xmlns="https://route53.amazonaws.com/doc/2013-04-01/">'
        f"<Messages>{messages}</Messages><RequestId>r</RequestId></InvalidChangeBatch>",
        400,
    )
    with pytest.raises(RejectedChangeError) as caught:
        await Route53Records(aws).change("Z1", BATCH, "release")
    assert (caught.value.message, caught.value.code) == (message, "InvalidChangeBatch")


async def test_a_change_reuses_the_connection_that_was_kept_warm(
    server: FakeAws, aws: AwsSession
) -> None:
    records = Route53Records(aws)
    server.fail("NoSuchHostedZone", "gone", 404)
    for _ in range(3):
        await records.warm()
    server.succeed(CHANGED)
    assert await records.change("Z1", BATCH, "release") == "C1"
    assert len(server.requests) == 4
    assert len(server.connections) == 1


async def test_requests_name_this_program(server: FakeAws, aws: AwsSession) -> None:
    agents: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        agents.append(request.headers["User-Agent"])
        return web.Response(text=CHANGED, content_type="text/xml")

    server.handler = answer
    await Route53Records(aws).change("Z1", BATCH, "release")
    assert "route53-takeover/0" in agents[0]


async def test_after_bad_credentials_the_profile_is_read_again(
    server: FakeAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    credentials = tmp_path / "home" / "credentials"
    keys: list[str] = []

    def log_in(key: str) -> None:
        credentials.write_text(f"[p]\naws_access_key_id={key}\naws_secret_access_key=s\n")

    async def answer(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Authorization"].split("Credential=")[1].split("/")[0])
        if keys[-1] == "new":
            return web.Response(text=CHANGED, content_type="text/xml")
        body = "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"
        return web.Response(status=403, text=body, content_type="text/xml")

    server.handler = answer
    log_in("old")
    account = Credentials(profile="p", endpoint_url=server.url)
    async with AwsSession(account, SystemClock(), writable=True) as aws:
        records = Route53Records(aws)
        with pytest.raises(CredentialsError):
            await records.change("Z1", BATCH, "release")
        log_in("new")
        assert await records.change("Z1", BATCH, "release") == "C1"
    assert keys == ["old", "new"]


async def test_calls_in_flight_survive_a_renewal(server: FakeAws, aws: AwsSession) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        arrived.set()
        await go_on.wait()
        return web.Response(text=CHANGED, content_type="text/xml")

    server.handler = answer
    async with asyncio.TaskGroup() as tasks:
        change = tasks.create_task(Route53Records(aws).change("Z1", BATCH, "release"))
        await arrived.wait()
        await aws.renew()
        go_on.set()
    assert change.result() == "C1"
    assert len(aws._open) == 1


async def test_an_unknown_profile_is_a_matter_of_credentials() -> None:
    with pytest.raises(CredentialsError, match="nobody"):
        async with AwsSession(Credentials(profile="nobody"), SystemClock()):
            pass


async def test_no_credentials_at_all_say_so(
    aws: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    await aws.renew()
    with pytest.raises(CredentialsError) as caught:
        await CloudFormationStacks(aws).describe("s")
    assert "AWS_PROFILE" in caught.value.hint


async def test_a_missing_region_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(UsageError) as caught:
        async with AwsSession(Credentials(), SystemClock()):
            pass
    assert "--region" in caught.value.hint


async def test_an_endpoint_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        async with AwsSession(Credentials(endpoint_url="nonsense"), SystemClock()):
            pass


async def test_the_hint_for_an_sso_profile_is_to_log_in(
    server: FakeAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "home" / "config").write_text(
        "[profile work]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n"
        "[sso-session s]\nsso_region=eu-central-1\nsso_start_url=https://127.0.0.1:1/start\n"
    )
    account = Credentials(profile="work", endpoint_url=server.url)
    async with AwsSession(account, SystemClock()) as aws:
        with pytest.raises(CredentialsError) as caught:
            await Route53Records(aws).is_insync("C1")
    assert caught.value.hint == "run: aws sso login --profile work"
    assert server.requests == []


def test_a_reset_connection_is_not_mistaken_for_one_that_was_never_made() -> None:
    below = aiohttp.ClientOSError(104, "Connection reset by peer")
    error = boto.EndpointConnectionError(endpoint_url="https://r", error=below)
    assert isinstance(translate(error, CHANGE), UnansweredError)


@pytest.mark.parametrize(
    "error",
    [
        boto.ConnectTimeoutError(endpoint_url="https://r"),
        boto.EndpointConnectionError(endpoint_url="https://r", error=socket.gaierror()),
    ],
)
def test_a_connection_that_was_never_made_has_sent_nothing(error: Exception) -> None:
    assert isinstance(translate(error, CHANGE), EndpointError)


@pytest.mark.parametrize(
    "error",
    [
        boto.ReadTimeoutError(endpoint_url="https://r"),
        boto.ConnectionClosedError(endpoint_url="https://r"),
        boto.HTTPClientError(error=ValueError("odd")),
        TimeoutError(),
        RuntimeError("anything"),
    ],
)
def test_in_doubt_a_change_is_unanswered(error: Exception) -> None:
    assert isinstance(translate(error, CHANGE), UnansweredError)


def test_a_failed_call_for_credentials_is_not_taken_for_the_change() -> None:
    denied = boto.ClientError(
        {"Error": {"Code": "AccessDenied", "Message": "not\nallowed"}}, "AssumeRole"
    )
    error = translate(denied, CHANGE, login_hint="log in")
    assert isinstance(error, CredentialsError)
    assert (error.message, error.hint) == ("not allowed", "log in")


def test_a_wrong_clock_is_named_as_such() -> None:
    skewed = boto.ClientError(
        {"Error": {"Code": "SignatureDoesNotMatch", "Message": "Signature expired: 1 is now 2"}},
        "ChangeResourceRecordSets",
    )
    assert "clock" in translate(skewed, CHANGE).hint


async def test_a_budget_lets_a_burst_through_and_then_keeps_the_rate() -> None:
    clock = SystemClock(speed=50)
    budget = CallBudget(clock, rate=10, burst=5)
    start = clock.now()
    for _ in range(5):
        await budget.take()
    assert clock.now() - start < 1
    for _ in range(20):
        await budget.take()
    assert clock.now() - start >= 1.9


async def test_a_change_never_waits_for_the_budget(server: FakeAws) -> None:
    clock = SystemClock()
    empty = CallBudget(clock, rate=0.001, burst=1)
    await empty.take()
    server.succeed(CHANGED)
    account = Credentials(endpoint_url=server.url)
    async with (
        AwsSession(account, clock, writable=True, read_budgets={"route53": empty}) as aws,
        asyncio.timeout(5),
    ):
        await Route53Records(aws).change("Z1", BATCH, "release")


async def test_a_fast_clock_runs_and_sleeps_at_its_speed() -> None:
    real, fast = SystemClock(), SystemClock(speed=100)
    real_start, fast_start = real.now(), fast.now()
    await fast.sleep(10)
    assert fast.now() - fast_start >= 10
    assert 0.09 < real.now() - real_start < 1


@pytest.mark.parametrize(
    "text",
    ["2026-11-28T12:00:00.123Z", "2026-11-28T13:00:00.123+01:00", "1795867200.123"],
)
async def test_the_times_of_answers_are_read_in_every_form(server: FakeAws, text: str) -> None:
    server.succeed(CHANGED.replace("2026-01-01T00:00:00Z", text))
    account = Credentials(endpoint_url=server.url)
    async with (
        AwsSession(account, SystemClock()) as aws,
        aws.reading("route53:GetChange") as clients,
    ):
        answer = await clients.route53.get_change(Id="C1")
    assert answer["ChangeInfo"]["SubmittedAt"].timestamp() == 1795867200.123
