"""The command line: what each command takes, and the entry point, which turns errors into lines.

Importing this imports only typer, so that ``--help`` is quick; what a command does is in
`route53_takeover.cli.commands`, and is imported when it is called.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import typer

from route53_takeover.base.errors import ExitCode, UsageError
from route53_takeover.cli.given_options import PROGRAM, Given, account_words, run_line
from route53_takeover.cli.option_groups import grouped
from route53_takeover.cli.option_types import OwnersIn
from route53_takeover.cli.options import (
    AccountOptions,
    AutoOption,
    CommonOptions,
    ConnectionOptions,
    DryRunOption,
    ForceOption,
    OwnerCheckOption,
    Rehearsal,
    RunArgument,
    StackOption,
    Takeover,
    VersionOption,
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
@grouped
def plan(
    *,
    ctx: typer.Context,
    takeover: Takeover,
    connection: ConnectionOptions,
    common: CommonOptions,
) -> ExitCode:
    """What a run would do; writes nothing."""
    from route53_takeover.cli.commands import plan as command

    return command.plan(takeover, connection, common, run_line(ctx))


@app.command()
@grouped
def diagnose(
    *,
    ctx: typer.Context,
    stack: StackOption,
    owner_check: OwnerCheckOption = OwnersIn.FULL,
    account: AccountOptions,
    common: CommonOptions,
) -> ExitCode:
    """Why the last deploy failed on a record, whose it is, and what to do; writes nothing."""
    from route53_takeover.cli.commands import diagnose as command

    return command.diagnose(stack, owner_check, account, common, account_words(ctx))


@app.command()
@grouped
def policy(*, takeover: Takeover, connection: ConnectionOptions, common: CommonOptions) -> ExitCode:
    """The least-privilege IAM policy for this very plan; writes nothing."""
    from route53_takeover.cli.commands import policy as command

    return command.policy(takeover, connection, common)


@app.command()
@grouped
def run(
    *,
    auto: AutoOption = False,
    takeover: Takeover,
    connection: ConnectionOptions,
    common: CommonOptions,
) -> ExitCode:
    """Take over the record: deploy, delete the old record in time, watch until stable."""
    if not auto:
        _needs_terminal()
    from route53_takeover.cli.commands import run as command

    return command.run(takeover, connection, common, auto=auto)


@app.command()
@grouped
def rehearse(*, rehearsal: Rehearsal, auto: AutoOption = False, common: CommonOptions) -> ExitCode:
    """A takeover in a simulated account; no AWS needed, nothing real is touched."""
    if not (rehearsal.list_ or rehearsal.virtual or auto):
        _needs_terminal()
    from route53_takeover.cli.commands import rehearse as command

    return command.rehearse(rehearsal, common, auto=auto)


def _needs_terminal() -> None:
    """Refuses a command that asks for a confirmation where there is no terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("there is no terminal to show this on", "Say --auto to run it unattended.")


@app.command()
@grouped
def runs(*, common: CommonOptions) -> ExitCode:
    """Every run so far, its phase and how it ended."""
    from route53_takeover.cli.commands import runs as command

    return command.runs(common)


@app.command()
@grouped
def resume(
    *,
    run: RunArgument,
    auto: AutoOption = False,
    connection: ConnectionOptions,
    common: CommonOptions,
) -> ExitCode:
    """Goes on with a run whose process died, from its journal and the world as it is."""
    if not auto:
        _needs_terminal()
    from route53_takeover.cli.commands import resume as command

    return command.resume(run, connection, common, auto=auto)


@app.command()
@grouped
def attach(*, run: RunArgument, common: CommonOptions) -> ExitCode:
    """Shows a run: one that goes on, one that has ended, or one whose process died."""
    from route53_takeover.cli.commands import attach as command

    return command.attach(run, common)


@app.command()
@grouped
def restore(
    *,
    run: RunArgument,
    force: ForceOption = False,
    dry_run: DryRunOption = False,
    account: AccountOptions,
    common: CommonOptions,
) -> ExitCode:
    """Puts the names of a run back as they were, from its backup."""
    from route53_takeover.cli.commands import restore as command

    return command.restore(run, account, common, force=force, dry_run=dry_run)


@app.command()
@grouped
def report(*, run: RunArgument, common: CommonOptions) -> ExitCode:
    """What happened in a run, and how it ended."""
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

    stdio.open_all()
    Given.output = Given.config = None
    for number in asking():
        signal.signal(number, _interrupt)  # the engine, once it runs, has its own
    code: int | str | None
    try:
        app()
        code = ExitCode.DONE
    except SystemExit as ended:  # how typer ends, whatever came of it
        code = ended.code
    except _StoppedError as stopped:
        from route53_takeover.cli.failures import report_signal

        code = report_signal(str(stopped))
    except Exception as error:  # noqa: BLE001 -- the last line of defence: no traceback
        from route53_takeover.cli.failures import report_error

        code = report_error(error)
    stdio.finish()
    sys.exit(code)
