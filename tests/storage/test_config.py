"""Settings: what AWS's own variables add, and what they must not."""

from __future__ import annotations

import pytest

from route53_takeover.storage.config import Connection


@pytest.mark.parametrize(
    ("environment", "profile"),
    [
        ({"AWS_PROFILE": "prod"}, "prod"),
        ({"AWS_DEFAULT_PROFILE": "old"}, "old"),
        ({"AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "AKIA"}, None),
        ({}, None),
    ],
)
def test_a_profile_from_the_environment_is_kept_unless_keys_win_over_it(
    environment: dict[str, str], profile: str | None
) -> None:
    assert Connection().effective(environment).profile == profile


def test_what_was_given_wins_over_the_environment() -> None:
    environment = {"AWS_PROFILE": "prod", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    given = Connection(profile="mine", endpoint_url="http://127.0.0.1:2").effective(environment)
    assert (given.profile, given.endpoint_url) == ("mine", "http://127.0.0.1:2")
    assert Connection().effective(environment).endpoint_url == "http://127.0.0.1:1"
    assert Connection().effective(environment).is_loopback
