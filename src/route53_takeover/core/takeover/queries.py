"""Questions about a state, for the code that folds, decides or shows.

Pure, and about one state only: nothing here changes anything or says what is to be done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from route53_takeover.core.domain.record_sets import (
    conflict,
    normal_name,
    normal_zone_id,
)
from route53_takeover.core.domain.stacks import (
    NOT_OWNED,
    StackPhase,
    kind_of,
)
from route53_takeover.core.events import Switch
from route53_takeover.core.plan.measured import least_deadman
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import LIVE, Phase
from route53_takeover.core.timing import (
    EVENTS_LAG,
    deadman_after,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from route53_takeover.core.domain.desired_records import DesiredRecord
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan
    from route53_takeover.core.takeover.name_state import Handover, NameState
    from route53_takeover.core.takeover.stack_state import RecordResource, StackState
    from route53_takeover.core.takeover.state import State

_Thing = TypeVar("_Thing")
_Answer = TypeVar("_Answer")

ANSWERED = "answer"
"""The status of a name server that answers with records (`core.ports.DnsAnswer`)."""
IN_PROGRESS = frozenset({StackPhase.FORWARD, StackPhase.CLEANING, StackPhase.ROLLING_BACK})


class _Newest(Generic[_Thing, _Answer]):
    """What a question comes to, kept for the newest thing that it was asked about.

    With many names in a run each asks the same many times a step. A state is never changed, only
    replaced, so an answer holds for as long as it is the same object.
    """

    def __init__(self, ask: Callable[[_Thing], _Answer]) -> None:
        self._ask = ask
        self._known: tuple[_Thing, _Answer] | None = None

    def of(self, thing: _Thing) -> _Answer:
        if self._known is None or self._known[0] is not thing:
            self._known = thing, self._ask(thing)
        return self._known[1]


def _by_name(stacks: Mapping[str, StackState]) -> Mapping[str, Sequence[RecordResource]]:
    """The tree's record resources by the name of their desired record."""
    found: dict[str, list[RecordResource]] = {}
    for stack in stacks.values():
        for resource in stack.records.values():
            if resource.desired is not None:
                name = normal_name(resource.desired.record.name)
                found.setdefault(name, []).append(resource)
    return found


def may_lose_a_record(state: State) -> bool:
    """Whether a name of the run may lose its record from now on."""
    return state.phase in LIVE or state.phase is Phase.DEPLOY_ON


def root_kind(state: State) -> StackPhase:
    """What the root stack's status means."""
    return _root_kind.of(state)


def root_status(state: State) -> str:
    """The root stack's status, by events, or by DescribeStacks where they lag."""
    root = state.root_stack
    if root is None or not root.status:
        return state.described.status if state.described else state.root.status
    if (
        root.kind in IN_PROGRESS
        and state.described is not None
        and kind_of(state.described.status) not in IN_PROGRESS
        and state.described_began >= state.news_at + EVENTS_LAG
    ):
        return state.described.status
    return root.status


def was_deployed(state: State) -> bool:
    """Whether the current deploy began an operation of the stack.

    A resource that would stand in a record's place says so too: the events of the stack itself may
    be missing, or never have been read.
    """
    root = state.root_stack
    moved = root is not None and root.operations > 0
    return moved or any(candidate_resources(state, h) for h in state.handovers)


def may_have_begun(state: State) -> bool:
    """Whether the deploy has exited, and its operation may be one that no poll has shown.

    One that fails at once is over before the next poll.
    """
    root = state.root_stack
    deploy = state.deploys.get(state.baseline) if state.baseline else None
    return (
        root is not None
        and root.operations == 0
        and deploy is not None
        and deploy.exited_at is not None
        and root.polled < state.news_at + state.plan.options.settle
    )


def unread_records(state: State) -> tuple[str, ...]:
    """Record sets and groups of the stack that are complete, and whose records are not known."""
    return tuple(
        dict.fromkeys(
            f"{'RecordSetGroup' if resource.group else 'RecordSet'} {resource.logical_id}"
            for stack in state.stacks.values()
            for resource in stack.records.values()
            if resource.status == "CREATE_COMPLETE" and _is_unread(resource)
        )
    )


def _is_unread(resource: RecordResource) -> bool:
    """Whether it may hold a record of ours; of a record set the name alone is known then."""
    if resource.group:
        return resource.desired is None
    return resource.guessed and resource.desired is not None


def matching_resources(state: State, handover: Handover) -> tuple[RecordResource, ...]:
    """The record resources of the tree that would stand in this record set's place."""
    return tuple([r for r in candidate_resources(state, handover) if not r.guessed])


def candidate_resources(state: State, handover: Handover) -> tuple[RecordResource, ...]:
    """The same, and those of which only the name is known: for what must not be written then."""
    found = resources_at(state, normal_name(handover.original.name))
    return tuple(
        [
            resource
            for resource in found
            if resource.desired is not None
            and is_in_zone(state.plan, resource)
            and conflict(resource.desired.record, handover.original)
        ]
    )


def is_owned(state: State, handover: Handover) -> bool:
    """Whether the tree has, or gets, one of the records, or may have."""
    return any(r.status not in NOT_OWNED for r in candidate_resources(state, handover))


def resources_at(state: State, name: str) -> Sequence[RecordResource]:
    """The tree's record resources whose desired record has this name, in normal form."""
    return _resources.of(state.stacks).get(name, ())


def group_members(state: State, resource: RecordResource) -> tuple[RecordResource, ...]:
    """Every record of the group that this is one of, but those that it has lost."""
    return tuple(
        [
            each
            for each in state.stacks[resource.stack_id].records.values()
            if each.group
            and each.logical_id == resource.logical_id
            and not each.status.startswith("DELETE_")
        ]
    )


def unseen_of_groups(state: State) -> tuple[str, ...]:
    """The records of the groups in question that were neither in the plan nor known to be free."""
    groups = {
        (m.stack_id, m.logical_id)
        for h in state.handovers
        for m in matching_resources(state, h)
        if m.group
    }
    keys = [
        each.desired.record.key
        for stack_id, logical_id in groups
        for each in state.stacks[stack_id].records.values()
        if each.group and each.logical_id == logical_id and each.desired is not None
    ]
    known = (*state.plan.vacant, *state.plan.keys)
    return tuple(str(k) for k in keys if k.name not in state.names and k not in known)


def added_as_it_stands(state: State, handover: Handover) -> tuple[RecordResource, ...]:
    """The groups that an update adds exactly this record to.

    They have their id already, so nothing shows whether CloudFormation has adopted the record:
    it is never released.
    """
    return tuple(
        [
            r
            for r in matching_resources(state, handover)
            if r.group and r.logical_id in state.stacks[r.stack_id].existing
            if r.desired is not None and r.desired.complete
            if r.desired.record.same_as(handover.standing)
        ]
    )


def is_group_kept_back(state: State, resource: RecordResource) -> bool:
    """Whether a group cannot be created any more, because another record of it is not released."""
    if not resource.group or resource.status != "CREATE_IN_PROGRESS":
        return False
    for member in group_members(state, resource):
        desired = member.desired
        name = None if desired is None else state.names.get(desired.record.key.name)
        if desired is None or name is None:
            continue
        met = [h for h in name.handovers if conflict(h.original, desired.record)]
        if met and (name.restoring or name.given_up):
            return True
        if any(h.stage is RecordStatus.CHANGED for h in met):
            return True
    return False


def is_in_zone(plan: Plan, resource: RecordResource) -> bool:
    """Whether the resource is certainly in the plan's zone. Unresolved or ambiguous: it is not.

    A name stands for the zone, public or private, where no other zone of the account has it.
    """
    desired = resource.desired
    if desired is None:
        return False
    if desired.zone_id is not None:
        return normal_zone_id(desired.zone_id) == plan.zone_id
    return desired.zone_name == plan.zone_name and plan.zone_is_unique


def may_be_identical(manual: RecordSet, desired: DesiredRecord | None) -> bool:
    """Whether a compare-and-delete of the manual record could hit CloudFormation's."""
    return desired is None or not desired.complete or desired.record.same_as(manual)


def is_ours_to_fill(state: State, name: NameState) -> bool:
    """A record that another writer deleted before anything was deployed stays deleted.

    Not one that helper records answer for by then: they are to be removed.
    """
    return state.backed_up and (
        state.baseline is Switch.ON
        or bool(name.covered_by)
        or any(h.released_at is not None for h in name.handovers)
        or any(matching_resources(state, h) for h in name.handovers)  # it was the stack's
    )


def is_missed(state: State, name: NameState) -> bool:
    """Whether the name has no record, and that is for the run to change."""
    return name.is_absent and is_ours_to_fill(state, name)


def can_fill(state: State, name: NameState) -> bool:
    """Whether a run that ends would rather go on restoring an empty name."""
    is_released = any(h.released_at is not None for h in name.handovers)
    return state.baseline is Switch.ON or is_released or bool(name.covered_by)


def deadman(state: State, name: NameState, released_at: float) -> float:
    """When to restore a record that was released at this time (`deadman_after`)."""
    began = [m.since for h in name.handovers for m in matching_resources(state, h)]
    in_progress = released_at - min(began, default=released_at)
    measured = (state.plan.measured_of(h.original) for h in name.handovers)
    least = least_deadman(each for each in measured if each is not None)
    return released_at + deadman_after(in_progress, state.plan.options.restore_after, least)


def silent_servers(state: State) -> tuple[str, ...]:
    """The name servers that answered before the release, and do not now."""
    silent = sorted(
        server
        for name in state.names.values()
        for server in name.answered
        if name.answers.get(server) != ANSWERED
    )
    return tuple(dict.fromkeys(silent))


_resources = _Newest(_by_name)
_root_kind: _Newest[State, StackPhase] = _Newest(lambda state: kind_of(root_status(state)))
