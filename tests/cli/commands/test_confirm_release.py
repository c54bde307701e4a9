"""``--confirm-release`` on the command line: who asks for it has to be there."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING

import pytest
import typer.main

from route53_takeover.base.errors import UsageError
from route53_takeover.cli import app
from route53_takeover.cli.given_options import run_line

if TYPE_CHECKING:
    import click

TARGET = ("--stack=shop", "--record=www.example.com", "--deploy=make deploy")


def command(name: str) -> click.Command:
    group = typer.main.get_command(app.app)
    found: click.Command = getattr(group, "commands")[name]  # noqa: B009 -- no type has it
    return found


def test_confirm_release_is_refused_for_an_unattended_run() -> None:
    with pytest.raises(UsageError, match="no one can confirm the release") as refused:
        command("run").main([*TARGET, "--auto", "--confirm-release"], standalone_mode=False)
    assert refused.value.exit_code == 2
    assert "Leave one out" in refused.value.hint


@pytest.mark.parametrize("confirm", [False, True])
def test_the_run_line_of_a_plan_is_unattended_unless_the_release_is_to_be_confirmed(
    confirm: bool,
) -> None:
    given = [*TARGET, *(["--confirm-release"] if confirm else [])]
    with command("plan").make_context("plan", given) as ctx:
        words = run_line(typing.cast("typer.Context", ctx)).split()
    assert ("--confirm-release" in words) == confirm
    assert ("--auto" in words) != confirm


@pytest.mark.parametrize("name", ["plan", "policy", "run"])
def test_the_option_is_where_the_plan_is_made(name: str) -> None:
    assert "confirm_release" in {one.name for one in command(name).params}
