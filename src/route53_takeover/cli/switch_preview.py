"""What a switch would do, and what it needs: ``switch --dry-run`` and ``switch --policy``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from route53_takeover.base.errors import ExitCode
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.cli.bootstrap import raise_refusals
from route53_takeover.cli.switch_execution import checks_of, nothing_to_do, planned_switch
from route53_takeover.core.switch.events import Way
from route53_takeover.core.switch.iam_policy import switch_policy
from route53_takeover.core.switch.plan_steps import switch_steps
from route53_takeover.core.switch.planner import is_done
from route53_takeover.core.switch.routes import route_for
from route53_takeover.output.plan_lines import print_switch_plan
from route53_takeover.output.switch_lines import switch_plan_object

if TYPE_CHECKING:
    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.core.switch.model import SwitchOptions, SwitchPlan
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.storage.config import Common, Connection


async def print_policy(
    common: Common,
    reporter: Reporter,
    connection: Connection,
    options: SwitchOptions,
    clock: SystemClock,
) -> ExitCode:
    """Prints the least-privilege IAM policy; a plan that is refused has none."""
    async with planned_switch(reporter, connection, options, clock, writable=False) as (
        account,
        made,
    ):
        raise_refusals(made.refusals)
        document = switch_policy(made, account.partition)
    text = json.dumps(document, indent=None if common.as_json else 2)
    write_lines(text.splitlines(), sys.stdout)
    return ExitCode.DONE


async def dry_run(
    common: Common,
    reporter: Reporter,
    connection: Connection,
    options: SwitchOptions,
    clock: SystemClock,
    run_line: str,
) -> ExitCode:
    """Prints the plan and runs the checks against green; writes nothing."""
    async with planned_switch(reporter, connection, options, clock, writable=False) as (
        account,
        made,
    ):
        if is_done(made):
            return reporter.ended(nothing_to_do(made, account), clock.now())
        steps = switch_steps(made)
        if common.as_json:
            write_line(json.dumps(switch_plan_object(made, steps, run_line)), sys.stdout)
        else:
            print_switch_plan(made, run_line, sys.stdout, config=str(common.config or ""))
        if made.refused:
            return ExitCode.REFUSED
        if not made.swaps:
            reporter.tell("green is not there yet: its checks run once the deploy has made it")
            return ExitCode.DONE
        return await _check_green(common, connection, made)


async def _check_green(common: Common, connection: Connection, made: SwitchPlan) -> ExitCode:
    """Runs every check against green, and prints what came of each."""
    checks, all_passed = checks_of(connection, made.site, Path.cwd()), True
    for check in made.checks:
        answer = await checks.carry_out(check, route_for(made, check, Way.GREEN))
        all_passed = all_passed and answer.passed
        line: dict[str, Any] = {
            "event": "check",
            "check": check.text,
            "by": str(Way.GREEN),
            "passed": answer.passed,
            "reason": answer.reason,
        }
        if common.as_json:
            write_line(json.dumps(line), sys.stdout)
        else:
            mark, why = ("✔", "") if answer.passed else ("✘", f": {answer.reason}")
            write_line(f"{mark} green: {check.text}{why}", sys.stdout)
    return ExitCode.DONE if all_passed else ExitCode.FAILED
