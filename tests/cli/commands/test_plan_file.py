"""``plan --out`` and ``run --plan``: what was reviewed is what runs."""

from __future__ import annotations

import json
import shlex
import stat
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.cli.commands.test_run_preflight import deployed, record_set, simple
from tests.cli.program import plain_error, usage_error

from route53_takeover.simulation.aws.http.faults import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.program import Cloud, Ended, Program

OUT = "--out=plan.json"
RUN = ("run", "--plan=plan.json", "--auto", "--output=json")
TEMPLATE = "template.json"


@pytest.fixture
def file(program: Program) -> Path:
    return program.home / "plan.json"


def save(program: Program, account: Cloud, *more: str) -> dict[str, Any]:
    """Saves a plan; returns its JSON line."""
    ended = program("plan", OUT, "--output=json", *account.target(*more))
    assert ended.code == 0, ended.out + ended.err
    (line,) = ended.lines
    return dict(line)


def nothing_was_written(program: Program, account: Cloud, before: list[str]) -> None:
    assert account.writes() == before
    assert program.folders() == []


def test_a_saved_plan_is_private_versioned_and_without_secrets(
    program: Program, account: Cloud, file: Path
) -> None:
    line = save(program, account)
    assert line["out"] == "plan.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    saved = json.loads(file.read_text())
    assert list(saved) == ["v", "sha256", "content"]
    assert saved["v"] == 1
    content = saved["content"]
    assert content["review"]["plan"]["options"]["deploy_on"] == account.deploy
    assert content["connection"]["region"] == "us-east-1"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        assert program.env[name] not in file.read_text()
    assert [path.name for path in program.home.glob("plan.json*")] == ["plan.json"]
    told = program("plan", OUT, *account.target())
    assert "\nPlan saved in plan.json\nRun it with:\n" in told.out
    run_line = f"route53-takeover run --plan plan.json --state-dir {program.state} --auto"
    assert told.out.splitlines()[-1] == f"  {run_line}"
    assert line["run_line"] == run_line


def test_the_line_of_a_saved_plan_runs_it_where_nothing_has_changed(
    program: Program, account: Cloud
) -> None:
    words = shlex.split(save(program, account, "--ttl=45")["run_line"])[1:]
    events = account.do(lambda: account.world.timeline.advance(account.world.timeline.now + 90))
    assert events is None
    ended = program(*words, "--output=json", timeout=60)
    assert ended.code == 0, ended.err
    assert ended.result["records"][0]["outcome"] == "created"
    saved = json.loads((program.folder / "plan.json").read_text())
    assert saved["plan"]["options"]["ttl"] == 45
    again = program(*RUN)
    plain_error(again, 3, "www.example.com A: taken over -> owned by the stack")


def edit(account: Cloud) -> None:
    world = account.world
    (old,) = world.holds("www.example.com.")
    assert old.alias is not None
    new = replace(old, alias=replace(old.alias, dns_name="d9other.cloudfront.net."))
    changes = [("DELETE", old), ("CREATE", new)]
    world.zones.change(world.zone.zone_id, changes, by="another writer")


def own(account: Cloud) -> None:
    deployed(
        account.world.stacks,
        account.world.timeline,
        "billing",
        Www=record_set("www.example.com", "AAAA"),
    )


def add(account: Cloud) -> None:
    new = simple("www.example.com.", "TXT", '"x"')
    account.world.zones.change(account.world.zone.zone_id, [("CREATE", new)], by="another writer")


def lose(account: Cloud) -> None:
    (old,) = account.world.holds("www.example.com.")
    account.world.zones.change(account.world.zone.zone_id, [("DELETE", old)], by="another writer")


def fail(account: Cloud) -> None:
    stack = account.world.stacks.find("shop")
    assert stack is not None
    stack.status = "UPDATE_ROLLBACK_FAILED"


def start(account: Cloud) -> None:
    world = account.world
    world.stacks.update_stack("shop", world.account.template, {"Route53Enable": "true"})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (edit, "alias to d1old.cloudfront.net -> www.example.com A alias to d9other.cloudfront"),
        (own, "www.example.com AAAA alias to d9.cloudfront.net is new"),
        (add, "www.example.com TXT"),
        (lose, "www.example.com A alias to d1old.cloudfront.net is gone"),
        (fail, "stack shop is UPDATE_ROLLBACK_FAILED"),
        (start, "stack shop is UPDATE_IN_PROGRESS"),
    ],
    ids=["edited", "owned", "added", "gone", "failed", "busy"],
)
def test_a_change_of_the_account_is_refused_and_named(
    program: Program, account: Cloud, change: Callable[[Cloud], None], named: str
) -> None:
    save(program, account)
    account.do(lambda: change(account))
    before = account.writes()
    plain_error(program(*RUN), 3, "not what was planned at 20", named)
    nothing_was_written(program, account, before)
