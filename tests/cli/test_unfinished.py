"""A second run never takes for the original what a first one has left behind."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.cli.program import WWW, cloud, unfinished_run

from route53_takeover.core.domain.record_sets import Change
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
