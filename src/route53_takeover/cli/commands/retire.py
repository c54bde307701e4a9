"""``retire``: may a stack be deleted, and what would break; writes nothing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.cli.bootstrap import opened
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.core.retire.verdict import judge
from route53_takeover.output import text_lines
from route53_takeover.output.verdict_lines import note_lines, verdict_lines, verdict_object
from route53_takeover.runtime.retire_reading import RetirePorts, gather_retirement

if TYPE_CHECKING:
    from route53_takeover.cli.options import AccountOptions, CommonOptions
    from route53_takeover.core.retire.facts import RetireFacts
    from route53_takeover.storage.config import Common, Connection


def retire(
    stack: str, account: AccountOptions, common: CommonOptions, *, dry_run: bool
) -> ExitCode:
    """Prints the verdict: nothing breaks, or what does, each with its way out.

    Args:
        dry_run: changes nothing, as the command without it.
    """
    del dry_run
    return in_loop(_retire(common.common(), account.connection(), stack))


async def _retire(common: Common, connection: Connection, stack: str) -> ExitCode:
    verdict = judge(await _read(common, connection, stack))
    if common.as_json:
        for note in note_lines(verdict):
            text_lines.talk(common, note)
        write_line(json.dumps(verdict_object(verdict)), sys.stdout)
    else:
        write_lines(verdict_lines(verdict), sys.stdout)
    return ExitCode.DONE if verdict.safe else ExitCode.REFUSED


async def _read(common: Common, connection: Connection, stack: str) -> RetireFacts:
    def tell(text: str) -> None:
        text_lines.talk(common, text)

    clock = SystemClock()
    async with opened(connection, clock, switches=True, tell=tell) as account:
        ports = RetirePorts(
            stacks=account.stacks,
            records=account.records,
            api_gateway=account.api_gateway,
            distributions=account.distributions,
            clock=clock,
            region=account.region,
            tell=tell,
        )
        return await gather_retirement(stack, ports)
