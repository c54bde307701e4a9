"""The journals that were recorded: a later program still reads them, and comes to the same ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from route53_takeover.core.status.result import result
from route53_takeover.core.takeover.machine import fold
from route53_takeover.core.takeover.step import step
from route53_takeover.storage.journal import read_journal

ROOT = Path(__file__).parents[2]
JOURNALS = ROOT / "tests" / "data" / "journals"
ENDS = {
    "aborted": ("aborted", 1, ["untouched"]),
    "adopted": ("done", 0, ["adopted"]),
    "alias": ("done", 0, ["created"]),
    "cname": ("done", 0, ["adopted"]),
    "confirmed": ("done", 0, ["created"]),
    "credentials-expired": ("done", 0, ["created"]),
    "edited-meanwhile": ("failed", 1, ["untouched"]),
    "failed-at-once": ("failed", 1, ["untouched"]),
    "killed-in-the-gap": ("done", 0, ["created"]),
    "nested": ("done", 0, ["created"]),
    "never-created": ("restored", 1, ["restored"]),
    "paused": ("done", 0, ["created"]),
    "put-back-by-a-person": ("restored", 1, ["restored"]),
    "rollback-failed": ("unknown", 4, ["created"]),
    "rolled-back": ("restored", 1, ["restored"]),
    "stopped": ("aborted", 130, ["untouched"]),
    "two-names": ("done", 0, ["created", "created"]),
}
every_journal = pytest.mark.parametrize("name", ENDS)


def test_every_recorded_journal_has_its_end_here() -> None:
    assert {path.stem for path in JOURNALS.glob("*")} == set(ENDS)
    assert max(path.stat().st_size for path in JOURNALS.glob("*")) < 150_000


@every_journal
def test_a_recorded_journal_is_read_and_folds_to_its_end(name: str) -> None:
    state = fold(read_journal(JOURNALS / f"{name}.jsonl"))
    assert state is not None
    ended = result(state, None)
    assert (ended.outcome, ended.exit_code, [r.outcome for r in ended.records]) == ENDS[name]


@every_journal
def test_no_event_of_a_recorded_journal_is_refused(name: str) -> None:
    """`fold` would ignore one, as the engine does; here it is an error."""
    state = None
    for event in read_journal(JOURNALS / f"{name}.jsonl"):
        state, _ = step(state, event)


def test_the_journals_are_what_the_script_writes_now(tmp_path: Path) -> None:
    """Where they shall differ, scripts/record_journals.py writes them anew."""
    script = ROOT / "scripts" / "record_journals.py"
    subprocess.run([sys.executable, str(script), "--folder", str(tmp_path)], check=True, timeout=60)
    now = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in JOURNALS.iterdir()}
    assert sorted(now) == sorted(kept)
    assert [name for name in now if now[name] != kept[name]] == []
