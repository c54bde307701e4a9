"""The run folder of a measurement: its ``plan.json``, and ``writes.jsonl``.

``writes.jsonl`` has a line for each write, durable before it is sent. It is locked as long as the
measurement's process lives. `restore` needs ``plan.json`` alone: it names the zone, and the run's
name is in every name and in the stack's.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING, Any, Self

import msgspec

from route53_takeover.base import private_files
from route53_takeover.base.errors import RefusedError, UsageError
from route53_takeover.core.measuring.scope import Scope
from route53_takeover.core.plan.measured import RecordKind  # noqa: TC001 -- msgspec reads it
from route53_takeover.storage.run_folder import FORMAT, MEASUREMENT_KIND, SavedRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from route53_takeover.storage.run_folder import RunFolder

_ENDED = "ended"


class SavedMeasurement(SavedRun, frozen=True, kw_only=True):
    """``plan.json`` of a measurement; ``kind`` tells it from other runs'."""

    kind: str = MEASUREMENT_KIND
    account: str
    zone_id: str
    zone_name: str
    kinds: tuple[RecordKind, ...]
    protections: bool = False

    @property
    def scope(self) -> Scope:
        """All that it may write."""
        return Scope(run=self.run, zone_id=self.zone_id, zone_name=self.zone_name)


def save_measurement_plan(folder: RunFolder, saved: SavedMeasurement) -> None:
    """Writes plan.json durably. Raises OSError."""
    data = msgspec.json.format(msgspec.json.encode(saved), indent=1)
    private_files.write_durably(folder.path / "plan.json", data + b"\n")


def read_measurement_plan(folder: RunFolder) -> SavedMeasurement:
    """Reads plan.json.

    Raises:
        UsageError: it is damaged, or another version's.
    """
    path = folder.path / "plan.json"
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=SavedMeasurement)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", "Check the zone for its names."
        ) from error
    if saved.format != FORMAT:
        raise UsageError(
            f"{path} has format {saved.format}; this program reads format {FORMAT}",
            "Use the version of route53-takeover that started the run.",
        )
    return saved


class MeasurementLedger:
    """``writes.jsonl``, locked while it is open.

    Args:
        now: the time of a line, in seconds since the epoch.

    Raises:
        RefusedError: the measurement's process lives.
        UsageError: it cannot be written.
    """

    def __init__(self, folder: RunFolder, now: Callable[[], float]) -> None:
        path, self._now = writes_path(folder), now
        try:
            self._file = private_files.open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        except OSError as error:
            raise UsageError(
                f"cannot write {path}: {error.strerror}", "Check --state-dir and its permissions."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise RefusedError(
                f"the measurement {folder.name} is under way in another process",
                "Stop that with Ctrl-C: it removes what it created.",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def intend(self, what: str, **details: Any) -> None:  # noqa: ANN401 -- whatever JSON can hold
        """Makes a write durable before it is sent. Raises OSError."""
        line = {"time": round(self._now(), 3), "write": what, **details}
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fsync(self._file)

    def ended(self, outcome: str, reason: str) -> None:
        """Adds how it ended."""
        self.intend(_ENDED, outcome=outcome, reason=reason)


def is_measurement(folder: RunFolder) -> bool:
    """Whether the run is a measurement."""
    return folder.kind == MEASUREMENT_KIND


def refuse_measurement(folder: RunFolder) -> None:
    """Raises where it is one: only `runs` and `restore` know those."""
    if is_measurement(folder):
        raise RefusedError(
            f"{folder.name} is a measurement, which has no screen, report or resume",
            f"`restore {folder.name}` removes what it has left.",
        )


def writes_path(folder: RunFolder) -> Path:
    return folder.path / "writes.jsonl"


def how_it_ended(folder: RunFolder) -> tuple[str, str] | None:
    """Outcome and reason of the last process that worked on it; ``None`` where none ended it."""
    try:
        lines = writes_path(folder).read_bytes().splitlines()
        last = json.loads(lines[-1])
        return (last["outcome"], last["reason"]) if last["write"] == _ENDED else None
    except (OSError, ValueError, IndexError, KeyError, TypeError):
        return None
