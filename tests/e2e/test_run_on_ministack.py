"""Takeovers by the installed command against an emulator that other people wrote, over real HTTP.

What goes well, what does not, and what is left after the process is killed or told to stop at the
worst of times. The record at the end and the exit code are what is promised.
"""

from __future__ import annotations

import json
import shlex
import signal
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.ministack import (
    REGION,
    alias,
    deploy_command,
    nested,
    template,
    wait,
    wait_until,
)
from tests.e2e.processes import NO_SERVER, Relay, are_in_order

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.core.timing import ONE_REQUEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.ministack import Account
    from tests.e2e.processes import Finished, Running, Takeover

WWW = "www.example.com."
MARKER = "what-the-deploy-says"
JSON = ("--output", "json")
QUICK = ("--no-drain", "--hold", "0.6", "--settle", "0.4")


def by_hand(target: str = "old") -> dict[str, Any]:
    """The alias that was made by hand."""
    to = {
        "HostedZoneId": "Z2FDTNDATAQYW2",
        "DNSName": f"{target}.cloudfront.net.",
        "EvaluateTargetHealth": False,
    }
    return {"Name": WWW, "Type": "A", "AliasTarget": to}


def cname(target: str = "old", ttl: int = 300) -> dict[str, Any]:
    values = [{"Value": f"{target}.cloudfront.net"}]
    return {"Name": WWW, "Type": "CNAME", "TTL": ttl, "ResourceRecords": values}


class Site:
    """A zone with a record made by hand, and a deploy command whose stack wants the record."""

    def __init__(self, account: Account, takeover: Takeover, original: dict[str, Any]) -> None:
        self.account = account
        self.takeover = takeover
        self.original = original
        self.endpoint_url = account.endpoint_url
        self.zone = account.create_zone("example.com")
        account.change(self.zone, "CREATE", original)
        takeover.environment |= account.environment | {"AWS_ENDPOINT_URL": NO_SERVER}

    def record(self, *, gap: float = 0.8, delays: str = "60", after: str = "") -> dict[str, Any]:
        """The stack's record resource, of the kind that was made by hand.

        Args:
            gap: seconds after which CloudFormation tries again once the name is free.
            delays: seconds between its tries while it is not.
            after: a resource that is made before it.
        """
        extra: dict[str, Any] = {"Metadata": {"RetryDelays": delays, "Gap": str(gap)}}
        if after:
            extra["DependsOn"] = after
        resource = alias(self.zone, WWW, "new.cloudfront.net", **extra)
        if self.original["Type"] == "CNAME":
            values = {"TTL": "60", "ResourceRecords": ["new.cloudfront.net"]}
            resource["Properties"] = {
                "HostedZoneId": self.zone,
                "Name": WWW,
                "Type": "CNAME",
                **values,
            }
        return resource

    @property
    def here(self) -> list[dict[str, Any]]:
        """What stands at the name."""
        return self.account.records(self.zone, WWW)

    @property
    def target(self) -> str | None:
        """Where the alias at the name points."""
        return next((str(r["AliasTarget"]["DNSName"]) for r in self.here), None)

    @property
    def started(self) -> list[str]:
        """What the deploy command was started with, each time."""
        return (self.takeover.folder / "starts").read_text().split()

    def deploy(self, **resources: Any) -> str:
        """The deploy command of a stack with these resources; it notes each start, and talks."""
        command = deploy_command(self.takeover.folder, "site", template(**resources))
        starts = shlex.quote(str(self.takeover.folder / "starts"))
        return (
            f'echo "$ROUTE53_ENABLE" >>{starts}; echo {MARKER}; echo {MARKER} >&2; exec {command}'
        )

    def arguments(self, deploy: str | None, *more: str) -> tuple[str, ...]:
        how = ("--no-deploy",) if deploy is None else ("--deploy", deploy)
        where = ("--endpoint-url", self.endpoint_url, "--region", REGION)
        what = ("--stack", "site", "--record", "www.example.com")
        return (*what, *how, *where, *QUICK, "--auto", *JSON, *more)

    def start(self, deploy: str | None, *more: str) -> Running:
        return self.takeover.start("run", *self.arguments(deploy, *more))

    def run(self, deploy: str | None, *more: str) -> Finished:
        return self.start(deploy, *more).finish()

    def resume(self) -> Finished:
        run = self.takeover.run_folder.name
        return self.takeover.run("resume", run, "--auto", *JSON)

    def start_and_kill_in_the_gap(self, deploy: str) -> None:
        self.start_to_the_gap(deploy).kill()
        assert self.here == [], "the name has no record: this is the gap"

    def start_to_the_gap(self, deploy: str, *more: str) -> Running:
        running = self.start(deploy, *more)
        running.await_phase("confirm")
        return running


@pytest.fixture
def site(account: Account, takeover: Takeover) -> Site:
    return Site(account, takeover, by_hand())


@pytest.fixture
def cname_site(account: Account, takeover: Takeover) -> Site:
    return Site(account, takeover, cname())


@pytest.fixture
def relay(site: Site, account: Account) -> Iterator[Relay]:
    """Between the command and the account."""
    with Relay(int(account.endpoint_url.rpartition(":")[2])) as between:
        site.endpoint_url = between.endpoint_url
        yield between


def assert_done(done: Finished, site: Site, outcome: str = "created") -> None:
    """The stack owns the record, and the exit code says so."""
    assert (done.code, done.result["outcome"]) == (0, "done"), done.result
    assert [record["outcome"] for record in done.result["records"]] == [outcome]
    assert site.target == "new.cloudfront.net."
    assert site.account.status("site").endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE"))


def releases(takeover: Takeover) -> list[dict[str, Any]]:
    """The releases that the journal intends."""
    return [
        event
        for event in takeover.journal
        if event["event"] == "WriteIntended" and event["purpose"] == "release"
    ]


# -- what goes well, and what does not


def test_an_alias_changes_hands_with_a_gap_of_seconds_and_one_delete(site: Site) -> None:
    done = site.run(site.deploy(Site=site.record()))
    assert_done(done, site)
    (record,) = done.result["records"]
    assert 0.5 < record["gap_seconds"] < 4
    assert done.result["api_calls"]["route53:ChangeResourceRecordSets"] == 2  # proof and release
    assert len(releases(site.takeover)) == 1
    assert site.started == ["false", "true"]
    assert are_in_order(done.lines)
    assert MARKER not in done.stdout
    assert MARKER in done.stderr
    assert MARKER in (site.takeover.run_folder / "deploy-on.log").read_text()


def test_a_record_in_a_nested_stack_that_exists_already_changes_hands(site: Site) -> None:
    child = site.account.upload_template(template(Record=site.record()))
    done = site.run(site.deploy(Dns=nested(child)))
    assert_done(done, site)
    assert len(releases(site.takeover)) == 1


def test_the_deploys_output_is_never_on_stdout_in_text_either(site: Site) -> None:
    deploy = site.deploy(
        Site=site.record(delays="0.2")
    )  # CloudFormation fails before the hold is over
    arguments = [word for word in site.arguments(deploy) if word not in JSON]
    done = site.takeover.run("run", *arguments)
    assert done.code == 1
    assert MARKER not in done.stdout
    assert MARKER in done.stderr
    assert "✘ failed: " in done.stdout
    log = (site.takeover.run_folder / "deploy-on.log").read_text()
    assert log.count(MARKER) == 2


def test_a_rollback_after_the_record_was_created_ends_with_the_backup_to_the_letter(
    site: Site,
) -> None:
    later = wait("Site", seconds=1, failure="out of luck")
    done = site.run(site.deploy(Site=site.record(), Later=later), "--settle", "2s")
    assert (done.code, done.result["outcome"]) == (1, "restored"), done.result
    assert "out of luck" in done.result["reason"]
    rolled_back = next(e["time"] for e in site.takeover.journal if "DELETE_COMPLETE" in str(e))
    restored = next(e["time"] for e in site.takeover.journal if e.get("purpose") == "restore")
    assert restored - rolled_back < 1, "nothing is waited for once the record is known to be gone"
    assert site.here == [site.original]
    backup = json.loads((site.takeover.run_folder / "backup.json").read_text())
    assert site.here == backup["records"]
    assert done.result["owner_notice"] is None


def test_a_lowered_ttl_is_put_back_to_the_letter_when_the_takeover_fails(cname_site: Site) -> None:
    site = cname_site
    running = site.start(site.deploy(Site=site.record(delays="0.2"), Slow=wait(seconds=1)))
    running.await_phase("deploy-off")
    assert [record["TTL"] for record in site.here] == [60]
    done = running.finish()
    assert (done.code, done.result["outcome"]) == (1, "failed"), done.result
    assert site.here == [cname(ttl=300)]
    assert [record["outcome"] for record in done.result["records"]] == ["untouched"]
    assert releases(site.takeover) == []


def test_a_record_that_another_writer_edits_before_the_release_is_left_alone(site: Site) -> None:
    slow = wait(seconds=3)
    running = site.start(site.deploy(Slow=slow, Site=site.record(delays="1,1", after="Slow")))
    running.await_phase("watch")
    site.account.change(site.zone, "UPSERT", by_hand("theirs"))
    done = running.finish()
    assert (done.code, done.result["outcome"]) == (1, "failed"), done.result
    assert site.here == [by_hand("theirs")]
    assert releases(site.takeover) == []
    assert "its record is left as it is" in done.result["reason"]


def test_a_deploy_started_elsewhere_is_watched_and_the_record_is_taken_over(site: Site) -> None:
    contents = template(Site=site.record())
    stack = site.account.create_stack("site", contents, Route53Enable="false")
    site.account.wait_for_status(stack, "CREATE_COMPLETE")
    running = site.start(None)
    running.await_phase("watch")
    site.account.update_stack("site", contents, Route53Enable="true")
    done = running.finish()
    assert_done(done, site)
    assert not list(site.takeover.run_folder.glob("deploy-*"))


def test_a_delete_whose_answer_is_lost_is_not_sent_again(site: Site, relay: Relay) -> None:
    relay.lose = "connection"
    done = site.run(site.deploy(Site=site.record(gap=2)))
    assert_done(done, site)
    assert len(relay.of("release")) == 1


# -- killed


def test_a_run_killed_in_the_gap_continues_by_resume_and_deploys_nothing_twice(site: Site) -> None:
    site.start_and_kill_in_the_gap(site.deploy(Site=site.record(gap=4)))
    assert site.started == ["false", "true"]
    done = site.resume()
    assert_done(done, site)
    assert site.started == ["false", "true"]
    assert len(releases(site.takeover)) == 1
    assert done.result["records"][0]["gap_seconds"] > 0


def test_a_deploy_outlives_the_killed_run_and_resume_finds_the_record_taken(site: Site) -> None:
    site.start_and_kill_in_the_gap(site.deploy(Site=site.record(gap=1.5)))
    exit_status = site.takeover.run_folder / "deploy-on.exit"
    wait_until(exit_status.exists, "the end of the deploy")
    assert exit_status.read_text() == "0\n"
    log = (site.takeover.run_folder / "deploy-on.log").read_text()
    assert log.endswith("update complete\n")
    assert_done(site.resume(), site)
    assert site.started == ["false", "true"]


def test_resume_restores_the_record_after_a_rollback_while_no_process_ran(site: Site) -> None:
    later = wait("Site", failure="out of luck")
    deploy = site.deploy(Site=site.record(gap=1.5), Later=later)
    site.start_and_kill_in_the_gap(deploy)
    site.account.wait_for_status("site", "UPDATE_ROLLBACK_COMPLETE")
    assert site.here == [], "the rollback deleted what it had created"
    done = site.resume()
    assert (done.code, done.result["outcome"]) == (1, "restored"), done.result
    assert site.here == [site.original]
    assert site.started == ["false", "true"]


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_run_killed_before_the_answer_to_its_release_is_resumed_to_a_true_end(
    site: Site, relay: Relay, lost: str
) -> None:
    relay.lose = lost
    running = site.start(site.deploy(Site=site.record(gap=1.5)))
    relay.await_loss()
    running.kill()
    assert site.takeover.journal[-1]["event"] != "WriteAccepted"
    assert len(releases(site.takeover)) == 1
    assert site.here == ([site.original] if lost == "request" else [])
    done = site.resume()
    assert_done(done, site)
    assert len(relay.of("release")) == (2 if lost == "request" else 1)
    assert site.started == ["false", "true"]


def test_restore_needs_nothing_but_the_folder_of_a_run_killed_in_the_gap(site: Site) -> None:
    site.start_and_kill_in_the_gap(site.deploy(Site=site.record(gap=60)))
    folder = site.takeover.run_folder
    (folder / "journal.jsonl").unlink()
    dry = site.takeover.run("restore", folder.name, "--dry-run")
    assert dry.code == 0
    assert dry.stdout.startswith("would: www.example.com: create ")
    assert "UPDATE_IN_PROGRESS" in dry.stderr, "the stack may undo it again: that is said"
    assert site.here == []
    done = site.takeover.run("restore", folder.name)
    assert (done.code, done.stdout.startswith("www.example.com: create ")) == (0, True)
    assert site.here == [site.original]
    again = site.takeover.run("restore", folder.name, *JSON)
    assert (again.code, again.result["outcome"], again.lines[0]["changes"]) == (0, "done", [])


# -- told to stop


def test_sigterm_before_a_release_puts_the_ttl_back_and_exits_130(cname_site: Site) -> None:
    site = cname_site
    deploy = site.deploy(Slow=wait(seconds=4), Site=site.record(delays="0.2", after="Slow"))
    running = site.start(deploy)
    running.await_phase("watch")
    assert [record["TTL"] for record in site.here] == [60]
    running.send(signal.SIGTERM)
    done = running.finish()
    assert (done.code, done.result["outcome"]) == (130, "aborted"), done.result
    assert site.here == [cname(ttl=300)]
    assert releases(site.takeover) == []
    assert "SIGTERM" in done.result["reason"]


def test_sigterm_before_a_run_has_started_says_so_in_a_result(site: Site) -> None:
    running = site.start(site.deploy(Site=site.record()))
    wait_until(lambda: "reading the account" in running.stderr, "its first word")
    running.send(signal.SIGTERM)
    done = running.finish()
    assert (done.code, done.result["outcome"], done.result["run"]) == (130, "aborted", None)
    assert site.here == [site.original]


def test_sigterm_in_the_gap_does_not_stop_the_guard(site: Site) -> None:
    running = site.start_to_the_gap(site.deploy(Site=site.record(gap=2.5)))
    running.send(signal.SIGTERM)
    running.await_line(lambda line: line["event"] == "interrupted", "the signal")
    assert site.here == []
    assert_done(running.finish(), site)


def test_two_sigterms_in_the_gap_stop_at_once_and_tell_how_to_go_on(site: Site) -> None:
    deploy = site.deploy(Site=site.record(gap=4))
    arguments = [word for word in site.arguments(deploy) if word not in JSON]
    running = site.takeover.start("run", *arguments)
    wait_until(lambda: "waiting for CloudFormation" in running.stderr, "the gap", seconds=30)
    running.send(signal.SIGTERM)
    wait_until(lambda: "once more stops at once" in running.stderr, "the first signal to be taken")
    later = SystemClock().now() + ONE_REQUEST
    wait_until(lambda: SystemClock().now() > later, "the next signal to be another request")
    running.send(signal.SIGTERM)
    stopped = running.finish(seconds=5)
    assert stopped.code == 4
    assert "? unknown: stopped by a second SIGTERM" in stopped.stdout
    assert site.here == []
    (hint,) = [line for line in stopped.stdout.splitlines() if line.startswith("Continue with:")]
    program, command, *how = shlex.split(hint.removeprefix("Continue with:"))
    assert (program, command) == ("route53-takeover", "resume")
    done = site.takeover.run(command, *how, *JSON)
    assert_done(done, site)
    assert site.started == ["false", "true"]
    assert len(releases(site.takeover)) == 1
