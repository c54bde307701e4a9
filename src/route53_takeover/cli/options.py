"""The options of the command line: names, types, defaults, and what they come to.

One declaration for each, in groups that the commands share. Every option has its
``ROUTE53_TAKEOVER_...`` variable and its key in takeover.toml. Imports only typer, like
`route53_takeover.cli.app`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from route53_takeover.base.errors import UsageError
from route53_takeover.cli import option_types as types
from route53_takeover.cli.given_options import (
    PREFIX,
    Given,
    config_file,
    is_given_for_this,
    read_config_file,
)
from route53_takeover.cli.help import Panel
from route53_takeover.cli.option_types import LogLevel, Output, OwnersIn, ReportOutput

if TYPE_CHECKING:
    from route53_takeover.storage.config import Common, Connection, Override


def option(*names: str, panel: Panel = Panel.COMMAND, of: str = "", **more: Any) -> Any:  # noqa: ANN401 -- typer's own type for an option
    """An option with its environment variable: ``--endpoint-url``, ``..._ENDPOINT_URL``.

    Args:
        panel: the part of ``--help`` that it is in.
        of: comes before the variable's name, where another command has such an option too and
            means something else by it: ``SWITCH_``.
    """
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = PREFIX + of + long.removeprefix("--").upper().replace("-", "_")
    return typer.Option(*names, envvar=variable, rich_help_panel=panel, **more)


StackOption = Annotated[
    str,
    option(
        "--stack",
        callback=types.not_empty,
        help="Name or ARN of the stack.",
        metavar="NAME|ARN",
    ),
]
OwnerCheckOption = Annotated[
    OwnersIn,
    option(
        "--owner-check",
        panel=Panel.TARGET,
        metavar="full|region|none",
        help="Where to look for other stacks that own the records: all regions, the stack's "
        "region, or nowhere (you state that there are none).",
    ),
]
AutoOption = Annotated[
    bool, option("--auto", "--yes", help="Run unattended: no screen, no questions.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Also save the plan for `run --plan FILE`.", metavar="FILE"),
]
WriteConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--write-config",
        help="Write the options of this plan into a new, annotated takeover.toml.",
        metavar="FILE",
    ),
]
PlanOption = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        help="Run the plan that `plan --out FILE` saved, if nothing that matters has changed. It "
        "contains the options of the takeover.",
        metavar="FILE",
    ),
]
ForceOption = Annotated[
    bool, option("--force", help="Also replace a record that another writer has put there.")
]
DryRunOption = Annotated[
    bool, option("--dry-run", help="Print what would be done; change nothing.")
]
DeleteOption = Annotated[
    bool,
    option(
        "--delete",
        help="Delete the stack, if nothing breaks; the live site is watched meanwhile, and what "
        "the delete takes from it is put back.",
    ),
]
DeleteCommandOption = Annotated[
    str | None,
    option(
        "--delete-command",
        callback=types.not_empty,
        help="The same by a shell command, such as 'jets delete --yes'.",
        metavar="CMD",
    ),
]
LookOption = Annotated[
    bool,
    option(
        "--dry-run",
        help="Read everything, write nothing, and run the checks against green.",
    ),
]
PolicyOption = Annotated[
    bool,
    option("--policy", help="Print the least-privilege IAM policy for this switch, and end."),
]
RehearseItOption = Annotated[
    bool,
    option(
        "--dry-run",
        help="Read everything, write nothing, and rehearse this very plan in a simulated account "
        "made of what was read. No deploy command is run.",
    ),
]
RunArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="Name of a run's folder, or the beginning of it, or 'last'. Without it: the newest "
        "that is alive, else the newest.",
        show_default=False,
    ),
]
InstallCompletionOption = Annotated[
    bool,
    typer.Option(
        "--install-completion",
        metavar="[SHELL]",
        rich_help_panel=Panel.COMMON,
        help="Install the completion for bash, zsh or fish (else your own shell).",
        is_eager=True,
        callback=types.install_completion,
    ),
]
ShowCompletionOption = Annotated[
    bool,
    typer.Option(
        "--show-completion",
        metavar="[SHELL]",
        rich_help_panel=Panel.COMMON,
        help="Print the completion script instead.",
        is_eager=True,
        callback=types.show_completion,
    ),
]
PruneOption = Annotated[
    bool,
    typer.Option(
        "--prune",
        help="Remove the folders of rehearsals and of old runs that are over; never one that is "
        "alive, has not ended or is unknown.",
    ),
]
OlderThanOption = Annotated[
    float,
    typer.Option(
        "--older-than",
        parser=types.age,
        help="With --prune: age from which runs are removed, such as 12h or 30d.",
        metavar="AGE",
        show_default="30d",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="With --prune: remove without a question.")]
VersionOption = Annotated[
    bool,
    typer.Option(
        "--version",
        rich_help_panel=Panel.COMMON,
        help="Show the version and exit.",
        is_eager=True,
        callback=types.version,
    ),
]


@dataclass(frozen=True, kw_only=True)
class NameServerOptions:
    """Who is asked for a name, besides Route 53."""

    name_server: Annotated[
        list[str] | None,
        option(
            "--name-server",
            panel=Panel.ACCOUNT,
            parser=types.name_server,
            help="Query this name server instead of the zone's own (repeatable).",
            metavar="HOST[:PORT]",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class AccountOptions:
    """How the account is reached."""

    profile: Annotated[
        str | None,
        option(
            "--profile",
            panel=Panel.ACCOUNT,
            metavar="NAME",
            help="AWS profile (else AWS_PROFILE).",
        ),
    ] = None
    region: Annotated[
        str | None,
        option(
            "--region",
            panel=Panel.ACCOUNT,
            metavar="REGION",
            help="AWS region of the stack (else AWS_REGION, then the profile's).",
        ),
    ] = None
    endpoint_url: Annotated[
        str | None,
        option(
            "--endpoint-url",
            panel=Panel.ACCOUNT,
            metavar="URL",
            help="AWS endpoint, for example of an emulator (else AWS_ENDPOINT_URL).",
        ),
    ] = None
    dns_profile: Annotated[
        str | None,
        option(
            "--dns-profile",
            panel=Panel.ACCOUNT,
            metavar="NAME",
            help="AWS profile for the hosted zone, if it is in another account.",
        ),
    ] = None

    def connection(self) -> Connection:
        """The same with what AWS's own variables add."""
        from msgspec import convert

        from route53_takeover.storage.config import Connection

        return convert(self._given(), Connection).effective(os.environ)

    def override(self) -> Override:
        """What this command line says of a run's connection."""
        from msgspec import convert

        from route53_takeover.storage.config import Override

        return convert(self._given(), Override)

    def _given(self) -> dict[str, Any]:
        """The options, by the names that a connection has for them."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return (
            {**given, "name_servers": servers} if (servers := given.get("name_server")) else given
        )


@dataclass(frozen=True, kw_only=True)
class ConnectionOptions(AccountOptions, NameServerOptions):
    """How the account and its name servers are reached."""


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """What every command takes."""

    state_dir: Annotated[
        Path | None,
        option(
            "--state-dir",
            panel=Panel.COMMON,
            metavar="DIR",
            show_default="the user's state folder",
            help="Folder for the runs.",
        ),
    ] = None
    config: Annotated[
        Path | None,
        option(
            "--config",
            panel=Panel.COMMON,
            metavar="FILE",
            show_default="takeover.toml, if it exists",
            help="File with options.",
            is_eager=True,
            callback=read_config_file,
        ),
    ] = None
    output: Annotated[
        Output, option("--output", panel=Panel.COMMON, metavar="text|json", help="Output format.")
    ] = Output.TEXT
    verbose: Annotated[
        bool, option("-v", "--verbose", panel=Panel.COMMON, help="Print more events.")
    ] = False
    quiet: Annotated[
        bool, option("-q", "--quiet", panel=Panel.COMMON, help="Print only errors and the result.")
    ] = False
    log_level: Annotated[
        LogLevel, option("--log-level", panel=Panel.COMMON, help="Level of takeover.log.")
    ] = LogLevel.INFO
    version: VersionOption = False

    def common(self) -> Common:
        """The same as a command has it; errors are printed in this ``--output`` from now on."""
        from route53_takeover.cli.takeover_options import Takeover
        from route53_takeover.storage.config import Common

        Given.output = self.output
        return Common(
            state_dir=(self.state_dir or _default_state_dir(quiet=self.quiet)).absolute(),
            output=self.output,
            verbose=self.verbose,
            quiet=self.quiet,
            log_level=self.log_level,
            config=config_file(field.name for field in fields(Takeover)),
        )


@dataclass(frozen=True, kw_only=True)
class RunningOptions(CommonOptions):
    """What every command takes that starts a run or resumes one."""

    on_event: Annotated[
        str | None,
        option(
            "--on-event",
            panel=Panel.ALERTS,
            callback=types.not_empty,
            help="Shell command that is run when a gap opens or closes, when the run needs you, "
            "and when it ends; it gets the event as JSON on stdin.",
            metavar="CMD",
        ),
    ] = None
    notify: Annotated[
        bool | None,
        option(
            "--notify/--no-notify",
            panel=Panel.ALERTS,
            show_default="where the terminal is known to have them, and not in a rehearsal",
            help="Desktop notifications of the same by the terminal.",
        ),
    ] = None

    def common(self) -> Common:
        """The same with where alerts go; of a rehearsal only as its own command line says."""
        from msgspec.structs import replace

        given = super().common()
        if is_given_for_this("on_event"):
            given = replace(given, on_event=self.on_event or "")
        return replace(given, notify=self.notify) if is_given_for_this("notify") else given


@dataclass(frozen=True, kw_only=True)
class ReportOptions(CommonOptions):
    """The same of `report`, which has more formats."""

    output: Annotated[
        ReportOutput,
        option(
            "--output",
            panel=Panel.COMMON,
            metavar="text|json|markdown|html",
            help="Output format; html is one self-contained page.",
        ),
    ] = ReportOutput.TEXT  # type: ignore[assignment]  # it has all of the others' formats


def _default_state_dir(*, quiet: bool) -> Path:
    from route53_takeover.base.stdio import write_line
    from route53_takeover.storage.user_folders import state_folder

    folder = state_folder()
    if folder.warning and not quiet:
        write_line(f"warning: {folder.warning}", sys.stderr)
    return folder.path


KindsOption = Annotated[
    str,
    option(
        "--kinds",
        callback=types.kinds,
        help="Kinds of records to measure: alias, a, cname, txt, ns.",
        metavar="KINDS",
    ),
]
ProtectionsOption = Annotated[
    bool,
    option("--protections", help="Also measure creates that a record set protection forbids."),
]


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What is rehearsed."""

    scenario: Annotated[
        str | None,
        option(
            "--scenario",
            metavar="NAME",
            show_default="alias",
            help="Scenario to rehearse; see --list.",
        ),
    ] = None
    like: Annotated[
        str | None,
        option(
            "--like",
            callback=types.not_empty,
            help="Rehearse the plan of this run, or of a file of `plan --out`, without AWS.",
            metavar="RUN|FILE",
        ),
    ] = None
    list_: Annotated[bool, option("--list", help="List the scenarios and their outcomes.")] = False
    virtual: Annotated[
        bool, option("--virtual", help="Rehearse in process, on virtual time, with faults.")
    ] = False
    runs: Annotated[
        int, option("--runs", metavar="N", help="Number of rehearsals, with --virtual.", min=1)
    ] = 1
    seed: Annotated[
        int,
        option("--seed", metavar="N", help="Random seed; the same seed gives the same run."),
    ] = 1
    speed: Annotated[
        float | None,
        option(
            "--speed", metavar="X", help="Simulated seconds per real second.", min=0.1, max=100.0
        ),
    ] = None

    live: Annotated[
        bool,
        option(
            "--live",
            help="Measure this account's CloudFormation with throw-away names and a throw-away "
            "stack; asks first.",
        ),
    ] = False
    zone: Annotated[
        str | None,
        option(
            "--zone",
            parser=types.zone,
            help="Hosted zone for the throw-away names, with --live.",
            metavar="ID|NAME",
        ),
    ] = None
    kinds: KindsOption = "alias,a,cname"
    protections: ProtectionsOption = False
    yes_create: Annotated[
        bool,
        option(
            "--yes-create",
            help="Create the throw-away records and the stack without asking, with --auto.",
        ),
    ] = False

    def check(self, *, auto: bool) -> None:
        """Refuses what does not go together."""
        if self.live:
            self._check_live(auto=auto)
        elif self.protections or self.yes_create:
            raise UsageError("--protections and --yes-create belong to --live", "Add --live.")
        if self.like is not None and (self.scenario is not None or self.virtual or self.list_):
            raise UsageError(
                "--like has a plan of its own: it cannot be combined with --scenario, --virtual "
                "and --list",
                "Leave one out.",
            )

    def _check_live(self, *, auto: bool) -> None:
        others = (self.scenario, self.like, self.speed, self.list_ or None, self.virtual or None)
        if any(each is not None for each in others):
            raise UsageError(
                "--live measures a real account: it cannot be combined with --scenario, --like, "
                "--speed, --list and --virtual",
                "Leave them out.",
            )
        if self.zone is None:
            raise UsageError(
                "--live needs the zone that the throw-away names go to", "Add --zone ID|NAME."
            )
        if auto and not self.yes_create:
            raise UsageError(
                "--live --auto creates records and a stack without asking",
                "Add --yes-create to agree to that.",
            )
