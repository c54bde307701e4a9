"""The machine is kept awake while a name may lack its record, and for no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from tests.core.status.test_build import at
from tests.e2e.simulated import await_true

from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import may_lose_a_record
from route53_takeover.process.keep_awake import Awake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

INHIBIT = """
while case "$1" in --*) true;; *) false;; esac; do echo "$1"; shift; done >"$0.called"
echo "$@" >>"$0.called"; echo $$ >"$0.pid"; exec /bin/"$@"
"""
CAFFEINATE = 'echo "$@" >"$0.called"; echo $$ >"$0.pid"; exec /bin/sleep 60'
HOLD = """
import os, signal, sys
from tests.process.test_keep_awake import Awake
awake = Awake()
awake.hold()
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """All that is on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    yield tmp_path
    for path in tmp_path.glob("*.pid"):
        with suppress(OSError, ValueError):
            os.kill(int(path.read_text()), signal.SIGKILL)


def install(folder: Path, name: str, script: str) -> Callable[[], bool]:
    """Puts a program there; tells whether it lives."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    pid = folder / f"{name}.pid"

    def lives() -> bool:
        try:
            os.kill(int(pid.read_text()), 0)
        except (OSError, ValueError):
            return False
        return True

    return lives


@pytest.mark.parametrize(
    ("name", "script", "words"),
    [
        ("systemd-inhibit", INHIBIT, ("--what=sleep:idle", "--mode=block", "cat")),
        ("caffeinate", CAFFEINATE, (f"-i -s -w {os.getpid()}",)),
    ],
    ids=["systemd", "macos"],
)
def test_a_helper_holds_the_machine_awake_until_the_run_has_ended(
    programs: Path, name: str, script: str, words: tuple[str, ...]
) -> None:
    lives = install(programs, name, script)
    awake = Awake()
    assert not may_lose_a_record(at("alias", Phase.PROVE).state)
    assert may_lose_a_record(at("alias", Phase.DEPLOY_ON).state)
    assert may_lose_a_record(at("alias", Phase.CONFIRM).state)
    awake.hold()
    awake.hold()
    await_true(lives, "the helper", 10)
    assert set(words) <= set((programs / f"{name}.called").read_text().splitlines())
    awake.close()
    await_true(lambda: not lives(), "its end", 10)


def test_it_ends_with_a_process_that_is_killed(programs: Path) -> None:
    lives = install(programs, "systemd-inhibit", INHIBIT)
    held = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE)
    await_true(lives, "the helper", 20)
    held.communicate()
    assert held.returncode == -signal.SIGKILL
    await_true(lambda: not lives(), "its end", 10)


@pytest.mark.parametrize("script", [None, "exit 1", "\0"], ids=["none", "refused", "broken"])
def test_a_machine_that_cannot_be_held_awake_holds_nothing_up(
    programs: Path, script: str | None
) -> None:
    if script is not None:
        install(programs, "systemd-inhibit", script)
    awake = Awake()
    awake.hold()
    awake.close()
