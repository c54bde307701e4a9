"""``plan --out`` and ``run --plan``: what was reviewed is what runs."""

from __future__ import annotations

import asyncio
import json
import shlex
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.cli.commands.test_policy import PREVIEW, make_previews
from tests.cli.commands.test_run_preflight import deployed, record_set, simple
from tests.cli.program import plain_error, usage_error

from route53_takeover.process.spawn import BeginRun, Launch, NotBegunError
from route53_takeover.simulation.aws.route53 import api as route53_api
from route53_takeover.storage.plan_file import read_plan_file

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
    lose(account)
    there = record_set("www.example.com")
    deployed(account.world.stacks, account.world.timeline, "billing", Www=there)


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


def protect(account: Cloud) -> None:
    account.world.zones.protect(account.world.zone.zone_id, "www.example.com.", "A")


def replace_stack(account: Cloud) -> None:
    world = account.world
    world.stacks.delete_stack("shop")
    world.timeline.advance(world.timeline.now + 900)
    deployed(world.stacks, world.timeline, "shop", Bucket={"Type": "AWS::S3::Bucket"})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (edit, "alias to d1old.cloudfront.net -> www.example.com A alias to d9other.cloudfront"),
        (own, "owner of www.example.com A: no stack -> billing"),
        (add, "www.example.com TXT"),
        (lose, "www.example.com A alias to d1old.cloudfront.net is gone"),
        (fail, "stack shop is UPDATE_ROLLBACK_FAILED"),
        (start, "stack shop is UPDATE_IN_PROGRESS"),
        (protect, "a record set protection covers www.example.com A"),
        (replace_stack, "stack shop: arn:aws:cloudformation:us-east-1:"),
    ],
)
def test_a_change_of_the_account_is_refused_and_named(
    program: Program, account: Cloud, change: Callable[[Cloud], None], named: str
) -> None:
    save(program, account)
    account.do(lambda: change(account))
    before = account.writes()
    plain_error(program(*RUN), 3, "changed since the plan of 20", named)
    nothing_was_written(program, account, before)


def test_another_account_or_region_is_refused_and_named(program: Program, account: Cloud) -> None:
    save(program, account)
    before = account.writes()
    plain_error(program(*RUN, "--region=eu-west-1"), 3, "region us-east-1 -> eu-west-1")
    other = route53_api.identity(account="210987654321")
    account.server.abroad["us-east-1"] = {"sts": other}
    plain_error(program(*RUN), 3, "account 123456789012 -> 210987654321")
    nothing_was_written(program, account, before)


def test_another_template_file_is_refused_and_named_even_if_its_records_are_the_same(
    program: Program, account: Cloud
) -> None:
    file, template = program.home / TEMPLATE, account.world.account.template
    file.write_text(json.dumps(template))
    save(program, account, f"--template={TEMPLATE}", "--parameter=Route53Enable=true")
    queue = {"Type": "AWS::SQS::Queue"}
    resources = {**template["Resources"], "Queue": queue}
    file.write_text(json.dumps({**template, "Resources": resources}))
    before = account.writes()
    plain_error(program(*RUN), 3, "the pending template template.json has changed")
    file.write_text(json.dumps(template).replace("d1new", "d2new"))
    plain_error(program(*RUN), 3, "+ alias to d1new.cloudfront.net -> ", "+ alias to d2new")
    nothing_was_written(program, account, before)
    file.write_text(json.dumps(template, indent=4))
    assert program(*RUN, timeout=60).code == 0


def test_a_preview_is_made_again_and_its_template_compared(
    program: Program, account: Cloud
) -> None:
    over, template = threading.Event(), account.world.account.template
    maker = threading.Thread(target=make_previews, args=(account, program.home, over))
    maker.start()
    try:
        save(program, account, f"--preview={PREVIEW}")
        queue = {"Type": "AWS::SQS::Queue"}
        account.world.account = replace(
            account.world.account,
            template={**template, "Resources": {**template["Resources"], "Queue": queue}},
        )
        plain_error(program(*RUN), 3, "the pending template of the preview's change set")
        account.world.account = replace(account.world.account, template=template)
        assert program(*RUN, timeout=60).code == 0
    finally:
        over.set()
        maker.join()


@pytest.mark.parametrize(
    ("damage", "code", "word"),
    [
        (lambda text: text.replace('"v": 1', '"v": 2'), 3, "version 2"),
        (lambda text: text[:200], 2, "damaged"),
        (lambda _: "[]", 2, "damaged or not a plan file"),
        (lambda _: "", 2, "damaged"),
        (lambda text: text.replace("touch asked", "touch else"), 2, "was changed after"),
    ],
    ids=["version", "cut", "other", "empty", "edited"],
)
def test_a_file_of_another_version_or_a_damaged_one_is_refused(
    program: Program, account: Cloud, file: Path, damage: Callable[[str], str], code: int, word: str
) -> None:
    save(program, account)
    file.write_text(damage(file.read_text()))
    before = account.writes()
    plain_error(program(*RUN), code, "plan.json", word, hint="`plan --out FILE`")
    nothing_was_written(program, account, before)


def test_a_file_that_others_can_write_is_refused(
    program: Program, account: Cloud, file: Path
) -> None:
    save(program, account)
    file.chmod(0o666)
    plain_error(program(*RUN), 2, "others can write to", "plan.json", hint="--plan")
    file.unlink()
    plain_error(program(*RUN), 2, "cannot read plan.json")


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left_of_it(
    program: Program, account: Cloud
) -> None:
    (program.home / "taken").mkdir()
    for out in ("taken", "nowhere/plan.json"):
        plain_error(program("plan", f"--out={out}", *account.target()), 2, f"cannot write {out}")
    assert list(program.home.glob("*.part")) == []


def test_a_refused_plan_is_not_saved(program: Program, account: Cloud, file: Path) -> None:
    account.do(lambda: fail(account))
    ended = program("plan", OUT, "--output=json", *account.target())
    assert (ended.code, ended.lines[0]["out"], file.exists()) == (3, None, False)


def test_options_of_a_takeover_beside_the_file_are_a_usage_error(
    program: Program, account: Cloud
) -> None:
    save(program, account)
    for words in (["--stack=shop"], ["--ttl=60"], ["--no-deploy", "--hold=1"]):
        ended: Ended = program(*RUN, *words)
        plain_error(ended, 2, "--plan", *[word.partition("=")[0] for word in words])


def test_variables_and_takeover_toml_neither_name_a_file_nor_change_what_was_planned(
    program: Program, account: Cloud
) -> None:
    save(program, account)
    toml = program.home / "takeover.toml"
    for key in ("plan", "plan-file", "out"):
        toml.write_text(f'{key} = "plan.json"\n')
        plain_error(program(*RUN), 2, "unknown")
    toml.write_text('stack = "other"\ndeploy = "false"\n')
    program.env |= {
        "ROUTE53_TAKEOVER_RECORD": "other.example.com",
        "ROUTE53_TAKEOVER_PLAN": "other.json",
        "ROUTE53_TAKEOVER_OUT": "other.json",
    }
    ended = program(*RUN, timeout=60)
    assert ended.code == 0, ended.err
    assert "options from" not in ended.err
    assert not (program.home / "other.json").exists()


def test_a_credential_in_a_command_is_not_written_down(
    program: Program, account: Cloud, file: Path
) -> None:
    words = account.target(deploy="API_TOKEN=0123456789abcdef make deploy")
    plain_error(program("plan", OUT, *words), 2, "the deploy command contains a credential")
    assert not file.exists()


def test_a_release_that_has_to_be_confirmed_is_not_run_unattended(
    program: Program, account: Cloud
) -> None:
    line = save(program, account, "--confirm-release")["run_line"]
    assert "--auto" not in line
    plain_error(program(*RUN), 2, "--confirm-release", hint="Leave out --auto")
    usage_error(program("run", "--plan=plan.json"), "terminal")


def test_the_process_behind_a_screen_compares_as_well(
    program: Program, account: Cloud, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(program, account)
    account.do(lambda: edit(account))
    for name, value in program.env.items():
        monkeypatch.setenv(name, value)
    reviewed = read_plan_file(file)
    order = BeginRun(
        state_dir=str(program.state),
        log_level="info",
        connection=reviewed.connection,
        options=reviewed.review.plan.options,
        reviewed=reviewed,
    )

    async def propose() -> None:
        launch = Launch(order)
        await launch.start()
        try:
            await launch.proposal(lambda _: None)
        finally:
            launch.close()

    with pytest.raises(NotBegunError, match=r"changed since the plan .*d9other") as refused:
        asyncio.run(propose())
    assert refused.value.exit_code == 3
