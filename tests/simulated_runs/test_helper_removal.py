"""`restore` removes what a run put beside a record: only that, and only where it is not needed."""

from __future__ import annotations

import asyncio
import errno
from random import Random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import ManualActionRequiredError
from route53_takeover.core.domain.record_sets import Change
from route53_takeover.core.plan.model import Helper
from route53_takeover.runtime.helper_removal import remove_helpers
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.runner import START
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import alias, site_account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.record_sets import RecordSet

WWW = "www.example.com."
WILDCARD = replace(alias("d1old"), name="*.example.com.")
HELPER = Helper(record=WILDCARD, covers=(WWW,))


class Removal:
    """One removal in a zone that holds these record sets; every second answer is lost at times."""

    def __init__(self, *here: RecordSet, lost: float = 0.0) -> None:
        self.world = SimulatedAccount(site_account(existing=alias("d1old")), seed="", start=START)
        self.rates = FaultRates(lost_answer=lost)
        zone = self.world.zone.zone_id
        self.world.zones.change(zone, [("DELETE", alias("d1old"))], by="a person")
        for record in here:
            self.world.zones.change(zone, [("CREATE", record)], by="takeover")
        self.saved: list[Change] = []
        self.took = 0.0

    def run(self, *, restored: frozenset[str] = frozenset(), dry_run: bool = False) -> list[Change]:
        async def work() -> list[Change]:
            clock = VirtualClock(self.world.timeline.now)
            transport = Transport(self.world, clock, Random("removal"), self.rates)  # noqa: S311 -- simulated
            began = clock.now()
            done = await remove_helpers(
                [HELPER],
                restored=restored,
                zone_id=self.world.zone.zone_id,
                clock=clock,
                records=SimulatedRecords(transport),
                dry_run=dry_run,
                tell=lambda _: None,
                save=self.save,
            )
            self.took = clock.now() - began
            return [change for rescue in done for change in rescue.changes]

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.get_loop().run_until_complete(work())

    def save(self, changes: Sequence[Change]) -> None:
        self.saved.extend(changes)

    @property
    def wildcards(self) -> list[RecordSet]:
        return list(self.world.holds("\\052.example.com."))


@pytest.mark.parametrize("lost", [0.0, 0.6])
def test_the_runs_wildcard_is_removed_and_saved_first(lost: float) -> None:
    removal = Removal(WILDCARD, alias("d1old"), lost=lost)
    assert removal.run() == [Change.delete(WILDCARD)] == removal.saved
    assert removal.wildcards == []


def test_a_full_disk_does_not_keep_the_wildcard_there() -> None:
    """It is in the plan, so that what is deleted could be created again."""

    class FullDisk(Removal):
        def save(self, _: Sequence[Change]) -> None:
            raise OSError(errno.ENOSPC, "no space left")

    removal = FullDisk(WILDCARD, alias("d1old"))
    assert removal.run() == [Change.delete(WILDCARD)]
    assert removal.wildcards == []


def test_another_writers_wildcard_is_left() -> None:
    removal = Removal(replace(alias("d1any"), name="*.example.com."), alias("d1old"))
    assert removal.run() == []
    assert len(removal.wildcards) == 1


def test_a_wildcard_is_left_while_the_name_has_no_record() -> None:
    removal = Removal(WILDCARD)
    with pytest.raises(ManualActionRequiredError, match="has no record of its own yet"):
        removal.run()
    assert len(removal.wildcards) == 1


def test_a_record_that_was_just_restored_is_given_time_to_reach_every_name_server() -> None:
    removal = Removal(WILDCARD, alias("d1old"))
    removal.run(restored=frozenset({WWW}))
    assert removal.took >= 60
    assert removal.wildcards == []


def test_a_dry_run_tells_and_changes_nothing() -> None:
    removal = Removal(WILDCARD)
    assert removal.run(dry_run=True) == [Change.delete(WILDCARD)]
    assert removal.saved == []
    assert len(removal.wildcards) == 1
