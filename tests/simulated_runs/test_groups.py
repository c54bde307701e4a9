"""Record set groups: one resource, many records, one batch that applies whole or not at all.

The sweeps over kills and lost answers are those of every scenario (`test_rehearsals`,
`test_faults`); here is what only a group can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.simulated_runs.test_faults import (
    API,
    assert_ended,
    assert_truthful,
    batches,
    failing,
    rehearse,
    story,
    when,
)

from route53_takeover.core.endings import Outcome
from route53_takeover.core.status import waiting
from route53_takeover.core.status.attention import needs_person
from route53_takeover.core.status.sentences import doing
from route53_takeover.core.status.timeline import Timeline
from route53_takeover.core.takeover import release_gate
from route53_takeover.core.takeover.events import Purpose
from route53_takeover.simulation.aws.cloudformation.record_handler import Mode
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.release_oracle import Ground
from route53_takeover.simulation.chaos.runner import options_of
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    alias,
    alias_resource,
    group_of,
    like,
    site_account,
    site_template,
    with_groups,
)

if TYPE_CHECKING:
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal
    from route53_takeover.simulation.scenarios import Scenario

WWW, OTHER = alias_resource("d1new"), like(alias_resource("d1new"), Name="api.example.com")
FREE = like(alias_resource("d1new"), Name="new.example.com")
TWO = SCENARIOS["group-two-names"]


def grouped(
    *existing: RecordSet, mode: Mode = Mode.RETRY, group: Any = None, **others: Any
) -> Scenario:
    template = site_template(group or group_of(WWW, OTHER), **others)
    account = replace(site_account(template=template), existing=existing)
    return replace(story("group", with_groups(account, mode)), more=("api.example.com",))


def rehearsed(scenario: Scenario, **more: Any) -> Rehearsal:
    return rehearse(scenario, options=options_of(scenario), **more)


def updated(*new: Any) -> dict[str, Any]:
    """A group that exists, and that the deploy with the switch on adds these records to."""
    entry = group_of(FREE)["Properties"]["RecordSets"]
    group = group_of(*new)
    listed = {"Fn::If": ["Enabled", [*entry, *group["Properties"]["RecordSets"]], entry]}
    group["Properties"]["RecordSets"] = listed
    del group["Condition"]
    return group


def released(rehearsal: Rehearsal) -> dict[str, float]:
    return {e.name: e.time for e in batches(rehearsal, Purpose.RELEASE)}


def test_both_names_are_released_at_once_each_with_an_intent_of_its_own() -> None:
    rehearsal = rehearsed(TWO)
    assert_ended(rehearsal, [Outcome.DONE])
    times = released(rehearsal)
    assert times.keys() == {"www.example.com.", "api.example.com."}
    assert max(times.values()) - min(times.values()) < 0.1


def test_two_types_of_a_name_are_released_in_one_batch() -> None:
    rehearsal = rehearsed(SCENARIOS["group"])
    assert_ended(rehearsal, [Outcome.DONE])
    (batch,) = batches(rehearsal, Purpose.RELEASE)
    assert {c.record.type for c in batch.changes} == {"A", "AAAA"}


def test_an_identical_record_holds_the_others_back_until_its_adoption_is_ruled_out() -> None:
    rehearsal = rehearsed(grouped(alias("d1new"), API))
    assert_ended(rehearsal, [Outcome.DONE])
    began = min(
        e.time
        for p in rehearsal.events
        for e in [p]
        if type(p).__name__ == "StackPolled"
        and any(row.logical_id == "DnsRecord" for row in getattr(p, "events", ()))
    )
    assert min(released(rehearsal).values()) >= began + 10.0


def test_adopted_records_are_not_released() -> None:
    rehearsal = rehearsed(grouped(alias("d1new"), API, mode=Mode.ADOPT))
    assert_ended(rehearsal, [Outcome.DONE])
    assert {r.outcome for r in rehearsal.result.records} == {"adopted"}


def test_a_record_that_stands_and_is_not_the_manual_one_keeps_every_name() -> None:
    """Another writer changes one of two: nothing is released, whichever of them it is."""
    for record in (alias("d1old"), API):

        def edit(harness: Harness, record: RecordSet = record) -> None:
            theirs = replace(alias("d1other"), name=record.name)
            harness.world.write([("DELETE", record), ("CREATE", theirs)])

        rehearsal = rehearsed(TWO, saw=when(Purpose.PROVE, lambda h: h.later(4.0, lambda: edit(h))))
        assert_truthful(rehearsal)
        assert rehearsal.result.outcome == Outcome.FAILED, rehearsal.result.reason
        assert released(rehearsal) == {}


def test_all_names_are_restored_at_once_where_one_cannot_be_released() -> None:
    """One is edited at the instant of the release: the other does not wait for its deadman."""

    def edit(harness: Harness) -> None:
        harness.world.write([("DELETE", API), ("CREATE", replace(alias("d9"), name=API.name))])

    scenario = grouped(alias("d1old"), API)
    rehearsal = rehearsed(scenario, saw=when(Purpose.RELEASE, edit))
    assert_truthful(rehearsal)
    assert rehearsal.result.outcome == Outcome.RESTORED, rehearsal.result.reason
    assert 0 < rehearsal.gap_seconds < 20


def test_a_rollback_restores_every_name() -> None:
    scenario = grouped(alias("d1old"), API, Permission=failing(3, after_record=True))
    rehearsal = rehearsed(scenario)
    assert_ended(rehearsal, [Outcome.RESTORED])
    assert {r.outcome for r in rehearsal.result.records} == {"restored"}


@pytest.mark.parametrize("mode", [Mode.NEVER, Mode.FAIL])
def test_a_group_that_is_never_created_leaves_every_record_as_it_was(mode: Mode) -> None:
    rehearsal = rehearsed(grouped(alias("d1old"), API, mode=mode))
    wanted = Outcome.RESTORED if mode is Mode.NEVER else Outcome.FAILED
    assert_ended(rehearsal, [wanted])
    assert (rehearsal.gap_seconds > 0) is (mode is Mode.NEVER)


def test_a_new_record_of_the_group_is_no_reason_to_wait_where_the_plan_saw_it_free() -> None:
    rehearsal = rehearsed(grouped(alias("d1old"), API, group=group_of(WWW, OTHER, FREE)))
    assert_ended(rehearsal, [Outcome.DONE])
    assert {r.outcome for r in rehearsal.result.records} == {"created"}


def test_a_group_of_a_new_stack_that_the_plan_did_not_show_names_the_way_out() -> None:
    """Before the run, while it waits, and at its end; and not one record is deleted."""
    account = site_account(template=site_template(group_of(WWW, OTHER, FREE)), exists=False)
    account = with_groups(replace(account, existing=(alias("d1old"), API)), Mode.RETRY)
    said: set[tuple[str, str]] = set()
    rehearsal = rehearsed(
        replace(story("group", account), more=("api.example.com",)),
        saw=lambda _harness, _event, state: said.add(
            (doing(state), needs_person(state, Timeline()))
        ),
    )
    assert_ended(rehearsal, [Outcome.FAILED])
    assert released(rehearsal) == {}
    (warning,) = [w for w in rehearsal.state.plan.warnings if "does not define" in w.text]
    assert "with --template or --preview: if it has a RecordSetGroup" in warning.hint
    waits = {words for words in said if "new.example.com A of the RecordSetGroup" in words[0]}
    ((now, needed),) = waits
    assert now == needed
    assert "Stop the run, and repeat it with --template or --preview." in now
    assert "new.example.com A of its RecordSetGroup can be created" in rehearsal.result.reason


def test_an_update_of_a_group_that_brings_the_records_is_released_for() -> None:
    rehearsal = rehearsed(grouped(alias("d1old"), API, group=updated(WWW, OTHER)))
    assert_ended(rehearsal, [Outcome.DONE])
    assert {r.outcome for r in rehearsal.result.records} == {"created"}


@pytest.mark.parametrize("mode", [Mode.RETRY, Mode.FAIL])
def test_a_record_that_an_update_of_a_group_adds_as_it_is_is_kept_and_the_reason_said(
    mode: Mode,
) -> None:
    """The group has its id already: nothing would show that CloudFormation has adopted it."""
    waits: set[str] = set()
    rehearsal = rehearsed(
        replace(grouped(alias("d1new"), group=updated(WWW), mode=mode), more=()),
        saw=lambda _harness, _event, state: waits.update(waiting.waits(state)),
    )
    assert_ended(rehearsal, [Outcome.RESTORED])  # the rollback deletes what it added, or did not
    assert released(rehearsal) == {}
    assert "www.example.com A was not released because the update" in rehearsal.result.reason
    adopting = "CloudFormation to adopt the record into its RecordSetGroup, or to give up"
    assert (adopting in waits) is (mode is Mode.RETRY)


def test_a_record_that_an_update_of_a_group_adopts_is_the_stacks() -> None:
    rehearsal = rehearsed(grouped(alias("d1new"), API, group=updated(WWW, OTHER), mode=Mode.ADOPT))
    assert_ended(rehearsal, [Outcome.DONE])
    assert released(rehearsal) == {}
    assert {r.outcome for r in rehearsal.result.records} == {"adopted"}


def test_events_that_tell_no_records_are_completed_from_the_template() -> None:
    rehearsal = rehearsed(TWO, faults=Faults(mute=1.0))
    assert_ended(rehearsal, [Outcome.DONE])


def test_the_oracle_tells_a_release_without_the_rest_of_the_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def edit(harness: Harness) -> None:
        theirs = replace(alias("d1other"), name=API.name)
        harness.world.write([("DELETE", API), ("CREATE", theirs)])

    monkeypatch.setattr(release_gate, "_is_whole", lambda *_: True)
    rehearsal = rehearsed(TWO, saw=when(Purpose.PROVE, lambda h: h.later(4.0, lambda: edit(h))))
    assert Ground.TOGETHER in rehearsal.broken
