"""How a run ends: when nothing moves any more, what is still to undo, and what came of it.

Only a complete root stack, an ended deploy, quiet for as long as ``--settle`` and a last look at
every name make a run `done`. A stack that ended in a ``*_FAILED`` status is `unknown`: a later
ContinueUpdateRollback may still delete the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.domain.stacks import StackPhase, kind_of
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.takeover import commands as cmd
from route53_takeover.core.takeover.absence import lack
from route53_takeover.core.takeover.cloud_deadman import deadmen_stopped
from route53_takeover.core.takeover.deadman_state import left_deadmen
from route53_takeover.core.takeover.failure_reason import (
    in_part,
    is_aborted,
    still_listed,
    stopped_by,
    what_stands,
    why,
)
from route53_takeover.core.takeover.finish import (
    helpers_removed,
    left_helpers,
    left_members,
    members_removed,
)
from route53_takeover.core.takeover.freshness import is_fresh
from route53_takeover.core.takeover.name_state import TAKEN_STAGES, RecordStatus
from route53_takeover.core.takeover.negative_ttl import negative_ttl_put_back
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import (
    IN_PROGRESS,
    can_fill,
    candidate_resources,
    matching_resources,
    may_have_begun,
    root_kind,
    silent_servers,
    unread_records,
    was_deployed,
)
from route53_takeover.core.takeover.soa_queries import left_soa
from route53_takeover.core.takeover.step_context import tree_is_listed
from route53_takeover.core.takeover.undo import all_undone, is_left_changed
from route53_takeover.core.timing import (
    ANSWER_PATIENCE,
    BLIND,
    BLIND_AFTER_NEWS,
    CLOSE_READ,
    DESCRIBE_AGAIN,
    EVENTS_LAG,
    MADE_ANEW,
    MISSED_EVENTS,
    PATIENCE,
    READ_FRESH,
)

if TYPE_CHECKING:
    from route53_takeover.core.takeover.name_state import Handover, NameState, Reading
    from route53_takeover.core.takeover.state import State
    from route53_takeover.core.takeover.step_context import StepContext


def settled(context: StepContext) -> bool:
    """Whether the current deploy has ended, and its stack, and nothing has moved for a while."""
    state = context.state
    switch = state.baseline
    if switch is None:
        return _is_at_rest_by_status(context)
    deploy = state.deploys.get(switch)
    if deploy is not None and deploy.exited_at is None:
        return False
    if is_blind(state):
        return True
    if root_kind(state) in IN_PROGRESS:
        _look(context, at=state.news_at + EVENTS_LAG)
        return False
    if switch is Switch.ON and state.plan.options.deploy_on is None and not _was_deployed(context):
        return False
    quiet_at = state.news_at + state.plan.options.settle
    if state.now < quiet_at:
        context.wake(quiet_at)
        return False
    if state.described is None or state.described_began < quiet_at:
        # The events first: an operation that failed at once has left nothing in the status.
        if may_have_begun(state) and state.now < quiet_at + MISSED_EVENTS:
            context.wake(quiet_at + MISSED_EVENTS)
        else:
            _look(context, at=quiet_at)
        return False
    if kind_of(state.described.status) in IN_PROGRESS:
        _look(context, at=state.described_began + DESCRIBE_AGAIN)
        return False
    return True


def _is_at_rest_by_status(context: StepContext) -> bool:
    """Before any deploy of ours: a stack that took a record must be seen at rest after it did.

    Its events are not polled then, and what preflight read of its status is old.
    """
    state = context.state
    taken = [h.created_at or state.now for h in state.handovers if h.stage in TAKEN_STAGES]
    if not taken or is_blind(state):
        return True
    quiet_at = max(taken) + state.plan.options.settle
    if state.described is None or state.described_began < quiet_at:
        _look(context, at=quiet_at)
        return False
    if kind_of(state.described.status) in IN_PROGRESS:
        _look(context, at=state.described_began + DESCRIBE_AGAIN)
        return False
    return True


def is_blind(state: State) -> bool:
    """Whether the stack cannot be read any more, and waiting for it has lost its sense.

    After a release that takes until the deploy's time limit, and never while a name is empty:
    fresh credentials may come, and a rollback may still take the record away.
    """
    return state.failures >= BLIND and _may_give_up(state)


def _is_unreadable(state: State, name: NameState) -> bool:
    """The same of a name."""
    return name.failures >= PATIENCE and _may_give_up(state)


def _may_give_up(state: State) -> bool:
    if not state.ever_released:
        return True
    limit = max(
        state.baseline_at + state.plan.options.deploy_timeout, state.news_at + BLIND_AFTER_NEWS
    )
    return state.now >= limit and not any(name.is_absent for name in state.names.values())


def _look(context: StepContext, *, at: float) -> None:
    """Describes the root stack at ``at`` and not more often than makes sense."""
    at = max(at, context.state.not_before)
    if context.state.described is not None:
        at = max(at, context.state.described_began + DESCRIBE_AGAIN)
    if context.state.now >= at:
        context.ask(cmd.DescribeRoot())
    else:
        context.wake(at)


def _was_deployed(context: StepContext) -> bool:
    """With ``--no-deploy``: whether the awaited operation has started and ended."""
    state = context.state
    if any(matching_resources(state, h) for h in state.handovers) or state.ever_released:
        return True
    until = state.baseline_at + state.plan.options.deploy_timeout
    if state.interrupts or state.given_up or state.now >= until:
        context.give_up("no deploy created the record within --deploy-timeout")
        return True
    _look(context, at=max(state.described_began, state.baseline_at) + MADE_ANEW)
    context.wake(until)
    return False


def at_rest(context: StepContext) -> bool:
    """Whether a run in one of the live phases may conclude."""
    state = context.state
    if (state.interrupts or state.journal_lost) and not state.ever_released:
        if not _may_be_adopted(state):
            return True
        _look(context, at=state.news_at + EVENTS_LAG)  # the event of its end may never come
        return False
    return settled(context)


def _may_be_adopted(state: State) -> bool:
    """Whether putting a TTL back now could overwrite what CloudFormation is just adopting."""
    return root_kind(state) in IN_PROGRESS and any(
        not h.standing.same_as(h.original) and candidate_resources(state, h)
        for h in state.handovers
    )


def conclude(context: StepContext) -> None:
    """Moves a run at rest on: to verify, or to undoing what is to undo, or to its end."""
    state = context.state
    taken = all(h.stage in TAKEN_STAGES for h in state.handovers)
    if is_blind(state):
        if negative_ttl_put_back(context):
            reason = state.given_up or why(state)
            context.end(Outcome.UNKNOWN, f"the stack cannot be read: {reason}")
    elif taken and root_kind(state) is StackPhase.SUCCEEDED and state.phase is Phase.GUARD:
        if negative_ttl_put_back(context) and members_removed(context):
            context.move(Phase.VERIFY)
    elif state.baseline is Switch.ON and not tree_is_listed(context, since=state.settled_at):
        return
    elif state.phase is not Phase.RESTORE:
        context.give_up(why(state))
        context.move(Phase.RESTORE)
    elif (
        all_undone(context)
        and helpers_removed(context)
        and negative_ttl_put_back(context)
        and _last_look(context)
        and (state.missing or deadmen_stopped(context))
    ):
        _end(context)


def verify(context: StepContext) -> None:
    """The record is there, is the desired one, and the name servers answer."""
    state = context.state
    if any(h.stage not in TAKEN_STAGES for h in state.handovers) or (
        state.verifying_since is not None and state.news_at > state.verifying_since
    ):
        context.move(Phase.GUARD)
        return
    if not _last_look(context):
        return
    state = context.state
    silent = silent_servers(state)
    if unread := [n.name for n in state.names.values() if _is_unreadable(state, n)]:
        context.end(Outcome.UNKNOWN, f"{display_name(unread[0])} cannot be read")
    elif silent and state.now < state.phase_since + ANSWER_PATIENCE:
        context.wake(state.phase_since + ANSWER_PATIENCE)
    elif silent:
        context.end(Outcome.UNKNOWN, f"no answer yet from {', '.join(silent)}")
    elif unlike := [h for h in state.handovers if not _is_as_desired(state, h)]:
        context.end(
            Outcome.UNKNOWN, f"{unlike[0].original.key} is not what the stack says it created"
        )
    elif not helpers_removed(context) or not deadmen_stopped(context):
        return
    elif (still := _left_beside(state)) or left_soa(state):
        context.end(Outcome.UNKNOWN, f"{still}: {_done(state)}" if still else _done(state))
    elif state.journal_lost:
        context.end(
            Outcome.UNKNOWN, f"taken over, but the journal cannot be written: {state.journal_lost}"
        )
    else:
        context.end(Outcome.DONE, _done(state))


def _left_beside(state: State) -> str:
    """What was put beside the stack's record and could not be removed; empty where nothing."""
    if running := left_deadmen(state):
        return running
    helpers = [display_name(helper.name) for helper in left_helpers(state)]
    members = [str(h.standing.key) for h in left_members(state)]
    left = ", ".join((*helpers, *members))
    if members and any(name.restoring for name in state.names.values()):
        return (
            f"{left} answers as before, beside the stack's member (deploy with the switch off; "
            "then `restore` makes the record simple again)"
        )
    return f"{left} could not be removed, or was changed by another writer" if left else ""


def _is_as_desired(state: State, handover: Handover) -> bool:
    """Whether the last read shows what the resource asks for, as far as that is known."""
    here = [
        r
        for name in state.names.values()
        if handover in name.handovers
        for r in name.occupants(handover.original)
    ]
    wanted = [
        m.desired
        for m in matching_resources(state, handover)
        if m.status == "CREATE_COMPLETE" and m.desired is not None
    ]
    for desired in wanted:
        live = next((r for r in here if r.key == desired.record.key), None)
        if live is None or (desired.complete and not desired.record.same_as(live)):
            return False
    return bool(here)


def _done(state: State) -> str:
    names = ", ".join(dict.fromkeys(h.label for h in state.handovers))
    found = [m for h in state.handovers for m in matching_resources(state, h) if m.group]
    groups = ", ".join(dict.fromkeys(m.logical_id for m in found))
    through = f", through its RecordSetGroup {groups}" if groups else ""
    return f"{state.root.stack_name or state.plan.options.stack} owns {names} now{through}"


def _last_look(context: StepContext) -> bool:
    """Reads every name once more; true when each was read since the looking began.

    It begins again where the stack did anything meanwhile: reads may fail for long.
    """
    since = context.state.verifying_since
    if since is None or context.state.news_at > since:
        since = context.state.now
        context.state = replace(context.state, verifying_since=since)
    seen = True
    for name in context.state.names.values():
        if name.read is not None and _is_last(context.state, name.read, since):
            continue
        if _is_unreadable(context.state, name):
            continue
        seen = False
        context.read(name, every=0.0)
    return seen


def _is_last(state: State, read: Reading, since: float) -> bool:
    """Whether nothing can have happened since this read but what happens at any time.

    Other names may not be readable for long after it.
    """
    within = READ_FRESH + CLOSE_READ
    return read.began >= since and is_fresh(state, began=read.began, told=read.told, within=within)


def _end(context: StepContext) -> None:
    """Ends the run with its outcome, once every record that can exist does."""
    state = context.state
    reason = state.given_up or why(state)
    if (listed := still_listed(state)) not in reason:
        reason += listed
    left = [h for h in state.handovers if is_left_changed(h)]
    if absent := [name for name in state.names.values() if name.is_absent]:
        if any(can_fill(state, name) for name in absent):
            return  # still being restored
        context.end(Outcome.UNKNOWN, f"{lack(absent[0])}: {reason}")
    elif state.backup_failed:
        context.end(Outcome.FAILED, reason, exit_code=ExitCode.USAGE)
    elif state.journal_lost and state.ever_released:
        context.end(Outcome.UNKNOWN, f"the journal cannot be written: {state.journal_lost}")
    elif theirs := [h for h in state.handovers if _is_theirs(state, h)]:
        open_ = bool(left) or any(_is_unreadable(state, name) for name in state.names.values())
        context.end(
            Outcome.UNKNOWN,
            in_part(state, theirs, reason),
            resumable=open_ or root_kind(state) is not StackPhase.SUCCEEDED,
        )
    elif root_kind(state) is StackPhase.FAILED and _was_switched_on(state):
        context.end(Outcome.UNKNOWN, f"{reason}: a later repair of the stack may undo the record")
    elif root_kind(state) is StackPhase.SUCCEEDED and (unread := unread_records(state)):
        held = f"{', '.join(unread)} of the stack may hold the record"
        context.end(Outcome.UNKNOWN, f"{held}: {reason}")
    elif left:
        changed = "a lowered TTL" if left[0].standing.key == left[0].original.key else ""
        still = f"still has {changed or 'the form that the strategy gave it'}"
        context.end(Outcome.UNKNOWN, f"{left[0].original.key} {still}: {reason}")
    elif (beside := _left_beside(state)) or left_soa(state):
        context.end(Outcome.UNKNOWN, f"{beside}: {reason}" if beside else reason)
    elif any(name.failures >= PATIENCE for name in state.names.values()):
        context.end(Outcome.UNKNOWN, f"the name cannot be read: {reason}")
    elif state.interrupts and (not state.ever_released or _stopped_early(state)):
        code = ExitCode.FAILED if is_aborted(state) else ExitCode.INTERRUPTED
        context.end(Outcome.ABORTED, f"{stopped_by(state)}: {what_stands(state)}", exit_code=code)
    elif any(
        h.stage is RecordStatus.CHANGED and h.released_at is not None for h in state.handovers
    ):
        context.end(Outcome.UNKNOWN, reason, resumable=False)
    elif any(h.stage is RecordStatus.RESTORED for h in state.handovers):
        context.end(Outcome.RESTORED, reason)
    else:
        context.end(Outcome.FAILED, reason)


def _stopped_early(state: State) -> bool:
    """Whether it was stopped before the deploy with the switch on: what was bridged is undone.

    No name was without an answer meanwhile: another writer may have deleted the wildcard.
    """
    if any(h.gap_began_at is not None for h in state.handovers):
        return False
    return Switch.ON not in state.deploys and state.baseline is not Switch.ON


def _was_switched_on(state: State) -> bool:
    """Whether the deploy with the switch on did anything: the root may have stood failed before."""
    return state.baseline is Switch.ON and was_deployed(state)


def _is_theirs(state: State, handover: Handover) -> bool:
    """Whether CloudFormation's record is in place, other than the original.

    Not every record set of the plan is taken over then, or the stack turned back:
    `DeletionPolicy: Retain` leaves the record so, and no stack owns it.
    """
    if handover.stage not in TAKEN_STAGES:
        return False
    name = state.names[handover.original.key.name]
    return not any(r.same_as(handover.original) for r in name.occupants(handover.original))
