"""Plumbing of the wire tests: simulated accounts in a process of their own, and a takeover in one.

An account's time stands still unless a test lets some pass, so that a kill, a stop or a lost answer
hits the run exactly where the test wants it, however slow the machine is. What is true is asked of
the account itself: its records by an AWS client, its history from the process that serves it.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic  # noqa: TID251 -- how long a test waits is real
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import boto3
from tests.e2e.processes import bare_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.processes import Call, Finished, Relay, Running, Takeover

SCRIPT = Path(__file__).parents[2] / "scripts" / "simulated_account.py"
QUICK_DEPLOY = Path(__file__).with_name("quick_deploy.py")
WWW = "www.example.com."
JSON = ("--output", "json")
QUICK = ("--no-drain", "--hold", "0.4", "--settle", "0.4", "--no-probe")
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "test"}
NEW = "d1new.cloudfront.net."
TO_THE_RECORD = 6.0
"""Seconds from the beginning of the deploy with the switch on until its record is being retried."""
Records = list[dict[str, Any]]


def await_true(is_so: Callable[[], object], what: str, seconds: float = 40) -> None:
    """Waits until it is so."""
    end, pause = monotonic() + seconds, Event()
    while not is_so():
        assert monotonic() < end, f"in vain waited for {what}"
        pause.wait(0.02)


class Account:
    """One account, as its line told of it."""

    def __init__(self, control_url: str, reported: dict[str, Any]) -> None:
        self.reported = reported
        self.port = urlsplit(reported["endpoint_url"]).port or 0
        self._control_url = f"{control_url}/accounts/{reported['number']}"
        self._route53 = boto3.client(
            "route53",
            endpoint_url=reported["endpoint_url"],
            region_name="us-east-1",
            aws_access_key_id="AKIDTEST",
            aws_secret_access_key="test",  # noqa: S106 -- of a simulated account
        )

    @property
    def records(self) -> Records:
        """The record sets at the name, as Route 53's API tells them."""
        listed = self._route53.list_resource_record_sets(HostedZoneId=self.reported["zone_id"])
        return [
            {name: part for name, part in record.items() if part != []}
            for record in listed["ResourceRecordSets"]
            if record["Name"] == WWW
        ]

    @property
    def status(self) -> str | None:
        """The stack's."""
        status: str | None = self._ask("GET")["stack"]
        return status

    @property
    def history(self) -> list[dict[str, Any]]:
        """Every batch that was applied, and by whom."""
        history: list[dict[str, Any]] = self._ask("GET")["history"]
        return history

    def actions(self, by: str = "client") -> list[list[str]]:
        """What was done in each batch of one writer; ``client`` is any user of the API."""
        return [
            [action for action, _ in batch["changes"]]
            for batch in self.history
            if batch["by"] == by
        ]

    def delete(self, records: Records) -> None:
        """Deletes them, as anybody might."""
        changes: Any = [{"Action": "DELETE", "ResourceRecordSet": record} for record in records]
        self._route53.change_resource_record_sets(
            HostedZoneId=self.reported["zone_id"],
            ChangeBatch={"Comment": "by hand", "Changes": changes},
        )

    def pass_time(self, seconds: float) -> None:
        """Lets so many of the account's seconds pass at once."""
        self._ask("POST", skip=seconds)

    def _ask(self, method: str, **words: float) -> dict[str, Any]:
        return ask(method, self._control_url, words)


def ask(method: str, url: str, words: dict[str, Any]) -> dict[str, Any]:
    """Asks the process that serves the accounts."""
    request = Request(f"{url}?{urlencode(words)}", method=method)  # noqa: S310
    with urlopen(request, timeout=60) as answer:  # noqa: S310 -- of a test's own server
        reported: dict[str, Any] = json.load(answer)
        return reported


@contextmanager
def serving(folder: Path) -> Iterator[Callable[..., Account]]:
    """A process that serves accounts, and opens another one whenever it is asked to."""
    with subprocess.Popen(
        [sys.executable, SCRIPT, "--folder", folder],
        env=bare_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["control_url"]
            yield lambda **words: Account(
                url, ask("POST", f"{url}/accounts", {"speed": 0, **words})
            )
        finally:
            process.terminate()


def of(purpose: str, fate: str) -> Callable[[Call], str]:
    """A rule: this befalls the batches of one purpose."""
    return lambda call: fate if call.purpose == purpose else ""


def to(operation: str, fate: str) -> Callable[[Call], str]:
    """A rule: this befalls the command's own calls of one operation."""
    return lambda call: fate if call.is_ours and call.operation == operation else ""


class Scene:
    """A takeover of the account's record, by way of a relay."""

    def __init__(self, account: Account, takeover: Takeover, relay: Relay) -> None:
        self.account = account
        self.takeover = takeover
        self.relay = relay
        self.original = account.records
        takeover.environment |= KEYS
        del takeover.environment["AWS_ENDPOINT_URL"]

    @property
    def arguments(self) -> tuple[str, ...]:
        reported = self.account.reported
        words = [sys.executable, "-I", "-S", QUICK_DEPLOY, reported["stack"], reported["template"]]
        what = ("--stack", reported["stack"], "--record", reported["record"])
        deploy = ("--deploy", shlex.join(map(str, words)))
        return (*what, *deploy, "--endpoint-url", self.relay.endpoint_url, "--region", "us-east-1")

    @property
    def run(self) -> str:
        return self.takeover.run_folder.name

    @property
    def here(self) -> Records:
        """What stands at the name."""
        return self.account.records

    @property
    def is_taken(self) -> bool:
        """Whether the stack's record stands."""
        return [r.get("AliasTarget", {}).get("DNSName") for r in self.here] == [NEW]

    def start(self, *more: str, through: tuple[str, ...] = ()) -> Running:
        words = (*self.arguments, *QUICK, "--auto", *JSON, *more)
        return self.takeover.start("run", *words, through=through)

    def resume(self, rule: Callable[[Call], str] = lambda _: "") -> Running:
        """Goes on with the run; the rule says what befalls its calls."""
        self.relay.befall(rule)
        return self.takeover.start("resume", self.run, "--auto", *JSON)

    def restore(self, *more: str) -> Finished:
        self.relay.befall(lambda _: "")
        return self.takeover.run("restore", self.run, *JSON, *more)

    def await_deploy(self, switch: str, file: str, says: str) -> None:
        """Waits until one of the deploy's files says so."""
        path = self.takeover.run_folder / f"deploy-{switch}.{file}"
        await_true(lambda: path.exists() and says in path.read_text("utf-8"), f"{says!r} in {path}")

    def go_to_the_record(self, running: Running) -> None:
        """Lets CloudFormation come to where it tries to create the record, again and again."""
        running.await_phase("watch")
        self.await_deploy("on", "log", "deploying")
        await_true(lambda: str(self.account.status).startswith("UPDATE_IN"), "the operation")
        self.account.pass_time(TO_THE_RECORD)

    def go_to_the_gap(self, *more: str, through: tuple[str, ...] = ()) -> Running:
        """A run whose record is released, and CloudFormation has not come back yet."""
        running = self.start(*more, through=through)
        self.go_to_the_record(running)
        running.await_phase("confirm")
        assert self.here == []
        return running

    def assert_true_an_hour_later(self, records: Records) -> None:
        """Nothing was taken from anybody, and this is what stands when all has come to rest."""
        self.account.pass_time(3600)
        assert self.here == records
        owner = ""
        comments = []
        for batch in self.account.history:
            for action, record in batch["changes"]:
                assert record["Name"] == WWW
                taken = action != "CREATE" and owner == "cloudformation"
                assert not (taken and batch["by"] == "client"), batch
                owner = batch["by"]
            comments += [batch["comment"]] if f" {self.run}-" in batch["comment"] else []
        assert len(comments) == len(set(comments)), "an intent was carried out twice"
        for log in self.takeover.run_folder.glob("deploy-*.log"):
            assert log.read_text("utf-8").count("deploying ") == 1, log
