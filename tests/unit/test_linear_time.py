"""Text from outside takes time in proportion to its length: no hostile text stops the loop."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from route53_takeover.adapters.translation import translate
from route53_takeover.core.records import normal_value
from route53_takeover.core.template import SUBSTITUTION
from route53_takeover.errors import UsageError
from route53_takeover.redaction import redacted, remember_signature, secrets_of
from route53_takeover.settings import Connection, check_record, seconds
from route53_takeover.untrusted import plain_tail, printable

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL, FACTOR = 5_000, 10
TOO_MUCH = 4.0
"""A quadratic text takes ten times as long for each byte; a linear one takes as long."""

HOSTILE = [
    "\x1b]x",
    "\x1bPx",
    "\x1b[0;",
    "\x1b",
    "a",
    " ",
    "\\",
    '"',
    '\\"',
    "'",
    "=",
    "|",
    "| ",
    "|a",
    "://",
    "aa://",
    "aa://a@",
    "Credential=",
    "Signature=",
    "x-amz-signature",
    "SessionToken ",
    "SessionToken\\",
    'SecretAccessKey": ',
    "SECRET",
    "SECRET_",
    "A SECRET_FILE",
    "AKIA",
    "CREDENTIALS\t",
    "authorization: Basic ",
    "&quot;",
    "${",
    "${ ",
    "${a ",
    "1s",
    "1 ",
]


def _raised(work: Callable[[str], object]) -> Callable[[str], None]:
    def tried(text: str) -> None:
        with suppress(UsageError):
            work(text)

    return tried


WORK: dict[str, Callable[[str], object]] = {
    "redacted": redacted,
    "secrets": lambda text: secrets_of({text: "x" * 20, text + "_FILE": "x" * 20}),
    "signature": lambda text: remember_signature({"Authorization": text}),
    "printable": printable,
    "tail": lambda text: plain_tail(text.encode() + b"\nx", cut=True),
    "message": lambda text: translate(OSError(text), "sts:GetCallerIdentity"),
    "template": SUBSTITUTION.findall,
    "TXT": lambda text: normal_value("TXT", text),
    "CAA": lambda text: normal_value("CAA", text),
    "record": _raised(check_record),
    "duration": _raised(seconds),
    "endpoint": _raised(lambda text: Connection(endpoint_url="//" + text).is_loopback),
}


def _cost(work: Callable[[str], object], text: str) -> float:
    """Seconds of this thread's CPU: what else the machine does is not in them."""
    begun = time.thread_time()
    work(text)
    return time.thread_time() - begun


@pytest.mark.parametrize("what", WORK)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(what: str) -> None:
    work = WORK[what]
    for unit in HOSTILE:
        short = (unit * SMALL)[:SMALL]
        few = max(_cost(work, short + "\n"), 0.0005)
        many = _cost(work, short * FACTOR + "\n")
        assert many < few * FACTOR * TOO_MUCH, f"{unit!r}: {few:.4f} s, {many:.4f} s"
