"""Blocking work off the event loop: a disk that stalls, or a slow question, delays nothing else."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Answer = TypeVar("_Answer")


async def in_thread(ask: Callable[[], _Answer]) -> _Answer:
    """Asks in a thread of its own, which no exit of the process waits for as for an executor's."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_Answer] = loop.create_future()

    def settle(act: Callable[[], None]) -> None:
        if not answer.done():
            act()

    def work() -> None:
        try:
            found = ask()
        except Exception as error:  # noqa: BLE001 -- carried over to the task that waits for it
            failure = error
            act: Callable[[], None] = lambda: answer.set_exception(failure)  # noqa: E731
        else:
            act = lambda: answer.set_result(found)  # noqa: E731
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, act)

    threading.Thread(target=work, name="aside", daemon=True).start()
    return await answer
