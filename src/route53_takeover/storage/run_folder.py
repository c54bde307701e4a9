"""A run's folder: where it is, and what is in it.

``STATE_DIR/runs/RUN/`` holds ``plan.json`` (the plan, and how to reach the account),
``backup.json`` (every record set as the API returned it) and the journal; the deploys put their
logs there. Folders are 0700, files 0600; what is written here is durable before anything relies on
it.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from route53_takeover.base import private_files
from route53_takeover.base.errors import DefectError, RefusedError, TakeoverError, UsageError
from route53_takeover.base.escaping import escape_control
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.plan.account_read import AccountRead
from route53_takeover.core.plan.model import Plan
from route53_takeover.core.status.snippets import command_line
from route53_takeover.core.switch.model import Swap, SwitchPlan
from route53_takeover.storage.config import Connection
from route53_takeover.storage.journal import is_held
from route53_takeover.storage.user_folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


FORMAT = 1
SWITCH_KIND = "switch"
"""What ``plan.json`` says of the run of a blue-green switch; of a takeover it says nothing."""
MEASUREMENT_KIND = "measurement"
"""The same of a measurement, whose files `storage.measurement_folder` has."""
_Saved = TypeVar("_Saved", "Saved", "SavedSwitch", "Backup", "SwitchBackup")


class _Kind(Struct, frozen=True):
    """What tells the kind of a run."""

    kind: str = ""


class SavedRun(Struct, frozen=True, kw_only=True):
    """``plan.json``: what `resume` and `restore` need of a run of any kind, besides credentials.

    Attributes:
        rehearsal: name of the scenario, where the account was a simulated one; `DRY_RUN` where that
            was made of a real one.
        simulated: the folder of a scenario's account, whose process answers there while it lives.
        cwd: where the deploy commands run.
        on_event: the command of ``--on-event``; empty: none.
        identity: ARN of the credentials that started it; empty in runs of earlier versions.
        program: version of the program that did.
    """

    format: int = FORMAT
    run: str
    begun: float
    connection: Connection
    cwd: str
    rehearsal: str | None = None
    simulated: str = ""
    on_event: str = ""
    identity: str = ""
    program: str = ""


class Saved(SavedRun, frozen=True, kw_only=True):
    """Of a takeover.

    Attributes:
        account: what was read, to rehearse the plan; ``None`` in runs of earlier versions.
    """

    plan: Plan
    account: AccountRead | None = None


class SavedSwitch(SavedRun, frozen=True, kw_only=True):
    """Of a blue-green switch; ``kind`` tells the two files apart."""

    kind: str = SWITCH_KIND
    plan: SwitchPlan


class Backup(Struct, frozen=True, kw_only=True):
    """``backup.json``: the record sets in the API's own shape, to the letter.

    ``absent``: record sets that did not exist and that the run may create for the meantime.
    ``soa``: the zone's SOA, where the run lowers its negative TTL.
    """

    format: int = FORMAT
    run: str
    zone_id: str
    zone_name: str
    records: list[dict[str, Any]]
    absent: list[str] = []
    soa: dict[str, Any] | None = None


class SwitchBackup(Struct, frozen=True, kw_only=True):
    """``backup.json`` of a switch: everything that it may change, as it was."""

    format: int = FORMAT
    run: str
    kind: str = SWITCH_KIND
    swaps: tuple[Swap, ...]


class RunFolder:
    """One run's folder, which exists."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def state_dir(self) -> Path:
        return self.path.parent.parent

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @property
    def log(self) -> Path:
        return self.path / "takeover.log"

    @property
    def control(self) -> Path:
        return self.path / "control.sock"

    def claim(self) -> str:
        """Checks, before the folder is used, that no other user wrote in it.

        Returns:
            What root has to be warned of: that it is another user's. Empty where there is nothing.

        Raises:
            UsageError: another user may have.
        """
        try:
            return private_files.claim_run(self.path)
        except OSError as error:
            raise UsageError(
                f"cannot read {self.path}: {error.strerror}",
                "Check --state-dir and its permissions.",
            ) from error

    def save_plan(self, saved: Saved | SavedSwitch) -> None:
        """Writes plan.json durably."""
        self._write("plan.json", msgspec.json.format(msgspec.json.encode(saved), indent=1))

    def save_backup(self, plan: Plan) -> None:
        """Writes backup.json durably, before the first write to AWS. Raises OSError."""
        backup = Backup(
            run=self.name,
            zone_id=plan.zone_id,
            zone_name=plan.zone_name,
            records=[manual.original.to_api() for manual in plan.manuals],
            absent=[str(key) for key in sorted(plan.added_keys, key=str)],
            soa=None if plan.soa is None else plan.soa.original.to_api(),
        )
        self._write("backup.json", msgspec.json.format(msgspec.json.encode(backup), indent=1))

    def save_switch_backup(self, plan: SwitchPlan) -> None:
        """The same for a switch: what leads to blue now. Raises OSError."""
        backup = SwitchBackup(run=self.name, swaps=plan.watched or plan.swaps)
        self._write("backup.json", msgspec.json.format(msgspec.json.encode(backup), indent=1))

    def discard(self) -> None:
        """Takes the folder of a run that never began away again."""
        with suppress(OSError):
            for path in self.path.iterdir():
                path.unlink()
            self.path.rmdir()

    def saved(self) -> Saved | SavedSwitch:
        """Reads plan.json.

        Raises:
            UsageError: it is not there or not ours.
            RefusedError: another version wrote it.
        """
        return self._read("plan.json", SavedSwitch) if self.is_switch else self.plan()

    def plan(self) -> Saved:
        """The same, of a takeover.

        Raises:
            RefusedError: it is a switch, or a measurement.
        """
        if kind := self.kind:
            see = "restore" if kind == MEASUREMENT_KIND else "report"
            raise RefusedError(
                f"{self.name} is a {kind}, not a takeover", f"See `{see} {self.name}`."
            )
        return self._read("plan.json", Saved)

    @property
    def is_switch(self) -> bool:
        """Whether the run is a blue-green switch; of a file that cannot be read it is not."""
        return self.kind == SWITCH_KIND

    @property
    def kind(self) -> str:
        """`SWITCH_KIND` or `MEASUREMENT_KIND`; empty for a takeover, or where that is not known."""
        with suppress(OSError, msgspec.MsgspecError, AttributeError):
            data = (self.path / "plan.json").read_bytes()
            return msgspec.json.decode(data, type=_Kind).kind
        return ""

    @property
    def rehearses(self) -> str:
        """The scenario; empty for a real run, or where that is not known."""
        with suppress(TakeoverError):
            return self.saved().rehearsal or ""
        return ""

    def backup(self) -> Backup:
        """Reads backup.json; raises like `plan`."""
        return self._read("backup.json", Backup)

    def switch_backup(self) -> SwitchBackup:
        """The same, of a switch."""
        return self._read("backup.json", SwitchBackup)

    def _write(self, name: str, data: bytes) -> None:
        private_files.write_durably(self.path / name, _readable(data) + b"\n")

    def _read(self, name: str, kind: type[_Saved]) -> _Saved:
        path = self.path / name
        try:
            data = path.read_bytes()
            version = msgspec.json.decode(data).get("format")
            if version != FORMAT:
                raise RefusedError(
                    f"{path} has format {version}; this program reads format {FORMAT}",
                    "Use the version of route53-takeover that started the run.",
                )
            return msgspec.json.decode(data, type=kind)
        except FileNotFoundError as error:
            raise UsageError(
                f"{path} does not exist: the run ended before it wrote anything to AWS",
                "A run writes it first. If the file was deleted, check the zone.",
            ) from error
        except OSError as error:
            raise UsageError(
                f"cannot read {path}: {error.strerror}", "Check --state-dir and its permissions."
            ) from error
        except (msgspec.MsgspecError, AttributeError) as error:
            raise UsageError(
                f"{path} is damaged: {error}",
                "Check the zone and the run's other files, which contain the records too.",
            ) from error


def create_run(state_dir: Path, stack: str, now: float) -> RunFolder:
    """Makes the folder of a new run; its name says when and what.

    Raises:
        UsageError: the state folder cannot be written.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    label = label_of(stack)
    runs = state_dir / "runs"
    try:
        private_files.make_folder(runs)
        for number in range(1, 100):
            suffix = "" if number == 1 else f"-{number}"
            path = runs / f"{stamp}-{label or 'stack'}{suffix}"
            try:
                private_files.new_folder(path)
            except FileExistsError:
                continue
            return RunFolder(path)
    except OSError as error:
        raise UsageError(
            f"cannot write the state folder {state_dir}: {error.strerror}",
            "Choose another with --state-dir.",
        ) from error
    raise UsageError(
        f"too many runs in {runs} started in this second",
        "Try again, or choose another folder with --state-dir.",
    )


def label_of(stack: str) -> str:
    """A stack's name or ARN as a part of a folder's name."""
    name = stack.rpartition(":stack/")[2].partition("/")[0]
    return re.sub(r"[^A-Za-z0-9-]+", "-", name)[:60]


def _readable(data: bytes) -> bytes:
    """The same JSON, safe to look at on any terminal."""
    return escape_control(data.decode(), keep="\n").encode()


def all_runs(state_dir: Path) -> Sequence[RunFolder]:
    """Every run, the oldest first."""
    runs = state_dir / "runs"
    try:
        return [RunFolder(path) for path in sorted(runs.iterdir()) if path.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"cannot read {runs}: {error.strerror}", "Check --state-dir.") from error


def line_for(state_dir: Path, verb: str, *words: str) -> str:
    """The line that does something with the runs kept there, from wherever it is typed."""
    return command_line(verb, *words, state_dir=named(state_dir))


def named(state_dir: Path) -> str:
    """What ``--state-dir`` must say for this folder; empty where each login of the user has it."""
    try:
        default = state_folder()
    except UsageError:  # there is none
        return str(state_dir)
    is_found = state_dir == default.path and not default.warning
    return "" if is_found else str(state_dir)


LAST = "last"
"""RUN that means the newest run."""


def find_run(state_dir: Path, name: str | None) -> RunFolder:
    """The run of this name, or of this unique prefix; of `LAST`, or without a name, the newest.

    Without a name one whose process lives comes first.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = matching_runs(state_dir, name)
    if not found and name in (None, LAST):
        raise UsageError(f"there are no runs in {state_dir}", "Check --state-dir.")
    if not found:
        raise UsageError(
            f"there is no run {name!r} in {state_dir}", f"See `{line_for(state_dir, 'runs')}`."
        )
    if name is None:
        return next((run for run in reversed(found) if is_held(run.journal)), found[-1])
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"{name!r} is the prefix of {len(found)} runs: {', '.join(r.name for r in found)}",
        "Give more of its name.",
    )


def matching_runs(state_dir: Path, name: str | None) -> Sequence[RunFolder]:
    """The runs that RUN may mean, the oldest first; all of them without a name."""
    runs = all_runs(state_dir)
    if name is None:
        return runs
    if exact := [run for run in runs if run.name == name]:
        return exact
    if name == LAST:
        return runs[-1:]
    return [run for run in runs if name and run.name.startswith(name)]


@contextmanager
def within(folder: RunFolder) -> Iterator[None]:
    """Lets every error that comes out of it tell which run it belongs to."""
    try:
        yield
    except TakeoverError as error:
        error.run = folder.name
        raise
    except Exception as error:
        raise DefectError(error, folder.name) from error


def originals(backup: Backup) -> list[RecordSet]:
    """The record sets of a backup."""
    return [RecordSet.from_api(shape) for shape in backup.records]
