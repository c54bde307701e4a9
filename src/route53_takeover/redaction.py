"""Keeps credentials out of what is told and kept: errors, logs, a deploy command's last lines.

They are known by the form that they have in AWS's messages, and by their value where this process
has used them. It is the second line of defence: nothing of ours writes a secret on purpose, but an
error may repeat the request that it is about, and a deploy command may print its environment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MASK = "***"
_SHORTEST = 16
"""Characters; masking a shorter value, such as an emulator's ``test`` or the name of a region,
would hide other words. No credential of AWS's is shorter."""

_FORMS = (
    # user:password@ in a URL
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/?#\"'<>]+@"), rf"\1{_MASK}@"),
    # the parts of a signed request
    (re.compile(r"\b(Credential|Signature)=[^\s,;&'\"<>]+"), rf"\1={_MASK}"),
    (
        re.compile(
            r"(?i)\b(x-amz-(?:security-token|signature|credential))(['\"]?\s*[:=]\s*['\"]?)"
            r"[^\s,;&'\"<>]+"
        ),
        rf"\1\2{_MASK}",
    ),
    (
        re.compile(r"(?i)\b(authorization['\"]?\s*[:=]\s*['\"]?(?:Basic|Bearer)) \S+"),
        rf"\1 {_MASK}",
    ),
    # credentials as files, variables and the SDKs spell them
    (
        re.compile(
            r"(?i)\b((?:aws_?)?(?:secret_?access_?key|session_?token|security_?token))"
            r"(['\"]?\s*[:=]\s*['\"]?)[^\s,;&'\"<>]+"
        ),
        rf"\1\2{_MASK}",
    ),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), rf"\1{_MASK}"),
)
_SECRET_NAME = re.compile(
    r"(?i)(SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY)(?!.*_(FILE|PATH|DIR)$)"
)

_KEY_ID = re.compile(r"Credential=([^/,\s]+)/")

_used: set[str] = set()


class Headers(Protocol):
    """A request's headers, by names in any case."""

    def get(self, name: str, /) -> object: ...


def remember_signature(headers: Headers) -> None:
    """From now on what this request is signed with is masked: an answer may repeat it.

    Digits alone are no key id of AWS's but an emulator's, which takes the account's number from it.
    """
    token, signed = (_text(headers.get(name)) for name in ("X-Amz-Security-Token", "Authorization"))
    key_id = _KEY_ID.search(signed)
    used = (token, key_id[1] if key_id else "")
    _used.update(v for v in used if len(v) >= _SHORTEST and not v.isdecimal())


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")


def redacted(text: str, more: Iterable[str] = ()) -> str:
    """The text without the credentials in it.

    Args:
        more: values to mask besides those that requests were signed with.
    """
    for value in sorted({*_used, *more}, key=len, reverse=True):
        text = text.replace(value, _MASK)
    for form, mask in _FORMS:
        text = form.sub(mask, text)
    return text


def redacted_hint(hint: str) -> str:
    """The same for a hint of ours: a command line in it, between backticks, stays as it is.

    It is there to be pasted, and nothing in it comes from an answer.
    """
    parts = hint.split("`")
    parts[::2] = map(redacted, parts[::2])
    return "`".join(parts)


def secrets_of(environment: Mapping[str, str]) -> frozenset[str]:
    """The values of variables whose names say that they are secret."""
    return frozenset(
        value
        for name, value in environment.items()
        if len(value) >= _SHORTEST and _SECRET_NAME.search(name)
    )
