"""``switch``: a live site from blue to green, in this process with ``--auto``, else on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.cli.options import AccountOptions, CommonOptions
    from route53_takeover.cli.switch_options import SiteSwitch


class HowToSwitch(NamedTuple):
    """Whether it is shown on a screen, only looked at, or what it needs is printed.

    ``run_line``: what carries it out, for who only looks.
    """

    auto: bool
    dry_run: bool
    policy: bool
    run_line: str


def switch(
    site: SiteSwitch, account: AccountOptions, options: CommonOptions, how: HowToSwitch
) -> ExitCode:
    """Switches what the options say."""
    if how.policy and how.dry_run:
        raise UsageError("--policy and --dry-run are two things", "Leave one out.")
    asked, connection, common = site.options(), account.connection(), options.common()
    if not (how.auto or how.dry_run or how.policy):
        from route53_takeover.cli import terminal
        from route53_takeover.process.spawn import BeginSwitch

        order = BeginSwitch(
            state_dir=str(common.state_dir),
            log_level=common.log_level,
            on_event=common.on_event,
            connection=connection,
            options=asked,
        )
        return terminal.start(common, order)
    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.cli.interrupts import in_loop
    from route53_takeover.output import text_lines
    from route53_takeover.output.reporter import ConsoleReporter

    text_lines.tell_config(common)
    reporter, clock = ConsoleReporter(common), SystemClock()
    if how.policy:
        from route53_takeover.cli.switch_preview import print_policy

        return in_loop(print_policy(common, reporter, connection, asked, clock))
    if how.dry_run:
        from route53_takeover.cli.switch_preview import dry_run

        return in_loop(dry_run(common, reporter, connection, asked, clock, how.run_line))
    from route53_takeover.cli.switch_execution import start_switch

    return in_loop(start_switch(common, reporter, connection, asked, clock))
