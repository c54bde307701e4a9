"""Every scenario in virtual time: as it says it ends, and killed after every append of news.

A run that is killed after an append which told it nothing new knows what it knew one append before:
such kills are tried in one scenario only, and by the search (`test_search`) in any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from route53_takeover.core.endings import Outcome
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.queries import resources_at
from route53_takeover.core.takeover.step import step
from route53_takeover.core.timing import ALIAS_HOLD
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import (
    options_of,
    percentiles,
    rehearse_many,
    rehearse_once,
)
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    alias,
    alias_resource,
    like,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.chaos.oracle import Rehearsal
    from route53_takeover.simulation.scenarios import Scenario

RECORD_OUTCOMES = {
    "alias": "created",
    "nested": "created",
    "cname": "adopted",
    "adopted": "adopted",
    "never-created": "restored",
    "rolled-back": "restored",
    "failed-at-once": "untouched",
    "edited-meanwhile": "untouched",
    "group": "created",
    "group-two-names": "created",
    "routed": "created",
    "bridge": "created",
    "adopt": "adopted",
    "weighted": "created",
    "killed-in-the-gap": "created",
    "machine-lost": "restored",
    "many": "created",
}
GROUPS = {"group", "group-two-names"}
RELEASED = {
    "alias",
    "nested",
    "never-created",
    "rolled-back",
    "routed",
    "killed-in-the-gap",
    "machine-lost",
    "many",
    *GROUPS,
}
MANY = 5
"""More names than this tell nothing that fewer do not."""
DOWNTIMES = (0.5, 1.0, 7.0, 45.0, 400.0)

every_scenario = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda s: s.name)


def killed(scenario: Scenario, *kills: int, downtimes: tuple[float, ...]) -> Rehearsal:
    options = options_of(scenario)
    if scenario.name == "never-created":  # the same story with a shorter gap to be killed in
        options = replace(options, restore_after=6.0)
    faults = Faults(kills=kills, downtimes=downtimes)
    return rehearse_once(scenario, "kill", faults, options=options)


def assert_ended_well(rehearsal: Rehearsal, note: object) -> None:
    assert rehearsal.broken == (), note
    assert not rehearsal.absent, note
    assert rehearsal.result.outcome != Outcome.UNKNOWN, (note, rehearsal.result.reason)


@every_scenario
def test_each_scenario_ends_as_it_says(scenario: Scenario) -> None:
    rehearsal = rehearse_once(scenario, "calm", Faults())
    assert_ended_well(rehearsal, scenario.name)
    assert rehearsal.result.outcome == scenario.outcome
    assert rehearsal.result.exit_code == scenario.exit_code
    assert {r.outcome for r in rehearsal.result.records} == {RECORD_OUTCOMES[scenario.name]}
    left_alone = scenario.name == "routed"
    assert len(rehearsal.result.records) == len(scenario.account.existing) - left_alone
    assert (rehearsal.gap_seconds > 0) == (scenario.name in RELEASED)
    said = rehearsal.result.records[0].gap_seconds
    assert ((said or 0.0) > 0) == (scenario.name in RELEASED)


@every_scenario
def test_a_run_makes_no_more_calls_than_its_time_allows(scenario: Scenario) -> None:
    rehearsal = rehearse_once(scenario, "calm", Faults())
    lasted = rehearsal.events[-1].time - rehearsal.events[0].time
    calls = sum((rehearsal.result.api_calls or {}).values())
    assert calls < 40 + 4.5 * lasted  # two polled stacks and the name in the gap, each at 0.5 s
    assert len(rehearsal.events) < 40 + 7 * lasted


def without_times(known: Any) -> Any:
    """The same, but for all times; the plan, and what was asked for, change nothing in a run."""
    if isinstance(known, dict):
        return {
            key: without_times(value)
            for key, value in known.items()
            if key not in ("plan", "in_flight") and not isinstance(value, float)
        }
    if isinstance(known, list | tuple):
        return [without_times(value) for value in known if not isinstance(value, float)]
    return known


def appends_of_news(scenario: Scenario) -> list[int]:
    """After which appends the run knew something else than before; but for the last of all.

    Of many names the same is told of each: a sixth of their appends will do.
    """
    state, known = None, None  # type: State | None, Any
    found = []
    events = killed(scenario, downtimes=()).events
    for number, event in enumerate(events[:-1], 1):
        state, _ = step(state, event)
        before, known = known, without_times(to_builtins(state, str_keys=True))
        if known != before:
            found.append(number)
    return found[:: 6 if len(scenario.records) > MANY else 1]


@every_scenario
def test_a_run_killed_after_any_news_is_resumed_to_a_truthful_end(scenario: Scenario) -> None:
    for n in appends_of_news(scenario):
        rehearsal = killed(scenario, n, downtimes=(DOWNTIMES[n % 5],))
        assert 2 <= rehearsal.lives <= 2 + scenario.killed
        assert_ended_well(rehearsal, f"killed after {n}")


def test_a_run_killed_after_any_append_is_resumed_to_a_truthful_end() -> None:
    scenario = SCENARIOS["alias"]
    appends = len(killed(scenario, downtimes=()).events)
    for n in range(1, appends):
        rehearsal = killed(scenario, n, downtimes=(DOWNTIMES[n % 5],))
        assert rehearsal.lives == 2
        assert_ended_well(rehearsal, f"killed after {n}")


@every_scenario
def test_a_run_killed_again_while_it_resumes_ends_truthfully(scenario: Scenario) -> None:
    for n in appends_of_news(scenario)[1::6]:
        for again in (1, 3, 8):
            rehearsal = killed(scenario, n, again, downtimes=(DOWNTIMES[n % 5], 1.0))
            assert_ended_well(rehearsal, f"killed after {n} and {again} more")


def test_a_kill_after_the_intent_of_a_deploy_never_starts_it_twice() -> None:
    scenario = SCENARIOS["alias"]
    events = rehearse_once(scenario, "kill", Faults()).events
    intents = [n for n, e in enumerate(events, 1) if isinstance(e, ev.DeployIntended)]
    assert len(intents) == 2
    for n in intents:
        rehearsal = rehearse_once(scenario, "kill", Faults(kills=(n,), downtimes=(1.0,)))
        assert_ended_well(rehearsal, n)
        assert rehearsal.result.outcome == Outcome.FAILED


def test_a_kill_after_the_intent_of_a_release_sends_it_under_a_new_id_only() -> None:
    scenario = SCENARIOS["alias"]
    events = rehearse_once(scenario, "kill", Faults()).events
    release = next(
        n
        for n, e in enumerate(events, 1)
        if isinstance(e, ev.WriteIntended) and e.purpose is Purpose.RELEASE
    )
    rehearsal = rehearse_once(scenario, "kill", Faults(kills=(release,), downtimes=(1.0,)))
    ids = [
        e.id
        for e in rehearsal.events
        if isinstance(e, ev.WriteIntended) and e.purpose is Purpose.RELEASE
    ]
    first, second = ids
    assert second.startswith("rehearsal-r1-")  # no process knows what a dead one sent
    assert first != second
    assert rehearsal.result.outcome == Outcome.DONE


def test_the_same_seed_gives_the_same_run_to_the_last_event() -> None:
    first, second = (list(rehearse_many(12, 7, None)) for _ in range(2))
    assert [r.events for r in first] == [r.events for r in second]


def test_a_hundred_random_rehearsals_leave_no_name_without_its_record() -> None:
    for rehearsal in rehearse_many(100, 20261123, None):
        assert rehearsal.broken == (), rehearsal.seed
        assert not rehearsal.absent, rehearsal.seed


def test_percentiles_are_by_nearest_rank_and_zero_of_nothing() -> None:
    assert percentiles([]) == {"p50": 0.0, "p90": 0.0, "p99": 0.0, "max": 0.0}
    assert percentiles([3.0, 1.0, 2.0, 4.0])["max"] == 4.0


@pytest.mark.parametrize("jump", [-7200.0, -30.0, 30.0])
def test_a_resumed_run_keeps_its_deadlines_under_a_wall_clock_that_was_set(jump: float) -> None:
    """Else the deadman would wait until the clock has caught up with the journal."""
    scenario = SCENARIOS["never-created"]
    events = rehearse_once(scenario, "kill", Faults()).events
    release = next(
        n
        for n, e in enumerate(events, 1)
        if isinstance(e, ev.WriteIntended) and e.purpose is Purpose.RELEASE
    )
    fault = InjectedFault(deed=FaultKind.CLOCK, seconds=jump)
    faults = Faults(kills=(release + 9,), downtimes=(5.0,), injected=(fault,))
    rehearsal = rehearse_once(scenario, "kill", faults)
    assert_ended_well(rehearsal, jump)
    assert rehearsal.result.outcome == Outcome.RESTORED
    assert rehearsal.gap_seconds < 70
    times = [event.time for event in rehearsal.events]
    assert times == sorted(times)


def test_each_of_many_names_is_released_when_its_own_hold_ends() -> None:
    """Whatever the other names wait for, and with so few reads as an account allows."""
    names = [f"r{number}.example.com" for number in range(30)]
    resources = {}
    for number, name in enumerate(names):
        resources[f"Site{number}"] = {
            "Type": "AWS::CloudFront::Distribution",
            "Properties": {"Comment": {"Fn::Sub": "switch ${Route53Enable}"}},
            "Metadata": {"Simulation": {"Seconds": 4 + 0.7 * number}},
        }
        record = like(alias_resource("d1new"), Name=name)
        resources[f"Record{number}"] = {**record, "DependsOn": f"Site{number}"}
    account = site_account(template=site_template(resources.pop("Record0"), **resources))
    old = tuple(replace(alias("d1old"), name=f"{name}.") for name in names)
    scenario = replace(
        SCENARIOS["alias"],
        account=replace(account, existing=old),
        record=names[0],
        more=tuple(names[1:]),
    )
    rehearsal = rehearse_once(scenario, "calm", Faults())
    assert_ended_well(rehearsal, "many")
    state: State | None = None
    late = {}
    for event in rehearsal.events:
        if isinstance(event, ev.WriteIntended) and event.purpose is Purpose.RELEASE and state:
            (began,) = (r.since for r in resources_at(state, event.name))
            late[event.name] = event.time - began - ALIAS_HOLD
        state, _ = step(state, event)
    assert len(late) == len(names)
    assert max(late.values()) < 0.05
    calls = rehearsal.result.api_calls or {}
    lasted = rehearsal.events[-1].time - rehearsal.events[0].time
    reads = calls["route53:ListResourceRecordSets"]
    assert reads < 4 * lasted
