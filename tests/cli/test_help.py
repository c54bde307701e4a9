"""``--help``: panels, defaults, examples that are right, and the width of the terminal."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
from tests.cli.in_process import call_main

from route53_takeover.cli import app
from route53_takeover.cli.given_options import PREFIX
from route53_takeover.cli.help import Panel, default_of, duration_text
from route53_takeover.cli.help_texts import EXAMPLES, EXIT_CODES

if TYPE_CHECKING:
    from tests.cli.program import Program

COMMANDS: dict[str, Any] = getattr(typer.main.get_command(app.app), "commands", {})
OPTIONS = [
    (name, param)
    for name, command in COMMANDS.items()
    for param in command.params
    if param.param_type_name == "option"
]


def _help(program: Program, *words: str, columns: int) -> str:
    env = program.env | {"COLUMNS": str(columns)}
    code, out, err = call_main((*words, "--help"), env, program.home)
    assert (code, err) == (0, "")
    return out


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_or_than_can_be_read(
    program: Program, columns: int
) -> None:
    for name in ("", *COMMANDS):
        words = [name] if name else []
        examples = {line for each in EXAMPLES.get(name, ()) for line in each.splitlines()}
        for line in _help(program, *words, columns=columns).splitlines():
            assert len(line) <= min(columns, 112) or line.strip() in {e.strip() for e in examples}


def test_the_list_of_commands_cuts_nothing(program: Program) -> None:
    overview = " ".join(_help(program, columns=80).split())
    assert "..." not in overview.replace("COMMAND [ARGS]...", "")
    for command in COMMANDS.values():
        assert " ".join(command.help.split()) in overview


def test_options_stand_in_panels_with_their_defaults(program: Program) -> None:
    out = _help(program, "plan", columns=100)
    titles = re.findall(r"^(\w[^\n]*):$", out, re.MULTILINE)
    assert titles == [
        "Examples",
        *(str(panel) for panel in Panel if panel not in (Panel.SITE, Panel.CHECKS, Panel.ALERTS)),
        "Exit codes",
    ]
    deploy = out.partition("\nDeploy:\n")[2].partition("\n\n")[0]
    assert "--deploy-timeout DURATION" in deploy
    assert "[default: 2h]" in deploy
    assert "--hold" not in deploy
    assert "[default: 5m]" in out, "a duration is shown as it is given"
    assert "ROUTE53_TAKEOVER_DEPLOY_TIMEOUT" in out
    assert "--notify/--no-notify" in _help(program, "run", columns=100), "both, where there are"


def test_a_variable_that_does_not_follow_from_the_option_is_shown(program: Program) -> None:
    assert "[variable: ROUTE53_TAKEOVER_SWITCH_DEPLOY]" in _help(program, "switch", columns=100)
    assert "[variable:" not in _help(program, "plan", columns=100)


def test_an_argument_is_called_the_same_in_usage_and_list(program: Program) -> None:
    out = _help(program, "resume", columns=100)
    (name,) = re.findall(r"^Usage: route53-takeover resume \[OPTIONS\] (.*)$", out, re.MULTILINE)
    assert f"\nArguments:\n  {name} " in out


@pytest.mark.parametrize(
    "example", [line for lines in EXAMPLES.values() for line in lines], ids=lambda line: line[17:50]
)
def test_an_example_is_a_line_that_the_program_takes(example: str) -> None:
    words = shlex.split(example.replace("\\\n", " ").partition(" > ")[0])
    assert words[0] == "route53-takeover"
    program: Any = typer.main.get_command(app.app)
    parent = program.make_context(words[0], words[1:])
    COMMANDS[words[1]].make_context(words[1], words[2:], parent=parent)


def test_examples_and_exit_codes_are_those_of_commands() -> None:
    assert {*EXAMPLES, *EXIT_CODES} - {""} <= set(COMMANDS)
    assert set(COMMANDS) <= set(EXAMPLES)


@pytest.mark.parametrize(
    ("name", "param"), OPTIONS, ids=lambda value: getattr(value, "name", value)
)
def test_every_option_says_what_it_takes(name: str, param: Any) -> None:
    assert param.help, name
    assert param.rich_help_panel in {*Panel, None}
    if not param.is_flag:
        assert param.metavar or hasattr(param.type, "choices"), "<str> says nothing"
    if default_of(param) and param.metavar == "DURATION":
        assert re.match(r"\d+(\.\d+)?[smh]|\D", default_of(param))
    if param.envvar:
        assert param.envvar.startswith(PREFIX)


@pytest.mark.parametrize(
    ("seconds", "text"), [(90.0, "90s"), (300.0, "5m"), (7200.0, "2h"), (0.5, "0.5s"), (0.0, "0s")]
)
def test_a_duration_is_shown_as_an_option_takes_it(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
