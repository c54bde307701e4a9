"""A run in its folder: when it says that it has begun."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest
import structlog
from tests.unit.test_journal import PLAN

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.audience import Foreground
from route53_takeover.core import events as ev
from route53_takeover.folder import RunFolder, Saved
from route53_takeover.journal import read_journal
from route53_takeover.settings import Common, Connection
from route53_takeover.signals import ASKING, SUSPENDING
from route53_takeover.wiring import drive, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Reader(Foreground):
    """Reads the journal as soon as it is told that the run has begun."""

    def __init__(self, common: Common) -> None:
        super().__init__(common)
        self.read: asyncio.Future[list[ev.AnyEvent]] = asyncio.get_running_loop().create_future()

    def begins(self, folder: RunFolder) -> None:
        self.read.set_result(list(read_journal(folder.journal)))


@pytest.fixture(autouse=True)
def _nothing_of_the_process_stays_changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    changed = (*ASKING, *SUSPENDING)
    signals, logging = [(n, signal.getsignal(n)) for n in changed], structlog.get_config()
    yield
    structlog.configure(**logging)
    for number, handler in signals:
        signal.signal(number, handler)


async def test_a_run_says_that_it_has_begun_once_its_first_event_is_in_the_journal(
    tmp_path: Path,
) -> None:
    """Whoever looks from then on must not see how an earlier process ended it."""
    folder = RunFolder(tmp_path)
    (tmp_path / "backup.json").mkdir()  # without a backup nothing is begun
    connection = Connection(region="us-east-1", endpoint_url="http://127.0.0.1:1")
    saved = Saved(run="r", begun=1.0, plan=PLAN, connection=connection, cwd=str(tmp_path))
    clock = SystemClock()
    first = ev.RunStarted(time=clock.now(), run="r", plan=PLAN)
    common = Common(state_dir=tmp_path, quiet=True)
    reader = Reader(common)
    async with opened(connection, clock) as account:
        run = asyncio.create_task(drive(common, reader, account, clock, folder, saved, first))
        assert await asyncio.wait_for(reader.read, 10) == [first]
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
