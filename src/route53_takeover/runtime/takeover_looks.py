"""How a takeover looks at what it polls: stack events, names, name servers (`takeover.polling`).

A look reports what it sees, or that it could not look, as an event; it decides nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import structlog

from route53_takeover.base.errors import one_line
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.polling import (
    Connection,
    NameRecords,
    NameServers,
    StackEvents,
)
from route53_takeover.core.takeover.release_gate import is_release_near
from route53_takeover.runtime.name_reading import NameReads
from route53_takeover.runtime.pollers import Look
from route53_takeover.runtime.protection_reading import ProtectionWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.machine import Poll
    from route53_takeover.core.ports import Clock, DnsAnswer, Prober, Records, Stacks
    from route53_takeover.core.takeover.polling import Target
    from route53_takeover.core.takeover.state import State

_log = structlog.get_logger(__name__)

_VALUES_TOLD, _VALUES_WITHIN = 8, 240.0
"""How often, and in how many seconds, it is told that only the values differ: the addresses behind
an alias come and go by themselves, and a journal must not grow by that."""

Seen: TypeAlias = Look[ev.AnyEvent]


class _Told(NamedTuple):
    """The answers of all name servers that were told last, and the event that told them."""

    answers: Sequence[DnsAnswer]
    event: ev.NamesAnswered


class TakeoverLooks:
    """Looks at what a poll names.

    Args:
        prober: asks the name servers; ``None``: nothing does.
        failures: what of a port counts as a call that failed.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        records: Records,
        stacks: Stacks,
        prober: Prober | None,
        failures: type[Exception],
    ) -> None:
        self._clock = clock
        self._records = records
        self._stacks = stacks
        self._prober = prober
        self._failures = failures
        self._reads = NameReads(clock, records)
        self._protections = ProtectionWatch(clock, records, failures)
        self._known: dict[StackEvents, set[str]] = {}
        self._reading: set[str] = set()
        self._probing = asyncio.Lock()
        self._told: dict[NameServers, _Told] = {}
        self._value_changes: dict[NameServers, deque[float]] = {}

    async def look(self, poll: Poll[Target], state: State) -> Seen:
        """Looks once."""
        match poll.target:
            case StackEvents():
                return await self._stack_events(poll.target, urgent=poll.urgent)
            case NameRecords():
                return Look(await self.read_name(state, poll.target.name))
            case NameServers():
                return await self._name_servers(poll.target)
            case Connection():
                return await self._connection()

    async def _stack_events(self, target: StackEvents, *, urgent: bool) -> Seen:
        known = self._known.setdefault(target, set())
        began = self._clock.now()
        try:
            events = await self._stacks.events(
                target.stack, known, after=target.after, urgent=urgent
            )
        except self._failures as error:
            unpolled = ev.StackUnpolled(
                time=self._clock.now(), stack=target.stack, reason=one_line(error)
            )
            return Look(unpolled, failed=True)
        known.update(event.event_id for event in events)
        polled = ev.StackPolled(
            time=self._clock.now(), stack=target.stack, began=began, events=tuple(events)
        )
        return Look(polled, is_news=bool(events))

    async def read_name(self, state: State, name: str) -> ev.NameRead | ev.NameUnread | None:
        """Reads what stands at a name; ``None`` where a read of it is under way, which tells it."""
        if name in self._reading:
            return None
        self._reading.add(name)
        zone_id = state.plan.zone_id
        protected: tuple[str, ...] = ()
        try:
            if is_release_near(state, name):
                protected = await self._protections.types_at(state.plan, name)
            read = await self._reads.read(zone_id, name, among=len(state.names))
        except self._failures as error:
            return ev.NameUnread(time=self._clock.now(), name=name, reason=one_line(error))
        finally:
            self._reading.discard(name)
        return ev.NameRead(
            time=self._clock.now(),
            name=name,
            began=read.began,
            records=tuple(read.records),
            protected=protected,
        )

    async def _connection(self) -> Seen:
        try:
            await self._records.warm()
        except self._failures as error:
            _log.info("warm.failed", reason=one_line(error))
            return Look(None, failed=True)
        return Look(None)

    async def _name_servers(self, target: NameServers) -> Seen:
        if self._prober is None:
            return Look(None)
        async with self._probing:  # one question after the other: many at once delay a release
            answers = await self._prober.probe(target.name, target.type)
        told = self._told.get(target)
        if told is not None and answers == told.answers:
            return Look(None)
        answered = ev.NamesAnswered(
            time=self._clock.now(),
            name=target.name,
            type=target.type,
            statuses={answer.server: answer.status for answer in answers},
            values={
                answer.server: tuple(sorted(answer.values))
                for answer in answers
                if answer.status == "answer" and answer.values
            },
        )
        if told is not None and not self._is_news(target, answered, told.event):
            return Look(None)
        self._told[target] = _Told(answers, answered)
        return Look(answered)

    def _is_news(
        self, target: NameServers, answered: ev.NamesAnswered, told: ev.NamesAnswered
    ) -> bool:
        """Whether it differs from what was told last, and not too often by the values alone."""
        if answered.statuses != told.statuses:
            return True
        if answered.values == told.values:
            return False
        times = self._value_changes.setdefault(target, deque(maxlen=_VALUES_TOLD))
        if len(times) == _VALUES_TOLD and answered.time < times[0] + _VALUES_WITHIN:
            return False
        times.append(answered.time)
        return True
