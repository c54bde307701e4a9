"""What is told of the name servers' answers: changes, no more than a journal can bear."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from route53_takeover.core.ports import DnsAnswer
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.polling import NameServers
from route53_takeover.runtime.takeover_looks import TakeoverLooks
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "www.example.com."


class HandClock:
    """A clock that is moved by hand."""

    speed = longest_wait = 1.0

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def go_on_from(self, time: float) -> None:
        self.time = max(self.time, time)

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class OneServer:
    """A name server that answers what it is told to."""

    def __init__(self) -> None:
        self.status = "answer"
        self.values: tuple[str, ...] = ()

    async def probe(self, name: str, record_type: str) -> Sequence[DnsAnswer]:
        return [
            DnsAnswer(
                server="ns-1", name=name, type=record_type, status=self.status, values=self.values
            )
        ]


class Bench:
    """Looks at the name servers when it is told to."""

    def __init__(self) -> None:
        self.clock, self.server = HandClock(), OneServer()
        self.reported: list[ev.AnyEvent] = []
        transport = Transport(
            SimulatedAccount(SCENARIOS["alias"].account, seed="looks", start=0.0),
            VirtualClock(0.0),
            Random(1),  # noqa: S311 -- a test
            FaultRates(),
        )
        self._looks = TakeoverLooks(
            clock=self.clock,
            records=SimulatedRecords(transport),
            stacks=SimulatedStacks(transport),
            prober=self.server,
            failures=Exception,
        )

    async def asks(self, *values: str, status: str = "answer", later: float = 2.0) -> int:
        """How many events one more question makes."""
        self.clock.time += later
        self.server.status, self.server.values = status, values
        reported = await self._looks._name_servers(NameServers(NAME, "A"))
        if reported.event is not None:
            self.reported.append(reported.event)
        return int(reported.event is not None)


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_only_a_change_is_reported(bench: Bench) -> None:
    assert await bench.asks("192.0.2.1") == 1
    assert await bench.asks("192.0.2.1") == 0
    assert await bench.asks(status="nxdomain") == 1
    assert await bench.asks(status="nxdomain") == 0
    assert await bench.asks("192.0.2.1") == 1


async def test_other_values_are_a_change_and_another_order_is_none(bench: Bench) -> None:
    assert await bench.asks("192.0.2.1", "192.0.2.2") == 1
    assert await bench.asks("192.0.2.2", "192.0.2.1") == 0
    assert await bench.asks("192.0.2.3", "192.0.2.1") == 1
    (_, reported) = bench.reported
    assert isinstance(reported, ev.NamesAnswered)
    assert reported.values == {"ns-1": ("192.0.2.1", "192.0.2.3")}


async def test_only_servers_that_answer_have_values(bench: Bench) -> None:
    await bench.asks("a referral", status="error")
    (reported,) = bench.reported
    assert isinstance(reported, ev.NamesAnswered)
    assert (reported.statuses, reported.values) == ({"ns-1": "error"}, {})


async def test_addresses_that_come_and_go_are_reported_a_few_times_a_minute_at_most(
    bench: Bench,
) -> None:
    """Two hours of an alias whose addresses rotate every two seconds."""
    asked = [await bench.asks(f"192.0.2.{n % 250}") for n in range(3600)]
    assert sum(asked) <= 8 * 31
    assert asked[:8] == [1] * 8  # the first changes are told at once
    assert await bench.asks(status="nxdomain") == 1  # and what matters always is


def test_an_ordinary_run_reports_the_old_and_the_new_values_once_each() -> None:
    events = rehearse_once(SCENARIOS["alias"], "engine", Faults()).events
    reported = [event for event in events if isinstance(event, ev.NamesAnswered)]
    seen = {server: values for event in reported[:1] for server, values in event.values.items()}
    last = {server: values for event in reported[-1:] for server, values in event.values.items()}
    assert len(seen) == len(last) == 4
    assert all(seen[server] != last[server] for server in seen)
    assert len(reported) <= 1 + 2 * 4  # each server goes once and comes once
