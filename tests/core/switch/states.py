"""States of a switch made by hand, for tests of one decision at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from tests.core.switch.stepped import BLUE, GREEN, SITE, SWAP, plan
from tests.distributions import config, origin

from route53_takeover.core.deploys import Deploy
from route53_takeover.core.domain.api_mappings import ApiMapping
from route53_takeover.core.domain.http_checks import Check, CheckAnswer, Side
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.events import SwapPurpose, Way
from route53_takeover.core.switch.model import MappingSwap, OriginSwap, SwapReading
from route53_takeover.core.switch.state import CheckState, SwapState, SwapWrite, SwitchState
from route53_takeover.core.switch.step import step

if TYPE_CHECKING:
    from route53_takeover.core.switch.commands import SwitchCommand
    from route53_takeover.core.switch.model import Swap, SwitchPlan
    from route53_takeover.core.switch.phases import SwitchPhase

NOW = 10_000.0
SHOP = MappingSwap(
    id=f"{SITE}/shop",
    domain=SWAP.domain,
    mapping=ApiMapping(base_path="shop", target=BLUE),
    to=GREEN,
)
FRONT = OriginSwap(
    id="EFRONT/app",
    distribution_id="EFRONT",
    domain_name="dfront.cloudfront.net",
    aliases=(SITE,),
    origin_id="app",
    config=config(),
    switched=config(origin("green.example.com")),
    invalidate=("/*",),
)
CHECK = Check(text="/up", url=f"https://{SITE}/up", side_header="x-env")
RUNNING = Deploy(intended_at=NOW - 100)
DEPLOYED = Deploy(intended_at=NOW - 100, exited_at=NOW - 50, code=0)


def shown(side: Side) -> str:
    return {Side.BLUE: str(BLUE), Side.GREEN: str(GREEN), Side.ABSENT: ""}.get(side, "other/v1")


def reading(side: Side, *, etag: str = "", settled: bool = True) -> SwapReading:
    return SwapReading(side=side, shown=shown(side), etag=etag, is_settled=settled)


def on(side: Side, swap: Swap = SWAP, **more: Any) -> SwapState:
    """A swap that was just read to lead there; a distribution's way back is proven."""
    is_front = isinstance(swap, OriginSwap)
    made: dict[str, Any] = {
        "swap": swap,
        "reading": reading(side, etag="E1" if is_front else ""),
        "read_began": NOW - 0.1,
        "read_at": NOW,
        "proven": is_front,
        **more,
    }
    return SwapState(**made)


def switched(swap: Swap = SWAP, *, at: float = NOW - 60, **more: Any) -> SwapState:
    """One that this run has led to green, and that was seen there."""
    made = {"wrote": Side.GREEN, "wrote_at": at, "switched_at": at, "ever_green": True, **more}
    return on(Side.GREEN, swap, **{"agreed_since": at + 0.1, **made})


def write(purpose: SwapPurpose, *, sent: float = NOW - 1, unknown: bool = False) -> SwapWrite:
    to = Side.GREEN if purpose is SwapPurpose.SWITCH else Side.BLUE
    return SwapWrite(id="run-1", to=to, purpose=purpose, sent=sent, is_unknown=unknown)


def answered(*, passed: bool = True, at: float = NOW - 1, marks: str = "green") -> CheckState:
    answer = CheckAnswer(passed=passed, marks=marks, reason="" if passed else "the status is 500")
    return CheckState(
        last=answer,
        began=at - 0.1,
        answered_at=at,
        failed_in_a_row=0 if passed else 1,
        last_failure=answer.reason,
        marks=(marks,),
    )


def passed() -> dict[tuple[int, Way], CheckState]:
    """The check has passed by every way, just now."""
    return {
        (0, Way.BLUE): answered(marks="blue"),
        (0, Way.GREEN): answered(),
        (0, Way.LIVE): answered(),
    }


def with_checks(made: SwitchPlan | None = None) -> SwitchPlan:
    return replace(plan() if made is None else made, checks=(CHECK,))


def state(phase: SwitchPhase, *swaps: SwapState, **more: Any) -> SwitchState:
    """A run in a phase, with a backup; without swaps one on blue."""
    found = swaps or (on(Side.BLUE),)
    made: dict[str, Any] = {
        "run": "run",
        "plan": replace(plan(), swaps=tuple(swap.swap for swap in found)),
        "phase": phase,
        "phase_since": NOW - 10,
        "now": NOW,
        "swaps": {swap.id: swap for swap in found},
        "green_found": True,
        "backed_up": True,
        **more,
    }
    return SwitchState(**made)


def take(
    before: SwitchState, *events: ev.SwitchEvent
) -> tuple[SwitchState, tuple[SwitchCommand, ...]]:
    """The state after these events, and what was asked for by all of them."""
    commands: list[SwitchCommand] = []
    after = before
    for event in events:
        after, asked = step(after, event)
        commands += asked
    return after, tuple(commands)


def read(
    side: Side, *, swap: Swap = SWAP, at: float = NOW, began: float | None = None, **more: Any
) -> ev.SwapRead:
    if isinstance(swap, OriginSwap):
        more = {"etag": "E1", **more}
    began = at - 0.05 if began is None else began
    return ev.SwapRead(time=at, swap=swap.id, began=began, reading=reading(side, **more))


def unread(swap: Swap = SWAP, *, at: float = NOW) -> ev.SwapUnread:
    return ev.SwapUnread(time=at, swap=swap.id, reason="throttled")
