"""What `diagnose` says after a deploy that failed in the simulated account.

Every case is a deploy that CloudFormation fails because of a record, as it is reported in public;
the diagnosis is read through the ports, and writes nothing.
"""

from __future__ import annotations

import asyncio
import shlex
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.plan.diagnosis import UNKNOWN, diagnose
from route53_takeover.core.takeover.failure_reason import why
from route53_takeover.runtime.diagnosis import gather_diagnosis
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.runner import START, rehearse_once
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    ZONE,
    alias_resource,
    cname,
    cname_resource,
    group_of,
    like,
    nested_template,
    resource_of,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.core.plan.diagnosis import Diagnosis, DiagnosisFinding
    from route53_takeover.simulation.aws.account import AccountSetup

WWW = "www.example.com."
PLAIN = RecordSet(name=WWW, type="A", ttl=300, values=("192.0.2.1",))
LINE = "route53-takeover plan --stack shop --record www.example.com/"


def failed_deploy(account: AccountSetup, **protections: str) -> SimulatedAccount:
    """The account after a deploy with the switch on that failed."""
    world = SimulatedAccount(account, seed="diagnosis", start=START)
    world.zone.protections |= {(WWW, kind): comment for kind, comment in protections.items()}
    stacks, on = world.stacks, {"Route53Enable": "true"}
    if stacks.find("shop") is None:
        stacks.create_stack("shop", account.template, on)
    else:
        stacks.update_stack("shop", account.template, on)
    world.timeline.advance(world.timeline.now + 900)
    stack = stacks.find("shop")
    assert stack is not None
    assert stack.status.endswith(("ROLLBACK_COMPLETE", "FAILED")), stack.status
    return world


def diagnosis(world: SimulatedAccount, stack: str = "shop", **more: Any) -> Diagnosis:
    """What is said; reading for it writes nothing."""

    async def gather() -> Diagnosis:
        clock = VirtualClock(world.timeline.now)
        transport = Transport(world, clock, Random(1), FaultRates())  # noqa: S311 -- a simulation
        stacks = SimulatedStacks(transport, {})
        inventory = Inventory(stacks, clock, region="us-east-1")
        records = SimulatedRecords(transport)
        facts = await gather_diagnosis(
            stack, records=records, stacks=stacks, inventory=inventory, **more
        )
        return diagnose(facts)

    written = len(world.zones.history)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        found = runner.run(gather())
    assert len(world.zones.history) == written
    return found


def only(found: Diagnosis) -> DiagnosisFinding:
    (finding,) = found.findings
    return finding


def test_an_existing_record_that_no_stack_owns_ends_with_the_plan_line() -> None:
    found = diagnosis(failed_deploy(site_account(existing=PLAIN)))
    assert (found.stack, found.status) == ("shop", "UPDATE_ROLLBACK_COMPLETE")
    finding = only(found)
    assert (finding.logical_id, finding.record, finding.type) == (
        "DnsRecord", "www.example.com", "A",
    )  # fmt: skip
    assert "but it already exists" in finding.reason
    assert (finding.exists, finding.owner) == (True, None)
    assert finding.plan_line == f"{LINE}A --strategy auto --no-deploy"
    assert "No stack owns www.example.com A" in finding.advice
    assert "did not retry" in finding.advice
    assert "192.0.2.1" in finding.now[0]
    assert "d1new.cloudfront.net" in finding.desired


@pytest.mark.parametrize(
    ("existing", "resource", "reported", "words"),
    [
        (cname(300), alias_resource("d1new"), "conflicting RRSet of type", "CNAME"),
        (PLAIN, cname_resource(), "conflicts with other records", "A --strategy auto"),
    ],
)
def test_a_conflict_with_another_type_names_the_type_that_stands(
    existing: RecordSet, resource: Mapping[str, Any], reported: str, words: str
) -> None:
    account = site_account(existing=existing, template=site_template(resource))
    finding = only(diagnosis(failed_deploy(account)))
    assert reported in finding.reason
    assert finding.plan_line == f"{LINE}{words} --no-deploy"


def test_two_records_that_failed_are_in_one_plan_line() -> None:
    aaaa = alias_resource("d1new")
    aaaa["Properties"] = {**aaaa["Properties"], "Type": "AAAA"}
    account = site_account(
        existing=PLAIN, template=site_template(alias_resource("d1new"), Six={**aaaa})
    )
    world = SimulatedAccount(account, seed="two", start=START)
    six = RecordSet(name=WWW, type="AAAA", ttl=300, values=("2001:db8::1",))
    world.write([("CREATE", six)])
    world.stacks.update_stack("shop", account.template, {"Route53Enable": "true"})
    world.timeline.advance(world.timeline.now + 900)
    found = diagnosis(world)
    lines = {finding.plan_line for finding in found.findings}
    assert len(found.findings) in (1, 2), "one may have been cancelled before it failed"
    if len(found.findings) == 2:
        assert lines == {f"{LINE}A,AAAA --no-deploy"}


def test_a_stack_whose_creation_failed_has_to_be_deleted_first() -> None:
    nested = nested_template(site_template(alias_resource("d1new")))
    account = site_account(existing=PLAIN, template=nested, exists=False)
    found = diagnosis(failed_deploy(account))
    assert found.status == "ROLLBACK_COMPLETE"
    finding = only(found)
    assert "aws cloudformation delete-stack --stack-name shop." in finding.advice
    assert finding.plan_line is not None
    assert shlex.split(finding.plan_line)[-2:] == ["--deploy", "YOUR DEPLOY COMMAND"]
    assert finding.stack_name != "shop", "it failed in the nested stack, which is deleted by now"


def test_a_record_that_another_stack_owns_is_named_with_the_way_out() -> None:
    account = site_account(existing=PLAIN)
    world = SimulatedAccount(account, seed="foreign", start=START)
    world.write([("DELETE", PLAIN)])
    world.stacks.create_stack("dns", {"Resources": {"Www": resource_of(PLAIN)}})
    world.timeline.advance(world.timeline.now + 900)
    world.stacks.update_stack("shop", account.template, {"Route53Enable": "true"})
    world.timeline.advance(world.timeline.now + 900)
    finding = only(diagnosis(world))
    assert (finding.exists, finding.owner, finding.plan_line) == (True, "dns", None)
    assert "Stack dns owns www.example.com A (Www). There, set DeletionPolicy" in finding.advice


def test_two_resources_for_one_record_are_both_named() -> None:
    template = site_template(
        alias_resource("d1new"), Twin={**alias_resource("d2new"), "DependsOn": "DnsRecord"}
    )
    account = site_account(existing=cname(300), template=template)
    world = SimulatedAccount(account, seed="twice", start=START)
    world.write([("DELETE", cname(300))])
    world.stacks.update_stack("shop", template, {"Route53Enable": "true"})
    world.timeline.advance(world.timeline.now + 900)
    finding = only(diagnosis(world))
    assert "two resources for www.example.com A, Twin and DnsRecord" in finding.advice
    assert finding.plan_line is None


def test_a_record_that_is_gone_by_now_needs_another_deploy_only() -> None:
    world = failed_deploy(site_account(existing=PLAIN))
    world.write([("DELETE", PLAIN)])
    finding = only(diagnosis(world))
    assert (finding.exists, finding.owner, finding.plan_line) == (False, None, None)
    assert "deploy again" in finding.advice


def test_a_cname_at_the_apex_is_a_matter_of_the_template() -> None:
    resource = cname_resource()
    resource["Properties"] = {**resource["Properties"], "Name": "example.com"}
    finding = only(diagnosis(failed_deploy(site_account(template=site_template(resource)))))
    assert "not permitted at apex" in finding.reason
    assert "an alias A (and AAAA) there instead" in finding.advice
    assert finding.plan_line is None


def test_a_protection_is_named_with_its_way_out() -> None:
    world = failed_deploy(site_account(existing=cname(300)), A="hands off")
    finding = only(diagnosis(world))
    assert "hands off" in finding.reason
    assert "protection refuses every change of www.example.com A ('hands off')" in finding.advice
    assert finding.plan_line == f"{LINE}CNAME --no-deploy"


def test_a_group_over_an_existing_record_is_read_record_by_record() -> None:
    properties = dict(alias_resource("d1new")["Properties"].items())
    zone = properties.pop("HostedZoneName")
    group = {
        "Type": "AWS::Route53::RecordSetGroup",
        "Condition": "Enabled",
        "Properties": {
            "HostedZoneName": zone,
            "RecordSets": [properties, {**properties, "Type": "AAAA"}],
        },
    }
    finding = only(
        diagnosis(failed_deploy(site_account(existing=PLAIN, template=site_template(group))))
    )
    assert (finding.record, finding.type, finding.exists) == ("www.example.com", "A", True)
    assert finding.plan_line == f"{LINE}A --strategy auto --no-deploy"
    assert "RecordSetGroup DnsRecord creates all of its records or none" in finding.advice


def test_the_line_for_a_group_asks_for_its_template_where_it_has_records_of_other_names() -> None:
    """The template in force may not have the group, so the plan would know nothing of it."""
    group = group_of(alias_resource("d1new"), like(alias_resource("d1new"), Name=f"new.{ZONE}"))
    account = site_account(existing=PLAIN, template=site_template(group))
    finding = only(diagnosis(failed_deploy(account)))
    line = finding.plan_line
    assert line == f"{LINE}A --template 'YOUR TEMPLATE FILE' --strategy auto --no-deploy"


def test_a_failure_that_is_no_records_is_reported_as_a_note() -> None:
    queue = {
        "Type": "AWS::SQS::Queue",
        "Condition": "Enabled",
        "Metadata": {"Simulation": {"Fail": "no quota"}},
    }
    template = site_template(queue)
    found = diagnosis(failed_deploy(site_account(template=template)))
    assert found.findings == ()
    assert "No record set failed. The first failure: DnsRecord (shop): no quota" in found.note


def test_only_the_last_operation_counts() -> None:
    world = failed_deploy(site_account(existing=PLAIN))
    off = {"Route53Enable": "false"}
    world.stacks.update_stack(
        "shop", {**world.account.template, "Outputs": {"A": {"Value": "1"}}}, off
    )
    world.timeline.advance(world.timeline.now + 900)
    found = diagnosis(world)
    assert (found.status, found.findings) == ("UPDATE_COMPLETE", ())
    assert found.note == "Nothing failed in its last operation."


def test_an_operation_in_progress_is_said() -> None:
    account = site_account()
    world = SimulatedAccount(account, seed="now", start=START)
    world.stacks.update_stack("shop", account.template, {"Route53Enable": "true"})
    world.timeline.advance(world.timeline.now + 8)
    found = diagnosis(world)
    assert found.status == "UPDATE_IN_PROGRESS"
    assert "still in progress" in found.note


def test_a_stack_that_does_not_exist_is_refused() -> None:
    world = failed_deploy(site_account(existing=PLAIN))
    with pytest.raises(RefusedError, match="stack nowhere does not exist"):
        diagnosis(world, "nowhere")


def test_an_owner_whose_template_hides_the_type_is_unknown() -> None:
    world = failed_deploy(site_account(existing=PLAIN))
    note = RecordSet(name=WWW, type="TXT", ttl=60, values=('"x"',))
    hidden = resource_of(note)
    hidden["Properties"] |= {"Type": {"Fn::GetAtt": ["Looked", "Up"]}}
    looked = {
        "Type": "Custom::Kind",
        "Metadata": {"Simulation": {"Attributes": {"Up": "TXT"}}},
    }
    world.stacks.create_stack("dns", {"Resources": {"Hidden": hidden, "Looked": looked}})
    world.timeline.advance(world.timeline.now + 900)
    finding = only(diagnosis(world))
    assert (finding.exists, finding.owner, finding.plan_line) == (True, UNKNOWN, None)
    assert "Stack dns may own www.example.com A (Hidden)" in finding.advice


def test_a_run_that_ended_on_such_a_failure_points_to_the_diagnosis() -> None:
    ended = rehearse_once(SCENARIOS["failed-at-once"], "1", Faults())
    assert ended.state.ending is not None
    assert "already exists" in ended.state.ending.reason
    assert "diagnose" not in ended.state.ending.reason, "its account is gone"
    real = why(replace(ended.state, is_rehearsal=False))
    assert "route53-takeover diagnose --stack shop" in real
    done = rehearse_once(SCENARIOS["alias"], "1", Faults())
    assert done.state.ending is not None
    assert "diagnose" not in done.state.ending.reason
