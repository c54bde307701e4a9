"""The catalogue of what can go wrong around a run: what strikes, by which cue, for how long.

A `Mishap` is plain data, so that a case can be drawn from a seed, printed and repeated. What each
deed does is one function of `DEEDS`; each counts itself when it really strikes.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.core.operator import Act, event_of
from route53_takeover.core.records import RecordSet
from route53_takeover.errors import (
    AccessDeniedError,
    CredentialsError,
    EndpointError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.sim.line import Storm
from route53_takeover.sim.route53.zones import ZoneError
from route53_takeover.sim.stage import Cue
from route53_takeover.sim.wire.faults import ApiFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.errors import ApiError
    from route53_takeover.sim.stage import Stage


class Deed(StrEnum):
    """What strikes."""

    KILL = "the process is killed"
    POWER = "the machine dies"
    SUSPEND = "the machine sleeps"
    CLOCK = "the wall clock jumps while the process is down"
    STOP = "the run is told to stop"
    KEYS = "somebody presses keys"
    THROTTLE = "calls are throttled"
    SILENCE = "calls are not answered, and nothing is done"
    DEAF = "calls are carried out and not answered"
    UNREACHABLE = "no connection can be made"
    EXPIRE = "the credentials are expired"
    REVOKE = "the permissions are revoked"
    BUSY = "a prior request is not complete"
    STALE = "reads of a name lag behind"
    SLOW = "calls are slow"
    PENDING = "no change becomes INSYNC"
    MUTE = "a name server does not answer"
    STUCK = "a name server serves what it served"
    FULL = "the disk is full"
    READ_ONLY = "the disk turns read-only"
    STALL = "the disk stalls"
    CORRUPT = "the journal is damaged while the process is down"
    EDIT = "somebody edits the record"
    DELETE = "somebody deletes the record"
    SAME = "somebody makes the record what the stack wants"
    CANCEL = "somebody cancels the update"
    DELETE_STACK = "somebody deletes the stack"
    CLEAN_UP = "the stack's clean-up deletes the record"
    DEPLOY = "somebody deploys with the switch on"
    ANOTHER = "another machine takes the same name over"


class Mishap(Struct, frozen=True, kw_only=True):
    """One thing that goes wrong.

    Attributes:
        cue: it strikes ``delay`` seconds after this.
        seconds: how long it lasts, or by how much a clock jumps.
        only: which calls, by a part of their names; empty for all.
        record: what somebody writes.
        act: what somebody at the keys wants; a pause is over after ``seconds``.
        name: which name they want it for.
        times: how often, ``seconds`` apart, where it is no state that lasts.
    """

    deed: Deed
    cue: Cue = Cue.BEGIN
    delay: float = 0.0
    seconds: float = 0.0
    only: str = ""
    record: RecordSet | None = None
    times: int = 1
    act: Act = Act.PAUSE
    name: str = ""

    def __str__(self) -> str:
        about = f" ({self.only})" if self.only else ""
        if self.deed is Deed.KEYS:
            about = f" ({self.act}{f' {self.name}' if self.name else ''})"
        more = f", {self.times} times" if self.times > 1 else ""
        lasts = f", {self.seconds:g} s" if self.seconds else ""
        after = f"{self.delay:.2f} s after " if self.delay else "when "
        return f"{self.deed}{about}{lasts}{more}: {after}{self.cue}"


_SOMEBODYS = "somebody-on"


def arm(stage: Stage, mishap: Mishap) -> None:
    """Lets a mishap strike when its cue comes."""
    strike = DEEDS[mishap.deed]

    def act() -> None:
        if mishap.deed in _OF_THE_ACCOUNT:
            stage.after(mishap.delay, lambda: strike(stage, mishap))
        elif mishap.delay:
            stage.later(mishap.delay, lambda: strike(stage, mishap))
        else:
            strike(stage, mishap)

    stage.on(mishap.cue, act)


# -- the process and its disk


def _kill(stage: Stage, mishap: Mishap) -> None:
    stage.kill(mishap.seconds, power_fails=mishap.deed is Deed.POWER)


def _suspend(stage: Stage, mishap: Mishap) -> None:
    stage.suspend(mishap.seconds)


def _clock(stage: Stage, mishap: Mishap) -> None:
    """A clock that runs is anchored: only a new process sees another wall clock."""
    stage.strike("wall clock jumped")
    stage.jump += mishap.seconds


def _stop(stage: Stage, _: Mishap) -> None:
    """One cause, two signals: a launcher and the terminal both deliver theirs."""
    if not stage.task.done():
        stage.strike("told to stop")
        stage.trouble("told to stop", 0.0)
        stage.engine.interrupt("SIGTERM")
        stage.engine.interrupt("SIGHUP")


def _keys(stage: Stage, mishap: Mishap, tries: int = 0) -> None:
    """Somebody at the keys, who tries again until it works, or is two people at two screens.

    Whoever pauses a run goes on with it: it would wait for them for ever.
    """
    if not stage.task.done():
        key = event_of(mishap.act, mishap.name, time=stage.clock.now())
        stage.pressed.append((stage.clock.true(), key))
        stage.engine.submit(key)
    if mishap.act is Act.PAUSE:
        stage.later(mishap.seconds, lambda: _keys(stage, replace(mishap, act=Act.GO_ON, times=1)))
    elif tries + 1 < mishap.times:
        stage.later(mishap.seconds, lambda: _keys(stage, mishap, tries + 1))


def _break_disk(stage: Stage, mishap: Mishap) -> None:
    what = "no space left" if mishap.deed is Deed.FULL else "read-only file system"
    stage.strike(f"disk: {what}")
    stage.trouble("disk", 0.0)
    stage.disk.broken = what


def _stall(stage: Stage, mishap: Mishap) -> None:
    stage.strike("disk stalls")
    stage.trouble("disk stalls", 0.0)
    stage.disk.stalls_until = stage.clock.true() + mishap.seconds


def _corrupt(stage: Stage, _: Mishap) -> None:
    stage.corrupts = True


# -- the calls


_ERRORS: dict[Deed, Callable[[str], ApiError]] = {
    Deed.THROTTLE: lambda op: ThrottledError("Rate exceeded", code="Throttling", operation=op),
    Deed.SILENCE: lambda op: UnansweredError("timed out", code="time-out", operation=op),
    Deed.DEAF: lambda op: UnansweredError("HTTP 503", code="lost answers", operation=op),
    Deed.UNREACHABLE: lambda op: EndpointError("no route", code="no route", operation=op),
    Deed.EXPIRE: lambda op: CredentialsError(
        "The security token is expired", code="ExpiredToken", operation=op
    ),
    Deed.REVOKE: lambda op: AccessDeniedError("not authorized", code="AccessDenied", operation=op),
}


def _storm(stage: Stage, mishap: Mishap) -> None:
    stage.trouble(mishap.deed, mishap.seconds)
    stage.line.storms.append(
        Storm(
            until=stage.clock.true() + mishap.seconds,
            only=mishap.only,
            error=_ERRORS[mishap.deed],
            deaf=mishap.deed is Deed.DEAF,
        )
    )


def _busy(stage: Stage, mishap: Mishap) -> None:
    stage.strike("prior request not complete")
    stage.trouble(mishap.deed, mishap.seconds)
    zones = stage.world.zones
    zones.hold_zone(stage.world.zone.zone_id, zones.timeline.now + mishap.seconds)


def _stale(stage: Stage, mishap: Mishap) -> None:
    stage.strike("stale reads")
    stage.trouble(mishap.deed, mishap.seconds)
    stage.line.behind = 3.0
    stage.later(mishap.seconds, lambda: setattr(stage.line, "behind", 0.0))


def _slow(stage: Stage, mishap: Mishap) -> None:
    stage.strike("slow calls")
    stage.trouble(mishap.deed, mishap.seconds)
    stage.line.slow, stage.line.slow_only = 2.5, mishap.only
    stage.later(mishap.seconds, lambda: setattr(stage.line, "slow", 0.0))


def _pending(stage: Stage, mishap: Mishap) -> None:
    stage.strike("INSYNC late")
    stage.line.pending_until = stage.clock.true() + mishap.seconds


def _name_server(stage: Stage, mishap: Mishap) -> None:
    stage.strike(mishap.deed)
    states = stage.prober.mute if mishap.deed is Deed.MUTE else stage.prober.stuck
    states[stage.rng.randrange(4)] = stage.clock.true() + mishap.seconds


# -- other people, and CloudFormation


def _write(stage: Stage, mishap: Mishap) -> None:
    world = stage.world
    record = mishap.record
    if record is None:
        return
    here = world.holds(record.key.name)
    with suppress(ZoneError):  # somebody else was at it in that instant
        if mishap.deed is Deed.DELETE:
            if here:
                world.write([("DELETE", r) for r in here])
                stage.strike("deleted by somebody")
        else:
            others = [("DELETE", r) for r in here if r.key != record.key]
            world.write([*others, ("UPSERT", record)])
            stage.strike("edited" if mishap.deed is Deed.EDIT else "made identical")


def _operate(stage: Stage, mishap: Mishap, tries: int = 40) -> None:
    """Somebody works on the stack; what it is too busy for is tried again."""
    stacks, name = stage.world.stacks, stage.world.account.stack
    act = stacks.cancel_update if mishap.deed is Deed.CANCEL else stacks.delete_stack
    if stacks.find(name) is None:
        return
    try:
        act(name)
    except ApiFault:
        if mishap.deed is Deed.DELETE_STACK and tries:
            stage.after(1.0, lambda: _operate(stage, mishap, tries - 1))
    else:
        stage.strike("update cancelled" if mishap.deed is Deed.CANCEL else "stack deleted")


def _clean_up(stage: Stage, mishap: Mishap, tries: int = 0) -> None:
    """CloudFormation deletes what stands there, again and again while it cleans up."""
    world = stage.world
    stack = world.stacks.find(world.account.stack)
    if stack is None or not stack.is_busy or mishap.record is None:
        return
    here = [r for r in world.holds(mishap.record.key.name) if r.type == mishap.record.type]
    if here:
        with suppress(ZoneError):  # it will be tried again
            world.write([("DELETE", r) for r in here], by="cloudformation")
            stage.strike("deleted by a clean-up")
    if tries + 1 < mishap.times:
        stage.after(mishap.seconds, lambda: _clean_up(stage, mishap, tries + 1))


def _deploy(stage: Stage, _: Mishap) -> None:
    if _SOMEBODYS not in stage.world.deploys:
        stage.strike("deployed by somebody")
        stage.world.start_deploy(_SOMEBODYS)


def _another(stage: Stage, _: Mishap) -> None:
    if not stage.others:
        stage.strike("another machine's run")
        stage.begin_another()


DEEDS: dict[Deed, Callable[[Stage, Mishap], None]] = {
    Deed.KILL: _kill,
    Deed.POWER: _kill,
    Deed.SUSPEND: _suspend,
    Deed.CLOCK: _clock,
    Deed.STOP: _stop,
    Deed.KEYS: _keys,
    **dict.fromkeys(_ERRORS, _storm),
    Deed.BUSY: _busy,
    Deed.STALE: _stale,
    Deed.SLOW: _slow,
    Deed.PENDING: _pending,
    Deed.MUTE: _name_server,
    Deed.STUCK: _name_server,
    Deed.FULL: _break_disk,
    Deed.READ_ONLY: _break_disk,
    Deed.STALL: _stall,
    Deed.CORRUPT: _corrupt,
    Deed.EDIT: _write,
    Deed.DELETE: _write,
    Deed.SAME: _write,
    Deed.CANCEL: _operate,
    Deed.DELETE_STACK: _operate,
    Deed.CLEAN_UP: _clean_up,
    Deed.DEPLOY: _deploy,
    Deed.ANOTHER: _another,
}
_OF_THE_ACCOUNT = frozenset(
    {
        Deed.BUSY,
        Deed.EDIT,
        Deed.DELETE,
        Deed.SAME,
        Deed.CANCEL,
        Deed.DELETE_STACK,
        Deed.CLEAN_UP,
        Deed.DEPLOY,
    }
)
"""These happen in the account's time, between whatever else does; the others in a process's."""
