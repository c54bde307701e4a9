"""Questions about the zone's SOA: what is to be written of it, and what the run has left in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.names import shown_name
from route53_takeover.core.domain.soa import negative_caching, with_negative_caching
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.name_state import SoaStatus
from route53_takeover.core.takeover.queries import can_fill
from route53_takeover.core.timing import READ_FRESH

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.takeover.name_state import SoaState
    from route53_takeover.core.takeover.state import State


def lowered_soa(soa: SoaState) -> RecordSet:
    """What the run writes first: the SOA as it was last read, with the lowered negative TTL."""
    return with_negative_caching(soa.standing, negative_caching(soa.lowered))


def original_soa(soa: SoaState) -> RecordSet:
    """What it writes at the end; the original to the letter where only the run changed it."""
    if soa.standing == soa.lowered:
        return soa.original
    return with_negative_caching(soa.standing, negative_caching(soa.original))


def is_just_read(state: State, soa: SoaState) -> bool:
    """Whether the SOA was read so recently that a batch may be decided on it."""
    read = soa.read
    return read is not None and is_fresh(state, began=read.began, told=read.told, within=READ_FRESH)


def is_seen_lowered(soa: SoaState | None) -> bool:
    """Whether this process knows that the run's own negative TTL stands, or another writer's."""
    if soa is None:
        return True
    return soa.stage is SoaStatus.CHANGED or (soa.stage is SoaStatus.LOWERED and soa.is_confirmed)


def may_be_in_gap(state: State) -> bool:
    """Whether a name has no record that it is going to have, or a release is under way."""
    return any(
        (name.is_absent and can_fill(state, name))
        or (name.write is not None and name.write.purpose is Purpose.RELEASE)
        for name in state.names.values()
    )


def left_soa(state: State) -> str:
    """What is said of a SOA that is not as it was before the run; empty where there is none."""
    soa = state.soa
    if soa is None or Purpose.LOWER_SOA not in soa.tried:
        return ""
    before = f"it was {negative_caching(soa.original)} before the run"
    if soa.stage is SoaStatus.LOWERED or soa.write is not None:
        return f"{shown_soa(soa)} could not be put back: {before}"
    if soa.stage is SoaStatus.CHANGED:
        return f"another writer changed {shown_soa(soa)}, which is left as it is: {before}"
    return ""


def shown_soa(soa: SoaState) -> str:
    """What messages call it."""
    return f"the SOA of {shown_name(soa.name)}"
