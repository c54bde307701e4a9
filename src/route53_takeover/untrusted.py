"""Text from outside: what AWS, a zone, a deploy command or a file name may say to a terminal.

Control characters in it could repaint the screen, set the clipboard, hide what stands there or
forge a line. `printable` is the one function that makes them visible; streams, logs and the files
of a run all go through it. It does nothing about markup: whatever shows such text with a library
that has its own (Textual, rich) must turn markup off for it.
"""

from __future__ import annotations

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with everything visible that is not a printable character or a space.

    That is C0 and C1 controls, DEL, the line separators, bidirectional overrides, isolates and
    marks, other invisible formatting, and half surrogates (bytes that are no UTF-8). The escapes
    are JSON's own (``\u001b``), so that a JSON text stays one, and means the same.

    Args:
        keep: characters to leave as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
