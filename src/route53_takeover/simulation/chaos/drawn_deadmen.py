"""The soak's runs with a deadman in AWS, and what strikes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.simulation.aws.account import DEADMAN_ROLE
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import WayOut
from route53_takeover.simulation.chaos.harness import InjectionPoint

if TYPE_CHECKING:
    from random import Random

    from route53_takeover.core.plan.model import Options
    from route53_takeover.simulation.chaos.faults import Faults
    from route53_takeover.simulation.scenarios import Scenario

_HOW_OFTEN = 0.25
_LEFT = 0.25
_START, _STOP = "states:StartExecution", "states:StopExecution"


def with_cloud_deadman(
    rng: Random, scenario: Scenario, options: Options, faults: Faults
) -> tuple[Scenario, Options, Faults]:
    """The case; now and then with ``--cloud-deadman`` and what goes wrong about it."""
    if rng.random() >= _HOW_OFTEN:
        return scenario, options, faults
    scenario = replace(scenario, account=replace(scenario.account, deadman=True))
    options = replace(options, cloud_deadman=DEADMAN_ROLE)
    if rng.random() < _LEFT:
        faults = replace(faults, way_out=WayOut.LEAVE, injected=(*faults.injected, _lost(rng)))
    elif rng.random() < 1 / 2:
        faults = replace(faults, injected=(*faults.injected, _fault(rng)))
    return scenario, options, faults


def _lost(rng: Random) -> InjectedFault:
    """The machine is lost, mostly in the gap."""
    cue = rng.choice((InjectionPoint.RELEASE,) * 5 + (InjectionPoint.DEADMAN,))
    return InjectedFault(deed=FaultKind.KILL, cue=cue, delay=rng.uniform(0.0, 4.0), seconds=1.0)


def _fault(rng: Random) -> InjectedFault:
    seconds = rng.choice((0.5, 5.0, 60.0, 400.0))
    start = InjectedFault(
        deed=FaultKind.KILL,
        cue=InjectionPoint.DEADMAN,
        delay=rng.uniform(0.0, 0.08),
        seconds=rng.choice((0.5, 20.0, 200.0)),
    )
    gap = InjectedFault(
        deed=FaultKind.KILL,
        cue=InjectionPoint.RELEASE,
        delay=rng.uniform(0.0, 4.0),
        seconds=rng.choice((150.0, 200.0, 400.0)),
    )
    denied = InjectedFault(deed=FaultKind.DEADMAN_DENIED, cue=InjectionPoint.PROVE, seconds=seconds)
    stuck = InjectedFault(deed=FaultKind.DEADMAN_STUCK, cue=InjectionPoint.DEADMAN, seconds=seconds)
    return rng.choice(
        (
            start,
            gap,
            gap,
            denied,
            replace(denied, cue=InjectionPoint.RELEASE),
            stuck,
            replace(stuck, seconds=1800.0),
            replace(start, deed=FaultKind.SILENCE, seconds=seconds, only=_START),
            replace(start, deed=FaultKind.DEAF, delay=0.0, seconds=seconds, only=_START),
            replace(start, deed=FaultKind.REVOKE, delay=0.0, seconds=seconds, only="states:"),
            replace(gap, deed=FaultKind.DEAF, seconds=seconds, only=_STOP),
        )
    )
