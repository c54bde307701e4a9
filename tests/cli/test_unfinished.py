"""A second run never takes for the original what a first one has left behind."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.cli.program import WWW, cloud, unfinished_run

from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.domain.soa import NegativeCaching, soa_of, with_negative_caching
from route53_takeover.core.plan.model import LoweredSoa
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.simulation.scenarios import (
    cname,
    cname_resource,
    site_account,
    site_template,
)
from route53_takeover.storage.journal import FileJournal
from route53_takeover.storage.locks import locked_names, site_of
from route53_takeover.storage.unfinished_runs import unfinished_runs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Cloud, Program

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.storage.run_folder import RunFolder

OLD, LOWERED = cname(300), cname(60)


def killed(program: Program, served: Cloud, *more: ev.AnyEvent) -> RunFolder:
    """A run that died after it had asked for the lowered TTL."""
    folder = unfinished_run(program, served, OLD)
    lower = (Change.delete(OLD), Change.create(LOWERED))
    journal = FileJournal(folder.journal)
    started = ev.RunStarted(time=1.0, run=folder.name, plan=folder.plan().plan)
    intended = ev.WriteIntended(
        time=2.0, id="w", name=OLD.name, purpose=Purpose.LOWER, changes=lower
    )
    for event in (started, ev.BackupWritten(time=1.5), intended, *more):
        journal.append(event)
    journal.close()
    return folder


@pytest.mark.parametrize("state", ["state", "other"])
def test_a_ttl_that_a_killed_run_lowered_is_not_backed_up_as_the_original(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Nor by a run with another state folder: the lock's file says which run held it last."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", program.env["XDG_RUNTIME_DIR"])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    account = site_account(existing=LOWERED, template=site_template(cname_resource()))
    with cloud(tmp_path, account) as served:
        folder = killed(program, served)
        site = site_of(served.world.zone.zone_id, served.url)
        words = ("--output=json", f"--state-dir={tmp_path / state}")
        with locked_names(program.state, site, [WWW]) as held:
            held.register(folder)
            ended = program("run", "--auto", *words, *served.target())
    assert ended.code == 3
    assert f"run {folder.name} lowered from 300 s" in ended.result["reason"]
    for verb in ("resume", "restore"):
        line = f"route53-takeover {verb} {folder.name} --state-dir {program.state}"
        assert line in ended.err
    assert program.folders() == [folder.path]


@pytest.mark.parametrize(
    ("live", "count"),
    [((LOWERED,), 1), ((), 1), ((OLD,), 0), ((replace(LOWERED, values=("x.net",)),), 0)],
    ids=["lowered", "gone", "put back", "changed"],
)
def test_what_a_killed_run_left_is_judged_by_the_current_record(
    program: Program, account: Cloud, live: tuple[RecordSet, ...], count: int
) -> None:
    killed(program, account)
    zone = account.world.zone.zone_id
    assert len(unfinished_runs(program.state, zone, live)) == count
    assert unfinished_runs(program.state, "ZOTHER", live) == ()


def test_a_run_that_never_wrote_has_left_nothing(program: Program, account: Cloud) -> None:
    unfinished_run(program, account, OLD)
    assert unfinished_runs(program.state, account.world.zone.zone_id, [LOWERED]) == ()


def soas(account: Cloud) -> LoweredSoa:
    """The SOA of the account's zone, and with a negative TTL of 5 s."""
    here = account.do(lambda: soa_of(account.world.holds("example.com."), "example.com."))
    assert here is not None
    lowered = with_negative_caching(here, NegativeCaching(5, 5))
    return LoweredSoa(original=here, lowered=lowered)


def test_a_soa_that_a_killed_run_lowered_is_not_backed_up_as_the_original(
    program: Program, account: Cloud
) -> None:
    soa = soas(account)
    folder = unfinished_run(program, account, soa=soa)
    assert folder.backup().soa == soa.original.to_api()
    journal = FileJournal(folder.journal)
    change = (Change.upsert_soa(soa.lowered),)
    for event in (
        ev.RunStarted(time=1.0, run=folder.name, plan=folder.plan().plan),
        ev.BackupWritten(time=1.5),
        ev.WriteIntended(
            time=2.0, id="w", name="example.com.", purpose=Purpose.LOWER_SOA, changes=change
        ),
    ):
        journal.append(event)
    journal.close()
    account.do(lambda: account.world.write([("UPSERT", soa.lowered)]))
    ended = program("run", "--auto", "--output=json", "--negative-ttl=3", *account.target())
    assert ended.code == 3
    assert f"run {folder.name} set, and has not put back" in ended.result["reason"]
    without = program("plan", "--output=json", *account.target())
    assert without.code == 0
    assert program("restore", folder.name, "--dry-run").code == 0
    assert soas(account).original == soa.lowered
    restored = program("restore", folder.name, "--output=json")
    assert restored.code == 0, restored.err
    assert '"action": "UPSERT"' in restored.out
    assert soas(account).original == soa.original
    assert "UPSERT" in (folder.path / "restores.jsonl").read_text()


def test_a_soa_that_another_writer_set_is_only_replaced_by_force(
    program: Program, account: Cloud
) -> None:
    soa = soas(account)
    folder = unfinished_run(program, account, soa=soa)
    theirs = with_negative_caching(soa.original, NegativeCaching(1800, 1800))
    account.do(lambda: account.world.write([("UPSERT", theirs)]))
    ended = program("restore", folder.name, "--output=json")
    assert ended.code == 4
    assert "it had TTL 900, minimum 900 before the run" in ended.result["reason"]
    assert "restore 20260101-000000-shop --force" in ended.err
    assert soas(account).original == theirs
    assert program("restore", folder.name, "--force", "--output=json").code == 0
    assert soas(account).original == soa.original
