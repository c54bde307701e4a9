"""A command that failed: its error on stderr, in JSON as the result too, and its exit code.

No traceback reaches a user: the details of a defect are written to a file.
"""

from __future__ import annotations

import json
import os
import sys

from typer._click import exceptions as typers

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.crash_report import kept
from route53_takeover.base.errors import (
    CredentialsError,
    DefectError,
    ExitCode,
    TakeoverError,
    UsageError,
)
from route53_takeover.base.stdio import write_line
from route53_takeover.cli.given_options import PREFIX, Given
from route53_takeover.cli.option_types import Output
from route53_takeover.cli.usage_errors import add_sources, show_help, usage_error_of
from route53_takeover.core.endings import OUTCOMES
from route53_takeover.core.status.result import Result
from route53_takeover.core.takeover.phases import Phase
from route53_takeover.output.json_lines import result_object
from route53_takeover.output.text_lines import tell_error

_WRITING = ("run", "resume", "restore")
"""The commands that may have changed something before a defect ended them."""


def report_error(error: Exception) -> ExitCode:
    """Prints an error; returns the exit code."""
    match error:
        case typers.NoArgsIsHelpError():
            show_help(error)
            return ExitCode.USAGE
        case typers.UsageError():
            error = usage_error_of(error)
        case UsageError() | CredentialsError():
            add_sources(error)
        case _:
            pass
    if isinstance(error, TakeoverError):
        return _print(error.message, error.hint, error.exit_code, error.run, label=error.label)
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    code = ExitCode.UNKNOWN if command in _WRITING else ExitCode.FAILED
    if isinstance(error, DefectError):
        return _print(*kept(error.error), code, error.run)
    return _print(*kept(error), code)


def report_signal(signal: str) -> ExitCode:
    """Prints that a signal ended the command, before anything was written."""
    return _print(f"{signal}: stopped, nothing was written", "", ExitCode.INTERRUPTED)


def _print(
    message: str,
    hint: str,
    code: ExitCode,
    run: str | None = None,
    *,
    label: str = TakeoverError.label,
) -> ExitCode:
    error = TakeoverError(message, hint)
    error.label = label
    tell_error(error)
    if code is not ExitCode.USAGE and _wants_json():
        ended = Result(
            run=run,
            phase=Phase.PREFLIGHT,
            outcome=OUTCOMES[code],
            exit_code=code,
            reason=f"{message.rstrip('.')}. {hint}".removesuffix(". "),
        )
        write_line(json.dumps(result_object(ended, seq=None, time=SystemClock().now())), sys.stdout)
    return code


def _wants_json() -> bool:
    if Given.output is not None:
        return Given.output == Output.JSON
    words = sys.argv[1:]
    given = [w.partition("=")[2] for w in words if w.startswith("--output=")]
    given += [words[i + 1] for i, w in enumerate(words[:-1]) if w == "--output"]
    return (given or [os.environ.get(PREFIX + "OUTPUT", "")])[-1] == Output.JSON
