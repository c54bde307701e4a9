"""What was not foreseen is told in one line, with the run that it came out of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.program import failed_run, plain_error

from route53_takeover.base.errors import DefectError, ExitCode, RefusedError
from route53_takeover.core.endings import EXIT_CODES, OUTCOMES, Outcome
from route53_takeover.storage.run_folder import RunFolder, within

if TYPE_CHECKING:
    from tests.cli.program import Cloud, Program


@pytest.mark.parametrize(("command", "code"), [("report", 1), ("restore", 4)])
def test_a_defect_is_reported_with_its_run_and_its_details_are_kept(
    program: Program, account: Cloud, monkeypatch: pytest.MonkeyPatch, command: str, code: int
) -> None:
    folder = failed_run(program, account)
    words = [command, folder.name, "--output=json"]

    def broken(*_: object) -> None:
        raise KeyError("no such\nthing")

    monkeypatch.setattr("route53_takeover.cli.run_reading.read_journal", broken)
    monkeypatch.setattr(RunFolder, "backup", broken)
    ended = program(*words)
    line = plain_error(ended, code, "internal error of route53-takeover: KeyError", hint="runs")
    assert (ended.result["run"], ended.result["exit_code"]) == (folder.name, code)
    kept = Path(line.partition("details in ")[2].rstrip(")"))
    text = kept.read_text()
    assert "Traceback" in text
    assert "in broken" in text


def test_an_error_within_a_run_says_which(tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused, within(RunFolder(tmp_path / "r")):
        raise RefusedError("no")
    assert refused.value.run == "r"
    assert RefusedError("no").run is None
    with pytest.raises(DefectError, match="odd") as defect, within(RunFolder(tmp_path / "r")):
        raise ValueError("odd")
    assert defect.value.run == "r"
    assert isinstance(defect.value.error, ValueError)


def test_outcomes_and_exit_codes_agree() -> None:
    assert EXIT_CODES.keys() == {*Outcome}
    assert OUTCOMES.keys() == {*ExitCode}
    for code, outcome in OUTCOMES.items():
        if code not in (ExitCode.USAGE, ExitCode.INTERRUPTED):
            assert EXIT_CODES[outcome] is code
