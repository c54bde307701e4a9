"""What a run usually takes, by the earlier runs that the state folder has."""

from __future__ import annotations

import shutil
from pathlib import Path

from route53_takeover.process.earlier_runs import usual_times
from route53_takeover.storage.run_folder import RunFolder

JOURNALS = Path(__file__).parents[1] / "data/recorded"


def run(state_dir: Path, name: str, journal: str) -> RunFolder:
    path = state_dir / "runs" / name
    path.mkdir(parents=True)
    shutil.copyfile(JOURNALS / f"{journal}.jsonl", path / "journal.jsonl")
    return RunFolder(path)


def test_earlier_runs_of_the_stack_that_went_well_say_what_is_usual(tmp_path: Path) -> None:
    for name, journal in (
        ("20261101-080000-shop", "alias"),
        ("20261102-080000-shop", "rolled-back"),
        ("20261103-080000-other", "cname"),
        ("20261105-080000-shop", "cname"),
    ):
        run(tmp_path, name, journal)
    ours = run(tmp_path, "20261104-080000-shop", "alias")
    usual = usual_times(ours)
    assert 10 < usual["deploy-off"] < 20
    assert "restore" not in usual, "that of a run that did not go well"
    assert "drain" not in usual, "that of a later run, and of another stack"
    assert usual == usual_times(run(tmp_path, "20261104-090000-shop", "nested"))


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    ours = run(tmp_path, "20261104-080000-shop", "alias")
    assert usual_times(ours) == {}
    broken = run(tmp_path, "20261101-080000-shop", "alias")
    broken.journal.write_text("no journal\n")
    assert usual_times(ours) == {}
    (tmp_path / "runs" / "20261102-080000-shop").mkdir()
    assert usual_times(ours) == {}
