"""What every test stands on: signals as a terminal leaves them, and bytecode that is kept.

``pytest &`` in a script makes SIGINT and SIGQUIT ignored by it and all that it starts, ``nohup``
SIGHUP. Where the
environment says not to write bytecode, each process that a test starts would compile the program
and its libraries anew (a second and more of CPU), and each worker all tests.
"""

from __future__ import annotations

import os
import signal
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_configure() -> None:
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            is_interrupt = number is signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
