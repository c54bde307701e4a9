"""One line of news, before it has a time (`core.status.messages`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from route53_takeover.core.status.snapshot import Detail

if TYPE_CHECKING:
    from route53_takeover.core.status.snapshot import Mark


class Message(NamedTuple):
    """One line, how it is marked, and who is shown it."""

    text: str
    mark: Mark
    detail: Detail = Detail.MAIN
