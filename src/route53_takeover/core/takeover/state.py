"""What a run knows, folded from its events. Plain data: what to do about it is the machine's.

One state for the run, one for each name; `stack_state` has those of the stacks. Everything is
frozen; a new fact makes a new state (`route53_takeover.core.takeover.fold`).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import Change, RecordSet, conflict, display_name
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.model import Plan
from route53_takeover.core.takeover.commands import Request
from route53_takeover.core.takeover.events import Purpose, Switch
from route53_takeover.core.takeover.phases import LIVE, Phase
from route53_takeover.core.takeover.stack_state import StackState


class RecordStatus(StrEnum):
    """What became of one manual record set, by the last read or answer."""

    STANDING = "standing"  # it stands, as the run last read or wrote it
    RELEASED = "released"  # deleted, by us or another writer, and not replaced
    CREATED = "created"  # the desired record stands in its place, after a release
    ADOPTED = "adopted"  # CloudFormation made it its own without a release
    LOST = "lost"  # CloudFormation had it, and then it vanished: rolled back or cleaned up
    RESTORED = "restored"  # put back after a release
    CHANGED = "changed"  # another writer changed it: it is left alone


ABSENT_STAGES = frozenset({RecordStatus.RELEASED, RecordStatus.LOST})
_UNTOUCHED = frozenset({RecordStatus.STANDING, RecordStatus.CHANGED})
TAKEN_STAGES = frozenset({RecordStatus.CREATED, RecordStatus.ADOPTED})


class Cause(StrEnum):
    """Why a name was put back."""

    TAKEN_AWAY = "taken-away"  # CloudFormation had its record there, and it is gone again
    TURNED_BACK = "turned-back"  # the stack rolls back, or has failed
    NOT_CREATED = "not-created"  # the stack has ended without creating it
    FAILED = "failed"  # CloudFormation could not create it
    DEADMAN = "deadman"  # CloudFormation had not created it in time


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    RESTORED = "restored"
    FAILED = "failed"
    REFUSED = "refused"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


class Handover(Struct, frozen=True, kw_only=True):
    """One manual record set, and how far it is.

    Attributes:
        original: as in the backup.
        standing: what the run last read or wrote in its place; the DELETE repeats this.
        released_at: when the DELETE was accepted.
        back_at: when the name was first seen to have a record again after that.
        created_at: when CloudFormation's record was seen.
        restore_lost: a restore of it was sent whose answer was lost: it may have been applied.
        gone_at: since when it is gone again by no release of ours, as a read first showed.
        lost_seconds: how long it was gone so, all such times that are over.
    """

    original: RecordSet
    standing: RecordSet
    stage: RecordStatus = RecordStatus.STANDING
    released_at: float | None = None
    back_at: float | None = None
    created_at: float | None = None
    restored_at: float | None = None
    restore_lost: bool = False
    gone_at: float | None = None
    lost_seconds: float = 0.0

    @property
    def label(self) -> str:
        """Its name as it is shown; of a member of a routed group also which one it is."""
        key = self.original.key
        return str(key) if self.original.is_routed else display_name(key.name)


class Write(Struct, frozen=True, kw_only=True):
    """A batch on its way.

    Attributes:
        intended: whether its intent is durable; before that it certainly was not sent.
        unknown_since: since when its answer is known to be lost.
        present_since: since when reads after that show what it was to delete.
    """

    id: str
    purpose: Purpose
    changes: tuple[Change, ...]
    sent: float
    intended: bool = False
    unknown_since: float | None = None
    present_since: float | None = None


class Reading(Struct, frozen=True, kw_only=True):
    """The newest read of a name: when it began, when its answer came, and what it showed."""

    began: float
    told: float
    records: tuple[RecordSet, ...]
    protected: tuple[str, ...] = ()


class NameState(Struct, frozen=True, kw_only=True):
    """A name and its manual record sets.

    Attributes:
        seen: what the newest read showed, whatever this run has written since.
        not_before: no write earlier than this: backing off.
        attempts: writes held off in a row.
        unsynced: change id of the lowered TTL that is not INSYNC yet.
        synced_at: when the lowered TTL was (or must have been) INSYNC.
        failures: reads failed in a row; the next is not before ``read_after``.
        wrote_at: when the last write was settled; a read that began before it is stale.
        tried: why batches were ever sent for this name.
        refusals: writes of one purpose refused in a row; restores are not among them.
        restores_refused: restores refused in a row, ``restores_lost``: of unknown fate in a row.
        occupied_at: when the last restore was sent that was refused because a record stands there.
        deadman_at: when the record is put back if CloudFormation has not created one.
        extended: seconds by which the operator extended the deadman of this gap.
        hold_cut_at: when the operator asked for the release without the rest of the hold.
        confirmed_at: when the operator confirmed the release.
        restoring: it is being put back, or was: it is not released again in this run, not even
            in a new operation of the same deploy: what failed once is for the operator to judge.
        cause: why; ``None`` also where the operator asked for it.
        given_up: why this name is not released.
        answers: name server -> what it answered last.
        answered: name servers that answered before the release: those that must again.
        silent_since: name server -> since when it has not answered after the release.
        silences: name server -> its longest silence after the release, in seconds.
    """

    name: str
    handovers: tuple[Handover, ...]
    read: Reading | None = None
    seen: tuple[RecordSet, ...] = ()
    failures: int = 0
    read_after: float = 0.0
    write: Write | None = None
    wrote_at: float = 0.0
    tried: frozenset[Purpose] = frozenset()
    not_before: float = 0.0
    attempts: int = 0
    refusals: int = 0
    restores_refused: int = 0
    restores_lost: int = 0
    occupied_at: float = 0.0
    unsynced: str | None = None
    synced_at: float | None = None
    proven: bool = False
    deadman_at: float | None = None
    extended: float = 0.0
    hold_cut_at: float = 0.0
    confirmed_at: float = 0.0
    restoring: bool = False
    cause: Cause | None = None
    given_up: str = ""
    answers: dict[str, str] = {}
    answered: frozenset[str] = frozenset()
    silent_since: dict[str, float] = {}
    silences: dict[str, float] = {}

    @property
    def agreed_at(self) -> float:
        """When the operator last asked for the release, by confirming it or by cutting the hold."""
        return max(self.confirmed_at, self.hold_cut_at)

    @property
    def was_released(self) -> bool:
        """Whether a release of ours was accepted here."""
        return any(h.released_at is not None for h in self.handovers)

    @property
    def worst_silence(self) -> float | None:
        """Seconds: of the name server that was longest without an answer; ``None`` unprobed."""
        if not self.answered:
            return None
        return round(max(self.silences.values(), default=0.0), 3)

    @property
    def is_absent(self) -> bool:
        """Whether a manual record set is gone and nothing stands in its place."""
        for handover in self.handovers:  # noqa: SIM110 -- asked ten times a step
            if handover.stage in ABSENT_STAGES:
                return True
        return False

    def occupants(self, record: RecordSet) -> tuple[RecordSet, ...]:
        """What the last read showed in the place of this record set."""
        if self.read is None:
            return ()
        return tuple(r for r in self.read.records if conflict(r, record))


class Deploy(Struct, frozen=True, kw_only=True):
    """One of the two deploy commands. ``exited`` with code ``None``: its exit code is unknown."""

    intended_at: float
    exited_at: float | None = None
    code: int | None = None
    tail: str = ""
    timed_out: bool = False


class Stop(Struct, frozen=True):
    """A request to stop: a signal, or the operator's abort."""

    signal: str = ""

    @property
    def is_abort(self) -> bool:
        """Whether the operator asked for it, and not a signal."""
        return not self.signal

    def __str__(self) -> str:
        return self.signal or "abort"


class Ending(Struct, frozen=True, kw_only=True):
    """How the run ended, and the one line that says why.

    Attributes:
        phase: which one it ended from.
        resumable: whether a `resume` could do anything about it; only asked where it is unknown.
    """

    phase: Phase
    outcome: Outcome
    exit_code: ExitCode
    reason: str
    resumable: bool = True


class State(Struct, frozen=True, kw_only=True):
    """Everything a run knows.

    Attributes:
        now: time of the newest event.
        wake_at: when the machine wants a `TimePassed`.
        lag: how long calls that read take now, in seconds, the wait for their turn included.
        awake_since: since when the process has run without a stop.
        baseline: for which switch the baseline was read last, if any.
        in_flight: what was asked for and not answered yet, of that asked for once at a time.
        failures: how often in a row the stack tree could not be read.
        unlisted: how often in a row a stack's list of resources could not.
        news_at: when a stack, a deploy or a name last moved.
        writes: how many batches were ever asked for; their ids are derived from it.
        resumes: how often the run was resumed; ``resumed_at``: when it was last.
        paused: the operator has paused it; see `is_paused`.
        interrupts: the requests to stop: what began each of them.
        interrupted_at: when the first of them began.
        given_up: why no further step is taken towards the takeover.
        journal_lost: why the journal cannot be written any more.
        verifying_since: when the last look at everything began.
    """

    run: str
    plan: Plan
    phase: Phase
    phase_since: float
    now: float
    names: dict[str, NameState]
    root: StackDescription
    stacks: dict[str, StackState] = {}
    wake_at: float | None = None
    lag: float = 0.0
    awake_since: float = 0.0
    backed_up: bool = False
    baseline: Switch | None = None
    baseline_at: float = 0.0
    deploys: dict[Switch, Deploy] = {}
    in_flight: frozenset[Request] = frozenset()
    described: StackDescription | None = None
    described_began: float = 0.0
    failures: int = 0
    unlisted: int = 0
    not_before: float = 0.0
    news_at: float = 0.0
    writes: int = 0
    resumes: int = 0
    resumed_at: float = 0.0
    paused: bool = False
    interrupts: tuple[Stop, ...] = ()
    interrupted_at: float = 0.0
    given_up: str = ""
    backup_failed: bool = False
    journal_lost: str = ""
    verifying_since: float | None = None
    ending: Ending | None = None

    @property
    def has_stopped(self) -> bool:
        """Whether nothing is done towards the takeover any more, but to guard and to undo."""
        stopped = self.interrupts and not self.ever_released
        given_up = stopped or self.given_up or self.journal_lost
        return bool(given_up) or self.phase in (Phase.RESTORE, Phase.ENDED)

    @property
    def is_early(self) -> bool:
        """Whether it is in a phase before the names are tended."""
        return self.phase not in LIVE and self.phase not in (Phase.VERIFY, Phase.ENDED)

    @property
    def is_paused(self) -> bool:
        """Whether a pause keeps it from its next step.

        It does not any more once something was released, by whomever: the stack can only succeed
        as a whole, and without the other names takes the first one back.
        """
        return self.paused and not self.has_stopped and (self.is_early or not self.ever_released)

    @property
    def settled_at(self) -> float:
        """When things were last seen to be at rest: what is listed since is the outcome."""
        return max(self.described_began, self.baseline_at)

    @property
    def root_stack(self) -> StackState | None:
        """The root's state since the baseline; ``None`` until it was seen."""
        return self.stacks.get(self.root.stack_id)

    @property
    def handovers(self) -> tuple[Handover, ...]:
        """Every manual record set of every name."""
        return tuple([h for name in self.names.values() for h in name.handovers])

    @property
    def missing(self) -> tuple[Handover, ...]:
        """Those whose record set is gone, with nothing in its place."""
        return tuple([h for h in self.handovers if h.stage in ABSENT_STAGES])

    @property
    def ever_released(self) -> bool:
        """Whether a record set was released, or may have been."""
        for name in self.names.values():
            if name.write is not None and name.write.purpose is Purpose.RELEASE:
                return True
            for handover in name.handovers:
                if handover.released_at is not None or handover.stage not in _UNTOUCHED:
                    return True
        return False
