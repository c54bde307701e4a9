"""What the deploy of green moves is led back; what another writer moves is not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.core.switch.stepped import BLUE, GREEN, SWAP, Stepped, plan

from route53_takeover.core.domain.http_checks import Side
from route53_takeover.core.switch import commands as cmd
from route53_takeover.core.switch import events as ev
from route53_takeover.core.switch.model import SwapReading


@pytest.mark.parametrize(
    ("shown", "is_led_back"),
    [("green/dev_2", True), ("made-since/dev", True), ("other/v1", False)],
)
def test_a_mapping_that_leads_elsewhere_while_green_is_deployed(
    shown: str, *, is_led_back: bool
) -> None:
    watched = replace(SWAP, to=BLUE)
    made = replace(
        plan(deploy="make green"),
        watched=(watched,),
        known_apis=(BLUE.api_id, GREEN.api_id, "other"),
    )
    run = Stepped(made)
    run.answers[cmd.DeployGreen] = lambda _: None
    run.go(5)
    assert run.state.phase == "deploy"
    reading = SwapReading(side=Side.OTHER, shown=shown)
    run.take(ev.SwapRead(time=run.now, swap=SWAP.id, began=run.now, reading=reading))
    assert bool(run.state.given_up) is not is_led_back
    writes = [each for each in run.asked if isinstance(each, cmd.WriteSwap)]
    assert [(each.to, each.purpose) for each in writes] == (
        [(Side.BLUE, ev.SwapPurpose.KEEP)] if is_led_back else []
    )
