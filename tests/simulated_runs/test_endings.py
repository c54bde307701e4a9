"""What a run says at its end is what the account shows: rehearsals in accounts of unlike kinds.

Safety rule: ``failed`` is only said where the manual records stand and no stack owns them.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import UnansweredError
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.model import JetsApp
from route53_takeover.output.json_lines import JsonLines
from route53_takeover.output.text_lines import summary
from route53_takeover.simulation.aws.account import DeployBehavior
from route53_takeover.simulation.aws.cloudformation.record_handler import Case, Mode
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import options_of, rehearse_once
from route53_takeover.simulation.chaos.transport import Storm
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    Scenario,
    alias,
    alias_resource,
    cname_resource,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.status.result import RecordResult
    from route53_takeover.core.takeover import events as ev
    from route53_takeover.core.takeover.state import State
    from route53_takeover.simulation.aws.account import AccountSetup
    from route53_takeover.simulation.aws.cloudformation.stacks import StackEventRow
    from route53_takeover.simulation.chaos.harness import Harness
    from route53_takeover.simulation.chaos.oracle import Rehearsal
    from route53_takeover.simulation.chaos.runner import Begin, Saw

WWW = "www.example.com."
CALM = Faults()


def _nothing(*_: object) -> None:
    """Disturbs nothing."""


def rehearsed(
    account: AccountSetup,
    *,
    records: tuple[str, ...] = (WWW,),
    begin: Begin = _nothing,
    saw: Saw = _nothing,
    faults: Faults = CALM,
    seed: str = "ending",
    **options: Any,
) -> Rehearsal:
    """One calm run in this account: no promise is broken, and the name has a record."""
    scenario = Scenario(
        name="ending", summary="", account=account, outcome=Outcome.DONE, exit_code=0
    )
    asked = replace(options_of(scenario), records=records, **options)
    rehearsal = rehearse_once(scenario, seed, faults, options=asked, begin=begin, saw=saw)
    assert rehearsal.broken == ()
    assert not rehearsal.absent
    return rehearsal


def ending(rehearsal: Rehearsal) -> tuple[str, int]:
    return rehearsal.result.outcome, rehearsal.result.exit_code


def the_record(rehearsal: Rehearsal) -> RecordResult:
    (record,) = rehearsal.result.records
    return record


# -- where a run begins


@pytest.mark.parametrize(
    ("past", "deploy_off"),
    [("create failed", "off"), ("update failed", None), ("under review", "off")],
)
def test_a_stack_that_never_succeeded_is_gone_on_with(past: str, deploy_off: str | None) -> None:
    rehearsal = rehearsed(replace(site_account(), past=past), deploy_off=deploy_off)
    assert ending(rehearsal) == (Outcome.DONE, 0)
    assert the_record(rehearsal).outcome == "created"


def test_a_failed_stack_that_nothing_was_deployed_on_is_no_unknown_ending() -> None:
    account = replace(site_account(), past="update failed", habit=DeployBehavior.DECLINED)
    rehearsal = rehearsed(account, deploy_off=None)
    assert ending(rehearsal) == (Outcome.FAILED, 1)
    assert "nothing was deployed" in rehearsal.result.reason
    assert the_record(rehearsal).outcome == "untouched"


def test_an_operation_that_ends_before_it_is_polled_is_reported() -> None:
    """It fails within a second; the next poll would come after ``--settle`` is over."""
    template = site_template(alias_resource("d1new"))
    template["Resources"]["Distribution"]["Metadata"]["Simulation"]["Seconds"] = 0.2
    account = site_account(template=template, modes={Case.ALIAS_DIFFERS: Mode.FAIL})
    config = replace(account.config, pace=0.1)
    rehearsal = rehearsed(
        replace(account, config=config), faults=Faults(event_delays=(2.0, 2.0)), settle=2.0
    )
    assert ending(rehearsal) == (Outcome.FAILED, 1)
    assert "already exists" in rehearsal.result.reason


@pytest.mark.parametrize(
    ("seconds", "ended"), [(60.0, (Outcome.DONE, 0)), (1e6, (Outcome.UNKNOWN, 4))]
)
def test_a_record_set_of_which_only_the_name_is_known_is_not_called_missing(
    seconds: float, ended: tuple[Outcome, int]
) -> None:
    """Events come without properties and the template cannot be read: for a while, or for good."""
    account = site_account(existing=alias("d1new"))
    cleaned_up = {
        "Type": "AWS::CloudFront::Function",
        "Condition": "Disabled",
        "Metadata": {"Simulation": {"Seconds": 60}},
    }
    template = site_template(alias_resource("d1new"), Old=cleaned_up)
    account = replace(account, template=template)

    def begin(harness: Harness) -> None:
        until = harness.clock.true() + seconds
        storm = Storm(until=until, only="GetTemplate", error=UnansweredError)
        harness.transport.storms.append(storm)

    rehearsal = rehearsed(account, begin=begin, faults=Faults(mute=1.0))
    assert ending(rehearsal) == ended


@pytest.mark.parametrize("seed", range(8))
def test_a_stack_that_holds_the_record_is_reported_though_its_own_event_is_missing(
    seed: int,
) -> None:
    """CloudFormation adopts an identical record, fails and cannot roll back: it owns the record."""
    failing = {
        "Type": "AWS::Lambda::Permission",
        "Condition": "Enabled",
        "DependsOn": "DnsRecord",
        "Metadata": {"Simulation": {"Seconds": 3, "Fail": "it failed"}},
    }
    account = site_account(
        existing=alias("d1new"),
        template=site_template(alias_resource("d1new"), Permission=failing),
    )
    config = replace(account.config, fail_rollback="not now")
    rehearsal = rehearsed(
        replace(account, config=config), faults=Faults(missing=0.5), seed=f"missing {seed}"
    )
    assert ending(rehearsal) == (Outcome.UNKNOWN, 4)


def test_a_private_zone_that_is_the_only_one_of_its_name_is_released_by_name() -> None:
    rehearsal = rehearsed(replace(site_account(), private=True), zone="example.com")
    assert ending(rehearsal) == (Outcome.DONE, 0)
    assert the_record(rehearsal).outcome == "created"


# -- what is said at the end


def six(record: RecordSet) -> RecordSet:
    return replace(record, type="AAAA")


def test_a_name_of_which_the_template_has_one_type_hands_over_that_one_only() -> None:
    account = replace(site_account(), existing=(alias("d1old"), six(alias("d1old"))))
    rehearsal = rehearsed(account)
    assert ending(rehearsal) == (Outcome.DONE, 0)
    assert the_record(rehearsal).type == "A"
    (warning,) = [w for w in rehearsal.state.plan.warnings if "AAAA" in w.text]
    assert "keeps its value" in warning.text
    assert "--record www.example.com/AAAA" in warning.hint


def test_a_record_that_the_stack_did_not_take_is_named_beside_the_one_it_owns() -> None:
    account = replace(site_account(), existing=(alias("d1old"), six(alias("d1old"))))
    rehearsal = rehearsed(account, records=("www.example.com/A", "www.example.com/AAAA"))
    result = rehearsal.result
    assert ending(rehearsal) == (Outcome.UNKNOWN, 4)
    assert [(r.type, r.outcome) for r in result.records] == [
        ("A", "created"),
        ("AAAA", "untouched"),
    ]
    assert "shop owns www.example.com A now" in result.reason
    assert "www.example.com AAAA is unchanged because the stack did not create it" in result.reason
    assert (result.owner_notice or "").startswith("Stack shop owns www.example.com now.")
    assert not any("resume" in line for line in summary(result, resume="resume it"))


@pytest.mark.parametrize(
    ("policy", "deploy_off", "words"),
    [
        (None, "off", "The next deploy with the switch off deletes it:"),
        (None, None, "The next deploy whose template lacks it deletes it:"),
        ("Retain", "off", "with the switch off leaves it without an owner"),
        ("RetainExceptOnCreate", None, "whose template lacks it leaves it without an owner"),
    ],
)
def test_the_owner_notice_and_the_advice_fit_the_deletion_policy(
    policy: str | None, deploy_off: str | None, words: str
) -> None:
    resource = alias_resource("d1new") | ({"DeletionPolicy": policy} if policy else {})
    rehearsal = rehearsed(site_account(template=site_template(resource)), deploy_off=deploy_off)
    assert words in (rehearsal.result.owner_notice or "")
    advised = any("put DeletionPolicy" in w.text for w in rehearsal.state.plan.warnings)
    assert advised is (policy is None)


def test_the_deadman_and_a_rollback_are_two_reasons() -> None:
    late = rehearse_once(SCENARIOS["never-created"], "ending", Faults()).result.reason
    assert "did not create the record in time" in late
    back = rehearse_once(SCENARIOS["rolled-back"], "ending", Faults()).result.reason
    assert back.startswith("the stack rolled back: UPDATE_ROLLBACK_COMPLETE")
    assert "deadman" not in back


# -- gaps that are not of the run's making


def slow_template(seconds: float) -> dict[str, Any]:
    """The record waits so long for the distribution."""
    template = site_template(alias_resource("d1new"))
    distribution = template["Resources"]["Distribution"]
    slow = {**distribution, "Metadata": {"Simulation": {"Seconds": seconds}}}
    return {**template, "Resources": {**template["Resources"], "Distribution": slow}}


def deleted_after(seconds: float) -> Callable[[Harness], None]:
    """Another writer deletes the record so long after the deploy with the switch on began."""

    def begin(harness: Harness) -> None:
        def delete() -> None:
            harness.world.write([("DELETE", alias("d1old"))])

        def on_event(row: StackEventRow) -> None:
            begins = row.status == "UPDATE_IN_PROGRESS" and row.logical_id == "Distribution"
            if begins and harness.world.deploys.get("on", 0) is None:
                harness.world.stacks.on_event.remove(on_event)
                harness.after(seconds, delete)

        harness.world.stacks.on_event.append(on_event)

    return begin


@pytest.mark.parametrize("after", [0.1, 2.5])
def test_a_gap_that_another_writer_caused_is_measured_and_reported(after: float) -> None:
    account = site_account(template=slow_template(33.0))
    seen: list[float] = []

    def saw(_harness: Harness, _event: ev.AnyEvent, state: State) -> None:
        if state.names[WWW].is_absent:
            seen.append(state.now)

    rehearsal = rehearsed(account, begin=deleted_after(after), saw=saw)
    assert ending(rehearsal) == (Outcome.DONE, 0)
    record = the_record(rehearsal)
    assert record.outcome == "created"
    assert record.released_at is None
    assert record.gap_seconds == pytest.approx(rehearsal.gap_seconds, abs=3.5)
    assert rehearsal.gap_seconds > 25
    assert seen


def test_what_a_rollback_takes_away_counts_as_gap_too() -> None:
    for name in ("rolled-back", "cname"):
        scenario = SCENARIOS[name]
        if name == "cname":
            failing = {
                "Type": "AWS::Lambda::Permission",
                "Condition": "Enabled",
                "DependsOn": "DnsRecord",
                "Metadata": {"Simulation": {"Fail": "Resource handler returned message"}},
            }
            template = site_template(cname_resource(), Permission=failing)
            scenario = replace(scenario, account=replace(scenario.account, template=template))
        rehearsal = rehearse_once(scenario, "ending", Faults())
        record = the_record(rehearsal)
        assert record.outcome == "restored"
        assert record.gap_seconds == pytest.approx(rehearsal.gap_seconds, abs=1.5), name
        assert rehearsal.gap_seconds > 0


@pytest.mark.parametrize("name", ["bridge", "adopt", "weighted"])
def test_a_name_that_always_answers_has_no_gap_in_json(name: str) -> None:
    out = io.StringIO()
    reported = JsonLines("rehearsal", out, io.StringIO())

    def saw(_harness: Harness, event: ev.AnyEvent, state: State) -> None:
        reported(event, state, 1)

    rehearse_once(SCENARIOS[name], "ending", Faults(), saw=saw)
    assert "write-accepted" in out.getvalue()
    assert "gap-opened" not in out.getvalue()


def test_every_gap_is_reported_as_it_opens_and_closes_in_json() -> None:
    out = io.StringIO()
    reported = JsonLines("rehearsal", out, io.StringIO())
    seq = iter(range(1, 100_000))

    def saw(_harness: Harness, event: ev.AnyEvent, state: State) -> None:
        reported(event, state, next(seq))

    rehearsal = rehearse_once(SCENARIOS["rolled-back"], "ending", Faults(), saw=saw)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    gaps = [line for line in lines if line["event"].startswith("gap-")]
    assert [line["event"] for line in gaps] == ["gap-opened", "gap-closed"] * 2
    assert all((line["name"], line["type"]) == ("www.example.com", "A") for line in gaps)
    assert all(line["deadline"] for line in gaps[::2])
    assert sum(line["gap_seconds"] for line in gaps[1::2]) == pytest.approx(
        the_record(rehearsal).gap_seconds, abs=0.01
    )


# -- record set groups


def member(name: Any = "www.example.com") -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "A",
        "AliasTarget": alias_resource("d1new")["Properties"]["AliasTarget"],
    }


def grouped(
    records: Any = None, *, mode: Mode = Mode.ADOPT, always: bool = False, **others: Any
) -> AccountSetup:
    """A stack that is new, with the record in a group: no plan sees that."""
    group = {
        "Type": "AWS::Route53::RecordSetGroup",
        "DependsOn": "Distribution",
        "Properties": {
            "HostedZoneName": "example.com.",
            "RecordSets": [member()] if records is None else records,
        },
    }
    template = site_template(group if always else {**group, "Condition": "Enabled"}, **others)
    account = site_account(template=template, exists=False)
    handler = replace(account.config.records, groups=mode)
    return replace(account, config=replace(account.config, records=handler))


IF_ENABLED = {
    "Fn::If": ["Enabled", [member("api.example.com"), member()], [member("api.example.com")]]
}


@pytest.mark.parametrize(
    ("account", "mute"),
    [(grouped(), 0.0), (grouped(), 1.0), (grouped(IF_ENABLED, always=True), 0.0)],
    ids=["created", "events tell nothing", "updated"],
)
def test_a_stack_that_owns_the_record_through_a_group_is_said_to_own_it(
    account: AccountSetup, mute: float
) -> None:
    rehearsal = rehearsed(account, faults=Faults(mute=mute))
    assert ending(rehearsal) == (Outcome.DONE, 0)
    assert the_record(rehearsal).outcome == "adopted"
    assert "through its RecordSetGroup DnsRecord" in rehearsal.result.reason
    assert (rehearsal.result.owner_notice or "").startswith("Stack shop owns www.example.com now.")


def test_a_group_whose_records_are_unknown_is_not_called_failed() -> None:
    distribution = {
        "Type": "AWS::CloudFront::Distribution",
        "Metadata": {"Simulation": {"Attributes": {"Host": "www.example.com"}}},
    }
    hidden = member({"Fn::GetAtt": ["Distribution", "Host"]})
    account = grouped([hidden], Distribution=distribution)
    rehearsal = rehearsed(account, faults=Faults(mute=1.0))
    assert ending(rehearsal) == (Outcome.UNKNOWN, 4)
    assert "RecordSetGroup DnsRecord of the stack may hold the record" in rehearsal.result.reason


def test_a_group_that_fails_on_the_record_leaves_it_untouched() -> None:
    rehearsal = rehearsed(grouped(mode=Mode.FAIL))
    assert ending(rehearsal) == (Outcome.FAILED, 1)
    assert the_record(rehearsal).outcome == "untouched"
    assert "DnsRecord: [Tried to create" in rehearsal.result.reason


@pytest.mark.parametrize("records", [None, IF_ENABLED], ids=["created", "updated"])
def test_a_record_that_a_groups_rollback_takes_away_is_put_back(records: Any) -> None:
    failing = {
        "Type": "AWS::Lambda::Permission",
        "Condition": "Enabled",
        "DependsOn": "DnsRecord",
        "Metadata": {"Simulation": {"Seconds": 3, "Fail": "Resource handler returned message"}},
    }
    rehearsal = rehearsed(grouped(records, always=records is not None, Permission=failing))
    assert ending(rehearsal) == (Outcome.RESTORED, 1)
    assert the_record(rehearsal).outcome == "restored"
    assert rehearsal.gap_seconds > 0


def test_a_group_that_no_plan_saw_is_released_for_where_all_its_names_are_the_plans() -> None:
    rehearsal = rehearsed(grouped(mode=Mode.RETRY))
    assert ending(rehearsal) == (Outcome.DONE, 0)
    assert the_record(rehearsal).outcome == "created"


def test_a_group_with_a_name_that_no_plan_saw_is_not_released_for() -> None:
    rehearsal = rehearsed(grouped([member(), member("new.example.com")], mode=Mode.RETRY))
    assert ending(rehearsal) == (Outcome.FAILED, 1)
    assert rehearsal.gap_seconds == 0
    assert "did not show that new.example.com A of its RecordSetGroup" in rehearsal.result.reason


@pytest.mark.parametrize(("settle", "outcome"), [(300.0, "done"), (5.0, "failed")])
def test_an_operation_that_begins_after_the_deploy_has_exited_is_awaited_for_settle(
    settle: float, outcome: str
) -> None:
    """A build elsewhere goes on where the command that started it has ended (Jets 6)."""
    account = replace(site_account(), habit=DeployBehavior.LATER)
    assert rehearsed(account, settle=settle).result.outcome == outcome


@pytest.mark.parametrize(
    ("major", "said"), [(5, "Jets 5 leaves it out"), (6, "config.codebuild.project.env.pass")]
)
def test_a_jets_app_deployed_without_the_record_is_reported_with_the_cause(
    major: int, said: str
) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Condition": "Enabled"}
    account = site_account(template=site_template(queue))
    app = JetsApp(folder="/app", major=major)
    rehearsal = rehearsed(account, deploy_off=None, jets=app)
    assert ending(rehearsal) == (Outcome.FAILED, 1)
    assert said in rehearsal.result.reason
    assert the_record(rehearsal).outcome == "untouched"


@pytest.mark.parametrize(("major", "is_said"), [(5, False), (6, True)])
def test_a_deploy_of_jets_6_that_exits_0_and_deploys_nothing_may_have_been_declined(
    major: int, is_said: bool
) -> None:
    account = replace(site_account(), habit=DeployBehavior.DECLINED)
    rehearsal = rehearsed(account, deploy_off=None, jets=JetsApp(folder="/app", major=major))
    assert ending(rehearsal) == (Outcome.FAILED, 1)
    assert ("was declined" in rehearsal.result.reason) is is_said
