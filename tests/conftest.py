"""What every test stands on: signals as a terminal leaves them, and what is read only once.

``pytest &`` in a script makes SIGINT and SIGQUIT ignored by it and all that it starts, ``nohup``
SIGHUP. Where the environment says not to write bytecode, each process that a test starts would
compile the program and its libraries anew (a second and more of CPU), and each worker all tests.
botocore reads its models of the services anew for each session; here it does once a worker.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_load_file = JSONFileLoader.load_file


_WITH_EXTRAS = ("/route53/", "/cloudfront/")
"""Services to whose models extras are added, in place: they are read anew each time."""


@cache
def _loaded(path: str) -> Any:
    """A model's file; all clients of one session share it anyway."""
    return _load_file(JSONFileLoader(), path)


def _read_once(_: JSONFileLoader, file_path: str) -> Any:
    if any(service in file_path for service in _WITH_EXTRAS):
        return _load_file(JSONFileLoader(), file_path)
    return _loaded(file_path)


def pytest_configure() -> None:
    JSONFileLoader.load_file = _read_once  # type: ignore[method-assign, assignment]
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            is_interrupt = number is signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
