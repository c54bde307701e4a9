"""The commands that work on an account: plan, run, resume, restore.

Each returns the exit code, prints data to stdout and talk to stderr, and raises only
`TakeoverError`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from route53_takeover import render
from route53_takeover.adapters.clock import SystemClock
from route53_takeover.core import events as ev
from route53_takeover.core.plan import steps
from route53_takeover.core.records import display_name
from route53_takeover.core.state import Outcome
from route53_takeover.core.view import RecordResult, Result, result
from route53_takeover.engine import fold
from route53_takeover.errors import ExitCode, RefusedError, TakeoverError
from route53_takeover.folder import Saved, create_run, locked_names, originals
from route53_takeover.journal import read_journal
from route53_takeover.rescue import rescue
from route53_takeover.wiring import drive, opened, planned, who_am_i

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from route53_takeover.core.plan import Options, Plan
    from route53_takeover.folder import RunFolder
    from route53_takeover.settings import Common, Connection


def plan(common: Common, connection: Connection, options: Options, run_line: str) -> int:
    """``plan``: what would be done; writes nothing."""
    try:
        made = asyncio.run(_plan_only(connection, options))
    except TakeoverError as error:
        if not common.as_json or error.exit_code is not ExitCode.REFUSED:
            raise
        refusal = {
            "event": "plan",
            "refused": True,
            "reasons": [f"{error.message}. {error.hint}".strip()],
            "warnings": [],
            "records": [],
            "steps": [],
            "run_line": run_line,
        }
        render.write_line(json.dumps(refusal), sys.stdout)
        return error.exit_code
    if common.as_json:
        text = json.dumps(render.plan_object(made, steps(made), run_line))
    else:
        text = render.plan_text(made, steps(made), run_line)
    render.write_line(text, sys.stdout)
    return RefusedError.exit_code if made.refused else 0


async def _plan_only(connection: Connection, options: Options) -> Plan:
    clock = SystemClock()
    identity = who_am_i(connection)
    async with opened(connection, clock) as account:
        return await planned(account, clock, connection, options, identity)


def run(common: Common, connection: Connection, options: Options) -> int:
    """``run --auto``: a takeover, unattended."""
    return asyncio.run(run_in(common, connection, options, SystemClock()))


async def run_in(
    common: Common,
    connection: Connection,
    options: Options,
    clock: SystemClock,
    *,
    rehearsal: str | None = None,
) -> int:
    """A takeover on the account behind the connection, which may be a rehearsal's."""
    render.talk(common, "reading the account")
    identity = await asyncio.to_thread(who_am_i, connection)
    async with opened(connection, clock) as account:
        made = await planned(account, clock, connection, options, identity)
        if made.refused:
            for finding in made.refusals:
                render.talk(common, f"refused: {finding.text}", always=True)
                if finding.hint:
                    render.talk(common, f"  {finding.hint}", always=True)
            raise RefusedError("; ".join(finding.text for finding in made.refusals))
        if not made.manuals:
            return render.print_result(common, _nothing_to_do(made, account.calls), clock.now())
        for finding in made.warnings:
            render.talk(common, f"warning: {finding.text} {finding.hint}".rstrip())
        with locked_names(common.state_dir, made.zone_id, made.names):
            label = f"REHEARSAL-{rehearsal}" if rehearsal else options.stack
            folder = create_run(common.state_dir, label, clock.now())
            saved = Saved(
                run=folder.name,
                begun=clock.now(),
                plan=made,
                connection=connection,
                cwd=str(Path.cwd()),
                rehearsal=rehearsal,
            )
            folder.save_plan(saved)
            started = ev.RunStarted(time=clock.now(), run=folder.name, plan=made)
            return await drive(common, account, clock, folder, saved, started)


def _nothing_to_do(made: Plan, calls: Counter[str]) -> Result:
    return Result(
        run=None,
        phase="ended",
        outcome=str(Outcome.DONE),
        exit_code=0,
        reason=f"nothing to do: stack {made.root.stack_name} owns it already",
        records=tuple(
            RecordResult(
                name=display_name(r.key.name), type=r.type, outcome="owned", strategy="delete"
            )
            for r in made.owned
        ),
        api_calls=dict(sorted(calls.items())),
    )


def resume(common: Common, folder: RunFolder, override: Callable[[Connection], Connection]) -> int:
    """``resume RUN --auto``: goes on with a run whose process died."""
    saved = folder.plan()
    if saved.rehearsal:
        raise RefusedError(
            f"{folder.name} was a rehearsal, and its simulated account is gone",
            "Begin another one: `route53-takeover rehearse`.",
        )
    history = read_journal(folder.journal)
    state = fold(history)
    if state is None:
        raise RefusedError(
            f"{folder.name} was never begun: its journal is empty, nothing was written",
            "Begin it again with `run`.",
        )
    if state.ending is not None and state.ending.outcome is not Outcome.UNKNOWN:
        render.talk(common, f"{folder.name} has ended already")
        ended = result(state, {})
        return render.print_result(common, ended, state.now, seq=len(history))
    saved = replace(saved, connection=override(saved.connection))
    return asyncio.run(_resume(common, folder, saved))


async def _resume(common: Common, folder: RunFolder, saved: Saved) -> int:
    clock = SystemClock()
    async with opened(saved.connection, clock) as account:
        with locked_names(common.state_dir, saved.plan.zone_id, saved.plan.names):
            first = ev.RunResumed(time=clock.now())
            return await drive(common, account, clock, folder, saved, first)


def restore(
    common: Common,
    folder: RunFolder,
    override: Callable[[Connection], Connection],
    *,
    force: bool,
    dry_run: bool,
) -> int:
    """``restore RUN``: puts every name of a run back as it was."""
    saved, backup = folder.plan(), folder.backup()
    if saved.rehearsal:
        raise RefusedError(f"{folder.name} was a rehearsal, and its simulated account is gone")
    records = originals(backup)
    names = list(dict.fromkeys(record.key.name for record in records))

    async def work() -> None:
        clock = SystemClock()
        async with opened(override(saved.connection), clock) as account:
            with locked_names(common.state_dir, backup.zone_id, names):
                for name in names:
                    done = await rescue(
                        name,
                        [record for record in records if record.key.name == name],
                        zone_id=backup.zone_id,
                        clock=clock,
                        records=account.records,
                        stacks=account.stacks,
                        ttl=saved.plan.options.ttl,
                        force=force,
                        dry_run=dry_run,
                        tell=lambda text: render.talk(common, text),
                    )
                    verb = "would: " if dry_run else ""
                    if common.as_json:
                        line = {
                            "event": "restore",
                            "run": folder.name,
                            "name": display_name(name),
                            "dry_run": dry_run,
                            "changes": [
                                {"action": c.action, "record": c.record.to_api()}
                                for c in done.changes
                            ],
                        }
                        render.write_line(json.dumps(line), sys.stdout)
                    else:
                        render.write_line(f"{verb}{render.printable(done.describe())}", sys.stdout)

    asyncio.run(work())
    return 0
