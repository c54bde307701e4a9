"""Deploy commands and name servers of the simulated account, in process.

Virtual rehearsals and tests run on these, and on `route53_port` and `cloudformation_port`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.ports import DeployExit, DnsAnswer
from route53_takeover.simulation.aws.route53.alias_targets import synthetic_address
from route53_takeover.simulation.aws.route53.wildcards import answering_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from route53_takeover.core.domain.record_sets import RecordKey, RecordSet
    from route53_takeover.simulation.aws.account import SimulatedAccount
    from route53_takeover.simulation.chaos.transport import VirtualClock


class SimulatedDeployer:
    """The deploy commands of the simulated account, which survive any process.

    Args:
        timeout: seconds after which a command is ended.
        whose: a prefix that distinguishes another machine's commands.
    """

    def __init__(
        self,
        world: SimulatedAccount,
        clock: VirtualClock,
        *,
        timeout: float = 7200.0,
        whose: str = "",
    ) -> None:
        self._world = world
        self._clock = clock
        self._timeout = timeout
        self._whose = whose

    async def run(self, switch: str) -> DeployExit:
        self._world.timeline.advance(self._clock.true())
        self._world.start_deploy(self._whose + switch)
        return await self.rejoin(switch)

    async def rejoin(self, switch: str) -> DeployExit:
        if not self.ever_started(switch):
            return DeployExit(code=None)
        until = self._clock.true() + self._timeout
        return await self._clock.every(0.5, lambda: self._ended(self._whose + switch, until))

    def _ended(self, deploy: str, until: float) -> DeployExit | None:
        """How the command ended, if it has by now."""
        now = self._clock.true()
        self._world.timeline.advance(now)
        code = self._world.deploys[deploy]
        if code is not None:
            return DeployExit(code=code)
        if now < until:
            return None
        self._world.end_deploy(deploy)
        return DeployExit(code=None, timed_out=True)

    def ever_started(self, switch: str) -> bool:
        return self._whose + switch in self._world.deploys


class SimulatedProber:
    """The zone's name servers, each with its own propagation.

    Attributes:
        stuck: name server -> until when it continues serving what it served then.
        mute: name server -> until when it does not answer.
    """

    def __init__(self, world: SimulatedAccount, clock: VirtualClock) -> None:
        self._world = world
        self._clock = clock
        self.mute: dict[int, float] = {}
        self.stuck: dict[int, float] = {}
        self._served: dict[int, tuple[str, tuple[str, ...]]] = {}
        self._contents: dict[tuple[int, str, str], tuple[object, tuple[str, tuple[str, ...]]]] = {}

    async def probe(self, name: str, record_type: str) -> Sequence[DnsAnswer]:
        now = self._clock.true()
        self._world.timeline.advance(now)
        zone = self._world.zone
        answers = []
        for index, server in enumerate(zone.name_servers):
            if now >= self.stuck.get(index, 0.0) or index not in self._served:
                served = zone.served[index]
                of, contents = self._contents.get((index, name, record_type), _NOTHING)
                if of is not served:
                    contents = _contents(served, name, record_type, zone.name)
                    self._contents[index, name, record_type] = served, contents
                self._served[index] = contents
            status, values = self._served[index]
            if now < self.mute.get(index, 0.0):
                status, values = "timeout", ()
            answers.append(
                DnsAnswer(server=server, name=name, type=record_type, status=status, values=values)
            )
        return answers


_NOTHING: tuple[object, tuple[str, tuple[str, ...]]] = (None, ("", ()))


def _contents(
    served: Mapping[RecordKey, RecordSet], name: str, record_type: str, zone_name: str
) -> tuple[str, tuple[str, ...]]:
    """Status and values; an alias is answered by what stands for its target's addresses."""
    owner = answering_name(name, served, zone_name)
    there = [r for k, r in served.items() if k.name == owner]
    good = [r for r in there if r.type in (record_type, "CNAME")]
    values = tuple(
        value
        for r in good
        for value in ((synthetic_address(r.alias.dns_name, r.type),) if r.alias else r.values)
    )
    return "answer" if good else "nodata" if there else "nxdomain", values
