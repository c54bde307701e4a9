"""A deploy command for the tests: creates or updates one stack and waits for its end.

    python -I -S ministack_deploy.py STACK TEMPLATE_FILE

``ROUTE53_ENABLE`` becomes the template's parameter ``Route53Enable``. Where AWS is comes from the
environment alone, as it does for anybody's deploy command, and anything but loopback is refused.
It speaks CloudFormation's query protocol by hand: an SDK takes longer to load than to deploy.
Exit status: 0 deployed, or no updates to perform; 1 the stack rolled back or was refused; 3 the
environment does not lead to a test account.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def ask(action: str, **parameters: str) -> str:
    """One call; its answer or its error, as XML. The key names the account; it is not verified."""
    key, region = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_REGION"]
    scope = f"{key}/20260101/{region}/cloudformation/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    words = urlencode({"Action": action, "Version": "2010-05-15", **parameters})
    request = Request(  # noqa: S310 -- of a test's own server
        os.environ["AWS_ENDPOINT_URL"], words.encode(), {"Authorization": signed}
    )
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310 -- the same
            return str(answer.read().decode())
    except HTTPError as error:
        return str(error.read().decode())


def found(tag: str, answer: str) -> str:
    """What stands in the first element of this name."""
    text = re.search(rf"<{tag}>([^<]*)</{tag}>", answer)
    return text[1] if text else ""


def deploy(stack: str, template: str, switch: str) -> int:
    """Returns the exit status."""
    is_there = found("StackStatus", ask("DescribeStacks", StackName=stack))
    operation = "update" if is_there else "create"
    say(f"{operation} {stack} with ROUTE53_ENABLE={switch}")
    answer = ask(
        f"{operation.title()}Stack",
        **{
            "StackName": stack,
            "TemplateBody": template,
            "Parameters.member.1.ParameterKey": "Route53Enable",
            "Parameters.member.1.ParameterValue": switch,
            "Capabilities.member.1": "CAPABILITY_IAM",
        },
    )
    if "No updates are to be performed" in answer:
        say("no updates are to be performed")
        return 0
    stack_id = found("StackId", answer)
    if not stack_id:
        say(f"refused: {answer}")
        return 1
    status = "IN_PROGRESS"
    while status.endswith("IN_PROGRESS"):
        time.sleep(0.2)  # noqa: TID251 -- a plain program of its own, as users' are
        status = found("StackStatus", ask("DescribeStacks", StackName=stack_id))
    if status != f"{operation.upper()}_COMPLETE":
        say(f"failed: {status}")
        return 1
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
