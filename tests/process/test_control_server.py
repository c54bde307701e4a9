"""The control socket: who may speak to it, what it takes, and that no client can block a run."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.model import Manual, Options, Plan
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.step import step
from route53_takeover.process.control_server import Control
from route53_takeover.process.control_socket import (
    Alive,
    AnyMessage,
    NotTaken,
    Taken,
    Unjournalled,
    connect,
)

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.core.takeover.state import State

WWW = RecordSet(name="www.example.com.", type="CNAME", ttl=60, values=("old.example.net.",))
STATE, _ = step(
    None,
    ev.RunStarted(
        time=1.0,
        run="r",
        plan=Plan(
            options=Options(stack="shop", records=("www.example.com",)),
            zone_id="Z1",
            zone_name="example.com.",
            zone_private=False,
            zone_is_unique=True,
            name_servers=(),
            root=StackDescription(stack_id="", stack_name="shop", status="ABSENT"),
            account="123456789012",
            manuals=(Manual(original=WWW),),
        ),
    ),
)


def broken(state: State) -> State:
    return replace(state, journal_lost="no space left")


def discard(_: ev.AnyEvent) -> None:
    """Takes what is asked for, and forgets it."""


_said: msgspec.json.Decoder[AnyMessage] = msgspec.json.Decoder(AnyMessage)


class Side:
    """One end of a conversation with a run's process."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def receive(self) -> AnyMessage:
        line = await asyncio.wait_for(self._reader.readline(), 5)
        return _said.decode(line)

    async def receive_except_heartbeats(self) -> AnyMessage:
        while isinstance(said := await self.receive(), Alive):
            pass
        return said

    async def ask(self, line: bytes) -> AnyMessage:
        self.writer.write(line + b"\n")
        return await self.receive_except_heartbeats()

    async def is_over(self) -> bool:
        try:
            while await asyncio.wait_for(self._reader.readline(), 5):
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self.writer.close()


async def side(path: Path) -> Side:
    return Side(*await connect(path))


async def test_a_new_connection_receives_a_heartbeat_with_the_run_clock(
    tmp_path: Path,
) -> None:
    clock = SystemClock(10.0)
    async with Control(tmp_path / "control.sock", clock, discard).serving():
        client = await side(tmp_path / "control.sock")
        first = await client.receive()
        assert isinstance(first, Alive)
        assert (first.speed, abs(first.now - clock.now()) < 60) == (10.0, True)
        assert isinstance(await client.receive(), Alive), "and again"
        client.close()


@pytest.mark.parametrize("system", ["Linux", "other"])
async def test_the_socket_never_has_the_umasks_mode_and_goes_with_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    """On Linux not even for an instant: the file is made with the mode of the socket."""
    path = tmp_path / "control.sock"
    at_first: list[int] = []

    class Watched(socket.socket):
        def bind(self, address: str) -> None:  # type: ignore[override]
            super().bind(address)
            at_first.append(stat.S_IMODE(path.stat().st_mode))

    monkeypatch.setattr(socket, "socket", Watched)
    if system == "other":
        monkeypatch.setattr(os, "fchmod", lambda *_: None)
    old = os.umask(0)
    try:
        async with Control(path, SystemClock(), discard).serving():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_ISSOCK(path.stat().st_mode)
    finally:
        os.umask(old)
    assert at_first == [0o600 if system == "Linux" else 0o777]
    assert not path.exists()


async def test_a_stale_socket_of_a_dead_process_blocks_no_server(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    with pytest.raises(ConnectionRefusedError):
        await connect(path)
    async with Control(path, SystemClock(), discard).serving():
        client = await side(path)
        assert isinstance(await client.receive(), Alive)
        client.close()


async def test_a_folder_with_a_long_name_has_a_socket_too(tmp_path: Path) -> None:
    folder = tmp_path / ("a-long-name-" * 12)
    folder.mkdir()
    async with Control(folder / "control.sock", SystemClock(), discard).serving():
        client = await side(folder / "control.sock")
        assert isinstance(await client.receive(), Alive)
        client.close()


async def test_a_socket_that_cannot_be_made_stops_no_run(tmp_path: Path) -> None:
    async with Control(tmp_path / "none" / "control.sock", SystemClock(), discard).serving():
        pass


async def test_an_operator_request_reaches_the_engine_with_the_time_of_the_run(
    tmp_path: Path,
) -> None:
    taken: list[ev.AnyEvent] = []
    clock = SystemClock()
    async with Control(tmp_path / "control.sock", clock, taken.append).serving():
        client = await side(tmp_path / "control.sock")
        asked = msgspec.json.encode(ev.HoldCut(time=12.0, name="www.example.com."))
        assert await client.ask(asked) == Taken()
        client.close()
    (event,) = taken
    assert isinstance(event, ev.HoldCut)
    assert event.name == "www.example.com."
    assert abs(event.time - clock.now()) < 60


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"{}",
        b'{"event":"Nonsense","time":1}',
        msgspec.json.encode(ev.WriteAccepted(time=1.0, id="r-1", name="x.", change_id="C1")),
        msgspec.json.encode(ev.Interrupted(time=1.0, signal="SIGINT")),
        msgspec.json.encode(ev.BackupWritten(time=1.0)),
    ],
)
async def test_nothing_but_an_operators_event_is_taken(tmp_path: Path, line: bytes) -> None:
    taken: list[ev.AnyEvent] = []
    async with Control(tmp_path / "control.sock", SystemClock(), taken.append).serving():
        client = await side(tmp_path / "control.sock")
        assert isinstance(await client.ask(line), NotTaken)
        client.close()
    assert taken == []


async def test_a_line_without_an_end_closes_the_connection_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with Control(tmp_path / "control.sock", SystemClock(), discard).serving():
        babbler = await side(tmp_path / "control.sock")
        babbler.writer.write(b"x" * 300_000)
        assert await babbler.is_over()
        client = await side(tmp_path / "control.sock")
        assert isinstance(await client.receive(), Alive)
        client.close()


async def test_events_that_the_journal_does_not_hold_are_handed_on_to_all_and_to_late_comers(
    tmp_path: Path,
) -> None:
    control = Control(tmp_path / "control.sock", SystemClock(), discard)
    events: list[ev.AnyEvent] = [
        ev.JournalFailed(time=2.0, reason="full"),
        ev.BackupWritten(time=3.0),
    ]
    async with control.serving():
        early = await side(tmp_path / "control.sock")
        await early.receive()
        control.observe(ev.TimePassed(time=1.0), STATE, 1)
        for event in events:
            control.observe(event, broken(STATE), 2)
        late = await side(tmp_path / "control.sock")
        for client in (early, late):
            for event in events:
                assert await client.receive_except_heartbeats() == Unjournalled(event=event)
            client.close()


async def test_a_new_connection_receives_all_events_that_the_journal_lacks(
    tmp_path: Path,
) -> None:
    control = Control(tmp_path / "control.sock", SystemClock(), discard)
    events = [ev.JournalFailed(time=float(n), reason="x" * 100_000) for n in range(40)]
    async with control.serving():
        for event in events[:-1]:
            control.observe(event, broken(STATE), 2)
        late = await side(tmp_path / "control.sock")
        assert isinstance(await late.receive(), Alive)
        control.observe(events[-1], broken(STATE), 2)  # while it hears what was before
        received = [await late.receive_except_heartbeats() for _ in events]
        assert received == [Unjournalled(event=event) for event in events]
        late.close()


async def test_a_client_that_does_not_read_is_dropped_and_the_run_never_waits(
    tmp_path: Path,
) -> None:
    control = Control(tmp_path / "control.sock", SystemClock(), discard)
    async with control.serving():
        sleeper = socket.socket(socket.AF_UNIX)
        sleeper.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sleeper, str(tmp_path / "control.sock"))
        first = await asyncio.get_running_loop().sock_recv(sleeper, 100)
        assert first.startswith(b'{"type":"Alive"')
        event = ev.JournalFailed(time=2.0, reason="x" * 10_000)
        for _ in range(300):
            control.observe(event, broken(STATE), 2)
            await asyncio.sleep(0)
        assert not control._clients
        sleeper.close()
