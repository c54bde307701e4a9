"""One read for all who ask at the same time, and never one that began before they asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ThrottledError
from route53_takeover.runtime import shared_reads
from route53_takeover.runtime.shared_reads import SharedReads

if TYPE_CHECKING:
    import pytest


class Service:
    """Answers with the number of the call, when it is told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.answers = asyncio.Event()
        self.fails = False

    async def look(self) -> int:
        self.calls += 1
        number = self.calls
        await self.answers.wait()
        if self.fails:
            raise ThrottledError("Rate exceeded", operation="apigateway:GetApiMappings")
        return number


async def asked(reads: SharedReads[int], service: Service, key: str = "a") -> asyncio.Task[int]:
    task = asyncio.create_task(reads.read(key, service.look))
    await asyncio.sleep(0)
    return task


async def test_who_asks_while_a_read_is_under_way_shares_the_next() -> None:
    reads, service = SharedReads[int](), Service()
    first = await asked(reads, service)
    others = [await asked(reads, service) for _ in range(5)]
    service.answers.set()
    assert await first == 1
    assert await asyncio.gather(*others) == [2] * 5
    assert service.calls == 2


async def test_who_asks_later_gets_a_read_of_then() -> None:
    reads, service = SharedReads[int](), Service()
    service.answers.set()
    assert [await reads.read("a", service.look) for _ in range(3)] == [1, 2, 3]


async def test_a_failure_is_shared_as_well() -> None:
    """Else each of many would wait for a failure of its own, one after the other."""
    reads, service = SharedReads[int](), Service()
    service.fails = True
    tasks = [await asked(reads, service) for _ in range(6)]
    service.answers.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found] == [ThrottledError] * 6
    assert service.calls == 2


async def test_one_thing_does_not_wait_for_another() -> None:
    reads, service, other = SharedReads[int](), Service(), Service()
    waiting = await asked(reads, service)
    other.answers.set()
    assert await reads.read("b", other.look) == 1
    assert not waiting.done()
    service.answers.set()
    assert await waiting == 1


async def test_nobody_waits_for_ever_for_the_read_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shared_reads, "_PATIENCE", 0.01)
    reads, hung, quick = SharedReads[int](), Service(), Service()
    never = await asked(reads, hung)
    quick.answers.set()
    assert await reads.read("a", quick.look) == 1
    never.cancel()


async def test_who_is_cancelled_keeps_no_other_from_reading() -> None:
    reads, service = SharedReads[int](), Service()
    first, second = await asked(reads, service), await asked(reads, service)
    first.cancel()
    service.answers.set()
    assert await second == 2
