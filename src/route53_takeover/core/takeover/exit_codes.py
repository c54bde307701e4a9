"""Exit code <-> outcome: the one table of it."""

from __future__ import annotations

from route53_takeover.base.errors import ExitCode
from route53_takeover.core.takeover.state import Outcome

EXIT_CODES = {
    Outcome.DONE: ExitCode.DONE,
    Outcome.RESTORED: ExitCode.FAILED,
    Outcome.FAILED: ExitCode.FAILED,
    Outcome.ABORTED: ExitCode.FAILED,
    Outcome.REFUSED: ExitCode.REFUSED,
    Outcome.UNKNOWN: ExitCode.UNKNOWN,
}
"""Outcome of a run -> its exit code, unless the ending says another one (a signal, say)."""

OUTCOMES = {
    ExitCode.DONE: Outcome.DONE,
    ExitCode.FAILED: Outcome.FAILED,
    ExitCode.USAGE: Outcome.FAILED,
    ExitCode.REFUSED: Outcome.REFUSED,
    ExitCode.UNKNOWN: Outcome.UNKNOWN,
    ExitCode.INTERRUPTED: Outcome.ABORTED,
}
"""Exit code of a command that no engine ended -> the outcome that its result says."""
