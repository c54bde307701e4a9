"""``diagnose``: why a stack's last deploy failed on a record, and what to do; writes nothing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode
from route53_takeover.base.stdio import write_line, write_lines
from route53_takeover.cli.bootstrap import opened
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.core.plan.diagnosis import diagnose as decide
from route53_takeover.core.plan.model import OwnerCheck
from route53_takeover.output import text_lines
from route53_takeover.output.diagnosis_lines import diagnosis_lines, diagnosis_object
from route53_takeover.runtime.diagnosis import gather_diagnosis

if TYPE_CHECKING:
    from route53_takeover.cli.option_types import OwnersIn
    from route53_takeover.cli.options import AccountOptions, CommonOptions
    from route53_takeover.storage.config import Common, Connection


def diagnose(
    stack: str,
    owner_check: OwnersIn,
    account: AccountOptions,
    common: CommonOptions,
    given: list[str],
) -> ExitCode:
    """Prints each record that failed, what stands there, and the line that plans the takeover."""
    said = common.common()
    check = OwnerCheck(owner_check)
    return in_loop(_diagnose(said, account.connection(), stack, check, given))


async def _diagnose(
    common: Common, connection: Connection, stack: str, owner_check: OwnerCheck, given: list[str]
) -> ExitCode:
    def tell(text: str) -> None:
        text_lines.talk(common, text)

    async with opened(connection, SystemClock(), tell=tell) as account:
        facts = await gather_diagnosis(
            stack,
            records=account.records,
            stacks=account.stacks,
            inventory=account.inventory,
            owner_check=owner_check,
            connection=given,
        )
    found = decide(facts)
    if common.as_json:
        write_line(json.dumps(diagnosis_object(found)), sys.stdout)
    else:
        write_lines(diagnosis_lines(found), sys.stdout)
    return ExitCode.DONE
