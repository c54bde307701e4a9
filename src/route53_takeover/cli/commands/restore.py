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
    from collections.abc import Awaitable, Iterator, Sequence

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
            work = _Restoring(
                common, folder, saved, backup, clock, force=force, dry_run=dry_run
            ).restore()
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


class _Restoring:
    """A restore by this process: name by name, one that cannot be restored keeps no other from it.

    Args:
        force: whether what another writer set is replaced too.
    """

    def __init__(
        self,
        common: Common,
        folder: RunFolder,
        saved: Saved,
        backup: Backup,
        clock: SystemClock,
        *,
        force: bool,
        dry_run: bool,
    ) -> None:
        self._common = common
        self._folder = folder
        self._saved = saved
        self._backup = backup
        self._clock = clock
        self._force = force
        self._dry_run = dry_run
        self._by_force = line_for(common.state_dir, "restore", folder.name, "--force")
        self._errors: list[TakeoverError] = []
        self._told: list[RecordResult] = []
        self._printed = 0

    async def restore(self) -> ExitCode:
        """Restores all, keeps what came of it in the run's folder and prints it."""
        connection, plan = self._saved.connection, self._saved.plan
        async with opened(
            connection,
            self._clock,
            writable=not self._dry_run,
            deadman=plan.options.cloud_deadman is not None,
            tell=self._tell,
        ) as account:
            site = site_of(self._backup.zone_id, connection.endpoint_url, self._saved.simulated)
            locked = plan.locked_names
            with locked_names(self._common.state_dir, site, locked, Work.RESTORE) as held:
                if not self._dry_run:
                    held.register(self._folder)
                await _tell_what_moves(self._common, account, self._saved)
                await self._restore_all(account)
            ended = _restore_result(
                self._folder, self._errors, self._told, account.calls, dry_run=self._dry_run
            )
            now = self._clock.now()
            if not self._dry_run:
                save_end(self._folder, now, RESTORE, ended)
            return text_lines.print_result(self._common, ended, now, seq=self._printed + 1)

    async def _restore_all(self, account: OpenAccount) -> None:
        records = originals(self._backup)
        names = names_targets_first(records)
        others = OtherRegions(account.inventory, names, self._saved.plan.options.owner_check)
        rescues = []
        for name in names:
            here = [record for record in records if record.key.name == name]
            rescues += await self._restore_name(account, name, here, others)
        removed: list[Rescue] = []
        for work in self._beside(account, None if self._errors else rescues):
            try:
                removed += await work
            except TakeoverError as error:
                self._failed(error)
        for done in removed:
            self._print(done)

    async def _restore_name(
        self, account: OpenAccount, name: str, here: Sequence[RecordSet], others: OtherRegions
    ) -> list[Rescue]:
        """What was done at a name; nothing where it could not be restored at all."""
        plan, left = self._saved.plan, "untouched"
        done: Rescue | None
        try:
            done = await rescue(
                name,
                here,
                place=Place(
                    zone_id=self._backup.zone_id,
                    zone_name=plan.zone_name,
                    root=plan.root.stack_id or plan.options.stack,
                ),
                clock=self._clock,
                records=account.records,
                stacks=account.stacks,
                changed=_made_of(self._saved, here),
                force=self._force,
                by_force=self._by_force,
                dry_run=self._dry_run,
                tell=self._tell,
                save=self._save,
                others=others,
            )
        except TakeoverError as error:
            self._failed(error)
            left = "unknown" if error.exit_code is ExitCode.UNKNOWN else "untouched"
            done = Rescue(name=name, changes=tuple(error.done)) if error.done else None
        created = {c.record for c in done.changes} if done and not self._dry_run else set()
        self._told += [RecordResult.of(r, "restored" if r in created else left) for r in here]
        if done is None:
            return []
        self._print(done)
        return [done]

    def _beside(
        self, account: OpenAccount, rescues: Sequence[Rescue] | None
    ) -> Iterator[Awaitable[list[Rescue]]]:
        """What else is put back, one after the other: helper records, the SOA, the deadman in AWS.

        Args:
            rescues: what was done at the names; ``None`` where one of them could not be restored.
        """
        plan = self._saved.plan
        if rescues is not None:
            yield remove_helpers(
                plan.helpers,
                restored={done.name for done in rescues if done.changes},
                zone_id=plan.zone_id,
                clock=self._clock,
                records=account.records,
                dry_run=self._dry_run,
                tell=self._tell,
                save=self._save,
            )
        if plan.soa is not None:
            yield put_soa_back(
                plan.soa,
                zone_id=plan.zone_id,
                clock=self._clock,
                records=account.records,
                by_force="" if self._force else self._by_force,
                dry_run=self._dry_run,
                tell=self._tell,
                save=self._save,
            )
        if rescues is not None:
            yield self._stop_deadmen(account)

    async def _stop_deadmen(self, account: OpenAccount) -> list[Rescue]:
        """Only once every name has its record: until then it may be what restores it."""
        await stop_deadmen(
            account.step_functions,
            self._saved.plan,
            self._folder.name,
            dry_run=self._dry_run,
            tell=self._tell,
        )
        return []

    def _failed(self, error: TakeoverError) -> None:
        self._errors.append(error)
        text_lines.tell_error(error)

    def _tell(self, text: str) -> None:
        text_lines.talk(self._common, text)

    def _save(self, changes: Sequence[Change]) -> None:
        save_restore(self._folder, self._clock.now(), changes)

    def _print(self, done: Rescue) -> None:
        self._printed += 1
        now = self._clock.now()
        _print_rescue(self._common, self._folder, done, self._printed, now, dry_run=self._dry_run)


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
