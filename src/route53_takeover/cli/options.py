"""The options of the command line: names, types, defaults, and what they come to.

One declaration for each, in groups that the commands share. Every option has its
``ROUTE53_TAKEOVER_...`` variable and its key in takeover.toml. Imports only typer, like
`route53_takeover.cli.app`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from route53_takeover.base.errors import UsageError
from route53_takeover.cli import option_types as types
from route53_takeover.cli.given_options import Given, config_file, read_config_file
from route53_takeover.cli.option_types import LogLevel, Output, OwnersIn, Strategy

if TYPE_CHECKING:
    from route53_takeover.core.plan.model import Options
    from route53_takeover.storage.config import Common, Connection, Override

PREFIX = "ROUTE53_TAKEOVER_"


def option(*names: str, **more: Any) -> Any:  # noqa: ANN401 -- typer's own type for an option
    """An option with its environment variable: ``--endpoint-url``, ``..._ENDPOINT_URL``."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = PREFIX + long.removeprefix("--").upper().replace("-", "_")
    return typer.Option(*names, envvar=variable, show_envvar=False, **more)


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
        help="Whose records these are: read the stacks of all regions, or of this one; or "
        "trust your word.",
    ),
]
AutoOption = Annotated[bool, option("--auto", "--yes", help="Unattended: no screen.")]
ForceOption = Annotated[bool, option("--force", help="Replace what another writer has put there.")]
DryRunOption = Annotated[bool, option("--dry-run", help="Only say what would be done.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name of a run, or its beginning.")]
VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", help="Show the version and exit.", is_eager=True, callback=types.version
    ),
]


@dataclass(frozen=True, kw_only=True)
class Takeover:
    """What is taken over, and how."""

    stack: Annotated[
        str | None,
        option(
            "--stack",
            callback=types.not_empty,
            help="Name or ARN of the stack.",
            metavar="NAME|ARN",
        ),
    ] = None
    record: Annotated[
        list[str] | None,
        option(
            "--record",
            parser=types.record,
            help="Record to take over; may be repeated. Without it: every existing record that "
            "the pending template creates.",
            metavar="NAME[/TYPE[,TYPE]]",
        ),
    ] = None
    template: Annotated[
        str | None,
        option(
            "--template",
            callback=types.not_empty,
            help="Template that the deploy with the switch on will apply; nested ones beside it.",
            metavar="FILE",
        ),
    ] = None
    parameter: Annotated[
        list[str] | None,
        option(
            "--parameter",
            parser=types.parameter,
            help="Parameter of that template; may be repeated.",
            metavar="KEY=VALUE",
        ),
    ] = None
    preview: Annotated[
        str | None,
        option(
            "--preview",
            callback=types.not_empty,
            help="Command that creates a change set and does not execute it; run once, with "
            "ROUTE53_ENABLE=true. The change set is read and deleted.",
            metavar="CMD",
        ),
    ] = None
    accept_loss: Annotated[
        bool,
        option(
            "--accept-loss",
            help="Values of TXT, MX, CAA, ... that the stack's record does not have may be lost.",
        ),
    ] = False
    zone: Annotated[
        str | None,
        option("--zone", parser=types.zone, help="Hosted zone of the record.", metavar="ID|NAME"),
    ] = None
    deploy: Annotated[
        str | None,
        option(
            "--deploy",
            help="Command that deploys; run twice, with ROUTE53_ENABLE=false, then true.",
            metavar="CMD",
        ),
    ] = None
    deploy_off: Annotated[
        str | None,
        option("--deploy-off", help="Command that deploys with the switch off.", metavar="CMD"),
    ] = None
    deploy_on: Annotated[
        str | None,
        option("--deploy-on", help="Command that deploys with the switch on.", metavar="CMD"),
    ] = None
    jets: Annotated[
        Path | None,
        option(
            "--jets",
            help="Ruby on Jets app that stack and deploy command are derived from.",
            metavar="DIR",
        ),
    ] = None
    no_deploy: Annotated[
        bool, option("--no-deploy", help="Do not deploy; act on a deploy started elsewhere.")
    ] = False
    skip_off: Annotated[
        bool, option("--skip-off", help="Leave the deploy with the switch off out.")
    ] = False
    strategy: Annotated[
        Strategy | None, option("--strategy", help="How the record changes hands.")
    ] = None
    ttl: Annotated[
        str,
        option(
            "--ttl", parser=types.ttl, help="Lower TTLs to this beforehand.", metavar="SECONDS|keep"
        ),
    ] = "60"
    no_drain: Annotated[
        bool, option("--no-drain", help="Do not wait for the old TTL to run out.")
    ] = False
    hold: Annotated[
        float | None,
        option(
            "--hold",
            parser=types.duration,
            metavar="DURATION",
            help="Minimum time in CREATE_IN_PROGRESS before the record is deleted.",
        ),
    ] = None
    restore_after: Annotated[
        float | None,
        option(
            "--restore-after",
            parser=types.duration,
            metavar="DURATION",
            help="Put the record back after so long without a new one.",
        ),
    ] = None
    deploy_timeout: Annotated[
        float | None,
        option(
            "--deploy-timeout",
            parser=types.duration,
            metavar="DURATION",
            help="End a deploy command after this (2h).",
        ),
    ] = None
    settle: Annotated[
        float | None,
        option(
            "--settle",
            parser=types.duration,
            metavar="DURATION",
            help="Nothing may move for so long at the end.",
        ),
    ] = None
    confirm_release: Annotated[
        bool,
        option("--confirm-release", help="Wait for a key before the release; not with --auto."),
    ] = False
    owner_check: OwnerCheckOption = OwnersIn.FULL
    no_probe: Annotated[bool, option("--no-probe", help="Do not ask the name servers.")] = False

    def options(self) -> Options:
        """What a plan is made from.

        Raises:
            UsageError: options contradict each other, or one is missing.
        """
        from msgspec import convert

        from route53_takeover.core.plan.model import Options

        self._check_pending()
        if self.jets is not None:
            from route53_takeover.cli.jets import options_of

            return options_of(self, self.jets)
        if self.stack is None:
            raise UsageError(
                "there is no stack", "Give --stack NAME, or --jets DIR for a Ruby on Jets app."
            )
        self._check_deploy()
        if self.restore_after is not None and self.restore_after < _SHORTEST_DEADMAN:
            raise UsageError(
                f"--restore-after {self.restore_after:g} would put the record back before "
                "CloudFormation can try again",
                "Give it some seconds at least, or leave it out.",
            )
        off, on = self.deploy_off or self.deploy, self.deploy_on or self.deploy
        derived = {
            "records": self.record or (),
            "parameters": self.parameter or (),
            "deploy_off": None if self.no_deploy or self.skip_off else off,
            "deploy_on": None if self.no_deploy else on,
            "strategy_given": self.strategy is not None,
            "ttl": None if self.ttl == "keep" else int(self.ttl),
            "drain": not self.no_drain,
            "settle": (60.0 if self.no_deploy else 5.0) if self.settle is None else self.settle,
            "deploy_timeout": 7200.0 if self.deploy_timeout is None else self.deploy_timeout,
            "probe": not self.no_probe,
        }
        return convert({**vars(self), **derived}, Options)

    def _check_pending(self) -> None:
        if self.template is not None and self.preview is not None:
            raise UsageError(
                "--template and --preview both tell the pending template",
                f"Give one of them{_ELSEWHERE}.",
            )
        if self.parameter and self.template is None:
            raise UsageError(
                "--parameter belongs to --template", "A preview's command gives its own."
            )
        if not self.record and self.template is None and self.preview is None:
            raise UsageError(
                "no record was given",
                "Use --record NAME[/TYPE]; or --template or --preview, whose conflicts are taken.",
            )

    def _check_deploy(self) -> None:
        both, off, on = self.deploy, self.deploy_off, self.deploy_on
        if not self.no_deploy and not both and not on:
            raise UsageError(
                "there is no deploy command",
                "Give --deploy CMD, or --deploy-off CMD --deploy-on CMD, or --jets DIR, or "
                "--no-deploy.",
            )
        if self.no_deploy and (both or off or on):
            raise UsageError(
                "--no-deploy and a deploy command contradict each other",
                f"Leave one out{_ELSEWHERE}.",
            )
        if both and (off or on):
            raise UsageError(
                "--deploy stands for both of --deploy-off and --deploy-on",
                f"Give the one or the two{_ELSEWHERE}.",
            )
        if self.skip_off and off:
            raise UsageError(
                "--skip-off and --deploy-off contradict each other", f"Leave one out{_ELSEWHERE}."
            )
        if not self.no_deploy and not self.skip_off and not both and not off:
            raise UsageError(
                "there is no command for the deploy with the switch off",
                "Give --deploy-off CMD, or --skip-off.",
            )


_SHORTEST_DEADMAN = 1.0
_ELSEWHERE = f" (takeover.toml and {PREFIX}... count, too)"


@dataclass(frozen=True, kw_only=True)
class NameServerOptions:
    """Who is asked for a name, besides Route 53."""

    name_server: Annotated[
        list[str] | None,
        option(
            "--name-server",
            parser=types.name_server,
            help="Ask this one instead; may be repeated.",
            metavar="HOST[:PORT]",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class AccountOptions:
    """How the account is reached."""

    profile: Annotated[str | None, option("--profile", help="AWS profile.")] = None
    region: Annotated[str | None, option("--region", help="AWS region of the stack.")] = None
    endpoint_url: Annotated[
        str | None, option("--endpoint-url", help="AWS endpoint, such as an emulator's.")
    ] = None
    dns_profile: Annotated[
        str | None, option("--dns-profile", help="AWS profile for the zone, if another.")
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
        Path | None, option("--state-dir", help="Where runs are kept.", metavar="DIR")
    ] = None
    config: Annotated[
        Path | None,
        option(
            "--config",
            help="Options from a file; takeover.toml if there is one.",
            metavar="FILE",
            is_eager=True,
            callback=read_config_file,
        ),
    ] = None
    output: Annotated[Output, option("--output", help="What stdout carries.")] = Output.TEXT
    verbose: Annotated[bool, option("-v", "--verbose", help="Tell more.")] = False
    quiet: Annotated[bool, option("-q", "--quiet", help="Tell only what must be told.")] = False
    log_level: Annotated[LogLevel, option("--log-level", help="Of takeover.log.")] = LogLevel.INFO
    version: VersionOption = False

    def common(self) -> Common:
        """The same as a command has it; errors are printed in this ``--output`` from now on."""
        from route53_takeover.storage.config import Common

        Given.output = self.output
        return Common(
            state_dir=(self.state_dir or _default_state_dir(quiet=self.quiet)).absolute(),
            output=self.output,
            verbose=self.verbose,
            quiet=self.quiet,
            log_level=self.log_level,
            config=config_file(),
        )


def _default_state_dir(*, quiet: bool) -> Path:
    from route53_takeover.base.stdio import write_line
    from route53_takeover.storage.user_folders import state_folder

    folder = state_folder()
    if folder.warning and not quiet:
        write_line(f"warning: {folder.warning}", sys.stderr)
    return folder.path


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What is rehearsed."""

    scenario: Annotated[
        str | None, option("--scenario", help="Which one; see --list.", metavar="NAME")
    ] = None
    list_: Annotated[bool, option("--list", help="Show the scenarios, and how they end.")] = False
    virtual: Annotated[
        bool, option("--virtual", help="In process, on virtual time, with faults.")
    ] = False
    runs: Annotated[int, option("--runs", help="How many, with --virtual.", min=1)] = 1
    seed: Annotated[int, option("--seed", help="The same seed gives the same run.")] = 1
    speed: Annotated[
        float | None,
        option("--speed", help="Simulated seconds in a real one.", min=0.1, max=100.0),
    ] = None
