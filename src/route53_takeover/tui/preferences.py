"""The saved preferences: the theme and the changed keys.

A file that cannot be read, or has other content, never stops a run: each problem is reported once
and the default is used.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from route53_takeover.tui.keys import BY_ID, clashes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LARGEST = 65536
"""Bytes; a larger file is not ours."""


class Preferences(Struct, frozen=True, kw_only=True):
    """``theme``: its name, empty for the default. ``keys``: id of an action -> its keys."""

    theme: str = ""
    keys: dict[str, str] = {}


def load(path: Path, themes: Iterable[str]) -> tuple[Preferences, tuple[str, ...]]:
    """The preferences, and one sentence for each that cannot be used."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST)
        found = msgspec.json.decode(text, type=Preferences)
    except FileNotFoundError:
        return Preferences(), ()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Preferences(), (f"The preferences in {path} cannot be used: {error}",)
    told: list[str] = []
    if found.theme and found.theme not in set(themes):
        told.append(f"There is no theme {found.theme}; the default is used.")
        found = msgspec.structs.replace(found, theme="")
    keys = {name: value for name, value in found.keys.items() if name in BY_ID}
    told += [f"There is no action {name}; its key is ignored." for name in found.keys.keys() - keys]
    while lost := clashes(keys):  # one that falls back on its default may meet another there
        told += [
            f"The key of {name} is not changed: another action has {keys[name]}." for name in lost
        ]
        keys = {name: value for name, value in keys.items() if name not in lost}
    return msgspec.structs.replace(found, keys=keys), tuple(told)


def remember_theme(path: Path, theme: str) -> str:
    """Writes the theme into the file and leaves the rest of it alone; returns what failed.

    A file that cannot be read is left as it is, so that its owner can fix it.
    """
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except FileNotFoundError:
        kept = {}
    except (OSError, msgspec.MsgspecError) as error:
        return f"The theme is not saved: {error}"
    kept["theme"] = theme
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
        new.replace(path)
    except OSError as error:
        return f"The theme is not saved: {error}"
    return ""
