"""What a pending template comes to: what is known of it, and what stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.core.plan.test_model import alias, desired, record

from route53_takeover.core.domain.stacks import RECORD_SET, RECORD_SET_GROUP, STACK, ResourceChange
from route53_takeover.core.domain.template import parse_template
from route53_takeover.core.plan.comparison import comparison_lines, desired_shape, lost_values
from route53_takeover.core.plan.facts import OwnedRecord
from route53_takeover.core.plan.model import PlannedRecord
from route53_takeover.core.plan.pending import read_pending
from route53_takeover.core.plan.pending_values import PendingStack

if TYPE_CHECKING:
    from route53_takeover.core.plan.facts import PendingRecord


def owned(name: str = "www.example.com", kind: str = "A") -> OwnedRecord:
    return OwnedRecord(stack_id="arn:a", logical_id="R", name=name, desired=desired(kind, name))


HOST = {"Fn::Sub": "${Host}.example.com"}


def record_set(name: Any = "www.example.com", **more: Any) -> dict[str, Any]:
    properties = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": ["192.0.2.1"], **more}
    return {"Type": RECORD_SET, "Properties": properties}


def read(body: dict[str, Any], **more: Any) -> list[PendingRecord]:
    return list(read_pending(PendingStack(body=body, **more), source="t").records)


def names(records: list[PendingRecord]) -> list[str]:
    return [each.record.name for each in records]


def with_parameter(declared: dict[str, Any], **more: Any) -> list[str]:
    body = {"Parameters": {"Host": declared}, "Resources": {"R": record_set(HOST)}}
    return names(read(body, **more))


def test_a_parameter_is_what_was_given_else_in_force_else_its_default() -> None:
    declared = {"Type": "String", "Default": "default"}
    old = {"stack_id": "arn:a", "in_force": {"Host": "old"}}
    assert with_parameter(declared, given={"Host": "new"}, **old) == ["new.example.com"]
    assert with_parameter(declared, **old) == ["old.example.com"]
    assert with_parameter(declared) == ["default.example.com"]
    assert with_parameter({"Type": "String"}) == ["?.example.com"]


def test_a_hidden_or_stored_parameter_stays_open_unless_it_is_known() -> None:
    """Of a stored one the template has the key; of a hidden one the default may not be in force."""
    hidden = {"Type": "String", "NoEcho": True, "Default": "d"}
    assert with_parameter(hidden, stack_id="arn:a") == ["?.example.com"]
    assert with_parameter(hidden) == ["d.example.com"]
    stored = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/host"}
    assert with_parameter(stored) == ["?.example.com"]
    assert with_parameter(stored, given={"Host": "/x"}) == ["?.example.com"]
    resolved = {"given": {"Host": "www"}, "is_processed": True}
    assert with_parameter(stored, **resolved) == ["www.example.com"]


@pytest.mark.parametrize(
    "value",
    [
        "{{resolve:ssm:/host}}.example.com",
        {"Fn::Sub": "{{resolve:ssm:/${AWS::Region}/host}}.example.com"},
        {"Fn::Join": ["", ["{{resolve:ssm:/", {"Ref": "Gone"}, "}}.example.com"]]},
    ],
)
def test_a_dynamic_reference_is_open(value: Any) -> None:
    (each,) = read({"Resources": {"R": record_set(value)}})
    assert each.record.pattern
    assert each.record.may_be_at("www.example.com.")
    assert each.record.desired is None


def test_booleans_and_numbers_are_the_text_that_cloudformation_makes_of_them() -> None:
    body = {
        "Parameters": {"On": {"Type": "String", "Default": True}, "N": {"Type": "Number"}},
        "Conditions": {"IsOn": {"Fn::Equals": [{"Ref": "On"}, True]}},
        "Resources": {
            "R": {**record_set({"Fn::Join": [".", [True, 7, "example.com"]]}), "Condition": "IsOn"},
        },
    }
    assert names(read(body)) == ["true.7.example.com"]


CONDITIONAL = {
    "Parameters": {
        "Stage": {"Type": "String", "Default": "dev"},
        "Dns": {"Type": "String", "Default": "no"},
    },
    "Conditions": {
        "Wanted": {"Fn::And": [{"Condition": "IsProd"}, {"Fn::Equals": [{"Ref": "Dns"}, "yes"]}]},
        "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
    },
    "Resources": {"R": {**record_set(), "Condition": "Wanted"}},
}


def test_what_only_other_parameters_bring_is_kept_and_is_not_certain() -> None:
    stack = PendingStack(body=CONDITIONAL)
    found = read_pending(stack, source="t")
    assert [each.certain for each in found.records] == [False]
    assert found.assumed == {"Wanted": ("Dns", "Stage")}
    half = read_pending(PendingStack(body=CONDITIONAL, given={"Stage": "prod"}), source="t")
    assert half.assumed == {"Wanted": ("Dns",)}
    assert read(CONDITIONAL, given={"Stage": "dev"}) == [], "what was given settles it"
    (sure,) = read(CONDITIONAL, given={"Stage": "prod", "Dns": "yes"})
    assert sure.certain


def test_a_change_set_resolves_what_the_template_leaves_open() -> None:
    looked = {"Fn::GetAtt": ["Looked", "Address"]}
    body = {
        "Conditions": {"Unknown": {"Fn::Equals": [{"Ref": "Nothing"}, "x"]}},
        "Resources": {
            "Www": {
                **record_set({"Fn::GetAtt": ["Looked", "Name"]}, ResourceRecords=[looked]),
                "Condition": "Unknown",
            },
            "Gone": {**record_set("gone.example.com"), "Condition": "Unknown"},
        },
    }
    after = {
        "Name": "www.example.com",
        "Type": "A",
        "TTL": "60",
        "ResourceRecords": ["{{changeSet:KNOWN_AFTER_APPLY}}"],
    }
    change = ResourceChange(
        action="Add", logical_id="Www", resource_type=RECORD_SET, properties=after
    )
    (each,) = read(body, changes={"Www": change}, is_processed=True)
    assert (each.record.name, each.certain) == ("www.example.com", True)
    assert each.record.desired is not None
    assert not each.record.desired.complete


def test_a_parameter_that_a_change_set_does_not_know_is_open() -> None:
    unknown = {"Host": "{{changeSet:KNOWN_AFTER_APPLY}}"}
    declared = {"Type": "String", "Default": "default"}
    assert with_parameter(declared, given=unknown, is_processed=True) == ["?.example.com"]


def test_a_resource_that_a_change_set_replaces_does_not_exist_yet() -> None:
    change = ResourceChange(
        action="Modify", logical_id="R", resource_type=RECORD_SET, keeps_id=False
    )
    stack = {"stack_id": "arn:a", "owned": (owned(),), "is_processed": True}
    body = {"Resources": {"R": record_set()}}
    assert [each.exists for each in read(body, **stack)] == [True]
    assert [each.exists for each in read(body, changes={"R": change}, **stack)] == [False]


@pytest.mark.parametrize(
    ("old", "exists"),
    [(owned(), True), (owned("old.example.com"), False), (owned(kind="TXT"), False)],
    ids=["the same", "another name", "another type"],
)
def test_a_record_exists_where_the_stack_owns_this_very_one(old: OwnedRecord, exists: bool) -> None:
    (each,) = read({"Resources": {"R": record_set()}}, stack_id="arn:a", owned=(old,))
    assert each.exists is exists


def test_a_nested_stack_gets_its_parents_values_and_hands_its_outputs_on() -> None:
    child = {
        "Parameters": {"Host": {"Type": "String", "Default": "d"}, "Zone": {"Type": "String"}},
        "Resources": {"R": record_set(HOST, HostedZoneId={"Ref": "Zone"})},
        "Outputs": {"Name": {"Value": HOST}},
    }
    body = {
        "Resources": {
            "Last": record_set({"Fn::GetAtt": ["Child", "Outputs.Name"]}, Type="AAAA"),
            "Child": {
                "Type": STACK,
                "Properties": {"Parameters": {"Host": "www", "Zone": {"Fn::GetAtt": ["X", "Y"]}}},
            },
        }
    }
    found = read(body, nested={"Child": PendingStack(body=child)})
    assert {each.path: each.record.name for each in found} == {
        "Child/R": "www.example.com",
        "Last": "www.example.com",
    }
    assert {each.record.zone for each in found} == {(None, None)}, "the zone stays open"
    unread = read_pending(PendingStack(body=body), source="t")
    assert unread.unread == ("nested stack Child: its template was not found",)
    assert [each.record.name for each in unread.records] == ["?"]


SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Six: {Type: String, Default: "true"}}
Globals:
  Api:
    Domain:
      DomainName: www.example.com
      Route53: {HostedZoneName: example.com., IpV6: !Ref Six}
Resources:
  Site: {Type: AWS::Serverless::Api, Properties: {StageName: p}}
  Work: {Type: AWS::Serverless::Function, Properties: {Handler: x}}
"""


def test_of_sam_the_records_of_a_domain_are_certain_and_their_targets_open() -> None:
    found = read_pending(PendingStack(body=parse_template(SAM)), source="t")
    assert [(r.record.name, r.record.record_type, r.record.group) for r in found.records] == [
        ("www.example.com", "A", True),
        ("www.example.com", "AAAA", True),
    ]
    assert all(r.record.desired and not r.record.desired.complete for r in found.records)
    assert found.unread == ()


def test_macros_loops_and_applications_are_named_as_not_known() -> None:
    body = {
        "Transform": ["AWS::LanguageExtensions", "OurMacro"],
        "Resources": {
            "Fn::ForEach::Hosts": ["Host", ["a"], {}],
            "App": {"Type": "AWS::Serverless::Application"},
        },
    }
    reported = " ".join(read_pending(PendingStack(body=body), source="t").unread)
    for what in ("OurMacro", "Fn::ForEach::Hosts", "application App"):
        assert what in reported
    assert "LanguageExtensions" not in reported
    processed = PendingStack(body=body, is_processed=True)
    assert read_pending(processed, source="t").unread == ()


def test_members_of_a_group_have_its_zone_and_a_hidden_one_is_not_certain() -> None:
    hidden = {"Fn::If": ["Nothing", record_set()["Properties"], {"Ref": "AWS::NoValue"}]}
    group = {
        "Type": RECORD_SET_GROUP,
        "Properties": {
            "HostedZoneId": "Z1",
            "RecordSets": [record_set()["Properties"], hidden],
        },
    }
    found = read({"Resources": {"G": group}})
    assert [(r.certain, r.record.group, r.record.zone[0]) for r in found] == [
        (True, True, "Z1"),
        (False, True, "Z1"),
    ]


# -- before and after


def test_values_are_compared_one_by_one_whatever_their_spelling() -> None:
    now = record("www.example.com.", "TXT", '"a"', '"b"', ttl=300)
    wanted = {
        "TTL": 300,
        "ResourceRecords": [{"Value": '"c"'}, {"Value": "a"}, {"Value": {"Ref": "X"}}],
    }
    planned = PlannedRecord(name="www", type="TXT", now=now, desired=wanted, known=True)
    assert comparison_lines(planned) == ['= "a"', '- "b"', '+ "c"', "+ ?"]


def test_a_change_of_type_shows_what_goes_and_what_is_not_known_says_so() -> None:
    now = record("www.example.com.", "CNAME", "old.example.net.")
    gone = PlannedRecord(name="www", type="CNAME", now=now, known=True)
    assert comparison_lines(gone) == ["- old.example.net."]
    assert "not known" in comparison_lines(PlannedRecord(name="w", type="A", now=now))[0]
    new = PlannedRecord(
        name="www", type="A", desired={"AliasTarget": {"DNSName": "D1.x.net"}}, known=True
    )
    assert comparison_lines(new) == ["+ alias to d1.x.net"]


def test_what_is_open_is_in_the_desired_record_as_the_function_that_it_is() -> None:
    at = {"Fn::GetAtt": ["Site", "DomainName"]}
    target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": at}
    properties = {"Name": "www.example.com", "Type": "A", "AliasTarget": target}
    (each,) = read({"Resources": {"R": {"Type": RECORD_SET, "Properties": properties}}})
    assert desired_shape(each) == properties
    (whole,) = read({"Resources": {"R": record_set()}})
    assert desired_shape(whole) == {
        "Name": "www.example.com",
        "Type": "A",
        "TTL": 60,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }


def test_lost_values_are_those_that_no_spelling_keeps() -> None:
    now = record("example.com.", "MX", "10 Mail.example.com", "20 backup.example.com.")
    kept = desired("MX", "example.com", TTL=60, ResourceRecords=["10 mail.example.com."])
    assert lost_values(now, kept) == ["20 backup.example.com."]
    assert len(lost_values(now, None)) == 2
    assert lost_values(alias("www.example.com."), None) == []
