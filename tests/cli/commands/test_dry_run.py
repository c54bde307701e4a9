"""`run --dry-run` and `rehearse --like`: a plan is rehearsed as a run, and nothing is written."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.cli.program import cloud, plain_error, unfinished_run

from route53_takeover.core.domain.record_sets import RecordSet
from route53_takeover.simulation.scenarios import (
    SCENARIOS,
    alias,
    alias_resource,
    cname,
    resource_of,
    site_account,
    site_template,
)
from route53_takeover.simulation.serve import rehearsal_options

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Cloud, Ended, Program

WRITES = (
    "route53:ChangeResourceRecordSets",
    "cloudformation:CreateStack",
    "cloudformation:UpdateStack",
    "cloudformation:DeleteStack",
    "cloudformation:CancelUpdateStack",
)


def everything(account: Cloud) -> tuple[Any, ...]:
    """Every record set, what was ever written, every stack with its events, every mutating call."""
    world = account.world
    return account.do(
        lambda: (
            world.zones.list(world.zone.zone_id),
            [*world.zones.history],
            [
                (stack.stack_id, stack.status, [*stack.written()], {**stack.parameters})
                for stack in world.stacks.all()
            ],
            [account.server.calls[name] for name in WRITES],
        )
    )


def dry_run(program: Program, account: Cloud, *more: str) -> Ended:
    """A dry run that leaves the account as it was, and never starts the deploy command."""
    before = everything(account)
    deploy = "touch deployed"
    ended = program("run", *account.target(deploy=deploy), *more, "--dry-run", timeout=90)
    assert everything(account) == before
    assert not (program.home / "deployed").exists()
    return ended


def events(ended: Ended) -> list[str]:
    return [str(line["event"]) for line in ended.lines]


@pytest.mark.parametrize(
    ("name", "batches"),
    [
        ("nested", ["prove", "release"]),
        ("bridge", ["prove", "bridge", "release", "remove"]),
        ("weighted", ["prove", "prepare", "weigh", "weigh", "remove"]),
        ("adopt", ["lower-ttl", "prove", "prepare"]),
    ],
)
def test_each_strategy_is_rehearsed_as_planned_and_its_batches_are_listed(
    program: Program, tmp_path: Path, name: str, batches: list[str]
) -> None:
    scenario = SCENARIOS[name]
    template = rehearsal_options(scenario, tmp_path).template
    given = (f"--template={template}", "--parameter=Route53Enable=true")
    how = [f"--strategy={scenario.strategy}", "--weight-every=30"]
    how += [f"--weights={','.join(map(str, scenario.weights))}"] if scenario.weights else []
    with cloud(tmp_path, scenario.account) as account:
        ended = dry_run(program, account, *given, *how, "--output=json")
    assert ended.code == 0, ended.err
    assert ended.result["outcome"] == "done"
    assert ended.result["rehearsal"] == "dry-run"
    listed = [line for line in ended.lines if line["event"] == "would-write"]
    purposes = [line["purpose"] for line in listed]
    if name == "adopt":  # a wildcard is put under it if CloudFormation has not taken it at once
        purposes = [each for each in purposes if each not in ("bridge", "remove")]
    assert purposes == batches
    assert events(ended)[-len(listed) - 1 :] == ["would-write"] * len(listed) + ["result"]
    assert {line["answer"] for line in listed} == {"accepted"}
    assert {line["zone_id"] for line in listed} == {"ZSIMULATED0001"}
    first = listed[0]["changes"]
    assert [change["action"] for change in first] == ["DELETE", "CREATE"]
    assert first[0]["record"] == scenario.account.existing[0].to_api()


def test_a_group_fails_as_long_as_nothing_is_known_of_how_cloudformation_treats_one(
    program: Program, tmp_path: Path
) -> None:
    with cloud(tmp_path, SCENARIOS["group"].account) as account:
        ended = dry_run(program, account, "--output=json")
    assert ended.code == 1, ended.err
    assert ended.result["outcome"] == "failed"
    assert "already exists" in ended.result["reason"]
    assert {each["type"] for each in ended.result["records"]} == {"A", "AAAA"}


def test_it_is_marked_everywhere_and_cannot_be_restored_or_resumed(
    program: Program, tmp_path: Path
) -> None:
    with cloud(tmp_path) as account:
        ended = dry_run(program, account, "--auto")
        assert ended.code == 0, ended.err
        steps = [line for line in ended.err.splitlines() if "release: " in line]
        assert steps
        assert all(line.startswith("DRY RUN ") for line in steps)
        assert "no deploy command is run" in ended.err
        assert "is not known for this account" in ended.err
        listed, title = ended.out.split("DRY RUN of this plan", 1)
        assert "nothing real was changed" in title
        assert "2. ChangeResourceRecordSets, release\n   DELETE www.example.com A" in listed
        assert program("runs").out.startswith("DRY RUN done  ")
        (line,) = program("runs", "--output=json").lines
        assert line["rehearsal"] is True
        run = program.folder.name
        plain_error(program("restore", run), 3, "rehearsal")
        assert "has already ended" in program("resume", run, "--auto").err
        journal = program.folder / "journal.jsonl"
        events = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join(events[:5]))
        plain_error(program("resume", run, "--auto"), 3, "rehearsal")
        planned = program("plan", *account.target(), "--output=json")
        assert planned.lines[0]["refused"] is False, "it is no unfinished run of this zone"


def test_a_plan_that_is_refused_is_refused_in_the_same_way(
    program: Program, tmp_path: Path
) -> None:
    owned = {"Resources": {"Theirs": resource_of(alias("d1old"))}}
    setup = replace(site_account(), existing=(), others={"theirs": owned})
    with cloud(tmp_path, setup) as account:
        ended = dry_run(program, account, "--output=json")
    assert ended.code == 3
    assert ended.result["outcome"] == "refused"
    assert "theirs" in ended.result["reason"]
    assert events(ended) == ["result"]
    assert not program.folders()


def test_a_deploy_that_another_system_starts_is_begun_by_the_simulated_account(
    program: Program, tmp_path: Path
) -> None:
    with cloud(tmp_path) as account:
        before = everything(account)
        words = [word for word in account.target() if not word.startswith("--deploy")]
        ended = program("run", *words, "--no-deploy", "--dry-run", "--output=json", timeout=90)
        assert everything(account) == before
    assert ended.code == 0, ended.err
    assert ended.result["records"][0]["outcome"] == "created"


def test_it_says_what_it_assumes_where_nothing_tells_what_the_stack_creates(
    program: Program, tmp_path: Path
) -> None:
    with cloud(tmp_path, site_account(exists=False)) as account:
        ended = dry_run(program, account, "--output=json")
    assert ended.code == 0, ended.err
    assert "what the stack creates for www.example.com A is not known" in ended.err


def test_the_wait_for_an_old_ttl_is_skipped(program: Program, tmp_path: Path) -> None:
    with cloud(tmp_path, site_account(existing=cname(86400))) as account:
        ended = dry_run(program, account, "--output=json")
    assert ended.code == 0, ended.err
    phases = [line["phase"] for line in ended.lines]
    assert "drain" in phases


def test_a_zone_of_ten_thousand_records_is_as_fast(program: Program, tmp_path: Path) -> None:
    others = [
        RecordSet(name=f"host{n}.example.com.", type="A", ttl=60, values=("192.0.2.7",))
        for n in range(10_000)
    ]
    with cloud(tmp_path) as account:
        zone = account.world.zone

        account.do(lambda: zone.records.update({record.key: record for record in others}))
        before = everything(account)
        began = time.monotonic()  # noqa: TID251 -- what is measured
        words = account.target(deploy="touch deployed")
        ended = program("run", *words, "--dry-run", "--output=json", timeout=90)
        took = time.monotonic() - began  # noqa: TID251 -- what is measured
        assert everything(account) == before
    assert ended.code == 0, ended.err
    assert took < 40, took


def test_like_rehearses_a_plan_file_and_a_run_without_any_call(
    program: Program, tmp_path: Path
) -> None:
    file = tmp_path / "reviewed.json"
    with cloud(tmp_path) as account:
        assert program("plan", *account.target(), f"--out={file}").code == 0
        earlier = dry_run(program, account)
        assert earlier.code == 0, earlier.err
        run = program.folder.name
    for like in (str(file), run, str(program.folder / "plan.json")):
        ended = program("rehearse", f"--like={like}", "--auto", "--output=json", timeout=90)
        assert ended.code == 0, ended.err
        assert ended.result["outcome"] == "done"
        assert ended.result["rehearsal"] == "dry-run"
        assert [line["purpose"] for line in ended.lines if line["event"] == "would-write"] == [
            "prove",
            "release",
        ]


def test_a_reviewed_plan_is_compared_before_it_is_rehearsed(
    program: Program, tmp_path: Path
) -> None:
    file = tmp_path / "reviewed.json"
    with cloud(tmp_path) as account:
        assert program("plan", *account.target(), f"--out={file}").code == 0
        ended = program("run", f"--plan={file}", "--dry-run", "--output=json", timeout=90)
        assert ended.code == 0, ended.err
        account.do(lambda: account.world.write([("UPSERT", alias("d1other"))]))
        ended = program("run", f"--plan={file}", "--dry-run", "--output=json")
        assert ended.code == 3
        assert "changed since the plan" in ended.result["reason"]


def test_what_an_earlier_version_wrote_says_so(program: Program, tmp_path: Path) -> None:
    with cloud(tmp_path) as account:
        folder = unfinished_run(program, account, alias("d1old"))
    ended = program("rehearse", f"--like={folder.name}", "--auto")
    plain_error(ended, 3, "earlier version", hint="plan --out")


def test_the_stack_of_the_rehearsal_has_the_resources_and_the_ids_of_the_real_one(
    program: Program, tmp_path: Path
) -> None:
    resource = {**alias_resource("d1new"), "DependsOn": ["Distribution", "Queue"]}
    queue = {"Type": "AWS::SQS::Queue"}
    with cloud(tmp_path, site_account(template=site_template(resource, Queue=queue))) as account:
        stack = account.do(lambda: account.world.stacks.find("shop"))
        ended = dry_run(program, account, "--output=json")
    assert stack is not None
    assert ended.code == 0, ended.err
    text = json.dumps(ended.lines)
    assert stack.stack_id in text
    assert '"d1new.cloudfront.net' in text
