"""Whether the program of a deploy command is there, before anything depends on it.

Only the first word of a simple command is looked at: one command, spelled out. What a shell would
have to work out (variables, pipes, lists, globs) is left to the shell. Nothing is run but the
shell's own ``command -v``, which knows builtins too.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_PLAIN = re.compile(r"[A-Za-z0-9_./+@:,-]+")
"""A first word that means itself to a shell."""
_OPERATORS = frozenset("();<>|&")
_LONGEST = 1 << 14
"""Characters of a command that is looked at: the standard library splits in quadratic time."""
_LIMIT = 5.0
"""Seconds that the shell may take to tell; a command of which it does not counts as there."""


def missing_programs(commands: Iterable[str | None], cwd: Path) -> tuple[str, ...]:
    """The programs of these commands that certainly are not there, each once."""
    words = (program_of(command) for command in commands if command)
    return tuple(dict.fromkeys(word for word in words if word and not _is_there(word, cwd)))


def program_of(command: str) -> str | None:
    """The program of a simple command; ``None`` where only a shell can tell.

    Args:
        command: as ``sh -c`` takes it.
    """
    if len(command) > _LONGEST or "\n" in command or "`" in command or "$(" in command:
        return None
    lexer = shlex.shlex(command, posix=False, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return None  # a quote is open: the shell says so itself
    if any(_OPERATORS.issuperset(word) for word in words):
        return None
    return words[0] if words and _PLAIN.fullmatch(words[0]) else None


def _is_there(word: str, cwd: Path) -> bool:
    if "/" in word:
        return os.access(cwd / word, os.X_OK)
    if shutil.which(word):
        return True
    try:
        told = subprocess.run(  # noqa: S603 -- the word is an argument, and is not run
            ["/bin/sh", "-c", 'command -v "$1"', "sh", word],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return told.returncode == 0
