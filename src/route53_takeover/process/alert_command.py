"""The command of ``--on-event``: run once for each alert, with the alert as JSON on its stdin.

It can neither delay nor end a run: a thread of its own starts the commands, one after the other,
and kills one that lasts too long; what waits for it is bounded. Its output goes nowhere, but for
the last lines of stderr, which say why it failed; they are read when it has ended, so that a flood
of them stops the command and costs this process nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import structlog

from route53_takeover.base.escaping import plain_tail
from route53_takeover.base.redaction import redacted, secrets_of
from route53_takeover.base.signals import asking
from route53_takeover.base.threads import in_thread
from route53_takeover.core.timing import ALERT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MOST = 100
"""Alerts that wait at most; the oldest is left out where there would be more."""
_TAIL_BYTES = 64 * 1024
_LINES = 3
_log = structlog.get_logger(__name__)


class AlertCommand:
    """Runs one command for each alert of one run, in their order.

    Args:
        command: run with ``sh -c``, in a process group of its own.
        environment: the one that a deploy command gets.
        failed: is told of the first failure, from another thread.
        limit: seconds that it may take.
    """

    unfinished: ClassVar[list[AlertCommand]] = []
    """Those of this process that may have something to do when its run has ended."""

    def __init__(
        self,
        command: str,
        environment: Mapping[str, str],
        cwd: Path,
        failed: Callable[[str], None],
        *,
        limit: float = ALERT_LIMIT,
    ) -> None:
        self._command = command
        self._environment = environment
        self._cwd = cwd
        self._failed = failed
        self._limit = limit
        self._waiting: deque[bytes] = deque()
        self._news = threading.Condition()
        self._is_closed = False
        self._has_failed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._is_late = threading.Event()
        self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
        self._thread.start()
        AlertCommand.unfinished.append(self)

    def send(self, alert: Mapping[str, Any]) -> None:
        """Takes an alert and returns at once."""
        with self._news:
            is_full = len(self._waiting) >= MOST
            if is_full:
                self._waiting.popleft()
            self._waiting.append(json.dumps(alert).encode() + b"\n")
            self._news.notify()
        if is_full:
            self._fail(f"it is too slow: more than {MOST} events wait for it, the oldest is lost")

    def finish(self, patience: float) -> None:
        """Waits until every alert is sent, but no longer than this; then nothing is sent any more.

        Blocks: it is called when the run has ended.
        """
        with self._news:
            self._is_closed = True
            self._news.notify()
        self._thread.join(patience)
        with self._news:
            left = len(self._waiting)
            self._waiting.clear()
            self._kill_group()
        if left:
            self._fail(f"{left} events were not sent: the run has ended")

    def _work(self) -> None:
        while (alert := self._next()) is not None:
            try:
                problem = self._run(alert)
            except Exception as error:  # noqa: BLE001 -- whatever it is, the next one is tried
                problem = f"it cannot be started: {error}"
            if problem:
                self._fail(problem)

    def _next(self) -> bytes | None:
        with self._news:
            while not self._waiting:
                if self._is_closed:
                    return None
                self._news.wait()
            return self._waiting.popleft()

    def _run(self, alert: bytes) -> str:
        """Runs the command once; why it failed, or nothing."""
        is_late = threading.Event()
        killing = threading.Timer(self._limit, self._kill, [is_late])
        killing.daemon = True
        reading, writing = os.pipe()
        try:
            os.set_blocking(reading, False)
            try:
                killing.start()
                process = self._start(writing, is_late)
            finally:
                os.close(writing)
            code = self._code_of(process, alert)
            tail = self._tail(reading)
        finally:
            killing.cancel()
            os.close(reading)
        if code == 0:
            return ""
        what = f"killed after {self._limit:g} s" if is_late.is_set() else f"exit status {code}"
        return f"{what}: {tail}" if tail else what

    def _start(self, errors: int, is_late: threading.Event) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 -- running the user's command is the point
            ["/bin/sh", "-c", self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=self._environment,
            cwd=self._cwd,
            start_new_session=True,
        )
        with self._news:
            self._process, self._is_late = process, is_late
        return process

    def _code_of(self, process: subprocess.Popen[bytes], alert: bytes) -> int:
        """Its exit status, once it has the alert and has ended, with all that it has started."""
        with process:
            if process.stdin is not None:
                with suppress(BrokenPipeError):  # it need not read
                    process.stdin.write(alert)
                    process.stdin.flush()
                with suppress(BrokenPipeError):
                    process.stdin.close()
            code = process.wait()
            with self._news:
                self._kill_group()
                self._process = None
            return code

    def _kill(self, is_late: threading.Event) -> None:
        """Kills the command that this was the time of, if it still runs."""
        with self._news:
            if self._process is not None and self._is_late is is_late:
                is_late.set()
                self._kill_group()

    def _kill_group(self) -> None:
        # a number is not given to another group while any process of this one lives
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _tail(self, reading: int) -> str:
        try:
            output = os.read(reading, _TAIL_BYTES)
        except BlockingIOError:  # a process that has left the group has it, and writes nothing
            return ""
        shown = plain_tail(output, cut=len(output) == _TAIL_BYTES, lines=_LINES)
        return redacted(" | ".join(shown.split("\n")), secrets_of(self._environment))

    def _fail(self, reason: str) -> None:
        _log.warning("on-event.failed", reason=reason)
        if not self._has_failed:
            self._has_failed = True
            self._failed(reason)


async def finish_all(patience: float = ALERT_LIMIT) -> None:
    """Sends what is left of a run that has ended; a signal ends the waiting."""
    if not AlertCommand.unfinished:
        return
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    asked = asking()
    for number in asked:
        loop.add_signal_handler(number, stopped.set)
    while AlertCommand.unfinished:
        command = AlertCommand.unfinished.pop()
        sending = asyncio.ensure_future(in_thread(partial(command.finish, patience)))
        stopping = asyncio.ensure_future(stopped.wait())
        await asyncio.wait((sending, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            await in_thread(partial(command.finish, 0.0))
        stopping.cancel()
    for number in asked:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
