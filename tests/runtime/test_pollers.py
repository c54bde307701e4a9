"""Polls are run as the newest state wants them: started, paced, stopped, never doubled."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

import pytest

from route53_takeover.core.events import TimePassed
from route53_takeover.core.machine import Poll
from route53_takeover.runtime.pollers import Look, Pollers
from route53_takeover.simulation.chaos.transport import VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

START = 1000.0


class Bench:
    """Pollers over a look that takes as long, and fails as often, as a test wants.

    Attributes:
        looks: target and time of each look.
        told: the events that were submitted, with the time.
    """

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.looks: list[tuple[str, float]] = []
        self.reported: list[tuple[TimePassed, float]] = []
        self.takes = 0.0
        self.is_news = self.folds_at_once = True
        self.failing = self.breaking = False
        self.polls: tuple[Poll[str], ...] = ()
        self.pollers = Pollers[TimePassed, str](
            clock=self.clock,
            look=self._look,
            submit=self._submit,
            rng=Random(1),  # noqa: S311 -- a test
            strict=False,
        )

    async def _look(self, poll: Poll[str]) -> Look[TimePassed]:
        self.looks.append((poll.target, self.clock.now() - START))
        await self.clock.sleep(self.takes)
        if self.breaking:
            raise KeyError("a shape that is new")
        if self.failing:
            return Look(TimePassed(time=self.clock.now()), failed=True)
        return Look(TimePassed(time=self.clock.now()), is_news=self.is_news)

    def _submit(self, event: TimePassed) -> None:
        self.reported.append((event, self.clock.now() - START))
        if self.folds_at_once:
            asyncio.get_running_loop().call_soon(self.pollers.follow, self.polls, [event])

    def want(self, *polls: Poll[str]) -> None:
        self.polls = polls
        self.pollers.follow(self.polls, [TimePassed(time=0.0)])

    def times(self, target: str = "a") -> list[float]:
        return [round(time, 3) for looked, time in self.looks if looked == target]


def runs(work: Callable[[Bench], Awaitable[None]]) -> Bench:
    """A bench after this was done with it, on virtual time."""

    async def main() -> Bench:
        bench = Bench()
        with suppress(asyncio.CancelledError):
            async with asyncio.TaskGroup() as tasks:
                bench.pollers.start(tasks)
                await work(bench)
                bench.pollers.stop()
        return bench

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def every(seconds: float, target: str = "a") -> Poll[str]:
    return Poll(target=target, every=seconds)


def test_each_target_is_looked_at_at_its_own_pace_from_now_on() -> None:
    async def work(bench: Bench) -> None:
        bench.takes = 0.1
        bench.want(every(2.0), every(5.0, "b"))
        await bench.clock.sleep(10.5)

    bench = runs(work)
    assert bench.times("a") == [0, 2, 4, 6, 8, 10]
    assert bench.times("b") == [0, 5, 10]


def test_a_quicker_pace_begins_with_a_look_and_a_slower_one_with_a_rest() -> None:
    async def work(bench: Bench) -> None:
        bench.want(every(5.0))
        await bench.clock.sleep(1.0)
        bench.want(every(2.0))
        await bench.clock.sleep(2.5)
        bench.want(every(4.0))
        await bench.clock.sleep(5.0)

    assert runs(work).times() == [0, 1, 3, 7]


def test_a_poll_that_is_gone_is_stopped_and_one_that_comes_back_keeps_its_pace() -> None:
    async def work(bench: Bench) -> None:
        bench.want(every(2.0))
        await bench.clock.sleep(2.5)
        bench.want()
        await bench.clock.sleep(0.5)
        bench.want(every(2.0))
        await bench.clock.sleep(2.0)
        bench.want()
        await bench.clock.sleep(20.0)
        assert bench.times() == [0, 2, 4]
        bench.want(every(2.0))
        await bench.clock.sleep(1.0)

    assert runs(work).times() == [0, 2, 4, 25]


def test_a_look_under_way_is_not_broken_off_and_not_doubled() -> None:
    """To break a call off makes its connection distrusted."""

    async def work(bench: Bench) -> None:
        bench.takes = 3.0
        bench.want(every(1.0))
        await bench.clock.sleep(1.0)
        bench.want()
        await bench.clock.sleep(1.0)
        bench.want(every(1.0))
        await bench.clock.sleep(1.5)
        bench.want()
        await bench.clock.sleep(5.0)

    bench = runs(work)
    assert bench.times() == [0, 3]
    assert [time for _, time in bench.reported] == [3, 6]


def test_reported_events_are_folded_before_the_next_look() -> None:
    """Else a state that keeps the time of the last look would ask for another at once."""

    async def work(bench: Bench) -> None:
        bench.folds_at_once = False
        stale = Poll(target="a", every=1.0, last=0.0)
        bench.want(stale)
        await bench.clock.sleep(3.0)
        bench.want(stale)  # another event was folded
        await bench.clock.sleep(3.0)
        assert bench.times() == [0]
        bench.pollers.follow((Poll(target="a", every=10.0, last=START),), [bench.reported[0][0]])
        await bench.clock.sleep(5.0)

    assert runs(work).times() == [0, 10]


def test_looks_without_changes_are_reported_only_where_the_poll_asks_for_it() -> None:
    async def work(bench: Bench) -> None:
        bench.is_news = False
        bench.want(every(1.0))
        await bench.clock.sleep(2.5)
        assert not bench.reported
        bench.want(Poll(target="a", every=1.0, tell_all=True))
        await bench.clock.sleep(2.0)

    assert [time for _, time in runs(work).reported] == [3, 4]


@pytest.mark.parametrize(("how", "outage"), [("failing", 4 * 3600.0), ("breaking", 60.0)])
def test_looks_that_fail_are_backed_off_and_never_given_up(how: str, outage: float) -> None:
    async def work(bench: Bench) -> None:
        setattr(bench, how, True)
        bench.want(every(0.5))
        await bench.clock.sleep(outage)
        assert len(bench.looks) < outage / 2.0
        setattr(bench, how, False)
        bench.looks.clear()
        await bench.clock.sleep(20.0)

    times = runs(work).times()
    assert times[0] <= outage + 10.0
    assert len(times) > 20


def test_where_the_state_keeps_the_time_it_says_when_to_look_again() -> None:
    async def work(bench: Bench) -> None:
        bench.want(Poll(target="a", every=10.0, last=START - 4.0))
        bench.polls = (Poll(target="a", every=10.0, last=START + 6.0),)
        await bench.clock.sleep(7.0)
        assert bench.times() == [6]
        bench.want(Poll(target="a", every=10.0, last=0.0, not_before=START + 9.0))
        bench.polls = (Poll(target="a", every=10.0, last=START + 9.0),)
        await bench.clock.sleep(5.0)

    assert runs(work).times() == [6, 9]
