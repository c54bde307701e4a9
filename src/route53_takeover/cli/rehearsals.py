"""What can be rehearsed over the wire: the scenarios of takeovers and of switches."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from route53_takeover.base.errors import UsageError
from route53_takeover.simulation.blue_green import SWITCH_SCENARIOS
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from route53_takeover.simulation.blue_green import SwitchScenario
    from route53_takeover.simulation.scenarios import Scenario

REHEARSALS: dict[str, Scenario | SwitchScenario] = {**SCENARIOS, **SWITCH_SCENARIOS}


def find_rehearsal(name: str) -> Scenario | SwitchScenario:
    """The scenario of this name.

    Raises:
        UsageError: there is none.
    """
    if name not in REHEARSALS:
        near = " or ".join(get_close_matches(name, REHEARSALS, n=2, cutoff=0.5))
        meant = f"Did you mean {near}? " if near else ""
        raise UsageError(
            f"there is no scenario {name!r}",
            f"{meant}One of: {', '.join(REHEARSALS)} (rehearse --list).",
        )
    return REHEARSALS[name]
