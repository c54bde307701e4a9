"""A run in its folder, when it says that it has started; a plan, with what this machine knows."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import structlog
from tests.builders import plan
from tests.core.plan.test_model import facts, identity, options, record
from tests.storage.test_journal import PLAN

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base import signals
from route53_takeover.base.errors import RefusedError
from route53_takeover.base.signals import ASKING, SUSPENDING
from route53_takeover.cli import bootstrap
from route53_takeover.cli.bootstrap import check_refusals, drive, opened, planned
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.takeover import events as ev
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.storage.config import Common, Connection
from route53_takeover.storage.journal import FileJournal, read_journal
from route53_takeover.storage.run_folder import RunFolder, Saved

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from route53_takeover.core.plan.facts import Facts


class Reader(ConsoleReporter):
    """Reads the journal as soon as it hears that the run has started."""

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
    before, logging = [(n, signal.getsignal(n)) for n in changed], structlog.get_config()
    yield
    structlog.configure(**logging)
    for number, handler in before:
        signal.signal(number, handler)


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[Reader]:
    """A run whose account does not answer."""
    folder = RunFolder(tmp_path)
    connection = Connection(region="us-east-1", endpoint_url="http://127.0.0.1:1")
    saved = Saved(run="r", begun=1.0, plan=PLAN, connection=connection, cwd=str(tmp_path))
    clock = SystemClock()
    first = ev.RunStarted(time=clock.now(), run="r", plan=PLAN)
    common = Common(state_dir=tmp_path, quiet=True)
    reader = Reader(common)
    async with opened(connection, clock) as account:
        journal = FileJournal(folder.journal)
        run = asyncio.create_task(
            drive(common, reader, account, clock, folder, saved, journal, first)
        )
        await asyncio.wait_for(asyncio.shield(reader.read), 10)
        yield reader
        run.cancel()
        with suppress(asyncio.CancelledError):
            await run


async def test_a_run_says_that_it_has_started_once_its_first_event_is_in_the_journal(
    tmp_path: Path,
) -> None:
    """A reader must not see from then on how an earlier process ended it."""
    (tmp_path / "backup.json").mkdir()  # without a backup nothing is started
    async with running(tmp_path) as reader:
        (first,) = await reader.read
        assert isinstance(first, ev.RunStarted)


async def test_a_run_heeds_the_signals_that_its_caller_did_not_ignore_and_no_terminal_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "_ignored_by_caller", frozenset({signal.SIGINT}))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    async with running(tmp_path), asyncio.timeout(10):
        assert {signal.getsignal(number) for number in SUSPENDING} == {signal.SIG_IGN}
        for number in (signal.SIGINT, signal.SIGQUIT):
            os.kill(os.getpid(), number)
        found: list[str] = []
        while not found:
            await asyncio.sleep(0.02)
            events = read_journal(tmp_path / "journal.jsonl")
            found = [event.signal for event in events if isinstance(event, ev.Interrupted)]
    assert found == ["SIGQUIT"]


async def test_a_plan_warns_that_aws_is_reached_through_the_name_that_it_hands_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(*_: object, **__: object) -> Facts:
        return facts(record("www.example.com", "CNAME", "old.example.net"))

    monkeypatch.setattr(bootstrap, "read", found)
    connection = Connection(region="us-east-1", endpoint_url="https://aws.www.example.com")
    clock, asked = SystemClock(), options("www.example.com")
    async with opened(connection, clock) as account:
        made, _, _ = await planned(
            account, clock, connection, asked, identity(), state_dir=tmp_path
        )
    assert not made.refused
    (warning,) = (w for w in made.warnings if "aws.www.example.com" in w.text)
    assert "--endpoint-url" in warning.hint


def test_a_hint_that_several_refusals_have_is_said_once() -> None:
    both = [Finding(text=f"record {n} is refused.", hint="Show the template.") for n in (1, 2)]
    with pytest.raises(RefusedError) as refused:
        check_refusals(plan(refusals=tuple(both)))
    assert refused.value.message == "record 1 is refused. record 2 is refused."
    assert refused.value.hint == "Show the template."
