"""Folding events into the state: what each fact means, and nothing of what to do about it.

Facts of the run itself are folded here; those of a name in `name_reads` and `name_writes`, those
of the stacks in `stack_tree`. Everything tolerates events that come late, twice or out of order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from route53_takeover.core.deploys import Deploy
from route53_takeover.core.endings import Outcome, Stop
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.commands import Request, Subject, answered_by
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.failure_reason import stopped_by
from route53_takeover.core.takeover.fold_deadman import of_deadman, resumed
from route53_takeover.core.takeover.fold_helpers import of_helper, planned_helpers
from route53_takeover.core.takeover.fold_reads import read, reconciled
from route53_takeover.core.takeover.fold_requests import asked
from route53_takeover.core.takeover.fold_soa import is_of_soa_alone, of_soa, planned_soa
from route53_takeover.core.takeover.fold_stacks import polled, resources, tree
from route53_takeover.core.takeover.fold_writes import answered, intended, restore_lost, unread
from route53_takeover.core.takeover.freshness import timed
from route53_takeover.core.takeover.helper_queries import denying_servers, probe_name
from route53_takeover.core.takeover.name_state import (
    ABSENT_STAGES,
    Handover,
    HelperStatus,
    NameState,
    RecordStatus,
    WrittenName,
)
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.takeover.queries import ANSWERED
from route53_takeover.core.takeover.state import State
from route53_takeover.core.timing import ONE_REQUEST

if TYPE_CHECKING:
    from route53_takeover.core.takeover.name_state import HelperState, SoaState

_Name = TypeVar("_Name", bound=WrittenName)


def begin(event: ev.RunStarted) -> State:
    """The state of a run that has just started."""
    plan = event.plan
    names = {
        name: NameState(
            name=name,
            handovers=tuple(
                Handover(original=m.original, standing=m.original)
                for m in plan.manuals
                if m.key.name == name
            ),
        )
        for name in plan.names
    }
    return State(
        run=event.run,
        is_rehearsal=event.rehearsal,
        plan=plan,
        phase=Phase.PREFLIGHT,
        phase_since=event.time,
        now=event.time,
        names=names,
        helpers=planned_helpers(plan),
        soa=planned_soa(plan),
        root=plan.root,
        news_at=event.time,
    )


def _interrupted(state: State, stop: Stop) -> State:
    """One more signal: a request of its own, or an echo of the one that has just started."""
    if not state.interrupts:
        return replace(state, interrupts=(stop,), interrupted_at=state.now)
    if state.now < state.interrupted_at + ONE_REQUEST:
        return state
    return replace(state, interrupts=(*state.interrupts, stop))


def observe(state: State, event: ev.AnyEvent) -> State:
    """The state with one more fact in it."""
    before, state = state.now, timed(state, event)
    if (answer := answered_by(event)) in state.in_flight:
        state = replace(state, in_flight=state.in_flight - {answer})
    match event:  # what comes most often stands first
        case ev.TimePassed() | ev.RunStarted() | ev.StackUnpolled() | ev.AlertFailed():
            return state
        case ev.NameRead() | ev.NamesAnswered():
            return _of_name(state, event)
        case ev.StackPolled():
            return reconciled(polled(state, event))
        case ev.RunResumed():
            return _resumed(state, before)
        case ev.BackupWritten():
            return replace(state, backed_up=True)
        case ev.BackupFailed():
            return replace(
                state,
                backup_failed=True,
                given_up=f"no backup: {event.reason}",
            )
        case ev.Interrupted():
            return _interrupted(state, Stop(event.signal))
        case ev.JournalFailed():
            return replace(state, journal_lost=event.reason)
        case ev.DeployIntended() | ev.DeployExited():
            return _deploy(state, event)
        case (
            ev.BaselineRead()
            | ev.BaselineUnread()
            | ev.RootDescribed()
            | ev.RootUndescribed()
            | ev.TemplateRead()
        ):
            return tree(state, event)
        case ev.ResourcesRead() | ev.ResourcesUnread():
            return reconciled(resources(state, event))
        case ev.DeadmanTested() | ev.DeadmanIntended() | ev.DeadmanAnswered():
            return of_deadman(state, event)
        case (
            ev.RunPaused()
            | ev.RunUnpaused()
            | ev.HoldCut()
            | ev.ReleaseConfirmed()
            | ev.DeadmanExtended()
            | ev.RestoreAsked()
            | ev.AbortAsked()
        ):
            return asked(state, event)
        case _:
            return _of_name(state, event)


def _of_helper(state: State, event: ev.NameEvent) -> State:
    """Facts about the name of helper records, or about one that only they answer for."""
    for key, before in state.helpers.items():
        if event.name in (key, probe_name(state, before)):
            helper = of_helper(state, before, event)
            is_news = helper.stage is not before.stage
            news_at = state.now if is_news else state.news_at
            names = _covered(state, helper) if is_news else state.names
            helpers = {**state.helpers, key: helper}
            return replace(state, helpers=helpers, names=names, news_at=news_at)
    return state


def _covered(state: State, helper: HelperState) -> dict[str, NameState]:
    """The names, of which those of the helper have its answer as long as it stands."""
    by = helper.name if helper.stage is HelperStatus.STANDING else ""
    covered = {key: replace(state.names[key], covered_by=by) for key in helper.covers}
    if not by:
        covered = {key: _with_open_gaps(name, state.now) for key, name in covered.items()}
    return {**state.names, **covered}


def _with_open_gaps(name: NameState, now: float) -> NameState:
    """The name, which has no answer from now on where a record set of it is gone."""
    handovers = tuple(
        replace(h, uncovered_at=now)
        if h.stage is RecordStatus.RELEASED and h.uncovered_at is None
        else h
        for h in name.handovers
    )
    return replace(name, handovers=handovers)


def _of_name(state: State, event: ev.NameEvent) -> State:
    """Facts about one name. Those about a write other than the one under way are late: ignored."""
    if (soa := state.soa) is not None and event.name == soa.name:
        state = replace(state, soa=of_soa(state, soa, event))
        if is_of_soa_alone(soa, event):
            return state
    before = state.names.get(event.name)
    if before is None:
        return _of_helper(state, event)
    name = before
    match event:
        case ev.NameRead():
            name = read(state, name, event)
        case ev.NameUnread():
            name = unread(state, name)
        case ev.NamesAnswered():
            name = _heard(state, name, event)
        case ev.ChangeInsync():
            if name.unsynced == event.change_id:
                name = replace(name, unsynced=None, synced_at=state.now)
        case ev.WriteIntended():
            name = intended(name, event)
        case _:
            if name.write is not None and name.write.id == event.id:
                name = answered(state, name, name.write, event)
    news_at = state.news_at
    if name.handovers is not before.handovers:
        name = _with_gaps(before, name, began=getattr(event, "began", state.now), now=state.now)
        news_at = state.now if _shape(name) != _shape(before) else news_at
    state = replace(state, names={**state.names, event.name: name}, news_at=news_at)
    return reconciled(state, event.name)


def _with_gaps(before: NameState, after: NameState, *, began: float, now: float) -> NameState:
    """The name with the times in which others, or CloudFormation, left it without a record."""
    if after.covered_by:
        return after
    handovers = tuple(
        map(partial(_with_gap, began=began, now=now), before.handovers, after.handovers)
    )
    return after if handovers == after.handovers else replace(after, handovers=handovers)


def _with_gap(before: Handover, after: Handover, *, began: float, now: float) -> Handover:
    was, is_ = before.stage in ABSENT_STAGES, after.stage in ABSENT_STAGES
    if is_ and not was and after.released_at == before.released_at:
        return replace(after, gone_at=began)
    if was and not is_ and after.gone_at is not None:
        lost = after.lost_seconds + max(now - after.gone_at, 0.0)
        return replace(after, gone_at=None, lost_seconds=lost)
    return after


def _heard(state: State, name: NameState, event: ev.NamesAnswered) -> NameState:
    """Name servers' answers: who answers before the release, who is silent after it, how long."""
    good = {server for server, status in event.statuses.items() if status == ANSWERED}
    name = replace(name, answers={**name.answers, **event.statuses})
    if name.covered_by and denying_servers(state, name):
        name = _with_open_gaps(name, state.now)
    if not name.was_released:
        return replace(name, answered=name.answered | good)
    since, silences = dict(name.silent_since), dict(name.silences)
    for server in name.answered & event.statuses.keys():
        if server in good:
            silence = state.now - since.pop(server, state.now)
            silences[server] = max(silence, silences.get(server, 0.0))
        else:
            since.setdefault(server, state.now)
    return replace(name, silent_since=since, silences=silences)


def _shape(name: NameState) -> tuple[object, ...]:
    return tuple((h.stage, h.standing) for h in name.handovers)


def _resumed(state: State, before: float) -> State:
    """What was in flight is lost: reads are asked again, writes have become unknown.

    ``before``: the time of the event before; no process read anything from then on.

    A run that ended knowing how stays ended; one that ended ``unknown`` continues where it was.
    What an interrupt started to undo is undone to the end: the takeover is abandoned.
    A resume also ends a pause.
    """
    if state.ending is not None:
        if state.ending.outcome is not Outcome.UNKNOWN:
            return state
        state = replace(state, phase=state.ending.phase, ending=None)
    names = {}
    for key, name in state.names.items():
        if name.write is not None and name.write.purpose is Purpose.RESTORE:
            name = restore_lost(name, name.write)  # noqa: PLW2901 -- the loop builds new names
        names[key] = replace(_resumed_name(state, name), restores_refused=0, restores_lost=0)
        names[key] = replace(names[key], deadman_failures=0, deadman_not_before=0.0)
    return replace(
        state,
        names=names,
        helpers={key: _resumed_name(state, helper) for key, helper in state.helpers.items()},
        soa=_resumed_soa(state, state.soa),
        deadmen=resumed(state),
        in_flight=frozenset(),
        interrupts=(),
        resumes=state.resumes + 1,
        resumed_at=state.now,
        unwatched=(*state.unwatched, (before, state.now)),
        awake_since=state.now,  # what an earlier process knew is never fresh
        paused=False,
        given_up=state.given_up or (stopped_by(state) if state.phase is Phase.RESTORE else ""),
        failures=0,
        unlisted=0,
        not_before=0.0,
        news_at=state.now,
        described=None,
        verifying_since=None,
        stacks={
            key: replace(stack, polled=0.0, listed=0.0, template_failures=0, template_after=0.0)
            for key, stack in state.stacks.items()
        },
    )


def _resumed_name(state: State, name: _Name) -> _Name:
    """The name without what an earlier process knew; a write that it sent has become unknown."""
    write = name.write
    if write is not None:
        unknown = write.unknown_since if write.unknown_since is not None else state.now
        write = (
            replace(write, unknown_since=unknown, present_since=None) if write.intended else None
        )
    return replace(
        name,
        read=None,
        read_after=0.0,
        failures=0,
        write=write,
        not_before=0.0,
        attempts=0,
        refusals=0,
    )


def _resumed_soa(state: State, soa: SoaState | None) -> SoaState | None:
    """The SOA, which is read again: a process without a journal may have put it back."""
    return None if soa is None else replace(_resumed_name(state, soa), is_confirmed=False)


def _deploy(state: State, event: ev.DeployIntended | ev.DeployExited) -> State:
    if isinstance(event, ev.DeployIntended):
        deploy = Deploy(intended_at=state.now)
        under_way = Request(Subject.DEPLOY, event.switch)
        state = replace(state, in_flight=state.in_flight | {under_way})
    else:
        before = state.deploys.get(event.switch)
        deploy = Deploy(
            intended_at=before.intended_at if before else state.now,
            exited_at=state.now,
            code=event.code,
            tail=event.tail,
            timed_out=event.timed_out,
        )
    return replace(state, deploys={**state.deploys, event.switch: deploy}, news_at=state.now)
