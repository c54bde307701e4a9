"""The log: structured lines to the run's takeover.log, and warnings for people to stderr."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from pathlib import Path

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def level(name: str) -> int:
    """The number of a level; the highest for one that does not exist."""
    return _LEVELS.get(name, logging.CRITICAL)


def to_stderr(minimum: int) -> None:
    """Before there is a run: what is worth saying goes to stderr."""
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


def to_file(path: Path, minimum: int) -> None:
    """From now on: the run's own log, made with mode 0600."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.PrintLoggerFactory(
            file=os.fdopen(fd, "a", buffering=1, encoding="utf-8")
        ),
    )


_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(),
]
