"""A deploy command that starts quickly: CloudFormation's query protocol, spoken by hand.

Run as ``python -I -S quick_deploy.py STACK TEMPLATE``, with the switch in ``ROUTE53_ENABLE`` and
the account in ``AWS_ENDPOINT_URL``. It waits for the end of what it began, as most do; a call that
fails is made again.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen


def ask(action: str, **parameters: str) -> str:
    """One call; its answer or its error, as XML."""
    words = {"Action": action, "Version": "2010-05-15", **parameters}
    request = Request(os.environ["AWS_ENDPOINT_URL"], urlencode(words).encode())  # noqa: S310
    try:
        with urlopen(request, timeout=20) as answer:  # noqa: S310 -- of a test's own server
            return str(answer.read().decode())
    except HTTPError as error:
        return str(error.read().decode())
    except (URLError, OSError):
        return ""


def main() -> int:
    """Deploys; 0 where the stack is complete."""
    stack, template = sys.argv[1], Path(sys.argv[2]).read_text(encoding="utf-8")
    switch = os.environ["ROUTE53_ENABLE"]
    sys.stdout.write(f"deploying {stack} with {switch}\n")
    sys.stdout.flush()
    wanted = {
        "StackName": stack,
        "TemplateBody": template,
        "Parameters.member.1.ParameterKey": "Route53Enable",
        "Parameters.member.1.ParameterValue": switch,
    }
    answer = ask("UpdateStack", **wanted)
    if "does not exist" in answer:
        answer = ask("CreateStack", **wanted)
    if "No updates are to be performed" in answer:
        return 0
    status = ""
    while not status or status.endswith("_IN_PROGRESS"):
        time.sleep(0.1)  # noqa: TID251 -- a plain program of its own, as users' are
        found = re.search(r"<StackStatus>(\w+)<", ask("DescribeStacks", StackName=stack))
        status = found[1] if found else status
    sys.stdout.write(f"{stack} is {status}\n")
    return 0 if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE") else 1


if __name__ == "__main__":
    sys.exit(main())
