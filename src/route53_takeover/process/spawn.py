"""Starts a run in a process of its own, which reads the account, plans, asks, and then runs alone.

The terminal's side: `Launch` starts the process (own session, no terminal), shows what it says and
sends it the confirmation. Both talk over a socket pair, JSON lines, until the run has started;
from then on it is found by its folder. Nothing here knows AWS: that is loaded in the other
process, meanwhile.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar

import msgspec
from msgspec import Struct

from route53_takeover.base.errors import ExitCode, TakeoverError
from route53_takeover.base.signals import as_called
from route53_takeover.base.threads import in_thread
from route53_takeover.core.plan.model import Options
from route53_takeover.core.status.rehearsal_marks import DRY_RUN
from route53_takeover.core.status.result import Result
from route53_takeover.core.switch.model import SwitchOptions
from route53_takeover.process.login_scope import way_out
from route53_takeover.process.protocol import Proposal
from route53_takeover.storage.config import Connection, Override
from route53_takeover.storage.plan_file import PlanFile
from route53_takeover.storage.rehearsable import Rehearsable
from route53_takeover.storage.run_folder import line_for

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_LINE = 1 << 24
"""Bytes of a message: a plan tells every record set of a zone that it touches."""
_LAST_WORDS = 500
"""Characters that are told of what a process said before it died."""


# -- what the process is to do


class SpawnRequest(Struct, frozen=True, kw_only=True, tag=True):
    """What a process is started for; what it has besides is as on the command line."""

    state_dir: str
    log_level: str
    on_event: str = ""

    @property
    def rehearses(self) -> str:
        """What `core.status.rehearsal_marks` knows it by; empty for a real run."""
        return ""


class BeginRun(SpawnRequest, frozen=True, kw_only=True):
    """``run``; ``reviewed``: what ``--plan`` names, whose options these are."""

    connection: Connection
    options: Options
    reviewed: PlanFile | None = None
    dry_run: bool = False

    @property
    def rehearses(self) -> str:
        return DRY_RUN if self.dry_run else ""


class BeginSwitch(SpawnRequest, frozen=True, kw_only=True):
    """``switch``."""

    connection: Connection
    options: SwitchOptions


class BeginRehearsal(SpawnRequest, frozen=True, kw_only=True):
    """``rehearse``; an empty scenario is the default one.

    ``is_watched``: it may run slower, for a screen.
    """

    scenario: str
    seed: int
    speed: float | None
    is_watched: bool = True

    @property
    def rehearses(self) -> str:
        return self.scenario or "rehearsal"


class BeginLike(SpawnRequest, frozen=True, kw_only=True):
    """``rehearse --like``."""

    like: Rehearsable
    speed: float | None

    @property
    def rehearses(self) -> str:
        return DRY_RUN


class GoOn(SpawnRequest, frozen=True, kw_only=True):
    """``resume``."""

    run: str
    override: Override


AnyOrder = BeginRun | BeginSwitch | BeginRehearsal | BeginLike | GoOn


# -- what it says


class SpawnReply(Struct, frozen=True, kw_only=True, tag=True):
    """A message of the process before its run has started."""


class SpawnProgress(SpawnReply, frozen=True, kw_only=True):
    """What it does now, or warns of."""

    text: str


class Proposed(SpawnReply, frozen=True, kw_only=True):
    """Its plan; it waits for `YES`, and ends when it hears anything else."""

    proposal: Proposal


class Begun(SpawnReply, frozen=True, kw_only=True):
    """The run has a folder and a journal; the last word."""

    run: str


class Over(SpawnReply, frozen=True, kw_only=True):
    """There was nothing to do, or nothing is left to do; the last word."""

    result: Result
    now: float
    seq: int | None = None


class Failed(SpawnReply, frozen=True, kw_only=True):
    """It did not begin; the last word."""

    message: str
    hint: str
    exit_code: int
    run: str | None = None


AnyWord = SpawnProgress | Proposed | Begun | Over | Failed
YES = b"yes\n"
_words: msgspec.json.Decoder[AnyWord] = msgspec.json.Decoder(AnyWord)


class NotBegunError(TakeoverError):
    """The other process did not begin, for a reason that it said, or by dying."""

    def __init__(self, message: str, hint: str, exit_code: int, run: str | None = None) -> None:
        super().__init__(message, hint)
        self.exit_code = ExitCode(exit_code)
        if run is not None:
            self.run = run


class NothingToDoError(TakeoverError):
    """Not an error: there is nothing to begin."""

    exit_code = ExitCode.DONE

    def __init__(self, over: Over) -> None:
        super().__init__(over.result.reason)
        self.over = over


class Launch:
    """A process that was started for an order, and its words.

    Attributes:
        latest: the newest that this process has started, if any.
        has_left_scope: whether it was started outside of the login's scope.
    """

    latest: ClassVar[Launch | None] = None

    def __init__(self, order: AnyOrder) -> None:
        self._order = order
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self.has_left_scope = False
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- until it has started

    async def start(self) -> None:
        """Starts the process.

        Raises:
            NotBegunError: the system cannot start one.
        """
        through = await in_thread(way_out)
        ours, theirs = socket.socketpair()
        try:
            with theirs, as_called():
                self._process = self._spawn(theirs.fileno(), through)
            ours.sendall(msgspec.json.encode(self._order) + b"\n")  # before this one can go away
        except OSError as error:
            ours.close()
            raise NotBegunError(
                f"the process of the run cannot be started: {error.strerror}",
                "Nothing was written. Free memory or process slots, and start again.",
                ExitCode.FAILED,
            ) from error
        self.has_left_scope = bool(through)
        Launch.latest = self
        self._reader, self._writer = await asyncio.open_connection(sock=ours, limit=LONGEST_LINE)

    def _spawn(self, channel: int, through: tuple[str, ...]) -> subprocess.Popen[bytes]:
        # -P: a module of the same name in the working folder is not ours.
        line = [sys.executable, "-P", "-m", "route53_takeover.cli.worker", str(channel)]
        return subprocess.Popen(  # noqa: S603 -- our own interpreter
            [*through, *line],
            pass_fds=[channel],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,
        )

    async def proposal(self, tell: Callable[[str], None]) -> Proposal:
        """Waits for the plan.

        Raises:
            NotBegunError: there is none.
            NothingToDoError: it says that there is nothing to do.
        """
        match await self._word(tell):
            case Proposed(proposal=proposal):
                return proposal
            case word:
                raise self._unexpected(word)

    async def begun(self, tell: Callable[[str], None], *, agreed: bool = True) -> str:
        """Confirms the plan, if there is one, and returns the run's name once it has started.

        Raises:
            NotBegunError: it did not begin.
            NothingToDoError: the run that was to go on has ended already.
        """
        if agreed and self._writer is not None:
            self._writer.write(YES)
        try:
            match await self._word(tell):
                case Begun(run=run):
                    return run
                case word:
                    raise self._unexpected(word)
        finally:
            self.close()

    def outlast(self, patience: float) -> None:
        """Waits for the end of the process, which may have an alert to send; blocks."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)

    def close(self) -> None:
        """Declines the plan, or closes the socket: a process that has not started its run ends."""
        if self._writer is not None:
            self._writer.close()
        self._errors.close()

    async def _word(self, tell: Callable[[str], None]) -> AnyWord:
        while line := await self._line():
            word = _words.decode(line)
            match word:
                case SpawnProgress(text=text):
                    tell(text)
                case Over():
                    raise NothingToDoError(word)
                case Failed():
                    raise NotBegunError(word.message, word.hint, word.exit_code, word.run)
                case _:
                    return word
        raise self._died()

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except OSError:
            return b""

    def _died(self) -> NotBegunError:
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").split("\n")
        last = next((line for line in reversed(said) if line.strip()), "")[:_LAST_WORDS]
        return NotBegunError(
            "the process of the run ended before the run started" + (f": {last}" if last else ""),
            self._look(),
            ExitCode.UNKNOWN,
        )

    def _look(self) -> str:
        line = line_for(Path(self._order.state_dir), "runs")
        return f"Check `{line}` for a run, then start again."

    def _unexpected(self, word: SpawnReply) -> NotBegunError:
        return NotBegunError(
            f"the process of the run sent an unexpected {type(word).__name__}",
            self._look(),
            ExitCode.UNKNOWN,
        )
