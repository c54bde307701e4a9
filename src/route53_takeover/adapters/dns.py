"""DNS as the zone's name servers answer it, each asked directly: the `Prober` port.

No resolver stands in between, so an answer is what that server serves now. A probe only looks:
whatever goes wrong is an answer with the status ``timeout`` or ``error``, never an exception.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import dns.asyncquery
import dns.asyncresolver
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from msgspec import Struct

from route53_takeover.base.errors import UsageError
from route53_takeover.core.domain.record_sets import normal_name
from route53_takeover.core.ports import DnsAnswer, Prober

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT = 1.0
_PORT = 53
_LAST = 65535
_DELEGATION_TIMEOUT = 5.0
_LONGEST = 300
"""Characters of a name server and its port: a name has 255 at most."""
_HINT = "use --name-server HOST or HOST:PORT, such as 192.0.2.1:5353 or [2001:db8::1]:53"


class NameServer(Struct, frozen=True, kw_only=True):
    """A server to ask: a host name or an address, and a port."""

    host: str
    port: int = _PORT

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORT else f"{host}:{self.port}"


def parse_name_server(text: str) -> NameServer:
    """Reads ``HOST[:PORT]``; an IPv6 address with a port stands in brackets.

    Raises:
        UsageError: it is neither a name nor an address, or the port is not one.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise UsageError(f"{text[:60]!r}... names no host", _HINT)
    if dns.inet.is_address(text):
        return NameServer(host=text)
    spelled = re.fullmatch(r"(?:\[(?P<address>.*)\]|(?P<host>[^:]*))(?::(?P<port>.*))?", text)
    if spelled is None:
        raise UsageError(f"{text!r} is not a name server", _HINT)
    host = (spelled["address"] or spelled["host"] or "").removesuffix(".")
    if not (_is_ipv6(host) if spelled["address"] else _is_ipv4_or_name(host)):
        raise UsageError(f"{text!r} has no valid host", _HINT)
    port = spelled["port"] or str(_PORT)
    if spelled["port"] == "" or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) <= _LAST:
        raise UsageError(f"{text!r} has no valid port", _HINT)
    return NameServer(host=host, port=int(port))


class DnsProber(Prober):
    """Asks every one of these servers at once.

    Args:
        servers: the zone's delegated name servers, or those of ``--name-server``.
    """

    def __init__(self, servers: Sequence[NameServer]) -> None:
        self._servers = tuple(servers)
        self._addresses: dict[str, str] = {}

    async def probe(self, name: str, record_type: str) -> Sequence[DnsAnswer]:
        """One answer a server, in the servers' order, each within a second or so."""
        return await asyncio.gather(
            *(self._ask(server, name, record_type) for server in self._servers)
        )

    async def _ask(self, server: NameServer, name: str, record_type: str) -> DnsAnswer:
        status, values, ttl = "error", (), None  # type: str, tuple[str, ...], int | None
        try:
            query = dns.message.make_query(
                _dns_name(name), record_type, use_edns=0, want_dnssec=False, flags=0
            )
            async with asyncio.timeout(_TIMEOUT):
                response, _ = await dns.asyncquery.udp_with_fallback(
                    query,
                    await self._address(server.host),
                    timeout=_TIMEOUT,
                    port=server.port,
                    ignore_unexpected=True,
                    ignore_errors=True,
                )
            status = _status(response)
            values, ttl = _contents(response) if status == "answer" else ((), None)
        except (TimeoutError, dns.exception.Timeout):
            status = "timeout"
        except (dns.exception.DNSException, OSError, EOFError, ValueError):
            status = "error"
        return DnsAnswer(
            server=str(server), name=name, type=record_type, status=status, values=values, ttl=ttl
        )

    async def _address(self, host: str) -> str:
        if dns.inet.is_address(host):
            return host
        if host == "localhost":
            return "127.0.0.1"
        if host not in self._addresses:
            found = await dns.asyncresolver.get_default_resolver().resolve_name(
                host, lifetime=_TIMEOUT
            )
            addresses = list(found.addresses())
            self._addresses[host] = next((a for a in addresses if ":" not in a), addresses[0])
        return self._addresses[host]


def _status(response: dns.message.Message) -> str:
    """What the server said, as three facts and a rest: a dangling CNAME is still an answer."""
    rcode = response.rcode()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return "error"
    if response.answer:
        return "answer"
    if rcode == dns.rcode.NXDOMAIN:
        return "nxdomain"
    knows = response.flags & dns.flags.AA or any(
        rrset.rdtype == dns.rdatatype.SOA for rrset in response.authority
    )
    return "nodata" if knows else "error"  # a referral: the server does not serve this name


def _contents(response: dns.message.Message) -> tuple[tuple[str, ...], int]:
    """The answer section's values in its order, and the TTL of its first record."""
    values = tuple(record.to_text() for rrset in response.answer for record in rrset)
    return values, response.answer[0].ttl


def _dns_name(name: str) -> dns.name.Name:
    """Route 53 escapes in octal, master files and dnspython in decimal."""
    labels = [
        re.sub(rb"\\([0-3][0-7]{2})", lambda octal: bytes([int(octal[1], 8)]), label.encode())
        for label in normal_name(name).removesuffix(".").split(".")
    ]
    return dns.name.Name([*(label for label in labels if label), b""])


def _is_ipv6(host: str) -> bool:
    return ":" in host and dns.inet.is_address(host)


def _is_ipv4_or_name(host: str) -> bool:
    label = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    return re.fullmatch(rf"{label}(\.{label})*", host) is not None


async def delegated_to(zone_name: str) -> Sequence[str] | None:
    """The name servers in the delegation of a zone; ``None`` where no resolver answered.

    A resolver that knows no such name tells nothing: it may see another DNS than the public one.
    """
    try:
        async with asyncio.timeout(_DELEGATION_TIMEOUT):
            answer = await dns.asyncresolver.resolve(_dns_name(zone_name), "NS")
    except (dns.exception.DNSException, OSError, TimeoutError):
        return None
    return [str(record.target) for record in answer]
