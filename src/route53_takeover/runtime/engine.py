"""The engine: the one owner of a run's state. It takes events in, one at a time.

For each event: hand it to the journal, let the machine decide, carry the commands out. The intent
of a write is durable before its first byte leaves, and refused if an invariant forbids it; how long
it waits for a disk that stalls, the machine says. Whatever answers a command comes back as an event
through the queue; nothing but `Engine._take` touches the state.

What the engine hosts is supervised: an exception there is logged, and the run goes on.

The engine knows neither AWS nor files nor the wall clock nor what its machine is for
(`route53_takeover.core.machine`): all of that is handed to it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import structlog
from msgspec.structs import replace

from route53_takeover.base.errors import ManualActionRequiredError
from route53_takeover.core.events import Interrupted, JournalFailed, TimePassed
from route53_takeover.core.machine import C, E, S, T, Wait
from route53_takeover.core.projection import Projection
from route53_takeover.runtime.pollers import Pollers
from route53_takeover.runtime.wakeup import Wakeup
from route53_takeover.storage.journal import JournalError

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence

    from route53_takeover.core.machine import Machine, Poll
    from route53_takeover.core.ports import Clock
    from route53_takeover.runtime.pollers import Look
    from route53_takeover.storage.journal import Journal

F = TypeVar("F", bound="TimePassed | Interrupted | JournalFailed")
_log = structlog.get_logger(__name__)

_AT_ONCE = 50
"""Events after which the polls follow, however many more have come."""
_BEGINNING = 2.0
"""Seconds that the first event of a process waits to be durable: the name may be empty."""


class Engine(Generic[S, E, C, T]):
    """Runs one machine to its end.

    Args:
        machine: decides.
        carry_out: carries a command out in the state as it is, and submits what came of it.
        look: looks at what a poll names.
        rng: for jitter.
        observer: told of every event and the state after it; must return at once and never raise.
        strict: what is a defect raises, as tests and rehearsals want it. In production it is
            logged and ignored: a name may be without its record, and the run must go on.
    """

    def __init__(
        self,
        *,
        machine: Machine[S, E, C, T],
        carry_out: Callable[[C, S, Callable[[E], None]], Coroutine[None, None, None]],
        look: Callable[[Poll[T], S], Awaitable[Look[E]]],
        clock: Clock,
        journal: Journal[E],
        rng: random.Random,
        observer: Callable[[E, S, int], None],
        strict: bool = False,
    ) -> None:
        self._machine = machine
        self._carry_out = carry_out
        self._strict = strict
        self._clock = clock
        self._journal = journal
        self._journal_works = True
        self._journal_error = ""
        self._observer = observer
        self._queue: deque[E] = deque()
        self._wakeup = Wakeup()
        self._projection: Projection[S, E, C] = Projection(machine.step, self._rejected)
        self._seq = 0
        self._sent: set[str] = set()
        self._tasks: asyncio.TaskGroup
        self._under_way: set[asyncio.Task[None]] = set()
        self._blind = False  # the observer has failed; said once
        self._polls: tuple[Poll[T], ...] = ()
        self._unfollowed: list[E] = []
        self._pollers: Pollers[E, T] = Pollers(
            clock=clock,
            look=lambda poll: look(poll, self._known),
            submit=self.submit,
            rng=rng,
            strict=strict,
        )

    @property
    def seq(self) -> int:
        """Sequence number of the newest event."""
        return self._seq

    def submit(self, event: E) -> None:
        """Puts an event in the queue."""
        self._queue.append(event)
        self._wakeup.wake()

    def interrupt(self, signal: str) -> None:
        """Tells the run that it is asked to stop."""
        self.submit(self._of_any_run(Interrupted(time=self._clock.now(), signal=signal)))

    async def run(self, first: E, history: Sequence[E], known: S | None = None) -> S:
        """Runs until the machine says that it has ended.

        Args:
            first: how the run begins or goes on.
            history: the events of the journal so far; empty for a new run.
            known: the state that they come to, where they are folded already.

        Returns:
            The last state.
        """
        self._projection.state = known
        for event in history if known is None else ():
            self._projection.take(event)
        self._seq = len(history)
        self._sent = {write for event in history if (write := self._machine.intended_write(event))}
        if history:
            self._clock.go_on_from(max(event.time for event in history))
            first = replace(first, time=max(first.time, self._clock.now()))
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._pollers.start(tasks)
                self._spawn(self._await_broken_journal())
                state = await self._begin(first)
                while not self._machine.has_ended(state):
                    state = self._take(await self._next(state))
                self._pollers.stop()
                for task in self._under_way:
                    task.cancel()
        except BaseExceptionGroup as group:
            raise _first_of(group) from group
        return state

    async def _begin(self, first: E) -> S:
        """Takes the first event in, once it is durable: who looks on finds the run by it."""
        self._append(first)
        await self._is_kept(self._seq, _BEGINNING)
        commands = [*self._fold(first)]
        if not self._journal_works:
            commands += self._fold(self._lost(first.time))
        self._carry_out_all(commands)
        return self._follow(first)

    async def _await_broken_journal(self) -> None:
        reason = await self._journal.broken()
        if self._journal_works:
            self._lose_journal(reason)
            self.submit(self._lost(self._clock.now()))

    async def _next(self, state: S) -> E:
        if self._queue:
            return self._queue.popleft()
        while True:
            now = self._clock.now()
            if state.wake_at is not None and now >= state.wake_at:
                return self._of_any_run(TimePassed(time=now))
            wait = None if state.wake_at is None else state.wake_at - now
            if wait is not None:
                wait = min(wait, self._clock.longest_wait) / self._clock.speed
            if self._queue or not await self._wakeup.sleep(wait):
                return self._queue.popleft()
            self._pollers.catch_up()

    def _take(self, event: E) -> S:
        """Takes one event in, and carries out what follows from it."""
        self._carry_out_all(self._take_in(event))
        return self._follow(event)

    def _take_in(self, event: E) -> list[C]:
        """Journals and folds an event: the only way by which the state changes."""
        worked, is_first = self._journal_works, self._projection.state is None
        self._append(event)
        if self._journal_works or not worked:
            return [*self._fold(event)]
        lost = self._lost(event.time)
        # Nothing may follow from an event that is not durable but what a broken journal allows.
        first, then = (event, lost) if is_first else (lost, event)
        return [*self._fold(first), *self._fold(then)]

    def _follow(self, event: E) -> S:
        """Works the polls out anew, once for all events that came at the same time."""
        self._unfollowed.append(event)
        if self._queue and len(self._unfollowed) < _AT_ONCE:
            return self._known
        folded, self._unfollowed = self._unfollowed, []
        try:
            self._polls = self._machine.polls(self._known)
        except Exception:  # a defect of ours must not end a rescue: the polls stay as they were
            if self._strict:
                raise
            _log.exception("polls.failed", type=type(event).__name__, seq=self._seq)
        self._pollers.follow(self._polls, folded)
        return self._known

    def _fold(self, event: E) -> tuple[C, ...]:
        commands = self._projection.apply(event)
        try:
            self._observer(event, self._known, self._seq)
        except Exception:  # an observer must not end a restore
            if self._strict:
                raise
            if not self._blind:
                _log.exception("observer.failed", type=type(event).__name__, seq=self._seq)
            self._blind = True
        return commands

    def _rejected(self, event: E, error: Exception) -> None:
        """A defect of ours must not end a rescue; the state is as it was."""
        if self._strict:
            raise error
        _log.error("event.ignored", type=type(event).__name__, seq=self._seq, exc_info=error)

    # -- the journal

    def _append(self, event: E) -> None:
        if self._journal_works:
            try:
                self._seq = self._journal.append(event)
            except JournalError as error:
                self._lose_journal(str(error))
            else:
                return
        self._seq += 1

    def _lose_journal(self, reason: str) -> None:
        self._journal_works = False
        self._journal_error = reason
        _log.error("journal.broken", reason=reason)

    def _lost(self, time: float) -> E:
        return self._of_any_run(JournalFailed(time=time, reason=self._journal_error))

    async def _is_kept(self, seq: int, patience: float | None) -> bool:
        """Whether an event becomes durable within so many seconds."""
        if not self._journal_works:
            return False
        try:
            async with asyncio.timeout(patience and patience / self._clock.speed):
                await self._journal.durable(seq)
        except (JournalError, TimeoutError):
            return False
        return True

    # -- commands

    def _carry_out_all(self, following: Iterable[C]) -> None:
        """Carries commands out, their intents taken in before anything else."""
        commands = deque(following)
        while commands:
            command = commands.popleft()
            state, now = self._known, self._clock.now()
            refusal = self._machine.forbids(state, command, self._sent, now)
            if refusal is not None:
                _log.error("command.forbidden", command=repr(command), why=repr(refusal))
                self.submit(refusal)
                continue
            intent = self._machine.intent(command, now)
            if intent is None:
                self._spawn(self._carry_out(command, state, self.submit))
                continue
            if write := self._machine.intended_write(intent):
                self._sent.add(write)
            commands.extendleft(reversed(self._take_in(intent)))
            self._spawn(self._carry_out_once_kept(command, self._seq, state.now))

    async def _carry_out_once_kept(self, command: C, intent: int, decided: float) -> None:
        """Carries a command out once its intent is durable, if it is still to be carried out then.

        Args:
            intent: the intent's sequence number.
            decided: the time of what the command was decided on.
        """
        is_durable = await self._is_kept(intent, self._machine.disk_patience(command))
        wait = Wait(
            is_durable=is_durable,
            journal_works=self._journal_works,
            decided=decided,
            now=self._clock.now(),
        )
        held_off = self._machine.held_off(self._known, command, wait)
        if held_off is None:
            await self._carry_out(command, self._known, self.submit)
        else:
            self.submit(held_off)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    @property
    def _known(self) -> S:
        if self._projection.state is None:
            raise ManualActionRequiredError("the run has not started")
        return self._projection.state

    @staticmethod
    def _of_any_run(event: F) -> E:
        """Every machine's events include those of `route53_takeover.core.events`."""
        return cast("E", event)


def _first_of(group: BaseExceptionGroup) -> BaseException:
    """The first real error of a group: task groups wrap even a single one."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
