"""Files and folders that are for nobody else: 0700 and 0600 whatever the umask.

What another user may have put in our way (a folder of theirs, a symbolic link) is refused: a run's
folder says which command `resume` joins and which records `restore` writes.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from route53_takeover.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600
_OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0


def open_file(path: Path, flags: int) -> int:
    """Opens a file, or makes it with mode 0600; a symbolic link is an error. Raises OSError."""
    handle = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE)
    with suppress(OSError):  # somebody else's file system may have no modes
        os.fchmod(handle, _FILE)
    return handle


def new_folder(path: Path) -> None:
    """Makes a folder of mode 0700. Raises OSError, also where it exists."""
    path.mkdir(mode=_FOLDER)
    with suppress(OSError):
        path.chmod(_FOLDER)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, each of mode 0700; one that exists is made private.

    Those above that exist are the user's, and are left as they are.

    Raises:
        UsageError: it is not ours.
        OSError: it cannot be made.
    """
    for folder in [*reversed(path.parents), path]:
        try:
            new_folder(folder)
        except OSError:
            if not folder.is_dir():
                raise
    _claim(path, _FOLDER, "Choose another --state-dir.")


def claim_run(folder: Path) -> None:
    """Makes sure that a run's folder is for nobody else, and that all in it is ours.

    Raises:
        UsageError: it, or something in it, is a symbolic link or another user's.
        OSError: it cannot be looked at.
    """
    hint = "If it is a run of yours, copy it to the folder runs/ of a state folder of yours."
    _claim(folder, _FOLDER, hint)
    for path in folder.iterdir():  # from here on nobody else can put anything there
        _claim(path, _FILE, hint)


def _claim(path: Path, mode: int, hint: str) -> None:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise UsageError(f"{path} is a symbolic link: somebody else may have put it there", hint)
    if status.st_uid not in (os.geteuid(), _ROOT):
        raise UsageError(f"{path} belongs to another user ({status.st_uid}) than you", hint)
    if status.st_mode & 0o777 & ~mode:
        with suppress(OSError):
            path.chmod(mode)


def exposure(state_dir: Path) -> str:
    """Who else can take a run's folder away; empty where nobody can.

    Nobody else can read or change a run in any case: its folder is ours alone.
    """
    try:
        status = state_dir.stat()
    except OSError:
        return ""
    if status.st_uid not in (os.geteuid(), _ROOT):
        return f"{state_dir} belongs to another user ({status.st_uid}), who can move runs away"
    if status.st_mode & _OF_OTHERS and not status.st_mode & stat.S_ISVTX:
        mode = stat.S_IMODE(status.st_mode)
        return f"others can write in {state_dir} (mode {mode:04o}) and so move runs away"
    return ""
