"""The journals in `tests/data/recorded` are what today's program writes, and end as they should.

That old journals are read is tested with `tests/data/journals`, which nothing writes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from route53_takeover.core.status.result import result
from route53_takeover.core.takeover.machine import fold
from route53_takeover.storage.journal import read_journal

ROOT = Path(__file__).parents[2]
JOURNALS = ROOT / "tests" / "data" / "recorded"
ENDS = {
    "aborted": ("aborted", 1, ["untouched"]),
    "adopted": ("done", 0, ["adopted"]),
    "alias": ("done", 0, ["created"]),
    "cname": ("done", 0, ["adopted"]),
    "confirmed": ("done", 0, ["created"]),
    "credentials-expired": ("done", 0, ["created"]),
    "edited-meanwhile": ("failed", 1, ["untouched"]),
    "failed-at-once": ("failed", 1, ["untouched"]),
    "group": ("done", 0, ["created", "created"]),
    "group-two-names": ("done", 0, ["created", "created"]),
    "killed-in-the-gap": ("done", 0, ["created"]),
    "nested": ("done", 0, ["created"]),
    "never-created": ("restored", 1, ["restored"]),
    "paused": ("done", 0, ["created"]),
    "put-back-by-a-person": ("restored", 1, ["restored"]),
    "rollback-failed": ("unknown", 4, ["created"]),
    "rolled-back": ("restored", 1, ["restored"]),
    "stopped": ("aborted", 130, ["untouched"]),
    "two-names": ("done", 0, ["created", "created"]),
    "routed": ("done", 0, ["created"]),
    "bridge": ("done", 0, ["created"]),
    "adopt": ("done", 0, ["adopted"]),
    "weighted": ("done", 0, ["created"]),
    "machine-lost": ("restored", 1, ["restored"]),
    "many": ("done", 0, ["created"] * 10),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_recorded_journal_folds_to_its_end(name: str) -> None:
    state = fold(read_journal(JOURNALS / f"{name}.jsonl"))
    assert state is not None
    ended = result(state, None)
    assert (ended.outcome, ended.exit_code, [r.outcome for r in ended.records]) == ENDS[name]


def test_the_recorded_journals_are_what_the_program_writes_today(tmp_path: Path) -> None:
    """Where a change of behaviour is intended, scripts/record_journals.py writes them again."""
    script = ROOT / "scripts" / "record_journals.py"
    subprocess.run([sys.executable, str(script), "--folder", str(tmp_path)], check=True, timeout=60)
    now = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in JOURNALS.iterdir()}
    assert sorted(now) == sorted(kept) == sorted(f"{name}.jsonl" for name in ENDS)
    assert [name for name in now if now[name] != kept[name]] == []
