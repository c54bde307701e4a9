"""What a rehearsed switch came to see: the states that a search must have been in."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from route53_takeover.core.endings import Outcome
    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.simulation.chaos.switch.harness import SwitchHarness


class SwitchGoal(StrEnum):
    """A state that was reached."""

    DONE = "a switch that ends on green"


def sights(harness: SwitchHarness, plan: SwitchPlan, outcome: Outcome) -> frozenset[SwitchGoal]:
    """Everything of note that this rehearsal was in."""
    del harness, plan
    return frozenset({SwitchGoal.DONE} if outcome == "done" else ())
