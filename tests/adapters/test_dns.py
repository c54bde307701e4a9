"""An answer, no such name, no data, silence and failure are five facts."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from route53_takeover.adapters.dns import DnsProber, NameServer, parse_name_server
from route53_takeover.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Respond = Callable[[dns.message.Message], dns.message.Message | None]

NAME = "www.example.com."


class Udp(asyncio.DatagramProtocol):
    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.queries: list[dns.message.Message] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.queries.append(dns.message.from_wire(data))
        response = self.respond(self.queries[-1])
        if response is not None:
            self.transport.sendto(response.to_wire(), addr)


@asynccontextmanager
async def name_server(respond: Respond) -> AsyncIterator[tuple[NameServer, Udp]]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: Udp(respond), local_addr=("127.0.0.1", 0)
    )
    try:
        port = transport.get_extra_info("sockname")[1]
        yield NameServer(host="127.0.0.1", port=port), protocol
    finally:
        transport.close()


def answering(*records: str, rcode: int = 0, authority: str = "", aa: bool = True) -> Respond:
    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.Rcode(rcode))
        response.flags |= dns.flags.AA if aa else 0
        for record in records:
            owner, ttl, kind, value = record.split(maxsplit=3)
            response.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, value))
        if authority:
            owner, ttl, kind, value = authority.split(maxsplit=3)
            response.authority.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, value))
        return response

    return respond


SOA = "example.com. 900 SOA ns. host. 1 7200 900 1209600 86400"


@pytest.mark.parametrize(
    ("respond", "status", "values", "ttl"),
    [
        (answering(f"{NAME} 60 A 192.0.2.1"), "answer", ("192.0.2.1",), 60),
        (
            answering(f"{NAME} 300 CNAME d1.example.net.", "d1.example.net. 5 A 192.0.2.2"),
            "answer",
            ("d1.example.net.", "192.0.2.2"),
            300,
        ),
        (answering(f"{NAME} 60 CNAME gone.example.com.", rcode=3), "answer", ..., 60),
        (answering(rcode=3, authority=SOA), "nxdomain", (), None),
        (answering(authority=SOA), "nodata", (), None),
        (answering(authority=f"{NAME} 60 NS ns.example.net.", aa=False), "error", (), None),
        (answering(rcode=2), "error", (), None),
        (answering(rcode=5), "error", (), None),
        (lambda _: None, "timeout", (), None),
    ],
    ids=["a", "cname", "dangling", "nxdomain", "nodata", "referral", "servfail", "refused", "mute"],
)
async def test_each_answer_has_its_own_status(
    respond: Respond, status: str, values: object, ttl: int | None
) -> None:
    async with name_server(respond) as (server, asked):
        [answer] = await DnsProber([server]).probe(NAME, "A")
    assert (answer.status, answer.ttl) == (status, ttl)
    assert values in (..., answer.values)
    assert (answer.server, answer.name, answer.type) == (str(server), NAME, "A")
    assert len(asked.queries) == 1


async def test_a_query_asks_for_no_recursion_and_no_dnssec() -> None:
    async with name_server(answering()) as (server, asked):
        await DnsProber([server]).probe(NAME, "A")
    assert not asked.queries[0].flags & dns.flags.RD
    assert not asked.queries[0].ednsflags & dns.flags.DO


async def test_route_53_s_octal_escapes_are_not_read_as_decimal() -> None:
    async with name_server(answering()) as (server, asked):
        await DnsProber([server]).probe(r"\052.example.com.", "A")
    assert asked.queries[0].question[0].name == dns.name.from_text("*.example.com.")


async def test_a_truncated_answer_is_asked_for_again_over_tcp() -> None:
    def truncated(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response

    async def over_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        response = answering(f"{NAME} 60 A 192.0.2.1")(dns.message.from_wire(query))
        assert response is not None
        wire = response.to_wire()
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with (
        name_server(truncated) as (server, _),
        await asyncio.start_server(over_tcp, "127.0.0.1", server.port),
    ):
        [answer] = await DnsProber([server]).probe(NAME, "A")
    assert (answer.status, answer.values) == ("answer", ("192.0.2.1",))


async def test_all_servers_are_asked_at_once_and_answer_in_their_order() -> None:
    loop = asyncio.get_running_loop()
    async with (
        name_server(lambda _: None) as (mute, _),
        name_server(lambda _: None) as (mute_too, _),
        name_server(answering(f"{NAME} 60 A 192.0.2.1")) as (good, _),
    ):
        start = loop.time()
        answers = await DnsProber([mute, good, mute_too]).probe(NAME, "A")
        took = loop.time() - start
    assert [a.status for a in answers] == ["timeout", "answer", "timeout"]
    assert took < 1.8


async def test_a_probe_never_raises() -> None:
    nowhere = NameServer(host="127.0.0.1", port=9)
    unknown = NameServer(host="no such host")
    for name, kind in [(NAME, "A"), ("x" * 64 + ".example.com.", "A"), (NAME, "NONSENSE")]:
        answers = await DnsProber([nowhere, unknown]).probe(name, kind)
        assert {a.status for a in answers} <= {"error", "timeout"}


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1:5353", "192.0.2.1", 5353),
        ("localhost:5353", "localhost", 5353),
        ("ns-1.awsdns-01.co.uk.", "ns-1.awsdns-01.co.uk", 53),
        ("2001:db8::1", "2001:db8::1", 53),
        ("[2001:db8::1]", "2001:db8::1", 53),
        ("[2001:db8::1]:5353", "2001:db8::1", 5353),
    ],
)
def test_a_name_server_is_a_host_and_maybe_a_port(text: str, host: str, port: int) -> None:
    assert parse_name_server(text) == NameServer(host=host, port=port)
    assert parse_name_server(str(parse_name_server(text))) == parse_name_server(text)


@pytest.mark.parametrize(
    "text",
    ["", ":53", "host:", "host:0", "host:65536", "host:x", "a b", "[::1", "1:2:3", "[x]:1", "-a"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_name_server(text)
    assert "--name-server HOST" in caught.value.hint
