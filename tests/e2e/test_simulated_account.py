"""The script that serves a simulated account leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.processes import bare_environment
from tests.e2e.simulated import SCRIPT


def test_without_a_folder_its_files_are_temporary(tmp_path: Path) -> None:
    here, temporary = tmp_path / "here", tmp_path / "tmp"
    here.mkdir()
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, SCRIPT],
        cwd=here,
        env=bare_environment(tmp_path) | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            template = Path(json.loads(process.stdout.readline())["template"])
            assert template.is_relative_to(temporary)
            assert template.parent.is_dir()
        finally:
            process.terminate()
    assert process.returncode == 0
    assert [*here.iterdir(), *temporary.iterdir()] == []
