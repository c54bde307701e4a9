"""The lines of a journal: how an event is written, and what a file of them holds.

Append-only JSON lines, each with sequence number and checksum, readable by humans in an incident
(text from outside is escaped: it cannot act on their terminal). The machines' events meet here and
nowhere else in this package (`JournalEvent`).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from route53_takeover.base.errors import ManualActionRequiredError, RefusedError
from route53_takeover.base.escaping import escape_control
from route53_takeover.core.switch.events import SwitchEvent
from route53_takeover.core.takeover.events import AnyEvent

if TYPE_CHECKING:
    from route53_takeover.core.events import Event

JournalEvent: TypeAlias = Any
"""An event of one of the machines: of which, the first line of a journal tells."""
KnownEvent = AnyEvent | SwitchEvent
"""All of them, for a decoder."""
FORMAT = 1
"""Version of the line format and of the events; another one cannot be resumed."""


class _Line(Struct, frozen=True, kw_only=True):
    """A line as it stands in the file; ``event`` stays raw, so that its checksum can be made."""

    v: int
    seq: int
    sum: str
    event: msgspec.Raw


_encoder = msgspec.json.Encoder()
_line_decoder = msgspec.json.Decoder(_Line)
_event_decoder: msgspec.json.Decoder[JournalEvent] = msgspec.json.Decoder(KnownEvent)


def encode(seq: int, event: Event) -> bytes:
    """One line of the journal, with its newline."""
    try:
        text = _encoder.encode(event).decode()
    except UnicodeEncodeError:  # half a surrogate, which no JSON can hold: it stays as an escape
        text = _encoder.encode(_without_surrogates(msgspec.to_builtins(event))).decode()
    body = escape_control(text).encode()
    return b'{"v":%d,"seq":%d,"sum":"%s","event":%s}\n' % (FORMAT, seq, _sum(seq, body), body)


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value


def decode(data: bytes, where: str = "the journal") -> tuple[list[JournalEvent], int]:
    """Reads a journal.

    Args:
        data: the whole file.
        where: what to call it in an error.

    Returns:
        The events, and how many bytes of ``data`` they take: what follows is a torn tail.

    Raises:
        ManualActionRequiredError: a line is damaged that is not the torn last one.
        RefusedError: another version wrote it, or an event of it: a line that is whole and cannot
            be read is no torn tail, and what it says may not be forgotten.
    """
    events: list[JournalEvent] = []
    good = 0
    for raw in data.splitlines(keepends=True):
        seq = len(events) + 1
        event = decode_line(raw, seq, where)
        if event is None:
            if good + len(raw) < len(data) or raw.endswith(b"\n"):
                raise damaged(seq, where)
            break
        events.append(event)
        good += len(raw)
    return events, good


def decode_line(raw: bytes, seq: int, where: str) -> JournalEvent | None:
    try:
        line = _line_decoder.decode(raw)
    except msgspec.DecodeError:
        return None
    if line.v != FORMAT:
        raise RefusedError(
            f"{where} has format {line.v}; this program reads format {FORMAT}",
            "Use the version of route53-takeover that started the run.",
        )
    body = bytes(line.event)
    if not raw.endswith(b"\n") or line.seq != seq or line.sum.encode() != _sum(seq, body):
        return None
    try:
        return _event_decoder.decode(body)
    except msgspec.DecodeError as error:
        raise RefusedError(
            f"line {seq} of {where} has an event that this program does not know: {error}",
            "Use the version of route53-takeover that wrote it.",
        ) from error


def _sum(seq: int, body: bytes) -> bytes:
    return b"%08x" % zlib.crc32(b"%d:%s" % (seq, body))


def damaged(seq: int, where: str) -> ManualActionRequiredError:
    return ManualActionRequiredError(
        f"line {seq} of {where} is damaged",
        "Check backup.json and the zone; `restore` needs only the backup.",
    )
