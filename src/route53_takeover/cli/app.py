"""The command line: what each command takes, and the entry point, which turns errors into lines.

Importing this imports only typer, so that ``--help`` is quick; what a command does is in
`route53_takeover.cli.commands`, and is imported when it is called.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, cast

import typer
from typer.main import get_command

from route53_takeover.base.errors import ExitCode, UsageError
from route53_takeover.cli.given_options import (
    PROGRAM,
    VARIABLE,
    Given,
    account_words,
    given_values,
    refuse_beside_live,
    refuse_beside_live_policy,
    refuse_beside_plan,
    root_of,
    run_line,
    switch_line,
)
from route53_takeover.cli.help import WIDEST, Command, Commands, Program
from route53_takeover.cli.init_options import Init
from route53_takeover.cli.option_groups import grouped
from route53_takeover.cli.option_types import OwnersIn
from route53_takeover.cli.options import (
    AccountOptions,
    AutoOption,
    CommonOptions,
    ConnectionOptions,
    DeleteCommandOption,
    DeleteOption,
    DryRunOption,
    ForceOption,
    InstallCompletionOption,
    LookOption,
    OlderThanOption,
    OutOption,
    OwnerCheckOption,
    PlanOption,
    PolicyOption,
    PruneOption,
    Rehearsal,
    RehearseItOption,
    ReportOptions,
    RunArgument,
    RunningOptions,
    ShowCompletionOption,
    StackOption,
    VersionOption,
    WriteConfigOption,
    YesOption,
)
from route53_takeover.cli.policy_options import (
    DeadmanTemplateOption,
    MeasurementPolicy,
    PolicyTakeover,
)
from route53_takeover.cli.switch_options import SiteSwitch
from route53_takeover.cli.takeover_options import Takeover

if TYPE_CHECKING:
    from types import FrameType

app = typer.Typer(
    name=PROGRAM,
    cls=Program,
    help="Move a live Route 53 record into a CloudFormation stack, with a short gap and a tested "
    "restore.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
)


@app.callback()
def _program(
    install_completion: InstallCompletionOption = False,
    show_completion: ShowCompletionOption = False,
    version: VersionOption = False,
) -> None:
    """Move a live Route 53 record into a CloudFormation stack, with a short gap and a restore."""


@app.command(cls=Command, rich_help_panel=Commands.START)
@grouped
def init(
    *, ctx: typer.Context, given: Init, account: AccountOptions, common: CommonOptions
) -> ExitCode:
    """Find stack and record in the account, write takeover.toml, print the template snippet."""
    from route53_takeover.cli.commands import init as command

    return command.init(given, account, common, root_of(ctx))


@app.command(cls=Command, rich_help_panel=Commands.TAKEOVER)
@grouped
def plan(
    *,
    ctx: typer.Context,
    out: OutOption = None,
    write_config: WriteConfigOption = None,
    takeover: Takeover,
    connection: ConnectionOptions,
    common: CommonOptions,
) -> ExitCode:
    """Print what a run would do; writes nothing to AWS."""
    from route53_takeover.cli.commands import plan as command

    if write_config is not None:
        takeover.options()  # nothing is written for options that contradict each other
        command.save_config(write_config, given_values(ctx), root_of(ctx), common)
    return command.plan(takeover, connection, common, run_line(ctx), out=out)


@app.command(cls=Command, rich_help_panel=Commands.START)
@grouped
def diagnose(
    *,
    ctx: typer.Context,
    stack: StackOption,
    owner_check: OwnerCheckOption = OwnersIn.FULL,
    account: AccountOptions,
    common: CommonOptions,
) -> ExitCode:
    """Explain why the last deploy failed on an existing record; writes nothing."""
    from route53_takeover.cli.commands import diagnose as command

    return command.diagnose(stack, owner_check, account, common, account_words(ctx))


@app.command(cls=Command, rich_help_panel=Commands.SWITCH)
@grouped
def retire(
    *,
    stack: StackOption,
    dry_run: DryRunOption = False,
    delete: DeleteOption = False,
    delete_command: DeleteCommandOption = None,
    account: AccountOptions,
    common: CommonOptions,
) -> ExitCode:
    """Check whether a stack may be deleted and what would break; delete it where that is asked."""
    if sum((dry_run, delete, delete_command is not None)) > 1:
        raise UsageError(
            "--dry-run, --delete and --delete-command are three things", "Give one of them."
        )
    from route53_takeover.cli.commands import retire as command

    return command.retire(stack, account, common, delete=delete, delete_command=delete_command)


@app.command(cls=Command, rich_help_panel=Commands.TAKEOVER)
@grouped
def policy(
    *,
    ctx: typer.Context,
    deadman_template: DeadmanTemplateOption = False,
    measurement: MeasurementPolicy,
    takeover: PolicyTakeover,
    connection: ConnectionOptions,
    common: CommonOptions,
) -> ExitCode:
    """Print the least-privilege IAM policy for a plan, or for rehearse --live; writes nothing."""
    measurement.check(takeover.zone)
    from route53_takeover.cli.commands import policy as command

    if measurement.live and takeover.zone is not None:
        refuse_beside_live_policy(ctx, PolicyTakeover.__dataclass_fields__)
        return command.live_policy(measurement, takeover.zone, connection, common)
    return command.policy(takeover, connection, common, deadman_template=deadman_template)


@app.command(cls=Command, rich_help_panel=Commands.TAKEOVER)
@grouped
def run(
    *,
    ctx: typer.Context,
    plan_file: PlanOption = None,
    auto: AutoOption = False,
    dry_run: RehearseItOption = False,
    takeover: Takeover,
    connection: ConnectionOptions,
    common: RunningOptions,
) -> ExitCode:
    """Take over a record: lower the TTL, deploy, delete the old record in time, watch."""
    if plan_file is not None:
        refuse_beside_plan(ctx, (field.name for field in fields(Takeover)))
    if dry_run and not _has_terminal():
        auto = True  # nothing is written: no one needs to agree
    if not auto:
        _needs_terminal()
    from route53_takeover.cli.commands import run as command

    how = command.How(auto=auto, dry_run=dry_run)
    if plan_file is not None:
        return command.run_planned(plan_file, connection, common, how)
    return command.run(takeover, connection, common, how)


@app.command(cls=Command, rich_help_panel=Commands.SWITCH)
@grouped
def switch(
    *,
    ctx: typer.Context,
    auto: AutoOption = False,
    dry_run: LookOption = False,
    policy: PolicyOption = False,
    site: SiteSwitch,
    account: AccountOptions,
    common: RunningOptions,
) -> ExitCode:
    """Switch a live site from blue to green, with checks and a way back."""
    if not (auto or dry_run or policy):
        _needs_terminal()
    from route53_takeover.cli.commands import switch as command

    how = command.HowToSwitch(auto=auto, dry_run=dry_run, policy=policy, run_line=switch_line(ctx))
    return command.switch(site, account, common, how)


@app.command(cls=Command, rich_help_panel=Commands.START)
@grouped
def rehearse(
    *,
    ctx: typer.Context,
    rehearsal: Rehearsal,
    auto: AutoOption = False,
    connection: ConnectionOptions,
    common: RunningOptions,
) -> ExitCode:
    """Rehearse a takeover in a simulated account, or measure your account (--live)."""
    rehearsal.check(auto=auto)
    refuse_beside_live(ctx, live=rehearsal.live)
    if rehearsal.scenario:
        from route53_takeover.cli.rehearsals import find_rehearsal

        find_rehearsal(rehearsal.scenario)
    if not (rehearsal.list_ or rehearsal.virtual or auto):
        _needs_terminal()
    from route53_takeover.cli.commands import rehearse as command

    return command.rehearse(rehearsal, connection, common, auto=auto)


def _has_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _needs_terminal() -> None:
    """Refuses a command that asks for a confirmation where there is no terminal."""
    if not _has_terminal():
        raise UsageError("there is no terminal for the screen", "Use --auto to run it unattended.")


@app.command(cls=Command, rich_help_panel=Commands.RUNS)
@grouped
def runs(
    *,
    prune: PruneOption = False,
    older_than: OlderThanOption = 30 * 86400.0,
    yes: YesOption = False,
    common: CommonOptions,
) -> ExitCode:
    """List the runs: where each stands, its gap, and what you have to do."""
    from route53_takeover.cli.commands import runs as command

    return command.runs(common, prunes=prune, older_than=older_than, agreed=yes)


@app.command(cls=Command, rich_help_panel=Commands.RUNS)
@grouped
def resume(
    *,
    run: RunArgument = None,
    auto: AutoOption = False,
    connection: ConnectionOptions,
    common: RunningOptions,
) -> ExitCode:
    """Resume a run whose process died or was stopped."""
    if not auto:
        _needs_terminal()
    from route53_takeover.cli.commands import resume as command

    return command.resume(run, connection, common, auto=auto)


@app.command(cls=Command, rich_help_panel=Commands.RUNS)
@grouped
def attach(*, run: RunArgument = None, common: CommonOptions) -> ExitCode:
    """Show a run that is in progress, has ended or was interrupted."""
    from route53_takeover.cli.commands import attach as command

    return command.attach(run, common)


@app.command(cls=Command, rich_help_panel=Commands.RUNS)
@grouped
def restore(
    *,
    run: RunArgument = None,
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    account: AccountOptions,
    common: CommonOptions,
) -> ExitCode:
    """Restore the records of a run from its backup."""
    from route53_takeover.cli.commands import restore as command

    return command.restore(run, account, common, force=force, dry_run=dry_run)


@app.command(cls=Command, rich_help_panel=Commands.RUNS)
@grouped
def report(*, run: RunArgument = None, common: ReportOptions) -> ExitCode:
    """Print the result of a run, its timeline, its gaps and every change that it sent."""
    from route53_takeover.cli.commands import report as command

    return command.report(run, common)


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

    if VARIABLE in os.environ:
        from route53_takeover.cli.completion import answer_shell

        sys.exit(answer_shell(cast("Program", get_command(app))))
    stdio.open_all()
    Given.output = Given.config = Given.context = Given.file = None
    for number in asking():
        signal.signal(number, _interrupt)  # the engine, once it runs, has its own
    code: int | str | None
    try:
        code = app(standalone_mode=False) or ExitCode.DONE
    except SystemExit as ended:
        code = ended.code
    except _StoppedError as stopped:
        from route53_takeover.cli.failures import report_signal

        code = report_signal(str(stopped))
    except Exception as error:  # noqa: BLE001 -- the last line of defence: no traceback
        from route53_takeover.cli.failures import report_error

        code = report_error(error)
    stdio.finish()
    sys.exit(code)
