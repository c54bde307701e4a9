"""`policy --live`: every call of a measurement and of its removal is allowed, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.commands.test_policy import (
    CHANGE,
    NEEDS_NOTHING,
    condition_values,
    grants,
    matches,
    resource_of,
)
from tests.cli.program import Program, cloud, plain_error
from tests.measuring.in_process import Ledger, Site

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.cli.bootstrap import opened, prober_of
from route53_takeover.cli.live_measurement import bench_of, zone_to_measure_in
from route53_takeover.core.measuring.iam_policy import MeasuredZone, measuring_policy
from route53_takeover.core.measuring.scope import Scope
from route53_takeover.core.plan.facts import Identity
from route53_takeover.core.plan.measured import RecordKind
from route53_takeover.runtime.measuring.measure import measure
from route53_takeover.runtime.measuring.removal import remove_all
from route53_takeover.simulation import serve
from route53_takeover.simulation.aws.http.server import AccountServer
from route53_takeover.storage.config import Connection
from route53_takeover.storage.journal import MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Call = tuple[str, Mapping[str, Any]]

SPEED = 20.0
WHERE = MeasuredZone(
    partition="aws",
    region="us-east-1",
    account="123456789012",
    zone_id="ZSIMULATED0001",
    name="example.com.",
)
KINDS = (RecordKind.ALIAS, RecordKind.CNAME)
POLICY = measuring_policy(WHERE, KINDS, protections=True).document


def allows(statement: Mapping[str, Any], call: Call) -> bool:
    """Whether a statement lets a call through, as IAM judges it."""
    operation, parameters = call
    resource = resource_of(operation, parameters)
    if operation not in statement["Action"] or not any(
        matches(pattern, resource) for pattern in statement["Resource"]
    ):
        return False
    return all(
        any(matches(pattern, value) for pattern in patterns)
        for condition in statement.get("Condition", {}).values()
        for key, patterns in condition.items()
        for value in condition_values(parameters)[key]
    )


def is_allowed(call: Call, document: Mapping[str, Any] = POLICY) -> bool:
    return any(allows(statement, call) for statement in document["Statement"])


def change(name: str, record_type: str = "A", zone: str = WHERE.zone_id) -> Call:
    record = {"Name": name, "Type": record_type}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    return CHANGE, {"HostedZoneId": zone, "ChangeBatch": batch}


class Calls:
    """What arrives at the accounts that are served from now on."""

    def __init__(self) -> None:
        self.seen: list[Call] = []
        self.updating = asyncio.Event()

    def note(self, operation: str, parameters: Mapping[str, Any]) -> None:
        self.seen.append((operation, dict(parameters)))
        if operation == "cloudformation:UpdateStack":
            self.updating.set()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    noted = Calls()

    class Noting(AccountServer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fault = noted.note

    monkeypatch.setattr(serve, "AccountServer", Noting)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return noted


async def test_every_call_is_allowed_and_nothing_that_is_allowed_is_unused(
    calls: Calls,
) -> None:
    clock = SystemClock(SPEED)
    site = Site(delays=(2, 3, 25), start=clock.now() - serve.PAST - 3600)
    async with serve.serving_world(site.world, clock) as served:
        connection = Connection(
            region="us-east-1", endpoint_url=served.endpoint_url, name_servers=served.name_servers
        )
        async with opened(connection, clock, writable=True, measures=True) as account:
            for asked in ("example.com", WHERE.zone_id):
                assert (await zone_to_measure_in(account, asked)).zone_id == WHERE.zone_id

            async def measured(run: str, *, stopped: bool) -> None:
                scope = Scope(run=run, zone_id=WHERE.zone_id, zone_name=WHERE.name)
                bench = bench_of(account, scope, Ledger(), clock, lambda _: None)
                work = asyncio.ensure_future(
                    measure(
                        bench,
                        KINDS,
                        protections=True,
                        identity=Identity(account=WHERE.account, arn="test"),
                        region=account.region,
                        prober=prober_of(connection, ()),
                        journal=MemoryJournal(),
                        log_patience=0.0,
                    )
                )
                if stopped:
                    await calls.updating.wait()
                    work.cancel()
                await asyncio.wait([work])
                assert work.cancelled() == stopped
                assert await remove_all(bench) == []
                if not stopped:
                    assert work.result().kinds

            await measured("20261128-120000-measure", stopped=True)
            await measured("20261128-120001-measure", stopped=False)
    ours = [call for call in calls.seen if call[0] not in NEEDS_NOTHING]
    of_cloudformation = [
        change(record.name, record.type)
        for batch in site.world.zones.history
        if batch.by == "cloudformation"
        for _, record in batch.changes
    ]
    assert of_cloudformation
    assert [call for call in ours + of_cloudformation if not is_allowed(call)] == []
    used = {
        (each["Sid"], call[0])
        for each in POLICY["Statement"]
        for call in ours
        if allows(each, call)
    }
    assert grants(POLICY) - used == set()
    assert site.state == site.before


@pytest.mark.parametrize(
    "call",
    [
        change("www.example.com."),
        change("example.com.", "CNAME"),
        change("_takeover-test-1.example.com."),
        change("a-0._takeover-test-1.example.com.", "NS"),
        change("a-0._takeover-test-1.example.com.", zone="ZOTHER"),
        change("a-0._takeover-test-1.example.com.org."),
        ("cloudformation:UpdateStack", {"StackName": "shop"}),
        ("cloudformation:DeleteStack", {"StackName": "my-takeover-test-1"}),
        ("cloudformation:ListStacks", {}),
        ("states:StartExecution", {}),
        ("iam:PassRole", {}),
    ],
    ids=str,
)
def test_nothing_else_is_allowed(call: Call) -> None:
    assert is_allowed(change("a-0._takeover-test-1.example.com."))
    assert not is_allowed(call)


def test_protections_are_allowed_only_where_they_are_measured() -> None:
    without = measuring_policy(WHERE, KINDS, protections=False)
    assert "CreateResourceRecordSetProtections" not in str(without.document)
    assert "CreateResourceRecordSetProtections" in str(POLICY)


def test_the_command_prints_it_for_the_zone_and_its_kinds(
    tmp_path: Path,
) -> None:
    program = Program(tmp_path)
    with cloud(tmp_path) as account:
        where = f"--endpoint-url={account.url}"
        words = ("policy", "--live", "--output=json", "--zone=example.com", where)
        ended = program(*words, "--kinds=alias,cname", "--protections")
        assert ended.code == 0, ended.err
        assert ended.lines == [POLICY]
        assert account.writes() == ["a person"]
        plain_error(program(*words, "--stack=shop"), 2, "does not use --stack")
        plain_error(program("policy", "--live", where), 2, "--live needs the zone")
        plain_error(program("policy", "--protections", where), 2, "--protections belongs")
    assert program.folders() == []
