"""What a run does now and what comes next, a sentence each, about the state alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.status.messages import PHASE_WORDS
from route53_takeover.core.status.result import owner_notice
from route53_takeover.core.takeover.events import Switch
from route53_takeover.core.takeover.queries import IN_PROGRESS, root_kind
from route53_takeover.core.takeover.release_gate import release_gates
from route53_takeover.core.takeover.state import Outcome, Phase, RecordStatus

if TYPE_CHECKING:
    from route53_takeover.core.takeover.state import State


def doing(state: State) -> str:
    """What the run does now, in a sentence."""
    if state.is_paused:
        return f"Paused by a person, in: {PHASE_WORDS[state.phase]}."
    match state.phase:
        case Phase.DEPLOY_OFF:
            return _deploying_off(state)
        case Phase.DEPLOY_ON:
            return "Reads the stacks as they are before the deploy with the switch on."
        case Phase.WATCH:
            return _watching(state)
        case Phase.RESTORE:
            return _undoing(state)
        case Phase.ENDED:
            return _ended(state)
        case _:
            return _SIMPLY[state.phase].format(names=all_names(state), empty=_empty(state))


_SIMPLY = {
    Phase.PREFLIGHT: "Looks at the account.",
    Phase.BACKUP: "Saves every record set that it may touch.",
    Phase.LOWER_TTL: "Lowers the TTL of {names}.",
    Phase.DRAIN: "Waits until no cache holds {names} with the old TTL any more.",
    Phase.PROVE: "Proves that {names} can be put back: deletes and creates it in one batch.",
    Phase.RELEASE: "Deletes the manual record of {names}, and waits for Route 53's answer.",
    Phase.CONFIRM: "{empty} has no record now: waits for CloudFormation to create its own.",
    Phase.GUARD: "CloudFormation has {names}: guards it until nothing can undo it.",
    Phase.VERIFY: "Looks at everything once more.",
}


def _deploying_off(state: State) -> str:
    deploy = state.deploys.get(Switch.OFF)
    if deploy is None:
        return "Reads the stacks as they are before the deploy with the switch off."
    if deploy.exited_at is None:
        return "Deploys with the switch off."
    return "The deploy with the switch off has ended: waits until the stack is at rest."


def _watching(state: State) -> str:
    if any(True for name in state.names.values() for _ in release_gates(state, name)):
        names = all_names(state)
        return f"CloudFormation tries to create {names}: waits for the moment to release it."
    if state.plan.options.deploy_on is None and root_kind(state) is not StackPhase.FORWARD:
        return "Waits for somebody's deploy with the switch on."
    if nothing_to_release(state):
        return "Nothing is released any more: watches until the stack is at rest."
    return f"Watches the stack until CloudFormation begins to create {all_names(state)}."


def nothing_to_release(state: State) -> bool:
    """Whether no moment can come: no manual record stands, or the stack has been and gone."""
    standing = any(h.stage is RecordStatus.STANDING for h in state.handovers)
    root = state.root_stack
    is_over = root is not None and root.operations > 0 and root.kind is not StackPhase.FORWARD
    return not standing or is_over or state.has_stopped


def _undoing(state: State) -> str:
    if empty := _empty(state):
        return f"Puts {empty} back."
    if root_kind(state) in IN_PROGRESS:
        return f"{all_names(state)} stands: guards it until the stack has ended."
    return "Undoes what was changed, and looks at everything once more."


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
        return "Nothing is begun until a person lets it go on."
    match state.phase:
        case Phase.WATCH if nothing_to_release(state):
            return "The run puts back what is to be put back, and ends."
        case Phase.WATCH:
            return "At the moment the manual record is deleted, for CloudFormation's next try."
        case Phase.RELEASE | Phase.CONFIRM:
            return "CloudFormation creates its record, or the manual one is put back."
        case Phase.GUARD:
            settle = state.plan.options.settle
            return f"Once the stack is complete and nothing moves for {settle:g} s: verifying."
        case Phase.VERIFY:
            return "If all is as it should be, the run is done."
        case Phase.RESTORE:
            return "The run ends once everything stands and the stack is at rest."
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
        return "Look at the name and the stack; then resume or restore the run."
    if state.ending.outcome is Outcome.ABORTED:
        return "Begin another run whenever you like."
    theirs = any(h.stage is RecordStatus.CHANGED for h in state.handovers)
    stands = "What somebody else wrote stands" if theirs else "The manual record stands"
    return f"{stands}. Mend the cause, then begin another run."


def all_names(state: State) -> str:
    """Every name of the run, in words."""
    return ", ".join(display_name(name) for name in state.names) or "nothing"


def _empty(state: State) -> str:
    empty = [display_name(n.name) for n in state.names.values() if n.is_absent]
    return ", ".join(empty)
