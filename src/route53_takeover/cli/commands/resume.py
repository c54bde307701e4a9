"""``resume``: resumes an interrupted run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.cli.run_picker import chosen_run
from route53_takeover.output import text_lines
from route53_takeover.storage.measurement_folder import refuse_measurement

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.cli.options import CommonOptions, ConnectionOptions


def resume(
    run: str | None, connection: ConnectionOptions, options: CommonOptions, *, auto: bool
) -> ExitCode:
    """Resumes in this process with ``--auto``, else in one of its own behind a screen."""
    common, override = options.common(), connection.override()
    folder = chosen_run(common, run, asks=not auto)
    refuse_measurement(folder)
    text_lines.tell_config(common)
    if auto:
        if folder.is_switch:
            from route53_takeover.cli.switch_execution import resume_switch as resume_run
        else:
            from route53_takeover.cli.execution import resume_run
        from route53_takeover.output.reporter import ConsoleReporter

        return resume_run(common, ConsoleReporter(common), folder, override)
    from route53_takeover.cli import terminal

    return terminal.resume(common, folder, override)
