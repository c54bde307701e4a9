"""What was measured of an account reaches its plans, its dry runs, and virtual rehearsals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.program import cloud, plain_error

from route53_takeover.core.plan.measured import (
    MeasuredKind,
    MeasuredOutcome,
    Measurement,
    RecordKind,
)
from route53_takeover.storage.config import Connection
from route53_takeover.storage.measurement_folder import (
    MeasurementLedger,
    SavedMeasurement,
    save_measurement_plan,
)
from route53_takeover.storage.measurements import measurement_path, save_measurement
from route53_takeover.storage.run_folder import create_run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program

ACCOUNT, REGION = "123456789012", "us-east-1"
FAILS = MeasuredKind(kind=RecordKind.ALIAS, at=1795737600.0, differs=MeasuredOutcome.FAILED_AT_ONCE)
RETRIES = MeasuredKind(
    kind=RecordKind.ALIAS,
    at=1795737600.0,
    differs=MeasuredOutcome.RETRIED,
    tries=(1.0, 3.0, 7.0, 15.0),
    gave_up_after=60.0,
)


def keep(program: Program, kind: MeasuredKind, endpoint_url: str | None) -> None:
    measured = Measurement(account=ACCOUNT, region=REGION, run="earlier-measure", kinds=(kind,))
    save_measurement(measurement_path(program.state, ACCOUNT, REGION, endpoint_url), measured)


def test_a_plan_shows_what_was_measured_in_its_account(program: Program, tmp_path: Path) -> None:
    with cloud(tmp_path) as account:
        assert program("plan", *account.target(), "--output=json").lines[0]["measured"] == []
        keep(program, RETRIES, account.url)
        text = program("plan", *account.target())
        line = "measured here on 2026-11-27: retries after 1, 3, 7, 15 s (gives up after 60 s)"
        assert line in " ".join(text.out.split())
        (planned,) = program("plan", *account.target(), "--output=json").lines
        assert [each["kind"] for each in planned["measured"]] == ["alias"]
        assert planned["forecast"]["assumptions"]["expected_gap_is_measured"] is True


def test_a_dry_run_rehearses_what_was_measured(program: Program, tmp_path: Path) -> None:
    with cloud(tmp_path) as account:
        keep(program, FAILS, account.url)
        ended = program("run", *account.target(deploy="true"), "--dry-run", "--output=json")
    assert ended.code == 1, ended.err
    assert ended.result["outcome"] == "failed"
    assert "already exists" in ended.result["reason"]
    assert "as measured in this account (alias)" in ended.err


def test_a_virtual_rehearsal_says_whose_schedule_it_has(program: Program) -> None:
    words = ("rehearse", "--virtual", "--runs=1", "--scenario=alias")
    assert "as measured" not in program(*words).err
    keep(program, RETRIES, None)
    assert f"as measured in account {ACCOUNT}, {REGION}" in program(*words).err


def test_a_measurement_that_died_is_listed_with_the_line_that_removes_the_rest(
    program: Program,
) -> None:
    folder = create_run(program.state, "measure", 1795737600.0)
    save_measurement_plan(
        folder,
        SavedMeasurement(
            run=folder.name,
            begun=1795737600.0,
            connection=Connection(region=REGION),
            cwd="/",
            account=ACCOUNT,
            zone_id="Z1",
            zone_name="example.com.",
            kinds=(RecordKind.ALIAS,),
        ),
    )
    listed = program("runs")
    assert "DIED - restore" in listed.out
    assert "below _takeover-test-20261127-000000-measure.example.com" in listed.out
    assert f"restore {folder.name}" in listed.err
    for words in (("report",), ("resume", "--auto"), ("attach",)):
        plain_error(program(*words, folder.name), 3, "is a measurement", hint="restore")
    with MeasurementLedger(folder, lambda: 0.0) as ledger:
        ledger.ended("done", "everything was removed again")
    (line,) = program("runs", "--output=json").lines
    assert (line["outcome"], line["reason"]) == ("done", "everything was removed again")
