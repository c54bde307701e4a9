"""Starts MiniStack, an AWS emulator of other people's, as a world to run the program against.

Owns its environment (made once, in the user's cache folder), its process and the test accounts in
it. What it is made to do differently is in `tests.e2e.ministack_retry`. Nothing here may reach
further than 127.0.0.1, but for the installation from the package index.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from tests.e2e.installed import python_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from types_boto3_cloudformation.client import CloudFormationClient
    from types_boto3_route53.client import Route53Client
    from types_boto3_stepfunctions.client import SFNClient

VERSION = "1.5.33"
PACKAGES = (f"ministack=={VERSION}", "aws-sam-translator")
REGION = "us-east-1"
_ROOT = Path(__file__).parents[2]
_PAUSE = 0.05
_never = threading.Event()
_numbers = count(1)


def wait_until(true: Callable[[], object], what: str, seconds: float = 15) -> None:
    """Looks again and again until ``true()`` is; fails with ``what`` was awaited."""
    for _ in range(round(seconds / _PAUSE)):
        if true():
            return
        _never.wait(_PAUSE)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


class Ministack:
    """A running server. Everything in it is lost when it ends."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, name: str, log: Path) -> None:
        self.process = process
        self.port = port
        self.name = name
        self.log = log
        self.endpoint_url = f"http://127.0.0.1:{port}"

    def comes_up(self) -> bool:
        """Waits until it answers; false where it ended instead."""
        wait_until(
            lambda: self.process.poll() is not None or self._answers(),
            f"MiniStack on port {self.port}: see {self.log}",
            seconds=60,
        )
        return self.process.poll() is None

    def _answers(self) -> bool:
        """Whether this very server answers: not another process on the same port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/_ministack/health")
            return bool(json.loads(connection.getresponse().read())["edition"] == self.name)
        except (OSError, http.client.HTTPException, ValueError):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Ends it by its standard input: it waits for nothing that is still under way in it."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def account(self) -> Account:
        """A new, empty account; close it."""
        return Account(self.endpoint_url, f"{next(_numbers):012d}")


@contextmanager
def running(
    folder: Path,
    *,
    retry_delays: str = "1,2,4,8,15,30",
    propagation: float = 0.2,
    wait_scale: float = 1.0,
) -> Iterator[Ministack]:
    """A server on a free port of 127.0.0.1 whose files are all in ``folder``.

    Args:
        folder: an empty folder; the log is ``ministack.log`` in it.
        retry_delays: seconds between CloudFormation's attempts to create a record, with commas.
        propagation: seconds that CloudFormation waits for a change of a record.
        wait_scale: real seconds in one that Step Functions waits.

    Raises:
        NotInstallableError: the package cannot be had.
    """
    python = python_environment(f"ministack-{VERSION}", *PACKAGES) / "python"
    settings = {
        "RETRY_DELAYS": retry_delays,
        "PROPAGATION": str(propagation),
        "SFN_WAIT_SCALE": str(wait_scale),
    }
    log = folder / "ministack.log"
    for _ in range(5):  # another process may take the free port in between
        server = _start(python, folder, log, settings)
        try:
            if server.comes_up():
                yield server
                return
        finally:
            server.stop()
    raise AssertionError(f"MiniStack does not start:\n{log.read_text('utf-8')[-3000:]}")


def _start(python: Path, folder: Path, log: Path, settings: Mapping[str, str]) -> Ministack:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = f"{folder.name}-{os.getpid()}-{port}"
    environment = _server_environment(folder, port) | {"MINISTACK_EDITION": name, **settings}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [python, "-P", "-m", "tests.e2e.ministack_retry"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Ministack(process, port, name, log)


def _server_environment(folder: Path, port: int) -> dict[str, str]:
    """Nothing of the developer's: no AWS settings, no proxies, no Docker, no state on disk."""
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "EXIT_WITH_STDIN": "1",
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
    }


class Account:
    """One account of a server: nothing in it is seen by another. Zones, records, stacks, files."""

    def __init__(self, endpoint_url: str, number: str) -> None:
        self.endpoint_url = endpoint_url
        self.number = number
        self._session = boto3.Session(number, "test", region_name=REGION)
        self.cloudformation: CloudFormationClient = self._client("cloudformation")
        self.route53: Route53Client = self._client("route53")
        self.step_functions: SFNClient = self._client("stepfunctions")
        self._s3 = self._client("s3")
        self._s3.create_bucket(Bucket=f"templates-{number}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in (self.cloudformation, self.route53, self.step_functions, self._s3):
            client.close()

    def _client(self, service: str) -> Any:
        make: Any = self._session.client
        config = Config(proxies={}, retries={"total_max_attempts": 1})
        return make(service, endpoint_url=self.endpoint_url, config=config)

    @property
    def environment(self) -> dict[str, str]:
        """What leads a command to this account; to be added to an environment without AWS's."""
        return {
            "AWS_ACCESS_KEY_ID": self.number,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def create_zone(self, name: str) -> str:
        """A public hosted zone; returns its id without prefix."""
        answer = self.route53.create_hosted_zone(Name=name, CallerReference=name)
        return answer["HostedZone"]["Id"].rpartition("/")[2]

    def change(self, zone_id: str, action: str, record: Mapping[str, Any]) -> None:
        """Creates, deletes or upserts a record set, given in the API's shape."""
        shape: Any = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        self.route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=shape)

    def records(self, zone_id: str, name: str) -> list[dict[str, Any]]:
        """The record sets at exactly this name, as the API returns them."""
        pages = self.route53.get_paginator("list_resource_record_sets").paginate(
            HostedZoneId=zone_id
        )
        found: list[Any] = [each for page in pages for each in page["ResourceRecordSets"]]
        return [each for each in found if each["Name"] == name.rstrip(".") + "."]

    def upload_template(self, template: Mapping[str, Any], key: str = "nested.json") -> str:
        """Puts a nested stack's template where CloudFormation finds it; returns its URL."""
        return self.upload_text(json.dumps(template), key)

    def upload_text(self, text: str, key: str) -> str:
        """Puts a template, as it is written, there; returns its URL."""
        bucket = f"templates-{self.number}"
        self._s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
        return f"https://s3.amazonaws.com/{bucket}/{key}"

    def create_stack(self, name: str, template: Mapping[str, Any], **parameters: str) -> str:
        """Begins to create a stack; returns its id."""
        return self.cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=_parameters(parameters),
        )["StackId"]

    def update_stack(self, name: str, template: Mapping[str, Any], **parameters: str) -> None:
        """Begins to update a stack."""
        self.cloudformation.update_stack(
            StackName=name,
            TemplateBody=json.dumps(template),
            Parameters=_parameters(parameters),
        )

    def status(self, stack: str) -> str:
        return self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]

    def change_sets(self, stack: str) -> list[str]:
        """The names of a stack's change sets that were not executed."""
        listed = self.cloudformation.list_change_sets(StackName=stack)["Summaries"]
        return [c["ChangeSetName"] for c in listed if c["ExecutionStatus"] == "AVAILABLE"]

    def wait_for_status(self, stack: str, status: str, seconds: float = 15) -> None:
        with suppress(AssertionError):
            wait_until(lambda: self.status(stack) == status, status, seconds)
        found = self.status(stack)
        assert found == status, f"{found} is not {status}; events: {self.events(stack)}"

    def events(self, stack: str) -> list[dict[str, Any]]:
        """All events of one stack, oldest first."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        events: list[Any] = [event for page in pages for event in page["StackEvents"]]
        return events[::-1]

    def reported(self, stack: str, logical_id: str) -> list[str]:
        """The statuses that the events tell of one resource, or of the stack by its name."""
        return [
            event["ResourceStatus"]
            for event in self.events(stack)
            if event["LogicalResourceId"] == logical_id
        ]


def _parameters(parameters: Mapping[str, str]) -> list[Any]:
    return [{"ParameterKey": key, "ParameterValue": text} for key, text in parameters.items()]


def alias(zone_id: str, name: str, target: Any, **extra: Any) -> dict[str, Any]:
    """A template's resource: an alias A to a CloudFront distribution, only where switched on."""
    target_properties = {
        "HostedZoneId": "Z2FDTNDATAQYW2",
        "DNSName": target,
        "EvaluateTargetHealth": False,
    }
    return {
        "Type": "AWS::Route53::RecordSet",
        "Condition": "WithRecord",
        "Properties": {
            "HostedZoneId": zone_id,
            "Name": name,
            "Type": "A",
            "AliasTarget": target_properties,
        },
        **extra,
    }


def wait(
    *after: str, seconds: float = 0, failure: str = "", delete_seconds: float = 0
) -> dict[str, Any]:
    """A template's resource that only takes time, and then may fail; only where switched on.

    Args:
        after: logical ids of the resources that are made before it.
        seconds: how long it is being created.
        failure: the reason with which it fails after that; empty where it does not.
        delete_seconds: how long it is being deleted, which holds up a rollback: what was made
            before it is deleted after it.
    """
    return {
        "Type": "Custom::Wait",
        "Condition": "WithRecord",
        "DependsOn": list(after),
        "Properties": {"Seconds": seconds, "DeleteSeconds": delete_seconds}
        | ({"Failure": failure} if failure else {}),
    }


def nested(url: str, **extra: Any) -> dict[str, Any]:
    """A template's resource: a nested stack that is given the switch."""
    parameters = {"Route53Enable": {"Ref": "Route53Enable"}}
    properties = {"TemplateURL": url, "Parameters": parameters}
    return {"Type": "AWS::CloudFormation::Stack", "Properties": properties, **extra}


def template(**resources: Any) -> dict[str, Any]:
    """A template with the switch ``Route53Enable`` and a resource that is always there."""
    return {
        "Parameters": {"Route53Enable": {"Type": "String", "Default": "true"}},
        "Conditions": {"WithRecord": {"Fn::Equals": [{"Ref": "Route53Enable"}, "true"]}},
        "Resources": {"Always": {"Type": "AWS::SNS::Topic"}, **resources},
    }


def deploy_command(folder: Path, stack: str, contents: Mapping[str, Any]) -> str:
    """A command line for ``--deploy``: creates or updates ``stack`` as ``ROUTE53_ENABLE`` says.

    It finds the account by its environment alone; see `tests.e2e.ministack_deploy`.
    """
    file = folder / f"{stack}.json"
    file.write_text(json.dumps(contents), "utf-8")
    script = Path(__file__).with_name("ministack_deploy.py")
    return shlex.join([sys.executable, "-I", "-S", str(script), stack, str(file)])
