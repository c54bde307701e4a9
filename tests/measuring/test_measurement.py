"""A measurement in the simulated account recovers what that was given, and leaves it as it was."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.measuring.in_process import WWW, KilledError, Ledger, Site

from route53_takeover.core.domain.record_sets import AliasTarget, Change, RecordSet
from route53_takeover.core.measuring.cloudtrail import merge_logged
from route53_takeover.core.measuring.ports import LoggedChange
from route53_takeover.core.measuring.records import record, template
from route53_takeover.core.measuring.scope import OutOfScopeError, Scope
from route53_takeover.core.plan.measured import MeasuredKind, MeasuredOutcome, RecordKind
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.chaos.transport import FaultRates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.core.plan.measured import Measurement

RETRIED, FAILED = MeasuredOutcome.RETRIED, MeasuredOutcome.FAILED_AT_ONCE
ADOPTED, OVERWRITTEN = MeasuredOutcome.ADOPTED, MeasuredOutcome.OVERWRITTEN
SCHEDULES = [
    (1.0, 2.0, 4.0),
    (2.0, 2.0, 2.0, 2.0, 2.0),
    (5.0, 10.0, 20.0, 40.0),
    (1, 2, 4, 8, 15, 30, 30, 60, 60, 60),
]


def of(measurement: Measurement, kind: RecordKind = RecordKind.ALIAS) -> MeasuredKind:
    found = measurement.of(kind)
    assert found is not None
    return found


def assert_near(tries: Sequence[float], given: Sequence[float]) -> None:
    assert len(tries) == len(given), f"{tries} for {given}"
    assert all(abs(a - b) <= 0.5 for a, b in zip(tries, given, strict=True)), f"{tries} for {given}"


def assert_as_before(site: Site) -> None:
    assert site.removed() == []
    site.world.timeline.advance(site.world.timeline.now + 3600)
    assert site.state == site.before


@pytest.mark.parametrize("delays", SCHEDULES, ids=str)
def test_the_schedule_is_recovered(delays: tuple[float, ...]) -> None:
    site = Site(delays=delays)
    found = of(site.measured(RecordKind.ALIAS))
    assert found.differs is RETRIED
    assert_near(found.tries, [*accumulate(delays)])
    assert found.uncertainty <= 0.5
    assert found.gave_up_after == pytest.approx(sum(delays), abs=0.5)
    assert "already exists" in found.reason
    assert_as_before(site)


def test_one_that_does_not_give_up_is_let_go() -> None:
    site = Site(delays=(3.0, *[30.0] * 100))
    found = of(site.measured(RecordKind.ALIAS))
    assert_near(found.tries[:3], [3.0, 33.0, 63.0])
    assert found.gave_up_after is None
    assert 600 <= found.watched_for <= 610
    assert_as_before(site)


@pytest.mark.parametrize(
    ("mode", "differs", "identical", "rollback"),
    [
        (Mode.RETRY, RETRIED, RETRIED, None),
        (Mode.NEVER, RETRIED, RETRIED, None),
        (Mode.FAIL, FAILED, FAILED, None),
        (Mode.ADOPT, OVERWRITTEN, ADOPTED, "deleted"),  # the simulated one writes its own values
        (Mode.OVERWRITE, OVERWRITTEN, ADOPTED, "deleted"),
    ],
)
def test_each_mode_is_told_apart(
    mode: Mode, differs: MeasuredOutcome, identical: MeasuredOutcome, rollback: str | None
) -> None:
    site = Site(modes=dict.fromkeys(Case, mode))
    measured = site.measured(RecordKind.ALIAS, RecordKind.CNAME)
    for kind in (RecordKind.ALIAS, RecordKind.CNAME):
        found = of(measured, kind)
        assert (found.differs, found.identical, found.rollback) == (differs, identical, rollback)
    assert_as_before(site)


def test_every_kind_is_measured_with_protections() -> None:
    site = Site()
    measured = site.measured(*RecordKind, protections=True)
    assert [(k.kind, k.differs, k.identical, k.protected) for k in measured.kinds] == [
        (RecordKind.ALIAS, RETRIED, ADOPTED, FAILED),
        (RecordKind.A, FAILED, FAILED, FAILED),
        (RecordKind.CNAME, FAILED, ADOPTED, FAILED),
        (RecordKind.TXT, FAILED, ADOPTED, FAILED),
        (RecordKind.NS, FAILED, ADOPTED, FAILED),
    ]
    assert measured.visible_after is not None
    assert 2.0 <= measured.visible_after <= 11.0
    assert measured.takeover_gap is not None
    assert measured.takeover_gap < 5.0
    assert_as_before(site)


def test_cloudtrail_adds_the_tries_that_no_read_has_shown_and_the_lag_of_events() -> None:
    site = Site(delays=(1, 2, 4), lag=120.0, event_lag=3.0)
    found = of(site.measured(RecordKind.ALIAS))
    assert found.logged >= 1, "with events so late, the first delete comes after the first tries"
    assert_near(found.tries, [1.0, 3.0, 7.0])
    assert found.event_lag == pytest.approx(0.0, abs=0.1)
    assert any("CloudTrail" in told for told in site.told)
    assert_as_before(site)


def test_without_cloudtrail_the_reads_have_to_do() -> None:
    site = Site(lag=None)
    assert of(site.measured(RecordKind.ALIAS)).logged == 0
    assert any("CloudTrail may not be asked" in told for told in site.told)


def test_what_is_logged_of_others_is_no_try() -> None:
    known = MeasuredKind(kind=RecordKind.ALIAS, at=0.0, differs=RETRIED, tries=(3.0,))
    ours = LoggedChange(
        time=1000.0,
        names=("stay.example.com.",),
        actions=("CREATE",),
        error="InvalidChangeBatch",
        by_cloudformation=True,
    )
    others = [
        replace(ours, time=1010.0, names=("other.example.com.",)),
        replace(ours, time=1020.0, by_cloudformation=False),
        replace(ours, time=1030.0, actions=("DELETE",)),
        replace(ours, time=1003.0),
    ]
    merged = merge_logged(
        known, [ours, *others], stayed="stay.example.com", started=1000.0, told={}
    )
    assert merged.tries == (3.0,), "the first attempt and a known try are none of the new ones"
    later = replace(ours, time=1007.0)
    merged = merge_logged(known, [later], stayed="stay.example.com", started=1000.0, told={})
    assert (merged.tries, merged.logged) == ((3.0, 7.5), 1)


def test_killed_at_any_write_what_is_left_is_removed() -> None:
    kinds = (RecordKind.ALIAS, RecordKind.CNAME)
    whole = Ledger()
    Site().measured(*kinds, protections=True, ledger=whole)
    assert {what for what, _ in whole.lines} == {
        *("create-stack", "update-stack", "records", "protect", "unprotect"),
    }
    for at in range(len(whole.lines)):
        site = Site()
        with pytest.raises(KilledError):
            site.measured(*kinds, protections=True, ledger=Ledger(kill_at=at))
        assert_as_before(site)


def test_killed_at_any_time_what_is_left_is_removed() -> None:
    whole = Site()
    began = whole.world.timeline.now
    whole.measured(RecordKind.ALIAS, protections=True)
    lasted = whole.world.timeline.now - began
    for after in range(1, int(lasted), 2):
        site = Site()
        with pytest.raises(KilledError):
            site.measured(RecordKind.ALIAS, protections=True, kill_after=float(after))
        assert_as_before(site)


def test_an_operation_that_would_go_on_for_hours_is_cancelled() -> None:
    site = Site(delays=(1.0, *[900.0] * 10))
    with pytest.raises(KilledError):
        site.measured(RecordKind.ALIAS, kill_after=25.0)
    began = site.world.timeline.now
    assert site.removed() == []
    assert site.world.timeline.now - began < 60.0
    assert_as_before(site)


def test_a_removal_that_is_killed_is_taken_up_again() -> None:
    for at in range(2):
        site = Site()
        with pytest.raises(KilledError):
            site.measured(RecordKind.ALIAS, ledger=Ledger(kill_at=6))
        with pytest.raises(KilledError):
            site.removed(Ledger(kill_at=at))
        assert_as_before(site)


@pytest.mark.parametrize("seed", range(6))
def test_faults_of_calls_leave_nothing_behind(seed: int) -> None:
    rates = FaultRates(throttled=0.05, lost_request=0.02, lost_answer=0.04, unconnected=0.02)
    site = Site(rates=rates, seed=seed)
    found = of(site.measured(RecordKind.ALIAS, protections=True))
    assert found.differs is RETRIED
    given = (1.0, 3.0, 7.0)
    assert all(min(abs(each - g) for g in given) <= 0.5 for each in found.tries), found.tries
    assert_as_before(site)


def test_a_clock_that_is_wrong_changes_no_time() -> None:
    site = Site()
    found = of(site.measured(RecordKind.ALIAS, skew=-37.0))
    assert_near(found.tries, [1.0, 3.0, 7.0])
    assert_as_before(site)


def test_a_stack_of_that_name_that_another_made_is_left() -> None:
    site = Site()
    site.world.stacks.create_stack(
        site.scope.stack_name, {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    )
    site.world.timeline.advance(site.world.timeline.now + 60)
    before = site.state
    (left,) = site.removed()
    assert left.what == f"stack {site.scope.stack_name}"
    assert "not the one" in left.why
    assert site.state == before


def test_what_cannot_be_removed_is_named_with_the_line_that_removes_it() -> None:
    site = Site()
    with pytest.raises(KilledError):
        site.measured(RecordKind.TXT, ledger=Ledger(kill_at=6))
    stack = site.world.stacks.find(site.scope.stack_name)
    assert stack is not None
    stack.is_protected = True
    (left,) = site.removed()
    assert left.command == f"aws cloudformation delete-stack --stack-name {stack.stack_id}"
    assert "TerminationProtection" in left.why
    stack.is_protected = False
    assert_as_before(site)


# -- the scope: the one place that is asked before every write

SCOPE = Scope(run="20261128-120000-measure", zone_id="Z1", zone_name="example.com.")
OURS = record(SCOPE, RecordKind.A, "a-0", new=False)


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Z1", "www.example.com."),
        ("Z1", "example.com."),
        ("Z1", "_takeover-test-20261128-120000-measure.example.org."),
        ("Z1", "_takeover-test-20261128-120001-measure.example.com."),
        ("Z1", "x_takeover-test-20261128-120000-measure.example.com."),
        ("Z2", OURS.name),
    ],
)
@pytest.mark.parametrize("change", [Change.create, Change.delete])
def test_no_other_name_is_written(zone: str, name: str, change: object) -> None:
    SCOPE.check_changes("Z1", [Change.create(OURS), Change.delete(OURS)])
    changed = replace(OURS, name=name)
    wanted = Change.create(changed) if change is Change.create else Change.delete(changed)
    with pytest.raises(OutOfScopeError):
        SCOPE.check_changes(zone, [Change.create(OURS), wanted])


def test_no_other_stack_or_resource_is_made() -> None:
    good = template(SCOPE, {"A0": OURS}, fails=True)
    SCOPE.check_template(good)
    for bad in (
        {**good, "Description": "mine"},
        {**good, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}},
        template(SCOPE, {"A0": replace(OURS, name="www.example.com.")}),
        template(replace(SCOPE, zone_id="Z2"), {"A0": OURS}),
    ):
        with pytest.raises(OutOfScopeError):
            SCOPE.check_template(bad)


def test_the_ports_of_a_measurement_ask_before_they_write() -> None:
    site = Site()

    async def work() -> None:
        bench = site.bench(Ledger())
        with pytest.raises(OutOfScopeError):
            await bench.records.change(site.scope.zone_id, [Change.delete(WWW)], "")
        with pytest.raises(OutOfScopeError):
            await bench.stack.create({"Description": "mine", "Resources": {}})

    site.run(work)
    assert site.world.zones.refused == []
    assert site.state == site.before


def test_a_stack_that_was_not_created_is_never_changed() -> None:
    site = Site()

    async def work() -> None:
        stack = site.bench(Ledger()).stack
        for write in (
            stack.delete(),
            stack.cancel_update(),
            stack.update(template(site.scope, {})),
            stack.protect("www.example.com.", "A"),
        ):
            with pytest.raises(OutOfScopeError):
                await write

    site.run(work)
    assert site.state == site.before


def test_an_alias_points_to_a_throw_away_record() -> None:
    alias = record(SCOPE, RecordKind.ALIAS, "alias-0", new=True)
    assert alias == RecordSet(
        name=f"alias-0.{SCOPE.suffix}",
        type="A",
        alias=AliasTarget(zone_id="Z1", dns_name=f"target-new.{SCOPE.suffix}"),
    )
