"""The control socket as both its ends see it: its messages, and how a path is connected to.

A run's process serves it (`route53_takeover.process.control_server`); a screen, `attach` and
`restore` of a live run are its clients. JSON lines in both directions: the process sends a
`Message` a line, a client an operator's event.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from route53_takeover.storage.journal_format import KnownEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LONGEST_MESSAGE = 1 << 24
"""Bytes of a line from the process: an event that the journal lacks may hold a template."""
_LONGEST_PATH = 100
"""Bytes of a path that a socket can be bound to, on every system."""


class Message(Struct, frozen=True, kw_only=True, tag=True):
    """What a run's process says."""


class Alive(Message, frozen=True, kw_only=True):
    """The process lives: its clock says ``now``, and runs ``speed`` times as fast as real time."""

    now: float
    speed: float
    pid: int = 0


class Unjournalled(Message, frozen=True, kw_only=True):
    """An event that the journal does not hold, for it cannot be written any more."""

    event: KnownEvent


class Taken(Message, frozen=True, kw_only=True):
    """The operator's event is in the engine's queue; whether it still applied, the events say."""


class NotTaken(Message, frozen=True, kw_only=True):
    """It is not: this is what was wrong with it."""

    reason: str


AnyMessage = Alive | Unjournalled | Taken | NotTaken
_encoder = msgspec.json.Encoder()


def encoded(message: Message) -> bytes:
    """The message as a line."""
    return _encoder.encode(message) + b"\n"


async def connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects to a run's control socket. Raises OSError where no process listens."""
    with short_path(path) as name:
        return await asyncio.open_unix_connection(name, limit=_LONGEST_MESSAGE)


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for the path that fits in a socket's address, which holds a hundred bytes or so."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"  # where there is no /proc, an OSError
    finally:
        os.close(folder)
