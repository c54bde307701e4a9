"""Cases of the soak that are staged: rare states, each brought about on purpose, at drawn moments.

What a seed draws freely comes to them once in a thousand runs, if ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from route53_takeover.core.status.choices import Act
from route53_takeover.core.switch.model import SwapKind
from route53_takeover.simulation.chaos.process_faults import ProcessFault
from route53_takeover.simulation.chaos.switch.faults import SiteFault, SwitchFault, SwitchFaults
from route53_takeover.simulation.chaos.switch.harness import SwitchPoint
from route53_takeover.simulation.chaos.switch.setup import CheckKind, DeployHabit

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from route53_takeover.simulation.chaos.switch.setup import SwitchSetup

Stage = tuple[dict[str, Any], tuple[SwitchFault, ...]]
"""What of a set-up it needs, and what goes wrong in it."""
_API: dict[str, Any] = {"kind": SwapKind.API_MAPPING}
_CDN: dict[str, Any] = {
    "kind": SwapKind.CLOUDFRONT_ORIGIN,
    "base_paths": ("",),
    "deploy": None,
    "refused": False,
}
_GOOD: dict[str, Any] = {"deploy": None, "refused": False, "bake": 60.0}
_WATCHED: dict[str, Any] = {**_GOOD, "checks": (CheckKind.SIDES,), "max_failures": 2}


def staged(rng: Random, setup: SwitchSetup) -> tuple[SwitchSetup, SwitchFaults]:
    """One of them, with nothing else that goes wrong but what is aimed."""
    needs, faults = rng.choice(_STAGES)(rng)
    made = SwitchFaults(injected=faults, resumes=1)
    return replace(setup, **needs), made


def _at(deed: ProcessFault | SiteFault, cue: SwitchPoint, **more: Any) -> SwitchFault:  # noqa: ANN401
    return SwitchFault(deed=deed, cue=cue, **more)


def _failing(cue: SwitchPoint = SwitchPoint.BAKING) -> SwitchFault:
    return _at(SiteFault.GREEN_FAILS, cue, seconds=9000.0)


def _deleted_at_its_end(_: Random) -> Stage:
    return {**_API, "deploy": DeployHabit.DELETES}, ()


def _another_etag(rng: Random) -> Stage:
    cue = rng.choice((SwitchPoint.PROVING, SwitchPoint.SWITCHING))
    return _CDN, (_at(SiteFault.TOUCH, cue),)


def _failing_before(_: Random) -> Stage:
    return _WATCHED, (_failing(SwitchPoint.BEGIN),)


def _paused(rng: Random) -> Stage:
    pause = _at(ProcessFault.KEYS, SwitchPoint.CHECKING, seconds=rng.choice((5.0, 300.0)))
    return _GOOD, (replace(pause, act=Act.PAUSE),)


def _clock_set_back(rng: Random) -> Stage:
    cue = rng.choice(tuple(SwitchPoint))
    kill = _at(ProcessFault.KILL, cue, delay=rng.uniform(0, 3), seconds=20.0)
    return {}, (kill, _at(ProcessFault.CLOCK, SwitchPoint.BEGIN, seconds=-300.0))


def _refused_back(rng: Random) -> Stage:
    refuse = _at(SiteFault.REFUSE, SwitchPoint.RETURNING, seconds=rng.choice((5.0, 60.0)))
    return _WATCHED, (_failing(), refuse)


def _asleep(rng: Random) -> Stage:
    seconds = rng.choice((20.0, 400.0))
    return _WATCHED, (_at(ProcessFault.SUSPEND, SwitchPoint.BAKING, seconds=seconds),)


def _never_deployed(_: Random) -> Stage:
    stuck = _at(SiteFault.NEVER_DEPLOYED, SwitchPoint.BACK, seconds=1e6)
    return {**_WATCHED, **_CDN}, (_failing(), stuck)


def _changed_at_the_write(rng: Random) -> Stage:
    return {**_GOOD, **_API}, (
        _at(SiteFault.EDIT, SwitchPoint.SWITCHING, delay=rng.uniform(0.0, 0.03)),
    )


def _read_late(rng: Random) -> Stage:
    stale = _at(ProcessFault.STALE, SwitchPoint.SWITCHING, seconds=20.0)
    stop = _at(ProcessFault.STOP, SwitchPoint.SWITCHED, delay=rng.uniform(0.0, 3.0))
    return _GOOD, rng.choice(((stale,), (stale, stop)))


def _ended_unknown(_: Random) -> Stage:
    return _GOOD, (_at(ProcessFault.UNREACHABLE, SwitchPoint.VERIFYING, seconds=100.0),)


def _not_invalidated(_: Random) -> Stage:
    return {**_CDN, "caches": True, "checks": ()}, (
        _at(SiteFault.NO_INVALIDATION, SwitchPoint.BEGIN, seconds=9000.0),
    )


def _stopped(rng: Random) -> Stage:
    stop = _at(ProcessFault.STOP, SwitchPoint.BAKING, delay=rng.uniform(0.0, 20.0))
    return _GOOD, (stop,)


def _killed_going_back(rng: Random) -> Stage:
    kill = _at(ProcessFault.KILL, SwitchPoint.BACK, delay=rng.uniform(0, 0.1), seconds=5.0)
    return _WATCHED, (_failing(), kill)


def _killed_switching(rng: Random) -> Stage:
    kill = _at(ProcessFault.KILL, SwitchPoint.SWITCHING, delay=rng.uniform(0, 0.1), seconds=5.0)
    return _WATCHED, (kill,)


def _aborted(rng: Random) -> Stage:
    cue = rng.choice((SwitchPoint.DEPLOYING, SwitchPoint.CHECKING))
    abort = _at(ProcessFault.KEYS, cue, delay=rng.choice((0.0, rng.uniform(0, 5))))
    return {"deploy": DeployHabit.WELL}, (replace(abort, act=Act.ABORT),)


def _dead_deleting(rng: Random) -> Stage:
    kill = _at(ProcessFault.KILL, SwitchPoint.DELETING, delay=rng.uniform(0, 30), seconds=20.0)
    return _GOOD, (kill,)


def _damaged(_: Random) -> Stage:
    kill = _at(ProcessFault.KILL, SwitchPoint.BAKING, seconds=5.0)
    return _GOOD, (_at(ProcessFault.CORRUPT, SwitchPoint.SWITCHING), kill)


_STAGES: tuple[Callable[[Random], Stage], ...] = (
    _deleted_at_its_end,
    _another_etag,
    _failing_before,
    _paused,
    _clock_set_back,
    _refused_back,
    _asleep,
    _never_deployed,
    _changed_at_the_write,
    _read_late,
    _ended_unknown,
    _not_invalidated,
    _stopped,
    _killed_going_back,
    _killed_switching,
    _aborted,
    _dead_deleting,
    _damaged,
)
