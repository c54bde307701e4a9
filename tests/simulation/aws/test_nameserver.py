"""What the name servers say, asked over real UDP and TCP."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import TYPE_CHECKING

import dns.asyncquery
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

from route53_takeover.core.domain.record_sets import AliasTarget, RecordSet
from route53_takeover.simulation.aws.route53.alias_targets import synthetic_address
from route53_takeover.simulation.aws.route53.nameserver import NameServers
from route53_takeover.simulation.aws.route53.zones import Zones
from route53_takeover.simulation.aws.timeline import Schedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

START = 1_700_000_000.0
WWW = "www.example.com"


def record(name: str, kind: str, *values: str, ttl: int = 300) -> RecordSet:
    return RecordSet(name=name, type=kind, ttl=ttl, values=values)


def alias(name: str, target: str, zone_id: str = "Z2FDTNDATAQYW2", kind: str = "A") -> RecordSet:
    return RecordSet(name=name, type=kind, alias=AliasTarget(zone_id=zone_id, dns_name=target))


def weighted(name: str, identifier: str, value: str) -> RecordSet:
    return RecordSet(
        name=name,
        type="A",
        ttl=60,
        values=(value,),
        set_identifier=identifier,
        routing=(("Weight", "1"),),
    )


class Account:
    """Zones on standing time, with their name servers."""

    def __init__(self) -> None:
        self.timeline = Schedule(START)
        self.now = START
        self.zones = Zones(self.timeline, random.Random(7))  # noqa: S311 -- a simulation
        self.zones.add_zone("example.com", zone_id="Z1")
        self.servers = NameServers(self.zones, lambda: self.timeline.advance(self.now))
        self.addresses: list[str] = []

    def write(self, *changes: tuple[str, RecordSet], propagated: bool = True) -> None:
        self.zones.change("Z1", changes, by="test")
        if propagated:
            self.now += 10

    def create(self, *records: RecordSet) -> None:
        self.write(*(("CREATE", r) for r in records))

    async def ask(
        self, name: str, kind: str = "A", *, server: int = 0, tcp: bool = False
    ) -> dns.message.Message:
        host, _, port = self.addresses[server].rpartition(":")
        query = dns.message.make_query(name, kind)
        transport = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
        return await transport(query, host, timeout=5, port=int(port))

    async def reported(
        self, name: str, kind: str = "A", *, server: int = 0, tcp: bool = False
    ) -> str:
        """The answer in one line: ``NOERROR www.example.com. 60 IN A 192.0.2.1``."""
        message = await self.ask(name, kind, server=server, tcp=tcp)
        texts = [sorted(rrset.to_text().splitlines()) for rrset in message.answer]
        lines = " | ".join(line for text in texts for line in text)
        return f"{dns.rcode.to_text(message.rcode())} {lines}".strip()


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    account = Account()
    account.addresses = await account.servers.start()
    yield account
    await account.servers.stop()


def soa(message: dns.message.Message) -> tuple[str, int]:
    """Owner and TTL of the SOA in the authority section, which must be all there is."""
    (rrset,) = message.authority
    assert rrset.rdtype == dns.rdatatype.SOA
    return rrset.name.to_text(), rrset.ttl


@pytest.mark.parametrize("tcp", [False, True])
async def test_record_sets_are_answered_over_udp_and_tcp(account: Account, tcp: bool) -> None:
    account.create(record(WWW, "A", "192.0.2.1", "192.0.2.2", ttl=60))
    assert (await account.ask(WWW, tcp=tcp)).flags & dns.flags.AA
    assert await account.reported(WWW.upper(), tcp=tcp) == (
        "NOERROR WWW.EXAMPLE.COM. 60 IN A 192.0.2.1 | WWW.EXAMPLE.COM. 60 IN A 192.0.2.2"
    )


async def test_a_tcp_connection_stays_open_after_the_first_answer(account: Account) -> None:
    account.create(record(WWW, "A", "192.0.2.1"))
    host, _, port = account.addresses[0].rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for _ in range(2):
        query = dns.message.make_query(WWW, "A").to_wire()
        writer.write(len(query).to_bytes(2) + query)
        length = int.from_bytes(await reader.readexactly(2))
        assert dns.message.from_wire(await reader.readexactly(length)).answer
    await asyncio.wait_for(account.servers.stop(), 2)
    assert await reader.read() == b""
    writer.close()


async def test_there_is_one_listener_for_each_name_server(account: Account) -> None:
    account.write(("CREATE", record(WWW, "A", "192.0.2.1")), propagated=False)
    assert len(set(account.addresses)) == 4
    due = account.timeline.next_due
    assert due is not None
    account.now = due
    reported = [await account.reported(WWW, server=index) for index in range(4)]
    assert sorted(reported) == ["NOERROR www.example.com. 300 IN A 192.0.2.1"] + ["NXDOMAIN"] * 3


async def test_a_deleted_name_is_nxdomain_with_the_soa(account: Account) -> None:
    manual = record(WWW, "A", "192.0.2.1")
    account.create(manual)
    account.write(("DELETE", manual))
    message = await account.ask(WWW)
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert not message.answer
    assert soa(message) == ("example.com.", 900)


async def test_a_deleted_name_is_answered_by_the_wildcard(account: Account) -> None:
    manual = record(WWW, "A", "192.0.2.1")
    account.create(manual, record("*.example.com", "A", "192.0.2.9"))
    assert await account.reported(WWW) == "NOERROR www.example.com. 300 IN A 192.0.2.1"
    account.write(("DELETE", manual))
    assert await account.reported(WWW) == "NOERROR www.example.com. 300 IN A 192.0.2.9"
    assert (
        await account.reported("a.b.example.com") == "NOERROR a.b.example.com. 300 IN A 192.0.2.9"
    )


@pytest.mark.parametrize("left", [("www.example.com", "AAAA"), ("_x.www.example.com", "AAAA")])
async def test_a_name_with_another_type_or_something_below_it_is_nodata_despite_the_wildcard(
    account: Account, left: tuple[str, str]
) -> None:
    manual = record(WWW, "A", "192.0.2.1")
    account.create(manual, record("*.example.com", "A", "192.0.2.9"))
    account.create(record(*left, "2001:db8::1"))
    account.write(("DELETE", manual))
    message = await account.ask(WWW)
    assert message.rcode() == dns.rcode.NOERROR
    assert not message.answer
    assert soa(message) == ("example.com.", 900)


async def test_a_wildcard_reaches_only_below_the_closest_name_that_exists(
    account: Account,
) -> None:
    account.create(record("*.example.com", "A", "192.0.2.9"), record("b.example.com", "TXT", '"t"'))
    assert await account.reported("a.b.example.com") == "NXDOMAIN"
    assert (
        await account.reported("a.c.example.com") == "NOERROR a.c.example.com. 300 IN A 192.0.2.9"
    )
    assert await account.reported("a.c.example.com", "TXT") == "NOERROR"
    assert await account.reported("example.com") == "NOERROR"


async def test_absence_is_remembered_for_the_lower_of_soa_ttl_and_minimum(
    account: Account,
) -> None:
    apex = {r.type: r for r in account.zones.list("Z1")}["SOA"]
    assert soa(await account.ask("gone.example.com"))[1] == 900
    lowered = apex.values[0].rpartition(" ")[0] + " 5"
    account.write(("UPSERT", record("example.com", "SOA", lowered, ttl=900)))
    assert soa(await account.ask("gone.example.com"))[1] == 5
    assert soa(await account.ask("example.com", "A"))[1] == 5


async def test_an_alias_is_flattened_to_addresses(account: Account) -> None:
    account.create(
        record("t.example.com", "A", "192.0.2.7", ttl=30),
        alias("inside.example.com", "t.example.com", "Z1"),
        alias("twice.example.com", "inside.example.com", "Z1"),
        alias("outside.example.com", "d1.cloudfront.net"),
        alias("outside.example.com", "d1.cloudfront.net", kind="AAAA"),
    )
    assert await account.reported("inside.example.com") == (
        "NOERROR inside.example.com. 30 IN A 192.0.2.7"
    )
    assert (
        await account.reported("twice.example.com")
        == "NOERROR twice.example.com. 30 IN A 192.0.2.7"
    )
    v4, v6 = (synthetic_address("D1.CloudFront.net.", kind) for kind in ("A", "AAAA"))
    assert (
        await account.reported("outside.example.com")
        == f"NOERROR outside.example.com. 60 IN A {v4}"
    )
    assert await account.reported("outside.example.com", "AAAA") == (
        f"NOERROR outside.example.com. 60 IN AAAA {v6}"
    )
    assert v4 != synthetic_address("d2.cloudfront.net", "A")


async def test_an_alias_whose_target_is_gone_is_nodata(account: Account) -> None:
    target = record("t.example.com", "A", "192.0.2.7")
    account.create(target, alias(WWW, "t.example.com", "Z1"))
    account.write(("DELETE", target))
    message = await account.ask(WWW)
    assert message.rcode() == dns.rcode.NOERROR
    assert soa(message) == ("example.com.", 900)


async def test_a_cname_is_followed_within_the_zone(account: Account) -> None:
    account.create(
        record(WWW, "CNAME", "a.example.com", ttl=60),
        record("a.example.com", "CNAME", "b.example.com."),
        record("b.example.com", "A", "192.0.2.3"),
        record("out.example.com", "CNAME", "old.example.net"),
        record("bad.example.com", "CNAME", "gone.example.com"),
        record("loop.example.com", "CNAME", "loop.example.com"),
    )
    chain = "www.example.com. 60 IN CNAME a.example.com."
    assert await account.reported(WWW) == (
        f"NOERROR {chain} | a.example.com. 300 IN CNAME b.example.com. "
        "| b.example.com. 300 IN A 192.0.2.3"
    )
    assert await account.reported(WWW, "CNAME") == f"NOERROR {chain}"
    out = "NOERROR out.example.com. 300 IN CNAME old.example.net."
    assert await account.reported("out.example.com") == out
    assert await account.reported("bad.example.com") == (
        "NXDOMAIN bad.example.com. 300 IN CNAME gone.example.com."
    )
    assert (await account.reported("loop.example.com")).startswith("NOERROR loop.example.com.")
    assert soa(await account.ask(WWW, "AAAA")) == ("example.com.", 900)


async def test_the_members_of_a_routed_group_answer_together(account: Account) -> None:
    account.create(weighted(WWW, "blue", "192.0.2.1"), weighted(WWW, "green", "192.0.2.2"))
    assert await account.reported(WWW) == (
        "NOERROR www.example.com. 60 IN A 192.0.2.1 | www.example.com. 60 IN A 192.0.2.2"
    )


async def test_a_delegated_name_is_referred_to_its_name_servers(account: Account) -> None:
    account.create(record("sub.example.com", "NS", "ns.other.example", ttl=60))
    message = await account.ask("www.sub.example.com")
    assert not message.flags & dns.flags.AA
    assert not message.answer
    assert [rrset.to_text() for rrset in message.authority] == [
        "sub.example.com. 60 IN NS ns.other.example."
    ]


async def test_what_is_out_of_zone_or_private_is_refused(account: Account) -> None:
    account.zones.add_zone("private.example", private=True)
    assert await account.reported("www.example.org") == "REFUSED"
    assert await account.reported("notexample.com") == "REFUSED"
    assert await account.reported("private.example", "SOA") == "REFUSED"


async def test_a_private_zone_of_the_same_name_never_hides_the_public_one(
    account: Account,
) -> None:
    account.zones.add_zone("www.example.com", private=True)
    account.create(record(WWW, "A", "192.0.2.1"))
    assert await account.reported(WWW) == "NOERROR www.example.com. 300 IN A 192.0.2.1"


async def test_soa_and_ns_are_answered_at_the_apex(account: Account) -> None:
    assert "900 IN SOA ns-1.awsdns.example." in await account.reported("example.com", "SOA")
    assert (await account.reported("example.com", "NS")).count("IN NS") == 4


async def test_what_is_no_query_gets_no_answer_and_ends_nothing(account: Account) -> None:
    account.create(record(WWW, "A", "192.0.2.1"))
    host, _, port = account.addresses[0].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        response = dns.message.make_response(dns.message.make_query(WWW, "A"))
        for wire in (b"garbage", response.to_wire()):
            raw.sendto(wire, (host, int(port)))
    notify = dns.message.make_query(WWW, "A")
    notify.set_opcode(dns.opcode.NOTIFY)
    answer = await dns.asyncquery.udp(notify, host, timeout=5, port=int(port))
    assert answer.rcode() == dns.rcode.NOTIMP
    assert await account.reported(WWW) == "NOERROR www.example.com. 300 IN A 192.0.2.1"
