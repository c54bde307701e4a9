"""Writes takeover.toml for `init` and ``plan --write-config``, with the schema beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from route53_takeover.base.errors import UsageError
from route53_takeover.base.escaping import escape_control
from route53_takeover.base.redaction import redacted
from route53_takeover.cli.config_keys import SCHEMA_FILE, annotated, keys_of, schema_text
from route53_takeover.cli.help import Panel
from route53_takeover.storage.config_file import CONFIG_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typer.core import TyperGroup

    from route53_takeover.cli.config_keys import Value

_MODE = 0o644
"""Not writable for a group, whatever the umask: such a file is refused when it is read."""


def config_text(program: TyperGroup, values: Mapping[str, Value]) -> str:
    """The file: the given options of a takeover, and all others commented out."""
    head = [
        f"#:schema ./{SCHEMA_FILE}",
        f"# `route53-takeover plan` and `run` read {CONFIG_FILE} in the current folder.",
        "# The command line and ROUTE53_TAKEOVER_... variables win over it. No credentials here.",
    ]
    keys = [key for key in keys_of(program.commands["run"]) if key.panel != Panel.COMMAND]
    return "\n".join([*head, *annotated(keys, values, but=(Panel.COMMON,))]) + "\n"


def write_config(
    path: Path, program: TyperGroup, values: Mapping[str, Value], *, overwrite: bool = False
) -> None:
    """Writes the file and its schema.

    Raises:
        UsageError: it exists, cannot be written, or would contain a credential.
    """
    for name, value in values.items():
        texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        if any(redacted(text) != text for text in texts):
            raise UsageError(
                f"--{name.replace('_', '-')} contains a credential, which {path} would store",
                "Put it into an environment variable that the command reads.",
            )
    text = escape_control(config_text(program, values), keep="\n")
    try:
        _write(path, text, overwrite=overwrite)
        _write(path.with_name(SCHEMA_FILE), schema_text(program), overwrite=True)
    except FileExistsError:
        raise UsageError(
            f"{path} exists and is left as it is", "Choose another name, or remove it."
        ) from None
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", "Choose another name."
        ) from error


def refuse_existing(path: Path) -> None:
    """Refuses to write over a file.

    Raises:
        UsageError: it exists.
    """
    if path.exists() or path.is_symlink():
        raise UsageError(
            f"{path} exists and is left as it is", "Choose another name, or remove it."
        )


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    flags = (
        os.O_WRONLY
        | os.O_CREAT
        | os.O_CLOEXEC
        | os.O_NOFOLLOW
        | (os.O_TRUNC if overwrite else os.O_EXCL)
    )
    with os.fdopen(os.open(path, flags, _MODE), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), _MODE)
        file.write(text)
