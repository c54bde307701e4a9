"""The errors a user can meet, each with what happened, what to do and the exit code.

Lower libraries' exceptions are translated into these once, in the adapter that meets them. Nothing
else crosses a port, so the engine and the command line know every way a call can end.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from route53_takeover.base.redaction import redacted, redacted_hint

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExitCode(IntEnum):
    """What the command's exit status tells a script (the contract; see docs/reference)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNKNOWN = 4
    INTERRUPTED = 130


class TakeoverError(Exception):
    """Something a user has to know: one line of what, one of what to do, and no credentials.

    Args:
        message: what happened, where, in one line.
        hint: the next step; empty where there is none.

    Attributes:
        run: the run that it came out of, if any.
        done: the changes (`core.domain.record_sets.Change`) that a restore had made before it, or,
            with ``--dry-run``, would have made.
        label: what stands before it in print.
    """

    label = "error: "
    exit_code = ExitCode.FAILED
    run: str | None = None
    done: Sequence[Any] = ()

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = redacted(message)
        self.hint = redacted_hint(hint)
        super().__init__(self.message)


class DefectError(Exception):
    """An exception that no part of the program expects, and the run that it came out of."""

    def __init__(self, error: Exception, run: str) -> None:
        super().__init__(str(error))
        self.error = error
        self.run = run


class DeclinedError(TakeoverError):
    """The operator did not start the plan: no error, but not what the command is for either."""

    label = ""


class UsageError(TakeoverError):
    """The command line, the configuration, RUN or the state folder is wrong."""

    exit_code = ExitCode.USAGE


class RefusedError(TakeoverError):
    """The plan is not one we would carry out; nothing was written."""

    exit_code = ExitCode.REFUSED


class ManualActionRequiredError(TakeoverError):
    """The operator must look: the state is unknown or a name has no record."""

    exit_code = ExitCode.UNKNOWN


class ApiError(TakeoverError):
    """A call that AWS answered with an error, or did not answer.

    Args:
        message: AWS's own message, or what became of the connection.
        code: AWS's error code, such as ``Throttling``; empty where there was no answer.
        operation: ``service:Operation``, such as ``route53:ChangeResourceRecordSets``.
        hint: the next step.
    """

    def __init__(
        self, message: str, *, code: str = "", operation: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.operation = operation


class NotFoundError(ApiError):
    """The stack, zone or change does not exist."""

    exit_code = ExitCode.REFUSED


class AccessDeniedError(ApiError):
    """The credentials may not do this: the message names the action and the resource."""

    exit_code = ExitCode.REFUSED


class CredentialsError(ApiError):
    """There are no credentials, or they are expired or invalid."""


class ThrottledError(ApiError):
    """AWS refused for now and changed nothing: ``Throttling`` or ``PriorRequestNotComplete``."""


class RejectedChangeError(ApiError):
    """Route 53 looked at the batch and applied none of it (``InvalidChangeBatch`` and its like)."""


class UnansweredError(ApiError):
    """The answer was lost: a time-out, a reset, a 5xx. A write may or may not have been applied."""


class EndpointError(ApiError):
    """Nothing was sent: the connection could not be made."""


def one_line(error: Exception) -> str:
    """One line of what went wrong and what to do, whatever kind of exception it is."""
    text = str(error) or type(error).__name__
    hint = getattr(error, "hint", "")
    return " ".join(f"{text}. {hint}".split()) if hint else " ".join(text.split())
