"""What the engine needs to know of the machine that it hosts, and nothing of what it decides.

A machine is `step` and what surrounds it: a frozen table of functions, one a machine
(`route53_takeover.core.takeover.machine.TAKEOVER`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from msgspec import Struct

from route53_takeover.core.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet


class MachineState(Protocol):
    """What every machine's state tells the engine."""

    @property
    def now(self) -> float:
        """Time of the newest event."""

    @property
    def wake_at(self) -> float | None:
        """When the machine wants a `TimePassed`."""


S = TypeVar("S", bound=MachineState)
E = TypeVar("E", bound=Event)
C = TypeVar("C")
T = TypeVar("T")


class Poll(Struct, Generic[T], frozen=True, kw_only=True):
    """Something to look at again and again, for as long as `Machine.polls` names it.

    Attributes:
        target: what is looked at; there is one poller a target.
        every: seconds between the beginnings of two looks.
        last: when the newest look that counts began, where the state keeps that: 0.0 where none
            does. ``None``: the poller keeps it, and backs off by itself where looks fail.
        not_before: no look earlier than this.
        tell_all: looks without news leave an event too: they say that what is known is fresh.
        urgent: goes before calls that wait for their turn in the budget of calls.
    """

    target: T
    every: float
    last: float | None = None
    not_before: float = 0.0
    tell_all: bool = False
    urgent: bool = False


@dataclass(frozen=True, kw_only=True)
class Machine(Generic[S, E, C, T]):
    """The functions of a machine. All are pure.

    Attributes:
        step: a state and an event; the next state and the commands that follow.
        polls: what to look at now, and how often.
        has_ended: whether nothing is to be done any more.
        intent: what must be in the journal before a command may have an effect, at this time;
            ``None`` where it needs nothing.
        intended_write: the id of the write that an event intends, if it is such an intent.
        forbids: the invariants' last word: the event that tells the machine that a command is not
            carried out, given the ids of all writes ever intended; ``None`` where it may be.
        disk_patience: seconds that a command waits for its intent to be durable; ``None``: for
            as long as it takes.
        held_off: the same last word once the wait is over, for a command with an intent.
    """

    step: Callable[[S | None, E], tuple[S, tuple[C, ...]]]
    polls: Callable[[S], tuple[Poll[T], ...]]
    has_ended: Callable[[S], bool]
    intent: Callable[[C, float], E | None]
    intended_write: Callable[[E], str | None]
    forbids: Callable[[S, C, AbstractSet[str], float], E | None]
    disk_patience: Callable[[C], float | None]
    held_off: Callable[[S, C, Wait], E | None]


class Wait(Struct, frozen=True, kw_only=True):
    """What a command met while it waited for its intent.

    Attributes:
        is_durable: whether the intent is.
        journal_works: whether the journal can be written at all.
        decided: the time of what the command was decided on.
        now: the time at which it would be carried out.
    """

    is_durable: bool
    journal_works: bool
    decided: float
    now: float
