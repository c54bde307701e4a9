"""The commands as processes against the simulated account, which is a process of its own.

Its clock is four times as fast as the command's, so that its clock and the command's never agree.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.e2e.processes import Takeover, bare_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.processes import Finished

SCRIPT = Path(__file__).parents[2] / "scripts" / "simulated_account.py"
QUICK = ("--no-drain", "--hold", "0.6", "--settle", "0.4", "--restore-after", "5s")
JSON = ("--output", "json")
CHANGE = "route53:ChangeResourceRecordSets"


class SimulatedAccount(NamedTuple):
    """The simulated account, as the script's first line tells of it."""

    reported: dict[str, Any]

    @property
    def connection(self) -> tuple[str, ...]:
        return ("--endpoint-url", self.reported["endpoint_url"], "--region", "us-east-1")

    @property
    def target(self) -> tuple[str, ...]:
        """What a takeover in it is called with."""
        servers = [
            word for each in self.reported["name_servers"] for word in ("--name-server", each)
        ]
        what = ("--stack", self.reported["stack"], "--record", self.reported["record"])
        return (*what, "--deploy", self.reported["deploy"], *self.connection, *servers, *QUICK)


@contextmanager
def serving(scenario: str, folder: Path) -> Iterator[SimulatedAccount]:
    arguments = ("--scenario", scenario, "--speed", "4", "--folder", str(folder))
    with subprocess.Popen(
        [sys.executable, SCRIPT, *arguments],
        env=bare_environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield SimulatedAccount(json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@contextmanager
def in_account(scenario: str, folder: Path) -> Iterator[tuple[SimulatedAccount, Takeover]]:
    """A simulated account, and the command with keys for it."""
    with serving(scenario, folder) as world, Takeover(folder) as takeover:
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        takeover.environment |= keys
        yield world, takeover


def test_a_takeover_is_planned_carried_out_and_reported_and_not_repeated(tmp_path: Path) -> None:
    with in_account("alias", tmp_path) as (world, takeover):
        done = run_the_line_of_the_plan(world, takeover)
        assert_taken_over(done)
        assert_reported_takeover(takeover, done)
        assert_not_resumed(takeover, done)
        assert_left_alone(world, takeover, done)


def run_the_line_of_the_plan(world: SimulatedAccount, takeover: Takeover) -> Finished:
    """A plan tells what would be done and the line that does it, and writes nothing."""
    planned = takeover.run("plan", *world.target, *JSON)
    assert planned.code == 0, planned.stderr
    assert not takeover.state_dir.exists()
    (plan,) = planned.lines
    assert (plan["event"], plan["refused"], plan["reasons"]) == ("plan", False, [])
    assert [record["name"] for record in plan["records"]] == ["www.example.com"]
    assert len(plan["steps"]) >= 5
    program, command, *arguments = shlex.split(plan["run_line"])
    assert (program, command) == ("route53-takeover", "run")
    assert "--auto" in arguments
    return takeover.run(command, *arguments, *JSON)


def assert_taken_over(done: Finished) -> None:
    """The stack has the record, after one proof and one release, phase by phase."""
    result = done.result
    assert (done.code, result["outcome"]) == (0, "done"), result
    (record,) = result["records"]
    assert record["outcome"] == "created"
    assert 0 <= record["gap_seconds"] < 10
    assert record["gap_seconds_dns"] is not None
    assert result["api_calls"][CHANGE] == 2
    assert "shop" in result["owner_notice"]
    phases = [line["phase"] for line in done.lines]
    order = ("deploy-off", "prove", "watch", "release", "confirm", "guard", "verify", "ended")
    assert [phase for phase in dict.fromkeys(phases) if phase in order] == list(order)


def assert_reported_takeover(takeover: Takeover, done: Finished) -> None:
    """`runs` and `report` tell of it what its result told."""
    run = done.result["run"]
    (line,) = takeover.run("runs", *JSON).lines
    assert (line["run"], line["outcome"], line["rehearsal"]) == (run, "done", False)
    (report,) = takeover.run("report", run, *JSON).lines
    reported = {key: done.result[key] for key in ("run", "outcome", "exit_code", "records")}
    assert {key: report["result"][key] for key in reported} == reported
    (forecast,) = report["forecast"]
    measured = {key: forecast["measured"][key] for key in ("gap_seconds", "gap_seconds_dns")}
    assert measured == {key: done.result["records"][0][key] for key in measured}
    text = takeover.run("report", run[:12])
    assert "Forecast and measurement" in text.stdout
    assert text.code == 0
    assert "deleting www.example.com" in text.stdout
    assert "done: shop owns www.example.com now" in text.stdout


def assert_not_resumed(takeover: Takeover, done: Finished) -> None:
    """A run that has ended is told again, and its journal stays as it is."""
    before = takeover.journal
    again = takeover.run("resume", done.result["run"], "--auto", *JSON)
    assert (again.code, again.result["outcome"]) == (0, "done")
    assert again.result["records"] == done.result["records"]
    assert takeover.journal == before


def assert_left_alone(world: SimulatedAccount, takeover: Takeover, done: Finished) -> None:
    """Neither `restore` nor another `run` writes a record that the stack owns."""
    dry = takeover.run("restore", done.result["run"], "--dry-run")
    assert dry.code == 3
    assert "stack shop owns the record there" in dry.stderr
    owned = takeover.run("run", *world.target, "--auto", *JSON)
    assert (owned.code, owned.result["outcome"], owned.result["run"]) == (0, "done", None)
    assert [record["outcome"] for record in owned.result["records"]] == ["owned"]
    assert CHANGE not in owned.result["api_calls"]
    assert len(list((takeover.state_dir / "runs").iterdir())) == 1
    again = takeover.run("plan", *world.target)
    assert (again.code, "Nothing to do." in again.stdout) == (0, True)


def test_a_refused_plan_says_why_and_refuses_the_run_as_well(tmp_path: Path) -> None:
    with in_account("alias", tmp_path) as (world, takeover):
        target = (*world.target, "--skip-off")  # of a stack that does not exist yet
        reported = takeover.run("plan", *target, *JSON)
        (plan,) = reported.lines
        assert (reported.code, plan["refused"], plan["steps"]) == (3, True, [])
        assert plan["reasons"]
        text = takeover.run("plan", *target)
        assert text.code == 3
        assert "Refused: nothing was written." in text.stdout
        refused = takeover.run("run", *target, "--auto", *JSON)
        assert (refused.code, refused.result["outcome"]) == (3, "refused")
        assert refused.result["run"] is None
        assert not list(takeover.state_dir.glob("runs/*"))


def test_a_record_in_a_nested_stack_is_taken_over(tmp_path: Path) -> None:
    with in_account("nested", tmp_path) as (world, takeover):
        text = takeover.run("plan", *world.target)
        assert text.code == 0
        assert "take over  www.example.com" in text.stdout
        assert "Run it with:\n  route53-takeover run" in text.stdout
        done = takeover.run("run", *world.target, "--auto", *JSON)
        assert (done.code, done.result["outcome"]) == (0, "done"), done.result
        assert done.result["records"][0]["outcome"] == "created"
        assert done.result["api_calls"][CHANGE] == 2


MAKE_CHANGE_SET = Path(__file__).with_name("make_change_set.py")


def without_a_record(world: SimulatedAccount) -> tuple[list[str], str, str]:
    """The target that names no record, the path of the template, and a preview command."""
    stack, template = shlex.split(world.reported["deploy"])[-2:]
    words = list(world.target)
    at = words.index("--record")
    del words[at : at + 2]
    return words, template, shlex.join([sys.executable, str(MAKE_CHANGE_SET), stack, template])


def test_without_a_record_what_is_in_the_way_of_the_pending_template_is_taken_over(
    tmp_path: Path,
) -> None:
    with in_account("alias", tmp_path) as (world, takeover):
        target, template, preview = without_a_record(world)
        by_file = ("--template", template, "--parameter", "Route53Enable=true")
        planned = takeover.run("plan", *target, *by_file, *JSON)
        assert planned.code == 0, planned.stderr
        (plan,) = planned.lines
        (record,) = plan["records"]
        assert (record["name"], record["type"]) == ("www.example.com", "A")
        assert (record["owner"], record["strategy"]) == (None, "delete")
        assert record["now"]["AliasTarget"]["DNSName"] == "d1old.cloudfront.net."
        assert record["desired"]["AliasTarget"]["DNSName"] == "d1new.cloudfront.net"
        assert record["changes"] == [
            "- alias to d1old.cloudfront.net",
            "+ alias to d1new.cloudfront.net",
        ]
        _, command, *arguments = shlex.split(plan["run_line"])
        assert_taken_over(takeover.run(command, *arguments, *JSON))
        again = takeover.run("run", *target, "--preview", preview, "--auto", *JSON)
        assert (again.code, again.result["outcome"]) == (0, "done"), again.stderr
        assert [record["outcome"] for record in again.result["records"]] == ["owned"]
        assert again.result["api_calls"]["cloudformation:DeleteChangeSet"] == 1


def test_a_change_set_that_leaves_nested_stacks_out_says_so_and_nothing_is_guessed(
    tmp_path: Path,
) -> None:
    with in_account("nested", tmp_path) as (world, takeover):
        target, _, preview = without_a_record(world)
        planned = takeover.run("plan", *target, "--preview", preview, *JSON)
        assert planned.code == 3, planned.stderr
        (plan,) = planned.lines
        assert plan["records"] == []
        assert "does not include nested stacks" in plan["reasons"][0]
