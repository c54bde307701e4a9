"""Why a name was restored, and the one line that says why a run did not succeed.

It decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.change_refusals import is_about_a_record
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.domain.stacks import StackPhase
from route53_takeover.core.events import Switch
from route53_takeover.core.plan.jets.checks import OWN_RECORD, leaves_out
from route53_takeover.core.takeover.deadman_state import may_have_fired, was_due
from route53_takeover.core.takeover.name_state import ABSENT_STAGES, Cause, RecordStatus
from route53_takeover.core.takeover.queries import (
    added_as_it_stands,
    is_group_kept_back,
    matching_resources,
    root_kind,
    root_status,
    unread_records,
    unseen_of_groups,
    was_deployed,
)

if TYPE_CHECKING:
    from route53_takeover.core.deploys import Deploy
    from route53_takeover.core.takeover.name_state import Handover, NameState
    from route53_takeover.core.takeover.state import State


def stopped_by(state: State) -> str:
    """Who stopped the run first; empty where it was not stopped."""
    if not state.interrupts:
        return ""
    return f"stopped by {'the operator' if is_aborted(state) else state.interrupts[0]}"


def is_aborted(state: State) -> bool:
    """Whether the operator stopped it by a key, and not by a signal."""
    return bool(state.interrupts) and state.interrupts[0].is_abort


def why(state: State) -> str:
    """The one line that says why a run that is at rest did not succeed."""
    reason = f"{_by_deadman(state)}{_why(state)}"
    if state.is_rehearsal or not is_about_a_record(reason):
        return reason  # `diagnose` reads a real account
    name = state.root.stack_name or state.plan.options.stack
    return f"{reason}; for the owner and the way out: route53-takeover diagnose --stack {name}"


def _by_deadman(state: State) -> str:
    """What the deadman in AWS restored, or may have: the run itself did not, and it stands."""
    found: dict[str, list[str]] = {}
    for each in state.handovers:
        is_ours = each.stage is not RecordStatus.RESTORED or each.restored_at is not None
        if is_ours or not may_have_fired(state, each.original):
            continue
        seen_at = each.back_at if each.back_at is not None else state.now
        is_due = was_due(state, each.original, seen_at)
        who = "the deadman in AWS" if is_due else _NOT_DUE
        found.setdefault(who, []).append(each.label)
    return "".join(f"{who} restored {', '.join(labels)}; " for who, labels in found.items())


_NOT_DUE = "`restore`, another writer or the deadman in AWS"
"""Who may have, where the deadman was not due when the record was seen."""


def _why(state: State) -> str:
    if state.interrupts and not state.ever_released:
        return stopped_by(state)
    for handover in state.handovers:
        if handover.stage is RecordStatus.CHANGED:
            return changed_by_another(state, handover)
    if state.journal_lost:
        return f"the journal cannot be written: {state.journal_lost}"
    for name in state.names.values():
        if name.given_up:
            return f"{display_name(name.name)} could not be released: {name.given_up}"
    error = _first_error(state)
    kind = root_kind(state)
    deploy = state.deploys.get(Switch.ON)
    status = root_status(state)
    if restored := [name for name in state.names.values() if name.restoring]:
        causes = {name.cause for name in restored}
        cause = next((cause for cause in _BY_WEIGHT if cause in causes), None)
        return _put_back(cause, kind, f"{status}{error}{_not_told_apart(state)}") + still_listed(
            state
        )
    if not was_deployed(state):
        return _nothing_deployed(deploy) + declined(state, deploy)
    if kind is not StackPhase.SUCCEEDED:
        return f"the stack ended {status}{error}{_kept_back(state)}"
    if unread := unread_records(state):
        return f"the records of {', '.join(unread)} cannot be read"
    if not any(matching_resources(state, h) for h in state.handovers):
        return f"the stack was deployed without a record set of this name: {_left_out(state)}"
    return f"the stack ended {status}, but not with every record{error}{still_listed(state)}"


def cause_of(state: State, name: NameState) -> Cause:
    """Why this name, which has no record, is to be restored now."""
    kind = root_kind(state)
    if kind in (StackPhase.ROLLING_BACK, StackPhase.ROLLED_BACK, StackPhase.FAILED):
        return Cause.TURNED_BACK
    resources = [
        m for h in name.handovers if h.stage in ABSENT_STAGES for m in matching_resources(state, h)
    ]
    if any(h.stage is RecordStatus.LOST for h in name.handovers) or (
        kind is not StackPhase.FORWARD and any(m.status == "CREATE_COMPLETE" for m in resources)
    ):
        return Cause.TAKEN_AWAY
    if kind is not StackPhase.FORWARD:
        return Cause.NOT_CREATED
    if any(
        m.status not in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
        or state.stacks[m.stack_id].kind is not StackPhase.FORWARD
        or is_group_kept_back(state, m)
        for m in resources
    ):
        return Cause.FAILED
    return Cause.DEADMAN


_BY_WEIGHT = (Cause.DEADMAN, Cause.FAILED, Cause.NOT_CREATED, Cause.TAKEN_AWAY, Cause.TURNED_BACK)
"""Of several names' causes the one that the others follow from comes first."""


def _put_back(cause: Cause | None, kind: StackPhase, ended: str) -> str:
    match cause:
        case Cause.DEADMAN:
            return f"CloudFormation did not create the record in time; the stack ended {ended}"
        case Cause.FAILED:
            return f"CloudFormation could not create the record: the stack ended {ended}"
        case Cause.NOT_CREATED:
            return f"the stack ended {ended} without creating the record"
        case Cause.TAKEN_AWAY if kind is StackPhase.SUCCEEDED:
            return "the record was deleted again after CloudFormation had created it"
        case Cause.TAKEN_AWAY | Cause.TURNED_BACK if kind is StackPhase.ROLLED_BACK:
            return f"the stack rolled back: {ended}"
        case _:
            return f"the stack ended {ended}"


_HELD = frozenset({"CREATE_COMPLETE", "DELETE_FAILED"})
"""Statuses of a resource that its stack lists at rest; a clean-up skips what it cannot delete."""


def still_listed(state: State) -> str:
    """The warning about a record that was never taken, or is restored, and that its stack lists."""
    manual = (RecordStatus.RESTORED, RecordStatus.STANDING)
    back = [h for h in state.handovers if h.stage in manual]
    held = [m.logical_id for h in back for m in matching_resources(state, h) if m.status in _HELD]
    if not held:
        return ""
    listed = ", ".join(dict.fromkeys(held))
    return f"; the stack still lists {listed} as its own, so a later deploy may delete the record"


def _kept_back(state: State) -> str:
    """Why nothing was released, where the operator is the reason that the stack failed."""
    if state.ever_released or not any(matching_resources(state, h) for h in state.handovers):
        return ""
    if state.paused:
        return "; the run was paused"
    if state.plan.options.confirm_release and not any(n.agreed_at for n in state.names.values()):
        return "; the release was not confirmed"
    if unseen := unseen_of_groups(state):
        return (
            f"; nothing was released because the plan did not show that {', '.join(unseen)} of its "
            "RecordSetGroup can be created (show the template with --template or --preview)"
        )
    return _not_told_apart(state)


def _not_told_apart(state: State) -> str:
    """Why a record was not released that the update of a group adds exactly as it is."""
    kept = [
        str(h.original.key)
        for h in state.handovers
        if h.released_at is None and added_as_it_stands(state, h)
    ]
    if not kept:
        return ""
    return (
        f"; {', '.join(kept)} was not released because the update of its RecordSetGroup adds it "
        "exactly as it is, and nothing shows whether CloudFormation has adopted it (give the "
        "manual record another TTL or EvaluateTargetHealth, then repeat)"
    )


def _left_out(state: State) -> str:
    """What may have kept the record out of the template that was deployed."""
    app = state.plan.options.jets
    if app is None:
        return (
            "is the switch on? (Jets 3 to 5 leaves it out where the API Gateway custom domain "
            "exists already)"
        )
    if leaves_out(app):
        return (
            f"Jets {app.major} leaves it out where the API Gateway custom domain exists and the "
            f"stack has no record set for it. {OWN_RECORD}"
        )
    return (
        "did deploy.rb read ROUTE53_ENABLE in CodeBuild (config.codebuild.project.env.pass in "
        "config/jets/bootstrap.rb)?"
    )


def declined(state: State, deploy: Deploy | None) -> str:
    """What a deploy of Jets that exited 0 may mean where nothing was deployed."""
    app = state.plan.options.jets
    if app is None or leaves_out(app) or deploy is None or deploy.code != 0:
        return ""  # Jets 4 and 5 exit 1 then
    return (
        ": `jets deploy` exits 0 also where its question was declined or could not be answered "
        "(the deploy's log in the run's folder shows it)"
    )


def _nothing_deployed(deploy: Deploy | None) -> str:
    if deploy is None:
        return "nothing was deployed"
    if deploy.timed_out:
        return (
            "the deploy with the switch on was stopped after --deploy-timeout; nothing was deployed"
        )
    if deploy.code is None:
        return "the deploy with the switch on may not have started; nothing was deployed"
    return f"the deploy with the switch on exited {deploy.code}, but nothing was deployed"


def _first_error(state: State) -> str:
    for handover in state.handovers:
        for match in matching_resources(state, handover):
            if match.status == "CREATE_FAILED" and match.reason:
                return f" ({match.logical_id}: {match.reason})"
    errors = [s.first_error for s in state.stacks.values() if s.first_error]
    leaf = next((e for e in errors if "stack" not in e.lower()), errors[0] if errors else "")
    return f" ({leaf})" if leaf else ""


def changed_by_another(state: State, handover: Handover) -> str:
    """What is said of a record that another writer changed, and of a TTL that the run lowered."""
    key, before, lowered = handover.original.key, handover.original.ttl, handover.standing.ttl
    here = state.names[key.name].occupants(handover.original)
    is_lowered = lowered != before and any(record.ttl == lowered for record in here)
    kept = f" (TTL {lowered} s; before the run it was {before} s)" if is_lowered else ""
    return f"another writer changed {key}; its record is left as it is{kept}"


def what_stands(state: State) -> str:
    """What is left of a run that was stopped before a release."""
    for handover in state.handovers:
        if handover.stage is RecordStatus.CHANGED:
            return changed_by_another(state, handover)
    if any(deploy.exited_at is None for deploy in state.deploys.values()):
        return "every record is as before; the deploy is still running"
    return "every record is as before"


def in_part(state: State, theirs: list[Handover], reason: str) -> str:
    """What is said where CloudFormation's record stands, and not everything is as planned."""
    if root_kind(state) is not StackPhase.SUCCEEDED:
        stands = f"CloudFormation's {theirs[0].original.key} is in place"
        return f"{stands}, but its stack has not succeeded: {reason}"
    stack = state.root.stack_name or state.plan.options.stack
    owned = ", ".join(str(h.original.key) for h in theirs)
    rest = "; ".join(_of_the_rest(state, h) for h in state.handovers if h not in theirs)
    # A record that the stack does not have needs no further reason.
    more = (
        f" ({reason})" if state.given_up or any(n.restoring for n in state.names.values()) else ""
    )
    return f"{stack} owns {owned} now, but not every record of the plan: {rest}{more}"


def _of_the_rest(state: State, handover: Handover) -> str:
    key = handover.original.key
    if handover.stage is RecordStatus.CHANGED:
        return f"another writer changed {key}, which is left as it is"
    if not matching_resources(state, handover):
        return f"{key} is unchanged because the stack did not create it"
    return f"{key} is unchanged"
