"""The verdict on a stack that is to be retired: what its delete would break, and the ways out."""

from __future__ import annotations

from msgspec import Struct

CUSTOM_DOMAINS = ("AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName")
APIS = ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
CUSTOM_MAPPING = "Custom::BasePathMapping"
"""Jets' own kind of mapping: a Lambda function of the stack makes and deletes it."""
MAPPINGS = (CUSTOM_MAPPING, "AWS::ApiGateway::BasePathMapping", "AWS::ApiGatewayV2::ApiMapping")
CERTIFICATE = "AWS::CertificateManager::Certificate"
DISTRIBUTION = "AWS::CloudFront::Distribution"
FUNCTION_URL = "AWS::Lambda::Url"
BUCKET = "AWS::S3::Bucket"
LOAD_BALANCERS = (
    "AWS::ElasticLoadBalancing::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
)
ADDRESS = "AWS::EC2::EIP"
HOSTED_ZONE = "AWS::Route53::HostedZone"


class Break(Struct, frozen=True, kw_only=True):
    """One thing that the delete would break, or that cannot be told.

    Attributes:
        what: the kind of thing, in words.
        id: which one it is.
        why: what happens to it.
        way_out: the next step.
    """

    what: str
    id: str
    why: str
    way_out: str


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a stack may be deleted.

    Attributes:
        stack: its name.
        notes: what does not speak against it, and is good to know.
    """

    stack: str
    stack_id: str
    breaks: tuple[Break, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def safe(self) -> bool:
        """Whether nothing breaks."""
        return not self.breaks


class Findings(Struct, frozen=True, kw_only=True):
    """What one family of checks found."""

    breaks: tuple[Break, ...] = ()
    notes: tuple[str, ...] = ()
