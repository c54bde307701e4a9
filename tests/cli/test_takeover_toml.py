"""takeover.toml: the schema, the annotated file and the program agree on what is in it."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, cast

import fastjsonschema
import pytest
import typer.main
from tests.cli.program import plain_error

from route53_takeover.cli import app
from route53_takeover.cli.config_keys import all_keys, example_text, schema
from route53_takeover.cli.config_writer import config_text

if TYPE_CHECKING:
    from tests.cli.program import Cloud, Program
    from typer.core import TyperGroup

PROGRAM = cast("TyperGroup", typer.main.get_command(app.app))
_LINE = re.compile(r"^# (?=[a-z][a-z-]* = )", re.MULTILINE)
valid = fastjsonschema.compile(schema(PROGRAM))
FULL = _LINE.sub("", example_text(PROGRAM))
"""The page's file with every key set."""


def test_every_key_is_shown_once() -> None:
    loaded = tomllib.loads(FULL)
    top, switch = all_keys(PROGRAM)
    assert set(loaded.pop("switch")) == set(switch)
    assert set(loaded) == set(top)


def test_what_the_page_shows_is_valid_and_so_is_each_value_to_its_option(program: Program) -> None:
    loaded = tomllib.loads(FULL)
    valid(loaded)
    plain = {k: v for k, v in loaded.items() if k not in ("switch", "state-dir", "endpoint-url")}
    for table, command, values in (
        ("", "plan", plain),
        ("", "rehearse", plain),
        ("[switch]\n", "switch", loaded["switch"]),
    ):
        for key, value in values.items():
            text = f"{table}{key} = {json.dumps(value)}\n"
            (program.home / "takeover.toml").write_text(text)
            told = program(command, "--region=", "--profile=", "--auto" if table else "-q").err
            assert "takeover.toml" not in told.partition(" is from ")[0], (key, told)


@pytest.mark.parametrize(
    "text",
    [
        "stak = 'x'",
        "no-probe = 1",
        "record = 5",
        "record = ['a', 1]",
        "strategy = 'best'",
        "hold = 'soon'",
        "hold = -1",
        "ttl = 'short'",
        "[switch]\nstack = 'x'",
        "[plan]\nstack = 'x'",
        "[switch]\nmax-failures = -1",
    ],
)
def test_the_schema_and_the_program_refuse_the_same(program: Program, text: str) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        valid(tomllib.loads(text))
    (program.home / "takeover.toml").write_text(text)
    command = "switch" if "max-failures" in text else "plan"
    ended = program(command, "--auto") if command == "switch" else program(command)
    assert ended.code == 2
    assert "takeover.toml, line " in ended.err


@pytest.mark.parametrize(
    "text", ["hold = 5", "hold = '1h30m'", "ttl = 300", "ttl = 'keep'", "record = 'a.b'"]
)
def test_the_schema_takes_what_the_program_takes(text: str) -> None:
    valid(tomllib.loads(text))


def test_a_written_file_is_valid_and_says_nothing_but_the_given_values() -> None:
    values: dict[str, Any] = {
        "stack": 'sh"op\\',
        "record": ["a.b/A", "c.d"],
        "hold": 90.0,
        "no_probe": True,
        "negative_ttl": 60,
        "weights": "50,100",
    }
    loaded = tomllib.loads(config_text(PROGRAM, values))
    valid(loaded)
    assert loaded == {
        "stack": 'sh"op\\',
        "record": ["a.b/A", "c.d"],
        "hold": "90s",
        "no-probe": True,
        "negative-ttl": "1m",
        "weights": "50,100",
    }


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "-0.5"])
def test_a_number_that_is_no_duration_is_refused(program: Program, number: str) -> None:
    (program.home / "takeover.toml").write_text(f"hold = {number}\n")
    ended = program("plan")
    assert ended.code == 2
    assert "takeover.toml, line 1: invalid value for --hold" in ended.err


def test_the_options_of_a_plan_are_written_and_read_again(program: Program, account: Cloud) -> None:
    given = ["--stack=shop", "--record=www.example.com", "--deploy=make 'it' \"so\"", "--hold=90"]
    reach = [f"--endpoint-url={account.url}", "--owner-check=region", "--no-probe", "--ttl=5m"]
    program.env["ROUTE53_TAKEOVER_SETTLE"] = "7s"
    told = program("plan", *given, *reach, "--write-config", "takeover.toml", "--output=json")
    assert told.code == 0
    assert "wrote takeover.toml" in told.err
    del program.env["ROUTE53_TAKEOVER_SETTLE"]
    written = program.home / "takeover.toml"
    assert (written.stat().st_mode & 0o777) == 0o644
    assert written.read_text().startswith("#:schema ./takeover.schema.json\n")
    assert (program.home / "takeover.schema.json").exists()
    again = program("plan", "--output=json")
    assert again.lines[0]["run_line"] == told.lines[0]["run_line"]
    assert again.lines[0]["steps"] == told.lines[0]["steps"]
    before = written.read_text()
    plain_error(program("plan", "--write-config=takeover.toml"), 2, "takeover.toml exists")
    assert written.read_text() == before


def test_a_file_is_written_neither_with_a_credential_nor_for_options_that_contradict(
    program: Program,
) -> None:
    secret = ["--stack=s", "--record=a.b", "--deploy=API_TOKEN=0123456789abcdef x"]
    plain_error(program("plan", *secret, "--write-config=a.toml"), 2, "contains a credential")
    wrong = ["--stack=s", "--record=a.b", "--deploy=x", "--no-deploy"]
    plain_error(program("plan", *wrong, "--write-config=a.toml"), 2, "contradict")
    assert not (program.home / "a.toml").exists()
    (program.home / "a.toml").symlink_to(program.home / "b.toml")
    plain_error(program("plan", *secret[:2], "--no-deploy", "--write-config=a.toml"), 2, "a.toml")
    assert not (program.home / "b.toml").exists()
