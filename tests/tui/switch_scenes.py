"""What a screen is given at the places that matter of a blue-green switch: one view a scene."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tests.played_switch import Played

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.events import RestoreAsked, TimePassed
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.process.protocol import Link

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.process.protocol import View


def _switched() -> Played:
    return Played().backed_up().deploy().check().switch()


def _checking() -> View:
    played = Played().backed_up().deploy()
    played.ask(Way.BLUE, "b")
    played.ask(Way.GREEN, failure="status 502 instead of 200 to 399")
    return played.view(later=2)


def _half_switched() -> View:
    played = Played().backed_up().deploy().check()
    played.write()
    played.read(Side.GREEN, Side.BLUE)
    for marks in "bbgb":
        played.ask(Way.LIVE, marks)
    return played.view(rehearsal="blue-green")


def _mixed() -> View:
    played = _switched()
    for marks in "bgbb":
        played.ask(Way.LIVE, marks)
    played.ask(Way.LIVE, failure="no answer within 10 s")
    for marks in "gbgg":
        played.ask(Way.LIVE, marks)
    return played.view(later=1)


def _baking() -> View:
    return _switched().settle().watch(130).view(later=3)


def _back() -> View:
    played = _switched().settle().watch(30)
    played.take(RestoreAsked(time=played.time))
    played.read(Side.GREEN)
    while any(s.write is not None for s in played.state.swaps.values()):
        played.write()
    for _ in range(3):
        played.read(Side.BLUE)
    played.read(Side.BLUE)
    return played.view(Link.ENDED)


def _done() -> View:
    played = _switched().settle().watch(305)
    played.take(TimePassed(time=played.time))
    played.read(Side.GREEN)
    return played.view(Link.ENDED)


def _changed() -> View:
    played = _switched().settle().watch(30)
    played.read(Side.OTHER, Side.ABSENT)
    return played.view()


SCENES: dict[str, tuple[Callable[[], View], SwitchPhase]] = {
    "switch-check": (_checking, SwitchPhase.CHECK),
    "switch-half": (_half_switched, SwitchPhase.SWITCH),
    "switch-mixed": (_mixed, SwitchPhase.SETTLE),
    "switch-bake": (_baking, SwitchPhase.BAKE),
    "switch-killed": (
        lambda: _switched().settle().watch(60).view(Link.GONE),
        SwitchPhase.BAKE,
    ),
    "switch-changed": (_changed, SwitchPhase.RESTORE),
    "switch-back": (_back, SwitchPhase.ENDED),
    "switch-done": (_done, SwitchPhase.ENDED),
}


@cache
def view(name: str) -> View:
    """What is to be seen in this scene."""
    make, phase = SCENES[name]
    made = make()
    assert made.snapshot.phase is phase, (name, made.snapshot.phase, made.snapshot.news[-3:])
    return made
