"""Folding facts into the state of the zone's SOA: what stands there, and what became of a batch.

Two of its fields are the run's while they are as it wrote them: the TTL and the minimum. What else
another writer changes in it is kept, and compared with nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.soa import negative_caching, soa_of
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import SOA_PURPOSES, Purpose
from route53_takeover.core.takeover.fold_writes import intended, not_applied, unread
from route53_takeover.core.takeover.name_state import Reading, SoaState, SoaStatus
from route53_takeover.core.timing import INSYNC_ASSUMED, SECOND_LOOK, STALE

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover.name_state import Write
    from route53_takeover.core.takeover.state import State


def planned_soa(plan: Plan) -> SoaState | None:
    """The SOA of a plan that lowers its negative TTL, untouched."""
    if plan.soa is None:
        return None
    original, lowered = plan.soa.original, plan.soa.lowered
    return SoaState(name=plan.zone_name, original=original, lowered=lowered, standing=original)


def is_of_soa_alone(soa: SoaState, event: ev.NameEvent) -> bool:
    """Whether a fact about the zone's name is about a batch of the SOA, and no other record set."""
    match event:
        case ev.WriteIntended():
            return event.purpose in SOA_PURPOSES
        case ev.WriteAccepted() | ev.WriteRefused() | ev.WriteHeldOff() | ev.WriteUnknown():
            return soa.write is not None and soa.write.id == event.id
        case _:
            return False


def of_soa(state: State, soa: SoaState, event: ev.NameEvent) -> SoaState:
    """The SOA after a fact about the zone's name."""
    match event:
        case ev.NameRead():
            return _read(state, soa, event)
        case ev.NameUnread():
            return unread(state, soa)
        case ev.ChangeInsync() if soa.unsynced == event.change_id:
            return replace(soa, unsynced=None, synced_at=state.now)
        case ev.NamesAnswered() | ev.ChangeInsync():
            return soa
        case ev.WriteIntended() if event.purpose in SOA_PURPOSES:
            return intended(soa, event)
        case ev.WriteIntended():
            return soa
        case _ if soa.write is None or soa.write.id != event.id:
            return soa
        case ev.WriteAccepted():
            return _applied(state, soa, soa.write, change_id=event.change_id)
        case _:
            return not_applied(state, soa, soa.write, event)


def _applied(state: State, soa: SoaState, write: Write, *, change_id: str | None) -> SoaState:
    """The SOA after its batch was applied."""
    lowers = write.purpose is Purpose.LOWER_SOA
    return replace(
        soa,
        stage=SoaStatus.LOWERED if lowers else SoaStatus.RESTORED,
        was_lowered=True,
        standing=write.changes[0].record,
        is_confirmed=False,
        write=None,
        wrote_at=max(state.now, soa.wrote_at),
        read=None,
        attempts=0,
        refusals=0,
        unsynced=change_id,
        synced_at=state.now + INSYNC_ASSUMED if change_id is None else None,
    )


def _read(state: State, soa: SoaState, event: ev.NameRead) -> SoaState:
    soa = replace(soa, failures=0)
    here = soa_of(event.records, soa.name)
    if event.began < soa.wrote_at or here is None:
        return soa
    reading = Reading(began=event.began, told=event.time, records=(here,))
    soa = replace(soa, read=reading)
    write = soa.write
    if write is None:
        return _classified(soa, here, event.began)
    since = write.unknown_since
    if since is None or event.began < since:
        return soa
    if negative_caching(here) == negative_caching(write.changes[0].record):
        return replace(
            _applied(state, soa, write, change_id=None),
            read=reading,
            standing=here,
            is_confirmed=True,
        )
    if write.present_since is None:
        return replace(soa, write=replace(write, present_since=event.began))
    if event.began - write.present_since < SECOND_LOOK:
        return soa
    return _classified(replace(soa, write=None), here, event.began)


def _classified(soa: SoaState, here: RecordSet, began: float) -> SoaState:
    """The SOA as a read shows it, with no write of ours under way."""
    told = negative_caching(here)
    is_stale = soa.was_lowered and began < soa.wrote_at + STALE
    if told == negative_caching(soa.standing) and soa.stage is not SoaStatus.CHANGED:
        return replace(soa, standing=here, is_confirmed=True)
    if is_stale:
        return soa
    if Purpose.LOWER_SOA in soa.tried and told == negative_caching(soa.lowered):
        return replace(
            soa, stage=SoaStatus.LOWERED, was_lowered=True, standing=here, is_confirmed=True
        )
    if told == negative_caching(soa.original):
        stage = SoaStatus.RESTORED if soa.was_lowered else SoaStatus.PLANNED
        return replace(soa, stage=stage, standing=here, is_confirmed=True)
    if soa.stage is SoaStatus.RESTORED:
        return replace(soa, is_confirmed=True)  # it was put back, and is others' since
    return replace(soa, stage=SoaStatus.CHANGED)
