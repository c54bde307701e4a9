"""Private files and folders: 0700 and 0600 whatever the umask.

What another user may have put in our way (a folder of theirs, a symbolic link) is refused: a run's
folder says which command `resume` joins and which records `restore` writes. Root, who may be called
to help with a user's run, is warned instead (of an owner, not of a link: that is refused to root
too), and what root makes in a user's folder is the user's, who goes on with the run later.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0


def open_file(path: Path, flags: int) -> int:
    """Opens a file, or makes it with mode 0600.

    Raises:
        OSError: it cannot be opened, is a symbolic link or, unless we are root, another user's.
    """
    handle = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE)
    if os.geteuid() not in (owner := os.fstat(handle).st_uid, _ROOT) and owner != _ROOT:
        os.close(handle)
        raise PermissionError(errno.EACCES, "it belongs to another user", str(path))
    with suppress(OSError):  # some file systems have no modes
        os.fchmod(handle, _FILE)
        _hand_over(handle, path)
    return handle


def write_durably(path: Path, data: bytes) -> None:
    """Writes a file of mode 0600 in place of any other: all of it is on disk, or none.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(open_file(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def add_line_durably(path: Path, line: bytes) -> None:
    """Adds a line to a file of mode 0600, which it makes where there is none. Raises OSError."""
    with os.fdopen(open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "wb") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock on a file; a missing file has no lock.

    Raises OSError where that is not known. The check takes the lock, shared, for an instant.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def _hand_over(handle: int, path: Path) -> None:
    """Gives a file that root has made in a user's folder to that user.

    One that has another name, too, is left alone: the user may have linked a file of root's there.
    """
    status = os.fstat(handle)
    if os.geteuid() != _ROOT or status.st_uid != _ROOT or status.st_nlink != 1:
        return
    folder = path.parent.stat()
    if folder.st_uid != _ROOT:
        os.fchown(handle, folder.st_uid, folder.st_gid)


def new_folder(path: Path) -> None:
    """Makes a folder of mode 0700. Raises OSError, also where it exists."""
    path.mkdir(mode=_FOLDER)
    with suppress(OSError):
        path.chmod(_FOLDER)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, each of mode 0700; one that exists is made private.

    Those above that exist are the user's, and are left as they are.

    Raises:
        UsageError: it is another user's (unless we are root) or a symbolic link.
        OSError: it cannot be made.
    """
    for folder in [*reversed(path.parents), path]:
        try:
            new_folder(folder)
        except OSError:
            if not folder.is_dir():
                raise
    _claim(path, _FOLDER, "Use another --state-dir.")


def make_own_folder(path: Path) -> None:
    """Makes a folder of mode 0700 where other users may make some too, such as /tmp.

    Raises:
        OSError: it cannot be made, or what is there is a link or another user's. Root, too, only
            takes its own.
    """
    for folder in (*reversed(path.parents), path):
        with suppress(FileExistsError):
            if not folder.exists():
                new_folder(folder)
    if not is_own_folder(path):
        raise PermissionError(errno.EACCES, "it is a link or another user's", str(path))
    path.chmod(_FOLDER)


def is_own_folder(path: Path) -> bool:
    """Whether it is a folder of the current user, and not a link to one."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def claim_run(folder: Path) -> str:
    """Makes a run's folder private, and checks that everything in it belongs to the user.

    Returns:
        A warning for root; empty where no file belongs to another user.

    Raises:
        UsageError: it, or something in it, is a symbolic link or, unless we are root, another
            user's.
        OSError: it cannot be looked at.
    """
    copy = shlex.join(["cp", "-r", "-L", str(folder), "carried/runs/"])
    hint = (
        "If it is your run, copy it and use the copy's --state-dir: "
        f"`mkdir -p -m 700 carried/runs && {copy}`, then --state-dir carried."
    )
    owners = {_claim(folder, _FOLDER, hint)}
    for path in folder.iterdir():  # from here on only its owner can create files there
        owners.add(_claim(path, _FOLDER if path.is_dir() else _FILE, hint))
    others = sorted(owners - {os.geteuid(), _ROOT})
    if not others:
        return ""
    users = ", ".join(map(str, others))
    return f"{folder} belongs to another user ({users}), who decides what is done here as root"


def _claim(path: Path, mode: int, hint: str) -> int:
    """Makes it private, and returns its owner."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise UsageError(f"{path} is a symbolic link, which another user may have created", hint)
    if os.geteuid() not in (status.st_uid, _ROOT) and status.st_uid != _ROOT:
        raise UsageError(f"{path} belongs to another user ({status.st_uid})", hint)
    if status.st_mode & 0o777 & ~mode:
        with suppress(OSError):
            path.chmod(mode)
    return status.st_uid


def refuse_exposed(state_dir: Path) -> str:
    """Refuses a state folder in which another user can put another folder in a run's place.

    Returns:
        What to warn of instead (`exposure`): that root acts in a user's folder, or that a folder
        above this one is open. Only its owner knows whether that matters: a container has no
        other users.

    Raises:
        UsageError: another user owns it, or can write in it.
    """
    told = _exposed(state_dir)
    if not told:
        return exposure(state_dir)
    owner = state_dir.stat().st_uid
    if owner not in (os.geteuid(), _ROOT):
        if os.geteuid() == _ROOT:
            return exposure(state_dir)
        raise UsageError(f"{told}, {_SWAP}", "Use --state-dir with a folder of your own.")
    close = shlex.join(["chmod", "go-w", str(state_dir)])
    raise UsageError(
        f"{told}, {_SWAP}",
        f"Run `{close}`, or use another --state-dir: a new folder inside it is private.",
    )


def exposure(state_dir: Path) -> str:
    """Who else can replace a run's folder; empty where no other user can.

    A group that can write in a folder above this one does not count: many systems give each user a
    group of their own, and let it write.
    """
    told = _exposed(state_dir)
    folders = dict.fromkeys([*state_dir.parents, *state_dir.resolve().parents])
    above = (_exposed(folder, others=stat.S_IWOTH) for folder in folders)
    first = told or next(filter(None, above), "")
    return f"{first}, {_SWAP}" if first else ""


_SWAP = "and may replace a run's folder and so read its deploy log"


def _exposed(folder: Path, *, others: int = _OF_OTHERS) -> str:
    try:
        status = folder.stat()
    except OSError:
        return ""  # it is still to be made
    if status.st_uid not in (os.geteuid(), _ROOT):
        return f"{folder} belongs to another user ({status.st_uid}), who can write to it"
    if status.st_mode & others and not status.st_mode & stat.S_ISVTX:
        return f"others can write to {folder} (mode {stat.S_IMODE(status.st_mode):04o})"
    return ""


def read_trusted(path: Path, *, option: str = "--config") -> bytes:
    """Reads a file that names commands and endpoints, if no other user can have written it.

    ``option`` names the file on the command line.

    A folder where others can write lets them put another file there; in one with a sticky bit,
    such as /tmp, they cannot replace ours. Also root believes only itself.

    Raises:
        UsageError: it, or the folder that it is in, is another user's or open to others.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        _check_trust(path, os.fstat(file.fileno()), option)
        for folder in {path.absolute().parent, path.resolve().parent}:
            _check_trust(folder, folder.stat(), option)
        return file.read()


def _check_trust(path: Path, status: os.stat_result, option: str) -> None:
    where = path.absolute()
    if status.st_uid not in (os.geteuid(), _ROOT):
        raise UsageError(
            f"{where} belongs to another user ({status.st_uid}), who could choose the commands "
            "that run as you",
            f"Run `{shlex.join(['chown', str(os.geteuid()), str(where)])}` if you trust it, "
            f"or use another file with {option}.",
        )
    is_device = stat.S_ISCHR(status.st_mode)  # --config /dev/null
    is_sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & _OF_OTHERS and not is_sticky and not is_device:
        raise UsageError(
            f"others can write to {where} (mode {stat.S_IMODE(status.st_mode):04o}) and so "
            "choose the commands that run as you",
            f"Run `{shlex.join(['chmod', 'go-w', str(where)])}` if you trust it, "
            f"or use another file with {option}.",
        )
