"""``restore`` of a measurement: removes what a process that died has left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.base.errors import ExitCode, RefusedError, TakeoverError
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import opened, who_am_i
from route53_takeover.cli.execution import claim
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.cli.live_measurement import bench_of, end_removal, removal_result
from route53_takeover.core.endings import OUTCOMES
from route53_takeover.output import text_lines
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.runtime.measuring.guarded import GONE
from route53_takeover.runtime.measuring.removal import remove_all
from route53_takeover.storage.measurement_folder import MeasurementLedger, read_measurement_plan
from route53_takeover.storage.run_folder import within

if TYPE_CHECKING:
    from route53_takeover.runtime.measuring.bench import Bench
    from route53_takeover.storage.config import Common, Connection, Override
    from route53_takeover.storage.measurement_folder import SavedMeasurement
    from route53_takeover.storage.run_folder import RunFolder


def restore_measurement(
    common: Common, folder: RunFolder, override: Override, *, dry_run: bool
) -> ExitCode:
    """Removes its stack and its records, or says what is left with ``dry_run``."""
    with within(folder):
        claim(common, ConsoleReporter(common), folder)
        saved = read_measurement_plan(folder)
        connection = override(saved.connection)
        clock = SystemClock()
        with MeasurementLedger(folder, clock.now) as ledger:
            work = _restore(common, folder, saved, connection, ledger, clock, dry_run=dry_run)
            return in_loop(work, written="not everything is removed")


async def _restore(
    common: Common,
    folder: RunFolder,
    saved: SavedMeasurement,
    connection: Connection,
    ledger: MeasurementLedger,
    clock: SystemClock,
    *,
    dry_run: bool,
) -> ExitCode:
    await _check_account(common, connection, saved)

    def tell(text: str) -> None:
        text_lines.talk(common, text)

    async with opened(
        connection, clock, writable=not dry_run, measures=not dry_run, tell=tell
    ) as account:
        bench = bench_of(account, saved.scope, ledger, clock, tell)

        def end(code: ExitCode, reason: str) -> ExitCode:
            if not dry_run:
                ledger.ended(str(OUTCOMES[code]), reason)
            ended = removal_result(folder, code, reason, account)
            return text_lines.print_result(common, ended, clock.now(), seq=1)

        if dry_run:
            for line in await _left(bench):
                text_lines.talk(common, f"would remove: {line}", always=True)
            return end(ExitCode.DONE, "nothing was written (--dry-run)")
        return end_removal(common, await remove_all(bench), None, end)


async def _left(bench: Bench) -> list[str]:
    stack = await bench.stack.find()
    stacks = [] if stack.status in GONE else [f"stack {stack.stack_name} ({stack.status})"]
    return stacks + [each.describe() for each in (await bench.standing()).values()]


async def _check_account(common: Common, connection: Connection, saved: SavedMeasurement) -> None:
    """Refuses other credentials than the measurement's; if STS does not answer, it goes on."""
    try:
        account = (await in_thread(lambda: who_am_i(connection))).account
    except TakeoverError as error:
        text_lines.talk(common, f"warning: cannot check the account: {error}", always=True)
        return
    if account != saved.account:
        raise RefusedError(
            f"the credentials are of account {account}, the run is of account {saved.account}",
            "Give a profile of that account with --profile.",
        )
