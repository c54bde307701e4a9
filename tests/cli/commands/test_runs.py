"""`runs`: where each run stands and what it needs; `--prune`; which run is meant without RUN."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import PROGRAM, Program, failed_run, plain_error, unfinished_run, usage_error
from tests.old_runs import placed

from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.result import Result
from route53_takeover.core.status.run_status import LaterRestore
from route53_takeover.core.takeover import events as ev
from route53_takeover.process.account_socket import socket_of
from route53_takeover.storage.journal import FileJournal, read_journal
from route53_takeover.storage.run_notes import (
    RESTORE,
    read_calls,
    read_restores,
    save_end,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Cloud

    from route53_takeover.storage.run_folder import RunFolder

JSON = "--output=json"
SOON = "--older-than=1s"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def listed(program: Program, folder: RunFolder) -> dict[str, Any]:
    return next(line for line in program("runs", JSON).lines if line["run"] == folder.name)


def on_terminal(program: Program, *words: str, typed: str = "", columns: int = 100) -> str:
    """What the command prints on a terminal where this is typed."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    env = {**program.env, "TERM": "xterm", "COLUMNS": "", "LINES": ""}
    subprocess.run(["stty", "cols", str(columns)], stdin=theirs, check=True)
    command = [str(PROGRAM), *words]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=program.home
    ) as process:
        os.close(theirs)
        os.write(ours, typed.encode())
        printed = b""
        while select.select([ours], [], [], 20)[0]:
            try:
                printed += os.read(ours, 65536)
            except OSError:  # the end of a terminal
                break
        process.wait(20)
    os.close(ours)
    return printed.decode()


def test_a_run_whose_process_died_in_the_gap_says_so_and_what_to_do(program: Program) -> None:
    folder = placed(program, "killed-in-the-gap")
    line = listed(program, folder)
    assert (line["state"], line["alive"], line["needs"]) == ("died", False, "resume")
    assert (line["no_record"], line["gap_is_open"]) == (["www.example.com"], True)
    assert line["gap_seconds"] > 60
    ended = program("runs")
    assert ended.code == 0
    assert ended.out.startswith("DIED - resume  ")
    assert "  NO RECORD " in ended.out
    assert "www.example.com has NO RECORD, and no process will restore it" in ended.err
    assert f"resume {folder.name}" in ended.err


def test_a_run_whose_process_lives_is_running_or_waits_for_its_operator(program: Program) -> None:
    folder = placed(program, "killed-in-the-gap")
    with closing(FileJournal(folder.journal)):
        line = listed(program, folder)
        assert (line["state"], line["alive"], line["needs"]) == ("running", True, None)
        assert line["no_record"] == ["www.example.com"]
    other = placed(program, "killed-with-lowered-ttl")
    with closing(FileJournal(other.journal)) as journal:
        journal.append(ev.RunPaused(time=journal.events[-1].time + 1))
        journal.close()
    with closing(FileJournal(other.journal)):
        line = listed(program, other)
        assert (line["state"], line["needs"]) == ("paused", "your-turn")
        assert f"attach {other.name}" in program("runs").err


def test_what_restore_put_back_later_is_not_asked_for_again(program: Program) -> None:
    folder = placed(program, "killed-in-the-gap")
    last = read_journal(folder.journal)[-1].time
    ended = Result(run=folder.name, phase="ended", outcome="failed", exit_code=1, reason="no")  # type: ignore[arg-type]
    save_end(folder, last + 60, RESTORE, ended)
    assert listed(program, folder)["needs"] == "resume", "that restore did not succeed"
    done = Result(
        run=folder.name,
        phase="ended",
        outcome=str(Outcome.DONE),
        exit_code=0,  # type: ignore[arg-type]
        reason="every name is as it was before the run",
        api_calls={"route53:ChangeResourceRecordSets": 1},
    )
    save_end(folder, last + 100, RESTORE, done)
    line = listed(program, folder)
    assert (line["state"], line["needs"], line["no_record"]) == ("restored", None, [])
    report = program("report", folder.name)
    assert report.out.startswith("↩ restored by `restore` at ")
    assert "it was in phase confirm" in report.out
    assert 99 <= line["gap_seconds"] < 160, "it ended then"
    assert "no record exists now" not in report.out.partition("Timeline")[0]
    page = program("report", folder.name, "--output=html").out
    assert "As before the run, by `restore`" in page
    assert read_calls(folder) == {"route53:ChangeResourceRecordSets": 1}
    with (folder.path / "ends.jsonl").open("a") as file:
        file.write('{"command": "restore", "time": 7}\n[]\n{"half')
    assert [type(each) for each in read_restores(folder)] == [LaterRestore] * 2


def test_a_terminal_gets_a_table_of_its_width_in_colour_and_a_pipe_gets_none(
    program: Program,
) -> None:
    placed(program, "killed-in-the-gap")
    placed(program, "rolled-back")
    table = on_terminal(program, "runs", columns=84)
    assert "STATE " in table
    assert "\x1b[1;31m" in table
    rows = [line for line in table.splitlines() if "-shop" in line and "!" not in line]
    assert len(rows) == 2
    plain = [len(row.replace("\x1b[", "\x1b").partition("\r")[0]) for row in rows]
    assert max(plain) < 110, "84 columns and the colours"
    program.env["NO_COLOR"] = "1"
    assert "\x1b[" not in on_terminal(program, "runs")
    assert "\x1b" not in program("runs").out
    assert "STATE" not in program("runs").out


def test_without_run_the_newest_that_is_alive_is_meant_else_the_newest(program: Program) -> None:
    older, newer = placed(program, "killed-with-lowered-ttl"), placed(program, "rehearsal")
    older, newer = sorted((older, newer), key=lambda folder: folder.name)
    killed = placed(program, "killed-in-the-gap")
    newest = max((older, newer, killed), key=lambda folder: folder.name).name
    report = program("report", JSON)
    assert report.lines[0]["run"] == newest
    assert f"run {newest}" in report.err
    assert f"warning: another run needs you: `route53-takeover resume {killed.name}" in report.err
    assert program("report", "last", JSON).lines[0]["run"] == newest
    with closing(FileJournal(older.journal)):
        assert program("report", JSON).lines[0]["run"] == older.name
        assert program("report", "last", JSON).lines[0]["run"] == newest


def test_a_terminal_is_asked_where_several_runs_are_possible(program: Program) -> None:
    first, second = (
        placed(program, name) for name in ("killed-in-the-gap", "killed-with-lowered-ttl")
    )
    newest, other = sorted((first.name, second.name), reverse=True)
    usual = on_terminal(program, "report", typed="\n")
    assert f"1  {newest}" in usual
    assert f"Run          {newest}" in usual.replace("\x1b[2m", "").replace("\x1b[0m", "")
    asked = on_terminal(program, "report", "2026", typed="7\n2\n")
    assert "Type a number from 1 to 2." in asked
    assert f"Run          {other}" in asked.replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert "error: no run was chosen" in on_terminal(program, "report", typed="q\n")
    plain_error(program("report", "2026"), 2, "prefix of 2 runs")


def test_prune_removes_what_is_over_and_nothing_that_may_be_needed(program: Program) -> None:
    names = ("done", "rolled-back", "rehearsal", "killed-in-the-gap", "killed-with-lowered-ttl")
    done, rolled_back, rehearsal, *killed = (placed(program, name) for name in names)
    every = {folder.name for folder in program.folders()}
    shown = program("runs", "--prune", SOON)
    assert shown.code == 0
    assert shown.out.count("would remove") == 3
    assert "--yes" in shown.err
    assert {folder.name for folder in program.folders()} == every

    with closing(FileJournal(done.journal)):
        pruned = program("runs", "--prune", SOON, "--yes", JSON)
    assert {line["run"] for line in pruned.lines} == {rolled_back.name, rehearsal.name}
    assert {f.name for f in program.folders()} == {done.name, *(run.name for run in killed)}
    shutil.rmtree(done.path)
    again = program("runs", "--prune", SOON, "--yes")
    assert (again.code, again.out) == (0, "")
    assert "nothing to remove" in again.err


def test_prune_keeps_real_runs_that_are_young_and_what_it_cannot_read(
    program: Program, account: Cloud
) -> None:
    young = failed_run(program, account)
    rehearsal = placed(program, "rehearsal")
    unknown = unfinished_run(program, account)
    (unknown.path / "journal.jsonl").write_bytes(b"{\n")
    (young.parent / "20200101-000000-no-plan").mkdir()
    pruned = program("runs", "--prune", "--yes", JSON)
    assert [(line["run"], line["removed"]) for line in pruned.lines] == [(rehearsal.name, True)]
    usage_error(program("runs", "--yes"), "--prune")
    usage_error(program("runs", "--prune", "--older-than=soon"), "--older-than")


def test_prune_keeps_a_rehearsal_that_can_be_resumed(program: Program, tmp_path: Path) -> None:
    folder = placed(program, "killed-in-the-gap")
    plan = folder.path / "plan.json"
    account = tmp_path / "account"
    account.mkdir()
    saved = json.loads(plan.read_text()) | {"rehearsal": "alias", "simulated": str(account)}
    plan.write_text(json.dumps(saved))
    socket_of(account).touch()
    assert listed(program, folder)["needs"] == "resume"
    assert program("runs", "--prune", "--yes").out == ""
    socket_of(account).unlink()
    assert (listed(program, folder)["state"], listed(program, folder)["needs"]) == ("died", None)
    assert "removed" in program("runs", "--prune", "--yes").out


def test_prune_asks_on_a_terminal(program: Program) -> None:
    placed(program, "rehearsal")
    assert "Remove 1 run for good? [y/N]" in on_terminal(program, "runs", "--prune", typed="\n")
    assert len(program.folders()) == 1
    assert "removed  2026" in on_terminal(program, "runs", "--prune", typed="y\n")
    assert program.folders() == []


def test_prune_never_follows_a_link(program: Program, tmp_path: Path) -> None:
    folder = placed(program, "rehearsal").path
    theirs = tmp_path / "theirs"
    folder.rename(theirs)
    folder.symlink_to(theirs)
    ended = program("runs", "--prune", "--yes")
    assert ended.code == 1
    assert "symbolic link" in ended.err
    assert json.loads((theirs / "plan.json").read_text())
