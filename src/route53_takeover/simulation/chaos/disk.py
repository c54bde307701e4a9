"""The disk of a simulated machine: it keeps a run's journal through kills, and may fail.

A process that dies loses nothing that it has written. A machine that dies loses what was not
synced, and may leave a torn line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.events import Observation
from route53_takeover.storage.journal import JournalError, MemoryJournal
from route53_takeover.storage.journal_format import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from route53_takeover.core.projection import Projection
    from route53_takeover.simulation.chaos.transport import VirtualClock
    from route53_takeover.storage.journal_format import JournalEvent


class Disk:
    """What is on it of one run.

    Args:
        projection: folds the events of the run's machine.

    Attributes:
        events: what the newest process wrote and read; how many of them are written, and synced.
        backup: whether backup.json is durable.
        holds: how many events the journal can take at most.
        broken: why nothing can be written any more; empty while it can.
        stalls_until: until when (in the account's time) what is written waits.
        lost: bytes that were written and lost.
    """

    def __init__(self, projection: Callable[[], Projection[Any, Any, Any]]) -> None:
        self.events: list[JournalEvent] = []
        self.written_events = self.synced_events = 0
        self._data = bytearray()
        self._ends = [0]
        self.backup = False
        self.holds: int | None = None
        self.broken = ""
        self.lost = 0
        self.stalls_until = 0.0
        self._projection = projection
        self._folded = projection()

    def fold(self) -> Any:  # noqa: ANN401 -- the state of the machine, or None
        """The state that its events come to, each folded once and by no engine."""
        for event in self.events[self._folded.seq :]:
            self._folded.take(event)
        return self._folded.state

    @property
    def durable(self) -> Iterator[JournalEvent]:
        """The events that survive anything, the newest first."""
        return (self.events[n] for n in range(self.synced_events - 1, -1, -1))

    @property
    def data(self) -> bytearray:
        """The journal's bytes, as a process would read them.

        They are made on request: a run that is never resumed needs none.
        """
        for n in range(len(self._ends), self.written_events + 1):
            self._data += encode(n, self.events[n - 1])
            self._ends.append(len(self._data))
        return self._data

    def load(self, events: list[JournalEvent], data: bytearray) -> None:
        """A process has read the journal, and continues writing it."""
        if events[: self._folded.seq] != self.events[: self._folded.seq]:
            self._folded = self._projection()  # some are lost
        self.events, self._data = events, data
        self.written_events = self.synced_events = len(events)
        self._ends = [len(data)] * (len(events) + 1)  # none of them is cut off any more

    async def save_backup(self) -> None:
        """Writes backup.json durably."""
        if self.broken or (self.holds is not None and len(self.events) >= self.holds):
            raise OSError(28, self.broken or "no space left")
        self.backup = True

    def lose_power(self, rng: Random) -> None:
        """What was not synced is lost, or torn."""
        data = self.data
        left = rng.randint(self._ends[self.synced_events], len(data))
        self.lost += len(data) - left
        del data[left:]

    def corrupt(self, rng: Random) -> None:
        """One bit of a whole line turns over."""
        data = self.data
        whole = data.rfind(b"\n")
        if whole > 0:
            data[rng.randrange(whole)] ^= 1 << rng.randrange(7)


class DiskJournal(MemoryJournal):
    """The journal of one process, on a disk.

    Args:
        clock: the account's time.
        appended: called after every append, before the event has any consequence.

    Raises:
        ManualActionRequiredError: what is on the disk is damaged.
    """

    def __init__(self, disk: Disk, clock: VirtualClock, appended: Callable[[], None]) -> None:
        super().__init__(bytes(disk.data))  # without a torn tail
        disk.load(self.events, self.data)
        self._disk = disk
        self._clock = clock
        self._appended = appended

    def append(self, event: JournalEvent) -> int:
        """Takes one event; an observation is synced with the next that is none."""
        disk = self._disk
        if disk.holds is not None and len(self.events) >= disk.holds:
            disk.broken = "no space left"
        if disk.broken:
            raise JournalError(disk.broken)
        self.events.append(event)
        self._write()
        self._appended()
        return len(self.events)

    async def durable(self, seq: int) -> None:
        """Waits for as long as the disk stalls."""
        while self._disk.synced_events < seq:
            await self._clock.sleep(max(self._disk.stalls_until - self._clock.true(), 0.001))
            self._write()

    def _write(self) -> None:
        """Writes what was appended, unless the disk stalls: it is lost then if the process dies."""
        disk = self._disk
        if self._clock.true() < disk.stalls_until:
            return
        for event in self.events[disk.written_events :]:
            disk.written_events += 1
            if not isinstance(event, Observation):
                disk.synced_events = disk.written_events
