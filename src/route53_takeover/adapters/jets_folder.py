"""Reading the files of a Ruby on Jets app. It never writes, and nothing of the app is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import UsageError
from route53_takeover.core.plan.jets.ruby_config import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LOCK = "Gemfile.lock"
_LARGEST_LOCK = 4_000_000


def reader(folder: Path) -> Callable[[str], str | None]:
    """A function that reads a file of the app by its path in it; ``None`` where there is none.

    Raises:
        UsageError: the folder does not exist. The function raises it for a file that cannot be
            read, or that is too long to be what it should be.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "Check --jets DIR.")

    def read(path: str) -> str | None:
        file = folder / path
        most = _LARGEST_LOCK if path == _LOCK else LONGEST
        try:
            if not file.is_file():
                return None
            with file.open("rb") as opened:
                found = opened.read(most + 1)
        except OSError as error:
            raise UsageError(
                f"cannot read {file}: {error.strerror}", "Check --jets DIR."
            ) from error
        if len(found) > most:
            raise UsageError(
                f"{file} is longer than {most} bytes and is not read",
                "Give --stack and --deploy instead of --jets.",
            )
        return found.decode("utf-8", errors="replace")

    return read
