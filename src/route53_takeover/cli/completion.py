"""What can follow on a command line, for the shells' completion.

A shell calls the program with `VARIABLE` set and the words so far as arguments
(`route53_takeover.cli.completion_scripts`). It gets lines: first what kind of word is expected
(``words``, ``files``, ``dirs``), then the candidates. No network; nothing heavy is imported.
"""

from __future__ import annotations

import os
import shlex
import sys
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple

from typer.core import TyperArgument, TyperOption

from route53_takeover.base.errors import TakeoverError
from route53_takeover.base.escaping import escape_control
from route53_takeover.cli import completion_values as values
from route53_takeover.cli.given_options import PROGRAM, VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from typer._click.core import Command, Parameter
    from typer.core import TyperGroup

    from route53_takeover.cli.completion_values import Candidate

_FILES, _DIRS, _WORDS = "files", "dirs", "words"
_BREAKS = "=:"
"""Where bash begins a new word in the middle of one (COMP_WORDBREAKS)."""
_LISTING = ("33", "63")
"""COMP_TYPE where bash lists the candidates, and inserts none of them."""

_VALUES: dict[str, Callable[[Sequence[str]], Iterable[Candidate]]] = {
    "--profile": lambda _: values.profiles(),
    "--dns-profile": lambda _: values.profiles(),
    "--region": lambda _: values.regions(),
    "--scenario": lambda _: values.scenarios(),
    "RUN": values.runs,
}
"""Candidates by option or argument, from the words of the line."""


class Answer(NamedTuple):
    """What may stand in the place of the incomplete word."""

    kind: str
    candidates: list[Candidate]


def complete(shell: str, arguments: Sequence[str], program: TyperGroup) -> str:
    """The answer to a shell, as it reads it.

    Args:
        arguments: bash: the line up to the cursor; zsh and fish: the words after the program's
            name, the last one incomplete and perhaps empty.
    """
    words = _split(arguments[0])[1:] if shell == "bash" else list(arguments)
    if not words:
        words = [""]
    try:
        answer = answer_for(words, program)
    except (OSError, ValueError, TakeoverError):  # a file of the user's that cannot be read
        answer = Answer(_WORDS, [])
    written = {"bash": _for_bash, "zsh": _for_zsh, "fish": _for_fish}[shell]
    return "\n".join([answer.kind, *written(answer.candidates, words[-1])]) + "\n"


def answer_for(words: Sequence[str], program: TyperGroup) -> Answer:
    """The candidates for the last word, of which the beginning is given."""
    *before, incomplete = words
    at = next((n for n, word in enumerate(before) if not word.startswith("-")), None)
    if at is None:
        is_flag = incomplete.startswith("-")
        return _fitting(_flags(program, before) if is_flag else _commands(program), incomplete)
    command = program.commands.get(before[at])
    if command is None:
        return Answer(_WORDS, [])
    given = before[at + 1 :]
    flag, equals, value = incomplete.partition("=")
    if equals and (option := _option(command, flag)):
        kind, found = _of(option, words, value)
        return _fitting([(f"{flag}={each}", told) for each, told in found], incomplete, kind)
    if given and (option := _option(command, given[-1])) and not option.is_flag:
        kind, found = _of(option, words, incomplete)
        return _fitting(found, incomplete, kind)
    if incomplete.startswith("-"):
        return _fitting(_flags(command, given), incomplete)
    for param in command.params:
        if isinstance(param, TyperArgument):
            kind, found = _of(param, words, incomplete)
            return _fitting(found, incomplete, kind)
    return _fitting(_flags(command, given), incomplete)


def _fitting(found: Iterable[Candidate], incomplete: str, kind: str = _WORDS) -> Answer:
    fitting = [one for one in found if one[0].startswith(incomplete)]
    return Answer(_WORDS if fitting else kind, fitting)


def _commands(program: TyperGroup) -> list[Candidate]:
    return [(n, each.help or "") for n, each in program.commands.items() if not each.hidden]


def _flags(command: Command, given: Sequence[str]) -> list[Candidate]:
    """The options that can still be given: one that does not repeat only once."""
    found: list[Candidate] = []
    for param in command.params:
        if not isinstance(param, TyperOption) or param.hidden:
            continue
        flags = [f for f in (*param.opts, *param.secondary_opts) if f.startswith("--")]
        if param.multiple or not {word.partition("=")[0] for word in given} & {*param.opts}:
            found += [(flag, param.help or "") for flag in flags]
    return [*found, ("--help", "Show the help and exit.")]


def _option(command: Command, flag: str) -> TyperOption | None:
    for param in command.params:
        if isinstance(param, TyperOption) and flag in param.opts:
            return param
    return None


def _of(param: Parameter, words: Sequence[str], incomplete: str) -> tuple[str, list[Candidate]]:
    """What a parameter takes: its kind of word, and the candidates that are known."""
    metavar = param.metavar or ""
    kinds = {"FILE": _FILES, "DIR": _DIRS, "CMD": _FILES, "URL|CMD": _FILES}
    kind = kinds.get(metavar, _WORDS)
    if metavar == "RUN|FILE":
        return _FILES, list(values.runs(words))
    if choices := getattr(param.type, "choices", None):
        return kind, [(str(getattr(each, "value", each)), "") for each in choices]
    if param.opts[0] == "--record":
        return kind, values.record_types(incomplete)
    name = metavar.strip("[]") if isinstance(param, TyperArgument) else param.opts[0]
    known = _VALUES.get(name)
    return kind, [] if known is None else list(known(words))


def _split(line: str) -> list[str]:
    """The words of a line as a shell has them, the last one perhaps not at its end."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # an open quote, or a backslash at the end
        words.append(lexer.token)
    else:
        if line[-1:].isspace():
            words.append("")
    return words


def _clean(text: str) -> str:
    return " ".join(escape_control(text).split())


def _for_bash(candidates: Sequence[Candidate], incomplete: str) -> list[str]:
    """The rest of the words from where bash thinks that the last one begins."""
    breaks = [c for c in _BREAKS if c in os.environ.get("COMP_WORDBREAKS", _BREAKS)]
    begin = max((incomplete.rfind(c) + 1 for c in breaks), default=0)
    shown = [(_clean(value)[begin:], _clean(told)) for value, told in candidates]
    if len(shown) > 1 and os.environ.get("COMP_TYPE") in _LISTING:
        width = max(len(value) for value, _ in shown)
        room = max(int(os.environ.get("COLUMNS", "") or 80) - width - 6, 20)
        return [
            f"{value.ljust(width)}  ({shorten(told, room, placeholder=' ...')})" if told else value
            for value, told in shown
        ]
    return [value if shlex.quote(value) == value else _escaped(value) for value, _ in shown]


def _escaped(value: str) -> str:
    return "".join(c if c.isalnum() or c in "-_./=:,@%+" else f"\\{c}" for c in value)


def _for_zsh(candidates: Sequence[Candidate], _: str) -> list[str]:
    return [
        _clean(value).replace("\\", "\\\\").replace(":", "\\:")
        + (f":{_clean(told)}" if told else "")
        for value, told in candidates
    ]


def _for_fish(candidates: Sequence[Candidate], _: str) -> list[str]:
    return [f"{_clean(value)}\t{_clean(told)}" for value, told in candidates]


def answer_shell(program: TyperGroup) -> int:
    """Answers a shell that has set `VARIABLE`; returns the exit code."""
    from route53_takeover.cli.completion_scripts import SCRIPTS, script  # noqa: PLC0415 -- seldom

    asked = os.environ.pop(VARIABLE)
    shell = asked.removesuffix("_source").removeprefix("source_")
    if shell not in SCRIPTS:
        sys.stderr.write(f"{PROGRAM} completes in {', '.join(SCRIPTS)}, not in {asked!r}\n")
        return 2
    if shell != asked:
        sys.stdout.write(script(shell))
        return 0
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [""]
    sys.stdout.write(complete(shell, words, program))
    return 0
