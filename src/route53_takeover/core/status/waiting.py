"""What a run waits for, and what it counts down to.

The conditions themselves are those of the modules that act on them (`release_gate`, `completion`,
`active`); nothing here decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.events import Switch
from route53_takeover.core.status.sentences import all_names, nothing_to_release
from route53_takeover.core.status.snapshot import Absence, Countdown
from route53_takeover.core.takeover.absence import lack
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.fold_requests import is_empty
from route53_takeover.core.takeover.name_state import HelperStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import (
    IN_PROGRESS,
    added_as_it_stands,
    deadman,
    root_kind,
)
from route53_takeover.core.takeover.release_gate import Condition, release_gates
from route53_takeover.core.timing import ANSWER_PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.deploys import Deploy
    from route53_takeover.core.takeover.name_state import NameState, WrittenName
    from route53_takeover.core.takeover.state import State

CONDITION_WORDS = {
    Condition.BACKUP: "the backup to be saved",
    Condition.JOURNAL: "a writable journal",
    Condition.PHASE: "a phase in which a release is allowed",
    Condition.WANTED: "a takeover that is not given up",
    Condition.NOT_PAUSED: "the run to be continued (it is paused)",
    Condition.NEGATIVE_TTL: "a read of the zone's SOA with the lowered negative TTL",
    Condition.NOT_RESTORED: "a new run (this one has restored the record)",
    Condition.ANSWERED: "the answer to the last write",
    Condition.ZONE: "proof that the new record is in the plan's zone",
    Condition.SIMPLE: "a desired record with the routing policy of what stands",
    Condition.IN_TREE: "its stack's place in the root stack's tree",
    Condition.FORWARD: "a stack operation that goes forward",
    Condition.EVENTS: "fresh stack events",
    Condition.STATUS: "a fresh status of the stack",
    Condition.HOLD: "the hold to end",
    Condition.CONFIRMATION: "your confirmation (--confirm-release)",
    Condition.READ: "a fresh read of the name",
    Condition.UNCHANGED: "a record that is as the run last read or wrote it",
    Condition.UNPROTECTED: "the record set protection at the name to be deleted",
    Condition.PAUSE: "the wait after a refused write",
    Condition.DISOWNED: "ListStackResources to confirm that the stack has not adopted the record",
    Condition.BRIDGED: "the wildcard to answer on every name server",
    Condition.CLOUD_DEADMAN: "the deadman in AWS to be started (--cloud-deadman)",
    Condition.AT_REST: "the stack operation of another deploy to end",
    Condition.UNOWNED: "a stack that does not own the record",
    Condition.TOGETHER: "every other record of its RecordSetGroup to be free or released with it",
}
"""What a release waits for where the condition is unmet."""
DEPLOY_SOON = 900.0
"""Seconds before ``--deploy-timeout`` from which on it is counted down to."""


def waits(state: State) -> tuple[str, ...]:
    """What the run waits for, one condition a line, each once."""
    found = list(_waits(state)) if state.ending is None else []
    if state.phase is Phase.RESTORE and not found:
        found = [_SIMPLY[Phase.PROVE]]  # the undo, or the end, is decided on it
    return tuple(dict.fromkeys(found))


def _waits(state: State) -> Iterator[str]:
    if state.is_paused:
        yield "you to continue the run"
    for name in written(state):
        if name.write is not None:
            what = _WRITES[name.write.purpose]
            yield f"Route 53's answer to the {what} {display_name(name.name)}"
    if state.phase in _SIMPLY:
        yield _SIMPLY[state.phase].format(ttl=state.plan.drain_seconds)
    match state.phase:
        case Phase.LOWER_TTL:
            yield from _waits_of_lowering(state)
        case Phase.DEPLOY_OFF:
            yield from _waits_of_deploy(state, Switch.OFF)
        case Phase.WATCH:
            yield from _waits_of_watch(state)
        case Phase.GUARD:
            yield from _waits_of_deploy(state, Switch.ON)
        case Phase.RELEASE | Phase.CONFIRM | Phase.RESTORE:
            yield from _waits_of_gap(state)
            if state.phase is Phase.RESTORE and state.baseline is not None:
                yield from _waits_of_deploy(state, state.baseline)
        case Phase.VERIFY:
            yield from _waits_of_verify(state)
        case _:
            return


_SIMPLY = {
    Phase.BACKUP: "the backup to be saved",
    Phase.DRAIN: "the old TTL of {ttl} s to expire in caches",
    Phase.PROVE: "a fresh read of the name and of the stacks",
    Phase.PREPARE: "fresh reads, and every name server to have what was prepared",
    Phase.DEPLOY_ON: "the stacks to be read",
}
_WRITES = {
    Purpose.LOWER: "batch that lowers the TTL of",
    Purpose.PROVE: "batch that tests the restore of",
    Purpose.RELEASE: "batch that deletes",
    Purpose.RESTORE: "batch that restores",
    Purpose.UNDO: "batch that changes back",
    Purpose.PREPARE: "batch that prepares",
    Purpose.BRIDGE: "batch that creates",
    Purpose.WEIGH: "batch that changes the weight of",
    Purpose.REMOVE: "batch that removes",
    Purpose.LOWER_SOA: "batch that lowers the negative TTL of",
    Purpose.RESTORE_SOA: "batch that puts back the SOA of",
}


def _waits_of_lowering(state: State) -> Iterator[str]:
    names = written(state)
    for name in names:
        if name.unsynced is not None:
            yield f"every name server to serve the change of {display_name(name.name)}"
    if all(name.unsynced is None and name.write is None for name in names):
        yield _SIMPLY[Phase.PROVE]


def written(state: State) -> tuple[WrittenName, ...]:
    """The names whose records are taken over, and the zone's, of its SOA."""
    soa = () if state.soa is None else (state.soa,)
    return (*state.names.values(), *soa)


def _waits_of_watch(state: State) -> Iterator[str]:
    found = [(name, g) for name in state.names.values() for g in release_gates(state, name)]
    for name, gate in found:
        for condition in gate.unmet:
            words = CONDITION_WORDS[condition]
            if condition is Condition.DISOWNED and _is_added_as_it_stands(state, name):
                words = "CloudFormation to adopt the record into its RecordSetGroup, or to give up"
            yield words if len(found) == 1 else f"{words} ({display_name(name.name)})"
    if not found:
        if root_kind(state) is not StackPhase.FORWARD or nothing_to_release(state):
            yield from _waits_of_deploy(state, Switch.ON)
        else:
            yield f"CloudFormation to start creating {all_names(state)}"


def _is_added_as_it_stands(state: State, name: NameState) -> bool:
    return any(added_as_it_stands(state, handover) for handover in name.handovers)


def _waits_of_gap(state: State) -> Iterator[str]:
    for name in state.names.values():
        if not name.is_absent:
            continue
        text = display_name(name.name)
        yield f"{text} to be restored" if name.restoring else f"CloudFormation to create {text}"


def _waits_of_deploy(state: State, switch: Switch) -> Iterator[str]:
    """For the guard, and for whatever else waits for a deploy and its stack to end."""
    if state.baseline is not switch:
        yield "the stacks to be read"
        return
    deploy = state.deploys.get(switch)
    if deploy is not None and deploy.exited_at is None:
        yield f"the deploy with the switch {switch} to end"
    stack = state.root.stack_name or state.plan.options.stack
    if root_kind(state) in IN_PROGRESS:
        root = state.root_stack
        status = root.status if root is not None and root.status else state.root.status
        yield f"stack {stack} to finish (it is {status})"
    elif deploy is None and state.root_stack is not None and not state.root_stack.operations:
        yield f"a deploy of stack {stack} with the switch {switch}, started elsewhere"
    elif deploy is not None and deploy.exited_at is None:
        return
    elif state.now < state.news_at + state.plan.options.settle:
        yield f"{state.plan.options.settle:g} s without a change"
    else:
        yield f"stack {stack} to be read once more"


def _waits_of_verify(state: State) -> Iterator[str]:
    for server in silent_servers(state):
        yield f"an answer from {server.removesuffix('.')}"
    for helper in state.helpers.values():
        if helper.stage is HelperStatus.STANDING:
            shown = display_name(helper.name)
            yield f"every name server to have the new record; then {shown} is removed"
    since = state.verifying_since
    for name in state.names.values():
        if name.read is None or since is None or name.read.began < since:
            yield f"a last read of {display_name(name.name)}"


def silent_servers(state: State) -> tuple[str, ...]:
    """The name servers that answered before the release and do not answer now."""
    found = [
        server
        for name in state.names.values()
        if name.was_released or state.phase is Phase.VERIFY
        for server in sorted(name.answered)
        if name.answers.get(server) != "answer"
    ]
    return tuple(dict.fromkeys(found))


# -- countdowns


def countdowns(state: State) -> tuple[Countdown, ...]:
    """What happens at a known time in the future, unless something else happens first."""
    if state.ending is not None:
        return ()
    found = [*_of_run(state)]
    for name in state.names.values():
        found += _of_name(state, name)
    return tuple(sorted((c for c in found if c.until > state.now), key=lambda c: c.until))


def _of_run(state: State) -> Iterator[Countdown]:
    synced = [n.synced_at for n in state.names.values() if n.synced_at is not None]
    if state.phase is Phase.DRAIN and synced:
        until = max(synced) + state.plan.drain_seconds
        since = min(max(synced), state.phase_since)  # one that is only assumed lies ahead
        yield Countdown(label="the old TTL expires", name="", since=since, until=until)
    switch = state.baseline
    deploy = state.deploys.get(switch) if switch is not None else None
    timeout = state.plan.options.deploy_timeout
    if deploy is not None and deploy.exited_at is None:
        since = deploy.intended_at
        if state.now >= since + timeout - DEPLOY_SOON:
            label = "the deploy command is stopped"
            yield Countdown(label=label, name="", since=since, until=since + timeout)
    elif _awaits_other_deploy(state) and state.now >= state.baseline_at + timeout - DEPLOY_SOON:
        since = state.baseline_at
        label = "the wait for a deploy ends"
        yield Countdown(label=label, name="", since=since, until=since + timeout)
    if state.phase is Phase.GUARD and _has_ended(deploy) and root_kind(state) not in IN_PROGRESS:
        until = state.news_at + state.plan.options.settle
        yield Countdown(label="the quiet time ends", name="", since=state.news_at, until=until)
    if state.phase is Phase.VERIFY and silent_servers(state):
        since = state.phase_since
        label = "the wait for name servers ends"
        yield Countdown(label=label, name="", since=since, until=since + ANSWER_PATIENCE)


def _of_name(state: State, name: NameState) -> Iterator[Countdown]:
    text = display_name(name.name)
    for gate in release_gates(state, name):
        if Condition.HOLD in gate.unmet:
            since = gate.resource.since
            yield Countdown(label="the hold ends", name=text, since=since, until=gate.held_at)
    is_due = name.is_absent and not name.restoring and not name.covered_by
    if is_due and name.deadman_at is not None:
        gone = [h.released_at for h in name.handovers if h.released_at is not None]
        since = min(max(gone, default=state.news_at), state.now)
        label = "the record is restored"
        yield Countdown(label=label, name=text, since=since, until=name.deadman_at)


def absences(state: State) -> tuple[Absence, ...]:
    """The names without a record, or about to lose it, that this run must restore or see created.

    The most urgent first: what should have a record already, then what has the least time left.
    """
    if state.ending is not None:
        return ()
    found = [
        _absence(state, name)
        for name in state.names.values()
        if is_empty(state, name) and not name.covered_by
    ]
    return tuple(sorted(found, key=lambda a: (a.until is not None, -(a.until or 0.0))))


def _absence(state: State, name: NameState) -> Absence:
    until = name.deadman_at
    if until is None and name.write is not None:
        until = deadman(state, name, name.write.sent)
    is_due = name.restoring or until is None or until <= state.now
    what, answers = lack(name)
    return Absence(
        name=what,
        until=None if is_due else until,
        is_certain=name.is_absent,
        answers=answers,
    )


def _has_ended(deploy: Deploy | None) -> bool:
    return deploy is None or deploy.exited_at is not None


def _awaits_other_deploy(state: State) -> bool:
    root = state.root_stack
    return (
        state.phase is Phase.WATCH
        and state.plan.options.deploy_on is None
        and (root is None or root.operations == 0)
    )
