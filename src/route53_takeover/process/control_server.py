"""Serves a run's control socket: operator's events come in, a heartbeat goes out.

A Unix socket of mode 0600 in the run's folder, for as long as its process lives. A client reads the
run's journal; over the socket go only the heartbeat, the events that a broken journal does not
hold, and the operator's events. A client that does not read is dropped: none can make the run wait.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
import structlog
from msgspec.structs import replace

from route53_takeover.core.status.any_run import RunRequest
from route53_takeover.process.control_socket import (
    Alive,
    NotTaken,
    Taken,
    Unjournalled,
    encoded,
    short_path,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from route53_takeover.core.ports import Clock
    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.storage.journal_format import KnownEvent

_log = structlog.get_logger(__name__)

BEAT = 1.0
"""Real seconds between two signs of life."""
_UNREAD_AT_MOST = 1 << 20
"""Bytes that a client may leave unread before it is dropped."""
_LONGEST_REQUEST = 1 << 16
"""Bytes of a line from a client: an operator's event is small."""


_asked: msgspec.json.Decoder[RunRequest] = msgspec.json.Decoder(RunRequest)


class Control:
    """A run's control socket.

    Args:
        path: where; what a process that has died left there is taken away.
        clock: the run's; operator's events are given its time.
        submit: takes the operator's events.
    """

    def __init__(self, path: Path, clock: Clock, submit: Callable[[RunRequest], None]) -> None:
        self._path = path
        self._clock = clock
        self._submit = submit
        self._clients: set[asyncio.StreamWriter] = set()
        self._attending: set[asyncio.Task[None]] = set()
        self._lost: list[bytes] = []

    def observe(self, event: KnownEvent, state: RunState, _seq: int) -> None:
        """Hands on what the journal does not hold; never raises."""
        if state.journal_lost:
            line = encoded(Unjournalled(event=event))
            self._lost.append(line)
            for client in tuple(self._clients):
                self._send(client, line)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listens; a socket that cannot be made is done without: it never stops a run."""
        try:
            server = await asyncio.start_unix_server(
                self._attend, sock=_bound(self._path), limit=_LONGEST_REQUEST
            )
        except OSError as error:
            _log.warning("control.unavailable", path=str(self._path), reason=str(error))
            yield
            return
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(OSError):
                self._path.unlink()
            server.close()
            for client in tuple(self._clients):
                client.close()
            if self._attending:
                await asyncio.wait(self._attending, timeout=BEAT)

    async def _beat(self) -> None:
        while True:
            line = self._alive()
            for client in tuple(self._clients):
                self._send(client, line)
            await asyncio.sleep(BEAT)

    def _alive(self) -> bytes:
        return encoded(Alive(now=self._clock.now(), speed=self._clock.speed, pid=os.getpid()))

    async def _attend(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._attending.add(task)
            task.add_done_callback(self._attending.discard)
        try:
            client.write(self._alive())
            sent = 0
            while sent < len(self._lost):
                client.write(self._lost[sent])
                sent += 1
                await client.drain()
            self._clients.add(client)  # from here on it hears what is new
            while asked := await reader.readline():
                self._send(client, encoded(self._take(asked)))
        except (OSError, ValueError):  # it has gone, or sends what is no line
            pass
        finally:
            self._drop(client)

    def _take(self, asked: bytes) -> Taken | NotTaken:
        try:
            event = _asked.decode(asked)
        except msgspec.DecodeError as error:
            return NotTaken(reason=str(error))
        self._submit(replace(event, time=self._clock.now()))
        return Taken()

    def _send(self, client: asyncio.StreamWriter, line: bytes) -> None:
        if client.transport.get_write_buffer_size() > _UNREAD_AT_MOST:
            self._drop(client)
        elif not client.is_closing():
            client.write(line)

    def _drop(self, client: asyncio.StreamWriter) -> None:
        self._clients.discard(client)
        client.transport.abort()


def _bound(path: Path) -> socket.socket:
    """A socket of mode 0600 at the path; the journal's lock excludes other processes."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listening.fileno(), 0o600)  # Linux makes the file with the socket's mode
        with suppress(FileNotFoundError):
            path.unlink()
        with short_path(path) as name:
            listening.bind(name)
        path.chmod(0o600)  # elsewhere; the folder is 0700 in any case
    except BaseException:
        listening.close()
        raise
    return listening
