"""The least-privilege IAM policy for the plan of a switch: what its run and restore may call.

Where each rule comes from: the Service Authorization Reference, "... for Amazon API Gateway
Management" (V1 and V2: the actions are HTTP methods on resources that are the API's own paths) and
"... for Amazon CloudFront". ``ListDistributions`` supports no resource; ``sts:GetCallerIdentity``
needs no permission.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.api_mappings import RoutingMode
from route53_takeover.core.domain.distributions import PolicyKind
from route53_takeover.core.switch.model import MappingSwap, OriginSwap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.switch.model import SwitchPlan

Statement = dict[str, Any]

_GETTER = {
    PolicyKind.CACHE: ("cloudfront:GetCachePolicy", "cache-policy"),
    PolicyKind.ORIGIN_REQUEST: ("cloudfront:GetOriginRequestPolicy", "origin-request-policy"),
    PolicyKind.RESPONSE_HEADERS: (
        "cloudfront:GetResponseHeadersPolicy",
        "response-headers-policy",
    ),
}


def switch_policy(plan: SwitchPlan, partition: str) -> dict[str, Any]:
    """What IAM takes.

    Args:
        partition: of the account, such as ``aws-cn``.
    """
    statements = [*_mappings(plan, partition), *_origins(plan, partition)]
    if plan.options.to_stack is not None:
        statements.append(_stacks(plan, partition))
    if plan.options.retire is not None:
        statements += _retire(plan, partition)
    return {"Version": "2012-10-17", "Statement": statements}


def _mappings(plan: SwitchPlan, partition: str) -> Iterator[Statement]:
    swaps = [s for s in (*plan.swaps, *plan.watched) if isinstance(s, MappingSwap)]
    if not swaps:
        return
    at = f"arn:{partition}:apigateway:{plan.region}::"
    domain = f"{at}/domainnames/{swaps[0].domain.name}"
    apis = dict.fromkeys(
        target.api_id for swap in swaps for target in (swap.mapping.target, swap.to)
    )
    of_apis = [f"{at}/{kind}/{api}" for api in apis for kind in ("restapis", "apis")]
    if plan.options.deploy is not None:  # green's id is not known yet
        of_apis = [f"{at}/restapis/*", f"{at}/apis/*"]
    yield {
        "Sid": "ReadDomain",
        "Effect": "Allow",
        "Action": "apigateway:GET",
        "Resource": [f"{at}/domainnames", domain, f"{domain}/*"],
    }
    yield {
        "Sid": "ReadApis",
        "Effect": "Allow",
        "Action": "apigateway:GET",
        "Resource": sorted(
            {
                f"{at}/restapis",
                f"{at}/apis",
                f"{at}/usageplans",
                f"{at}/usageplans/*",
                *of_apis,
                *(f"{each}/*" for each in of_apis if not each.endswith("*")),
            }
        ),
    }
    if swaps[0].domain.routing_mode is not RoutingMode.MAPPINGS:
        rules = f"arn:{partition}:apigateway:{plan.region}:{plan.account}:/domainnames/"
        rules += f"{swaps[0].domain.name}/routingrules"
        yield {
            "Sid": "TestByRoutingRule",
            "Effect": "Allow",
            "Action": [
                "apigateway:ListRoutingRules",
                "apigateway:CreateRoutingRule",
                "apigateway:DeleteRoutingRule",
            ],
            "Resource": [rules, f"{rules}/*"],
        }
    yield {
        "Sid": "SwitchMappings",
        "Effect": "Allow",
        "Action": ["apigateway:PATCH", "apigateway:POST"],
        "Resource": [
            f"{domain}/basepathmappings",
            f"{domain}/basepathmappings/*",
            f"{domain}/apimappings",
            f"{domain}/apimappings/*",
        ],
    }


def _origins(plan: SwitchPlan, partition: str) -> Iterator[Statement]:
    swaps = [s for s in (*plan.swaps, *plan.watched) if isinstance(s, OriginSwap)]
    if not swaps:
        return
    at = f"arn:{partition}:cloudfront::{plan.account}:"
    yield {
        "Sid": "FindDistribution",
        "Effect": "Allow",
        "Action": "cloudfront:ListDistributions",
        "Resource": "*",
    }
    yield {
        "Sid": "ReadDistributions",  # those behind the front are compared with it
        "Effect": "Allow",
        "Action": "cloudfront:GetDistribution",
        "Resource": f"{at}distribution/*",
    }
    if plan.options.to_stack is not None:  # green may be an API of that stack
        at_apis = f"arn:{partition}:apigateway:{plan.region}::"
        yield {
            "Sid": "FindGreenStage",
            "Effect": "Allow",
            "Action": "apigateway:GET",
            "Resource": [f"{at_apis}/restapis/*/stages", f"{at_apis}/apis/*/stages"],
        }
    yield _policies(at)
    yield {
        "Sid": "SwitchOrigin",
        "Effect": "Allow",
        "Action": [
            "cloudfront:UpdateDistribution",
            "cloudfront:CreateInvalidation",
            "cloudfront:GetInvalidation",
        ],
        "Resource": sorted({f"{at}distribution/{swap.distribution_id}" for swap in swaps}),
    }


def _policies(at: str) -> Statement:
    """Of every kind: green's distribution may use one that the front does not."""
    return {
        "Sid": "ReadPolicies",
        "Effect": "Allow",
        "Action": [_GETTER[kind][0] for kind in PolicyKind],
        "Resource": [f"{at}{_GETTER[kind][1]}/*" for kind in PolicyKind],
    }


def _retire(plan: SwitchPlan, partition: str) -> Iterator[Statement]:
    """The verdict looks at everything live in the account, which no resource can name."""
    yield {
        "Sid": "JudgeRetirement",
        "Effect": "Allow",
        "Action": [
            "apigateway:GET",
            "apigateway:ListRoutingRules",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
            "cloudformation:ListExports",
            "cloudformation:ListImports",
            "cloudformation:ListStackResources",
            "cloudfront:ListDistributions",
            "route53:ListHostedZones",
            "route53:ListResourceRecordSets",
        ],
        "Resource": "*",
    }
    if plan.options.retire_command is None:
        stack = (plan.options.retire or "").rpartition(":stack/")[2].partition("/")[0]
        at = f"arn:{partition}:cloudformation:{plan.region}:{plan.account}:stack/{stack}/*"
        yield {
            "Sid": "DeleteBlue",
            "Effect": "Allow",
            "Action": "cloudformation:DeleteStack",
            "Resource": at,
        }


def _stacks(plan: SwitchPlan, partition: str) -> Statement:
    """Green's stack and those nested in it, whose names begin with its own."""
    name = (plan.options.to_stack or "").rpartition(":stack/")[2].partition("/")[0]
    at = f"arn:{partition}:cloudformation:{plan.region}:{plan.account}:stack/"
    return {
        "Sid": "ReadGreenStack",
        "Effect": "Allow",
        "Action": ["cloudformation:DescribeStacks", "cloudformation:ListStackResources"],
        "Resource": [f"{at}{name}/*", f"{at}{name}-*/*"],
    }
