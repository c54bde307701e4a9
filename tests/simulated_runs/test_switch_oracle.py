"""The oracle of switches fails where a promise is broken: each is broken on purpose, once.

A run that keeps its promises is disturbed behind the machine's back: by writes in its name, by an
account that does not do what it says, by a machine that lies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.endings import Outcome
from route53_takeover.core.events import RestoreAsked
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch import step, writing
from route53_takeover.core.switch.events import SwapPurpose
from route53_takeover.core.switch.model import SwapKind
from route53_takeover.core.switch.phases import SwitchPhase
from route53_takeover.runtime import site_swaps
from route53_takeover.simulation.chaos.faults import WayOut
from route53_takeover.simulation.chaos.process_faults import ProcessFault
from route53_takeover.simulation.chaos.switch.faults import SiteFault, SwitchFault, SwitchFaults
from route53_takeover.simulation.chaos.switch.harness import SwitchPoint
from route53_takeover.simulation.chaos.switch.runner import rehearse_switch
from route53_takeover.simulation.chaos.switch.setup import (
    DOMAIN,
    FRONT,
    SWITCHER,
    DeployHabit,
    RetireHabit,
    SwitchSetup,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from route53_takeover.core.switch.state import SwitchState
    from route53_takeover.core.switch.step_context import SwitchContext
    from route53_takeover.simulation.chaos.switch.harness import SwitchHarness

API = SwitchSetup()
CDN = SwitchSetup(kind=SwapKind.CLOUDFRONT_ORIGIN, deploying=5.0)
CALM = SwitchFaults()


def broken(
    setup: SwitchSetup,
    faults: SwitchFaults = CALM,
    *,
    at: SwitchPoint | None = None,
    rogue: Callable[[SwitchHarness], None] = lambda _: None,
) -> tuple[str, ...]:
    """The promises that are broken where ``rogue`` acts at a point."""

    def begin(harness: SwitchHarness) -> None:
        if at is not None:
            harness.on(at, lambda: rogue(harness))

    return rehearse_switch(setup, "oracle", faults, begin=begin).broken


def test_a_run_that_keeps_its_promises_breaks_none() -> None:
    assert broken(API) == broken(CDN) == ()


# -- rogue writes


def test_a_write_to_another_mapping_is_seen() -> None:
    def rogue(harness: SwitchHarness) -> None:
        harness.world.point("private", harness.world.target(Side.BLUE), by=SWITCHER)

    assert "only the planned mappings are written, and to blue or green" in broken(
        API, at=SwitchPoint.BAKING, rogue=rogue
    )


def test_a_write_to_another_api_is_seen() -> None:
    def rogue(harness: SwitchHarness) -> None:
        harness.world.point("", harness.world.target(Side.OTHER), by=SWITCHER)

    assert "only the planned mappings are written, and to blue or green" in broken(
        API, at=SwitchPoint.BAKING, rogue=rogue
    )


def test_a_deleted_mapping_is_seen() -> None:
    def rogue(harness: SwitchHarness) -> None:
        harness.world.point("", None, by=SWITCHER)

    found = broken(API, at=SwitchPoint.SETTLING, rogue=rogue)
    assert "only the planned mappings are written, and to blue or green" in found
    assert "users are answered by blue or by green at every time" in found


def test_a_config_that_is_neither_before_nor_planned_is_seen() -> None:
    def rogue(harness: SwitchHarness) -> None:
        harness.world.edit_front(None, by=SWITCHER)

    assert "a distribution is written whole, as it was or as it was planned" in broken(
        CDN, at=SwitchPoint.BAKING, rogue=rogue
    )


def test_a_write_without_an_intent_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write is sent twice: one of them has none."""
    lead = site_swaps.SiteSwaps.lead

    async def twice(self: Any, *args: Any, **kwargs: Any) -> None:
        await lead(self, *args, **kwargs)
        target = args[0].to if args[1] is Side.GREEN else args[0].mapping.target
        (mapping,) = await self.api_gateway.mappings(args[0].domain)
        await self.api_gateway.point(args[0].domain, "", mapping, target)

    monkeypatch.setattr(site_swaps.SiteSwaps, "lead", twice)
    assert broken(API) == ("a write has a backup, and an intent of its own, on the disk",)


def test_a_write_before_its_backup_is_seen() -> None:
    def rogue(harness: SwitchHarness) -> None:
        harness.disk.backup = False

    assert "a write has a backup, and an intent of its own, on the disk" in broken(
        API, at=SwitchPoint.CHECKING, rogue=rogue
    )


# -- other writers


def test_a_mapping_of_another_writer_that_is_overwritten_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is read right before a write is not compared, and what was read is old."""

    async def unseen(self: Any, swap: Any, shown: str) -> Any:  # noqa: ARG001
        (mapping,) = await self.api_gateway.mappings(swap.domain)
        return mapping

    monkeypatch.setattr(site_swaps.SiteSwaps, "_before_writing", unseen)
    faults = SwitchFaults(
        injected=(
            SwitchFault(deed=ProcessFault.STALL, cue=SwitchPoint.CHECKING, seconds=2.5),
            SwitchFault(deed=SiteFault.EDIT, cue=SwitchPoint.SWITCHING, delay=1.0),
        )
    )
    assert "nothing of another writer is overwritten" in broken(API, faults)


def test_a_mapping_that_another_writer_deleted_is_created_again_by_a_restore() -> None:
    """The run leaves it alone and ends unknown; `restore` is asked for by a user."""
    faults = SwitchFaults(
        injected=(SwitchFault(deed=SiteFault.DELETE, cue=SwitchPoint.BEGIN),),
        way_out=WayOut.RESTORE,
        resumes=1,
    )
    done = rehearse_switch(replace(API, deploy_takes=5.0), "oracle", faults)
    assert (done.broken, done.found) == ((), {f"{DOMAIN}/": Side.BLUE})


def test_blue_is_not_deleted_on_what_was_true_before_the_disk_stalled() -> None:
    """Another writer leads users elsewhere, or to blue, while the intent waits for the disk."""
    stall = SwitchFault(deed=ProcessFault.STALL, cue=SwitchPoint.BAKING, delay=62.0, seconds=40.0)
    for deed, side in ((SiteFault.EDIT, Side.OTHER), (SiteFault.TO_BLUE, Side.BLUE)):
        edit = SwitchFault(deed=deed, cue=SwitchPoint.DELETING, delay=2.0)
        done = rehearse_switch(
            replace(API, retire=RetireHabit.SAFE), "stall", SwitchFaults(injected=(stall, edit))
        )
        assert "disk stalls" in done.struck
        assert (done.broken, set(done.found.values())) == ((), {side})


def test_a_mapping_of_another_writer_is_compared_right_before_it_is_written() -> None:
    """The same with the comparison: the run writes nothing."""
    faults = SwitchFaults(
        injected=(
            SwitchFault(deed=ProcessFault.STALL, cue=SwitchPoint.CHECKING, seconds=2.5),
            SwitchFault(deed=SiteFault.EDIT, cue=SwitchPoint.SWITCHING, delay=1.0),
        )
    )
    done = rehearse_switch(API, "oracle", faults)
    assert (done.broken, done.found) == ((), {f"{DOMAIN}/": Side.OTHER})
    assert done.outcome is Outcome.UNKNOWN


def test_a_distribution_of_another_writer_that_is_overwritten_is_seen() -> None:
    def rogue(harness: SwitchHarness) -> None:
        harness.world.edit_front(Side.OTHER, by="a person")
        cloudfront = harness.world.cloudfront
        config, etag = harness.world.front, cloudfront.distribution(FRONT).etag
        arrive = lambda: cloudfront.update(FRONT, config, etag, by=SWITCHER)  # noqa: E731
        harness.calls._arrived("cloudfront:UpdateDistribution", arrive, harness.clock.true())

    assert "nothing of another writer is overwritten" in broken(
        CDN, at=SwitchPoint.BAKING, rogue=rogue
    )


# -- checks


def test_green_that_was_not_checked_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "green_passes", lambda _: True)
    monkeypatch.setattr("route53_takeover.core.switch.invariants._is_checked", lambda _: True)
    assert "green gets no traffic before it has passed every check" in broken(API)


def test_green_that_was_checked_long_ago_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("route53_takeover.core.switch.check_round.CHECK_FRESH", 1e9)
    pause = SwitchFault(deed=ProcessFault.KEYS, cue=SwitchPoint.CHECKING, seconds=600.0)
    assert "green gets no traffic that has not passed every check just before" in broken(
        API, SwitchFaults(injected=(pause,))
    )


def test_a_green_that_fails_and_stays_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "has_failed_too_often", lambda _: False)
    monkeypatch.setattr(step, "was_just_watched", lambda _: True)
    fails = SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=500.0)
    assert "more failed checks than allowed lead back to blue" in broken(
        API, SwitchFaults(injected=(fails,))
    )


def test_a_bake_that_nobody_watches_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "route53_takeover.core.switch.polling._LIVE", frozenset({SwitchPhase.SETTLE})
    )
    monkeypatch.setattr(step, "was_just_watched", lambda _: True)
    assert "a switch is watched by its checks to the end" in broken(replace(API, bake=300.0))


# -- the end


def test_an_end_that_says_green_where_it_is_not_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def lies(context: SwitchContext) -> None:
        context.end(Outcome.DONE, "it is green")

    monkeypatch.setitem(step._PHASES, SwitchPhase.VERIFY, lies)
    fails = SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=500.0)
    assert "done means green and nothing else; any other end but unknown, blue" in broken(
        API, SwitchFaults(injected=(fails,))
    )


def test_a_way_back_that_is_not_gone_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def stays(context: SwitchContext) -> None:
        context.end(Outcome.RESTORED, "it is blue")

    monkeypatch.setitem(step._PHASES, SwitchPhase.RESTORE, stays)
    fails = SwitchFault(deed=SiteFault.GREEN_FAILS, cue=SwitchPoint.BAKING, seconds=500.0)
    assert "done means green and nothing else; any other end but unknown, blue" in broken(
        API, SwitchFaults(injected=(fails,))
    )


def test_a_read_of_the_past_that_is_believed_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "may_be_read_late", lambda _context, _swap: False)
    faults = SwitchFaults(
        injected=(
            SwitchFault(deed=ProcessFault.STALE, cue=SwitchPoint.SWITCHING, seconds=20.0),
            SwitchFault(deed=ProcessFault.STOP, cue=SwitchPoint.SWITCHED, delay=0.05),
        )
    )
    assert "done means green and nothing else; any other end but unknown, blue" in broken(
        API, faults
    )
    monkeypatch.undo()
    assert broken(API, faults) == ()


def test_what_the_deploy_has_moved_and_nobody_puts_back_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(step, "keep_blue", lambda _: True)
    steals = replace(API, deploy=DeployHabit.STEALS, deploy_takes=300.0)
    assert "what the deploy of green has moved is put back" in broken(steals)


def test_a_deploy_that_is_started_twice_is_seen() -> None:
    setup = replace(API, deploy=DeployHabit.WELL)
    found = broken(setup, at=SwitchPoint.CHECKING, rogue=lambda h: h.world.deploy.start())
    assert "a deploy is started at most once" in found


def test_a_run_that_does_not_know_without_a_reason_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def knows_nothing(context: SwitchContext) -> None:
        context.end(Outcome.UNKNOWN, "who knows")

    monkeypatch.setitem(step._PHASES, SwitchPhase.VERIFY, knows_nothing)
    assert "a run is only `unknown` for a reason" in broken(API)


def test_a_cache_that_is_not_invalidated_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("route53_takeover.core.switch.settling.is_invalidated", lambda *_: True)
    cached = replace(CDN, caches=True, checks=())
    assert "what was cached of blue is invalidated" in broken(cached)


def test_a_machine_that_asks_for_what_is_forbidden_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lead = writing.lead

    def wrong(context: Any, swap: Any, to: Any, purpose: Any, **more: Any) -> Any:
        purpose = SwapPurpose.BACK if purpose is SwapPurpose.SWITCH else purpose
        return lead(context, swap, to, purpose, **more)

    monkeypatch.setattr(step, "lead", wrong)
    assert "the machine asks for nothing that is forbidden" in broken(API)


def test_a_run_that_does_not_end_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("route53_takeover.simulation.chaos.switch.runner.LONGEST", 120.0)
    assert "a run comes to an end" in broken(replace(API, bake=3600.0))


def test_a_crash_that_cannot_be_restored_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def gives_up(*_: Any) -> None:
        return None

    faults = SwitchFaults(
        injected=(
            SwitchFault(deed=ProcessFault.CORRUPT),
            SwitchFault(deed=ProcessFault.KILL, cue=SwitchPoint.BAKING, delay=1.0, seconds=1.0),
        )
    )
    assert broken(API, faults) == ()
    monkeypatch.setattr("route53_takeover.simulation.chaos.switch.restoring._lead_back", gives_up)
    assert "whatever a crash leaves can be restored" in broken(API, faults)


def test_a_blue_that_is_deleted_too_early_is_seen() -> None:
    def rogue(harness: SwitchHarness) -> None:
        harness.world.delete.start()

    retiring = replace(API, retire=RetireHabit.SAFE)
    found = broken(retiring, at=SwitchPoint.CHECKING, rogue=rogue)
    assert "blue is deleted only while everything leads to green" in found
    assert "blue is deleted at most once" in broken(retiring, at=SwitchPoint.VERIFYING, rogue=rogue)


def test_a_way_back_to_a_blue_that_is_deleted_is_seen() -> None:
    def rogue(harness: SwitchHarness) -> None:
        harness.world.delete.start()
        harness.engine.submit(RestoreAsked(time=harness.clock.now()))

    assert "nobody is led to a blue that is being deleted" in broken(
        API, at=SwitchPoint.BAKING, rogue=rogue
    )


def test_a_fold_that_differs_is_seen() -> None:
    def saw(harness: SwitchHarness, event: ev.SwitchEvent, _: SwitchState) -> None:
        if isinstance(event, ev.BackupWritten):
            harness.disk.events[-1] = replace(event, time=event.time + 1)

    found = rehearse_switch(API, "oracle", CALM, saw=saw).broken
    assert "folding the journal equals the state in memory" in found
