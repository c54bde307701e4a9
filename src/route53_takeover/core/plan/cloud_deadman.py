r"""The deadman in AWS: a Step Functions state machine that restores one record set of a backup.

It waits, sends a CREATE, and sends it again every `CLOUD_AGAIN` seconds while that is refused, at
most `CLOUD_TRIES` times; then it ends. It can neither delete nor overwrite: the action stands in
the definition, not in the input. The definition is the same for every run, so that a run can
compare what it finds in the account with what it expects.

Where each rule comes from: the Step Functions Developer Guide, "AWS SDK service integrations"
(resource, PascalCase members as the SDK for Java has them, ``Route53.`` before its exceptions) and
"Intrinsic functions"; the API Reference for ``StartExecution`` (names: 80 characters) and
``TestState``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from zlib import crc32

from msgspec import Struct

from route53_takeover.core.plan.model import Strategy
from route53_takeover.core.timing import CLOUD_AGAIN, CLOUD_TRIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Plan

CREATE_STATE = "CreateTheRecord"
_ROLE = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/(?:[!-~]+/)?([A-Za-z0-9+=,.@_-]{1,64})")
_SPELT = {"TTL": "Ttl", "DNSName": "DnsName", "AWSRegion": "AwsRegion"}
"""The members of Route 53's API that the SDK for Java spells otherwise."""
_LONGEST_RUN = 40
"""Characters of a run's name in that of an execution, which has 80 in all."""
_EXISTS = "already exists"


class DeadmanRole(Struct, frozen=True, kw_only=True):
    """The role that ``--cloud-deadman`` names; the state machine is called as the role is."""

    arn: str
    partition: str
    account: str
    name: str

    @classmethod
    def parse(cls, arn: str) -> DeadmanRole:
        """Reads the ARN of a role.

        Raises:
            ValueError: it is none, or its name cannot be that of a state machine.
        """
        found = _ROLE.fullmatch(arn)
        if found is None or not re.fullmatch(r"[A-Za-z0-9_-]+", found[3]):
            raise ValueError(f"{arn!r} is not the ARN of a role for the deadman in AWS")
        return cls(arn=arn, partition=found[1], account=found[2], name=found[3])

    def machine(self, region: str) -> str:
        """The ARN of the state machine."""
        return f"arn:{self.partition}:states:{region}:{self.account}:stateMachine:{self.name}"

    def execution(self, region: str, name: str) -> str:
        """The ARN of one of its executions."""
        return f"arn:{self.partition}:states:{region}:{self.account}:execution:{self.name}:{name}"


def needs_deadman(plan: Plan, name: str) -> bool:
    """Whether the run starts a deadman in AWS before it releases this name.

    A member of a weighted group is only deleted once the stack's stands beside it.
    """
    if plan.options.cloud_deadman is None:
        return False
    return any(m.key.name == name and m.strategy is not Strategy.WEIGHTED for m in plan.manuals)


def run_prefix(run: str) -> str:
    """What the names of all executions of a run begin with."""
    short = run if len(run) <= _LONGEST_RUN else run[: _LONGEST_RUN - 9].rstrip("-")
    return short if short == run else f"{short}-{crc32(run.encode()):08x}"


def execution_name(run: str, number: str) -> str:
    """The name of an execution: the same one is never started twice."""
    return f"{run_prefix(run)}--{number}"


def definition(partition: str = "aws") -> dict[str, Any]:
    """The state machine, in the Amazon States Language."""
    return {
        "Comment": "Creates one Route 53 record set after a wait. It cannot delete or overwrite.",
        "StartAt": "WaitForTheRun",
        "States": {
            "WaitForTheRun": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": CREATE_STATE},
            CREATE_STATE: {
                **create_task(partition),
                "Retry": [
                    {
                        "ErrorEquals": [
                            "Route53.PriorRequestNotCompleteException",
                            "Route53.ThrottlingException",
                        ],
                        "IntervalSeconds": 1,
                        "MaxAttempts": 3,
                        "BackoffRate": 1.5,
                    }
                ],
                "Catch": [
                    {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "CountTries"}
                ],
            },
            "CountTries": {
                "Type": "Pass",
                "Parameters": {"left.$": "States.MathAdd($.tries.left, -1)"},
                "ResultPath": "$.tries",
                "Next": "IsTimeLeft",
            },
            "IsTimeLeft": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.tries.left", "NumericGreaterThan": 0, "Next": "WaitToTryAgain"}
                ],
                "Default": "Deadline",
            },
            "WaitToTryAgain": {"Type": "Wait", "Seconds": int(CLOUD_AGAIN), "Next": CREATE_STATE},
            "Deadline": {"Type": "Succeed"},
        },
    }


def create_task(partition: str = "aws") -> dict[str, Any]:
    """The task that creates the record set, without what follows on a failure: for ``TestState``.

    Its error is the answer then: that the record set exists already proves role, zone and format.
    """
    change = {"Action": "CREATE", "ResourceRecordSet.$": "$.record"}
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::aws-sdk:route53:changeResourceRecordSets",
        "Parameters": {
            "HostedZoneId.$": "$.zone",
            "ChangeBatch": {"Comment.$": "$.comment", "Changes": [change]},
        },
        "End": True,
    }


def execution_input(zone_id: str, record: RecordSet, name: str, seconds: float) -> str:
    """What an execution is started with, as JSON: the same for the same execution."""
    return json.dumps(
        {
            "seconds": round(seconds),
            "zone": zone_id,
            "comment": f"route53-takeover {name} deadman",
            "record": _as_in_java(record.to_api()),
            "tries": {"left": CLOUD_TRIES},
        },
        sort_keys=True,
    )


def _as_in_java(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if isinstance(value, dict):
        return {_SPELT.get(key, key): _as_in_java(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_in_java(item) for item in value]
    return value


def as_route53_spells(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    """The way back: members as Route 53's API has them."""
    spelt = {java: api for api, java in _SPELT.items()}
    if isinstance(value, dict):
        return {spelt.get(key, key): as_route53_spells(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_route53_spells(item) for item in value]
    return value


def is_definition(text: str, partition: str = "aws") -> bool:
    """Whether a state machine that was found is the one that the run expects."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return bool(found == definition(partition))


def why_not_proven(error: str, cause: str) -> str:
    """Why the answer of ``TestState`` does not prove that the record set could be restored.

    Empty where it does: the CREATE was refused because the record set exists.
    """
    if error.endswith("InvalidChangeBatchException") and _EXISTS in cause:
        return ""
    return " ".join(f"{error}: {cause}".split()) if error else "the record set did not exist"


def template(plan: Plan, condition: Mapping[str, Any], partition: str = "aws") -> dict[str, Any]:
    """The CloudFormation template of the state machine and its role, for one plan.

    Args:
        condition: of the role's only permission: names, types, CREATE.
    """
    zone = f"arn:{partition}:route53:::hostedzone/{plan.zone_id}"
    statement = {
        "Sid": "CreateTheRecordSets",
        "Effect": "Allow",
        "Action": "route53:ChangeResourceRecordSets",
        "Resource": zone,
        "Condition": condition,
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "route53-takeover --cloud-deadman: restores record sets of one takeover.",
        "Parameters": {"Name": {"Type": "String", "Default": machine_name(plan)}},
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": {"Ref": "Name"},
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                    "Policies": [
                        {
                            "PolicyName": "CreateTheRecordSets",
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                        }
                    ],
                },
            },
            "StateMachine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineName": {"Ref": "Name"},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "DefinitionString": json.dumps(definition(partition)),
                },
            },
        },
        "Outputs": {
            "RoleArn": {
                "Description": "For --cloud-deadman.",
                "Value": {"Fn::GetAtt": ["Role", "Arn"]},
            }
        },
    }


def machine_name(plan: Plan) -> str:
    """What state machine and role are called, unless the template's parameter says otherwise."""
    keys = " ".join(sorted(map(str, plan.keys)))
    return f"route53-takeover-deadman-{crc32(f'{plan.zone_id} {keys}'.encode()):08x}"
