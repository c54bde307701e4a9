"""What can go wrong around a takeover, each swept over every moment at which it can.

Whatever happens, a name ends with a record (where only we and CloudFormation wrote), and what
the run says of it is true in the account an hour later: `Rehearsal.broken` and `Rehearsal.absent`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import (
    AccessDeniedError,
    CredentialsError,
    ThrottledError,
    UnansweredError,
)
from route53_takeover.core.endings import Outcome, Stop
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.finish import left_helpers
from route53_takeover.core.takeover.name_state import ABSENT_STAGES
from route53_takeover.simulation.aws.account import MAIN, TWIN, DeployBehavior
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.aws.http.faults import ApiFault
from route53_takeover.simulation.chaos.fault_injection import FaultKind, InjectedFault
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.harness import InjectionPoint
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.chaos.transport import Storm
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    Scenario,
    alias,
    alias_resource,
    cname,
    cname_resource,
    in_zone,
    nested_template,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from route53_takeover.base.errors import ApiError
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Options
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal

CALM = Faults()
NAME = "www.example.com."


def failing(seconds: float, *, after_record: bool = False) -> dict[str, Any]:
    """A resource beside the record that fails after so long."""
    resource: dict[str, Any] = {
        "Type": "AWS::Lambda::Permission",
        "Condition": "Enabled",
        "Metadata": {"Simulation": {"Seconds": seconds, "Fail": "Resource handler failed"}},
    }
    return {**resource, "DependsOn": "DnsRecord"} if after_record else resource


def story(
    name: str, account: AccountSetup, outcome: Outcome = Outcome.DONE, code: int = 0
) -> Scenario:
    return Scenario(name=name, summary=name, account=account, outcome=outcome, exit_code=code)


def of_type(resource: dict[str, Any], record_type: str, **properties: str) -> dict[str, Any]:
    return {
        **resource,
        "Properties": {**resource["Properties"], "Type": record_type, **properties},
    }


CNAME_TO_ALIAS = story(
    "cname-to-alias",
    site_account(
        existing=cname(300),
        template=site_template(
            alias_resource("d1new"), Six=of_type(alias_resource("d1new"), "AAAA")
        ),
    ),
)
IDENTICAL = story(
    "identical-but-retried",
    site_account(existing=alias("d1new"), modes={Case.ALIAS_SAME: Mode.RETRY}),
)
SIX = replace(alias("d1old"), type="AAAA")
BOTH = story(
    "a-and-aaaa",
    replace(
        site_account(
            template=site_template(
                alias_resource("d1new"), Six=of_type(alias_resource("d1new"), "AAAA")
            )
        ),
        existing=(alias("d1old"), SIX),
    ),
)
API = replace(alias("d1old"), name="api.example.com.")
TWO_NAMES = story(
    "two-names",
    replace(
        site_account(
            template=site_template(
                alias_resource("d1new"),
                Api=of_type(alias_resource("d1new"), "A", Name="api.example.com"),
            )
        ),
        existing=(alias("d1old"), API),
    ),
)
MORE = (CNAME_TO_ALIAS, IDENTICAL, BOTH, TWO_NAMES)
COMPOSED = {"killed-in-the-gap", "many"}
"""They add a kill, or many records, to the others: see `test_rehearsals` and the random search."""
SINGLE = [scenario for scenario in SCENARIOS.values() if scenario.name not in COMPOSED]
every_story = pytest.mark.parametrize("scenario", [*SINGLE, *MORE], ids=lambda s: s.name)


def options_for(scenario: Scenario, **changes: object) -> Options:
    options = options_of(scenario)
    if scenario is TWO_NAMES:
        options = replace(options, records=("www.example.com", "api.example.com"))
    return replace(options, **changes)


def rehearse(
    scenario: Scenario,
    faults: Faults = CALM,
    *,
    options: Options | None = None,
    seed: str = "fault",
    **hooks: Any,
) -> Rehearsal:
    return rehearse_once(scenario, seed, faults, options=options or options_for(scenario), **hooks)


def assert_truthful(rehearsal: Rehearsal, note: object = "") -> None:
    said = (note, rehearsal.scenario, rehearsal.result.outcome, rehearsal.result.reason)
    assert rehearsal.broken == (), said
    assert not rehearsal.absent, said


def assert_ended(rehearsal: Rehearsal, outcomes: Iterable[Outcome], note: object = "") -> None:
    assert_truthful(rehearsal, note)
    said = (note, rehearsal.result.exit_code, rehearsal.result.reason)
    assert rehearsal.result.outcome in set(outcomes), (rehearsal.result.outcome, *said)


def batches(rehearsal: Rehearsal, purpose: Purpose | None = None) -> list[ev.WriteIntended]:
    return [
        e
        for e in rehearsal.events
        if isinstance(e, ev.WriteIntended) and purpose in (None, e.purpose)
    ]


_calm: dict[str, Rehearsal] = {}


def calm_run(scenario: Scenario) -> Rehearsal:
    """The run of a scenario in which nothing goes wrong, made once."""
    if scenario.name not in _calm:
        _calm[scenario.name] = rehearse(scenario)
    return _calm[scenario.name]


def purposes(scenario: Scenario) -> list[Purpose]:
    """Why it writes: at a batch of any other purpose nothing can go wrong in it."""
    return [*dict.fromkeys(e.purpose for e in batches(calm_run(scenario)))]


def when(purpose: Purpose, act: Callable[[Harness], None]) -> Callable[..., None]:
    """Acts when the first batch of this purpose is intended."""
    done: list[bool] = []

    def saw(harness: Harness, event: ev.AnyEvent, _state: State) -> None:
        if isinstance(event, ev.WriteIntended) and event.purpose is purpose and not done:
            done.append(True)
            act(harness)

    return saw


def first_lapse(rehearsal: Rehearsal) -> float:
    return rehearsal.events[-1].time - rehearsal.events[0].time


# -- stories with more than one record


@pytest.mark.parametrize("scenario", MORE, ids=lambda s: s.name)
def test_more_than_one_record_is_taken_over_whole(scenario: Scenario) -> None:
    rehearsal = rehearse(scenario)
    assert_ended(rehearsal, [Outcome.DONE])
    assert {r.outcome for r in rehearsal.result.records} == {"created"}


# -- lost answers (safety rule 6)


@every_story
@pytest.mark.parametrize("how", ["lost", "dropped"])
def test_the_answer_to_any_one_batch_may_be_lost(scenario: Scenario, how: str) -> None:
    for n in range(1, len(batches(calm_run(scenario))) + 2):
        numbers = frozenset({n})
        faults = Faults(lost=numbers) if how == "lost" else Faults(dropped=numbers)
        assert_ended(rehearse(scenario, faults), [scenario.outcome], f"{how} {n}")


@every_story
def test_the_answers_to_all_batches_may_be_lost(scenario: Scenario) -> None:
    rehearsal = rehearse(scenario, Faults(lost=frozenset(range(1, 100))))
    assert_truthful(rehearsal)
    for n in (2, 3, 4):
        faults = Faults(dropped=frozenset(range(n, n + 3)), lost=frozenset(range(n + 3, 50)))
        assert_truthful(rehearse(scenario, faults), n)


def test_an_identical_record_is_deleted_again_only_after_ten_seconds_of_retrying() -> None:
    """Safety rule 2."""
    calm = rehearse(IDENTICAL)
    release = next(i for i, e in enumerate(batches(calm), 1) if e.purpose is Purpose.RELEASE)
    rehearsal = rehearse(IDENTICAL, Faults(dropped=frozenset({release})))
    _, second = batches(rehearsal, Purpose.RELEASE)
    (lost,) = [e for e in rehearsal.events if isinstance(e, ev.WriteUnknown)]
    assert second.time - lost.time >= 10.0
    assert_ended(rehearsal, [Outcome.DONE])


def test_a_restore_whose_answer_is_lost_is_settled_by_reading() -> None:
    calm = rehearse(SCENARIOS["rolled-back"])
    restore = next(i for i, e in enumerate(batches(calm), 1) if e.purpose is Purpose.RESTORE)
    for faults in (Faults(lost=frozenset({restore})), Faults(dropped=frozenset({restore}))):
        assert_ended(rehearse(SCENARIOS["rolled-back"], faults), [Outcome.RESTORED])


# -- throttling, and requests that are not complete


def storm(
    harness: Harness, seconds: float, error: Callable[[str], ApiError], only: str = ""
) -> None:
    until = harness.clock.true() + seconds
    harness.transport.storms.append(Storm(until=until, only=only, error=error))
    harness.trouble("storm", seconds)


def throttled(operation: str) -> ApiError:
    return ThrottledError("Rate exceeded", code="Throttling", operation=operation)


def expired(operation: str) -> ApiError:
    return CredentialsError(
        "The security token is expired", code="ExpiredToken", operation=operation
    )


def unanswered(operation: str) -> ApiError:
    return UnansweredError("timed out", operation=operation)


AT_ANY_BATCH = (Purpose.PROVE, Purpose.RELEASE, Purpose.RESTORE)


@every_story
@pytest.mark.parametrize("error", [throttled, unanswered, expired])
def test_a_run_survives_throttling_at_any_batch(
    scenario: Scenario, error: Callable[[str], ApiError]
) -> None:
    for purpose in purposes(scenario):
        for seconds in (3.0, 20.0) if purpose in AT_ANY_BATCH else ():
            hook = when(purpose, lambda harness, s=seconds: storm(harness, s, error))  # type: ignore[misc]
            assert_truthful(rehearse(scenario, saw=hook), (purpose, seconds))


@every_story
@pytest.mark.parametrize("seconds", [2.0, 15.0, 90.0])
def test_a_prior_request_that_is_long_not_complete_is_waited_for(
    scenario: Scenario, seconds: float
) -> None:
    def hold(harness: Harness) -> None:
        zone = harness.world.zone.zone_id
        harness.world.zones.hold_zone(zone, harness.clock.true() + seconds)
        harness.trouble("busy", seconds)

    for purpose in purposes(scenario):
        if purpose in AT_ANY_BATCH:
            assert_truthful(rehearse(scenario, saw=when(purpose, hold)), purpose)


@pytest.mark.parametrize("name", ["nested", "cname"])
def test_a_template_that_cannot_be_read_at_first_is_read_later(name: str) -> None:
    """Where the events do not say what is created, nothing else does."""

    def throttle(harness: Harness, event: ev.AnyEvent, _state: State) -> None:
        if isinstance(event, ev.DeployIntended) and event.switch == "on":
            storm(harness, 6.0, throttled, only="GetTemplate")

    rehearsal = rehearse(SCENARIOS[name], Faults(mute=1.0), saw=throttle)
    assert_ended(rehearsal, [Outcome.DONE])
    assert [e for e in rehearsal.events if isinstance(e, ev.TemplateRead) and not e.template]


# -- what is read is late


@every_story
@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_events_may_come_late_twice_and_out_of_order(scenario: Scenario, seed: str) -> None:
    for delay in (1.5, 6.0, 20.0):
        faults = Faults(event_delays=(0.0, delay), repeats=0.5)
        assert_truthful(rehearse(scenario, faults, seed=seed), delay)


@every_story
def test_reads_of_a_name_may_be_stale_for_seconds(scenario: Scenario) -> None:
    for behind in (0.5, 1.5, 3.0, 4.5):

        def begin(harness: Harness, behind: float = behind) -> None:
            harness.transport.behind = behind

        assert_truthful(rehearse(scenario, begin=begin), behind)


@every_story
def test_reads_of_a_name_may_fail_when_it_matters_most(scenario: Scenario) -> None:
    for purpose in purposes(scenario):
        for seconds in (5.0, 100.0) if purpose in (Purpose.LOWER, *AT_ANY_BATCH) else ():

            def act(harness: Harness, seconds: float = seconds) -> None:
                storm(harness, seconds, throttled, "ListResourceRecordSets")

            assert_truthful(rehearse(scenario, saw=when(purpose, act)), (purpose, seconds))


@every_story
def test_stack_events_may_be_unreadable_for_a_while(scenario: Scenario) -> None:
    for start in (0.0, 4.0, 9.0, 14.0):

        def begin(harness: Harness, start: float = start) -> None:
            harness.after(start, lambda: storm(harness, 40.0, throttled, "cloudformation"))

        assert_truthful(rehearse(scenario, begin=begin), start)


def test_expired_credentials_before_a_release_end_the_run_truthfully() -> None:
    for scenario in (SCENARIOS["alias"], SCENARIOS["cname"], TWO_NAMES):
        for start in (0.0, 0.2, 1.0, 5.0, 8.0):

            def begin(harness: Harness, start: float = start) -> None:
                harness.after(start, lambda: storm(harness, 1e9, expired))

            rehearsal = rehearse(scenario, begin=begin)
            assert_truthful(rehearsal, start)
            assert not batches(rehearsal, Purpose.RELEASE)
            assert rehearsal.result.exit_code in (1, 4)
            assert first_lapse(rehearsal) < 1800, start


def test_expired_credentials_in_the_gap_are_waited_for_for_ever() -> None:
    """An hour is four times as long as a run waits for anything else (`completion.is_blind`)."""

    def act(harness: Harness) -> None:
        harness.after(0.2, lambda: storm(harness, 3600.0, expired))

    scenario = SCENARIOS["rolled-back"]
    options = options_for(scenario, deploy_timeout=600.0)
    rehearsal = rehearse(scenario, options=options, saw=when(Purpose.RELEASE, act))
    assert_ended(rehearsal, [Outcome.RESTORED])
    assert rehearsal.events[-1].time - rehearsal.events[0].time > 3600.0


# -- CloudFormation turns back


@pytest.mark.parametrize("more", [0.0, 0.3, 0.6])
def test_a_rollback_at_any_point_leaves_the_record_as_it_was(more: float) -> None:
    for k in range(1, 32):
        template = site_template(alias_resource("d1new"), Sibling=failing(k + more))
        scenario = story("sibling", site_account(template=template))
        rehearsal = rehearse(scenario)
        assert_ended(rehearsal, [Outcome.FAILED, Outcome.RESTORED], k)
        assert batches(rehearsal, Purpose.RESTORE) or rehearsal.gap_seconds == 0


def test_a_rollback_of_a_nested_stack_at_any_point_leaves_the_record_as_it_was() -> None:
    for k in range(1, 30, 2):
        child = site_template(alias_resource("d1new"), Sibling=failing(k + 0.5))
        scenario = story("nested-sibling", site_account(template=nested_template(child)))
        assert_ended(rehearse(scenario), [Outcome.FAILED, Outcome.RESTORED], k)


@pytest.mark.parametrize("scenario", [CNAME_TO_ALIAS, SCENARIOS["cname"]], ids=lambda s: s.name)
def test_a_lowered_ttl_is_put_back_to_the_letter_after_a_rollback(scenario: Scenario) -> None:
    desired = cname_resource() if scenario.name == "cname" else alias_resource("d1new")
    for k in (1, 3, 5, 8, 12, 16, 20, 40):
        template = site_template(desired, Sibling=failing(k))
        changed = replace(scenario, account=replace(scenario.account, template=template))
        rehearsal = rehearse(changed)
        assert_ended(rehearsal, [Outcome.FAILED, Outcome.RESTORED], k)
        assert rehearsal.state.names[NAME].handovers[0].standing == cname(300), k


@pytest.mark.parametrize("k", [1, 4, 6, 9, 14])
def test_a_rollback_that_fails_is_unknown_and_the_record_stands(k: int) -> None:
    account = site_account(template=site_template(alias_resource("d1new"), Sibling=failing(k)))
    account = replace(account, config=replace(account.config, fail_rollback="not now"))
    rehearsal = rehearse(story("rollback-failed", account))
    assert_ended(rehearsal, [Outcome.UNKNOWN], k)
    assert rehearsal.result.exit_code == 4


def test_a_record_that_a_failed_rollback_retains_is_not_called_restored() -> None:
    record = {**alias_resource("d1new"), "DeletionPolicy": "Retain"}
    template = site_template(record, Permission=failing(3, after_record=True))
    rehearsal = rehearse(story("retained", site_account(template=template)))
    assert_ended(rehearsal, [Outcome.UNKNOWN])
    assert rehearsal.result.exit_code == 4


def test_a_switch_that_leaves_one_record_on_does_not_end_as_if_the_manual_ones_stood() -> None:
    api = of_type(alias_resource("d1new"), "A", Name="api.example.com")
    always = {key: value for key, value in api.items() if key != "Condition"}
    account = replace(
        site_account(
            template=site_template(alias_resource("d1new"), Api=always),
            exists=False,
            modes={Case.ALIAS_DIFFERS: Mode.OVERWRITE},
        ),
        existing=(alias("d1old"), API),
    )
    scenario = story("half on", account)
    options = replace(options_of(scenario), records=("www.example.com", "api.example.com"))
    rehearsal = rehearse(scenario, options=options)
    assert_ended(rehearsal, [Outcome.UNKNOWN])
    assert "the switch has no effect on it" in rehearsal.result.reason
    assert (
        "shop owns api.example.com A now, but not every record of the plan"
        in rehearsal.result.reason
    )


@pytest.mark.parametrize("delay", [0.05, 0.15])
def test_a_clean_up_that_deletes_the_new_record_is_noticed_and_the_old_one_restored(
    delay: float,
) -> None:
    """Safety rule 4: what succeeded once may be needed again."""

    def begin(harness: Harness) -> None:
        def deleted() -> None:
            (there,) = harness.world.holds(NAME)
            harness.world.write([("DELETE", there)], by="cloudformation")

        def on_event(row: StackEventRow) -> None:
            if (
                row.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
                and "on" in harness.world.deploys
            ):
                harness.after(delay, deleted)

        harness.world.stacks.on_event.append(on_event)

    for scenario in (replace(SCENARIOS["alias"], account=site_account()), SCENARIOS["cname"]):
        rehearsal = rehearse(scenario, begin=begin)
        assert_ended(rehearsal, [Outcome.RESTORED])
        assert batches(rehearsal, Purpose.RESTORE)
        assert "was deleted again after CloudFormation had created it" in rehearsal.result.reason
        assert "the stack still lists DnsRecord as its own" in rehearsal.result.reason


def test_a_record_that_goes_while_the_deploy_hangs_and_its_stack_rests_is_missed_in_time() -> None:
    def begin(harness: Harness) -> None:
        def deleted() -> None:
            (there,) = harness.world.holds(NAME)
            harness.world.write([("DELETE", there)], by="cloudformation")

        harness.after(120.0, deleted)

    scenario = SCENARIOS["failed-at-once"]
    hangs = replace(scenario, account=replace(scenario.account, habit=DeployBehavior.HANGS))
    rehearsal = rehearse(hangs, begin=begin)
    assert_ended(rehearsal, [Outcome.RESTORED])
    assert 0 < rehearsal.gap_seconds < 40


def test_a_stack_that_is_made_anew_while_its_operation_is_awaited_is_followed() -> None:
    """With --no-deploy another user may delete it and deploy under the same name."""
    scenario = SCENARIOS["alias"]
    options = options_for(scenario, deploy_off=None, deploy_on=None)

    def begin(harness: Harness) -> None:
        harness.after(5.0, lambda: harness.world.stacks.delete_stack("shop"))
        harness.after(100.0, lambda: harness.world.start_deploy("on"))

    account = site_account(modes={Case.ALIAS_DIFFERS: Mode.RETRY})
    rehearsal = rehearse(replace(scenario, account=account), options=options, begin=begin)
    assert_ended(rehearsal, [Outcome.DONE])


def test_a_stack_that_is_deleted_meanwhile_leaves_a_record() -> None:
    for scenario in (SCENARIOS["alias"], SCENARIOS["nested"], SCENARIOS["never-created"]):
        for t in (1, 3, 5, 8, 10, 14, 18, 22, 24, 26):

            def begin(harness: Harness, t: int = t) -> None:
                def delete() -> None:
                    try:
                        harness.world.stacks.delete_stack("shop")
                    except ApiFault:  # it is busy: as soon as it is not
                        harness.after(0.3, delete)

                harness.after(t, delete)

            rehearsal = rehearse(scenario, begin=begin)
            assert rehearsal.broken == () or rehearsal.result.exit_code == 0, (scenario.name, t)
            assert not rehearsal.absent or rehearsal.result.exit_code == 0, (scenario.name, t)


# -- the deadman


def test_the_deadman_puts_the_record_back_though_cloudformation_might_have_come() -> None:
    """Safety rule 5: once, and no second release."""
    scenario = story("late", site_account(retry_delays=(1, 150, 30)))
    rehearsal = rehearse(scenario)
    assert_ended(rehearsal, [Outcome.RESTORED])
    assert 60 <= rehearsal.gap_seconds <= 62
    assert len(batches(rehearsal, Purpose.RELEASE)) == 1


def test_the_deadman_is_twice_the_time_in_progress_and_five_minutes_at_most() -> None:
    for hold, gap in ((10.0, 60.0), (50.0, 100.0), (200.0, 300.0)):
        scenario = story("late", site_account(retry_delays=(1, 3000)))
        rehearsal = rehearse(scenario, options=options_for(scenario, hold=hold))
        assert gap <= rehearsal.gap_seconds <= gap + 6, hold


def test_a_restore_at_the_instant_of_cloudformations_retry_has_one_winner() -> None:
    scenario = story("race", site_account(retry_delays=(1, 8, 8, 8)))
    won = set()
    for tenths in range(10, 140, 2):
        options = options_for(scenario, restore_after=tenths / 10)
        rehearsal = rehearse(scenario, options=options)
        assert_ended(rehearsal, [Outcome.DONE, Outcome.RESTORED], tenths)
        won.add(rehearsal.result.outcome)
    assert won == {"done", "restored"}


# -- another writer


@pytest.mark.parametrize("name", ["alias", "cname", "never-created", "rolled-back"])
@pytest.mark.parametrize("deed", ["edit", "delete", "make identical"])
def test_another_writer_may_change_the_record_at_any_time(name: str, deed: str) -> None:
    scenario = SCENARIOS[name]
    lasts = first_lapse(rehearse(scenario))
    for step in range(24):
        t = step * min(lasts, 90.0) / 24

        def begin(harness: Harness, t: float = t) -> None:
            def act() -> None:
                here = harness.world.holds(NAME)
                if deed == "delete":
                    if here:
                        harness.world.write([("DELETE", record) for record in here])
                    return
                edited: RecordSet = alias("d1other") if deed == "edit" else alias("d1new")
                if name == "cname":
                    edited = replace(cname(60 if deed != "edit" else 77))
                harness.world.write([("UPSERT", edited)])

            harness.after(t, act)

        rehearsal = rehearse(scenario, begin=begin)
        if rehearsal.absent:
            assert deed == "delete"
            assert rehearsal.result.exit_code in {4, 0}, t
        said = (t, rehearsal.result.outcome, rehearsal.result.reason)
        assert rehearsal.broken == (), said


# -- deploy commands


def deployed(scenario: Scenario, habit: DeployBehavior) -> Scenario:
    return replace(scenario, account=replace(scenario.account, habit=habit))


@pytest.mark.parametrize("scenario", [*MORE[:1], *SINGLE], ids=lambda s: s.name)
@pytest.mark.parametrize(
    "habit", [DeployBehavior.EXITS_EARLY, DeployBehavior.LINGERS, DeployBehavior.HANGS]
)
def test_a_deploys_exit_is_a_hint_and_not_the_truth(
    scenario: Scenario, habit: DeployBehavior
) -> None:
    rehearsal = rehearse(deployed(scenario, habit))
    assert_ended(rehearsal, [scenario.outcome])


@pytest.mark.parametrize("name", ["alias", "cname", "adopted"])
def test_a_deploy_that_exits_0_and_deploys_nothing_is_a_failure_with_that_reason(name: str) -> None:
    rehearsal = rehearse(deployed(SCENARIOS[name], DeployBehavior.DECLINED))
    assert_ended(rehearsal, [Outcome.FAILED])
    assert "exited 0, but nothing was deployed" in rehearsal.result.reason


@pytest.mark.parametrize("name", ["alias", "cname"])
@pytest.mark.parametrize(
    "habit",
    [
        DeployBehavior.DIES,
        DeployBehavior.NEVER_BEGINS,
        DeployBehavior.IGNORES_SIGNALS,
        DeployBehavior.LATER,
    ],
)
def test_a_deploy_that_comes_to_nothing_in_time_leaves_the_record_as_it_was(
    name: str, habit: DeployBehavior
) -> None:
    rehearsal = rehearse(deployed(SCENARIOS[name], habit))
    assert_ended(rehearsal, [Outcome.FAILED])
    assert "nothing was deployed" in rehearsal.result.reason
    assert rehearsal.gap_seconds == 0


@pytest.mark.parametrize("name", ["nested", "cname", "rolled-back"])
def test_a_second_operation_of_the_same_deploy_is_waited_for(name: str) -> None:
    scenario = SCENARIOS[name]
    rehearsal = rehearse(deployed(scenario, DeployBehavior.TWICE))
    assert_ended(rehearsal, [scenario.outcome])


# -- the stack takes the record before its turn


def takes_the_record(harness: Harness) -> None:
    """Another user deploys with the switch on while the old TTL drains; CloudFormation adopts."""
    world = harness.world
    enabled = {"Route53Enable": "true"}
    world.stacks.update_stack(world.account.stack, world.account.template, enabled)


LOWERED = SCENARIOS["cname"]


def test_a_deploy_with_the_switch_off_is_not_started_once_the_stack_owns_the_record() -> None:
    """It would delete it."""
    rehearsal = rehearse(LOWERED, begin=lambda s: s.after(100.0, lambda: takes_the_record(s)))
    assert_truthful(rehearsal)
    assert not any(isinstance(e, ev.DeployIntended) for e in rehearsal.events)
    assert rehearsal.gap_seconds == 0


def test_a_lowered_ttl_that_the_stack_adopted_meanwhile_is_not_put_back() -> None:
    def begin(harness: Harness) -> None:
        harness.after(100.0, lambda: takes_the_record(harness))
        harness.later(150.0, lambda: harness.engine.interrupt("SIGINT"))

    rehearsal = rehearse(LOWERED, begin=begin)
    assert_truthful(rehearsal)
    assert not batches(rehearsal, Purpose.UNDO)
    read = rehearsal.state.names[NAME].read
    assert read is not None
    assert read.records == (cname(60),)


def test_a_private_zones_record_of_the_name_is_not_mistaken_for_the_one_to_hand_over() -> None:
    """The stack has had it all along: it is none of a deploy that adopted the lowered record."""
    twin = in_zone(cname_resource(), TWIN)
    always = {k: v for k, v in twin.items() if k not in ("Condition", "DependsOn")}
    template = site_template(in_zone(cname_resource(), MAIN), Twin=always)
    account = replace(LOWERED.account, template=template, twin=True)
    scenario = story("twin", account)
    options = options_for(scenario, deploy_off=None)
    assert_ended(rehearse(scenario, options=options), [Outcome.DONE])
    for seconds in (50.0, 305.0, 320.0):

        def begin(harness: Harness, seconds: float = seconds) -> None:
            harness.later(seconds, lambda: harness.engine.interrupt("SIGINT"))

        stopped = rehearse(scenario, options=options, begin=begin)
        assert stopped.result.outcome in (Outcome.ABORTED, Outcome.DONE), seconds
        assert (stopped.result.outcome == Outcome.DONE) == (seconds > 310), seconds
        assert_truthful(stopped, seconds)
    declined = rehearse(deployed(scenario, DeployBehavior.DECLINED), options=options)
    assert_ended(declined, [Outcome.FAILED])
    assert declined.state.names[NAME].handovers[0].standing == cname(300)


# -- the stack's own list


def denied(operation: str) -> ApiError:
    return AccessDeniedError("not authorized", code="AccessDenied", operation=operation)


@pytest.mark.parametrize("seconds", [0.9, 1.1, 3.5])
def test_a_list_may_take_its_time(seconds: float) -> None:
    def begin(harness: Harness) -> None:
        harness.transport.slow, harness.transport.slow_only = seconds, "ListStackResources"

    assert_ended(rehearse(IDENTICAL, begin=begin), [Outcome.DONE])


@every_story
@pytest.mark.parametrize("start", [0.0, 8.0])
def test_a_stack_whose_list_is_denied_ends_in_time_and_leaves_a_record(
    scenario: Scenario, start: float
) -> None:
    def begin(harness: Harness) -> None:
        harness.after(start, lambda: storm(harness, 1e9, denied, "ListStackResources"))

    rehearsal = rehearse(scenario, begin=begin)
    assert_truthful(rehearsal, start)
    # After a release the run waits until --deploy-timeout: another user may fix it meanwhile.
    assert first_lapse(rehearsal) < (7500 if rehearsal.gap_seconds else 1000)
    assert rehearsal.result.api_calls is not None
    lists = rehearsal.result.api_calls["cloudformation:ListStackResources"]
    assert lists < 50 + first_lapse(rehearsal) / 8


def test_an_interrupt_puts_the_ttl_back_in_seconds_though_no_list_can_be_read() -> None:
    def begin(harness: Harness) -> None:
        harness.later(50.0, lambda: storm(harness, 1e9, denied, "cloudformation"))
        harness.later(60.0, lambda: harness.engine.interrupt("SIGINT"))

    rehearsal = rehearse(LOWERED, begin=begin)
    assert_ended(rehearsal, [Outcome.ABORTED])
    assert rehearsal.state.names[NAME].handovers[0].standing == cname(300)
    assert first_lapse(rehearsal) < 90


# -- interrupts (safety rule 7)


def interrupted_at(number: int, *, again: float | None = None) -> Callable[..., None]:
    """Told to stop after so many events, and once more ``again`` seconds later."""
    seen: list[int] = []

    def ask(harness: Harness) -> None:
        if not harness.task.done():
            harness.engine.interrupt("SIGINT")

    def saw(harness: Harness, _event: ev.AnyEvent, _state: State) -> None:
        seen.append(1)
        if len(seen) == number:
            ask(harness)
            if again is not None:
                harness.later(again, lambda: ask(harness))

    return saw


STEPS = {"never-created": 17, "nested": 5, "many": 11}
"""Events between two that are tried; of ten names the same is told ten times."""


@every_story
def test_an_interrupt_before_a_release_undoes_all_and_after_it_guards_to_the_end(
    scenario: Scenario,
) -> None:
    """Safety rule 7."""
    total = len(calm_run(scenario).events)
    for n in range(1, total, STEPS.get(scenario.name, 3)):
        rehearsal = rehearse(scenario, saw=interrupted_at(n))
        assert_truthful(rehearsal, n)
        if rehearsal.result.outcome == Outcome.ABORTED:
            assert rehearsal.result.exit_code == 130
            assert not rehearsal.gap_seconds
        else:
            ends = {scenario.outcome, Outcome.DONE, Outcome.FAILED}
            if scenario.strategy is Strategy.BRIDGE:
                ends.add(Outcome.RESTORED)  # released before anything was deployed
            assert rehearsal.result.outcome in ends, n


@every_story
def test_a_second_interrupt_stops_at_once_and_a_resume_ends_well(scenario: Scenario) -> None:
    total = len(calm_run(scenario).events)
    lives = []
    for n in range(1, total, 2 * STEPS.get(scenario.name, 3)):
        stopped = rehearse(scenario, Faults(resumes=1), saw=interrupted_at(n, again=2.0))
        assert_truthful(stopped, n)
        lives.append(stopped.lives)
        if stopped.lives == 2:
            resumed = next(e for e in stopped.events if isinstance(e, ev.RunResumed))
            assert stopped.result.outcome != Outcome.UNKNOWN, (n, stopped.result.reason, resumed)
    assert set(lives) <= {1, 2, 2 + scenario.killed}
    if scenario.outcome is not Outcome.FAILED:
        assert 2 in lives, "in the gap, or while guarding, the second one stops at once"


def test_signals_that_arrive_together_do_not_leave_the_name_empty() -> None:
    """Safety rule 7: a launcher, a terminal and systemd may each deliver one for the same cause."""
    stop = InjectedFault(deed=FaultKind.STOP, cue=InjectionPoint.RELEASE, delay=1.0)
    rehearsal = rehearse(SCENARIOS["never-created"], Faults(injected=(stop,)))
    assert_truthful(rehearsal)
    assert rehearsal.lives == 1, "it was not stopped at once"
    assert rehearsal.state.interrupts == (Stop("SIGTERM"),)
    assert rehearsal.result.outcome == Outcome.RESTORED


# -- a journal that cannot be written (safety rule 8)


@every_story
def test_a_journal_that_breaks_at_any_append_never_stops_a_rescue(scenario: Scenario) -> None:
    """Safety rule 8."""
    total = len(calm_run(scenario).events)
    for n in range(1, total, STEPS.get(scenario.name, 3)):
        rehearsal = rehearse(scenario, Faults(journal_holds=n))
        assert_truthful(rehearsal, n)
        if rehearsal.lives > 1:
            continue  # killed by its scenario, and resumed with room on the disk
        state = rehearsal.state
        touched = rehearsal.gap_seconds > 0 or state.ever_released or left_helpers(state)
        code = 2 if rehearsal.state.backup_failed else 4 if touched else 1
        assert rehearsal.result.exit_code == code, (n, rehearsal.result.reason)


@pytest.mark.parametrize("switch", ["off", "on"])
def test_a_deploy_whose_intent_cannot_be_kept_is_not_waited_for(switch: str) -> None:
    """It is not started; and the record is deleted by another writer: nothing else ends the run."""
    scenario = SCENARIOS["cname"]
    calm = rehearse(scenario)
    kept = [isinstance(e, ev.DeployIntended) and e.switch == switch for e in calm.events]
    exits = []

    def saw(harness: Harness, event: ev.AnyEvent, _state: State) -> None:
        if isinstance(event, ev.JournalFailed):
            harness.world.write([("DELETE", r) for r in harness.world.holds(NAME)])
        if isinstance(event, ev.DeployExited):
            exits.append((event.switch, event.code))

    rehearsal = rehearse(scenario, Faults(journal_holds=kept.index(True)), saw=saw)
    assert rehearsal.broken == ()
    assert (rehearsal.result.outcome, rehearsal.result.exit_code) == (Outcome.UNKNOWN, 4)
    assert (switch, 127) in exits


# -- options


def test_no_deploy_joins_an_operation_that_is_under_way_or_still_to_come() -> None:
    """Safety rule 9."""
    for scenario in (replace(SCENARIOS["alias"], account=site_account()), SCENARIOS["nested"]):
        for t in (0.0, 0.1, 0.5, 1.0, 3.0, 8.0, 300.0):
            options = options_for(scenario, deploy_off=None, deploy_on=None)

            def begin(harness: Harness, t: float = t) -> None:
                harness.after(t, lambda: harness.world.start_deploy("on"))

            assert_ended(rehearse(scenario, options=options, begin=begin), [Outcome.DONE], t)


def test_a_run_with_no_deploy_ends_when_no_deploy_starts_in_time() -> None:
    scenario = SCENARIOS["cname"]
    options = options_for(scenario, deploy_off=None, deploy_on=None, deploy_timeout=600.0)
    rehearsal = rehearse(scenario, options=options)
    assert_ended(rehearsal, [Outcome.FAILED])
    assert "--deploy-timeout" in rehearsal.result.reason


def test_skip_off_deploys_once_and_no_drain_does_not_wait() -> None:
    scenario = SCENARIOS["cname"]
    rehearsal = rehearse(scenario, options=options_for(scenario, deploy_off=None, drain=False))
    assert_ended(rehearsal, [Outcome.DONE])
    assert [e.switch for e in rehearsal.events if isinstance(e, ev.DeployIntended)] == ["on"]
    assert first_lapse(rehearsal) < 120


@pytest.mark.parametrize("hold", [0.0, 1.0, 7.0, 20.0])
def test_the_hold_is_kept_to_the_second(hold: float) -> None:
    scenario = SCENARIOS["alias"]
    rehearsal = rehearse(scenario, options=options_for(scenario, hold=hold))
    polled = next(
        e.time
        for e in rehearsal.events
        if isinstance(e, ev.StackPolled)
        and any(x.logical_id == "DnsRecord" and x.status == "CREATE_IN_PROGRESS" for x in e.events)
    )
    (release,) = batches(rehearsal, Purpose.RELEASE)
    assert hold <= release.time - polled <= hold + 1.6
    assert_ended(rehearsal, [Outcome.DONE])


@pytest.mark.parametrize("seconds", [1.0, 5.0, 20.0, 90.0])
def test_restore_after_is_kept_to_the_second(seconds: float) -> None:
    scenario = story("late", site_account(retry_delays=(1, 300)))
    rehearsal = rehearse(scenario, options=options_for(scenario, restore_after=seconds))
    assert_ended(rehearsal, [Outcome.RESTORED])
    assert seconds <= rehearsal.gap_seconds <= seconds + 1.5


def test_no_ended_state_has_an_absent_name_unless_it_says_unknown() -> None:
    for scenario in MORE:
        state = rehearse(scenario).state
        assert not any(h.stage in ABSENT_STAGES for h in state.handovers)
