"""The command line: parses, calls the command, and turns every error into one clear line.

Importing this imports only typer, so that ``--help`` is quick; the commands are imported when they
are called. No traceback ever reaches a user: what was not foreseen is written to a file.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from route53_takeover import __version__
from route53_takeover.errors import ExitCode, TakeoverError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from route53_takeover.core.plan import Options
    from route53_takeover.settings import Common, Connection

PROGRAM = "route53-takeover"
PREFIX = "ROUTE53_TAKEOVER_"

app = typer.Typer(
    name=PROGRAM,
    help="Hand a live Route 53 record over to CloudFormation, with the shortest gap and a way "
    "back.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def _duration(value: str | float) -> float:
    from route53_takeover.settings import seconds

    if isinstance(value, int | float):
        return float(value)
    try:
        return seconds(value)
    except UsageError as error:
        raise typer.BadParameter(f"{error.message}. {error.hint}") from error


def _ttl(value: str | int) -> str:
    text = str(value)
    if text == "keep" or (text.isdecimal() and int(text) < 2**31):
        return text
    raise typer.BadParameter(f"{text!r} is neither seconds nor keep")


def _record(value: str) -> str:
    from route53_takeover.settings import check_record

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


class _Said:
    """What the command line has told so far, for how an error is told."""

    output: str | None = None
    """What stdout carries, once it is known."""


def _config(ctx: typer.Context, value: Path | None) -> Path | None:
    """Makes takeover.toml's values the options' defaults; flags and environment win."""
    from route53_takeover.settings import CONFIG_FILE, check_config, read_config

    path = value or Path(CONFIG_FILE)
    loaded = read_config(path, required=value is not None)
    kinds = {
        str(option.name): "flag" if option.is_flag else "list" if option.multiple else "value"
        for command in getattr(typer.main.get_command(app), "commands", {}).values()
        for option in command.params
        if option.param_type_name == "option" and option.name not in _NOT_IN_CONFIG
    }
    loaded = check_config(path, loaded, kinds)
    _Said.output = str(loaded.get("output", ""))
    ctx.default_map = {**(ctx.default_map or {}), **loaded}
    return value


_NOT_IN_CONFIG = frozenset({"config", "help", "list_", "version", "dry_run", "force"})
"""What is said each time, or not at all."""


def _option(*names: str, **more: Any) -> Any:  # noqa: ANN401 -- typer's own type for an option
    """An option with its environment variable: ``--endpoint-url``, ``..._ENDPOINT_URL``."""
    long = next(name for name in names if name.startswith("--")).partition("/")[0]
    variable = PREFIX + long.removeprefix("--").upper().replace("-", "_")
    return typer.Option(*names, envvar=variable, show_envvar=False, **more)


StackOption = Annotated[
    str, _option("--stack", callback=_given, help="Name or ARN of the stack.", metavar="NAME")
]
RecordOption = Annotated[
    list[str],
    _option(
        "--record",
        parser=_record,
        help="Record to take over; may be repeated.",
        metavar="NAME[/TYPE]",
    ),
]
ZoneOption = Annotated[
    str | None, _option("--zone", help="Hosted zone of the record.", metavar="ID|NAME")
]
DeployOption = Annotated[
    str | None,
    _option(
        "--deploy",
        help="Command that deploys; run twice, with ROUTE53_ENABLE=false, then true.",
        metavar="CMD",
    ),
]
DeployOffOption = Annotated[
    str | None,
    _option("--deploy-off", help="Command that deploys with the switch off.", metavar="CMD"),
]
DeployOnOption = Annotated[
    str | None,
    _option("--deploy-on", help="Command that deploys with the switch on.", metavar="CMD"),
]
NoDeployOption = Annotated[
    bool, _option("--no-deploy", help="Somebody else deploys; only watch and act.")
]
SkipOffOption = Annotated[
    bool, _option("--skip-off", help="Leave the deploy with the switch off out.")
]
StrategyOption = Annotated[
    Strategy | None, _option("--strategy", help="How the record changes hands.")
]
TtlOption = Annotated[
    str,
    _option("--ttl", parser=_ttl, help="Lower TTLs to this beforehand.", metavar="SECONDS|keep"),
]
NoDrainOption = Annotated[
    bool, _option("--no-drain", help="Do not wait for the old TTL to run out.")
]
HoldOption = Annotated[
    float | None,
    _option("--hold", parser=_duration, metavar="DURATION", help="How long the moment must last."),
]
RestoreAfterOption = Annotated[
    float | None,
    _option(
        "--restore-after",
        parser=_duration,
        metavar="DURATION",
        help="Put the record back after so long without a new one.",
    ),
]
DeployTimeoutOption = Annotated[
    float,
    _option(
        "--deploy-timeout",
        parser=_duration,
        metavar="DURATION",
        help="End a deploy command after this.",
    ),
]
SettleOption = Annotated[
    float | None,
    _option(
        "--settle",
        parser=_duration,
        metavar="DURATION",
        help="Nothing may move for so long at the end.",
    ),
]
NoProbeOption = Annotated[bool, _option("--no-probe", help="Do not ask the name servers.")]
NameServerOption = Annotated[
    list[str] | None,
    _option(
        "--name-server",
        parser=_name_server,
        help="Ask this one instead; may be repeated.",
        metavar="HOST[:PORT]",
    ),
]
ProfileOption = Annotated[str | None, _option("--profile", help="AWS profile.")]
RegionOption = Annotated[str | None, _option("--region", help="AWS region of the stack.")]
EndpointOption = Annotated[
    str | None, _option("--endpoint-url", help="AWS endpoint, such as an emulator's.")
]
DnsProfileOption = Annotated[
    str | None, _option("--dns-profile", help="AWS profile for the zone, if another.")
]
StateDirOption = Annotated[
    Path | None, _option("--state-dir", help="Where runs are kept.", metavar="DIR")
]
ConfigOption = Annotated[
    Path | None,
    _option(
        "--config",
        help="Options from a file; takeover.toml if there is one.",
        metavar="FILE",
        is_eager=True,
        callback=_config,
    ),
]
OutputOption = Annotated[Output, _option("--output", help="What stdout carries.")]
VerboseOption = Annotated[bool, _option("-v", "--verbose", help="Tell more.")]
QuietOption = Annotated[bool, _option("-q", "--quiet", help="Tell only what must be told.")]
LogLevelOption = Annotated[LogLevel, _option("--log-level", help="Of takeover.log.")]
VersionOption = Annotated[
    bool,
    typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version),
]
AutoOption = Annotated[bool, _option("--auto", "--yes", help="Unattended: no screen.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name of a run, or its beginning.")]


def _common(
    state_dir: Path | None, output: Output, verbose: bool, quiet: bool, log_level: LogLevel
) -> Common:
    from route53_takeover import settings

    _Said.output = output
    return settings.Common(
        state_dir=(state_dir or settings.default_state_dir()).absolute(),
        output=output,
        verbose=verbose,
        quiet=quiet,
        log_level=log_level,
    )


def _connection(
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    dns_profile: str | None,
    name_server: list[str] | None,
) -> Connection:
    from route53_takeover.settings import Connection

    return Connection(
        profile=profile,
        region=region,
        endpoint_url=endpoint_url,
        dns_profile=dns_profile,
        name_servers=tuple(name_server or ()),
    )


def _override(
    profile: str | None,
    region: str | None,
    endpoint_url: str | None,
    dns_profile: str | None,
    name_server: list[str] | None,
) -> Callable[[Connection], Connection]:
    """What was given on this command line wins over what the run's folder says."""
    from msgspec.structs import replace

    given = {
        "profile": profile,
        "region": region,
        "endpoint_url": endpoint_url,
        "dns_profile": dns_profile,
        "name_servers": tuple(name_server) if name_server else None,
    }
    return lambda saved: replace(saved, **{k: v for k, v in given.items() if v is not None})


def _options(
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
) -> Options:
    from route53_takeover.core.plan import Options

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
    )


_ELSEWHERE = f" (takeover.toml and {PREFIX}... count, too)"


@app.callback()
def _program(version: VersionOption = False) -> None:
    """Hand a live Route 53 record over to CloudFormation, with the shortest gap and a way back."""


@app.command()
def plan(
    stack: StackOption,
    record: RecordOption,
    zone: ZoneOption = None,
    deploy: DeployOption = None,
    deploy_off: DeployOffOption = None,
    deploy_on: DeployOnOption = None,
    no_deploy: NoDeployOption = False,
    skip_off: SkipOffOption = False,
    strategy: StrategyOption = None,
    ttl: TtlOption = "60",
    no_drain: NoDrainOption = False,
    hold: HoldOption = None,
    restore_after: RestoreAfterOption = None,
    deploy_timeout: DeployTimeoutOption = 7200.0,
    settle: SettleOption = None,
    no_probe: NoProbeOption = False,
    name_server: NameServerOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
    endpoint_url: EndpointOption = None,
    dns_profile: DnsProfileOption = None,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,  # noqa: ARG001 -- its callback has read it
    output: OutputOption = Output.TEXT,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_level: LogLevelOption = LogLevel.INFO,
    version: VersionOption = False,  # noqa: ARG001
) -> None:
    """What a run would do; writes nothing."""
    from route53_takeover import commands

    options = _options(
        stack=stack,
        record=record,
        zone=zone,
        deploy=deploy,
        deploy_off=deploy_off,
        deploy_on=deploy_on,
        no_deploy=no_deploy,
        skip_off=skip_off,
        strategy=strategy,
        ttl=ttl,
        no_drain=no_drain,
        hold=hold,
        restore_after=restore_after,
        deploy_timeout=deploy_timeout,
        settle=settle,
        no_probe=no_probe,
    )
    connection = _connection(profile, region, endpoint_url, dns_profile, name_server)
    common = _common(state_dir, output, verbose, quiet, log_level)
    raise typer.Exit(commands.plan(common, connection, options, _run_line(sys.argv[2:])))


def _run_line(arguments: list[str]) -> str:
    """The `run` line that belongs to the `plan` line that was given."""
    kept: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--output":
            next(rest, None)
        elif not argument.startswith("--output="):
            kept.append(argument)
    return shlex.join([PROGRAM, "run", *kept, "--auto"])


@app.command()
def run(
    stack: StackOption,
    record: RecordOption,
    auto: AutoOption = False,
    zone: ZoneOption = None,
    deploy: DeployOption = None,
    deploy_off: DeployOffOption = None,
    deploy_on: DeployOnOption = None,
    no_deploy: NoDeployOption = False,
    skip_off: SkipOffOption = False,
    strategy: StrategyOption = None,
    ttl: TtlOption = "60",
    no_drain: NoDrainOption = False,
    hold: HoldOption = None,
    restore_after: RestoreAfterOption = None,
    deploy_timeout: DeployTimeoutOption = 7200.0,
    settle: SettleOption = None,
    no_probe: NoProbeOption = False,
    name_server: NameServerOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
    endpoint_url: EndpointOption = None,
    dns_profile: DnsProfileOption = None,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,  # noqa: ARG001 -- its callback has read it
    output: OutputOption = Output.TEXT,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_level: LogLevelOption = LogLevel.INFO,
    version: VersionOption = False,  # noqa: ARG001
) -> None:
    """A takeover: lowers the TTL, deploys, releases the record at the moment, guards."""
    _needs_auto(auto)
    from route53_takeover import commands

    options = _options(
        stack=stack,
        record=record,
        zone=zone,
        deploy=deploy,
        deploy_off=deploy_off,
        deploy_on=deploy_on,
        no_deploy=no_deploy,
        skip_off=skip_off,
        strategy=strategy,
        ttl=ttl,
        no_drain=no_drain,
        hold=hold,
        restore_after=restore_after,
        deploy_timeout=deploy_timeout,
        settle=settle,
        no_probe=no_probe,
    )
    connection = _connection(profile, region, endpoint_url, dns_profile, name_server)
    common = _common(state_dir, output, verbose, quiet, log_level)
    raise typer.Exit(commands.run(common, connection, options))


@app.command()
def rehearse(
    scenario: Annotated[
        str | None, _option("--scenario", help="Which one; see --list.", metavar="NAME")
    ] = None,
    list_: Annotated[bool, _option("--list", help="Show the scenarios, and how they end.")] = False,
    virtual: Annotated[
        bool, _option("--virtual", help="In process, on virtual time, with faults.")
    ] = False,
    runs: Annotated[int, _option("--runs", help="How many, with --virtual.", min=1)] = 1,
    seed: Annotated[int, _option("--seed", help="The same seed gives the same run.")] = 1,
    speed: Annotated[
        float | None,
        _option("--speed", help="Simulated seconds in a real one.", min=0.1, max=100.0),
    ] = None,
    auto: AutoOption = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,  # noqa: ARG001 -- its callback has read it
    output: OutputOption = Output.TEXT,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_level: LogLevelOption = LogLevel.INFO,
    version: VersionOption = False,  # noqa: ARG001
) -> None:
    """A takeover in a simulated account; no AWS needed, nothing real is touched."""
    common = _common(state_dir, output, verbose, quiet, log_level)
    from route53_takeover import rehearsals

    if list_:
        raise typer.Exit(rehearsals.list_scenarios(common))
    if virtual:
        raise typer.Exit(rehearsals.rehearse_virtual(common, scenario, seed, runs))
    _needs_auto(auto)
    raise typer.Exit(rehearsals.rehearse(common, scenario, seed, speed))


def _needs_auto(auto: bool) -> None:
    if not auto:
        raise UsageError(
            "there is no screen to run this on yet", "Say --auto to run it unattended."
        )


@app.command()
def runs(
    state_dir: StateDirOption = None,
    config: ConfigOption = None,  # noqa: ARG001 -- its callback has read it
    output: OutputOption = Output.TEXT,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_level: LogLevelOption = LogLevel.INFO,
    version: VersionOption = False,  # noqa: ARG001
) -> None:
    """Every run so far, its phase and how it ended."""
    from route53_takeover import history
    from route53_takeover.folder import all_runs

    common = _common(state_dir, output, verbose, quiet, log_level)
    raise typer.Exit(history.list_runs(common, all_runs(common.state_dir)))


@app.command()
def resume(
    run: RunArgument,
    auto: AutoOption = False,
    name_server: NameServerOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
    endpoint_url: EndpointOption = None,
    dns_profile: DnsProfileOption = None,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,  # noqa: ARG001 -- its callback has read it
    output: OutputOption = Output.TEXT,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_level: LogLevelOption = LogLevel.INFO,
    version: VersionOption = False,  # noqa: ARG001
) -> None:
    """Goes on with a run whose process died, from its journal and the world as it is."""
    _needs_auto(auto)
    from route53_takeover import commands
    from route53_takeover.folder import find_run

    common = _common(state_dir, output, verbose, quiet, log_level)
    override = _override(profile, region, endpoint_url, dns_profile, name_server)
    raise typer.Exit(commands.resume(common, find_run(common.state_dir, run), override))


@app.command()
def restore(
    run: RunArgument,
    force: Annotated[
        bool, _option("--force", help="Replace what somebody else has put there.")
    ] = False,
    dry_run: Annotated[bool, _option("--dry-run", help="Only say what would be done.")] = False,
    profile: ProfileOption = None,
    region: RegionOption = None,
    endpoint_url: EndpointOption = None,
    dns_profile: DnsProfileOption = None,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,  # noqa: ARG001 -- its callback has read it
    output: OutputOption = Output.TEXT,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_level: LogLevelOption = LogLevel.INFO,
    version: VersionOption = False,  # noqa: ARG001
) -> None:
    """Puts the names of a run back as they were, from its backup."""
    from route53_takeover import commands
    from route53_takeover.folder import find_run

    common = _common(state_dir, output, verbose, quiet, log_level)
    override = _override(profile, region, endpoint_url, dns_profile, None)
    folder = find_run(common.state_dir, run)
    raise typer.Exit(commands.restore(common, folder, override, force=force, dry_run=dry_run))


@app.command()
def report(
    run: RunArgument,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,  # noqa: ARG001 -- its callback has read it
    output: OutputOption = Output.TEXT,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_level: LogLevelOption = LogLevel.INFO,
    version: VersionOption = False,  # noqa: ARG001
) -> None:
    """What happened in a run, and how it ended."""
    from route53_takeover import history
    from route53_takeover.folder import find_run

    common = _common(state_dir, output, verbose, quiet, log_level)
    raise typer.Exit(history.report(common, find_run(common.state_dir, run)))


class _StoppedError(BaseException):
    """A signal outside of any event loop. Not an `Exception`: no library may take it for its own.

    Nothing has been written then.
    """


def _interrupt(number: int, _: FrameType | None) -> None:
    raise _StoppedError(signal.Signals(number).name)


def main() -> None:
    """The entry point: one clear line for every error, and the contract's exit code."""
    from route53_takeover import streams

    streams.open_all()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)  # the engine, once it runs, has its own
    code: int | str | None
    try:
        app()
        code = 0
    except SystemExit as ended:  # how typer ends, whatever came of it
        code = ended.code
    except TakeoverError as error:
        code = _told(error.message, error.hint, error.exit_code, _run_of(error))
    except _StoppedError as stopped:
        code = _told(f"{stopped}: stopped, and nothing was written", "", ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 -- the last line of defence: no traceback
        code = _unforeseen(error)
    streams.finish()
    sys.exit(code)


def _run_of(error: BaseException) -> str | None:
    from route53_takeover.folder import run_of

    return run_of(error)


def _told(message: str, hint: str, code: int, run: str | None = None) -> int:
    """Tells an error on stderr, and in JSON as the result too."""
    from route53_takeover.render import tell_error

    tell_error(TakeoverError(message, hint))
    if code != ExitCode.USAGE and _wants_json():
        _print_empty_result(f"{message}. {hint}".removesuffix(". "), code, run)
    return code


def _command() -> str:
    return next((word for word in sys.argv[1:] if not word.startswith("-")), "")


def _wants_json() -> bool:
    if _Said.output is not None:
        return _Said.output == Output.JSON
    words = sys.argv[1:]
    given = [w.partition("=")[2] for w in words if w.startswith("--output=")]
    given += [words[i + 1] for i, w in enumerate(words[:-1]) if w == "--output"]
    return (given or [os.environ.get(PREFIX + "OUTPUT", "")])[-1] == Output.JSON


_OUTCOMES = {
    ExitCode.FAILED: "failed",
    ExitCode.REFUSED: "refused",
    ExitCode.UNKNOWN: "unknown",
    ExitCode.INTERRUPTED: "aborted",
}


def _print_empty_result(reason: str, code: int, run: str | None) -> None:
    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.core.view import Result
    from route53_takeover.render import result_object
    from route53_takeover.streams import write_line

    ended = Result(
        run=run,
        phase="preflight",
        outcome=_OUTCOMES.get(ExitCode(code), "failed"),
        exit_code=code,
        reason=reason,
    )
    write_line(json.dumps(result_object(ended, seq=None, time=SystemClock().now())), sys.stdout)


def _unforeseen(error: Exception) -> int:
    """A defect of ours: kept in a file for the report, told in one line."""
    import tempfile
    import traceback

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix=f"{PROGRAM}-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write("".join(traceback.format_exception(error)))
        where = f"details in {file.name}"
    except OSError:
        where = " ".join(str(error).split())
    message = f"this is a defect of {PROGRAM}: {type(error).__name__} ({where})"
    hint = f"If a run had begun: `{PROGRAM} runs`, then `{PROGRAM} resume RUN --auto`."
    code = ExitCode.UNKNOWN if _command() in ("run", "resume", "restore") else ExitCode.FAILED
    return _told(message, hint, code, _run_of(error))
