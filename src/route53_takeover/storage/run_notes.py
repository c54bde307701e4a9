"""What a run's folder holds besides plan, backup and journal: how commands ended, later restores.

One JSON object a line in ``ends.jsonl`` and ``restores.jsonl``. No decision of a run depends on
either: a file that is missing or damaged is read as far as it goes.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from route53_takeover.base import private_files
from route53_takeover.base.escaping import escape_control
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.status.run_status import LaterRestore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from route53_takeover.core.domain.record_sets import Change
    from route53_takeover.core.status.result import Result
    from route53_takeover.core.switch.model import Swap, SwapReading
    from route53_takeover.storage.run_folder import RunFolder

ENDS, RESTORES = "ends.jsonl", "restores.jsonl"
RUN, RESTORE = "run", "restore"
"""The commands whose ends are kept."""


def save_end(folder: RunFolder, time: float, command: str, ended: Result) -> None:
    """Adds how a process of the run, or a `restore`, has ended, and which calls it made."""
    line = {
        "time": _text(time),
        "command": command,
        "outcome": ended.outcome,
        "reason": ended.reason,
        "api_calls": dict(ended.api_calls or {}),
    }
    with suppress(OSError):
        _add(folder.path / ENDS, line)


def save_restore(folder: RunFolder, time: float, changes: Sequence[Change]) -> None:
    """Adds, durably, what `restore` is about to change. Raises OSError."""
    line = {
        "time": _text(time),
        "changes": [{"action": c.action, "record": c.record.to_api()} for c in changes],
    }
    _add(folder.path / RESTORES, line)


def save_switch_restore(folder: RunFolder, time: float, swap: Swap, found: SwapReading) -> None:
    """The same of a switch: what stands where it is about to be led back. Raises OSError."""
    line = {
        "time": _text(time),
        "swap": swap.id,
        "found": msgspec.to_builtins(found),
        "to": swap.before,
    }
    _add(folder.path / RESTORES, line)


def _add(path: Path, line: dict[str, Any]) -> None:
    data = escape_control(msgspec.json.encode(line).decode()).encode()
    private_files.add_line_durably(path, data)


def read_calls(folder: RunFolder) -> Mapping[str, int] | None:
    """How often each API was called, by the run's processes that ended; ``None``: not known."""
    total: Counter[str] = Counter()
    is_known = False
    for line in _lines(folder.path / ENDS):
        with suppress(KeyError, AttributeError, TypeError, ValueError):
            total.update({str(name): int(count) for name, count in line["api_calls"].items()})
            is_known = True
    return dict(sorted(total.items())) if is_known else None


def read_restores(folder: RunFolder) -> tuple[LaterRestore, ...]:
    """What `restore` did, the oldest first: what it sent, and how it ended."""
    sent = [_restore(line) for line in _lines(folder.path / RESTORES)]
    ends = [_restore(line) for line in _lines(folder.path / ENDS) if line.get("command") == RESTORE]
    found = [each for each in (*sent, *ends) if each is not None]
    return tuple(sorted(found, key=lambda each: each.time))


def _restore(line: dict[str, Any]) -> LaterRestore | None:
    with suppress(KeyError, AttributeError, TypeError, ValueError):
        return LaterRestore(
            time=datetime.fromisoformat(line["time"]).timestamp(),
            changes=tuple(_changes(line)),
            outcome=str(line.get("outcome", "")),
            reason=str(line.get("reason", "")),
        )
    return None


def _changes(line: dict[str, Any]) -> Iterator[str]:
    for each in line.get("changes", ()):
        yield f"{each['action']} {RecordSet.from_api(each['record']).describe()}"
    if "swap" in line:
        yield f"{line['swap']} -> {line['to']}"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        with suppress(ValueError):
            read = json.loads(line)
            if isinstance(read, dict):
                yield read


def _text(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")
