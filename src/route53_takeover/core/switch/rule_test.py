"""Testing green under the production name, through a routing rule with a secret header.

The rule leads nobody else to green. It is gone again before the switch, and on every way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.switch.commands import RemoveRule, TryByRule
from route53_takeover.core.timing import SWAP_TRIES

if TYPE_CHECKING:
    from route53_takeover.core.switch.step_context import SwitchContext


def passes_by_rule(context: SwitchContext) -> bool:
    """Whether green has passed through the rule, and the rule is gone; asks for what has to be."""
    state = context.state
    test = state.rule_test
    if state.plan.rule is None:
        return True
    if test.may_stand:
        rule_is_gone(context)
    elif test.passed:
        return True
    elif test.problem:
        context.give_up(f"green fails under the production name: {test.problem}")
    else:
        context.ask(TryByRule())
    return False


def rule_is_gone(context: SwitchContext) -> bool:
    """Whether the rule does not stand, or cannot be removed by this run."""
    state = context.state
    test = state.rule_test
    if not test.may_stand:
        return True
    if test.failures >= SWAP_TRIES:
        context.give_up(f"the routing rule for the test could not be removed: {test.problem}")
        return True
    if state.now >= test.not_before:
        context.ask(RemoveRule())  # at once only where no test is under way
    else:
        context.wake(test.not_before)
    return False
