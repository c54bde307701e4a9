"""Folding what came of checks: what green passes, who answers users, what has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.core.switch.state import CheckState, LiveAnswer
from route53_takeover.core.switch.who_answered import who_answered

if TYPE_CHECKING:
    from route53_takeover.core.switch import events as ev
    from route53_takeover.core.switch.state import SwitchState

_LIVE_KEPT = 40
"""How many of the newest live answers are kept."""
_MARKS_KEPT = 8
"""How many different marks of a side are kept: a page may hold the time."""


def checked(state: SwitchState, event: ev.CheckAnswered) -> SwitchState:
    key = (event.check, event.way)
    old = state.checks.get(key, CheckState())
    answer = event.answer
    new = replace(
        old,
        last=answer,
        began=event.began,
        answered_at=state.now,
        passed=old.passed + answer.passed,
        failed=old.failed + (not answer.passed),
        failed_in_a_row=0 if answer.passed else old.failed_in_a_row + 1,
        last_failure=old.last_failure if answer.passed else answer.reason,
        marks=tuple(dict.fromkeys((answer.marks, *old.marks)))[:_MARKS_KEPT],
    )
    state = replace(state, checks={**state.checks, key: new})
    if event.way is not Way.LIVE:
        return replace(state, news_at=state.now)
    return _answered_live(state, event)


def _answered_live(state: SwitchState, event: ev.CheckAnswered) -> SwitchState:
    side = _side(state, event)
    live = (*state.live, LiveAnswer(event.time, side, event.answer.passed))[-_LIVE_KEPT:]
    state = replace(state, live=live)
    if state.switch_began is None or event.began < state.switch_began:
        return state
    answered = {**state.answered, side: state.answered.get(side, 0) + 1}
    counts = not event.answer.passed and state.phase is not SwitchPhase.RESTORE
    return replace(
        state,
        answered=answered,
        failed_checks=state.failed_checks + counts,
        first_green_at=state.first_green_at or (event.time if side is Side.GREEN else None),
        last_blue_at=event.time if side is Side.BLUE else state.last_blue_at,
    )


def _side(state: SwitchState, event: ev.CheckAnswered) -> Side:
    """Which side gave an answer, by what each of them answers when it is asked directly."""
    blue, green = (
        state.checks.get((event.check, way), CheckState()) for way in (Way.BLUE, Way.GREEN)
    )
    return who_answered(event.answer.marks, blue.marks, green.marks)
