"""Takeovers that failed in public, rebuilt in the simulated account: what the plan says of each.

Each test names the report. The template of a case is what the deploy with the switch on applies: it
is in force with the switch off, is given as a file, or is shown by the change set of a preview.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.simulated_runs.test_owners import group, plain
from tests.simulated_runs.test_refusals import PRIVATE_ZONE, WWW, ZONE, Case, own, refusal, warned

from route53_takeover.base.errors import RefusedError, UsageError
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.endings import Outcome
from route53_takeover.core.plan.comparison import comparison_lines
from route53_takeover.core.ports import DeployExit
from route53_takeover.runtime import zone_reading
from route53_takeover.simulation.chaos.faults import Faults
from route53_takeover.simulation.chaos.runner import rehearse_once
from route53_takeover.simulation.scenarios import (
    Scenario,
    alias,
    alias_resource,
    routed,
    site_account,
    site_template,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from route53_takeover.core.plan.model import Plan

    Ways = Callable[["PublicCase"], dict[str, Any]]

Resources = dict[str, dict[str, Any]]
APEX = "example.com."


def pointing(name: str, kind: str = "A", to: str = "d1old") -> RecordSet:
    """An alias by hand."""
    return RecordSet(
        name=name,
        type=kind,
        alias=AliasTarget(zone_id="Z2FDTNDATAQYW2", dns_name=f"{to}.cloudfront.net."),
    )


def values(name: str, kind: str, *given: str, ttl: int = 300) -> RecordSet:
    return RecordSet(name=name, type=kind, ttl=ttl, values=given)


def switched(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The resource, which comes with the switch."""
    return {**resource, "Condition": "Enabled", **more}


def www(kind: str = "A", **more: Any) -> dict[str, Any]:
    return switched(own(Type=kind), **more)


class PublicCase(Case):
    """An account whose stack ``shop`` is deployed with the switch off.

    Args:
        resources: of its template, those behind the switch included.
        existing: the manual records.
    """

    def __init__(self, resources: Resources, *existing: RecordSet, absent: bool = False) -> None:
        template = site_template(alias_resource("d1new"))
        del template["Resources"]["DnsRecord"]
        template["Resources"] |= resources
        first, *others = existing or (alias("d1old"),)
        super().__init__(site_account(existing=first, template=template, exists=not absent))
        self.template = template
        self.holds(*others)

    def write(self, folder: Path, template: dict[str, Any] | None = None) -> str:
        """The template as a file; returns its path."""
        path = folder / "template.json"
        path.write_text(json.dumps(template or self.template))
        return str(path)

    def previews_by(self, name: str = "cdk", **more: Any) -> str:
        """Lets a command make a change set of the template with the switch on."""

        def run() -> DeployExit:
            given = {"Route53Enable": "true"}
            found = self.world.stacks.find("shop")
            kind = "UPDATE" if found and found.status != "REVIEW_IN_PROGRESS" else "CREATE"
            made = self.world.stacks.change_sets.create(
                {
                    "StackName": "shop",
                    "ChangeSetName": name,
                    "ChangeSetType": kind,
                    "IncludeNestedStacks": True,
                    **more,
                },
                body=json.dumps(self.template),
                parameters=given,
            )
            return DeployExit(code=0, tail=f"Changeset {made.change_set_id} created")

        self.previews["make"] = run
        return "make"


def keys(plan: Plan) -> set[str]:
    return {f"{manual.key}" for manual in plan.manuals}


@pytest.fixture(params=["in force", "file", "preview"])
def ways(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[PublicCase], dict[str, Any]]:
    """The options by which the same pending template is known."""

    def of(case: PublicCase) -> dict[str, Any]:
        match request.param:
            case "file":
                path = case.write(tmp_path)
                return {"template": path, "parameters": ("Route53Enable=true",)}
            case "preview":
                return {"preview": case.previews_by()}
            case _:
                return {}

    return of


def test_forgotten_name(ways: Ways) -> None:  # skybridge#562
    apex = switched(own(name="example.com"))
    case = PublicCase({"Www": www(), "Apex": apex}, alias("d1old"), pointing(APEX))
    plan = case.plan("www.example.com", **ways(case))
    refusal(
        plan,
        "the stack also creates example.com A (Apex), which exists",
        way_out="add --record example.com.",
    )
    both = case.plan("www.example.com", "example.com", **ways(case))
    assert (both.refusals, keys(both)) == ((), {"www.example.com A", "example.com A"})


def test_the_zones_own_records_are_not_told_of_beside_an_apex_record() -> None:
    case = PublicCase({"Apex": switched(own(name="example.com"))}, pointing(APEX))
    case.holds(RecordSet(name=APEX, type="MX", ttl=300, values=("10 mx.example.net.",)))
    plan = case.plan("example.com")
    assert (plan.refusals, [record.type for record in plan.staying]) == ((), ["MX"])


def test_https_three(ways: Ways) -> None:  # aws-cdk#34673
    three = [pointing(WWW, kind) for kind in ("A", "AAAA", "HTTPS")]
    case = PublicCase({f"Www{r.type}": www(r.type) for r in three}, *three)
    plan = case.plan("www.example.com", **ways(case))
    assert plan.refusals == ()
    assert keys(plan) == {f"www.example.com {kind}" for kind in ("A", "AAAA", "HTTPS")}


def test_https_three_are_taken_over_by_a_run() -> None:
    three = [pointing(WWW, kind) for kind in ("A", "AAAA", "HTTPS")]
    case = PublicCase({f"Www{r.type}": www(r.type) for r in three}, *three)
    scenario = Scenario(
        name="https-three",
        summary="",
        account=replace(case.world.account, existing=tuple(three)),
        outcome=Outcome.DONE,
        exit_code=0,
    )
    done = rehearse_once(scenario, "three", Faults())
    assert done.state.ending is not None
    assert done.state.ending.outcome is Outcome.DONE
    assert len(done.state.plan.manuals) == 3


def test_a_only(ways: Ways) -> None:  # serverless-domain-manager#365
    case = PublicCase({"Www": www()}, alias("d1old"), pointing(WWW, "AAAA"))
    plan = case.plan("www.example.com", **ways(case))
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com A"})
    assert "www.example.com AAAA alias to d1old.cloudfront.net is not changed" in warned(plan)
    assert "template has no AAAA of this name" in warned(plan)


def test_group(ways: Ways) -> None:  # SAM#1128, #2408
    case = PublicCase({"Group": switched(group(own()))})
    plan = case.plan("www.example.com", **ways(case))
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com A"})
    assert "is not changed" not in warned(plan)


def test_every_record_of_a_group_that_exists_must_be_in_the_plan(ways: Ways) -> None:
    members = group(own(), own(Type="AAAA"), own(name="example.com"))
    existing = (alias("d1old"), pointing(WWW, "AAAA"), pointing(APEX))
    case = PublicCase({"Group": switched(members)}, *existing)
    refusal(
        case.plan("www.example.com", **ways(case)),
        "the stack also creates example.com A (Group), which exists",
        way_out="add --record example.com.",
    )
    plan = case.plan("www.example.com", "example.com", **ways(case))
    assert plan.refusals == ()
    assert keys(plan) == {"www.example.com A", "www.example.com AAAA", "example.com A"}


def test_a_record_of_a_group_whose_name_is_hidden_is_refused() -> None:
    hidden = own(name={"Fn::GetAtt": ["Distribution", "Host"]})
    case = PublicCase({"Group": switched(group(own(), hidden))})
    refusal(
        case.plan("www.example.com"),
        "RecordSetGroup Group may hold www.example.com A",
        way_out="--preview or --template",
    )


def test_a_group_with_records_of_another_zone_is_refused() -> None:
    other = own(name="www.example.net")
    members = group(own(), other)
    members["Properties"]["RecordSets"][1]["HostedZoneId"] = "ZELSEWHERE"
    case = PublicCase({"Group": switched(members)})
    refusal(
        case.plan("www.example.com"),
        "RecordSetGroup Group has www.example.com A and www.example.net A, which is not in zone",
        way_out="group of their own",
    )


def test_a_group_whose_update_adds_what_stands_as_it_is_is_warned_of(tmp_path: Path) -> None:
    both = group(own(name="new.example.com"), own())
    entries = both["Properties"]["RecordSets"]
    both["Properties"]["RecordSets"] = {"Fn::If": ["Enabled", entries, entries[:1]]}
    for target, is_warned in (("d9other", True), ("d1old", False)):
        case = PublicCase({"Group": both}, alias(target))
        path = case.write(tmp_path)
        plan = case.plan(template=path, parameters=("Route53Enable=true",))
        assert (plan.refusals, keys(plan)) == ((), {"www.example.com A"})
        told = "the update of RecordSetGroup Group adds www.example.com A exactly as it is"
        assert (told in warned(plan)) is is_warned


def test_of_a_large_zone_what_stands_where_the_stack_creates_others_is_read(
    ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new name of a group is known to be free; one that exists is refused if not asked for."""
    for limit in ("PAGE", "WHOLE"):
        monkeypatch.setattr(zone_reading, limit, 100)
    members = (own(), own(name="new.example.com"))
    for taken in (False, True):
        case = PublicCase({"Group": switched(group(*members))})
        many = [values(f"h{number:04d}.{APEX}", "A", "192.0.2.1") for number in range(400)]
        case.world.write([("CREATE", record) for record in many])
        if taken:
            case.holds(pointing("new.example.com."))
        plan = case.plan("www.example.com", **ways(case))
        assert case.calls["route53:ListResourceRecordSets"] < 5
        if taken:
            refusal(
                plan,
                "the stack also creates new.example.com A (Group), which exists",
                way_out="add --record new.example.com.",
            )
        else:
            assert plan.refusals == ()
            assert [str(key) for key in plan.vacant] == ["new.example.com A"]


def test_group_foreign(ways: Ways) -> None:
    case = PublicCase({"Www": www()})
    case.world.write([("DELETE", alias("d1old"))])
    case.deploys("legacy", Old=group(own()))
    refusal(
        case.plan("www.example.com", **ways(case)),
        "stack legacy owns the A record at www.example.com (RecordSetGroup Old)",
        way_out="DeletionPolicy: Retain",
    )


def test_group_unrelated(ways: Ways) -> None:
    dkim = group(plain("CNAME", "x.dkim.example.", "k1._domainkey.example.com"))
    case = PublicCase({"Www": www(), "Dkim": switched(dkim)})
    plan = case.plan("www.example.com", **ways(case))
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com A"})


def test_delete_existing(ways: Ways) -> None:  # aws-cdk#34230
    custom = {
        "Type": "Custom::DeleteExistingRecordSet",
        "Properties": {
            "HostedZoneId": ZONE,
            "RecordName": {"Fn::Join": ["", ["www.", "example.com", "."]]},
            "RecordType": "A",
        },
    }
    case = PublicCase({"Www": www(DependsOn="Delete"), "Delete": switched(custom)})
    refusal(
        case.plan("www.example.com", **ways(case)),
        "Delete (deleteExisting of the CDK) deletes www.example.com A",
        way_out="Set deleteExisting to false",
    )


def test_shared_txt(ways: Ways) -> None:  # ses-domain-identity#23
    text = values(APEX, "TXT", '"v=spf1 -all"', '"google=1"', '"ses-token"')
    case = PublicCase({"Token": switched(plain("TXT", '"ses-token"', "example.com"))}, text)
    plan = case.plan("example.com/TXT", **ways(case))
    refusal(
        plan,
        "Token does not have 2 of the values of example.com TXT",
        '"v=spf1 -all", "google=1"',
        way_out="--accept-loss",
    )
    (record,) = plan.records
    assert comparison_lines(record) == [
        '= "ses-token"',
        '- "v=spf1 -all"',
        '- "google=1"',
        "TTL 300 s -> 60 s",
    ]
    assert case.plan("example.com/TXT", accept_loss=True, **ways(case)).refusals == ()


def test_ns_delegation(ways: Ways) -> None:  # roadmap#560, aws-cdk#15513
    servers = ("ns-1.elsewhere.example.", "ns-2.elsewhere.example.")
    wanted = plain("NS", servers[0], "dev.example.com")
    wanted["Properties"]["ResourceRecords"] = list(servers)
    case = PublicCase({"Dev": switched(wanted)}, values("dev.example.com.", "NS", *servers))
    case.world.zones.add_zone("dev.example.com")
    plan = case.plan("dev.example.com/NS", **ways(case))
    assert plan.refusals == ()
    assert (plan.zone_id, keys(plan)) == (ZONE, {"dev.example.com NS"})
    assert "every name below dev.example.com goes with it" in warned(plan)


def test_acm_validation(ways: Ways) -> None:  # roadmap#1603
    certificate = {"Type": "AWS::CertificateManager::Certificate", "Condition": "Enabled"}
    name = "_x1.www.example.com"
    case = PublicCase({"Cert": certificate}, values(f"{name}.", "CNAME", "_y.acm-validations.aws."))
    plan = case.plan(name, **ways(case))
    assert plan.warnings == ()
    refusal(
        plan,
        f"{name} CNAME is the validation record of a certificate",
        "(Cert): there is nothing to take over",
        way_out="just deploy",
    )


BLUE = {"SetIdentifier": "blue", "Weight": "10"}


def test_weighted(ways: Ways) -> None:  # aws-cdk#26754, senza#268
    blue, green = routed(alias("d1old"), "blue"), routed(alias("d1green"), "green", 90)
    case = PublicCase({"Www": switched(own(**BLUE))}, blue, green)
    plan = case.plan("www.example.com", **ways(case))
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com A [blue]"})
    assert plan.staying == (green,)
    assert "www.example.com A [green] stays as it is" in warned(plan)
    assert "gap_seconds counts the record set" in warned(plan)


def test_a_template_without_the_member_is_the_one_reason_to_refuse(tmp_path: Path) -> None:
    """It was read: nothing may ask to show it, or say that a value will be known later."""
    case = PublicCase({}, routed(alias("d1old"), "blue"))
    plan = case.plan("www.example.com", template=case.write(tmp_path))
    refusal(plan, "creates nothing in the place of www.example.com A [blue]", way_out="switch on")
    assert plan.warnings == (), "of a gap, or of a resource that is not in the template"


def test_what_stands_beside_is_named_once_however_many_members_it_has(tmp_path: Path) -> None:
    case = PublicCase(
        {"Www": switched(own(**BLUE))},
        routed(alias("d1old"), "blue"),
        routed(alias("d1green"), "green"),
    )
    plan = case.plan("www.example.com/MX", template=case.write(tmp_path))
    assert any("it has A there" in finding.text for finding in plan.refusals)


def test_weighted_with_another_set_identifier_needs_no_takeover(ways: Ways) -> None:
    case = PublicCase({"Www": switched(own(**BLUE))}, routed(alias("d1green"), "green", 90))
    refusal(
        case.plan("www.example.com", **ways(case)),
        "the stack's www.example.com A [blue] stands beside www.example.com A [green]",
        way_out="Just deploy",
    )


def test_weighted_over_a_simple_record_is_refused_with_the_way_out(ways: Ways) -> None:
    case = PublicCase({"Www": switched(own(**BLUE))})
    refusal(
        case.plan("www.example.com", **ways(case)),
        "routing policy at www.example.com (A, SetIdentifier blue), and a simple record stands",
        way_out="--strategy weighted",
    )


def test_a_simple_record_over_weighted_ones_is_refused(ways: Ways) -> None:
    case = PublicCase({"Www": www()}, routed(alias("d1old"), "blue"))
    refusal(
        case.plan("www.example.com", **ways(case)),
        "a simple www.example.com A, and www.example.com A [blue] has the routing policy weighted",
        way_out="same routing policy",
    )


def test_another_policy_than_that_of_the_other_members_is_refused(ways: Ways) -> None:
    blue, green = routed(alias("d1old"), "blue"), routed(alias("d1green"), "green", 90)
    latency = switched(own(SetIdentifier="blue", Region="eu-west-1"))
    case = PublicCase({"Www": latency}, blue, green)
    refusal(
        case.plan("www.example.com", **ways(case)),
        "policy latency for www.example.com A [blue], and www.example.com A [green] beside it has",
        way_out="policy of the others",
    )


def test_external_dns(ways: Ways) -> None:  # external-dns#967
    reported = '"heritage=external-dns,external-dns/owner=k8s,external-dns/resource=ingress/a/b"'
    for name in (WWW, "a-www.example.com.", "xdns-a-www.example.com.", "txt.www.example.com."):
        case = PublicCase({"Www": www()}, alias("d1old"), values(name, "TXT", reported))
        refusal(
            case.plan("www.example.com", **ways(case)),
            "external-dns writes www.example.com A",
            way_out="delete that TXT record",
        )
    stale = values("a-gone.example.com.", "TXT", reported)
    case = PublicCase({"Apex": switched(own(name="example.com"))}, pointing(APEX), stale)
    assert case.plan("example.com", **ways(case)).refusals == ()
    beside = values("a-shop.www.example.com.", "TXT", reported), pointing("shop.www.example.com.")
    case = PublicCase({"Www": www()}, alias("d1old"), *beside)
    assert case.plan("www.example.com", **ways(case)).refusals == ()


def test_twice(ways: Ways) -> None:  # quickstart-drupal#24
    case = PublicCase({"One": www(), "Two": www()})
    refusal(
        case.plan("www.example.com", **ways(case)),
        "One and Two are two resources for www.example.com A",
        way_out="Take one of them out",
    )


def renamed(case: PublicCase, policy: str = "Delete") -> None:
    """The stack has the record, as ``Old``; its template is to have it as ``New``."""
    case.world.write([("DELETE", alias("d1old"))])
    old = {**own(), "DeletionPolicy": policy}
    body = {**case.template, "Resources": {**case.template["Resources"], "Old": old}}
    case.world.stacks.update_stack("shop", body, {"Route53Enable": "false"})
    case._settle()


@pytest.mark.parametrize("way", ["file", "preview"])
def test_rename(way: str, tmp_path: Path) -> None:  # roadmap#363, #364, aws-cdk#12564
    def plan(policy: str) -> Plan:
        case = PublicCase({"New": www()})
        renamed(case, policy)
        path = case.write(tmp_path)
        by_file: dict[str, Any] = {"template": path, "parameters": ("Route53Enable=true",)}
        options = by_file if way == "file" else {"preview": case.previews_by()}
        made = case.plan("www.example.com", deploy_off=None, **options)
        assert (made.refusals, made.manuals) == ((), ())
        return made

    reported = next(f for f in plan("Delete").warnings if "owns www.example.com A as Old" in f.text)
    assert "has it as New" in reported.text
    for step in ("1. set DeletionPolicy: Retain on Old", "2. remove Old", "3. add New"):
        assert step in reported.hint
    assert "as Old" not in warned(plan("Retain")), "CloudFormation leaves it"


# -- what the pending template adds


def test_without_a_record_every_conflict_is_taken(tmp_path: Path) -> None:
    apex, new = switched(own(name="example.com")), switched(own(name="new.example.com"))
    resources = {"Www": www(), "Apex": apex, "New": new, "Six": www("AAAA")}
    for preview in (False, True):
        case = PublicCase(resources, alias("d1old"), pointing(APEX), pointing(WWW, "HTTPS"))
        options: dict[str, Any] = (
            {"preview": case.previews_by()}
            if preview
            else {"template": case.write(tmp_path), "parameters": ("Route53Enable=true",)}
        )
        plan = case.plan(takes_all=True, **options)
        assert (plan.refusals, keys(plan)) == ((), {"www.example.com A", "example.com A"})
        reported = {
            (r.name, r.type): (r.now is not None, r.known, r.resource) for r in plan.records
        }
        assert reported == {
            ("www.example.com", "A"): (True, True, "Www"),
            ("example.com", "A"): (True, True, "Apex"),
            ("new.example.com", "A"): (False, True, "New"),
            ("www.example.com", "AAAA"): (False, True, "Six"),
        }


def test_a_template_without_its_switch_says_which_parameter_to_give(tmp_path: Path) -> None:
    case = PublicCase({"Www": www()})
    path = case.write(tmp_path)
    refusal(
        case.plan(takes_all=True, template=path),
        "creates no record",
        way_out="add --parameter Route53Enable=VALUE",
    )
    plan = case.plan("www.example.com", template=path)
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com A"})
    assert "--parameter Route53Enable=VALUE" in warned(plan)
    off = case.plan("www.example.com", template=path, parameters=("Route53Enable=false",))
    refusal(off, "creates nothing in the place of www.example.com A", way_out="switch on")
    with pytest.raises(UsageError, match="no parameter Rout53Enable"):
        case.plan(template=path, parameters=("Rout53Enable=true",))
    with pytest.raises(UsageError, match="cannot read"):
        case.plan(template=str(tmp_path / "absent.json"))


def test_a_preview_of_a_new_stack_is_read_and_deleted_and_what_is_left_is_said() -> None:
    case = PublicCase({"Www": www()}, absent=True)
    plan = case.plan(takes_all=True, preview=case.previews_by())
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com A"})
    stack = case.world.stacks.get("shop")
    assert stack.status == "REVIEW_IN_PROGRESS"
    assert case.world.stacks.change_sets.of_stack(stack.stack_id) == []
    assert "aws cloudformation delete-stack --stack-name shop" in warned(plan)


def test_a_change_set_that_was_there_before_the_preview_is_left_alone() -> None:
    case = PublicCase({"Www": www()})
    case.previews_by("mine")
    case.previews["make"]()
    plan = case.plan(takes_all=True, preview=case.previews_by("preview"))
    assert plan.refusals == ()
    left = case.world.stacks.change_sets.of_stack(case.world.stacks.get("shop").stack_id)
    assert [each.name for each in left] == ["mine"]


def test_a_preview_that_deploys_is_refused() -> None:
    case = PublicCase({"Www": www()})

    def deploys() -> DeployExit:
        case.world.stacks.update_stack("shop", case.template, {"Route53Enable": "true"})
        return DeployExit(code=0)

    case.previews["deploy"] = deploys
    with pytest.raises(RefusedError, match="the preview command deployed: stack shop is UPDATE"):
        case.plan(takes_all=True, preview="deploy")


def test_a_preview_that_fails_or_shows_nothing_says_so() -> None:
    case = PublicCase({"Www": www()})
    case.previews["broken"] = lambda: DeployExit(code=127, tail="sh: cdkk: not found\n")
    with pytest.raises(RefusedError, match="exit code 127") as refused:
        case.plan(takes_all=True, preview="broken")
    assert "cdkk: not found" in refused.value.hint
    case.previews["same"] = lambda: DeployExit(code=255, tail="No changes to deploy.")
    plan = case.plan("www.example.com", preview="same")
    refusal(plan, "the preview (no changes) creates nothing", way_out="switch on")
    assert "check that the deploy reads ROUTE53_ENABLE" in warned(plan)


def test_a_preview_without_changes_of_what_the_stack_owns_is_nothing_to_do() -> None:
    case = PublicCase({"Www": own()}, pointing("other.example.com."))
    case.previews["same"] = lambda: DeployExit(code=0)
    plan = case.plan(takes_all=True, preview="same")
    assert (plan.refusals, plan.manuals) == ((), ())
    assert [str(record.key) for record in plan.owned] == ["www.example.com A"]


def nested_case(**resources: dict[str, Any]) -> PublicCase:
    child = site_template(alias_resource("d1new"))
    del child["Resources"]["DnsRecord"]
    child["Parameters"]["Host"] = {"Type": "String"}
    child["Resources"] |= resources
    child["Outputs"] = {"Host": {"Value": {"Fn::Sub": "${Host}.example.com"}}}
    site = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": "./site.template.json",
            "Parameters": {"Route53Enable": {"Ref": "Route53Enable"}, "Host": "www"},
        },
        "Metadata": {"Simulation": {"Template": child}},
    }
    apex = switched(own(name={"Fn::GetAtt": ["Site", "Outputs.Host"]}, Type="AAAA"))
    return PublicCase({"Site": site, "Six": apex}, alias("d1old"), pointing(WWW, "AAAA"))


@pytest.mark.parametrize("way", ["file", "asset", "url", "preview"])
def test_nested_stacks_are_read_with_what_they_pass_on(way: str, tmp_path: Path) -> None:
    case = nested_case(Www=switched(own(name={"Fn::Sub": "${Host}.example.com"})))
    site = case.template["Resources"]["Site"]
    options: dict[str, Any] = {"preview": case.previews_by()}
    if way != "preview":
        child = site["Metadata"]["Simulation"]["Template"]
        (tmp_path / "site.template.json").write_text(json.dumps(child))
        given = json.loads(json.dumps(case.template))
        resource = given["Resources"]["Site"]
        if way == "asset":
            resource["Properties"]["TemplateURL"] = {"Fn::Sub": "https://x/${AWS::Region}/f00.json"}
            resource["Metadata"] = {
                "aws:asset:path": "site.template.json",
                "aws:asset:property": "TemplateURL",
            }
        if way == "url":
            resource["Properties"]["TemplateURL"] = (
                "https://b.s3.amazonaws.com/x/site.template.json"
            )
        options = {
            "template": case.write(tmp_path, given),
            "parameters": ("Route53Enable=true",),
        }
    plan = case.plan(takes_all=True, **options)
    assert plan.refusals == ()
    assert {(r.type, r.resource) for r in plan.records} == {("A", "Site/Www"), ("AAAA", "Six")}


def test_a_nested_template_that_is_not_there_is_said_and_nothing_is_guessed(
    tmp_path: Path,
) -> None:
    case = nested_case(Www=switched(own(name={"Fn::Sub": "${Host}.example.com"})))
    plan = case.plan(
        "www.example.com", template=case.write(tmp_path), parameters=("Route53Enable=true",)
    )
    assert plan.refusals == ()
    assert "nested stack Site: its template (./site.template.json) is not beside" in warned(plan)


def test_what_was_not_read_is_said_where_no_record_is_known_either(tmp_path: Path) -> None:
    nested = nested_case(Www=www()).template["Resources"]["Site"]
    case = PublicCase({"Site": nested}, absent=True)
    with pytest.raises(RefusedError, match="has no record with a known name in any zone") as error:
        case.plan(takes_all=True, template=case.write(tmp_path))
    assert "nested stack Site: its template (./site.template.json) is not" in error.value.hint


SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Zone: {Type: String}
Globals:
  HttpApi: {CorsConfiguration: true}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Domain:
        DomainName: !Sub "www.${Suffix}"
        Route53: {HostedZoneId: !Ref Zone, IpV6: true}
"""


def test_a_domain_of_sam_is_a_group_and_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(SAM.replace("${Suffix}", "example.com"))
    case = PublicCase({}, alias("d1old"), pointing(WWW, "AAAA"))
    plan = case.plan("www.example.com", template=str(path), parameters=(f"Zone={ZONE}",))
    assert plan.refusals == ()
    assert keys(plan) == {"www.example.com A", "www.example.com AAAA"}


def test_what_only_a_macro_defines_is_reported(tmp_path: Path) -> None:
    case = PublicCase({})
    given = {**case.template, "Transform": ["AWS::Serverless-2016-10-31", "OurMacro"]}
    plan = case.plan("www.example.com", template=case.write(tmp_path, given))
    assert "OurMacro" in warned(plan)
    assert "Use --preview" in warned(plan)
    assert plan.refusals == ()


def test_what_stays_open_is_shown_as_open(tmp_path: Path) -> None:
    target = {
        "HostedZoneId": "Z2FDTNDATAQYW2",
        "DNSName": {"Fn::GetAtt": ["New", "DomainName"]},
    }
    new = {"Type": "AWS::CloudFront::Distribution", "Condition": "Enabled"}
    case = PublicCase({"New": new, "Www": switched(own(AliasTarget=target))})
    for options in (
        {"template": case.write(tmp_path), "parameters": ("Route53Enable=true",)},
        {"preview": case.previews_by()},
    ):
        (record,) = case.plan(takes_all=True, **options).records
        assert comparison_lines(record) == ["- alias to d1old.cloudfront.net", "+ alias to ?"]
        assert record.desired is not None
        assert "Fn::" in json.dumps(record.desired["AliasTarget"])


def test_the_owner_of_each_record_is_reported() -> None:
    case = PublicCase({"Www": www()})
    case.world.write([("DELETE", alias("d1old"))])
    case.deploys("legacy", Old=own())
    (record,) = case.plan("www.example.com").records
    assert record.owner == "legacy"
    unowned = PublicCase({"Www": www()}).plan("www.example.com").records[0]
    assert (unowned.owner, unowned.strategy) == ("", "delete")
    assert replace(unowned, now=None).resource == "Www"


def test_a_record_in_a_zone_that_the_same_deploy_creates_is_none_of_this_zone(ways: Ways) -> None:
    inner = switched(own({"Ref": "Inner"}, "example.com"))
    case = PublicCase(
        {"Www": www(), "Inner": switched(PRIVATE_ZONE), "Apex": inner, "Same": www()},
        alias("d1old"),
        pointing(APEX),
    )
    case.template["Resources"]["Same"]["Properties"]["HostedZoneId"] = {"Ref": "Inner"}
    plan = case.plan("www.example.com", **ways(case))
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com A"})


def test_values_that_are_not_known_before_the_deploy_are_warned_of(tmp_path: Path) -> None:
    token = {"Fn::GetAtt": ["Identity", "Token"]}
    case = PublicCase(
        {
            "Identity": switched({"Type": "AWS::SES::EmailIdentity"}),
            "Token": switched(plain("TXT", token, "example.com")),
        },
        values(APEX, "TXT", '"v=spf1 -all"'),
    )
    given = ("Route53Enable=true",)
    plan = case.plan("example.com", template=case.write(tmp_path), parameters=given)
    assert (plan.refusals, keys(plan)) == ((), {"example.com TXT"})
    assert "the values that Token gives example.com TXT are not known before the deploy" in warned(
        plan
    )


def test_a_record_whose_zone_is_open_and_may_be_another_is_no_conflict(ways: Ways) -> None:
    inner = switched(own({"Fn::GetAtt": ["Network", "ZoneId"]}, "example.com"))
    network = switched({"Type": "Custom::Network"})
    case = PublicCase(
        {"Www": www(), "Network": network, "Apex": inner}, alias("d1old"), pointing(APEX)
    )
    plan = case.plan("www.example.com", **ways(case))
    assert "the stack also creates example.com A (Apex)" in str(plan.refusals)
    case.world.zones.add_zone("example.com", private=True)
    plan = case.plan("www.example.com", **ways(case))
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com A"})


def test_a_name_means_what_certainly_comes_there(tmp_path: Path) -> None:
    case = PublicCase({"Www": www()}, alias("d1old"), pointing(WWW, "AAAA"))
    given = {**case.template, "Resources": {**case.template["Resources"], "Six": own(Type="AAAA")}}
    plan = case.plan("www.example.com", template=case.write(tmp_path, given))
    assert (plan.refusals, keys(plan)) == ((), {"www.example.com AAAA"})
    assert "www.example.com A (Www) is only created where condition Enabled holds" in warned(plan)


def left_of(case: PublicCase) -> list[str]:
    """The names of the change sets that were not deleted."""
    shop = case.world.stacks.get("shop")
    return [each.name for each in case.world.stacks.change_sets.of_stack(shop.stack_id)]


@pytest.mark.parametrize("said", [True, False])
def test_of_change_sets_that_appear_only_the_one_that_the_preview_names_is_deleted(
    said: bool,
) -> None:
    """Another process makes one at the same time, before the preview's own."""
    case = PublicCase({"Www": www()})

    def makes_two() -> DeployExit:
        case.previews_by("theirs")
        case.previews["make"]()
        case.previews_by("ours")
        done = case.previews["make"]()
        return done if said else DeployExit(code=0)

    case.previews["both"] = makes_two
    if said:
        assert case.plan(takes_all=True, preview="both").refusals == ()
    else:
        with pytest.raises(RefusedError, match="2 change sets appeared"):
            case.plan(takes_all=True, preview="both")
    assert left_of(case) == (["theirs"] if said else ["theirs", "ours"])


def test_a_change_set_that_the_preview_does_not_name_is_left_and_said() -> None:
    """The preview makes none, and another process makes its own meanwhile."""
    case = PublicCase({"Www": www()})
    case.previews_by("theirs")

    def makes_none() -> DeployExit:
        case.previews["make"]()
        return DeployExit(code=0, tail="theirs? Nothing to do.")

    case.previews["none"] = makes_none
    told = warned(case.plan(takes_all=True, preview="none"))
    assert left_of(case) == ["theirs"]
    assert "changeSet/theirs/" in told
    assert "may be another process's and was not deleted" in told
