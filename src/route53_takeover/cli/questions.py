"""Questions on a terminal: asked on stderr, answered on stdin; stdout stays clean."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from route53_takeover.base.errors import UsageError
from route53_takeover.base.stdio import write_line, write_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 40
"""Entries of a list; more are told as a number."""
_LONGEST = 4096
"""Bytes of an answer: a terminal hands over one line."""


def ask(question: str, default: str = "") -> str:
    """A line of text; Enter alone is the default, or is asked again where there is none.

    Raises:
        UsageError: stdin has ended.
    """
    hint = f" [{default}]" if default else ""
    while True:
        sys.stderr.write(f"{question}{hint}: ")
        sys.stderr.flush()
        # Not by way of sys.stdin: a thread that is given up at a signal would hold its lock.
        line = os.read(sys.stdin.fileno(), _LONGEST)
        if not line:
            raise UsageError("there is no answer", "Give the options instead, with --yes.")
        if answer := line.decode("utf-8", "replace").strip() or default:
            return answer
        write_line("  an answer is needed", sys.stderr)


def agrees(question: str) -> bool:
    """Whether the answer is yes; return alone means no."""
    return ask(f"{question} (y/n)", "n").casefold() in ("y", "yes")


def choose(
    what: str, entries: Sequence[str], *, own: str = "", default: str | None = None
) -> int | str:
    """The number of an entry of a list, from 0; or a text, where ``own`` says what that may be.

    Args:
        default: the answer that Enter alone gives.
    """
    shown = entries[:_SHOWN]
    width = len(str(len(shown)))
    write_lines([f"  {n:{width}}) {each}" for n, each in enumerate(shown, start=1)], sys.stderr)
    if len(entries) > _SHOWN:
        write_line(f"  ... and {len(entries) - _SHOWN} more", sys.stderr)
    question = f"{what}: number{f', or {own}' if own else ''}"
    while True:
        answer = ask(question, default or ("1" if len(shown) == 1 else ""))
        if answer.isdecimal() and len(answer) <= width and 1 <= int(answer) <= len(shown):
            return int(answer) - 1
        if own and not answer.isdecimal():
            return answer
        write_line(f"  {answer!r} is none of 1 to {len(shown)}", sys.stderr)
