"""`resume RUN`: the journal is locked before it is read, and what has ended is only told."""

from __future__ import annotations

import tempfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.program import WWW, failed_run, plain_error

from route53_takeover.core.projection import Projection
from route53_takeover.core.takeover import events as ev
from route53_takeover.storage.journal import FileJournal, is_held
from route53_takeover.storage.journal_format import decode
from route53_takeover.storage.locks import locked_names, site_of
from route53_takeover.storage.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.program import Cloud, Program
JSON = "--output=json"


def killed_run(program: Program, account: Cloud, *, torn: bool = False) -> RunFolder:
    """A run whose process died after its backup, with half a line after that, perhaps."""
    folder = RunFolder(failed_run(program, account))
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if b'"BackupWritten"' in line)
    folder.journal.write_bytes(b"".join(lines[: at + 1]) + (lines[at + 1][:25] if torn else b""))
    (folder.path / "deploy-on.log").unlink()
    return folder


def test_a_torn_last_line_is_dropped_and_the_run_continues_to_its_end(
    program: Program, account: Cloud
) -> None:
    torn = killed_run(program, account, torn=True).name
    assert f"resume {torn}" in program("report", torn).out
    ended = program("resume", torn, "--auto", JSON)
    assert ended.result["run"] == torn
    assert ended.code == 1, "the deploy command deploys nothing"
    assert len(account.here()) == 1
    assert program("report", torn, JSON).lines[0]["result"]["outcome"] == "failed"


def test_the_journal_is_read_and_folded_once_and_is_locked_by_then(
    program: Program, account: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = killed_run(program, account)
    locked: list[bool] = []
    apply = Projection.apply
    folded: list[ev.AnyEvent] = []

    def decoding(data: bytes, where: str = "") -> tuple[list[ev.AnyEvent], int]:
        locked.append(is_held(folder.journal))
        return decode(data, where)

    def folding(into: Projection[Any, Any, Any], event: ev.AnyEvent) -> object:
        folded.append(event)
        return apply(into, event)

    monkeypatch.setattr("route53_takeover.storage.journal.decode", decoding)
    monkeypatch.setattr(Projection, "apply", folding)
    assert program("resume", folder.name, "--auto", JSON).result["outcome"] == "failed"
    assert locked == [True]
    assert [type(event) for event in folded].count(ev.RunStarted) == 1
    assert [type(event) for event in folded].count(ev.RunResumed) == 1


@pytest.fixture
def _locks_of_the_program(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", program.env["XDG_RUNTIME_DIR"])
    monkeypatch.setattr(tempfile, "tempdir", program.env["TMPDIR"])


@pytest.mark.usefixtures("_locks_of_the_program")
def test_a_run_that_a_process_works_on_is_refused_by_its_name(
    program: Program, account: Cloud
) -> None:
    folder = killed_run(program, account)
    before = folder.journal.read_bytes()
    words = ("resume", folder.name, "--auto", JSON)
    with closing(FileJournal(folder.journal)):
        plain_error(program(*words), 3, f"another process is working on this run ({folder.name})")
        site = site_of(account.world.zone.zone_id, account.url)
        with locked_names(program.state, site, [WWW]) as held:
            held.register(folder)
            ended = program(*words)
    what = f"using www.example.com: {folder.name} in {program.state}"
    plain_error(ended, 3, f"another run on this machine is {what}", hint=f"attach {folder.name}")
    assert ended.result["run"] == folder.name
    assert folder.journal.read_bytes() == before


def test_a_run_that_has_ended_is_reported_again_and_not_started_again(
    program: Program, account: Cloud
) -> None:
    folder = RunFolder(failed_run(program, account))
    before = account.writes()
    reported = []

    def announce() -> None:
        ended = program("resume", folder.name, "--auto", JSON)
        assert ended.code == 1
        reported.append(ended.result)

    announce()
    with closing(FileJournal(folder.journal)):  # its process waits for a reader of its result
        announce()
    assert reported[0] == reported[1]
    assert reported[0]["outcome"] == "failed"
    report = program("report", folder.name[:8])
    assert report.code == 0
    assert "nothing was deployed" in report.out
    assert account.writes() == before


@pytest.mark.parametrize("leave", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_run_whose_journal_is_empty_never_started(
    program: Program, account: Cloud, leave: Callable[[object], object]
) -> None:
    folder = RunFolder(failed_run(program, account))
    leave(folder.journal)
    there = folder.journal.exists()
    plain_error(program("resume", folder.name, "--auto", JSON), 3, "never started", hint="`run`")
    assert folder.journal.exists() == there
