"""Groups of options: typer sees one parameter an option, a command gets the groups."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from typing import Annotated

import pytest
import typer

from route53_takeover.base.errors import ExitCode
from route53_takeover.cli.option_groups import grouped
from route53_takeover.cli.option_types import ttl
from route53_takeover.cli.options import AccountOptions, ConnectionOptions
from route53_takeover.cli.takeover_options import Takeover
from route53_takeover.core.plan.model import Options, OwnerCheck
from route53_takeover.storage.config import Connection, Override


@dataclass(frozen=True, kw_only=True)
class Fruit:
    """A group."""

    kind: Annotated[str, typer.Option("--kind")]
    weight: Annotated[int, typer.Option("--weight")] = 3


def test_a_command_is_called_with_its_groups_and_ends_with_its_exit_code() -> None:
    given: list[object] = []

    def eat(*, slowly: Annotated[bool, typer.Option("--slowly")] = False, fruit: Fruit) -> ExitCode:
        """Eats."""
        given.extend([slowly, fruit])
        return ExitCode.REFUSED

    command = grouped(eat)
    with pytest.raises(typer.Exit) as ended:
        command(slowly=True, kind="pear", weight=5)
    assert ended.value.exit_code is ExitCode.REFUSED
    assert given == [True, Fruit(kind="pear", weight=5)]
    assert (command.__name__, command.__doc__) == ("eat", "Eats.")
    parameters = inspect.signature(command).parameters
    assert list(parameters) == ["kind", "slowly", "weight"], "what is required comes first"
    assert parameters["weight"].default == 3


def test_options_of_the_same_name_are_a_plans_and_the_others_are_derived() -> None:
    most = Takeover(
        stack="shop",
        record=["www.example.com"],
        zone="Z1",
        deploy="make deploy",
        hold=3.0,
        restore_after=90.0,
        confirm_release=True,
    )
    assert most.options() == Options(
        stack="shop",
        records=("www.example.com",),
        zone="Z1",
        deploy_off="make deploy",
        deploy_on="make deploy",
        hold=3.0,
        restore_after=90.0,
        confirm_release=True,
    )
    watching = Takeover(stack="shop", record=["a.b"], no_deploy=True, ttl="keep", no_drain=True)
    made = watching.options()
    assert (made.deploy_off, made.deploy_on, made.settle) == (None, None, 60.0)
    assert (made.ttl, made.drain, made.probe) == (None, False, True)
    assert type(made.owner_check) is OwnerCheck


def test_every_option_of_a_plan_is_an_option_of_the_command_line_or_derived_from_one() -> None:
    derived = {"records", "parameters", "strategy_given", "drain", "probe"}
    assert {*Options.__struct_fields__} - derived <= {field.name for field in fields(Takeover)}


def test_a_connection_is_what_was_given_and_an_override_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    given = ConnectionOptions(region="eu-west-1", name_server=["127.0.0.1:53"])
    servers = ("127.0.0.1:53",)
    assert given.connection() == Connection(region="eu-west-1", name_servers=servers)
    assert given.override() == Override(region="eu-west-1", name_servers=servers)
    assert ConnectionOptions(name_server=[]).override() == Override()
    assert AccountOptions(profile="work").override() == Override(profile="work")


@pytest.mark.parametrize(
    ("given", "seconds"), [("60", 60), ("5m", 300), ("1h30m", 5400), ("keep", None)]
)
def test_a_ttl_is_read_as_every_duration(given: str, seconds: int | None) -> None:
    made = Takeover(stack="shop", record=["a.b"], no_deploy=True, ttl=ttl(given)).options()
    assert made.ttl == seconds
