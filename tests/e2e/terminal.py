"""A real terminal for the command: a pseudo-terminal, and an emulator that knows what it shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyte
from tests.e2e.processes import PROGRAM
from tests.e2e.simulated import JSON, QUICK, TO_THE_RECORD, await_true

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping

    from tests.e2e.simulated import Scene


class Terminal:
    """The command in a terminal of its own, whose session it leads.

    Args:
        words: what is typed after the command's name.
        term: what the terminal says that it is; ``dumb`` shows no screen.
        stdout: a file for the command's stdout, if that is not the terminal.
    """

    def __init__(
        self,
        words: tuple[str, ...],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        term: str = "xterm-256color",
        size: tuple[int, int] = (120, 40),
        stdout: Path | None = None,
    ) -> None:
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._changing = threading.Lock()
        self._hung_up = threading.Event()
        self.raw = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        out = slave if stdout is None else os.open(stdout, os.O_WRONLY | os.O_CREAT, 0o600)

        def lead() -> None:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [PROGRAM, *words],
            cwd=cwd,
            env={**environment, "TERM": term},
            stdin=slave,
            stdout=out,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lead,  # noqa: PLW1509 -- makes the terminal the session's own
        )
        os.close(slave)
        if out != slave:
            os.close(out)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    def _read(self) -> None:
        try:
            while not self._hung_up.is_set():
                if not select.select([self._master], [], [], 0.05)[0]:
                    continue
                data = os.read(self._master, 1 << 16)
                with self._changing:
                    self.raw += data
                    self._stream.feed(data)
        except OSError:  # the writer has exited
            self._hung_up.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """What is to be seen now."""
        with self._changing:
            return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def title(self) -> str:
        """The terminal's title."""
        with self._changing:
            return self._screen.title

    def await_text(self, *wanted: str, seconds: float = 40) -> str:
        """Waits until all of it is to be seen; returns the screen."""
        try:
            await_true(lambda: all(text in self.text for text in wanted), f"{wanted}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; the terminal shows:\n{self.text}") from None
        return self.text

    def press(self, keys: str) -> None:
        """Types."""
        os.write(self._master, keys.encode())

    def hang_up(self) -> None:
        """Closes the terminal: the kernel sends SIGHUP to who leads its session."""
        self._hung_up.set()
        self._reader.join(10)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the command alone."""
        self.process.send_signal(number)

    def finish(self, seconds: float = 30) -> int:
        """Waits for the command's end; returns its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end; the terminal shows:\n{self.text}") from None


@contextmanager
def at_terminal(
    scene: Scene, command: str, *words: str, term: str = "dumb", **more: Any
) -> Iterator[Terminal]:
    """The command at a terminal, in the scene's state folder."""
    with Terminal(
        (command, *words, "--state-dir", str(scene.takeover.state_dir)),
        cwd=scene.takeover.folder,
        environment=scene.takeover.environment,
        term=term,
        **more,
    ) as terminal:
        yield terminal


def run(scene: Scene, *more: str) -> tuple[str, ...]:
    return ("run", *scene.arguments, *QUICK, *more)


def daemons(scene: Scene) -> list[int]:
    """The processes that runs of this scene go on in."""
    found = []
    for pid in scene.takeover.leftovers():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"route53_takeover.cli.worker" in words:
            found.append(pid)
    return found


def await_end(scene: Scene) -> dict[str, Any]:
    """Waits until no process works on the run any more; returns how it ended."""
    await_true(lambda: not daemons(scene), "the end of the run's process", 60)
    reported = scene.takeover.run("report", scene.run, *JSON)
    result: dict[str, Any] = reported.lines[-1]["result"]
    return result


def go_to_the_record(scene: Scene) -> None:
    scene.await_deploy("on", "log", "deploying")
    await_true(lambda: str(scene.account.status).startswith("UPDATE_IN"), "the operation")
    scene.account.pass_time(TO_THE_RECORD)


def go_to_the_end(scene: Scene) -> None:
    """CloudFormation comes back, creates its record and completes."""
    scene.account.pass_time(3)
    assert scene.is_taken
    scene.account.pass_time(60)
    scene.await_deploy("on", "exit", "0\n")
