"""The completion scripts of bash, zsh and fish, and how they get into a shell's start-up files.

Each script calls the program with the words so far (`route53_takeover.cli.completion`) and hands
the answer to its shell.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from route53_takeover.base.errors import UsageError
from route53_takeover.cli.given_options import PROGRAM, VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

_BASH = r"""
_route53_takeover_complete() {
    local line kind=""
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ -z $kind ]]; then kind=$line; else COMPREPLY+=("$line"); fi
    done < <(VARIABLE=bash COMP_TYPE="$COMP_TYPE" COMP_WORDBREAKS="$COMP_WORDBREAKS" \
        COLUMNS="${COLUMNS:-80}" "$1" -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    local word="${COMP_WORDS[COMP_CWORD]}"
    [[ $word == "=" ]] && word=""
    case $kind in
        files) compopt -o default 2>/dev/null ||
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$word") ;;
        dirs) compopt -o dirnames 2>/dev/null ||
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$word") ;;
    esac
}
complete -o nosort -F _route53_takeover_complete PROGRAM 2>/dev/null ||
    complete -F _route53_takeover_complete PROGRAM
"""

_ZSH = r"""#compdef PROGRAM
_route53_takeover_complete() {
    local kind
    local -a lines
    lines=("${(@f)$(VARIABLE=zsh "${(Q)words[1]}" -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" \
        2>/dev/null)}")
    kind=$lines[1]
    shift lines
    if (( $#lines )); then
        _describe -V 'values' lines
        return
    fi
    [[ $PREFIX == --*=* ]] && compset -P '*='
    case $kind in
        files) _files ;;
        dirs) _files -/ ;;
    esac
}
if [[ ${funcstack[1]} == _PROGRAM ]]; then
    _route53_takeover_complete "$@"
else
    compdef _route53_takeover_complete PROGRAM
fi
"""

_FISH = r"""
function __route53_takeover_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (VARIABLE=fish $words[1] -- $words[2..-1] "$current" 2>/dev/null)
    set -l kind $lines[1]
    set -e lines[1]
    if test (count $lines) -gt 0
        printf '%s\n' $lines
        return
    end
    set -l path (string replace -r -- '^--[^=]*=' '' "$current")
    set -l before (string match -r -- '^--[^=]*=' "$current")
    switch "$kind"
        case files
            for each in (__fish_complete_path "$path")
                printf '%s\n' "$before$each"
            end
        case dirs
            for each in (__fish_complete_directories "$path")
                printf '%s\n' "$before$each"
            end
    end
end
complete -c PROGRAM -f -k -a '(__route53_takeover_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(shell: str) -> str:
    """The text that a shell has to read."""
    text = SCRIPTS[shell].replace("PROGRAM", PROGRAM).replace("VARIABLE", VARIABLE)
    return text.lstrip("\n")


def chosen_shell(given: str | None) -> str:
    """The shell that was named, else the user's own.

    Raises:
        UsageError: it is another one, or not known.
    """
    shell = given or Path(os.environ.get("SHELL", "")).name
    if shell not in SCRIPTS:
        known = ", ".join(SCRIPTS)
        what = f"there is no completion for {shell!r}" if shell else "the shell is not known"
        raise UsageError(what, f"Name one after the option: {known}.")
    return shell


def install(shell: str) -> list[str]:
    """Puts the script where the shell finds it.

    Returns:
        Lines that say what was written.

    Raises:
        UsageError: a file cannot be written.
    """
    try:
        return _INSTALL[shell](script(shell))
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"cannot install the completion: {error}",
            f"Print it with `{PROGRAM} --show-completion {shell}`, and read it in yourself.",
        ) from error


def _install_bash(text: str) -> list[str]:
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    path = data / "bash-completion/completions" / PROGRAM
    line = f'[ -r "{path}" ] && . "{path}"'
    return [_written(path, text), *_added(Path.home() / ".bashrc", line)]


def _install_zsh(text: str) -> list[str]:
    folder = Path.home() / ".zfunc"
    start = Path(os.environ.get("ZDOTDIR") or Path.home()) / ".zshrc"
    line = 'fpath+=("$HOME/.zfunc"); autoload -Uz compinit && compinit'
    return [_written(folder / f"_{PROGRAM}", text), *_added(start, line)]


def _install_fish(text: str) -> list[str]:
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return [_written(config / "fish/completions" / f"{PROGRAM}.fish", text)]


_INSTALL: dict[str, Callable[[str], list[str]]] = {
    "bash": _install_bash,
    "zsh": _install_zsh,
    "fish": _install_fish,
}


def _written(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return f"wrote {path}"


def _added(path: Path, line: str) -> list[str]:
    """Adds a line to a start-up file, once."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    if line in text.splitlines():
        return []
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")
    return [f"added a line to {path}: {line}"]


def install_asked() -> NoReturn:
    """``--install-completion``: installs it, says what was written, and ends."""
    shell = chosen_shell(_named_after("--install-completion"))
    lines = install(shell)
    sys.stdout.write("\n".join([*lines, f"Start a new {shell} to use it.", ""]))
    raise typer.Exit


def show_asked() -> NoReturn:
    """``--show-completion``: prints the script, and ends."""
    sys.stdout.write(script(chosen_shell(_named_after("--show-completion"))))
    raise typer.Exit


def _named_after(flag: str) -> str | None:
    """The word after a flag, which to typer is the name of a command."""
    following = sys.argv[sys.argv.index(flag) + 1 :] if flag in sys.argv else []
    return next(iter(following), None)
