"""Credentials that an error or a deploy command repeats are masked, and nothing else is."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import ApiError, UsageError
from route53_takeover.base.redaction import redacted, remember_signature, secrets_of
from route53_takeover.storage.config import Connection

SIGNATURE = "0123456789abcdef" * 4
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "FwoGZXIvYXdzEJr//////////wEaDEXAMPLE+token=="  # noqa: S105 -- AWS's own example
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 -- AWS's own example


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            f"AWS4-HMAC-SHA256 Credential={KEY_ID}/sts, SignedHeaders=a, Signature={SIGNATURE}",
            "AWS4-HMAC-SHA256 Credential=***, SignedHeaders=a, Signature=***",
        ),
        (f"should have been 'x-amz-security-token:{TOKEN}'", "x-amz-security-token:***"),
        (f"?X-Amz-Credential={KEY_ID}%2F2026&X-Amz-Signature={SIGNATURE}", "X-Amz-Signature=***"),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer ***"),
        (f'{{"SecretAccessKey": "{SECRET}", "SessionToken": "{TOKEN}"}}', '"SessionToken": "***"'),
        (f"aws_secret_access_key = {SECRET}", "aws_secret_access_key = ***"),
        (f"export AWS_SECRET_ACCESS_KEY={SECRET}", "AWS_SECRET_ACCESS_KEY=***"),
        ("cannot reach http://me:p@ss:w0rd@proxy:3128/x", "cannot reach http://***@proxy:3128/x"),
        ("https://p4ssw0rd-alone@host", "https://***@host"),
        (f"the key {KEY_ID} is inactive", "the key AKIA*** is inactive"),
        (
            f"<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>\n {TOKEN}</SessionToken>",
            "<SecretAccessKey>***</SecretAccessKey><SessionToken>\n ***</SessionToken>",
        ),
        (f"&lt;SessionToken&gt;{TOKEN}&lt;/SessionToken&gt;", "SessionToken&gt;***&lt;"),
        (f"{{'X-Amz-Security-Token': b'{TOKEN}', 'a': 1}}", "Token': b'***', 'a': 1}"),
        (f"[(b'x-amz-security-token', b'{TOKEN}')]", "token', b'***')]"),
        (json.dumps(json.dumps({"SecretAccessKey": SECRET, "a": 1})), '\\": \\"***\\", \\"a'),
        (json.dumps(json.dumps(json.dumps({"SessionToken": TOKEN}))), "***"),
        (f'"SecretAccessKey":"{SECRET.replace("/", chr(92) + "/")}"', '"SecretAccessKey":"***"'),
        (f'"SessionToken":"{TOKEN.replace("+", chr(92) + "u002B")}"', '"SessionToken":"***"'),
        (f"&quot;SessionToken&quot;: &quot;{TOKEN}&quot;", "&quot;***&quot;"),
        (f"set -x AWS_SECRET_ACCESS_KEY {SECRET}", "set -x AWS_SECRET_ACCESS_KEY ***"),
        (f"set -gx AWS_SESSION_TOKEN '{TOKEN}'", "AWS_SESSION_TOKEN '***'"),
        (f"aws configure set aws_secret_access_key {SECRET}", "access_key ***"),
        (f"--secret-access-key {SECRET}", "--secret-access-key ***"),
        (f"+ export MY_AWS_SECRET_ACCESS_KEY={SECRET}", "MY_AWS_SECRET_ACCESS_KEY=***"),
        (f"export DB_PASSWORD='{SECRET}'", "export DB_PASSWORD='***'"),
        (f"||  SecretAccessKey |  {SECRET}  ||", "||  SecretAccessKey |  ***  ||"),
        (f"|  SessionToken  |  {TOKEN} |", "|  SessionToken  |  *** |"),
        (f"| {KEY_ID} | {SECRET} | {'Ab0/' * 40} |", "| AKIA*** | *** | *** |"),
        (f"CREDENTIALS\t{KEY_ID}\t2026-01-01\t{SECRET}\t{TOKEN}\nnext", "CREDENTIALS ***\nnext"),
    ],
)
def test_each_form_of_a_credential_is_masked(text: str, shown: str) -> None:
    masked = redacted(text)
    assert shown in masked
    parts = (TOKEN[:12], TOKEN[-14:-2], SECRET[:12], SECRET[-12:], "Ab0/")
    for secret in (SIGNATURE, KEY_ID, *parts, "abc.def", "p@ss", "p4ss", "w0rd"):
        assert secret not in masked


@pytest.mark.parametrize(
    "text",
    [
        "[Tried to create resource record set [name='www.example.com.', type='A'] but it exists]",
        'www.example.com TXT "v=DKIM1; p=MIGfMA0GCSqG" TTL 300',
        "see https://docs.aws.amazon.com/x?y=a@b and mail me@example.com",
        "no answer to route53:ChangeResourceRecordSets: token bucket is empty",
        "ROUTE53_ENABLE=true AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/token NEXT=1",
        "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN are not set; the session_token expired",
        f"|  commit  |  {'0123456789' * 4}  |  {'a' * 39}  |",
        "aws_session_token responsibilities",
        "stack ASIAPACIFIC2024PROD of AKIAIOSFODNN7EXAMPLE0 does not exist",
    ],
)
def test_what_is_no_credential_is_left_as_it_is(text: str) -> None:
    assert redacted(text) == text


def test_what_a_request_was_signed_with_is_masked_in_any_form() -> None:
    token, key_id = "a-session-token-of-some-length", "an-emulators-key-id"
    headers: dict[str, object] = {
        "X-Amz-Security-Token": token,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={key_id}/20260101/x, Signature=0".encode(),
    }
    remember_signature(headers)
    error = ApiError(f"token ({token}) of <{key_id}>", hint=f"forget {token}")
    assert error.message == str(error) == "token (***) of <***>"
    assert error.hint == "forget ***"


def test_short_values_and_plain_variables_are_no_secrets() -> None:
    text = "a test of arn:aws:cloudformation:us-east-1:000000000001:stack/production/1"
    emulated = ("test", "us-east-1", "production", "000000000001", "0" * 16)
    for value in emulated:
        credential = f"AWS4-HMAC-SHA256 Credential={value}/20260101/x, Signature=0"
        remember_signature({"X-Amz-Security-Token": value, "Authorization": credential})
        assert redacted(f"{text} {value}") == f"{text} {value}"
    environment = {
        "PATH": "/usr/local/bin/and-others",
        "API_TOKEN": "short",
        "SECRETS_REGION": "ap-southeast-1",
        "TOKEN_SERVICE_STAGE": "production",
        "DB_PASSWORD": "correct horse battery",
        "NPM_TOKEN_FILE": "/run/secrets/npm",
        "STRIPE_API_KEY": "sk_live_0123456789",
    }
    secrets = secrets_of(environment)
    assert secrets == {"correct horse battery", "sk_live_0123456789"}
    assert redacted("pw=correct horse battery", secrets) == "pw=***"


def test_a_command_line_of_ours_in_a_hint_can_be_pasted_as_it_is() -> None:
    command = "route53-takeover restore RUN --state-dir /tmp/Signature=abc"
    said = f"Signature=abc or `{command}`, not Signature=abc, `then` Signature=abc"
    hint = UsageError("no", said).hint
    assert hint == f"Signature=*** or `{command}`, not Signature=***, `then` Signature=***"


def test_an_endpoint_with_a_password_is_no_connection_that_could_be_saved() -> None:
    Connection(endpoint_url="http://127.0.0.1:4566/a@b")
    for url in ("https://me:planted@example.com", "http://planted@[::1]:80/", "//a:planted@b?x"):
        with pytest.raises(UsageError, match="password") as refused:
            replace(Connection(), endpoint_url=url)
        assert "planted" not in str(refused.value) + refused.value.hint
