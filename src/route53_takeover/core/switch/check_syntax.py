"""The text of one ``--check``: a request, written like a line of curl, or a shell command.

A text that begins with a URL, or with a method and a URL, is a request::

    https://www.example.com/up
    GET https://www.example.com/ --expect-body 'Welcome' --side-header X-Env
    POST https://www.example.com/login -H 'Origin: https://www.example.com' -b 'session=${SESSION}'
        -d 'user=x' --expect-status 200,302 --expect-header 'X-Env: green'

=======================================  ==========================================================
``-X METHOD``, ``--request``             the method, where none stands before the URL
``-H 'NAME: VALUE'``, ``--header``       a header; each name once
``-b 'NAME=VALUE; ...'``, ``--cookie``   cookies
``-A TEXT``, ``--user-agent``            the User-Agent
``-d TEXT``, ``--data``, ``--data-raw``  the body; several are joined by ``&``. Without a method it
                                         is a POST, without a Content-Type a form
``--expect-status 200,302``              the status codes that pass; otherwise 200 to 399
``--expect-body TEXT``                   the body holds this text; repeatable
``--expect-header 'NAME: VALUE'``        a header comes back with exactly this value; repeatable
``--side-header NAME``                   a header whose value tells which side answered
=======================================  ==========================================================

Words are quoted as in a shell, but nothing is expanded, save ``${NAME}`` in headers, cookies and
data: the value of a variable of the environment when the check is carried out. A value that is
secret is given in this way. Redirects are answers, and are not followed. `shown` is the same
line without its secrets.

Any other text is a shell command: it passes where its exit status is 0. Its environment has
``TAKEOVER_SIDE`` (``blue``, ``green`` or ``live``) and ``TAKEOVER_BASE_URL``, where to ask.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit, urlunsplit

from msgspec.structs import replace

from route53_takeover.base.errors import UsageError
from route53_takeover.base.redaction import redacted
from route53_takeover.core.domain.http_checks import Check
from route53_takeover.core.domain.http_secrets import MASK, concealed
from route53_takeover.core.domain.names import display_name, requested

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 1 << 14
"""Characters of a check: the standard library splits in quadratic time."""
_SHOWN = 60
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_REQUEST = re.compile(
    r"(?:(?:[A-Z]{3,20}|(?i:" + "|".join(_METHODS) + r"))[ \t\r\n]{1,50})?['\"]?(?i:https?)://"
)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
_OPTIONS = {
    "-X": "--request",
    "-H": "--header",
    "-b": "--cookie",
    "-A": "--user-agent",
    "-d": "--data",
    "--request": "--request",
    "--header": "--header",
    "--cookie": "--cookie",
    "--user-agent": "--user-agent",
    "--data": "--data",
    "--data-raw": "--data-raw",
    "--expect-status": "--expect-status",
    "--expect-body": "--expect-body",
    "--expect-header": "--expect-header",
    "--side-header": "--side-header",
}
_OF_THE_CONNECTION = frozenset({"connection", "content-length", "host", "transfer-encoding"})
_ONCE = ("--request", "--side-header")
_FORM = "application/x-www-form-urlencoded"
_FIRST_STATUS, _LAST_STATUS = 200, 599


def parse_check(text: str) -> Check:
    """Reads the text of one ``--check``.

    Raises:
        UsageError: it is empty, or a request that cannot be sent; it names the part.
    """
    text = text.strip()
    if not text:
        raise UsageError("a --check is empty", "Give it a URL or a shell command.")
    if len(text) > _LONGEST:
        raise UsageError(
            f"a --check is longer than {_LONGEST} characters",
            "Put it into a script and give the script.",
        )
    if "\0" in text:
        raise UsageError("a --check has a NUL in it", "Remove it.")
    if not _REQUEST.match(text):
        return Check(text=redacted(text), command=text)
    check = _Request(text).read()
    return replace(check, text=shown(check))


def shown(check: Check) -> str:
    """The check as one line, its secrets masked: cookies, credentials and data."""
    if check.command:
        return redacted(check.command)
    safe = concealed(check)
    words = [safe.method, safe.url]
    for name, value in safe.headers.items():
        if (name, value) == ("Content-Type", _FORM):
            continue
        words += ["-b", value] if name.lower() == "cookie" else ["-H", f"{name}: {value}"]
    if safe.data:
        words += ["--data-raw", safe.data]
    if safe.statuses:
        words += ["--expect-status", ",".join(map(str, safe.statuses))]
    for wanted in safe.body:
        words += ["--expect-body", wanted]
    for name, value in safe.expected.items():
        words += ["--expect-header", f"{name}: {value}"]
    if safe.side_header:
        words += ["--side-header", safe.side_header]
    return " ".join(word if word == MASK else shlex.quote(word) for word in words)


class _Request:
    """One request as it is read, option by option."""

    def __init__(self, text: str) -> None:
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise UsageError(
                f"--check {_begin(text)}: a quote is not closed", "Close it, or escape it with \\."
            ) from error
        self._method = "" if "://" in words[0] else words.pop(0).upper()
        self._url = _url(words.pop(0))
        self._words = words
        self._given: dict[str, list[str]] = {}

    def read(self) -> Check:
        for option, value in self._options():
            self._given.setdefault(option, []).append(value)
        for option in _ONCE:
            if len(self._given.get(option, ())) > 1:
                self._refuse(f"{option} is given twice", "Give it once.")
        headers = self._headers()
        data = self._data()
        if data is not None and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = _FORM
        method = self._asked_method(has_data=data is not None)
        body = tuple(self._given.get("--expect-body", ()))
        if method == "HEAD" and body:
            self._refuse("the answer to a HEAD has no body", "Use GET, or leave out --expect-body.")
        if "" in body:
            self._refuse("--expect-body is empty", "Give it a text that the page has.")
        side = self._given.get("--side-header", [""])[0]
        if side:
            self._name("--side-header", side)
        return Check(
            text="",
            method=method,
            url=self._url,
            headers=headers,
            data=data or "",
            statuses=self._statuses(),
            body=body,
            expected=self._expected(),
            side_header=side.lower(),
        )

    def _options(self) -> Iterator[tuple[str, str]]:
        """Each option by its long name, and its value."""
        words = iter(self._words)
        for word in words:
            if word.startswith("--"):
                name, has_value, value = word.partition("=")
            else:
                name, has_value, value = word[:2], word[2:], word[2:]
            option = _OPTIONS.get(name)
            if option is None:
                self._refuse(
                    f"{_short(name)} is no option"
                    if name.startswith("-")
                    else "there is a word that no option stands before",
                    f"A request takes {', '.join(_OPTIONS)}; put quotes around a value with spaces "
                    "in it. A shell command begins with a program, such as curl.",
                )
            if not has_value:
                following = next(words, None)
                if following is None:
                    self._refuse(f"{name} has no value", "Give it one, or leave it out.")
                value = following
            yield option, value

    def _asked_method(self, *, has_data: bool) -> str:
        given = self._given.get("--request", [""])[0].upper()
        if given and self._method and given != self._method:
            self._refuse(f"it is a {self._method} and a {given}", "Name the method once.")
        method = given or self._method or ("POST" if has_data else "GET")
        if not _TOKEN.fullmatch(method) or method == "CONNECT":
            self._refuse(f"{_short(method)} is no method", f"Use one of {', '.join(_METHODS)}.")
        return method

    def _headers(self) -> dict[str, str]:
        pairs = list(self._pairs("--header"))
        pairs += [("User-Agent", value) for value in self._given.get("--user-agent", ())]
        cookies = self._given.get("--cookie", ())
        if any("=" not in cookie for cookie in cookies):
            self._refuse(
                "-b takes cookies, and no file of them", "Write -b 'NAME=VALUE; OTHER=VALUE'."
            )
        if cookies:
            pairs.append(("Cookie", "; ".join(cookies)))
        headers: dict[str, str] = {}
        for name, value in pairs:
            if name.lower() in map(str.lower, headers):
                self._refuse(f"the header {name} is given twice", "Give it once.")
            if name.lower() in _OF_THE_CONNECTION:
                self._refuse(
                    f"the header {name} cannot be given", "It follows from the URL and the data."
                )
            if _unprintable(value):
                self._refuse(
                    f"the value of the header {name} has characters that no header can have",
                    "Remove them.",
                )
            headers[name] = value
        return headers

    def _expected(self) -> dict[str, str]:
        expected: dict[str, str] = {}
        for name, value in self._pairs("--expect-header"):
            if expected.setdefault(name.lower(), value) != value:
                self._refuse(f"{name} cannot have two values", "Expect one of them.")
        return expected

    def _data(self) -> str | None:
        found = self._given.get("--data", []) + self._given.get("--data-raw", [])
        if any(value.startswith("@") for value in self._given.get("--data", ())):
            self._refuse(
                "-d @FILE reads a file, which a check does not",
                "Give the text itself, or a shell command.",
            )
        return "&".join(found) if found else None

    def _statuses(self) -> tuple[int, ...]:
        given = self._given.get("--expect-status", [])
        codes = [code.strip() for text in given for code in text.split(",")]
        for code in codes:
            is_status = code.isascii() and code.isdecimal() and len(code) == len(str(_LAST_STATUS))
            if not is_status or not _FIRST_STATUS <= int(code) <= _LAST_STATUS:
                self._refuse(
                    f"{_short(code)} in --expect-status is no status code",
                    f"Write codes from {_FIRST_STATUS} to {_LAST_STATUS}, such as 200,302.",
                )
        return tuple(dict.fromkeys(map(int, codes)))

    def _pairs(self, option: str) -> Iterator[tuple[str, str]]:
        for text in self._given.get(option, ()):
            name, colon, value = text.partition(":")
            if not colon:
                self._refuse(f"{option} has no colon", "Write 'NAME: VALUE'.")
            self._name(option, name.strip())
            yield name.strip(), value.strip()

    def _name(self, option: str, name: str) -> None:
        if not _TOKEN.fullmatch(name):
            self._refuse(f"{option}: {_short(name)} is no name of a header", "Write 'NAME: VALUE'.")

    def _refuse(self, message: str, hint: str) -> NoReturn:
        raise UsageError(f"--check {_begin(self._url)}: {message}", hint)


def _url(text: str) -> str:
    """The URL with its host in ASCII and without a fragment."""
    hint, begin = "Write it as https://www.example.com/path.", _begin(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"--check {begin}: this is no URL: {error}", hint) from error
    if _unprintable(text) or any(character in text for character in " \\"):
        raise UsageError(
            f"--check {begin}: a URL has no spaces, backslashes or control characters",
            "Write them as %20 and the like.",
        )
    if "@" in parts.netloc:
        raise UsageError(
            f"--check {begin}: the URL contains a user or a password",
            "Give them by `-H 'Authorization: Basic ${VARIABLE}'`.",
        )
    if not host or "*" in host:
        raise UsageError(f"--check {begin}: the URL has no host", hint)
    if ":" in host:
        host = f"[{host}]"
    elif not _is_address(host):
        host = display_name(requested(host)[0])
    netloc = host if port is None else f"{host}:{port}"
    return urlunsplit((parts.scheme.lower(), netloc, parts.path or "/", parts.query, ""))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _unprintable(text: str) -> bool:
    return any(ord(character) < ord(" ") or character == "\x7f" for character in text)


def _begin(text: str) -> str:
    """Enough of a request to find it by: what may be secret stands behind that."""
    words = text.partition("?")[0].split(None, 2)[: 1 if "://" in text.split(None, 1)[0] else 2]
    return _short(" ".join(words))


def _short(text: str) -> str:
    return repr(redacted(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."))
