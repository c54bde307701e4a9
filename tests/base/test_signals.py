"""Signals: the caller's choices are kept, handed on, and never mistaken for our own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.deploy_process import ShellDeployer
from route53_takeover.base import signals
from route53_takeover.cli import terminal
from route53_takeover.core.takeover.events import AbortAsked
from route53_takeover.output.text_lines import TextLines
from route53_takeover.process.protocol import ExitInfo, View
from route53_takeover.process.spawn import GoOn, Launch, NotBegunError
from route53_takeover.storage.config import Common, Override
from route53_takeover.tui import plain
from route53_takeover.tui.plain import TextView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from route53_takeover.process.protocol import Request

EVERY = (*signals.ASKING, *signals.SUSPENDING)
COMMON = Common(state_dir=Path("/nowhere"))
SAY_IGNORED = (
    "import signal; print(*sorted(s.name for s in signal.Signals"
    f" if s in {[int(n) for n in EVERY]} and signal.getsignal(s) is signal.SIG_IGN))"
)


@pytest.fixture(autouse=True)
def _no_signal_stays_changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = [(number, signal.getsignal(number)) for number in EVERY]
    monkeypatch.setattr(signals, "_ignored_by_caller", frozenset())
    monkeypatch.setattr(signals, "_given_up", set())
    yield
    for number, handler in before:
        signal.signal(number, handler)


def ignored_by_caller(monkeypatch: pytest.MonkeyPatch, *numbers: signal.Signals) -> None:
    """As if this process had been started with these ignored."""
    monkeypatch.setattr(signals, "_ignored_by_caller", frozenset(numbers))
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.parametrize("callers", [(), (signal.SIGTSTP, signal.SIGHUP)])
async def test_a_deploy_command_starts_with_the_caller_s_signals_and_not_with_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, callers: tuple[signal.Signals, ...]
) -> None:
    ignored_by_caller(monkeypatch, *callers)
    signals.give_up(signal.SIGHUP)
    signals.ignore_asking()
    signals.never_suspend()
    command = f'exec "{sys.executable}" -S -c "{SAY_IGNORED}"'
    deployer = ShellDeployer(
        tmp_path, {"on": command}, SystemClock(), timeout=30, environment=os.environ
    )
    ended = await deployer.run("on")
    assert ended.tail.split() == sorted(number.name for number in callers)
    for number in EVERY:
        assert signal.getsignal(number) is signal.SIG_IGN, "this process ignores them as before"


async def test_the_process_of_a_run_starts_with_the_caller_s_signals_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A screen that ignores Ctrl-C while it prints starts a run that must heed SIGTERM."""
    signals.ignore_asking()
    seen: list[bool] = []

    def look(*_: object, **__: object) -> object:
        seen.extend(signal.getsignal(number) is signal.SIG_IGN for number in signals.ASKING)
        raise OSError(11, "no more processes")

    monkeypatch.setattr("route53_takeover.process.spawn.subprocess.Popen", look)
    launch = Launch(GoOn(state_dir="", log_level="", run="", override=Override()))
    with pytest.raises(NotBegunError, match="cannot be started: no more processes"):
        await launch.start()
    launch.close()
    assert seen == [False] * len(signals.ASKING)


def test_what_we_ignore_for_a_while_is_still_heeded_and_what_the_caller_ignores_never_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignored_by_caller(monkeypatch, signal.SIGINT)
    signals.ignore_asking()
    assert signals.asking() == (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    signals.give_up(signal.SIGHUP)
    assert signals.asking() == (signal.SIGTERM, signal.SIGQUIT)


def test_the_installed_command_knows_what_its_caller_ignored(tmp_path: Path) -> None:
    """Recorded before the command sets any handler of its own."""
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "from route53_takeover.base import signals; from route53_takeover.cli import app;"
        "sys.argv = ['route53-takeover', '--version'];"
        "app.sys.exit = lambda code: None; app.main();"
        "print(*(n.name for n in signals.asking()), signal.getsignal(signal.SIGINT).name)"
    )
    reported = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert reported.stdout.splitlines()[-1] == "SIGTERM SIGHUP SIGQUIT SIG_IGN"


# -- the text view


class Silent:
    """A run that shows nothing; what it is asked for is kept."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.is_asked = asyncio.Event()

    async def subscribe(self) -> AsyncIterator[View]:
        await asyncio.Event().wait()
        yield View.__new__(View)  # never reached

    async def submit(self, request: Request) -> None:
        self.asked.append(request)
        self.is_asked.set()


@pytest.fixture
def viewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TextView]:
    common = Common(state_dir=tmp_path)
    lines = TextLines(sys.stderr, prefix="", quiet=False, verbose=False)
    with open(os.devnull) as nothing:  # noqa: PTH123 -- a device
        monkeypatch.setattr(sys, "stdin", nothing)
        yield TextView(common, lines)


async def shown(view: TextView, run: Silent) -> asyncio.Task[ExitInfo]:
    """The view, which listens to signals already."""
    task = asyncio.create_task(view.show(run))
    await asyncio.sleep(0)
    return task


def send(*numbers: signal.Signals) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGQUIT])
async def test_a_key_that_asks_to_abort_counts_once_however_often_it_is_passed_on(
    viewed: TextView, monkeypatch: pytest.MonkeyPatch, first: signal.Signals
) -> None:
    monkeypatch.setattr(plain, "ONE_REQUEST", 3600.0)
    run = Silent()
    task = await shown(viewed, run)
    send(first)
    await asyncio.wait_for(run.is_asked.wait(), 10)
    send(signal.SIGINT)
    done, _ = await asyncio.wait({task}, timeout=0.1)
    assert not done, "an echo of the first does not leave the run alone"
    send(signal.SIGHUP)
    assert (await asyncio.wait_for(task, 10)).detached, "a terminal that has gone is left"
    assert [type(request) for request in run.asked] == [AbortAsked]


async def test_a_later_ctrl_c_leaves_the_run_alone(
    viewed: TextView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "ONE_REQUEST", 0.0)
    run = Silent()
    task = await shown(viewed, run)
    send(signal.SIGINT)
    await asyncio.wait_for(run.is_asked.wait(), 10)
    send(signal.SIGINT)
    assert (await asyncio.wait_for(task, 10)).detached


async def test_ctrl_z_does_not_stop_the_view_and_says_once_what_ctrl_c_does(
    viewed: TextView, capfd: pytest.CaptureFixture[str]
) -> None:
    task = await shown(viewed, Silent())
    send(signal.SIGTSTP)
    await asyncio.sleep(0)
    send(signal.SIGTSTP, signal.SIGTERM)
    assert (await asyncio.wait_for(task, 10)).detached
    said = capfd.readouterr().err
    assert said.count("Ctrl-Z has no effect") == 1


async def test_the_view_takes_over_no_signal_that_its_caller_ignored(
    viewed: TextView, monkeypatch: pytest.MonkeyPatch
) -> None:
    ignored_by_caller(monkeypatch, signal.SIGINT, signal.SIGTSTP)
    signals.ignore_asking()
    run = Silent()
    task = await shown(viewed, run)
    send(signal.SIGTSTP, signal.SIGINT, signal.SIGTERM)
    assert (await asyncio.wait_for(task, 10)).detached
    assert not run.asked


# -- the screen


class FakeScreen:
    """Stands for the screen: a signal comes, and it waits until it is asked to leave."""

    sent = signal.SIGQUIT

    def __init__(self, **_: object) -> None:
        self.is_left = asyncio.Event()

    def leave(self) -> None:
        self.is_left.set()

    async def run_async(self) -> ExitInfo:
        send(self.sent)
        await asyncio.wait_for(self.is_left.wait(), 5)
        return ExitInfo(run=self.sent.name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
def test_every_signal_that_asks_to_stop_leaves_the_screen(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr("route53_takeover.tui.app.TakeoverApp", FakeScreen)
    monkeypatch.setattr(FakeScreen, "sent", number)
    signals.ignore_asking()  # as `resume` does until there is a view
    assert terminal._on_screen(COMMON).run == number.name


def test_a_screen_takes_over_no_signal_that_its_caller_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("route53_takeover.tui.app.TakeoverApp", FakeScreen)
    ignored_by_caller(monkeypatch, signal.SIGINT, signal.SIGHUP)
    assert terminal._on_screen(COMMON).run == "SIGQUIT"
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_hang_up_of_a_container_s_first_process_leaves_the_screen_and_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What comes after the screen stays until every name has a record."""
    monkeypatch.setattr("route53_takeover.tui.app.TakeoverApp", FakeScreen)
    monkeypatch.setattr(FakeScreen, "sent", signal.SIGHUP)
    monkeypatch.setattr(terminal, "is_first_process", lambda: True)
    assert terminal._on_screen(COMMON).run == "SIGHUP"


class BrokenScreen(FakeScreen):
    """One that breaks while the run goes on."""

    async def run_async(self) -> ExitInfo:
        raise ZeroDivisionError

    def left(self) -> ExitInfo:
        return ExitInfo(run="r", detached=True)


def test_a_screen_that_breaks_is_left_as_by_a_key_before_its_defect_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first process of a container stays then, too."""
    monkeypatch.setattr("route53_takeover.tui.app.TakeoverApp", BrokenScreen)
    parted: list[ExitInfo] = []
    monkeypatch.setattr(terminal, "parting", lambda _, left: parted.append(left))
    with pytest.raises(ZeroDivisionError):
        terminal._on_screen(COMMON)
    assert [left.run for left in parted] == ["r"]
