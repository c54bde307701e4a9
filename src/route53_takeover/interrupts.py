"""Signals to a command that no engine guards, and the loop that it runs in.

Once an engine runs it takes the signals over (`route53_takeover.wiring`): before that nothing has
been written, and the command just ends.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from route53_takeover import log
from route53_takeover.errors import ExitCode, TakeoverError

if TYPE_CHECKING:
    from collections.abc import Coroutine

_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def signals() -> tuple[signal.Signals, ...]:
    """Those that ask a run to stop; none that was ignored at the start, as by ``nohup``."""
    return tuple(n for n in _ASKING if signal.getsignal(n) is not signal.SIG_IGN)


def never_suspend() -> None:
    """From here on no terminal stops this process: a run that has written must go on guarding.

    They are ignored, not handled: a write to the terminal that SIGTTOU interrupts would be tried
    for ever.
    """
    for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)


def ignore_signals() -> None:
    """From here on none ends this process: what is left to do is only to say what came of it."""
    for number in signals():
        signal.signal(number, signal.SIG_IGN)


class StoppedError(TakeoverError):
    """A signal ended a command that no engine guards."""

    exit_code = ExitCode.INTERRUPTED


class StoppedHalfWayError(StoppedError):
    """A signal ended a command that may have written."""

    exit_code = ExitCode.UNKNOWN


def in_loop(work: Coroutine[None, None, int], *, written: str = "") -> int:
    """Runs a command in an event loop, and ends it in good order at a signal.

    Args:
        written: what a signal leaves behind; empty where nothing was written yet. Once an engine
            runs it takes the signals over.
    """

    async def interruptible() -> int:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        caught: list[str] = []

        def stop(name: str) -> None:
            caught.append(name)
            if task is not None:
                task.cancel()

        for number in signals():
            loop.add_signal_handler(number, stop, number.name)
        try:
            return await work
        except asyncio.CancelledError:
            if not caught:
                raise
            if written:
                raise StoppedHalfWayError(f"{caught[0]}: {written}", "Run it again.") from None
            raise StoppedError(
                f"{caught[0]}: stopped, and nothing was written", "Begin again when you like."
            ) from None

    log.nowhere()
    return asyncio.run(interruptible())
