"""Who we are, for how long, and whether an MFA code is needed for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from route53_takeover.adapters.identity import identify, needs_mfa
from route53_takeover.base.errors import CredentialsError, EndpointError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.conftest import FakeAws

ME = (
    "<GetCallerIdentityResponse><GetCallerIdentityResult>"
    "<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>U</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


async def test_a_user_s_keys_do_not_end(server: FakeAws) -> None:
    server.succeed(ME)
    me = await asyncio.to_thread(identify, None, "eu-west-1", server.url)
    assert (me.account, me.arn) == ("123456789012", "arn:aws:iam::123456789012:user/me")
    assert (me.expires, me.renewable, me.needs_mfa) == (None, True, False)
    assert me.region == "eu-west-1"


async def test_a_session_s_keys_end_and_cannot_renew_themselves(
    server: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.succeed(ME)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    me = await asyncio.to_thread(identify, None, None, server.url)
    assert (me.expires, me.renewable) == (None, False)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2100-01-01T00:00:00Z")
    me = await asyncio.to_thread(identify, None, None, server.url)
    assert (me.expires, me.renewable) == (4102444800.0, False)


async def test_a_process_that_gives_out_keys_renews_them(
    server: FakeAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    server.succeed(ME)
    keys = tmp_path / "keys.json"
    keys.write_text(
        '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t",'
        ' "Expiration": "2100-01-01T00:00:00Z"}'
    )
    (tmp_path / "home" / "config").write_text(f"[profile p]\ncredential_process = cat {keys}\n")
    me = await asyncio.to_thread(identify, "p", None, server.url)
    assert (me.expires, me.renewable) == (4102444800.0, True)


def test_a_role_that_asks_for_a_code_is_known_without_asking(tmp_path: Path) -> None:
    (tmp_path / "home" / "config").write_text(
        "[profile admin]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=base\nmfa_serial=m\n"
        "[profile base]\nregion=eu-west-1\n"
        "[profile on-top]\nrole_arn=arn:aws:iam::1:role/s\nsource_profile=admin\n"
        "[profile round]\nrole_arn=arn:aws:iam::1:role/s\nsource_profile=round\n"
    )
    asked = {name: needs_mfa(name) for name in ("admin", "on-top", "base", "round", "unknown")}
    assert asked == {
        "admin": True,
        "on-top": True,
        "base": False,
        "round": False,
        "unknown": False,
    }


async def test_refused_credentials_say_so(server: FakeAws) -> None:
    server.fail("InvalidClientTokenId", "The security token is invalid", 403)
    with pytest.raises(CredentialsError, match="invalid"):
        await asyncio.to_thread(identify, None, None, server.url)


def test_no_credentials_no_region_no_profile_and_no_endpoint_are_distinguished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(EndpointError):
        identify(None, None, "http://127.0.0.1:9")
    with pytest.raises(UsageError):
        identify(None, None, "nonsense")
    with pytest.raises(CredentialsError):
        identify("nobody", None, None)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsError):
        identify(None, None, "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(UsageError, match="region"):
        identify(None, None, None)


async def test_a_proxy_of_the_environment_is_not_asked_about_this_machine(
    server: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.succeed(ME)
    me = await asyncio.to_thread(identify, None, "eu-west-1", server.url)
    assert me.account == "123456789012"
