"""Run folders that version 0.1 wrote work with today's commands.

The folders in `tests/data/run_folders/0.1` are those of real runs, and are never written again.
Where a command needs the account, it gets a simulated one in the state in which the run left its
own, and a copy of the folder with that account's endpoint and ids.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.cli.program import Cloud, Program
from tests.old_runs import Replay, placed

from route53_takeover.process.protocol import Link
from route53_takeover.process.replay import Replay as ScreenReplay
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.scenarios import SCENARIOS, alias, cname, site_account
from route53_takeover.storage.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.storage.run_folder import RunFolder

JSON = "--output=json"
RUN = "2026"
"""A prefix of every folder's name."""
ENDS = {
    "aborted": ("cname", "aborted", 130),
    "adopted": ("adopted", "done", 0),
    "done": ("alias", "done", 0),
    "failed": ("failed-at-once", "failed", 1),
    "nested": ("nested", "done", 0),
    "rehearsal": ("alias", "done", 0),
    "restored": ("never-created", "restored", 1),
    "rolled-back": ("rolled-back", "restored", 1),
}
"""Folder of an ended run -> its scenario, its outcome and its exit code."""
KILLED = {"killed-in-the-gap": "confirm", "killed-with-lowered-ttl": "drain"}
"""Folder of a run whose process was killed -> its phase."""
NEVER_CREATED = site_account(
    exists=False, modes={Case.ALIAS_DIFFERS: Mode.NEVER}, retry_delays=(1, 2, 4, 8, 30)
)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@contextmanager
def in_account(
    program: Program, name: str, setup: AccountSetup, *, pace: float = 4.0, ago: float = 1.0
) -> Iterator[tuple[Cloud, RunFolder]]:
    """The run in an account that is as the run left it, so many seconds after its last event."""
    folder = placed(program, name)
    events = read_journal(folder.journal)
    seconds = (events[-1].time - events[0].time) * pace
    account = Cloud(setup, program.home, age=seconds)
    replay = Replay(account.world, pace=pace, starts_now=True)
    for event in events:
        replay.take(event)
    if name in ENDS:
        account.world.timeline.advance(account.world.timeline.now + 600.0)
    with account.running():
        later = time.time() - ago - events[-1].time  # noqa: TID251 -- the program's clock
        folder.journal.write_bytes(replay.journal(folder.journal.read_bytes(), later=later))
        saved = json.loads((folder.path / "plan.json").read_text())
        saved["connection"]["endpoint_url"] = account.url
        saved["cwd"] = str(program.home)
        (folder.path / "plan.json").write_text(json.dumps(saved))
        deploy = program.home / "deploy"
        deploy.write_text(f"#!/bin/sh\n{account.deploy}\n")
        deploy.chmod(0o755)
        yield account, folder


def writes(account: Cloud) -> list[str]:
    """The actions of the command itself."""
    return account.do(
        lambda: [
            action
            for change in account.world.zones.history
            if change.by == "client"
            for action, _ in change.changes
        ]
    )


def test_runs_lists_every_old_folder_with_its_outcome(program: Program) -> None:
    for name in (*ENDS, *KILLED):
        placed(program, name)
    ended = program("runs", JSON)
    assert ended.code == 0
    reported = [(line["outcome"], line["phase"], line["rehearsal"]) for line in ended.lines]
    assert sorted(reported, key=str) == sorted(
        [(ENDS[name][1], "ended", name == "rehearsal") for name in ENDS]
        + [(None, phase, False) for phase in KILLED.values()],
        key=str,
    )
    assert all(line["reason"] for line in ended.lines if line["outcome"])


@pytest.mark.parametrize("name", ENDS)
def test_report_shows_how_an_old_run_ended(program: Program, name: str) -> None:
    placed(program, name)
    report = program("report", RUN)
    assert (report.code, f"{ENDS[name][1]}: " in report.out) == (0, True), report


def test_report_and_attach_show_the_same_of_an_old_run_that_ended(program: Program) -> None:
    placed(program, "rolled-back")
    (line,) = program("report", RUN, JSON).lines
    assert (line["result"]["outcome"], line["result"]["exit_code"]) == ("restored", 1)
    text, attached = program("report", RUN), program("attach", RUN)
    assert (attached.code, attached.out) == (0, text.out)


@pytest.mark.parametrize("name", [*ENDS, *KILLED])
def test_the_screen_replays_an_old_run(program: Program, name: str) -> None:
    folder = placed(program, name)
    events = read_journal(folder.journal)
    replay = ScreenReplay(folder, events, rehearsal=folder.rehearses)
    phases = []
    for position in range(1, len(events) + 1):
        replay._move(position)
        view = replay._view()
        assert view is not None
        assert view.link is Link.REPLAY
        phases.append(view.snapshot.phase)
    assert phases[-1] == KILLED.get(name, "ended")


@pytest.mark.parametrize("name", KILLED)
def test_report_and_attach_show_that_an_old_run_was_killed(program: Program, name: str) -> None:
    placed(program, name)
    report = program("report", RUN)
    assert report.code == 0
    assert f"not ended: it was in phase {KILLED[name]}" in report.out
    assert program("attach", RUN).code == 4


@pytest.mark.parametrize("name", ["done", "rolled-back", "aborted"])
def test_restore_and_resume_write_nothing_for_an_old_run_that_ended(
    program: Program, name: str
) -> None:
    scenario, outcome, code = ENDS[name]
    with in_account(program, name, SCENARIOS[scenario].account) as (account, folder):
        before, standing, journal = writes(account), account.here(), folder.journal.read_bytes()
        restored = program("restore", RUN, JSON)
        assert restored.code == (3 if outcome == "done" else 0), restored
        resumed = program("resume", RUN, "--auto", JSON)
        assert (resumed.code, resumed.result["outcome"]) == (code, outcome)
        assert (writes(account), account.here()) == (before, standing)
        assert folder.journal.read_bytes() == journal


def test_an_old_run_killed_in_the_gap_is_resumed_and_cloudformation_creates_the_record(
    program: Program,
) -> None:
    setup = SCENARIOS["alias"].account
    with in_account(program, "killed-in-the-gap", setup, pace=1.0) as (account, _):
        ended = program("resume", RUN, "--auto", JSON)
        assert (ended.code, ended.result["outcome"]) == (0, "done"), ended
        assert account.here() == (alias("d1new"),)
        assert writes(account) == []


def test_an_old_run_killed_in_the_gap_is_resumed_and_the_deadman_restores_the_record(
    program: Program,
) -> None:
    with in_account(program, "killed-in-the-gap", NEVER_CREATED, pace=1.0, ago=90.0) as (
        account,
        _,
    ):
        ended = program("resume", RUN, "--auto", JSON, timeout=60)
        assert (ended.code, ended.result["outcome"]) == (1, "restored"), ended
        assert account.here() == (alias("d1old"),)


def test_an_old_run_killed_in_the_gap_is_restored(program: Program) -> None:
    with in_account(program, "killed-in-the-gap", NEVER_CREATED, pace=1.0) as (account, _):
        dry = program("restore", RUN, "--dry-run", JSON)
        assert (dry.code, account.here()) == (0, ()), dry
        ended = program("restore", RUN, JSON)
        assert (ended.code, account.here()) == (0, (alias("d1old"),)), ended
        assert writes(account) == ["CREATE"]


def test_the_ttl_that_an_old_killed_run_lowered_is_restored(program: Program) -> None:
    setup = SCENARIOS["cname"].account
    with in_account(program, "killed-with-lowered-ttl", setup) as (account, _):
        assert account.here() == (cname(60),)
        assert program("restore", RUN, "--dry-run", JSON).code == 0
        assert account.here() == (cname(60),)
        assert program("restore", RUN, JSON).code == 0
        assert account.here() == (cname(300),)


def test_an_old_run_killed_with_a_lowered_ttl_is_resumed_to_its_end(program: Program) -> None:
    setup = SCENARIOS["cname"].account
    with in_account(program, "killed-with-lowered-ttl", setup, ago=300.0):
        ended = program("resume", RUN, "--auto", JSON)
        assert (ended.code, ended.result["outcome"]) == (0, "done"), ended
        assert [r["outcome"] for r in ended.result["records"]] == ["adopted"]
