"""`runs` and `report`, and what reads a run's folder: as bad days leave it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.program import failed_run, plain_error

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Cloud, Program

JSON = "--output=json"


def copy(folder: Path, name: str, journal: bytes) -> str:
    """The same run again, with another journal."""
    other = folder.with_name(name)
    other.mkdir()
    (other / "plan.json").write_bytes((folder / "plan.json").read_bytes())
    (other / "journal.jsonl").write_bytes(journal)
    return name


def test_no_runs_at_all_is_an_empty_list_and_a_message(program: Program) -> None:
    for more in (": this folder does not exist", ""):
        for words in (("runs",), ("runs", JSON)):
            ended = program(*words)
            assert (ended.code, ended.out) == (0, "")
            assert ended.err == f"there are no runs in {program.state}{more}\n"
        program.state.mkdir(exist_ok=True)
    assert program("runs", "-q").err == ""
    plain_error(program("report"), 2, "no runs", hint="--state-dir")
    plain_error(program("restore", "last"), 2, "no runs", hint="--state-dir")


def test_a_run_that_does_not_exist_is_a_usage_error(program: Program) -> None:
    for words in (("resume", "--auto"), ("restore",), ("report",)):
        plain_error(program(*words, "nothing", JSON), 2, "nothing", hint="runs")
    (program.state / "runs" / "20260101-000000-shop").mkdir(parents=True)
    (program.state / "runs" / "20260102-000000-shop").mkdir(parents=True)
    plain_error(program("report", "2026", JSON), 2, "20260101-000000-shop", "20260102")
    plain_error(program("report", "../runs", JSON), 2, "../runs")
    plain_error(program("restore", "20260101", JSON), 2, "plan.json")
    plain_error(program("resume", "20260101", "--auto", JSON), 2, "plan.json")
    assert [line["run"] for line in program("runs", JSON).lines] == [
        "20260101-000000-shop",
        "20260102-000000-shop",
    ]


def test_journals_of_failed_runs_are_reported_one_by_one(program: Program, account: Cloud) -> None:
    folder = failed_run(program, account)
    whole = (folder / "journal.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    before = account.writes()

    other = copy(folder, "other-version", whole.replace(b'{"v":1,', b'{"v":99,'))
    middle = copy(folder, "damaged", whole.replace(lines[2], lines[2][:20] + b"?" + lines[2][21:]))
    empty = copy(folder, "never-begun", b"")
    headless = copy(folder, "headless", b"".join(lines[1:]))
    for name, code, word in (
        (other, 3, "format 99"),
        (middle, 4, "line 3"),
        (empty, 3, "never started"),
        (headless, 4, "damaged"),
    ):
        ended = program("report", name, JSON)
        plain_error(ended, code, word)
        assert ended.result["run"] == name
    for name, code, word in ((other, 3, "format 99"), (middle, 4, "line 3")):
        plain_error(program("resume", name, "--auto", JSON), code, word)
    reported = {line["run"]: line for line in program("runs", JSON).lines}
    assert "format 99" in reported[other]["reason"]
    assert "damaged" in reported[middle]["reason"]
    assert (reported[folder.name]["outcome"], reported[folder.name]["phase"]) == ("failed", "ended")
    assert program("runs").code == 0
    assert account.writes() == before


def test_a_damaged_plan_or_backup_is_reported_with_its_path(
    program: Program, account: Cloud
) -> None:
    folder = failed_run(program, account)
    plan = folder / "plan.json"
    saved = plan.read_text()
    for text, code, word in (
        ("{", 2, "damaged"),
        (json.dumps(json.loads(saved) | {"format": 99}), 3, "format 99"),
    ):
        plan.write_text(text)
        plain_error(program("resume", folder.name, "--auto", JSON), code, str(plan), word)
    plan.write_text(saved)
    backup = folder / "backup.json"
    backup.write_text("{}")
    plain_error(program("restore", folder.name, JSON), 3, str(backup), "format None")
    backup.unlink()
    plain_error(program("restore", folder.name, JSON), 2, str(backup))
