"""The soak's switches: rehearsals drawn from a seed, each another account and set of faults.

One number of one seed is one run, whatever ran before it.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import fields, replace

from route53_takeover.core.domain.api_mappings import ApiKind, EndpointType
from route53_takeover.core.status.choices import Act
from route53_takeover.core.switch.model import SwapKind
from route53_takeover.simulation.chaos.faults import WayOut
from route53_takeover.simulation.chaos.process_faults import ProcessFault
from route53_takeover.simulation.chaos.switch.faults import SiteFault, SwitchFault, SwitchFaults
from route53_takeover.simulation.chaos.switch.harness import SwitchPoint
from route53_takeover.simulation.chaos.switch.runner import rehearse_switch
from route53_takeover.simulation.chaos.switch.setup import (
    CheckKind,
    DeployHabit,
    RetireHabit,
    SwitchSetup,
)
from route53_takeover.simulation.chaos.switch.staged import staged
from route53_takeover.simulation.chaos.transport import FaultRates

if TYPE_CHECKING:
    from route53_takeover.simulation.chaos.switch.oracle import SwitchRehearsal

_CALLS = (
    "",
    "apigateway",
    "cloudfront",
    "GetBasePathMappings",
    "GetApiMappings",
    "GetDistribution",
    "Update",
    "Update",
    "Update",
    "CreateInvalidation",
    "GetInvalidation",
    "DescribeStacks",
)
_CALL_FAULTS = (
    ProcessFault.THROTTLE,
    ProcessFault.SILENCE,
    ProcessFault.DEAF,
    ProcessFault.UNREACHABLE,
    ProcessFault.EXPIRE,
    ProcessFault.REVOKE,
    ProcessFault.STALE,
    ProcessFault.SLOW,
    SiteFault.REFUSE,
    SiteFault.NO_INVALIDATION,
)
_PROCESS_FAULTS = (
    *(ProcessFault.KILL,) * 4,
    ProcessFault.POWER,
    ProcessFault.SUSPEND,
    ProcessFault.CLOCK,
    ProcessFault.STOP,
    ProcessFault.FULL,
    ProcessFault.READ_ONLY,
    ProcessFault.STALL,
    ProcessFault.CORRUPT,
    *(ProcessFault.KEYS,) * 3,
)
_SITE_FAULTS = (
    SiteFault.EDIT,
    SiteFault.EDIT,
    SiteFault.DELETE,
    SiteFault.TO_BLUE,
    SiteFault.TO_GREEN,
    SiteFault.EDIT_FRONT,
    SiteFault.TOUCH,
    SiteFault.TOUCH,
    SiteFault.NEVER_DEPLOYED,
    SiteFault.GREEN_FAILS,
    SiteFault.GREEN_FAILS,
    SiteFault.BLUE_FAILS,
    SiteFault.CHECKS_BLIND,
)
_MANY = tuple(f"p{number}" for number in range(12))
_WRITES = (SwitchPoint.SWITCHING, SwitchPoint.BACK, SwitchPoint.KEEPING, SwitchPoint.PROVING)


class DrawnSwitch(Struct, frozen=True, kw_only=True):
    """One case of the soak: an account, what is asked for, and what goes wrong."""

    setup: SwitchSetup
    faults: SwitchFaults

    def __str__(self) -> str:
        lines = [
            f"switch: {_changed(self.setup)}",
            f"calls: {_changed(self.faults.rates)}",
            f"faults: {_changed(self.faults, 'injected', 'rates')}",
            *(f"fault: {fault}" for fault in self.faults.injected),
        ]
        return "\n".join(lines)


def _changed(value: Struct, *without: str) -> str:
    """What of a struct is not as it is by default."""
    told = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in fields(value)
        if field.name not in without and getattr(value, field.name) != field.default
    ]
    return ", ".join(told) or "as usual"


def soak_switch(seed: int, number: int) -> SwitchRehearsal:
    """The run of this number."""
    drawn = draw_switch(seed, number)
    return rehearse_switch(drawn.setup, f"{seed}/{number}", drawn.faults)


def draw_switch(seed: int, number: int) -> DrawnSwitch:
    """The case of this number."""
    rng = Random(f"soak/{seed}/{number}/switch")  # noqa: S311 -- a simulation, not a secret
    setup, faults = _setup(rng), _faults(rng)
    if setup.base_paths == _MANY:  # so many of them among failing calls take as long as it looks
        faults = replace(faults, rates=FaultRates(outlives=0.5))
    if rng.random() < 0.3:
        setup, faults = staged(rng, setup)
    return DrawnSwitch(setup=setup, faults=faults)


def _setup(rng: Random) -> SwitchSetup:
    is_mapping = rng.random() < 0.6
    deploys = rng.random() < 0.45
    habits = tuple(DeployHabit)
    if not is_mapping:
        habits = (DeployHabit.WELL, DeployHabit.WELL, DeployHabit.FAILS, DeployHabit.HANGS)
    endpoint, kind = rng.choice(
        (
            (EndpointType.REGIONAL, ApiKind.REST),
            (EndpointType.EDGE, ApiKind.REST),
            (EndpointType.REGIONAL, ApiKind.HTTP),
        )
    )
    return SwitchSetup(
        kind=SwapKind.API_MAPPING if is_mapping else SwapKind.CLOUDFRONT_ORIGIN,
        base_paths=rng.choice(
            (*(("",),) * 8, *(("shop",), ("", "shop")) * 4, ("a", "b", "c", ""), _MANY)
        )
        if is_mapping
        else ("",),
        endpoint_type=endpoint,
        api_kind=kind,
        settling=rng.choice(((0.0, 0.0), (0.2, 5.0), (0.2, 5.0), (1.0, 60.0))),
        deploying=rng.choice((5.0, 60.0, 60.0, 300.0)),
        caches=rng.random() < 0.5,
        invalidating=rng.choice((3.0, 30.0)),
        deploy=rng.choice(habits) if deploys else None,
        deploy_takes=rng.choice((5.0, 40.0, 120.0)),
        retire=rng.choice((None,) * 9 + tuple(RetireHabit)),
        refused=deploys and rng.random() < 0.1,
        checks=rng.choice(
            (
                *((CheckKind.SIDES,),) * 5,
                (CheckKind.PAGE,),
                (CheckKind.SAME,),
                (CheckKind.SIDES, CheckKind.COMMAND),
                (CheckKind.COMMAND,),
                (),
            )
        ),
        bake=rng.choice((0.0, 20.0, 60.0, 300.0)),
        max_failures=rng.choice((0, 2, 2, 10)),
        deploy_timeout=300.0,
    )


def _faults(rng: Random) -> SwitchFaults:
    if rng.random() < 0.1:
        return SwitchFaults()
    kills = tuple(rng.randint(1, 80) for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2))))
    many = rng.choice((0, 1, 1, 2, 2, 3))
    return SwitchFaults(
        rates=FaultRates(outlives=0.5) if rng.random() < 0.7 else _rates(rng),
        kills=kills,
        downtimes=tuple(rng.choice((0.3, 2.0, 20.0, 120.0, 900.0)) for _ in kills),
        lost=frozenset(rng.choice(((), (), (1,), (2,), (1, 2)))),
        dropped=frozenset(rng.choice(((), (), (), (1,), (2,)))),
        injected=(*(_injected(rng) for _ in range(many)), *_aimed(rng)),
        way_out=rng.choice((WayOut.RESUME,) * 5 + (WayOut.RESTORE,)),
        resumes=rng.choice((0, 1)),
        journal_holds=rng.choice((None,) * 11 + (rng.randint(1, rng.choice((2, 20, 80))),)),
    )


def _rates(rng: Random) -> FaultRates:
    return FaultRates(
        throttled=rng.choice((0.0, 0.05, 0.3)),
        lost_request=rng.choice((0.0, 0.05, 0.2)),
        lost_answer=rng.choice((0.0, 0.1, 0.4)),
        unconnected=rng.choice((0.0, 0.1)),
        outlives=0.7,
    )


def _injected(rng: Random) -> SwitchFault:
    deed = rng.choice(rng.choice((_CALL_FAULTS, _PROCESS_FAULTS, _SITE_FAULTS)))
    fault = SwitchFault(
        deed=deed,
        cue=rng.choice(tuple(SwitchPoint)),
        delay=rng.choice((0.0, rng.uniform(0, 0.1), rng.uniform(0, 3), rng.uniform(0, 30))),
        seconds=rng.choice((0.5, 5.0, 20.0, 90.0, 400.0)),
        only=rng.choice(_CALLS),
        share=rng.choice((0.05, 0.3, 1.0)),
    )
    match deed:
        case ProcessFault.STALE:
            return replace(fault, seconds=min(fault.seconds, 20.0))
        case ProcessFault.CLOCK:
            return replace(fault, seconds=rng.choice((-7200.0, -300.0, 5.0, 300.0, 7200.0)))
        case ProcessFault.KEYS:
            act = rng.choice((Act.PAUSE, Act.ABORT, Act.ABORT, Act.RESTORE, Act.RESTORE))
            return replace(fault, act=act, seconds=rng.choice((0.5, 20.0, 90.0)), times=2)
        case SiteFault.NEVER_DEPLOYED:
            return replace(fault, seconds=rng.choice((300.0, 300.0, 100_000.0)))
        case _:
            return fault


def _aimed(rng: Random) -> tuple[SwitchFault, ...]:
    """In every second run, what strikes where it hurts most: around a write."""
    if rng.random() < 1 / 2:
        return ()
    at = SwitchFault(
        deed=ProcessFault.KILL,
        cue=rng.choice(_WRITES),
        delay=rng.choice((rng.uniform(0.0, 0.12), rng.uniform(0.0, 6.0))),
        seconds=rng.choice((0.3, 5.0, 60.0, 900.0)),
    )
    bake = SwitchFault(
        deed=SiteFault.GREEN_FAILS,
        cue=rng.choice((SwitchPoint.SWITCHED, SwitchPoint.SETTLING, SwitchPoint.BAKING)),
        delay=rng.uniform(0.0, 10.0),
        seconds=400.0,
    )
    aims = (
        (at,),
        (at,),
        (replace(at, deed=ProcessFault.POWER),),
        (replace(at, deed=ProcessFault.DEAF, only="Update"),),
        (replace(at, deed=ProcessFault.SILENCE, only="Update"),),
        (replace(at, deed=ProcessFault.SLOW, only="Update", seconds=20.0),),
        (replace(at, deed=ProcessFault.STALE, seconds=20.0),),
        (replace(at, deed=SiteFault.EDIT),),
        (replace(at, deed=SiteFault.TOUCH),),
        (replace(at, deed=SiteFault.REFUSE),),
        (replace(at, deed=ProcessFault.STALL),),
        (replace(at, deed=ProcessFault.FULL),),
        (bake,),
        (bake, replace(at, cue=SwitchPoint.BACK)),
        (replace(bake, share=0.3),),
        (bake, replace(bake, deed=SiteFault.NEVER_DEPLOYED, cue=SwitchPoint.BACK)),
        (replace(bake, deed=ProcessFault.FULL),),
        (replace(bake, deed=ProcessFault.KEYS, act=Act.RESTORE),),
        (
            SwitchFault(
                deed=ProcessFault.KEYS,
                act=Act.ABORT,
                cue=rng.choice((SwitchPoint.DEPLOYING, SwitchPoint.MOVED, SwitchPoint.CHECKING)),
                delay=rng.choice((0.0, rng.uniform(0, 10))),
            ),
        ),
    )
    return rng.choice(aims)
