"""Following a run from outside: its journal as it grows, its process as it lives and dies."""

from __future__ import annotations

import asyncio
import socket
from contextlib import aclosing, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from route53_takeover.adapters.clock import ClockOrigin, SystemClock
from route53_takeover.base.errors import ManualActionRequiredError, RefusedError, TakeoverError
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.state import State
from route53_takeover.core.takeover.step import step
from route53_takeover.process.client import RemoteRun
from route53_takeover.process.control_server import Control
from route53_takeover.process.protocol import Link, Play, Resume, Seek, StepBy, is_newly_killed
from route53_takeover.process.replay import Replay
from route53_takeover.storage.journal import FileJournal, JournalTail, read_journal
from route53_takeover.storage.journal_format import encode
from route53_takeover.storage.run_folder import RunFolder
from route53_takeover.storage.user_folders import StateFolder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from route53_takeover.process.protocol import View


JOURNALS = Path(__file__).parents[1] / "data/recorded"


@cache
def events() -> tuple[ev.AnyEvent, ...]:
    """A takeover that goes well."""
    return tuple(read_journal(JOURNALS / "alias.jsonl"))


def write(folder: RunFolder, reported: tuple[ev.AnyEvent, ...], *, after: int = 0) -> None:
    with folder.journal.open("ab") as file:
        for seq, event in enumerate(reported, start=after + 1):
            file.write(encode(seq, event))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


@asynccontextmanager
async def living(
    folder: RunFolder, submit: Callable[[ev.AnyEvent], None] = lambda _: None
) -> AsyncIterator[Control]:
    """The run's process, as far as anybody outside can tell."""
    control = Control(folder.control, SystemClock(), submit)
    async with control.serving():
        yield control


async def until(views: AsyncIterator[View], wanted: Callable[[View], bool]) -> View:
    """The first view that is wanted."""
    async with asyncio.timeout(10):
        async for view in views:
            if wanted(view):
                return view
    raise AssertionError("the views ended")


async def linked(following: RemoteRun) -> None:
    """Waits until the process can be spoken to."""
    async with asyncio.timeout(5):
        while following._writer is None:  # noqa: ASYNC110 -- nothing tells
            await asyncio.sleep(0.01)


# -- the journal's tail


def test_a_tail_gives_each_whole_line_once_and_waits_for_the_rest_of_a_torn_one(
    folder: RunFolder,
) -> None:
    tail = JournalTail(folder.journal)
    assert tail.read() == []
    lines = [encode(seq, event) for seq, event in enumerate(events()[:3], start=1)]
    folder.journal.write_bytes(lines[0] + lines[1] + lines[2][:40])
    assert tail.read() == list(events()[:2])
    assert tail.read() == []
    folder.journal.write_bytes(b"".join(lines))
    assert tail.read() == [events()[2]]


def test_a_tail_says_that_a_whole_line_is_damaged(folder: RunFolder) -> None:
    write(folder, events()[:2])
    folder.journal.write_bytes(folder.journal.read_bytes().replace(b'"seq":2', b'"seq":7'))
    with pytest.raises(ManualActionRequiredError, match="line 2"):
        JournalTail(folder.journal).read()


def test_a_tail_notices_a_line_that_was_taken_back(folder: RunFolder) -> None:
    write(folder, events()[:2])
    tail = JournalTail(folder.journal)
    tail.read()
    folder.journal.write_bytes(encode(1, events()[0]))
    assert tail.is_cut_back
    tail.rewind()
    assert tail.read() == [events()[0]]


# -- following


async def test_a_run_is_followed_while_it_runs_and_to_its_end(folder: RunFolder) -> None:
    reported: list[ev.AnyEvent] = []
    write(folder, events()[:5])
    following = RemoteRun(folder, observer=lambda event, _state, _seq: reported.append(event))
    async with living(folder), aclosing(following.subscribe()) as views:
        first = await until(views, lambda view: view.position == 5)
        assert first.link is Link.LIVE
        write(folder, events()[5:], after=5)
        last = await until(views, lambda view: view.link is Link.ENDED)
        assert last.snapshot.result is not None
        assert last.snapshot.result.outcome == "done"
        with pytest.raises(StopAsyncIteration):
            await anext(views)
    assert reported == list(events())


async def test_a_burst_of_events_is_one_view(folder: RunFolder) -> None:
    write(folder, events()[:2])
    async with living(folder), aclosing(RemoteRun(folder).subscribe()) as views:
        await until(views, lambda view: view.position == 2)
        write(folder, events()[2:60], after=2)
        seen = [await anext(views)]
        while seen[-1].position < 60:
            seen.append(await anext(views))
        assert len(seen) <= 3


async def test_a_process_that_exits_is_reported_and_so_is_one_that_returns(
    folder: RunFolder,
) -> None:
    write(folder, events()[:5])
    async with aclosing(RemoteRun(folder).subscribe()) as views:
        async with living(folder):
            await until(views, lambda view: view.link is Link.LIVE and view.position == 5)
        await until(views, lambda view: view.link is Link.GONE)
        async with living(folder):
            await until(views, lambda view: view.link is Link.LIVE)


@pytest.mark.parametrize("rehearsal", ["", "alias"])
async def test_the_time_of_a_run_without_a_process_goes_on_where_its_clock_is_ours(
    rehearsal: str, folder: RunFolder
) -> None:
    write(folder, events()[:5])
    following = RemoteRun(folder, rehearsal=rehearsal)
    last = events()[4].time
    following._clock = SystemClock.of(ClockOrigin(last + 3600, SystemClock().origin.steady, 1.0))
    async with aclosing(following.subscribe()) as views:
        gone = await until(views, lambda view: view.link is Link.GONE)
    assert gone.snapshot.as_of == last
    assert gone.snapshot.now - last == pytest.approx(0 if rehearsal else 3600, abs=60)


async def test_a_run_that_the_rehearsal_kills_is_killed_until_it_is_resumed_and_then_as_any_other(
    folder: RunFolder,
) -> None:
    write(folder, events()[:5])
    has_account = True
    following = RemoteRun(folder, has_account=lambda: has_account, is_killed=True)
    async with aclosing(following.subscribe()) as views:
        killed = await until(views, lambda view: view.link is Link.KILLED)
        assert is_newly_killed(None, killed)
        assert is_newly_killed(replace(killed, link=Link.LIVE), killed)
        assert not is_newly_killed(killed, killed), "it is said once, however many views show it"
        write(folder, (ev.RunResumed(time=events()[4].time),), after=5)
        gone = await until(views, lambda view: view.link is Link.GONE)
        assert gone.resumable
        has_account = False
        await until(views, lambda view: not view.resumable)


async def test_a_process_that_says_nothing_any_more_makes_what_is_shown_stale(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("route53_takeover.process.client._SILENT", 0.3)
    monkeypatch.setattr("route53_takeover.process.control_server.BEAT", 3600.0)
    write(folder, events()[:5])
    async with living(folder), aclosing(RemoteRun(folder).subscribe()) as views:
        await until(views, lambda view: view.link is Link.LIVE)
        await until(views, lambda view: view.link is Link.STALE)


async def test_a_process_that_was_stopped_before_anybody_looked_is_stale_too(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("route53_takeover.process.client._SILENT", 0.3)
    write(folder, events()[:5])
    with socket.socket(socket.AF_UNIX) as listening:  # the kernel answers for who is stopped
        listening.bind(str(folder.control))
        listening.listen()
        async with aclosing(RemoteRun(folder).subscribe()) as views:
            await until(views, lambda view: view.link is Link.STALE)


async def test_a_process_without_a_socket_is_not_gone_for_as_long_as_it_holds_its_journal(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("route53_takeover.process.client._SILENT", 0.3)
    monkeypatch.setattr("route53_takeover.process.client._KNOCK", 0.05)
    write(folder, events()[:5])
    process = FileJournal(folder.journal)
    following = RemoteRun(folder)
    async with aclosing(following.subscribe()) as views:
        await until(views, lambda view: view.link is Link.STALE)
        await asyncio.sleep(0.3)
        assert following._link() is Link.STALE
        process.close()
        await until(views, lambda view: view.link is Link.GONE)


async def test_a_run_that_never_started_is_an_error(folder: RunFolder) -> None:
    folder.journal.touch()
    async with aclosing(RemoteRun(folder).subscribe()) as views:
        with pytest.raises(RefusedError, match="never started"):
            await until(views, lambda _: True)


async def test_what_a_process_lost_with_its_journals_beginning_is_not_shown_half(
    folder: RunFolder,
) -> None:
    following = RemoteRun(folder)
    async with aclosing(following.subscribe()) as views, living(folder) as process:
        waiting = asyncio.ensure_future(anext(views))
        await linked(following)
        state, _ = step(None, events()[0])
        process.observe(ev.JournalFailed(time=1.0, reason="full"), _broken(state), 2)
        await asyncio.sleep(0.2)
        assert not waiting.done()
        write(folder, events()[:1])
        view = await waiting
        assert view.position == 1
    assert following._writer is None


async def test_what_is_asked_for_is_handed_over(folder: RunFolder) -> None:
    taken: list[ev.AnyEvent] = []
    write(folder, events()[:5])
    following = RemoteRun(folder)
    async with living(folder, taken.append), aclosing(following.subscribe()) as views:
        await until(views, lambda view: view.link is Link.LIVE)
        await linked(following)
        await following.submit(ev.RunPaused(time=0.0))
        await following.submit(ev.RunUnpaused(time=0.0))
    assert [type(event) for event in taken] == [ev.RunPaused, ev.RunUnpaused]


async def test_what_cannot_be_handed_over_is_an_error_with_a_way_on(folder: RunFolder) -> None:
    write(folder, events()[:5])
    following = RemoteRun(folder)
    async with aclosing(following.subscribe()) as views:
        await until(views, lambda view: view.position == 5)
        with pytest.raises(TakeoverError, match="cannot be reached") as error:
            await following.submit(ev.RunPaused(time=0.0))
        assert f"resume {folder.name}" in error.value.hint


async def test_events_that_only_the_process_knows_are_seen_and_forgotten_with_it(
    folder: RunFolder,
) -> None:
    write(folder, events()[:5])
    following = RemoteRun(folder)
    async with aclosing(following.subscribe()) as views:
        async with living(folder) as process:
            await until(views, lambda view: view.position == 5)
            lost = ev.JournalFailed(time=events()[4].time, reason="no space left")
            state = following._unfolding.state
            assert isinstance(state, State)
            await linked(following)
            process.observe(lost, _broken(state), 6)
            seen = await until(views, lambda view: view.position == 6)
            assert any("no space left" in alert for alert in seen.snapshot.alerts)
        await until(views, lambda view: view.link is Link.GONE)
        async with living(folder):
            again = await until(views, lambda view: view.position == 5)
            assert not any("no space left" in alert for alert in again.snapshot.alerts)


def _broken(state: State) -> State:
    return replace(state, journal_lost="no space left")


async def test_a_line_that_was_taken_back_is_no_longer_shown(folder: RunFolder) -> None:
    reported: list[ev.AnyEvent] = []
    write(folder, events()[:6])
    following = RemoteRun(folder, observer=lambda event, _state, _seq: reported.append(event))
    async with living(folder), aclosing(following.subscribe()) as views:
        await until(views, lambda view: view.position == 6)
        data = b"".join(encode(seq, event) for seq, event in enumerate(events()[:5], start=1))
        folder.journal.write_bytes(data)
        await until(views, lambda view: view.position == 5)
    assert reported == list(events()[:6]), "what was told is not told again"


async def test_a_follower_does_not_block_the_writer(folder: RunFolder) -> None:
    write(folder, events()[:5])
    async with living(folder), aclosing(RemoteRun(folder).subscribe()) as views:
        await until(views, lambda view: view.position == 5)
        FileJournal(folder.journal).close()


async def test_resuming_starts_the_process_again(folder: RunFolder) -> None:
    started: list[str] = []

    async def revive() -> None:
        started.append(folder.name)

    await RemoteRun(folder, revive=revive).submit(Resume())
    assert started == [folder.name]


# -- replaying


async def test_a_replay_begins_at_the_end_and_goes_wherever_it_is_sent(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("route53_takeover.process.replay._EVERY", 20)
    replay = Replay(folder, events())
    async with aclosing(replay.subscribe()) as views:
        end = await anext(views)
        assert (end.link, end.position, end.length) == (Link.REPLAY, len(events()), len(events()))
        assert end.snapshot.phase is Phase.ENDED
        for position in (1, 400, 2, len(events()) + 5, 41, 40, 39, 60, 0):
            await replay.submit(Seek(position=position))
            seen = await anext(views)
            assert seen.position == min(max(position, 1), len(events()))
            assert seen.snapshot.events == seen.position
            assert seen.snapshot.now == events()[seen.position - 1].time
        await replay.submit(Seek(position=10))
        for step_ in (StepBy(events=1),) * 5 + (StepBy(events=-2),):  # faster than views come
            await replay.submit(step_)
        assert (await anext(views)).position == 13
        for events_, end_ in ((-1000, 1), (-1, 1), (1000, len(events())), (1, len(events()))):
            await replay.submit(StepBy(events=events_))
            assert (await anext(views)).position == end_


async def test_a_replay_shows_no_output_that_was_not_there_yet(folder: RunFolder) -> None:
    for switch in ("off", "on"):
        (folder.path / f"deploy-{switch}.log").write_text(f"all of {switch}\n")
    replay = Replay(folder, events())
    running: set[str] = set()
    for position in range(1, len(events()) + 1):
        replay._move(position)
        view = replay._view()
        assert view is not None
        begun = [d for d in view.snapshot.deploys if d.since is not None]
        is_over = bool(begun) and begun[-1].ended is not None
        assert view.deploy == ((f"all of {begun[-1].label[7:]}",) if is_over else ())
        running |= {d.label for d in begun if not is_over}
    assert running == {"switch off", "switch on"}


async def test_a_replay_plays_on_from_the_beginning_and_stops_at_the_end(
    folder: RunFolder,
) -> None:
    replay = Replay(folder, events())
    span = events()[-1].time - events()[0].time
    async with aclosing(replay.subscribe()) as views:
        await anext(views)
        await replay.submit(Play(speed=span))  # all of it in a second
        positions = [(await anext(views)).position]
        while positions[-1] < len(events()):
            positions.append((await anext(views)).position)
        assert positions[0] < 10
        assert positions == sorted(positions)
        assert len(positions) > 5
        assert replay._speed == 0.0


async def test_what_is_asked_of_a_replay_changes_no_run(folder: RunFolder) -> None:
    replay = Replay(folder, events())
    async with aclosing(replay.subscribe()) as views:
        before = await anext(views)
        await replay.submit(ev.AbortAsked(time=0.0))
        await replay.submit(Seek(position=before.position))
        assert await anext(views) == before


@pytest.mark.parametrize("is_default", [True, False])
@pytest.mark.parametrize("kind", [RemoteRun, Replay])
async def test_the_restore_line_to_copy_works_wherever_it_is_typed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[RemoteRun | Replay],
    is_default: bool,
) -> None:
    """A run that is not where runs are kept by default is only found with --state-dir."""
    default = tmp_path if is_default else tmp_path / "elsewhere"
    monkeypatch.setattr(
        "route53_takeover.storage.run_folder.state_folder", lambda: StateFolder(default)
    )
    folder = RunFolder(tmp_path / "runs" / "r")
    folder.path.mkdir(parents=True)
    write(folder, events())
    source = Replay(folder, events()) if kind is Replay else RemoteRun(folder)
    async with aclosing(source.subscribe()) as views:
        line = (await anext(views)).snapshot.copies[-1].text
    where = "" if is_default else f" --state-dir {tmp_path}"
    assert line == f"route53-takeover restore rehearsal{where}"
