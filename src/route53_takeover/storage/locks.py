"""The locks that keep two runs of one user from one name, and who holds or last held each.

A lock is a file in several places, and a run takes it in all of them: ``STATE_DIR/locks`` (which
containers may share), the user's runtime folder, and a folder of the user's own among the temporary
files. So runs with different state folders meet, and so do runs of which one was started before
the user logged out, when the system empties the runtime folder. The file names the runs that held
it, the newest first. A rescue never depends on a lock that cannot be made.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from route53_takeover.adapters.endpoint import is_loopback
from route53_takeover.base import private_files
from route53_takeover.base.errors import RefusedError, UsageError
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.plan.model import SOA_LOCK
from route53_takeover.storage.run_folder import RunFolder, line_for
from route53_takeover.storage.user_folders import lock_folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HOLDERS = 8
"""Runs that a lock's file names: one that has put nothing back is not forgotten for a newer one."""
_LARGEST = 1 << 16
_LONGEST_NAME = 150
_REPLACED = 100
"""How often a lock's file may be taken away under us, by runs that end, before we give up."""


class Work(StrEnum):
    """What the names are locked for, and so what it depends on."""

    RUN = "run"  # all that is needed to keep other runs away
    RESUME = "resume"  # the state folder, which the journal needs in any case
    RESTORE = "restore"  # nothing: a lock that cannot be made is done without


class Holder(Struct, frozen=True, kw_only=True):
    """A run that holds a lock, or held it."""

    run: str
    state_dir: str
    pid: int

    @property
    def is_alive(self) -> bool:
        """Whether its process is there; of one in another container that cannot be told."""
        try:
            os.kill(self.pid, 0)
        except PermissionError:  # root's, who helps with a user's run
            return True
        except (OSError, OverflowError):
            return False
        return True


_EMULATOR = "loopback-"
_decoder = msgspec.json.Decoder(tuple[Holder, ...])


class Held:
    """The locks that a run holds.

    Args:
        state_dir: the state folder of the command that takes them.
    """

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self._files: list[int] = []

    def add(self, file: int) -> None:
        """One more, open and locked."""
        self._files.append(file)

    def register(self, folder: RunFolder) -> None:
        """Names the run in each; one that cannot be written is left as it is."""
        state_dir = str(folder.path.parent.parent)
        us = Holder(run=folder.name, state_dir=state_dir, pid=os.getpid())
        for file in self._files:
            others = [h for h in _holders(file) if (h.run, h.state_dir) != (us.run, state_dir)]
            data = msgspec.json.encode([us, *others][:_HOLDERS])
            with suppress(OSError):
                os.pwrite(file, data + b" " * (os.fstat(file).st_size - len(data)), 0)
                os.ftruncate(file, len(data))


def site_of(zone_id: str, endpoint_url: str | None, account: str = "") -> str:
    """Which zone's names these are: an emulator of this machine is another world than AWS.

    Args:
        account: the folder of a rehearsal's simulated account: each is a world of its own.
    """
    if account:
        return f"{_EMULATOR}{Path(account).name}-{zone_id}"
    if not is_loopback(endpoint_url):
        return zone_id
    return f"{_EMULATOR}{urlsplit(endpoint_url or '').port or 0}-{zone_id}"


@contextmanager
def locked_names(
    state_dir: Path, site: str, names: Sequence[str], work: Work = Work.RUN
) -> Iterator[Held]:
    """Keeps every other run of this user on this machine away from these names.

    Args:
        site: `site_of` their zone.

    Raises:
        RefusedError: another run works on one of them.
        UsageError: a lock that the work depends on cannot be made.
    """
    own, rescue = state_dir / "locks", work is Work.RESTORE
    held = Held(state_dir)
    with ExitStack() as stack:
        try:
            private_files.make_folder(own)
            _lock_all(stack, held, own, site, names, rescue=rescue)
        except UsageError:  # another user's, or a link
            if not rescue:
                raise
        except OSError as error:
            if not rescue:
                raise UsageError(f"cannot lock {own}: {error.strerror}", _NO_LOCK) from error
        places = {folder.resolve(): folder for folder in lock_folders()}
        is_one_of_them = places.pop(own.resolve(), None) is not None
        failures = [
            _lock_beside(stack, held, folder, site, names, rescue=rescue)
            for folder in places.values()
        ]
        if work is Work.RUN and all(failures) and not is_one_of_them:
            raise UsageError(
                "cannot lock the names for runs with other state folders: "
                + ("; ".join(failures) or "no folder for temporary files"),
                "Free disk space there, or set XDG_RUNTIME_DIR or TMPDIR to a folder of yours with "
                "mode 0700.",
            )
        yield held


_NO_LOCK = (
    "Use another --state-dir; a run in this one can be resumed once it is writable, and `restore` "
    "needs no lock."
)


def _lock_beside(
    stack: ExitStack, held: Held, folder: Path, site: str, names: Sequence[str], *, rescue: bool
) -> str:
    """Takes the locks in a folder beside the state folder; returns why that failed, or nothing."""
    try:
        private_files.make_own_folder(folder)
        _lock_all(stack, held, folder, site, names, rescue=rescue)
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return ""


def _lock_all(
    stack: ExitStack, held: Held, folder: Path, site: str, names: Sequence[str], *, rescue: bool
) -> None:
    """Takes the locks of all names in one folder; a rescue those that can be taken."""
    for name in sorted(names):
        try:
            path = folder / _file_name(site, name)
            held.add(_locked(stack, path, name, held.state_dir, rescue=rescue))
        except OSError:
            if not rescue:
                raise


def _locked(stack: ExitStack, path: Path, name: str, state_dir: Path, *, rescue: bool) -> int:
    """Opens one file and locks it until the stack ends."""
    for _ in range(_REPLACED):
        file = _open(path, rescue=rescue)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            refusal = _refusal(name, _holders(file), state_dir)
            os.close(file)
            raise refusal from None
        except OSError:
            os.close(file)
            raise
        if not _is_at(path, file):  # its holder has removed it
            os.close(file)
            continue
        stack.callback(os.close, file)
        if path.name.startswith(_EMULATOR):  # at the next port it is another one
            stack.callback(_unlink, path)
        return file
    raise OSError(errno.EAGAIN, "it is replaced again and again", str(path))


def _open(path: Path, *, rescue: bool) -> int:
    try:
        return private_files.open_file(path, os.O_RDWR | os.O_CREAT)
    except OSError:
        if not rescue:
            raise
    return private_files.open_file(path, os.O_RDONLY)  # reading is enough to lock it


def _is_at(path: Path, file: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file).st_ino
    except FileNotFoundError:
        return False


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _refusal(name: str, holders: Sequence[Holder], state_dir: Path) -> RefusedError:
    """Names the run where it is certain: another may have taken the lock in this instant."""
    what = f"another run on this machine is using {display_name(name)}"
    without = " Or leave out --negative-ttl." if name.startswith(SOA_LOCK) else ""
    if not holders or not holders[0].is_alive:
        line = line_for(state_dir, "runs")
        return RefusedError(what, f"Wait until it has ended: `{line}`.{without}")
    run, its_dir = holders[0].run, Path(holders[0].state_dir)
    return RefusedError(
        f"{what}: {run} in {its_dir}",
        f"Wait until it has ended; `{line_for(its_dir, 'attach', run)}` shows it.{without}",
    )


def last_holders(site: str) -> list[RunFolder]:
    """The folders of the runs, in any state folder, that held or hold a lock on a zone's names."""
    found: dict[Path, RunFolder] = {}
    for folder in filter(private_files.is_own_folder, lock_folders()):
        with suppress(OSError):
            for path in sorted(folder.glob(f"{site}-*")):
                found |= {run.path: run for run in map(_folder_of, _read(path))}
    return list(found.values())


def _folder_of(holder: Holder) -> RunFolder:
    return RunFolder(Path(holder.state_dir) / "runs" / holder.run)


def _read(path: Path) -> Sequence[Holder]:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return _holders(file)
    finally:
        os.close(file)


def _holders(file: int) -> Sequence[Holder]:
    """What a lock's file says, the newest first; nothing where it says nothing that we know."""
    with suppress(OSError, msgspec.MsgspecError):
        return _decoder.decode(os.pread(file, _LARGEST, 0))
    return ()


def _file_name(site: str, name: str) -> str:
    safe = re.sub(r"[^a-z0-9.-]", "_", name)
    if len(safe) > _LONGEST_NAME:  # with its escapes it may be too long for a file
        safe = f"{safe[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}."
    return f"{site}-{safe}lock"
