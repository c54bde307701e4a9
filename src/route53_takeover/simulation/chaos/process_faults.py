"""What strikes a run's process, its disk, its operator and its calls, whatever machine it hosts.

Each function is the deed of a fault (`ProcessFault`), and counts itself where it really strikes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from route53_takeover.base.errors import (
    AccessDeniedError,
    CredentialsError,
    EndpointError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.core.status.choices import Act, event_of
from route53_takeover.simulation.chaos.transport import Storm

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.base.errors import ApiError
    from route53_takeover.simulation.chaos.process import ProcessHarness

    Struck = ProcessHarness[Any]


class ProcessFault(StrEnum):
    """What strikes."""

    KILL = "the process is killed"
    POWER = "the machine dies"
    SUSPEND = "the machine sleeps"
    CLOCK = "the wall clock jumps while the process is down"
    STOP = "the run is interrupted"
    KEYS = "the operator presses keys"
    THROTTLE = "calls are throttled"
    SILENCE = "calls are not answered, and nothing is done"
    DEAF = "calls are carried out and not answered"
    UNREACHABLE = "no connection can be made"
    EXPIRE = "the credentials are expired"
    REVOKE = "the permissions are revoked"
    STALE = "reads lag behind"
    SLOW = "calls are slow"
    FULL = "the disk is full"
    READ_ONLY = "the disk turns read-only"
    STALL = "the disk stalls"
    CORRUPT = "the journal is damaged while the process is down"


class Injected(Protocol):
    """What of a fault is needed here: see `simulation.chaos.fault_injection.InjectedFault`."""

    @property
    def deed(self) -> StrEnum:
        """What strikes."""

    @property
    def seconds(self) -> float:
        """How long it lasts, or by how much a clock jumps."""

    @property
    def only(self) -> str:
        """Which calls, by a part of their names; empty for all."""

    @property
    def act(self) -> Act:
        """What the operator requests."""

    @property
    def name(self) -> str:
        """Which name they want it for."""

    @property
    def times(self) -> int:
        """How often, ``seconds`` apart, where it is no state that lasts."""


# -- the process and its disk


def _kill(harness: Struck, fault: Injected) -> None:
    harness.kill(fault.seconds, power_fails=fault.deed.value == ProcessFault.POWER.value)


def _suspend(harness: Struck, fault: Injected) -> None:
    harness.suspend(fault.seconds)


def _clock(harness: Struck, fault: Injected) -> None:
    """A clock that runs is anchored: only a new process sees another wall clock."""
    harness.strike("wall clock jumped")
    harness.jump += fault.seconds


def _stop(harness: Struck, _: Injected) -> None:
    """One cause, two signals: a launcher and the terminal both deliver theirs."""
    if not harness.task.done():
        harness.strike("told to stop")
        harness.trouble("told to stop", 0.0)
        harness.engine.interrupt("SIGTERM")
        harness.engine.interrupt("SIGHUP")


def _keys(harness: Struck, fault: Injected, tries: int = 0) -> None:
    """The operator at the keys, who tries again until it works, or two operators at two screens.

    An operator who pauses a run also continues it: it would wait for ever.
    """
    _press(harness, fault.act, fault.name)
    if fault.act is Act.PAUSE:
        harness.later(fault.seconds, lambda: _press(harness, Act.GO_ON, fault.name))
    elif tries + 1 < fault.times:
        harness.later(fault.seconds, lambda: _keys(harness, fault, tries + 1))


def _press(harness: Struck, act: Act, name: str) -> None:
    if not harness.task.done():
        key = event_of(act, name, time=harness.clock.now())
        harness.pressed.append((harness.clock.true(), key))
        harness.engine.submit(key)


def _full(harness: Struck, _: Injected) -> None:
    _break_disk(harness, "no space left")


def _read_only(harness: Struck, _: Injected) -> None:
    _break_disk(harness, "read-only file system")


def _break_disk(harness: Struck, what: str) -> None:
    harness.strike(f"disk: {what}")
    harness.trouble("disk", 0.0)
    harness.disk.broken = what


def _stall(harness: Struck, fault: Injected) -> None:
    harness.strike("disk stalls")
    harness.trouble("disk stalls", 0.0)
    harness.disk.stalls_until = harness.clock.true() + fault.seconds


def _corrupt(harness: Struck, _: Injected) -> None:
    harness.corrupts = True


# -- the calls


_ERRORS: dict[ProcessFault, Callable[[str], ApiError]] = {
    ProcessFault.THROTTLE: lambda op: ThrottledError(
        "Rate exceeded", code="Throttling", operation=op
    ),
    ProcessFault.SILENCE: lambda op: UnansweredError("timed out", code="time-out", operation=op),
    ProcessFault.DEAF: lambda op: UnansweredError("HTTP 503", code="lost answers", operation=op),
    ProcessFault.UNREACHABLE: lambda op: EndpointError("no route", code="no route", operation=op),
    ProcessFault.EXPIRE: lambda op: CredentialsError(
        "The security token is expired", code="ExpiredToken", operation=op
    ),
    ProcessFault.REVOKE: lambda op: AccessDeniedError(
        "not authorized", code="AccessDenied", operation=op
    ),
}


def _storm(kind: ProcessFault) -> Callable[[Struck, Injected], None]:
    def begin(harness: Struck, fault: Injected) -> None:
        harness.trouble(kind, fault.seconds)
        harness.calls.storms.append(
            Storm(
                until=harness.clock.true() + fault.seconds,
                only=fault.only,
                error=_ERRORS[kind],
                deaf=kind is ProcessFault.DEAF,
            )
        )

    return begin


STALE_BY = 3.0
"""Seconds by which reads lag behind, once a run."""


def _stale(harness: Struck, fault: Injected) -> None:
    harness.strike("stale reads")
    harness.trouble(ProcessFault.STALE, fault.seconds)
    harness.calls.behind = STALE_BY
    harness.later(fault.seconds, lambda: setattr(harness.calls, "behind", 0.0))


def _slow(harness: Struck, fault: Injected) -> None:
    harness.strike("slow calls")
    harness.trouble(ProcessFault.SLOW, fault.seconds)
    harness.calls.slow, harness.calls.slow_only = 2.5, fault.only
    harness.later(fault.seconds, lambda: setattr(harness.calls, "slow", 0.0))


PROCESS_DEEDS: dict[ProcessFault, Callable[[Struck, Injected], None]] = {
    ProcessFault.KILL: _kill,
    ProcessFault.POWER: _kill,
    ProcessFault.SUSPEND: _suspend,
    ProcessFault.CLOCK: _clock,
    ProcessFault.STOP: _stop,
    ProcessFault.KEYS: _keys,
    **{kind: _storm(kind) for kind in _ERRORS},
    ProcessFault.STALE: _stale,
    ProcessFault.SLOW: _slow,
    ProcessFault.FULL: _full,
    ProcessFault.READ_ONLY: _read_only,
    ProcessFault.STALL: _stall,
    ProcessFault.CORRUPT: _corrupt,
}
