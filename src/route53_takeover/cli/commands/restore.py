"""``restore``: restores every record of a run from its backup."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

from route53_takeover.base.errors import ExitCode, TakeoverError
from route53_takeover.base.stdio import write_line
from route53_takeover.cli.bootstrap import opened
from route53_takeover.cli.execution import check_account, claim, way_to_account
from route53_takeover.cli.interrupts import in_loop
from route53_takeover.cli.measurement_restoring import restore_measurement
from route53_takeover.cli.run_picker import chosen_run
from route53_takeover.cli.switch_restoring import restore_switch
from route53_takeover.core.domain.creation_order import names_targets_first
from route53_takeover.core.domain.record_sets import Change, display_name
from route53_takeover.core.endings import OUTCOMES
from route53_takeover.core.plan.strategies.versions import versions
from route53_takeover.core.status.result import RecordResult, Result
from route53_takeover.core.takeover.name_state import RecordStatus
from route53_takeover.output import json_lines, text_lines
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.process.live_restore import restore_live
from route53_takeover.runtime.cloud_deadman import stop_deadmen
from route53_takeover.runtime.helper_removal import remove_helpers
from route53_takeover.runtime.restore import OtherRegions, Place, Rescue, rescue
from route53_takeover.runtime.soa_restore import put_soa_back
from route53_takeover.storage.journal import is_held
from route53_takeover.storage.locks import Work, locked_names, site_of
from route53_takeover.storage.measurement_folder import is_measurement
from route53_takeover.storage.run_folder import line_for, originals, within
from route53_takeover.storage.run_notes import RESTORE, save_end, save_restore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from route53_takeover.adapters.clock import SystemClock
    from route53_takeover.cli.bootstrap import OpenAccount
    from route53_takeover.cli.options import AccountOptions, CommonOptions
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.storage.config import Common
    from route53_takeover.storage.run_folder import Backup, RunFolder, Saved


def restore(
    run: str | None, account: AccountOptions, options: CommonOptions, *, force: bool, dry_run: bool
) -> ExitCode:
    """Restores in this process, or in the run's own if that is alive."""
    common, override = options.common(), account.override()
    folder = chosen_run(common, run)
    text_lines.tell_config(common)
    if is_measurement(folder):
        return restore_measurement(common, folder, override, dry_run=dry_run)
    if folder.is_switch:
        return restore_switch(common, folder, override, force=force, dry_run=dry_run)
    reporter = ConsoleReporter(common)
    with within(folder):
        claim(common, reporter, folder)
        saved, backup = folder.plan(), folder.backup()
        if is_held(folder.journal) and not (dry_run or force):
            work = _restore_live(common, folder, backup)
            return in_loop(work, written="the run's process continues")
        with way_to_account(saved, override) as (saved, clock, _):
            check_account(reporter, saved)
            work = _restore(common, folder, saved, backup, clock, force=force, dry_run=dry_run)
            return in_loop(work, written="records that were not reached are not restored")


async def _restore_live(common: Common, folder: RunFolder, backup: Backup) -> ExitCode:
    """Lets the run's own process restore, which holds the locks."""
    state = await restore_live(folder, lambda text: text_lines.talk(common, text))
    told = []
    for record in originals(backup):
        handover = next(h for h in state.handovers if h.original.key == record.key)
        put_back = handover.stage is RecordStatus.RESTORED
        told.append(RecordResult.of(record, "restored" if put_back else "untouched"))
        done = Rescue(name=record.key.name, changes=(Change.create(record),) if put_back else ())
        _print_rescue(common, folder, done, len(told), state.now, dry_run=False)
    ended = _restore_result(folder, [], told, Counter(), dry_run=False)
    if state.ending is None:
        again = line_for(common.state_dir, "attach", folder.name)
        text_lines.talk(common, f"the run watches until its stack is at rest: `{again}`")
    return text_lines.print_result(common, ended, state.now, seq=len(told) + 1)


async def _restore(
    common: Common,
    folder: RunFolder,
    saved: Saved,
    backup: Backup,
    clock: SystemClock,
    *,
    force: bool,
    dry_run: bool,
) -> ExitCode:
    """Restores name by name: one that cannot be restored keeps no other from it."""
    records = originals(backup)
    names = names_targets_first(records)
    place = Place(
        zone_id=backup.zone_id,
        zone_name=saved.plan.zone_name,
        root=saved.plan.root.stack_id or saved.plan.options.stack,
    )
    by_force = line_for(common.state_dir, "restore", folder.name, "--force")
    errors: list[TakeoverError] = []
    told: list[RecordResult] = []
    rescues: list[Rescue] = []
    removed: list[Rescue] = []

    def tell(text: str) -> None:
        text_lines.talk(common, text)

    def save(changes: Sequence[Change]) -> None:
        save_restore(folder, clock.now(), changes)

    deadman = saved.plan.options.cloud_deadman is not None
    async with opened(
        saved.connection, clock, writable=not dry_run, deadman=deadman, tell=tell
    ) as account:
        others = OtherRegions(account.inventory, names, saved.plan.options.owner_check)
        site = site_of(backup.zone_id, saved.connection.endpoint_url, saved.simulated)
        with locked_names(common.state_dir, site, saved.plan.locked_names, Work.RESTORE) as held:
            if not dry_run:
                held.register(folder)
            await _tell_what_moves(common, account, saved)
            for seq, name in enumerate(names, start=1):
                here = [record for record in records if record.key.name == name]
                left = "untouched"
                done: Rescue | None
                try:
                    done = await rescue(
                        name,
                        here,
                        place=place,
                        clock=clock,
                        records=account.records,
                        stacks=account.stacks,
                        changed=_made_of(saved, here),
                        force=force,
                        by_force=by_force,
                        dry_run=dry_run,
                        tell=tell,
                        save=save,
                        others=others,
                    )
                except TakeoverError as error:
                    errors.append(error)
                    text_lines.tell_error(error)
                    left = "unknown" if error.exit_code is ExitCode.UNKNOWN else "untouched"
                    changes = tuple(error.done)
                    done = Rescue(name=name, changes=changes) if changes else None
                created = {c.record for c in done.changes} if done and not dry_run else set()
                told += [RecordResult.of(r, "restored" if r in created else left) for r in here]
                if done:
                    rescues.append(done)
                    _print_rescue(common, folder, done, seq, clock.now(), dry_run=dry_run)
            beside = _beside(
                folder.name,
                saved,
                account,
                clock,
                rescues if not errors else None,
                by_force=by_force if not force else "",
                dry_run=dry_run,
                tell=tell,
                save=save,
            )
            for work in beside:
                try:
                    removed += await work
                except TakeoverError as error:
                    errors.append(error)
                    text_lines.tell_error(error)
            for seq, done in enumerate(removed, start=len(names) + 1):
                _print_rescue(common, folder, done, seq, clock.now(), dry_run=dry_run)
        ended = _restore_result(folder, errors, told, account.calls, dry_run=dry_run)
        if not dry_run:
            save_end(folder, clock.now(), RESTORE, ended)
        return text_lines.print_result(
            common,
            ended,
            clock.now(),
            seq=len(names) + len(removed) + 1,
        )


def _beside(
    run: str,
    saved: Saved,
    account: OpenAccount,
    clock: SystemClock,
    rescues: Sequence[Rescue] | None,
    *,
    by_force: str,
    dry_run: bool,
    tell: Callable[[str], None],
    save: Callable[[Sequence[Change]], None],
) -> Iterator[Awaitable[list[Rescue]]]:
    """What else is put back, one after the other: helper records, the SOA, the deadman in AWS.

    Args:
        rescues: what was done at the names; ``None`` where one of them could not be restored.
        by_force: the line that replaces what another writer set; empty where it is replaced.
    """
    plan = saved.plan
    if rescues is not None:
        yield remove_helpers(
            plan.helpers,
            restored={done.name for done in rescues if done.changes},
            zone_id=plan.zone_id,
            clock=clock,
            records=account.records,
            dry_run=dry_run,
            tell=tell,
            save=save,
        )
    if plan.soa is not None:
        yield put_soa_back(
            plan.soa,
            zone_id=plan.zone_id,
            clock=clock,
            records=account.records,
            by_force=by_force,
            dry_run=dry_run,
            tell=tell,
            save=save,
        )
    if rescues is not None:
        yield _stop_deadmen(run, saved, account, dry_run=dry_run, tell=tell)


async def _stop_deadmen(
    run: str, saved: Saved, account: OpenAccount, *, dry_run: bool, tell: Callable[[str], None]
) -> list[Rescue]:
    """Only once every name has its record: until then it may be what restores it."""
    await stop_deadmen(account.step_functions, saved.plan, run, dry_run=dry_run, tell=tell)
    return []


def _made_of(saved: Saved, originals: Sequence[RecordSet]) -> list[RecordSet]:
    """The forms that the run itself may have given these record sets."""
    manuals = [m for m in saved.plan.manuals if m.original in originals]
    return [record for manual in manuals for record in versions(manual)]


async def _tell_what_moves(common: Common, account: OpenAccount, saved: Saved) -> None:
    """A stack that is still at work may undo what is restored; not to know it stops nothing."""
    root = saved.plan.root
    try:
        stack = await account.stacks.describe(root.stack_id or saved.plan.options.stack)
    except TakeoverError:
        return
    if stack.status.endswith("_IN_PROGRESS"):
        text_lines.talk(
            common,
            f"warning: stack {stack.stack_name} is {stack.status} and may still change these "
            "records: check again when it has ended, or use `resume`, which watches it",
            always=True,
        )


def _print_rescue(
    common: Common, folder: RunFolder, done: Rescue, seq: int, now: float, *, dry_run: bool
) -> None:
    if common.as_json:
        line = {
            "run": folder.name,
            "seq": seq,
            "time": json_lines.rfc3339(now),
            "phase": "restore",
            "event": "restore",
            "name": display_name(done.name),
            "dry_run": dry_run,
            "changes": [{"action": c.action, "record": c.record.to_api()} for c in done.changes],
        }
        write_line(json.dumps(line), sys.stdout)
    else:
        would = "would: " if dry_run and done.changes else ""
        write_line(f"{would}{done.describe()}", sys.stdout)


def _restore_result(
    folder: RunFolder,
    errors: Sequence[TakeoverError],
    told: Sequence[RecordResult],
    calls: Counter[str],
    *,
    dry_run: bool,
) -> Result:
    """What a restore came to: the worst of its names decides."""
    code = max((error.exit_code for error in errors), default=ExitCode.DONE)
    reason = "every name is as it was before the run"
    if dry_run:
        reason = "nothing was written (--dry-run)"
    if errors:
        reason = "; ".join(error.message for error in errors)
    return Result(
        run=folder.name,
        phase="restore" if errors else "ended",
        outcome=str(OUTCOMES[code]),
        exit_code=code,
        reason=reason,
        records=tuple(told),
        api_calls=dict(sorted(calls.items())),
    )
