"""Which deploy commands cannot be run is told beforehand, and nothing is run to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from route53_takeover.cli.programs import missing_programs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "command", ["npxx cdk deploy Shop", "npxx 'a (b) | c' --x=$STACK", "./deploi.sh", "./notes.txt"]
)
def test_a_simple_command_whose_program_is_missing_is_reported(
    tmp_path: Path, command: str
) -> None:
    (tmp_path / "notes.txt").touch(mode=0o644)
    assert missing_programs([command, command], tmp_path) == (command.split(maxsplit=1)[0],)


@pytest.mark.parametrize(
    "command",
    [
        "sh -c true",
        "./deploy.sh --now",
        "cd /nowhere",
        ". ./env",
        "$DEPLOY now",
        "STAGE=prod npxx",
        "npxx deploy | tee log",
        "npxx || true",
        "npxx deploy; true",
        "(npxx)",
        "{ npxx; }",
        "npxx $(cat stage)",
        "npxx `cat stage`",
        "~/bin/npxx",
        "np*x",
        "'npxx' deploy",
        "npxx 'open quote",
        "npxx() { true; }\nnpxx",
        "if true; then npxx; fi",
        "",
    ],
)
def test_what_only_a_shell_can_tell_is_left_to_it(tmp_path: Path, command: str) -> None:
    (tmp_path / "deploy.sh").touch(mode=0o755)
    assert missing_programs([command, None], tmp_path) == ()


def test_nothing_is_run_to_find_out(tmp_path: Path) -> None:
    script = tmp_path / "deploy.sh"
    script.write_text("#!/bin/sh\ntouch was-run\n")
    script.chmod(0o755)
    assert missing_programs(["./deploy.sh", "npxx"], tmp_path) == ("npxx",)
    assert not (tmp_path / "was-run").exists()
