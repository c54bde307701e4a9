"""What goes wrong in the soak: storms, the process, people, and what is aimed at the release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults, WayOut
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.transport import CHANGE, FaultRates
from route53_takeover.simulation.scenarios import alias

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from route53_takeover.simulation.chaos.drawn_accounts import Edits

_CALLS = (
    "",
    "route53",
    "cloudformation",
    CHANGE,
    "ListResourceRecordSets",
    "GetChange",
    "DescribeStackEvents",
    "DescribeStacks",
    "ListStacks",
    "ListStackResources",
    "GetTemplate",
)
_STORMS = (
    FaultKind.THROTTLE,
    FaultKind.SILENCE,
    FaultKind.DEAF,
    FaultKind.UNREACHABLE,
    FaultKind.EXPIRE,
    FaultKind.REVOKE,
    FaultKind.BUSY,
    FaultKind.STALE,
    FaultKind.SLOW,
    FaultKind.PENDING,
    FaultKind.MUTE,
    FaultKind.STUCK,
)
_PROCESS = (
    FaultKind.KILL,
    FaultKind.KILL,
    FaultKind.POWER,
    FaultKind.SUSPEND,
    FaultKind.CLOCK,
    FaultKind.STOP,
    FaultKind.FULL,
    FaultKind.READ_ONLY,
    FaultKind.STALL,
    FaultKind.CORRUPT,
)
_PEOPLE = (
    FaultKind.EDIT,
    FaultKind.DELETE,
    FaultKind.SAME,
    FaultKind.CANCEL,
    FaultKind.DELETE_STACK,
    FaultKind.CLEAN_UP,
    FaultKind.CLEAN_UP,
    FaultKind.DEPLOY,
    FaultKind.ANOTHER,
)
_SOON = InjectedFault(deed=FaultKind.KILL, cue=InjectionPoint.RELEASE)
_CLEANING = InjectedFault(
    deed=FaultKind.CLEAN_UP, cue=InjectionPoint.CLEANING, delay=0.1, seconds=12.0, times=4
)
_CUES = (
    InjectionPoint.BEGIN,
    InjectionPoint.LOWER,
    InjectionPoint.PROVE,
    InjectionPoint.CREATING,
    InjectionPoint.CREATING,
    InjectionPoint.INITIATED,
    InjectionPoint.CREATED,
    InjectionPoint.RELEASE,
    InjectionPoint.RELEASE,
    InjectionPoint.RELEASE,
    InjectionPoint.RESTORE,
    InjectionPoint.RESTORE,
    InjectionPoint.UNDO,
    InjectionPoint.TURNING,
    InjectionPoint.CLEANING,
    InjectionPoint.COMPLETE,
)


def drawn_faults(rng: Random, edits: Edits) -> Faults:
    kills = tuple(rng.randint(1, 120) for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2, 3))))
    many = rng.choice((0, 1, 1, 2, 2, 3, 4))
    return Faults(
        rates=FaultRates(outlives=0.5) if rng.random() < 0.6 else _rates(rng),
        kills=kills,
        downtimes=tuple(rng.choice((0.3, 2.0, 20.0, 120.0, 900.0)) for _ in kills),
        event_delays=(0.0, rng.choice((0.0, 0.0, 0.0, 1.0, 8.0, 20.0))),
        repeats=rng.choice((0.0, 0.0, 0.2)),
        missing=rng.choice((0.0, 0.0, 0.0, 0.1)),
        page=rng.choice((100, 100, 3, 10)),
        mute=rng.choice((0.0, 0.0, 0.0, 0.5, 1.0)),
        injected=(*(_injected_fault(rng, edits) for _ in range(many)), *_aimed(rng, edits)),
        way_out=rng.choice((WayOut.RESUME, WayOut.RESUME, WayOut.RESUME, WayOut.RESTORE)),
        resumes=rng.choice((0, 1)),
        journal_holds=rng.choice((None,) * 11 + (rng.randint(1, rng.choice((2, 40, 150))),)),
    )


def _rates(rng: Random) -> FaultRates:
    return FaultRates(
        throttled=rng.choice((0.0, 0.05, 0.3)),
        lost_request=rng.choice((0.0, 0.05, 0.2)),
        lost_answer=rng.choice((0.0, 0.1, 0.4)),
        unconnected=rng.choice((0.0, 0.1)),
        outlives=0.7,
    )


def _aimed(rng: Random, edits: Edits) -> tuple[InjectedFault, ...]:
    """In every second run, what strikes where it hurts most: around the release, and in the gap."""
    soon = replace(_SOON, delay=rng.uniform(0.0, 0.08), seconds=rng.choice((0.3, 5.0, 60.0)))
    gap = replace(_SOON, delay=rng.uniform(0.1, 4.0), seconds=rng.choice((5.0, 60.0, 400.0)))
    aims = (
        *((replace(soon, deed=FaultKind.KILL),),) * 2,
        (replace(soon, deed=FaultKind.POWER),),
        (replace(gap, deed=FaultKind.KILL), InjectedFault(deed=FaultKind.CLOCK, seconds=-7200.0)),
        (replace(gap, deed=FaultKind.SUSPEND),),
        (replace(gap, deed=FaultKind.STOP),),
        (replace(gap, deed=FaultKind.FULL),),
        (replace(gap, deed=FaultKind.STALL),),
        (replace(gap, deed=FaultKind.SILENCE, seconds=400.0, only="ListResourceRecordSets"),),
        (replace(gap, deed=FaultKind.SLOW, seconds=400.0, only="ListResourceRecordSets"),),
        (
            replace(gap, deed=FaultKind.SILENCE, seconds=400.0, only="ListResourceRecordSets"),
            InjectedFault(
                deed=FaultKind.SILENCE, cue=InjectionPoint.RESTORE, seconds=0.5, only=CHANGE
            ),
        ),
        (replace(gap, deed=FaultKind.EDIT, record=edits.other),),
        (replace(soon, deed=FaultKind.EDIT, delay=soon.delay / 4, record=edits.other),),
        (InjectedFault(deed=FaultKind.ANOTHER, delay=rng.uniform(0.0, 20.0)),),
        *((replace(_CLEANING, record=edits.other),),) * 4,
    )
    return rng.choice(aims) if rng.random() < 1 / 2 else ()


def aimed_at_strategies(rng: Random) -> tuple[InjectedFault, ...]:
    """In every second run, what strikes a strategy where it hurts."""
    cue = rng.choice(
        (
            InjectionPoint.PREPARE,
            InjectionPoint.BRIDGE,
            InjectionPoint.RELEASE,
            InjectionPoint.WEIGH,
            InjectionPoint.REMOVE,
        )
    )
    delay = rng.choice((rng.uniform(0.0, 0.08), rng.uniform(0.0, 30.0)))
    aim = InjectedFault(
        deed=FaultKind.KILL, cue=cue, delay=delay, seconds=rng.choice((0.3, 5.0, 60.0, 900.0))
    )
    wildcard = replace(alias("d1any"), name="*.example.com.")
    others = replace(aim, deed=FaultKind.EDIT, record=wildcard)
    aims = (aim, aim, others, replace(others, deed=FaultKind.DELETE))
    return (rng.choice(aims),) if rng.random() < 1 / 2 else ()


def _injected_fault(rng: Random, edits: Edits) -> InjectedFault:
    deed = rng.choice(rng.choice((_STORMS, _PROCESS, _PEOPLE)))
    fault = InjectedFault(
        deed=deed,
        cue=rng.choice(_CUES),
        delay=rng.choice((0.0, rng.uniform(0, 0.1), rng.uniform(0, 3), rng.uniform(0, 30))),
        seconds=rng.choice((0.5, 5.0, 20.0, 90.0, 400.0, 1800.0)),
        only=rng.choice(_CALLS),
        record=edits.same if deed is FaultKind.SAME else edits.other,
    )
    if deed is FaultKind.CLEAN_UP:
        return replace(_CLEANING, record=edits.other, times=rng.choice((1, 3)))
    if deed is FaultKind.STALE:  # harsher than AWS, which shows the newest state
        return replace(fault, seconds=min(fault.seconds, 20.0))
    if deed is FaultKind.CLOCK:
        return replace(fault, seconds=rng.choice((-7200.0, -300.0, -5.0, 5.0, 300.0, 7200.0)))
    return fault


def drawn_soa_faults(rng: Random) -> Iterator[InjectedFault]:
    """What strikes in every second run that lowers the negative TTL: at its batches, or others'."""
    if rng.random() < 1 / 2:
        return
    cue = rng.choice((InjectionPoint.LOWER_SOA, InjectionPoint.RESTORE_SOA))
    delay = rng.choice((0.0, rng.uniform(0.0, 0.08), rng.uniform(0.0, 4.0)))
    seconds = rng.choice((0.3, 5.0, 60.0, 400.0))
    fault = InjectedFault(deed=FaultKind.KILL, cue=cue, delay=delay, seconds=seconds)
    yield rng.choice(
        (
            fault,
            replace(fault, deed=FaultKind.POWER),
            replace(fault, deed=FaultKind.STOP),
            replace(fault, deed=FaultKind.SILENCE, only=CHANGE),
            replace(fault, deed=FaultKind.DEAF, only=CHANGE),
            replace(fault, deed=FaultKind.REVOKE, only=CHANGE),
            replace(fault, deed=FaultKind.STALE, seconds=min(seconds, 20.0)),
            replace(fault, deed=FaultKind.FULL),
            replace(fault, deed=FaultKind.SOA_SERIAL, cue=rng.choice(_CUES)),
            replace(fault, deed=FaultKind.SOA_SERIAL),
            replace(fault, deed=FaultKind.SOA_TTL, cue=rng.choice(_CUES)),
            replace(fault, deed=FaultKind.SOA_TTL),
        )
    )
