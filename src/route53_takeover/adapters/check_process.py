"""Shell commands that check something: short, and over before we are.

Unlike a deploy command (`adapters.deploy_process`) a check changes nothing and dies with us: its
whole process group is killed when its time is up, when it ends, and when nobody waits any more.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.base.escaping import plain_tail
from route53_takeover.base.redaction import redacted, secrets_of
from route53_takeover.base.signals import as_called
from route53_takeover.base.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LIMIT = 60.0
"""The loop's seconds."""
_LINES = 3
_TAIL_BYTES = 16 * 1024
_CHUNK = 64 * 1024


class CheckExit(Struct, frozen=True, kw_only=True):
    """How a command ended: exit status (below 0: the signal), and the last lines of its output.

    ``code`` is ``None`` where it was killed because its time was up.
    """

    code: int | None
    tail: str = ""


async def run_check(
    command: str,
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
    limit: float = LIMIT,
) -> CheckExit:
    """Runs a command with ``sh -c`` and waits for its end.

    Args:
        limit: the loop's seconds after which it is killed.

    Raises:
        OSError: it could not be started.
    """
    output = _Output()
    try:
        process = _start(command, environment, cwd, output.writing_end)
        output.begin()
        ended = asyncio.ensure_future(in_thread(process.wait))
        try:
            async with asyncio.timeout(limit):
                code: int | None = await asyncio.shield(ended)
        except TimeoutError:
            code = None
        finally:
            # a number is not given to another group while any process of this one lives
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        await ended
        tail = output.taken()
    finally:
        output.close()
    return CheckExit(code=code, tail=redacted(tail, secrets_of(environment)))


def _start(
    command: str, environment: Mapping[str, str], cwd: Path | None, output: int
) -> subprocess.Popen[bytes]:
    with as_called():  # it must heed what this process ignores
        return subprocess.Popen(  # noqa: S603 -- running the user's command is the point
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd=cwd,
            start_new_session=True,
        )


class _Output:
    """The last part of what a command writes, read as it comes.

    A process that left the group may hold the pipe open for ever: nobody waits for its end.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reading, self.writing_end = os.pipe()
        os.set_blocking(self._reading, False)
        self._tail = bytearray()
        self._is_cut = False

    def begin(self) -> None:
        """Reads from now on; the command has its own copy of the writing end."""
        self._close_writing()
        self._loop.add_reader(self._reading, self._take)

    def taken(self) -> str:
        """The last lines, safe for any screen."""
        while self._take():
            pass
        return plain_tail(bytes(self._tail), cut=self._is_cut, lines=_LINES)

    def close(self) -> None:
        self._close_writing()
        self._loop.remove_reader(self._reading)
        os.close(self._reading)

    def _close_writing(self) -> None:
        if self.writing_end >= 0:
            os.close(self.writing_end)
            self.writing_end = -1

    def _take(self) -> bool:
        """Reads once; false where there is nothing to read now."""
        try:
            chunk = os.read(self._reading, _CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            self._loop.remove_reader(self._reading)
            return False
        self._tail += chunk
        if len(self._tail) > _TAIL_BYTES:
            del self._tail[:-_TAIL_BYTES]
            self._is_cut = True
        return True
