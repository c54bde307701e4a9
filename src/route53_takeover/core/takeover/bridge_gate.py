"""The bridge gate: the conditions under which a record is deleted because helper records answer.

It opens in the phase ``prepare``, before anything is deployed. Each condition is one line, like
those of `route53_takeover.core.takeover.release_gate`, whose words it shares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import RecordSet, same_records
from route53_takeover.core.domain.stacks import NOT_OWNED, UPDATABLE_FAILURES, StackPhase, kind_of
from route53_takeover.core.takeover.deadman_state import is_armed
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.helper_queries import helper_of, is_serving
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import IN_PROGRESS, is_owned
from route53_takeover.core.takeover.release_gate import Condition
from route53_takeover.core.takeover.soa_queries import is_seen_lowered
from route53_takeover.core.timing import READ_FRESH, WRITE_FRESH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.stack_state import StackState
    from route53_takeover.core.takeover.state import State


class BridgeGate(Struct, frozen=True, kw_only=True):
    """The release of a name that helper records answer for: before anything is deployed.

    Attributes:
        deletes: every record set of the name that is taken over.
        unmet: the conditions that do not hold yet; empty when the release is due.
    """

    deletes: tuple[RecordSet, ...]
    unmet: tuple[Condition, ...]

    @property
    def is_open(self) -> bool:
        return not self.unmet

    @property
    def may_be_confirmed(self) -> bool:
        """Whether the release is to come, and waits for the operator's confirmation."""
        return Condition.CONFIRMATION in self.unmet and _COMING.issuperset(self.unmet)


_COMING = frozenset(
    {
        Condition.CONFIRMATION,
        Condition.DISOWNED,
        Condition.STATUS,
        Condition.READ,
        Condition.ANSWERED,
        Condition.NEGATIVE_TTL,
        Condition.PAUSE,
        Condition.CLOUD_DEADMAN,
    }
)
"""What comes by itself, or by the operator's confirmation."""


def bridge_gate(state: State, name: NameState) -> BridgeGate:
    """Whether the name's records may be deleted because its helper records answer for it."""
    standing = tuple(h.standing for h in name.handovers)
    return BridgeGate(deletes=standing, unmet=tuple(_unmet_of_bridge(state, name, standing)))


def _unmet_of_bridge(
    state: State, name: NameState, standing: tuple[RecordSet, ...]
) -> Iterator[Condition]:
    if not state.backed_up:
        yield Condition.BACKUP
    if state.journal_lost:
        yield Condition.JOURNAL
    if state.phase is not Phase.PREPARE:
        yield Condition.PHASE
    if state.interrupts or state.given_up or name.given_up:
        yield Condition.WANTED
    if state.paused:
        yield Condition.NOT_PAUSED
    if name.restoring or any(h.stage is not RecordStatus.STANDING for h in name.handovers):
        yield Condition.NOT_RESTORED
    if name.write is not None:
        yield Condition.ANSWERED
    if not is_seen_lowered(state.soa):
        yield Condition.NEGATIVE_TTL
    yield from _unmet_of_owners(state, name)
    if not _is_bridged(state, name, standing):
        yield Condition.BRIDGED
    yield from _unmet_of_read(state, name, standing)
    helper = helper_of(state, name.name)
    since = 0.0 if helper is None else helper.created_at
    if state.plan.options.confirm_release and name.agreed_at < since:
        yield Condition.CONFIRMATION
    if state.now < name.not_before:
        yield Condition.PAUSE
    if not is_armed(state, name, standing):
        yield Condition.CLOUD_DEADMAN


def _unmet_of_read(
    state: State, name: NameState, standing: tuple[RecordSet, ...]
) -> Iterator[Condition]:
    read = name.read
    if read is None or not is_fresh(state, began=read.began, told=read.told, within=READ_FRESH):
        yield Condition.READ
    elif not same_records(read.records, standing):
        yield Condition.UNCHANGED  # another record set at the name hides the wildcard
    elif not {r.type for r in standing}.isdisjoint(read.protected):
        yield Condition.UNPROTECTED


def _unmet_of_owners(state: State, name: NameState) -> Iterator[Condition]:
    """The stack may have been deployed meanwhile, and have adopted the record."""
    began = state.described_began
    if state.described is None or not is_fresh(state, began=began, told=began, within=WRITE_FRESH):
        yield Condition.STATUS
    elif kind_of(state.described.status) in IN_PROGRESS or has_failed(state):
        yield Condition.AT_REST
    if any(is_owned(state, handover) for handover in name.handovers):
        yield Condition.UNOWNED
    if state.root.stack_id and state.root.stack_id not in state.stacks:
        yield Condition.DISOWNED  # it was made anew
        return
    for stack in state.stacks.values():
        is_listed = is_fresh(state, began=stack.listed, told=stack.told, within=WRITE_FRESH)
        if not is_listed or has_unread_news(state.plan, stack):
            yield Condition.DISOWNED
            return


def has_failed(state: State) -> bool:
    """Whether the stack was seen in a status that no deploy can update it from."""
    status = "" if state.described is None else state.described.status
    return kind_of(status) is StackPhase.FAILED and status not in UPDATABLE_FAILURES


def has_unread_news(plan: Plan, stack: StackState) -> bool:
    """Whether the stack got a resource since the plan that may be the record, and is not known."""
    return any(
        (resource.desired is None or resource.guessed)
        and resource.status not in NOT_OWNED
        and (
            resource.group  # an update may have given it the record
            or f"{resource.stack_id} {resource.logical_id}" not in plan.resources
        )
        for resource in stack.records.values()
    )


def _is_bridged(state: State, name: NameState, standing: tuple[RecordSet, ...]) -> bool:
    """Whether helper records of each type answer, as a fresh read and every name server show."""
    helper = helper_of(state, name.name)
    if helper is None or not is_serving(state, helper) or helper.read is None:
        return False
    read = helper.read
    return (
        helper.write is None
        and is_fresh(state, began=read.began, told=read.told, within=READ_FRESH)
        and {r.type for r in standing} <= {r.type for r in helper.records}
    )
