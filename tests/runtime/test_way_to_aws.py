"""A proxy or an endpoint whose own name is handed over is warned of."""

from __future__ import annotations

import os

import pytest

from route53_takeover.runtime.way_to_aws import warn_way_to_aws

AWS = "https://route53.amazonaws.com"
WWW = "www.example.com."


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variables", "url", "name", "reported"),
    [
        ({"HTTPS_PROXY": "http://www.example.com:3128"}, AWS, WWW, "the proxy www.example.com"),
        ({"https_proxy": "Egress.WWW.example.com:3128"}, AWS, WWW, "egress.www.example.com"),
        ({"HTTPS_PROXY": "http://user:word@a.example.com"}, AWS, "\\052.example.com.", "a.example"),
        ({}, "https://aws.www.example.com/x", WWW, "the endpoint aws.www.example.com"),
        ({"HTTP_PROXY": "http://www.example.com"}, "http://aws.example.net", WWW, "the proxy"),
        ({}, AWS, WWW, ""),
        ({"HTTPS_PROXY": "http://example.com"}, AWS, WWW, ""),
        ({"HTTPS_PROXY": "http://notwww.example.com"}, AWS, WWW, ""),
        ({"HTTPS_PROXY": "http://10.0.0.1:3128"}, AWS, WWW, ""),
        ({"HTTP_PROXY": "http://www.example.com"}, AWS, WWW, ""),
        ({"HTTPS_PROXY": "http://www.example.com", "NO_PROXY": ".amazonaws.com"}, AWS, WWW, ""),
        ({"HTTPS_PROXY": "http://www.example.com"}, "https://127.0.0.1:4566", WWW, ""),
        ({"HTTPS_PROXY": "http://example.com"}, AWS, "\\052.example.com.", ""),
    ],
)
def test_a_host_on_the_way_to_aws_that_is_handed_over_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, name: str, reported: str
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    found = warn_way_to_aws([name], [url, url])
    assert [reported in finding.text for finding in found] == [True] * bool(reported)
    assert "word" not in str(found)
