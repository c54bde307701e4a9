"""What must always hold, as named predicates: the engine, the tests and the simulator share them.

`violations` is asked before every write; what it names is not sent. `broken_promises` is asked of
a state, at its end above all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import Change, conflict, same_records
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.endings import Outcome
from route53_takeover.core.takeover.bridge_gate import bridge_gate
from route53_takeover.core.takeover.deadman_state import is_armed, left_deadmen
from route53_takeover.core.takeover.events import SOA_PURPOSES, Purpose
from route53_takeover.core.takeover.finish import is_member, left_helpers, left_members
from route53_takeover.core.takeover.helper_queries import is_synced
from route53_takeover.core.takeover.name_state import (
    ABSENT_STAGES,
    TAKEN_STAGES,
    HelperStatus,
    RecordStatus,
    SoaStatus,
)
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import is_missed, root_kind
from route53_takeover.core.takeover.release_gate import release_gates
from route53_takeover.core.takeover.soa_queries import (
    is_just_read,
    left_soa,
    lowered_soa,
    may_be_in_gap,
    original_soa,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover.commands import WriteBatch
    from route53_takeover.core.takeover.state import State


_UNDOING = frozenset({Purpose.RESTORE, Purpose.UNDO, Purpose.REMOVE, Purpose.RESTORE_SOA})
_REMOVING = frozenset({Purpose.RELEASE, Purpose.REMOVE})


def violations(state: State, write: WriteBatch, sent: AbstractSet[str]) -> tuple[str, ...]:
    """What forbids sending this batch now; empty where nothing does.

    Args:
        state: as `route53_takeover.core.takeover.step.step` returned it with the command.
        write: the command.
        sent: ids of every batch that was ever intended.
    """
    return tuple(_violations(state, write, sent))


def _violations(state: State, write: WriteBatch, sent: AbstractSet[str]) -> Iterator[str]:
    if write.id in sent:
        yield "a batch is sent at most once"
    if not state.backed_up:
        yield "nothing is written before the backup is on disk"
    if not is_within_plan(state.plan, write.changes):
        yield "only record sets of the plan are written"
    if not is_conditional(write.changes):
        yield "an existing record is only changed by DELETE exact and CREATE"
    if not is_soa_spared(state, write):
        yield "the SOA is only written where a fresh read shows what the run compares it with"
    if write.purpose is Purpose.RELEASE and not is_negative_ttl_served(state):
        yield "a release waits until the lowered negative TTL is on every name server"
    if not spares_cloudformation(state, write):
        yield "a record that CloudFormation created is never deleted"
    if state.journal_lost and write.purpose not in _UNDOING:
        yield "without a journal only restores are written"
    if write.purpose is Purpose.RELEASE and not is_deadman_running(state, write):
        yield "a release waits until the deadman in AWS runs"
    if write.purpose is Purpose.RELEASE and not is_release_due(state, write):
        yield "a release meets every release condition"
    if write.purpose is Purpose.REMOVE and not is_removal_due(state, write):
        yield "what helped is removed only where it is not needed any more"
    if write.purpose not in _REMOVING and not leaves_a_record(write.changes):
        yield "only a release leaves a name without its record"


def is_within_plan(plan: Plan, changes: tuple[Change, ...]) -> bool:
    """Every change names a record set of the plan."""
    return all(change.record.key in plan.written_keys for change in changes)


def is_conditional(changes: tuple[Change, ...]) -> bool:
    """No change can overwrite what it was not made for, but the SOA alone: that is read for it."""
    if len(changes) == 1 and changes[0].action == "UPSERT":
        return changes[0].record.type == "SOA"
    return bool(changes) and all(change.action in ("DELETE", "CREATE") for change in changes)


def is_soa_spared(state: State, write: WriteBatch) -> bool:
    """The SOA is only written by its own two batches, each compared with a fresh read."""
    soa = state.soa
    if write.purpose not in SOA_PURPOSES:
        return all(change.record.type != "SOA" for change in write.changes)
    if soa is None or write.name != soa.name or not is_just_read(state, soa):
        return False
    lowers = write.purpose is Purpose.LOWER_SOA
    if soa.stage is not (SoaStatus.PLANNED if lowers else SoaStatus.LOWERED):
        return False
    due = state.phase is Phase.LOWER_TTL if lowers else not may_be_in_gap(state)
    record = lowered_soa(soa) if lowers else original_soa(soa)
    return due and write.changes == (Change.upsert_soa(record),)


def is_negative_ttl_served(state: State) -> bool:
    """Whether every name server has the lowered SOA of a plan that has one, or had it."""
    soa = state.soa
    if soa is None:
        return True
    return soa.was_lowered and (soa.stage is not SoaStatus.LOWERED or is_synced(state, soa))


def is_deadman_running(state: State, write: WriteBatch) -> bool:
    """Whether each record set that is deleted has a deadman in AWS, where the plan has them."""
    name = state.names.get(write.name)
    deleted = [change.record for change in write.changes if change.action == "DELETE"]
    return name is not None and is_armed(state, name, deleted)


def spares_cloudformation(state: State, write: WriteBatch) -> bool:
    """Nothing is deleted but what the run last read or wrote, where it is not CloudFormation's."""
    if write.purpose in SOA_PURPOSES:
        return all(change.action != "DELETE" for change in write.changes)
    if (helper := state.helpers.get(write.name)) is not None:
        stands = helper.stage is HelperStatus.STANDING
        return all(
            change.action != "DELETE" or (stands and change.record in helper.records)
            for change in write.changes
        )
    name = state.names[write.name]
    ours = {
        h.standing.key: h.standing
        for h in name.handovers
        if h.stage in (RecordStatus.STANDING, RecordStatus.RESTORED) or is_member(h)
    }
    return all(
        change.action != "DELETE" or change.record == ours.get(change.record.key)
        for change in write.changes
    )


def leaves_a_record(changes: tuple[Change, ...]) -> bool:
    """Whatever is deleted is replaced in the same batch, by what could not stand beside it."""
    created = [change.record for change in changes if change.action == "CREATE"]
    return all(
        any(conflict(change.record, record) for record in created)
        for change in changes
        if change.action == "DELETE"
    )


def is_release_due(state: State, write: WriteBatch) -> bool:
    """Every condition of the release gate holds for exactly these record sets."""
    if write.name not in state.names:
        return False
    name = replace(state.names[write.name], write=None)
    deletes = [change.record for change in write.changes if change.action == "DELETE"]
    due = [gate.deletes for gate in release_gates(state, name) if gate.is_open]
    if (bridge := bridge_gate(state, name)).is_open:
        due.append(bridge.deletes)
    return len(deletes) == len(write.changes) and any(same_records(each, deletes) for each in due)


def is_removal_due(state: State, write: WriteBatch) -> bool:
    """Every name that a helper answered for has a record; beside a member stands the stack's."""
    if (helper := state.helpers.get(write.name)) is not None:
        names = [state.names[name] for name in helper.covers]
        return not any(is_missed(state, name) or not is_synced(state, name) for name in names)
    name = state.names[write.name]
    deleted = {change.record.key for change in write.changes}
    return root_kind(state) is StackPhase.SUCCEEDED and all(
        h.stage in TAKEN_STAGES for h in name.handovers if h.standing.key in deleted
    )


def broken_promises(state: State) -> tuple[str, ...]:
    """What a state says that it must not say."""
    return tuple(_broken_promises(state))


def _broken_promises(state: State) -> Iterator[str]:
    ending = state.ending
    if ending is None:
        return
    absent = [h for h in state.handovers if h.stage in ABSENT_STAGES]
    if absent and ending.outcome is not Outcome.UNKNOWN:
        yield "a run that does not say unknown ends with a record at every name"
    if any(h.released_at is not None for h in absent) and len(state.interrupts) < 2:  # noqa: PLR2004
        yield "a released name is only left empty where the run is stopped twice"
    if ending.outcome is Outcome.DONE and any(h.stage not in TAKEN_STAGES for h in state.handovers):
        yield "done means that CloudFormation has every record"
    lowered = [
        h
        for h in state.handovers
        if h.stage in (RecordStatus.STANDING, RecordStatus.RESTORED)
        and not h.standing.same_as(h.original)
    ]
    if (left_helpers(state) or left_members(state)) and ending.outcome is not Outcome.UNKNOWN:
        yield "what a strategy put beside a record is removed or reported"
    if left_deadmen(state) and ending.outcome is not Outcome.UNKNOWN:
        yield "the deadman in AWS is stopped or reported"
    if left_soa(state) and ending.outcome is not Outcome.UNKNOWN:
        yield "a lowered negative TTL is put back or reported"
    if lowered and ending.outcome is not Outcome.UNKNOWN:
        yield "a lowered TTL is restored or reported"
