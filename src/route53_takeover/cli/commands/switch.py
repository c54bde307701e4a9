"""``switch``: a live site from blue to green, in this process with ``--auto``, else on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.cli.options import AccountOptions, CommonOptions
    from route53_takeover.cli.switch_options import SiteSwitch


def switch(
    site: SiteSwitch, account: AccountOptions, options: CommonOptions, *, auto: bool
) -> ExitCode:
    """Switches what the options say."""
    asked, connection, common = site.options(), account.connection(), options.common()
    if not auto:
        from route53_takeover.cli import terminal
        from route53_takeover.process.spawn import BeginSwitch

        order = BeginSwitch(
            state_dir=str(common.state_dir),
            log_level=common.log_level,
            connection=connection,
            options=asked,
        )
        return terminal.start(common, order)
    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.cli.interrupts import in_loop
    from route53_takeover.cli.switch_execution import start_switch
    from route53_takeover.output import text_lines
    from route53_takeover.output.reporter import ConsoleReporter

    text_lines.tell_config(common)
    work = start_switch(common, ConsoleReporter(common), connection, asked, SystemClock())
    return in_loop(work)
