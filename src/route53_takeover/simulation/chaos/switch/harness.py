"""One rehearsed switch while it runs, for code that injects faults into it and for its judge."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.switch.machine import switch_projection
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.simulation.aws.api_gateway.state import AppliedWrite
from route53_takeover.simulation.aws.cloudfront.rules import completed
from route53_takeover.simulation.chaos.disk import Disk
from route53_takeover.simulation.chaos.process import ProcessHarness
from route53_takeover.simulation.chaos.switch.plans import with_green
from route53_takeover.simulation.chaos.switch.setup import APP, DOMAIN, FRONT

if TYPE_CHECKING:
    from random import Random

    from route53_takeover.core.switch.model import SwitchPlan
    from route53_takeover.core.switch.state import SwitchState
    from route53_takeover.simulation.chaos.switch.calls import SiteArrival, SiteCalls
    from route53_takeover.simulation.chaos.switch.world import SwitchWorld
    from route53_takeover.simulation.chaos.transport import VirtualClock


class SwitchPoint(StrEnum):
    """Something that happens in a switch, for a fault to strike at."""

    BEGIN = "the run begins"
    DEPLOYING = "the deploy of green is to be started"
    MOVED = "the deploy is seen to have moved the site"
    KEEPING = "what it has moved is to be put back"
    CHECKING = "green is checked"
    PROVING = "the way back is to be proven"
    SWITCHING = "a write to green is to be sent"
    SWITCHED = "a write to green is accepted"
    SETTLING = "the switch settles"
    INVALIDATING = "CloudFront has begun an invalidation"
    BAKING = "the bake begins"
    RETURNING = "the way back begins"
    DELETING = "blue is to be deleted"
    BACK = "a write back to blue is to be sent"
    VERIFYING = "the last look begins"


_BY_PHASE = {
    SwitchPhase.CHECK: SwitchPoint.CHECKING,
    SwitchPhase.SETTLE: SwitchPoint.SETTLING,
    SwitchPhase.BAKE: SwitchPoint.BAKING,
    SwitchPhase.RESTORE: SwitchPoint.RETURNING,
    SwitchPhase.VERIFY: SwitchPoint.VERIFYING,
}
_BY_PURPOSE = {
    SwapPurpose.PROVE: SwitchPoint.PROVING,
    SwapPurpose.SWITCH: SwitchPoint.SWITCHING,
    SwapPurpose.KEEP: SwitchPoint.KEEPING,
    SwapPurpose.BACK: SwitchPoint.BACK,
}
_PATIENCE = 1.0
"""Seconds after a stall of the disk for which a way back may still be on its way without it."""


class CheckMade(Struct, frozen=True, kw_only=True):
    """A check as it was carried out: by a side's own way, or that of users."""

    began: float
    ended: float
    check: str
    side: str
    passed: bool


class SwitchHarness(ProcessHarness["SwitchState"]):
    """What the rehearsal of a switch consists of.

    Attributes:
        world: the account.
        calls: the way to it.
        checks: every check that was carried out.
        unfounded: what was wrong with a write as it arrived.
        phases: every phase that it was in, in order.
        entered: the same with the account's time.
        lost_in: the phases in which the journal broke.
        ended_unknown: whether a process ended without knowing what is true.
        restoring_since: when the operator began to lead everything back by `restore`.
        found: where every swap led when no one worked on the run any more.
        are_checks_blind: until when (the account's time) checks get no answer.
    """

    calls: SiteCalls

    def __init__(
        self, world: SwitchWorld, clock: VirtualClock, calls: SiteCalls, rng: Random
    ) -> None:
        super().__init__(world.timeline, clock, calls, rng, Disk(switch_projection))
        self.world = world
        self.checks: list[CheckMade] = []
        self.unfounded: list[str] = []
        self.phases: list[SwitchPhase] = []
        self.entered: list[tuple[float, SwitchPhase]] = []
        self.lost_in: set[SwitchPhase] = set()
        self.ended_unknown = False
        self.restoring_since: float | None = None
        self.found: dict[str, Side] = {}
        self.are_checks_blind = 0.0
        self._unlogged: Counter[tuple[str, Side]] = Counter()
        calls.on_arrival = self._on_arrival

    def saw(self, event: ev.SwitchEvent, state: SwitchState) -> None:
        """An engine took an event in, and came to this state."""
        before, self._before = self._before, state
        if before is None or before.phase is not state.phase:
            self.phases.append(state.phase)
            self.entered.append((self.clock.true(), state.phase))
            if state.phase in _BY_PHASE:
                self.cue(_BY_PHASE[state.phase])
        match event:
            case ev.JournalFailed() if before is not None:
                self.lost_in.add(before.phase)
            case ev.DeployIntended():
                self.cue(SwitchPoint.DEPLOYING)
            case ev.DeleteIntended():
                self.cue(SwitchPoint.DELETING)
            case ev.SwapIntended():
                self.cue(_BY_PURPOSE[event.purpose])
            case ev.SwapAccepted() if state.swaps[event.swap].wrote is Side.GREEN:
                self.cue(SwitchPoint.SWITCHED)
            case ev.SwapRefused(code="Forbidden"):
                self.unfounded.append("the machine asks for nothing that is forbidden")
            case ev.InvalidationBegun():
                self.cue(SwitchPoint.INVALIDATING)
            case ev.SwapRead() if state.swaps[event.swap].moved_at is not None:
                self.cue(SwitchPoint.MOVED)
            case _:
                pass

    # -- what is true

    @property
    def greens(self) -> list[SiteArrival]:
        """The writes to green that were applied."""
        return [each for each in self.calls.arrivals if self.side_of(each) is Side.GREEN]

    @property
    def is_unlogged(self) -> bool:
        """Whether a way back was sent whose intent was not on the disk."""
        return bool(self._unlogged)

    def is_on_green(self, swap: str) -> bool:
        """Whether a swap leads to green now, as it is written."""
        return self.look().get(swap) is Side.GREEN

    def side_of(self, arrival: SiteArrival) -> Side:
        """Where a write let its swap lead."""
        world, applied = self.world, arrival.applied
        if isinstance(applied, AppliedWrite):
            sides = {world.target(side): side for side in (Side.BLUE, Side.GREEN)}
            return Side.OTHER if applied.after is None else sides.get(applied.after, Side.OTHER)
        return self.side_of_config(applied.config)

    def side_of_config(self, config: object) -> Side:
        """Which side a whole config is, member by member."""
        blue, green = (completed(each) for each in self._configs())
        return Side.BLUE if config == blue else Side.GREEN if config == green else Side.OTHER

    def _configs(self) -> tuple[dict[str, object], dict[str, object]]:
        front = self.world.front
        origin = front["Origins"]["Items"][0]
        host = self.world.host(Side.GREEN)
        items = {**front["Origins"], "Items": [{**origin, "DomainName": host}]}
        return front, {**front, "Origins": items}

    def look(self) -> dict[str, Side]:
        """Where every swap leads now, as it is written."""
        world = self.world
        if not world.is_mapping:
            return {f"{FRONT}/{APP}": self.side_of_config(world.config())}
        sides = {world.target(side): side for side in (Side.BLUE, Side.GREEN)}
        found = {}
        for path in world.setup.base_paths:
            target = world.mapped(path)
            side = Side.ABSENT if target is None else sides.get(target, Side.OTHER)
            found[f"{DOMAIN}/{path}"] = side
        return found

    def swap_of(self, arrival: SiteArrival) -> str:
        """The id of the swap that a write was about."""
        applied = arrival.applied
        if isinstance(applied, AppliedWrite):
            return f"{applied.domain}/{applied.what}"
        return f"{applied.distribution_id}/{APP}"

    def end(self) -> None:
        """No one works on the run any more; a while passes."""
        self.ended_at = self.clock.true()
        self.world.timeline.advance(self.ended_at)
        self.found = self.look()

    async def find_green(self, plan: SwitchPlan) -> SwitchPlan:
        """What the deploy has made, by one call."""
        operation = "cloudformation:DescribeStacks"
        await self.calls.there(operation)
        found = with_green(plan, self.world)
        await self.calls.back(operation)
        return found

    @property
    def is_restoring(self) -> bool:
        return self.restoring_since is not None

    def _on_arrival(self, arrival: SiteArrival) -> None:
        """Looks at what was durable when a write arrived: each intent is for one write."""
        if self.is_restoring:
            return
        swap, side = self.swap_of(arrival), self.side_of(arrival)
        is_rescue = side is Side.BLUE or bool(self.world.delete.starts)
        stalls = is_rescue and arrival.sent < self.disk.stalls_until + _PATIENCE
        intents = sum(
            isinstance(event, ev.SwapIntended) and (event.swap, event.to) == (swap, side)
            for event in self.disk.durable
        )
        sent = sum(
            (self.swap_of(each), self.side_of(each)) == (swap, side) for each in self.calls.arrivals
        )
        if self.disk.backup and sent <= intents + self._unlogged[swap, side]:
            return
        if stalls or (is_rescue and self.disk.broken):
            self._unlogged[swap, side] += 1
        else:
            self.unfounded.append("a write has a backup, and an intent of its own, on the disk")
