"""A restore that is due is sent whatever reads, the disk or the number of names do.

Each case lets CloudFormation never create its records, so that the deadman is what puts them back;
the account's own history says how long each name had none. Route 53 accepts writes throughout: what
fails is everything else.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import UnansweredError
from route53_takeover.core.endings import Outcome
from route53_takeover.core.takeover import events as ev
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.chaos.transport import CHANGE, Storm
from route53_takeover.simulation.scenarios import (
    Scenario,
    alias,
    alias_resource,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.plan.model import Options
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal

DEADMAN = 20.0
SLACK = 3.0
READS = "ListResourceRecordSets"
FOR_GOOD = 3 * 3600.0


def many_names(count: int, mode: Mode, **others: Any) -> Scenario:
    """So many alias records, each of which the stack wants to create."""
    names = [f"n{number}.example.com" for number in range(count)]
    records = {
        f"Record{number}": _at(alias_resource("d1new"), name) for number, name in enumerate(names)
    }
    first = records.pop("Record0")
    account = replace(
        site_account(
            template=site_template(first, **records, **others), modes={Case.ALIAS_DIFFERS: mode}
        ),
        existing=tuple(replace(alias("d1old"), name=f"{name}.") for name in names),
    )
    return Scenario(
        name=f"{count}-names",
        summary="drawn",
        account=account,
        outcome=Outcome.RESTORED,
        exit_code=1,
    )


def _at(resource: dict[str, Any], name: str) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], "Name": name}}


def options_for(scenario: Scenario, **changes: Any) -> Options:
    records = tuple(record.key.name.rstrip(".") for record in scenario.account.existing)
    changes = {"restore_after": DEADMAN, "deploy_timeout": 120.0} | changes
    return replace(options_of(scenario), records=records, **changes)


def rehearse(
    scenario: Scenario, *injected: InjectedFault, begin: Callable[[Harness], None] = lambda _: None
) -> tuple[Rehearsal, list[float]]:
    """The rehearsal, and for how many seconds each name had no record."""
    stages: list[Harness] = []

    def remember(harness: Harness) -> None:
        stages.append(harness)
        begin(harness)

    rehearsal = rehearse_once(
        scenario, "rescue", Faults(injected=injected), options=options_for(scenario), begin=remember
    )
    world = stages[0].world
    gaps = [
        (end if end is not None else float("inf")) - began
        for record in scenario.account.existing
        for began, end in world.zones.absences(world.zone.zone_id, record.key.name)
    ]
    return rehearsal, gaps


def reads_take(seconds: float) -> Callable[[Harness], None]:
    """Every read of a name takes so long, and succeeds, from the release on."""

    def begin(harness: Harness) -> None:
        def slow() -> None:
            harness.transport.slow, harness.transport.slow_only = seconds, READS

        harness.on(InjectionPoint.RELEASE, slow)

    return begin


def reads_fail(harness: Harness) -> None:
    """No read of a name succeeds any more, from the release on."""

    harness.on(InjectionPoint.RELEASE, lambda: _fail_reads(harness))


def _fail_reads(harness: Harness) -> None:
    harness.transport.storms.append(
        Storm(
            until=harness.clock.true() + FOR_GOOD,
            only=READS,
            error=lambda op: UnansweredError("timed out", operation=op),
        )
    )


def restored_in_time(rehearsal: Rehearsal, gaps: list[float], names: int) -> None:
    assert rehearsal.broken == ()
    assert not rehearsal.absent
    released = [h for h in rehearsal.state.handovers if h.released_at is not None]
    assert 0 < len(gaps) == len(released) <= names, "each is put back once"
    assert max(gaps) <= DEADMAN + SLACK, sorted(gaps)


@pytest.mark.parametrize(("names", "seconds"), [(1, 2.1), (1, 30.0), (12, 0.0), (60, 2.1)])
def test_slow_reads_do_not_delay_a_restore(names: int, seconds: float) -> None:
    rehearsal, gaps = rehearse(many_names(names, Mode.NEVER), begin=reads_take(seconds))
    restored_in_time(rehearsal, gaps, names)


@pytest.mark.parametrize("names", [1, 12])
def test_reads_that_fail_for_good_do_not_delay_a_restore(names: int) -> None:
    rehearsal, gaps = rehearse(many_names(names, Mode.NEVER), begin=reads_fail)
    restored_in_time(rehearsal, gaps, names)


@pytest.mark.parametrize("cue", [InjectionPoint.RELEASE, InjectionPoint.RESTORE])
@pytest.mark.parametrize("seconds", [5.0, 60.0])
def test_a_disk_that_stalls_does_not_delay_a_restore(cue: InjectionPoint, seconds: float) -> None:
    """A release waits for the disk, and is decided anew; a restore does not."""
    stall = InjectedFault(deed=FaultKind.STALL, cue=cue, seconds=seconds)
    rehearsal, gaps = rehearse(many_names(1, Mode.NEVER), stall)
    assert rehearsal.struck["disk stalls"] == 1
    restored_in_time(rehearsal, gaps, 1)


def test_a_restore_whose_answer_is_lost_is_sent_again_though_reads_fail() -> None:
    def begin(harness: Harness) -> None:
        reads_fail(harness)
        # The first restore never arrives, and no error says so.
        harness.on(InjectionPoint.RESTORE, lambda: _drop_next(harness))

    rehearsal, gaps = rehearse(many_names(1, Mode.NEVER), begin=begin)
    assert rehearsal.struck["request lost"] == 1
    restored_in_time(rehearsal, gaps, 1)


def _drop_next(harness: Harness) -> None:
    harness.transport.dropped = frozenset({harness.transport.calls.get(CHANGE, 0) + 1})


def test_a_restore_that_is_never_answered_is_sent_again_every_second_and_no_faster() -> None:
    """An API that closes each connection at once is not asked a hundred times a second."""

    def closes(harness: Harness) -> None:
        lost = Storm(
            until=harness.clock.true() + 60.0,
            only=CHANGE,
            error=lambda op: UnansweredError("the connection was closed", operation=op),
        )
        harness.on(InjectionPoint.RESTORE, lambda: harness.transport.storms.append(lost))

    rehearsal, _ = rehearse(
        many_names(1, Mode.NEVER), begin=lambda s: s.on(InjectionPoint.RELEASE, lambda: closes(s))
    )
    assert not rehearsal.absent
    sent = [
        event.time
        for event in rehearsal.events
        if isinstance(event, ev.WriteIntended) and event.purpose is ev.Purpose.RESTORE
    ]
    assert len(sent) > 20
    pauses = [later - earlier for earlier, later in pairwise(sent)]
    assert 1.0 <= min(pauses) <= max(pauses) <= 2.0


def test_a_rollback_is_undone_though_no_read_succeeds_any_more() -> None:
    """CloudFormation creates the record, a later resource fails, the rollback deletes it."""
    failing = {
        "Type": "AWS::Lambda::Permission",
        "Condition": "Enabled",
        "DependsOn": "DnsRecord",
        "Metadata": {"Simulation": {"Seconds": 3, "Fail": "it failed"}},
    }

    def begin(harness: Harness) -> None:
        harness.on(InjectionPoint.CREATED, lambda: harness.later(2.0, lambda: _fail_reads(harness)))

    rehearsal, gaps = rehearse(many_names(1, Mode.RETRY, Permission=failing), begin=begin)
    assert rehearsal.broken == ()
    assert not rehearsal.absent
    assert len(gaps) == 2, "until CloudFormation's create, and after its delete"
    assert gaps[1] <= SLACK
