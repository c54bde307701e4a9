"""Makes the `Snapshot` from the state and the timeline of a switch. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.status.messages import OUTCOME_MARKS
from route53_takeover.core.status.run_words import SWITCH_WORDS
from route53_takeover.core.status.snapshot import (
    CheckedWay,
    CheckView,
    Copy,
    Countdown,
    DeployView,
    LiveMeter,
    Mark,
    Snapshot,
    Step,
    SwapView,
)
from route53_takeover.core.status.snippets import command_line
from route53_takeover.core.status.switch.choices import switch_choices
from route53_takeover.core.status.switch.messages import (
    SWITCH_PHASE_WORDS,
    failed_words,
    share_words,
    swap_words,
)
from route53_takeover.core.status.switch.result import switch_result
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.model import MappingSwap
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.settling import tells_sides
from route53_takeover.core.timing import SETTLE_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.status.switch.timeline import SwitchTimeline
    from route53_takeover.core.switch.state import CheckState, SwapState, SwitchState

_P = SwitchPhase
_LAST = (_P.RESTORE, _P.ENDED)
_RECENT = 20.0
"""Seconds whose answers green's share is worked out from."""


def switch_snapshot(
    state: SwitchState,
    timeline: SwitchTimeline,
    now: float,
    *,
    rehearsal: str = "",
    state_dir: str = "",
) -> Snapshot:
    """The run as it is; arguments as for a takeover (`core.status.build.snapshot`)."""
    as_of = state.now
    if state.ending is None:
        state = replace(state, now=max(state.now, now))
    steps = tuple(_steps(state, timeline))
    following = next((step.phase for step in steps if step.mark is Mark.WAITING), None)
    plan = state.plan
    return Snapshot(
        run=state.run,
        stack=plan.options.to_stack or "",
        zone=plan.site,
        account=plan.account,
        phase=state.phase,
        has_ended=state.phase is _P.ENDED,
        began=timeline.began,
        now=now,
        doing=switch_doing(state),
        next="" if following is None else f"{SWITCH_PHASE_WORDS[_P(following)]}",
        waits=tuple(_waits(state)),
        needs_person=switch_needs(state),
        alerts=tuple(_alerts(state, timeline)),
        paused=state.paused and not state.given_up,
        news_at=state.news_at,
        events=timeline.events,
        steps=steps,
        records=(),
        tree=(),
        servers=(),
        released=(),
        back=(),
        countdowns=tuple(_countdowns(state)),
        deploys=tuple(_deploys(state)),
        choices=switch_choices(state),
        copies=tuple(_copies(state, rehearsal, state_dir)),
        news=tuple(timeline.news),
        result=None if state.ending is None else switch_result(state, None),
        rehearsal=rehearsal,
        swaps=tuple(_swap_view(swap) for swap in state.swaps.values()),
        meter=meter_of(state),
        checks=tuple(_checks(state)),
        words=SWITCH_WORDS,
        as_of=as_of,
    )


def switch_doing(state: SwitchState) -> str:
    """What the run does now, in a sentence."""
    words = SWITCH_PHASE_WORDS[state.phase]
    if state.ending is not None:
        return f"{state.ending.outcome}: {state.ending.reason}."
    if state.paused:
        return f"Paused while {words}."
    return f"{words[0].upper()}{words[1:]}."


def switch_needs(state: SwitchState) -> str:
    """What the operator must do now; empty where nothing is needed."""
    return "Continue or abort: the run is paused." if state.paused else ""


def switch_progress(state: SwitchState) -> str:
    """Who answers users, in words; empty before the switch, and where no check asks."""
    meter = meter_of(state)
    if meter is None or state.switch_began is None:
        return ""
    return f"{share_words(meter)}, {failed_words(meter)}"


def _swap_view(swap: SwapState) -> SwapView:
    mark, words = swap_words(swap)
    return SwapView(
        kind=str(swap.swap.kind),
        target=swap.swap.target,
        before=swap.swap.before,
        after=swap.swap.after,
        mark=mark,
        words=words,
        standing="" if swap.reading is None else swap.reading.shown,
        side=str(swap.side),
        read_at=None if swap.reading is None else swap.read_at,
    )


def meter_of(state: SwitchState) -> LiveMeter | None:
    """Who answers users; ``None`` without a check."""
    if not state.plan.checks:
        return None
    known = _telling(state)
    return LiveMeter(
        recent=tuple((a.time, str(a.side), a.passed) for a in state.live),
        share=known.count(Side.GREEN) / len(known) if known else None,
        answered={str(side): count for side, count in state.answered.items()},
        failed=state.failed_checks,
        max_failures=state.plan.options.max_failures,
        first_green_at=state.first_green_at,
        last_blue_at=state.last_blue_at,
        tells_sides=tells_sides(state) or not state.answered,
        began_at=state.switch_began,
    )


def _telling(state: SwitchState) -> list[Side]:
    """Who gave the newest answers that tell: of the last seconds, or as many as settle a switch."""
    known = [each for each in state.live if each.side in (Side.BLUE, Side.GREEN)]
    recent = [each for each in known if each.time >= state.now - _RECENT]
    return [each.side for each in max(recent, known[-SETTLE_ANSWERS:], key=len)]


def _checks(state: SwitchState) -> Iterator[CheckView]:
    """Blue is only asked to tell the two apart: what it answers decides nothing."""
    for place, check in enumerate(state.plan.checks):
        ways = tuple(
            _way(way, found)
            for way in (Way.GREEN, Way.LIVE)
            if (found := state.checks.get((place, way))) is not None
        )
        yield CheckView(text=check.text, mark=ways[-1].mark if ways else Mark.WAITING, ways=ways)


def _way(way: Way, found: CheckState) -> CheckedWay:
    return CheckedWay(
        way=str(way),
        mark=Mark.FAILED if found.failed_in_a_row else Mark.DONE,
        passed=found.passed,
        failed=found.failed,
        failure=found.last_failure,
        asked_at=found.began,
    )


def _waits(state: SwitchState) -> Iterator[str]:
    for swap in state.swaps.values():
        if swap.reading is not None and not swap.reading.is_settled:
            yield f"CloudFront deploys {swap.swap.target} to every edge"
        if swap.invalidation and not swap.is_invalidated:
            yield f"CloudFront invalidates what it has cached ({swap.invalidation})"
    if state.rule_test.may_stand:
        yield "the test of green through a routing rule, and its removal"
    if state.phase is _P.RETIRE and state.plan.options.retire is not None:
        yield _retire_waits(state)


def _retire_waits(state: SwitchState) -> str:
    stack, retirement = f"stack {state.plan.options.retire}", state.retirement
    if retirement.breaks is None:
        return f"the verdict on whether {stack} may be deleted"
    if retirement.begun_at is None:
        return f"everything to be read once more before {stack} is deleted"
    if retirement.ended_at is None:
        return f"{stack} to be deleted"
    return "everything to lead to green after the delete"


def _alerts(state: SwitchState, timeline: SwitchTimeline) -> Iterator[str]:
    if state.given_up and state.ending is None:
        yield f"the switch is given up: {state.given_up}"
    if state.journal_lost:
        yield f"the journal cannot be written: {state.journal_lost}"
    for swap in state.swaps.values():
        if swap.moves and state.may_go_back:
            yield f"the deploy of green has moved {swap.swap.target}; it was led back"
        elif swap.moves:
            yield f"a deploy or a delete has moved {swap.swap.target}; it was led back"
        if swap.trouble and (swap.held_off or swap.refusals):
            yield f"{swap.swap.target}: {swap.trouble}"
    if state.rule_test.problem:
        yield f"the routing rule of the test: {state.rule_test.problem}"
    if state.retirement.problem:
        yield f"stack {state.plan.options.retire}: {state.retirement.problem}"
    for each in state.retirement.breaks or ():
        yield f"stack {state.plan.options.retire} may not be deleted: {each}"
    for trouble in timeline.troubles.values():
        yield f"cannot read the account: {trouble.reason}"
    if state.failed_checks and state.ending is None:
        allowed = state.plan.options.max_failures
        yield f"{state.failed_checks} failed checks since the switch (at most {allowed} may fail)"


def _countdowns(state: SwitchState) -> Iterator[Countdown]:
    if state.phase is _P.BAKE:
        until = state.since + state.plan.options.bake
        yield Countdown(
            label="the watch ends", name=state.plan.site, since=state.since, until=until
        )


def _deploys(state: SwitchState) -> Iterator[DeployView]:
    yield from _deploy_of_green(state)
    command, retirement = state.plan.options.retire_command, state.retirement
    if command is None or retirement.begun_at is None:
        return
    mark, words = Mark.RUNNING, "running"
    if retirement.ended_at is not None:
        mark = Mark.FAILED if retirement.problem else Mark.DONE
        words = retirement.problem or "the stack is deleted"
    elif state.ending is not None:
        mark, words = Mark.UNKNOWN, "may still be running"
    yield DeployView(
        label="delete of blue",
        command=command,
        mark=mark,
        words=words,
        log="deploy-retire.log",
        since=retirement.begun_at,
        ended=retirement.ended_at,
    )


def _deploy_of_green(state: SwitchState) -> Iterator[DeployView]:
    command, deploy = state.plan.options.deploy, state.deploy
    if command is None:
        return
    if deploy is None:
        is_off = bool(state.given_up) or state.phase is _P.ENDED
        mark = Mark.SKIPPED if is_off else Mark.WAITING
        words = "not started" if is_off else "not started yet"
    elif deploy.exited_at is None:
        mark, words = Mark.RUNNING, "running"
        if state.ending is not None:
            mark, words = Mark.UNKNOWN, "may still be running"
    elif deploy.timed_out:
        mark, words = Mark.FAILED, "stopped after --deploy-timeout"
    elif deploy.code is None:
        mark, words = Mark.UNKNOWN, "ended, exit status unknown"
    else:
        mark, words = (Mark.FAILED if deploy.code else Mark.DONE), f"exited {deploy.code}"
    yield DeployView(
        label="green",
        command=command,
        mark=mark,
        words=words,
        log="deploy-green.log",
        since=None if deploy is None else deploy.intended_at,
        ended=None if deploy is None else deploy.exited_at,
    )


def _copies(state: SwitchState, rehearsal: str, state_dir: str) -> Iterator[Copy]:
    if not rehearsal:
        for swap in state.swaps.values():
            if isinstance(swap.swap, MappingSwap):
                words = f"aws apigatewayv2 get-api-mappings --domain-name {swap.swap.domain.name}"
            else:
                words = f"aws cloudfront get-distribution --id {swap.swap.distribution_id}"
            yield Copy(label=f"where {swap.swap.target} leads", text=words)
    if not state.may_go_back:
        return
    restore = command_line("restore", state.run, state_dir=state_dir)
    yield Copy(label="switch back to blue", text=restore)


# -- the steps


def _steps(state: SwitchState, timeline: SwitchTimeline) -> Iterator[Step]:
    spent: dict[SwitchPhase, float] = {}
    for visit in timeline.visits:
        until = state.now if visit.left is None else visit.left
        phase = _P(visit.phase)
        spent[phase] = spent.get(phase, 0.0) + max(until - visit.entered, 0.0)
    order = [*_phases(state, spent)]
    for phase in order:
        yield Step(
            phase=phase,
            words=SWITCH_PHASE_WORDS[phase],
            mark=_mark(state, spent, phase, order),
            spent=None if phase is _P.ENDED else spent.get(phase),
            expected=state.plan.options.bake if phase is _P.BAKE else None,
        )


def _phases(state: SwitchState, spent: dict[SwitchPhase, float]) -> Iterator[SwitchPhase]:
    left_out = {_P.PREFLIGHT, _P.RESTORE}
    if state.plan.options.deploy is None:
        left_out.add(_P.DEPLOY)
    if state.plan.options.retire is None:
        left_out.add(_P.RETIRE)
    for phase in _P:
        if phase not in left_out or phase is state.phase or spent.get(phase):
            yield phase


def _mark(
    state: SwitchState,
    spent: dict[SwitchPhase, float],
    phase: SwitchPhase,
    order: list[SwitchPhase],
) -> Mark:
    if state.ending is not None and phase is _P.ENDED:
        return OUTCOME_MARKS[state.ending.outcome]
    if phase is state.phase:
        return Mark.RUNNING
    if phase is _P.RESTORE:
        is_back = state.ending is None or state.ending.outcome is not Outcome.UNKNOWN
        return Mark.DONE if is_back else Mark.UNKNOWN
    if phase in spent and state.given_up and phase is _P.SWITCH:
        return Mark.UNDONE
    if phase is _P.RETIRE and (state.retirement.breaks or state.retirement.problem):
        return Mark.FAILED
    if phase in spent or (state.ending is not None and state.ending.phase is phase):
        return Mark.DONE
    if phase is _P.ENDED:
        return Mark.WAITING
    is_over = bool(state.given_up) or order.index(phase) < order.index(state.phase)
    return Mark.SKIPPED if is_over and phase is not _P.VERIFY else Mark.WAITING
