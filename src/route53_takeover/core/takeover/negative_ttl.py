"""Lowering the negative TTL in the zone's SOA before any gap, and putting it back at the end.

Each is one UPSERT, the only kind there is for a SOA: right before it a read must show the two
fields as the run last left them, and a read after it what was written. The batch carries the other
fields as that read shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.takeover.early_writes import is_readable
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.finish import is_due
from route53_takeover.core.takeover.name_state import RecordStatus, SoaStatus
from route53_takeover.core.takeover.preparation import await_insync
from route53_takeover.core.takeover.soa_queries import (
    is_just_read,
    is_seen_lowered,
    lowered_soa,
    may_be_in_gap,
    original_soa,
    shown_soa,
)

if TYPE_CHECKING:
    from route53_takeover.core.takeover.step_context import StepContext


def negative_ttl_lowered(context: StepContext) -> bool:
    """Lowers it, or gives up; true once every name server has the lowered SOA."""
    soa = context.state.soa
    if soa is None:
        return True
    if soa.stage in (SoaStatus.CHANGED, SoaStatus.RESTORED):
        context.give_up(f"another writer changed {shown_soa(soa)}")
    elif not is_readable(context, soa):
        return False
    elif soa.write is not None:
        context.read(soa, every=1.0)
    elif soa.stage is SoaStatus.PLANNED:
        if is_due(context, soa):
            change = Change.upsert_soa(lowered_soa(soa))
            context.write(soa, Purpose.LOWER_SOA, (change,))
    elif soa.is_confirmed:
        return await_insync(context, soa)
    else:
        context.read(soa, every=1.0)
    return False


def negative_ttl_still_lowered(context: StepContext) -> None:
    """Reads it after a resume, and gives up where an earlier process has put it back."""
    state, soa = context.state, context.state.soa
    if soa is None or soa.stage is SoaStatus.PLANNED or is_seen_lowered(soa):
        return
    if soa.stage is SoaStatus.RESTORED:
        if state.is_early:
            context.give_up(f"{shown_soa(soa)} was put back before the run was resumed")
    elif (
        any(h.stage is RecordStatus.STANDING for h in state.handovers)  # one may be released yet
        and (not state.is_early or is_readable(context, soa))
    ):
        context.read(soa, every=1.0)


def negative_ttl_put_back(context: StepContext) -> bool:
    """Puts it back once no gap can be open; true where it is, or no more can be done about it."""
    state, soa = context.state, context.state.soa
    if soa is None or Purpose.LOWER_SOA not in soa.tried:
        return True
    if may_be_in_gap(state):
        return False
    if soa.is_tried_in_vain:
        return True  # said by the ending
    if soa.write is not None:
        context.read(soa, every=1.0)
    elif soa.stage is SoaStatus.LOWERED:
        if is_due(context, soa):
            change = Change.upsert_soa(original_soa(soa))
            context.write(soa, Purpose.RESTORE_SOA, (change,))
    elif soa.stage is SoaStatus.RESTORED and soa.is_confirmed:
        return True
    elif soa.stage is SoaStatus.RESTORED or not is_just_read(state, soa):
        context.read(soa, every=1.0)
    else:
        return True
    return False
