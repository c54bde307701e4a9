"""Makes the `Snapshot` from the state and the timeline of a run.

Pure, and cheap enough for every redraw. Most parts have a module of their own; the steps and the
deploys are made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import display_name
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import Switch
from route53_takeover.core.status.attention import alerts, needs_person
from route53_takeover.core.status.choices import choices
from route53_takeover.core.status.deadman_words import cloud_rescues
from route53_takeover.core.status.messages import OUTCOME_MARKS, PHASE_WORDS
from route53_takeover.core.status.record_rows import record_views
from route53_takeover.core.status.result import result
from route53_takeover.core.status.sentences import coming, doing
from route53_takeover.core.status.snapshot import DeployView, Mark, ServerView, Snapshot, Step
from route53_takeover.core.status.snippets import copies
from route53_takeover.core.status.stack_rows import rows
from route53_takeover.core.status.waiting import absences, countdowns, waits
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.core.timing import INSYNC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.deploys import Deploy
    from route53_takeover.core.status.timeline import Timeline
    from route53_takeover.core.takeover.state import State

_LAST = (Phase.RESTORE, Phase.ENDED)
_EARLY = (
    Phase.BACKUP,
    Phase.LOWER_TTL,
    Phase.DRAIN,
    Phase.DEPLOY_OFF,
    Phase.PROVE,
    Phase.PREPARE,
    Phase.DEPLOY_ON,
)


def snapshot(
    state: State, timeline: Timeline, now: float, *, rehearsal: str = "", state_dir: str = ""
) -> Snapshot:
    """The run as it is.

    Args:
        state: what the machine knows.
        timeline: folded from the same events.
        now: the time to show it for; what is over by then is not waited for.
        rehearsal: the scenario's name, where the account is a simulated one.
        state_dir: where the run is kept; empty for the default.
    """
    as_of = state.now
    if state.ending is None:
        state = replace(state, now=max(state.now, now))
    steps = tuple(_steps(state, timeline))
    following = [Phase(step.phase) for step in steps if step.mark is Mark.WAITING]
    return Snapshot(
        run=state.run,
        stack=state.root.stack_name or state.plan.options.stack,
        zone=display_name(state.plan.zone_name),
        account=state.plan.account,
        phase=state.phase,
        has_ended=state.phase is Phase.ENDED,
        began=timeline.began,
        now=now,
        doing=doing(state),
        next=coming(state, next(iter(following), None)),
        waits=waits(state),
        needs_person=needs_person(state, timeline),
        alerts=alerts(state, timeline),
        paused=state.is_paused,
        news_at=state.news_at,
        events=timeline.events,
        steps=steps,
        records=record_views(state, timeline),
        tree=rows(state, timeline),
        servers=tuple(
            ServerView(server=server, name=display_name(name), type=kind, answers=answers)
            for (name, kind, server), answers in timeline.answers.items()
        ),
        released=_times(h.released_at for h in state.handovers),
        back=_times(h.back_at for h in state.handovers),
        countdowns=countdowns(state),
        deploys=tuple(_deploys(state)),
        choices=choices(state),
        copies=copies(state, timeline, rehearsal=rehearsal, state_dir=state_dir),
        news=tuple(timeline.news),
        result=None if state.ending is None else result(state, None),
        rehearsal=rehearsal,
        absences=absences(state),
        as_of=as_of,
        deploys_elsewhere=state.plan.options.deploy_on is None,
        cloud_rescues=cloud_rescues(state),
    )


def _times(times: Iterator[float | None]) -> tuple[float, ...]:
    return tuple(sorted({time for time in times if time is not None}))


# -- the steps


def _steps(state: State, timeline: Timeline) -> Iterator[Step]:
    spent: dict[Phase, float] = {}
    for visit in timeline.visits:
        until = state.now if visit.left is None else visit.left
        phase = Phase(visit.phase)
        spent[phase] = spent.get(phase, 0.0) + max(until - visit.entered, 0.0)
    order = [*_phases(state, spent)]
    for phase in order:
        yield Step(
            phase=phase,
            words=PHASE_WORDS[phase],
            mark=_mark(state, timeline, phase, order),
            spent=None if phase is Phase.ENDED else spent.get(phase),
            expected=_expected(state, phase),
        )


def _phases(state: State, spent: dict[Phase, float]) -> Iterator[Phase]:
    """Those of this plan, in order; one that it is in, or was, always."""
    plan = state.plan
    lowers = any(m.lowered for m in plan.manuals)
    left_out = {Phase.PREFLIGHT, Phase.RESTORE}
    if not plan.helpers and not any(m.prepared for m in plan.manuals):
        left_out.add(Phase.PREPARE)
    if not lowers and plan.soa is None:
        left_out.add(Phase.LOWER_TTL)
    if not lowers or not plan.drain_seconds:
        left_out.add(Phase.DRAIN)
    if plan.options.deploy_off is None:
        left_out.add(Phase.DEPLOY_OFF)
    for phase in Phase:
        was = phase in spent if phase is Phase.RESTORE else bool(spent.get(phase))
        if phase not in left_out or phase is state.phase or was:
            yield phase


def _expected(state: State, phase: Phase) -> float | None:
    if phase is Phase.DRAIN:
        return float(state.plan.drain_seconds)
    return INSYNC if phase is Phase.LOWER_TTL else None


def _mark(state: State, timeline: Timeline, phase: Phase, order: list[Phase]) -> Mark:
    visited = {visit.phase for visit in timeline.visits}
    if state.ending is not None and phase is Phase.ENDED:
        return OUTCOME_MARKS[state.ending.outcome]
    if phase is state.phase:
        return Mark.RUNNING
    undoing = state.phase is Phase.RESTORE or (
        state.ending is not None and state.ending.phase is Phase.RESTORE
    )
    if undoing and phase is _fell_from(timeline):
        return Mark.UNDONE if state.interrupts and not state.ever_released else Mark.FAILED
    if undoing and _is_undone(state, phase):
        return Mark.UNDONE
    if state.ending is not None and phase is state.ending.phase:
        return OUTCOME_MARKS[state.ending.outcome] if phase is not Phase.RESTORE else _undone(state)
    normal = [p for p in order if p in visited and p not in _LAST]
    furthest = max(map(order.index, normal), default=-1)
    is_over = undoing or state.ending is not None or order.index(phase) < order.index(state.phase)
    if not is_over or (phase is Phase.ENDED and state.ending is None):
        return Mark.WAITING
    if phase in visited or (phase in _EARLY and order.index(phase) < furthest):
        return Mark.DONE  # one that nothing had to be done in was passed in no time
    return Mark.SKIPPED


def _fell_from(timeline: Timeline) -> Phase | None:
    """The phase in which the run turned from the takeover to putting everything back."""
    turned = (Phase(v.phase) for v in reversed(timeline.visits) if v.phase not in _LAST)
    return next(turned, None)


def _is_undone(state: State, phase: Phase) -> bool:
    """Whether what was done in a phase was taken back."""
    if phase is Phase.LOWER_TTL:
        return any(Purpose.UNDO in name.tried for name in state.names.values())
    return phase is Phase.RELEASE and any(h.stage is RecordStatus.RESTORED for h in state.handovers)


def _undone(state: State) -> Mark:
    """The mark of a restore that a run ended from."""
    if any(name.is_absent for name in state.names.values()):
        return Mark.FAILED
    is_unknown = state.ending is not None and state.ending.outcome is Outcome.UNKNOWN
    return Mark.UNKNOWN if is_unknown else Mark.DONE


# -- the deploys


def _deploys(state: State) -> Iterator[DeployView]:
    options = state.plan.options
    for switch, command in ((Switch.OFF, options.deploy_off), (Switch.ON, options.deploy_on)):
        if command is None:
            continue
        deploy = state.deploys.get(switch)
        mark, words = _deploy_words(state, deploy)
        yield DeployView(
            label=f"switch {switch}",
            command=command,
            mark=mark,
            words=words,
            log=f"deploy-{switch}.log",
            since=None if deploy is None else deploy.intended_at,
            ended=None if deploy is None else deploy.exited_at,
        )


def _deploy_words(state: State, deploy: Deploy | None) -> tuple[Mark, str]:
    if deploy is None:
        skipped = state.has_stopped or state.phase is Phase.ENDED
        return (Mark.SKIPPED, "not started") if skipped else (Mark.WAITING, "not started yet")
    if deploy.exited_at is None:
        return (Mark.UNKNOWN, "may still be running") if state.ending else (Mark.RUNNING, "running")
    if deploy.timed_out:
        return Mark.FAILED, "stopped after --deploy-timeout"
    if deploy.code is None:
        return Mark.UNKNOWN, "ended, exit status unknown"
    if deploy.code and "no updates" in deploy.tail.lower():
        return Mark.DONE, f"exited {deploy.code}: nothing to deploy"
    return Mark.FAILED if deploy.code else Mark.DONE, f"exited {deploy.code}"
