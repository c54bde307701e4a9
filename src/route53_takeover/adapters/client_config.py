"""The settings of the SDK's clients: how long they wait, how often they try, how they connect."""

from __future__ import annotations

import socket
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from aiobotocore.config import AioConfig
from botocore.utils import parse_timestamp

import route53_takeover
from route53_takeover.adapters.endpoint import proxies

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 5.0
READ_ATTEMPTS = 3
READ_LIMIT = READ_ATTEMPTS * (CONNECT_TIMEOUT + READ_TIMEOUT) + 10
WRITE_LIMIT = CONNECT_TIMEOUT + READ_TIMEOUT + 2
"""The loop's seconds after which a call counts as unanswered, a hanging name lookup included."""

KEEPALIVE = 50.0
"""Seconds for which an idle connection is kept: longer than the pause between two `warm` calls."""


def client_config(attempts: int, endpoint_url: str | None, *, is_fresh: bool) -> AioConfig:
    """How a client calls: time-outs, attempts, and whether it keeps its connections open.

    An endpoint that is given gets no prefix before its host (``sync-`` of ``TestState``).
    """
    return AioConfig(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": attempts},
        user_agent_extra=f"route53-takeover/{route53_takeover.__version__}",
        connector_args=(
            {"force_close": True, "keepalive_timeout": None}
            if is_fresh
            else {"keepalive_timeout": KEEPALIVE, "socket_factory": _kept_alive_socket}
        ),
        proxies=proxies(endpoint_url),
        inject_host_prefix=endpoint_url is None,
    )


def _kept_alive_socket(address: AddrInfoType) -> socket.socket:
    """TCP keepalive, which aiobotocore itself does not pass on: a dead path is noticed idle."""
    made = socket.socket(address[0], address[1], address[2])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
    return made


def timestamp(value: str) -> datetime:
    """An answer's time. The SDK's own parser takes half of the time that a page of events takes."""
    with suppress(ValueError, TypeError):
        if (found := datetime.fromisoformat(value)).tzinfo is not None:
            return found
    parsed: datetime = parse_timestamp(value)
    return parsed
