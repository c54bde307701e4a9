"""What can go wrong around a run, and how it is injected: what strikes, when, for how long.

An `InjectedFault` is plain data, so that a case can be drawn from a seed, printed and repeated.
What each `FaultKind` does is one function of `DEEDS`; each counts itself when it really strikes.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.domain.soa import NegativeCaching, soa_of, with_negative_caching
from route53_takeover.core.status.choices import Act
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.aws.route53.zones import ZoneError
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.process_faults import PROCESS_DEEDS, ProcessFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.simulation.chaos.harness import Harness


class FaultKind(StrEnum):
    """What strikes."""

    KILL = ProcessFault.KILL
    POWER = ProcessFault.POWER
    SUSPEND = ProcessFault.SUSPEND
    CLOCK = ProcessFault.CLOCK
    STOP = ProcessFault.STOP
    KEYS = ProcessFault.KEYS
    THROTTLE = ProcessFault.THROTTLE
    SILENCE = ProcessFault.SILENCE
    DEAF = ProcessFault.DEAF
    UNREACHABLE = ProcessFault.UNREACHABLE
    EXPIRE = ProcessFault.EXPIRE
    REVOKE = ProcessFault.REVOKE
    BUSY = "a prior request is not complete"
    STALE = ProcessFault.STALE
    SLOW = ProcessFault.SLOW
    PENDING = "no change becomes INSYNC"
    MUTE = "a name server does not answer"
    STUCK = "a name server serves what it served"
    FULL = ProcessFault.FULL
    READ_ONLY = ProcessFault.READ_ONLY
    STALL = ProcessFault.STALL
    CORRUPT = ProcessFault.CORRUPT
    EDIT = "another writer edits the record"
    DELETE = "another writer deletes the record"
    SAME = "another writer makes the record what the stack wants"
    CANCEL = "another user cancels the update"
    DELETE_STACK = "another user deletes the stack"
    CLEAN_UP = "the stack's clean-up deletes the record"
    DEPLOY = "another user deploys with the switch on"
    ANOTHER = "another machine takes the same name over"
    SOA_SERIAL = "another writer raises the serial of the SOA"
    SOA_TTL = "another writer sets the negative TTL in the SOA"
    DEADMAN_DENIED = "the role of the deadman in AWS may do nothing"
    DEADMAN_STUCK = "no deadman in AWS can be stopped"


class InjectedFault(Struct, frozen=True, kw_only=True):
    """One thing that goes wrong.

    Attributes:
        cue: it strikes ``delay`` seconds after this.
        seconds: how long it lasts, or by how much a clock jumps.
        only: which calls, by a part of their names; empty for all.
        record: what another writer writes.
        act: what the operator requests; a pause is over after ``seconds``.
        name: which name they want it for.
        times: how often, ``seconds`` apart, where it is no state that lasts.
    """

    deed: FaultKind
    cue: InjectionPoint = InjectionPoint.BEGIN
    delay: float = 0.0
    seconds: float = 0.0
    only: str = ""
    record: RecordSet | None = None
    times: int = 1
    act: Act = Act.PAUSE
    name: str = ""

    def __str__(self) -> str:
        about = f" ({self.only})" if self.only else ""
        if self.deed is FaultKind.KEYS:
            about = f" ({self.act}{f' {self.name}' if self.name else ''})"
        more = f", {self.times} times" if self.times > 1 else ""
        lasts = f", {self.seconds:g} s" if self.seconds else ""
        after = f"{self.delay:.2f} s after " if self.delay else "when "
        return f"{self.deed}{about}{lasts}{more}: {after}{self.cue}"


_OTHER_DEPLOY = "other-on"


def arm(harness: Harness, fault: InjectedFault) -> None:
    """Lets a fault strike when its point comes."""
    strike = DEEDS[fault.deed]

    def act() -> None:
        if fault.deed in _OF_THE_ACCOUNT:
            harness.after(fault.delay, lambda: strike(harness, fault))
        elif fault.delay:
            harness.later(fault.delay, lambda: strike(harness, fault))
        else:
            strike(harness, fault)

    harness.on(fault.cue, act)


# -- the calls


def _busy(harness: Harness, fault: InjectedFault) -> None:
    harness.strike("prior request not complete")
    zones = harness.world.zones
    harness.trouble(fault.deed, fault.seconds, at=zones.timeline.now)
    zones.hold_zone(harness.world.zone.zone_id, zones.timeline.now + fault.seconds)


def _pending(harness: Harness, fault: InjectedFault) -> None:
    harness.strike("INSYNC late")
    harness.transport.pending_until = harness.clock.true() + fault.seconds


def _name_server(harness: Harness, fault: InjectedFault) -> None:
    harness.strike(fault.deed)
    states = harness.prober.mute if fault.deed is FaultKind.MUTE else harness.prober.stuck
    states[harness.rng.randrange(4)] = harness.clock.true() + fault.seconds


# -- other people, and CloudFormation


def _write(harness: Harness, fault: InjectedFault) -> None:
    world = harness.world
    record = fault.record
    if record is None:
        return
    here = [r for r in world.holds(record.key.name) if r.is_routed == record.is_routed]
    here = [r for r in here if r.set_identifier == record.set_identifier]
    with suppress(ZoneError):  # another writer changed it in that instant
        if fault.deed is FaultKind.DELETE:
            if here:
                world.write([("DELETE", r) for r in here])
                harness.strike("deleted by another user")
        else:
            others = [("DELETE", r) for r in here if r.key != record.key]
            world.write([*others, ("UPSERT", record)])
            harness.strike("edited" if fault.deed is FaultKind.EDIT else "made identical")


def _edit_soa(harness: Harness, fault: InjectedFault) -> None:
    """Another writer reads the SOA and writes one of its fields, as a tool for zones would."""
    world = harness.world
    soa = soa_of(world.holds(world.zone.name), world.zone.name)
    if soa is None:
        return
    if fault.deed is FaultKind.SOA_TTL:
        edited = with_negative_caching(soa, NegativeCaching(ttl=_THEIRS, minimum=_THEIRS))
    else:
        words = soa.values[0].split()
        words[2] = str(int(words[2]) + 1)
        edited = replace(soa, values=(" ".join(words),))
    with suppress(ZoneError):  # the zone is busy: it is not edited
        world.write([("UPSERT", edited)])
        harness.strike("SOA edited" if fault.deed is FaultKind.SOA_TTL else "SOA serial raised")


_THEIRS = 1800
"""Seconds: the negative TTL that another writer sets."""


def _operate(harness: Harness, fault: InjectedFault, tries: int = 40) -> None:
    """Another user works on the stack; what it is too busy for is tried again."""
    stacks, name = harness.world.stacks, harness.world.account.stack
    act = stacks.cancel_update if fault.deed is FaultKind.CANCEL else stacks.delete_stack
    if stacks.find(name) is None:
        return
    try:
        act(name)
    except ApiFault:
        if fault.deed is FaultKind.DELETE_STACK and tries:
            harness.after(1.0, lambda: _operate(harness, fault, tries - 1))
    else:
        harness.strike("update cancelled" if fault.deed is FaultKind.CANCEL else "stack deleted")


def _clean_up(harness: Harness, fault: InjectedFault, tries: int = 0) -> None:
    """CloudFormation deletes what stands there, again and again while it cleans up."""
    world = harness.world
    stack = world.stacks.find(world.account.stack)
    if stack is None or not stack.is_busy or fault.record is None:
        return
    here = [
        r
        for r in world.holds(fault.record.key.name)
        if (r.type, r.set_identifier) == (fault.record.type, fault.record.set_identifier)
    ]
    if here:
        with suppress(ZoneError):  # it will be tried again
            world.write([("DELETE", r) for r in here], by="cloudformation")
            harness.strike("deleted by a clean-up")
    if tries + 1 < fault.times:
        harness.after(fault.seconds, lambda: _clean_up(harness, fault, tries + 1))


def _deploy(harness: Harness, _: InjectedFault) -> None:
    if _OTHER_DEPLOY not in harness.world.deploys:
        harness.strike("deployed by another user")
        harness.world.start_deploy(_OTHER_DEPLOY)


def _deadman_denied(harness: Harness, fault: InjectedFault) -> None:
    harness.strike("deadman denied")
    machines = harness.world.step_functions
    harness.trouble(fault.deed, fault.seconds, at=harness.world.timeline.now)
    machines.denied_until = harness.world.timeline.now + fault.seconds


def _deadman_stuck(harness: Harness, fault: InjectedFault) -> None:
    harness.strike("deadman not stoppable")
    machines = harness.world.step_functions
    machines.stuck_until = harness.world.timeline.now + fault.seconds


def _another(harness: Harness, _: InjectedFault) -> None:
    if not harness.others:
        harness.strike("another machine's run")
        harness.begin_another()


DEEDS: dict[FaultKind, Callable[[Harness, InjectedFault], None]] = {
    **{FaultKind[kind.name]: deed for kind, deed in PROCESS_DEEDS.items()},
    FaultKind.BUSY: _busy,
    FaultKind.PENDING: _pending,
    FaultKind.MUTE: _name_server,
    FaultKind.STUCK: _name_server,
    FaultKind.EDIT: _write,
    FaultKind.DELETE: _write,
    FaultKind.SAME: _write,
    FaultKind.CANCEL: _operate,
    FaultKind.DELETE_STACK: _operate,
    FaultKind.CLEAN_UP: _clean_up,
    FaultKind.DEPLOY: _deploy,
    FaultKind.ANOTHER: _another,
    FaultKind.SOA_SERIAL: _edit_soa,
    FaultKind.SOA_TTL: _edit_soa,
    FaultKind.DEADMAN_DENIED: _deadman_denied,
    FaultKind.DEADMAN_STUCK: _deadman_stuck,
}
_OF_THE_ACCOUNT = frozenset(
    {
        FaultKind.BUSY,
        FaultKind.EDIT,
        FaultKind.DELETE,
        FaultKind.SAME,
        FaultKind.CANCEL,
        FaultKind.DELETE_STACK,
        FaultKind.CLEAN_UP,
        FaultKind.DEPLOY,
        FaultKind.SOA_SERIAL,
        FaultKind.SOA_TTL,
        FaultKind.DEADMAN_DENIED,
        FaultKind.DEADMAN_STUCK,
    }
)
"""These happen in the account's time, between whatever else does; the others in a process's."""
