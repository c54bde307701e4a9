"""Runs that earlier versions recorded, and simulated accounts in the state that those runs left.

Owns where the files are, and copies of them for another account. It never writes to `tests/data`:
those files stay as the earlier version wrote them.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from route53_takeover.core.takeover import events as ev
from route53_takeover.simulation.aws.route53.zones import ZoneError
from route53_takeover.simulation.chaos.transport import TAKEOVER
from route53_takeover.storage.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.cli.program import Program

    from route53_takeover.core.domain.stacks import StackEvent
    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.aws.cloudformation.state import StackEventRow

DATA = Path(__file__).parent / "data"
JOURNALS = DATA / "journals" / "v1"
RUN_FOLDERS = DATA / "run_folders" / "0.1"
_SUFFIX = re.compile(r"-[A-Z0-9]{12}$")
"""What CloudFormation adds to the name of a nested stack."""
_EPOCH = 1_000_000_000
"""A journal's numbers above it are times."""


def journal_names() -> list[str]:
    return sorted(path.name.partition(".")[0] for path in JOURNALS.glob("*.jsonl.gz"))


def journal_data(name: str) -> bytes:
    """A frozen journal, as it was written."""
    return gzip.decompress((JOURNALS / f"{name}.jsonl.gz").read_bytes())


def placed(program: Program, name: str) -> RunFolder:
    """A copy of the folder in the program's state folder, with the modes that it had."""
    saved = json.loads((RUN_FOLDERS / name / "plan.json").read_text())
    path = program.state / "runs" / saved["run"]
    shutil.copytree(RUN_FOLDERS / name, path)
    for folder in (program.state, path.parent, path):
        folder.chmod(0o700)
    for file in path.iterdir():
        file.chmod(0o600)
    return RunFolder(path)


def resealed(data: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """A journal with events that were changed, and the checksums that fit them."""
    events = (change(json.loads(line)["event"]) for line in data.splitlines())
    bodies = (json.dumps(event, separators=(",", ":")).encode() for event in events)
    return b"".join(_line(seq, body) for seq, body in enumerate(bodies, start=1))


class Replay:
    """Leads a simulated account to where a recorded run left its own.

    The recorded deploys and writes are made in it at their recorded times. Its stacks and events
    have other ids than the recorded account's; they are matched by name, status and order.

    Args:
        pace: how many seconds of the account pass in one of the journal.
        starts_now: the journal's first event happens at the account's present; else at its own
            time.
    """

    def __init__(
        self, account: SimulatedAccount, *, pace: float = 1.0, starts_now: bool = False
    ) -> None:
        self._account = account
        self._pace = pace
        self._start = account.timeline.now if starts_now else None
        self._first: float | None = None
        self._zone_id = account.zone.zone_id
        self._intended: dict[str, ev.WriteIntended] = {}
        self._used: set[str] = set()
        self.ids: dict[str, str] = {}

    def take(self, event: ev.AnyEvent) -> None:
        """Lets the account come to the time of this event, and does what the run did."""
        account = self._account
        if self._first is None:
            self._first = event.time
            self._start = self._start or event.time
        account.timeline.advance((self._start or 0.0) + (event.time - self._first) * self._pace)
        match event:
            case ev.DeployIntended(switch=switch):
                account.start_deploy(switch)
            case ev.WriteIntended():
                self._intended[event.id] = event
            case ev.WriteAccepted() | ev.WriteUnknown():
                self._write(self._intended[event.id], is_known=isinstance(event, ev.WriteAccepted))
            case ev.BaselineRead(newest=newest):
                for stack_id, mark in newest.items():
                    self._match_baseline(stack_id, mark)
            case ev.StackPolled(events=events):
                for reported in events:
                    self._match(reported)
            case _:
                pass

    def _write(self, intent: ev.WriteIntended, *, is_known: bool) -> None:
        changes = [(change.action, change.record) for change in intent.changes]
        try:
            self._account.zones.change(
                self._zone_id, changes, by=TAKEOVER, comment=f"route53-takeover {intent.id}"
            )
        except ZoneError:
            if is_known:
                raise

    def _rows(self, recorded: str) -> Sequence[StackEventRow]:
        """The events of the stack that has the same name as the recorded one, oldest first."""
        for stack in self._account.stacks.all():
            if _name(stack.stack_id) == _name(recorded):
                self.ids[recorded] = stack.stack_id
                return list(self._account.stacks.events(stack.stack_id))[::-1]
        return []

    def _match_baseline(self, stack_id: str, mark: str) -> None:
        rows = self._rows(stack_id)
        if rows and mark not in self.ids:
            self.ids[mark] = rows[-1].event_id
        self._used.update(row.event_id for row in rows)

    def _match(self, reported: StackEvent) -> None:
        for row in self._rows(reported.stack_id):
            is_it = (row.logical_id, row.status) == (reported.logical_id, reported.status) or (
                row.physical_id == row.stack_id
                and reported.physical_id == reported.stack_id
                and row.status == reported.status
            )
            if is_it and row.event_id not in self._used and reported.event_id not in self.ids:
                self._used.add(row.event_id)
                self.ids[reported.event_id] = row.event_id
                return

    def journal(self, data: bytes, *, later: float = 0.0) -> bytes:
        """A copy of the run's journal with the account's ids, and so many seconds later."""
        bodies = (
            json.dumps(_moved(json.loads(line)["event"], self.ids, later), separators=(",", ":"))
            for line in data.splitlines()
        )
        return b"".join(_line(seq, body.encode()) for seq, body in enumerate(bodies, start=1))


def _name(stack_id: str) -> str:
    """A stack's name without what was drawn."""
    return _SUFFIX.sub("", stack_id.rpartition(":stack/")[2].partition("/")[0])


def _moved(value: Any, ids: Mapping[str, str], later: float) -> Any:
    if isinstance(value, dict):
        return {ids.get(k, k): _moved(v, ids, later) for k, v in value.items()}
    if isinstance(value, list):
        return [_moved(item, ids, later) for item in value]
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, float) and value > _EPOCH:
        return value + later
    return value


def _line(seq: int, body: bytes) -> bytes:
    """A journal line of format 1."""
    checksum = b"%08x" % zlib.crc32(b"%d:%s" % (seq, body))
    return b'{"v":1,"seq":%d,"sum":"%s","event":%s}\n' % (seq, checksum, body)
