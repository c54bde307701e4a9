"""How a run and the process of its simulated account talk: the account's folder and its socket.

`start_account` starts the process, `rejoin` finds one that still lives. The account lives while
a run is connected; without one it ends when it has not been asked for a while, or when a run that
has ended says so. What it serves is `route53_takeover.cli.account`'s.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from route53_takeover.adapters.clock import ClockOrigin, SystemClock
from route53_takeover.base.errors import ExitCode, RefusedError, TakeoverError
from route53_takeover.process.control_socket import short_path

if TYPE_CHECKING:
    from typing import Self

IDLE = 300.0
"""Seconds without a run and without a request after which an account ends."""
_ANSWER = _ENDING = 5.0
_LONGEST_LINE = 1 << 16


class AccountOrder(Struct, frozen=True, kw_only=True):
    """What a process serves: its arguments on the command line.

    Attributes:
        state_dir: where the run's folder is; ``log_level``: as on the command line. Both are for a
            run that the rehearsal itself resumes.
    """

    scenario: str
    seed: int
    speed: float
    state_dir: str
    log_level: str
    idle: float = IDLE


class Welcome(Struct, frozen=True, kw_only=True):
    """What the account says to each that connects."""

    endpoint_url: str
    name_servers: tuple[str, ...]
    clock: ClockOrigin
    web_server: str = ""


class RunConnected(Struct, frozen=True, kw_only=True, tag=True):
    """The process of a run that works in the account."""

    pid: int


class RunNamed(Struct, frozen=True, kw_only=True, tag=True):
    """The run of that process, once it has a folder."""

    run: str


class RunEnded(Struct, frozen=True, kw_only=True, tag=True):
    """The run needs the account no more."""


AnyWord = RunConnected | RunNamed | RunEnded
words: msgspec.json.Decoder[AnyWord] = msgspec.json.Decoder(AnyWord)


class AccountLink:
    """A run's connection to its account, which lives as long as this is open.

    Args:
        process: the account's, where this process started it.

    Raises:
        OSError: no process answers there.
    """

    def __init__(self, folder: Path, process: subprocess.Popen[bytes] | None = None) -> None:
        self.folder = folder
        self.process = process
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(_ANSWER)
            with short_path(socket_of(folder)) as name:
                self._socket.connect(name)
            with self._socket.makefile("rb") as lines:
                self.welcome = msgspec.json.decode(lines.readline(_LONGEST_LINE), type=Welcome)
        except (OSError, msgspec.MsgspecError) as error:
            self._socket.close()
            raise OSError(f"no simulated account in {folder}") from error
        self.clock = SystemClock.of(self.welcome.clock)
        self._say(RunConnected(pid=os.getpid()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def named(self, run: str) -> None:
        """Names the run that works here."""
        self._say(RunNamed(run=run))

    def leave(self, code: ExitCode) -> None:
        """Ends the account, unless the run can still be resumed."""
        if code is not ExitCode.UNKNOWN:
            self._say(RunEnded())
            if self.process is not None:
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(_ENDING)

    def _say(self, word: AnyWord) -> None:
        with suppress(OSError):  # it has died: the run finds out by its calls
            self._socket.sendall(msgspec.json.encode(word) + b"\n")


def socket_of(folder: Path) -> Path:
    """Where an account is connected to."""
    return folder / "account.sock"


def is_served(folder: Path) -> bool:
    """Whether the folder is that of an account whose process lives, or was killed."""
    return socket_of(folder).exists()


def start_account(order: AccountOrder) -> AccountLink:
    """Starts the process of an account, in a session of its own, and connects to it.

    Raises:
        TakeoverError: it does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="route53-takeover-"))
    log = folder / "account.log"
    line = [sys.executable, "-P", "-m", "route53_takeover.cli.account", str(folder)]
    try:
        with log.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter
                [*line, msgspec.json.encode(order).decode()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        with process.stdout or log.open("rb") as said:
            said.readline()  # it listens, or has died
        return AccountLink(folder, process)
    except OSError as error:
        text = log.read_text(errors="replace") if log.exists() else ""
        last = next((said for said in reversed(text.splitlines()) if said.strip()), "")
        shutil.rmtree(folder, ignore_errors=True)
        raise TakeoverError(
            f"the simulated account does not start: {last or error}", "Start it again."
        ) from error


def rejoin(account: str, run: str) -> AccountLink:
    """Connects to the account of a rehearsal that is resumed or restored.

    Raises:
        RefusedError: it no longer exists.
    """
    try:
        if account:
            return AccountLink(Path(account))
    except OSError:
        pass
    raise RefusedError(
        f"{run} was a rehearsal, whose simulated account no longer exists",
        "Start another one: `route53-takeover rehearse`.",
    )
