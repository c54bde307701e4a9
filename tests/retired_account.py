"""A simulated account with a blue stack that is to go, as Jets makes one, and a green one.

The stack ``shop`` has a nested stack with API, custom domain, Jets' mapping and the record of the
domain. The mapping leads to green by now, and a distribution made by hand stands in front.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from tests.distributions import config, origin

from route53_takeover.core.domain.api_mappings import ApiTarget
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.domain.template import parse_template
from route53_takeover.simulation.aws.account import MAIN, AccountSetup, SimulatedAccount
from route53_takeover.simulation.aws.api_gateway.store import ApiGatewayStore
from route53_takeover.simulation.aws.cloudformation.placing import Placed
from route53_takeover.simulation.aws.cloudfront.store import CloudFront

if TYPE_CHECKING:
    from collections.abc import Mapping

SITE = "shop.example.com"
BLUE, GREEN = ApiTarget("blueapi", "dev"), ApiTarget("greenapi", "dev_2")
BLUE_HOST = "blueapi.execute-api.us-east-1.amazonaws.com"
ROOT = "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1"
_DOMAIN_ZONE = "Z1UJRXOUMOOFQ8"
_PARENT = """
Resources:
  Bucket: {Type: 'AWS::S3::Bucket'}
  ApiGateway:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: 'https://example.com/api.json'}
"""
_CHILD = """
Parameters:
  Zone: {Type: String}
Resources:
  RestApi: {Type: 'AWS::ApiGateway::RestApi'}
  DomainName:
    Type: AWS::ApiGateway::DomainName
    Properties: {DomainName: shop.example.com}
  BasePathMapping:
    Type: Custom::BasePathMapping
    Properties: {DomainName: !Ref DomainName, BasePath: '', RestApiId: !Ref RestApi, Stage: dev}
  DnsRecord:
    Type: AWS::Route53::RecordSet
    Properties:
      HostedZoneId: !Ref Zone
      Name: shop.example.com
      Type: A
      AliasTarget: {DNSName: !GetAtt DomainName.RegionalDomainName, HostedZoneId: Z1UJRXOUMOOFQ8}
  Nightly:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(1 day)}
Outputs:
  Api: {Value: !Ref RestApi, Export: {Name: shop-api}}
"""
_IMPORTING = "Resources: {Queue: {Type: 'AWS::SQS::Queue', Properties: {A: !ImportValue shop-api}}}"
HOLDING = ("DomainName", "BasePathMapping", "DnsRecord")
"""Resources by which blue holds the live site."""


class RetiredAccount(SimulatedAccount):
    """The account.

    Args:
        retained: logical ids of the nested stack's resources with ``DeletionPolicy: Retain``.
        leads_to: what the mapping of the site leads to.
        asked: the host that the distribution in front asks.
        imported: whether another stack imports blue's export.
    """

    def __init__(
        self,
        *,
        retained: tuple[str, ...] = (),
        leads_to: ApiTarget = GREEN,
        asked: str = "greenapi.execute-api.us-east-1.amazonaws.com",
        imported: bool = False,
        start: float = 1_700_000_000.0,
    ) -> None:
        setup = AccountSetup(zone="example.com", existing=(), stack="shop", template={})
        super().__init__(setup, seed="retired", start=start)
        rng = Random(1)  # noqa: S311 -- a simulation
        self.api_gateway = ApiGatewayStore(self.timeline, rng)
        self.cloudfront = CloudFront(self.timeline, rng)
        for target in (BLUE, GREEN):
            self.api_gateway.add_api(target.api_id, api_id=target.api_id)
            self.api_gateway.add_stage(target.api_id, target.stage)
        self.domain = self.api_gateway.add_domain(SITE, mappings={"": leads_to})
        self.cloudfront.add(config(origin(asked)), distribution_id="EFRONT")
        self.write([("CREATE", self._record())], by="CloudFormation")
        self.stacks.place(self._placed(retained))
        child = self.stacks.find("shop-ApiGateway")
        assert child is not None
        child.outputs = {"Api": BLUE.api_id}
        if imported:
            self.stacks.create_stack("importing", parse_template(_IMPORTING))
            self.timeline.advance(self.timeline.now + 60)

    def _record(self) -> RecordSet:
        target = AliasTarget(zone_id=_DOMAIN_ZONE, dns_name=f"{self.domain.hostname}.")
        return RecordSet(name=f"{SITE}.", type="A", alias=target)

    def _placed(self, retained: tuple[str, ...]) -> Placed:
        child = parse_template(_CHILD)
        resources: dict[str, Any] = child["Resources"]
        attributes = {"RegionalDomainName": self.domain.hostname}
        resources["DomainName"]["Metadata"] = {"Simulation": {"Attributes": attributes}}
        for name in retained:
            resources[name]["DeletionPolicy"] = "Retain"
        ids: Mapping[str, str] = {
            "RestApi": BLUE.api_id, "DomainName": SITE, "DnsRecord": SITE
        }  # fmt: skip
        nested = Placed(
            name="shop-ApiGateway",
            stack_id=ROOT.replace("/shop/1", "/shop-ApiGateway/2"),
            body=child,
            parameters={"Zone": MAIN},
            physical_ids=ids,
        )
        return Placed(
            name="shop",
            stack_id=ROOT,
            body=parse_template(_PARENT),
            nested={"ApiGateway": nested},
        )
