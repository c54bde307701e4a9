"""Takeovers with the clients that people deploy with, by the command lines of the how-to guide.

Each test reads the lines, the template and the scripts in `docs/how-to/take-over-a-record.md`,
shows the comparison with ``plan --template``, and runs with ``--preview`` and ``--deploy``. What
is missing on this machine is skipped. Not seen here: AWS itself, and a bootstrapped CDK account.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e import clients
from tests.e2e.installed import NotInstallableError
from tests.e2e.ministack import REGION
from tests.e2e.processes import NO_SERVER
from tests.e2e.test_run_on_ministack import by_hand

if TYPE_CHECKING:
    from tests.e2e.ministack import Account
    from tests.e2e.processes import Takeover

PAGE = (Path(__file__).parents[2] / "docs/how-to/take-over-a-record.md").read_text("utf-8")
WWW = "www.example.com."
QUICK = ("--no-drain", "--hold", "0.6", "--settle", "0.4", "--auto", "--output", "json")
GAP = "{RetryDelays: '60', Gap: '0.5'}"

pytestmark = pytest.mark.timeout(400)  # a client's first start on a machine takes a minute


def line(option: str, program: str) -> str:
    """The only command line that the guide gives for an option and a program."""
    (found,) = set(re.findall(rf"--{option} '({re.escape(program)} [^']*)'", PAGE))
    return str(found)


def block(language: str, word: str) -> str:
    """The only piece of code in the guide that has this word."""
    pieces = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = (piece for piece in pieces if word in piece)
    return str(found)


class Shop:
    """A zone with a record made by hand, and the folder from which its new stack is deployed."""

    def __init__(self, account: Account, takeover: Takeover) -> None:
        self.account = account
        self.takeover = takeover
        self.folder = takeover.folder
        self.zone = account.create_zone("example.com")
        account.change(self.zone, "CREATE", by_hand())
        self.commands = self.folder / "commands"
        self.commands.mkdir()
        path = f"{self.commands}{os.pathsep}{os.environ['PATH']}"
        takeover.environment |= account.environment | clients.SILENT
        takeover.environment |= {"AWS_ENDPOINT_URL": NO_SERVER, "PATH": path}
        self.write("site.yml", self.template)

    @property
    def template(self) -> str:
        """The guide's template, with this zone, a known target, and a gap of a known length."""
        text = block("yaml", "AWS::Route53::RecordSet").replace("Z0123456789EXAMPLE", self.zone)
        text = text.replace("!GetAtt Distribution.DomainName", "new.cloudfront.net")
        text = text.replace("    DeletionPolicy", f"    Metadata: {GAP}\n    DeletionPolicy")
        return text.replace("Resources:\n", "Resources:\n  Always: {Type: AWS::SNS::Topic}\n")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def call(self, command: str) -> None:
        """Runs a command line against the account, as a user would before the program."""
        environment = self.takeover.environment | self.account.environment
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def where(self, stack: str) -> tuple[str, ...]:
        return ("--stack", stack, "--endpoint-url", self.account.endpoint_url, "--region", REGION)

    def assert_planned(self, *pending: str, stack: str = "shop") -> None:
        """The plan shows the old alias and the new one, and that nothing owns the old one."""
        options = (*pending, "--no-deploy", "--output", "json")
        planned = self.takeover.run("plan", *self.where(stack), *options)
        assert planned.lines, planned.stderr
        self.assert_compared(next(e for e in planned.lines if e["event"] == "plan"))

    @staticmethod
    def assert_compared(plan: dict[str, Any]) -> None:
        (record,) = plan["records"]
        assert (record["name"], record["type"], record["owner"]) == ("www.example.com", "A", None)
        assert record["now"]["AliasTarget"]["DNSName"] == "old.cloudfront.net."
        assert record["desired"]["AliasTarget"]["DNSName"] == "new.cloudfront.net"
        assert record["desired"]["AliasTarget"]["HostedZoneId"] == "Z2FDTNDATAQYW2"

    def assert_taken_over(self, preview: str, deploy: str, stack: str = "shop") -> None:
        """One run, with the client's own change sets from preview to the end."""
        how = ("--preview", preview, "--deploy", deploy)
        done = self.takeover.run("run", *self.where(stack), *how, *QUICK, seconds=300)
        assert done.code == 0, done.stderr
        (record,) = done.result["records"]
        assert (record["name"], record["outcome"]) == ("www.example.com", "created")
        assert 0.4 < record["gap_seconds"] < 10  # the machine may be busy
        assert done.result["api_calls"]["cloudformation:DeleteChangeSet"] == 1
        (standing,) = self.account.records(self.zone, WWW)
        assert standing["AliasTarget"]["DNSName"] == "new.cloudfront.net."
        assert self.account.status(stack) == "UPDATE_COMPLETE"


@pytest.fixture
def shop(account: Account, takeover: Takeover) -> Shop:
    return Shop(account, takeover)


def test_the_aws_cli_previews_and_deploys_a_takeover(shop: Shop) -> None:
    try:
        clients.aws_cli(shop.commands)
    except NotInstallableError as error:
        pytest.skip(f"no AWS CLI: {error}")
    program = "aws cloudformation deploy"
    shop.assert_taken_over(line("preview", program), line("deploy", program))


def test_a_change_set_of_the_aws_cli_with_nested_stacks_shows_their_record(shop: Shop) -> None:
    try:
        clients.aws_cli(shop.commands)
    except NotInstallableError as error:
        pytest.skip(f"no AWS CLI: {error}")
    url = shop.account.upload_text(shop.template, "dns.yml")
    properties = f"{{TemplateURL: '{url}', Parameters: {{Route53Enable: !Ref Route53Enable}}}}"
    shop.write(
        "site.yml",
        "Parameters:\n  Route53Enable: {Type: String}\n"
        "Resources:\n  Always: {Type: AWS::SNS::Topic}\n"
        f"  Dns: {{Type: AWS::CloudFormation::Stack, Properties: {properties}}}\n",
    )
    preview = line("preview", "aws cloudformation create-change-set")
    stack = "--stack-name shop --template-file site.yml"
    shop.call(f"aws cloudformation deploy {stack} --parameter-overrides Route53Enable=false")
    shop.assert_planned("--preview", preview)
    assert shop.account.change_sets("shop") == []
    without = line("preview", "aws cloudformation deploy")
    told = shop.takeover.run("plan", *shop.where("shop"), "--preview", without, "--no-deploy")
    assert told.code == 3
    assert "the change set does not include nested stacks" in told.stdout


def test_the_sam_cli_previews_and_deploys_a_takeover(shop: Shop) -> None:
    try:
        clients.sam_cli(shop.commands)
    except NotInstallableError as error:
        pytest.skip(f"no SAM CLI: {error}")
    shop.write("template.yaml", f"Transform: AWS::Serverless-2016-10-31\n{shop.template}")
    settings = 'stack_name = "shop"\nconfirm_changeset = true\n'
    shop.write("samconfig.toml", f"version = 0.1\n[default.deploy.parameters]\n{settings}")
    shop.assert_planned("--template", "template.yaml", "--parameter", "Route53Enable=true")
    shop.assert_taken_over(line("preview", "sam deploy"), line("deploy", "sam deploy"))


def test_the_cdk_previews_and_deploys_a_takeover(shop: Shop) -> None:
    try:
        clients.cdk(shop.commands, shop.folder)
    except NotInstallableError as error:
        pytest.skip(f"no CDK: {error}")
    shop.write("app.js", _CDK_APP.format(zone=shop.zone, record=block("ts", "route53.ARecord")))
    shop.write("cdk.json", json.dumps({"app": "node app.js", "notices": False}))
    synth, template = re.findall(r"after `([^`]+ npx [^`]+)`: `--template ([^`]+)`", PAGE)[0]
    shop.call(synth)
    shop.assert_planned("--template", template, stack="Shop")
    program = "npx cdk deploy Shop"
    shop.assert_taken_over(line("preview", program), line("deploy", program), stack="Shop")


def test_a_boto3_script_previews_and_deploys_a_takeover(shop: Shop) -> None:
    python = shop.commands / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', "utf-8")
    python.chmod(0o700)
    script = block("python", "boto3")
    assert '{"Delay": 5}' in script
    shop.write("deploy.py", script.replace('{"Delay": 5}', '{"Delay": 1}'))
    shop.assert_planned("--template", "site.yml", "--parameter", "Route53Enable=true")
    previews, deploys = (f"python deploy.py{more}" for more in (" --preview", ""))
    assert f"--preview '{previews}'" in PAGE
    assert f"--deploy '{deploys}'" in PAGE
    shop.assert_taken_over(previews, deploys)


_CDK_APP = """\
const {{
  App, Stack, BootstraplessSynthesizer, RemovalPolicy,
  aws_cloudfront: cloudfront, aws_route53: route53, aws_route53_targets: targets, aws_sns: sns,
}} = require('aws-cdk-lib');

class Shop extends Stack {{
  constructor(scope, id, props) {{
    super(scope, id, props);
    new sns.Topic(this, 'Always');
    const attributes = {{ hostedZoneId: '{zone}', zoneName: 'example.com' }};
    const zone = route53.HostedZone.fromHostedZoneAttributes(this, 'Zone', attributes);
    const distribution = cloudfront.Distribution.fromDistributionAttributes(this, 'Site', {{
      distributionId: 'E1', domainName: 'new.cloudfront.net',
    }});
    {record}
    const record = this.node.tryFindChild('DnsRecord')?.node.defaultChild;
    record?.addMetadata('RetryDelays', '60');
    record?.addMetadata('Gap', '0.5');
  }}
}}

new Shop(new App(), 'Shop', {{ synthesizer: new BootstraplessSynthesizer() }});
"""
