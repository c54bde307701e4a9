"""Drives the machine of a switch step by step, in a world of a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from route53_takeover.core.domain.api_mappings import (
    ApiMapping,
    ApiTarget,
    CustomDomain,
    EndpointType,
)
from route53_takeover.core.domain.http_checks import CheckAnswer, Side
from route53_takeover.core.events import BackupWritten, DeployExited, Switch, TimePassed
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.machine import SWITCH
from route53_takeover.core.switch.model import (
    MappingSwap,
    SecretRule,
    SwapReading,
    SwitchOptions,
    SwitchPlan,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from route53_takeover.core.switch.events import SwitchEvent
    from route53_takeover.core.switch.state import SwitchState

SITE = "www.example.com"
BLUE, GREEN = ApiTarget("blue", "dev"), ApiTarget("green", "dev_2")
DOMAIN = CustomDomain(name=SITE, endpoint_type=EndpointType.REGIONAL)
SWAP = MappingSwap(
    id=f"{SITE}/", domain=DOMAIN, mapping=ApiMapping(base_path="", target=BLUE), to=GREEN
)
RULE = SecretRule(
    domain=DOMAIN, header="x-test", value="secret", base_path="", priority=1, to=GREEN
)


def plan(*, rule: SecretRule | None = None, swap: MappingSwap = SWAP, **options: Any) -> SwitchPlan:
    given = {"domain": SITE, "to": str(GREEN), "bake": 0.0, **options}
    return SwitchPlan(
        options=SwitchOptions(**given),
        account="123456789012",
        region="eu-west-1",
        site=SITE,
        swaps=(swap,),
        rule=rule,
    )


class Stepped:
    """A run in a world in which every call succeeds at once, unless it is told otherwise.

    Attributes:
        side: where the mapping leads.
        answers: by type of command, what answers it instead; ``None``: nothing does.
        asked: every command, in order.
    """

    def __init__(self, made: SwitchPlan) -> None:
        self.now = 1000.0
        self.side = Side.BLUE
        self.answers: dict[type, Callable[[Any], SwitchEvent | None]] = {}
        self.asked: list[Any] = []
        self._state: SwitchState | None = None
        self._todo: list[Any] = []
        self.take(ev.SwitchStarted(time=self.now, run="run", plan=made))

    @property
    def state(self) -> SwitchState:
        assert self._state is not None
        return self._state

    def take(self, event: SwitchEvent) -> None:
        """Folds an event; what follows from it is carried out by `go`."""
        self._state, commands = SWITCH.step(self._state, event)
        for command in commands:
            refused = SWITCH.forbids(self.state, command, frozenset(), self.now)
            assert refused is None, refused
            intent = SWITCH.intent(command, self.now)
            self.asked.append(command)
            self._todo.append(command)
            if intent is not None:
                self.take(intent)

    def go(self, seconds: float = 600.0, *, until: str = "") -> SwitchState:
        """Answers commands and lets time pass until the run has ended, or is in this phase."""
        end = self.now + seconds
        while self.now < end and not SWITCH.has_ended(self.state):
            if until and self.state.phase == until:
                break
            if self._todo:
                answer = self._answer(self._todo.pop(0))
                if answer is not None:
                    self.take(answer)
                continue
            self.now += 1.0
            self.take(self._read())
            if self.state.wake_at is not None and self.now >= self.state.wake_at:
                self.take(TimePassed(time=self.now))
        return self.state

    def _read(self) -> ev.SwapRead:
        shown = {Side.BLUE: str(BLUE), Side.GREEN: str(GREEN)}.get(self.side, "other/v1")
        return ev.SwapRead(
            time=self.now,
            swap=SWAP.id,
            began=self.now,
            reading=SwapReading(side=self.side, shown=shown),
        )

    def _answer(self, command: Any) -> SwitchEvent | None:
        if (other := self.answers.get(type(command))) is not None:
            return other(command)
        match command:
            case cmd.SaveBackup():
                return BackupWritten(time=self.now)
            case cmd.ReadSwap():
                return self._read()
            case cmd.WriteSwap():
                self.side = command.to
                return ev.SwapAccepted(time=self.now, id=command.id, swap=command.swap)
            case cmd.CarryOutCheck():
                answer = CheckAnswer(passed=True, marks=str(command.way))
                return ev.CheckAnswered(
                    time=self.now,
                    check=command.check,
                    way=Way(command.way),
                    began=self.now,
                    answer=answer,
                )
            case cmd.DeployGreen() | cmd.RejoinGreenDeploy():
                return DeployExited(time=self.now, switch=Switch.GREEN, code=0)
            case cmd.TryByRule():
                return ev.RuleTested(time=self.now, is_removed=True)
            case cmd.RemoveRule():
                return ev.RuleRemoved(time=self.now)
            case cmd.JudgeRetirement():
                return ev.RetirementJudged(time=self.now, stack_id="arn:blue")
            case cmd.DeleteBlue() | cmd.RejoinDelete():
                return ev.DeleteEnded(time=self.now)
            case _:
                raise AssertionError(f"no answer for {command}")

    def kinds(self) -> list[str]:
        """What was asked for besides reads, in order."""
        return [type(c).__name__ for c in self.asked if not isinstance(c, cmd.ReadSwap)]
