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

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.simulation.aws.cloudformation import api as cloudformation_api
from route53_takeover.simulation.aws.cloudformation.stacks import StackConfig, StackStore
from route53_takeover.simulation.aws.http.faults import AnswerDelayed, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.cli.program import Cloud, Ended, Program

    from route53_takeover.simulation.aws.timeline import Schedule

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
        (("--record=nothing.example.com",), ("nothing.example.com", "no record of that name")),
        (("--record=www.example.com/TXT",), ("no TXT", "it has A there")),
        (("--record=www.example.com/CAA",), ("no CAA", "it has A there")),
        (("--record=www.example.org",), ("www.example.org", "no public hosted zone")),
        (("--record=b\u00fccher.example.org",), ("b\u00fccher.example.org (xn--bcher-kva",)),
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
    (reported,) = ended.lines
    assert (reported["event"], reported["refused"]) == ("plan", True)
    assert "www.example.org" in reported["reasons"][0]
    assert "error: " in ended.err


def record_set(name: str, kind: str = "A", **properties: Any) -> dict[str, Any]:
    """A resource in the zone ``example.com``."""
    target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d9.cloudfront.net"}
    values = {} if "ResourceRecords" in properties else {"AliasTarget": target}
    zone = {} if "HostedZoneId" in properties else {"HostedZoneName": "example.com."}
    common = {"Name": name, "Type": kind, **zone, **values, **properties}
    return {"Type": "AWS::Route53::RecordSet", "Properties": common}


def deployed(
    stacks: StackStore, timeline: Schedule, name: str, **resources: dict[str, Any]
) -> None:
    """Another user creates a stack of these resources, and it is complete."""
    stack = stacks.create_stack(name, {"Resources": resources})
    for _ in range(600):
        timeline.advance(timeline.now + 1.0)
        if not stack.is_busy:
            break
    assert stack.status == "CREATE_COMPLETE", stack.reason


def simple(name: str, kind: str, value: str, **members: Any) -> RecordSet:
    shape = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    return RecordSet.from_api({**shape, **members})


def nothing_was_asked_for_but_reads(account: Cloud) -> None:
    """Not one call that changes anything has arrived."""
    names = [call.partition(":")[2] for call in account.server.calls]
    assert names
    assert all(name.startswith(("Get", "List", "Describe")) for name in names), names


def test_every_reason_to_refuse_is_reported_with_its_hint_and_nothing_is_written(
    program: Program, account: Cloud
) -> None:
    zones, zone = account.world.zones, account.world.zone.zone_id
    to_c = {"HostedZoneId": zone, "DNSName": "c.example.com.", "EvaluateTargetHealth": False}
    policy = {"TrafficPolicyInstanceId": "tpi-7"}
    lean = {"Name": "m.example.com.", "Type": "CNAME", "AliasTarget": to_c}

    def go_wrong() -> None:
        records = [
            simple("p.example.com.", "A", "192.0.2.1"),
            simple("t.example.com.", "CNAME", "x.example.net.", **policy),
            simple("w.example.com.", "CNAME", "x.", SetIdentifier="blue", Weight=1),
            simple("sub.example.com.", "NS", "ns.elsewhere.net."),
            simple("x.sub.example.com.", "CNAME", "x.example.net."),
            simple("c.example.com.", "CNAME", "x.example.net."),
            RecordSet.from_api(lean),
        ]
        zones.change(zone, [("CREATE", record) for record in records], by="a person")
        many = {f"R{n}": {"Type": "AWS::S3::Bucket"} for n in range(110)}
        there = record_set("o.example.com")
        deployed(account.world.stacks, zones.timeline, "legacy", **many, Old=there)
        twin = zones.add_zone("example.com")
        zones.add_zone("example.com", private=True)
        assert twin.zone_id != zone

    account.do(go_wrong)
    before = account.writes()
    names = ["o", "p", "t", "w", "x.sub", "c", "gone"]
    records = [f"--record={name}.example.com" for name in names]
    target = [word for word in account.target() if not word.startswith("--record")]
    ended = program("plan", "--output=json", *target, *records)
    assert ended.code == 3, ended.err
    (reported,) = ended.lines
    assert reported["refused"] is True
    expected = [
        ("2 public zones named example.com", "--zone ID"),
        ("no A, AAAA, CNAME or HTTPS record gone.example.com", "Check --record"),
        ("stack legacy owns", "DeletionPolicy: Retain"),
        ("p.example.com A is a plain A record", "--strategy delete"),
        ("t.example.com CNAME belongs to traffic policy instance tpi-7", "traffic policy instance"),
        ("w.example.com CNAME [blue] has a routing policy", "--template or --preview"),
        ("sub.example.com NS delegates x.sub.example.com CNAME to another zone", "delegated zone"),
        ("m.example.com CNAME is an alias to c.example.com CNAME", "Point it to another target"),
    ]
    for what, way_out in expected:
        (reason,) = [reason for reason in reported["reasons"] if what in reason]
        assert way_out in reason, reason
    assert len(reported["reasons"]) == len(expected), reported["reasons"]
    assert account.writes() == before
    nothing_was_asked_for_but_reads(account)


def test_an_owner_in_another_region_is_found_and_named(program: Program, account: Cloud) -> None:
    there = StackStore(
        account.world.timeline,
        account.world.zones,
        account.world.rng,
        config=StackConfig(region="us-east-1"),
    )
    old = record_set("o.example.com")
    account.do(lambda: deployed(there, account.world.timeline, "edge", Old=old))
    account.server.abroad["us-east-1"] = {"cloudformation": cloudformation_api.operations(there)}
    before = account.writes()
    target = [word for word in account.target() if not word.startswith("--record")]
    words = ("--output=json", "--record=o.example.com", "--region=eu-west-1")
    ended = program("run", "--auto", *target, *words)
    line = plain_error(ended, 3, "stack edge in us-east-1 owns the A record at o.example.com")
    assert "(Old)" in line
    nothing_happened(program, ended)
    program.env["ROUTE53_TAKEOVER_OWNER_CHECK"] = "region"
    narrow = program("plan", "--region=eu-west-1", *target, "--record=o.example.com")
    assert narrow.code == 0, narrow.out
    assert "searched only in eu-west-1 (--owner-check region)" in narrow.out
    wide = program("plan", "--owner-check=full", *target, *words)
    assert "stack edge in us-east-1 owns" in wide.out, "the command line wins"
    assert account.writes() == before
    nothing_was_asked_for_but_reads(account)


def test_an_owned_record_that_was_edited_is_drift_and_one_in_a_private_zone_is_not_this_one(
    program: Program, account: Cloud
) -> None:
    world = account.world

    def go_wrong() -> None:
        private = world.zones.add_zone("example.com", private=True).zone_id
        public = world.zone.zone_id
        inner = record_set("www.example.com", HostedZoneId=private)
        owned = record_set("o.example.com", HostedZoneId=public)
        deployed(world.stacks, world.timeline, "mixed", Inner=inner, Owned=owned)
        edited = simple("o.example.com.", "A", "192.0.2.1")
        world.write([("UPSERT", edited)])

    account.do(go_wrong)
    before = account.writes()
    target = [word for word in account.target("--skip-off") if not word.startswith("--stack")]
    ended = program("plan", "--output=json", *target, "--stack=mixed", "--record=o.example.com")
    assert ended.code == 3, ended.err
    (reported,) = ended.lines
    (drift,) = [reason for reason in reported["reasons"] if "drift" in reason]
    assert "the stack owns o.example.com A (Owned)" in drift
    assert "192.0.2.1" in drift
    assert "d9.cloudfront.net" in drift
    (record,) = [r for r in reported["records"] if r["name"] == "www.example.com"]
    assert reported["reasons"] == [drift], "the private record is not taken for the public one"
    assert record["type"] == "A"
    assert any("private" in warning for warning in reported["warnings"])
    assert account.writes() == before
    nothing_was_asked_for_but_reads(account)


OPERATIONS = (
    "sts:GetCallerIdentity",
    "route53:ListHostedZones",
    "route53:GetHostedZone",
    "route53:ListResourceRecordSets",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "cloudformation:ListStacks",
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
def test_bad_credentials_are_reported_before_anything_is_written(
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


def test_a_profile_that_would_ask_for_a_code_is_refused_without_a_terminal(
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


def test_an_endpoint_without_a_server_fails_soon(program: Program) -> None:
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
        began = time.monotonic()  # noqa: TID251 -- how long the user waits
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
