"""``plan``: what a run would do; changes nothing, and writes a file only with ``--out``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode, TakeoverError
from route53_takeover.base.stdio import write_line
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import opened, planned, who_am_i
from route53_takeover.cli.config_keys import SCHEMA_FILE
from route53_takeover.cli.config_writer import write_config
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.core.plan.steps import steps
from route53_takeover.output import text_lines
from route53_takeover.output.json_lines import refusal_object
from route53_takeover.output.plan_lines import print_plan
from route53_takeover.storage.plan_file import PlanFile, check_secrets, write_plan_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typer.core import TyperGroup

    from route53_takeover.cli.config_keys import Value
    from route53_takeover.cli.options import CommonOptions, ConnectionOptions
    from route53_takeover.cli.takeover_options import Takeover
    from route53_takeover.core.plan.model import Options
    from route53_takeover.storage.config import Common, Connection


def plan(
    takeover: Takeover,
    connection: ConnectionOptions,
    common: CommonOptions,
    run_line: str,
    *,
    out: Path | None,
) -> ExitCode:
    """Prints the plan, and the line that carries it out.

    ``out``: the file that a plan which is not refused is saved in.
    """
    options, reached, given = takeover.options(), connection.connection(), common.common()
    if out is not None:
        check_secrets(options)
    try:
        return in_loop(_plan(given, reached, options, run_line, out))
    except TakeoverError as error:
        if not given.as_json or error.exit_code is not ExitCode.REFUSED:
            raise
        reason = f"{error.message.rstrip('.')}. {error.hint}".strip()
        config = given.config.path if given.config else None
        refusal = refusal_object([reason], run_line, config)
        text_lines.tell_error(error)
        write_line(json.dumps(refusal), sys.stdout)
        return error.exit_code


def save_config(
    path: Path, values: Mapping[str, Value], program: TyperGroup, common: CommonOptions
) -> None:
    """Writes takeover.toml with the options of this plan.

    Raises:
        UsageError: the file exists, or cannot be written.
    """
    write_config(path, program, values)
    text_lines.talk(common.common(), f"wrote {path}, and {SCHEMA_FILE} beside it")


async def _plan(
    common: Common, connection: Connection, options: Options, run_line: str, out: Path | None
) -> ExitCode:
    clock = SystemClock()
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(
        connection,
        clock,
        previews=options.preview is not None,
        tell=lambda text: text_lines.talk(common, text),
    ) as account:
        began = clock.now()
        made, review, read = await planned(
            account, clock, connection, options, identity, state_dir=common.state_dir
        )
        if made.refused:
            out = None
        if out is not None:
            reached = replace(connection, region=account.region)
            write_plan_file(
                out, PlanFile(made=began, connection=reached, review=review, account=read)
            )
    print_plan(common, made, steps(made), run_line, out)
    return ExitCode.REFUSED if made.refused else ExitCode.DONE
