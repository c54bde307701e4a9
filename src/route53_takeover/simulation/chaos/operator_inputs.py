"""What the operator does in a rehearsal, drawn from a seed: which key, when, how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.status.choices import Act
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.harness import InjectionPoint

if TYPE_CHECKING:
    from random import Random

    from route53_takeover.core.plan.model import Options


def draw_keys(rng: Random, options: Options) -> tuple[InjectedFault, ...]:
    """The confirmation that a run waits for, and any keys in every second run."""
    names = [normal_name(name) for name in options.records]
    pressed: list[InjectedFault] = []
    if options.confirm_release and rng.choice((True, True, True, False)):  # or no operator is there
        pressed += [_confirm(rng, name) for name in names]
    if rng.random() < 1 / 2:
        pressed.append(_key(rng, rng.choice(names)))
    return tuple(pressed)


def _confirm(rng: Random, name: str) -> InjectedFault:
    """The operator presses it until the gate is open, sooner or later."""
    return InjectedFault(
        deed=FaultKind.KEYS,
        act=Act.CONFIRM_RELEASE,
        name=name,
        cue=InjectionPoint.CREATING,
        delay=rng.choice((0.0, rng.uniform(0, 5), rng.uniform(0, 30))),
        seconds=rng.choice((0.3, 2.0, 11.0)),
        times=60,
    )


def _key(rng: Random, name: str) -> InjectedFault:
    """Any key: mostly where it may do something, sometimes anywhere."""
    act = rng.choice(_ACTS)
    somewhere = rng.choice((True, False, False))
    pressed = InjectedFault(
        deed=FaultKind.KEYS,
        act=act,
        name=name if act in _OF_A_NAME else "",
        cue=rng.choice(list(InjectionPoint) if somewhere else _WHERE[act]),
        delay=rng.choice((0.0, rng.uniform(0, 0.1), rng.uniform(0, 3), rng.uniform(0, 30))),
        seconds=rng.choice((0.2, 0.5, 1.0)),
        times=rng.choice((1, 2, 8)),
    )
    if act is Act.PAUSE:
        return replace(pressed, seconds=rng.choice((0.5, 5.0, 12.0, 20.0, 90.0, 3600.0)))
    if act is Act.RELEASE_NOW and not somewhere:
        return replace(pressed, delay=rng.uniform(0, 1), times=20)
    if act is Act.EXTEND_DEADMAN and not somewhere:
        return replace(pressed, delay=rng.uniform(0, 2), times=rng.choice((3, 8)))
    return pressed


_ACTS = (
    *(Act.PAUSE,) * 3,
    *(Act.RELEASE_NOW,) * 3,
    Act.CONFIRM_RELEASE,
    *(Act.EXTEND_DEADMAN,) * 2,
    *(Act.RESTORE,) * 2,
    Act.ABORT,
)
_OF_A_NAME = frozenset({Act.RELEASE_NOW, Act.CONFIRM_RELEASE, Act.EXTEND_DEADMAN})
_WHERE: dict[Act, tuple[InjectionPoint, ...]] = {
    Act.PAUSE: (
        InjectionPoint.BEGIN,
        InjectionPoint.LOWER,
        InjectionPoint.PROVE,
        *(InjectionPoint.CREATING,) * 4,
    ),
    Act.RELEASE_NOW: (InjectionPoint.CREATING,),
    Act.CONFIRM_RELEASE: (InjectionPoint.CREATING,),
    Act.EXTEND_DEADMAN: (InjectionPoint.RELEASE,),
    Act.RESTORE: (InjectionPoint.RELEASE,),
    Act.ABORT: (
        InjectionPoint.BEGIN,
        InjectionPoint.LOWER,
        InjectionPoint.PROVE,
        InjectionPoint.CREATING,
    ),
}
