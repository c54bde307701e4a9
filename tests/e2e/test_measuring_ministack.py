"""``rehearse --live`` on an emulator of others: the schedule it was given, and nothing left."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.installed import NotInstallableError
from tests.e2e.ministack import running, wait_until
from tests.measuring.in_process import Ledger

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.cli.bootstrap import opened
from route53_takeover.cli.live_measurement import bench_of
from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.measuring.records import targets, template
from route53_takeover.core.measuring.scope import Scope
from route53_takeover.core.plan.measured import MeasuredOutcome, RecordKind
from route53_takeover.runtime.measuring import bench, experiments, removal
from route53_takeover.runtime.measuring.experiments import Experiments
from route53_takeover.storage.config import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.ministack import Account
    from tests.e2e.processes import Takeover

RUN = "20261128-120000-measure"
WWW: dict[str, Any] = {
    "Name": "www.example.com.",
    "Type": "A",
    "TTL": 60,
    "ResourceRecords": [{"Value": "192.0.2.7"}],
}
JSON = ("--output", "json")


def state_of(account: Account, zone: str) -> object:
    """Every record set of the zone, and the stacks that there are."""
    listed = account.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    stacks = account.cloudformation.list_stacks()["StackSummaries"]
    live = [s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"]
    return listed, live


def has_record(account: Account, zone: str, label: str) -> bool:
    listed = account.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return any(each["Name"].startswith(f"{label}._takeover-test-") for each in listed)


async def test_the_schedule_is_recovered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "AT_ONCE", 0.5)  # a schedule as short as a test may be
    monkeypatch.setattr(experiments, "_AFTER_A_TRY", 0.05)
    for module in (experiments, bench, removal):
        for pause in ("CALM", "_LOOK_EVERY"):
            monkeypatch.setattr(module, pause, 0.2, raising=False)
    try:
        with (
            running(tmp_path, retry_delays="0.8,1.2") as server,
            server.account() as account,
        ):
            for name, value in account.environment.items():
                monkeypatch.setenv(name, value)
            zone = account.create_zone("example.com")
            account.change(zone, "CREATE", WWW)
            before = state_of(account, zone)
            found = await _measured(server.endpoint_url, zone)
            assert state_of(account, zone) == before
    except NotInstallableError as error:
        pytest.skip(f"MiniStack cannot be installed here: {error}")
    assert found.differs is MeasuredOutcome.RETRIED
    assert len(found.tries) == 2, found.tries
    assert all(abs(a - b) <= 0.5 for a, b in zip(found.tries, (0.8, 2.0), strict=True))
    assert found.gave_up_after == pytest.approx(2.0, abs=0.5)


async def _measured(endpoint_url: str, zone: str) -> Any:
    """One kind alone, over a record that differs: what MiniStack has a schedule for."""
    clock = SystemClock()
    connection = Connection(region="us-east-1", endpoint_url=endpoint_url)
    async with opened(connection, clock, writable=True, measures=True) as opened_account:
        scope = Scope(run=RUN, zone_id=zone, zone_name="example.com.")
        here = bench_of(opened_account, scope, Ledger(), clock, lambda _: None)
        await here.stack.create(template(scope, {}))
        await here.write([Change.create(each) for each in targets(scope)])
        await here.await_rest()
        found = Experiments(here, RecordKind.ALIAS)
        await found.over_existing()
        assert await removal.remove_all(here) == []
        return found.measured


def test_the_command_measures_and_restore_removes_what_a_killed_one_left(
    account: Account, takeover: Takeover
) -> None:
    takeover.environment |= account.environment
    zone = account.create_zone("example.com")
    account.change(zone, "CREATE", WWW)
    before = state_of(account, zone)
    line = ("rehearse", "--live", "--auto", "--zone", zone, "--kinds", "a", "--yes-create", *JSON)

    killed = takeover.start(*line)
    wait_until(lambda: has_record(account, zone, "a-differs"), "a record")
    killed.kill()
    assert state_of(account, zone) != before
    restored = takeover.run("restore", takeover.run_folder.name, *JSON)
    assert restored.result["outcome"] == "done", restored.stderr
    assert state_of(account, zone) == before

    stopped = takeover.start(*line)
    wait_until(lambda: has_record(account, zone, "target-old"), "a record")
    stopped.send(signal.SIGINT)
    ended = stopped.finish()
    assert (ended.code, ended.result["outcome"]) == (130, "aborted"), ended.stderr
    assert state_of(account, zone) == before

    done = takeover.run(*line)
    assert done.result["outcome"] == "done", done.stderr
    (measurement,) = [each for each in done.lines if each["event"] == "measurement"]
    assert [k["differs"] for k in measurement["kinds"]] == ["failed-at-once"]
    assert measurement["takeover_gap"] is not None
    assert state_of(account, zone) == before

    account.create_stack("shop", {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    account.wait_for_status("shop", "CREATE_COMPLETE")
    plan = takeover.run(
        "plan", "--stack", "shop", "--record", "www.example.com/A", "--no-deploy", *JSON
    )
    (planned,) = plan.lines
    assert [k["differs"] for k in planned["measured"]] == ["failed-at-once"]
