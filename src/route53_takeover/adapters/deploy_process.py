"""Deploy commands as processes of their own, which outlive this one: the `Deployer` port.

In the run's folder, for each switch: ``deploy-on.log`` is the command's output, opened and locked
by us and inherited by it, so that the lock is held exactly as long as the command lives;
``deploy-on.pid`` is its process group; ``deploy-on.exit`` its exit status, written by the shell
around it. What is true of a command is read from these three, also by the process that started it:
so it makes no difference whether that process is still there.

Nothing here may put a pipe between the command and us, kill it because we end, or start one twice.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from route53_takeover.base import private_files
from route53_takeover.base.escaping import TAIL_LINES, plain_tail
from route53_takeover.base.redaction import redacted, secrets_of
from route53_takeover.base.signals import as_called
from route53_takeover.base.threads import in_thread
from route53_takeover.core.ports import Deployer, DeployExit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from route53_takeover.core.ports import Clock

_WRAPPER = """
trap : HUP INT QUIT TERM
(umask 077; echo $$ >"$2".pid)
sh -c "$1"
status=$?
umask 077
echo "$status" >"$2".exit.new && mv -f "$2".exit.new "$2".exit
"""
"""Signals are caught, not ignored: a command starts with their default, this shell lives on to
write the status that it ended with."""

_SET_FOR = {"off": {"ROUTE53_ENABLE": "false"}, "on": {"ROUTE53_ENABLE": "true"}}
_OTHER_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_DEFAULT_PROFILE",
)
"""Where these are set, the SDKs heed them before ``AWS_PROFILE``."""

_POLL = 0.25
"""Seconds of the clock between two looks at the files."""

_GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""

_IGNORE_ENDPOINTS = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
_TAIL_BYTES = 64 * 1024
_COULD_NOT_START = 126


class ShellDeployer(Deployer):
    """Runs each command with ``sh -c`` in a session of its own.

    Args:
        folder: the run's folder, which exists.
        commands: the command for ``off`` and for ``on``.
        clock: the time-out's.
        timeout: the clock's seconds after which a command is ended, counted from its start, or
            from `rejoin` where that process did not start it.
        environment: what the commands' environment is made from.
        profile: exported to them as ``AWS_PROFILE``, so that they deploy to the account we watch.
        region: exported as ``AWS_REGION`` and ``AWS_DEFAULT_REGION``.
        endpoint_url: exported as ``AWS_ENDPOINT_URL``.
        cwd: where they run; ``None`` is here.
        lines: how many of the last lines of the output `DeployExit` has.
    """

    def __init__(
        self,
        folder: Path,
        commands: Mapping[str, str],
        clock: Clock,
        *,
        timeout: float,
        environment: Mapping[str, str],
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        cwd: Path | None = None,
        lines: int = TAIL_LINES,
    ) -> None:
        self._lines = lines
        self._folder = folder.absolute()
        self._commands = commands
        self._clock = clock
        self._timeout = timeout
        self._environment = command_environment(environment, profile, region, endpoint_url)
        self._cwd = cwd

    async def run(self, switch: str) -> DeployExit:
        """Starts the command and waits for its end.

        Where one is alive that an earlier process started, it is waited for instead. If this task
        is cancelled the command goes on.
        """
        pid: int | None = None
        try:
            with self._locked_log(switch) as log:
                if log is not None:
                    pid = self._spawn(switch, log)
        except (OSError, ValueError) as error:
            return DeployExit(code=_COULD_NOT_START, tail=f"cannot start the command: {error}")
        try:
            return await self.rejoin(switch)
        finally:
            if pid is not None:
                _bury(pid)

    async def rejoin(self, switch: str) -> DeployExit:
        """Waits for the end of a command that may have been started; never starts one."""
        if await self._ended(switch, self._timeout):
            return await in_thread(lambda: self._exit(switch))
        await self.stop(switch)
        return await in_thread(lambda: self._exit(switch, timed_out=True))

    async def stop(self, switch: str) -> None:
        """Ends a command that runs: SIGTERM to its process group, then SIGKILL."""
        self._signal(switch, signal.SIGTERM)
        if not await self._ended(switch, _GRACE):
            self._signal(switch, signal.SIGKILL)
            await self._ended(switch, 1.0)

    def ever_started(self, switch: str) -> bool:
        """Whether its log exists: that is made, for good, before the command is started."""
        return self._path(switch, "log").exists()

    def _path(self, switch: str, suffix: str) -> Path:
        return self._folder / f"deploy-{switch}.{suffix}"

    @contextmanager
    def _locked_log(self, switch: str) -> Iterator[int | None]:
        """The log for the command to inherit, or ``None`` where a living command holds it."""
        log = private_files.open_file(
            self._path(switch, "log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND
        )
        try:
            _sync_folder(self._folder)
            try:
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield log
        finally:
            os.close(log)

    def _spawn(self, switch: str, log: int) -> int:
        for suffix in ("pid", "exit"):  # of an attempt before this one
            self._path(switch, suffix).unlink(missing_ok=True)
        words = ["/bin/sh", "-c", _WRAPPER, "sh", self._commands[switch]]
        with as_called():  # it must heed what this process ignores
            process = subprocess.Popen(  # noqa: S603 -- running the user's command is the point
                [*words, self._folder / f"deploy-{switch}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment | _SET_FOR.get(switch, {}),
                cwd=self._cwd,
                start_new_session=True,
            )
        # It is not ours to wait for: without this Python warns when it forgets a living child.
        # asyncio's subprocesses cannot be let go at all; their transport kills on closing.
        process.returncode = 0
        return process.pid

    async def _ended(self, switch: str, seconds: float) -> bool:
        """Waits so long for the command's end."""
        end = self._clock.now() + seconds
        while await in_thread(lambda: self._alive(switch)):
            left = end - self._clock.now()
            if left <= 0:
                return False
            await self._clock.sleep(min(_POLL, left))
        return True

    def _alive(self, switch: str) -> bool:
        """Whether the command runs: it has no exit status yet and something holds the lock.

        A process that a command left behind may hold the lock for ever: the status comes first.
        """
        return self._status(switch) is None and private_files.is_locked(self._path(switch, "log"))

    def _status(self, switch: str) -> int | None:
        try:
            return int(self._path(switch, "exit").read_text())
        except (OSError, ValueError):
            return None

    def _exit(self, switch: str, *, timed_out: bool = False) -> DeployExit:
        return DeployExit(code=self._status(switch), tail=self._tail(switch), timed_out=timed_out)

    def _tail(self, switch: str) -> str:
        try:
            with self._path(switch, "log").open("rb") as log:
                begin = max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES)
                log.seek(begin)
                shown = plain_tail(log.read(), cut=begin > 0, lines=self._lines)
                return redacted(shown, secrets_of(self._environment))
        except OSError:
            return ""

    def _signal(self, switch: str, number: signal.Signals) -> None:
        """Sends it to the command's process group.

        Only called while the lock is held, so that the group's number cannot be another's yet.
        """
        with suppress(OSError, ValueError):
            group = int(self._path(switch, "pid").read_text())
            if group > 1:
                os.killpg(group, number)


def command_environment(
    inherited: Mapping[str, str], profile: str | None, region: str | None, endpoint_url: str | None
) -> dict[str, str]:
    """The environment of a command of the user's: the account that we watch, and no other."""
    environment = dict(inherited)
    if profile:
        for variable in _OTHER_CREDENTIALS:
            environment.pop(variable, None)
        environment["AWS_PROFILE"] = profile
    if region:
        environment["AWS_REGION"] = environment["AWS_DEFAULT_REGION"] = region
    if endpoint_url:
        for variable in list(environment):  # each of these would win over it
            if variable.startswith("AWS_ENDPOINT_URL_") or variable == _IGNORE_ENDPOINTS:
                del environment[variable]
        environment["AWS_ENDPOINT_URL"] = endpoint_url
    return environment


def _bury(pid: int) -> None:
    """Takes the ended shell out of the process table; one that still runs is left alone."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _sync_folder(folder: Path) -> None:
    """Makes a new file's name survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
