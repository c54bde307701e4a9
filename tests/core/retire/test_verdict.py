"""What breaks when a stack is deleted, case by case: each with its reason and its way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from route53_takeover.core.domain.api_mappings import (
    ApiMapping,
    ApiTarget,
    CustomDomain,
    EndpointType,
    RoutingMode,
    RoutingRule,
)
from route53_takeover.core.domain.distributions import Distribution
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.domain.stacks import StackDescription
from route53_takeover.core.plan.holdings import record_of
from route53_takeover.core.retire.facts import (
    ImportedExport,
    LiveDomain,
    RetireFacts,
    TreeRecord,
    TreeResource,
    Unread,
    ZoneRecords,
)
from route53_takeover.core.retire.verdict import judge

if TYPE_CHECKING:
    from route53_takeover.core.retire.model import Break, Verdict

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/blue/1"
BLUE = StackDescription(stack_id=STACK_ID, stack_name="blue", status="UPDATE_COMPLETE")
SITE = "shop.example.com"
HOST = "d-abc.execute-api.us-east-1.amazonaws.com"
OLD, NEW = ApiTarget("blueapi", "dev"), ApiTarget("greenapi", "dev_2")


def resource(kind: str, physical_id: str, **more: Any) -> TreeResource:
    given = {"logical_id": kind.rpartition("::")[2], "properties": {}, **more}
    return TreeResource(
        stack_id=STACK_ID, stack_name="blue", physical_id=physical_id, type=kind, **given
    )


API = resource("AWS::ApiGateway::RestApi", "blueapi")
DOMAIN = resource("AWS::ApiGateway::DomainName", SITE)
PLACE = {"DomainName": SITE, "BasePath": ""}
PLAIN = resource("AWS::ApiGateway::BasePathMapping", "made-up", properties=PLACE)
CUSTOM = resource(
    "Custom::BasePathMapping", "2026/11/28/[$LATEST]x", logical_id="BasePathMapping",
    properties=PLACE,
)  # fmt: skip
V2 = resource(
    "AWS::ApiGatewayV2::ApiMapping", "m1", properties={"DomainName": SITE, "ApiMappingKey": "x"}
)
DISTRIBUTION = resource("AWS::CloudFront::Distribution", "EBLUE")
URL = resource("AWS::Lambda::Url", "arn:aws:lambda:us-east-1:123456789012:function:web")
BUCKET = resource("AWS::S3::Bucket", "assets.example.com")


def live(
    target: ApiTarget,
    *rules: RoutingRule,
    path: str = "",
    mode: RoutingMode = RoutingMode.MAPPINGS,
    mapping_id: str = "",
) -> LiveDomain:
    """A custom domain with one mapping."""
    domain = CustomDomain(
        name=SITE, endpoint_type=EndpointType.REGIONAL, routing_mode=mode, hostname=HOST
    )
    mapping = ApiMapping(base_path=path, target=target, mapping_id=mapping_id)
    return LiveDomain(domain=domain, mappings=(mapping,), rules=rules)


def rule(target: ApiTarget, priority: int = 100, **more: Any) -> RoutingRule:
    return RoutingRule(rule_id=f"r{priority}", priority=priority, target=target, **more)


def alias(name: str, target: str, **more: Any) -> RecordSet:
    to = AliasTarget(zone_id="Z2FDTNDATAQYW2", dns_name=f"{target}.")
    return RecordSet(**{"name": f"{name}.", "type": "A", "alias": to, **more})


def owned(name: str, kind: str = "A", **more: Any) -> TreeRecord:
    doomed = more.pop("is_doomed", True)
    properties = {"Name": name, "Type": kind, "TTL": "60", "ResourceRecords": ["x"], **more}
    record = record_of(STACK_ID, "DnsRecord", properties)
    return TreeRecord(record=record, stack_name="blue", is_doomed=doomed)


def zone(*records: RecordSet, zone_id: str = "Z1") -> ZoneRecords:
    return ZoneRecords(zone_id=zone_id, name="example.com.", records=records)


def front(
    host: str, *, distribution_id: str = "EFRONT", enabled: bool = True, **more: Any
) -> Distribution:
    """A distribution that asks one host."""
    config = {
        "Enabled": enabled,
        "Origins": {"Quantity": 1, "Items": [{"Id": "site", "DomainName": host}]},
        "DefaultCacheBehavior": {"TargetOriginId": "site"},
        **more.pop("config", {}),
    }
    return Distribution(
        distribution_id=distribution_id,
        domain_name=f"{distribution_id.lower()}.cloudfront.net",
        status="Deployed",
        config=config,
        **{"aliases": ("www.example.com",), **more},
    )


def verdict(*resources: TreeResource, **more: Any) -> Verdict:
    given = {"given": "blue", "named": BLUE, "root": BLUE, "region": "us-east-1", **more}
    return judge(RetireFacts(resources=resources, **given))


def only(found: Verdict) -> Break:
    assert not found.safe
    assert len(found.breaks) == 1, [(each.what, each.id) for each in found.breaks]
    return found.breaks[0]


def test_a_stack_that_nothing_leads_to_is_safe() -> None:
    found = verdict(API, BUCKET, domains=(live(NEW),), zones=(zone(),))
    assert found.safe
    assert (found.stack, found.stack_id) == ("blue", STACK_ID)
    assert any("Not looked at" in note for note in found.notes)


@pytest.mark.parametrize(
    ("facts", "what", "why", "way_out"),
    [
        ({"given": "shop"}, "alias of a stack", "may be the live one", f"--stack {STACK_ID}"),
        ({"is_protected": True}, "termination protection", "refuses",
         "update-termination-protection --no-enable"),
        ({"root": replace(BLUE, status="UPDATE_IN_PROGRESS")}, "stack in progress",
         "UPDATE_IN_PROGRESS", "Wait"),
        ({"root": replace(BLUE, stack_id="arn:root", stack_name="root")}, "nested stack",
         "part of root", "--stack root"),
        ({"imported": (ImportedExport(name="e", stack_name="blue", importers=("green",)),)},
         "export in use", "imported by green", "without Fn::ImportValue of e"),
        ({"unread": (Unread(what="custom domains", id="us-east-1", reason="AccessDenied"),)},
         "unread: custom domains", "cannot be told", "credentials that may read it"),
    ],
)  # fmt: skip
def test_what_keeps_a_stack_from_being_deleted(
    facts: dict[str, Any], what: str, why: str, way_out: str
) -> None:
    found = only(verdict(**facts))
    assert found.what == what
    assert why in found.why
    assert way_out in found.way_out


@pytest.mark.parametrize("given", ["blue", STACK_ID])
def test_a_stack_that_is_named_by_its_own_name_is_no_alias(given: str) -> None:
    assert verdict(given=given).safe


def test_a_deleted_stack_breaks_nothing() -> None:
    gone = replace(BLUE, status="DELETE_COMPLETE")
    found = verdict(given=STACK_ID, named=gone, root=gone)
    assert found.safe
    assert found.notes == ("blue is deleted already.",)


# API Gateway


def test_a_mapping_that_leads_into_the_stack_is_live() -> None:
    found = only(verdict(API, domains=(live(OLD, path="v1"),)))
    assert (found.what, found.id) == ("mapping of a custom domain", f"{SITE}/v1")
    assert "403" in found.why
    assert found.way_out == (
        f"route53-takeover switch --domain {SITE} --base-path v1 --to-stack NEW_STACK"
    )


@pytest.mark.parametrize(
    ("mapping", "path", "mapping_id", "why", "way_out"),
    [
        (PLAIN, "", "", "by its domain and path", "DeletionPolicy: Retain to BasePathMapping"),
        (CUSTOM, "", "", "whatever API it leads to, and tells no error", "create-routing-rule"),
        (V2, "x", "", "by its domain and path", "DeletionPolicy: Retain to ApiMapping"),
        (V2, "moved", "m1", "by its domain and path", "DeletionPolicy: Retain to ApiMapping"),
    ],
)
def test_a_mapping_of_the_stack_takes_the_live_one_away(
    mapping: TreeResource, path: str, mapping_id: str, why: str, way_out: str
) -> None:
    domain = live(NEW, path=path, mapping_id=mapping_id)
    found = only(verdict(API, mapping, domains=(domain,)))
    assert found.what == "mapping that the stack deletes"
    assert why in found.why
    assert str(NEW) in found.why
    assert way_out in found.way_out


def test_a_mapping_of_the_stack_that_leads_to_itself_is_told_once() -> None:
    found = only(verdict(API, CUSTOM, domains=(live(OLD),)))
    assert found.what == "mapping of a custom domain"
    other = live(ApiTarget("another", "dev"))
    assert only(verdict(API, CUSTOM, domains=(other,))).what == "mapping that the stack deletes"


@pytest.mark.parametrize(
    "facts",
    [
        {"mapping": replace(PLAIN, is_doomed=False)},
        {"mapping": replace(CUSTOM, is_doomed=False)},
        {"mapping": CUSTOM, "domain": live(NEW, path="other")},
        {"mapping": CUSTOM, "domain": live(NEW, rule(NEW), mode=RoutingMode.RULES_FIRST)},
        {"mapping": CUSTOM, "domain": live(NEW, rule(NEW), mode=RoutingMode.RULES)},
    ],
    ids=["retained", "custom retained", "another path", "a rule is before it", "rules alone"],
)
def test_the_way_out_of_a_mapping_makes_the_stack_safe(facts: dict[str, Any]) -> None:
    domain = facts.get("domain", live(NEW))
    assert verdict(API, facts["mapping"], domains=(domain,)).safe


def test_a_rule_for_some_requests_leaves_the_mapping_live() -> None:
    some = rule(NEW, headers={"x-test": "green"})
    domain = live(NEW, some, mode=RoutingMode.RULES_FIRST)
    assert only(verdict(API, CUSTOM, domains=(domain,))).what == "mapping that the stack deletes"


def test_a_rule_of_a_domain_without_rules_in_force_counts_for_nothing() -> None:
    domain = live(NEW, rule(NEW), rule(OLD, 50))
    assert only(verdict(API, CUSTOM, domains=(domain,))).what == "mapping that the stack deletes"


def test_a_mapping_whose_place_the_template_hides_cannot_be_told() -> None:
    hidden = replace(CUSTOM, properties={"DomainName": {"Fn::GetAtt": ["Lookup", "Name"]}})
    for mapping in (hidden, replace(CUSTOM, properties={})):
        found = only(verdict(API, mapping, domains=(live(NEW),)))
        assert "cannot be told" in found.why


@pytest.mark.parametrize(
    ("rules", "broken"),
    [
        ((rule(OLD),), ["r100"]),
        ((rule(NEW, 1), rule(OLD, 2)), []),
        ((rule(OLD, 2), rule(NEW, 1)), []),
        ((rule(OLD, 2, headers={"x": "y"}), rule(NEW, 3), rule(OLD, 4)), ["r2"]),
    ],
    ids=["leads in", "never asked", "listed first", "one before and one behind"],
)
def test_routing_rules_that_lead_into_the_stack(
    rules: tuple[RoutingRule, ...], broken: list[str]
) -> None:
    domain = live(NEW, *rules, mode=RoutingMode.RULES_FIRST)
    found = verdict(API, domains=(domain,))
    assert [each.id for each in found.breaks] == [f"{SITE} {name}" for name in broken]
    assert all("delete-routing-rule" in each.way_out for each in found.breaks)


def test_a_rule_that_was_read_as_several_is_told_once() -> None:
    twice = (rule(OLD, headers={"a": "1"}), rule(OLD, headers={"b": "1"}))
    found = only(verdict(API, domains=(live(NEW, *twice, mode=RoutingMode.RULES_FIRST),)))
    assert found.what == "routing rule of a custom domain"


def test_an_api_that_a_dead_mapping_leads_to_cannot_be_deleted() -> None:
    domain = live(OLD, rule(NEW), mode=RoutingMode.RULES_FIRST)
    found = only(verdict(API, domains=(domain,)))
    assert f"delete of {API} fails" in found.why
    assert found.way_out == (
        f"aws apigateway delete-base-path-mapping --domain-name {SITE} --base-path '(none)'"
    )
    assert verdict(API, PLAIN, domains=(domain,)).safe, "the stack deletes it before"


def test_a_domain_of_the_stack_that_serves_the_new_one() -> None:
    found = only(verdict(API, DOMAIN, domains=(live(NEW),)))
    assert (found.what, found.id) == ("custom domain of the stack", SITE)
    assert str(NEW) in found.why
    assert "DeletionPolicy: Retain to DomainName" in found.way_out
    assert verdict(API, replace(DOMAIN, is_doomed=False), domains=(live(NEW),)).safe


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ((alias(SITE, HOST),), f"by the record {SITE} A alias to {HOST}"),
        ((alias("*.example.com", HOST),), "by the record"),
        (
            (RecordSet(name=f"{SITE}.", type="CNAME", ttl=60, values=("x.example.com",)),
             RecordSet(name="x.example.com.", type="CNAME", ttl=60, values=(HOST,))),
            "by the record",
        ),
        ((alias(SITE, "d-other.execute-api.us-east-1.amazonaws.com"),), None),
        ((), None),
        (None, "cannot be told: no hosted zone"),
    ],
    ids=["record", "wildcard", "chain", "elsewhere", "no record", "no zone"],
)  # fmt: skip
def test_a_domain_of_the_stack_is_live_where_its_record_leads_to_it(
    records: tuple[RecordSet, ...] | None, why: str | None
) -> None:
    zones = () if records is None else (zone(*records),)
    found = verdict(API, DOMAIN, domains=(live(OLD),), zones=zones)
    if why is None:
        assert found.safe
        assert any(SITE in note for note in found.notes)
    else:
        assert why in only(found).why


def test_names_that_lead_to_each_other_by_many_members_end_soon() -> None:
    members = [
        alias(here, there, set_identifier=str(number), routing=(("Weight", "1"),))
        for here, there in ((SITE, "b.example.com"), ("b.example.com", SITE))
        for number in range(100)
    ]
    assert verdict(API, DOMAIN, domains=(live(OLD),), zones=(zone(*members),)).safe


# Route 53


def test_a_record_of_the_stack_goes_with_it() -> None:
    found = only(verdict(records=(owned(SITE),), zones=(zone(alias(SITE, HOST)),)))
    assert (found.what, found.id) == ("record of the stack", f"{SITE} A")
    assert "DeletionPolicy: Retain to DnsRecord" in found.way_out
    assert f"plan --stack NEW_STACK --record {SITE}/A" in found.way_out


@pytest.mark.parametrize(
    ("record", "live_records"),
    [
        (owned(SITE, is_doomed=False), (alias(SITE, HOST),)),
        (owned(SITE), ()),
        (owned(SITE, "TXT"), (alias(SITE, HOST),)),
        (owned(SITE, HostedZoneId="Z2"), (alias(SITE, HOST),)),
        (owned(SITE, HostedZoneName="other.com."), (alias(SITE, HOST),)),
        (owned(SITE, SetIdentifier="a"), (alias(SITE, HOST, set_identifier="b"),)),
    ],
    ids=["retained", "gone", "other type", "other zone", "other zone's name", "other member"],
)
def test_a_record_of_the_stack_that_is_not_the_live_one(
    record: TreeRecord, live_records: tuple[RecordSet, ...]
) -> None:
    assert verdict(records=(record,), zones=(zone(*live_records),)).safe


@pytest.mark.parametrize(("weight", "is_safe"), [("10", True), ("0", False)])
def test_the_other_members_of_a_weighted_name_answer(weight: str, *, is_safe: bool) -> None:
    members = (
        alias(SITE, HOST, set_identifier="blue", routing=(("Weight", "10"),)),
        alias(SITE, "d-x.cloudfront.net", set_identifier="green", routing=(("Weight", weight),)),
    )
    record = owned(SITE, SetIdentifier="blue", Weight="10")
    assert verdict(records=(record,), zones=(zone(*members),)).safe is is_safe


def test_a_record_whose_name_the_template_hides_cannot_be_told() -> None:
    record = owned({"Fn::GetAtt": ["Lookup", "Name"]})  # type: ignore[arg-type]
    assert "cannot be told" in only(verdict(records=(record,), zones=(zone(),))).why


@pytest.mark.parametrize(
    ("resource_", "record"),
    [
        (API, alias(SITE, "blueapi.execute-api.us-east-1.amazonaws.com")),
        (BUCKET, alias("assets.example.com", "s3-website-us-east-1.amazonaws.com")),
        (
            resource(
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/web/50dc6c495c0c9188",
            ),
            alias(SITE, "dualstack.web-123456.us-east-1.elb.amazonaws.com"),
        ),
        (
            resource("AWS::ElasticLoadBalancing::LoadBalancer", "old"),
            alias(SITE, "old-123456.us-east-1.elb.amazonaws.com"),
        ),
        (
            resource("AWS::EC2::EIP", "192.0.2.1"),
            RecordSet(name=f"{SITE}.", type="A", ttl=60, values=("192.0.2.1",)),
        ),
    ],
    ids=["API", "website bucket", "load balancer", "classic load balancer", "address"],
)
def test_a_record_outside_that_leads_into_the_stack(
    resource_: TreeResource, record: RecordSet
) -> None:
    found = only(verdict(resource_, zones=(zone(record),)))
    assert found.what == "record that leads into the stack"
    assert resource_.logical_id in found.why


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("AWS::AppRunner::Service", "abc123.us-east-1.awsapprunner.com"),
        ("AWS::ElasticBeanstalk::Environment", "web.eba-x.us-east-1.elasticbeanstalk.com"),
        ("AWS::GlobalAccelerator::Accelerator", "a1234.awsglobalaccelerator.com"),
        ("AWS::EC2::Instance", "ec2-192-0-2-1.compute-1.amazonaws.com"),
        ("AWS::Amplify::App", "main.d1.amplifyapp.com"),
    ],
)
def test_a_record_to_a_host_that_only_an_output_tells(kind: str, target: str) -> None:
    given = {"zones": (zone(alias(SITE, target)),)}
    found = only(verdict(resource(kind, "made-up"), **given))
    assert found.what == "record that may lead into the stack"
    assert "cannot be told" in found.why
    assert "Add an output" in found.way_out
    outputs = (f"https://{target}/",)
    found = only(verdict(resource(kind, "made-up"), outputs=outputs, **given))
    assert found.what == "record that leads into the stack"
    elsewhere = {"zones": (zone(alias(SITE, "other.example.net")),)}
    assert verdict(resource(kind, "made-up"), **elsewhere).safe


def test_a_zone_of_the_stack() -> None:
    kind = resource("AWS::Route53::HostedZone", "Z1")
    assert only(verdict(kind)).what == "hosted zone of the stack"
    assert verdict(replace(kind, is_doomed=False)).safe


# CloudFront


@pytest.mark.parametrize(
    ("resource_", "host", "facts"),
    [
        (API, "blueapi.execute-api.us-east-1.amazonaws.com", {}),
        (DOMAIN, SITE, {"domains": (replace(live(OLD), mappings=()),), "zones": (zone(),)}),
        (URL, "abc.lambda-url.us-east-1.on.aws",
         {"outputs": ("https://abc.lambda-url.us-east-1.on.aws/",)}),
        (BUCKET, "assets.example.com.s3.us-east-1.amazonaws.com", {}),
        (BUCKET, "assets.example.com.s3-website-us-east-1.amazonaws.com", {}),
    ],
)  # fmt: skip
def test_a_distribution_outside_whose_origin_is_in_the_stack(
    resource_: TreeResource, host: str, facts: dict[str, Any]
) -> None:
    found = only(verdict(resource_, distributions=(front(host),), **facts))
    assert found.what == "origin of a distribution"
    assert str(resource_) in found.why
    assert found.way_out == (
        "route53-takeover switch --distribution EFRONT --origin site --to-stack NEW_STACK"
    )


@pytest.mark.parametrize(
    ("resource_", "host"),
    [
        (BUCKET, "assets.example.com.s3.us-east-1.amazonaws.com"),
        (DOMAIN, SITE),
        (DISTRIBUTION, "eblue.cloudfront.net"),
        (resource("AWS::EC2::EIP", "192.0.2.1"), "192.0.2.1"),
    ],
)
def test_what_is_retained_answers_on(resource_: TreeResource, host: str) -> None:
    mine = front("x.example.com", distribution_id="EBLUE", aliases=())
    kept = replace(resource_, is_doomed=False)
    assert verdict(kept, distributions=(mine, front(host))).safe


def test_an_api_that_is_retained_loses_what_is_behind_it() -> None:
    kept = replace(API, is_doomed=False)
    assert "functions behind it go" in only(verdict(kept, domains=(live(OLD),))).why


@pytest.mark.parametrize(
    "distribution",
    [
        front("greenapi.execute-api.us-east-1.amazonaws.com"),
        front("blueapi.execute-api.eu-west-1.amazonaws.com"),
        front("blueapi.execute-api.us-east-1.amazonaws.com", enabled=False),
        front(
            "blueapi.execute-api.us-east-1.amazonaws.com",
            config={"DefaultCacheBehavior": {"TargetOriginId": "another"}},
        ),
    ],
    ids=["elsewhere", "another region", "disabled", "unused"],
)
def test_a_distribution_outside_that_does_not_ask_the_stack(distribution: Distribution) -> None:
    assert verdict(API, distributions=(distribution,)).safe


def test_an_origin_in_a_group_is_used() -> None:
    members = {"Items": [{"OriginId": "other"}, {"OriginId": "site"}]}
    config = {
        "DefaultCacheBehavior": {"TargetOriginId": "both"},
        "OriginGroups": {"Items": [{"Id": "both", "Members": members}]},
    }
    distribution = front("blueapi.execute-api.us-east-1.amazonaws.com", config=config)
    assert only(verdict(API, distributions=(distribution,))).what == "origin of a distribution"


def test_a_function_url_whose_host_no_output_tells() -> None:
    distribution = front("abc.lambda-url.us-east-1.on.aws")
    found = only(verdict(URL, distributions=(distribution,)))
    assert "cannot be told" in found.why
    assert "Add an output" in found.way_out
    elsewhere = front("abc.lambda-url.eu-west-1.on.aws")
    assert verdict(URL, distributions=(elsewhere,)).safe


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ((alias("www.example.com", "eblue.cloudfront.net"),), "Users reach it by the record"),
        ((alias("www.example.com", "efront.cloudfront.net"),), None),
        (None, "cannot be told"),
    ],
)
def test_a_distribution_of_the_stack_is_known_by_its_aliases(
    records: tuple[RecordSet, ...] | None, why: str | None
) -> None:
    zones = () if records is None else (zone(*records),)
    mine = front("assets.s3.amazonaws.com", distribution_id="EBLUE")
    found = verdict(DISTRIBUTION, distributions=(mine,), zones=zones)
    if why is None:
        assert found.safe
    else:
        assert why in only(found).why
    assert verdict(replace(DISTRIBUTION, is_doomed=False), distributions=(mine,), zones=zones).safe


def test_a_front_that_asks_the_distribution_of_the_stack() -> None:
    mine = front("assets.s3.amazonaws.com", distribution_id="EBLUE", aliases=())
    found = only(verdict(DISTRIBUTION, distributions=(mine, front("eblue.cloudfront.net"))))
    assert "eblue.cloudfront.net" in found.why


@pytest.mark.parametrize(
    "kind", ["AWS::CertificateManager::Certificate", "AWS::CloudFront::Function"]
)
def test_a_part_that_a_distribution_outside_uses(kind: str) -> None:
    part = resource(kind, "arn:aws:part")
    config = {"ViewerCertificate": {"ACMCertificateArn": "arn:aws:part"}}
    found = only(verdict(part, distributions=(front("x.example.com", config=config),)))
    assert found.what.endswith("in use")
    assert "half way" in found.why
    assert verdict(part, distributions=(front("x.example.com"),)).safe


@pytest.mark.parametrize(
    ("kind", "physical_id", "config"),
    [
        (
            "AWS::WAFv2::WebACL",
            "wall|0123-45|CLOUDFRONT",
            {"WebACLId": "arn:aws:wafv2:us-east-1:1:global/webacl/wall/0123-45"},
        ),
        (
            "AWS::CloudFront::CloudFrontOriginAccessIdentity",
            "EID",
            {"Origins": {"Items": [{"Id": "site", "DomainName": "x", "S3OriginConfig":
             {"OriginAccessIdentity": "origin-access-identity/cloudfront/EID"}}]}},
        ),
    ],
)  # fmt: skip
def test_a_part_that_is_called_otherwise_in_a_config(
    kind: str, physical_id: str, config: dict[str, Any]
) -> None:
    found = only(verdict(resource(kind, physical_id), distributions=(front("x", config=config),)))
    assert found.what.endswith("in use")


@pytest.mark.parametrize(("certificate", "is_safe"), [("arn:aws:part", False), ("x", True)])
def test_a_certificate_that_a_custom_domain_outside_uses(
    certificate: str, *, is_safe: bool
) -> None:
    part = resource("AWS::CertificateManager::Certificate", "arn:aws:part")
    domain = live(NEW)
    domain = replace(domain, domain=replace(domain.domain, certificates=(certificate,)))
    assert verdict(part, domains=(domain,)).safe is is_safe


# Data and work


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::RDS::DBCluster"])
def test_data_that_goes_for_good_counts_unless_it_is_retained(kind: str) -> None:
    found = only(verdict(resource(kind, "orders")))
    assert "cannot be told" in found.why
    assert "DeletionPolicy: Retain" in found.way_out
    assert verdict(resource(kind, "orders", is_doomed=False)).safe


@pytest.mark.parametrize(
    ("resource_", "note"),
    [
        (BUCKET, "jets delete"),
        (resource("AWS::SQS::Queue", "https://sqs/q"), "https://sqs/q"),
        (
            resource("AWS::Events::Rule", "r", properties={"ScheduleExpression": "rate(1 day)"}),
            "done twice",
        ),
        (resource("AWS::Scheduler::Schedule", "s"), "done twice"),
        (resource("AWS::Lambda::EventSourceMapping", "e"), "Event sources that end"),
        (URL, "Who asks them directly cannot be told"),
        (resource("Custom::S3AutoDeleteObjects", "c"), "What they do then cannot be told"),
        (resource("AWS::EC2::Instance", "i-1"), "their addresses cannot be told"),
    ],
)
def test_what_is_told_and_breaks_nothing(resource_: TreeResource, note: str) -> None:
    found = verdict(resource_)
    assert found.safe
    assert any(note in each for each in found.notes)


def test_a_rule_without_a_schedule_or_that_is_disabled_is_no_schedule() -> None:
    event = resource("AWS::Events::Rule", "r", properties={"EventPattern": {}})
    off = {"ScheduleExpression": "rate(1 day)", "State": "DISABLED"}
    found = verdict(event, resource("AWS::Events::Rule", "r", properties=off))
    assert not any("Schedules" in note for note in found.notes)
