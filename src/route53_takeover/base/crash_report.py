"""A defect of ours: kept in a file for its report, told in one line. No traceback is shown."""

from __future__ import annotations

import tempfile
import traceback

from route53_takeover.base.escaping import escape_control
from route53_takeover.base.redaction import redacted

_PROGRAM = "route53-takeover"


def kept(error: Exception) -> tuple[str, str]:
    """What to tell of an exception that nobody foresaw, and what to do; its details are kept."""
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
        f"this is a defect of {_PROGRAM}: {type(error).__name__} ({where})",
        f"If a run had begun: `{_PROGRAM} runs`, then `{_PROGRAM} resume RUN --auto`.",
    )
