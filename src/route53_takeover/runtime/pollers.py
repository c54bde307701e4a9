"""Running the polls of a machine: one poller a target, at the pace that the newest state wants.

A poller only looks and reports. What it finds goes to the engine as an event; a look that fails is
backed off and tried again, and never ends a run. What a look is, `Look` says: nothing here knows
what is looked at.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, NamedTuple

import structlog

from route53_takeover.core.machine import E, T
from route53_takeover.core.timing import POLL_BACKOFF, backoff
from route53_takeover.runtime.wakeup import Wakeup

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Sequence

    from route53_takeover.core.machine import Poll
    from route53_takeover.core.ports import Clock

_log = structlog.get_logger(__name__)

_LEAST = 0.05
"""Seconds, at least, between the beginnings of two looks."""


class Look(NamedTuple, Generic[E]):
    """What came of a look.

    Attributes:
        event: what it tells; ``None`` where nothing can be told of it.
        is_news: whether it tells of a change: other events are only told where the poll asks so.
        failed: whether it could not be made.
    """

    event: E | None
    is_news: bool = True
    failed: bool = False


class Pollers(Generic[E, T]):
    """Keeps a poller running for each poll that is wanted now.

    Args:
        look: makes one look.
        submit: takes the events that are found.
        rng: for the jitter of back-offs.
        strict: a look that breaks in an unknown way raises, instead of counting as failed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        look: Callable[[Poll[T]], Awaitable[Look[E]]],
        submit: Callable[[E], None],
        rng: random.Random,
        strict: bool,
    ) -> None:
        self._clock = clock
        self._look = look
        self._submit = submit
        self._rng = rng
        self._strict = strict
        self._pollers: dict[T, _Poller[T]] = {}
        self._followed: tuple[Poll[T], ...] = ()
        self._wanted: set[T] = set()
        self._unfolded: dict[int, asyncio.Future[None]] = {}
        self._tasks: asyncio.TaskGroup

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Gives it the group in which its pollers live."""
        self._tasks = tasks

    def stop(self) -> None:
        """Ends every poller."""
        for poller in self._pollers.values():
            if poller.task is not None:
                poller.task.cancel()

    def follow(self, polls: tuple[Poll[T], ...], folded: Sequence[E]) -> None:
        """Starts, stops and paces pollers after events were folded.

        A look under way is never broken off: it ends, and is told of, before its poller stops.
        """
        for event in folded:
            told = self._unfolded.pop(id(event), None)
            if told is not None and not told.done():
                told.set_result(None)
        if polls == self._followed:
            return
        self._followed = polls
        wanted = {poll.target: poll for poll in polls}
        for target in self._wanted - wanted.keys():
            self._pollers[target].stop()
        self._wanted = set(wanted)
        for target, poll in wanted.items():
            poller = self._pollers.get(target)
            if poller is None:
                poller = self._pollers[target] = _Poller(poll)
            poller.follow(poll)
            if poller.task is None or poller.task.done():
                poller.task = self._tasks.create_task(self._run(poller))

    def catch_up(self) -> None:
        """Wakes what is overdue: the clock counts the time asleep, and timers do not."""
        now = self._clock.now()
        for target in self._wanted:
            poller = self._pollers[target]
            if poller.due < now:
                poller.wakeup.wake()

    async def _run(self, poller: _Poller[T]) -> None:
        while poller.is_wanted:
            rest = poller.due - self._clock.now()
            if rest <= 0:
                await self._look_once(poller)
                continue
            await poller.wakeup.sleep(rest / self._clock.speed)

    async def _look_once(self, poller: _Poller[T]) -> None:
        """Looks, and waits until what it saw is folded: the poll may be another then."""
        poller.began, poller.is_looking = self._clock.now(), True
        try:
            seen = await self._look(poller.poll)
        except Exception:
            if self._strict:
                raise
            _log.exception("look.failed", target=repr(poller.poll.target))
            seen = Look[E](None, failed=True)
        poller.is_looking = False
        poller.failures = poller.failures + 1 if seen.failed else 0
        poller.pause = self._pause(poller)
        if seen.event is not None and (seen.is_news or poller.poll.tell_all):
            folded = self._unfolded[id(seen.event)] = asyncio.get_running_loop().create_future()
            self._submit(seen.event)
            await folded

    def _pause(self, poller: _Poller[T]) -> float | None:
        """How long a poller rests that backs off by itself, counted from the beginning."""
        if not poller.failures:
            return None
        every = poller.poll.every
        longest = backoff(poller.failures + 1, first=every, most=POLL_BACKOFF)
        return self._rng.uniform(every, max(longest, every))


class _Poller(Generic[T]):
    """One target, and when it was looked at."""

    def __init__(self, poll: Poll[T]) -> None:
        self.poll = poll
        self.is_wanted = True
        self.is_looking = False
        self.began = float("-inf")
        self.failures = 0
        self.pause: float | None = None
        self.wakeup = Wakeup()
        self.task: asyncio.Task[None] | None = None

    @property
    def due(self) -> float:
        """When to look next."""
        poll = self.poll
        if poll.last is not None:
            return max(poll.last + poll.every, poll.not_before, self.began + _LEAST)
        return self.began + (poll.every if self.pause is None else self.pause)

    def follow(self, poll: Poll[T]) -> None:
        """Takes a new pace on; one that is quicker than before begins with a look."""
        if poll.last is None and poll.every < self.poll.every and not self.is_looking:
            self.began = float("-inf")
        if poll != self.poll or not self.is_wanted:
            self.poll, self.is_wanted = poll, True
            self.wakeup.wake()

    def stop(self) -> None:
        self.is_wanted = False
        self.wakeup.wake()
