"""The moment: when, and only when, the manual record may be released.

Every condition is one line of `lacks`, so that what a run waits for can be shown, and so that no
condition can be skipped: a release is due when nothing is lacking. A key of the operator may cut
the hold short, but for the time in which the record may be adopted, and never another condition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.freshness import LIST_FRESH, POLL_FRESH, READ_FRESH, is_fresh
from route53_takeover.core.name_reads import may_be_identical
from route53_takeover.core.plan import OTHER_HOLD, hold_for
from route53_takeover.core.records import RecordSet, conflict, same_records
from route53_takeover.core.stack_tree import is_in_zone, resources_at
from route53_takeover.core.stacks import Kind
from route53_takeover.core.state import (
    LIVE,
    Phase,
    RecordResource,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.state import (
        NameState,
        State,
    )

DISOWNED = "the stack's own word that it has not adopted the record"
HOLD = "the hold"
PAUSED = "a run that is not paused"
CONFIRMATION = "a person's word (--confirm-release)"
_READ = "a fresh read of the name"
_EVENTS = "fresh events"
_ANSWER = "the answer to the last write"
_PAUSE = "the pause after a refused write"
_COMING = frozenset({HOLD, CONFIRMATION, DISOWNED, _READ, _EVENTS, _ANSWER, _PAUSE})
"""What comes by itself, or by a person's word: a moment that lacks anything else may never come."""
ADOPTING = 90.0
"""Seconds that CloudFormation may take to adopt a record, once it has an id: after that one of
which not even the values are known may be what it retries, id or not."""


class Moment(Struct, frozen=True, kw_only=True):
    """A release that is due, or what it waits for.

    Attributes:
        resource: the record resource that CloudFormation is trying to create.
        deletes: what the release deletes: every record set that stands in its way.
        lacks: what is missing yet, in words; empty when it is due.
        held_at: when the hold ends.
        least: how far a person can cut the hold: no release before this.
        may_be_adopted: the manual record may be what CloudFormation wants, so that a
            compare-and-delete could hit CloudFormation's own.
    """

    resource: RecordResource
    deletes: tuple[RecordSet, ...]
    lacks: tuple[str, ...]
    held_at: float
    least: float
    may_be_adopted: bool

    @property
    def is_due(self) -> bool:
        """Whether the record is to be released now."""
        return not self.lacks

    @property
    def may_be_cut(self) -> bool:
        """Whether the release is to come, and would come sooner without the rest of the hold."""
        return self._is_coming and HOLD in self.lacks and self.least < self.held_at

    @property
    def may_be_confirmed(self) -> bool:
        """Whether the release is to come, and waits for a person's word."""
        return self._is_coming and CONFIRMATION in self.lacks

    @property
    def _is_coming(self) -> bool:
        return _COMING.issuperset(self.lacks)


def moments(state: State, name: NameState) -> Iterator[Moment]:
    """One for each resource that is being created where a manual record set of ours stands."""
    for resource in resources_at(state, name.name):
        if resource.status != "CREATE_IN_PROGRESS" or resource.desired is None:
            continue
        if resource.guessed or resource.group:
            continue  # its zone is not certain; a group creates all of its records or none
        desired = resource.desired.record
        standing = tuple(
            h.standing
            for h in name.handovers
            if h.stage is Stage.STANDING and conflict(h.standing, desired)
        )
        if not standing:
            continue
        hold = max(hold_for(state.plan.options, r, resource.desired) for r in standing)
        began = max(resource.since, state.resumed_at)  # the wall clock may have jumped in between
        held_at = began + hold
        adoptable = any(may_be_identical(r, resource.desired) for r in standing)
        least = began + (OTHER_HOLD if adoptable else 0.0)
        if name.hold_cut_at >= resource.since:
            held_at = min(held_at, name.hold_cut_at)
        held_at = max(held_at, least)
        lacks = [*_lacks(state, name, resource, standing, held_at)]
        if adoptable and not _is_disowned(state, resource, held_at):
            lacks.append(DISOWNED)
        yield Moment(
            resource=resource,
            deletes=standing,
            lacks=tuple(lacks),
            held_at=held_at,
            least=least,
            may_be_adopted=adoptable,
        )


def _is_disowned(state: State, resource: RecordResource, held_at: float) -> bool:
    """Whether the stack's own list, read since the hold, shows no id for the record.

    Events may lag by more than the hold; an id in the list counts like one in an event
    (`RecordResource.initiated_at`). One that is known to be identical is not released for as long
    as CloudFormation has an id.
    """
    stack = state.stacks[resource.stack_id]
    asked_in_time = stack.listed >= max(held_at, state.awake_since)
    if not asked_in_time or state.now - stack.told > LIST_FRESH:
        return False
    if resource.initiated_at is None:
        return True
    known = resource.desired is not None and resource.desired.complete
    return not known and state.now >= resource.initiated_at + ADOPTING


def _lacks(
    state: State,
    name: NameState,
    resource: RecordResource,
    standing: tuple[RecordSet, ...],
    held_at: float,
) -> Iterator[str]:
    if not state.backed_up:
        yield "a backup on disk"
    if state.journal_lost:
        yield "a journal that can be written"
    if state.phase not in LIVE or state.phase is Phase.RESTORE:
        yield "the phase in which releasing is allowed"
    stopped = state.interrupts and not state.ever_released
    if stopped or state.given_up or name.given_up:
        yield "a run that still wants it"  # after the first release the stack needs the others too
    if state.paused and not state.ever_released:
        yield PAUSED
    if name.restoring:
        yield "another run: this one has put the name back already"
    if name.write is not None:
        yield _ANSWER
    if not is_in_zone(state.plan, resource):
        yield "certainty that it is the plan's zone"
    if resource.desired is None or resource.desired.record.is_routed:
        yield "a simple record set"
    yield from _lacks_of_stacks(state, resource)
    if state.now < held_at:
        yield HOLD
    if state.plan.options.confirm_release and name.agreed_at < resource.since:
        yield CONFIRMATION
    yield from _lacks_of_read(state, name, resource, standing)
    if state.now < name.not_before:
        yield _PAUSE


def _lacks_of_stacks(state: State, resource: RecordResource) -> Iterator[str]:
    lineage: list[str | None] = [resource.stack_id]
    while lineage[-1] and (parent := state.stacks[lineage[-1]].parent) in state.stacks:
        if parent in lineage:
            break  # no tree: its root is not the run's
        lineage.append(parent)
    if lineage[-1] != state.root.stack_id:
        yield "a known way from the root to its stack"
    for stack_id in lineage:
        stack = state.stacks.get(stack_id or "")
        if stack is None or stack.kind is not Kind.GOING:
            yield "a stack that goes forward"
        elif not is_fresh(state, began=stack.polled, told=stack.poll_told, within=POLL_FRESH):
            yield _EVENTS


def _lacks_of_read(
    state: State, name: NameState, resource: RecordResource, standing: tuple[RecordSet, ...]
) -> Iterator[str]:
    read = name.read
    if (
        read is None
        or read.began < resource.since
        or not is_fresh(state, began=read.began, told=read.told, within=READ_FRESH)
    ):
        yield _READ
    elif resource.desired is not None:
        in_the_way = [r for r in read.records if conflict(r, resource.desired.record)]
        if not same_records(in_the_way, standing):
            yield "a name that holds what the run last read or wrote"
