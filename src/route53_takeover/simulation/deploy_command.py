"""A deploy command as people write them: updates a stack by the AWS SDK and waits for its end.

Run as ``python -m route53_takeover.simulation.deploy_command STACK TEMPLATE``, with the switch in
``ROUTE53_ENABLE`` and the account in the environment. It knows nothing of the simulation, but it
refuses every endpoint that is not on this machine.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

_LOOK_EVERY = 0.3


def main() -> int:
    """Deploys; returns the exit status: 0 where the stack is complete, 1 where it is not."""
    stack, template = sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8")
    if not os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://127.0.0.1:"):
        sys.stderr.write("this command only deploys to a rehearsal\n")
        return 3
    switch = os.environ.get("ROUTE53_ENABLE", "true")
    sys.stdout.write(f"deploying {stack} with route53.enable={switch}\n")
    client = boto3.client("cloudformation")
    arguments: dict[str, Any] = {
        "StackName": stack,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": "Route53Enable", "ParameterValue": switch}],
    }
    try:
        try:
            client.update_stack(**arguments)
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            client.create_stack(**arguments)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        sys.stdout.write(f"{message}\n")
        return 0 if "No updates are to be performed" in message else 1
    while True:
        status = client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            break
        time.sleep(_LOOK_EVERY)  # noqa: TID251 -- a plain program of its own, as users' are
    sys.stdout.write(f"{stack} is {status}\n")
    return 0 if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else 1


if __name__ == "__main__":
    sys.exit(main())
