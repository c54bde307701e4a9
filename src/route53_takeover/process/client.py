"""The client of a run in another process: reads its journal and uses its control socket.

The journal is enough to show the run. The socket says whether the process lives, sends the events
that a broken journal does not have, and takes the operator's requests. Several may follow a
run at once: none of them can make it wait.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import RefusedError, TakeoverError
from route53_takeover.core.events import RunResumed
from route53_takeover.core.status.any_run import RunReading, begins, has_run_ended
from route53_takeover.process.control_socket import (
    Alive,
    AnyMessage,
    NotTaken,
    Taken,
    Unjournalled,
    connect,
)
from route53_takeover.process.earlier_runs import usual_times
from route53_takeover.process.protocol import Link, Play, Resume, Seek, StepBy, View
from route53_takeover.storage.journal import JournalTail, is_held
from route53_takeover.storage.run_folder import line_for, named

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunObserver, RunRequest, RunState
    from route53_takeover.process.protocol import Request
    from route53_takeover.storage.run_folder import RunFolder

_POLL = 0.1
"""Seconds between two looks at the journal's size."""
_KNOCK = 0.5
"""Seconds between two attempts to reach the run's process."""
_KNOCKS = 3
"""Attempts in vain after which the process counts as gone, unless it holds its journal."""
_SILENT = 4.0
"""Seconds without a sign of life after which what is shown counts as stale."""
_ANSWER = 5.0
"""Seconds that a request waits for its answer."""
_LINES, _BYTES = 300, 1 << 16
"""How much of a deploy command's output is shown."""

_message: msgspec.json.Decoder[AnyMessage] = msgspec.json.Decoder(AnyMessage)


class NotReachedError(TakeoverError):
    """The run's process has no control socket, or not yet."""


class WatchedRun:
    """State and timeline of a run, one event further at a time.

    Args:
        state_dir: where the run is kept; empty for the default.
    """

    def __init__(self, state_dir: str) -> None:
        self._state_dir = state_dir
        self._reading = RunReading()

    @property
    def state(self) -> RunState | None:
        return self._reading.state

    @property
    def events(self) -> int:
        """How many were taken."""
        return self._reading.events

    def take(self, event: Event) -> None:
        """Folds one more event."""
        if self.state is None and not begins(event):
            return  # its beginning is lost with its journal
        self._reading.take(event)

    def copy(self) -> WatchedRun:
        """One that goes on by itself."""
        other = WatchedRun(self._state_dir)
        other._reading = self._reading.copy()
        return other

    def view(self, now: float, link: Link, deploy: tuple[str, ...], rehearsal: str) -> View | None:
        """What there is to show; ``None`` before the first event."""
        shown = self._reading.snapshot(now, rehearsal=rehearsal, state_dir=self._state_dir)
        if shown is None:
            return None
        return View(
            snapshot=shown, link=link, deploy=deploy, position=self.events, length=self.events
        )


class DeployLog:
    """The newest lines that the deploy commands of a run wrote."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._seen: tuple[str, int] = ("", 0)
        self._lines: tuple[str, ...] = ()

    def lines(self, state: RunState | None) -> tuple[str, ...]:
        """Those of the command that runs, or ran last."""
        if state is None or not state.deploys:
            return ()
        switch = max(state.deploys, key=lambda s: state.deploys[s].intended_at)
        path = self._folder.path / f"deploy-{switch}.log"
        with suppress(OSError):
            size = path.stat().st_size
            if self._seen != (switch, size):
                with path.open("rb") as file:
                    file.seek(max(size - _BYTES, 0))
                    text = file.read(_BYTES).decode(errors="replace")
                self._seen = (switch, size)
                self._lines = tuple(text.splitlines()[-_LINES:])
            return self._lines
        return ()


class RemoteRun:
    """A `route53_takeover.process.protocol.Source` on a run that goes on in another process.

    Args:
        rehearsal: the scenario, where it is one.
        revive: starts its process again; raises TakeoverError.
        has_account: whether the account of the run is still there.
        is_killed: whether the rehearsal kills its process, and resumes it.
        observer: is told of every event, once, with the state after it.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        rehearsal: str = "",
        revive: Callable[[], Awaitable[None]] | None = None,
        has_account: Callable[[], bool] = lambda: True,
        is_killed: bool = False,
        observer: RunObserver | None = None,
    ) -> None:
        self._folder = folder
        self._state_dir = named(folder.state_dir)
        self._rehearsal = rehearsal
        self._revive = revive
        self._has_account = has_account
        self._is_killed = is_killed
        self._observer = observer
        self._told = 0
        self._clock = SystemClock()
        self._tail = JournalTail(folder.journal)
        self._output = DeployLog(folder)
        self._unfolding = WatchedRun(self._state_dir)
        self._lost: list[Event] = []
        self._changed = asyncio.Event()
        self._alive: Alive | None = None
        self._alive_at = 0.0
        self._knocks = 0
        self._is_gone = False
        self._writer: asyncio.StreamWriter | None = None
        self._answer: asyncio.Future[Taken | NotTaken] | None = None
        self._asking = asyncio.Lock()

    async def subscribe(self) -> AsyncGenerator[View, None]:
        """What there is to show, until the run has ended.

        Raises:
            RefusedError: there is nothing to show, and no process that could change that.
        """
        self._alive_at = asyncio.get_running_loop().time()
        usual = await asyncio.to_thread(usual_times, self._folder)
        linking = asyncio.create_task(self._keep_linked())
        last: tuple[object, ...] = ()
        try:
            while True:
                self._read()
                output = self._output.lines(self._unfolding.state)
                link = self._link()
                resumable = link is not Link.GONE or self._has_account()
                news = (self._unfolding.events, link, self._alive, output, resumable)
                if news != last:
                    last = news
                    view = self._unfolding.view(self._now(), link, output, self._rehearsal)
                    if view is not None:
                        alive = self._alive
                        yield replace(
                            view,
                            resumable=resumable,
                            usual=usual,
                            pid=0 if alive is None else alive.pid,
                            alive_at=0.0 if alive is None else alive.now,
                        )
                        if link is Link.ENDED:
                            return
                    elif link is Link.GONE:
                        raise RefusedError(
                            f"{self._folder.name} never started: its journal is empty",
                            "Start a new one with `run`.",
                        )
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _POLL)
        finally:
            linking.cancel()

    async def submit(self, request: Request) -> None:
        """Hands a request to the run's process."""
        match request:
            case Seek() | StepBy() | Play():
                return  # of a replay
            case Resume():
                if self._revive is not None:
                    await self._revive()
                    self._is_reached()
            case _:
                await self._ask(request)

    # -- the journal

    def _read(self) -> None:
        if self._tail.is_cut_back:
            self._refold()
        for event in self._tail.read():
            self._take(event)

    def _refold(self) -> None:
        """From the beginning: what was read last was taken back, or is lost."""
        self._tail.rewind()
        self._unfolding = WatchedRun(self._state_dir)
        for event in (*self._tail.read(), *self._lost):
            self._take(event)

    def _take(self, event: Event) -> None:
        self._unfolding.take(event)
        if isinstance(event, RunResumed):
            self._is_killed = False
            self._is_reached()  # a new process: its socket comes a little later
        state, seq = self._unfolding.state, self._unfolding.events
        if self._observer is not None and state is not None and seq > self._told:
            self._observer(event, state, seq)
            self._told = seq

    def _link(self) -> Link:
        state = self._unfolding.state
        if state is not None and has_run_ended(state):
            return Link.ENDED
        if self._is_gone:
            return Link.KILLED if self._is_killed and self._has_account() else Link.GONE
        silent = asyncio.get_running_loop().time() - self._alive_at
        return Link.STALE if silent > _SILENT else Link.LIVE

    def _now(self) -> float:
        """The run's clock, by its last sign of life; it goes on without a process.

        0 where it is not known: then the newest event's time is shown.
        """
        if self._alive is None:
            return 0.0 if self._rehearsal or self._link() is Link.LIVE else self._clock.now()
        since = asyncio.get_running_loop().time() - self._alive_at
        return self._alive.now + since * self._alive.speed

    # -- the socket

    async def _keep_linked(self) -> None:
        while True:
            try:
                reader, writer = await connect(self._folder.control)
            except OSError:
                self._knocks += 1
                # A process that has no socket, for whatever reason, is not gone.
                self._is_gone = self._knocks >= _KNOCKS and not is_held(self._folder.journal)
            else:
                await self._listen(reader, writer)
            await asyncio.sleep(_KNOCK)

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        if self._lost:  # those of an earlier process: this one has a journal again
            self._lost = []
            self._refold()
        try:
            while line := await reader.readline():
                self._hear(_message.decode(line))
        except (OSError, ValueError):
            pass
        finally:
            self._writer = None
            writer.close()
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(NotTaken(reason="its process has ended"))

    def _is_reached(self) -> None:
        self._alive_at = asyncio.get_running_loop().time()
        self._knocks, self._is_gone = 0, False

    def _hear(self, said: AnyMessage) -> None:
        match said:
            case Alive():
                self._alive = said
                self._is_reached()
            case Unjournalled(event=event):
                self._read()  # whatever the journal holds came first
                self._lost.append(event)
                self._take(event)
            case Taken() | NotTaken():
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(said)
        self._changed.set()

    async def _ask(self, event: RunRequest) -> None:
        async with self._asking:
            if self._writer is None:
                again = line_for(self._folder.state_dir, "resume", self._folder.name)
                raise NotReachedError(
                    "the run's process cannot be reached",
                    f"If it has died: `{again}`.",
                )
            self._answer = asyncio.get_running_loop().create_future()
            self._writer.write(msgspec.json.encode(event) + b"\n")
            try:
                answer = await asyncio.wait_for(self._answer, _ANSWER)
            except TimeoutError:
                raise TakeoverError(
                    "the run's process does not answer: it may be stopped, or the machine busy",
                    "The request may still be carried out: check the run.",
                ) from None
        if isinstance(answer, NotTaken):
            raise TakeoverError(f"the request was not accepted: {answer.reason}", "Try again.")
