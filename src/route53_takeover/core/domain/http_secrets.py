"""What is secret in an HTTP check, and how a check is shown and kept without it.

Cookies, credentials and what is sent as data reach no journal, log or screen. A check that is kept
with a run names variables of the environment instead (``${TOKEN}``), which are filled in when it is
carried out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from route53_takeover.core.domain.http_checks import Check, Route

MASK = "***"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]{0,200})\}")
_ONLY_A_VARIABLE = re.compile(r"(?:(?:Basic|Bearer|Token) )?\$\{[A-Za-z_][A-Za-z0-9_]{0,200}\}")
_SECRET_WORDS = (
    *("authorization", "cookie", "credential", "passw", "secret", "session", "signature", "token"),
    *("apikey", "accesskey", "csrf", "xsrf"),
)
_SHORTEST = 4
"""Characters of a value that is masked where an answer repeats it: less would hide other words."""


def is_secret_name(name: str) -> bool:
    """Whether a header, or a parameter of a URL, of this name holds something secret."""
    plain = name.lower().replace("-", "").replace("_", "")
    return any(word in plain for word in _SECRET_WORDS)


def concealed(check: Check) -> Check:
    """The check without anything secret; variables of the environment stay.

    It is for showing and for keeping, not for carrying out.
    """
    return replace(
        check,
        url=shown_url(check.url),
        headers={name: _shown_value(name, value) for name, value in check.headers.items()},
        data=_shown_text(check.data),
    )


def literal_secrets(check: Check) -> tuple[str, ...]:
    """What of a check is secret and stands in it as it is, such as ``the header Cookie``."""
    safe = concealed(check)
    found = [f"the header {n}" for n, value in check.headers.items() if safe.headers[n] != value]
    if safe.url != check.url:
        found.append("the URL")
    if safe.data != check.data and is_secret_name(check.data):
        found.append("the data")
    return tuple(found)


def filled(check: Check, environment: Mapping[str, str]) -> Check:
    """The check with the values of the variables that it names.

    Raises:
        UsageError: a variable is not set, or its value cannot stand in a header.
    """

    def value(found: re.Match[str]) -> str:
        if found[1] not in environment:
            raise UsageError(
                f"the check needs the variable {found[1]}, which is not set",
                f"Set {found[1]} in the environment.",
            )
        return environment[found[1]]

    headers = {name: _VARIABLE.sub(value, text) for name, text in check.headers.items()}
    for name, text in headers.items():
        if any(character in text for character in "\r\n\0"):
            raise UsageError(
                f"the value of the header {name} has a line break in it",
                "Check the variable that it is taken from.",
            )
    return replace(check, headers=headers, data=_VARIABLE.sub(value, check.data))


def secret_values(check: Check, route: Route) -> frozenset[str]:
    """The values to mask in what an answer says: it may repeat what it was asked with."""
    values = {value for name, value in check.headers.items() if is_secret_name(name)}
    values |= {value.rpartition(" ")[2] for value in values}  # without the scheme
    for name, value in check.headers.items():
        if name.lower() == "cookie":
            values |= {part.partition("=")[2].strip() for part in value.split(";")}
    pairs = (pair.partition("=") for pair in urlsplit(check.url).query.split("&"))
    values |= {value for name, _, value in pairs if is_secret_name(name)}
    if is_secret_name(check.data):
        values |= {check.data, *(part.partition("=")[2] for part in check.data.split("&"))}
    return frozenset(v for v in {*values, *route.headers.values()} if len(v) >= _SHORTEST)


def _shown_value(name: str, value: str) -> str:
    if not is_secret_name(name):
        return value
    if name.lower() == "cookie":
        return "; ".join(_shown_cookies(value))
    return _shown_text(value)


def _shown_cookies(value: str) -> Iterator[str]:
    for cookie in value.split(";"):
        name, equals, secret = cookie.strip().partition("=")
        yield f"{name}={_shown_text(secret)}" if equals else _shown_text(name)


def _shown_text(text: str) -> str:
    return text if not text or _ONLY_A_VARIABLE.fullmatch(text) else MASK


def shown_url(url: str) -> str:
    """The URL with the values of its secret parameters masked."""
    parts = urlsplit(url)
    if not parts.query:
        return url
    pairs = (pair.partition("=") for pair in parts.query.split("&"))
    shown = (
        f"{name}={MASK}" if is_secret_name(name) and value else name + equals + value
        for name, equals, value in pairs
    )
    return urlunsplit(parts._replace(query="&".join(shown)))
