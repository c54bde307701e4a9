"""``run``: a takeover, in this process with ``--auto``, else in one of its own behind a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from route53_takeover.base.errors import ExitCode
    from route53_takeover.cli.options import CommonOptions, ConnectionOptions
    from route53_takeover.cli.takeover_options import Takeover
    from route53_takeover.core.plan.model import Options
    from route53_takeover.storage.config import Common, Connection
    from route53_takeover.storage.plan_file import PlanFile


class How(NamedTuple):
    """Whether it is shown on a screen, and whether it is the real account that is written to."""

    auto: bool
    dry_run: bool


def run(
    takeover: Takeover, connection: ConnectionOptions, common: CommonOptions, how: How
) -> ExitCode:
    """Takes over what the options say."""
    if how.auto and takeover.confirm_release:
        raise UsageError(
            "--auto and --confirm-release contradict each other: no one can confirm the release",
            "Leave one out.",
        )
    options, reached, given = takeover.options(), connection.connection(), common.common()
    return _start(given, reached, options, how)


def run_planned(
    path: Path, connection: ConnectionOptions, common: CommonOptions, how: How
) -> ExitCode:
    """Takes over what a plan file says, if the account is still as it was then."""
    from route53_takeover.storage.plan_file import read_plan_file

    given = common.common()
    reviewed = read_plan_file(path)
    options = reviewed.review.plan.options
    if how.auto and options.confirm_release:
        raise UsageError(
            f"{path} was planned with --confirm-release: with --auto no one can confirm the "
            "release",
            "Leave out --auto, or make a new plan without --confirm-release.",
        )
    if options.jets is not None:
        from route53_takeover.cli.jets import refuse_changed

        refuse_changed(options, options.jets)
    reached = connection.override()(reviewed.connection)
    return _start(given, reached, options, how, reviewed)


def _start(
    common: Common,
    connection: Connection,
    options: Options,
    how: How,
    reviewed: PlanFile | None = None,
) -> ExitCode:
    if not how.auto:
        from route53_takeover.cli import terminal
        from route53_takeover.process.spawn import BeginRun

        order = BeginRun(
            state_dir=str(common.state_dir),
            log_level=common.log_level,
            on_event=common.on_event,
            connection=connection,
            options=options,
            reviewed=reviewed,
            dry_run=how.dry_run,
        )
        return terminal.start(common, order)
    from route53_takeover.cli.interrupts import in_loop
    from route53_takeover.output import text_lines
    from route53_takeover.output.reporter import ConsoleReporter

    text_lines.tell_config(common)
    reporter = ConsoleReporter(common)
    if how.dry_run:
        from route53_takeover.cli.dry_run import start_dry_run

        return in_loop(start_dry_run(common, reporter, connection, options, reviewed=reviewed))
    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.cli.execution import start_run

    work = start_run(common, reporter, connection, options, SystemClock(), reviewed=reviewed)
    return in_loop(work)
