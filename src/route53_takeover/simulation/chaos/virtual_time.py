"""An event loop in virtual time: whatever it would wait for is now, and nothing else has passed.

It serves nothing but timers: no sockets, no files, no threads. A thousand runs go through it, so it
does less for each call than asyncio's own loops. What is due at the same time goes in the order in
which it was asked for.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import time
from collections import deque
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

_RESOLUTION = time.get_clock_info("monotonic").resolution
"""Seconds within which timers are due together, as in asyncio's own loops."""


class _Call(asyncio.TimerHandle):
    """A call that is due, or will be; without a callback once it is cancelled."""

    __slots__ = ("args", "callback", "context")

    def __init__(
        self, callback: Callable[..., object], args: tuple[object, ...], context: Context | None
    ) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self.context = contextvars.copy_context() if context is None else context

    def cancel(self) -> None:
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        return self.callback is None


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose clock only jumps from one due call to the next."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._order = count()
        self._soon: deque[_Call] = deque()
        self._later: list[tuple[float, int, _Call]] = []

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        """The machine sleeps: every timer that was due meanwhile is late."""
        self._now += seconds

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        call = _Call(callback, args, context)
        self._soon.append(call)
        return call

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)  # there is one thread

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        call = _Call(callback, args, context)
        heapq.heappush(self._later, (when, next(self._order), call))
        return call

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        call = _Call(callback, args, context)
        heapq.heappush(self._later, (self._now + delay, next(self._order), call))
        return call

    def close(self) -> None:
        super().close()
        self._soon.clear()
        self._later.clear()

    def _run_once(self) -> None:
        """What `run_forever` does: every call in turn, until the loop is stopped."""
        soon, later = self._soon, self._later
        while not self._stopping:  # type: ignore[attr-defined]
            while later and later[0][2].callback is None:
                heapq.heappop(later)
            if not soon:
                if not later:
                    raise RuntimeError("nothing is due any more: the run waits for ever")
                self._now += max(later[0][0] - self._now, 0.0)
            until = self._now + _RESOLUTION
            while later and later[0][0] < until:
                soon.append(heapq.heappop(later)[2])
            for _ in range(len(soon)):
                call = soon.popleft()
                if call.callback is None:
                    continue
                try:
                    call.context.run(call.callback, *call.args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # noqa: BLE001 -- as asyncio's own loops do
                    self.call_exception_handler({"message": "a call failed", "exception": error})
