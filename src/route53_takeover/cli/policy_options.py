"""The options of `policy`: those of a takeover, of a measurement, and the deadman's template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from route53_takeover.base.errors import UsageError
from route53_takeover.cli import option_types as types
from route53_takeover.cli.given_options import PREFIX
from route53_takeover.cli.help import Panel
from route53_takeover.cli.options import KindsOption, ProtectionsOption
from route53_takeover.cli.takeover_options import Takeover

DeadmanTemplateOption = Annotated[
    bool,
    typer.Option(
        "--cloud-deadman",
        help="Print the CloudFormation template of the deadman in AWS instead: a state machine, "
        "and a role that may only create these records.",
    ),
]

LiveOption = Annotated[
    bool,
    typer.Option(
        "--live",
        help="Print the policy of `rehearse --live` instead: only throw-away names below --zone, "
        "and the throw-away stack.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class MeasurementPolicy:
    """Whether the policy is that of a measurement, and of which."""

    live: LiveOption = False
    kinds: KindsOption = "alias,a,cname"
    protections: ProtectionsOption = False

    def check(self, zone: str | None) -> None:
        """Refuses what does not go together."""
        if self.live and zone is None:
            raise UsageError(
                "--live needs the zone that the throw-away names go to", "Add --zone ID|NAME."
            )
        if self.protections and not self.live:
            raise UsageError("--protections belongs to --live", "Add --live.")


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
