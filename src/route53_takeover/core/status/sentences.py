"""What a run does now and what comes next, in one sentence each, from the state alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.plan.strategies.weighted import weight_of
from route53_takeover.core.status.messages import PHASE_WORDS
from route53_takeover.core.status.result import owner_notice
from route53_takeover.core.takeover.absence import lack, lacks
from route53_takeover.core.takeover.finish import left_members
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import IN_PROGRESS, root_kind, unseen_of_groups
from route53_takeover.core.takeover.release_gate import Condition, release_gates

if TYPE_CHECKING:
    from route53_takeover.core.takeover.state import State


def doing(state: State) -> str:
    """What the run does now, in a sentence."""
    if state.is_paused:
        return f"Paused while {PHASE_WORDS[state.phase]}."
    match state.phase:
        case Phase.DEPLOY_OFF:
            return _deploying_off(state)
        case Phase.DEPLOY_ON:
            return "Reading the stacks before the deploy with the switch on."
        case Phase.WATCH:
            return _watching(state)
        case Phase.RESTORE:
            return _undoing(state)
        case Phase.GUARD if left_members(state) and root_kind(state) is StackPhase.SUCCEEDED:
            return _weighing(state)
        case Phase.ENDED:
            return _ended(state)
        case _:
            missing = lacks(state.names.values())
            return _SIMPLY[state.phase].format(names=all_names(state), missing=missing)


_SIMPLY = {
    Phase.PREFLIGHT: "Reading the account.",
    Phase.BACKUP: "Saving every record set that the run may change.",
    Phase.LOWER_TTL: "Lowering the TTL of {names}.",
    Phase.DRAIN: "Waiting until the old TTL of {names} has expired in every cache.",
    Phase.PROVE: "Testing that {names} can be restored: DELETE and CREATE in one batch.",
    Phase.PREPARE: "Preparing {names} for the deploy with the switch on.",
    Phase.RELEASE: "Deleting the manual record of {names}; waiting for Route 53's answer.",
    Phase.CONFIRM: "{missing}; waiting for CloudFormation to create its own.",
    Phase.GUARD: "CloudFormation created {names}; watching until the stack is complete.",
    Phase.VERIFY: "Reading records, stacks and name servers once more.",
}


def _weighing(state: State) -> str:
    """The stack has its member: the manual one goes, step by step."""
    member = left_members(state)[0]
    steps = state.plan.manual(member.original).weights
    told = f" (step {member.steps_done} of {len(steps)})" if steps else ""
    weight = weight_of(member.standing)
    return f"The stack's member answers; the manual one has the weight {weight} and goes{told}."


def _deploying_off(state: State) -> str:
    deploy = state.deploys.get(Switch.OFF)
    if deploy is None:
        return "Reading the stacks before the deploy with the switch off."
    if deploy.exited_at is None:
        return "Deploying with the switch off."
    return "The deploy with the switch off has ended; waiting for the stack to finish."


def unseen_of_group(state: State) -> str:
    """Why a group is not released, and the way out; empty where the plan showed it whole."""
    gates = [g for name in state.names.values() for g in release_gates(state, name)]
    unseen = unseen_of_groups(state)
    if not unseen or not any(Condition.TOGETHER in gate.unmet for gate in gates):
        return ""
    return (
        f"The plan did not show that {', '.join(unseen)} of the RecordSetGroup can be created, so "
        "nothing is deleted. Stop the run, and repeat it with --template or --preview."
    )


def _watching(state: State) -> str:
    if unseen := unseen_of_group(state):
        return unseen
    if any(True for name in state.names.values() for _ in release_gates(state, name)):
        names = all_names(state)
        return f"CloudFormation is trying to create {names}; checking the release conditions."
    if state.plan.options.deploy_on is None and root_kind(state) is not StackPhase.FORWARD:
        return "Waiting for a deploy with the switch on, started elsewhere."
    if bridged := _bridged(state):
        return f"{bridged}; watching the stack until it creates its record."
    if nothing_to_release(state):
        return "No record is deleted any more; waiting for the stack to finish."
    return f"Watching the stack until CloudFormation starts to create {all_names(state)}."


def _bridged(state: State) -> str:
    """Which wildcards answer for which names, where nothing else is missing."""
    missing = [name for name in state.names.values() if name.is_absent]
    if not missing or not all(name.covered_by for name in missing) or state.has_stopped:
        return ""
    names = ", ".join(display_name(name.name) for name in missing)
    covering = dict.fromkeys(display_name(name.covered_by) for name in missing)
    return f"{', '.join(covering)} answers for {names}"


def nothing_to_release(state: State) -> bool:
    """Whether no release is possible any more: no manual record is left, or the stack has ended."""
    standing = any(h.stage is RecordStatus.STANDING for h in state.handovers)
    root = state.root_stack
    is_over = root is not None and root.operations > 0 and root.kind is not StackPhase.FORWARD
    return not standing or is_over or state.has_stopped


def _undoing(state: State) -> str:
    if missing := [lack(name).what for name in state.names.values() if name.is_absent]:
        return f"Restoring {', '.join(missing)}."
    if root_kind(state) in IN_PROGRESS:
        return f"{all_names(state)} has a record; waiting for the stack to finish."
    return "Undoing the run's changes and reading everything once more."


def _ended(state: State) -> str:
    if state.ending is None:
        return "Ended."
    return f"Ended {state.ending.outcome}: {state.ending.reason}."


def coming(state: State, after: Phase | None) -> str:
    """What happens next, in a sentence.

    Args:
        after: the phase that follows in this plan, if one does.
    """
    if state.is_paused:
        return "No further step starts until you continue the run."
    match state.phase:
        case Phase.WATCH if _bridged(state):
            return "CloudFormation creates its record; a minute later the wildcard is removed."
        case Phase.WATCH if nothing_to_release(state):
            return "The run undoes its changes and ends."
        case Phase.WATCH:
            return "The run deletes the manual record as soon as every release condition holds."
        case Phase.RELEASE | Phase.CONFIRM:
            return "CloudFormation creates its record, or the run restores the manual one."
        case Phase.GUARD:
            settle = state.plan.options.settle
            return f"Verification, once the stack is complete and unchanged for {settle:g} s."
        case Phase.VERIFY:
            return "If every record is as the stack says, the run is done."
        case Phase.RESTORE:
            return "The run ends once every name has a record and the stack has finished."
        case Phase.ENDED:
            return _after_the_end(state)
        case _:
            words = PHASE_WORDS[after] if after is not None else ""
            return f"{words[0].upper()}{words[1:]}." if words else ""


def _after_the_end(state: State) -> str:
    if notice := owner_notice(state):
        return notice
    if state.ending is None or state.ending.outcome is Outcome.DONE:
        return ""
    if state.ending.outcome is Outcome.UNKNOWN:
        return "Check the name and the stack, then use `resume` or `restore`."
    if state.ending.outcome is Outcome.ABORTED:
        return "You can start another run at any time."
    theirs = any(h.stage is RecordStatus.CHANGED for h in state.handovers)
    kept = "The record of another writer is in place" if theirs else "The manual record is in place"
    return f"{kept}. Fix the cause, then start another run."


def all_names(state: State) -> str:
    """Every name of the run, separated by commas."""
    return ", ".join(display_name(name) for name in state.names) or "nothing"
