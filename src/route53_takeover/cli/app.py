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
from typing import TYPE_CHECKING, Annotated

import typer

from route53_takeover.base.errors import DefectError, ExitCode, TakeoverError, UsageError
from route53_takeover.cli.options import (
    PREFIX,
    PROGRAM,
    AutoOption,
    ConfigOption,
    ConfirmReleaseOption,
    DeployOffOption,
    DeployOnOption,
    DeployOption,
    DeployTimeoutOption,
    DnsProfileOption,
    EndpointOption,
    HoldOption,
    LogLevel,
    LogLevelOption,
    NameServerOption,
    NoDeployOption,
    NoDrainOption,
    NoProbeOption,
    Output,
    OutputOption,
    OwnerCheckOption,
    OwnersIn,
    ProfileOption,
    QuietOption,
    RecordOption,
    RegionOption,
    RestoreAfterOption,
    RunArgument,
    Said,
    SettleOption,
    SkipOffOption,
    StackOption,
    StateDirOption,
    StrategyOption,
    TtlOption,
    VerboseOption,
    VersionOption,
    ZoneOption,
    common_of,
    connection_of,
    option,
    options_of,
    override_of,
    words_of,
)

if TYPE_CHECKING:
    from types import FrameType

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


@app.callback()
def _program(version: VersionOption = False) -> None:
    """Hand a live Route 53 record over to CloudFormation, with the shortest gap and a way back."""


@app.command()
def plan(
    ctx: typer.Context,
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
    confirm_release: ConfirmReleaseOption = False,
    owner_check: OwnerCheckOption = OwnersIn.FULL,
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
    from route53_takeover.cli import commands

    options = options_of(
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
        confirm_release=confirm_release,
        owner_check=owner_check,
    )
    connection = connection_of(profile, region, endpoint_url, dns_profile, name_server)
    common = common_of(state_dir, output, verbose, quiet, log_level)
    raise typer.Exit(commands.plan(common, connection, options, _run_line(ctx)))


def _run_line(ctx: typer.Context) -> str:
    """The `run` line of this plan: all that was given, be it by flag, variable or file.

    Unattended, unless somebody has to be there to confirm the release.
    """
    words = [PROGRAM, "run", *words_of(ctx, *_GIVEN, but=_OF_THE_PLAN_ALONE)]
    return shlex.join(words if ctx.params.get("confirm_release") else [*words, "--auto"])


_GIVEN = ("COMMANDLINE", "ENVIRONMENT", "DEFAULT_MAP")
_OF_THE_PLAN_ALONE = frozenset({"output", "config", "verbose", "quiet", "log_level", "version"})


@app.command()
def policy(
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
    confirm_release: ConfirmReleaseOption = False,
    owner_check: OwnerCheckOption = OwnersIn.FULL,
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
    """The least-privilege IAM policy for this very plan; writes nothing."""
    from route53_takeover.cli import permissions

    options = options_of(
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
        confirm_release=confirm_release,
        owner_check=owner_check,
    )
    connection = connection_of(profile, region, endpoint_url, dns_profile, name_server)
    common = common_of(state_dir, output, verbose, quiet, log_level)
    raise typer.Exit(permissions.policy(common, connection, options))


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
    confirm_release: ConfirmReleaseOption = False,
    owner_check: OwnerCheckOption = OwnersIn.FULL,
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
    if auto and confirm_release:
        raise UsageError(
            "--auto and --confirm-release contradict each other: nobody is there to confirm",
            f"Leave one out (takeover.toml and {PREFIX}... count, too).",
        )
    if not auto:
        _needs_terminal()

    options = options_of(
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
        confirm_release=confirm_release,
        owner_check=owner_check,
    )
    connection = connection_of(profile, region, endpoint_url, dns_profile, name_server)
    common = common_of(state_dir, output, verbose, quiet, log_level)
    if auto:
        from route53_takeover.cli import commands

        raise typer.Exit(commands.run(common, connection, options))
    from route53_takeover.cli import interactive

    raise typer.Exit(interactive.run(common, connection, options))


@app.command()
def rehearse(
    scenario: Annotated[
        str | None, option("--scenario", help="Which one; see --list.", metavar="NAME")
    ] = None,
    list_: Annotated[bool, option("--list", help="Show the scenarios, and how they end.")] = False,
    virtual: Annotated[
        bool, option("--virtual", help="In process, on virtual time, with faults.")
    ] = False,
    runs: Annotated[int, option("--runs", help="How many, with --virtual.", min=1)] = 1,
    seed: Annotated[int, option("--seed", help="The same seed gives the same run.")] = 1,
    speed: Annotated[
        float | None,
        option("--speed", help="Simulated seconds in a real one.", min=0.1, max=100.0),
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
    common = common_of(state_dir, output, verbose, quiet, log_level)
    if list_ or virtual or auto:
        from route53_takeover.cli import rehearsals

        if list_:
            raise typer.Exit(rehearsals.list_scenarios(common))
        if virtual:
            raise typer.Exit(rehearsals.rehearse_virtual(common, scenario, seed, runs))
        raise typer.Exit(rehearsals.rehearse(common, scenario, seed, speed))
    _needs_terminal()
    from route53_takeover.cli import interactive

    raise typer.Exit(interactive.rehearse(common, scenario, seed, speed))


def _needs_terminal() -> None:
    """What asks a person is refused where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("there is no terminal to show this on", "Say --auto to run it unattended.")


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
    from route53_takeover.cli import history
    from route53_takeover.storage.run_folder import all_runs

    common = common_of(state_dir, output, verbose, quiet, log_level)
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
    if not auto:
        _needs_terminal()
    from route53_takeover.storage.run_folder import find_run

    common = common_of(state_dir, output, verbose, quiet, log_level)
    override = override_of(profile, region, endpoint_url, dns_profile, name_server)
    folder = find_run(common.state_dir, run)
    if auto:
        from route53_takeover.cli import commands

        raise typer.Exit(commands.resume_here(common, folder, override))
    from route53_takeover.cli import interactive

    raise typer.Exit(interactive.resume(common, folder, override))


@app.command()
def attach(
    run: RunArgument,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,  # noqa: ARG001 -- its callback has read it
    output: OutputOption = Output.TEXT,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_level: LogLevelOption = LogLevel.INFO,
    version: VersionOption = False,  # noqa: ARG001
) -> None:
    """Shows a run: one that goes on, one that has ended, or one whose process died."""
    from route53_takeover.cli import interactive
    from route53_takeover.storage.run_folder import find_run

    common = common_of(state_dir, output, verbose, quiet, log_level)
    raise typer.Exit(interactive.attach(common, find_run(common.state_dir, run)))


@app.command()
def restore(
    run: RunArgument,
    force: Annotated[
        bool, option("--force", help="Replace what somebody else has put there.")
    ] = False,
    dry_run: Annotated[bool, option("--dry-run", help="Only say what would be done.")] = False,
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
    from route53_takeover.cli import commands
    from route53_takeover.storage.run_folder import find_run

    common = common_of(state_dir, output, verbose, quiet, log_level)
    override = override_of(profile, region, endpoint_url, dns_profile, None)
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
    from route53_takeover.cli import history
    from route53_takeover.storage.run_folder import find_run

    common = common_of(state_dir, output, verbose, quiet, log_level)
    raise typer.Exit(history.report(common, find_run(common.state_dir, run)))


class _StoppedError(BaseException):
    """A signal outside of any event loop. Not an `Exception`: no library may take it for its own.

    Nothing has been written then.
    """


def _interrupt(number: int, _: FrameType | None) -> None:
    raise _StoppedError(signal.Signals(number).name)


def main() -> None:
    """The entry point: one clear line for every error, and the contract's exit code."""
    from route53_takeover.base import stdio
    from route53_takeover.base.signals import asking

    stdio.open_all()
    for number in asking():
        signal.signal(number, _interrupt)  # the engine, once it runs, has its own
    code: int | str | None
    try:
        app()
        code = 0
    except SystemExit as ended:  # how typer ends, whatever came of it
        code = ended.code
    except TakeoverError as error:
        code = _told(error.message, error.hint, error.exit_code, error.run)
    except _StoppedError as stopped:
        code = _told(f"{stopped}: stopped, and nothing was written", "", ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 -- the last line of defence: no traceback
        code = _unforeseen(error)
    stdio.finish()
    sys.exit(code)


def _told(message: str, hint: str, code: ExitCode, run: str | None = None) -> ExitCode:
    """Tells an error on stderr, and in JSON as the result too."""
    from route53_takeover.output.text_lines import tell_error

    tell_error(TakeoverError(message, hint))
    if code != ExitCode.USAGE and _wants_json():
        _print_empty_result(f"{message.rstrip('.')}. {hint}".removesuffix(". "), code, run)
    return code


def _command() -> str:
    return next((word for word in sys.argv[1:] if not word.startswith("-")), "")


def _wants_json() -> bool:
    if Said.output is not None:
        return Said.output == Output.JSON
    words = sys.argv[1:]
    given = [w.partition("=")[2] for w in words if w.startswith("--output=")]
    given += [words[i + 1] for i, w in enumerate(words[:-1]) if w == "--output"]
    return (given or [os.environ.get(PREFIX + "OUTPUT", "")])[-1] == Output.JSON


def _print_empty_result(reason: str, code: ExitCode, run: str | None) -> None:
    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.base.stdio import write_line
    from route53_takeover.core.status.result import Result
    from route53_takeover.core.takeover.exit_codes import OUTCOMES
    from route53_takeover.output.text_lines import result_object

    ended = Result(
        run=run,
        phase="preflight",
        outcome=OUTCOMES[code],
        exit_code=code,
        reason=reason,
    )
    write_line(json.dumps(result_object(ended, seq=None, time=SystemClock().now())), sys.stdout)


def _unforeseen(error: Exception) -> ExitCode:
    from route53_takeover.base.crash_report import kept

    code = ExitCode.UNKNOWN if _command() in ("run", "resume", "restore") else ExitCode.FAILED
    if isinstance(error, DefectError):
        return _told(*kept(error.error), code, error.run)
    return _told(*kept(error), code)
