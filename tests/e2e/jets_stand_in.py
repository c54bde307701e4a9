"""A stand-in for the `jets` command of Ruby on Jets 4, 5 and 6: what it asks, prints and deploys.

Run as ``jets deploy [--yes]`` in the app's folder. What it does follows the code of those versions:

- Jets 6 asks first unless ``--yes`` is given, and exits 0 where the answer is not yes. It then
  updates the parent stack with what CodeBuild needs, and a build deploys the app some time later,
  with only those variables of this machine that ``env.default_pass`` and ``env.pass`` name.
- Jets 4 and 5 deploy from this machine. They ask where routes have changed, unless
  ``JETS_API_AUTO_REPLACE`` is set, and exit 1 without a yes. A new stack is created with a bucket
  alone first. The record is in the template only where its custom domain does not exist, or where
  the stack has the record already.
- All print the events of the parent stack only.

It reads the app by its own few rules and shares no code with what is tested. ``STAND_IN_BUILD``:
seconds that a build takes. Files in the app's folder: ``custom-domains`` (those of the account),
``routes-changed``, and ``asks-always`` for a version that does not know ``--yes``.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

DEFAULT_PASS = ("JETS_API", "JETS_ENV", "JETS_EXTRA", "JETS_PROJECT")
SHORT = {"development": "dev", "production": "prod", "staging": "stag"}


def ask(action: str, **parameters: str) -> str:
    """One call of CloudFormation; its answer or its error, as XML."""
    words = {"Action": action, "Version": "2010-05-15", **parameters}
    request = Request(os.environ["AWS_ENDPOINT_URL"], urlencode(words).encode())  # noqa: S310
    try:
        with urlopen(request, timeout=20) as answer:  # noqa: S310 -- of a test's own server
            return str(answer.read().decode())
    except HTTPError as error:
        return str(error.read().decode())


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def text_of(path: str) -> str:
    file = Path(path)
    return file.read_text("utf-8") if file.is_file() else ""


def setting(key: str, paths: list[str], environment: dict[str, str]) -> str | bool | None:
    """The last value of ``config.KEY``: a literal, or a comparison with a variable."""
    value: str | bool | None = None
    line = re.compile(rf"^ *config\.{re.escape(key)} = (.+)$", re.MULTILINE)
    for path in paths:
        for found in line.finditer(text_of(path)):
            value = evaluated(found[1], environment)
    return value


def evaluated(ruby: str, environment: dict[str, str]) -> str | bool | None:
    ruby, _, condition = ruby.partition(" if ")
    if condition and not evaluated(condition, environment):
        return None
    if compared := re.fullmatch(r'ENV\["(\w+)"\] == "(\w*)"', ruby):
        return environment.get(compared[1]) == compared[2]
    if ruby in ("true", "false"):
        return ruby == "true"
    return ruby.strip("\"'")


# -- the parent stack


class Parent:
    """The parent stack, which is created or updated, and whose events are printed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._printed: set[str] = set()

    @property
    def status(self) -> str:
        found = re.search(r"<StackStatus>(\w+)<", ask("DescribeStacks", StackName=self.name))
        return found[1] if found else ""

    def resources(self, stack: str) -> dict[str, tuple[str, str]]:
        """Logical id -> status and physical id."""
        members = re.findall(
            r"<member>.*?</member>", ask("ListStackResources", StackName=stack), re.DOTALL
        )
        return {
            re.findall(r"<LogicalResourceId>(.*?)<", each)[0]: (
                re.findall(r"<ResourceStatus>(.*?)<", each)[0],
                "".join(re.findall(r"<PhysicalResourceId>(.*?)<", each)),
            )
            for each in members
        }

    def deploy(self, template: dict[str, Any]) -> bool:
        """Creates or updates it, and waits for the end; whether that is a success."""
        wanted = {"StackName": self.name, "TemplateBody": json.dumps(template)}
        exists = self.status not in ("", "REVIEW_IN_PROGRESS")
        if exists:
            self._events(print_them=False)
        answer = ask("UpdateStack" if exists else "CreateStack", **wanted)
        if "No updates are to be performed" in answer:
            say("The stack is as the template says.")
            return True
        if "<Error>" in answer:
            say(answer)
            return False
        say("Waiting for the stack")
        status = ""
        while not status or status.endswith("_IN_PROGRESS"):
            time.sleep(0.2)  # noqa: TID251 -- a plain program of its own
            self._events(print_them=True)
            status = self.status or status
        self._events(print_them=True)
        say(f"Stack status: {status}")
        return status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

    def _events(self, *, print_them: bool) -> None:
        answer = ask("DescribeStackEvents", StackName=self.name)
        for member in reversed(re.findall(r"<member>.*?</member>", answer, re.DOTALL)):
            part = dict(re.findall(r"<(\w+)>([^<]*)</", member))
            if part.get("EventId") in self._printed:
                continue
            self._printed.add(part.get("EventId", ""))
            if print_them:
                words = (part.get(k, "") for k in _PRINTED)
                say(f"{part.get('Timestamp', '')[11:19]} {' '.join(words)}")


_PRINTED = ("ResourceStatus", "ResourceType", "LogicalResourceId", "ResourceStatusReason")
BUCKET = {"Type": "AWS::S3::Bucket"}


def nested(child: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": "https://example.com/jets/cfn/child.yml"},
        "Metadata": {"Simulation": {"Template": child}},
    }


# -- Jets 6


def deploy_6(name: str, words: list[str]) -> int:
    if "--yes" not in words or Path("asks-always").exists():
        sys.stdout.write(f"About to deploy {name}. Sure? (y/N) ")
        sys.stdout.flush()
        if not sys.stdin.readline().startswith("y"):
            say("Nothing is done.")
            return 0
    env = os.environ.get("JETS_ENV", "dev")
    parent = Parent(name)
    if parent.status.endswith("_IN_PROGRESS"):
        say(f"{name} is {parent.status}: wait for its end")
        return 1
    bootstrap = ["config/jets/bootstrap.rb", f"config/jets/bootstrap/{env}.rb"]
    existing = json.loads(text_of(".parent-template.json") or "{}").get("Resources", {})
    minutes = setting("codebuild.project.timeout_in_minutes", bootstrap, {}) or 60
    genesis = {"S3Bucket": BUCKET, "Codebuild": codebuild(minutes, os.environ["ROUTE53_ENABLE"])}
    if not parent.deploy({"Resources": {**existing, **genesis}}):
        say("The bootstrap failed")
        return 1
    say("Started the build")
    time.sleep(float(os.environ.get("STAND_IN_BUILD", "1")))  # noqa: TID251 -- see above
    passed = str(setting("codebuild.project.env.pass", bootstrap, {}) or "")
    there = {
        key: value
        for key, value in os.environ.items()
        if key in DEFAULT_PASS or f'"{key}"' in passed
    }
    template = {"Resources": {**genesis, "JetsUrl": nested(front(env, there))}}
    Path(".parent-template.json").write_text(json.dumps(template), "utf-8")
    succeeded = parent.deploy(template)
    say(f"Phase: BUILD Status: {'SUCCEEDED' if succeeded else 'FAILED'}")
    return 0 if succeeded else 1


def codebuild(minutes: object, deploy: str) -> dict[str, Any]:
    """The project, which differs by deploy here so that there is something to update."""
    comment = {"Description": f"{minutes} minutes, {deploy}"}
    return {"Type": "AWS::CodeBuild::Project", "Properties": comment}


def front(env: str, there: dict[str, str]) -> dict[str, Any]:
    """The child stack of the function's URL: a distribution, and a record if it is enabled."""
    paths = ["config/jets/deploy.rb", f"config/jets/deploy/{env}.rb"]
    resources: dict[str, Any] = {
        "Distribution": {
            "Type": "AWS::CloudFront::Distribution",
            "Metadata": {"Simulation": {"Seconds": 4}},
        }
    }
    if setting("lambda.url.cloudfront.route53.enable", paths, there) is True:
        resources["Route53RecordSet"] = {
            "Type": "AWS::Route53::RecordSet",
            "DependsOn": "Distribution",
            "Properties": {
                "HostedZoneName": "example.com.",
                "Name": "www.example.com",
                "Type": "A",
                "AliasTarget": {
                    "HostedZoneId": "Z2FDTNDATAQYW2",
                    "DNSName": "d1new.cloudfront.net",
                },
            },
        }
    return {"Resources": resources}


# -- Jets 4 and 5


def deploy_5(name: str) -> int:
    parent = Parent(name)
    say(f"Deploying {name}")
    if re.match(r"ROLLBACK_|.*_IN_PROGRESS$", parent.status):
        say(f"{name} is {parent.status} and cannot be updated")
        return 1
    if not parent.status and not parent.deploy({"Resources": {"S3Bucket": BUCKET}}):
        return 1
    if Path("routes-changed").exists() and "JETS_API_AUTO_REPLACE" not in os.environ:
        sys.stdout.write("The routes have changed. Continue? (y/N) ")
        sys.stdout.flush()
        if not sys.stdin.readline().startswith("y"):
            return 1
    template = {"Resources": {"S3Bucket": BUCKET, "ApiGateway": nested(gateway(parent))}}
    return 0 if parent.deploy(template) else 1


def gateway(parent: Parent) -> dict[str, Any]:
    """The child stack of the API: with the custom domain, and the record where that is new."""
    env = os.environ.get("JETS_ENV", "development")
    paths = ["config/application.rb", f"config/environments/{env}.rb"]
    code = {"Description": f"code of {time.time()}"}  # noqa: TID251 -- each deploy packs anew
    resources: dict[str, Any] = {
        "RestApi": {"Type": "AWS::ApiGateway::RestApi"},
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "Properties": code,
            "Metadata": {"Simulation": {"Seconds": 12}},
        },
    }
    here = dict(os.environ)
    zone = setting("domain.hosted_zone_name", paths, here)
    if not zone:
        return {"Resources": resources}
    domain = str(setting("domain.name", paths, here))
    child = parent.resources(parent.name).get("ApiGateway", ("", ""))[1] if parent.status else ""
    on_stack = parent.resources(child) if child else {}
    exists = "DomainName" in on_stack or domain in text_of("custom-domains").split()
    if not exists or "DomainName" in on_stack:
        resources["DomainName"] = {
            "Type": "AWS::ApiGateway::DomainName",
            "Properties": {"DomainName": domain},
            "Metadata": {"Simulation": {"Seconds": 2}},
        }
    enabled = setting("domain.route53", paths, here) is not False
    if enabled and (not exists or "DnsRecord" in on_stack):
        to = "d-new.execute-api.us-east-1.amazonaws.com"
        kind: dict[str, Any] = {"Type": "CNAME", "TTL": "60", "ResourceRecords": [to]}
        if setting("domain.apex", paths, here):
            kind = {"Type": "A", "AliasTarget": {"HostedZoneId": "Z1UJRXOUMOOFQ8", "DNSName": to}}
        resources["DnsRecord"] = {
            "Type": "AWS::Route53::RecordSet",
            "DependsOn": "DomainName",
            "Properties": {"HostedZoneName": f"{zone}.", "Name": domain, **kind},
        }
    return {"Resources": resources}


def main() -> int:
    """Deploys the app of the working directory."""
    words = sys.argv[1:]
    found = re.search(r"^ {4}jets \((\d+)", text_of("Gemfile.lock"), re.MULTILINE)
    major = int(found[1]) if found else 6
    say(f"jets {' '.join(words)} ({major}) with ROUTE53_ENABLE={os.environ['ROUTE53_ENABLE']}")
    if words[:1] != ["deploy"]:
        return 1
    if major >= 6:
        project = os.environ.get("JETS_PROJECT") or setting("name", ["config/jets/project.rb"], {})
        parts = (project, os.environ.get("JETS_ENV", "dev"), os.environ.get("JETS_EXTRA"))
    else:
        env = os.environ.get("JETS_ENV", "development")
        project = setting("project_name", ["config/application.rb"], {})
        extra = "JETS_EXTRA" if major == 5 else "JETS_ENV_EXTRA"
        parts = (project, SHORT.get(env, env), os.environ.get(extra))
    name = "-".join(str(part) for part in parts if part).replace("_", "-")
    return deploy_6(name, words) if major >= 6 else deploy_5(name)


if __name__ == "__main__":
    sys.exit(main())
