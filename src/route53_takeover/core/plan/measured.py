"""What was measured of an account's CloudFormation, and what a plan concludes from it.

`rehearse --live` measures it with throw-away records (`route53_takeover.runtime.measuring`). Times
are seconds after the resource's CREATE_IN_PROGRESS unless said otherwise.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from route53_takeover.core.domain.record_sets import RecordSet

FORMAT = 1
LATEST_HOLD = 30.0
"""Seconds, at most, that a release is put off to come right before a measured try."""
_LATE = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Seconds by which a release is later than it is due, besides what events are late by: a stack is
polled every two seconds, and a DELETE takes a while."""
_SPARE = 0.1
_PAUSES = 1.5
"""How many of the longest measured pauses a deadman waits, at least."""
_SHOWN = 6


class MeasuredOutcome(StrEnum):
    """What CloudFormation did about a record that existed."""

    RETRIED = "retried"
    FAILED_AT_ONCE = "failed-at-once"
    ADOPTED = "adopted"
    OVERWRITTEN = "overwritten"
    CREATED = "created"  # nothing was in its way, a protection apart
    UNKNOWN = "unknown"


class RecordKind(StrEnum):
    """The kinds of records that are told apart."""

    ALIAS = "alias"
    A = "a"
    CNAME = "cname"
    TXT = "txt"
    NS = "ns"


class MeasuredKind(Struct, frozen=True, kw_only=True):
    """What was measured with one kind of record.

    Attributes:
        at: when, in seconds since the epoch.
        differs: what was done about an existing record with other values.
        tries: when it was tried again, as far as that was seen.
        uncertainty: by how much each of ``tries`` may be off.
        logged: how many of ``tries`` only CloudTrail has told, to the second.
        gave_up_after: when the create failed at last; ``None`` where it was still tried.
        watched_for: for how long it was watched.
        reason: why it failed.
        identical: what was done about an existing record with the same values.
        adopted_after: how long an adoption took.
        rollback: whether a rollback ``deleted`` the adopted record or ``kept`` it.
        protected: what was done where a protection forbade the create.
        event_lag: seconds from the change's SubmittedAt until the time of the event that tells it;
            without CloudTrail from the time at which a read showed the record.
        seen_after: how late an event was seen at most, where they are read four times a second.
        note: why something of it is not known.
    """

    kind: RecordKind
    at: float
    differs: MeasuredOutcome = MeasuredOutcome.UNKNOWN
    tries: tuple[float, ...] = ()
    uncertainty: float = 0.0
    logged: int = 0
    gave_up_after: float | None = None
    watched_for: float = 0.0
    reason: str = ""
    identical: MeasuredOutcome = MeasuredOutcome.UNKNOWN
    adopted_after: float | None = None
    rollback: str | None = None
    protected: MeasuredOutcome | None = None
    event_lag: float | None = None
    seen_after: float = 0.0
    note: str = ""

    def next_try(self, after: float) -> float | None:
        """The first measured try after so many seconds; ``None``: none is known."""
        return next((each for each in self.tries if each > after), None)

    @property
    def retry_delays(self) -> tuple[float, ...]:
        """The pauses between the tries, the first one's from the first attempt."""
        before = (0.0, *self.tries)
        return tuple(round(b - a, 2) for a, b in zip(before, self.tries, strict=False) if b - a > 0)

    @property
    def longest_pause(self) -> float:
        """Seconds between two tries at most, as far as they were seen."""
        return max(self.retry_delays, default=0.0)


class Measurement(Struct, frozen=True, kw_only=True):
    """Everything that was measured of one account and region.

    Attributes:
        run: the newest run that measured any of it.
        visible_after: seconds from a DELETE until the last name server of the zone served it.
        takeover_gap: the gap of the takeover at the end, in seconds.
    """

    format: int = FORMAT
    account: str
    region: str
    run: str
    kinds: tuple[MeasuredKind, ...] = ()
    visible_after: float | None = None
    takeover_gap: float | None = None

    def of(self, kind: RecordKind) -> MeasuredKind | None:
        """What is known of one kind."""
        return next((each for each in self.kinds if each.kind is kind), None)

    def of_record(self, record: RecordSet) -> MeasuredKind | None:
        """What is known of records like this one."""
        kind = kind_of_record(record)
        return None if kind is None else self.of(kind)

    def with_newer(self, newer: Measurement) -> Measurement:
        """The same with what a newer run measured in the place of what it has of that."""
        measured = {each.kind for each in newer.kinds}
        kept = [each for each in self.kinds if each.kind not in measured]
        visible, gap = newer.visible_after, newer.takeover_gap
        return Measurement(
            account=newer.account,
            region=newer.region,
            run=newer.run,
            kinds=tuple(
                sorted((*kept, *newer.kinds), key=lambda each: [*RecordKind].index(each.kind))
            ),
            visible_after=self.visible_after if visible is None else visible,
            takeover_gap=self.takeover_gap if gap is None else gap,
        )


def kind_of_record(record: RecordSet) -> RecordKind | None:
    """Which kind a record set is of; ``None`` for a type that is not measured."""
    if record.alias is not None:
        return RecordKind.ALIAS if record.type in ("A", "AAAA") else None
    if record.type in ("A", "AAAA"):
        return RecordKind.A
    return next((kind for kind in RecordKind if kind.name == record.type), None)


def gap_after(measured: MeasuredKind, hold: float) -> float | None:
    """The gap to expect, on average, where the record is released after this hold.

    ``None``: no try is known that late.
    """
    gaps: list[float] = []
    for late in _LATE:
        release = hold + measured.seen_after + late
        following = measured.next_try(release)
        if following is None and gaps:
            following = measured.tries[-1] + measured.longest_pause
        if following is None or following < release:
            return None
        gaps.append(following - release)
    return round(sum(gaps) / len(gaps), 2)


def best_hold(measured: MeasuredKind, least: float) -> float:
    """When to release so that the next try comes soon; never before ``least`` is over."""
    if measured.differs is not MeasuredOutcome.RETRIED:
        return least
    latest = measured.seen_after + _LATE[-1] + measured.uncertainty + _SPARE
    before_tries = [round(each - latest, 2) for each in measured.tries]
    holds = [least, *(each for each in before_tries if least < each <= LATEST_HOLD)]
    gaps = [(gap, hold) for hold in holds if (gap := gap_after(measured, hold)) is not None]
    return min(gaps, default=(0.0, least))[1]


def least_deadman(measured: Iterable[MeasuredKind]) -> float:
    """Seconds that a released record waits for CloudFormation at least, by its pauses."""
    return max((_PAUSES * each.longest_pause for each in measured), default=0.0)


def measured_line(measured: MeasuredKind) -> str:
    """One line of what is known: ``measured here on 2026-11-27: retries after 1, 3, 7 s``."""
    day = datetime.fromtimestamp(measured.at, UTC).date().isoformat()
    return f"{measured.kind}: measured here on {day}: {describe(measured)}"


def describe(measured: MeasuredKind) -> str:
    """What CloudFormation did about a record of this kind."""
    parts = [_differs(measured)]
    match measured.identical:
        case MeasuredOutcome.ADOPTED:
            back = {"deleted": ", and a rollback deletes it", "kept": ", and a rollback keeps it"}
            parts.append("adopts an identical record" + back.get(measured.rollback or "", ""))
        case MeasuredOutcome.RETRIED:
            parts.append("retries over an identical record, too")
        case MeasuredOutcome.FAILED_AT_ONCE:
            parts.append("fails over an identical record, too")
        case _:
            pass
    if measured.protected is not None:
        parts.append(f"a protected create: {measured.protected}")
    return "; ".join([*parts, measured.note] if measured.note else parts)


def _differs(measured: MeasuredKind) -> str:
    match measured.differs:
        case MeasuredOutcome.RETRIED:
            until = (
                f"gives up after {measured.gave_up_after:g} s"
                if measured.gave_up_after is not None
                else f"still trying after {measured.watched_for:.0f} s"
            )
            if not measured.tries:
                return f"retries ({until})"
            return f"retries after {seconds_list(measured.tries)} ({until})"
        case MeasuredOutcome.FAILED_AT_ONCE:
            return "fails at once over a record that differs"
        case MeasuredOutcome.ADOPTED:
            return "reports success over a record that differs, and leaves that as it is"
        case MeasuredOutcome.OVERWRITTEN:
            return "overwrites a record that differs"
        case _:
            return "not known what it does about a record that differs"


def seconds_list(times: Sequence[float]) -> str:
    """``1, 3, 7 s``, the first few."""
    shown = ", ".join(f"{round(each, 1):g}" for each in times[:_SHOWN])
    return f"{shown}{'...' if len(times) > _SHOWN else ''} s"
