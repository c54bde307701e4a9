"""What goes wrong in one rehearsed switch, as plain data; and how it is injected.

What strikes a process is `simulation.chaos.process_faults`; here is what strikes its account.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.base.errors import RejectedChangeError
from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.status.choices import Act
from route53_takeover.simulation.aws.web.sites import Trouble
from route53_takeover.simulation.chaos.faults import WayOut
from route53_takeover.simulation.chaos.process_faults import PROCESS_DEEDS, ProcessFault
from route53_takeover.simulation.chaos.switch.calls import POINTING
from route53_takeover.simulation.chaos.switch.harness import SwitchPoint
from route53_takeover.simulation.chaos.switch.setup import FRONT, PERSON
from route53_takeover.simulation.chaos.transport import FaultRates, Storm

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.simulation.chaos.switch.harness import SwitchHarness


class SiteFault(StrEnum):
    """What strikes the account."""

    EDIT = "another writer lets the site lead elsewhere"
    DELETE = "another writer deletes the mapping"
    TO_BLUE = "another writer lets the site lead to blue"
    TO_GREEN = "another writer lets the site lead to green"
    EDIT_FRONT = "another writer edits the distribution"
    TOUCH = "the distribution gets another ETag"
    REFUSE = "writes are refused"
    NO_INVALIDATION = "invalidations are refused"
    NEVER_DEPLOYED = "CloudFront does not finish"
    GREEN_FAILS = "green fails"
    BLUE_FAILS = "blue fails"
    CHECKS_BLIND = "checks get no answer"


class SwitchFault(Struct, frozen=True, kw_only=True):
    """One thing that goes wrong; members as in `simulation.chaos.fault_injection.InjectedFault`.

    Attributes:
        share: of a site's requests that fail.
    """

    deed: ProcessFault | SiteFault
    cue: SwitchPoint = SwitchPoint.BEGIN
    delay: float = 0.0
    seconds: float = 0.0
    only: str = ""
    act: Act = Act.PAUSE
    name: str = ""
    times: int = 1
    share: float = 1.0

    def __str__(self) -> str:
        about = f" ({self.only})" if self.only else ""
        if self.deed is ProcessFault.KEYS:
            about = f" ({self.act})"
        if self.share < 1:
            about = f" ({self.share:.0%})"
        lasts = f", {self.seconds:g} s" if self.seconds else ""
        after = f"{self.delay:.2f} s after " if self.delay else "when "
        return f"{self.deed}{about}{lasts}: {after}{self.cue}"


class SwitchFaults(Struct, frozen=True, kw_only=True):
    """What goes wrong in one run.

    Attributes:
        rates: of every call.
        kills: after how many appends each life of the engine ends; the last one lives.
        downtimes: seconds until the next life begins, one for each kill.
        lost: numbers of the writes, counted from 1, that are applied and whose answer is lost.
        dropped: numbers of the writes that never arrive.
        journal_holds: how many events the journal can take.
        injected: what strikes by a cue.
        way_out: what is done about a killed run.
        resumes: how often a run that has ended `unknown` is followed up.
    """

    rates: FaultRates = FaultRates()
    kills: tuple[int, ...] = ()
    downtimes: tuple[float, ...] = ()
    lost: frozenset[int] = frozenset()
    dropped: frozenset[int] = frozenset()
    journal_holds: int | None = None
    injected: tuple[SwitchFault, ...] = ()
    way_out: WayOut = WayOut.RESUME
    resumes: int = 0

    @property
    def is_calm(self) -> bool:
        """Whether nothing goes wrong at all."""
        return replace(self, resumes=0, way_out=WayOut.RESUME) == SwitchFaults()


def arm(harness: SwitchHarness, fault: SwitchFault) -> None:
    """Lets a fault strike when its point comes: in the account's time, or the process's."""
    if isinstance(fault.deed, SiteFault):
        strike = SITE_DEEDS[fault.deed]
        harness.on(fault.cue, lambda: harness.after(fault.delay, lambda: strike(harness, fault)))
        return
    deed = PROCESS_DEEDS[fault.deed]

    def act() -> None:
        if fault.delay:
            harness.later(fault.delay, lambda: deed(harness, fault))
        else:
            deed(harness, fault)

    harness.on(fault.cue, act)


def _point(to: Side | None) -> Callable[[SwitchHarness, SwitchFault], None]:
    """Another writer lets the first of what is switched lead somewhere."""

    def strike(harness: SwitchHarness, fault: SwitchFault) -> None:
        world = harness.world
        if world.is_mapping:
            path = world.setup.base_paths[0]
            target = None if to is None else world.target(to)
            exists = to is not Side.GREEN or world.has_green
            if exists and world.mapped(path) != target:
                world.point(path, target, by=PERSON)
                harness.strike(fault.deed)
        elif to is not None and to not in harness.look().values():
            world.edit_front(to, by=PERSON)
            harness.strike(fault.deed)

    return strike


def _edit_front(harness: SwitchHarness, fault: SwitchFault) -> None:
    if not harness.world.is_mapping:
        harness.world.edit_front(None, by=PERSON)
        harness.strike(fault.deed)


def _touch(harness: SwitchHarness, fault: SwitchFault) -> None:
    if not harness.world.is_mapping:
        harness.world.touch_front()
        harness.strike(fault.deed)


def _refuse(only: str, code: str) -> Callable[[SwitchHarness, SwitchFault], None]:
    def strike(harness: SwitchHarness, fault: SwitchFault) -> None:
        harness.strike(fault.deed)
        harness.calls.storms.extend(
            Storm(
                until=harness.timeline.now + fault.seconds,
                only=operation,
                error=lambda op: RejectedChangeError("refused", code=code, operation=op),
            )
            for operation in (POINTING if not only else (only,))
        )

    return strike


def _never_deployed(harness: SwitchHarness, fault: SwitchFault) -> None:
    world = harness.world
    if world.is_mapping:
        return
    front, now = world.cloudfront.distribution(FRONT), harness.timeline.now
    if front.deployed > now:
        front.deployed += fault.seconds
        world.keep_moment()
    world.cloudfront.habits = replace(world.cloudfront.habits, deploying=fault.seconds)
    harness.strike(fault.deed)


def _fails(side: Side) -> Callable[[SwitchHarness, SwitchFault], None]:
    def strike(harness: SwitchHarness, fault: SwitchFault) -> None:
        now = harness.timeline.now
        harness.strike(fault.deed)
        harness.world.site[side].fail(
            Trouble(since=now, until=now + fault.seconds, share=fault.share)
        )

    return strike


def _blind(harness: SwitchHarness, fault: SwitchFault) -> None:
    harness.strike(fault.deed)
    harness.are_checks_blind = harness.timeline.now + fault.seconds


SITE_DEEDS: dict[SiteFault, Callable[[SwitchHarness, SwitchFault], None]] = {
    SiteFault.EDIT: _point(Side.OTHER),
    SiteFault.DELETE: _point(None),
    SiteFault.TO_BLUE: _point(Side.BLUE),
    SiteFault.TO_GREEN: _point(Side.GREEN),
    SiteFault.EDIT_FRONT: _edit_front,
    SiteFault.TOUCH: _touch,
    SiteFault.REFUSE: _refuse("", "BadRequestException"),
    SiteFault.NO_INVALIDATION: _refuse("CreateInvalidation", "TooManyInvalidationsInProgress"),
    SiteFault.NEVER_DEPLOYED: _never_deployed,
    SiteFault.GREEN_FAILS: _fails(Side.GREEN),
    SiteFault.BLUE_FAILS: _fails(Side.BLUE),
    SiteFault.CHECKS_BLIND: _blind,
}
