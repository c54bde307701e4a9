"""Asks a site over and over, and tells how many requests failed and who answered them.

Each request goes out when its time has come, however long the others take, on a connection of its
own, and is never repeated: what a user would have seen at that moment. It asks until its time is
up or until it is told to stop (SIGINT, SIGTERM), and then prints one JSON line:

    uv run scripts/probe_site.py 'https://www.example.com/up --side-header X-Env' --for 60

``failed`` counts what did not pass, ``reasons`` says why, ``answered`` has for each side (the value
of the side header, or a digest of the answer) how many answers came from it, and when the first
and the last of these requests was sent, in seconds since the beginning. With ``--connect`` every
host is asked at one address on this machine: a simulated account's web.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from route53_takeover.adapters.http_checks import WebChecks
from route53_takeover.base.errors import UsageError, one_line
from route53_takeover.core.domain.http_checks import Route
from route53_takeover.core.switch.check_syntax import parse_check

if TYPE_CHECKING:
    from route53_takeover.core.domain.http_checks import Check, CheckAnswer
    from route53_takeover.core.ports import HttpChecks

EVERY = 0.02
_REASONS = 10


class Tally:
    """What came of all requests so far."""

    def __init__(self) -> None:
        self.sent = 0
        self.passed = 0
        self.reasons: Counter[str] = Counter()
        self.slowest = 0.0
        self._answered: dict[str, tuple[int, float, float]] = {}

    def take(self, answer: CheckAnswer, sent_at: float) -> None:
        """Counts one answer."""
        self.slowest = max(self.slowest, answer.seconds)
        if answer.passed:
            self.passed += 1
        else:
            self.reasons[answer.reason] += 1
        if answer.marks:
            count, first, last = self._answered.get(answer.marks, (0, sent_at, sent_at))
            self._answered[answer.marks] = count + 1, min(first, sent_at), max(last, sent_at)

    def told(self) -> dict[str, Any]:
        """As the JSON line has it."""
        return {
            "sent": self.sent,
            "passed": self.passed,
            "failed": self.sent - self.passed,
            "reasons": dict(self.reasons.most_common(_REASONS)),
            "answered": {
                marks: {"count": count, "first": round(first, 3), "last": round(last, 3)}
                for marks, (count, first, last) in self._answered.items()
            },
            "slowest": round(self.slowest, 3),
        }


async def probe(
    checks: HttpChecks, check: Check, stopped: asyncio.Event, *, every: float = EVERY
) -> Tally:
    """Asks every so many seconds until it is stopped, then waits for the answers on their way."""
    loop, tally = asyncio.get_running_loop(), Tally()
    began = loop.time()

    async def ask(sent_at: float) -> None:
        tally.take(await checks.carry_out(check, Route()), sent_at)

    async with asyncio.TaskGroup() as asking:
        while not stopped.is_set():
            tally.sent += 1
            asking.create_task(ask(loop.time() - began))
            wait = began + tally.sent * every - loop.time()
            try:
                async with asyncio.timeout(max(wait, 0.0)):
                    await stopped.wait()
            except TimeoutError:
                continue
    return tally


async def probe_until_told(check: Check, connect: str, every: float, seconds: float) -> Tally:
    """Asks until the time is up or a signal comes."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    loop.call_later(seconds, stopped.set)
    checks = WebChecks(environment=os.environ, connect=connect)
    print("asking", file=sys.stderr, flush=True)
    return await probe(checks, check, stopped, every=every)


def main() -> None:
    """Reads the arguments and asks."""
    parser = argparse.ArgumentParser(description="Ask a site over and over, and count.")
    parser.add_argument("check", help="as for --check of a switch: a URL and its options")
    parser.add_argument("--every", type=float, default=EVERY, metavar="SECONDS")
    parser.add_argument("--for", type=float, default=60.0, metavar="SECONDS", dest="seconds")
    parser.add_argument("--connect", default="", metavar="http://127.0.0.1:PORT")
    given = parser.parse_args()
    try:
        check = parse_check(given.check)
        tally = asyncio.run(probe_until_told(check, given.connect, given.every, given.seconds))
    except UsageError as error:
        parser.error(one_line(error))
    print(json.dumps(tally.told()))


if __name__ == "__main__":
    main()
