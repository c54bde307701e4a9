"""The simulated account's name servers: its public zones over real DNS, UDP and TCP, on loopback.

Owns what a name server says about the record sets it serves: answers, aliases flattened, CNAMEs
followed within the zone, wildcards, empty non-terminals, and the two kinds of absence with the SOA
that says how long it may be cached. It must never change a zone, and never ask another server.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from route53_takeover.core.domain.record_sets import RecordKey, normal_name
from route53_takeover.simulation.aws.route53.alias_targets import synthetic_address
from route53_takeover.simulation.aws.route53.rules import within
from route53_takeover.simulation.aws.route53.wildcards import answering_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
    from route53_takeover.simulation.aws.route53.zones import SimZone, Zones

ALIAS_TTL = 60
"""Seconds: what AWS's own targets (load balancers, CloudFront) carry."""

_MAX_LINKS = 8


class Served(NamedTuple):
    """What one name server serves of one zone."""

    zone: SimZone
    records: Mapping[RecordKey, RecordSet]


class NameServers:
    """One listener, UDP and TCP on one port, for each name server of the zones.

    Every zone has the same number of name servers; listener *n* speaks for the *n*-th of each.

    Args:
        zones: what is served.
        advance: called before each look at the zones, so that the owner can move time on.
    """

    def __init__(self, zones: Zones, advance: Callable[[], None]) -> None:
        self._zones = zones
        self._advance = advance
        self._datagrams: list[asyncio.DatagramTransport] = []
        self._servers: list[asyncio.Server] = []
        self._conversations: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def start(self, host: str = "127.0.0.1") -> list[str]:
        """Listens on free ports, and returns each name server's ``HOST:PORT``."""
        loop = asyncio.get_running_loop()
        addresses = []
        for index in range(max((len(z.name_servers) for z in self._zones.zones()), default=0)):
            server, transport = await self._listen(loop, host, index)
            self._servers.append(server)
            self._datagrams.append(transport)
            addresses.append(f"{host}:{server.sockets[0].getsockname()[1]}")
        return addresses

    async def stop(self) -> None:
        """Closes every listener."""
        for transport in self._datagrams:
            transport.close()
        for server in self._servers:
            server.close()
        conversations = dict(self._conversations)
        for writer in conversations:
            writer.close()
        await asyncio.gather(*(task for task in conversations.values() if task is not None))
        for server in self._servers:
            await server.wait_closed()
        self._datagrams.clear()
        self._servers.clear()

    async def _listen(
        self, loop: asyncio.AbstractEventLoop, host: str, index: int
    ) -> tuple[asyncio.Server, asyncio.DatagramTransport]:
        """Takes a port that is free for both TCP and UDP."""
        for _ in range(20):
            server = await asyncio.start_server(
                lambda reader, writer: self._converse(reader, writer, index), host, 0
            )
            port = server.sockets[0].getsockname()[1]
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(lambda wire: self.answer(wire, index)),
                    local_addr=(host, port),
                )
            except OSError:  # another process has this UDP port: take another
                server.close()
                await server.wait_closed()
                continue
            return server, transport
        raise OSError(f"no port on {host} is free for both TCP and UDP")

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, index: int
    ) -> None:
        """Answers one TCP connection's queries, each preceded by its length in two bytes."""
        self._conversations[writer] = asyncio.current_task()
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                answer = self.answer(await reader.readexactly(length), index)
                if answer is None:
                    break
                writer.write(len(answer).to_bytes(2) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed its side: that is how a conversation ends
        finally:
            del self._conversations[writer]
            writer.close()

    def answer(self, wire: bytes, index: int) -> bytes | None:
        """One server's answer to one query; ``None`` where it is no query at all."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.flags & dns.flags.QR:
            return None
        response = dns.message.make_response(query)
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            response.set_rcode(dns.rcode.NOTIMP)
            return response.to_wire()
        self._advance()
        question = query.question[0]
        served = self._serving(normal_name(question.name.to_text()), index)
        if served is None:
            response.set_rcode(dns.rcode.REFUSED)
        else:
            _Answering(served, response).resolve(question.name, question.rdtype)
        return response.to_wire()

    def _serving(self, name: str, index: int) -> Served | None:
        """The most specific public zone that holds the name."""
        public = [z for z in self._zones.zones() if not z.private and within(name, z.name)]
        if not public:
            return None
        zone = max(public, key=lambda candidate: len(candidate.name))
        return Served(zone, self._zones.served(zone.zone_id, index))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The loop's datagram transports are not subclasses of the type they are declared to be.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


class _Answering:
    """Fills one response from what one name server serves."""

    def __init__(self, served: Served, response: dns.message.Message) -> None:
        self._zone = served.zone
        self._records = served.records
        self._response = response
        response.flags |= dns.flags.AA

    def resolve(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        """Answers for a name, following CNAMEs as long as they stay in the zone."""
        wanted = dns.rdatatype.to_text(kind)
        for _ in range(_MAX_LINKS):
            text = normal_name(name.to_text())
            if not within(text, self._zone.name):
                return
            delegation = self._delegation(text, wanted)
            if delegation is not None:
                self._refer(delegation)
                return
            owner = self._owner(text)
            if owner is None:
                self._response.set_rcode(dns.rcode.NXDOMAIN)
                self._deny()
                return
            target = self._answer_from(owner, name, wanted)
            if target is None:
                return
            name = target

    def _answer_from(self, owner: str, name: dns.name.Name, wanted: str) -> dns.name.Name | None:
        """Adds what stands at ``owner``; returns where a CNAME leads, if that is to be followed."""
        sets = self._at(owner, wanted)
        if sets:
            ttl, values = self._data(sets)
            if values:
                self._add(name, ttl, wanted, values)
            else:
                self._deny()
            return None
        cnames = self._at(owner, "CNAME")
        if not cnames:
            self._deny()
            return None
        ttl, values = self._data(cnames)
        self._add(name, ttl, "CNAME", values)
        return dns.name.from_text(values[0])

    def _at(self, owner: str, kind: str) -> list[RecordSet]:
        return [r for key, r in self._records.items() if key[:2] == (owner, kind)]

    def _owner(self, name: str) -> str | None:
        """The name whose record sets answer for ``name``."""
        return answering_name(name, self._records, self._zone.name)

    def _delegation(self, name: str, wanted: str) -> str | None:
        """The name at or above ``name``, below the apex, whose NS records delegate it away."""
        while name != self._zone.name:
            if RecordKey(name, "NS") in self._records and wanted != "DS":
                return name
            name = name.partition(".")[2]
        return None

    def _refer(self, delegation: str) -> None:
        self._response.flags &= ~dns.flags.AA
        record = self._records[RecordKey(delegation, "NS")]
        self._response.authority.append(_rrset(delegation, record.ttl or 0, "NS", record.values))

    def _data(self, sets: Iterable[RecordSet], links: int = 0) -> tuple[int, list[str]]:
        """TTL and values of the record sets at one name and type, aliases flattened.

        All members of a routed group answer together: which one a real name server chooses
        depends on the asker, and any of them means that the name is served.
        """
        ttls: list[int] = []
        values: list[str] = []
        for record in sets:
            if record.alias is None:
                ttls.append(record.ttl or 0)
                found = list(record.values)
            else:
                ttl, found = self._target(record.alias, record.type, links)
                ttls.append(ttl)
            values += [value for value in found if value not in values]
        return min(ttls, default=0), values

    def _target(self, alias: AliasTarget, kind: str, links: int) -> tuple[int, list[str]]:
        if alias.zone_id == self._zone.zone_id and within(alias.dns_name, self._zone.name):
            owner = self._owner(alias.dns_name)
            if owner is None or links == _MAX_LINKS:
                return ALIAS_TTL, []
            return self._data(self._at(owner, kind), links + 1)
        return ALIAS_TTL, [synthetic_address(alias.dns_name, kind)]

    def _add(self, name: dns.name.Name, ttl: int, kind: str, values: Iterable[str]) -> None:
        self._response.answer.append(_rrset(name, ttl, kind, values))

    def _deny(self) -> None:
        """Says for how long the absence may be remembered (RFC 2308)."""
        soa = self._records[RecordKey(self._zone.name, "SOA")]
        minimum = int(soa.values[0].split()[-1])
        ttl = min(soa.ttl or 0, minimum)
        self._response.authority.append(_rrset(self._zone.name, ttl, "SOA", soa.values))


def _rrset(
    name: dns.name.Name | str, ttl: int, kind: str, values: Iterable[str]
) -> dns.rrset.RRset:
    owner = dns.name.from_text(name) if isinstance(name, str) else name
    return dns.rrset.from_text_list(
        owner, ttl, dns.rdataclass.IN, kind, list(values), origin=dns.name.root, relativize=False
    )
