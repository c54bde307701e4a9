"""Each record of a takeover as a screen shows it: before and after, the records now, and the gap.

A value that is not known yet stays empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import conflict, display_name
from route53_takeover.core.status.messages import stage_words
from route53_takeover.core.status.result import gap_seconds, unwatched_seconds
from route53_takeover.core.status.snapshot import Field, Mark, RecordView, Standing
from route53_takeover.core.status.stack_rows import stack_name
from route53_takeover.core.takeover.absence import still_answering
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.finish import is_member
from route53_takeover.core.takeover.name_state import ABSENT_STAGES, TAKEN_STAGES, RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import matching_resources
from route53_takeover.core.takeover.release_gate import release_gates

if TYPE_CHECKING:
    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.status.timeline import Timeline
    from route53_takeover.core.takeover.name_state import Handover, NameState
    from route53_takeover.core.takeover.state import State

_ALIAS_TTL = "its target's"


def record_views(state: State, timeline: Timeline) -> tuple[RecordView, ...]:
    """One for each record set of the plan, those that the stack owned already first."""
    return tuple(_owned(state, record) for record in state.plan.owned) + tuple(
        _view(state, timeline, name, handover)
        for name in state.names.values()
        for handover in name.handovers
    )


def _owned(state: State, record: RecordSet) -> RecordView:
    owner = state.root.stack_name or state.plan.options.stack
    values = {**_texts(record), "owner": owner}
    return RecordView(
        name=display_name(record.key.name),
        type=record.type,
        set_identifier=record.set_identifier,
        mark=Mark.DONE,
        words="the stack owns it already",
        fields=tuple(
            Field(name=name, before=value, after=value, differs=False)
            for name, value in values.items()
        ),
        standing=(record.describe(),),
        now=(_columns(record, owner),),
    )


def _view(state: State, timeline: Timeline, name: NameState, handover: Handover) -> RecordView:
    mark, words = _progress(state, name, handover)
    read_at = None if name.read is None else name.read.began
    return RecordView(
        name=display_name(handover.original.key.name),
        type=handover.original.type,
        set_identifier=handover.original.set_identifier,
        mark=mark,
        words=words,
        fields=_fields(state, name, handover),
        standing=tuple(record.describe() for record in _standing(name, handover)),
        still_answers=bool(still_answering(name, handover)),
        read_at=read_at,
        covered_by=display_name(name.covered_by) if name.covered_by else "",
        gap=_gap(state, timeline, name, handover),
        gap_dns=_gap_dns(state, name, handover),
        unwatched=unwatched_seconds(state, handover),
        now=_now(state, name, handover),
        strategy=_strategy(state, handover),
        until=name.deadman_at if handover.stage in ABSENT_STAGES else None,
        is_off=_is_off(state, handover),
    )


def _strategy(state: State, handover: Handover) -> str:
    manuals = (m for m in state.plan.manuals if m.original == handover.original)
    return next((str(manual.strategy) for manual in manuals), "")


# -- progress


def _progress(state: State, name: NameState, handover: Handover) -> tuple[Mark, str]:
    mark, words = stage_words(name, handover)
    match handover.stage:
        case RecordStatus.STANDING:
            return _progress_of_standing(state, name, handover)
        case RecordStatus.RELEASED | RecordStatus.LOST if state.ending is not None:
            return Mark.FAILED, words
        case RecordStatus.RELEASED | RecordStatus.LOST if name.restoring:
            return mark, "deleted; being restored"
        case RecordStatus.CHANGED if handover.released_at is not None:
            return Mark.UNKNOWN, words
        case _:
            return mark, words


def _progress_of_standing(state: State, name: NameState, handover: Handover) -> tuple[Mark, str]:
    key = handover.original.key
    is_lowered = not handover.standing.same_as(handover.original)
    if handover.standing.same_as(state.plan.manual(handover.original).prepared):
        return _progress_of_prepared(state, handover)
    if state.ending is not None:
        left = (Mark.UNKNOWN, "in place, still with the lowered TTL")
        return left if is_lowered else (Mark.SKIPPED, "unchanged")
    if name.given_up:
        return Mark.FAILED, f"not released: {name.given_up}"
    write = name.write
    releasing = write.changes if write is not None and write.purpose is Purpose.RELEASE else ()
    if any(change.record.key == key for change in releasing):
        return Mark.RUNNING, "being deleted"
    for gate in release_gates(state, name):
        if any(record.key == key for record in gate.deletes):
            adopting = "in place; CloudFormation may be adopting it"
            retrying = "blocks CloudFormation's record"
            return Mark.RUNNING, adopting if gate.may_be_adopted else retrying
    return Mark.WAITING, "in place, TTL lowered" if is_lowered else "unchanged"


def _progress_of_prepared(state: State, handover: Handover) -> tuple[Mark, str]:
    if state.ending is not None:
        return Mark.UNKNOWN, "in place, still as it was prepared"
    if is_member(handover):
        return Mark.WAITING, "a member of a weighted group, beside which the stack's may stand"
    return Mark.WAITING, "as the stack wants it, to be adopted"


def _standing(name: NameState, handover: Handover) -> tuple[RecordSet, ...]:
    if name.read is not None:
        return tuple(name.occupants(handover.original))
    return () if handover.stage in ABSENT_STAGES else (handover.standing,)


def _now(state: State, name: NameState, handover: Handover) -> tuple[Standing, ...]:
    """What stands, with the owner as far as the run knows it."""
    owner = "no stack"
    if handover.stage in TAKEN_STAGES:
        owner = _desired(state, handover)[1]
    elif handover.stage is RecordStatus.CHANGED:
        owner = "another writer"
    elif handover.stage in ABSENT_STAGES:
        owner = ""  # whatever stands there is not known to be anyone's yet
    return tuple(_columns(record, owner) for record in _standing(name, handover))


def _columns(record: RecordSet, owner: str) -> Standing:
    texts = _texts(record)
    return Standing(type=texts["type"], value=texts["value"], ttl=texts["TTL"], owner=owner)


def _is_off(state: State, handover: Handover) -> bool:
    """Whether this run leaves the name to the manual record."""
    is_over = state.ending is not None or state.phase is Phase.RESTORE
    return is_over and handover.stage not in TAKEN_STAGES


# -- before and after


def _fields(state: State, name: NameState, handover: Handover) -> tuple[Field, ...]:
    original = handover.original
    before = {**_texts(original), "owner": "no stack"}
    if Purpose.LOWER in name.tried and original.ttl is not None:
        lowered = next((m.lowered for m in state.plan.manuals if m.key == original.key), None)
        if lowered is not None and not handover.standing.same_as(original):
            before["TTL"] += f", lowered to {lowered.ttl} s"
    desired, owner = _desired(state, handover)
    after, differs = _after(original, desired)
    after["owner"], differs["owner"] = owner, bool(owner)
    return tuple(
        Field(name=key, before=text, after=after[key], differs=differs[key])
        for key, text in before.items()
    )


def _desired(state: State, handover: Handover) -> tuple[DesiredRecord | None, str]:
    """The record that the stack wants in its place, and the resource that defines it.

    Events and resource lists count first, then the template in force.
    """
    found = [
        (resource.stack_id, resource.logical_id, resource.desired)
        for resource in matching_resources(state, handover)
    ] or [
        (stack.stack_id, logical_id, desired)
        for stack in state.stacks.values()
        if stack.template is not None
        for logical_id, desired in stack.template.record_sets.items()
        if desired is not None and conflict(desired.record, handover.original)
    ]
    if not found:
        return None, ""
    stack_id, logical_id, desired = found[0]
    return desired, f"{stack_name(stack_id)} {logical_id}"


def _after(
    original: RecordSet, desired: DesiredRecord | None
) -> tuple[dict[str, str], dict[str, bool]]:
    if desired is None:
        return dict.fromkeys(_NAMES, ""), dict.fromkeys(_NAMES, False)
    ours, theirs = original.normal(), desired.record.normal()
    texts = _texts(desired.record)
    differs = {
        "type": ours.type != theirs.type,
        "value": (ours.values, ours.alias) != (theirs.values, theirs.alias),
        "TTL": ours.ttl != theirs.ttl,
    }
    if not desired.complete:
        texts |= {"value": "", "TTL": ""}
        differs |= {"value": False, "TTL": False}
    return texts, differs


_NAMES = ("type", "value", "TTL")


def _texts(record: RecordSet) -> dict[str, str]:
    if record.alias is not None:
        value, ttl = f"alias to {display_name(record.alias.dns_name)}", _ALIAS_TTL
    else:
        value = ", ".join(record.values)
        ttl = "" if record.ttl is None else f"{record.ttl} s"
    return {"type": record.type, "value": value, "TTL": ttl}


# -- the gap


def _gap(state: State, timeline: Timeline, name: NameState, handover: Handover) -> float | None:
    absence = timeline.absences.get(handover.original.key)
    if handover.stage in ABSENT_STAGES:
        if name.covered_by:
            return None
        since = handover.gap_began_at if handover.stage is RecordStatus.RELEASED else None
        if since is None and absence is not None:
            since = absence.since
        return None if since is None else max(state.now - since, 0.0)
    final = gap_seconds(handover)
    if final is None and absence is not None and absence.until is not None:
        final = round(max(absence.until - absence.since, 0.0), 3)
    return final


def _gap_dns(state: State, name: NameState, handover: Handover) -> float | None:
    """The longest time without an answer from a name server, one that is not over included."""
    if handover.released_at is None or name.worst_silence is None:
        return None
    if state.ending is not None:
        return name.worst_silence
    silent = [state.now - since for since in name.silent_since.values()]
    return round(max([name.worst_silence, *silent]), 3)
