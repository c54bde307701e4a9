"""What is read before a stack is retired, in a simulated account, and the verdict on it."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tests.retired_account import BLUE, BLUE_HOST, GREEN, HOLDING, ROOT, SITE, RetiredAccount

from route53_takeover.base.errors import (
    AccessDeniedError,
    CredentialsError,
    NotFoundError,
    RefusedError,
)
from route53_takeover.core.domain.api_mappings import RoutingMode
from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.core.retire.verdict import judge
from route53_takeover.runtime.retire_reading import RetirePorts, gather_retirement
from route53_takeover.simulation.aws.cloudformation.placing import Placed
from route53_takeover.simulation.chaos.api_gateway_port import simulated_api_gateway
from route53_takeover.simulation.chaos.cloudformation_port import SimulatedStacks
from route53_takeover.simulation.chaos.distributions_port import SimulatedDistributions
from route53_takeover.simulation.chaos.route53_port import SimulatedRecords
from route53_takeover.simulation.chaos.transport import FaultRates, Transport, VirtualClock
from route53_takeover.simulation.chaos.virtual_time import VirtualLoop
from route53_takeover.simulation.chaos.way import Way

if TYPE_CHECKING:
    from route53_takeover.base.errors import ApiError
    from route53_takeover.core.retire.model import Verdict

MAPPING, DOMAIN, RECORD = (
    "mapping that the stack deletes",
    "custom domain of the stack",
    "record of the stack",
)


class FailingWay(Way):
    """A way on which some operations fail, and which takes its time."""

    def __init__(self, failing: dict[str, ApiError], seconds: float) -> None:
        self._failing = failing
        self._seconds = seconds

    async def there(self, operation: str) -> None:
        await asyncio.sleep(self._seconds)
        if operation in self._failing:
            raise self._failing[operation]


class Guarded(Transport):
    """The same for CloudFormation and Route 53."""

    failing: dict[str, ApiError]

    async def there(self, operation: str, **more: Any) -> Any:
        if operation in self.failing:
            raise self.failing[operation]
        return await super().there(operation, **more)


def retire(
    world: RetiredAccount,
    stack: str = "shop",
    failing: dict[str, ApiError] | None = None,
    *,
    seconds: float = 0.0,
    told: list[str] | None = None,
) -> Verdict:
    """The verdict on a stack; reading for it writes nothing."""

    async def gather() -> Verdict:
        clock = VirtualClock(world.timeline.now)
        transport = Guarded(world, clock, Random(1), FaultRates())  # noqa: S311 -- a simulation
        transport.failing = failing or {}
        way = FailingWay(failing or {}, seconds)
        ports = RetirePorts(
            stacks=SimulatedStacks(transport),
            records=SimulatedRecords(transport),
            api_gateway=simulated_api_gateway(world.api_gateway, way),
            distributions=SimulatedDistributions(world.cloudfront, way),
            clock=clock,
            region="us-east-1",
            tell=heard.append,
        )
        return judge(await gather_retirement(stack, ports))

    heard = [] if told is None else told
    written = len(world.zones.history)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        found = runner.run(gather())
    assert len(world.zones.history) == written
    assert not world.api_gateway.history
    assert not world.cloudfront.history
    return found


def kinds(found: Verdict) -> list[str]:
    return [each.what for each in found.breaks]


def test_the_stack_of_jets_would_take_the_live_site_with_it() -> None:
    found = retire(RetiredAccount())
    assert (found.stack, found.stack_id) == ("shop", ROOT)
    assert kinds(found) == [MAPPING, DOMAIN, RECORD]
    mapping, domain, record = found.breaks
    assert (mapping.id, domain.id, record.id) == (SITE, SITE, f"{SITE} A")
    assert "BasePathMapping of shop-ApiGateway is a custom resource" in mapping.why
    assert str(GREEN) in domain.why
    notes = "\n".join(found.notes)
    assert "Schedules that end: Nightly of shop-ApiGateway" in notes
    assert "Buckets that go" in notes


def test_once_the_ways_out_are_taken_the_stack_is_safe() -> None:
    assert retire(RetiredAccount(retained=HOLDING)).safe


def test_a_rule_in_place_of_the_mapping_keeps_the_live_site() -> None:
    world = RetiredAccount(retained=("DomainName", "DnsRecord"))
    assert kinds(retire(world)) == [MAPPING]
    world.domain.routing_mode = RoutingMode.RULES_FIRST
    world.api_gateway.put_rule(
        world.domain, priority=100, target=GREEN, conditions=(), strips=False, by="a person"
    )
    world.api_gateway.history.clear()
    assert retire(world).safe


def test_a_stack_that_serves_the_site_says_how_to_switch() -> None:
    world = RetiredAccount(retained=HOLDING, leads_to=BLUE, asked=BLUE_HOST)
    mapping, front = retire(world).breaks
    assert mapping.way_out == f"route53-takeover switch --domain {SITE} --to-stack NEW_STACK"
    assert front.way_out == (
        "route53-takeover switch --distribution EFRONT --origin app --to-stack NEW_STACK"
    )


def test_an_export_that_another_stack_imports() -> None:
    (found,) = retire(RetiredAccount(retained=HOLDING, imported=True)).breaks
    assert (found.what, found.id) == ("export in use", "shop-api")
    assert "imported by importing" in found.why


def test_an_export_that_the_stack_itself_imports() -> None:
    world = RetiredAccount(retained=HOLDING)
    parent = world.stacks.find("shop")
    assert parent is not None
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"A": {"Fn::ImportValue": "shop-api"}}}
    parent.body["Resources"]["Queue"] = queue
    assert world.stacks.importers("shop-api") == ["shop"]
    assert retire(world).safe


def test_termination_protection() -> None:
    world = RetiredAccount(retained=HOLDING)
    stack = world.stacks.find("shop")
    assert stack is not None
    stack.is_protected = True
    assert kinds(retire(world)) == ["termination protection"]


def test_an_alias_may_name_the_live_stack() -> None:
    world = RetiredAccount(retained=HOLDING)
    world.stacks.aliases["shop-2"] = ROOT
    assert kinds(retire(world, "shop-2")) == ["alias of a stack"]
    assert retire(world, ROOT).safe


def test_a_nested_stack_is_judged_by_its_root() -> None:
    found = retire(RetiredAccount(retained=HOLDING), "shop-ApiGateway")
    assert found.stack == "shop"
    assert kinds(found) == ["nested stack"]


def test_what_is_in_a_retained_nested_stack_stays() -> None:
    world = RetiredAccount()
    parent = world.stacks.find("shop")
    assert parent is not None
    resources = parent.body["Resources"]
    resources["ApiGateway"]["DeletionPolicy"] = "Retain"
    assert retire(world).safe


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("apigateway:GetDomainNames", "unread: custom domains"),
        ("apigatewayv2:GetApiMappings", "unread: custom domain"),
        ("cloudfront:ListDistributions", "unread: distributions"),
        ("cloudformation:GetTemplate", "unread: template"),
        ("cloudformation:ListImports", "unread: imports of an export"),
        ("route53:ListResourceRecordSets", "unread: hosted zone"),
        ("route53:ListHostedZones", "unread: hosted zones"),
    ],
)
def test_what_may_not_be_read_is_never_safe(operation: str, what: str) -> None:
    denied = AccessDeniedError(f"not authorized: {operation}", operation=operation)
    found = retire(RetiredAccount(retained=HOLDING), failing={operation: denied})
    assert not found.safe
    unread = [each for each in found.breaks if each.what == what]
    assert unread, kinds(found)
    assert f"not authorized: {operation}" in unread[0].why


def test_a_domain_that_is_gone_by_then_is_left_out() -> None:
    gone = NotFoundError("Invalid domain name identifier specified")
    failing: dict[str, ApiError] = {"apigatewayv2:GetApiMappings": gone}
    assert retire(RetiredAccount(retained=HOLDING), failing=failing).safe


def test_without_credentials_there_is_no_verdict() -> None:
    expired = CredentialsError("expired")
    with pytest.raises(CredentialsError):
        retire(RetiredAccount(), failing={"cloudfront:ListDistributions": expired})


def test_a_stack_that_does_not_exist_is_refused() -> None:
    with pytest.raises(RefusedError, match="stack nowhere does not exist"):
        retire(RetiredAccount(), "nowhere")


def test_a_deleted_stack_has_nothing_to_break() -> None:
    world = RetiredAccount()
    world.stacks.delete_stack("shop")
    world.timeline.advance(world.timeline.now + 600)
    assert not world.holds(SITE)
    assert retire(world, ROOT).safe


def test_every_zone_is_read_where_a_record_of_any_name_may_lead_in() -> None:
    world = RetiredAccount(retained=HOLDING)
    other = world.zones.add_zone("other.org")
    balancer = "shop-lb-1.us-east-1.elb.amazonaws.com"
    record = RecordSet(name="www.other.org.", type="CNAME", ttl=60, values=(balancer,))
    world.zones.change(other.zone_id, [("CREATE", record)], by="a person")
    assert retire(world).safe
    body = {"Resources": {"Lb": {"Type": "AWS::ElasticLoadBalancing::LoadBalancer"}}}
    world.stacks.place(Placed(name="lb", body=body, physical_ids={"Lb": "shop-lb"}))
    (found,) = retire(world, "lb").breaks
    assert (found.what, found.id) == ("record that leads into the stack", "www.other.org CNAME")


def test_a_long_reading_says_how_far_it_is() -> None:
    world = RetiredAccount(retained=HOLDING)
    for number in range(8):
        world.api_gateway.add_domain(f"api-{number}.example.com", mappings={"": GREEN})
    told: list[str] = []
    assert retire(world, seconds=1.0, told=told).safe
    assert "reading custom domains: 4 of 9" in told
    assert len(told) < 9
    told.clear()
    assert retire(world, told=told).safe
    assert told == []
