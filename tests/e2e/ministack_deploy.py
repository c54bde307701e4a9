"""A deploy command for the tests: creates or updates one stack and waits for its end.

    python ministack_deploy.py STACK TEMPLATE_FILE

``ROUTE53_ENABLE`` becomes the template's parameter ``Route53Enable``. Where AWS is comes from the
environment alone, as it does for anybody's deploy command, and anything but loopback is refused.
Exit status: 0 deployed, or no updates to perform; 1 the stack rolled back or was refused; 3 the
environment does not lead to a test account.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError, WaiterError


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def deploy(stack: str, template: str, switch: str) -> int:
    """Returns the exit status."""
    client: Any = boto3.client("cloudformation")
    try:
        client.describe_stacks(StackName=stack)
        operation = "update"
    except ClientError:
        operation = "create"
    say(f"{operation} {stack} with ROUTE53_ENABLE={switch}")
    try:
        stack_id = getattr(client, f"{operation}_stack")(
            StackName=stack,
            TemplateBody=template,
            Parameters=[{"ParameterKey": "Route53Enable", "ParameterValue": switch}],
            Capabilities=["CAPABILITY_IAM"],
        )["StackId"]
        waiter = client.get_waiter(f"stack_{operation}_complete")
        waiter.wait(StackName=stack_id, WaiterConfig={"Delay": 0.2, "MaxAttempts": 3000})
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            say("no updates are to be performed")
            return 0
        say(f"refused: {error}")
        return 1
    except WaiterError as error:
        say(f"failed: {error}")
        return 1
    finally:
        client.close()
    say(f"{operation} complete")
    return 0


def main() -> int:
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if urlsplit(endpoint).hostname != "127.0.0.1":
        say(f"AWS_ENDPOINT_URL is {endpoint!r}: this command is for test accounts only")
        return 3
    stack, template = sys.argv[1:]
    return deploy(stack, Path(template).read_text("utf-8"), os.environ["ROUTE53_ENABLE"])


if __name__ == "__main__":
    sys.exit(main())
