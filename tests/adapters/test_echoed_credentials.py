"""What a request was signed with does not come back in an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.session import AwsSession, Credentials
from route53_takeover.base.errors import AccessDeniedError

if TYPE_CHECKING:
    from tests.adapters.conftest import FakeAws

KEY_ID, TOKEN = "an-emulators-own-key-id", "a-session-token-that-nobody-else-has"


async def test_an_answer_that_repeats_the_sessions_token_or_key_is_printed_without_them(
    monkeypatch: pytest.MonkeyPatch, server: FakeAws
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    server.fail("AccessDenied", f"{KEY_ID} may not, with <![CDATA[{TOKEN}]]>")
    async with AwsSession(Credentials(endpoint_url=server.url), SystemClock()) as session:
        with pytest.raises(AccessDeniedError) as denied:
            async with session.reading("route53:GetHostedZone") as clients:
                await clients.route53.get_hosted_zone(Id="Z1")
    assert str(denied.value) == "*** may not, with ***"
