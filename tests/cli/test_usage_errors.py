"""A wrong command line: what was meant, and which line, variable or file said it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.program import plain_error

if TYPE_CHECKING:
    from tests.cli.program import Program

FULL = ("--stack=s", "--record=www.example.com", "--deploy=x")


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("pln",), "no such command 'pln'", "Did you mean 'plan'?"),
        (("help",), "no such command 'help'", "Did you mean --help?"),
        (("plan", "--stak=x"), "no such option: --stak", "Did you mean --stack?"),
        (("plan", "--restor", "1m"), "no such option: --restor", "--restore-after?"),
        (("run", "--no-notfy"), "no such option: --no-notfy", "Did you mean --no-notify or"),
        (("plan", "--check=x"), "no such option: --check", "--check is an option of `switch`."),
        (("plan", "--zzz"), "no such option: --zzz", "See `route53-takeover plan --help`."),
        (("plan", *FULL, "--output=jsn"), "invalid value for --output: 'jsn'", "Did you mean json"),
        (("plan", *FULL, "--hold=soon"), "invalid value for --hold: 'soon'", "plan --help"),
        (("rehearse", "--scenario=alis"), "no scenario 'alis'", "Did you mean alias?"),
        (("rehearse", "--auto", "--scenario=alis"), "no scenario 'alis'", "Did you mean alias?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_told_with_what_was_meant(
    program: Program, words: tuple[str, ...], said: str, hint: str
) -> None:
    plain_error(program(*words), 2, said, hint=hint)


def test_a_line_without_a_command_is_answered_with_the_help(program: Program) -> None:
    ended = program()
    assert (ended.code, ended.out) == (2, "")
    assert "Take over a record:" in ended.err


def test_a_bad_value_is_reported_with_the_place_that_it_is_from(program: Program) -> None:
    (program.home / "takeover.toml").write_text('stack = "shop"\n\n"hold" = "soon"\n')
    line = plain_error(program("plan", *FULL), 2, "'soon' is not a duration")
    assert line.startswith("error: takeover.toml, line 3: invalid value for --hold: ")
    program.env["ROUTE53_TAKEOVER_HOLD"] = "later"
    line = plain_error(program("plan", *FULL), 2, "'later' is not a duration")
    assert line.startswith("error: ROUTE53_TAKEOVER_HOLD: invalid value for --hold: ")
    line = plain_error(program("plan", *FULL, "--hold=now"), 2, "'now' is not a duration")
    assert line.startswith("error: invalid value for --hold: ")


def test_options_that_contradict_each_other_are_named_with_their_places(program: Program) -> None:
    (program.home / "takeover.toml").write_text("# ours\nno_deploy = true\n")
    program.env["ROUTE53_TAKEOVER_DEPLOY"] = "make"
    told = program("plan", "--stack=s", "--record=www.example.com")
    plain_error(told, 2, "contradict", hint="--no-deploy is from takeover.toml, line 2")
    plain_error(told, 2, "contradict", hint="--deploy is from ROUTE53_TAKEOVER_DEPLOY")
    told = program("plan", *FULL)
    assert "--deploy is from" not in told.err, "it was given on this line"


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ('stack = "shop"\nno-drian = true\n', 'line 2: unknown key "no-drian"', '"no-drain"'),
        ('zone = """\nstak = 1\n"""\nstak = "x"\n', 'line 4: unknown key "stak"', '"stack"'),
        ('record = [\n "a",\n]\nno-probe = 1\n', "line 4: no-probe is not true", "Fix line 4."),
        ('[switch]\nstack = "s"\n', 'line 2: unknown key "stack"', ""),
        ('stack = "s"\n[switch]\ndoman = "x"\n', 'line 3: unknown key "doman"', '"domain"'),
        ('stack = "s"\nswitch = "x"\n', "line 2: switch is no table", "[switch]"),
        ('[plan]\nstack = "s"\n', 'line 1: unknown key "plan"', ""),
    ],
)
def test_a_mistake_in_the_file_is_reported_with_its_line(
    program: Program, text: str, line: str, hint: str
) -> None:
    (program.home / "takeover.toml").write_text(text)
    plain_error(program("runs"), 2, f"takeover.toml, {line}", hint=hint)


def test_a_ttl_is_a_duration_as_every_other(program: Program) -> None:
    (program.home / "takeover.toml").write_text('ttl = "5 minutes"\n')
    plain_error(program("plan", *FULL), 2, "takeover.toml, line 1", "nor keep")
    for words in (("--ttl=1.5s",), ("--ttl=-1",), ("--negative-ttl=soon",)):
        plain_error(program("plan", *FULL, *words), 2, "a number of seconds")


def test_a_misspelled_profile_is_told_with_the_one_that_was_meant_and_its_place(
    program: Program,
) -> None:
    (program.home / "aws-config").write_text("[profile production]\nregion = eu-west-1\n")
    (program.home / "takeover.toml").write_text('\nprofile = "producton"\n')
    told = program("plan", *FULL)
    plain_error(told, 1, "producton", hint="did you mean production?")
    plain_error(told, 1, "producton", hint="--profile is from takeover.toml, line 2.")
