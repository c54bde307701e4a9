"""Where a run stands and what the operator has to do about it, for the list of runs and the report.

A run's journal does not show whether its process lives, nor that `restore` put everything back
later: the caller says so.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.core.endings import Outcome
from route53_takeover.core.takeover.absence import lack
from route53_takeover.core.takeover.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from route53_takeover.core.status.any_run import RunState
    from route53_takeover.core.status.snapshot import RecordView, Snapshot


class Standing(StrEnum):
    """Where a run stands. The outcomes are those of `route53_takeover.core.endings`."""

    RUNNING = "running"
    YOUR_TURN = "your-turn"
    PAUSED = "paused"
    DIED = "died"  # it has not ended, and no process works on it
    DONE = "done"
    RESTORED = "restored"
    FAILED = "failed"
    ABORTED = "aborted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NEVER_STARTED = "never-started"
    UNREADABLE = "unreadable"


class Need(StrEnum):
    """What the operator has to do."""

    RESUME = "resume"
    RESTORE = "restore"
    YOUR_TURN = "your-turn"
    LOOK = "look"


STANDING_WORDS = {
    Standing.YOUR_TURN: "your turn",
    Standing.DIED: "DIED",
    Standing.NEVER_STARTED: "never started",
}
"""How a standing is shown, where that is not its value."""


class LaterRestore(Struct, frozen=True, kw_only=True):
    """What `restore` did after, or without, the run's process.

    Attributes:
        time: when it was about to send this, or had ended.
        changes: as they were sent, a line each; empty of one that only says how it ended.
        outcome: how the command ended; empty where it only says what it was about to send.
        reason: of the outcome.
    """

    time: float
    changes: tuple[str, ...] = ()
    outcome: str = ""
    reason: str = ""


class Missing(Struct, frozen=True, kw_only=True):
    """A name that has no record, or may have none.

    Attributes:
        is_certain: whether Route 53 has said that the record is gone.
        answers: that the name still answers from others; empty where it does not.
        until: when the run's process restores it at the latest; ``None``: it does so now, or no
            process will.
    """

    name: str
    is_certain: bool = True
    answers: str = ""
    until: float | None = None

    def __str__(self) -> str:
        if self.answers:
            return f"{self.name} is missing; {self.answers}"
        return f"{self.name} {'has' if self.is_certain else 'may have'} NO RECORD"


class RunStatus(Struct, frozen=True, kw_only=True):
    """Where a run stands.

    Attributes:
        alive: whether a process works on it.
        needs: what the operator has to do; ``None``: nothing.
        why: what that is about, in a sentence; empty where nothing is needed.
        missing: the names without a record.
        gap: the longest time that a name had no record, in seconds; ``None``: it had one.
        is_gap_open: whether that goes on.
        unwatched: seconds of it in which no process read the name: it lasted that long at most.
        restored_at: when `restore` put everything back after the run's process.
    """

    standing: Standing
    alive: bool = False
    needs: Need | None = None
    why: str = ""
    missing: tuple[Missing, ...] = ()
    gap: float | None = None
    is_gap_open: bool = False
    unwatched: float = 0.0
    restored_at: float | None = None

    @property
    def words(self) -> str:
        """``DIED - resume``, ``done``, ``your turn``."""
        words = STANDING_WORDS.get(self.standing, str(self.standing))
        is_named = self.needs in (Need.RESUME, Need.RESTORE)
        return f"{words} - {self.needs}" if is_named else words


class ListedRun(Struct, frozen=True, kw_only=True):
    """A run in the list of runs.

    Attributes:
        name: of its folder.
        began: when it did; ``None`` where its plan cannot be read.
        rehearsal: the scenario; empty for a real run.
        names: the records of a takeover, or what a switch switches.
        reason: why it ended so, or why it cannot be read.
        ended: when it did; ``None`` where it has not.
    """

    name: str
    status: RunStatus
    began: float | None = None
    rehearsal: str = ""
    is_switch: bool = False
    stack: str = ""
    names: tuple[str, ...] = ()
    phase: str | None = None
    outcome: str | None = None
    reason: str = ""
    ended: float | None = None


def run_status(
    state: RunState,
    shown: Snapshot,
    *,
    alive: bool,
    restores: Sequence[LaterRestore] = (),
    has_account: bool = True,
) -> RunStatus:
    """Where the run stands.

    Args:
        shown: the run at the time for which this is asked.
        alive: whether a process works on it.
        restores: what `restore` did.
        has_account: whether the account is still there: that of a rehearsal ends with it.
    """
    worst = max((r for r in shown.records if r.gap is not None), key=_gap, default=None)
    missing = tuple(_missing(state, shown, alive=alive))
    if not has_account and not alive:  # a rehearsal's, which no longer exists
        missing = ()
    ended = state.ending
    back = restored_at(restores, state.now)
    common: dict[str, Any] = {"alive": alive, "missing": missing}
    if worst is not None:
        common |= {"gap": worst.gap, "unwatched": worst.unwatched}
    if ended is not None and (ended.outcome is not Outcome.UNKNOWN or not has_account):
        return RunStatus(standing=Standing(str(ended.outcome)), **common)
    if back is not None and not alive:
        common["missing"] = ()
        return RunStatus(standing=Standing.RESTORED, restored_at=back, **common)
    if ended is not None:
        look = Need.RESTORE if missing else Need.LOOK
        return RunStatus(standing=Standing.UNKNOWN, needs=look, why=shown.needs_person, **common)
    common["is_gap_open"] = any(not each.answers for each in missing)
    if not alive:
        if not has_account:
            return RunStatus(standing=Standing.DIED, **common | {"is_gap_open": False})
        return RunStatus(
            standing=Standing.DIED, needs=Need.RESUME, why=_why_resume(missing, shown), **common
        )
    if shown.paused:
        standing = Standing.PAUSED
    else:
        standing = Standing.YOUR_TURN if shown.needs_person else Standing.RUNNING
    needs = Need.YOUR_TURN if shown.needs_person else None
    return RunStatus(standing=standing, needs=needs, why=shown.needs_person, **common)


def _gap(record: RecordView) -> float:
    return record.gap or 0.0


def _missing(state: RunState, shown: Snapshot, *, alive: bool) -> Iterator[Missing]:
    """By the snapshot while the run goes on; once it has ended, by what it knew last."""
    if not isinstance(state, State):
        return
    if state.ending is None:
        for each in shown.absences:
            yield Missing(
                name=each.name,
                is_certain=each.is_certain,
                answers=each.answers,
                until=each.until if alive else None,
            )
        return
    for name in state.names.values():
        if name.is_absent:
            found = lack(name)
            yield Missing(name=found.what, answers=found.answers)


def _why_resume(missing: Sequence[Missing], shown: Snapshot) -> str:
    if not missing:
        left = shown.words.dead if shown.swaps else "what it has changed is not undone"
        return f"Its process died in phase {shown.phase}; {left}."
    told = "; ".join(map(str, missing))
    if shown.cloud_rescues:
        rescue = shown.cloud_rescues[0].text.partition(", ")[2]
        return f"Its process died: {told}; {rescue}."
    return f"Its process died: {told}, and no process will restore it."


def restored_at(restores: Sequence[LaterRestore], ended: float) -> float | None:
    """When the newest `restore` ended, if that was after the run and with everything back."""
    outcomes = [each for each in restores if each.outcome and each.time >= ended]
    if not outcomes or outcomes[-1].outcome != Outcome.DONE:
        return None
    return outcomes[-1].time
