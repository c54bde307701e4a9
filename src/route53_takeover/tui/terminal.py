"""The terminal's title and size: what Textual has no call for.

The title is the one escape sequence of our own. The driver is the only way to the terminal that
does not tear what Textual itself writes.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from textual.drivers.linux_driver import LinuxDriver

from route53_takeover.base.escaping import escape_control

NAME = "route53-takeover"
KEEP_TITLE = "\x1b[22;2t"
"""Asks the terminal to put its title aside; those that cannot ignore it."""
GIVE_TITLE_BACK = f"\x1b]2;{NAME}\x07\x1b[23;2t"
"""A neutral title, then the one that was put aside."""
_LONGEST = 120


def titled(text: str) -> str:
    """The sequence that sets the title; nothing in the text can end it early."""
    return f"\x1b]2;{escape_control(text)[:_LONGEST]}\x07"


class Driver(LinuxDriver):
    """Textual's own, which draws on stderr, with stderr's size: stdout may be a file."""

    def _get_terminal_size(self) -> tuple[int, int]:
        with suppress(OSError, AttributeError):
            columns, rows = os.get_terminal_size(sys.__stderr__.fileno())  # type: ignore[union-attr]
            if columns and rows:
                return columns, rows
        return super()._get_terminal_size()
