"""Whether a run outlives the login or the container that it was started in, and how it gets out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from route53_takeover.process import login_scope
from route53_takeover.process.login_scope import (
    EndsWith,
    ends_with,
    lingers,
    session_scope,
    way_out,
)
from route53_takeover.process.spawn import GoOn, Launch, NotBegunError
from route53_takeover.storage.config import Override

if TYPE_CHECKING:
    from pathlib import Path

WORKS = 'echo "$@" >>"$0.calls"; while [ "$1" != -- ]; do shift; done; shift; exec "$@"'
HANGS = "exec sleep 60"
FAILS = 'echo "Failed to connect to bus: No medium found" >&2; exit 1'


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def _at_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_scope, "session_scope", lambda: "session-3.scope")
    monkeypatch.setattr(login_scope, "lingers", lambda: True)
    monkeypatch.setattr(login_scope, "_PATIENCE", 0.5)
    monkeypatch.setattr(login_scope, "is_first_process", lambda: False)


at_a_login = pytest.mark.usefixtures("_at_a_login")


@at_a_login
async def test_a_run_is_started_in_a_scope_of_its_own_and_gets_its_order(
    tmp_path: Path, programs: Path
) -> None:
    install(programs, "systemd-run", WORKS)
    launch = Launch(
        GoOn(state_dir=str(tmp_path), log_level="info", run="none", override=Override())
    )
    await launch.start()
    with pytest.raises(NotBegunError, match="there is no run 'none'"):
        await launch.begun(lambda _: None, agreed=False)
    assert launch.has_left_scope
    probe, line = (programs / "systemd-run.calls").read_text().splitlines()
    assert probe == "--user --scope --quiet --collect -- true"
    assert "-- " in line
    assert "route53_takeover.cli.worker" in line


@at_a_login
@pytest.mark.parametrize("script", [HANGS, FAILS])
def test_where_no_user_manager_answers_in_time_it_is_started_plainly(
    programs: Path, script: str
) -> None:
    install(programs, "systemd-run", script)
    assert way_out() == ()


@at_a_login
@pytest.mark.parametrize(("what", "value"), [("session_scope", ""), ("lingers", False)])
def test_a_user_manager_that_ends_with_the_login_is_no_way_out(
    programs: Path, monkeypatch: pytest.MonkeyPatch, what: str, value: object
) -> None:
    """By default the session's scope is let go at the logout, and the manager's are not."""
    install(programs, "systemd-run", WORKS)
    monkeypatch.setattr(login_scope, what, lambda: value)
    assert way_out() == ()
    assert not (programs / "systemd-run.calls").exists()


@at_a_login
@pytest.mark.parametrize(
    ("script", "reported"),
    [
        ("echo b false", EndsWith.NOTHING),
        ("echo b true", EndsWith.LOGIN),
        (HANGS, EndsWith.LOGIN),
        (FAILS, EndsWith.LOGIN),
    ],
)
def test_a_logout_may_end_the_run_unless_logind_says_that_it_does_not(
    programs: Path, script: str, reported: EndsWith
) -> None:
    install(programs, "busctl", script)
    assert ends_with(moved=False) is reported
    assert ends_with(moved=True) is EndsWith.NOTHING


@pytest.mark.parametrize(
    ("own", "parent", "namespace", "reported"),
    [
        (1, 0, 0xEFFFFFFC, True),
        (7, 1, 0xF0000123, True),
        (7, 1, 0xEFFFFFFC, False),
        (7, 6, 0xF0000123, False),
    ],
)
def test_a_container_ends_with_its_first_process_or_with_the_child_of_a_small_init(
    monkeypatch: pytest.MonkeyPatch, own: int, parent: int, namespace: int, *, reported: bool
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: own)
    monkeypatch.setattr(os, "getppid", lambda: parent)
    monkeypatch.setattr(login_scope, "_pid_namespace", lambda: namespace)
    assert login_scope.is_first_process() is reported


@pytest.mark.parametrize(
    ("line", "scope"),
    [
        ("0::/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
        ("1:name=systemd:/user.slice/user-0.slice/session-c2.scope", "session-c2.scope"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-kitty.scope", ""),
        ("0::/", ""),
    ],
)
def test_the_scope_of_a_login_is_distinguished_from_every_other(
    tmp_path: Path, line: str, scope: str
) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(f"{line}\n")
    assert session_scope(tmp_path) == scope
    assert session_scope(tmp_path / "nothing") == ""
    assert not lingers(tmp_path)
