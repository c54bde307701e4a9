"""How a run ends, whatever machine decides about it: outcome, exit code, what stopped it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from route53_takeover.base.errors import ExitCode


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    RESTORED = "restored"
    FAILED = "failed"
    REFUSED = "refused"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


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


class Stop(Struct, frozen=True):
    """A request to stop: a signal, or the operator's abort."""

    signal: str = ""

    @property
    def is_abort(self) -> bool:
        """Whether the operator asked for it, and not a signal."""
        return not self.signal

    def __str__(self) -> str:
        return self.signal or "abort"


class Ending(Struct, frozen=True, kw_only=True):
    """How the run ended, and the one line that says why.

    Attributes:
        phase: which one it ended from.
        resumable: whether a `resume` could do anything about it; only asked where it is unknown.
    """

    phase: StrEnum
    outcome: Outcome
    exit_code: ExitCode
    reason: str
    resumable: bool = True
