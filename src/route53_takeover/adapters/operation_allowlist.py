"""The AWS operations that may be called: the reads, and each write only where it is enabled.

The guard sits on the SDK's session, before every call of every client that is made from it, and
lets through what it knows. So a new call, or a mistake, is stopped before anything is sent; no
adapter and no command can forget it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiobotocore.session import AioSession

READS = frozenset(
    {
        "cloudformation.DescribeChangeSet",
        "cloudformation.DescribeStackEvents",
        "cloudformation.DescribeStacks",
        "cloudformation.GetTemplate",
        "cloudformation.ListChangeSets",
        "cloudformation.ListExports",
        "cloudformation.ListImports",
        "cloudformation.ListStackResources",
        "cloudformation.ListStacks",
        "route-53.GetChange",
        "route-53.GetHostedZone",
        "route-53.ListHostedZones",
        "route-53.ListResourceRecordSetProtections",
        "route-53.ListResourceRecordSets",
    }
)
"""Operations, in the SDK's spelling of their service."""
WRITES = frozenset({"route-53.ChangeResourceRecordSets"})
SWITCH_READS = frozenset(
    {
        "api-gateway.GetAuthorizers",
        "api-gateway.GetBasePathMappings",
        "api-gateway.GetDomainName",
        "api-gateway.GetDomainNames",
        "api-gateway.GetGatewayResponses",
        "api-gateway.GetRestApi",
        "api-gateway.GetRestApis",
        "api-gateway.GetStage",
        "api-gateway.GetStages",
        "api-gateway.GetUsagePlanKeys",
        "api-gateway.GetUsagePlans",
        "apigatewayv2.GetApi",
        "apigatewayv2.GetApiMappings",
        "apigatewayv2.GetApis",
        "apigatewayv2.GetAuthorizers",
        "apigatewayv2.GetDomainName",
        "apigatewayv2.GetStage",
        "apigatewayv2.GetStages",
        "apigatewayv2.ListRoutingRules",
        "cloudfront.GetCachePolicy",
        "cloudfront.GetDistribution",
        "cloudfront.GetInvalidation",
        "cloudfront.GetOriginRequestPolicy",
        "cloudfront.GetResponseHeadersPolicy",
        "cloudfront.ListDistributions",
    }
)
"""What a switch reads besides, and what retiring a stack looks at."""
SWITCH_WRITES = frozenset(
    {
        "api-gateway.CreateBasePathMapping",
        "api-gateway.UpdateBasePathMapping",
        "apigatewayv2.CreateApiMapping",
        "apigatewayv2.CreateRoutingRule",
        "apigatewayv2.DeleteRoutingRule",
        "apigatewayv2.UpdateApiMapping",
        "cloudfront.CreateInvalidation",
        "cloudfront.UpdateDistribution",
    }
)
"""All that a switch writes; it changes no record."""
PREVIEWS = frozenset({"cloudformation.DeleteChangeSet"})
"""What a preview leaves behind is deleted again; executing one is allowed nowhere."""
MEASURES = frozenset(
    {
        "cloudformation.CancelUpdateStack",
        "cloudformation.CreateStack",
        "cloudformation.DeleteStack",
        "cloudformation.UpdateStack",
        "cloudtrail.LookupEvents",
        "route-53.CreateResourceRecordSetProtections",
        "route-53.DeleteResourceRecordSetProtections",
    }
)
"""What a measurement calls besides, for a stack and names of its own: `core.measuring.scope`."""
_CREDENTIALS = frozenset(
    {
        "signin.CreateOAuth2Token",
        "sso-oidc.CreateToken",
        "sso.GetRoleCredentials",
        "sts.AssumeRole",
        "sts.AssumeRoleWithWebIdentity",
    }
)
"""How the SDK itself gets credentials for a profile."""


DELETES = frozenset({"cloudformation.DeleteStack"})
"""What retires a stack, at a connection that is for it."""
DEADMAN_READS = frozenset(
    {"sfn.DescribeExecution", "sfn.DescribeStateMachine", "sfn.ListExecutions"}
)
DEADMAN_WRITES = frozenset({"sfn.StartExecution", "sfn.StopExecution", "sfn.TestState"})
"""What the deadman in AWS is started and stopped by; no state machine is made or changed."""


class NotAllowedError(Exception):
    """A defect of this program: it was about to call what this connection is not for."""


def guard(
    session: AioSession,
    *,
    writable: bool,
    previews: bool = False,
    switches: bool = False,
    deletes: bool = False,
    measures: bool = False,
    deadman: bool = False,
) -> None:
    """Keeps every client of this session to the reads, and to what else it is for.

    Args:
        writable: `WRITES`, too; with ``switches`` `SWITCH_WRITES` in their place.
        previews: `PREVIEWS`, too.
        switches: `SWITCH_READS`, too.
        deletes: `DELETES`, too.
        measures: `MEASURES`, too.
        deadman: `DEADMAN_READS`, too, and `DEADMAN_WRITES` with ``writable``.
    """
    writes = SWITCH_WRITES if switches else WRITES
    allowed = READS | _CREDENTIALS | (SWITCH_READS if switches else frozenset())
    allowed |= (writes if writable else frozenset()) | (PREVIEWS if previews else frozenset())
    allowed |= DELETES if deletes else frozenset()
    allowed |= MEASURES if measures else frozenset()
    if deadman:
        allowed |= DEADMAN_READS | (DEADMAN_WRITES if writable else frozenset())

    def check(event_name: str, **_: object) -> None:
        operation = event_name.removeprefix("before-call.")
        if operation not in allowed:
            may = "switch a site" if switches else "write records"
            kind = f"may only {may}" if writable else "is read-only"
            raise NotAllowedError(f"{operation} on a connection that {kind}: nothing was sent")

    session.get_component("event_emitter").register_first("before-call", check)
