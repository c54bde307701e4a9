"""The log: structured lines to the run's takeover.log. It never stops a run, nor delays it.

It is read with a pager in an incident and sent to others after one: nothing in it acts on a
terminal (the JSON is ASCII, controls are escaped), and credentials that an error repeats are
masked. Other libraries' debug and information lines, which hold signatures and headers, are never
written, whatever ``--log-level`` says.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from typing import TYPE_CHECKING

import structlog

from route53_takeover.base import private_files
from route53_takeover.base.redaction import redacted
from route53_takeover.base.stdio import Background

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def level(name: str) -> int:
    """The number of a level; the highest for one that does not exist."""
    return _LEVELS.get(name, logging.CRITICAL)


_writers: list[tuple[Background, TextIO]] = []
"""What is being written to, each by a thread of its own; the last one counts."""


def finish(patience: float = 2.0) -> None:
    """Waits until what was logged is written; a disk that stalls longer is not waited for."""
    while _writers:
        writer, file = _writers.pop()
        if writer.close(patience):
            file.close()


atexit.register(finish)


def nowhere() -> None:
    """Before there is a run there is no log; and nothing may reach stdout or stderr unasked."""
    finish()
    logging.getLogger().handlers = [logging.NullHandler()]
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.PrintLoggerFactory(file=_Nowhere()),  # type: ignore[arg-type]
    )


def to_stderr(minimum: int) -> None:
    """What a rehearsal on virtual time logs, for who wants to see it."""
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


def to_file(path: Path, minimum: int) -> None:
    """From now on: the run's own log, made with mode 0600; other libraries' warnings with it.

    A log that cannot be made or written is done without: it never stops a run.
    """
    try:
        fd = private_files.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:
        return
    file = os.fdopen(fd, "a", buffering=1, encoding="utf-8", errors="backslashreplace")
    finish()
    writer = Background(file)
    _writers.append((writer, file))
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(minimum),
        logger_factory=structlog.PrintLoggerFactory(file=writer),  # type: ignore[arg-type]
    )
    handler = logging.StreamHandler(writer)
    handler.setFormatter(_FORMATTER)
    handler.setLevel(max(minimum, logging.WARNING))
    logging.getLogger().handlers = [handler]


class _Nowhere:
    """A file that takes everything and keeps nothing."""

    def write(self, text: str) -> None:
        del text

    def flush(self) -> None:
        return


def _without_credentials(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {key: _masked(value) for key, value in event.items()}


def _masked(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return redacted(value) if isinstance(value, str) else value


_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _without_credentials,
    structlog.processors.JSONRenderer(),
]
_FORMATTER = structlog.stdlib.ProcessorFormatter(
    foreign_pre_chain=_PROCESSORS[:2],
    processors=[
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        _without_credentials,
        structlog.processors.JSONRenderer(),
    ],
)
