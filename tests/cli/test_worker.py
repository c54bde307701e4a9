"""What a run's own process asks its parent, and takes for an answer."""

from __future__ import annotations

import socket

import pytest
from tests.core.plan.test_forecast import plan

from route53_takeover.base.errors import TakeoverError
from route53_takeover.cli.worker import SocketReporter
from route53_takeover.process.spawn import YES


@pytest.mark.parametrize(("said", "agrees"), [(YES, True), (b"no\n", False), (b"", False)])
async def test_only_a_yes_is_a_yes(said: bytes, agrees: bool) -> None:
    ours, theirs = socket.socketpair()
    with theirs, ours:
        ours.sendall(said)
        if not said:
            ours.close()
        assert await SocketReporter(theirs).agrees(plan()) is agrees


async def test_a_yes_to_a_plan_that_is_too_old_starts_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A screen may have slept with its machine; the clock of the run's process has not."""
    monkeypatch.setattr("route53_takeover.cli.worker.GOOD_FOR", -1.0)
    ours, theirs = socket.socketpair()
    with theirs, ours:
        ours.sendall(YES)
        with pytest.raises(TakeoverError, match="older than 10 minutes"):
            await SocketReporter(theirs).agrees(plan())
