"""Sleeping until woken, or for some seconds: what the engine and every poller do between events."""

from __future__ import annotations

import asyncio


class Wakeup:
    """Ends the sleep of the one task that waits here.

    `asyncio.timeout` does the same by a cancellation, which costs several times as much.
    """

    def __init__(self) -> None:
        self._sleep: asyncio.Future[None] | None = None
        self._is_over = False

    def wake(self) -> None:
        """Ends the sleep, if there is one."""
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    async def sleep(self, seconds: float | None) -> bool:
        """Sleeps for so long, without a limit where it is ``None``; whether the time is over."""
        loop = asyncio.get_running_loop()
        self._sleep, self._is_over = loop.create_future(), False
        timer = None if seconds is None else loop.call_later(seconds, self._end)
        try:
            await self._sleep
        finally:
            if timer is not None:
                timer.cancel()
        return self._is_over

    def _end(self) -> None:
        self._is_over = True
        self.wake()
