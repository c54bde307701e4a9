"""``report``: what happened in a run, from its folder: text, JSON, Markdown or one HTML page."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode, TakeoverError
from route53_takeover.base.stdio import width_of, write_line, write_lines, write_spans
from route53_takeover.cli.option_types import ReportOutput
from route53_takeover.cli.run_picker import chosen_run
from route53_takeover.cli.run_reading import read_run
from route53_takeover.core.status.report.build import RunFacts, build_report
from route53_takeover.core.status.snapshot import Detail
from route53_takeover.output.report_html import report_page
from route53_takeover.output.report_json import report_object
from route53_takeover.output.report_markdown import report_markdown
from route53_takeover.output.report_text import report_lines
from route53_takeover.storage.measurement_folder import refuse_measurement
from route53_takeover.storage.run_folder import line_for, within
from route53_takeover.storage.run_notes import read_calls, read_restores

if TYPE_CHECKING:
    from route53_takeover.cli.options import ReportOptions
    from route53_takeover.core.status.report.model import Report
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import RunFolder


def report(run: str | None, options: ReportOptions) -> ExitCode:
    """Prints the report of a run."""
    common = options.common()
    return report_on(common, chosen_run(common, run))


def report_on(common: Common, folder: RunFolder) -> ExitCode:
    """The same for a folder that is found."""
    refuse_measurement(folder)
    with within(folder):
        found = report_of(common, folder, SystemClock().now())
    match common.output:
        case ReportOutput.JSON:
            write_line(json.dumps(report_object(found)), sys.stdout)
        case ReportOutput.HTML:
            write_lines(report_page(found), sys.stdout)
        case ReportOutput.MARKDOWN:
            write_lines(report_markdown(found), sys.stdout)
        case _:
            write_spans(report_lines(found, width_of(sys.stdout)), sys.stdout)
    return ExitCode.DONE


def report_of(common: Common, folder: RunFolder, now: float) -> Report:
    """The report of a run at this time."""
    found = read_run(folder, now)
    facts = RunFacts(
        folder=str(folder.path), api_calls=read_calls(folder), restores=read_restores(folder)
    )
    with suppress(TakeoverError):  # a damaged plan: the journal has all but who and where
        saved = folder.saved()
        facts = facts._replace(
            region=saved.connection.region or "", identity=saved.identity, program=saved.program
        )
    return build_report(
        found.state,
        found.shown,
        found.status,
        found.followed,
        facts,
        line_for=lambda verb: line_for(common.state_dir, verb, folder.name),
        detail=Detail.ALL if common.verbose else Detail.MAIN,
    )
