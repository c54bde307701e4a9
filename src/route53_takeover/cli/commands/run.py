"""``run``: a takeover, in this process with ``--auto``, else in one of its own behind a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.base.errors import UsageError
from route53_takeover.cli.options import PREFIX

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.cli.options import CommonOptions, ConnectionOptions, Takeover
    from route53_takeover.core.plan.model import Options
    from route53_takeover.storage.config import Common, Connection


def run(
    takeover: Takeover, connection: ConnectionOptions, common: CommonOptions, *, auto: bool
) -> ExitCode:
    """Takes over what the options say."""
    if auto and takeover.confirm_release:
        raise UsageError(
            "--auto and --confirm-release contradict each other: no one confirms an unattended run",
            f"Leave one out (takeover.toml and {PREFIX}... count, too).",
        )
    options, reached, given = takeover.options(), connection.connection(), common.common()
    return (_here if auto else _behind_a_screen)(given, reached, options)


def _here(common: Common, connection: Connection, options: Options) -> ExitCode:
    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.cli.execution import start_run
    from route53_takeover.cli.interrupts import in_loop
    from route53_takeover.output import text_lines
    from route53_takeover.output.reporter import ConsoleReporter

    text_lines.tell_config(common)
    reporter = ConsoleReporter(common)
    return in_loop(start_run(common, reporter, connection, options, SystemClock()))


def _behind_a_screen(common: Common, connection: Connection, options: Options) -> ExitCode:
    from route53_takeover.cli import terminal
    from route53_takeover.process.spawn import BeginRun

    order = BeginRun(
        state_dir=str(common.state_dir),
        log_level=common.log_level,
        connection=connection,
        options=options,
    )
    return terminal.start(common, order)
