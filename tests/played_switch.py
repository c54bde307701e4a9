"""A blue-green switch that a test plays on, event by event, as the machine takes them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.core.domain.api_mappings import (
    ApiMapping,
    ApiTarget,
    CustomDomain,
    EndpointType,
)
from route53_takeover.core.domain.http_checks import Check, CheckAnswer, Side
from route53_takeover.core.events import (
    BackupWritten,
    DeployExited,
    DeployIntended,
    Switch,
)
from route53_takeover.core.plan.model import Finding
from route53_takeover.core.status.any_run import RunReading
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.model import (
    Difference,
    MappingSwap,
    SwapReading,
    SwitchOptions,
    SwitchPlan,
)
from route53_takeover.core.switch.state import SwitchState
from route53_takeover.process.protocol import Link, View

if TYPE_CHECKING:
    from route53_takeover.core.events import Event

SITE = "shop.example.com"
BEGAN = 1_790_000_000.0
OUTPUT = ("> deploying orders-green", "stack orders-green is complete")
DOMAIN = CustomDomain(name=SITE, endpoint_type=EndpointType.REGIONAL)
BLUE, GREEN = ApiTarget("a1b2c3d4e5", "live"), ApiTarget("f6g7h8i9j0", "live_2")
CHECKS = (
    Check(text="https://shop.example.com/up", url="https://shop.example.com/up"),
    Check(
        text="POST https://shop.example.com/orders/quote status=201",
        method="POST",
        url="https://shop.example.com/orders/quote",
    ),
)


def swap(base_path: str) -> MappingSwap:
    mapping = ApiMapping(base_path=base_path, target=BLUE, mapping_id=f"m{len(base_path)}")
    return MappingSwap(id=base_path or "root", domain=DOMAIN, mapping=mapping, to=GREEN)


PLAN = SwitchPlan(
    options=SwitchOptions(
        domain=SITE, to_stack="orders-green", deploy="npx cdk deploy orders-green"
    ),
    account="123456789012",
    region="eu-central-1",
    site=SITE,
    swaps=(swap(""), swap("orders")),
    checks=CHECKS,
    differences=(
        Difference(what="throttling", blue="100/s", green="10000/s", weight="note"),
        Difference(
            what="access log", blue="on", green="", weight="warn", hint="Set it on the stage."
        ),
    ),
    warnings=(Finding(text="both sides run the schedule", hint="Disable one."),),
)


class Played:
    """A switch, played on event by event."""

    def __init__(self, plan: SwitchPlan = PLAN) -> None:
        self.time = BEGAN
        self.events = 0
        self._reading = RunReading()
        self._writes = 0
        self.take(ev.SwitchStarted(time=self.time, run="20261128-shop", plan=plan))

    @property
    def state(self) -> SwitchState:
        assert isinstance(self._reading.state, SwitchState)
        return self._reading.state

    def take(self, event: Event) -> None:
        self.events += 1
        self._reading.take(event)

    def wait(self, seconds: float) -> None:
        self.time += seconds

    def backed_up(self) -> Played:
        self.wait(0.2)
        self.take(BackupWritten(time=self.time))
        return self

    def read(self, *sides: Side) -> None:
        """Every swap is read, the last side of those that are given for the rest of them."""
        self.wait(1.1)
        for number, each in enumerate(self.state.swaps.values()):
            side = sides[min(number, len(sides) - 1)]
            shown = {Side.BLUE: str(BLUE), Side.GREEN: str(GREEN), Side.OTHER: "zzz9/dev"}
            reading = SwapReading(side=side, shown=shown.get(side, ""))
            self.take(ev.SwapRead(time=self.time, swap=each.id, began=self.time, reading=reading))

    def ask(self, way: Way, marks: str = "", *, failure: str = "") -> None:
        """Every check gets the same answer."""
        self.wait(0.5)
        for place in range(len(self.state.plan.checks)):
            answer = CheckAnswer(passed=not failure, reason=failure, status=200, marks=marks)
            self.take(
                ev.CheckAnswered(
                    time=self.time, check=place, way=way, began=self.time, answer=answer
                )
            )

    def deploy(self) -> Played:
        self.read(Side.BLUE)
        self.take(DeployIntended(time=self.time, switch=Switch.GREEN))
        self.wait(95)
        self.take(DeployExited(time=self.time, switch=Switch.GREEN, code=0))
        self.read(Side.BLUE)
        self.take(ev.GreenFound(time=self.time, plan=self.state.plan))
        self.read(Side.BLUE)
        return self

    def write(self, answer: type[ev.SwapAccepted] | None = ev.SwapAccepted) -> None:
        """The write that the machine has asked for is sent, and answered unless it is lost."""
        each = next(s for s in self.state.swaps.values() if s.write is not None)
        assert each.write is not None
        about = {"id": each.write.id, "swap": each.id}
        self.take(
            ev.SwapIntended(time=self.time, to=each.write.to, purpose=each.write.purpose, **about)
        )
        self.wait(0.4)
        if answer is not None:
            self.take(answer(time=self.time, **about))

    def check(self) -> Played:
        self.ask(Way.BLUE, "b")
        self.ask(Way.GREEN, "g")
        self.read(Side.BLUE)
        return self

    def switch(self) -> Played:
        self.write()
        for _ in range(3):
            self.read(Side.GREEN, Side.BLUE)
        self.ask(Way.LIVE, "b")
        self.ask(Way.LIVE, "g")
        self.write()
        for _ in range(3):
            self.read(Side.GREEN)
        return self

    def settle(self) -> Played:
        for marks in "bgbgggg":
            self.ask(Way.LIVE, marks)
        return self

    def watch(self, seconds: float) -> Played:
        """The bake goes on, with a green answer every five seconds."""
        until = self.time + seconds
        while self.time < until:
            self.wait(3.4)
            self.read(Side.GREEN)
            self.ask(Way.LIVE, "g")
        return self

    def view(self, link: Link = Link.LIVE, *, later: float = 0.0, rehearsal: str = "") -> View:
        snapshot = self._reading.snapshot(self.time + later, rehearsal=rehearsal, state_dir="")
        assert snapshot is not None
        output = OUTPUT if self.state.deploy else ()
        return View(
            snapshot=snapshot,
            link=link,
            deploy=output,
            position=self.events,
            length=self.events,
        )
