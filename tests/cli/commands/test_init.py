"""``init``: what is in the account becomes takeover.toml and a snippet for the template."""

from __future__ import annotations

import os
import pty
import select
import signal
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.cli.program import cloud, plain_error

from route53_takeover.cli.deploy_tools import detect
from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.core.plan.template_snippet import Tool, logical_id, snippet
from route53_takeover.simulation.scenarios import site_account

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.program import Cloud, Program

ALIAS = RecordSet(
    name="www.example.com.",
    type="A",
    alias=AliasTarget(
        zone_id="Z2FDTNDATAQYW2", dns_name="d1.cloudfront.net.", evaluate_target_health=False
    ),
)
TEXT = RecordSet(
    name="\\052.example.com.",
    type="TXT",
    ttl=300,
    values=('"it\'s: #1"', '"b"'),
    set_identifier="eu",
    routing=(("Weight", "10"),),
)


def _toml(program: Program) -> dict[str, Any]:
    return tomllib.loads((program.home / "takeover.toml").read_text())


def test_stack_and_record_are_found_and_written_without_a_question(
    program: Program, account: Cloud
) -> None:
    (program.home / "site.yml").write_text("Resources: {}\n")
    reach = f"--endpoint-url={account.url}"
    ended = program("init", "--stack=shop", "--record=www.example.com", reach, "--yes")
    assert ended.code == 0, ended.err
    assert _toml(program) == {
        "stack": "shop",
        "record": ["www.example.com"],
        "deploy": "aws cloudformation deploy --stack-name shop --template-file site.yml "
        "--no-fail-on-empty-changeset --parameter-overrides Route53Enable=$ROUTE53_ENABLE",
        "endpoint-url": account.url,
    }
    resource = yaml.safe_load(ended.out)["Resources"]["WwwExampleComA"]
    assert resource["Properties"]["AliasTarget"]["DNSName"] == "d1old.cloudfront.net."
    assert "Then: route53-takeover plan\n" in ended.err
    assert account.writes() == ["a person"], "who made the record, and no one since"
    planned = program("plan", "--output=json", "--owner-check=region")
    assert planned.code == 0, planned.err
    assert planned.lines[0]["records"][0]["name"] == "www.example.com"


def test_json_is_one_line_that_says_what_was_written(program: Program, account: Cloud) -> None:
    words = ["--stack=shop", "--record=www.example.com/A", "--tool=cdk", "--file=cdk.toml"]
    ended = program("init", *words, f"--endpoint-url={account.url}", "--yes", "--output=json")
    (line,) = ended.lines
    assert line["event"] == "init"
    assert (line["stack"], line["records"], line["tool"]) == ("shop", ["www.example.com/A"], "cdk")
    assert line["next"] == "route53-takeover plan --config cdk.toml"
    assert "new CfnRecordSet(this, 'WwwExampleComA'" in line["snippet"]
    assert (program.home / "cdk.toml").exists()


@pytest.mark.parametrize(
    ("words", "code", "said", "hint"),
    [
        (("--stack=shpo", "--record=www.example.com"), 3, "shpo does not exist", "mean shop"),
        (("--stack=shop", "--record=wwww.example.com"), 3, "no record", "mean www.example.com"),
        (("--stack=shop", "--record=www.example.com/MX"), 3, "no record www.example.com/MX", ""),
        (("--stack=shop", "--record=www.example.net"), 3, "no hosted zone", "--profile"),
        (("--stack=shop",), 2, "--yes needs --stack and --record", ""),
    ],
)
def test_what_is_not_there_is_refused_with_what_is_like_it(
    program: Program, account: Cloud, words: tuple[str, ...], code: int, said: str, hint: str
) -> None:
    ended = program("init", *words, "--tool=cdk", f"--endpoint-url={account.url}", "--yes")
    plain_error(ended, code, said, hint=hint)
    assert not (program.home / "takeover.toml").exists()


def test_a_stack_that_no_name_resembles_is_to_be_created(program: Program, account: Cloud) -> None:
    words = ["--stack=quite-another", "--record=www.example.com", "--tool=cdk"]
    ended = program("init", *words, f"--endpoint-url={account.url}", "--yes")
    assert ended.code == 0
    assert "warning: stack quite-another does not exist in us-east-1" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "--yes needs --tool or --deploy"), (("--tool=cloudformation",), "--yes needs --deploy")],
)
def test_a_deploy_command_is_not_guessed_in_an_empty_folder(
    program: Program, account: Cloud, words: tuple[str, ...], said: str
) -> None:
    given = ["--stack=shop", "--record=www.example.com", f"--endpoint-url={account.url}", "--yes"]
    plain_error(program("init", *given, *words), 2, said)
    assert not (program.home / "takeover.toml").exists()
    assert program("init", *given, *words, "--deploy=make").code == 0
    assert _toml(program)["deploy"] == "make"


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "ROUTE53_TAKEOVER_ENDPOINT_URL"])
def test_an_endpoint_of_the_environment_is_not_written(
    program: Program, account: Cloud, variable: str
) -> None:
    program.env[variable] = account.url
    words = ["--stack=shop", "--record=www.example.com", "--tool=cdk", "--yes"]
    assert program("init", *words).code == 0
    assert "endpoint-url" not in _toml(program)


def test_an_account_without_a_stack_is_asked_for_the_name_of_a_new_one(
    program: Program, tmp_path: Path
) -> None:
    with cloud(tmp_path, site_account(exists=False)) as account:
        reach = f"--endpoint-url={account.url}"
        with _asking(program, "init", "--record=www.example.com", reach) as (process, terminal):
            terminal.answer("Name of the stack that is to be created:", "shop")
            terminal.answer("1) cdk", "")
            terminal.answer("an answer is needed", "1")
            terminal.answer("Deploy command [npx cdk", "")
            process.communicate(timeout=30)
        assert process.returncode == 0
    assert _toml(program)["stack"] == "shop"


def test_a_file_is_never_written_over_without_asking(program: Program, account: Cloud) -> None:
    (program.home / "takeover.toml").write_text("# ours\n")
    words = ["--stack=shop", "--record=www.example.com", f"--endpoint-url={account.url}"]
    plain_error(program("init", *words, "--yes"), 2, "takeover.toml exists")
    plain_error(program("init", *words), 2, "no terminal", hint="--yes")
    with _asking(program, "init", *words) as (process, terminal):
        terminal.answer("Write over it?", "n")
        assert process.wait(20) == 2
    assert (program.home / "takeover.toml").read_text() == "# ours\n"


class _Person:
    """Who reads the questions on a terminal, and answers."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.shown = ""

    def wait(self, question: str) -> None:
        """Waits for a question."""
        while question not in self.shown:
            assert select.select([self._fd], [], [], 30)[0], self.shown
            self.shown += os.read(self._fd, 65536).decode()

    def answer(self, question: str, text: str) -> None:
        """Waits for a question; types an answer."""
        self.wait(question)
        self.shown = self.shown.partition(question)[2]
        os.write(self._fd, f"{text}\n".encode())


@contextmanager
def _asking(program: Program, *words: str) -> Iterator[tuple[subprocess.Popen[str], _Person]]:
    """The program with a terminal for its questions, and a pipe for its output."""
    master, slave = pty.openpty()
    process = program.start(*words, stdin=slave, stderr=slave)
    os.close(slave)
    try:
        yield process, _Person(master)
    finally:
        process.kill()
        process.communicate()
        os.close(master)


def test_a_user_is_asked_and_chooses_from_numbered_lists(program: Program, account: Cloud) -> None:
    (program.home / "cdk.json").write_text("{}")
    with _asking(program, "init", f"--endpoint-url={account.url}") as (process, terminal):
        terminal.answer("Stack: number, or the name of a new stack", "shopp")
        terminal.answer("2) shopp: the first deploy", "1")
        terminal.answer("Record: number, or a name", "www.example.com/a")
        terminal.answer("[cdk]", "make")
        terminal.answer("'make' is none of them", "")
        terminal.answer("Deploy command [npx cdk deploy shop", "npx cdk deploy Shop")
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.startswith("// import"), "stdout has the snippet and nothing else"
    assert _toml(program)["deploy"] == "npx cdk deploy Shop"
    assert (_toml(program)["stack"], _toml(program)["record"]) == ("shop", ["www.example.com/A"])


def test_ctrl_c_ends_a_question(program: Program, account: Cloud) -> None:
    with _asking(program, "init", f"--endpoint-url={account.url}") as (process, terminal):
        terminal.wait("Stack: number")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert not (program.home / "takeover.toml").exists()


@pytest.mark.parametrize("tool", [Tool.SAM, Tool.CLOUDFORMATION])
def test_a_template_has_the_record_only_with_the_switch_on(tool: Tool) -> None:
    text = snippet(tool, [ALIAS, TEXT], "Z1")
    loaded = yaml.safe_load(text)
    assert loaded["Conditions"] == {
        "WithRecord": {"Fn::Equals": [{"Ref": "Route53Enable"}, "true"]}
    }
    assert loaded["Parameters"]["Route53Enable"]["Default"] == "false"
    for resource in loaded["Resources"].values():
        assert (resource["Condition"], resource["DeletionPolicy"]) == ("WithRecord", "Retain")
    assert loaded["Resources"][logical_id(TEXT)]["Properties"] == {
        "HostedZoneId": "Z1",
        "Name": "*.example.com",
        "Type": "TXT",
        "SetIdentifier": "eu",
        "Weight": 10,
        "TTL": "300",
        "ResourceRecords": ['"it\'s: #1"', '"b"'],
    }
    assert logical_id(TEXT) == "WildcardExampleComTXTEu"


def test_the_cdk_gets_a_construct_that_is_kept() -> None:
    text = snippet(Tool.CDK, [ALIAS, TEXT], "Z1")
    assert "if (process.env.ROUTE53_ENABLE === 'true') {" in text
    assert 'dnsName: "d1.cloudfront.net.",' in text
    assert 'resourceRecords: ["\\"it\'s: #1\\"", "\\"b\\""],' in text
    assert text.count("applyRemovalPolicy(RemovalPolicy.RETAIN)") == 2
    assert 'ENV["ROUTE53_ENABLE"] == "true"' in snippet(Tool.JETS, [ALIAS], "Z1")


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        ({}, None),
        ({"cdk.json": "{}"}, Tool.CDK),
        ({"samconfig.toml": ""}, Tool.SAM),
        ({"template.yaml": "Transform: AWS::Serverless-2016-10-31\n"}, Tool.SAM),
        ({"template.yaml": "Resources: {}\n"}, Tool.CLOUDFORMATION),
        ({"Gemfile": 'source "x"\ngem "jets", "~> 6"\n'}, Tool.JETS),
        ({"Gemfile": 'gem "rails"\n'}, None),
        ({"config/jets/deploy.rb": ""}, Tool.JETS),
    ],
)
def test_the_tool_is_seen_by_its_files(
    tmp_path: Path, files: dict[str, str], tool: Tool | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert detect(tmp_path) is tool


@pytest.mark.parametrize("command", ["diagnose", "retire"])
def test_every_command_says_which_stack_may_be_meant(
    program: Program, account: Cloud, command: str
) -> None:
    ended = program(command, "--stack=shpo", f"--endpoint-url={account.url}")
    plain_error(ended, 3, "stack shpo does not exist here", hint="Did you mean shop? Check")
