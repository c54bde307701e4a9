"""What every test stands on: signals as a terminal leaves them, also where pytest was started by
``pytest &`` in a script, which makes SIGINT and SIGQUIT ignored by it and all that it starts."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
