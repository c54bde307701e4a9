"""What holds for all tests: what was compiled once is kept, and signals are a terminal's.

Where the environment says not to write bytecode, each process that a test starts would compile the
program and its libraries anew (a second and more of CPU), and each worker all tests. ``pytest &``
in a script starts with SIGINT and SIGQUIT ignored, and so would all that it starts.
"""

from __future__ import annotations

import os
import signal
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
