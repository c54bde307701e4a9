"""The user's settings in one frozen value: options over environment over takeover.toml.

The precedence itself is the command line library's; this module owns the types, the durations and
the reading of takeover.toml. Nothing here looks at AWS.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.adapters.endpoint import is_aws, is_loopback
from route53_takeover.base import private_files
from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_FILE = "takeover.toml"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


class Connection(Struct, frozen=True, kw_only=True):
    """Which account, and where its name servers are. Names only, never a secret.

    Attributes:
        dns_profile: other credentials for the zone, where the stack's may not touch it.
        name_servers: asked instead of the zone's own.
        web_server: the ``http://HOST:PORT`` that answers for every site, where the account is a
            simulated one; empty: sites are found by DNS.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    dns_profile: str | None = None
    name_servers: tuple[str, ...] = ()
    web_server: str = ""

    def __post_init__(self) -> None:
        if _USER_IN_URL.match(self.endpoint_url or ""):
            raise UsageError(
                "the endpoint URL contains a user or a password, and it is saved in the run's "
                "folder",
                "Remove them from --endpoint-url (or AWS_ENDPOINT_URL): requests are signed.",
            )

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine: an emulator, no account."""
        return is_loopback(self.endpoint_url)

    def effective(self, environment: Mapping[str, str]) -> Connection:
        """With what AWS's own variables add, so that another shell reaches the same account.

        A profile from the environment does not count beside keys from there, which win over it.
        """
        profile = self.profile
        if profile is None and "AWS_ACCESS_KEY_ID" not in environment:
            profile = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
        endpoint_url = self.endpoint_url or environment.get("AWS_ENDPOINT_URL") or None
        return replace(self, profile=profile or None, endpoint_url=endpoint_url)


class Override(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What this command line says of the connection: it wins over what the run's folder says."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    dns_profile: str | None = None
    name_servers: tuple[str, ...] | None = None

    def __call__(self, saved: Connection) -> Connection:
        given = {key: getattr(self, key) for key in self.__struct_fields__}
        return replace(saved, **{key: value for key, value in given.items() if value is not None})


_USER_IN_URL = re.compile(r"[^/]*//[^/?#]*@")


class ConfigFile(Struct, frozen=True, kw_only=True):
    """A file that options came from.

    Attributes:
        path: the file, with its folder.
        options: what it says and neither a flag nor a variable does, as a command line says it.
    """

    path: str
    options: str

    def __str__(self) -> str:
        return f"{self.path}: {self.options}"


class Common(Struct, frozen=True, kw_only=True):
    """What every command takes.

    Attributes:
        config: the file that some of it, or of the rest, is from.
        on_event: of commands that start or resume a run: what is run at its alerts.
        notify: of the same: whether the terminal is asked for notifications; ``None``: where it is
            known to have them, and not in a rehearsal.
    """

    state_dir: Path
    output: str = "text"
    verbose: bool = False
    quiet: bool = False
    log_level: str = "info"
    config: ConfigFile | None = None
    on_event: str = ""
    notify: bool | None = None

    @property
    def as_json(self) -> bool:
        """Whether stdout carries JSON lines."""
        return self.output == "json"


def seconds(text: str) -> float:
    """Reads a duration: seconds, or ``90s``, ``5m``, ``1h``, ``1h30m``.

    Raises:
        UsageError: it is none.
    """
    compact = text.strip().lower()
    parts = _DURATION.findall(compact[:_LONGEST])
    if not parts or "".join(n + u for n, u in parts) != compact.replace(" ", ""):
        raise UsageError(f"{text!r} is not a duration", "Use seconds, or 90s, 5m, 1h.")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def read_config(path: Path, *, required: bool) -> dict[str, Any]:
    """Reads takeover.toml: keys are the options' names, ``-`` as ``_`` or as it is.

    Raises:
        UsageError: it is not there though it was named, or it is not TOML.
    """
    try:
        text = private_files.read_trusted(path).decode("utf-8")
    except FileNotFoundError:
        if required:
            raise UsageError(f"{path} does not exist", "Check --config.") from None
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "Check --config.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}", "Save it as UTF-8.") from error
    try:
        loaded = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}", _fix(error)) from error
    return _underscored(loaded)


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


def check_config(
    path: Path, loaded: dict[str, Any], kinds: dict[str, str]
) -> dict[str, str | float | bool | list[str]]:
    """The values of takeover.toml, each of the kind that its option takes.

    Args:
        kinds: option -> ``flag``, ``list`` (of texts, or one text) or ``value``.

    Raises:
        UsageError: a key is unknown, or a value of the wrong kind.
    """
    if not isinstance(loaded, dict):
        raise UsageError(f"{path}: switch is no table", "Write its options below [switch].")
    unknown = sorted(loaded.keys() - kinds.keys())
    if unknown:
        raise UsageError(
            f"{path} has unknown keys: {', '.join(unknown)}",
            _did_you_mean(unknown, kinds),
        )
    checked: dict[str, str | float | bool | list[str]] = {}
    for key, value in loaded.items():
        match kinds[key], value:
            case "flag", bool():
                checked[key] = value
            case "list", str():
                checked[key] = [value]
            case "list", list() if all(isinstance(item, str) for item in value):
                checked[key] = value
            case "value", str() | int() | float() if not isinstance(value, bool):
                checked[key] = value
            case kind, _:
                raise UsageError(f"{path}: {key} is not {_KINDS[kind]}", "Fix that value.")
    return checked


_KINDS = {"flag": "true or false", "list": "a text or a list of texts", "value": "a text or number"}


def _fix(error: tomllib.TOMLDecodeError) -> str:
    line = re.search(r"line (\d+)", str(error))
    return f"Fix line {line[1]}." if line else "Fix the file."


def _did_you_mean(unknown: list[str], kinds: Mapping[str, str]) -> str:
    near = [n for key in unknown for n in difflib.get_close_matches(key, kinds, n=1)]
    names = " or ".join(f'"{name.replace("_", "-")}"' for name in near)
    return f"Did you mean {names}?" if names else "Keys are option names, such as deploy-timeout."


_LONGEST = 1024
"""Characters of a duration that are looked at."""
