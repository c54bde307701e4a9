"""What an HTTP check asks by which way, and what its answer means: the same for every web.

The conditions of a check are judged here and nowhere else. Whoever carries a check out only sends
the request and hands in what came back.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from route53_takeover.base.escaping import escape_control
from route53_takeover.base.redaction import redacted
from route53_takeover.core.domain.http_checks import CheckAnswer
from route53_takeover.core.domain.http_secrets import secret_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from route53_takeover.core.domain.http_checks import Check, Route

MOST_BODY = 1_000_000
"""Bytes of a body that are looked at."""
_LEAST_PASSING, _FIRST_FAILING = 200, 400
_LONGEST_REASON = 300
_LONGEST_VALUE = 80
_DIGEST = 16


class Received(Struct, frozen=True, kw_only=True):
    """An answer as it came.

    Attributes:
        headers: name and value of each, in any case.
        body: decoded, at most `MOST_BODY` bytes of it.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def values(self, name: str) -> tuple[str, ...]:
        """The values of every header of this name."""
        return tuple(value for other, value in self.headers if other.lower() == name.lower())


def url_by(url: str, route: Route) -> str:
    """The URL that a check of ``url`` asks by this way."""
    if not route.base_url:
        return url
    base, asked = urlsplit(route.base_url), urlsplit(url)
    path = asked.path or "/"
    stripped = route.strip_path.strip("/")
    if stripped and f"{path}/".startswith(f"/{stripped}/"):
        path = path[len(stripped) + 1 :] or "/"
    return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + path, asked.query, ""))


def concluded(check: Check, route: Route, received: Received, seconds: float) -> CheckAnswer:
    """What came of a check that was answered.

    Args:
        check: with every variable filled in.
    """
    reason = "; ".join(_faults(check, received))
    return CheckAnswer(
        passed=not reason,
        reason=told(reason, check, route),
        status=received.status,
        marks=_marks(check, route, received),
        seconds=seconds,
    )


def told(reason: str, check: Check, route: Route) -> str:
    """A reason as one line for any screen, without what is secret in the request."""
    line = escape_control(" ".join(redacted(reason, secret_values(check, route)).split()))
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."


def _faults(check: Check, received: Received) -> Iterator[str]:
    if check.statuses:
        if received.status not in check.statuses:
            wanted = " or ".join(map(str, check.statuses))
            yield f"the status is {received.status}, not {wanted}"
    elif not _LEAST_PASSING <= received.status < _FIRST_FAILING:
        yield f"the status is {received.status}"
    for name, wanted in check.expected.items():
        found = received.values(name)
        if not found:
            yield f"the header {name} is missing"
        elif wanted not in (value.strip() for value in found):
            yield f"the header {name} is {_quoted(found[0])}, not {_quoted(wanted)}"
    for text in check.body:
        if text.encode() not in received.body:
            yield f"the body does not hold {_quoted(text)}"
    if check.side_header and not received.values(check.side_header):
        yield f"the header {check.side_header} is missing"


def _marks(check: Check, route: Route, received: Received) -> str:
    if check.side_header:
        marks = ", ".join(received.values(check.side_header))[:_LONGEST_VALUE]
        return told(marks, check, route)
    return sha256(b"%d\n" % received.status + received.body).hexdigest()[:_DIGEST]


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}...")
