"""``attach``: shows a run that is in progress, has ended or was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.cli import terminal
from route53_takeover.cli.commands.report import report_on
from route53_takeover.cli.run_picker import chosen_run
from route53_takeover.cli.run_state import read_state
from route53_takeover.storage.measurement_folder import refuse_measurement

if TYPE_CHECKING:
    from route53_takeover.base.errors import ExitCode
    from route53_takeover.cli.options import CommonOptions


def attach(run: str | None, options: CommonOptions) -> ExitCode:
    """Shows it on the screen; one that has ended is a report where there is no screen."""
    common = options.common()
    folder = chosen_run(common, run)
    refuse_measurement(folder)
    state = read_state(folder)
    if state is None or state.ending is None:
        return terminal.watch(common, folder)
    if not terminal.has_screen():
        return report_on(common, folder)
    return terminal.replay(common, folder)
