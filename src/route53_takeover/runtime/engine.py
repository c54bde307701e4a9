"""The engine: the one owner of a run's state. It takes events in, one at a time, and does the rest.

For each event: hand it to the journal, let the machine decide, carry the commands out. A write's
intent is durable before its first byte leaves, and refused if an invariant forbids it; only a
restore, which deletes nothing, does not wait for a disk that stalls. Whatever answers a command
comes back as an event through the queue; nothing but `Engine._take` touches the state.

What the engine hosts is supervised: an exception there is logged, and the run goes on.

The engine knows neither AWS nor files nor the wall clock: ports give it those, real or simulated.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING, Protocol

import structlog
from msgspec.structs import replace

from route53_takeover.base.errors import (
    AccessDeniedError,
    ApiError,
    CredentialsError,
    EndpointError,
    ManualActionRequiredError,
    NotFoundError,
    RejectedChangeError,
    ThrottledError,
)
from route53_takeover.core.ports import DeployExit
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.invariants import is_release_due, violations
from route53_takeover.core.takeover.projection import Projection
from route53_takeover.core.takeover.state import Phase
from route53_takeover.core.timing import backoff
from route53_takeover.runtime.pollers import NameWatcher, StackWatcher
from route53_takeover.storage.journal import JournalError

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence

    from route53_takeover.core.ports import Clock, Deployer, Prober, Records, Stacks
    from route53_takeover.core.takeover.state import State
    from route53_takeover.storage.journal import Journal

_log = structlog.get_logger(__name__)

_STEP_AT_MOST = 1.0
"""Seconds after which the clock is looked at again, come what may: the machine may have slept."""
_INSYNC_EVERY = 2.0
_WARM = 10.0
"""Seconds for which a connection that was used stays open."""
_STALE_DECISION = 3.0
"""Seconds after which a release is not sent any more: a disk may have stalled on its intent."""
_DISK_PATIENCE = {Purpose.RESTORE: 0.5, Purpose.RELEASE: _STALE_DECISION}
_DISK_PATIENCE_ELSE = 10.0
"""Seconds that a write waits for its intent to be durable. A restore goes out without it then; any
other is held off and decided anew."""
_BEGINNING = 2.0
"""The same of the first event of a process: the name may be empty."""
_INSYNC_ASKED = 150
"""How often GetChange is asked: until the machine takes a change as INSYNC without it."""
_NOT_STARTED = DeployExit(code=127, tail="not started: the journal could not be written in time")


class Observer(Protocol):
    """Is told of every event and the state after it; must return at once and never raise."""

    def __call__(self, event: ev.AnyEvent, state: State, seq: int) -> None: ...


class Engine:
    """Runs one takeover to its end.

    Args:
        save_backup: writes backup.json durably from the plan; raises OSError.
        rng: for jitter.
        observer: told of every event.
        strict: what is a defect raises, as tests and rehearsals want it. In production it is
            logged and ignored: a name may be without its record, and the run must go on.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        records: Records,
        stacks: Stacks,
        deployer: Deployer,
        prober: Prober | None,
        save_backup: Callable[[], Awaitable[None]],
        rng: random.Random,
        observer: Observer,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self._failures: type[Exception] = ApiError if strict else Exception
        self._clock = clock
        self._journal = journal
        self._journal_works = True
        self._journal_error = ""
        self._records = records
        self._stacks = stacks
        self._deployer = deployer
        self._prober = prober
        self._save_backup = save_backup
        self._rng = rng
        self._observer = observer
        self._queue: asyncio.Queue[ev.AnyEvent] = asyncio.Queue()
        self._projection = Projection(self._rejected)
        self._seq = 0
        self._sent: set[str] = set()
        self._tasks: asyncio.TaskGroup
        self._under_way: set[asyncio.Task[None]] = set()
        self._warmed = 0.0
        self._blind = False  # the observer has failed; said once
        self._watcher = StackWatcher(
            clock=clock, stacks=stacks, rng=rng, submit=self.submit, failures=self._failures
        )

    @property
    def seq(self) -> int:
        """Sequence number of the newest event."""
        return self._seq

    def submit(self, event: ev.AnyEvent) -> None:
        """Puts an event in the queue."""
        self._queue.put_nowait(event)

    def interrupt(self, signal: str) -> None:
        """Tells the run that it is asked to stop."""
        self.submit(ev.Interrupted(time=self._clock.now(), signal=signal))

    async def run(
        self,
        first: ev.RunStarted | ev.RunResumed,
        history: Sequence[ev.AnyEvent],
        known: State | None = None,
    ) -> State:
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
        self._sent = {event.id for event in history if isinstance(event, ev.WriteIntended)}
        if history:
            self._clock.go_on_from(max(event.time for event in history))
            first = replace(first, time=max(first.time, self._clock.now()))
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._watcher.start(tasks)
                if self._prober is not None:
                    watcher = NameWatcher(
                        clock=self._clock,
                        prober=self._prober,
                        known=lambda: self._known,
                        submit=self.submit,
                    )
                    self._spawn(self._supervised(watcher.watch))
                self._spawn(self._await_broken_journal())
                state = await self._begin(first)
                while state.phase is not Phase.ENDED:
                    state = self._take(await self._next(state))
                self._watcher.stop()
                for task in self._under_way:
                    task.cancel()
        except BaseExceptionGroup as group:
            raise _first_of(group) from group
        return state

    async def _begin(self, first: ev.AnyEvent) -> State:
        """Takes the first event in, once it is durable: who looks on finds the run by it."""
        self._append(first)
        await self._is_kept(self._seq, _BEGINNING)
        commands = [*self._fold(first)]
        if not self._journal_works:
            commands += self._fold(ev.JournalFailed(time=first.time, reason=self._journal_error))
        self._carry_out_all(commands)
        return self._follow(first)

    async def _await_broken_journal(self) -> None:
        reason = await self._journal.broken()
        if self._journal_works:
            self._lose_journal(reason)
            self.submit(ev.JournalFailed(time=self._clock.now(), reason=reason))

    async def _next(self, state: State) -> ev.AnyEvent:
        if not self._queue.empty():
            return self._queue.get_nowait()
        while True:
            now = self._clock.now()
            if state.wake_at is not None and now >= state.wake_at:
                return ev.TimePassed(time=now)
            wait = None if state.wake_at is None else state.wake_at - now
            if wait is not None:
                wait = min(wait, _STEP_AT_MOST) if self._clock.speed == 1.0 else wait
                wait /= self._clock.speed
            try:
                async with asyncio.timeout(wait):
                    return await self._queue.get()
            except TimeoutError:
                continue

    def _take(self, event: ev.AnyEvent) -> State:
        """Takes one event in, and carries out what follows from it."""
        self._carry_out_all(self._take_in(event))
        return self._follow(event)

    def _take_in(self, event: ev.AnyEvent) -> list[cmd.AnyCommand]:
        """Journals and folds an event: the only way by which the state changes."""
        worked, is_first = self._journal_works, self._projection.state is None
        self._append(event)
        if self._journal_works or not worked:
            return [*self._fold(event)]
        lost = ev.JournalFailed(time=event.time, reason=self._journal_error)
        # Nothing may follow from an event that is not durable but what a broken journal allows.
        first, then = (event, lost) if is_first else (lost, event)
        return [*self._fold(first), *self._fold(then)]

    def _follow(self, event: ev.AnyEvent) -> State:
        if self._watcher.follow(self._known) and event.time - self._warmed > _WARM:
            self._warmed = event.time
            self._spawn(self._warm())
        return self._known

    def _fold(self, event: ev.AnyEvent) -> tuple[cmd.AnyCommand, ...]:
        commands = self._projection.apply(event)
        try:
            self._observer(event, self._known, self._seq)
        except Exception:  # whoever only looks on must not end a rescue
            if self._strict:
                raise
            if not self._blind:
                _log.exception("observer.failed", type=type(event).__name__, seq=self._seq)
            self._blind = True
        return commands

    def _rejected(self, event: ev.AnyEvent, error: Exception) -> None:
        """A defect of ours must not end a rescue; the state is as it was."""
        if self._strict:
            raise error
        _log.error("event.ignored", type=type(event).__name__, seq=self._seq, exc_info=error)

    def _append(self, event: ev.AnyEvent) -> None:
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

    def _carry_out_all(self, following: Iterable[cmd.AnyCommand]) -> None:
        """Carries commands out, the intents of writes and deploys taken in before anything else."""
        commands = deque(following)
        while commands:
            command = commands.popleft()
            decided = self._known.now
            if self._is_forbidden(command):
                continue
            if (intent := self._intent(command)) is not None:
                commands.extendleft(reversed(self._take_in(intent)))
            self._carry_out(command, decided)

    def _is_forbidden(self, command: cmd.AnyCommand) -> bool:
        """Whether an invariant keeps a batch from being sent: the machine is told that it is."""
        if not isinstance(command, cmd.WriteBatch):
            return False
        forbidden = violations(self._known, command, frozenset(self._sent))
        if forbidden:
            _log.error("write.forbidden", write=command.id, purpose=command.purpose, why=forbidden)
            self.submit(
                ev.WriteRefused(
                    time=self._clock.now(),
                    id=command.id,
                    name=command.name,
                    code="Forbidden",
                    reason=forbidden[0],
                )
            )
        return bool(forbidden)

    def _intent(self, command: cmd.AnyCommand) -> ev.WriteIntended | ev.DeployIntended | None:
        """What must be in the journal before the command may have an effect."""
        match command:
            case cmd.WriteBatch():
                self._sent.add(command.id)
                return ev.WriteIntended(
                    time=self._clock.now(),
                    id=command.id,
                    name=command.name,
                    purpose=command.purpose,
                    changes=command.changes,
                )
            case cmd.RunDeploy():
                return ev.DeployIntended(time=self._clock.now(), switch=command.switch)
            case _:
                return None

    def _carry_out(self, command: cmd.AnyCommand, decided: float) -> None:
        """Begins to; ``decided`` is the time of what it was decided on."""
        match command:
            case cmd.WriteBatch():
                self._spawn(self._send(command, self._seq, decided))
            case cmd.RunDeploy():
                self._spawn(self._start_deploy(command.switch, self._seq))
            case cmd.RejoinDeploy():
                self._spawn(self._watch_deploy(command.switch, self._deployer.rejoin))
            case cmd.WriteBackup():
                self._spawn(self._write_backup())
            case cmd.ReadName():
                self._spawn(self._read_name(command.name))
            case cmd.AwaitInsync():
                self._spawn(self._await_insync(command))
            case cmd.ReadBaseline():
                self._spawn(self._watcher.read_baseline(joining=command.joining))
            case cmd.DescribeRoot():
                self._spawn(self._watcher.describe_root())
            case cmd.ReadTemplate():
                self._spawn(self._watcher.read_template(command.stack))
            case cmd.ReadResources():
                self._spawn(self._watcher.read_resources(command.stack, urgent=command.urgent))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._tasks.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send(self, write: cmd.WriteBatch, intent: int, decided: float) -> None:
        """Sends the batch once its intent is durable, if it is still to be sent then."""
        patience = _DISK_PATIENCE.get(write.purpose, _DISK_PATIENCE_ELSE)
        is_kept = await self._is_kept(intent, patience)
        goes_without = write.purpose is Purpose.RESTORE or (
            write.purpose is Purpose.UNDO and not self._journal_works
        )
        held_off = ""
        if not is_kept and not goes_without:
            held_off = "the journal could not be written in time"
        elif write.purpose is Purpose.RELEASE:
            if self._clock.now() - decided > _STALE_DECISION:
                held_off = "the decision is too old"
            elif not is_release_due(self._known, write):
                held_off = "the release conditions no longer hold"
        if held_off:
            self.submit(
                ev.WriteHeldOff(
                    time=self._clock.now(), id=write.id, name=write.name, reason=held_off
                )
            )
        else:
            await self._write(write)

    async def _write(self, write: cmd.WriteBatch) -> None:
        """Sends the batch once and says what became of it."""
        plan = self._known.plan
        comment = f"route53-takeover {write.id} {write.purpose}"
        about = {"id": write.id, "name": write.name}
        event: ev.AnyEvent
        try:
            async with asyncio.timeout(write.patience and write.patience / self._clock.speed):
                change_id = await self._records.change(plan.zone_id, write.changes, comment)
        except (ThrottledError, EndpointError, CredentialsError) as error:
            event = ev.WriteHeldOff(time=self._clock.now(), reason=_line(error), **about)
        except (RejectedChangeError, AccessDeniedError, NotFoundError) as error:
            event = ev.WriteRefused(
                time=self._clock.now(), code=error.code, reason=_line(error), **about
            )
        except Exception as error:  # noqa: BLE001 -- whatever it was, it may have been applied
            event = ev.WriteUnknown(time=self._clock.now(), reason=_line(error), **about)
        else:
            event = ev.WriteAccepted(time=self._clock.now(), change_id=change_id, **about)
        self.submit(event)

    async def _read_name(self, name: str) -> None:
        began = self._clock.now()
        event: ev.AnyEvent
        try:
            records = await self._records.read_name(self._known.plan.zone_id, name)
        except self._failures as error:
            event = ev.NameUnread(time=self._clock.now(), name=name, reason=_line(error))
        else:
            event = ev.NameRead(
                time=self._clock.now(), name=name, began=began, records=tuple(records)
            )
        self.submit(event)

    async def _await_insync(self, command: cmd.AwaitInsync) -> None:
        for _ in range(_INSYNC_ASKED):
            try:
                if await self._records.is_insync(command.change_id):
                    now = self._clock.now()
                    self.submit(
                        ev.ChangeInsync(time=now, name=command.name, change_id=command.change_id)
                    )
                    return
            except self._failures as error:
                _log.info("insync.unread", reason=_line(error))
            await self._clock.sleep(_INSYNC_EVERY)

    async def _write_backup(self) -> None:
        try:
            await self._save_backup()
        except OSError as error:
            self.submit(ev.BackupFailed(time=self._clock.now(), reason=str(error)))
        else:
            self.submit(ev.BackupWritten(time=self._clock.now()))

    async def _start_deploy(self, switch: ev.Switch, intent: int) -> None:
        if await self._is_kept(intent, None):
            await self._watch_deploy(switch, self._deployer.run)
        else:
            self._deploy_ended(switch, _NOT_STARTED)

    async def _watch_deploy(
        self, switch: ev.Switch, watch: Callable[[str], Awaitable[DeployExit]]
    ) -> None:
        """Waits for a deploy's end, however often looking at it fails; starts it once at most."""
        for tries in count():
            try:
                self._deploy_ended(switch, await watch(switch))
            except Exception as error:  # noqa: BLE001 -- no failure of the host ends a rescue
                _log.error("deploy.unwatched", switch=switch, reason=_line(error))
                watch = self._deployer.rejoin  # it may have been started
                await self._clock.sleep(backoff(tries + 1, first=0.5, most=5.0))
            else:
                return

    async def _supervised(self, work: Callable[[], Awaitable[None]]) -> None:
        """Does something that only looks on, and does it again where it breaks."""
        for tries in count():
            try:
                await work()
            except Exception:
                if self._strict:
                    raise
                _log.exception("observation.failed")
                await self._clock.sleep(backoff(tries + 1, first=0.5, most=5.0))
            else:
                return

    def _deploy_ended(self, switch: ev.Switch, ended: DeployExit) -> None:
        self.submit(
            ev.DeployExited(
                time=self._clock.now(),
                switch=switch,
                code=ended.code,
                tail=ended.tail,
                timed_out=ended.timed_out,
            )
        )

    async def _warm(self) -> None:
        try:
            await self._records.warm()
        except self._failures as error:
            _log.info("warm.failed", reason=_line(error))

    @property
    def _known(self) -> State:
        if self._projection.state is None:
            raise ManualActionRequiredError("the run has not started")
        return self._projection.state


def _line(error: Exception) -> str:
    """One line of what went wrong."""
    text = str(error) or type(error).__name__
    hint = getattr(error, "hint", "")
    return " ".join(f"{text}. {hint}".split()) if hint else " ".join(text.split())


def _first_of(group: BaseExceptionGroup) -> BaseException:
    """The first real error of a group: task groups wrap even a single one."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
