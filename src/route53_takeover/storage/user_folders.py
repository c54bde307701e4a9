"""Where this user's files are on this machine: state, settings, what lasts until a reboot.

A container or a service may give a process a number that no account has, and no ``HOME``. Then the
runtime folder keeps the runs, or the user has to say where. Makes nothing; reads the environment.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import platformdirs

from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_PROGRAM = "route53-takeover"
_NOWHERE = Path("/nonexistent")
"""The home that Debian gives users who have none."""


class StateFolder(NamedTuple):
    """Where runs are kept unless ``--state-dir`` says so; ``warning``: what that means."""

    path: Path
    warning: str = ""


def state_folder() -> StateFolder:
    """The user's state folder; without a home the runtime folder, which does not outlive a reboot.

    Raises:
        UsageError: there is neither.
    """
    if path := _unless_homeless(platformdirs.user_state_path):
        return StateFolder(path)
    if runtime := runtime_folder():
        path = runtime / _PROGRAM
        return StateFolder(
            path,
            f"this user has no home folder: runs are kept in {path}, which is lost at "
            "reboot; choose another folder with --state-dir",
        )
    raise UsageError(
        f"this user ({os.geteuid()}) has no home folder to keep runs in",
        "Use --state-dir, or set HOME or XDG_STATE_HOME.",
    )


def config_folder() -> Path:
    """The user's settings; without a home a folder that cannot be made."""
    path = _unless_homeless(platformdirs.user_config_path)
    return path or (runtime_folder() or _NOWHERE) / _PROGRAM


def runtime_folder() -> Path | None:
    """The folder of this user that the system empties at a reboot; ``None`` where there is none.

    ``XDG_RUNTIME_DIR`` may be another user's, whose environment ``su`` or ``sudo`` kept.
    """
    own = Path("/run/user") / str(os.geteuid())
    named = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return next((path for path in (named, own) if _is_ours_alone(path)), None)


def lock_folders() -> tuple[Path, ...]:
    """Where runs of this user meet, whatever their state folders; none of them may be there yet."""
    runtime = runtime_folder()
    folders = [runtime / _PROGRAM / "locks"] if runtime else []
    with suppress(OSError):  # no folder for temporary files can be written
        folders.append(Path(tempfile.gettempdir()) / f"{_PROGRAM}-{os.geteuid()}")
    return tuple(folders)


def _is_ours_alone(path: Path) -> bool:
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return False
    is_closed = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    is_ours = status.st_uid == os.geteuid() and is_closed
    return path.is_absolute() and stat.S_ISDIR(status.st_mode) and is_ours


def _unless_homeless(folder: Callable[[str], Path]) -> Path | None:
    try:
        path = folder(_PROGRAM)
    except RuntimeError:
        return None
    return path if path.is_absolute() else None
