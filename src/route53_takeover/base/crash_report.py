"""An unexpected exception: its details go to a file, one line to the user, no traceback."""

from __future__ import annotations

import tempfile
import traceback

from route53_takeover.base.escaping import escape_control
from route53_takeover.base.redaction import redacted

_PROGRAM = "route53-takeover"


def kept(error: Exception) -> tuple[str, str]:
    """The message and the hint for an unexpected exception; its details are saved."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix=f"{_PROGRAM}-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(
                escape_control(redacted("".join(traceback.format_exception(error))), keep="\n")
            )
        where = f"details in {file.name}"
    except OSError:
        where = " ".join(str(error).split())
    return (
        f"internal error of {_PROGRAM}: {type(error).__name__} ({where})",
        f"If a run had started: `{_PROGRAM} runs`, then `{_PROGRAM} resume RUN --auto`.",
    )
