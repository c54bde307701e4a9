"""The policy for a plan: what it allows, on what, in which partition, and nothing beside."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from route53_takeover.base.errors import RefusedError
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.domain.stacks import ABSENT, StackDescription
from route53_takeover.core.plan.iam_policy import MANAGED_SIZE, Reach, policy_for
from route53_takeover.core.plan.model import LoweredSoa, Manual, Options, OwnerCheck, Plan

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack"
HERE = Reach(partition="aws", region="eu-west-1")
CHANGE = "route53:ChangeResourceRecordSets"


def planned(*names_and_types: tuple[str, str], stack: str = "shop", **fields: Any) -> Plan:
    """A plan that hands these records over."""
    records = [RecordSet(name=n, type=t, ttl=300, values=("x.",)) for n, t in names_and_types]
    plan = Plan(
        options=Options(stack=stack, records=tuple(name for name, _ in names_and_types)),
        zone_id="Z1",
        zone_name="example.com.",
        zone_private=False,
        zone_is_unique=True,
        name_servers=(),
        root=StackDescription(stack_id=f"{STACK}/shop/1", stack_name="shop", status="x"),
        account="123456789012",
        manuals=tuple(Manual(original=r, lowered=replace(r, ttl=60)) for r in records),
    )
    return replace(plan, **fields)


def statements(plan: Plan, reach: Reach = HERE) -> dict[str, dict[str, Any]]:
    document = policy_for(plan, reach).document
    assert document["Version"] == "2012-10-17"
    return {each["Sid"]: each for each in document["Statement"]}


WWW = planned(("www.example.com.", "CNAME"))


def test_writing_is_kept_to_the_zone_the_names_the_types_and_two_actions() -> None:
    plan = planned(("www.example.com.", "CNAME"), ("Example.com.", "AAAA"), ("example.com.", "A"))
    found = statements(plan)
    assert found["TheRecord"] == {
        "Sid": "TheRecord",
        "Effect": "Allow",
        "Action": [CHANGE],
        "Resource": ["arn:aws:route53:::hostedzone/Z1"],
        "Condition": {
            "ForAllValues:StringEquals": {
                f"{CHANGE}NormalizedRecordNames": ["example.com", "www.example.com"],
                f"{CHANGE}RecordTypes": ["A", "AAAA", "CNAME"],
                f"{CHANGE}Actions": ["CREATE", "DELETE"],
            }
        },
    }
    others = [each for sid, each in found.items() if sid != "TheRecord"]
    assert CHANGE not in str(others)
    assert all("*" not in action for each in found.values() for action in each["Action"])


def test_a_wildcard_and_other_odd_names_are_spelt_as_the_condition_key_has_them() -> None:
    names = ["*.Example.com.", "a b.example.com", r"dot\056ted.example.com.", "_x.example.com"]
    found = statements(planned(*((name, "A") for name in names)))
    equals = found["TheRecord"]["Condition"]["ForAllValues:StringEquals"]
    assert equals[f"{CHANGE}NormalizedRecordNames"] == [
        r"\052.example.com",
        "_x.example.com",
        r"a\040b.example.com",
        r"dot\056ted.example.com",
    ]


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "eu-west-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")],
)
def test_every_arn_is_of_the_regions_partition(partition: str, region: str) -> None:
    found = statements(WWW, Reach(partition=partition, region=region))
    arns = [arn for each in found.values() for arn in each["Resource"] if arn != "*"]
    assert {arn.split(":")[1] for arn in arns} == {partition}
    assert found["SeeItServed"]["Resource"] == [f"arn:{partition}:route53:::change/*"]
    here = f"arn:{partition}:cloudformation:{region}:123456789012:stack"
    assert found["WatchTheStack"]["Resource"] == [f"{here}/shop/*", f"{here}/shop-*/*"]


def test_only_what_has_no_resource_of_its_own_is_allowed_on_everything() -> None:
    everywhere = [each["Action"] for each in statements(WWW).values() if "*" in each["Resource"]]
    assert everywhere == [["route53:ListHostedZones"], ["cloudformation:ListStacks"]]
    importing = statements(WWW, replace(HERE, exports=True))["FindAnyOwner"]
    assert importing["Action"] == ["cloudformation:ListStacks", "cloudformation:ListExports"]


def test_stacks_are_looked_at_no_further_than_the_plan_does() -> None:
    def looked_at(check: str) -> tuple[list[str], bool]:
        chosen = replace(WWW, options=replace(WWW.options, owner_check=OwnerCheck(check)))
        found = statements(chosen)
        return found["LookAtAnyOwner"]["Resource"], "FindAnyOwner" in found

    everywhere = "arn:aws:cloudformation:*:123456789012:stack/*/*"
    assert looked_at("full") == ([everywhere], True)
    assert looked_at("region") == ([f"{STACK}/*/*"], True)
    assert looked_at("none") == ([f"{STACK}/shop/*", f"{STACK}/shop-*/*"], False)


def test_templates_are_read_only_of_the_tree_and_of_owners_in_it() -> None:
    reach = replace(
        HERE,
        nested=(f"{STACK}/shop-Site-1X2Y/2", f"{STACK}/imported/3"),
        owners=(f"{STACK}/mail/4", f"{STACK}/mail/4"),
    )
    found = statements(WWW, reach)
    own = [f"{STACK}/shop/*", f"{STACK}/shop-*/*", f"{STACK}/imported/*"]
    assert found["WatchTheStack"]["Resource"] == own
    assert found["ReadTheTemplates"]["Resource"] == [*own, f"{STACK}/mail/4"]


def test_a_stack_that_does_not_exist_yet_is_allowed_by_its_name() -> None:
    absent = StackDescription(stack_id="", stack_name="", status=ABSENT)
    plan = planned(("www.example.com.", "A"), stack="new-one", root=absent)
    assert statements(plan)["WatchTheStack"]["Resource"] == [
        f"{STACK}/new-one/*",
        f"{STACK}/new-one-*/*",
    ]


def test_a_stack_given_by_its_arn_or_as_a_child_is_allowed_beside_its_root() -> None:
    own = [f"{STACK}/shop/*", f"{STACK}/shop-*/*"]
    for given, more in (
        (f"{STACK}/shop/1", []),
        (f"{STACK}/shop-Site-1X2Y/2", []),
        ("imported", [f"{STACK}/imported/*"]),
    ):
        plan = planned(("www.example.com.", "A"), stack=given)
        assert statements(plan)["WatchTheStack"]["Resource"] == [*own, *more]


@pytest.mark.parametrize("name", ["*", "sh?p", "shop/*", "${aws:username}", ""])
def test_a_name_that_would_widen_the_policy_is_refused(name: str) -> None:
    absent = StackDescription(stack_id="", stack_name="", status=ABSENT)
    with pytest.raises(RefusedError, match="stack"):
        policy_for(planned(("www.example.com.", "A"), stack=name, root=absent), HERE)


def test_every_zone_that_could_hold_the_name_may_be_looked_at_but_only_one_read() -> None:
    found = statements(WWW, replace(HERE, zones=("Z2", "Z1")))
    zones = "arn:aws:route53:::hostedzone/"
    assert found["LookAtTheZone"]["Resource"] == [f"{zones}Z1", f"{zones}Z2"]
    assert found["ReadTheZone"]["Resource"] == [f"{zones}Z1"]


def test_where_nothing_is_to_do_nothing_may_be_written() -> None:
    found = statements(planned())
    assert not {"TheRecord", "SeeItServed"} & found.keys()
    assert "ReadTheZone" in found


def test_changes_are_asked_for_only_where_a_ttl_is_lowered() -> None:
    assert "SeeItServed" in statements(WWW)
    kept = replace(WWW, manuals=tuple(replace(m, lowered=None) for m in WWW.manuals))
    assert "SeeItServed" not in statements(kept)


def test_only_the_soa_may_be_upserted_and_only_where_it_is_lowered() -> None:
    soa = RecordSet(name="example.com.", type="SOA", ttl=900, values=("m h 1 2 3 4 900",))
    lowered = LoweredSoa(original=soa, lowered=replace(soa, ttl=5, values=("m h 1 2 3 4 5",)))
    kept = tuple(replace(m, lowered=None) for m in WWW.manuals)
    found = statements(replace(WWW, manuals=kept, soa=lowered))
    assert found["TheSoa"]["Resource"] == ["arn:aws:route53:::hostedzone/Z1"]
    assert found["TheSoa"]["Condition"] == {
        "ForAllValues:StringEquals": {
            f"{CHANGE}NormalizedRecordNames": ["example.com"],
            f"{CHANGE}RecordTypes": ["SOA"],
            f"{CHANGE}Actions": ["UPSERT"],
        }
    }
    assert "UPSERT" not in str(found["TheRecord"])
    assert "SOA" not in str(found["TheRecord"])
    assert "SeeItServed" in found
    assert "TheSoa" not in statements(WWW)


def test_the_size_counts_what_iam_counts() -> None:
    small = policy_for(WWW, HERE)
    assert small.size < 2048  # fits as the inline policy of a user
    names = [(f"host-{number:03}.some-long-label.example.com.", "A") for number in range(200)]
    assert policy_for(planned(*names), HERE).size > MANAGED_SIZE


def test_a_preview_may_read_and_delete_change_sets_of_the_stack_and_never_execute_one() -> None:
    assert "ReadThePreview" not in statements(WWW)
    found = statements(replace(WWW, options=replace(WWW.options, preview="cdk deploy")))
    own = [f"{STACK}/shop/*", f"{STACK}/shop-*/*"]
    assert found["DeleteThePreview"] == {
        "Sid": "DeleteThePreview",
        "Effect": "Allow",
        "Action": ["cloudformation:DeleteChangeSet"],
        "Resource": own,
    }
    assert found["ReadThePreview"]["Resource"] == own
    assert "ExecuteChangeSet" not in str(found)
    assert "CreateChangeSet" not in str(found)
