"""What signals mean to this process: what its caller chose, and what it made of them since.

Imported before any handler is set: a signal that the caller ignored (``nohup``, ``&`` in a script)
is never taken over, and a process that we start gets the caller's choices, not ours. Nothing here
knows what a request to stop does; handlers are their owners'.
"""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Those that ask to stop."""
SUSPENDING = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""Those with which a terminal stops a process until it is continued."""

_ignored_by_caller = frozenset(
    number for number in (*ASKING, *SUSPENDING) if signal.getsignal(number) is signal.SIG_IGN
)
_given_up: set[signal.Signals] = set()


def heeded(*numbers: signal.Signals) -> tuple[signal.Signals, ...]:
    """Those of the signals that the caller did not ignore and this process has not given up."""
    return tuple(n for n in numbers if n not in _ignored_by_caller and n not in _given_up)


def asking() -> tuple[signal.Signals, ...]:
    """The signals that ask this process to stop."""
    return heeded(*ASKING)


def give_up(number: signal.Signals) -> None:
    """From here on this signal means nothing to this process."""
    _given_up.add(number)
    signal.signal(number, signal.SIG_IGN)


def ignore_asking() -> None:
    """No signal ends this process until a handler is set again: it only has to print a result."""
    for number in asking():
        signal.signal(number, signal.SIG_IGN)


def never_suspend() -> None:
    """From here on no terminal stops this process: a run that has written must go on guarding.

    They are ignored, not handled: a write to the terminal that SIGTTOU interrupts would be tried
    for ever.
    """
    for number in SUSPENDING:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def as_called() -> Iterator[None]:
    """A process that is started within this starts with the caller's choices.

    An ignored signal stays ignored in a new program, and no shell can undo that; a handled one
    gets its default back. So what this process ignores is handled, and does nothing, for the
    moment. Unlike ``preexec_fn`` this runs nothing between fork and exec, and no signal has its
    default here in between.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread can set handlers, and it starts every process that matters
        return
    ours = [
        number
        for number in (*ASKING, *SUSPENDING)
        if number not in _ignored_by_caller and signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ours:
        signal.signal(number, _nothing)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_IGN)


def _nothing(*_: object) -> None:
    """Does nothing."""
