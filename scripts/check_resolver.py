"""Holds the strategies and the forecast against unbound, a caching resolver.

    apt-get install unbound
    uv run scripts/check_resolver.py [--speed 10] [--only delete]

Each strategy is carried out in a simulated account, by real clients over real HTTP, once with the
negative TTL of a new zone (SOA 900/86400) and once with a lowered one (5/5). Meanwhile a client
asks unbound every 20 ms, which asks the account's name servers. What unbound has cached of the
record is forgotten before each question, as if another resolver was asked each time; what it
remembers of an absence is not. Once the takeover is over, the client asks on until it is answered,
or reads from the answer how long unbound remembers.

Exits 1 where a strategy without a gap had a failed answer, or where `delete` kept the user of a
resolver that the gap reached waiting for longer or shorter than the plan's arithmetic says.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dns.asyncquery
import dns.message
import dns.rdatatype
from msgspec.structs import replace

from bench_strategies import CASES, EVERY, carry_out
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.core.plan.harm import affected_share, harmed_seconds
from route53_takeover.simulation.scenarios import NAME, SCENARIOS
from route53_takeover.simulation.serve import scrub, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SOAS = ((900, 86400), (5, 5))
LONGEST_PROPAGATION = 12.0
"""Seconds of the account until a change is on every one of its name servers."""
STRATEGIES = ("delete", "adopt", "bridge", "bridge, alias", "weighted")
_WITHIN = 2.0
"""Seconds: unbound counts whole ones, and name servers follow one after the other."""
_ASKED_ON = 30.0
"""Seconds for which an absence is waited out rather than read from the answer."""
_CONFIGURATION = """
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/unbound.log"
  do-daemonize: no
  interface: 127.0.0.1
  port: {port}
  do-ip6: no
  do-not-query-localhost: no
  module-config: "iterator"
remote-control:
  control-enable: yes
  control-interface: "{folder}/control"
  control-use-cert: no
stub-zone:
  name: "example.com"
"""


class NoUnboundError(Exception):
    """There is no unbound on this machine."""


class Unbound:
    """A running resolver that asks certain name servers.

    Args:
        port: where it answers; ``control`` is the path of its control socket.
    """

    def __init__(self, port: int, control: Path) -> None:
        self._port = port
        self._control = str(control)

    async def ask(self, name: str, kind: str) -> dns.message.Message:
        """One question."""
        query = dns.message.make_query(name, kind)
        return await dns.asyncquery.udp(query, "127.0.0.1", port=self._port, timeout=5)

    async def forget(self, name: str) -> None:
        """Forgets what it has cached of a name."""
        reader, writer = await asyncio.open_unix_connection(self._control)
        writer.write(f"UBCT1 flush {name}\n".encode())
        said = await reader.read()
        writer.close()
        if said.strip() != b"ok":
            raise RuntimeError(said.decode())


@contextmanager
def unbound(name_servers: Sequence[str]) -> Iterator[Unbound]:
    """A resolver of its own, with an empty cache.

    Raises:
        NoUnboundError: the program is not installed.
    """
    program = shutil.which("unbound", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        raise NoUnboundError("unbound is not installed: apt-get install unbound")
    with tempfile.TemporaryDirectory() as name, socket.socket(type=socket.SOCK_DGRAM) as free:
        folder = Path(name)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        stubs = "".join(f"  stub-addr: {each.replace(':', '@')}\n" for each in name_servers)
        file = folder / "unbound.conf"
        file.write_text(_CONFIGURATION.format(folder=folder, port=port) + stubs, encoding="utf-8")
        with subprocess.Popen([program, "-d", "-c", file], stderr=subprocess.DEVNULL) as process:
            try:
                yield Unbound(port, folder / "control")
            finally:
                process.terminate()


class User:
    """Asks one resolver again and again, and notes how long it gets no answer.

    Attributes:
        waited: seconds from the first answer without a record to the next one with one.
    """

    def __init__(self, resolver: Unbound, kind: str) -> None:
        self._resolver = resolver
        self._kind = kind
        self._clock = SystemClock()
        self._failed_at: float | None = None
        self.asked = 0
        self.failed = 0
        self.waited = 0.0
        self.is_over = False

    async def ask_every(self, seconds: float) -> None:
        """Until it is over."""
        while not self.is_over:
            await self._ask()
            await asyncio.sleep(seconds)

    async def ask_on(self) -> None:
        """Until it is answered, or knows when it would be."""
        while self._failed_at is not None:
            remembered = await self._ask()
            if remembered > _ASKED_ON:
                self.waited = self._clock.now() + remembered - self._failed_at
                return
            await asyncio.sleep(0.05)

    async def _ask(self) -> int:
        """For how many seconds an absence is remembered; 0 where there is none."""
        if self._failed_at is None:
            await self._resolver.forget(NAME)
        now = self._clock.now()
        answer = await self._resolver.ask(NAME, self._kind)
        self.asked += 1
        if answer.answer:
            if self._failed_at is not None:
                self.waited = max(self.waited, now - self._failed_at)
            self._failed_at = None
            return 0
        self.failed += 1
        self._failed_at = now if self._failed_at is None else self._failed_at
        return min((each.ttl for each in answer.authority), default=0)


class Seen(NamedTuple):
    """What one user saw of a takeover; ``gap``: the longest at any name server, in real seconds."""

    done: bool
    user: User
    gap: float


async def look_at(label: str, soa: tuple[int, int], speed: float) -> Seen:
    """One takeover, while a user asks."""
    clock = SystemClock(speed)
    async with serving(SCENARIOS[CASES[label][0]], seed=label, clock=clock) as served:
        world = served.world
        (before,) = (r for r in world.holds(world.zone.name) if r.type == "SOA")
        fields, _, _ = before.values[0].rpartition(" ")
        world.write([("UPSERT", replace(before, ttl=soa[0], values=(f"{fields} {soa[1]}",)))])
        with unbound(served.name_servers) as resolver:
            await clock.sleep(LONGEST_PROPAGATION)
            user = User(resolver, "CNAME" if label == "adopt" else "A")
            asking = asyncio.create_task(user.ask_every(EVERY))
            done, _ = await carry_out(label, served, clock)
            await clock.sleep(LONGEST_PROPAGATION)
            user.is_over = True
            await asking
            await user.ask_on()
        gaps = [
            (clock.now() if ended is None else ended) - began
            for server in range(len(served.name_servers))
            for began, ended in world.zones.absences(world.zone.zone_id, NAME, server=server)
        ]
    return Seen(done, user, max(gaps, default=0.0) / speed)


def forecast(gap: float, negative_ttl: int) -> float:
    """Seconds without an answer for a user of a resolver that a gap reached, by the arithmetic."""
    if not gap:
        return 0.0
    return harmed_seconds(gap, 0, negative_ttl) / affected_share(gap, 0)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="The strategies behind a real resolver.")
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--only", choices=STRATEGIES)
    arguments = parser.parse_args()
    scrub(os.environ)
    is_good = True
    print(f"{'':16}{'SOA':>10}{'done':>6}{'asked':>8}{'failed':>8}{'waited':>10}{'forecast':>10}")
    for label in STRATEGIES if arguments.only is None else (arguments.only,):
        for soa in SOAS:
            done, user, gap = asyncio.run(look_at(label, soa, arguments.speed))
            expected = forecast(gap, min(soa))
            is_good &= done and abs(user.waited - expected) <= _WITHIN
            print(
                f"{label:16}{'/'.join(map(str, soa)):>10}{'yes' if done else 'no':>6}"
                f"{user.asked:>8}{user.failed:>8}{user.waited:>8.1f} s{expected:>8.1f} s",
                flush=True,
            )
    print("as forecast" if is_good else f"more than {_WITHIN:g} s off, or not done")
    return 0 if is_good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NoUnboundError as error:
        sys.exit(str(error))
