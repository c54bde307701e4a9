"""Keeps the machine awake while a name may have no record: a sleeping machine restores nothing.

A helper of the system's does it: ``systemd-inhibit`` where there is one, else ``caffeinate``. It is
best effort: no run waits for it, and none depends on it. It ends with this process, however that
ends: the one reads a pipe that only this process holds, the other watches its process id.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from contextlib import suppress

import structlog

_log = structlog.get_logger(__name__)
_WHY = "A DNS record is being taken over and may have to be restored"


class Awake:
    """Keeps the machine awake from when it is first needed until it is closed."""

    def __init__(self) -> None:
        self._is_asked = False
        self._is_over = False
        self._helper: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()

    def hold(self) -> None:
        """Starts the helper, once, in a thread of its own; returns at once."""
        if not self._is_asked:
            self._is_asked = True
            with suppress(RuntimeError):  # no thread can be started: it is done without
                threading.Thread(target=self._start, name="awake", daemon=True).start()

    def close(self) -> None:
        """Lets the machine sleep."""
        with self._changing:
            self._is_over = True
            helper = self._helper
        if helper is not None:
            with suppress(OSError):
                helper.terminate()
            if helper.stdin is not None:
                with suppress(OSError):
                    helper.stdin.close()

    def _start(self) -> None:
        line = _line()
        if not line:
            return
        try:
            with self._changing:
                if self._is_over:
                    return
                self._helper = helper = _started(line)
        except OSError as error:
            _log.info("awake.unavailable", program=line[0], reason=str(error))
            return
        code = helper.wait()
        if not self._is_over:
            _log.info("awake.ended", program=line[0], exit_code=code)


def _line() -> tuple[str, ...]:
    """What keeps this machine awake; empty where nothing is known to."""
    if program := shutil.which("systemd-inhibit"):
        who = ("--what=sleep:idle", "--mode=block", "--who=route53-takeover", f"--why={_WHY}")
        return (program, *who, "cat")
    if program := shutil.which("caffeinate"):
        return (program, "-i", "-s", "-w", str(os.getpid()))
    return ()


def _started(line: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """The helper, in a session of its own: no Ctrl-C of the terminal's ends it before the run."""
    return subprocess.Popen(  # noqa: S603 -- our own words
        line,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
