"""Measurements on disk: one file an account and region, each kind as it was measured last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.measuring.scope import Scope
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
    how_it_ended,
    read_measurement_plan,
    refuse_measurement,
    save_measurement_plan,
    writes_path,
)
from route53_takeover.storage.measurements import (
    measurement_path,
    newest_measurement,
    read_measurement,
    save_measurement,
)
from route53_takeover.storage.run_folder import create_run

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.storage.run_folder import RunFolder

ACCOUNT, REGION = "123456789012", "eu-west-1"


def measurement(*kinds: MeasuredKind, run: str = "first", **more: float) -> Measurement:
    return Measurement(
        account=ACCOUNT,
        region=REGION,
        run=run,
        kinds=kinds,
        visible_after=more.get("visible_after"),
        takeover_gap=more.get("takeover_gap"),
    )


def kind(which: RecordKind, at: float) -> MeasuredKind:
    return MeasuredKind(kind=which, at=at, differs=MeasuredOutcome.RETRIED, tries=(1.0, 3.0))


def test_a_newer_measurement_replaces_what_it_measured_and_nothing_else(tmp_path: Path) -> None:
    path = measurement_path(tmp_path, ACCOUNT, REGION, None)
    old_cname, new_alias = kind(RecordKind.CNAME, 1.0), kind(RecordKind.ALIAS, 2.0)
    save_measurement(path, measurement(kind(RecordKind.ALIAS, 1.0), old_cname, visible_after=4.0))
    save_measurement(path, measurement(new_alias, run="second", takeover_gap=2.0))
    found = read_measurement(path)
    assert found == measurement(
        new_alias, old_cname, run="second", visible_after=4.0, takeover_gap=2.0
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 2}', b"[]"])
def test_a_file_that_cannot_be_read_counts_as_none(tmp_path: Path, content: bytes) -> None:
    path = measurement_path(tmp_path, ACCOUNT, REGION, None)
    assert read_measurement(path) is None
    path.parent.mkdir()
    path.write_bytes(content)
    assert read_measurement(path) is None
    assert newest_measurement(tmp_path) is None


def test_another_version_s_file_is_left_out(tmp_path: Path) -> None:
    path = measurement_path(tmp_path, ACCOUNT, REGION, None)
    save_measurement(path, replace(measurement(kind(RecordKind.A, 1.0)), format=2))
    assert read_measurement(path) is None


def test_an_emulator_is_never_taken_for_the_account(tmp_path: Path) -> None:
    emulator = measurement_path(tmp_path, ACCOUNT, REGION, "http://127.0.0.1:4566")
    assert emulator != measurement_path(tmp_path, ACCOUNT, REGION, "http://127.0.0.1:4567")
    assert emulator != measurement_path(tmp_path, ACCOUNT, REGION, None)
    save_measurement(emulator, measurement(kind(RecordKind.ALIAS, 9.0)))
    assert newest_measurement(tmp_path) is None
    real = measurement(kind(RecordKind.ALIAS, 5.0))
    save_measurement(measurement_path(tmp_path, ACCOUNT, REGION, None), real)
    older = measurement_path(tmp_path, "210987654321", REGION, None)
    save_measurement(older, measurement(kind(RecordKind.ALIAS, 4.0)))
    assert newest_measurement(tmp_path) == real


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = create_run(tmp_path, "measure", 1795737600.0)
    save_measurement_plan(
        made,
        SavedMeasurement(
            run=made.name,
            begun=1.0,
            connection=Connection(region=REGION),
            cwd="/",
            account=ACCOUNT,
            zone_id="Z1",
            zone_name="example.com.",
            kinds=(RecordKind.ALIAS,),
        ),
    )
    return made


def test_a_measurement_s_folder_tells_its_scope(folder: RunFolder) -> None:
    assert read_measurement_plan(folder).scope == Scope(
        run="20261127-000000-measure", zone_id="Z1", zone_name="example.com."
    )
    with pytest.raises(RefusedError, match="is a measurement"):
        folder.plan()
    with pytest.raises(RefusedError, match="is a measurement"):
        folder.saved()
    with pytest.raises(RefusedError, match="no screen, report or resume"):
        refuse_measurement(folder)


def test_each_write_is_on_disk_before_it_is_sent_and_the_ledger_is_locked(
    folder: RunFolder,
) -> None:
    with MeasurementLedger(folder, lambda: 7.0) as ledger:
        ledger.intend("records", changes=[])
        assert b'"write": "records"' in writes_path(folder).read_bytes()
        assert how_it_ended(folder) is None
        with pytest.raises(RefusedError, match="under way"):
            MeasurementLedger(folder, lambda: 7.0)
        ledger.ended("done", "all of it")
    assert how_it_ended(folder) == ("done", "all of it")
    with MeasurementLedger(folder, lambda: 8.0) as again:
        again.intend("delete-stack")
    assert how_it_ended(folder) is None
