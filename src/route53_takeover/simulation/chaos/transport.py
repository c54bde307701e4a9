"""The way from a simulated process to the simulated account: its clock, and the faults of calls.

Each call takes some time, during which the process may be killed: before the change is applied or
after it. Faults are drawn from a seeded source, harsher than production, and counted by kind.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Generic, NamedTuple, NoReturn, Protocol, TypeVar

from msgspec import Struct

from route53_takeover.adapters.rate_limit import CallBudget, budgets
from route53_takeover.base.errors import (
    ApiError,
    EndpointError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.simulation.aws.route53.zones import ZoneError
from route53_takeover.simulation.chaos.arrivals import Arrival
from route53_takeover.simulation.chaos.way import Way

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from random import Random

    from route53_takeover.core.domain.record_sets import Change
    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.aws.route53.zones import AppliedChange
    from route53_takeover.simulation.aws.timeline import Schedule

_Found = TypeVar("_Found")
_World = TypeVar("_World", bound="HasTimeline")

CHANGE = "route53:ChangeResourceRecordSets"
TAKEOVER = "takeover"
"""Who writes in the account's history where it is the run that is judged."""
ANOTHER = "another run"
"""The same where it is another machine's run on the same name."""


class VirtualClock:
    """A process's clock on the event loop's own time, which in a virtual loop only jumps.

    Attributes:
        skew: by how many seconds the process is ahead of the account.
    """

    speed = 1.0
    longest_wait = inf

    def __init__(self, start: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._offset = start - self._loop.time()
        self.skew = 0.0

    def now(self) -> float:
        """Seconds since the epoch, as the process has it."""
        return self._offset + self._loop.time() + self.skew

    def true(self) -> float:
        """Seconds since the epoch, as the account has it."""
        return self._offset + self._loop.time()

    def go_on_from(self, time: float) -> None:
        """Never returns an earlier time than ``time`` from now on."""
        self.skew += max(0.0, time - self.now())

    async def sleep(self, seconds: float) -> None:
        """Lets so much virtual time pass."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        over = self._loop.create_future()
        timer = self._loop.call_later(seconds, _end, over)
        try:
            await over
        finally:
            timer.cancel()

    async def every(self, seconds: float, look: Callable[[], _Found | None]) -> _Found:
        """Looks now and after every so many seconds, until that finds something.

        No task wakes up for a look, so that a long wait costs little.
        """
        if (result := look()) is not None:
            return result
        found: asyncio.Future[_Found] = self._loop.create_future()
        timer: asyncio.TimerHandle

        def tick() -> None:
            try:
                result = look()
            except BaseException as error:  # noqa: BLE001 -- it is raised where it is awaited
                if not found.done():
                    found.set_exception(error)
                return
            if found.done():
                return
            if result is None:
                self._loop.call_soon(again)  # in its turn, as a task that woke up for it
            else:
                found.set_result(result)

        def again() -> None:
            nonlocal timer
            if not found.done():
                timer = self._loop.call_later(seconds, tick)

        timer = self._loop.call_later(seconds, tick)
        try:
            return await found
        finally:
            timer.cancel()


def _end(sleep: asyncio.Future[None]) -> None:
    if not sleep.done():
        sleep.set_result(None)


class FaultRates(Struct, frozen=True, kw_only=True):
    """How often a call goes wrong, each from 0 to 1.

    Attributes:
        throttled: refused for now, nothing applied.
        lost_request: the connection broke before anything was applied.
        lost_answer: applied, but the answer never came.
        unconnected: no connection could be made; nothing was sent.
        outlives: a batch on its way when its process dies arrives all the same.
    """

    throttled: float = 0.0
    lost_request: float = 0.0
    lost_answer: float = 0.0
    unconnected: float = 0.0
    outlives: float = 0.0


class Storm(Struct, frozen=True, kw_only=True):
    """For a while all calls of some kind fail in one way.

    Attributes:
        until: the account's time at which it ends.
        only: a part of the operations' names; empty for all.
        error: made from the operation's name.
        deaf: the request is carried out, and only its answer is lost.
    """

    until: float
    only: str
    error: Callable[[str], ApiError]
    deaf: bool = False


class ReceivedRequest(NamedTuple):
    """A call that the account carried out: when it was asked for, and when it arrived."""

    asked: float
    arrived: float
    operation: str


class HasTimeline(Protocol):
    """An account that is on the way's far end."""

    @property
    def timeline(self) -> Schedule:
        """Its time."""


class Calls(Way, Generic[_World]):
    """The way to an account and back: takes time, and goes wrong at the given rates.

    Args:
        writes: the operations that change something and wait for no budget.

    Attributes:
        calls: operation -> how often it was called.
        hurt: kind of fault -> how often it struck.
        requests: every call that the account carried out.
        on_call: called for every operation that reaches the account.
        lost: numbers of the writes, counted from 1, whose answer is lost.
        dropped: numbers of the writes that never arrive.
        storms: what goes wrong for a while.
        behind: by how many seconds reads lag behind, where the service's reads can.
        slow: seconds that calls take longer, ``slow_only`` those with this in their names.
    """

    def __init__(
        self,
        world: _World,
        clock: VirtualClock,
        rng: Random,
        rates: FaultRates,
        *,
        writes: AbstractSet[str],
    ) -> None:
        self._world = world
        self._clock = clock
        self._rng = rng
        self._rates = rates
        self._writes = writes
        self.calls: dict[str, int] = {}
        self.hurt: Counter[str] = Counter()
        self.requests: list[ReceivedRequest] = []
        self.on_call: Callable[[str], None] = lambda _: None
        self.lost: frozenset[int] = frozenset()
        self.dropped: frozenset[int] = frozenset()
        self.storms: list[Storm] = []
        self.behind = 0.0
        self.slow = 0.0
        self.slow_only = ""
        self._budgets = budgets(clock)
        self._regional: dict[str, CallBudget] = {}

    async def there(self, operation: str, *, urgent: bool = False, region: str = "") -> _World:
        """The request arrives, or it does not; a read waits for its turn first, as a real one.

        Args:
            region: where, if not at home: each has a budget of its own.
        """
        asked = self._clock.true()
        if operation not in self._writes:
            budget = self._budgets[operation[: operation.index(":")]]
            if region:
                ours = CallBudget(self._clock, rate=5, burst=10)
                budget = self._regional.setdefault(region, ours)
            await budget.take(urgent=urgent)
        self.calls[operation] = self.calls.get(operation, 0) + 1
        late = self.slow if self.slow_only in operation else 0.0
        await self._clock.sleep(self._rng.uniform(0.005, 0.03) + late)
        self._world.timeline.advance(self._clock.true())
        self.on_call(operation)
        self._storm(operation, deaf=False)
        if operation in self._writes and self._written in self.dropped:
            await self._lose(operation, "request lost")
        luck = self._rng.random() - self._rates.throttled
        if luck < 0:
            self.hurt["throttled"] += 1
            raise ThrottledError("Rate exceeded", code="Throttling", operation=operation)
        luck -= self._rates.lost_request
        if luck < 0:
            await self._lose(operation, "request lost")
        if luck < self._rates.unconnected:
            self.hurt["no connection"] += 1
            raise EndpointError("could not connect", operation=operation)
        self.requests.append(ReceivedRequest(asked, self._clock.true(), operation))
        return self._world

    async def back(self, operation: str) -> None:
        """The answer comes, or it does not."""
        await self._clock.sleep(self._rng.uniform(0.005, 0.03))
        self._storm(operation, deaf=True)
        scripted = operation in self._writes and self._written in self.lost
        if self._rng.random() < self._rates.lost_answer or scripted:
            await self._lose(operation, "answer lost")

    def outlives(self, arrive: Callable[[], object]) -> None:
        """A write's sender gives up while it is on its way: it may arrive all the same."""
        if self._rng.random() < self._rates.outlives:
            self._world.timeline.after(self._rng.uniform(0.0, 0.3), arrive)

    @property
    def _written(self) -> int:
        """The number of the newest write."""
        return sum(self.calls.get(operation, 0) for operation in self._writes)

    def _storm(self, operation: str, *, deaf: bool) -> None:
        if not self.storms:
            return
        now = self._clock.true()
        self.storms = [storm for storm in self.storms if now < storm.until]
        for storm in self.storms:
            if storm.only in operation and storm.deaf is deaf:
                error = storm.error(operation)
                self.hurt[f"storm of {error.code or type(error).__name__}"] += 1
                raise error

    async def _lose(self, operation: str, what: str) -> NoReturn:
        """No server answers: the connection is reset, or the caller gives up after a while."""
        self.hurt[what] += 1
        await self._clock.sleep(self._rng.choice((0.05, 2.0, 2.0, 10.0)))
        raise UnansweredError("the connection was closed", operation=operation)


class Transport(Calls["SimulatedAccount"]):
    """The way to the account of a takeover.

    Attributes:
        by: who calls, for the account's history.
        arrivals: every batch that reached Route 53.
        on_arrival: called for each.
        page: how many events a page holds.
        mute: how often an event of a record set comes without its properties.
        pending_until: until when no change is reported INSYNC.
    """

    def __init__(
        self,
        world: SimulatedAccount,
        clock: VirtualClock,
        rng: Random,
        rates: FaultRates,
        *,
        by: str = TAKEOVER,
    ) -> None:
        super().__init__(world, clock, rng, rates, writes=frozenset({CHANGE}))
        self.by = by
        self.arrivals: list[Arrival] = []
        self.on_arrival: Callable[[Arrival], None] = lambda _: None
        self.page = 100
        self.mute = 0.0
        self.pending_until = 0.0

    def is_mute(self) -> bool:
        """Whether this event comes without its properties."""
        return bool(self.mute) and self._rng.random() < self.mute

    async def change(self, zone_id: str, changes: Sequence[Change], comment: str) -> str:
        """A batch on its way to Route 53; it may arrive though its process dies meanwhile.

        Raises:
            ZoneError: Route 53 refuses it.
            ApiError: the way there, or back, went wrong.
        """
        sent = self._clock.true()
        try:
            await self.there(CHANGE)
        except asyncio.CancelledError:
            self.outlives(lambda: self._orphan(zone_id, changes, comment, sent))
            raise
        change_id = self._arrive(zone_id, changes, comment, sent)
        await self.back(CHANGE)
        return change_id

    def _orphan(self, zone_id: str, changes: Sequence[Change], comment: str, sent: float) -> None:
        try:
            self._arrive(zone_id, changes, comment, sent, orphaned=True)
        except ZoneError:
            return  # no caller is left
        self.hurt["arrived after its sender's death"] += 1

    def _arrive(
        self,
        zone_id: str,
        changes: Sequence[Change],
        comment: str,
        sent: float,
        *,
        orphaned: bool = False,
    ) -> str:
        refused, change_id = "", ""
        # The proof of a restore deletes and creates the same in one batch: it changes nothing.
        again = [c.record for c in changes if c.action == "CREATE"]
        lost = [c for c in changes if c.action == "DELETE" and c.record not in again]
        hit = next((h for c in lost if (h := self._theirs(c))), None)
        try:
            change_id = self._world.zones.change(
                zone_id, [(c.action, c.record) for c in changes], by=self.by, comment=comment
            )
        except ZoneError as error:
            refused = error.code
            raise
        finally:
            arrival = Arrival(
                time=self._world.timeline.now,
                by=self.by,
                comment=comment,
                changes=tuple(changes),
                sent=sent,
                refused=refused,
                orphaned=orphaned,
                hit=hit,
            )
            self.arrivals.append(arrival)
            self.on_arrival(arrival)
        return change_id

    def _theirs(self, change: Change) -> AppliedChange | None:
        """What CloudFormation wrote last of this record set, where a stack owns it."""
        key = change.record.key
        last = next(
            applied
            for applied in reversed(self._world.history)
            if any(record.key == key for _, record in applied.changes)
        )
        stacks, zone_id = self._world.stacks, self._world.zone.zone_id
        is_theirs = last.by == "cloudformation" and stacks.works_on(zone_id, key.name)
        return last if is_theirs else None
