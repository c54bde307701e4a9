"""`restore` of a run whose process lives is handed to that process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ManualActionRequiredError, RefusedError
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.step import step
from route53_takeover.process.control_server import Control
from route53_takeover.process.live_restore import restore_live
from route53_takeover.storage.journal import FileJournal, read_journal
from route53_takeover.storage.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

JOURNALS = Path(__file__).parents[1] / "data/recorded"


class Process:
    """A run's process that stands still at some event, and does what it is asked for."""

    def __init__(self, folder: RunFolder, events: Sequence[ev.AnyEvent]) -> None:
        self.journal = FileJournal(folder.journal)
        self.asked: list[ev.AnyEvent] = []
        self.answers = True
        for event in events:
            self.journal.append(event)
        state = fold(events)
        assert state is not None
        self.state = state

    def submit(self, event: ev.AnyEvent) -> None:
        self.asked.append(event)
        if self.answers:
            self._take(event)

    def _take(self, event: ev.AnyEvent) -> None:
        self.journal.append(event)
        self.state, commands = step(self.state, event)
        now = self.state.now
        for command in commands:
            if isinstance(command, cmd.WriteBatch):
                about = {"id": command.id, "name": command.name}
                self._take(
                    ev.WriteIntended(
                        time=now, purpose=command.purpose, changes=command.changes, **about
                    )
                )
                self._take(ev.WriteAccepted(time=now, change_id="C1", **about))


@asynccontextmanager
async def living(folder: RunFolder, process: Process) -> AsyncIterator[None]:
    control = Control(folder.control, SystemClock(), process.submit)
    async with control.serving():
        yield
    process.journal.close()


def until(journal: str, phase: Phase) -> list[ev.AnyEvent]:
    """The events of a recorded run, as far as this phase."""
    found: list[ev.AnyEvent] = []
    state = None
    for event in read_journal(JOURNALS / f"{journal}.jsonl"):
        found.append(event)
        state, _ = step(state, event)
        if state.phase is phase:
            return found
    raise AssertionError(phase)


async def test_in_the_gap_the_process_is_asked_to_put_the_record_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    process = Process(folder, until("never-created", Phase.CONFIRM))
    async with living(folder, process):
        state = await restore_live(folder, lambda _: None)
    (asked,) = process.asked
    assert isinstance(asked, ev.RestoreAsked)
    assert {h.stage for h in state.handovers} == {RecordStatus.RESTORED}
    written = [e for e in read_journal(folder.journal) if isinstance(e, ev.WriteIntended)]
    assert written[-1].purpose is Purpose.RESTORE


async def test_before_a_release_the_process_is_asked_to_abort(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    process = Process(folder, until("never-created", Phase.WATCH))
    async with living(folder, process):
        state = await restore_live(folder, lambda _: None)
    (asked,) = process.asked
    assert isinstance(asked, ev.AbortAsked)
    assert {h.stage for h in state.handovers} == {RecordStatus.STANDING}


async def test_what_cloudformation_created_is_left_to_the_run_that_guards_it(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path)
    process = Process(folder, until("alias", Phase.GUARD))
    async with living(folder, process):
        with pytest.raises(RefusedError, match="watches it"):
            await restore_live(folder, lambda _: None)
    assert process.asked == []


async def test_a_process_that_does_nothing_is_reported_and_never_counts_as_done(
    tmp_path: Path,
) -> None:
    folder = RunFolder(tmp_path)
    process = Process(folder, until("never-created", Phase.CONFIRM))
    process.answers = False
    async with living(folder, process):
        with pytest.raises(ManualActionRequiredError, match=r"www\.example\.com"):
            await restore_live(folder, lambda _: None, patience=0.5)
