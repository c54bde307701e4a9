"""Whose a record is: every stack of the simulated account counts, by name, type and zone.

Each case is one that was reported in public or seen to go wrong: a record that another stack owns
was taken for unowned, or one that no stack owns for another's.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tests.simulated_runs.test_refusals import (
    PRIVATE_ZONE,
    WWW,
    ZONE,
    Case,
    another_stack,
    own,
    refusal,
    warned,
)

from route53_takeover.base.errors import AccessDeniedError, ApiError
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.plan.model import OwnerCheck
from route53_takeover.runtime.inventory import Inventory
from route53_takeover.simulation.aws.account import SimulatedAccount
from route53_takeover.simulation.aws.cloudformation.stacks import ReadLimit, StackConfig, StackStore
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.runner import START
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.scenarios import (
    alias,
    alias_resource,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from route53_takeover.core.domain.stacks import StackDescription
    from route53_takeover.runtime.inventory import Found

BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "www.example.com"}}
DOMAIN = {"Type": "AWS::ApiGateway::DomainName", "Properties": {"DomainName": "www.example.com"}}


def plain(kind: str, value: Any, name: Any = "www.example.com") -> dict[str, Any]:
    """A resource of values, in the public zone."""
    properties = {"Name": name, "Type": kind, "TTL": "60", "ResourceRecords": [value]}
    return {"Type": "AWS::Route53::RecordSet", "Properties": {**properties, "HostedZoneId": ZONE}}


def group(*records: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The same records in one ``RecordSetGroup``."""
    kept = [
        {k: v for k, v in each["Properties"].items() if not k.startswith("HostedZone")}
        for each in records
    ]
    properties = {"HostedZoneId": ZONE, "RecordSets": kept}
    return {"Type": "AWS::Route53::RecordSetGroup", "Properties": properties, **more}


TEXT, MAIL = plain("TXT", '"x"'), plain("MX", "1 mail.example.com", "example.com")


def owner_first(**resources: dict[str, Any]) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        another_stack(case)
        case.deploys("web", **resources)

    return make


def owner_last(**resources: dict[str, Any]) -> Callable[[Case], None]:
    def make(case: Case) -> None:
        case.deploys("web", **resources)
        another_stack(case)

    return make


def in_a_group(case: Case) -> None:
    case.world.write([("DELETE", alias("d1old"))])
    case.deploys("legacy", Old=group(own(), MAIL))


def in_a_group_by_a_parameter(case: Case) -> None:
    case.world.write([("DELETE", alias("d1old"))])
    name: Any = {"Fn::Sub": ["${Host}.${Domain}", {"Host": "WWW"}]}
    case.deploys("legacy", {"Domain": "example.com"}, Old=group(own(name=name)))


def in_a_nested_stack(case: Case) -> None:
    case.world.write([("DELETE", alias("d1old"))])
    child = {"Template": {"Resources": {"Old": own()}}}
    nested = {"Type": "AWS::CloudFormation::Stack", "Metadata": {"Simulation": child}}
    case.deploys("legacy", Site={**nested, "Properties": {"TemplateURL": "https://x/y"}})


@pytest.mark.parametrize(
    "make",
    [
        owner_first(Bucket=BUCKET),
        owner_last(Bucket=BUCKET),
        owner_first(Domain=DOMAIN),
        owner_first(Text=TEXT),
        owner_last(Text=TEXT),
        lambda case: another_stack(case, name="WWW.Example.COM"),
        lambda case: another_stack(case, name={"Fn::Join": [".", ["WWW", "example.com."]]}),
        lambda case: another_stack(case, Type={"Fn::Sub": "A"}),
        in_a_group,
        in_a_group_by_a_parameter,
        in_a_nested_stack,
    ],
    ids=[
        "bucket",
        "bucket before",
        "custom domain",
        "TXT",
        "TXT before",
        "capitals",
        "capitals joined",
        "type by a function",
        "group",
        "group by a parameter",
        "nested",
    ],
)
def test_an_owner_is_found_whatever_else_bears_the_name(make: Callable[[Case], None]) -> None:
    case = Case()
    make(case)
    refusal(case.plan(), "stack legacy", "owns the A record at", "Old", way_out="Retain")
    left_out = case.plan(owner_check=OwnerCheck.NONE)
    assert left_out.refusals == ()
    assert "--owner-check none" in warned(left_out)


def test_many_stacks_and_resources_are_read_to_the_last_page() -> None:
    case = Case()
    another_stack(case)
    many = {f"R{n}": {"Type": "Custom::Thing"} for n in range(130)}
    case.deploys("last", **many, Old=own(name="other.example.com"))
    for number in range(120):
        case.world.stacks.create_stack(f"s{number}", {"Resources": {"It": {"Type": "Custom::X"}}})
    case._settle()
    refusal(case.plan(), "stack legacy owns the A", way_out="Retain")
    assert case.calls["cloudformation:ListStacks"] == 2
    assert case.calls["cloudformation:ListStackResources"] == 124, "each once, and one of two pages"
    refusal(case.plan("other.example.com"), "stack last owns the A", way_out="Retain")


def private_zone(zone_id: Any) -> Callable[[Case], object]:
    return lambda case: case.deploys("inner", Zone=PRIVATE_ZONE, Inner=own(zone_id))


def private_zone_of_another_stack(case: Case) -> None:
    zone = case.world.zones.add_zone("example.com", private=True).zone_id
    case.exports("inner-zone", zone)
    case.deploys("inner", Inner=own({"Fn::ImportValue": {"Fn::Sub": "inner-zone"}}))


def private_zone_of_a_nested_stack(case: Case) -> None:
    output = {"Id": {"Value": {"Ref": "Zone"}}}
    child = {"Template": {"Resources": {"Zone": PRIVATE_ZONE}, "Outputs": output}}
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "https://x/y"},
        "Metadata": {"Simulation": child},
    }
    inner = own({"Fn::GetAtt": ["Network", "Outputs.Id"]})
    case.deploys("inner", Network=nested, Inner=inner)


TOKENS = {
    "Type": "AWS::SES::EmailIdentity",
    "Metadata": {"Simulation": {"Attributes": {"Name": "t1._domainkey.example.com"}}},
}

BELOW_MAIL: Any = {"Fn::Sub": "${Tokens.Name}.mail.example.com"}


@pytest.mark.parametrize(
    "make",
    [
        lambda case: case.deploys("other", Text=TEXT),
        lambda case: case.deploys(
            "other", Text=plain("TXT", '"x"', {"Fn::Join": [".", ["www", "example.com"]]})
        ),
        lambda case: case.deploys("other", Tokens=TOKENS, Names=group(own(name=BELOW_MAIL))),
        lambda case: case.deploys("other", Bucket=BUCKET),
        private_zone({"Ref": "Zone"}),
        private_zone({"Fn::GetAtt": ["Zone", "Id"]}),
        private_zone({"Fn::Sub": "${Zone}"}),
        private_zone_of_another_stack,
        private_zone_of_a_nested_stack,
        lambda case: case.deploys("other", Names=group(MAIL, TEXT)),
        lambda case: case.deploys(
            "other",
            Tokens=TOKENS,
            Names=group(plain("CNAME", "x.", {"Fn::GetAtt": ["Tokens", "Name"]})),
        ),
    ],
    ids=[
        "TXT",
        "TXT joined",
        "group of names that end otherwise",
        "bucket alone",
        "private zone by Ref",
        "private zone by GetAtt",
        "private zone by Sub",
        "private zone imported",
        "private zone of a nested stack",
        "group",
        "group of hidden names",
    ],
)
def test_what_another_stack_has_beside_the_record_is_no_reason(
    make: Callable[[Case], object],
) -> None:
    case = Case()
    make(case)
    plan = case.plan()
    assert plan.refusals == ()
    assert plan.keys == {alias("d1old").key}


def test_a_stack_that_may_own_it_is_named_with_what_it_hides() -> None:
    case = Case()
    reported = {"Simulation": {"Attributes": {"Name": "www.example.com"}}}
    hidden = {"Type": "Custom::X", "Metadata": reported}
    case.world.write([("DELETE", alias("d1old"))])
    name: Any = {"Fn::GetAtt": ["Looked", "Name"]}
    case.deploys("legacy", Looked=hidden, Old=group(own(name=name)))
    refusal(
        case.plan(),
        "stack legacy owns A record at ?",
        "which may be www.example.com",
        "does not show the name",
        way_out="If it is another record: add --owner-check none",
    )


class Unread(SimulatedStacks):
    """Stacks of which some question is answered with an error."""

    error: ApiError = ApiError("is not supported", code="InvalidAction")

    async def stacks(self, found: Callable[[int], None]) -> Sequence[StackDescription]:
        found(0)
        raise self.error


def test_an_account_that_cannot_list_its_stacks_is_refused() -> None:
    """An error is no answer: it was once taken for "no owner"."""
    case = Case()
    another_stack(case)
    refusal(
        case.plan(stacks=Unread),
        "in us-east-1: InvalidAction: is not supported",
        way_out="--owner-check none",
    )
    assert case.plan(stacks=Unread, owner_check=OwnerCheck.NONE).refusals == ()


class Hidden(SimulatedStacks):
    """Stacks of which only the tree's templates may be read."""

    async def body(self, stack_id: str) -> Any:
        if "stack/shop/" not in stack_id:
            raise AccessDeniedError("may not read it", code="AccessDenied")
        return await super().body(stack_id)


def test_a_template_that_may_not_be_read_is_refused_where_it_matters() -> None:
    case = Case()
    case.deploys("legacy", Old=own(name="other.example.com"))
    assert case.plan(stacks=Hidden).refusals == ()
    case.deploys("beside", Text=TEXT)
    refusal(
        case.plan(stacks=Hidden),
        "stack beside owns some record at www.example.com (Text)",
        "template could not be read (AccessDenied: may not read it)",
        way_out="--owner-check none",
    )


def test_a_stack_that_tries_to_create_the_record_itself_is_refused() -> None:
    """CloudFormation retries for both stacks: the released name might go to the other one."""
    case = Case()
    case.world.stacks.create_stack("other", {"Resources": {"New": own(), "Text": TEXT}})
    case.world.timeline.advance(case.world.timeline.now + 10)
    new = case.world.stacks.get("other").resources["New"]
    assert (new.status, new.physical_id) == ("CREATE_IN_PROGRESS", "")
    refusal(
        case.plan(), "stack other is creating a record at www.example.com (New)", way_out="Wait"
    )


# -- this stack


@pytest.mark.parametrize(
    "name", [{"Fn::Join": [".", ["www", "example.com"]]}, "WWW.example.com"], ids=["join", "text"]
)
def test_the_stacks_own_txt_beside_the_record_is_not_taken_for_it(name: Any) -> None:
    template = site_template(alias_resource("d1new"), Text=plain("TXT", '"x"', name))
    case = Case(site_account(template=template))
    plan = case.plan()
    assert (plan.refusals, plan.owned) == ((), ())
    assert plan.keys == {alias("d1old").key}


def test_what_the_stack_owns_beside_the_record_goes_ahead_and_is_never_to_be_taken_out() -> None:
    apex = RecordSet(name="example.com.", type="A", ttl=None, alias=alias("d1old").alias)
    text = plain("TXT", '"x"', {"Fn::Sub": "example.com"})
    template = site_template(alias_resource("d1new"), Mail=MAIL, Text=text, Six=own(Type="AAAA"))
    case = Case(site_account(template=template))
    case.holds(apex)
    for record in ("example.com", "www.example.com/A"):
        plan = case.plan(record)
        assert plan.refusals == ()
        assert "out of" not in warned(plan)
    mail = case.plan("example.com/MX")
    assert (mail.refusals, [record.type for record in mail.owned]) == ((), ["MX"])


def test_a_group_of_the_stack_that_is_going_to_hold_the_record_is_no_reason() -> None:
    grouped = group(alias_resource("d1new"), Condition="Enabled")
    case = Case(site_account(template=site_template(TEXT, Group=grouped)))
    plan = case.plan()
    assert plan.refusals == ()
    assert plan.keys == {alias("d1old").key}
    elsewhere = case.plan("www.example.com/TXT", deploy_off=None)
    assert elsewhere.refusals == ()


def test_a_group_of_other_names_in_the_stack_is_no_reason() -> None:
    keys = group(plain("CNAME", "x.", "k1._domainkey.example.com"), MAIL)
    case = Case(site_account(template=site_template(alias_resource("d1new"), Keys=keys)))
    plan = case.plan()
    assert plan.refusals == ()
    assert plan.keys == {alias("d1old").key}


def test_a_record_that_a_group_of_the_stack_owns_is_nothing_to_do() -> None:
    template = site_template(TEXT, Group=group(own()))
    case = Case(replace_existing(template))
    plan = case.plan()
    assert (plan.refusals, plan.manuals) == ((), ())
    assert plan.owned == (alias("d9other"),)


def replace_existing(template: Any) -> Any:
    """The account in which nothing is in the template's way."""
    return site_account(
        template=template, existing=RecordSet(name=WWW, type="CAA", ttl=60, values=('0 issue "x"',))
    )


# -- advice


def test_a_stack_that_could_not_be_deleted_is_let_go_of_by_keeping_the_record() -> None:
    """CloudFormation cannot delete what was edited by hand, nor update a stack after that."""
    case = Case()
    another_stack(case)
    case.edit(alias("d1edited"))
    case.world.stacks.delete_stack("legacy")
    case._settle()
    assert case.world.stacks.get("legacy").status == "DELETE_FAILED"
    refusal(
        case.plan(),
        "stack legacy owns the A record at www.example.com (Old)",
        way_out="`aws cloudformation delete-stack --retain-resources Old --stack-name legacy`",
    )


# -- many stacks, at the rates of AWS


def inventoried(
    limit: ReadLimit, in_each_region: int, tell: Callable[[str], None] = lambda _: None
) -> tuple[Found, float, int]:
    """What an inventory of three regions finds, in how many seconds, and how often throttled."""
    case = Case()
    another_stack(case)
    world = case.world

    def made(region: str) -> StackStore:
        config = StackConfig(region=region, reads=limit)
        stacks = StackStore(world.timeline, world.zones, world.rng, config=config)
        body = {"Resources": {f"R{n}": {"Type": "Custom::X"} for n in range(3)}}
        for number in range(in_each_region):
            resources = {
                **body["Resources"],
                "Dns": plain("TXT", '"x"', f"h{number}.{region}.example.com"),
            }
            stacks.create_stack(f"app-{number}", {"Resources": resources})
        return stacks

    regions = {region: made(region) for region in ("us-east-1", "eu-west-1", "ap-south-1")}
    old = own(name="abroad.example.com")
    regions["ap-south-1"].create_stack("legacy", {"Resources": {"Old": old}})
    world.timeline.advance(world.timeline.now + 600)

    async def read() -> tuple[Found, float]:
        clock = VirtualClock(world.timeline.now)
        transport = Transport(world, clock, Random(1), FaultRates())  # noqa: S311 -- a simulation
        home = SimulatedStacks(transport, regions, "us-east-1")
        inventory = Inventory(home, clock, region="us-east-1", tell=tell)
        began = clock.now()
        found = await inventory.beside((), ["abroad.example.com."], OwnerCheck.FULL)
        took = clock.now() - began
        if not found.unasked:
            again = await inventory.beside((), [WWW], OwnerCheck.FULL)
            assert again.records == ()
            assert clock.now() - began < took + 1, "what was read is not read again"
        return found, took

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        found, took = runner.run(read())
    return found, took, sum(stacks.reads.refused for stacks in regions.values())


def test_where_there_are_no_stacks_no_reading_is_told_of() -> None:
    world = SimulatedAccount(site_account(exists=False), seed="none", start=START)
    told: list[str] = []

    async def read() -> None:
        clock = VirtualClock(world.timeline.now)
        stacks = SimulatedStacks(
            Transport(world, clock, Random(1), FaultRates())  # noqa: S311 -- a simulation
        )
        inventory = Inventory(stacks, clock, region="us-east-1", tell=told.append)
        await clock.sleep(30)  # a preview runs between the two
        await inventory.beside((), [WWW], OwnerCheck.REGION)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(read())
    assert told == []


def test_three_hundred_stacks_are_read_within_a_minute_at_the_rates_of_aws() -> None:
    reported: list[str] = []
    found, took, refused = inventoried(ReadLimit(rate=4, burst=8), 100, reported.append)
    assert [one.stack.stack_name for one in found.records] == ["legacy"]
    assert found.unasked == ()
    assert refused, "it was throttled, and waited"
    assert took < 60
    assert reported[0].startswith("reading stacks: ")
    assert reported[0].endswith(" of 301 in 3 regions")
    assert reported[-1] == "reading stacks: 301 of 301 in 3 regions"
    assert 5 < len(reported) < 35


def test_a_region_that_never_stops_throttling_is_no_answer() -> None:
    found, took, _ = inventoried(ReadLimit(rate=0.0001, burst=2), 3)
    assert {one.region for one in found.unasked} == {"us-east-1", "eu-west-1", "ap-south-1"}
    assert all("Rate exceeded" in one.error for one in found.unasked)
    assert took < 120
