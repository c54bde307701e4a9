"""The soak's runs, of whatever machine: one in four is a switch, the others are takeovers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from route53_takeover.simulation.chaos.coverage import CoverageGoal
from route53_takeover.simulation.chaos.search import draw, soak_once
from route53_takeover.simulation.chaos.switch.coverage import SwitchGoal
from route53_takeover.simulation.chaos.switch.draws import draw_switch, soak_switch

if TYPE_CHECKING:
    from route53_takeover.simulation.chaos.search import DrawnRun
    from route53_takeover.simulation.chaos.switch.draws import DrawnSwitch

GOALS: tuple[CoverageGoal | SwitchGoal, ...] = (*CoverageGoal, *SwitchGoal)
"""The states that the soak must have been in."""
_EVERY = 4


class Soaked(Struct, frozen=True, kw_only=True):
    """What came of one run; members as those of the rehearsal."""

    outcome: str
    reason: str
    broken: tuple[str, ...]
    struck: Mapping[str, int]
    sights: frozenset[Any]
    events: tuple[Any, ...]
    history: tuple[tuple[float, str], ...]


def is_switch(number: int) -> bool:
    """Whether the run of this number is a switch."""
    return number % _EVERY == _EVERY - 1


def drawn(seed: int, number: int) -> DrawnRun | DrawnSwitch:
    """The case of this number."""
    return draw_switch(seed, number) if is_switch(number) else draw(seed, number)


def soaked(seed: int, number: int) -> Soaked:
    """The run of this number.

    Raises:
        RefusedError: its plan is refused.
        Exception: the engine met what it takes for a defect of its own.
    """
    if is_switch(number):
        switch = soak_switch(seed, number)
        return Soaked(
            outcome=switch.outcome,
            reason=switch.reason,
            broken=switch.broken,
            struck=switch.struck,
            sights=switch.sights,
            events=switch.events,
            history=switch.history,
        )
    takeover = soak_once(seed, number)
    return Soaked(
        outcome=takeover.result.outcome,
        reason=takeover.result.reason,
        broken=takeover.broken,
        struck=takeover.struck,
        sights=takeover.sights,
        events=takeover.events,
        history=takeover.history,
    )
