"""What a takeover looks at again and again: stacks, names, name servers, the connection.

`polls` is worked out from the state after each event; `route53_takeover.runtime.pollers` runs what
it says. A look that a decision waits for, once, is a command instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.events import Switch
from route53_takeover.core.machine import Poll
from route53_takeover.core.takeover.commands import Request, Subject
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.helper_queries import helper_probes, is_covered, is_gapless
from route53_takeover.core.takeover.name_state import HelperStatus, RecordStatus
from route53_takeover.core.takeover.phases import LIVE, Phase
from route53_takeover.core.takeover.queries import (
    IN_PROGRESS,
    is_ours_to_fill,
    matching_resources,
    may_have_begun,
    root_kind,
    silent_servers,
)
from route53_takeover.core.takeover.release_gate import BY_LOOKING, release_gates, to_release
from route53_takeover.core.timing import (
    ACTIVE,
    CLOSE_READ,
    GAP_READ,
    GOING_READ,
    GUARD_READ,
    HOT,
    HOT_FOR,
    IDLE,
    IDLE_READ,
    PROBE,
    PROBE_IN_GAP,
    PROBES_A_SECOND,
    READ_GROUPS,
    VERIFY_READ,
    WARM,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from route53_takeover.core.takeover.name_state import NameState
    from route53_takeover.core.takeover.stack_state import RecordResource, StackState
    from route53_takeover.core.takeover.state import State


class StackEvents(Struct, frozen=True):
    """The events of one stack.

    Attributes:
        stack: its id; the root's name while it has none.
        after: the event to read back to; ``None``: the start of its current operation.
    """

    stack: str
    after: str | None


class NameRecords(Struct, frozen=True):
    """The record sets at a name."""

    name: str


class NameServers(Struct, frozen=True):
    """What the zone's name servers answer."""

    name: str
    type: str


class Connection(Struct, frozen=True):
    """The connection to Route 53, which a release must not have to open."""


Target = StackEvents | NameRecords | NameServers | Connection


def polls(state: State) -> tuple[Poll[Target], ...]:
    """What to look at now, and how often."""
    stacks = stack_polls(state)
    is_close = any(poll.every == HOT for poll in stacks)
    warming = (Poll[Target](target=Connection(), every=WARM),) if is_close else ()
    names = (*_name_polls(state), *_helper_polls(state))
    return (*stacks, *names, *_server_polls(state), *warming)


# -- names


def _name_polls(state: State) -> Iterator[Poll[Target]]:
    if state.phase is Phase.VERIFY and not silent_servers(state):
        return  # asked here once, for it goes through all names
    for at, name in enumerate(state.names.values()):
        every = read_pace(state, name)
        if every is not None and every > CLOSE_READ:  # not a hundred names at once
            every -= every * (at % READ_GROUPS) / (2 * READ_GROUPS)
        if every is not None and Request(Subject.NAME, name.name) not in state.in_flight:
            yield Poll(
                target=NameRecords(name.name),
                every=every,
                last=name.read.began if name.read else 0.0,
                not_before=name.read_after,
            )


def read_pace(state: State, name: NameState) -> float | None:
    """Seconds between reads of a name now; ``None``: it is not read.

    Asked of every name after every event: what stands first spares most of them the rest.
    """
    if state.phase is Phase.VERIFY:
        return VERIFY_READ
    if state.phase is Phase.DRAIN:
        return IDLE_READ  # an updater, such as a DDNS client, is met before anything is deployed
    if state.phase not in LIVE:
        return GUARD_READ if state.phase is Phase.DEPLOY_ON and is_gapless(state, name) else None
    if name.write is not None:
        return None if name.write.unknown_since is None else CLOSE_READ
    if name.is_absent:
        if is_covered(state, name):
            return CLOSE_READ if _is_being_created(state, name) else GUARD_READ
        return GAP_READ if is_ours_to_fill(state, name) else GUARD_READ
    if any(_is_close(state, name, resource) for resource, *_ in to_release(state, name)):
        return CLOSE_READ
    kind = root_kind(state)
    if all(h.stage in (RecordStatus.STANDING, RecordStatus.CHANGED) for h in name.handovers):
        if kind is StackPhase.FORWARD:  # another writer may delete it, and the gap is measured
            return min(max(GOING_READ, len(state.names)), GUARD_READ)
        if kind in IN_PROGRESS:
            return CLOSE_READ  # CloudFormation may, though no event reported it
        if state.baseline is not Switch.ON:
            return None
        is_old = name.read is None or name.read.began < state.news_at
        return 0.0 if is_old else IDLE_READ  # one read that was stale must not be the last
    if kind not in (StackPhase.FORWARD, StackPhase.SUCCEEDED):
        return CLOSE_READ  # it is being deleted, or was
    if kind is StackPhase.SUCCEEDED and (name.read is None or name.read.began < state.news_at):
        return 0.0  # a clean-up that no poll showed may have deleted it
    return GUARD_READ


def _is_close(state: State, name: NameState, resource: RecordResource) -> bool:
    """Whether to look often: after a while only where the release waits for nothing else.

    Where it waits for a confirmation, or for the end of a pause, it begins with a look then.
    """
    return state.now < resource.since + HOT_FOR or any(
        gate.resource is resource and BY_LOOKING.issuperset(gate.unmet)
        for gate in release_gates(state, name)
    )


def _is_being_created(state: State, name: NameState) -> bool:
    return any(m for h in name.handovers for m in matching_resources(state, h))


def _helper_polls(state: State) -> Iterator[Poll[Target]]:
    """The names of helper records that stand: another writer may change them."""
    for helper in state.helpers.values():
        if helper.stage is not HelperStatus.STANDING or state.phase is Phase.ENDED:
            continue
        if helper.write is None and Request(Subject.NAME, helper.name) not in state.in_flight:
            yield Poll(
                target=NameRecords(helper.name),
                every=GUARD_READ,
                last=helper.read.began if helper.read else 0.0,
                not_before=helper.read_after,
            )


# -- name servers

_PROBED = frozenset({Phase.PROVE, Phase.PREPARE, Phase.DEPLOY_ON, Phase.VERIFY, *LIVE})


def _server_polls(state: State) -> Iterator[Poll[Target]]:
    """Asks for the type of the record, or for A where a CNAME leads on."""
    if state.phase not in _PROBED or not state.plan.options.probe:
        return
    questions = {
        (name.name, "A" if h.original.type == "CNAME" else h.original.type)
        for name in state.names.values()
        for h in name.handovers
    }
    for name, record_type in sorted(set(helper_probes(state))):
        yield Poll(target=NameServers(name, record_type), every=PROBE)
    silent = {name.name for name in state.names.values() if _may_be_silent(name)}
    least = 2 * len(questions) / PROBES_A_SECOND
    least_in_gap = 2 * len(silent) / PROBES_A_SECOND
    for at, record_type in sorted(questions):
        every = max(PROBE_IN_GAP, least_in_gap) if at in silent else max(PROBE, least)
        yield Poll(target=NameServers(at, record_type), every=every)


def _may_be_silent(name: NameState) -> bool:
    """Whether the name has no record, is losing it, or is not answered for everywhere yet."""
    releasing = name.write is not None and name.write.purpose is Purpose.RELEASE
    return releasing or name.is_absent or bool(name.silent_since)


# -- stacks


def stack_polls(state: State) -> tuple[Poll[StackEvents], ...]:
    """The stacks to poll. Empty while nothing is deployed."""
    deploying = state.phase in (Phase.DEPLOY_OFF, Phase.DEPLOY_ON, Phase.VERIFY)
    if state.baseline is None or not (deploying or state.phase in LIVE):
        return ()
    if state.phase is Phase.DEPLOY_ON and state.baseline is not Switch.ON:
        return ()  # what is known is the first deploy's
    root = state.root_stack
    if root is None:
        root_id = state.root.stack_id or state.plan.options.stack
        return (Poll(target=StackEvents(root_id, None), every=ACTIVE),)
    settling = _with_all_above(state, _settling(state))
    imminent = (stack for stack in _going(state) if _is_imminent(state, stack))
    hot = settling | _with_all_above(state, imminent)
    expecting = (state.stacks[each] for each in state.plan.expecting if each in state.stacks)
    urgent = hot | _with_all_above(state, expecting)
    at_work = root.kind in IN_PROGRESS
    working = {s.stack_id: s for s in state.stacks.values() if _is_working(state, s)}
    parents = {s.parent for s in working.values()}
    found = []
    for stack in state.stacks.values():
        is_root = stack.stack_id == root.stack_id
        if not (is_root or (at_work and stack.stack_id in working) or stack.stack_id in hot):
            continue
        is_leaf = stack.stack_id in working and stack.stack_id not in parents
        is_missed = is_root and may_have_begun(state)
        is_awaited = is_missed or (is_root and _is_awaited(state, stack))
        every = ACTIVE if is_leaf or is_awaited else IDLE
        found.append(
            Poll(
                target=StackEvents(stack.stack_id, stack.baseline),
                every=HOT if stack.stack_id in hot else every,
                tell_all=stack.stack_id in settling or is_missed,
                urgent=stack.stack_id in urgent,
            )
        )
    return tuple(found)


def _is_awaited(state: State, root: StackState) -> bool:
    """Whether our own deploy runs and the stack has not started: its record may come soon."""
    deploy = state.deploys.get(state.baseline) if state.baseline else None
    return root.operations == 0 and deploy is not None and deploy.exited_at is None


def _is_working(state: State, stack: StackState) -> bool:
    """Whether the stack is in progress, or its turn in its parent's operation is still to come."""
    parent = state.stacks.get(stack.parent or "")
    if (
        stack.kind is StackPhase.CLEANING
        and parent is not None
        and parent.kind is StackPhase.FORWARD
    ):
        return False  # done, but for the clean-up that waits for its root
    if stack.kind in IN_PROGRESS:
        return True
    if parent is None or parent.kind not in IN_PROGRESS:
        return False
    return stack.kind is StackPhase.ABSENT or stack.status_time < parent.started


def _with_all_above(state: State, stacks: Iterable[StackState]) -> frozenset[str]:
    found: set[str] = set()
    for stack in stacks:
        at: str | None = stack.stack_id
        while at in state.stacks and at not in found:
            found.add(at)
            at = state.stacks[at].parent
    return frozenset(found)


def _going(state: State) -> Iterator[StackState]:
    return (stack for stack in state.stacks.values() if stack.kind is StackPhase.FORWARD)


def _settling(state: State) -> Iterator[StackState]:
    """The stacks that are creating a record of ours, and whose next event decides about it."""
    for stack in _going(state):
        for resource in stack.records.values():
            if resource.status != "CREATE_IN_PROGRESS" or resource.desired is None:
                continue
            name = state.names.get(normal_name(resource.desired.record.name))
            if name is None or name.restoring or name.given_up:
                continue
            if name.is_absent or _is_close(state, name, resource):
                yield stack
                break


def _is_imminent(state: State, stack: StackState) -> bool:
    """Whether all that a record of ours depends on is complete, and it has not started."""
    if stack.template is None:
        return False
    for logical_id, desired in stack.template.record_sets.items():
        if logical_id in stack.newest or logical_id in stack.existing:
            continue
        if desired is not None and normal_name(desired.record.name) not in state.names:
            continue
        waits_for = stack.template.depends.get(logical_id, frozenset())
        if all(_is_complete(stack, other) for other in waits_for):
            return True
    return False


def _is_complete(stack: StackState, logical_id: str) -> bool:
    if logical_id in stack.newest:
        return stack.newest[logical_id][1].endswith("_COMPLETE")
    return logical_id in stack.existing
