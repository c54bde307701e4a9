"""takeover.toml: reading it, what is wrong in it and in which line, and where its keys stand.

Keys are the options' names, with ``-`` or ``_``; those of a switch are in the table ``[switch]``.
Which options there are is the caller's to say.
"""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from route53_takeover.adapters.endpoint import is_aws, is_loopback
from route53_takeover.base import private_files
from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CONFIG_FILE = "takeover.toml"
SWITCH_TABLE = "switch"

Value = str | float | bool | list[str]


class ConfigText(NamedTuple):
    """A file that was read, or the empty one where there is none."""

    path: Path
    text: str
    loaded: dict[str, Any]

    def line_of(self, key: str, table: str = "") -> int | None:
        """The number of the line that sets a key, however it is spelled; ``None`` if none does."""
        word = re.escape(key).replace("_", "[-_]")
        return self._line(rf"\s*[\"']?{word}[\"']?\s*[=.]", table) or self._line(
            rf"\s*\[\s*{word}\s*\]", ""
        )

    def _line(self, pattern: str, table: str) -> int | None:
        lines = self.text[:_LONGEST].splitlines(keepends=True)[:_LINES]
        within, looked = "", 0
        for number, line in enumerate(lines):
            if within == table and looked < _LOOKS and re.match(pattern, line):
                looked += 1
                if _is_whole(lines[:number]):
                    return number + 1
            if header := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
                within = header[1].replace("-", "_")
        return None

    def spelled(self, key: str, table: str = "") -> str:
        """A key as it is written in the file."""
        number = self.line_of(key, table)
        if number is not None:
            line = self.text.splitlines()[number - 1]
            if word := re.search(re.escape(key).replace("_", "[-_]"), line):
                return word[0]
        return key

    def place(self, key: str, table: str = "") -> str:
        """The file and the line, as ``takeover.toml, line 3``."""
        number = self.line_of(key, table)
        return f"{self.path}" if number is None else f"{self.path}, line {number}"


_LONGEST, _LINES = 100_000, 5_000
"""Characters and lines of a file in which a key is looked for."""
_LOOKS = 20
"""Lines that look like the key, most of them in a longer text: so many are tried."""


def _is_whole(lines: list[str]) -> bool:
    """Whether the text ends between two keys, rather than inside of a value."""
    try:
        tomllib.loads("".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def read_config(path: Path, *, required: bool) -> ConfigText:
    """Reads takeover.toml.

    Raises:
        UsageError: it is not there though it was named, or it is not TOML.
    """
    try:
        text = private_files.read_trusted(path).decode("utf-8")
    except FileNotFoundError:
        if required:
            raise UsageError(f"{path} does not exist", "Check --config.") from None
        return ConfigText(path, "", {})
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "Check --config.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}", "Save it as UTF-8.") from error
    try:
        loaded = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}", _fix(error)) from error
    return ConfigText(path, text, _underscored(loaded))


def _underscored(table: dict[str, Any]) -> dict[str, Any]:
    """The same with the keys as options are called in code, in its tables too."""
    return {
        key.replace("-", "_"): _underscored(value) if isinstance(value, dict) else value
        for key, value in table.items()
    }


def check_endpoint(path: Path, loaded: Mapping[str, Any]) -> None:
    """Refuses an endpoint that a file in the current folder may not choose.

    Raises:
        UsageError: it is neither on this machine nor AWS's, so it would receive credentials.
    """
    url = loaded.get("endpoint_url")
    if isinstance(url, str) and not is_loopback(url) and not is_aws(url):
        raise UsageError(
            f"{path.absolute()} sets an endpoint that is neither AWS's nor on this machine, and "
            "would receive the credentials",
            "Give it with --endpoint-url or AWS_ENDPOINT_URL, or the file with --config.",
        )


def check_config(file: ConfigText, kinds: dict[str, str], *, table: str = "") -> dict[str, Value]:
    """The values of takeover.toml, each of the kind that its option takes.

    Args:
        kinds: option -> ``flag``, ``list`` (of texts, or one text) or ``value``.
        table: the table that is checked; empty: the top of the file.

    Raises:
        UsageError: a key is unknown, or a value of the wrong kind.
    """
    loaded = file.loaded.get(table, {}) if table else file.loaded
    if not isinstance(loaded, dict):
        raise UsageError(
            f"{file.place(table)}: {table} is no table", f"Write its options below [{table}]."
        )
    others = {SWITCH_TABLE} - {table}
    unknown = [key for key in loaded if key not in kinds and (table or key not in others)]
    if unknown:
        found = [
            f'{file.place(key, table)}: unknown key "{file.spelled(key, table)}"' for key in unknown
        ]
        raise UsageError("; ".join(found), did_you_mean(unknown, kinds))
    checked: dict[str, Value] = {}
    for key, value in loaded.items():
        match kinds.get(key), value:
            case None, _:
                continue
            case "flag", bool():
                checked[key] = value
            case "list", str():
                checked[key] = [value]
            case "list", list() if all(isinstance(item, str) for item in value):
                checked[key] = value
            case "value", str() | int() | float() if not isinstance(value, bool):
                checked[key] = value
            case kind, _:
                line = file.line_of(key, table)
                raise UsageError(
                    f"{file.place(key, table)}: {file.spelled(key, table)} is not "
                    f"{_KINDS[str(kind)]}",
                    f"Fix line {line}." if line else "Fix that value.",
                )
    return checked


_KINDS = {"flag": "true or false", "list": "a text or a list of texts", "value": "a text or number"}


def _fix(error: tomllib.TOMLDecodeError) -> str:
    line = re.search(r"line (\d+)", str(error))
    return f"Fix line {line[1]}." if line else "Fix the file."


def did_you_mean(unknown: Iterable[str], known: Iterable[str]) -> str:
    """The hint of unknown keys."""
    names = list(known)
    near = dict.fromkeys(n for key in unknown for n in get_close_matches(key, names, n=1))
    told = " or ".join(f'"{name.replace("_", "-")}"' for name in near)
    return f"Did you mean {told}?" if told else "Keys are option names, such as deploy-timeout."
