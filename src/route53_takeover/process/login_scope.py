"""What may end the process of a run together with its starter, and how to avoid it.

A container ends with its first process. A systemd login session may end everything in its scope
when the user logs out (``KillUserProcesses=yes``), whatever session of its own a process leads; a
scope of the user manager does not, as long as that manager outlives the login (``enable-linger``).
Without lingering the session's scope is the safer place: by default it is let go at the logout,
while the user manager ends all that it has. Questions to the system are few, short and optional.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from enum import StrEnum
from pathlib import Path

_PATIENCE = 2.0
"""Seconds that systemd gets to answer."""
_FIRST_NAMESPACE = 0xEFFFFFFC
"""Inode of the PID namespace that is no container's: fixed in Linux (``PROC_PID_INIT_INO``)."""
_SESSION = re.compile(r"/(session-[^/]+\.scope)(?:/|$)")
_INTO_OWN_SCOPE = ("--user", "--scope", "--quiet", "--collect", "--")
_IS_KILLING = (
    "get-property",
    "org.freedesktop.login1",
    "/org/freedesktop/login1",
    "org.freedesktop.login1.Manager",
    "KillUserProcesses",
)


class EndsWith(StrEnum):
    """What may end a run's process that this process started."""

    NOTHING = "nothing"
    CONTAINER = "container"  # this process is its first: the container ends with it
    LOGIN = "login"  # the session's scope may be ended at the logout


def is_first_process() -> bool:
    """Whether a container ends with this process: its first, or the one that a small init runs."""
    if os.getpid() == 1:
        return True
    return os.getppid() == 1 and _pid_namespace() not in (None, _FIRST_NAMESPACE)


def _pid_namespace() -> int | None:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return None  # no Linux, and no container of it


def session_scope(proc: Path = Path("/proc")) -> str:
    """The systemd login session's scope that this process is in; empty where it is in none."""
    try:
        found = _SESSION.search((proc / "self" / "cgroup").read_text())
    except OSError:
        return ""
    return found[1] if found else ""


def lingers(marks: Path = Path("/var/lib/systemd/linger")) -> bool:
    """Whether this user's manager goes on after the last logout."""
    try:
        return (marks / pwd.getpwuid(os.getuid()).pw_name).exists()
    except (OSError, KeyError):
        return False


def way_out() -> tuple[str, ...]:
    """What a command line is put behind to start outside of the login's scope; may be nothing.

    Blocks for some seconds at most.
    """
    program = shutil.which("systemd-run")
    if program is None or not session_scope() or not lingers():
        return ()
    line = (program, *_INTO_OWN_SCOPE)
    return line if _said([*line, "true"]) is not None else ()


def ends_with(*, moved: bool) -> EndsWith:
    """What may end a process that this one started.

    Args:
        moved: whether it was started by `way_out`. Blocks for some seconds at most.
    """
    if is_first_process():
        return EndsWith.CONTAINER
    if moved or not session_scope():
        return EndsWith.NOTHING
    busctl = shutil.which("busctl")
    said = busctl and _said([busctl, "--system", *_IS_KILLING])
    return EndsWith.NOTHING if said == "b false" else EndsWith.LOGIN


def _said(words: list[str]) -> str | None:
    """What a program printed; ``None`` where it failed or did not end in time."""
    try:
        ended = subprocess.run(  # noqa: S603 -- our own words
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()
