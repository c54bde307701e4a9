"""``retire``: may a stack be deleted, and what would break; deletes it where that is asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode
from route53_takeover.base.private_files import refuse_exposed
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import opened, who_am_i
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.cli.switch_execution import carry_out_switch, retire_ports
from route53_takeover.core.retire.verdict import judge
from route53_takeover.core.switch.retirement_plan import retirement_plan
from route53_takeover.output import text_lines
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.output.verdict_lines import note_lines, verdict_lines, verdict_object
from route53_takeover.runtime.retire_reading import gather_retirement
from route53_takeover.storage.run_folder import SavedSwitch

if TYPE_CHECKING:
    from route53_takeover.cli.options import AccountOptions, CommonOptions
    from route53_takeover.core.retire.model import Verdict
    from route53_takeover.storage.config import Common, Connection


def retire(
    stack: str,
    account: AccountOptions,
    common: CommonOptions,
    *,
    delete: bool,
    delete_command: str | None,
) -> ExitCode:
    """Prints the verdict: nothing breaks, or what does, each with its way out.

    Args:
        delete: also deletes the stack, if nothing breaks.
        delete_command: the shell command that does, in the place of a DeleteStack.
    """
    given, connection = common.common(), account.connection()
    if delete or delete_command is not None:
        return in_loop(_delete(given, connection, stack, delete_command))
    return in_loop(_retire(given, connection, stack))


async def _retire(common: Common, connection: Connection, stack: str) -> ExitCode:
    clock = SystemClock()
    async with opened(
        connection, clock, switches=True, tell=lambda text: text_lines.talk(common, text)
    ) as account:
        ports = retire_ports(account, clock, lambda text: text_lines.talk(common, text))
        verdict = judge(await gather_retirement(stack, ports))
    _print(common, verdict)
    return ExitCode.DONE if verdict.safe else ExitCode.REFUSED


def _print(common: Common, verdict: Verdict) -> None:
    if common.as_json:
        for note in note_lines(verdict):
            text_lines.talk(common, note)
        write_line(json.dumps(verdict_object(verdict)), sys.stdout)
    else:
        write_lines(verdict_lines(verdict), sys.stdout)


async def _delete(
    common: Common, connection: Connection, stack: str, command: str | None
) -> ExitCode:
    """Deletes the stack if nothing breaks, as a run that watches the live site meanwhile."""
    clock, reporter = SystemClock(), ConsoleReporter(common)
    if exposed := refuse_exposed(common.state_dir):
        reporter.warn(exposed)
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(
        connection, clock, writable=True, switches=True, deletes=True, tell=reporter.tell
    ) as account:
        facts = await gather_retirement(stack, retire_ports(account, clock, reporter.tell))
        verdict = judge(facts)
        _print(common, verdict)
        if not verdict.safe:
            return ExitCode.REFUSED
        saved = SavedSwitch(
            run="",
            begun=0.0,
            plan=retirement_plan(
                facts.root,
                [(live.domain, live.mappings) for live in facts.domains],
                account=identity.account,
                region=account.region,
                command=command,
            ),
            connection=connection,
            cwd=str(Path.cwd()),
            identity=identity.arn,
        )
        return await carry_out_switch(common, reporter, account, saved, clock, lambda _: None)
