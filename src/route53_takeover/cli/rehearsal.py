"""A rehearsal over the wire: the whole program in a simulated account in a process of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode
from route53_takeover.cli.execution import Rehearsed, start_run
from route53_takeover.cli.switch_execution import start_switch
from route53_takeover.process.account_socket import AccountOrder, start_account
from route53_takeover.simulation.blue_green import SwitchScenario
from route53_takeover.simulation.serve import rehearsal_options, scrub, switch_options
from route53_takeover.storage.config import Connection

if TYPE_CHECKING:
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.simulation.scenarios import Scenario
    from route53_takeover.storage.config import Common


async def rehearse_scenario(
    common: Common,
    reporter: Reporter,
    scenario: Scenario | SwitchScenario,
    seed: int,
    speed: float | None,
) -> ExitCode:
    """A takeover or a switch in a simulated account, which ends with it unless it can be resumed.

    Args:
        speed: simulated seconds in a real one; ``None``: the scenario's own.
    """
    scrub(os.environ)
    reporter.tell(f"REHEARSAL {scenario.name}: {scenario.summary}")
    order = AccountOrder(
        scenario=scenario.name,
        seed=seed,
        speed=speed or scenario.speed,
        state_dir=str(common.state_dir),
        log_level=common.log_level,
    )
    with start_account(order) as account:
        connection = Connection(
            region="us-east-1",
            endpoint_url=account.welcome.endpoint_url,
            name_servers=account.welcome.name_servers,
            web_server=account.welcome.web_server,
        )
        code = ExitCode.FAILED
        rehearsed = Rehearsed(scenario.name, account)
        try:
            if isinstance(scenario, SwitchScenario):
                asked = switch_options(scenario, account.folder)
                code = await start_switch(
                    common, reporter, connection, asked, account.clock, rehearsal=rehearsed
                )
            else:
                options = rehearsal_options(scenario, account.folder)
                code = await start_run(
                    common, reporter, connection, options, account.clock, rehearsal=rehearsed
                )
        finally:
            account.leave(code)
        return code
