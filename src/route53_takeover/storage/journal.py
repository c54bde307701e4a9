"""The journal: the events of a run, one a line, durable before any write that follows from them.

One writer (an exclusive lock on the file), many readers. A torn last line (one without its newline,
which a crash in the middle of a write leaves behind) is cut off when the file is opened for
writing; any other damage is an error, for a run must not be resumed from half a truth. The lines
themselves are `route53_takeover.storage.journal_format`'s.

A thread of its own writes the file, so that a disk that stalls makes nothing else wait: `append`
takes an event in order and returns at once, `durable` waits for it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from route53_takeover.base import private_files
from route53_takeover.base.errors import RefusedError, UsageError
from route53_takeover.core.events import Observation
from route53_takeover.storage.journal_format import damaged, decode, decode_line, encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from route53_takeover.storage.journal_format import JournalEvent

_CLOSED = -1
_CLOSING = 10.0
"""Seconds that a disk gets, at the end of a run, to take in what was appended."""


E_contra = TypeVar("E_contra", contravariant=True)


class JournalError(Exception):
    """The journal cannot be written any more: disk full, read-only, gone."""


class Journal(Protocol[E_contra]):
    """Where the engine writes: in order, and durable before anything is done because of it."""

    def append(self, event: E_contra) -> int:
        """Takes one event and returns its sequence number, from 1 on.

        Raises:
            JournalError: the journal is broken.
        """

    async def durable(self, seq: int) -> None:
        """Waits until this event is durable, and with it everything before.

        Only for an event that is no `Observation`: those may become durable with the next that is
        not.

        Raises:
            JournalError: it will not be.
        """

    async def broken(self) -> str:
        """Waits until the journal breaks, if it ever does, and says why."""


class FileJournal:
    """A journal in a file.

    Args:
        path: made with mode 0600 if it does not exist.

    Raises:
        RefusedError: another process writes it (it is locked), or another version wrote it.
        ManualActionRequiredError: it is damaged.
        UsageError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        has_begun = os.path.lexists(path)
        try:
            self._fd = private_files.open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            raise _unwritable(path, error, has_begun=has_begun) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            data = path.read_bytes()
            self.events, good = decode(data, str(path))
            if good < len(data):
                os.ftruncate(self._fd, good)
                os.fsync(self._fd)
            _sync_folder(path.parent)
        except BlockingIOError:
            os.close(self._fd)
            raise RefusedError(
                f"another process is working on this run ({path.parent.name})",
                "Wait until it has ended; see `runs`.",
            ) from None
        except OSError as error:
            os.close(self._fd)
            raise _unwritable(path, error, has_begun=has_begun) from error
        except BaseException:
            os.close(self._fd)
            raise
        self._seq = len(self.events)
        self._size = good
        self._durable = self._seq
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Future[None]]] = []
        self._breaking: Future[str] = Future()
        self._lines: SimpleQueue[_Job | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._writer.start()

    def append(self, event: JournalEvent) -> int:
        """Takes one event; the writer makes it durable unless it is an observation."""
        if self._breaking.done():
            raise JournalError(self._breaking.result())
        self._seq += 1
        line = encode(self._seq, event)
        self._lines.put(_Job(self._seq, line, is_synced=not isinstance(event, Observation)))
        return self._seq

    async def durable(self, seq: int) -> None:
        """Waits until this event is durable."""
        waiting: Future[None] = Future()
        with self._lock:
            if self._durable >= seq:
                return
            if self._breaking.done():
                raise JournalError(self._breaking.result())
            self._waiting.append((seq, waiting))
        await asyncio.wrap_future(waiting)

    async def broken(self) -> str:
        """Waits until the file cannot be written any more."""
        return await asyncio.shield(asyncio.wrap_future(self._breaking))

    def close(self, patience: float = _CLOSING) -> None:
        """Lets go of the file and its lock, once what was appended is written; once is enough."""
        self._lines.put(None)
        self._writer.join(patience)
        if not self._writer.is_alive():  # else the disk still stalls: it goes with the process
            fd, self._fd = self._fd, _CLOSED
            if fd != _CLOSED:
                os.close(fd)

    # -- the writer's thread

    def _write_all(self) -> None:
        is_closing = False
        while not is_closing:
            taken = [self._lines.get()]
            while not self._lines.empty():  # one fsync for all that came while the last took time
                taken.append(self._lines.get())
            is_closing = None in taken
            jobs = [job for job in taken if job is not None]
            if jobs and not self._breaking.done():
                self._write(jobs)

    def _write(self, jobs: Sequence[_Job]) -> None:
        lines = b"".join(job.line for job in jobs)
        try:
            written = os.write(self._fd, lines)
            if written != len(lines):  # how a disk that becomes full answers first
                self._break("no space left")
                return
            synced = [job.seq for job in jobs if job.is_synced]
            if synced:
                os.fsync(self._fd)
        except OSError as error:
            self._break(error.strerror or str(error))
            return
        self._size += written
        if synced:
            self._settle(synced[-1])

    def _settle(self, durable: int) -> None:
        with self._lock:
            self._durable = durable
            done = [future for seq, future in self._waiting if seq <= durable]
            self._waiting = [(seq, future) for seq, future in self._waiting if seq > durable]
        for future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def _break(self, reason: str) -> None:
        """Cuts back what is torn or not durable: nothing may follow it in the file."""
        with suppress(OSError):  # opening it again repairs it
            os.ftruncate(self._fd, self._size)
        with self._lock:
            text = f"cannot write {self._path}: {reason}"
            self._breaking.set_result(text)
            waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(JournalError(text))


class _Job(NamedTuple):
    """A line for the writer."""

    seq: int
    line: bytes
    is_synced: bool


def _unwritable(path: Path, error: OSError, *, has_begun: bool) -> UsageError:
    hint = "Choose another --state-dir."
    if has_begun:  # no other folder holds this run
        hint = (
            "Make the file writable and free disk space, then `resume`; or use `restore`, "
            "which needs no journal."
        )
    return UsageError(f"cannot write {path}: {error.strerror}", hint)


class MemoryJournal:
    """A journal in memory, in the same form: what simulated runs are resumed from."""

    def __init__(self, data: bytes = b"") -> None:
        self.events, good = decode(data)
        self.data = bytearray(data[:good])

    def append(self, event: JournalEvent) -> int:
        """Appends one event."""
        self.events.append(event)
        self.data += encode(len(self.events), event)
        return len(self.events)

    async def durable(self, seq: int) -> None:
        """At once: memory does not stall."""

    async def broken(self) -> str:
        """Never: where it breaks `append` says so."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never


def read_journal(path: Path) -> Sequence[JournalEvent]:
    """The events of a journal that another process may be writing.

    Raises:
        UsageError: there is none, or it cannot be read.
        ManualActionRequiredError: it is damaged.
        RefusedError: another version wrote it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    return decode(data, str(path))[0]


def is_held(path: Path) -> bool:
    """Whether a process writes the journal, as far as anybody can tell: then its run goes on."""
    try:
        return private_files.is_locked(path)
    except OSError:
        return True


class JournalTail:
    """Reads a journal that another process is writing, as it grows.

    Args:
        path: it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rewind()

    def rewind(self) -> None:
        """From the beginning, at the next read."""
        self._offset = 0
        self._seq = 0

    @property
    def is_cut_back(self) -> bool:
        """Whether what was read has been taken back: a line that never became durable."""
        return self._size() < self._offset

    def read(self) -> Sequence[JournalEvent]:
        """The events of every whole line since the last read.

        Raises:
            UsageError: it cannot be read.
            ManualActionRequiredError: it is damaged.
            RefusedError: another version wrote it.
        """
        if self._size() <= self._offset:
            return []
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError as error:
            raise _unreadable(self._path, error) from error
        whole = data[: data.rfind(b"\n") + 1]
        events = []
        for raw in whole.splitlines(keepends=True):
            event = decode_line(raw, self._seq + 1, str(self._path))
            if event is None:
                raise damaged(self._seq + 1, str(self._path))
            self._seq += 1
            events.append(event)
        self._offset += len(whole)
        return events

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot read {path}: {error.strerror}",
        "Check --state-dir and its permissions; `restore` needs no journal.",
    )


def _sync_folder(folder: Path) -> None:
    """Makes the file's name durable, too."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
