"""Leaving a view: what is said of a name without a record, and a container that would end."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.core.status.test_build import at
from tests.process.test_client import events

from route53_takeover.base.errors import ManualActionRequiredError
from route53_takeover.cli import terminal
from route53_takeover.core.status.snapshot import Absence
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.process import leaving, login_scope
from route53_takeover.process.protocol import ExitInfo, Link, View
from route53_takeover.process.spawn import Launch
from route53_takeover.storage.config import Common
from route53_takeover.storage.journal import FileJournal
from route53_takeover.storage.run_folder import RunFolder
from route53_takeover.tui import plain
from route53_takeover.tui.app import TakeoverApp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT = 1_700_000_000.0  # 22:13:20 UTC
RUN = "20260101-000000-shop"


def in_gap() -> int:
    """How many events the recorded run has had once its DELETE is accepted."""
    for count in range(1, len(events())):
        state = fold(events()[:count])
        if state is not None and any(name.is_absent for name in state.names.values()):
            return count
    raise AssertionError("it never was in a gap")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FileJournal]:
    """That of a run in its gap, whose process lives."""
    folder = RunFolder(tmp_path / "runs" / RUN)
    folder.path.mkdir(parents=True)
    journal = FileJournal(folder.journal)
    for event in events()[: in_gap()]:
        journal.append(event)
    yield journal
    journal.close()


def in_the_gap() -> ExitInfo:
    return ExitInfo(run=RUN, detached=True, absences=(Absence(name="www.example.com", until=AT),))


def leaves(tmp_path: Path) -> asyncio.Task[ExitInfo]:
    common = Common(state_dir=tmp_path, quiet=True)
    return asyncio.create_task(asyncio.to_thread(leaving.parting, common, in_the_gap()))


def reported(*absences: tuple[str, float | None]) -> str:
    return leaving.without_record([Absence(name=name, until=until) for name, until in absences])


def test_a_name_without_a_record_is_reported_with_the_time_of_its_restore() -> None:
    www = "www.example.com has no record; restored at 22:13:20Z at the latest"
    assert reported(("www.example.com", AT)) == www
    assert reported(("www.example.com", AT), ("b", AT), ("c", None)) == f"{www}, and 2 more"
    assert reported(("api.example.com", None)) == (
        "api.example.com has no record; the run is restoring it"
    )


def test_a_missing_member_is_reported_beside_the_name_that_still_answers() -> None:
    www = Absence(name="www A [blue]", until=AT, answers="the name still answers")
    said = "is missing; the name still answers; restored at 22:13:20Z at the latest"
    assert leaving.without_record([www]) == f"www A [blue] {said}"
    releasing = replace(www, is_certain=False, until=None)
    assert leaving.without_record([releasing]) == (
        "www A [blue] is about to be deleted; the name still answers; the run is restoring it"
    )


@pytest.fixture
def first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    monkeypatch.setattr(Launch, "latest", SimpleNamespace(has_left_scope=False))


@pytest.mark.usefixtures("first_process")
async def test_the_first_process_of_a_container_stays_until_the_name_has_a_record(
    tmp_path: Path, journal: FileJournal, capfd: pytest.CaptureFixture[str]
) -> None:
    task = leaves(tmp_path)
    done, _ = await asyncio.wait({task}, timeout=0.5)
    assert not done
    said = capfd.readouterr().err
    assert "www.example.com has no record; restored at 22:13:20Z at the latest" in said
    assert "waiting until every name has a record" in said
    for event in events()[in_gap() :]:
        journal.append(event)
        if isinstance(event, ev.NameRead) and event.records:
            break
    with pytest.raises(ManualActionRequiredError, match="ends with the container") as ends:
        await asyncio.wait_for(task, 10)
    assert f"route53-takeover resume {RUN} --state-dir {tmp_path}" in ends.value.hint


@pytest.mark.usefixtures("first_process")
async def test_a_run_that_ends_while_its_container_is_kept_is_reported_as_followed_to_its_end(
    tmp_path: Path, journal: FileJournal
) -> None:
    task = leaves(tmp_path)
    for event in events()[in_gap() :]:
        journal.append(event)
    left = await asyncio.wait_for(task, 10)
    assert left.result is not None
    assert (left.result.outcome, left.detached) == ("done", False)


@pytest.mark.usefixtures("journal")
def test_elsewhere_a_view_is_left_at_once_with_the_name_before_the_way_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Launch, "latest", SimpleNamespace(has_left_scope=False))
    monkeypatch.setattr(login_scope, "session_scope", lambda: "")
    monkeypatch.setattr(terminal, "ignore_asking", lambda: None)
    assert terminal._seen(Common(state_dir=tmp_path, quiet=True), in_the_gap()) == 0
    said = capfd.readouterr().err
    assert said.index("has no record; restored at") < said.index("continues by itself")


@pytest.mark.usefixtures("journal")
def test_a_run_that_may_end_at_the_logout_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Launch, "latest", SimpleNamespace(has_left_scope=False))
    monkeypatch.setattr(leaving, "ends_with", lambda **_: login_scope.EndsWith.LOGIN)
    assert leaving.parting(Common(state_dir=tmp_path), in_the_gap()) == in_the_gap()
    assert "stay logged in until it has ended" in capfd.readouterr().err


def test_a_screen_and_a_text_view_are_left_with_the_names_that_lack_a_record(
    tmp_path: Path,
) -> None:
    seen = at("alias", Phase.CONFIRM).seen()
    app = TakeoverApp(preferences=tmp_path / "none")
    app._newest = View(snapshot=seen, link=Link.LIVE)
    assert app.left().absences == seen.absences != ()
    assert plain._detached(app._newest).absences == seen.absences
