"""What a run knows of one name, folded from its events: record sets, reads, writes, helpers.

Plain data: what to do about it is the machine's. The state of the whole run is in
`route53_takeover.core.takeover.state`.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from route53_takeover.core.domain.record_sets import Change, RecordSet, conflict, display_name
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.timing import PATIENCE


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
UNTOUCHED_STAGES = frozenset({RecordStatus.STANDING, RecordStatus.CHANGED})
TAKEN_STAGES = frozenset({RecordStatus.CREATED, RecordStatus.ADOPTED})


class Cause(StrEnum):
    """Why a name was put back."""

    TAKEN_AWAY = "taken-away"  # CloudFormation had its record there, and it is gone again
    TURNED_BACK = "turned-back"  # the stack rolls back, or has failed
    NOT_CREATED = "not-created"  # the stack has ended without creating it
    FAILED = "failed"  # CloudFormation could not create it
    DEADMAN = "deadman"  # CloudFormation had not created it in time


class Handover(Struct, frozen=True, kw_only=True):
    """One manual record set, and how far it is.

    Attributes:
        original: as in the backup.
        standing: what the run last read or wrote in its place; the DELETE repeats this.
        released_at: when the DELETE was accepted.
        is_covered: helper records answered when it was; ``uncovered_at``: when they were gone.
        back_at: when the name was first seen to have a record again after that.
        created_at: when CloudFormation's record was seen.
        restore_lost: a restore of it was sent whose answer was lost: it may have been applied.
        gone_at: since when it is gone again by no release of ours, as a read first showed.
        lost_seconds: how long it was gone so, all such times that are over.
        steps_done: steps of weight of the manual member; ``weighed_at``: when the last one was.
        removed_at: when the manual member was deleted, the stack's standing beside it.
    """

    original: RecordSet
    standing: RecordSet
    stage: RecordStatus = RecordStatus.STANDING
    released_at: float | None = None
    is_covered: bool = False
    uncovered_at: float | None = None
    back_at: float | None = None
    created_at: float | None = None
    restored_at: float | None = None
    restore_lost: bool = False
    gone_at: float | None = None
    lost_seconds: float = 0.0
    steps_done: int = 0
    weighed_at: float = 0.0
    removed_at: float | None = None

    @property
    def gap_began_at(self) -> float | None:
        """Since when the name had no answer because it was released."""
        return self.uncovered_at if self.is_covered else self.released_at

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


class WrittenName(Struct, frozen=True, kw_only=True):
    """A name that the run reads and writes: its newest read, and the write under way.

    Attributes:
        seen: what the newest read showed, whatever this run has written since.
        failures: reads failed in a row; the next is not before ``read_after``.
        wrote_at: when the last write was settled; a read that began before it is stale.
        tried: why batches were ever sent for this name.
        not_before: no write earlier than this: backing off.
        attempts: writes held off in a row.
        refusals: writes of one purpose refused in a row; restores are not among them.
        unsynced: change id of the last write that something waits for and that is not INSYNC yet.
        synced_at: when it was, or must have been, INSYNC.
        given_up: why it is not written any more.
        answers: name server -> what it answered last.
    """

    name: str
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
    unsynced: str | None = None
    synced_at: float | None = None
    given_up: str = ""
    answers: dict[str, str] = {}

    @property
    def is_tried_in_vain(self) -> bool:
        """Whether it was read or written in vain so often that it is not tried any more."""
        return max(self.attempts, self.failures, self.refusals) >= PATIENCE


class NameState(WrittenName, frozen=True, kw_only=True):
    """A name and its manual record sets.

    Attributes:
        restores_refused: restores refused in a row, ``restores_lost``: of unknown fate in a row.
        occupied_at: when the last restore was sent that was refused because a record stands there.
        deadman_at: when the record is put back if CloudFormation has not created one.
        deadman_proven: the deadman in AWS could restore its record sets, with the real role.
        deadman_failures: attempts in vain to test or start it, in a row; the next one is not
            before ``deadman_not_before``.
        extended: seconds by which the operator extended the deadman of this gap.
        hold_cut_at: when the operator asked for the release without the rest of the hold.
        confirmed_at: when the operator confirmed the release.
        restoring: it is being put back, or was: it is not released again in this run, not even
            in a new operation of the same deploy: what failed once is for the operator to judge.
        cause: why; ``None`` also where the operator asked for it.
        covered_by: name of the helper records that answer while a record set is gone; empty where
            none stand.
        answered: name servers that answered before the release: those that must again.
        silent_since: name server -> since when it has not answered after the release.
        silences: name server -> its longest silence after the release, in seconds.
    """

    handovers: tuple[Handover, ...]
    restores_refused: int = 0
    restores_lost: int = 0
    occupied_at: float = 0.0
    proven: bool = False
    deadman_at: float | None = None
    deadman_proven: bool = False
    deadman_failures: int = 0
    deadman_not_before: float = 0.0
    extended: float = 0.0
    hold_cut_at: float = 0.0
    confirmed_at: float = 0.0
    restoring: bool = False
    cause: Cause | None = None
    covered_by: str = ""
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


class HelperStatus(StrEnum):
    """What became of a helper record, by the last read or answer."""

    PLANNED = "planned"  # it was never there
    STANDING = "standing"
    CHANGED = "changed"  # another writer changed it: it is left alone
    GONE = "gone"  # another writer deleted it
    REMOVED = "removed"  # the run deleted it


class HelperState(WrittenName, frozen=True, kw_only=True):
    """The helper records at one name, which answer while a manual one is gone.

    Attributes:
        records: as the plan has them; they are created and deleted in one batch.
        covers: the names that they answer for.
        created_at: when the batch that created them was accepted.
    """

    records: tuple[RecordSet, ...]
    covers: tuple[str, ...]
    stage: HelperStatus = HelperStatus.PLANNED
    created_at: float = 0.0


class SoaStatus(StrEnum):
    """What became of the zone's SOA, by the last read or answer."""

    PLANNED = "planned"  # it was never changed by the run
    LOWERED = "lowered"  # it has the two fields that the run wrote
    RESTORED = "restored"  # it has the two fields that it had before the run
    CHANGED = "changed"  # another writer changed one of the two: it is left alone


class SoaState(WrittenName, frozen=True, kw_only=True):
    """The zone's SOA, whose negative TTL is lowered. Other writers may change its other fields.

    Attributes:
        original: as in the backup.
        lowered: as the plan has it.
        standing: what the run last read or wrote.
        was_lowered: the run's batch was applied.
        is_confirmed: a read since the last write shows the two fields that it wrote.
    """

    original: RecordSet
    lowered: RecordSet
    standing: RecordSet
    stage: SoaStatus = SoaStatus.PLANNED
    was_lowered: bool = False
    is_confirmed: bool = False
