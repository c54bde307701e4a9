"""The commands that work on an account: plan, run, resume, restore.

Each returns the exit code, prints data to stdout and talk to stderr, and raises only
`TakeoverError`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover.adapters.clock import SystemClock
from route53_takeover.adapters.identity import needs_mfa
from route53_takeover.base.errors import ExitCode, RefusedError, TakeoverError, UsageError
from route53_takeover.base.private_files import exposure, refuse_exposed
from route53_takeover.base.stdio import write_line
from route53_takeover.base.threads import in_thread
from route53_takeover.cli.bootstrap import check_refusals, drive, opened, planned, who_am_i
from route53_takeover.cli.history import folded
from route53_takeover.cli.interrupts import StoppedError, in_loop
from route53_takeover.core.domain.creation_order import names_targets_first
from route53_takeover.core.domain.record_sets import Change, display_name
from route53_takeover.core.plan.planner import steps
from route53_takeover.core.status.result import RecordResult, Result, result
from route53_takeover.core.takeover import events as ev
from route53_takeover.core.takeover.exit_codes import OUTCOMES
from route53_takeover.core.takeover.state import Outcome, RecordStatus
from route53_takeover.output import text_lines
from route53_takeover.output.reporter import ConsoleReporter
from route53_takeover.process.live_restore import restore_live
from route53_takeover.runtime.restore import OtherRegions, Place, Rescue, rescue
from route53_takeover.storage.journal import is_held, read_journal
from route53_takeover.storage.locks import Work, locked_names, site_of
from route53_takeover.storage.run_folder import Saved, create_run, line_for, originals, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from route53_takeover.cli.bootstrap import OpenAccount
    from route53_takeover.core.domain.record_sets import RecordSet
    from route53_takeover.core.plan.model import Options, Plan
    from route53_takeover.output.reporter import Reporter
    from route53_takeover.storage.config import Common, Connection, Override
    from route53_takeover.storage.run_folder import Backup, RunFolder


def plan(common: Common, connection: Connection, options: Options, run_line: str) -> int:
    """``plan``: what would be done; writes nothing."""
    try:
        return in_loop(_plan(common, connection, options, run_line))
    except TakeoverError as error:
        if not common.as_json or error.exit_code is not ExitCode.REFUSED:
            raise
        refusal = {
            "event": "plan",
            "refused": True,
            "reasons": [f"{error.message.rstrip('.')}. {error.hint}".strip()],
            "warnings": [],
            "records": [],
            "steps": [],
            "run_line": run_line,
            "config": common.config.path if common.config else None,
        }
        text_lines.tell_error(error)
        write_line(json.dumps(refusal), sys.stdout)
        return error.exit_code


async def _plan(common: Common, connection: Connection, options: Options, run_line: str) -> int:
    clock = SystemClock()
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(
        connection, clock, tell=lambda text: text_lines.talk(common, text)
    ) as account:
        made = await planned(
            account, clock, connection, options, identity, state_dir=common.state_dir
        )
    text_lines.print_plan(common, made, steps(made), run_line)
    return RefusedError.exit_code if made.refused else 0


def run(common: Common, connection: Connection, options: Options) -> int:
    """``run --auto``: a takeover, unattended."""
    text_lines.tell_config(common)
    audience = ConsoleReporter(common)
    return in_loop(run_in(common, audience, connection, options, SystemClock()))


async def run_in(
    common: Common,
    audience: Reporter,
    connection: Connection,
    options: Options,
    clock: SystemClock,
    *,
    rehearsal: str | None = None,
) -> int:
    """A takeover on the account behind the connection, which may be a rehearsal's."""
    if exposed := refuse_exposed(common.state_dir):
        audience.warn(exposed)
    audience.tell("reading the account")
    _refuse_questions(connection)
    identity = await in_thread(lambda: who_am_i(connection))
    async with opened(connection, clock, writable=True, tell=audience.tell) as account:
        made = await planned(
            account, clock, connection, options, identity, state_dir=common.state_dir
        )
        check_refusals(made)
        if not made.manuals:
            return audience.ended(_nothing_to_do(made, account.calls), clock.now())
        if not await audience.agrees(made):
            raise StoppedError("the plan was declined, and nothing was written")
        site = site_of(made.zone_id, connection.endpoint_url)
        with locked_names(common.state_dir, site, made.names) as held:
            label = f"REHEARSAL-{rehearsal}" if rehearsal else options.stack
            folder = create_run(common.state_dir, label, clock.now())
            saved = Saved(
                run=folder.name,
                begun=clock.now(),
                plan=made,
                connection=replace(connection, region=account.region),
                cwd=str(Path.cwd()),
                rehearsal=rehearsal,
            )
            try:
                folder.save_plan(saved)
            except OSError as error:
                folder.discard()
                raise UsageError(
                    f"cannot write {folder.path}: {error.strerror}; nothing was written to AWS",
                    "Make room there, or choose another folder with --state-dir.",
                ) from error
            held.register(folder)
            started = ev.RunStarted(time=clock.now(), run=folder.name, plan=made)
            with within(folder):
                return await drive(common, audience, account, clock, folder, saved, started)


def _refuse_questions(connection: Connection) -> None:
    """Nobody is there to answer when the SDK asks for a code."""
    for profile in (connection.profile, connection.dns_profile):
        if needs_mfa(profile):
            raise RefusedError(
                f"profile {profile or 'default'} would ask for an MFA code, and nobody is there "
                "to give it",
                "Use a session that is already open: aws sts get-session-token, or another "
                "--profile.",
            )


def _nothing_to_do(made: Plan, calls: Counter[str]) -> Result:
    return Result(
        run=None,
        phase="ended",
        outcome=str(Outcome.DONE),
        exit_code=ExitCode.DONE,
        reason=f"nothing to do: stack {made.root.stack_name} owns it already",
        records=tuple(
            RecordResult(
                name=display_name(r.key.name), type=r.type, outcome="owned", strategy="delete"
            )
            for r in made.owned
        ),
        api_calls=dict(sorted(calls.items())),
    )


def _is_same_account(audience: Reporter, saved: Saved) -> None:
    """Refuses other credentials than the run's; where nobody can tell, a rescue goes on."""
    try:
        account = who_am_i(saved.connection).account
    except TakeoverError as error:
        audience.warn(f"cannot ask whose account this is: {error}")
        return
    if account != saved.plan.account:
        raise RefusedError(
            f"these are credentials of account {account}, and the run is of {saved.plan.account}",
            "Give the run's with --profile.",
        )


def _claim(common: Common, audience: Reporter, folder: RunFolder) -> None:
    """Refuses what another user may have put there; root, who may be helping, is warned.

    A state folder in which another user can swap runs is only warned of: this may be a rescue, and
    the run's folder itself and all in it are ours.
    """
    if warning := folder.claim():
        audience.warn(warning)
    if exposed := exposure(common.state_dir):
        audience.warn(exposed)


def resume_here(common: Common, folder: RunFolder, override: Override) -> int:
    """``resume RUN --auto``: in this process."""
    text_lines.tell_config(common)
    return resume(common, ConsoleReporter(common), folder, override)


def resume(common: Common, audience: Reporter, folder: RunFolder, override: Override) -> int:
    """``resume RUN``: goes on with a run whose process died."""
    with within(folder):
        return _resume_run(common, audience, folder, override)


def _resume_run(common: Common, audience: Reporter, folder: RunFolder, override: Override) -> int:
    _claim(common, audience, folder)
    saved = folder.plan()
    if saved.rehearsal:
        raise RefusedError(
            f"{folder.name} was a rehearsal, and its simulated account is gone",
            "Begin another one: `route53-takeover rehearse`.",
        )
    state = folded(folder)
    if state is None:
        raise RefusedError(
            f"{folder.name} was never begun: its journal is empty, nothing was written",
            "Begin it again with `run`.",
        )
    if state.ending is not None and state.ending.outcome is not Outcome.UNKNOWN:
        audience.tell(f"{folder.name} has ended already")
        ended = result(state, None)
        return audience.ended(ended, state.now, seq=len(read_journal(folder.journal)) + 1)
    saved = replace(saved, connection=override(saved.connection))
    _is_same_account(audience, saved)
    if saved.plan.options.confirm_release:
        again = line_for(common.state_dir, "attach", folder.name)
        audience.tell(f"the release waits for somebody who confirms it: {again}")
    return in_loop(_resume(common, audience, folder, saved), written="the run is where it was")


async def _resume(common: Common, audience: Reporter, folder: RunFolder, saved: Saved) -> int:
    clock = SystemClock()
    async with opened(saved.connection, clock, writable=True) as account:
        site = site_of(saved.plan.zone_id, saved.connection.endpoint_url)
        with locked_names(common.state_dir, site, saved.plan.names, Work.RESUME) as held:
            held.register(folder)
            first = ev.RunResumed(time=clock.now())
            return await drive(common, audience, account, clock, folder, saved, first)


def restore(
    common: Common,
    folder: RunFolder,
    override: Override,
    *,
    force: bool,
    dry_run: bool,
) -> int:
    """``restore RUN``: puts every name of a run back as it was."""
    text_lines.tell_config(common)
    audience = ConsoleReporter(common)
    with within(folder):
        _claim(common, audience, folder)
        saved, backup = folder.plan(), folder.backup()
        if is_held(folder.journal) and not (dry_run or force):
            work = _restore_live(common, folder, backup)
            return in_loop(work, written="the run's process goes on with it")
        if saved.rehearsal:
            raise RefusedError(
                f"{folder.name} was a rehearsal, and its simulated account is gone",
                "There is nothing to restore.",
            )
        saved = replace(saved, connection=override(saved.connection))
        _is_same_account(audience, saved)
        work = _restore(common, folder, saved, backup, force=force, dry_run=dry_run)
        return in_loop(work, written="what was not reached yet is not restored")


async def _restore_live(common: Common, folder: RunFolder, backup: Backup) -> int:
    """Lets the run's own process restore, which holds the locks."""
    state = await restore_live(folder, lambda text: text_lines.talk(common, text))
    told = []
    for record in originals(backup):
        handover = next(h for h in state.handovers if h.original.key == record.key)
        put_back = handover.stage is RecordStatus.RESTORED
        told.append(_restored(record, "restored" if put_back else "untouched"))
        done = Rescue(name=record.key.name, changes=(Change.create(record),) if put_back else ())
        _print_rescue(common, folder, done, len(told), state.now, dry_run=False)
    ended = _restore_result(folder, [], told, Counter(), dry_run=False)
    if state.ending is None:
        again = line_for(common.state_dir, "attach", folder.name)
        text_lines.talk(common, f"the run keeps watch until its stack is at rest: `{again}`")
    return text_lines.print_result(common, ended, state.now, seq=len(told) + 1)


async def _restore(
    common: Common, folder: RunFolder, saved: Saved, backup: Backup, *, force: bool, dry_run: bool
) -> int:
    """Restores name by name: one that cannot be restored keeps no other from it."""
    clock = SystemClock()
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

    def tell(text: str) -> None:
        text_lines.talk(common, text)

    async with opened(saved.connection, clock, writable=not dry_run, tell=tell) as account:
        others = OtherRegions(account.inventory, names, saved.plan.options.owner_check)
        site = site_of(backup.zone_id, saved.connection.endpoint_url)
        with locked_names(common.state_dir, site, names, Work.RESTORE) as held:
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
                        ttl=saved.plan.options.ttl,
                        force=force,
                        by_force=by_force,
                        dry_run=dry_run,
                        tell=tell,
                        save=lambda changes: folder.save_restore(clock.now(), changes),
                        others=others,
                    )
                except TakeoverError as error:
                    errors.append(error)
                    text_lines.tell_error(error)
                    left = "unknown" if error.exit_code is ExitCode.UNKNOWN else "untouched"
                    changes = tuple(error.done)
                    done = Rescue(name=name, changes=changes) if changes else None
                created = {c.record for c in done.changes} if done and not dry_run else set()
                told += [_restored(r, "restored" if r in created else left) for r in here]
                if done:
                    _print_rescue(common, folder, done, seq, clock.now(), dry_run=dry_run)
        return text_lines.print_result(
            common,
            _restore_result(folder, errors, told, account.calls, dry_run=dry_run),
            clock.now(),
            seq=len(names) + 1,
        )


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
            "records: look again once it has ended, or use `resume`, which keeps watch",
            always=True,
        )


def _print_rescue(
    common: Common, folder: RunFolder, done: Rescue, seq: int, now: float, *, dry_run: bool
) -> None:
    if common.as_json:
        line = {
            "run": folder.name,
            "seq": seq,
            "time": text_lines.rfc3339(now),
            "phase": "restore",
            "event": "restore",
            "name": display_name(done.name),
            "dry_run": dry_run,
            "changes": [{"action": c.action, "record": c.record.to_api()} for c in done.changes],
        }
        write_line(json.dumps(line), sys.stdout)
    else:
        would = "would: " if dry_run else ""
        write_line(f"{would}{done.describe()}", sys.stdout)


def _restored(record: RecordSet, outcome: str) -> RecordResult:
    return RecordResult(
        name=display_name(record.key.name), type=record.type, outcome=outcome, strategy="delete"
    )


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
