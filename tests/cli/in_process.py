"""The command line called in this process, as if it had one of its own."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast
from unittest import mock

import structlog

from route53_takeover.base import redaction, signals
from route53_takeover.cli import app
from route53_takeover.cli.given_options import PROGRAM
from route53_takeover.output import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SIGNALS = (*signals.ASKING, *signals.SUSPENDING)


def call_main(words: Sequence[str], env: Mapping[str, str], cwd: Path) -> tuple[int, str, str]:
    """Calls the entry point; returns its exit code, and what it wrote to stdout and stderr."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as err,
        _new_process([PROGRAM, *words], env, cwd, cast("TextIO", out), cast("TextIO", err)),
    ):
        try:
            app.main()
        except SystemExit as ended:
            code = ended.code
        else:
            raise AssertionError("the entry point returned instead of ending the process")
        log.finish()
        assert isinstance(code, int), code
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
    return (int(code), texts[0], texts[1])


@contextmanager
def _new_process(
    words: Sequence[str], env: Mapping[str, str], cwd: Path, out: TextIO, err: TextIO
) -> Iterator[None]:
    """What a process has for itself is as in a new one, and as it was afterwards."""
    here, handlers = Path.cwd(), [(number, signal.getsignal(number)) for number in _SIGNALS]
    structured, loggers = structlog.get_config(), logging.getLogger().handlers
    os.chdir(cwd)
    try:
        with (
            Path(os.devnull).open() as nothing,
            mock.patch.dict(os.environ, env, clear=True),
            mock.patch.object(tempfile, "tempdir", None),
            mock.patch.object(redaction, "_used", set()),
            mock.patch.object(signals, "_given_up", set()),
            mock.patch.multiple(sys, argv=[*words], stdin=nothing, stdout=out, stderr=err),
            warnings.catch_warnings(),
        ):
            warnings.resetwarnings()
            warnings.simplefilter("ignore")
            yield
    finally:
        os.chdir(here)
        structlog.configure(**structured)
        logging.getLogger().handlers = loggers
        for number, handler in handlers:
            signal.signal(number, handler)
