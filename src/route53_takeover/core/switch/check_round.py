"""The checks of green before the switch: each has to pass, by the way that leads to green alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.switch.commands import CarryOutCheck
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.state import CheckState
from route53_takeover.core.timing import CHECK_AGAIN, CHECK_FRESH, GREEN_TRIES

if TYPE_CHECKING:
    from route53_takeover.core.switch.state import SwitchState
    from route53_takeover.core.switch.step_context import SwitchContext


def green_passes(context: SwitchContext) -> bool:
    """Whether every check of green has passed just now; asks for what has not.

    Blue is asked as well, once: what it answers tells the two apart later.
    """
    state, passes = context.state, True
    for place, check in enumerate(state.plan.checks):
        if not check.command and (place, Way.BLUE) not in state.checks:
            context.ask(CarryOutCheck(check=place, way=Way.BLUE))
            passes = False
        green = state.checks.get((place, Way.GREEN), CheckState())
        if green.last is not None and green.last.passed and is_fresh(state, green):
            continue
        passes = False
        has_failed = green.last is not None and not green.last.passed
        again = green.began + CHECK_AGAIN if has_failed else state.now
        if green.failed_in_a_row >= GREEN_TRIES:
            context.give_up(f"green fails the check {check.text}: {green.last_failure}")
        elif state.now >= again:
            context.ask(CarryOutCheck(check=place, way=Way.GREEN))
        else:
            context.wake(again)
    return passes


def is_fresh(state: SwitchState, check: CheckState) -> bool:
    """Whether it was answered lately."""
    return check.last is not None and state.now <= check.answered_at + CHECK_FRESH


def was_just_watched(context: SwitchContext) -> bool:
    """Whether every check has just passed by users' way: nothing is concluded from silence."""
    state = context.state
    checks = [
        state.checks.get((place, Way.LIVE), CheckState()) for place in range(len(state.plan.checks))
    ]
    return all(
        check.last is not None and check.last.passed and is_fresh(state, check) for check in checks
    )
