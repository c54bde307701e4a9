"""The simulated account of a dry run holds what was read: zone, stacks, and what is pending."""

from __future__ import annotations

from typing import Any

import msgspec

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP, STACK, StackResource
from route53_takeover.core.domain.stacks import StackDescription as Description
from route53_takeover.core.plan.account_read import AccountRead
from route53_takeover.core.plan.facts import (
    OwnedRecord,
    PendingRecord,
    PendingResource,
    PendingTemplate,
    StackRead,
    StackRecord,
)
from route53_takeover.core.plan.model import Manual, Options, Plan
from route53_takeover.simulation.rehearsed_account import RehearsedAccount, guessed

ROOT, CHILD = (f"arn:aws:cloudformation:eu-west-1:1:stack/{name}/1" for name in ("shop", "dns"))
ZONE = "Z0123"
WWW = RecordSet(name="www.example.com.", type="A", ttl=300, values=("192.0.2.1",))
SOA = RecordSet(name="example.com.", type="SOA", ttl=77, values=("ns-1.example. x. 1 2 3 4 55",))


def plan(*manuals: RecordSet, status: str = "UPDATE_COMPLETE") -> Plan:
    return Plan(
        options=Options(stack="shop", records=("www.example.com",)),
        zone_id=ZONE,
        zone_name="example.com.",
        zone_private=False,
        zone_is_unique=True,
        name_servers=("ns-1.awsdns-00.com.", "ns-2.awsdns-00.org."),
        root=Description(stack_id=ROOT, stack_name="shop", status=status),
        account="111122223333",
        manuals=tuple(Manual(original=each) for each in manuals),
    )


def desired(name: str, **more: Any) -> DesiredRecord:
    properties = {"HostedZoneId": ZONE, "Name": name, "Type": "A", **more}
    found = DesiredRecord.from_properties(properties)
    assert found is not None
    return found


def resource(logical_id: str, kind: str, physical_id: str, stack: str = ROOT) -> StackResource:
    return StackResource(
        stack_id=stack,
        logical_id=logical_id,
        physical_id=physical_id,
        resource_type=kind,
        status="CREATE_COMPLETE",
    )


def pending(path: str, name: str, *, group: bool = False, **more: Any) -> PendingRecord:
    record = OwnedRecord(
        stack_id=ROOT, logical_id=path, name=name, desired=desired(name, **more), group=group
    )
    return PendingRecord(record=record, path=path, properties={"Name": name, "Type": "A", **more})


def account(made: Plan, read: AccountRead) -> RehearsedAccount:
    again = msgspec.json.decode(msgspec.json.encode(read), type=AccountRead)  # as a file has it
    assert again == read
    return RehearsedAccount(made, again, seed="1", start=1_000_000.0)


def test_the_zone_has_its_id_its_name_servers_its_soa_and_its_records() -> None:
    read = AccountRead(
        region="eu-west-1", records=(SOA, WWW), pending=PendingTemplate(source="none")
    )
    world = account(plan(WWW), read)
    zone = world.zones.zone(ZONE)
    assert zone.name_servers == plan().name_servers
    assert world.zones.records_at(ZONE, "www.example.com.") == (WWW,)
    (soa,) = [r for r in world.zones.list(ZONE) if r.type == "SOA"]
    assert (soa.ttl, soa.values) == (77, SOA.values)
    assert world.zones.history == []


def test_the_tree_has_its_ids_and_a_group_keeps_what_it_has_when_it_gets_another_record() -> None:
    api = RecordSet(name="api.example.com.", type="A", ttl=60, values=("192.0.2.9",))
    owned = OwnedRecord(
        stack_id=CHILD,
        logical_id="Records",
        name="api.example.com",
        desired=desired("api.example.com", TTL="60", ResourceRecords=["192.0.2.9"]),
        group=True,
    )
    more = {"TTL": "60", "ResourceRecords": ["192.0.2.2"]}
    read = AccountRead(
        region="eu-west-1",
        records=(SOA, WWW, api),
        stacks=(
            StackRead(stack_id=ROOT, path="", resources=(resource("Dns", STACK, CHILD),)),
            StackRead(
                stack_id=CHILD,
                path="Dns/",
                resources=(
                    resource("Records", RECORD_SET_GROUP, "group-1", CHILD),
                    resource("Topic", "AWS::SNS::Topic", "arn:topic", CHILD),
                ),
            ),
        ),
        owned=(owned,),
        pending=PendingTemplate(
            source="a file",
            given=True,
            records=(pending("Dns/Records", "www.example.com", group=True, **more),),
        ),
    )
    world = account(plan(WWW), read)
    root, child = world.stacks.find(ROOT), world.stacks.find(CHILD)
    assert root is not None
    assert child is not None
    assert child.parent is root
    assert [(r.logical_id, r.physical_id) for r in child.resources.values()] == [
        ("Records", "group-1"),
        ("Topic", "arn:topic"),
    ]
    body = world.on["Resources"]["Dns"]["Metadata"]["Simulation"]["Template"]
    entries = body["Resources"]["Records"]["Properties"]["RecordSets"]
    assert [entry["Name"] for entry in entries] == ["api.example.com.", "www.example.com"]
    assert guessed(plan(WWW), read) == ()


def test_what_is_not_known_is_an_example_and_what_nothing_tells_is_assumed() -> None:
    target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": {"Fn::GetAtt": ["Cdn", "DomainName"]}}
    read = AccountRead(
        region="eu-west-1",
        records=(SOA, WWW),
        pending=PendingTemplate(
            source="a file",
            given=True,
            records=(pending("Record", "www.example.com", AliasTarget=target),),
            resources=(
                PendingResource(path="Cdn", type="AWS::CloudFront::Distribution"),
                PendingResource(path="Record", type=RECORD_SET, depends=("Cdn",)),
            ),
        ),
    )
    world = account(plan(WWW, status="ABSENT"), read)
    assert world.stacks.all() == []
    assert list(world.off["Resources"]) == ["Cdn"]
    record = world.on["Resources"]["Record"]
    assert record["DependsOn"] == ["Cdn"]
    assert record["Properties"]["AliasTarget"]["DNSName"] == "rehearsed.cloudfront.net."
    nothing = msgspec.structs.replace(read, pending=PendingTemplate(source="none"))
    assert guessed(plan(WWW), nothing) == (WWW.key,)
    assumed = account(plan(WWW), nothing).on["Resources"]["Record1"]["Properties"]
    assert assumed["ResourceRecords"] != list(WWW.values)


def test_another_stack_owns_its_record_and_an_unread_target_of_an_alias_stands() -> None:
    to = AliasTarget(zone_id=ZONE, dns_name="lb.example.com.")
    www = RecordSet(name="www.example.com.", type="A", alias=to)
    stack = Description(stack_id="theirs-id", stack_name="theirs", status="CREATE_COMPLETE")
    record = OwnedRecord(
        stack_id="theirs-id",
        logical_id="Theirs",
        name="x.example.com",
        desired=desired("x.example.com", TTL="60", ResourceRecords=["192.0.2.8"]),
    )
    read = AccountRead(
        region="eu-west-1",
        records=(SOA, www),
        unread=5000,
        pending=PendingTemplate(source="none"),
        foreign=(StackRecord(stack=stack, record=record),),
    )
    world = account(plan(www), read)
    theirs = world.stacks.find("theirs")
    assert theirs is not None
    assert [r.type for r in theirs.resources.values()] == [RECORD_SET]
    world.zones.change(ZONE, [("DELETE", www), ("CREATE", www)], by="a test")
