"""Signals to a command that no engine guards, and the loop that it runs in.

Once an engine runs it takes the signals over (`cli.bootstrap`): before that nothing has
been written, and the command just ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode, TakeoverError
from route53_takeover.base.signals import asking
from route53_takeover.output import log
from route53_takeover.process.alert_command import finish_all

if TYPE_CHECKING:
    from collections.abc import Coroutine


class StoppedError(TakeoverError):
    """A signal ended a command that no engine guards."""

    exit_code = ExitCode.INTERRUPTED


class StoppedHalfWayError(StoppedError):
    """A signal ended a command that may have written."""

    exit_code = ExitCode.UNKNOWN


def in_loop(work: Coroutine[None, None, ExitCode], *, written: str = "") -> ExitCode:
    """Runs a command in an event loop, and ends it properly at a signal.

    Args:
        written: what a signal leaves behind; empty where nothing was written yet. Once an engine
            runs it takes the signals over.
    """

    async def interruptible() -> ExitCode:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        caught: list[str] = []

        def stop(name: str) -> None:
            caught.append(name)
            if task is not None:
                task.cancel()

        for number in asking():
            loop.add_signal_handler(number, stop, number.name)
        try:
            return await work
        except asyncio.CancelledError:
            if not caught:
                raise
            if written:
                raise StoppedHalfWayError(f"{caught[0]}: {written}", "Run it again.") from None
            raise StoppedError(
                f"{caught[0]}: stopped, and nothing was written",
                "Start it again when you are ready.",
            ) from None
        finally:
            await finish_all()

    log.nowhere()
    return asyncio.run(interruptible())
