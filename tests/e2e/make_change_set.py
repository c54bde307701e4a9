"""A preview command: makes a change set of a template and does not execute it.

``python make_change_set.py STACK TEMPLATE``, with the switch and the account in the environment.
"""

import os
import sys
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

stack, template = sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8")
client = boto3.client("cloudformation")
try:
    status: str = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
except ClientError:
    status = "ABSENT"
made = client.create_change_set(
    StackName=stack,
    ChangeSetName="preview",
    ChangeSetType="CREATE" if status in ("ABSENT", "REVIEW_IN_PROGRESS") else "UPDATE",
    TemplateBody=template,
    Parameters=[{"ParameterKey": "Route53Enable", "ParameterValue": os.environ["ROUTE53_ENABLE"]}],
)
print(made["Id"])  # noqa: T201 -- a plain program of its own, as users' are
