"""A sleep that ends when it is woken, or when its time is over."""

from __future__ import annotations

import asyncio

import pytest

from route53_takeover.runtime.wakeup import Wakeup
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop


async def _slept(wakeup: Wakeup, seconds: float | None) -> tuple[bool, float]:
    """Whether the time was over, and how long the sleep took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    return await wakeup.sleep(seconds), loop.time() - began


@pytest.mark.parametrize(
    ("seconds", "woken_after", "expected"),
    [
        (5.0, None, (True, 5.0)),
        (5.0, 2.0, (False, 2.0)),
        (None, 2.0, (False, 2.0)),
        (5.0, 5.0, (True, 5.0)),  # its time is over all the same
    ],
)
def test_it_sleeps_until_it_is_woken_or_its_time_is_over(
    seconds: float | None, woken_after: float | None, expected: tuple[bool, float]
) -> None:
    async def sleep() -> tuple[bool, float]:
        wakeup = Wakeup()
        if woken_after is not None:
            asyncio.get_running_loop().call_later(woken_after, wakeup.wake)
        return await _slept(wakeup, seconds)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(sleep()) == expected


def test_a_wakeup_before_the_sleep_does_not_end_it() -> None:
    async def sleep() -> tuple[bool, float]:
        wakeup = Wakeup()
        wakeup.wake()
        return await _slept(wakeup, 5.0)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(sleep()) == (True, 5.0)


def test_a_second_sleep_does_not_know_of_the_first() -> None:
    async def sleep() -> tuple[bool, float]:
        wakeup = Wakeup()
        await wakeup.sleep(5.0)
        asyncio.get_running_loop().call_later(1.0, wakeup.wake)
        return await _slept(wakeup, 5.0)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(sleep()) == (False, 1.0)
