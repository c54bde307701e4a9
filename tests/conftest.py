"""What every test stands on: signals as a terminal leaves them, and bytecode that is kept.

``pytest &`` in a script makes SIGINT and SIGQUIT ignored by it and by all that it starts. Where the
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
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
