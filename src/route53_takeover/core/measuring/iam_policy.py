"""The least-privilege IAM policy for a measurement: its writes, its removal, and CloudFormation's.

CloudFormation creates the throw-away records with the same credentials. The batches are limited to
names and types, and not to actions: a policy that forbids ``UPSERT`` would change what is measured.
``cloudtrail:LookupEvents`` and ``route53:ListHostedZones`` support no resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from route53_takeover.core.measuring.records import record_type
from route53_takeover.core.measuring.scope import Scope
from route53_takeover.core.plan.iam_policy import Policy, allow, iam_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from route53_takeover.core.plan.measured import RecordKind

_CHANGE = "route53:ChangeResourceRecordSets"


class MeasuredZone(Struct, frozen=True, kw_only=True):
    """Where the measurement takes place.

    Attributes:
        partition: of the region, such as ``aws-cn``.
        name: of the zone, in normal form.
    """

    partition: str
    region: str
    account: str
    zone_id: str
    name: str


def measuring_policy(
    where: MeasuredZone, kinds: Collection[RecordKind], *, protections: bool
) -> Policy:
    """The permissions for every run with these kinds of records, whatever its name."""
    runs = Scope(run="*", zone_id=where.zone_id, zone_name=where.name)
    zone = f"arn:{where.partition}:route53:::hostedzone/{where.zone_id}"
    stacks = f"arn:{where.partition}:cloudformation:{where.region}:{where.account}:stack/"
    types = {record_type(kind) for kind in kinds} | {"A"}  # the takeover at the end is of an alias
    zone_statements = [
        allow("TheThrowAwayRecords", [_CHANGE], [zone])
        | {
            "Condition": {
                "ForAllValues:StringLike": {
                    f"{_CHANGE}NormalizedRecordNames": [iam_name(runs.name("*"))]
                },
                "ForAllValues:StringEquals": {f"{_CHANGE}RecordTypes": sorted(types)},
            }
        },
        allow(
            "ReadTheZone",
            [
                "route53:GetHostedZone",
                "route53:ListResourceRecordSetProtections",
                "route53:ListResourceRecordSets",
            ],
            [zone],
        ),
        allow("FindTheZone", ["route53:ListHostedZones"], ["*"]),
        allow("SeeItServed", ["route53:GetChange"], [f"arn:{where.partition}:route53:::change/*"]),
    ]
    if protections:
        writes = [
            "route53:CreateResourceRecordSetProtections",
            "route53:DeleteResourceRecordSetProtections",
        ]
        zone_statements.append(allow("TheProtections", writes, [zone]))
    return Policy(
        zone=tuple(zone_statements),
        stacks=(
            allow(
                "TheThrowAwayStack",
                [
                    f"cloudformation:{action}"
                    for action in (
                        "CancelUpdateStack",
                        "CreateStack",
                        "DeleteStack",
                        "DescribeStackEvents",
                        "DescribeStacks",
                        "GetTemplate",
                        "ListStackResources",
                        "UpdateStack",
                    )
                ],
                [f"{stacks}{runs.stack_name}/*"],
            ),
            allow("SeeTheTries", ["cloudtrail:LookupEvents"], ["*"]),
        ),
    )
