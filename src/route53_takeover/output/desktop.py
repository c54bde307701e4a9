"""Desktop notifications by the terminal: OSC 9, 777 or 99, where it is known to have one of them.

A terminal that does not know them may print them, so that the others get none unless they are asked
for. Within tmux or screen the terminal outside is not known; asked for, tmux passes the sequence on
where ``allow-passthrough`` is set.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from route53_takeover.base.escaping import escape_control
from route53_takeover.base.stdio import Background
from route53_takeover.core.status.alert_events import AlertFeed
from route53_takeover.core.status.rehearsal_marks import prefix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from route53_takeover.core.events import Event
    from route53_takeover.core.status.any_run import RunState

_OSC_9 = "\x1b]9;{text}\x07"
_OSC_777 = "\x1b]777;notify;route53-takeover;{text}\x07"
_OSC_99 = "\x1b]99;;{text}\x1b\\"
_PROGRAMS = {"iTerm.app": _OSC_9, "WezTerm": _OSC_777, "ghostty": _OSC_777}
"""``TERM_PROGRAM``."""
_TERMS = {
    "xterm-kitty": _OSC_99,
    "xterm-ghostty": _OSC_777,
    "foot": _OSC_777,
    "rxvt-unicode": _OSC_777,
}
"""The beginning of ``TERM``."""
_VTE = 4600
"""``VTE_VERSION`` (GNOME Terminal and others) from which OSC 777 notifies or is ignored."""
_LONGEST = 200


def sequence_for(environ: Mapping[str, str], *, asked: bool | None) -> str:
    """What makes this terminal notify, with a place for the text; empty where it is left alone.

    Args:
        asked: ``--notify`` or ``--no-notify``; ``None``: neither.
    """
    term = environ.get("TERM", "")
    if asked is False or term in ("", "dumb", "unknown", "linux"):
        return ""
    if "TMUX" in environ:
        inner = _OSC_9.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{inner}\x1b\\" if asked else ""
    if term.startswith("screen"):
        return f"\x1bP{_OSC_9}\x1b\\" if asked else ""
    found = _PROGRAMS.get(environ.get("TERM_PROGRAM", ""), "")
    found = found or next((seq for start, seq in _TERMS.items() if term.startswith(start)), "")
    vte = environ.get("VTE_VERSION", "")
    if not found and vte.isdecimal() and int(vte) >= _VTE:
        found = _OSC_777
    return found or (_OSC_9 if asked else "")


def notification(sequence: str, text: str) -> str:
    """The sequence with the text in it; nothing in the text can end it early."""
    plain = escape_control(text)[:_LONGEST].replace(";", ",")  # fields are divided by semicolons
    return sequence.replace("{text}", plain)


class DesktopAlerts:
    """Observes a run, and asks this process's terminal for a notification of each alert.

    Args:
        sequence: of `sequence_for`.
        known: the state of a run that is resumed.
    """

    def __init__(self, sequence: str, rehearsal: str | None, known: RunState | None) -> None:
        self._sequence = sequence
        self._rehearsal = rehearsal
        self._feed = AlertFeed(known)
        self._terminal = Background(_Terminal())

    def __call__(self, event: Event, state: RunState, seq: int) -> None:
        del seq
        for alert in self._feed.take(event, state):
            text = f"{prefix(self._rehearsal)}{alert.text}"
            self._terminal.write(notification(self._sequence, text))


class _Terminal:
    """Stderr without the filter that makes escape sequences visible."""

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), text.encode())

    def flush(self) -> None:
        """Nothing is kept."""
