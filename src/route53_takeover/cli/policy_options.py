"""The options of `policy`: those of a takeover, and the template of the deadman in AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from route53_takeover.cli import option_types as types
from route53_takeover.cli.given_options import PREFIX
from route53_takeover.cli.help import Panel
from route53_takeover.cli.takeover_options import Takeover

DeadmanTemplateOption = Annotated[
    bool,
    typer.Option(
        "--cloud-deadman",
        help="Print the CloudFormation template of the deadman in AWS instead: a state machine, "
        "and a role that may only create these records.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class PolicyTakeover(Takeover):
    """The same for `policy`, where ``--cloud-deadman`` asks for the template instead."""

    cloud_deadman: Annotated[
        str | None,
        typer.Option(
            "--cloud-deadman-role",
            parser=types.role,
            envvar=f"{PREFIX}CLOUD_DEADMAN",
            rich_help_panel=Panel.RELEASE,
            metavar="ROLE_ARN",
            help="What a run gets as --cloud-deadman: the policy allows to start and stop it.",
        ),
    ] = None
