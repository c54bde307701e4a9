"""What goes wrong in one rehearsal on virtual time, as plain data that a seed can draw."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.simulation.chaos.fault_injection import InjectedFault
from route53_takeover.simulation.chaos.transport import FaultRates

if TYPE_CHECKING:
    from random import Random


class WayOut(StrEnum):
    """What the operator does about a run that was killed, or that ended `unknown`."""

    RESUME = "resume"
    RESTORE = "restore"
    LEAVE = "leave"  # nothing: the machine is lost


class Faults(Struct, frozen=True, kw_only=True):
    """What goes wrong in one run.

    Attributes:
        rates: of every call.
        kills: after how many appends each life of the engine ends; the last one lives.
        downtimes: seconds until the next life begins, one for each kill.
        event_delays: seconds by which events become visible late, drawn for each.
        repeats: how often an event appears twice.
        missing: how often an event is not seen for minutes.
        page: how many events a page holds.
        mute: how often an event of a record set comes without its properties.
        lost: numbers of the batches, counted from 1, that are applied and whose answer is lost.
        dropped: numbers of the batches that never arrive.
        journal_holds: how many events the journal can take.
        injected: what strikes by a cue.
        way_out: what is done about a killed run.
        resumes: how often a run that has ended `unknown` is followed up; it always is while a name
            has no record.
    """

    rates: FaultRates = FaultRates()
    kills: tuple[int, ...] = ()
    downtimes: tuple[float, ...] = ()
    event_delays: tuple[float, float] = (0.0, 0.0)
    repeats: float = 0.0
    missing: float = 0.0
    page: int = 100
    mute: float = 0.0
    lost: frozenset[int] = frozenset()
    dropped: frozenset[int] = frozenset()
    journal_holds: int | None = None
    injected: tuple[InjectedFault, ...] = ()
    way_out: WayOut = WayOut.RESUME
    resumes: int = 0

    @property
    def is_faulty(self) -> bool:
        """Whether any call may go wrong at any time, or an event be missed."""
        calm = replace(self.rates, outlives=0.0) == FaultRates()
        return not calm or self.missing > 0 or max(self.event_delays) > 0


def draw_faults(rng: Random) -> Faults:
    """A mix of faults; a third of the runs has none."""
    if rng.random() < 1 / 3:
        return Faults()
    kills = tuple(rng.randint(1, 60) for _ in range(rng.choice((0, 0, 1, 1, 2, 3))))
    return Faults(
        rates=FaultRates(
            throttled=rng.choice((0.0, 0.05, 0.3)),
            lost_request=rng.choice((0.0, 0.05)),
            lost_answer=rng.choice((0.0, 0.1, 0.4)),
        ),
        kills=kills,
        downtimes=tuple(rng.choice((0.5, 5.0, 45.0, 400.0)) for _ in kills),
        event_delays=(0.0, rng.choice((0.0, 1.0, 8.0))),
        repeats=rng.choice((0.0, 0.2)),
    )
