r"""Domain names: as users type them, as Route 53 lists them, and as people read them.

Everything that compares names uses the normal form, which is Route 53's own: ASCII, lower case,
octal escapes, a trailing dot (`normal_name`). What a user types is read here and nowhere else:
Unicode, capitals, a URL, a list of types (`requested`). It looks nothing up.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

RECORD_TYPES = (
    *("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF"),
    *("SRV", "SSHFP", "SVCB", "TLSA", "TXT"),
)
"""The types of record sets that Route 53 has."""
LONGEST_TEXT = 1024
"""Characters: a name has at most 255 octets, and each may be spelt as an octal escape."""

_PLAIN_LABEL = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//")
_PORT = re.compile(r":[0-9]{1,5}\Z")
_ESCAPE = re.compile(r"\\(?:[0-3][0-7]{2})?")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""The dots of East Asian keyboards, which UTS #46 reads as full stops."""
_SAY = "Say NAME or NAME/TYPE, such as www.example.com or www.example.com/A,AAAA."


@lru_cache(maxsize=1 << 15)  # more than a zone of 10,000 has: it is looked through for each name
def normal_name(name: str) -> str:
    r"""Lower case, trailing dot, and Route 53's octal escapes: ``*.A.com`` -> ``\052.a.com.``.

    An escaped dot (``\056``) stays inside its label.
    """
    labels = [[]]  # type: list[list[int]]
    raw = name.encode()
    at = 0
    while at < len(raw):
        byte, step = raw[at], 1
        octal = re.match(rb"\\([0-3][0-7]{2})", raw[at : at + 4])
        if octal:
            byte, step = int(octal[1], 8), 4
        elif byte == ord("\\") and at + 1 < len(raw):
            byte, step = raw[at + 1], 2
        if byte == ord(".") and step == 1:
            labels.append([])
        else:
            labels[-1].append(byte)
        at += step
    if labels and not labels[-1]:
        labels.pop()
    return "".join("".join(_escaped(byte) for byte in label) + "." for label in labels) or "."


def display_name(name: str) -> str:
    r"""Without the trailing dot, and ``*`` as itself: what JSON and command lines carry."""
    return name.removesuffix(".").replace("\\052", "*")


@lru_cache(maxsize=4096)
def shown_name(name: str) -> str:
    """For text that people read: an internationalized name in Unicode too.

    ``bücher.example.com (xn--bcher-kva.example.com)``. A label that stands for what IDNA
    allows in no name stays as it is: control characters and the like reach no terminal this way.
    """
    plain = display_name(name)
    if "xn--" not in plain:
        return plain
    decoded = ".".join(_decoded(label) for label in plain.split("."))
    return plain if decoded == plain else f"{decoded} ({plain})"


def requested(text: str) -> tuple[str, tuple[str, ...]]:
    """Reads ``NAME[/TYPE[,TYPE]]``: the name in normal form, and the types, which may be none.

    A name may hold slashes itself (``0/25.2.0.192.in-addr.arpa``); a type holds no dots.

    Raises:
        UsageError: the name or a type cannot be one; it names the part.
    """
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"{text[:60]!r}... is not a domain name", _SAY)
    if _SCHEME.match(text):
        return _read_name(_host(text), text), ()
    name, slash, kinds = text.rpartition("/")
    if not slash or "." in kinds:
        return _read_name(text, text), ()
    return _read_name(name, text), _read_types(kinds, text) if kinds else ()


def requested_pairs(texts: Iterable[str]) -> list[tuple[str, str | None]]:
    """Name and type of all that these ask for, each once; the type is ``None`` where it is open."""
    pairs = [(name, kind) for name, kinds in map(requested, texts) for kind in (*kinds,) or (None,)]
    return list(dict.fromkeys(pairs))


def requested_names(texts: Iterable[str]) -> list[str]:
    """The names that these ask for, each once."""
    return list(dict.fromkeys(requested(text)[0] for text in texts))


def canonical_record(text: str) -> str:
    """``NAME[/TYPE[,TYPE]]`` as any shell and any later version reads it."""
    name, kinds = requested(text)
    return "/".join([display_name(name), *([",".join(kinds)] if kinds else [])])


def canonical_zone(text: str) -> str:
    """A zone's id as it is, or its name in ASCII and lower case."""
    text = text.strip()
    if "." not in text.translate(_DOTS) and text.isascii():
        return text
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"{text[:60]!r}... is not a zone", "Say its id or its name.")
    return display_name(_read_name(_host(text) if _SCHEME.match(text) else text, text))


def _host(text: str) -> str:
    """The host of a URL; what else stands in it names no record."""
    try:
        parts = urlsplit(text if ":" in text.partition("//")[0] else f"https:{text}")
        host = parts.hostname or ""
    except ValueError as error:
        raise UsageError(f"{text!r} is not a URL: {error}", _SAY) from error
    if not host:
        raise UsageError(f"{text!r} is a URL without a host", _SAY)
    rest = parts.path.strip("/")
    if rest and set(rest.split(",")) <= set(RECORD_TYPES):
        raise UsageError(
            f"{rest!r} at the end of {text!r} may be a path or a record type",
            f"Leave out what stands before the name: {host}/{rest}.",
        )
    return host


def _read_types(kinds: str, text: str) -> tuple[str, ...]:
    types = [kind.strip().upper() for kind in kinds.split(",")]
    for kind in types:
        if not kind:
            raise UsageError(f"there is an empty record type in {text!r}", _SAY)
        if kind not in RECORD_TYPES:
            raise UsageError(
                f"{kind!r} in {text!r} is no record type of Route 53",
                f"It has {', '.join(RECORD_TYPES)}.",
            )
    return tuple(dict.fromkeys(types))


def _read_name(name: str, text: str) -> str:
    """The name in normal form, each label checked; ``text`` is what it stands in."""
    if not name.removesuffix("."):
        raise UsageError(f"there is no domain name in {text!r}", _SAY)
    if _is_address(name):
        raise UsageError(f"{name!r} is an IP address, not a domain name", _SAY)
    port = _PORT.search(name)
    if port:
        raise UsageError(f"{port[0]!r} in {text!r} is a port: a record has none", _SAY)
    labels = [_label(label, text) for label in _labels(name.translate(_DOTS), text)]
    read = normal_name(".".join(labels))
    if len(re.sub(r"\\[0-7]{3}", "x", read)) > _LONGEST_NAME + 1:
        raise UsageError(
            f"{text[:60]!r}... is not a domain name: it has more than {_LONGEST_NAME} characters",
            _SAY,
        )
    return read


def _labels(name: str, text: str) -> list[str]:
    labels = name.removesuffix(".").split(".")
    for number, label in enumerate(labels, start=1):
        if not label:
            raise UsageError(
                f"{text!r} is not a domain name: its label {number} is empty", "Say one dot."
            )
    return labels


def _label(label: str, text: str) -> str:
    """One label in ASCII."""
    if re.search(r"\s", label):
        raise UsageError(
            f"{text!r} is not a domain name: there is a space in the label {label!r}",
            r"A space that belongs to the name is written \040.",
        )
    if any(len(found) == 1 for found in _ESCAPE.findall(label)):
        raise UsageError(
            f"{text!r} is not a domain name: the label {label!r} has a backslash without three "
            "octal digits",
            r"Write \052 for *, \134 for a backslash.",
        )
    encoded = label if label.isascii() else _encoded(label, text)
    octets = len(_ESCAPE.sub("x", encoded))
    if octets > _LONGEST_LABEL:
        raise UsageError(
            f"{text[:80]!r} is not a domain name: its label {label[:20]!r}... has {octets} "
            f"characters, and {_LONGEST_LABEL} are allowed",
            _SAY,
        )
    return encoded


def _encoded(label: str, text: str) -> str:
    import idna  # noqa: PLC0415 -- 20 ms, and few names need it

    try:
        return idna.encode(label, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise UsageError(
            f"{text!r} is not a domain name: the label {label!r} has no IDNA form: {error}",
            "Check it for characters that no domain can have, or give its xn-- form.",
        ) from error


def _decoded(label: str) -> str:
    """A label in Unicode, where IDNA allows it."""
    if not label.startswith("xn--") or len(label) > _LONGEST_LABEL:
        return label
    import idna  # noqa: PLC0415 -- as `_encoded`

    try:
        return idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return label


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _escaped(byte: int) -> str:
    lowered = byte + 32 if ord("A") <= byte <= ord("Z") else byte
    return chr(lowered) if lowered in _PLAIN_LABEL else f"\\{lowered:03o}"
