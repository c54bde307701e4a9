"""``plan``: what a run would do; writes nothing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode, TakeoverError
from route53_takeover.base.stdio import write_line
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import opened, planned, who_am_i
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.core.plan.planner import steps
from route53_takeover.output import text_lines

if TYPE_CHECKING:
    from route53_takeover.cli.options import CommonOptions, ConnectionOptions, Takeover
    from route53_takeover.core.plan.model import Options
    from route53_takeover.storage.config import Common, Connection


def plan(
    takeover: Takeover, connection: ConnectionOptions, common: CommonOptions, run_line: str
) -> ExitCode:
    """Prints the plan, and the line that carries it out."""
    options, reached, given = takeover.options(), connection.connection(), common.common()
    try:
        return in_loop(_plan(given, reached, options, run_line))
    except TakeoverError as error:
        if not given.as_json or error.exit_code is not ExitCode.REFUSED:
            raise
        refusal = {
            "event": "plan",
            "refused": True,
            "reasons": [f"{error.message.rstrip('.')}. {error.hint}".strip()],
            "warnings": [],
            "records": [],
            "steps": [],
            "run_line": run_line,
            "config": given.config.path if given.config else None,
        }
        text_lines.tell_error(error)
        write_line(json.dumps(refusal), sys.stdout)
        return error.exit_code


async def _plan(
    common: Common, connection: Connection, options: Options, run_line: str
) -> ExitCode:
    clock = SystemClock()
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(
        connection,
        clock,
        previews=options.preview is not None,
        tell=lambda text: text_lines.talk(common, text),
    ) as account:
        made = await planned(
            account, clock, connection, options, identity, state_dir=common.state_dir
        )
    text_lines.print_plan(common, made, steps(made), run_line)
    return ExitCode.REFUSED if made.refused else ExitCode.DONE
