"""The strategies without a gap: what each comes to, whatever CloudFormation does about the record.

The sweeps over kills, lost answers and other faults are those of every scenario
(`test_rehearsals`, `test_faults`); here is what only a strategy can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.simulated_runs.test_faults import assert_truthful, batches, failing, when

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    Scenario,
    alias,
    alias_resource,
    cname,
    group_of,
    like,
    routed_resource,
    site_account,
    site_template,
    weighted_template,
    with_groups,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal

MODES = (Mode.RETRY, Mode.ADOPT, Mode.FAIL, Mode.OVERWRITE)
NEW = alias_resource("d1new")
SIX = like(NEW, Type="AAAA")
APEX = "example.com."
WILDCARD = "*.example.com."
TXT = RecordSet(name="www.example.com.", type="TXT", ttl=60, values=('"x"',))


def at(record: RecordSet, name: str, **changes: Any) -> RecordSet:
    return replace(record, name=name, **changes)


def account(*existing: RecordSet, template: Any = None, mode: Mode = Mode.RETRY) -> AccountSetup:
    setup = site_account(template=template, modes=dict.fromkeys(Case, mode))
    setup = replace(setup, existing=existing or (alias("d1old"),))
    return with_groups(setup, mode)


PLACES: dict[str, Callable[[Mode], AccountSetup]] = {
    "below": lambda mode: account(mode=mode),
    "apex": lambda mode: account(
        at(alias("d1old"), APEX), template=site_template(like(NEW, Name="example.com")), mode=mode
    ),
    "sibling": lambda mode: account(
        alias("d1old"), at(alias("d1old"), "api.example.com."), mode=mode
    ),
    "names below": lambda mode: account(
        alias("d1old"), at(alias("d1old"), "a.www.example.com."), mode=mode
    ),
    "two types": lambda mode: account(
        alias("d1old"),
        replace(alias("d1old"), type="AAAA"),
        template=site_template(NEW, Six=SIX),
        mode=mode,
    ),
    "group": lambda mode: account(
        alias("d1old"),
        replace(alias("d1old"), type="AAAA"),
        template=site_template(group_of(NEW, SIX)),
        mode=mode,
    ),
    "another type": lambda mode: account(cname(60), mode=mode),
}
"""Where the record is, and what stands around it."""
NO_BRIDGE = {"apex", "names below"}
NO_ADOPTION = {"group", "another type"}
NO_WEIGHTS = {"group", "another type"}


def run(
    setup: AccountSetup,
    strategy: Strategy,
    *,
    saw: Callable[[Harness, ev.AnyEvent, State], None] = lambda *_: None,
    faults: Faults | None = None,
    **options: object,
) -> Rehearsal:
    name = setup.existing[0].name.removesuffix(".")
    scenario = Scenario(
        name="strategy",
        summary="",
        account=setup,
        record=name,
        strategy=strategy,
        outcome=Outcome.DONE,
        exit_code=0,
    )
    asked = replace(options_of(scenario), **options)
    return rehearse_once(scenario, "strategy", faults or Faults(), options=asked, saw=saw)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", PLACES)
def test_a_bridge_has_no_gap_whatever_cloudformation_does(place: str, mode: Mode) -> None:
    if place in NO_BRIDGE:
        with pytest.raises(RefusedError, match="--strategy bridge is not possible"):
            run(PLACES[place](mode), Strategy.BRIDGE)
        return
    rehearsal = run(PLACES[place](mode), Strategy.BRIDGE)
    assert_truthful(rehearsal)
    assert rehearsal.result.outcome == Outcome.DONE
    assert rehearsal.gap_seconds == 0
    assert {r.gap_seconds for r in rehearsal.result.records} == {0.0}
    assert {r.observed for r in rehearsal.result.records} == {"created"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", PLACES)
def test_an_adoption_has_no_gap_but_where_it_is_retried_without_a_bridge(
    place: str, mode: Mode
) -> None:
    if place in NO_ADOPTION:
        with pytest.raises(RefusedError, match="--strategy adopt is not possible"):
            run(PLACES[place](mode), Strategy.ADOPT)
        return
    rehearsal = run(PLACES[place](mode), Strategy.ADOPT)
    assert_truthful(rehearsal)
    assert rehearsal.result.outcome == (Outcome.FAILED if mode is Mode.FAIL else Outcome.DONE)
    assert (rehearsal.gap_seconds > 0) == (mode is Mode.RETRY and place in NO_BRIDGE)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("place", PLACES)
def test_weights_move_without_a_gap(place: str, mode: Mode) -> None:
    setup = PLACES[place](mode)
    setup = replace(setup, template=weighted_template(setup.template))
    if place in NO_WEIGHTS:
        with pytest.raises(RefusedError, match="--strategy weighted is not possible"):
            run(setup, Strategy.WEIGHTED)
        return
    rehearsal = run(setup, Strategy.WEIGHTED, weights=(50, 100), weight_every=20.0)
    assert_truthful(rehearsal)
    assert rehearsal.result.outcome == Outcome.DONE
    assert rehearsal.gap_seconds == 0
    steps = [c.record for b in batches(rehearsal, Purpose.WEIGH) for c in b.changes]
    assert {dict(record.routing)["Weight"] for record in steps} == {"255", "10", "0"}


@pytest.mark.parametrize("place", PLACES)
def test_auto_has_no_gap_where_there_is_a_way_without(place: str) -> None:
    rehearsal = run(PLACES[place](Mode.RETRY), Strategy.AUTO)
    assert_truthful(rehearsal)
    assert rehearsal.result.outcome == Outcome.DONE
    assert (rehearsal.gap_seconds > 0) == (place in NO_BRIDGE)


PLAIN = RecordSet(name="www.example.com.", type="A", ttl=60, values=("192.0.2.1",))


@pytest.mark.parametrize(
    ("existing", "why"),
    [
        ((alias("d1old"), TXT), "www.example.com TXT stands at the name, too"),
        ((alias("d1old"), at(alias("d1any"), WILDCARD)), "*.example.com A exists already"),
        ((at(alias("d1old"), WILDCARD),), "is a wildcard itself"),
        (
            (
                alias("d1old"),
                RecordSet(
                    name="m.example.com.",
                    type="A",
                    alias=AliasTarget(zone_id="ZSIMULATED0001", dns_name="www.example.com."),
                ),
            ),
            "m.example.com A is an alias to the name",
        ),
        (
            (replace(cname(60), values=("nothing.example.com",)),),
            "leads to a name that the wildcard would answer for itself",
        ),
    ],
)
def test_a_bridge_is_refused_where_a_wildcard_would_not_answer(
    existing: tuple[RecordSet, ...], why: str
) -> None:
    name = existing[0].name.removesuffix(".")
    kind = "CNAME" if existing[0].type == "CNAME" else "A"
    template = site_template(like(NEW, Name=name.replace("\\052", "*"), Type=kind))
    with pytest.raises(RefusedError, match=why.replace("*", r"\*")):
        run(account(*existing, template=template), Strategy.BRIDGE)


def test_a_plain_record_is_refused_with_a_bridge_as_the_way_out() -> None:
    with pytest.raises(RefusedError) as refused:
        run(account(PLAIN), Strategy.DELETE)
    assert "Use --strategy bridge, which has no gap" in str(refused.value)


def test_weights_that_cannot_be_are_refused_with_the_least_share() -> None:
    template = weighted_template(site_template(like(NEW)))
    with pytest.raises(RefusedError, match="it answers 4 % as soon as it is created"):
        run(account(template=template), Strategy.WEIGHTED, weights=(1, 100))


# -- what others may do meanwhile


def upsert(harness: Harness, record: RecordSet) -> None:
    harness.world.zones.change(harness.world.zone.zone_id, [("UPSERT", record)], by="a person")


def delete(harness: Harness, record: RecordSet) -> None:
    harness.world.zones.change(harness.world.zone.zone_id, [("DELETE", record)], by="a person")


@pytest.mark.parametrize("phase", [Phase.PREPARE, Phase.WATCH])
def test_a_wildcard_that_another_writer_changes_is_left_and_the_record_comes_back(
    phase: Phase,
) -> None:
    done: list[bool] = []

    def saw(harness: Harness, _event: ev.AnyEvent, state: State) -> None:
        gone = all(name.is_absent for name in state.names.values())
        if state.phase is phase and gone and not done:
            done.append(True)
            upsert(harness, at(alias("d1other"), WILDCARD))

    rehearsal = run(account(mode=Mode.NEVER), Strategy.BRIDGE, saw=saw)
    assert_truthful(rehearsal)
    assert done
    assert "*.example.com" in rehearsal.result.reason
    assert rehearsal.result.exit_code == 4 or rehearsal.result.outcome == Outcome.DONE
    zone = [what for _, what in rehearsal.history if "*.example.com" in what]
    assert "a person" in zone[-1], "the other writer's wildcard is left"


def test_a_wildcard_that_is_deleted_while_the_name_is_gone_brings_the_record_back_at_once() -> None:
    def saw(harness: Harness, event: ev.AnyEvent, _state: State) -> None:
        if isinstance(event, ev.DeployIntended) and event.switch == "on":
            delete(harness, at(alias("d1old"), WILDCARD))

    rehearsal = run(account(), Strategy.BRIDGE, saw=saw)
    assert_truthful(rehearsal)
    assert 0 < rehearsal.gap_seconds < 15, "until the next look at the wildcard, and a restore"
    (record,) = rehearsal.result.records
    assert record.gap_seconds is not None
    assert record.gap_seconds > 0


def test_a_run_that_is_stopped_after_a_gap_under_a_wildcard_is_not_called_as_before() -> None:
    """Another writer deletes the wildcard before the deploy; the record is restored by then."""
    stages: list[RecordStatus] = []

    def saw(harness: Harness, _event: ev.AnyEvent, state: State) -> None:
        (name,) = state.names.values()
        stage = name.handovers[0].stage
        if stages[-1:] == [stage]:
            return
        stages.append(stage)
        if stage is RecordStatus.RELEASED:
            delete(harness, at(alias("d1old"), WILDCARD))
        elif stage is RecordStatus.RESTORED:
            harness.engine.interrupt("SIGTERM")

    rehearsal = run(account(), Strategy.BRIDGE, saw=saw)
    assert_truthful(rehearsal)
    assert stages == [RecordStatus.STANDING, RecordStatus.RELEASED, RecordStatus.RESTORED]
    assert rehearsal.result.outcome == Outcome.RESTORED
    assert rehearsal.result.exit_code == 1


@pytest.mark.parametrize("strategy", [Strategy.BRIDGE, Strategy.ADOPT, Strategy.WEIGHTED])
@pytest.mark.parametrize("after_record", [False, True])
def test_a_rollback_leaves_the_record_as_it_was(strategy: Strategy, *, after_record: bool) -> None:
    failed = failing(30, after_record=after_record)
    template = site_template(NEW, Permission=failed)
    if strategy is Strategy.WEIGHTED:
        template = weighted_template(template)
    rehearsal = run(account(template=template, mode=Mode.ADOPT), strategy)
    assert_truthful(rehearsal)
    assert rehearsal.result.exit_code == 1
    was_adopted = strategy is Strategy.ADOPT and after_record
    assert rehearsal.gap_seconds < (3 if was_adopted else 0.001)
    (record,) = [r for r in rehearsal.result.records if r.name == "www.example.com"]
    assert record.outcome in ("restored", "untouched")


def test_what_was_prepared_goes_back_as_soon_as_the_stack_turns_back() -> None:
    """Not at its end: until then the name leads to a target that may not be ready."""
    slow = {
        "Type": "AWS::CloudFront::Function",
        "Metadata": {"Simulation": {"Seconds": 60}},
        "Condition": "Enabled",
    }
    template = site_template(NEW, Slow=slow)
    rehearsal = run(account(template=template, mode=Mode.FAIL), Strategy.ADOPT)
    assert_truthful(rehearsal)
    (undone,) = batches(rehearsal, Purpose.UNDO)
    turned = next(
        e.time
        for e in rehearsal.events
        if isinstance(e, ev.StackPolled)
        and any(row.status == "UPDATE_ROLLBACK_IN_PROGRESS" for row in e.events)
    )
    assert undone.time - turned < 5


@pytest.mark.parametrize("purpose", [Purpose.BRIDGE, Purpose.RELEASE])
def test_a_signal_before_the_deploy_undoes_the_bridge(purpose: Purpose) -> None:
    def interrupt(harness: Harness) -> None:
        harness.later(1.0, lambda: harness.engine.submit(interrupted(harness)))

    def interrupted(harness: Harness) -> ev.AnyEvent:
        return ev.Interrupted(time=harness.clock.now(), signal="SIGTERM")

    rehearsal = run(account(), Strategy.BRIDGE, saw=when(purpose, interrupt))
    assert_truthful(rehearsal)
    assert rehearsal.result.exit_code == 130
    assert not batches(rehearsal, Purpose.RELEASE) or batches(rehearsal, Purpose.RESTORE)
    assert rehearsal.gap_seconds == 0


def test_a_release_under_a_bridge_waits_for_its_confirmation() -> None:
    pressed: list[bool] = []

    def saw(harness: Harness, event: ev.AnyEvent, state: State) -> None:
        key = ev.ReleaseConfirmed(time=harness.clock.now() + 60, name="www.example.com.")
        if isinstance(event, ev.WriteAccepted) and state.helpers and not pressed:
            helper = next(iter(state.helpers.values()))
            if helper.created_at:
                pressed.append(True)
                harness.later(60, lambda: harness.engine.submit(key))

    rehearsal = run(account(), Strategy.BRIDGE, saw=saw, confirm_release=True)
    assert_truthful(rehearsal)
    assert rehearsal.result.outcome == Outcome.DONE
    (bridge,), (release,) = batches(rehearsal, Purpose.BRIDGE), batches(rehearsal, Purpose.RELEASE)
    assert release.time - bridge.time > 59


def test_the_way_back_from_any_step_of_weight_is_one_batch() -> None:
    def saw(harness: Harness, event: ev.AnyEvent, state: State) -> None:
        steps = [h.steps_done for h in state.handovers]
        if steps == [1] and isinstance(event, ev.WriteAccepted):
            harness.engine.submit(ev.RestoreAsked(time=harness.clock.now()))

    setup = account(template=weighted_template(site_template(NEW)))
    rehearsal = run(setup, Strategy.WEIGHTED, saw=saw, weights=(50, 100), weight_every=20.0)
    assert_truthful(rehearsal)
    first, back = batches(rehearsal, Purpose.WEIGH)
    assert back.time - first.time < 10
    assert dict(back.changes[1].record.routing)["Weight"] == "255"
    assert not batches(rehearsal, Purpose.REMOVE)
    assert rehearsal.result.exit_code == 4, "both members stand"
    assert "answers as before, beside the stack's member" in rehearsal.result.reason


def test_names_below_one_parent_share_a_wildcard_only_with_one_answer() -> None:
    api = like(NEW, Name="api.example.com")
    template = site_template(NEW, Api=api)
    same = account(alias("d1old"), at(alias("d1old"), "api.example.com."), template=template)
    names = ("www.example.com", "api.example.com")
    both = run(same, Strategy.BRIDGE, records=names)
    assert_truthful(both)
    assert both.gap_seconds == 0
    assert len(batches(both, Purpose.BRIDGE)) == 1
    other = replace(same, existing=(alias("d1old"), at(alias("d1else"), "api.example.com.")))
    with pytest.raises(RefusedError, match="share the wildcard"):
        run(other, Strategy.BRIDGE, records=names)


def test_a_routed_record_is_weighted_only_where_the_stacks_has_a_weight() -> None:
    latency = routed_resource(NEW)
    properties = {k: v for k, v in latency["Properties"].items() if k != "Weight"}
    latency = {**latency, "Properties": {**properties, "Region": "eu-west-1"}}
    with pytest.raises(RefusedError, match="has the policy latency"):
        run(account(template=site_template(latency)), Strategy.WEIGHTED)


def test_the_scenarios_of_the_strategies_ask_for_them() -> None:
    named = {name: SCENARIOS[name].strategy for name in ("bridge", "adopt", "weighted")}
    assert named == {name: Strategy(name) for name in named}
