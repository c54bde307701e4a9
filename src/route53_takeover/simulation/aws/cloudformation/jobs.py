"""Doing things in the order in which they depend on each other, as many at once as may be.

Knows neither stacks nor time: it starts jobs by name and gets their results.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Jobs:
    """Starts each job once all those it waits for have succeeded.

    Args:
        waits: the name of each job, and the names of those it waits for (others are ignored).
        start: begins one job; `done` or `failed` must be called for it, at once or later.
        ended: called once, when nothing runs and nothing more can start.
    """

    def __init__(
        self,
        waits: Mapping[str, frozenset[str]],
        *,
        start: Callable[[str], None],
        ended: Callable[[], None],
    ) -> None:
        self.failures: list[str] = []
        self._start = start
        self._ended: Callable[[], None] | None = ended
        self._missing = {name: len(others & waits.keys()) for name, others in waits.items()}
        self._next: dict[str, list[str]] = {name: [] for name in waits}
        for name, others in waits.items():
            for other in others & waits.keys():
                self._next[other].append(name)
        self._ready = deque(name for name, missing in self._missing.items() if not missing)
        self._running = 0
        self._starting = False

    def go(self) -> None:
        """Starts what can start; a job that ends at once does not nest."""
        if self._starting:
            return
        self._starting = True
        while self._ready:
            self._running += 1
            self._start(self._ready.popleft())
        self._starting = False
        if not self._running and self._ended is not None:
            ended, self._ended = self._ended, None
            ended()

    def done(self, name: str) -> None:
        """A job has succeeded."""
        self._running -= 1
        for after in self._next[name]:
            self._missing[after] -= 1
            if not self._missing[after]:
                self._ready.append(after)
        self.go()

    def failed(self, name: str) -> None:
        """A job has failed: what waits for it is never started."""
        self._running -= 1
        self.failures.append(name)
        self.go()

    def stop(self) -> None:
        """Nothing more is started, and the end is not reported."""
        self._ready.clear()
        self._ended = None


def reversed_waits(waits: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """The order of taking away: each waits for those that depend on it."""
    users: dict[str, set[str]] = {name: set() for name in waits}
    for name, others in waits.items():
        for other in others & waits.keys():
            users[other].add(name)
    return {name: frozenset(found) for name, found in users.items()}
