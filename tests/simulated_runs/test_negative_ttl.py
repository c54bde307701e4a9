"""Runs with `--negative-ttl` in the simulated account: killed, unanswered, edited by others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.simulated_runs.test_a_rescue_depends_on_nothing import many_names, options_for

from route53_takeover.base.errors import ManualActionRequiredError, RefusedError
from route53_takeover.core.domain.soa import (
    NegativeCaching,
    negative_caching,
    soa_of,
    with_negative_caching,
)
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import LoweredSoa
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.runtime.soa_restore import put_soa_back
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.aws.cloudformation.record_handler import Mode
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults, WayOut
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.runner import START, options_of, rehearse_once
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.domain.record_sets import Change, RecordSet
    from route53_takeover.core.plan.model import Options
    from route53_takeover.runtime.restore import Rescue
    from route53_takeover.simulation.chaos.oracle import Rehearsal
    from route53_takeover.simulation.scenarios import Scenario

ALIAS = SCENARIOS["alias"]


def options(scenario: Scenario = ALIAS, seconds: int = 5) -> Options:
    of = options_of if scenario.name in SCENARIOS else options_for
    return replace(of(scenario), negative_ttl=seconds)


def rehearsed(faults: Faults, scenario: Scenario = ALIAS) -> Rehearsal:
    run = rehearse_once(scenario, "soa", faults, options=options(scenario))
    assert not run.broken, run.broken
    return run


def soa_writes(run: Rehearsal) -> list[tuple[Purpose, RecordSet]]:
    return [
        (event.purpose, event.changes[0].record)
        for event in run.events
        if isinstance(event, ev.WriteIntended) and event.purpose in ev.SOA_PURPOSES
    ]


@pytest.mark.parametrize("name", ["alias", "rolled-back", "never-created", "adopted", "bridge"])
def test_it_is_lowered_and_put_back_whatever_comes_of_the_run(name: str) -> None:
    scenario = SCENARIOS[name]
    run = rehearsed(Faults(), scenario)
    assert run.result.outcome == scenario.outcome
    (lower, low), (restore, back) = soa_writes(run)
    assert (lower, restore) == (Purpose.LOWER_SOA, Purpose.RESTORE_SOA)
    assert negative_caching(low) == (5, 5)
    assert run.state.plan.soa is not None
    assert back == run.state.plan.soa.original


def test_a_run_that_is_killed_between_two_releases_goes_on_to_the_next() -> None:
    """The SOA is read again before the release of the second, while the first has no record."""
    later = {"Type": "AWS::S3::Bucket", "Metadata": {"Simulation": {"Seconds": 6.0}}}
    scenario = many_names(2, Mode.RETRY, Later=later)
    scenario.account.template["Resources"]["Record1"]["DependsOn"] = "Later"
    events = rehearsed(Faults(), scenario).events
    release = next(
        event
        for event in events
        if isinstance(event, ev.WriteIntended) and event.purpose is Purpose.RELEASE
    )
    accepted = next(
        number
        for number, event in enumerate(events, start=1)
        if isinstance(event, ev.WriteAccepted) and event.id == release.id
    )
    run = rehearsed(Faults(kills=(accepted,), downtimes=(2.0,)), scenario)
    resumed = next(n for n, event in enumerate(run.events) if isinstance(event, ev.RunResumed))
    released = {
        event.name
        for event in run.events[resumed:]
        if isinstance(event, ev.WriteIntended) and event.purpose is Purpose.RELEASE
    }
    assert released, "none was left to be released by the second process"
    assert run.result.outcome == Outcome.DONE


@pytest.mark.parametrize("way_out", [WayOut.RESUME, WayOut.RESTORE])
def test_a_run_that_is_killed_after_any_append_puts_it_back(way_out: WayOut) -> None:
    appends = len(rehearsed(Faults()).events)
    step = 1 if way_out is WayOut.RESUME else 5
    for kill in range(1, appends + 1, step):
        run = rehearsed(Faults(kills=(kill,), downtimes=(20.0,), way_out=way_out))
        lowered = any(purpose is Purpose.LOWER_SOA for purpose, _ in soa_writes(run))
        assert "the SOA of" not in run.result.reason
        assert lowered or way_out is WayOut.RESTORE


@pytest.mark.parametrize("which", range(1, 8))
def test_any_batch_may_be_lost_or_its_answer(which: int) -> None:
    for faults in (Faults(lost=frozenset({which})), Faults(dropped=frozenset({which}))):
        assert "the SOA of" not in rehearsed(faults).result.reason


@pytest.mark.parametrize("deed", [FaultKind.KILL, FaultKind.POWER, FaultKind.STOP, FaultKind.FULL])
@pytest.mark.parametrize("cue", [InjectionPoint.LOWER_SOA, InjectionPoint.RESTORE_SOA])
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 2.0])
def test_it_is_put_back_though_something_strikes_at_its_batches(
    deed: FaultKind, cue: InjectionPoint, delay: float
) -> None:
    rehearsed(Faults(injected=(InjectedFault(deed=deed, cue=cue, delay=delay, seconds=30.0),)))


def test_another_writers_serial_is_kept() -> None:
    edit = InjectedFault(deed=FaultKind.SOA_SERIAL, cue=InjectionPoint.CREATING)
    run = rehearsed(Faults(injected=(edit,)))
    assert run.result.outcome == Outcome.DONE
    _, back = soa_writes(run)[-1]
    assert negative_caching(back) == (900, 900)
    assert back.values[0].split()[2] == "2"


def test_another_writers_negative_ttl_is_left_and_the_run_says_unknown() -> None:
    edit = InjectedFault(deed=FaultKind.SOA_TTL, cue=InjectionPoint.CREATING)
    run = rehearsed(Faults(injected=(edit,)))
    assert run.result.exit_code == 4
    assert [purpose for purpose, _ in soa_writes(run)] == [Purpose.LOWER_SOA]
    assert "another writer changed the SOA of example.com" in run.result.reason
    assert [record.outcome for record in run.result.records] == ["created"]


def test_another_machines_run_with_the_same_option_fights_over_nothing() -> None:
    for delay in (0.0, 0.5, 1.0, 2.0, 5.0, 30.0):
        rehearsed(Faults(injected=(InjectedFault(deed=FaultKind.ANOTHER, delay=delay),)))


def test_the_plan_recommends_it_with_numbers_where_a_gap_is_costly() -> None:
    def warned(name: str, chosen: Options) -> list[str]:
        plan = rehearse_once(SCENARIOS[name], "soa", Faults(), options=chosen).state.plan
        return [str(warning) for warning in plan.warnings if "negative TTL" in warning.text]

    (told,) = warned("alias", options_of(ALIAS))
    assert "negative TTL is 900 s" in told
    assert "5 s gap costs about 75 s per user of www.example.com A" in told
    assert "With --negative-ttl 5 it costs less than 1 s" in told
    assert warned("alias", options()) == []
    assert warned("bridge", options_of(SCENARIOS["bridge"])) == []


@pytest.mark.parametrize("seconds", [900, 901])
def test_it_is_refused_where_it_would_lower_nothing(seconds: int) -> None:
    with pytest.raises(RefusedError, match="lowers nothing"):
        rehearse_once(ALIAS, "soa", Faults(), options=options(seconds=seconds))


def test_the_simulated_soa_can_only_be_upserted() -> None:
    world = SimulatedAccount(ALIAS.account, seed="soa", start=START)
    soa = soa_of(world.holds(world.zone.name), world.zone.name)
    assert soa is not None
    with pytest.raises(Exception, match="exactly one SOA"):
        world.write([("DELETE", soa), ("CREATE", replace(soa, ttl=5))])
    with pytest.raises(Exception, match="already exists"):
        world.write([("CREATE", replace(soa, ttl=5))])
    world.write([("UPSERT", replace(soa, ttl=5))])


# -- `restore`


def restored(here: NegativeCaching, *, by_force: str = "line", dry_run: bool = False) -> RecordSet:
    """The SOA after a `restore` that found it like this."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.get_loop().run_until_complete(_restored(here, by_force, dry_run=dry_run))


async def _restored(here: NegativeCaching, by_force: str, *, dry_run: bool) -> RecordSet:
    world = SimulatedAccount(ALIAS.account, seed="soa", start=START)
    name = world.zone.name
    original = soa_of(world.holds(name), name)
    assert original is not None
    lowered = with_negative_caching(original, NegativeCaching(5, 5))
    world.write([("UPSERT", with_negative_caching(original, here))])
    clock = VirtualClock(world.timeline.now)
    saved: list[Sequence[Change]] = []
    transport = Transport(world, clock, world.rng, FaultRates(lost_answer=0.3))
    done: list[Rescue] = await put_soa_back(
        LoweredSoa(original=original, lowered=lowered),
        zone_id=world.zone.zone_id,
        clock=clock,
        records=SimulatedRecords(transport),
        by_force=by_force,
        dry_run=dry_run,
        tell=lambda _: None,
        save=saved.append,
    )
    found = soa_of(world.holds(name), name)
    assert found is not None
    assert bool(done) is (here != negative_caching(original))
    assert bool(saved) is (bool(done) and not dry_run)
    return found


def test_restore_puts_back_what_the_run_lowered() -> None:
    assert negative_caching(restored(NegativeCaching(5, 5))) == (900, 900)
    assert negative_caching(restored(NegativeCaching(900, 900))) == (900, 900)
    assert negative_caching(restored(NegativeCaching(5, 5), dry_run=True)) == (5, 5)


def test_restore_leaves_another_writers_negative_ttl_unless_it_is_forced() -> None:
    with pytest.raises(ManualActionRequiredError, match="left as it is"):
        restored(NegativeCaching(1800, 1800))
    assert negative_caching(restored(NegativeCaching(1800, 1800), by_force="")) == (900, 900)
