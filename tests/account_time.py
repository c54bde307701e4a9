"""The command by the time of a simulated account that somebody else serves.

Two things are not as for a user: the command's clock is the account's, which goes faster, and
every host leads to the account's web, as DNS would have it. As a script it runs the command line
that is appended to it:

    python account_time.py '[1700000000.0, 1234.5, 20.0]' http://127.0.0.1:8080 PROGRAM switch ...
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest import mock

from msgspec.structs import replace

from route53_takeover.adapters.clock import ClockOrigin, SystemClock
from route53_takeover.cli import app, options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.storage.config import Connection


@contextmanager
def in_time_of(origin: ClockOrigin, web_server: str) -> Iterator[None]:
    """Every clock and every connection of this process is the account's."""
    make, connect = SystemClock.__init__, options.AccountOptions.connection

    def as_there(clock: SystemClock, _: float = 1.0) -> None:
        make(clock, origin.speed)
        clock._anchor, clock._start = origin.epoch, origin.steady

    def connected(given: options.AccountOptions) -> Connection:
        return replace(connect(given), web_server=web_server)

    with (
        mock.patch.object(SystemClock, "__init__", as_there),
        mock.patch.object(options.AccountOptions, "connection", connected),
    ):
        yield


def main() -> None:
    """Runs the command."""
    _, origin, web_server, *sys.argv = sys.argv
    with in_time_of(ClockOrigin(*json.loads(origin)), web_server):
        app.main()


if __name__ == "__main__":
    main()
