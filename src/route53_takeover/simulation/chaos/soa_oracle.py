"""The verdict on the zone's SOA: how a run wrote it, and how it stands at the end.

The truth is the account's history: every form that the SOA had, and who wrote it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.core.domain.soa import negative_caching, with_negative_caching
from route53_takeover.core.endings import Outcome
from route53_takeover.core.takeover import events as ev
from route53_takeover.simulation.chaos.coverage import CoverageGoal
from route53_takeover.simulation.chaos.transport import TAKEOVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import LoweredSoa, Plan
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.chaos.arrivals import Arrival
    from route53_takeover.simulation.chaos.harness import Harness

_OLD = 20.0
"""Seconds: how old the read may be by which a SOA is written, once its batch arrives: the read, and
an intent that a disk was slow to take."""
_LATE = 15.0
"""Seconds before the end of a run within which another writer may have been too late to be seen."""


class Version(NamedTuple):
    """A form of the SOA, since when it stood, and who wrote it."""

    since: float
    record: RecordSet
    by: str


def soa_versions(harness: Harness, soa: LoweredSoa) -> list[Version]:
    """Every form that the SOA had, the oldest first."""
    found = [Version(float("-inf"), soa.original, "")]
    for change in harness.world.history:
        found += [
            Version(change.time, record, change.by)
            for _, record in change.changes
            if record.key == soa.original.key
        ]
    return found


def wrong_soas(harness: Harness, plan: Plan, ended: State | None) -> Iterator[str]:
    """Each promise about the SOA that was broken."""
    arrivals = [a for a in harness.transport.arrivals if a.by == TAKEOVER]
    upserts = [a for a in arrivals if any(c.action == "UPSERT" for c in a.changes)]
    if plan.soa is None:
        if upserts:
            yield "only the SOA of a plan that lowers it is upserted"
        return
    versions = soa_versions(harness, plan.soa)
    for arrival in upserts:
        if not arrival.refused and not _is_founded(harness, plan.soa, versions, arrival):
            yield "the SOA is written as it was just read, but for its negative TTL"
    yield from _wrong_end(harness, plan.soa, versions, ended)
    low = negative_caching(plan.soa.lowered)
    is_ours = all(v.by in ("", TAKEOVER) for v in versions)
    if is_ours and any(negative_caching(each) != low for each in harness.soas_at_release):
        yield "a release waits until every name server has the lowered negative TTL"


def soa_sights(harness: Harness, plan: Plan) -> Iterator[CoverageGoal]:
    """What of note happened to the SOA."""
    if plan.soa is None:
        return
    versions = soa_versions(harness, plan.soa)
    ours = [v for v in versions if v.by == TAKEOVER]
    is_back = negative_caching(versions[-1].record) == negative_caching(plan.soa.original)
    if ours and is_back:
        yield CoverageGoal.SOA_PUT_BACK
    for version, after in pairwise(versions):
        is_lowered = negative_caching(version.record) == negative_caching(plan.soa.lowered)
        if not is_lowered:
            continue
        if after.by != TAKEOVER:
            yield CoverageGoal.SOA_EDITED
        dead = (t for t in harness.troubles if t.what == "dead")
        if any(t.began < after.since and t.ended > version.since for t in dead):
            yield CoverageGoal.SOA_LEFT_BY_A_CRASH
    soa = {id_ for id_, purpose in harness.purposes.items() if purpose in ev.SOA_PURPOSES}
    if any(isinstance(e, ev.WriteUnknown) and e.id in soa for e in harness.disk.events):
        yield CoverageGoal.SOA_UNANSWERED


def _is_founded(
    harness: Harness, soa: LoweredSoa, versions: list[Version], arrival: Arrival
) -> bool:
    """Whether the batch changes only the two fields of a SOA that stood not long before."""
    (change,) = arrival.changes
    low, high = negative_caching(soa.lowered), negative_caching(soa.original)
    told = negative_caching(change.record)
    compared = {low: high, high: low}.get(told)
    if compared is None:
        return False
    for version, after in zip(versions, [*versions[1:], None], strict=True):
        until = arrival.time if after is None else min(after.since, arrival.time)
        if version.since > arrival.time or negative_caching(version.record) != compared:
            continue
        if with_negative_caching(version.record, told) != change.record:
            continue
        late = sum(
            max(0.0, min(arrival.time, t.ended) - max(until, t.began)) for t in harness.troubles
        )
        if arrival.time - until <= _OLD + late:
            return True
    return False


def _wrong_end(
    harness: Harness, soa: LoweredSoa, versions: list[Version], ended: State | None
) -> Iterator[str]:
    last = versions[-1]
    if negative_caching(last.record) == negative_caching(soa.original):
        ours_alone = all(v.by in ("", TAKEOVER) for v in versions)
        if ours_alone and last.record != soa.original:
            yield "the SOA is put back to the letter"
        return
    ending = None if ended is None else ended.ending
    is_told = ending is not None and ending.outcome is Outcome.UNKNOWN
    if last.by == TAKEOVER:
        if not (is_told and ending is not None and "the SOA of" in ending.reason):
            yield "a lowered negative TTL is put back, or the run says that it is not"
        return
    lowered = [v.since for v in versions if v.by == TAKEOVER]
    is_over_ours = negative_caching(versions[-2].record) == negative_caching(soa.lowered)
    seen = last.since < harness.ended_at - _LATE
    told = is_told and ending is not None and "the SOA of" in ending.reason
    if lowered and is_over_ours and seen and ended is not None and not told:
        yield "another writer's negative TTL is left and reported"
