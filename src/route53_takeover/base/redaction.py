"""Keeps credentials out of output and files: errors, logs, a deploy command's last lines.

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
_LONGEST = 65_536
"""Characters of a text that are kept: it is a message, and masking takes 0.4 s for a million."""
_SHORTEST = 16
"""Characters; masking a shorter value, such as an emulator's ``test`` or the name of a region,
would hide other words. No credential of AWS's is shorter."""

_QUOTE = r"(?:\\{0,16}[\"']|&quot;|&#3[49];)"
"""Also a quote within a text that is quoted itself: JSON inside JSON, or inside XML."""
_GIVEN = rf"(?:{_QUOTE}?\s*(?:[:=]>?|>|&gt;|\|)\s*|{_QUOTE}\s*,\s*)(?:b?{_QUOTE})?"
"""What stands between a name and its value: JSON, YAML, INI, XML, a Python dict, a table's bar."""
_VALUE = r"(?:[^\s,;&'\"<>|\\]|\\+(?:/|u[0-9a-fA-F]{4}))+"
_NAME = (
    r"(?<![A-Za-z0-9])(?:x-amz-(?:security-token|signature|credential)|"
    r"(?:aws[_-]?)?(?:secret[_-]?access[_-]?key|session[_-]?token|security[_-]?token))"
)
_LIKE_A_KEY = r"(?=[A-Za-z]{0,39}[0-9/+=]|[A-Za-z]{40})[A-Za-z0-9/+=]{16,}"

# Every form takes time in proportion to the text: what may repeat without a bound starts with a
# word that it cannot contain, and is followed by a character that it excludes.
_FORMS = (
    # user:password@ in a URL
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s/?#\"'<>]+@"), rf"\1{_MASK}@"),
    # the parts of a signed request
    (re.compile(r"\b(Credential|Signature)=[^\s,;&'\"<>]+"), rf"\1={_MASK}"),
    (
        re.compile(rf"(?i)\b(authorization{_QUOTE}?\s*[:=]\s*(?:b?{_QUOTE})?(?:Basic|Bearer)) \S+"),
        rf"\1 {_MASK}",
    ),
    # credentials as AWS, files, variables and the SDKs spell them
    (re.compile(rf"(?i)({_NAME}{_GIVEN}){_VALUE}"), rf"\1{_MASK}"),
    (re.compile(rf"(?i)({_NAME}[ \t]+{_QUOTE}?){_LIKE_A_KEY}"), rf"\1{_MASK}"),
    # any variable with a secret's name, as `env`, `export` and `set -x` show it
    (
        re.compile(
            r"\b([A-Z0-9_]{0,40}(?:SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY)"
            r"[A-Z0-9_]{0,40}(?<!_FILE)(?<!_PATH)(?<!_DIR)=(?:\$?['\"])?)[^\s'\"$*]+"
        ),
        rf"\1{_MASK}",
    ),
    # the AWS command line: text output, and a table whose names are in another line
    (re.compile(r"\b(CREDENTIALS|ACCESSKEY)\t[^\n]+"), rf"\1 {_MASK}"),
    (
        re.compile(
            r"(\|[ \t]{1,200})(?:(?=[0-9a-fA-F]{0,39}[G-Zg-z/+])[A-Za-z0-9/+]{40}"
            r"|[A-Za-z0-9/+=]{100,})(?=[ \t]{0,200}\|)"
        ),
        rf"\1{_MASK}",
    ),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), rf"\1{_MASK}"),
)
_SECRET_NAMES = ("SECRET", "TOKEN", "PASSW", "CREDENTIAL", "PRIVATEKEY", "APIKEY", "ACCESSKEY")
_NAMES_A_FILE = ("_FILE", "_PATH", "_DIR")

_used: set[str] = set()


class Headers(Protocol):
    """A request's headers, by names in any case."""

    def get(self, name: str, /) -> object: ...


def remember_signature(headers: Headers) -> None:
    """From now on what this request is signed with is masked: an answer may repeat it.

    Digits alone are no key id of AWS's but an emulator's, which takes the account's number from it.
    """
    token, signed = (_text(headers.get(name)) for name in ("X-Amz-Security-Token", "Authorization"))
    key_id = signed.partition("Credential=")[2].partition("/")[0]
    _used.update(v for v in (token, key_id) if len(v) >= _SHORTEST and not v.isdecimal())


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value or "")


def redacted(text: str, more: Iterable[str] = ()) -> str:
    """The text without the credentials in it, at most 65,536 characters of it.

    Args:
        more: values to mask besides those that requests were signed with.
    """
    if not text:
        return text
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} [{len(text) - _LONGEST} more characters]"
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
        if len(value) >= _SHORTEST
        and any(word in name.upper().replace("_", "") for word in _SECRET_NAMES)
        and not name.upper().endswith(_NAMES_A_FILE)
    )
