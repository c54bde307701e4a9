"""What every experiment of a measurement does: write, begin an operation, and watch it.

Times are AWS's: a record is seen by reads whose time is this machine's, corrected by how far the
two clocks are apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import ApiError, ThrottledError
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import StackPhase, kind_of
from route53_takeover.core.measuring.records import template
from route53_takeover.runtime.measuring.patience import AGAIN, PATIENCE, TRANSIENT, patiently

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from route53_takeover.core.domain.record_sets import Change, RecordKey, RecordSet
    from route53_takeover.core.domain.stacks import StackEvent
    from route53_takeover.core.measuring.ports import MeasuringAws
    from route53_takeover.core.measuring.scope import Scope
    from route53_takeover.core.ports import Clock, Stacks
    from route53_takeover.runtime.measuring.guarded import GuardedRecords, ThrowAwayStack

PACE = 0.25
"""Seconds between two reads while a try is awaited: Route 53 gives an account five calls a second.
"""
CALM = 1.0
"""The same while nothing is timed."""
_FAR_APART = 0.5
_SAME_CLOCK = 1.0
"""Seconds of difference below which the clocks count as one: times of AWS may be cut to seconds."""
_OPERATION = 1800.0
"""Seconds that an operation of the stack may take."""


class Bench:
    """What a measurement works with.

    Attributes:
        ahead: by how many seconds AWS's clock is ahead of this machine's.
    """

    def __init__(
        self,
        *,
        scope: Scope,
        records: GuardedRecords,
        stack: ThrowAwayStack,
        stacks: Stacks,
        aws: MeasuringAws,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self.scope = scope
        self.records = records
        self.stack = stack
        self.stacks = stacks
        self.aws = aws
        self.clock = clock
        self.tell = tell
        self.ahead = 0.0

    def now(self) -> float:
        """AWS's time."""
        return self.clock.now() + self.ahead

    async def write(self, changes: Sequence[Change]) -> str:
        """Sends a batch until its fate is known; returns the change id, empty where that is lost.

        What was sent is read before it is sent again: throw-away records have no other writer.
        """
        until = self.clock.now() + PATIENCE
        while True:
            try:
                return await self.records.change(
                    self.scope.zone_id, changes, f"route53-takeover {self.scope.run}"
                )
            except TRANSIENT as error:
                if self.clock.now() >= until:
                    raise
                await self.clock.sleep(AGAIN / 2)
                if not isinstance(error, ThrottledError) and await self._is_applied(changes):
                    return ""

    async def _is_applied(self, changes: Sequence[Change]) -> bool:
        there = await self.standing()
        return all(
            record.same_as(there.get(record.key)) == (change.action == "CREATE")
            for change in changes
            for record in (change.record,)
        )

    async def standing(self) -> dict[RecordKey, RecordSet]:
        """Every record set below the throw-away label."""
        return (await self.standing_at())[0]

    async def standing_at(self) -> tuple[dict[RecordKey, RecordSet], float, float]:
        """The same, and the times between which that was so."""
        return await patiently(self.clock, self._read)

    async def _read(self) -> tuple[dict[RecordKey, RecordSet], float, float]:
        sent = self.now()
        found = await self.records.read_from(self.scope.zone_id, self.scope.suffix)
        there = {record.key: record for record in found if self.scope.covers(record.name)}
        return there, sent, self.now()

    async def compare_clocks(self, change_id: str, sent: float, answered: float) -> None:
        """Takes how far the clocks are apart from when Route 53 accepted a change of ours."""
        if change_id:
            accepted = await patiently(self.clock, lambda: self.aws.submitted_at(change_id))
            ahead = accepted - (sent + answered) / 2
            certain = abs(ahead) - (answered - sent) / 2
            self.ahead = ahead if certain >= _SAME_CLOCK else 0.0

    async def begin(self, wanted: Mapping[str, RecordSet], *, fails: bool = False) -> Operation:
        """Updates the stack so that it creates these records, by logical id."""
        newest = await patiently(self.clock, lambda: self.stacks.newest_event(self.stack.stack_id))
        operation = Operation(self, wanted, after=newest.event_id if newest else None)
        await self.stack.update(template(self.scope, wanted, fails=fails))
        return operation

    async def await_rest(self) -> str:
        """Waits until the stack does nothing any more; returns its status."""
        until = self.clock.now() + _OPERATION
        while True:
            status = (await self.stack.find()).status
            if not status.endswith("_IN_PROGRESS"):
                return status
            if self.clock.now() >= until:
                raise ApiError(f"the throw-away stack stays {status}")
            await self.clock.sleep(CALM)


class Watched:
    """One resource of an operation, as its events and the reads of its name show it.

    Attributes:
        started: when its CREATE_IN_PROGRESS was.
        told: when an event said that it exists.
        failed: when it failed; ``cancelled``: only because another did.
        standing: what stands at its name.
        appeared: when the record came back after it was absent, and how certain that is.
    """

    def __init__(self, wanted: RecordSet) -> None:
        self.wanted = wanted
        self.started: float | None = None
        self.told: float | None = None
        self.completed: float | None = None
        self.failed: float | None = None
        self.cancelled = False
        self.reason = ""
        self.standing: RecordSet | None = None
        self.absent_at: float | None = None
        self.appeared: tuple[float, float] | None = None

    def take(self, event: StackEvent) -> None:
        """Takes in one of its events."""
        match event.status:
            case "CREATE_IN_PROGRESS" if self.started is None:
                self.started = event.timestamp
            case "CREATE_FAILED":
                self.failed, self.reason = event.timestamp, event.reason
                self.cancelled = "cancelled" in event.reason.lower()
            case "CREATE_COMPLETE":
                self.completed = event.timestamp
            case _:
                pass
        if event.physical_id and self.told is None and event.status != "CREATE_FAILED":
            self.told = event.timestamp

    def saw(self, record: RecordSet | None, sent: float, answered: float) -> None:
        """Takes in what a read showed at some time between these two."""
        if record is None:
            self.absent_at = sent
        elif self.absent_at is not None and self.appeared is None:
            middle, width = (self.absent_at + answered) / 2, answered - self.absent_at
            self.appeared = (middle, width / 2)
        self.standing = record

    def created(self) -> tuple[float, float] | None:
        """When the record came back, and how certain that is.

        By the reads around it; by the event where those are far apart and it lies between them.
        """
        if self.appeared is None:
            return None if self.told is None else (self.told, PACE)
        time, uncertain = self.appeared
        if uncertain > _FAR_APART and self.told and abs(self.told - time) <= uncertain:
            return self.told, uncertain
        return self.appeared

    def since_start(self, time: float | None) -> float | None:
        """Seconds from its start until then."""
        if time is None or self.started is None:
            return None
        return round(max(time - self.started, 0.0), 2)


class Operation:
    """One update of the throw-away stack while it is watched.

    Attributes:
        of: what it creates, by logical id.
        ended: the stack is at rest again.
        seen_after: how late the start of a create was seen at most.
    """

    def __init__(self, bench: Bench, wanted: Mapping[str, RecordSet], *, after: str | None) -> None:
        self.of = {name: Watched(record) for name, record in wanted.items()}
        self.began = bench.now()
        self.ended = False
        self.seen_after = 0.0
        self._bench = bench
        self._after = after
        self._known: set[str] = set()

    async def look(self) -> None:
        """Reads the events, and the records below the label, each once."""
        bench = self._bench
        standing, sent, answered = await bench.standing_at()
        for watched in self.of.values():
            watched.saw(standing.get(watched.wanted.key), sent, answered)
        events = await patiently(
            bench.clock,
            lambda: bench.stacks.events(
                bench.stack.stack_id, self._known, after=self._after, urgent=True
            ),
        )
        for event in events:
            self._known.add(event.event_id)
            if event.is_of_stack:
                self.ended = not event.status.endswith("_IN_PROGRESS")
            elif event.logical_id in self.of:
                if self.of[event.logical_id].started is None:
                    late = round(bench.now() - event.timestamp, 2)
                    self.seen_after = max(self.seen_after, late)
                self.of[event.logical_id].take(event)
        if bench.now() - self.began > _OPERATION:
            raise ApiError("the throw-away stack does not come to rest")

    async def until_rest(self) -> None:
        """Watches until the operation has ended."""
        while not self.ended:
            await self.look()
            await self._bench.clock.sleep(CALM)

    @property
    def turned_back(self) -> bool:
        """Whether something of it failed."""
        return any(watched.failed is not None for watched in self.of.values())


def at_rest(status: str) -> bool:
    """Whether the stack can be updated once more."""
    return kind_of(status) in (StackPhase.SUCCEEDED, StackPhase.ROLLED_BACK)


def same_name(one: str, other: str) -> bool:
    return normal_name(one) == normal_name(other)
