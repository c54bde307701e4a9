"""The user's settings as frozen values, and durations. Nothing here looks at AWS.

Where a value comes from is the command line's: `route53_takeover.cli.given_options`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from route53_takeover.adapters.endpoint import is_loopback
from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

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


_LONGEST = 1024
"""Characters of a duration that are looked at."""
