"""No credential is ever kept in a run's folder, logged or told, wherever it may come from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import SECRET, TOKEN, cloud

from route53_takeover.simulation.aws.http.faults import Refused
from route53_takeover.simulation.scenarios import (
    cname,
    cname_resource,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.cli.program import Cloud, Ended, Program

    from route53_takeover.simulation.aws.http.faults import Fault

KEY_ID = "AKIDPLANTED0123456789"
SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
PASSWORD = "planted-password"  # noqa: S105 -- planted, to be looked for
SERIAL = "arn:aws:iam::123456789012:mfa/planted-device"
PLANTED = (KEY_ID, SECRET, TOKEN, SIGNATURE, PASSWORD, SERIAL)
ECHO = (
    f"The security token ({TOKEN}) of {KEY_ID} does not match;\x7f Authorization=AWS4-HMAC-SHA256 "
    f"Credential={KEY_ID}/20260101/us-east-1/route53/aws4_request, SignedHeaders=host, "
    f"Signature={SIGNATURE}; the canonical string was 'x-amz-security-token:{TOKEN}'"
)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Cloud]:
    """A takeover that lowers a TTL first."""
    made = site_account(existing=cname(300), template=site_template(cname_resource()))
    with cloud(tmp_path, made) as served:
        yield served


def clean(*ended: Ended) -> None:
    """Nothing that was planted was told."""
    for reported in ended:
        for secret in PLANTED:
            assert secret not in reported.out + reported.err, reported.out + reported.err


def kept_clean(program: Program) -> None:
    """Nothing that was planted is kept, in any file but what the deploy command itself wrote."""
    folder = program.folder
    kept = [p for p in program.state.rglob("*") if p.is_file() and p.name != "deploy-on.log"]
    assert folder / "takeover.log" in kept
    for path in kept:
        assert all(line.isprintable() for line in path.read_text().splitlines()), path
        for secret in PLANTED:
            assert secret.encode() not in path.read_bytes(), (path, secret)


def test_whatever_aws_and_the_deploy_repeat_no_credential_is_printed_or_kept(
    program: Program, account: Cloud
) -> None:
    echoed: list[str] = []

    def befall(operation: str, _: Mapping[str, Any]) -> Fault | None:
        """Calls of a run are refused once, with all that they were signed with."""
        if not program.folders() or operation in echoed or "cloudformation" in operation:
            return None
        echoed.append(operation)
        code = "Throttling" if operation.startswith("route53:Change") else "InvalidInput"
        return Refused(code=code, message=ECHO)

    account.befall(befall)
    program.env["AWS_ACCESS_KEY_ID"] = KEY_ID
    program.env |= {"DEPLOY_PASSWORD": PASSWORD, "HTTPS_PROXY": f"http://me:{PASSWORD}@127.0.0.1:9"}
    deploy = 'env; echo "DEPLOY_PASSWORD=$DEPLOY_PASSWORD"; exit 3'
    quick = ("-v", "--log-level=debug")
    target = account.target("--skip-off", "--no-drain", deploy=deploy)
    failed = program("run", "--auto", *quick, *target)
    assert failed.code == 1, failed.err
    clean(failed)
    kept_clean(program)
    assert "route53:ChangeResourceRecordSets" in echoed
    assert r"does not match;\u007f Authorization=AWS4-HMAC-SHA256 Credential=***" in failed.err
    assert "DEPLOY_PASSWORD=***" in failed.err
    log = [json.loads(line) for line in (program.folder / "takeover.log").read_text().splitlines()]
    assert any("token (***) of ***" in line.get("reason", "") for line in log), log
    assert not any("botocore" in str(line) for line in log)
    assert PASSWORD in (program.folder / "deploy-on.log").read_text(), (
        "what the command itself said"
    )

    journal = program.folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if b'"BackupWritten"' in line)
    journal.write_bytes(b"".join(lines[: at + 1]))
    (program.folder / "deploy-on.log").unlink()
    echoed.clear()
    resumed = program("resume", "2", "--auto", "--output=json", *quick)
    assert resumed.result["outcome"] == "failed"
    clean(resumed)
    assert "Credential=***" in resumed.out, "JSON tells the errors, too"
    echoed.clear()
    clean(program("restore", "2", *quick), program("report", "2", *quick), program("runs"))
    kept_clean(program)


def test_credentials_of_a_profile_are_not_printed_when_aws_refuses_them(
    program: Program, account: Cloud
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        del program.env[variable]
    (program.home / "aws-credentials").write_text(
        f"[me]\naws_access_key_id={KEY_ID}\naws_secret_access_key={SECRET}\n"
        f"aws_session_token={TOKEN}\n"
    )
    (program.home / "aws-config").write_text(
        f"[profile mfa]\nrole_arn=arn:aws:iam::123456789012:role/x\nsource_profile=me\n"
        f"mfa_serial={SERIAL}\n"
        f"[profile process]\ncredential_process = sh -c \"echo 'SessionToken: {TOKEN}' >&2; false\""
    )
    target = ("--auto", "--output=json", *account.target("--skip-off"))
    account.befall(lambda *_: Refused(code="InvalidClientTokenId", message=ECHO))
    refused = program("run", "--profile=me", *target)
    assert (refused.code, "token (***) of ***" in refused.err) == (1, True), refused.err
    asked = program("run", "--profile=mfa", *target)
    assert (asked.code, "MFA" in asked.err) == (3, True), asked.err
    broken = program("run", "--profile=process", *target)
    assert (broken.code, "SessionToken: ***" in broken.err) == (1, True), broken.err
    clean(refused, asked, broken)


def test_a_password_in_an_endpoint_is_refused_and_one_of_a_proxy_is_not_printed(
    program: Program,
) -> None:
    url = f"http://me:{PASSWORD}@127.0.0.1:9"
    words = ("plan", "--stack=shop", "--record=www.example.com", "--no-deploy")
    environments: list[dict[str, str]] = [
        {"AWS_ENDPOINT_URL": url},
        {"AWS_ENDPOINT_URL_STS": url},
        {"HTTP_PROXY": url, "NO_PROXY": "", "AWS_ENDPOINT_URL": "http://aws.invalid"},
    ]
    started = [program.start(*words, env=program.env | more) for more in environments]
    of_all, of_sts, proxied = map(program.end_of, started)
    assert (of_all.code, "--endpoint-url" in of_all.err) == (2, True), of_all.err
    assert (of_sts.code, "***@127.0.0.1:9" in of_sts.err) == (1, True), of_sts.err
    assert (proxied.code, "127.0.0.1:9" in proxied.err) == (1, True), proxied.err
    clean(of_all, of_sts, proxied)
