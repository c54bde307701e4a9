"""Folding facts into the state of helper records: what stands there, and what became of a batch.

Helper records answer while a manual one is gone. They did not exist when the plan was made, so what
equals them is the run's; anything else there is another writer's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import conflict, same_records
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold_writes import intended, not_applied, unread
from route53_takeover.core.takeover.name_state import HelperState, HelperStatus, Reading
from route53_takeover.core.timing import INSYNC_ASSUMED, SECOND_LOOK, STALE

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover.state import State


def planned_helpers(plan: Plan) -> dict[str, HelperState]:
    """The helper records of a plan by their name, none of which stands yet."""
    found: dict[str, HelperState] = {}
    for helper in plan.helpers:
        name = helper.record.key.name
        before = found.get(name, HelperState(name=name, records=(), covers=()))
        found[name] = replace(
            before,
            records=(*before.records, helper.record),
            covers=tuple(dict.fromkeys((*before.covers, *helper.covers))),
        )
    return found


def of_helper(state: State, helper: HelperState, event: ev.NameEvent) -> HelperState:
    """The helper after a fact about its name."""
    match event:
        case ev.NameRead():
            return _read(state, helper, event)
        case ev.NameUnread():
            return unread(state, helper)
        case ev.NamesAnswered():
            return replace(helper, answers={**helper.answers, **event.statuses})
        case ev.ChangeInsync() if helper.unsynced == event.change_id:
            return replace(helper, unsynced=None, synced_at=state.now)
        case ev.ChangeInsync():
            return helper
        case ev.WriteIntended():
            return intended(helper, event)
        case _ if helper.write is None or helper.write.id != event.id:
            return helper
        case ev.WriteAccepted():
            return _applied(state, helper, at=state.now, change_id=event.change_id)
        case _:
            return not_applied(state, helper, helper.write, event)


def _applied(state: State, helper: HelperState, *, at: float, change_id: str | None) -> HelperState:
    """The helper after its batch was applied at ``at``."""
    creates = helper.write is not None and helper.write.purpose is Purpose.BRIDGE
    return replace(
        helper,
        stage=HelperStatus.STANDING if creates else HelperStatus.REMOVED,
        created_at=at if creates else helper.created_at,
        write=None,
        wrote_at=max(at, helper.wrote_at),
        read=None,
        attempts=0,
        refusals=0,
        unsynced=change_id,
        synced_at=state.now + INSYNC_ASSUMED if change_id is None else None,
    )


def _read(state: State, helper: HelperState, event: ev.NameRead) -> HelperState:
    helper = replace(helper, failures=0)
    if event.began < helper.wrote_at:
        return helper
    reading = Reading(began=event.began, told=event.time, records=event.records)
    helper = replace(helper, read=reading)
    here = [r for r in event.records if any(conflict(r, ours) for ours in helper.records)]
    write = helper.write
    if write is None:
        return _classified(helper, event.began, is_there=same_records(here, helper.records))
    since = write.unknown_since
    if since is None or event.began < since:
        return helper
    is_there, is_gone = same_records(here, helper.records), not here
    is_after = is_there if write.purpose is Purpose.BRIDGE else is_gone
    if is_after:
        return replace(_applied(state, helper, at=write.sent, change_id=None), read=reading)
    if write.present_since is None:
        return replace(helper, write=replace(write, present_since=event.began))
    if event.began - write.present_since < SECOND_LOOK:
        return helper
    return replace(helper, write=None, wrote_at=event.began)


def _classified(helper: HelperState, began: float, *, is_there: bool) -> HelperState:
    """The helper as a read shows it, with no write of ours under way."""
    here = helper.read.records if helper.read else ()
    is_stale = began < helper.wrote_at + STALE
    match helper.stage:
        case HelperStatus.PLANNED | HelperStatus.REMOVED if not here:
            return helper
        case HelperStatus.PLANNED:
            return replace(helper, given_up=f"{here[0].key} exists by now")
        case HelperStatus.REMOVED:
            if is_stale or not is_there:
                return helper
            return replace(helper, stage=HelperStatus.STANDING)  # its removal was not applied
        case _ if is_there:
            return replace(helper, stage=HelperStatus.STANDING)
        case HelperStatus.STANDING if is_stale and not here:
            return helper
        case _:
            return replace(helper, stage=HelperStatus.CHANGED if here else HelperStatus.GONE)
