"""What is wrong with the command line itself: exit 2, one clear line, nothing done."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.cli.program import usage_error

from route53_takeover import __version__

if TYPE_CHECKING:
    from tests.cli.program import Program

COMMANDS = ("plan", "policy", "run", "rehearse", "runs", "resume", "restore", "report")
TARGET = ("--stack=shop", "--record=www.example.com")
FULL = (*TARGET, "--deploy=true")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", *FULL), "--auto"),
        (("rehearse",), "--auto"),
        (("resume", "x"), "--auto"),
        (("plan",), "--record"),
        (("plan", "--record=a.b", "--deploy=true"), "--stack"),
        (("plan", "--record=a.b", "--jets=no-such-folder"), "no-such-folder"),
        (("plan", "--record=a.b", "--jets=."), "is not a Jets app"),
        (("plan", "--record=a.b", "--jets=.", "--deploy=true"), "--jets"),
        (("plan", "--record=a.b", "--jets=.", "--no-deploy"), "--jets"),
        (("plan", "--stack=shop", "--deploy=true"), "--record"),
        (("plan", "--stack=", "--record=a.b", "--deploy=true"), "--stack"),
        (("frobnicate",), "frobnicate"),
        (("plan", *TARGET), "--deploy"),
        (("plan", *TARGET, "--deploy=true", "--no-deploy"), "--no-deploy"),
        (("plan", *TARGET, "--deploy=true", "--deploy-on=true"), "--deploy-on"),
        (("plan", *TARGET, "--deploy-on=true"), "--deploy-off"),
        (("plan", *TARGET, "--deploy-off=true"), "--deploy"),
        (("plan", *TARGET, "--deploy-off=x", "--deploy-on=x", "--skip-off"), "--skip-off"),
        (("plan", *FULL, "--hold=soon"), "'soon' is not a duration"),
        (("plan", *FULL, "--restore-after=-5"), "duration"),
        (("plan", *FULL, "--deploy-timeout=2h2h?"), "duration"),
        (("plan", *FULL, "--settle="), "duration"),
        (("plan", *FULL, "--ttl=short"), "neither a number of seconds nor keep"),
        (("plan", *FULL, "--ttl=-1"), "neither a number of seconds nor keep"),
        (("plan", *FULL, "--ttl=99999999999"), "neither a number of seconds nor keep"),
        (("plan", *FULL, "--negative-ttl=99999999999"), "not a number of seconds"),
        (("plan", *FULL, "--name-server=127.0.0.1:dns"), "port"),
        (("plan", *FULL, "--name-server=:53"), "no valid host"),
        (("plan", "--stack=s", "--deploy=x", "--record="), "domain name"),
        (("plan", "--stack=s", "--deploy=x", "--record=a b.example.com"), "domain name"),
        (("plan", "--stack=s", "--deploy=x", "--record=www..example.com"), "domain name"),
        (("plan", "--stack=s", "--deploy=x", "--record=www.example.com/ALIAS"), "record type"),
        (("plan", "--stack=s", "--deploy=x", "--record=www.example.com/A,"), "record type"),
        (("plan", "--stack=s", "--deploy=x", "--record=www.example.com", "--zone=a..b"), "label 2"),
        (("plan", *FULL, "--template=a.json", "--preview=b"), "--template and --preview"),
        (("plan", *FULL, "--parameter=A=b"), "--parameter belongs to --template"),
        (("plan", *FULL, "--template=a.json", "--parameter=Stage"), "is not KEY=VALUE"),
        (("plan", *FULL, "--template="), "--template"),
        (("plan", *FULL, "--output=xml"), "--output"),
        (("plan", *FULL, "--log-level=loud"), "--log-level"),
        (("plan", *FULL, "--endpoint-url=not-a-url"), "--endpoint-url"),
        (("rehearse", "--auto", "--scenario=unheard-of"), "unheard-of"),
        (("rehearse", "--virtual", "--runs=0"), "--runs"),
        (("rehearse", "--auto", "--speed=0"), "--speed"),
        (("rehearse", "--auto", "--like=x", "--scenario=alias"), "--like"),
        (("rehearse", "--auto", "--like=unheard-of"), "unheard-of"),
        (("rehearse", "--live", "--auto", "--yes-create"), "--zone"),
        (("rehearse", "--live", "--auto", "--zone=Z1"), "--yes-create"),
        (("rehearse", "--live", "--zone=Z1", "--virtual"), "--live measures a real account"),
        (("rehearse", "--live", "--zone=Z1", "--kinds=alias,mx"), "alias, a, cname, txt, ns"),
        (("rehearse", "--live", "--zone=Z1", "--kinds=a,a"), "each once"),
        (("rehearse", "--live", "--zone=Z1"), "no terminal"),
        (("rehearse", "--live", "--zone=Z1", "--on-event=x"), "does not use --on-event"),
        (("rehearse", "--virtual", "--yes-create"), "belong to --live"),
        (("rehearse", "--virtual", "--zone=Z1"), "does not use --zone"),
        (("rehearse", "--list", "--profile=x"), "does not use --profile"),
        (("report",), "there are no runs"),
        (("report", "--config=no-such-file", "x"), "no-such-file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_usage_error_is_one_clear_line_and_exit_2(
    program: Program, words: tuple[str, ...], said: str
) -> None:
    usage_error(program(*words, "--output=json" if "xml" not in str(words) else "-v"), said)
    assert not program.state.exists()


@pytest.mark.parametrize("option", ["--bridge", "--cloud-deadman=arn"])
def test_an_option_that_is_not_built_yet_is_never_accepted_and_ignored(
    program: Program, option: str
) -> None:
    usage_error(program("plan", *FULL, option), option.partition("=")[0])


def test_the_program_and_every_command_print_the_version(program: Program) -> None:
    for words in ((), *((command,) for command in COMMANDS)):
        ended = program(*words, "--version")
        assert ended.code == 0
        assert ended.out == f"route53-takeover {__version__}\n"
        assert ended.err == ""


def test_every_command_has_help_that_names_its_options(program: Program) -> None:
    overview = program("--help").out
    for command in COMMANDS:
        assert f"  {command} " in overview
        ended = program(command, "-h")
        assert ended.code == 0
        assert ended.err == ""
        for option in ("--state-dir", "--config", "--output", "--version", "--log-level"):
            assert option in ended.out, command


def test_help_is_the_same_without_colour_and_on_a_dumb_terminal(program: Program) -> None:
    plain = program("run", "--help").out
    assert "\x1b" not in plain
    program.env |= {"NO_COLOR": "1", "TERM": "dumb"}
    assert program("run", "--help").out == plain


def test_help_imports_neither_aws_nor_the_engine(program: Program) -> None:
    code = (
        "import sys\n"
        "from route53_takeover.cli import app as cli\n"
        "sys.argv = ['route53-takeover', 'run', '--help']\n"
        "try:\n    cli.main()\n"
        "except SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=program.env, capture_output=True, text=True, check=True
    )
    imported = set(ended.stderr.split())
    ours = {module for module in imported if module.startswith("route53_takeover.")}
    assert {module.partition(".")[2] for module in ours} == {
        *("base", "base.errors", "base.escaping", "base.redaction", "base.signals", "base.stdio"),
        *(
            "cli",
            "cli.app",
            "cli.given_options",
            "cli.help",
            "cli.help_texts",
            "cli.init_options",
            "cli.option_groups",
            "cli.option_types",
        ),
        "cli.options",
        "cli.policy_options",
        "cli.switch_options",
        "cli.takeover_options",
    }
    heavy = {"asyncio", "boto3", "botocore", "aiobotocore", "aiohttp", "dns", "msgspec", "rich"}
    assert not (heavy | {"structlog", "textual", "yaml"}) & imported
