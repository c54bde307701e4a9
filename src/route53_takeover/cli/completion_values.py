"""Values that can be completed: runs, profiles, regions, scenarios, record types.

They are read from files on this machine, and never from the network.
"""

from __future__ import annotations

import configparser
import json
import os
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from route53_takeover.cli.given_options import PREFIX
from route53_takeover.core.domain.names import RECORD_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    Candidate = tuple[str, str]
    """A word and what it means."""

_MOST_RUNS = 100
_HEAD = 4096
"""Bytes of plan.json in which stack and names stand; the whole may have megabytes."""


def runs(words: Sequence[str]) -> list[Candidate]:
    """The runs in the state folder, the newest first."""
    folder = _state_dir(words) / "runs"
    try:
        found = sorted((path for path in folder.iterdir() if path.is_dir()), reverse=True)
    except OSError:
        return []
    return [(path.name, _about(path)) for path in found[:_MOST_RUNS]]


def _state_dir(words: Sequence[str]) -> Path:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--state-dir":
            return Path(following).expanduser()
        if word.startswith("--state-dir="):
            return Path(word.partition("=")[2]).expanduser()
    if named := os.environ.get(PREFIX + "STATE_DIR"):
        return Path(named)
    from route53_takeover.storage.user_folders import state_folder  # noqa: PLC0415 -- seldom

    return state_folder().path


def _about(run: Path) -> str:
    """A run's names and stack, and its age."""
    with suppress(OSError, ValueError):
        with (run / "plan.json").open("rb") as file:
            head = file.read(_HEAD).decode("utf-8", "replace")
        records = json.loads(f"[{head.partition(_key('records') + '[')[2].partition(']')[0]}]")
        stack, site = _text(head, "stack"), _text(head, "domain") or _text(head, "distribution")
        what = f"{', '.join(records)} into {stack}" if stack else f"switch of {site}"
        age = _age((run / "plan.json").stat().st_mtime)
        return f"{what}, {age}" + (", rehearsal" if _text(head, "rehearsal") else "")
    return ""


def _key(name: str) -> str:
    return f'"{name}": '


def _text(head: str, name: str) -> str:
    return head.partition(_key(name) + '"')[2].partition('"')[0]


def _age(since: float) -> str:
    seconds = max(time.time() - since, 0.0)  # noqa: TID251 -- a file's age, for the eye only
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "just now"


def profiles() -> list[Candidate]:
    """The profiles in the AWS configuration, with what they lead to."""
    found: dict[str, str] = {}
    files = (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
    for variable, name in files:
        path = os.environ.get(variable) or f"~/.aws/{name}"
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        with suppress(configparser.Error, OSError, UnicodeDecodeError):
            parser.read(Path(path).expanduser(), encoding="utf-8")
        for section in parser.sections():
            kind, _, rest = section.partition(" ")
            profile = rest.strip().strip('"') if kind == "profile" else section
            if kind == "profile" or name == "credentials" or section == "default":
                found[profile] = _leads_to(parser[section]) or found.get(profile, "")
    return list(found.items())


def _leads_to(section: configparser.SectionProxy) -> str:
    keys = ("role_arn", "sso_account_id", "region")
    return ", ".join(value for key in keys if (value := section.get(key)))


def regions() -> list[Candidate]:
    """The regions that the SDK knows."""
    found = find_spec("botocore")
    if found is None or found.origin is None:
        return []
    data = json.loads((Path(found.origin).parent / "data" / "partitions.json").read_bytes())
    return [
        (name, about.get("description", ""))
        for partition in data["partitions"]
        for name, about in partition["regions"].items()
        if not name.endswith("-global")
    ]


def scenarios() -> list[Candidate]:
    """What can be rehearsed."""
    from route53_takeover.cli.rehearsals import REHEARSALS  # noqa: PLC0415 -- only for this option

    return [(name, each.summary) for name, each in REHEARSALS.items()]


def record_types(incomplete: str) -> list[Candidate]:
    """``NAME/`` or ``NAME/A,`` with each type that is not there yet."""
    name, slash, types = incomplete.partition("/")
    if not slash or not name:
        return []
    *given, _ = types.split(",")
    return [
        (f"{name}/{','.join([*given, kind])}", "") for kind in RECORD_TYPES if kind not in given
    ]
