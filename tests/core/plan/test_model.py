"""The plan: what is refused, in which words, and that nothing else is."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.desired_records import DesiredRecord
from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
from route53_takeover.core.domain.stacks import ABSENT, StackDescription
from route53_takeover.core.plan.facts import (
    Facts,
    Identity,
    OtherZone,
    OwnedRecord,
    StackRecord,
    Unasked,
    UnfinishedRun,
)
from route53_takeover.core.plan.hold import hold_for
from route53_takeover.core.plan.model import Finding, Options, OwnerCheck
from route53_takeover.core.plan.planner import make_plan
from route53_takeover.core.plan.steps import steps

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Plan

NOW = 1_000_000.0
DISTRIBUTION = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d1.cloudfront.net"}


def record(name: str, kind: str, *values: str, ttl: int = 300, **members: Any) -> RecordSet:
    shape: dict[str, Any] = {"Name": name, "Type": kind, **members}
    if "AliasTarget" not in members:
        shape |= {"TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}
    return RecordSet.from_api(shape)


def alias(name: str, kind: str = "A", to: str = "d1.cloudfront.net.", **members: Any) -> RecordSet:
    target = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": to, "EvaluateTargetHealth": False}
    return record(name, kind, AliasTarget=target, **members)


APEX = (
    record("example.com.", "SOA", "ns-1.a. admin.a. 1 7200 900 1209600 60", ttl=900),
    record("example.com.", "NS", "ns-1.example.net.", "ns-2.example.net."),
)
WWW = alias("www.example.com.")
CNAME = record("shop.example.com.", "CNAME", "old.example.net.", ttl=3600)
PLAIN = record("plain.example.com.", "A", "192.0.2.1")
TXT = record("www.example.com.", "TXT", '"hello"')


def desired(kind: str = "A", name: str = "www.example.com", **properties: Any) -> DesiredRecord:
    known: dict[str, Any] = {"AliasTarget": DISTRIBUTION} if kind == "A" else {}
    read = DesiredRecord.from_properties({"Name": name, "Type": kind, **known, **properties})
    assert read is not None
    return read


def owns(wanted: DesiredRecord | None = None, name: str = "www.example.com") -> OwnedRecord:
    return OwnedRecord(stack_id="arn:root", logical_id="Dns", name=name, desired=wanted)


def held_by(
    stack_name: str,
    wanted: DesiredRecord | None = None,
    *,
    region: str = "",
    name: str = "www.example.com",
) -> StackRecord:
    return StackRecord(stack=stack(name=stack_name), record=owns(wanted, name), region=region)


def stack(status: str = "UPDATE_COMPLETE", name: str = "shop-prod") -> StackDescription:
    return StackDescription(stack_id=f"arn:{name}", stack_name=name, status=status)


def expiring(seconds: float, **fields: Any) -> Identity:
    return identity(expires=NOW + seconds, renewable=False, **fields)


def identity(**fields: Any) -> Identity:
    return Identity(account="123456789012", arn="arn:aws:iam::123456789012:user/ann", **fields)


def facts(*records: RecordSet, **fields: Any) -> Facts:
    """Facts in which nothing is wrong, but for what is said."""
    usual: dict[str, Any] = {
        "now": NOW,
        "identity": identity(),
        "region": "eu-west-1",
        "zone_id": "Z1",
        "zone_name": "example.com.",
        "zone_private": False,
        "zone_name_servers": ("ns-1.example.net", "ns-2.example.net"),
        "zone_records": (*APEX, *(records or (WWW,))),
        "same_name_zones": ("Z1",),
        "delegated": ("NS-2.example.net.", "ns-1.example.net."),
        "stack": stack(),
    }
    return Facts(**(usual | fields))


def options(*names: str, **fields: Any) -> Options:
    usual: dict[str, Any] = {
        "stack": "shop-prod",
        "records": names or ("www.example.com",),
        "deploy_off": "deploy",
        "deploy_on": "deploy",
    }
    return Options(**(usual | fields))


def only_refusal(plan: Plan) -> Finding:
    assert len(plan.refusals) == 1, [str(finding) for finding in plan.refusals]
    assert plan.refusals[0].hint, "each refusal says the way out"
    assert plan.refused
    return plan.refusals[0]


def warnings_of(plan: Plan) -> str:
    return "\n".join(str(finding) for finding in plan.warnings)


# -- what is planned


def test_nothing_is_refused_where_nothing_is_wrong() -> None:
    plan = make_plan(facts(), options())
    assert plan.refusals == ()
    assert not plan.refused
    assert [m.original for m in plan.manuals] == [WWW]
    assert plan.owned == ()
    assert (plan.zone_id, plan.zone_name, plan.account) == ("Z1", "example.com.", "123456789012")
    assert plan.root == stack()


def test_without_a_type_every_a_aaaa_and_cname_at_the_name_is_taken_and_nothing_else() -> None:
    six = alias("www.example.com.", "AAAA")
    below = alias("x.www.example.com.")
    plan = make_plan(facts(WWW, six, TXT, below), options("WWW.example.com."))
    assert plan.keys == {WWW.key, six.key}
    assert plan.names == ("www.example.com.",)
    assert plan.staying == (TXT,)


def test_with_a_type_only_that_one_is_taken_and_the_others_are_said_to_stay() -> None:
    six = alias("www.example.com.", "AAAA")
    plan = make_plan(facts(WWW, six, TXT), options("www.example.com/txt"))
    assert plan.keys == {TXT.key}
    assert plan.staying == (WWW, six)
    assert (
        "www.example.com AAAA alias to d1.cloudfront.net is not part of this takeover"
        in warnings_of(plan)
    )


def test_each_name_stands_once_in_the_order_of_the_zone() -> None:
    six = alias("www.example.com.", "AAAA")
    plan = make_plan(
        facts(CNAME, WWW, six), options("www.example.com/A", "shop.example.com", "www.example.com")
    )
    assert plan.names == ("shop.example.com.", "www.example.com.")
    assert plan.keys == {CNAME.key, WWW.key, six.key}


def test_a_wildcard_is_asked_for_by_its_star() -> None:
    star = alias("\\052.example.com.")
    plan = make_plan(facts(star), options("*.example.com/A"))
    assert plan.refusals == ()
    assert plan.keys == {RecordKey("\\052.example.com.", "A")}


def test_only_a_ttl_above_the_wanted_one_is_lowered() -> None:
    short = record("low.example.com.", "CNAME", "old.example.net.", ttl=60)
    names = ("shop.example.com", "low.example.com", "www.example.com")
    plan = make_plan(facts(CNAME, short, WWW), options(*names))
    lowered = {m.key.name: m.lowered for m in plan.manuals}
    assert lowered["shop.example.com."] == replace(CNAME, ttl=60)
    assert lowered["low.example.com."] is None
    assert lowered["www.example.com."] is None, "an alias has no TTL of its own"


def test_the_drain_lasts_as_long_as_the_longest_ttl_that_is_lowered() -> None:
    other = record("other.example.com.", "CNAME", "old.example.net.", ttl=7200)
    low = record("low.example.com.", "CNAME", "old.example.net.", ttl=50)
    world = facts(CNAME, other, low)
    names = ("shop.example.com", "other.example.com", "low.example.com")
    assert make_plan(world, options(*names)).drain_seconds == 7200
    assert make_plan(world, options(names[0], names[2])).drain_seconds == 3600
    assert make_plan(world, options(names[2])).drain_seconds == 0
    assert make_plan(world, options(*names, drain=False)).drain_seconds == 0
    assert make_plan(world, options(*names, ttl=None)).drain_seconds == 0
    assert make_plan(world, options(*names, ttl=3600)).drain_seconds == 7200


@pytest.mark.parametrize(
    ("soa_ttl", "minimum", "negative"), [(900, "86400", 900), (900, "5", 5), (3, "60", 3)]
)
def test_the_negative_ttl_is_the_lower_of_the_soas_own_and_its_minimum(
    soa_ttl: int, minimum: str, negative: int
) -> None:
    soa = record("example.com.", "SOA", f"ns. admin. 1 7200 900 1209600 {minimum}", ttl=soa_ttl)
    assert make_plan(facts(zone_records=(soa, WWW)), options()).negative_ttl == negative


def test_the_hold_is_short_only_for_an_alias_that_is_known_to_differ() -> None:
    other = desired(AliasTarget={**DISTRIBUTION, "DNSName": "d2.cloudfront.net"})
    unknown = desired("AAAA", AliasTarget={"Ref": "Cdn"})
    cname = desired("CNAME", TTL="60", ResourceRecords=["new.example.net"])
    assert hold_for(options(), WWW, other) == 2.0
    assert hold_for(options(), WWW, desired()) == 10.0, "it may be adopted"
    assert hold_for(options(), WWW, unknown) == 10.0
    assert hold_for(options(), CNAME, cname) == 10.0
    assert hold_for(options(hold=0.5), WWW, desired()) == 0.5


# -- nothing to do


def test_a_record_that_the_stack_owns_as_its_template_says_is_nothing_to_do() -> None:
    plan = make_plan(facts(owned=(owns(desired()),)), options())
    assert (plan.refusals, plan.manuals, plan.warnings) == ((), (), ())
    assert plan.owned == (WWW,)
    assert steps(plan) == ["Nothing to do: the stack already owns www.example.com A."]


def test_a_record_whose_template_hides_its_values_is_owned_and_said_not_to_be_compared() -> None:
    hidden = desired(AliasTarget={"Ref": "Cdn"})
    plan = make_plan(facts(owned=(owns(hidden),)), options())
    assert plan.owned == (WWW,)
    assert (plan.manuals, plan.refusals) == ((), ())
    assert "(Dns)" in warnings_of(plan)
    assert "was not compared" in warnings_of(plan)


def test_a_record_whose_template_hides_its_type_is_neither_owned_nor_taken_over() -> None:
    plan = make_plan(facts(owned=(owns(None),)), options())
    finding = only_refusal(plan)
    assert plan.owned == ()
    assert "(Dns), and its template does not show whether it is the A" in finding.text
    assert "Type" in finding.hint
    other = replace(owns(None), type="TXT")
    assert make_plan(facts(owned=(other,)), options()).refusals == ()


def test_the_resource_that_is_known_to_be_the_records_is_the_one_compared() -> None:
    drifted = desired(AliasTarget={**DISTRIBUTION, "DNSName": "d2.cloudfront.net"})
    plan = make_plan(facts(owned=(owns(None), owns(drifted))), options())
    assert "d2.cloudfront.net" in only_refusal(plan).text


def test_nothing_to_do_is_not_refused_for_what_only_a_takeover_would_need() -> None:
    world = facts(
        owned=(owns(desired()),),
        stack=stack("UPDATE_IN_PROGRESS"),
        identity=expiring(1, needs_mfa=True),
        coming=(in_group(desired()),),
        delegated=(),
    )
    assert make_plan(world, options()).refusals == ()


@pytest.mark.parametrize(
    "elsewhere", [{"HostedZoneId": "ZPRIVATE"}, {"HostedZoneName": "corp.example.com."}]
)
def test_the_stacks_record_of_that_name_in_another_zone_is_not_this_one(
    elsewhere: dict[str, str],
) -> None:
    world = facts(owned=(owns(desired(**elsewhere)),))
    plan = make_plan(world, options(deploy_off=None))
    assert plan.owned == ()
    assert plan.keys == {WWW.key}
    assert plan.refusals == ()


@pytest.mark.parametrize(
    "here", [{"HostedZoneId": "/hostedzone/Z1"}, {"HostedZoneName": "Example.com"}]
)
def test_the_stacks_record_in_this_zone_is_this_one(here: dict[str, str]) -> None:
    plan = make_plan(facts(owned=(owns(desired(**here)),)), options())
    assert plan.owned == (WWW,)


# -- refused: the record


def test_a_record_that_is_not_there_is_refused_with_what_is() -> None:
    finding = only_refusal(make_plan(facts(WWW, TXT), options("www.example.com/CNAME")))
    assert "zone example.com (Z1) has no CNAME record www.example.com" in finding.text
    assert "it has A, TXT there" in finding.text
    assert "--record" in finding.hint
    finding = only_refusal(make_plan(facts(WWW), options("nope.example.com")))
    assert "no A, AAAA, CNAME or HTTPS record nope.example.com" in finding.text
    assert "no record of that name" in finding.text


def test_one_record_that_is_missing_is_enough_to_refuse() -> None:
    plan = make_plan(facts(), options("www.example.com/A", "www.example.com/AAAA"))
    assert "no AAAA record www.example.com" in only_refusal(plan).text


def test_a_record_that_another_stack_owns_is_refused() -> None:
    hidden = only_refusal(make_plan(facts(foreign=(held_by("legacy"),)), options()))
    assert "stack legacy owns some record at www.example.com (Dns)" in hidden.text
    assert "which may be www.example.com in this zone" in hidden.text
    assert "its template does not show the type" in hidden.text
    assert "If it is this record: There, set DeletionPolicy" in hidden.hint
    assert "If it is another record: add --owner-check none" in hidden.hint
    finding = only_refusal(make_plan(facts(foreign=(held_by("legacy", desired()),)), options()))
    assert "DeletionPolicy: Retain" in finding.hint
    abroad = held_by("legacy", desired(), region="eu-west-3")
    finding = only_refusal(make_plan(facts(foreign=(abroad,)), options()))
    assert finding.text == "stack legacy in eu-west-3 owns the A record at www.example.com (Dns)."


def test_a_region_whose_stacks_were_not_read_is_refused_with_its_error_and_how_to_go_on() -> None:
    denied = "cloudformation:ListStacks: AccessDenied: by an organization's policy"
    allow = "allow cloudformation:ListStacks for these credentials"
    unasked = tuple(Unasked(region=r, error=denied, hint=allow) for r in ("ca-west-1", "eu-west-3"))
    finding = only_refusal(make_plan(facts(unasked=unasked), options()))
    assert (
        "cannot check whether a stack owns www.example.com in ca-west-1, eu-west-3: "
        in finding.text
    )
    assert denied in finding.text
    assert f"To read them, {allow}; to continue without" in finding.hint
    assert "--owner-check region (reads eu-west-1 alone) or --owner-check none" in finding.hint
    home = facts(unasked=(Unasked(region="eu-west-1", error="no answer in 60 s"),))
    finding = only_refusal(make_plan(home, options()))
    assert "--owner-check region" not in finding.hint, "it would not help"


@pytest.mark.parametrize(
    ("check", "said"), [("region", "only in eu-west-1"), ("none", "only in the tree of shop-prod")]
)
def test_owners_that_were_not_looked_for_are_warned_of(check: str, said: str) -> None:
    plan = make_plan(facts(), options(owner_check=OwnerCheck(check)))
    assert plan.refusals == ()
    assert f"searched {said} (--owner-check {check})" in warnings_of(plan)
    assert "owners" not in warnings_of(make_plan(facts(), options()))


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        ("UPDATE_COMPLETE", "There, set DeletionPolicy: Retain on it and deploy, then remove it"),
        (
            "DELETE_FAILED",
            "delete-stack --region eu-west-3 --retain-resources Dns --stack-name legacy`",
        ),
        ("UPDATE_ROLLBACK_FAILED", "That stack is UPDATE_ROLLBACK_FAILED: bring it to rest first"),
    ],
)
def test_the_way_out_fits_the_status_of_the_stack_that_owns_it(status: str, advice: str) -> None:
    other = held_by("legacy", desired(), region="eu-west-3")
    other = replace(other, stack=stack(status, "legacy"))
    finding = only_refusal(make_plan(facts(foreign=(other,)), options()))
    assert advice in finding.hint
    assert ("DeletionPolicy" in finding.hint) is (status != "DELETE_FAILED")


@pytest.mark.parametrize(
    "record_set",
    [
        desired(name="shop.example.com"),
        desired("TXT", TTL="60", ResourceRecords=['"x"']),
        desired(HostedZoneId="ZPRIVATE"),
        desired(HostedZoneName="corp.example.com."),
    ],
)
def test_another_stacks_record_that_cannot_be_this_one_is_nothing_to_refuse(
    record_set: DesiredRecord,
) -> None:
    other = held_by("legacy", record_set, name=record_set.record.name)
    assert make_plan(facts(foreign=(other,)), options()).refusals == ()


@pytest.mark.parametrize(
    "template",
    [
        desired(AliasTarget={**DISTRIBUTION, "DNSName": "d2.cloudfront.net"}),
        desired(AliasTarget={**DISTRIBUTION, "EvaluateTargetHealth": "true"}),
        desired(AliasTarget={**DISTRIBUTION, "HostedZoneId": "ZOTHER"}),
    ],
)
def test_an_owned_record_that_differs_from_its_template_is_refused(
    template: DesiredRecord,
) -> None:
    finding = only_refusal(make_plan(facts(owned=(owns(template),)), options()))
    assert "the stack owns www.example.com A (Dns)" in finding.text
    assert WWW.describe() in finding.text
    assert template.record.describe() in finding.text
    assert "drift" in finding.hint


def test_an_owned_record_with_another_ttl_than_its_template_is_refused() -> None:
    template = desired("CNAME", "shop.example.com", TTL="60", ResourceRecords=["Old.example.net"])
    owned = owns(template, "shop.example.com")
    plan = make_plan(facts(CNAME, owned=(owned,)), options("shop.example.com"))
    finding = only_refusal(plan)
    assert "(TTL 3600)" in finding.text
    assert "(TTL 60)" in finding.text


def test_a_name_at_which_the_stack_owns_another_type_is_refused() -> None:
    other = owns(desired("CNAME", "www.example.com"))
    finding = only_refusal(make_plan(facts(owned=(other,)), options(deploy_off=None)))
    assert "the stack owns CNAME at www.example.com (Dns)" in finding.text
    assert "cannot exist beside the manual www.example.com A" in finding.text
    assert "from the stack" in finding.hint


def test_another_member_of_a_routed_group_is_not_owned_with_the_first() -> None:
    blue = alias("www.example.com.", SetIdentifier="blue", Weight=1)
    green = alias("www.example.com.", SetIdentifier="green", Weight=1)
    owned = owns(desired(SetIdentifier="blue", Weight="1"))
    plan = make_plan(facts(blue, green, owned=(owned,)), options(deploy_off=None))
    assert (plan.owned, plan.manuals, plan.staying) == ((blue,), (), (green,))
    assert plan.refusals == ()


def test_a_deploy_that_switches_off_is_refused_while_the_tree_owns_a_record_of_the_plan() -> None:
    six = alias("www.example.com.", "AAAA")
    world = facts(WWW, six, owned=(owns(desired()),))
    finding = only_refusal(make_plan(world, options()))
    assert "may delete records that the stack owns: Dns (www.example.com)" in finding.text
    assert "--skip-off" in finding.hint
    assert make_plan(world, options(deploy_off=None)).refusals == ()


def test_what_else_the_stack_owns_is_no_reason_but_the_deploy_that_switches_off_is_warned_of() -> (
    None
):
    beside = [
        owns(desired("MX", TTL="60", ResourceRecords=["1 mail.example.com"])),
        owns(desired("TXT", TTL="60", ResourceRecords=['"x"'])),
        owns(desired("AAAA", AliasTarget=DISTRIBUTION)),
        owns(desired(name="api.example.com"), "api.example.com"),
    ]
    plan = make_plan(facts(owned=tuple(beside)), options())
    assert plan.refusals == ()
    assert plan.keys == {WWW.key}
    assert "the deploy with the switch off deletes those of Dns (www.example.com)" in warnings_of(
        plan
    )
    assert "Dns (api.example.com)" in warnings_of(plan)
    assert "out of the stack" not in warnings_of(plan)
    without = make_plan(facts(owned=tuple(beside)), options(deploy_off=None))
    assert "switch off" not in warnings_of(without)


def test_a_record_of_a_traffic_policy_is_refused() -> None:
    policy = record("www.example.com.", "A", "192.0.2.1", TrafficPolicyInstanceId="tpi-7")
    finding = only_refusal(make_plan(facts(policy), options()))
    assert "www.example.com A belongs to traffic policy instance tpi-7" in finding.text
    assert "traffic policy instance" in finding.hint


def test_a_member_is_refused_where_no_template_tells_which_one_the_stack_will_have() -> None:
    routed = alias("www.example.com.", SetIdentifier="blue", Weight=0)
    finding = only_refusal(make_plan(facts(routed), options()))
    assert "www.example.com A [blue] has a routing policy, and no template tells" in finding.text
    assert "--template or --preview" in finding.hint


def in_group(
    wanted: DesiredRecord | None = None, pattern: str = "", name: str = "www.example.com"
) -> OwnedRecord:
    """A record of a ``RecordSetGroup``."""
    return replace(owns(wanted, name), logical_id="Names", group=True, pattern=pattern)


TOKEN = in_group(pattern=r".*\._domainkey\.example\.com\.", name="?._domainkey.example.com")


@pytest.mark.parametrize(
    "group",
    [
        in_group(),
        in_group(pattern=".*", name="?"),
        replace(in_group(pattern=".*", name="?"), type="A"),
    ],
    ids=["some type", "any name", "A of any name"],
)
def test_a_group_that_may_hold_the_record_is_refused(group: OwnedRecord) -> None:
    finding = only_refusal(make_plan(facts(coming=(group,)), options()))
    assert "the stack's RecordSetGroup Names" in finding.text
    assert "--preview or --template" in finding.hint


@pytest.mark.parametrize(
    "group",
    [in_group(desired()), in_group(desired("CNAME", TTL="60", ResourceRecords=["x."]))],
    ids=["A", "CNAME"],
)
def test_a_group_that_is_going_to_hold_the_record_is_taken_over(group: OwnedRecord) -> None:
    plan = make_plan(facts(coming=(group,)), options())
    assert plan.refusals == ()
    assert {key.name for key in plan.keys} == {"www.example.com."}


def test_only_records_of_a_group_with_nothing_in_their_way_are_vacant() -> None:
    free = in_group(desired(name="new.example.com"), name="new.example.com")
    plan = make_plan(facts(coming=(in_group(desired()), free)), options())
    assert [str(key) for key in plan.vacant] == ["new.example.com A"]
    unread = make_plan(facts(coming=(free,), zone_unread=1), options())
    assert unread.vacant == (), "what was not read is not known to be free"
    names = frozenset({"new.example.com."})
    read = make_plan(facts(coming=(free,), zone_unread=1, zone_names=names), options())
    assert [str(key) for key in read.vacant] == ["new.example.com A"]


@pytest.mark.parametrize(
    "group",
    [
        TOKEN,
        in_group(desired(name="api.example.com"), name="api.example.com"),
        in_group(desired("TXT", TTL="60", ResourceRecords=['"x"'])),
        in_group(desired(HostedZoneId="ZPRIVATE")),
        replace(in_group(pattern=".*", name="?"), type="CNAME"),
    ],
    ids=["DKIM", "another name", "TXT", "another zone", "CNAME of any name"],
)
def test_a_group_of_other_records_is_no_reason_whether_it_exists_or_is_coming(
    group: OwnedRecord,
) -> None:
    for world in (facts(owned=(group,)), facts(coming=(group,))):
        plan = make_plan(world, options())
        assert plan.refusals == ()
        assert plan.keys == {WWW.key}


def test_a_record_of_a_group_of_the_stack_is_owned_if_it_is_certain_and_refused_if_it_may_be() -> (
    None
):
    owned = make_plan(facts(owned=(in_group(desired()),)), options())
    assert (owned.owned, owned.manuals, owned.refusals) == ((WWW,), (), ())
    unknown = in_group(pattern=".*", name="?")
    finding = only_refusal(make_plan(facts(owned=(unknown,)), options()))
    assert "RecordSetGroup Names may hold www.example.com A" in finding.text


@pytest.mark.parametrize("kind", ["A", "AAAA"])
def test_a_plain_address_record_is_refused_unless_the_strategy_was_said(kind: str) -> None:
    plain = record("plain.example.com.", kind, "2001:db8::1" if kind == "AAAA" else "192.0.2.1")
    finding = only_refusal(make_plan(facts(plain), options("plain.example.com")))
    assert f"plain.example.com {kind} is a plain {kind} record" in finding.text
    assert "--strategy delete" in finding.hint
    said = make_plan(facts(plain), options("plain.example.com", strategy_given=True))
    assert said.refusals == ()
    assert said.keys == {plain.key}


def test_other_plain_types_need_no_strategy() -> None:
    assert make_plan(facts(CNAME), options("shop.example.com")).refusals == ()
    assert make_plan(facts(WWW, TXT), options("www.example.com/TXT")).refusals == ()


@pytest.mark.parametrize("kind", ["SOA", "NS"])
def test_the_zones_own_records_are_refused(kind: str) -> None:
    finding = only_refusal(make_plan(facts(), options(f"example.com/{kind}")))
    assert f"example.com {kind} belongs to the zone itself" in finding.text


def test_an_address_at_the_apex_is_taken() -> None:
    apex = alias("example.com.")
    plan = make_plan(facts(apex), options("example.com"))
    assert plan.refusals == ()
    assert plan.keys == {apex.key}


# -- refused: the zone


@pytest.mark.parametrize("zone", [None, "example.com", "Z2"])
def test_two_public_zones_of_the_name_are_refused_until_one_is_said_by_id(
    zone: str | None,
) -> None:
    world = facts(same_name_zones=("Z1", "Z2"))
    finding = only_refusal(make_plan(world, options(zone=zone)))
    assert "2 public zones named example.com: Z1, Z2" in finding.text
    assert "--zone ID" in finding.hint
    plan = make_plan(world, options(zone="/hostedzone/Z1"))
    assert plan.refusals == ()
    assert not plan.zone_is_unique, "a template's HostedZoneName still tells nothing"
    assert make_plan(facts(), options()).zone_is_unique


def test_a_zone_without_delegation_is_refused() -> None:
    finding = only_refusal(make_plan(facts(delegated=("ns.elsewhere.net",)), options()))
    assert "zone example.com (Z1) is not the delegated one" in finding.text
    assert "resolvers query ns.elsewhere.net" in finding.text
    assert "ns-1.example.net, ns-2.example.net" in finding.text
    assert "--zone ID" in finding.hint
    assert "query no name server" in only_refusal(make_plan(facts(delegated=()), options())).text


def test_the_delegation_counts_only_where_it_was_asked_for_and_of_a_public_zone() -> None:
    assert make_plan(facts(delegated=None), options()).refusals == ()
    private = facts(delegated=("ns.elsewhere.net",), zone_private=True)
    assert make_plan(private, options()).refusals == ()


@pytest.mark.parametrize("cut", ["www.example.com.", "b.www.example.com."])
def test_a_name_that_is_delegated_away_inside_the_zone_is_refused(cut: str) -> None:
    below = alias("a.b.www.example.com.") if cut.startswith("b.") else WWW
    name_servers = record(cut, "NS", "ns.elsewhere.net.")
    plan = make_plan(facts(below, name_servers), options(below.name))
    finding = only_refusal(plan)
    assert f"{name_servers.key} delegates {below.key} to another zone" in finding.text
    assert "delegated zone" in finding.hint


def test_name_servers_beside_or_below_a_name_delegate_nothing_of_it() -> None:
    others = [record(f"{n}.example.com.", "NS", "ns.x.") for n in ("w", "x.www", "xwww")]
    assert make_plan(facts(WWW, *others), options()).refusals == ()


@pytest.mark.parametrize("kind", ["NS", "DS"])
def test_a_delegation_itself_may_be_taken_over(kind: str) -> None:
    name_servers = record("sub.example.com.", "NS", "ns.elsewhere.net.")
    signer = record("sub.example.com.", "DS", "1 8 2 AB")
    plan = make_plan(facts(name_servers, signer), options(f"sub.example.com/{kind}"))
    assert plan.refusals == ()
    assert {key.type for key in plan.keys} == {kind}


def test_a_record_below_a_delegation_is_refused_even_when_both_are_asked_for() -> None:
    name_servers = record("sub.example.com.", "NS", "ns.elsewhere.net.")
    hidden = [alias("www.sub.example.com."), alias("sub.example.com.")]
    names = ("sub.example.com/NS", "www.sub.example.com", "sub.example.com/A")
    plan = make_plan(facts(name_servers, *hidden), options(*names))
    assert [f.text.split(":")[0] for f in plan.refusals] == [
        "sub.example.com NS delegates www.sub.example.com A to another zone",
        "sub.example.com NS delegates sub.example.com A to another zone",
    ]


def leaning_on(name: str, kind: str, target: str) -> RecordSet:
    """An alias to a record set of the same zone."""
    inside = {"HostedZoneId": "Z1", "DNSName": target, "EvaluateTargetHealth": False}
    return record(name, kind, AliasTarget=inside)


def test_an_alias_that_another_type_would_break_is_refused() -> None:
    leaning = leaning_on("m.example.com.", "CNAME", "SHOP.example.com")
    finding = only_refusal(make_plan(facts(CNAME, leaning), options("shop.example.com")))
    assert "m.example.com CNAME is an alias to shop.example.com CNAME" in finding.text
    assert "creates another type at shop.example.com" in finding.text
    assert "another target" in finding.hint


def test_an_alias_to_an_address_is_not_broken_but_warned_of() -> None:
    leaning = leaning_on("m.example.com.", "A", "www.example.com")
    plan = make_plan(facts(WWW, leaning), options())
    assert plan.refusals == ()
    assert "m.example.com A is an alias to www.example.com" in warnings_of(plan)


def test_what_the_template_will_create_decides_whether_an_alias_breaks() -> None:
    cname = desired("CNAME", "shop.example.com", TTL="60", ResourceRecords=["new.example.net"])
    leaning = leaning_on("m.example.com.", "CNAME", "shop.example.com")
    same = make_plan(facts(CNAME, leaning, expected=(cname,)), options("shop.example.com"))
    assert same.refusals == ()
    assert "m.example.com CNAME is an alias to shop.example.com CNAME" in warnings_of(same)
    to_www = [
        leaning_on("m.example.com.", "A", "www.example.com"),
        leaning_on("n.example.com.", "A", "m.example.com"),
    ]
    new = desired("CNAME", "www.example.com", TTL="60", ResourceRecords=["new.example.net"])
    plan = make_plan(facts(WWW, *to_www, expected=(new,)), options())
    breaks = "it loses its target when the stack creates CNAME at www.example.com."
    assert [finding.text for finding in plan.refusals] == [
        f"m.example.com A is an alias to www.example.com A: {breaks}",
        f"n.example.com A is an alias to m.example.com A: {breaks}",
    ]
    elsewhere = replace(new, zone_id="ZPRIVATE")
    assert make_plan(facts(WWW, *to_www, expected=(elsewhere,)), options()).refusals == ()
    assert make_plan(facts(WWW, *to_www, expected=(desired(),)), options()).refusals == ()


def test_an_alias_to_the_like_name_of_something_else_leans_on_nothing_here() -> None:
    other = alias("m.example.com.", "CNAME", to="shop.example.com")
    plan = make_plan(facts(CNAME, other), options("shop.example.com"))
    assert plan.refusals == ()
    assert "is an alias to" not in warnings_of(plan)


@pytest.mark.parametrize("target", ["a.example.com.", "z.example.com."])
def test_a_name_comes_before_its_aliases_and_those_taken_along_do_not_refuse(target: str) -> None:
    leaning = leaning_on("m.example.com.", "A", target)
    further = leaning_on("b.example.com.", "A", "m.example.com.")
    records = sorted([alias(target), leaning, further], key=lambda r: r.name)
    new = desired("CNAME", target, TTL="60", ResourceRecords=["new.example.net"])
    names = [target, "m.example.com", "b.example.com"]
    plan = make_plan(facts(*records, expected=(new,)), options(*names))
    assert plan.refusals == ()
    assert plan.names == (target, "m.example.com.", "b.example.com.")


# -- several zones


PRIVATE = OtherZone(zone_id="ZPRIVATE", name="example.com.", private=True)


def test_beside_a_zone_of_the_same_name_a_template_that_names_its_zone_proves_nothing() -> None:
    plan = make_plan(facts(other_zones=(PRIVATE,)), options())
    assert plan.refusals == ()
    assert not plan.zone_is_unique
    assert "zone Z1 shares its name with example.com (ZPRIVATE, private)" in warnings_of(plan)
    assert "Set HostedZoneId: Z1" in warnings_of(plan)
    parent = OtherZone(zone_id="ZCOM", name="com.", private=False)
    alone = make_plan(facts(other_zones=(parent,)), options())
    assert alone.zone_is_unique
    assert "HostedZoneId" not in warnings_of(alone)


@pytest.mark.parametrize(
    "hidden", [None, desired(), desired(HostedZoneName="example.com.")], ids=["all", "zone", "id"]
)
def test_a_record_of_the_stack_that_may_be_in_another_zone_is_refused(
    hidden: DesiredRecord | None,
) -> None:
    world = facts(owned=(owns(hidden),), other_zones=(PRIVATE,))
    finding = only_refusal(make_plan(world, options(deploy_off=None)))
    assert "the stack owns a record at www.example.com (Dns)" in finding.text
    assert "example.com (Z1) or example.com (ZPRIVATE, private)" in finding.text
    assert "HostedZoneId" in finding.hint
    known = facts(owned=(owns(desired(HostedZoneId="Z1")),), other_zones=(PRIVATE,))
    assert make_plan(known, options()).refusals == ()
    parent = OtherZone(zone_id="ZCOM", name="com.", private=False)
    alone = make_plan(facts(owned=(owns(hidden),), other_zones=(parent,)), options())
    assert "in which zone" not in "".join(f.text for f in alone.refusals)
    text = owns(desired("TXT", TTL="60", ResourceRecords=['"x"']))
    beside = make_plan(facts(owned=(text,), other_zones=(PRIVATE,)), options())
    assert beside.refusals == (), "whichever zone it is in, it is another record"


def test_two_zones_of_the_name_are_refused_though_the_record_is_missing_or_owned() -> None:
    twins = ("Z1", "Z2")
    missing = make_plan(facts(CNAME, same_name_zones=twins), options())
    assert "2 public zones named example.com" in missing.refusals[0].text
    owned = make_plan(facts(owned=(owns(desired()),), same_name_zones=twins), options())
    assert "2 public zones named example.com" in only_refusal(owned).text


def test_the_delegated_zone_of_the_account_is_named() -> None:
    twin = OtherZone(
        zone_id="Z2", name="example.com.", private=False, name_servers=("ns.elsewhere.net",)
    )
    world = facts(
        delegated=("NS.elsewhere.net.",), same_name_zones=("Z1", "Z2"), other_zones=(twin,)
    )
    hints = [finding.hint for finding in make_plan(world, options()).refusals]
    assert len(hints) == 2
    assert all("The delegation is to Z2." in hint for hint in hints)


def test_a_delegation_to_other_name_servers_as_well_is_warned_of() -> None:
    partly = facts(delegated=("ns-1.example.net.", "ns.elsewhere.net."))
    plan = make_plan(partly, options())
    assert plan.refusals == ()
    assert "resolvers also query ns.elsewhere.net" in warnings_of(plan)
    assert "no resolver queries ns-2.example.net" in warnings_of(plan)
    assert "delegation" not in warnings_of(make_plan(facts(), options()))


def test_a_record_that_is_gone_though_the_stack_owns_it_is_drift() -> None:
    plan = make_plan(facts(CNAME, owned=(owns(desired()),)), options())
    finding = only_refusal(plan)
    assert "the stack owns www.example.com A (Dns), but zone example.com (Z1)" in finding.text
    assert "drift" in finding.hint
    other = make_plan(facts(CNAME, owned=(owns(desired()),)), options("www.example.com/AAAA"))
    assert "no AAAA record" in only_refusal(other).text


def test_a_missing_record_names_the_other_zones_that_could_hold_it() -> None:
    plan = make_plan(facts(CNAME, other_zones=(PRIVATE,)), options())
    assert "(example.com (ZPRIVATE, private) could have it too)" in only_refusal(plan).hint


def test_a_routed_record_in_the_template_is_refused() -> None:
    routed = desired(SetIdentifier="blue", Weight="1")
    finding = only_refusal(make_plan(facts(expected=(routed,)), options()))
    assert "routing policy at www.example.com (A, SetIdentifier blue)" in finding.text
    elsewhere = replace(routed, zone_id="ZPRIVATE")
    assert make_plan(facts(expected=(elsewhere,)), options()).refusals == ()


def test_what_could_not_be_determined_is_a_warning() -> None:
    plan = make_plan(facts(), options())
    assert plan.refusals == ()
    assert "the stack does not define www.example.com yet" in warnings_of(plan)
    known = make_plan(facts(expected=(desired(),)), options())
    assert "the stack does not define" not in warnings_of(known)


def test_what_a_stack_at_work_owns_is_said_to_be_unsettled() -> None:
    world = facts(owned=(owns(desired()),), stack=stack("DELETE_IN_PROGRESS"))
    assert "is DELETE_IN_PROGRESS: it may still change" in warnings_of(make_plan(world, options()))


# -- refused: the stack


@pytest.mark.parametrize(
    "status",
    [
        "UPDATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "DELETE_IN_PROGRESS",
        "SOMETHING_NEW_IN_PROGRESS",
    ],
)
def test_a_stack_in_progress_is_refused_unless_the_deploy_is_started_elsewhere(status: str) -> None:
    finding = only_refusal(make_plan(facts(stack=stack(status)), options()))
    assert f"stack shop-prod is {status}" in finding.text
    assert "--no-deploy" in finding.hint
    watching = options(deploy_off=None, deploy_on=None)
    assert make_plan(facts(stack=stack(status)), watching).refusals == ()


DELETE_STACK = "aws cloudformation delete-stack --stack-name shop-prod"


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        (
            "UPDATE_ROLLBACK_FAILED",
            "aws cloudformation continue-update-rollback --stack-name shop-prod",
        ),
        ("ROLLBACK_FAILED", DELETE_STACK),
        ("DELETE_FAILED", DELETE_STACK),
        ("ROLLBACK_COMPLETE", DELETE_STACK),
        ("UNHEARD_OF", "describe-stack-events --stack-name shop-prod"),
    ],
)
@pytest.mark.parametrize("deploy", ["deploy", None])
def test_a_stack_that_cannot_be_updated_is_refused_with_its_own_way_out(
    status: str, way_out: str, deploy: str | None
) -> None:
    asked = options(deploy_off=deploy, deploy_on=deploy)
    finding = only_refusal(make_plan(facts(stack=stack(status)), asked))
    assert f"stack shop-prod is {status}: it cannot be updated" in finding.text
    assert way_out in finding.hint
    assert ("delete-stack" in finding.hint) == (way_out is DELETE_STACK)


@pytest.mark.parametrize("status", ["CREATE_FAILED", "UPDATE_FAILED"])
@pytest.mark.parametrize("deploy", ["deploy", None])
def test_a_stack_that_failed_with_rollback_disabled_is_warned_of(
    status: str, deploy: str | None
) -> None:
    asked = options(deploy_off=deploy, deploy_on=deploy)
    plan = make_plan(facts(stack=stack(status)), asked)
    assert plan.refusals == ()
    assert f"stack shop-prod is {status}: its last operation failed" in warnings_of(plan)
    assert "delete-stack" not in warnings_of(plan)


@pytest.mark.parametrize(
    "status",
    ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"],
)
def test_a_stack_that_is_at_rest_is_taken(status: str) -> None:
    assert make_plan(facts(stack=stack(status)), options()).refusals == ()


def test_a_deleted_stack_that_was_given_by_its_id_is_refused() -> None:
    finding = only_refusal(make_plan(facts(stack=stack("DELETE_COMPLETE")), options()))
    assert "arn:shop-prod cannot be updated" in finding.text
    assert "as a name" in finding.hint


@pytest.mark.parametrize("status", [ABSENT, "REVIEW_IN_PROGRESS"])
@pytest.mark.parametrize("deploy_on", ["deploy", None], ids=["--skip-off", "--no-deploy"])
def test_a_stack_that_does_not_exist_is_refused_without_the_deploy_that_creates_it(
    status: str, deploy_on: str | None
) -> None:
    world = facts(stack=stack(status))
    finding = only_refusal(make_plan(world, options(deploy_off=None, deploy_on=deploy_on)))
    if status == ABSENT:
        assert "stack shop-prod does not exist in eu-west-1" in finding.text
    else:
        assert "REVIEW_IN_PROGRESS: it was never deployed" in finding.text
        assert "change set" in finding.hint
    assert "--skip-off" in finding.hint
    assert make_plan(world, options()).refusals == ()


def test_a_deploy_command_without_its_program_is_refused() -> None:
    world = facts(missing_programs=("npxx",), cwd="/app")
    finding = only_refusal(make_plan(world, options(deploy_off="npxx a", deploy_on="npxx b")))
    assert "`npxx a` cannot be run: program npxx not found on PATH" in finding.text
    assert "--deploy" in finding.hint


@pytest.mark.parametrize("is_alive", [False, True])
def test_what_an_unfinished_run_left_is_refused_with_the_lines_that_undo_it(
    is_alive: bool,
) -> None:
    left = UnfinishedRun(
        run="r1",
        original=CNAME,
        is_alive=is_alive,
        attach="attach r1",
        resume="resume r1",
        restore="restore r1",
    )
    lowered = replace(CNAME, ttl=60)
    finding = only_refusal(
        make_plan(facts(lowered, unfinished=(left,)), options("shop.example.com"))
    )
    assert "has the TTL of 60 s that run r1 lowered from 3600 s" in finding.text
    lines = ("attach r1",) if is_alive else ("resume r1", "restore r1")
    assert all(line in finding.hint for line in lines)
    gone = only_refusal(make_plan(facts(WWW, unfinished=(left,)), options("shop.example.com")))
    assert "shop.example.com CNAME does not exist: run r1 may have deleted it" in gone.text


# -- refused: the credentials


def test_credentials_that_end_before_the_drain_and_a_quarter_of_an_hour_are_refused() -> None:
    needed = 3600 + 15 * 60

    def plan(who: Identity, **fields: Any) -> Plan:
        return make_plan(facts(CNAME, identity=who), options("shop.example.com", **fields))

    finding = only_refusal(plan(expiring(needed - 1)))
    assert "user/ann expire in 75 min" in finding.text
    assert "needs 75 min" in finding.text
    assert "--no-drain" in finding.hint
    assert plan(expiring(needed)).refusals == ()
    assert plan(expiring(15 * 60), drain=False).refusals == ()
    assert "--no-drain" not in only_refusal(plan(expiring(60), drain=False)).hint
    assert "expire in 0 min" in only_refusal(plan(expiring(-500))).text
    assert plan(identity(expires=NOW + 1, renewable=True)).refusals == ()
    assert plan(identity(expires=None, renewable=False)).refusals == ()


def test_credentials_that_end_before_the_deploys_time_limit_are_warned_of() -> None:
    short = make_plan(facts(identity=expiring(7199)), options())
    assert short.refusals == ()
    assert "before --deploy-timeout 120 min" in warnings_of(short)
    long = make_plan(facts(identity=expiring(7200)), options())
    assert "credentials" not in warnings_of(long)
    renewing = identity(expires=NOW + 60, renewable=True)
    assert "credentials" not in warnings_of(make_plan(facts(identity=renewing), options()))


def test_a_stack_that_does_not_exist_is_never_created_under_a_given_arn() -> None:
    arn = "arn:aws:cloudformation:us-east-1:123456789012:stack/nope/1"
    gone = StackDescription(stack_id="", stack_name="nope", status=ABSENT)
    finding = only_refusal(make_plan(facts(stack=gone), options(stack=arn)))
    assert "does not exist" in finding.text


def test_credentials_that_would_ask_for_a_code_are_refused_without_a_terminal() -> None:
    asking = facts(identity=identity(needs_mfa=True))
    finding = only_refusal(make_plan(asking, options()))
    assert "user/ann need an MFA code" in finding.text
    assert "get-session-token" in finding.hint


# -- several at once


def test_every_reason_is_reported_at_once_and_each_has_a_hint() -> None:
    world = facts(
        PLAIN,
        stack=stack("ROLLBACK_FAILED"),
        delegated=(),
        same_name_zones=("Z1", "Z2"),
        identity=expiring(60, needs_mfa=True),
        owned=(replace(in_group(pattern=".*", name="?"), type="A"),),
        foreign=(held_by("legacy", name="plain.example.com"),),
        unasked=(Unasked(region="eu-west-3", error="cloudformation:ListStacks: denied"),),
    )
    plan = make_plan(world, options("plain.example.com", "gone.example.com"))
    assert len(plan.refusals) == 10
    assert all(finding.text.endswith(".") and finding.hint for finding in plan.refusals)
    assert steps(plan) == []


def test_the_same_facts_give_the_same_plan() -> None:
    world = facts(WWW, CNAME, TXT)
    asked = options("www.example.com", "shop.example.com")
    assert make_plan(world, asked) == make_plan(world, asked)


# -- warnings


def test_the_root_is_named_where_a_nested_stack_was_given() -> None:
    plan = make_plan(facts(given_stack="shop-prod-Dns-1X"), options())
    assert "shop-prod-Dns-1X is a nested stack: the run watches its root shop-prod" in warnings_of(
        plan
    )
    assert "nested" not in warnings_of(make_plan(facts(), options()))


def test_a_long_negative_ttl_is_warned_of_with_its_seconds() -> None:
    soa = record("example.com.", "SOA", "ns. admin. 1 7200 900 1209600 86400", ttl=900)
    plan = make_plan(facts(zone_records=(soa, WWW)), options())
    assert "negative TTL is 900 s" in warnings_of(plan)
    assert "SOA" in warnings_of(plan)
    assert "negative TTL" not in warnings_of(make_plan(facts(), options()))


def test_a_deletion_policy_is_recommended_whenever_something_is_taken_over() -> None:
    assert "DeletionPolicy: Retain" in warnings_of(make_plan(facts(), options()))


def test_a_finding_reads_as_a_sentence_and_its_way_out() -> None:
    assert str(Finding(text="It is so.", hint="Do this.")) == "It is so. Do this."
    assert str(Finding(text="It is so.")) == "It is so."


# -- the steps


def test_the_steps_say_what_a_run_would_do_in_order() -> None:
    plan = make_plan(facts(CNAME), options("shop.example.com", deploy_off="a", deploy_on="b"))
    said = steps(plan)
    expected = [
        "backup.json",
        "Lower the TTL of shop.example.com CNAME from 3600 s to 60 s",
        "3600 s until the old TTL has expired",
        "switch off: a",
        "Test the restore",
        "switch on: b",
        "delete shop.example.com CNAME",
        "Watch",
    ]
    assert len(said) == len(expected)
    assert all(part in line for part, line in zip(expected, said, strict=True))


def test_the_steps_leave_out_what_will_not_be_done() -> None:
    plan = make_plan(facts(), options(deploy_off=None, deploy_on=None))
    said = "\n".join(steps(plan))
    assert "TTL" not in said
    assert "switch off" not in said
    assert "Wait for a deploy" in said
    hurried = make_plan(facts(CNAME), options("shop.example.com", drain=False))
    assert not any("INSYNC" in line for line in steps(hurried))


def test_two_types_of_a_name_in_unicode_are_taken_by_one_option() -> None:
    both = (alias("xn--bcher-kva.example.com."), alias("xn--bcher-kva.example.com.", "AAAA"))
    plan = make_plan(facts(*both), options("https://Bücher.example.com./katalog"))
    assert {key.type for key in plan.keys} == {"A", "AAAA"}
    listed = make_plan(facts(*both), options("bücher.example.com/A,AAAA"))
    assert listed.keys == plan.keys
    missing = make_plan(facts(both[0]), options("bücher.example.com/A,AAAA"))
    assert "no AAAA record bücher.example.com (xn--bcher-kva.example.com)" in str(
        missing.refusals[0]
    )


def test_the_plan_of_a_large_zone_says_what_was_not_looked_at() -> None:
    assert not [w for w in make_plan(facts(), options()).warnings if "were read" in w.text]
    plan = make_plan(facts(zone_unread=9000), options())
    (warning,) = [w for w in plan.warnings if "were read" in w.text]
    assert "has 9003 record sets, and 3 were read" in warning.text
    assert "Aliases to www.example.com were looked for among these only" in warning.text
    query = shlex.split(warning.hint.partition("--query ")[2])[0]
    assert query == ('ResourceRecordSets[?AliasTarget.DNSName==`"www.example.com."`].[Name,Type]')
    assert not plan.refusals


def test_findings_show_an_internationalized_name_in_both_forms() -> None:
    both = "bücher.example.com (xn--bcher-kva.example.com)"
    book = alias("xn--bcher-kva.example.com.")
    beside = owns(desired("MX", "xn--bcher-kva.example.com", TTL="60"), "xn--bcher-kva.example.com")
    plan = make_plan(facts(book, owned=(beside,)), options("bücher.example.com"))
    assert f"the stack does not define {both} yet" in warnings_of(plan)
    assert f"the deploy with the switch off deletes those of Dns ({both})" in warnings_of(plan)
    leaning = leaning_on("shop.example.com.", "A", "xn--bcher-kva.example.com.")
    plan = make_plan(facts(book, leaning), options("bücher.example.com"))
    assert f"is an alias to {both} A and has no answer" in warnings_of(plan)


def test_an_alias_to_a_name_that_still_answers_and_negative_answers_are_no_warning() -> None:
    blue = alias("www.example.com.", SetIdentifier="blue", Weight=10)
    green = alias("www.example.com.", SetIdentifier="green", Weight=90)
    coming = desired(SetIdentifier="blue", Weight="10", AliasTarget=DISTRIBUTION)
    soa = replace(APEX[0], values=("ns-1.a. admin.a. 1 7200 900 1209600 900",))
    leaning = leaning_on("shop.example.com.", "A", "www.example.com.")

    def planned(*members: RecordSet) -> Plan:
        zone = (soa, *members, leaning)
        return make_plan(facts(zone_records=zone, expected=(coming,)), options())

    alone = planned(blue)
    assert "shop.example.com A is an alias to www.example.com A" in warnings_of(alone)
    assert "negative TTL" in warnings_of(alone)
    plan = planned(blue, green)
    assert plan.keys == {blue.key}
    assert "shop.example.com" not in warnings_of(plan)
    assert "negative TTL" not in warnings_of(plan)
