"""The command of ``--on-event`` can hang, fail and flood: whoever sends alerts never notices."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.simulated import await_true

from route53_takeover.process import alert_command
from route53_takeover.process.alert_command import MOST, AlertCommand, finish_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = 0.5
"""Seconds that a command of these tests gets."""
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # noqa: S105 -- AWS's own example


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    yield
    for command in AlertCommand.unfinished:
        command.finish(0.0)
    AlertCommand.unfinished.clear()


class Sent:
    """A command in a folder, what it failed with, and what it has written there."""

    def __init__(
        self, folder: Path, command: str, *, limit: float = QUICK, cwd: Path | None = None
    ) -> None:
        self.folder = folder
        self.failures: list[str] = []
        environment = {"PATH": os.environ["PATH"], "AWS_SECRET_ACCESS_KEY": SECRET}
        self.command = AlertCommand(
            command, environment, cwd or folder, self.failures.append, limit=limit
        )

    def send(self, *alerts: dict[str, Any]) -> float:
        """How long the sender was held up."""
        began = time.perf_counter()
        for alert in alerts:
            self.command.send(alert)
        return time.perf_counter() - began

    def finish(self, patience: float = 20.0) -> None:
        self.command.finish(patience)

    @property
    def written(self) -> list[dict[str, Any]]:
        path = self.folder / "alerts"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_each_alert_is_the_stdin_of_one_command_in_their_order(tmp_path: Path) -> None:
    sent = Sent(tmp_path, "cat >> alerts; echo noise")
    alerts = [{"event": "gap-opened", "seq": seq, "text": "\u2026\n\x1b[31m"} for seq in range(5)]
    sent.send(*alerts)
    sent.finish()
    assert sent.written == alerts
    assert sent.failures == []


@pytest.mark.parametrize(
    ("command", "failure"),
    [
        ("exit 3", "exit status 3"),
        ("echo no webhook >&2; exit 1", "exit status 1: no webhook"),
        ("echo $AWS_SECRET_ACCESS_KEY >&2; exit 1", "exit status 1: ***"),
        ("kill -9 $$", "exit status -9"),
        ("sleep 600", "killed after 0.5 s"),
        ("trap '' TERM INT HUP; cat > /dev/null; while :; do :; done", "killed after 0.5 s"),
        ("yes x >&2", "killed after 0.5 s: x | x | x"),
        ("no-such-program", "exit status 127: "),
    ],
)
def test_a_command_that_fails_is_told_once_and_the_next_alert_is_sent(
    tmp_path: Path, command: str, failure: str
) -> None:
    sent = Sent(tmp_path, f'read -r line; case "$line" in *last*) exit 0;; esac; {command}')
    assert sent.send({"n": 1}, {"n": 2}, {"n": "last"}) < QUICK / 2
    sent.finish()
    (told,) = sent.failures
    assert told.startswith(failure)
    assert SECRET not in told


def test_a_flood_on_stdout_costs_nothing_and_a_command_need_not_read(tmp_path: Path) -> None:
    sent = Sent(tmp_path, "exec <&-; head -c 50000000 /dev/zero; echo done >> finished", limit=20.0)
    sent.send({"text": "x" * 100_000}, {"n": 2})
    sent.finish()
    assert (tmp_path / "finished").read_text() == "done\ndone\n"
    assert sent.failures == []


def test_what_a_command_leaves_behind_is_killed_with_it(tmp_path: Path) -> None:
    sent = Sent(tmp_path, "sleep 600 & echo $! > pid")
    sent.send({})
    sent.finish()
    pid = int((tmp_path / "pid").read_text())
    await_true(lambda: not is_running(pid), "its end")
    assert sent.failures == []


def test_a_working_folder_that_is_gone_is_a_failure_like_others(tmp_path: Path) -> None:
    sent = Sent(tmp_path, "true", cwd=tmp_path / "gone")
    sent.send({})
    sent.finish()
    assert len(sent.failures) == 1
    assert "cannot be started" in sent.failures[0]


def test_a_machine_without_files_to_open_is_a_failure_and_the_next_alert_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to end the first command must not end the second one, which takes longer."""
    pipes = iter([OSError(errno.EMFILE, "Too many open files")])
    pipe = os.pipe

    def pipe_later() -> tuple[int, int]:
        for error in pipes:
            raise error
        return pipe()

    sent = Sent(tmp_path, "sleep 0.8; cat >> alerts", limit=1.0)
    monkeypatch.setattr(os, "pipe", pipe_later)
    sent.send({"n": 1})
    await_true(lambda: sent.failures, "the failure")
    threading.Event().wait(0.5)
    sent.send({"n": 2})
    sent.finish()
    assert sent.written == [{"n": 2}]
    assert sent.failures == ["it cannot be started: [Errno 24] Too many open files"]


def test_of_too_many_the_newest_are_sent(tmp_path: Path) -> None:
    wait = "until [ -e go ]; do sleep 0.05; done; cat >> alerts"
    sent = Sent(tmp_path, wait, limit=20.0)
    assert sent.send(*({"n": n} for n in range(MOST + 10))) < 1.0
    (tmp_path / "go").touch()
    sent.finish()
    numbers = [alert["n"] for alert in sent.written]
    assert numbers == sorted(numbers)
    assert numbers[-MOST:] == list(range(10, MOST + 10)), "the oldest are left out"
    assert len(sent.failures) == 1
    assert "too slow" in sent.failures[0]


def test_the_end_of_a_run_waits_no_longer_than_its_patience(tmp_path: Path) -> None:
    sent = Sent(tmp_path, "echo $$ > pid; sleep 600", limit=600.0)
    sent.send({"n": 1}, {"n": 2}, {"n": 3})
    await_true((tmp_path / "pid").exists, "the first command")
    began = time.perf_counter()
    sent.finish(QUICK)
    assert time.perf_counter() - began < 5
    assert "2 events were not sent: the run has ended" in sent.failures
    await_true(lambda: not is_sending(), "the end of its thread")


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_sending() -> bool:
    return any(thread.name == "alerts" for thread in threading.enumerate())


async def test_a_signal_ends_the_wait_for_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_command, "asking", lambda: (signal.SIGUSR1,))
    before = signal.getsignal(signal.SIGUSR1)
    sent = Sent(tmp_path, "sleep 600", limit=600.0)
    sent.send({})
    asyncio.get_running_loop().call_later(QUICK, os.kill, os.getpid(), signal.SIGUSR1)
    try:
        async with asyncio.timeout(5):
            await finish_all()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert AlertCommand.unfinished == []
