"""The options of `init`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from route53_takeover.cli import option_types as types
from route53_takeover.cli.help import Panel
from route53_takeover.cli.options import option


@dataclass(frozen=True, kw_only=True)
class Init:
    """What takeover.toml is to say; what is missing is asked for."""

    stack: Annotated[
        str | None,
        option(
            "--stack",
            panel=Panel.TARGET,
            callback=types.not_empty,
            metavar="NAME|ARN",
            help="Stack that has to own the record.",
        ),
    ] = None
    record: Annotated[
        list[str] | None,
        option(
            "--record",
            panel=Panel.TARGET,
            parser=types.record,
            metavar="NAME[/TYPE[,TYPE]]",
            help="Record to take over (repeatable).",
        ),
    ] = None
    zone: Annotated[
        str | None,
        option(
            "--zone",
            panel=Panel.TARGET,
            parser=types.zone,
            metavar="ID|NAME",
            help="Hosted zone of the records, if there are two of that name.",
        ),
    ] = None
    tool: Annotated[
        types.Tool | None,
        typer.Option(
            "--tool",
            rich_help_panel=Panel.DEPLOY,
            show_default="what the current folder looks like",
            help="What deploys the stack.",
        ),
    ] = None
    deploy: Annotated[
        str | None,
        option(
            "--deploy",
            panel=Panel.DEPLOY,
            callback=types.not_empty,
            metavar="CMD",
            show_default="the tool's usual command",
            help="Deploy command, run by sh twice: with ROUTE53_ENABLE=false, then true.",
        ),
    ] = None
    file: Annotated[
        Path,
        typer.Option("--file", metavar="FILE", help="File to write."),
    ] = Path("takeover.toml")
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Ask nothing; what is missing or ambiguous is an error."),
    ] = False
