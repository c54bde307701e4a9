"""The options of the command line: names, types, defaults, and what they come to.

One declaration for each, shared by the commands. Every option has its ``ROUTE53_TAKEOVER_...``
variable and its key in takeover.toml; flags win over the environment, that over the file. Imports
only typer, like `route53_takeover.cli.app`.
"""

from __future__ import annotations

import os
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from route53_takeover import __version__
from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from route53_takeover.core.plan.model import Options
    from route53_takeover.storage.config import Common, ConfigFile, Connection, Override

PROGRAM = "route53-takeover"
PREFIX = "ROUTE53_TAKEOVER_"


class Output(StrEnum):
    """What stdout carries."""

    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """How much goes to takeover.log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Strategy(StrEnum):
    """How the record changes hands."""

    DELETE = "delete"


class OwnersIn(StrEnum):
    """Where other stacks are read for an owner: `route53_takeover.core.plan.model.OwnerCheck`."""

    FULL = "full"
    REGION = "region"
    NONE = "none"


def _duration(value: str | float) -> float:
    from route53_takeover.storage.config import seconds

    if isinstance(value, int | float):
        return float(value)
    try:
        return seconds(value)
    except UsageError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error


_DIGITS = 20


def _ttl(value: str | int) -> str:
    text = str(value)
    if text == "keep" or (text.isdecimal() and len(text) < _DIGITS and int(text) < 2**31):
        return text
    raise typer.BadParameter(f"{text!r} is neither seconds nor keep")


def _record(value: str) -> str:
    from route53_takeover.storage.config import check_record

    try:
        return check_record(value)
    except UsageError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error


def _name_server(value: str) -> str:
    from route53_takeover.adapters.dns import parse_name_server

    try:
        parse_name_server(value)
    except UsageError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error
    return value


def _given(value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise typer.BadParameter("it is empty")
    return value


def _version(value: bool) -> None:
    if value:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


class Said:
    """What the command line has told so far, for how an error is told."""

    output: str | None = None
    """What stdout carries, once it is known."""

    config: tuple[typer.Context, Path] | None = None
    """The file that has been read for options, and who may have got some from it."""


def _config(ctx: typer.Context, value: Path | None) -> Path | None:
    """Makes takeover.toml's values the options' defaults; flags and environment win."""
    from route53_takeover.storage.config import (
        CONFIG_FILE,
        check_config,
        check_endpoint,
        read_config,
    )

    path = value or Path(CONFIG_FILE)
    loaded = read_config(path, required=value is not None)
    kinds = {
        str(one.name): "flag" if one.is_flag else "list" if one.multiple else "value"
        for command in getattr(ctx.find_root().command, "commands", {}).values()
        for one in command.params
        if one.param_type_name == "option" and one.name not in _NOT_IN_CONFIG
    }
    loaded = check_config(path, loaded, kinds)
    if value is None:
        check_endpoint(path, loaded)
    Said.output = str(loaded.get("output", ""))
    Said.config = (ctx, path.absolute()) if loaded else None
    ctx.default_map = {**(ctx.default_map or {}), **loaded}
    return value


_NOT_IN_CONFIG = frozenset({"config", "help", "list_", "version", "dry_run", "force"})
"""What is said each time, or not at all."""


def option(*names: str, **more: Any) -> Any:  # noqa: ANN401 -- typer's own type for an option
    """An option with its environment variable: ``--endpoint-url``, ``..._ENDPOINT_URL``."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = PREFIX + long.removeprefix("--").upper().replace("-", "_")
    return typer.Option(*names, envvar=variable, show_envvar=False, **more)


StackOption = Annotated[
    str, option("--stack", callback=_given, help="Name or ARN of the stack.", metavar="NAME|ARN")
]
RecordOption = Annotated[
    list[str],
    option(
        "--record",
        parser=_record,
        help="Record to take over; may be repeated.",
        metavar="NAME[/TYPE]",
    ),
]
ZoneOption = Annotated[
    str | None, option("--zone", help="Hosted zone of the record.", metavar="ID|NAME")
]
DeployOption = Annotated[
    str | None,
    option(
        "--deploy",
        help="Command that deploys; run twice, with ROUTE53_ENABLE=false, then true.",
        metavar="CMD",
    ),
]
DeployOffOption = Annotated[
    str | None,
    option("--deploy-off", help="Command that deploys with the switch off.", metavar="CMD"),
]
DeployOnOption = Annotated[
    str | None,
    option("--deploy-on", help="Command that deploys with the switch on.", metavar="CMD"),
]
NoDeployOption = Annotated[
    bool, option("--no-deploy", help="Somebody else deploys; only watch and act.")
]
SkipOffOption = Annotated[
    bool, option("--skip-off", help="Leave the deploy with the switch off out.")
]
StrategyOption = Annotated[
    Strategy | None, option("--strategy", help="How the record changes hands.")
]
TtlOption = Annotated[
    str,
    option("--ttl", parser=_ttl, help="Lower TTLs to this beforehand.", metavar="SECONDS|keep"),
]
NoDrainOption = Annotated[
    bool, option("--no-drain", help="Do not wait for the old TTL to run out.")
]
HoldOption = Annotated[
    float | None,
    option("--hold", parser=_duration, metavar="DURATION", help="How long the moment must last."),
]
RestoreAfterOption = Annotated[
    float | None,
    option(
        "--restore-after",
        parser=_duration,
        metavar="DURATION",
        help="Put the record back after so long without a new one.",
    ),
]
DeployTimeoutOption = Annotated[
    float,
    option(
        "--deploy-timeout",
        show_default="2h",
        parser=_duration,
        metavar="DURATION",
        help="End a deploy command after this.",
    ),
]
SettleOption = Annotated[
    float | None,
    option(
        "--settle",
        parser=_duration,
        metavar="DURATION",
        help="Nothing may move for so long at the end.",
    ),
]
ConfirmReleaseOption = Annotated[
    bool,
    option("--confirm-release", help="Stop at the moment and wait for a key; not with --auto."),
]
OwnerCheckOption = Annotated[
    OwnersIn,
    option(
        "--owner-check",
        help="Whose records these are: read the stacks of all regions, or of this one; or trust "
        "your word.",
    ),
]
NoProbeOption = Annotated[bool, option("--no-probe", help="Do not ask the name servers.")]
NameServerOption = Annotated[
    list[str] | None,
    option(
        "--name-server",
        parser=_name_server,
        help="Ask this one instead; may be repeated.",
        metavar="HOST[:PORT]",
    ),
]
ProfileOption = Annotated[str | None, option("--profile", help="AWS profile.")]
RegionOption = Annotated[str | None, option("--region", help="AWS region of the stack.")]
EndpointOption = Annotated[
    str | None, option("--endpoint-url", help="AWS endpoint, such as an emulator's.")
]
DnsProfileOption = Annotated[
    str | None, option("--dns-profile", help="AWS profile for the zone, if another.")
]
StateDirOption = Annotated[
    Path | None, option("--state-dir", help="Where runs are kept.", metavar="DIR")
]
ConfigOption = Annotated[
    Path | None,
    option(
        "--config",
        help="Options from a file; takeover.toml if there is one.",
        metavar="FILE",
        is_eager=True,
        callback=_config,
    ),
]
OutputOption = Annotated[Output, option("--output", help="What stdout carries.")]
VerboseOption = Annotated[bool, option("-v", "--verbose", help="Tell more.")]
QuietOption = Annotated[bool, option("-q", "--quiet", help="Tell only what must be told.")]
LogLevelOption = Annotated[LogLevel, option("--log-level", help="Of takeover.log.")]
VersionOption = Annotated[
    bool,
    typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version),
]
AutoOption = Annotated[bool, option("--auto", "--yes", help="Unattended: no screen.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name of a run, or its beginning.")]


def common_of(
    state_dir: Path | None, output: Output, verbose: bool, quiet: bool, log_level: LogLevel
) -> Common:
    from route53_takeover.storage import config

    Said.output = output
    return config.Common(
        state_dir=(state_dir or _default_state_dir(quiet=quiet)).absolute(),
        output=output,
        verbose=verbose,
        quiet=quiet,
        log_level=log_level,
        config=_config_file(),
    )


def _config_file() -> ConfigFile | None:
    """The file that options of this command came from."""
    from route53_takeover.storage.config import ConfigFile

    if Said.config is None:
        return None
    ctx, path = Said.config
    words = words_of(ctx, "DEFAULT_MAP")
    return ConfigFile(path=str(path), options=shlex.join(words)) if words else None


def words_of(ctx: typer.Context, *sources: str, but: Collection[str] = ()) -> list[str]:
    """The options of a command line that mean the same.

    Args:
        sources: where those have come from that count, as the command line library calls it.
        but: options to leave out.
    """
    words: list[str] = []
    for one in ctx.command.params:
        name = one.name or ""
        source = ctx.get_parameter_source(name)
        if source is None or source.name not in sources or name in but:
            continue
        flag = next(word for word in one.opts if word.startswith("--"))
        value = ctx.params[name]
        if value is True:
            words.append(flag)
        elif value is not False:
            for item in value if isinstance(value, list | tuple) else [value]:
                words += [flag, f"{item:g}" if isinstance(item, float) else str(item)]
    return words


def _default_state_dir(*, quiet: bool) -> Path:
    from route53_takeover.base.stdio import write_line
    from route53_takeover.storage.user_folders import state_folder

    folder = state_folder()
    if folder.warning and not quiet:
        write_line(f"warning: {folder.warning}", sys.stderr)
    return folder.path


def connection_of(
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    dns_profile: str | None,
    name_server: list[str] | None,
) -> Connection:
    from route53_takeover.storage.config import Connection

    return Connection(
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
        dns_profile=dns_profile,
        name_servers=tuple(name_server or ()),
    ).effective(os.environ)


def override_of(
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    dns_profile: str | None,
    name_server: list[str] | None,
) -> Override:
    from route53_takeover.storage.config import Override

    return Override(
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
        dns_profile=dns_profile,
        name_servers=tuple(name_server) if name_server else None,
    )


def options_of(
    *,
    stack: str,
    record: list[str],
    zone: str | None,
    deploy: str | None,
    deploy_off: str | None,
    deploy_on: str | None,
    no_deploy: bool,
    skip_off: bool,
    strategy: Strategy | None,
    ttl: str,
    no_drain: bool,
    hold: float | None,
    restore_after: float | None,
    deploy_timeout: float,
    settle: float | None,
    no_probe: bool,
    confirm_release: bool,
    owner_check: OwnersIn,
) -> Options:
    from route53_takeover.core.plan.model import Options, OwnerCheck

    if not no_deploy and not deploy and not deploy_on:
        raise UsageError(
            "there is no deploy command",
            "Give --deploy CMD, or --deploy-off CMD --deploy-on CMD, or --no-deploy.",
        )
    if no_deploy and (deploy or deploy_off or deploy_on):
        raise UsageError(
            "--no-deploy and a deploy command contradict each other", f"Leave one out{_ELSEWHERE}."
        )
    if deploy and (deploy_off or deploy_on):
        raise UsageError(
            "--deploy stands for both of --deploy-off and --deploy-on",
            f"Give the one or the two{_ELSEWHERE}.",
        )
    if skip_off and deploy_off:
        raise UsageError(
            "--skip-off and --deploy-off contradict each other", f"Leave one out{_ELSEWHERE}."
        )
    if not no_deploy and not skip_off and not deploy and not deploy_off:
        raise UsageError(
            "there is no command for the deploy with the switch off",
            "Give --deploy-off CMD, or --skip-off.",
        )
    if restore_after is not None and restore_after < _SHORTEST_DEADMAN:
        raise UsageError(
            f"--restore-after {restore_after:g} would put the record back before CloudFormation "
            "can try again",
            "Give it some seconds at least, or leave it out.",
        )
    return Options(
        stack=stack,
        records=tuple(record),
        zone=zone,
        deploy_off=None if no_deploy or skip_off else deploy_off or deploy,
        deploy_on=None if no_deploy else deploy_on or deploy,
        strategy_given=strategy is not None,
        ttl=None if ttl == "keep" else int(ttl),
        drain=not no_drain,
        hold=hold,
        restore_after=restore_after,
        deploy_timeout=deploy_timeout,
        settle=settle if settle is not None else (60.0 if no_deploy else 5.0),
        probe=not no_probe,
        confirm_release=confirm_release,
        owner_check=OwnerCheck(owner_check),
    )


_SHORTEST_DEADMAN = 1.0
_ELSEWHERE = f" (takeover.toml and {PREFIX}... count, too)"
