"""The simulated account's time: what is due happens in order, at the next look.

Nothing here waits. The owner of the account moves it on to the present before each look
(`Schedule.advance`), be that present virtual or the wall clock's.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Schedule:
    """A clock that jumps from one due action to the next. Seconds since the epoch."""

    def __init__(self, start: float) -> None:
        self.now = start
        self._order = count()
        self._due: list[tuple[float, int, Callable[[], object]]] = []

    def at(self, time: float, action: Callable[[], object]) -> None:
        """Lets ``action`` happen at ``time``, or with the next `advance` where that is past."""
        heapq.heappush(self._due, (time, next(self._order), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Lets ``action`` happen so many seconds from now."""
        self.at(self.now + seconds, action)

    def advance(self, to: float) -> None:
        """Moves on to ``to``; every action that is due sees its own time as `now`."""
        while self._due and self._due[0][0] <= to:
            time, _, action = heapq.heappop(self._due)
            self.now = max(self.now, time)
            action()
        self.now = max(self.now, to)

    @property
    def next_due(self) -> float | None:
        """When the next action is due, or ``None``."""
        return self._due[0][0] if self._due else None
