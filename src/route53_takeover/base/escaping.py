"""Text from outside: what AWS, a zone, a deploy command or a file name may say to a terminal.

Control characters in it could repaint the screen, set the clipboard, hide other text or
forge a line. `escape_control` is the one function that makes them visible; streams, logs and the
files of a run all go through it. It does nothing about markup: whatever shows such text with a
library that has its own (Textual, rich) must turn markup off for it.
"""

from __future__ import annotations

import re
import unicodedata

TAIL_LINES = 20
_TAIL_BYTES = 65_536
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\|\Z)"  # OSC, DCS and the like: titles, links
    r"|\x1b[ -/]*[0-~]"
)
"""No part reaches beyond the next escape, so that a text of unended ones takes linear time."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape_control(text: str, *, keep: str = "") -> str:
    r"""The text with everything visible that is not a printable character or a space.

    That is C0 and C1 controls, DEL, the line separators, bidirectional overrides, isolates and
    marks, other invisible formatting, and half surrogates (bytes that are no UTF-8). The escapes
    are JSON's own (``\u001b``), so that a JSON text stays one, and means the same.

    Args:
        keep: characters to leave as they are.
    """
    if text.isprintable():
        return text
    odd = (c for c in set(text) if not c.isprintable() and c not in keep)
    return text.translate({ord(c): _escaped(c) for c in odd})


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def plain_tail(output: bytes, *, cut: bool = False, lines: int = TAIL_LINES) -> str:
    """The last lines of a command's output, safe to show on any terminal.

    Args:
        output: all of it, or its last part; at most 65,536 bytes are looked at.
        cut: the output begins in the middle: its first word may be the rest of a secret whose name
            is not there any more, and is left out.
        lines: how many at most.
    """
    if cut or len(output) > _TAIL_BYTES:
        output = output[-_TAIL_BYTES:]
        output = (output.split(None, 1)[1:] or [b""])[0]
    text = _ESCAPES.sub("", output.decode(errors="replace").replace("\r\n", "\n"))
    return "\n".join(_plain_line(line) for line in text.rstrip().split("\n")[-lines:])


def _plain_line(line: str) -> str:
    """What is left to see of it: a progress bar's last state, no control characters."""
    shown = line.rstrip("\r").rpartition("\r")[2].replace("\t", "    ")
    return "".join(c for c in shown if not unicodedata.category(c).startswith("C")).rstrip()
